/* SPDX-License-Identifier: MIT */
/*
 * commit - a batch into the cache: rows sorted by id, buckets, marks, samples, cursors and the
 * joiner's state in one transaction. Until COMMIT has succeeded the batch stays in memory untouched.
 */
#include "store/api_private.h"

#include "store/base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#define SECONDS_PER_MINUTE 60

void txn_look(struct store *s)
{
	if (!s->looking && sqlite3_get_autocommit(s->db.handle))
		s->looking = sqlite3_exec(s->db.handle, "BEGIN", NULL, NULL, NULL) == SQLITE_OK;
}

void txn_look_end(struct store *s)
{
	if (s->looking && !sqlite3_get_autocommit(s->db.handle))
		sqlite3_exec(s->db.handle, "COMMIT", NULL, NULL, NULL);
	s->looking = false;
}

int txn_begin(struct store *s, struct mt_error *reterr)
{
	struct stat st;
	sqlite3_stmt *stmt;
	int rc;

	/* SQLite would go on writing into a file that no longer has a name: nobody would see it */
	if (stat(s->path, &st) < 0) {
		if (errno == ENOENT)
			return mt_error_set(reterr, MT_ENOENT,
				"the cache %s was deleted while in use; it must be opened anew",
				s->path);
		return mt_error_sys(reterr, errno, "cache %s", s->path);
	}
	if (st.st_dev != s->dev || st.st_ino != s->ino)
		return mt_error_set(reterr, MT_ENOENT,
			"the cache %s was replaced while in use; it must be opened anew", s->path);
	txn_look_end(s);
	rc = behind_wait(s, reterr);
	if (rc == 0)
		rc = listings_flush(s, reterr);
	if (rc < 0)
		return rc;
	stmt = db_stmt(&s->db, SQL_BEGIN, reterr);
	return stmt ? db_run(&s->db, stmt, reterr) : (int)reterr->code;
}

int txn_end(struct store *s, int rc, struct mt_error *reterr)
{
	sqlite3_stmt *stmt;

	if (rc == 0)
		rc = intern_write(&s->dict, &s->db, reterr);
	if (rc == 0) {
		stmt = db_stmt(&s->db, SQL_COMMIT, reterr);
		rc = stmt ? db_run(&s->db, stmt, reterr) : (int)reterr->code;
	}
	if (rc < 0) {
		if (!sqlite3_get_autocommit(s->db.handle))
			sqlite3_exec(s->db.handle, "ROLLBACK", NULL, NULL, NULL);
		if (rc == MT_ECORRUPT)
			s->damaged = true;
		return rc;
	}
	intern_written(&s->dict);
	return 0;
}

static int by_message_id(const void *left, const void *right)
{
	const struct message *a = *(struct message *const *)left,
			     *b = *(struct message *const *)right;

	return (a->id > b->id) - (a->id < b->id);
}

/* New messages came in order of id, and behind all that are in the cache already: only those are sorted. */
static void sort_messages(struct message **all, size_t n)
{
	struct message **fresh = xmalloc(n * sizeof(all[0]));
	size_t nold = 0, nfresh = 0;

	for (size_t i = 0; i < n; i++)
		if (all[i]->bits & BIT_IN_DB)
			all[nold++] = all[i];
		else
			fresh[nfresh++] = all[i];
	if (nold)
		qsort(all, nold, sizeof(all[0]), by_message_id);
	if (nfresh)
		memcpy(all + nold, fresh, nfresh * sizeof(all[0]));
	free(fresh);
}

static int write_rows(struct store *s, struct mt_error *reterr)
{
	struct batch *b = &s->batch;
	struct message **messages = b->dirty.p;
	struct attempt **attempts = b->attempts.p;
	struct reject **rejects = b->rejects.p;
	int rc = 0;

	sort_messages(messages, b->dirty.n);
	rc = rows_messages(s, messages, b->dirty.n, reterr);
	for (size_t i = 0; rc == 0 && i < b->attempts.n; i++)
		rc = row_attempt(s, attempts[i], reterr);
	for (size_t i = 0; rc == 0 && i < b->rejects.n; i++)
		rc = row_reject(s, rejects[i], reterr);
	return rc;
}

static int write_relabels(struct store *s, struct mt_error *reterr)
{
	const struct relabel *all = s->batch.relabels.p;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->batch.relabels.n; i++) {
		sqlite3_stmt *stmt = db_stmt(&s->db,
			all[i].in_message ? SQL_MESSAGE_RELABEL : SQL_ATTEMPT_RELABEL, reterr);

		if (!stmt)
			return (int)reterr->code;
		bind_int(stmt, 1, all[i].id);
		rc = db_run(&s->db, stmt, reterr);
	}
	return rc;
}

static int write_aged(struct store *s, struct mt_error *reterr)
{
	const struct aged *all = s->batch.aged.p;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->batch.aged.n; i++) {
		sqlite3_stmt *stmt = db_stmt(&s->db, SQL_MESSAGE_AGE_OUT, reterr);

		if (!stmt)
			return (int)reterr->code;
		bind_int(stmt, 1, all[i].provider);
		bind_int(stmt, 2, all[i].before_ms);
		bind_int(stmt, 3, all[i].now_ms);
		rc = db_run(&s->db, stmt, reterr);
	}
	return rc;
}

static int write_marks(struct store *s, struct mt_error *reterr)
{
	const struct mark *all = s->batch.marks.p;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->batch.marks.n; i++) {
		sqlite3_stmt *stmt = db_stmt(&s->db, SQL_MARK_ADD, reterr);

		if (!stmt)
			return (int)reterr->code;
		bind_int(stmt, 1, all[i].provider);
		bind_int(stmt, 2, (int64_t)all[i].minute * SECONDS_PER_MINUTE);
		bind_id(stmt, 3, all[i].message);
		bind_id(stmt, 4, all[i].attempt);
		bind_id(stmt, 5, all[i].reject);
		if (str_present(all[i].log_key)) {
			bind_str(stmt, 6, all[i].log_key);
			bind_int(stmt, 7, all[i].offset);
		}
		rc = db_run(&s->db, stmt, reterr);
	}
	return rc;
}

static int write_ring(struct store *s, const struct sample_ring *ring, struct mt_error *reterr)
{
	size_t first = ring->n > SAMPLES_KEPT ? ring->n - SAMPLES_KEPT : 0;
	sqlite3_stmt *stmt;
	int rc = 0;

	for (size_t i = first; rc == 0 && i < ring->n; i++) {
		const struct sample *one = &ring->slot[i % SAMPLES_KEPT];

		stmt = db_stmt(&s->db, SQL_SAMPLE_INSERT, reterr);
		if (!stmt)
			return (int)reterr->code;
		bind_int(stmt, 1, ring->provider);
		bind_int(stmt, 2, ring->kind);
		bind_int(stmt, 3, one->t_ms);
		bind_int(stmt, 4, one->severity);
		bind_id(stmt, 5, one->service);
		bind_str(stmt, 6, (struct str){one->n ? one->text : "", one->n});
		rc = db_run(&s->db, stmt, reterr);
	}
	if (rc < 0 || ring->n == 0)
		return rc;
	stmt = db_stmt(&s->db, SQL_SAMPLE_CAP, reterr);
	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, ring->provider);
	bind_int(stmt, 2, ring->kind);
	bind_int(stmt, 3, SAMPLES_KEPT);
	return db_run(&s->db, stmt, reterr);
}

static int write_samples(struct store *s, struct mt_error *reterr)
{
	struct sample_ring *const *rings = s->batch.samples.p;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->batch.samples.n; i++)
		rc = write_ring(s, rings[i], reterr);
	return rc;
}

static int write_services(struct store *s, struct mt_error *reterr)
{
	const struct service_change *all = s->batch.services.p;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->batch.services.n; i++) {
		sqlite3_stmt *stmt = db_stmt(&s->db, SQL_SERVICE_STOCK, reterr);

		if (!stmt)
			return (int)reterr->code;
		bind_int(stmt, 1, all[i].provider);
		bind_int(stmt, 2, all[i].dict);
		bind_id(stmt, 3, all[i].port);
		bind_int(stmt, 4, all[i].source);
		bind_known(stmt, 5, all[i].wrapper);
		rc = db_run(&s->db, stmt, reterr);
	}
	return rc;
}

static int write_cursors(struct store *s, struct mt_error *reterr)
{
	const struct cursor_change *all = s->batch.cursors.p;
	int64_t now_ms = clock_utc_ms(s->clock);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->batch.cursors.n; i++) {
		bool gone = !str_present(all[i].value);
		sqlite3_stmt *stmt =
			db_stmt(&s->db, gone ? SQL_CURSOR_DELETE : SQL_CURSOR_SET, reterr);

		if (!stmt)
			return (int)reterr->code;
		bind_int(stmt, 1, all[i].source);
		bind_str(stmt, 2, all[i].key);
		if (!gone) {
			bind_blob(stmt, 3, all[i].value);
			bind_int(stmt, 4, now_ms);
		}
		rc = db_run(&s->db, stmt, reterr);
	}
	return rc;
}

static int write_health(struct store *s, struct mt_error *reterr)
{
	const struct health_change *all = s->batch.health.p;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->batch.health.n; i++)
		rc = health_write(s, all[i].source, &all[i].h, reterr);
	return rc;
}

static int write_batch(struct store *s, struct mt_error *reterr)
{
	int rc = write_rows(s, reterr);

	if (rc == 0)
		rc = write_relabels(s, reterr);
	if (rc == 0)
		rc = write_aged(s, reterr);
	if (rc == 0 && s->batch.aged.n)
		rc = depth_load(s, reterr);
	if (rc == 0 && s->batch.events)
		rc = depth_write_batch(s, reterr);
	if (rc == 0)
		rc = count_write(&s->counts, &s->db, reterr);
	if (rc == 0)
		rc = clusters_write(s, reterr);
	if (rc == 0)
		rc = api_write(s, reterr);
	if (rc == 0)
		rc = write_marks(s, reterr);
	if (rc == 0)
		rc = write_samples(s, reterr);
	if (rc == 0)
		rc = write_services(s, reterr);
	if (rc == 0)
		rc = write_cursors(s, reterr);
	if (rc == 0)
		rc = write_health(s, reterr);
	return rc == 0 && s->batch.events ? state_write(s, reterr) : rc;
}

void store_durable(struct store *s)
{
	s->durable = true;
}

int commit_batch(struct store *s, struct mt_error *reterr)
{
	int rc = txn_begin(s, reterr);

	return rc == 0 ? txn_end(s, write_batch(s, reterr), reterr) : rc;
}

/* While catching up a batch is written by another thread. */
static bool may_be_behind(const struct store *s)
{
	return s->bulk && !s->durable && (s->batch.events || s->batch.api_rows) && !s->batch.aged.n;
}

int store_commit(struct store *s, struct mt_error *reterr)
{
	struct mt_error local;
	int rc;

	reterr = reterr ? reterr : &local;
	if (may_be_behind(s))
		return behind_commit(s, reterr);
	rc = behind_wait(s, reterr);
	if (rc < 0)
		return rc;
	if (!s->batch.events && !s->batch.api_rows && !s->batch.cursors.n && !s->batch.health.n)
		return 0;
	txn_look_end(s);
	rc = s->durable ? db_exec(s->db.handle, "PRAGMA synchronous=FULL", reterr) : 0;
	if (rc == 0)
		rc = commit_batch(s, reterr);
	if (rc < 0)
		return rc;
	if (s->durable)
		rc = db_exec(s->db.handle, "PRAGMA synchronous=NORMAL", reterr);
	s->durable = rc < 0;
	messages_written(s);
	batch_reset(s);
	return 0;
}

int reload(struct store *s, struct mt_error *reterr)
{
	int rc;

	messages_done(&s->messages);
	messages_init(&s->messages);
	rc = provider_load(s, reterr);
	if (rc == 0)
		rc = state_load(s, reterr);
	if (rc == 0)
		rc = messages_load(s, reterr);
	if (rc == 0)
		rc = depth_load(s, reterr);
	return rc;
}

int store_rollback(struct store *s, struct mt_error *reterr)
{
	struct mt_error local;

	behind_forget(s);
	batch_reset(s);
	return reload(s, reterr ? reterr : &local);
}
