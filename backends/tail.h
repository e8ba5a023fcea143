/* SPDX-License-Identifier: MIT */
/*
 * tail - one log as a stream of bytes over rotations: its files in the order they were written, each from where
 * reading stopped, nothing twice and nothing left out.
 *
 * The caller reads chunks, consumes whole lines, and stores the marks (tail_marks) in the transaction that
 * stores what the lines meant. Deliberately without knowledge of lines' content, of the store and of time other
 * than what is passed in.
 */
#ifndef MT_BACKENDS_TAIL_H
#define MT_BACKENDS_TAIL_H

#include "backends/logfile.h"
#include "store/base/buf.h"

struct tail_mark {
	char key[24]; /* names the file for good: hex of its first fingerprint */
	struct logmark mark;
	bool changed; /* since tail_marks_stored */
};

struct tail;

struct tail_options {
	const char *const
		*paths; /* with all: every one, in order; else the first that exists is followed */
	size_t npaths;
	const char *
		series_folder; /* instead of paths: the files of a series (series.h), the last one followed; or NULL */
	const char *series_prefix;
	bool all; /* given files: read whole, no siblings looked for */
	bool follow; /* false: stop at the end of what there is */
	int64_t oldest_ms; /* first start: what was written before is left out; INT64_MIN: nothing is */
	/* line_time - UTC ms of a line, negative if it has none; reference_ms for stamps without a year. NULL: whole files */
	int64_t (*line_time)(void *ctx, struct str line, int64_t reference_ms);
	void *line_ctx;
};

/* What a chunk belongs to. */
struct tail_chunk {
	struct str bytes; /* borrowed until the next call */
	bool final; /* no more will follow in this file: an unterminated last line is a line */
	int64_t offset; /* of bytes in the file */
	int64_t reference_ms; /* for stamps without a year: mtime of the file + 1 day, or 0 = now */
	const char *key, *path; /* of the file */
	bool fresh; /* first chunk of another file: parsing starts anew */
};

enum tail_state {
	TAIL_CHUNK, /* *ret has bytes */
	TAIL_IDLE, /* at the end of the live file, or nothing there yet */
	TAIL_END /* not following: all is read */
};

/* tail_new - paths are copied. Gives. */
struct tail *tail_new(const struct tail_options *options);
void tail_free(struct tail *t);
/* tail_restore - a mark stored earlier; before the first tail_next. value is what tail_encode gave. MT_ECORRUPT. */
int tail_restore(struct tail *t, struct str key, struct str value) MT_MUST_CHECK;
/*
 * tail_next - the next chunk. now_mono_ms paces the looking for rotations.
 * Returns enum tail_state or a negative mt_err; a failing file (unreadable, damaged archive) is reported once
 * per look and left for a later one, the others go on.
 */
int tail_next(struct tail *t, int64_t now_mono_ms, struct tail_chunk *ret,
	struct mt_error *reterr) MT_MUST_CHECK;
/* tail_consumed - nbytes of the last chunk are done; the rest comes again. */
void tail_consumed(struct tail *t, size_t nbytes);
/* tail_unread - what of the last chunk was not consumed yet; borrowed until the next call. */
struct str tail_unread(const struct tail *t);
/* tail_skipped - lines given up as too long since the last call. */
int64_t tail_skipped(struct tail *t);
/* tail_each_changed - marks to store; then tail_stored. A mark whose file is gone has value absent: delete it. */
int tail_each_changed(struct tail *t, int (*fn)(void *ctx, struct str key, struct str value),
	void *ctx) MT_MUST_CHECK;
void tail_stored(struct tail *t);
/* tail_says_done - does the value of a mark say that its file was rotated away and read to its end? */
bool tail_says_done(struct str value);
/* tail_progress - bytes read and in all of what was there at the start (archives by their size on disk). */
void tail_progress(const struct tail *t, int64_t *ret_done, int64_t *ret_total);
/* tail_path - the file being read or followed, NULL if none. tail_truncated - has a truncation in place been seen? */
const char *tail_path(const struct tail *t);
bool tail_truncated(const struct tail *t);

#endif
