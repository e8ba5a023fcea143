/* SPDX-License-Identifier: MIT */
/*
 * tail - see tail.h. One file is open at a time; what was read but not consumed stays in one buffer.
 *
 * The mark of a file moves only in tail_consumed, behind a complete line: a crash between a read and a commit
 * reads the same bytes again.
 */
#include "backends/tail_private.h"

#include "backends/series.h"
#include "store/base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define READ_BYTES (128u << 10) /* stays in the processor's cache from the read to the parse */
#define LINE_MAX_BYTES (1u << 20) /* longer: skipped up to its newline and counted */
#define BUFFER_MAX_BYTES (LINE_MAX_BYTES + READ_BYTES + 1)
#define GRACE_QUIET_MS                                                                             \
	5000 /* the writer may still hold the old file: it is read that long after the new one came */
#define GRACE_WRITTEN_MS 1000 /* unless somebody already writes to the new one */
#define NEWER_INTERVAL_MS                                                                          \
	2000 /* a folder of thousands of files, over a network, is not listed more often */
#define TORN_LINE_MS                                                                               \
	3600000 /* a given file unchanged for so long is not being written: its last line is whole */

struct tail *tail_new(const struct tail_options *options)
{
	struct tail *t = xcalloc(1, sizeof(*t));

	t->paths = xcalloc(options->npaths + 1, sizeof(t->paths[0]));
	t->npaths = options->npaths;
	for (size_t i = 0; i < t->npaths; i++)
		t->paths[i] = xstrdup(options->paths[i]);
	t->series_folder = options->series_folder ? xstrdup(options->series_folder) : NULL;
	t->series_prefix = options->series_folder ? xstrdup(options->series_prefix) : NULL;
	t->all = options->all;
	t->follow = options->follow;
	t->oldest_ms = options->oldest_ms;
	t->line_time = options->line_time;
	t->line_ctx = options->line_ctx;
	t->file.fd = -1;
	t->mark = NO_MARK;
	buf_init(&t->buf, BUFFER_MAX_BYTES);
	return t;
}

void tail_close_current(struct tail *t)
{
	if (t->file.fd >= 0)
		t->done_bytes += logfile_disk_bytes(&t->file);
	logfile_close(&t->file);
	free(t->path);
	t->path = NULL;
	t->mark = NO_MARK;
	t->live = t->fresh = t->final_given = t->skipping = false;
	t->replaced_mono_ms = 0;
	t->buf_offset = t->skip_to = 0;
	buf_clear(&t->buf);
}

void tail_free(struct tail *t)
{
	if (!t)
		return;
	tail_close_current(t);
	buf_done(&t->buf);
	for (size_t i = 0; i < t->npending; i++)
		free(t->pending[i].path);
	free(t->pending);
	for (size_t i = 0; i < t->npaths; i++)
		free(t->paths[i]);
	free(t->paths);
	free(t->series_folder);
	free(t->series_prefix);
	free(t->marks);
	free(t->forgotten);
	free(t);
}

static struct logmark *current_mark(struct tail *t)
{
	return t->mark == NO_MARK ? NULL : &t->marks[t->mark].mark;
}

static void set_mark(struct tail *t, int64_t offset, struct str before)
{
	t->buf_offset = offset;
	tail_move_mark(t, offset, before);
}

/* finish - the current file is read to its end and will not grow. */
static void finish(struct tail *t)
{
	struct logmark *m = current_mark(t);

	if (t->skipping) { /* the long line ends with its file */
		t->skipped++;
		set_mark(t, t->file.at, (struct str){NULL, 0});
	}
	if (m && !t->live) {
		m->done = true;
		t->marks[t->mark].changed = true;
	} else if (m && t->replaced_mono_ms) {
		m->done = true;
		m->mtime_ms = t->file.mtime_ms;
		t->marks[t->mark].changed = true;
	}
	tail_close_current(t);
}

/* chunk - hand out what is in the buffer. */
static int chunk(struct tail *t, bool final, struct tail_chunk *ret)
{
	*ret = (struct tail_chunk){.bytes = buf_str(&t->buf),
		.final = final,
		.offset = t->buf_offset,
		.reference_ms = t->file.regular ? t->file.mtime_ms + TAIL_DAY_MS : 0,
		.key = t->mark == NO_MARK ? "" : t->marks[t->mark].key,
		.path = t->path,
		.fresh = t->fresh};
	t->fresh = false;
	t->final_given = final;
	return TAIL_CHUNK;
}

void tail_consumed(struct tail *t, size_t nbytes)
{
	if (nbytes == 0)
		return;
	set_mark(t, t->buf_offset + (int64_t)nbytes, str_first(buf_str(&t->buf), nbytes));
	buf_drop_front(&t->buf, nbytes);
}

struct str tail_unread(const struct tail *t)
{
	return buf_str(&t->buf);
}

int64_t tail_skipped(struct tail *t)
{
	int64_t n = t->skipped;

	t->skipped = 0;
	return n;
}

/* jump_hole - over a hole of a sparse file while skipping; a terabyte of nothing is not read. */
static void jump_hole(struct tail *t)
{
	off_t data;

	if (t->file.archive || !t->file.regular)
		return;
	data = lseek(t->file.fd, t->file.at, SEEK_DATA);
	if (data > t->file.at)
		t->file.at = data;
	else if (data < 0 && t->file.size > t->file.at)
		t->file.at = t->file.size;
}

/* drop_nuls - those in front of a line: they are left where a file was truncated under a writer that does not append. */
static void drop_nuls(struct tail *t)
{
	struct str bytes = buf_str(&t->buf);
	size_t n = 0;

	while (n < bytes.n && bytes.p[n] == '\0')
		n++;
	if (n == 0)
		return;
	buf_drop_front(&t->buf, n);
	if (t->buf.n == 0)
		jump_hole(t);
	set_mark(t, t->file.at - (int64_t)t->buf.n, (struct str){NULL, 0});
}

/* read_over - the part of an archive that was read before, a slice at a time. */
static int read_over(struct tail *t, struct mt_error *reterr)
{
	int64_t left = t->skip_to - t->file.at;
	char *at = buf_reserve(&t->buf, READ_BYTES);
	ssize_t n = at ? logfile_read(&t->file, at, left < READ_BYTES ? (size_t)left : READ_BYTES,
				 reterr)
		       : mt_error_set(reterr, MT_ENOMEM, "no memory for reading the log");

	t->buf_offset = t->file.at;
	if (n <= 0)
		finish(t); /* damaged, or made of a copy without the last lines read */
	return n < 0 ? (int)n : TAIL_CHUNK;
}

/* skip_line - drop the buffer up to a newline; true when the long line has ended. */
static bool skip_line(struct tail *t)
{
	struct str bytes = buf_str(&t->buf);
	size_t n = str_find_char(bytes, '\n');

	if (n == bytes.n) {
		buf_clear(&t->buf);
		jump_hole(t);
		return false;
	}
	t->skipping = false;
	t->skipped++; /* counted when its end is known: not twice after a restart within it */
	buf_drop_front(&t->buf, n + 1);
	set_mark(t, t->file.at - (int64_t)t->buf.n, (struct str){NULL, 0});
	return true;
}

/* fill - read more behind what is in the buffer. Bytes read, 0 at the end, negative on failure. */
static int fill(struct tail *t, struct mt_error *reterr)
{
	char *at = buf_reserve(&t->buf, READ_BYTES);
	ssize_t n;

	if (!at)
		return mt_error_set(reterr, MT_ENOMEM, "no memory for reading the log");
	n = logfile_read(&t->file, at, READ_BYTES, reterr);
	if (n <= 0)
		return (int)n;
	buf_grow(&t->buf, (size_t)n);
	return (int)n;
}

/* differs - are the last bytes read still in the file where they were? Sees a file cut and grown past them. */
static bool differs(const struct tail *t)
{
	char now[LOGFILE_TAIL_BYTES];
	struct str have = buf_str(&t->buf);
	size_t n = have.n < sizeof(now) ? have.n : sizeof(now);

	return !t->skipping && n &&
	       (pread(t->file.fd, now, n, t->file.at - (off_t)n) != (ssize_t)n ||
		       memcmp(now, have.p + have.n - n, n) != 0);
}

/* replaced_in_place - has what we have read been overwritten or cut off under us? */
static bool replaced_in_place(struct tail *t)
{
	struct logmark *m = current_mark(t);

	if (!t->file.regular || t->file.archive)
		return false;
	if (t->file.size < t->file.at)
		return true;
	return (m && (logfile_tail_hash(&t->file, m->offset) != m->tail_hash ||
			     !tail_begins_alike(t, m))) ||
	       differs(t);
}

/* moved_away - is the path another file than the one open? ret_written: somebody has written to the new one. */
static bool moved_away(const struct tail *t, bool *ret_written)
{
	struct stat st;

	if (stat(t->path, &st) < 0)
		return false; /* rotated, the new file is not there yet: stay with the old one */
	*ret_written = st.st_size > 0;
	return st.st_dev != t->file.dev || st.st_ino != t->file.ino;
}

/* is_behind - is the file open no longer the one that is written to? */
static bool is_behind(struct tail *t, int64_t now_mono_ms, bool *ret_written)
{
	bool moved = moved_away(t, ret_written); /* of a series: a newer copy of the same file */

	if (moved || !t->series_folder)
		return moved;
	if (t->replaced_mono_ms == 0 && now_mono_ms < t->next_newer_mono_ms)
		return false;
	t->next_newer_mono_ms = now_mono_ms + NEWER_INTERVAL_MS;
	return series_has_newer(t->path, ret_written);
}

/* look_back - now and then: has somebody written into a file that was rotated away? Then read it first. */
static int look_back(struct tail *t, int64_t now_mono_ms)
{
	if (tail_scan(t, now_mono_ms, NULL) < 0 || t->all || t->npending == 0)
		return TAIL_IDLE;
	tail_add_pending(t, t->path, true, 0);
	tail_close_current(t);
	return TAIL_CHUNK;
}

/* at_live_end - nothing more for now: has the file been rotated away? */
static int at_live_end(struct tail *t, int64_t now_mono_ms, struct tail_chunk *ret)
{
	bool written = false;

	if (!is_behind(t, now_mono_ms, &written)) {
		t->replaced_mono_ms = 0;
		return now_mono_ms < t->next_scan_mono_ms ? TAIL_IDLE : look_back(t, now_mono_ms);
	}
	if (t->replaced_mono_ms == 0) {
		t->replaced_mono_ms = now_mono_ms ? now_mono_ms : 1;
		return TAIL_IDLE;
	}
	if (now_mono_ms - t->replaced_mono_ms < (written ? GRACE_WRITTEN_MS : GRACE_QUIET_MS))
		return TAIL_IDLE;
	if (t->buf.n && !t->final_given)
		return chunk(t, true, ret);
	finish(t);
	t->next_scan_mono_ms = 0;
	return TAIL_CHUNK; /* go on: the caller's loop opens the next file */
}

/*
 * at_plain_end - the end of a file that is only read, not followed. Half a line taken for a line is a wrong figure, and
 * so is its rest: a writer that buffers (or a slow machine) may leave it so for minutes. The live log's is never taken.
 */
static int at_plain_end(struct tail *t, struct tail_chunk *ret, int64_t now_utc_ms)
{
	bool rotated = !t->live && !t->all &&
		       !t->series_folder; /* of a series it may be a copy being made */
	bool settled = t->file.archive || !t->file.regular || rotated ||
		       (!t->live && now_utc_ms - t->file.mtime_ms > TORN_LINE_MS);

	if (t->buf.n && !t->final_given && !t->skipping && settled)
		return chunk(t, true, ret);
	if (t->live || ((t->buf.n || t->skipping) && !settled))
		tail_close_current(t);
	else
		finish(t);
	return TAIL_CHUNK;
}

static int64_t utc_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/*
 * adopt - the file was empty when opened: now it has bytes to be known by. Between the two it may have been filled,
 * copied and cut again (copytruncate, on a busy machine): the siblings are looked at soon.
 */
static int adopt(struct tail *t, struct mt_error *reterr)
{
	int rc = tail_identify(t, &t->file, t->path, t->live, &t->mark, reterr);
	int64_t offset = t->mark == NO_MARK ? 0 : t->marks[t->mark].mark.offset;

	t->next_scan_mono_ms = 0;
	if (rc < 0 || offset == 0)
		return rc;
	buf_clear(&t->buf); /* a copy of what was read before */
	t->file.at = t->buf_offset = offset == TAIL_LEFT_OUT ? t->file.size : offset;
	return 0;
}

/* read_current - one step with the open file. TAIL_CHUNK with ret->bytes.p NULL: go round again. */
static int read_current(
	struct tail *t, int64_t now_mono_ms, struct tail_chunk *ret, struct mt_error *reterr)
{
	int got = fill(t, reterr);
	int rc = got;

	/* Looked at after the read: bytes read from a file that was cut meanwhile are not believed. */
	if (rc >= 0 && t->file.regular)
		rc = logfile_stat(&t->file, reterr);
	if (rc == 0 && replaced_in_place(t)) {
		t->truncated = true;
		tail_close_current(t);
		t->next_scan_mono_ms = 0;
		return TAIL_CHUNK;
	}
	if (rc >= 0 && got > 0 && t->mark == NO_MARK && t->file.regular)
		rc = adopt(t, reterr);
	if (rc >= 0)
		rc = got;
	if (rc < 0) {
		finish(t); /* damaged from here on: what came before counts */
		return rc;
	}
	if (rc == 0)
		return t->live && t->follow ? at_live_end(t, now_mono_ms, ret)
					    : at_plain_end(t, ret, utc_ms());
	if (t->skipping && !skip_line(t))
		return TAIL_CHUNK;
	drop_nuls(t);
	if (t->buf.n == 0)
		return TAIL_CHUNK;
	if (t->buf.n > LINE_MAX_BYTES && str_find_char(buf_str(&t->buf), '\n') == t->buf.n) {
		t->skipping = true;
		buf_clear(&t->buf);
		return TAIL_CHUNK;
	}
	return chunk(t, false, ret);
}

int tail_next(struct tail *t, int64_t now_mono_ms, struct tail_chunk *ret, struct mt_error *reterr)
{
	for (int turns = 0; turns < 64; turns++) {
		int rc;

		*ret = (struct tail_chunk){.bytes = {NULL, 0}};
		if (t->file.fd < 0 && t->at >= t->npending) {
			if (t->started && !t->follow)
				return TAIL_END;
			rc = tail_scan(t, now_mono_ms, reterr);
			if (rc < 0)
				return rc;
			if (t->npending == 0)
				return t->follow ? TAIL_IDLE : TAIL_END;
		}
		if (t->file.fd < 0) {
			rc = tail_open_pending(t, reterr);
			if (rc < 0)
				return rc;
			continue;
		}
		rc = t->file.at < t->skip_to ? read_over(t, reterr)
					     : read_current(t, now_mono_ms, ret, reterr);
		if (rc != TAIL_CHUNK || ret->bytes.p)
			return rc;
	}
	return TAIL_IDLE; /* so many empty files in a row: let others have a turn */
}

void tail_progress(const struct tail *t, int64_t *ret_done, int64_t *ret_total)
{
	*ret_total = t->total_bytes;
	*ret_done = t->done_bytes + (t->file.fd >= 0 ? logfile_disk_bytes(&t->file) : 0);
	if (*ret_done > t->total_bytes)
		*ret_done = t->total_bytes;
}

const char *tail_path(const struct tail *t)
{
	return t->path;
}

bool tail_truncated(const struct tail *t)
{
	return t->truncated;
}
