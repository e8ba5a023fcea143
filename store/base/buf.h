/* SPDX-License-Identifier: MIT */
/*
 * buf - a growing byte buffer with a cap given at init.
 *
 * Growth past the cap, or failed memory, sets a sticky error and drops the append whole; what was
 * there stays. The bytes are always followed by a NUL that is not counted.
 */
#ifndef MT_BASE_BUF_H
#define MT_BASE_BUF_H

#include "store/base/err.h"
#include "store/base/str.h"

struct buf {
	char *p; /* owned; NULL until the first append */
	size_t n; /* bytes used */
	size_t cap; /* bytes allocated, less one for the NUL */
	size_t max; /* the cap */
	enum mt_err err; /* sticky: MT_ELIMIT or MT_ENOMEM */
};

/* buf_init - empty buffer that may grow to max_bytes. Allocates nothing. */
void buf_init(struct buf *b, size_t max_bytes);

/* buf_done - free; accepts a zeroed or done buffer. */
void buf_done(struct buf *b);

/* buf_clear - empty it, keep the memory, clear the error. */
void buf_clear(struct buf *b);

/* buf_add - append. Returns 0, MT_ELIMIT or MT_ENOMEM (also kept in b->err). */
int buf_add(struct buf *b, const void *bytes, size_t nbytes);

/* buf_add_str, buf_add_z, buf_add_char, buf_printf - the same for a view, a C string, a byte, a format. */
int buf_add_str(struct buf *b, struct str s);
int buf_add_z(struct buf *b, const char *z);
int buf_add_char(struct buf *b, char c);
int buf_printf(struct buf *b, const char *fmt, ...) MT_PRINTF(2, 3);

/* buf_reserve - room for nbytes more; returns the write position or NULL. Add the bytes with buf_grow. */
char *buf_reserve(struct buf *b, size_t nbytes);
void buf_grow(struct buf *b, size_t nbytes);

/* buf_drop_front - remove the first nbytes (clamped). */
void buf_drop_front(struct buf *b, size_t nbytes);

/* buf_str - view of the content; valid until the next change. */
struct str buf_str(const struct buf *b);

/* buf_z - the content as a C string; never NULL; valid until the next change. */
const char *buf_z(const struct buf *b);

/* buf_take - hand the memory over (NUL-terminated, never NULL), leaving an empty buffer. Gives. */
char *buf_take(struct buf *b);

#endif
