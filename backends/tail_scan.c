/* SPDX-License-Identifier: MIT */
/*
 * tail_scan - which files of a log are still to be read, and where in each.
 *
 * A file is known again by its content (logfile.h), under whatever name, inode or compression it now is. What
 * is unknown is new - but at the very first start siblings older than the read-back window are left out.
 */
#include "backends/tail_private.h"

#include "backends/rotated.h"
#include "store/base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define SCAN_INTERVAL_MS 60000 /* late writes into a file rotated away are seen within a minute */
#define MARKS_MAX 4096

void tail_add_pending(struct tail *t, const char *path, bool live, int64_t size)
{
	t->pending = xrealloc(t->pending, (t->npending + 1) * sizeof(t->pending[0]));
	t->pending[t->npending++] = (struct tail_pending){xstrdup(path), live, size};
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

static void leave_out(struct tail *t, const struct rotated_file *f);

static int scan_siblings(struct tail *t, const char *path, struct mt_error *reterr)
{
	struct rotated r;
	int rc = rotated_list(path, &r, reterr);

	for (size_t i = 0; i < r.n; i++) {
		struct rotated_file *f = &r.files[i];

		if (settled(t, f) || is_current(t, f) || f->size == 0)
			continue;
		if (!t->started && !t->had_marks && f->mtime_ms < t->oldest_mtime_ms)
			leave_out(t, f);
		else
			tail_add_pending(t, f->path, false, f->size);
	}
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
	if (t->all) {
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
	t->next_scan_mono_ms = now_mono_ms + SCAN_INTERVAL_MS;
	return rc;
}

/* find_mark - the mark of a file with this head, by its content; of several the furthest. NO_MARK. */
static size_t find_mark(struct tail *t, const struct logfile *f, struct str head)
{
	size_t best = NO_MARK;

	for (size_t i = 0; i < t->nmarks; i++) {
		const struct logmark *m = &t->marks[i].mark;

		if (best != NO_MARK && m->offset <= t->marks[best].mark.offset)
			continue;
		if (m->head_len <= head.n && logfile_hash(head.p, m->head_len) == m->head_hash &&
			(f->archive || (m->offset <= f->size &&
					       logfile_tail_hash(f, m->offset) == m->tail_hash)))
			best = i;
	}
	return best;
}

static bool key_taken(const struct tail *t, const char *key)
{
	for (size_t i = 0; i < t->nmarks; i++)
		if (strcmp(t->marks[i].key, key) == 0)
			return true;
	return false;
}

/* forget_oldest - room for one more mark: the done one last written longest ago goes. */
static void forget_oldest(struct tail *t)
{
	size_t oldest = NO_MARK;

	for (size_t i = 0; i < t->nmarks; i++)
		if (t->marks[i].mark.done && i != t->mark &&
			(oldest == NO_MARK ||
				t->marks[i].mark.mtime_ms < t->marks[oldest].mark.mtime_ms))
			oldest = i;
	if (oldest == NO_MARK)
		return;
	t->marks[oldest] = t->marks[--t->nmarks];
	if (t->mark == t->nmarks)
		t->mark = oldest;
}

static size_t new_mark(struct tail *t, const struct logmark *m)
{
	struct tail_mark *added;

	if (t->nmarks >= MARKS_MAX)
		forget_oldest(t);
	t->marks = xrealloc(t->marks, (t->nmarks + 1) * sizeof(t->marks[0]));
	added = &t->marks[t->nmarks];
	*added = (struct tail_mark){.mark = *m, .changed = true};
	snprintf(added->key, sizeof(added->key), "%016" PRIx64, m->head_hash);
	for (unsigned n = 2; key_taken(t, added->key); n++)
		snprintf(added->key, sizeof(added->key), "%016" PRIx64 "-%u", m->head_hash,
			n % 100000);
	return t->nmarks++;
}

static void note_file(struct logmark *m, const struct logfile *f)
{
	m->dev = (uint64_t)f->dev;
	m->ino = (uint64_t)f->ino;
	m->mtime_ms = f->mtime_ms;
}

static void leave_out(struct tail *t, const struct rotated_file *f)
{
	struct logfile file;
	struct logmark m = {.done = true};
	char head[LOGFILE_HEAD_BYTES];
	ssize_t n;

	if (logfile_open(&file, f->path, NULL) < 0)
		return;
	n = logfile_read_head(&file, f->path, head, NULL);
	if (n > 0) {
		m.head_len = (uint32_t)n;
		m.head_hash = logfile_hash(head, (size_t)n);
		note_file(&m, &file);
		m.offset = file.archive ? 0 : file.size;
		if (!file.archive)
			m.tail_hash = logfile_tail_hash(&file, m.offset);
		new_mark(t, &m);
	}
	logfile_close(&file);
}

/* identify - the mark of a freshly opened file, an old one or a new; NO_MARK while it is empty. */
static int identify(
	struct tail *t, struct logfile *f, const char *path, size_t *ret, struct mt_error *reterr)
{
	char head[LOGFILE_HEAD_BYTES];
	struct logmark m = {0};
	ssize_t n = logfile_read_head(f, path, head, reterr);

	if (n <= 0)
		return (int)n;
	*ret = find_mark(t, f, str_make(head, (size_t)n));
	if (*ret != NO_MARK) {
		struct logmark *known = &t->marks[*ret].mark;

		if (known->dev != (uint64_t)f->dev || known->ino != (uint64_t)f->ino ||
			known->mtime_ms != f->mtime_ms)
			t->marks[*ret].changed = true;
		note_file(known, f);
		return 0;
	}
	m.head_len = (uint32_t)n;
	m.head_hash = logfile_hash(head, (size_t)n);
	note_file(&m, f);
	*ret = new_mark(t, &m);
	return 0;
}

static int begin(struct tail *t, struct logfile *f, const struct tail_pending *p, size_t mark,
	struct mt_error *reterr)
{
	int64_t offset = mark == NO_MARK ? 0 : t->marks[mark].mark.offset;
	int rc = offset ? logfile_seek(f, offset, reterr) : 0;

	if (rc < 0)
		return rc;
	tail_close_current(t);
	t->file = *f;
	t->path = xstrdup(p->path);
	t->mark = mark;
	t->live = p->live;
	t->fresh = true;
	t->buf_offset = offset;
	t->done_bytes += offset < p->size ? offset : 0;
	return 1;
}

int tail_open_pending(struct tail *t, struct mt_error *reterr)
{
	struct tail_pending *p = &t->pending[t->at++];
	struct logfile f;
	size_t mark = NO_MARK;
	int rc = logfile_open(&f, p->path, reterr);

	if (rc < 0)
		return rc;
	if (f.regular)
		rc = identify(t, &f, p->path, &mark, reterr);
	if (rc == 0 && mark != NO_MARK && t->marks[mark].mark.done && !p->live &&
		(f.archive || t->marks[mark].mark.offset >= f.size)) {
		logfile_close(&f);
		return 0;
	}
	if (rc == 0 && mark != NO_MARK)
		t->marks[mark].mark.done = false;
	if (rc == 0)
		rc = begin(t, &f, p, mark, reterr);
	if (rc <= 0)
		logfile_close(&f);
	return rc;
}
