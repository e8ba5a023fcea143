/* SPDX-License-Identifier: MIT */
/*
 * tail_mark - what is known of each file of a log: by which bytes it is known again, and how far it was read.
 *
 * A file is its content: the hash of its beginning and of the bytes before the offset. The one doubt is a file that
 * has the beginning but is shorter than what was read of it: a copy made before the last lines came, or the log cut
 * off; either way it holds nothing new up to its end. (A log cut off and grown past the offset with its beginning
 * kept can't be told from another one and is read again.)
 */
#include "backends/tail_private.h"

#include "store/base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARKS_MAX                                                                                  \
	8192 /* more than twice the siblings looked at (rotated.c): those on disk are never forgotten */
#define CODE_VERSION 1

/* The stored form of a mark: a version byte and the struct, padding zeroed. Caches do not move between machines. */
struct stored_mark {
	uint64_t version;
	struct logmark mark;
};

int tail_restore(struct tail *t, struct str key, struct str value)
{
	struct stored_mark stored;
	struct tail_mark *m;

	if (value.n != sizeof(stored) || key.n >= sizeof(m->key))
		return MT_ECORRUPT;
	memcpy(&stored, value.p, sizeof(stored));
	if (stored.version != CODE_VERSION)
		return MT_ECORRUPT;
	t->marks = xrealloc(t->marks, (t->nmarks + 1) * sizeof(t->marks[0]));
	m = &t->marks[t->nmarks++];
	*m = (struct tail_mark){.mark = stored.mark};
	memcpy(m->key, key.p, key.n);
	t->had_marks = true;
	return 0;
}

bool tail_says_done(struct str value)
{
	struct stored_mark stored;

	if (value.n != sizeof(stored))
		return false;
	memcpy(&stored, value.p, sizeof(stored));
	return stored.mark.done;
}

int tail_each_changed(
	struct tail *t, int (*fn)(void *ctx, struct str key, struct str value), void *ctx)
{
	int rc = 0;

	for (size_t i = 0; i < t->nforgotten && rc >= 0; i++)
		rc = fn(ctx, str_of(t->forgotten[i].key), (struct str){NULL, 0});
	for (size_t i = 0; i < t->nmarks && rc >= 0; i++) {
		struct stored_mark stored;

		if (!t->marks[i].changed)
			continue;
		memset(&stored, 0, sizeof(stored));
		stored.version = CODE_VERSION;
		stored.mark = t->marks[i].mark;
		rc = fn(ctx, str_of(t->marks[i].key),
			str_make((const char *)&stored, sizeof(stored)));
	}
	return rc < 0 ? rc : 0;
}

void tail_stored(struct tail *t)
{
	for (size_t i = 0; i < t->nmarks; i++)
		t->marks[i].changed = false;
	t->nforgotten = 0;
}

static bool begins_alike(const struct logmark *m, struct str head)
{
	return m->head_len <= head.n && logfile_hash(head.p, m->head_len) == m->head_hash;
}

bool tail_begins_alike(const struct tail *t, const struct logmark *m)
{
	char head[LOGFILE_HEAD_BYTES];
	ssize_t n = logfile_read_head(&t->file, t->path, head, NULL);

	return n >= 0 && begins_alike(m, str_make(head, (size_t)n));
}

/* reads_on - is what was read of the marked file the beginning of this one? */
static bool reads_on(const struct logmark *m, const struct logfile *f)
{
	return f->archive || m->offset == TAIL_LEFT_OUT ||
	       (m->offset <= f->size && logfile_tail_hash(f, m->offset) == m->tail_hash);
}

/* is_shorter - the file lacks the end of what was read. Only with a whole head of proof. */
static bool is_shorter(const struct logmark *m, const struct logfile *f)
{
	return !f->archive && m->head_len == LOGFILE_HEAD_BYTES && m->offset > f->size;
}

/* find - the mark that fits; of several the one read furthest. NO_MARK. */
static size_t find(const struct tail *t, const struct logfile *f, struct str head,
	bool (*fits)(const struct logmark *m, const struct logfile *f))
{
	size_t best = NO_MARK;

	for (size_t i = 0; i < t->nmarks; i++) {
		const struct logmark *m = &t->marks[i].mark;

		if ((best == NO_MARK || m->offset > t->marks[best].mark.offset) &&
			begins_alike(m, head) && fits(m, f))
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
	t->forgotten = xrealloc(t->forgotten, (t->nforgotten + 1) * sizeof(t->forgotten[0]));
	t->forgotten[t->nforgotten++] = t->marks[oldest];
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

static void note_file(struct tail_mark *m, const struct logfile *f)
{
	m->changed |= m->mark.dev != (uint64_t)f->dev || m->mark.ino != (uint64_t)f->ino ||
		      m->mark.mtime_ms != f->mtime_ms;
	m->mark.dev = (uint64_t)f->dev;
	m->mark.ino = (uint64_t)f->ino;
	m->mark.mtime_ms = f->mtime_ms;
}

void tail_set_offset(struct tail_mark *m, const struct logfile *f, int64_t offset)
{
	m->mark.offset = offset;
	m->mark.tail_hash = logfile_tail_hash(f, offset);
	m->changed = true;
}

int tail_identify(struct tail *t, const struct logfile *f, const char *path, bool live, size_t *ret,
	struct mt_error *reterr)
{
	char head[LOGFILE_HEAD_BYTES];
	ssize_t n = logfile_read_head(f, path, head, reterr);
	struct str begins;
	struct logmark m = {0};
	size_t shorter = NO_MARK;

	if (n <= 0)
		return (int)n;
	begins = str_make(head, (size_t)n);
	*ret = find(t, f, begins, reads_on);
	if (*ret == NO_MARK)
		*ret = shorter = find(t, f, begins, is_shorter);
	if (*ret == NO_MARK) {
		m.head_len = (uint32_t)n;
		m.head_hash = logfile_hash(head, (size_t)n);
		*ret = new_mark(t, &m);
	}
	note_file(&t->marks[*ret], f);
	if (shorter != NO_MARK && live && !t->series_folder)
		tail_set_offset(&t->marks[*ret], f, f->size); /* cut back */
	else if (shorter != NO_MARK && !live)
		t->marks[*ret].mark.done = true;
	return 0;
}

void tail_leave_out(struct tail *t, const char *path)
{
	struct logfile file;
	size_t mark;

	if (logfile_open(&file, path, NULL) < 0)
		return;
	mark = NO_MARK;
	if (tail_identify(t, &file, path, false, &mark, NULL) == 0 && mark != NO_MARK) {
		t->marks[mark].mark.done = true;
		t->marks[mark].mark.offset = TAIL_LEFT_OUT;
	}
	logfile_close(&file);
}

void tail_move_mark(struct tail *t, int64_t offset, struct str before)
{
	struct logmark *m = t->mark == NO_MARK ? NULL : &t->marks[t->mark].mark;

	if (!m)
		return;
	m->offset = offset;
	if (before.n >= LOGFILE_TAIL_BYTES)
		m->tail_hash =
			logfile_hash(before.p + before.n - LOGFILE_TAIL_BYTES, LOGFILE_TAIL_BYTES);
	else if (!t->file.archive)
		m->tail_hash = logfile_tail_hash(&t->file, offset);
	if (m->head_len < LOGFILE_HEAD_BYTES && !t->file.archive) {
		char head[LOGFILE_HEAD_BYTES];
		ssize_t n = logfile_read_head(&t->file, t->path, head, NULL);

		if (n > (ssize_t)m->head_len) {
			m->head_len = (uint32_t)n;
			m->head_hash = logfile_hash(head, (size_t)n);
		}
	}
	m->mtime_ms = t->file.mtime_ms;
	t->marks[t->mark].changed = true;
}
