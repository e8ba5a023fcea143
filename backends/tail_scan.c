/* SPDX-License-Identifier: MIT */
/*
 * tail_scan - which files of a log are still to be read, and where in each.
 *
 * A file is known again by its content (logfile.h), under whatever name, inode or compression it now is. What
 * is unknown is new - but at the very first start siblings older than the read-back window are left out.
 */
#include "backends/tail_private.h"

#include "backends/rotated.h"
#include "backends/series.h"
#include "store/base/mem.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#define HEADLESS_MS                                                                                \
	10000 /* a file of a series that is no longer than its head is read when it has been so for so long */
#define SCAN_INTERVAL_MS 60000 /* late writes into a file rotated away are seen within a minute */

struct tail_pending *tail_add_pending(struct tail *t, const char *path, bool live, int64_t size)
{
	t->pending = xrealloc(t->pending, (t->npending + 1) * sizeof(t->pending[0]));
	t->pending[t->npending] =
		(struct tail_pending){.path = xstrdup(path), .live = live, .size = size};
	return &t->pending[t->npending++];
}

static void clear_pending(struct tail *t)
{
	for (size_t i = 0; i < t->npending; i++)
		free(t->pending[i].path);
	t->npending = t->at = 0;
}

/* settled - a sibling that was read to its end and has not changed since: no need to open it. */
static bool settled(const struct tail *t, const struct rotated_file *f)
{
	for (size_t i = 0; i < t->nmarks; i++) {
		const struct logmark *m = &t->marks[i].mark;

		if (m->done && m->dev == f->dev && m->ino == f->ino && m->mtime_ms == f->mtime_ms &&
			(f->compressed || m->offset >= f->size))
			return true;
	}
	return false;
}

/* is_current - the file held open (it was renamed a moment ago): it is read through its descriptor. */
static bool is_current(const struct tail *t, const struct rotated_file *f)
{
	return t->file.fd >= 0 && (uint64_t)t->file.dev == f->dev &&
	       (uint64_t)t->file.ino == f->ino;
}

static void add_sibling(struct tail *t, const struct rotated_file *f)
{
	struct tail_pending *p = tail_add_pending(t, f->path, false, f->size);

	p->dev = f->dev;
	p->ino = f->ino;
}

static void add_siblings(struct tail *t, const struct rotated *r, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct rotated_file *f = &r->files[i];

		if (settled(t, f) || is_current(t, f) || f->size == 0)
			continue;
		if (t->first && f->mtime_ms < t->oldest_ms)
			tail_leave_out(t, f->path);
		else
			add_sibling(t, f);
	}
}

static int scan_siblings(struct tail *t, const char *path, struct mt_error *reterr)
{
	struct rotated r;
	int rc = rotated_list(path, &r, reterr);

	add_siblings(t, &r, r.n);
	rotated_done(&r);
	return rc;
}

/* scan_series - all but the last file are siblings; one is at least held open while no newer one is. */
static int scan_series(struct tail *t, struct mt_error *reterr)
{
	struct rotated r;
	int rc = series_list(t->series_folder, t->series_prefix, &r, reterr);

	add_siblings(t, &r, r.n ? r.n - 1 : 0);
	if (r.n && t->file.fd < 0)
		tail_add_pending(t, r.files[r.n - 1].path, true, r.files[r.n - 1].size);
	rotated_done(&r);
	return rc;
}

/* live_path - the first of the paths that is there; else the first, whose siblings may be there. */
static const char *live_path(const struct tail *t, bool *ret_there, int64_t *ret_size)
{
	for (size_t i = 0; i < t->npaths; i++) {
		struct stat st;

		if (stat(t->paths[i], &st) == 0) {
			*ret_there = true;
			*ret_size = st.st_size;
			return t->paths[i];
		}
	}
	*ret_there = false;
	*ret_size = 0;
	return t->npaths ? t->paths[0] : NULL;
}

static void scan_given(struct tail *t)
{
	for (size_t i = t->started ? t->npaths - 1 : 0; i < t->npaths; i++) {
		struct stat st;
		bool there = stat(t->paths[i], &st) == 0;
		bool last = i + 1 == t->npaths && t->follow && !logfile_compressed(t->paths[i]) &&
			    t->paths[i][0] != '-';

		tail_add_pending(t, t->paths[i], last, there ? st.st_size : 0);
	}
}

int tail_scan(struct tail *t, int64_t now_mono_ms, struct mt_error *reterr)
{
	bool there = false;
	int64_t size = 0;
	const char *path;
	int rc = 0;

	clear_pending(t);
	t->first = !t->started && !t->had_marks;
	if (t->series_folder) {
		rc = scan_series(t, reterr);
	} else if (t->all) {
		if (t->npaths && t->file.fd < 0)
			scan_given(t);
	} else {
		path = live_path(t, &there, &size);
		if (path)
			rc = scan_siblings(t, path, reterr);
		if (there && t->file.fd < 0)
			tail_add_pending(t, path, true, size);
	}
	if (!t->started)
		for (size_t i = 0; i < t->npending; i++)
			t->total_bytes += t->pending[i].size;
	t->started = true;
	t->scanned_mono_ms = now_mono_ms;
	t->next_scan_mono_ms = now_mono_ms + SCAN_INTERVAL_MS;
	return rc;
}

static void start_reading(
	struct tail *t, struct logfile *f, const struct tail_pending *p, size_t mark)
{
	tail_close_current(t);
	t->file = *f;
	t->path = xstrdup(p->path);
	t->mark = mark;
	t->live = p->live;
	t->fresh = true;
	t->buf_offset = f->at;
	t->skip_to = f->archive && mark != NO_MARK ? t->marks[mark].mark.offset : 0;
	t->opened++;
}

/* has_nothing_new - was all of this file read (or left out)? An archive is looked into once under each of its names. */
static bool has_nothing_new(const struct logmark *m, const struct logfile *f)
{
	return m->done && (m->offset == TAIL_LEFT_OUT || (!f->archive && m->offset >= f->size));
}

/*
 * is_copied_now - files of a series are never cut: one that is shorter than what was read of it is being copied anew over itself,
 * and so may one be that has not even a head to be known by.
 */
static bool is_copied_now(const struct tail *t, const struct logfile *f, size_t mark)
{
	struct timespec now;

	if (!t->series_folder || f->archive)
		return false;
	if (mark != NO_MARK && t->marks[mark].mark.offset != TAIL_LEFT_OUT &&
		t->marks[mark].mark.offset > f->size)
		return true;
	clock_gettime(CLOCK_REALTIME, &now);
	return t->follow && f->size < LOGFILE_HEAD_BYTES &&
	       (int64_t)now.tv_sec * 1000 - f->mtime_ms < HEADLESS_MS;
}

/* position - go to where reading stopped. 0 = there is something to read, 1 = all was read. */
static int position(struct tail *t, struct logfile *f, const struct tail_pending *p, size_t mark,
	struct mt_error *reterr)
{
	struct logmark *m = &t->marks[mark].mark;
	int rc = 0;

	if (!p->live && has_nothing_new(m, f))
		return 1;
	if (t->first && t->line_time && m->offset == 0 && !f->archive)
		tail_set_offset(&t->marks[mark], f, tail_window_start(t, f));
	if (!f->archive) /* an archive is read up to there in slices */
		rc = logfile_seek(f, m->offset == TAIL_LEFT_OUT ? f->size : m->offset, reterr);
	if (rc == 0)
		m->done = false;
	return rc;
}

/* is_as_listed - has another rotation moved the names on since the folder was read? */
static bool is_as_listed(const struct tail_pending *p, const struct logfile *f)
{
	return p->ino == 0 || (p->ino == (uint64_t)f->ino && p->dev == (uint64_t)f->dev);
}

/* look_again - the names moved on between listing and opening. */
static int look_again(struct tail *t)
{
	t->at = t->npending;
	return 0;
}

int tail_open_pending(struct tail *t, struct mt_error *reterr)
{
	struct tail_pending *p = &t->pending[t->at++];
	struct logfile f;
	size_t mark = NO_MARK;
	int rc = logfile_open(&f, p->path, reterr);

	if (rc == MT_ENOENT && !t->all)
		return look_again(t);
	if (rc < 0)
		return rc;
	if (!is_as_listed(p, &f)) {
		logfile_close(&f);
		return look_again(t);
	}
	if (is_copied_now(t, &f, NO_MARK)) {
		t->next_scan_mono_ms = t->scanned_mono_ms + HEADLESS_MS;
		logfile_close(&f);
		return 0;
	}
	if (f.regular)
		rc = tail_identify(t, &f, p->path, p->live, &mark, reterr);
	if (rc == 0 && is_copied_now(t, &f, mark)) {
		t->next_scan_mono_ms = t->scanned_mono_ms + HEADLESS_MS;
		rc = 1;
	} else if (rc == 0 && mark != NO_MARK)
		rc = position(t, &f, p, mark, reterr);
	if (rc == 0) {
		start_reading(t, &f, p, mark);
	} else {
		t->done_bytes += p->size;
		logfile_close(&f);
	}
	return rc < 0 ? rc : rc == 0;
}
