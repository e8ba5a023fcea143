/* SPDX-License-Identifier: MIT */
/*
 * behind - while catching up, a batch is written by a thread of its own while the next one is joined and counted.
 *
 * The batch is frozen: with its counts, its new texts and copies of its messages and of the joiner's state it moves
 * into a store of its own, which has its own connection and writes it as store_commit writes any. So it is one
 * transaction still; the next begins when it has ended well. One that failed is kept and tried again before all else.
 *
 * Invariant: whoever else reads what a batch may hold, or begins a transaction, has called behind_wait, or has looked
 * into behind_batch first. Texts need no waiting: those of the frozen batch stay in the dictionary's memory until then.
 */
#include "store/writer.h"

#include "store/base/mem.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#define WAL_LONG_BYTES (80 << 20) /* more than what journal_size_limit leaves of it (open.c) */

struct behind {
	struct store w; /* the frozen batch and what writing it needs */
	struct message *copies; /* owned; of its messages */
	size_t ncopies, cap;
	pthread_t thread;
	bool running; /* the thread has everything here until it is joined */
	bool pending; /* there is a batch, not known to be in the cache */
	int rc;
	struct mt_error error;
};

static void *write_frozen(void *ctx)
{
	struct behind *b = ctx;

	b->rc = commit_batch(&b->w, &b->error);
	return NULL;
}

static struct behind *behind_new(struct store *s, struct mt_error *reterr)
{
	struct behind *b = xcalloc(1, sizeof(*b));

	b->w.path = s->path; /* borrowed */
	b->w.dev = s->dev;
	b->w.ino = s->ino;
	batch_init(&b->w.batch);
	if (store_connect(&b->w, reterr) == 0)
		return b;
	db_done(&b->w.db);
	batch_done(&b->w.batch);
	free(b);
	return NULL;
}

/* Copies, since the joiner goes on with the originals; from now on these are as after a commit. */
static void freeze_messages(struct store *s, struct behind *b)
{
	struct message **dirty = s->batch.dirty.p;

	b->ncopies = s->batch.dirty.n;
	if (b->ncopies > b->cap) {
		b->cap = b->ncopies;
		free(b->copies);
		b->copies = xmalloc(b->cap * sizeof(b->copies[0]));
	}
	for (size_t i = 0; i < b->ncopies; i++) {
		b->copies[i] = *dirty[i];
		message_own_qid(&b->copies[i]);
	}
	messages_written(s);
	for (size_t i = 0; i < b->ncopies; i++)
		*(struct message **)vec_add(&s->batch.dirty) = &b->copies[i];
}

static void *copy_of(const void *p, size_t n)
{
	return p ? xmemdup(p, n) : NULL;
}

/* What state_write and depth_write_batch read. */
static void freeze_state(const struct store *s, struct store *w)
{
	w->own_clock = *s->clock;
	w->clock = &w->own_clock;
	w->state_dirty = s->state_dirty;
	w->next_message = s->next_message;
	w->next_attempt = s->next_attempt;
	w->next_reject = s->next_reject;
	w->nproviders = s->nproviders;
	w->providers = copy_of(s->providers, s->nproviders * sizeof(s->providers[0]));
	if (!s->state_dirty)
		return;
	w->sessions = s->sessions;
	w->sessions.slot = copy_of(s->sessions.slot, s->sessions.cap * sizeof(w->sessions.slot[0]));
	w->sessions.tls =
		copy_of(s->sessions.tls, s->sessions.tls_cap * sizeof(w->sessions.tls[0]));
	memcpy(w->piped, s->piped, sizeof(w->piped));
	w->piped_at = s->piped_at;
}

static void freeze(struct store *s, struct behind *b)
{
	struct batch batch = b->w.batch;
	struct counts counts = b->w.counts;

	freeze_messages(s, b);
	freeze_state(s, &b->w);
	b->w.batch = s->batch;
	b->w.counts = s->counts;
	s->batch = batch;
	s->counts = counts;
	intern_hand_over(&s->dict, &b->w.dict);
	batch_reset(s); /* an empty one already, but for what is beside it */
	b->pending = true;
}

/* The batch is in the cache, or forgotten. */
static void thaw(struct behind *b)
{
	for (size_t i = 0; i < b->ncopies; i++)
		message_disown_qid(&b->copies[i]);
	b->ncopies = 0;
	free(b->w.providers);
	b->w.providers = NULL;
	b->w.nproviders = 0;
	sessions_done(&b->w.sessions);
	batch_reset(&b->w);
	b->pending = false;
}

static void join(struct store *s, struct behind *b)
{
	if (b->running)
		pthread_join(b->thread, NULL);
	b->running = false;
	s->damaged |= b->w.damaged;
}

int behind_wait(struct store *s, struct mt_error *reterr)
{
	struct behind *b = s->behind;

	if (!b || !b->pending)
		return 0;
	if (b->running)
		join(s, b);
	else
		write_frozen(b); /* it failed before */
	s->damaged |= b->w.damaged;
	if (b->rc < 0)
		return mt_error_set(reterr, b->error.code, "%s", b->error.text);
	txn_look_end(s); /* it began before the batch was there */
	intern_written(&b->w.dict);
	thaw(b);
	return 0;
}

/*
 * keep_short - look-ups hold a read transaction while the other thread writes, so that SQLite never finds the write-ahead
 * log without readers, when alone it begins anew: it does here, between two batches.
 */
static void keep_short(struct store *s)
{
	char *path = xasprintf("%s-wal", s->path);
	struct stat st;

	txn_look_end(s);
	if (stat(path, &st) == 0 && st.st_size > WAL_LONG_BYTES)
		(void)sqlite3_wal_checkpoint_v2(
			s->db.handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	free(path);
}

int behind_commit(struct store *s, struct mt_error *reterr)
{
	struct behind *b;
	sigset_t all, old;
	int rc = behind_wait(s, reterr);

	if (rc == 0)
		rc = listings_flush(s, reterr);
	if (rc < 0)
		return rc;
	if (!s->behind)
		s->behind = behind_new(s, reterr);
	b = s->behind;
	if (!b)
		return (int)reterr->code;
	keep_short(s);
	freeze(s, b);
	/* Signals are for others: the thread is born with all of them blocked. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	b->running = pthread_create(&b->thread, NULL, write_frozen, b) == 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return b->running ? 0 : behind_wait(s, reterr);
}

const struct batch *behind_batch(const struct store *s)
{
	return s->behind && s->behind->pending ? &s->behind->w.batch : NULL;
}

void behind_forget(struct store *s)
{
	struct behind *b = s->behind;

	if (!b || !b->pending)
		return;
	join(s, b);
	txn_look_end(s);
	if (b->rc == 0)
		intern_written(&b->w.dict);
	else
		intern_take_back(&s->dict, &b->w.dict);
	thaw(b);
}

void behind_done(struct store *s)
{
	struct behind *b = s->behind;

	if (!b)
		return;
	behind_forget(s);
	db_done(&b->w.db);
	batch_done(&b->w.batch);
	count_done(&b->w.counts);
	intern_done(&b->w.dict);
	free(b->copies);
	free(b);
	s->behind = NULL;
}
