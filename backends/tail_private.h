/* SPDX-License-Identifier: MIT */
/* tail_private - what tail.c (reading) and tail_scan.c (finding files) share. */
#ifndef MT_BACKENDS_TAIL_PRIVATE_H
#define MT_BACKENDS_TAIL_PRIVATE_H

#include "backends/tail.h"

#define NO_MARK ((size_t)-1)
#define TAIL_DAY_MS INT64_C(86400000)
#define TAIL_LEFT_OUT INT64_MAX /* offset of a file that the first start left out as too old */

struct tail_pending {
	char *path; /* owned */
	bool live; /* to be followed, not only read */
	int64_t size;
	uint64_t dev, ino; /* when it was listed; ino 0 = not known */
};

struct tail {
	char **paths; /* owned */
	size_t npaths;
	char *series_folder, *series_prefix; /* owned; NULL: a log that is rotated */
	bool all, follow;
	int64_t oldest_ms;
	int64_t (*line_time)(void *ctx, struct str line, int64_t reference_ms);
	void *line_ctx;
	bool first; /* the files of the very first start are being read: the window holds */
	struct tail_mark *marks; /* owned */
	size_t nmarks;
	struct tail_mark *forgotten; /* owned; to be deleted from the store */
	size_t nforgotten;
	struct tail_pending *pending; /* owned; from at on */
	size_t npending, at;
	bool started; /* a first scan was made */
	bool had_marks; /* some were restored: not a first start */
	int64_t next_scan_mono_ms, next_newer_mono_ms, scanned_mono_ms;
	struct logfile file; /* the current one */
	char *path; /* owned; its path */
	size_t mark; /* index of its mark; NO_MARK for standard input */
	bool live, fresh, final_given;
	int64_t replaced_mono_ms; /* when the live path was first seen to be another file; 0 */
	int64_t skip_to; /* an archive is read up to here in slices: read before */
	struct buf buf; /* bytes read, not consumed */
	int64_t buf_offset; /* of its first byte */
	bool skipping;
	int64_t skipped;
	bool truncated;
	uint64_t opened; /* files so far */
	int64_t done_bytes, total_bytes;
};

/* tail_scan - look for files to read; fills pending. */
int tail_scan(struct tail *t, int64_t now_mono_ms, struct mt_error *reterr) MT_MUST_CHECK;
/* tail_add_pending - one more file to read; the path is copied. Borrowed until the next call. */
struct tail_pending *tail_add_pending(struct tail *t, const char *path, bool live, int64_t size);
/* tail_open_pending - open the next pending file at the place its mark says. 1 = opened, 0 = nothing to read in it. */
int tail_open_pending(struct tail *t, struct mt_error *reterr) MT_MUST_CHECK;
/* tail_close_current - forget the current file. */
void tail_close_current(struct tail *t);

/*
 * tail_identify - the mark of an open file, an old one or a new. *ret is untouched while the file is empty.
 * A live file that ends before what was read of it is read on from its end; another such one is done.
 */
int tail_identify(struct tail *t, const struct logfile *f, const char *path, bool live, size_t *ret,
	struct mt_error *reterr) MT_MUST_CHECK;
/* tail_begins_alike - does the current file still begin as its mark says? */
bool tail_begins_alike(const struct tail *t, const struct logmark *m);
/* tail_window_start - offset of the first line of a plain file that lies in the window of the first start. */
int64_t tail_window_start(const struct tail *t, const struct logfile *f);
/* tail_leave_out - mark a file as too old to be read. One that can't be opened stays unknown. */
void tail_leave_out(struct tail *t, const char *path);
/* tail_set_offset - what lies before offset of a plain file is read, or need not be. */
void tail_set_offset(struct tail_mark *m, const struct logfile *f, int64_t offset);
/* tail_move_mark - the current file is read up to offset; before: the bytes in front of it, as far as at hand. */
void tail_move_mark(struct tail *t, int64_t offset, struct str before);

#endif
