/* SPDX-License-Identifier: MIT */
/* tail_private - what tail.c (reading) and tail_scan.c (finding files) share. */
#ifndef MT_BACKENDS_TAIL_PRIVATE_H
#define MT_BACKENDS_TAIL_PRIVATE_H

#include "backends/tail.h"

#define NO_MARK ((size_t)-1)

struct tail_pending {
	char *path; /* owned */
	bool live; /* to be followed, not only read */
	int64_t size;
};

struct tail {
	char **paths; /* owned */
	size_t npaths;
	bool all, follow;
	int64_t oldest_mtime_ms;
	struct tail_mark *marks; /* owned */
	size_t nmarks;
	struct tail_pending *pending; /* owned; from at on */
	size_t npending, at;
	bool started; /* a first scan was made */
	bool had_marks; /* some were restored: not a first start */
	int64_t next_scan_mono_ms;
	struct logfile file; /* the current one */
	char *path; /* owned; its path */
	size_t mark; /* index of its mark; NO_MARK for standard input */
	bool live, fresh, final_given;
	int64_t replaced_mono_ms; /* when the live path was first seen to be another file; 0 */
	struct buf buf; /* bytes read, not consumed */
	int64_t buf_offset; /* of its first byte */
	bool skipping;
	int64_t skipped;
	bool truncated;
	int64_t done_bytes, total_bytes;
};

/* tail_scan - look for files to read; fills pending. */
int tail_scan(struct tail *t, int64_t now_mono_ms, struct mt_error *reterr) MT_MUST_CHECK;
/* tail_add_pending - one more file to read; the path is copied. */
void tail_add_pending(struct tail *t, const char *path, bool live, int64_t size);
/* tail_open_pending - open the next pending file at the place its mark says. 1 = opened, 0 = nothing to read in it. */
int tail_open_pending(struct tail *t, struct mt_error *reterr) MT_MUST_CHECK;
/* tail_close_current - forget the current file. */
void tail_close_current(struct tail *t);

#endif
