/* SPDX-License-Identifier: MIT */
/* buf - a growing, capped byte buffer; see buf.h. */
#include "store/base/buf.h"

#include "store/base/mem.h"

#include <stdio.h>
#include <stdlib.h>

#define BUF_FIRST_BYTES 64 /* a short name fits; doubling does the rest */

void buf_init(struct buf *b, size_t max_bytes)
{
	*b = (struct buf){.max = max_bytes};
}

void buf_done(struct buf *b)
{
	size_t max = b->max;

	free(b->p);
	*b = (struct buf){.max = max};
}

void buf_clear(struct buf *b)
{
	b->n = 0;
	b->err = MT_OK;
	if (b->p)
		b->p[0] = '\0';
}

static int fail(struct buf *b, enum mt_err code)
{
	b->err = code;
	return code;
}

static int ensure(struct buf *b, size_t more)
{
	size_t want = b->cap ? b->cap : BUF_FIRST_BYTES;
	char *grown;

	if (more > b->max || b->n > b->max - more)
		return fail(b, MT_ELIMIT);
	if (b->p && b->n + more <= b->cap)
		return 0;
	while (want < b->n + more)
		want *= 2;
	if (want > b->max)
		want = b->max;
	grown = realloc(b->p, want + 1);
	if (!grown)
		return fail(b, MT_ENOMEM);
	b->p = grown;
	b->cap = want;
	return 0;
}

int buf_add(struct buf *b, const void *bytes, size_t nbytes)
{
	int rc = ensure(b, nbytes);

	if (rc < 0)
		return rc;
	if (nbytes)
		memcpy(b->p + b->n, bytes, nbytes);
	b->n += nbytes;
	b->p[b->n] = '\0';
	return 0;
}

int buf_add_str(struct buf *b, struct str s)
{
	return buf_add(b, s.p, s.n);
}

int buf_add_z(struct buf *b, const char *z)
{
	return buf_add(b, z, strlen(z));
}

int buf_add_char(struct buf *b, char c)
{
	return buf_add(b, &c, 1);
}

int buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int length;
	int rc;

	va_start(ap, fmt);
	length = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (length < 0)
		return fail(b, MT_ENOMEM);
	rc = ensure(b, (size_t)length);
	if (rc < 0)
		return rc;
	va_start(ap, fmt);
	vsnprintf(b->p + b->n, (size_t)length + 1, fmt, ap);
	va_end(ap);
	b->n += (size_t)length;
	return 0;
}

char *buf_reserve(struct buf *b, size_t nbytes)
{
	return ensure(b, nbytes) < 0 ? NULL : b->p + b->n;
}

void buf_grow(struct buf *b, size_t nbytes)
{
	b->n += nbytes;
	b->p[b->n] = '\0';
}

void buf_drop_front(struct buf *b, size_t nbytes)
{
	if (nbytes > b->n)
		nbytes = b->n;
	if (nbytes == 0)
		return;
	memmove(b->p, b->p + nbytes, b->n - nbytes + 1);
	b->n -= nbytes;
}

struct str buf_str(const struct buf *b)
{
	return str_make(b->p ? b->p : "", b->n);
}

const char *buf_z(const struct buf *b)
{
	return b->p ? b->p : "";
}

char *buf_take(struct buf *b)
{
	char *taken = b->p ? b->p : xstrdup("");

	b->p = NULL;
	buf_done(b);
	return taken;
}
