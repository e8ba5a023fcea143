/* SPDX-License-Identifier: MIT */
/*
 * queue - listings of a provider's queue, streamed in slices that commit on their own, and the
 * age x domain matrix made at the end of a complete one (qshape's rule).
 *
 * Each listing has a number (gen); at its end rows of other numbers are gone. A listing that breaks
 * off leaves the rows of the one before as they were. From the second complete listing on only what
 * is new or has changed is written: a hash of each message's row is kept (listing.before).
 */
#include "store/writer.h"

#include "store/base/map.h"
#include "store/base/mem.h"

#include <stdlib.h>

#define SLICE_ROWS 10000 /* ids come in no order: each slice writes most pages of the table again */
#define REASON_MAX_BYTES 1024
#define ADDRESS_MAX_BYTES 1024
#define KEPT_MAX                                                                                   \
	300000 /* messages whose hash is kept, ~50 bytes each; of more all are written each time */
#define SHAPE_BUCKETS 10
#define SHAPE_FIRST_MS 300000 /* qshape: 5, 10, 20 ... minutes */

struct shape {
	int32_t dom, by_sender;
	int64_t n[SHAPE_BUCKETS];
};

struct listing {
	struct listing *next;
	int provider;
	int64_t gen, now_ms;
	size_t slice; /* rows in the open transaction; 0 = none open */
	bool open;
	/* queue id -> hash of its row, of the last complete listing and of the one under way */
	struct map before, now;
	bool changes; /* before is what the cache holds: only changes are written */
	bool keep; /* now has every message so far */
	bool broken; /* a slice was undone: the listing is not whole any more */
	struct vec shapes; /* struct shape */
	uint32_t *index;
	size_t index_cap;
};

static struct listing *listing_of(struct store *s, int provider)
{
	for (struct listing *one = s->listings; one; one = one->next)
		if (one->provider == provider)
			return one;
	return NULL;
}

static void clear(struct listing *one)
{
	vec_done(&one->shapes);
	free(one->index);
	one->index = NULL;
	one->index_cap = 0;
	one->slice = 0;
}

void listings_free(struct store *s)
{
	while (s->listings) {
		struct listing *one = s->listings;

		s->listings = one->next;
		clear(one);
		map_done(&one->before);
		map_done(&one->now);
		free(one);
	}
}

static size_t shape_slot(const struct listing *one, int32_t dom, int32_t by_sender)
{
	const struct shape *all = one->shapes.p;
	uint32_t h = ((uint32_t)dom * 2 + (uint32_t)by_sender) * 0x9e3779b1u;
	size_t i = (h >> 8) & (one->index_cap - 1);

	while (one->index[i] && (all[one->index[i] - 1].dom != dom ||
					all[one->index[i] - 1].by_sender != by_sender))
		i = (i + 1) & (one->index_cap - 1);
	return i;
}

static void shape_add(struct listing *one, int32_t dom, bool by_sender, int64_t age_ms, int64_t n)
{
	int bucket = 0;
	struct shape *shape;
	size_t slot;

	for (int64_t limit = SHAPE_FIRST_MS; bucket < SHAPE_BUCKETS - 1 && age_ms >= limit;
		limit *= 2)
		bucket++;
	if (2 * (one->shapes.n + 1) > one->index_cap) {
		const struct shape *all = one->shapes.p;

		one->index_cap = one->index_cap ? one->index_cap * 2 : 256;
		free(one->index);
		one->index = xcalloc(one->index_cap, sizeof(one->index[0]));
		for (size_t i = 0; i < one->shapes.n; i++)
			one->index[shape_slot(one, all[i].dom, all[i].by_sender)] = (uint32_t)i + 1;
	}
	slot = shape_slot(one, dom, by_sender);
	if (!one->index[slot]) {
		shape = vec_add(&one->shapes);
		shape->dom = dom;
		shape->by_sender = by_sender;
		one->index[slot] = (uint32_t)one->shapes.n;
	}
	((struct shape *)one->shapes.p)[one->index[slot] - 1].n[bucket] += n;
}

static int query_int(
	struct store *s, enum sql_id id, int provider, int64_t *ret, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, id, reterr);

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, provider);
	return db_int(&s->db, stmt, 0, ret, reterr);
}

static int run_gen(
	struct store *s, enum sql_id id, int provider, int64_t gen, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, id, reterr);

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, provider);
	bind_int(stmt, 2, gen);
	return db_run(&s->db, stmt, reterr);
}

int store_queue_begin(struct store *s, int provider, struct mt_error *reterr)
{
	struct mt_error local;
	struct listing *one = listing_of(s, provider);
	int64_t gen = 0;
	int rc;

	reterr = reterr ? reterr : &local;
	if (!provider_state(s, provider))
		return mt_error_set(reterr, MT_EINVAL, "cache: no provider %d", provider);
	rc = query_int(s, SQL_QUEUE_GEN, provider, &gen, reterr);
	if (rc < 0)
		return rc;
	if (!one) {
		one = xcalloc(1, sizeof(*one));
		one->provider = provider;
		map_init(&one->before);
		map_init(&one->now);
		one->next = s->listings;
		s->listings = one;
	}
	clear(one);
	one->shapes.item = sizeof(struct shape);
	one->gen = gen + 1;
	one->keep = true;
	one->broken = false;
	map_clear(&one->now);
	one->now_ms = clock_utc_ms(s->clock);
	one->open = true;
	return 0;
}

static int write_recipients(struct store *s, const struct listing *one, const struct queue_row *row,
	struct mt_error *reterr)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < row->nrcpt && i < QUEUE_RCPT_KEPT; i++) {
		sqlite3_stmt *stmt = db_stmt(&s->db, SQL_QUEUE_RECIPIENT, reterr);

		if (!stmt)
			return (int)reterr->code;
		bind_int(stmt, 1, one->provider);
		bind_str(stmt, 2, str_first(row->qid, QID_MAX_BYTES));
		bind_int(stmt, 3, (int64_t)i);
		bind_str(stmt, 4,
			str_present(row->rcpt[i]) ? str_first(row->rcpt[i], ADDRESS_MAX_BYTES)
						  : (struct str){"", 0});
		if (row->reason)
			bind_str(stmt, 5, str_first(row->reason[i], REASON_MAX_BYTES));
		bind_int(stmt, 6, one->gen);
		rc = db_run(&s->db, stmt, reterr);
	}
	return rc;
}

/* As qshape does it: recipients by their domain, messages by their sender's. */
static int add_shapes(struct store *s, struct listing *one, const struct queue_row *row,
	int32_t *ret_from, int32_t *ret_dom, struct mt_error *reterr)
{
	struct at at = {.day = (int32_t)(one->now_ms / MS_PER_DAY)};
	int64_t age_ms = one->now_ms - row->arrival_ms;
	struct str local;
	int rc = join_domain(s, &at, row->sender, &local, ret_from, reterr);

	for (size_t i = 0; rc == 0 && i < row->nrcpt; i++) {
		int32_t dom = 0;

		rc = join_domain(s, &at, row->rcpt[i], &local, &dom, reterr);
		if (i == 0)
			*ret_dom = dom;
		shape_add(one, dom, false, age_ms, 1);
	}
	if (rc == 0)
		shape_add(one, *ret_from, true, age_ms, 1);
	return rc;
}

static uint64_t hash_row(const struct queue_row *row)
{
	const int64_t figures[] = {row->arrival_ms, row->queue, row->size_bytes, row->next_retry_ms,
		row->expires_ms, row->forced_expire, (int64_t)row->nrcpt};
	uint64_t h = intern_hash((struct str){(const char *)figures, sizeof(figures)}, 0);

	h = intern_hash(row->sender, h);
	for (size_t i = 0; i < row->nrcpt && i < QUEUE_RCPT_KEPT; i++) {
		h = intern_hash(row->rcpt[i], h);
		if (row->reason)
			h = intern_hash(row->reason[i], h);
	}
	return h;
}

/* Does the cache hold this very row already? */
static bool is_known(struct listing *one, const struct queue_row *row)
{
	uint64_t hash = hash_row(row), had = 0;
	struct str qid = str_first(row->qid, QID_MAX_BYTES);

	if (one->keep && map_count(&one->now) < KEPT_MAX)
		map_set(&one->now, qid, hash);
	else
		one->keep = false;
	return one->changes && map_get(&one->before, qid, &had) && had == hash;
}

static int delete_row(struct store *s, const struct listing *one, enum sql_id id, struct str qid,
	int64_t than, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, id, reterr);

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, one->provider);
	bind_str(stmt, 2, qid);
	bind_int(stmt, 3, than);
	return db_run(&s->db, stmt, reterr);
}

/* What the row before it of the same queue id had and it has not: another arrival, more recipients. */
static int delete_other(struct store *s, const struct listing *one, const struct queue_row *row,
	struct mt_error *reterr)
{
	struct str qid = str_first(row->qid, QID_MAX_BYTES);
	int rc = delete_row(s, one, SQL_QUEUE_MESSAGE_OTHER, qid, row->arrival_ms, reterr);

	return rc < 0 ? rc
		      : delete_row(
				s, one, SQL_QUEUE_RECIPIENT_FROM, qid, (int64_t)row->nrcpt, reterr);
}

static int write_row(
	struct store *s, struct listing *one, const struct queue_row *row, struct mt_error *reterr)
{
	int32_t from = 0, dom = 0;
	int rc = add_shapes(s, one, row, &from, &dom, reterr);
	sqlite3_stmt *stmt;

	if (rc < 0 || is_known(one, row))
		return rc;
	if (one->changes)
		rc = delete_other(s, one, row, reterr);
	stmt = db_stmt(&s->db, SQL_QUEUE_MESSAGE, reterr);

	if (rc < 0 || !stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, one->provider);
	bind_str(stmt, 2, str_first(row->qid, QID_MAX_BYTES));
	bind_int(stmt, 3, row->arrival_ms);
	bind_int(stmt, 4, row->queue);
	/* Not "", which is <>. */
	bind_str(stmt, 5,
		str_present(row->sender) ? str_first(row->sender, ADDRESS_MAX_BYTES)
					 : STR_LIT("?"));
	bind_id(stmt, 6, from);
	bind_known(stmt, 7, row->size_bytes);
	bind_int(stmt, 8, (int64_t)row->nrcpt);
	if (row->nrcpt)
		bind_str(stmt, 9, str_first(row->rcpt[0], ADDRESS_MAX_BYTES));
	bind_id(stmt, 10, dom);
	if (row->nrcpt && row->reason)
		bind_str(stmt, 11, str_first(row->reason[0], REASON_MAX_BYTES));
	bind_known(stmt, 12, row->next_retry_ms);
	bind_known(stmt, 13, row->expires_ms);
	bind_int(stmt, 14, row->forced_expire);
	bind_int(stmt, 15, one->gen);
	rc = db_run(&s->db, stmt, reterr);
	return rc < 0 ? rc : write_recipients(s, one, row, reterr);
}

static int end_slice(struct store *s, struct listing *one, int rc, struct mt_error *reterr)
{
	if (one->slice == 0)
		return rc;
	one->slice = 0;
	rc = txn_end(s, rc, reterr);
	one->broken = one->broken || rc < 0;
	return rc;
}

int listings_flush(struct store *s, struct mt_error *reterr)
{
	int rc = 0;

	for (struct listing *one = s->listings; one && rc == 0; one = one->next)
		rc = end_slice(s, one, 0, reterr);
	return rc;
}

int store_queue_row(
	struct store *s, int provider, const struct queue_row *row, struct mt_error *reterr)
{
	struct mt_error local;
	struct listing *one = listing_of(s, provider);
	int rc = 0;

	reterr = reterr ? reterr : &local;
	if (!one || !one->open)
		return mt_error_set(reterr, MT_EINVAL, "cache: no queue listing was begun");
	if (one->slice == 0)
		rc = txn_begin(s, reterr);
	if (rc < 0)
		return rc;
	one->slice++;
	rc = write_row(s, one, row, reterr);
	if (rc < 0 || one->slice >= SLICE_ROWS)
		rc = end_slice(s, one, rc, reterr);
	return rc;
}

/* The rows of the cache that the listing did not have. */
static int delete_gone(struct store *s, const struct listing *one, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_QUEUE_QIDS, reterr);
	char text[QID_MAX_BYTES];
	uint64_t ignored;
	int rc;

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, one->provider);
	while ((rc = db_row(&s->db, stmt, reterr)) > 0) {
		struct str qid = str_first(column_str(stmt, 0), sizeof(text));

		if (map_get(&one->now, qid, &ignored))
			continue;
		memcpy(text, qid.p, qid.n); /* the row goes away below it */
		qid.p = text;
		rc = delete_row(s, one, SQL_QUEUE_MESSAGE_OTHER, qid, EVENT_UNKNOWN, reterr);
		if (rc == 0)
			rc = delete_row(s, one, SQL_QUEUE_RECIPIENT_FROM, qid, 0, reterr);
		if (rc < 0)
			break;
	}
	sqlite3_reset(stmt);
	return rc;
}

static int write_shapes(struct store *s, struct listing *one, struct mt_error *reterr)
{
	const struct shape *all = one->shapes.p;
	int rc = run_gen(s, SQL_QUEUE_SHAPE_CLEAR, one->provider, 0, reterr);

	for (size_t i = 0; rc == 0 && i < one->shapes.n; i++)
		for (int b = 0; rc == 0 && b < SHAPE_BUCKETS; b++) {
			sqlite3_stmt *stmt = db_stmt(&s->db, SQL_QUEUE_SHAPE, reterr);

			if (!stmt)
				return (int)reterr->code;
			if (all[i].n[b] == 0)
				continue;
			bind_int(stmt, 1, one->provider);
			bind_int(stmt, 2, all[i].by_sender);
			bind_int(stmt, 3, all[i].dom);
			bind_int(stmt, 4, b);
			bind_int(stmt, 5, all[i].n[b]);
			rc = db_run(&s->db, stmt, reterr);
		}
	return rc;
}

static int finish(struct store *s, struct listing *one, struct mt_error *reterr)
{
	int rc = 0;

	if (one->changes && one->keep) {
		rc = delete_gone(s, one, reterr);
	} else if (!one->changes) {
		rc = run_gen(s, SQL_QUEUE_MESSAGE_GONE, one->provider, one->gen, reterr);
		if (rc == 0)
			rc = run_gen(s, SQL_QUEUE_RECIPIENT_GONE, one->provider, one->gen, reterr);
	} /* else more than are kept: the next listing is written whole and cleans up */
	return rc < 0 ? rc : write_shapes(s, one, reterr);
}

static void keep_hashes(struct listing *one, bool written)
{
	struct map old = one->before;

	one->changes = written && one->keep;
	one->before = one->now;
	one->now = old;
	map_clear(&one->now);
}

int store_queue_end(struct store *s, int provider, bool complete, struct mt_error *reterr)
{
	struct mt_error local;
	struct listing *one = listing_of(s, provider);
	int rc;

	reterr = reterr ? reterr : &local;
	if (!one || !one->open)
		return mt_error_set(reterr, MT_EINVAL, "cache: no queue listing was begun");
	one->open = false;
	rc = end_slice(s, one, 0, reterr);
	if (rc == 0 && complete && one->broken)
		rc = mt_error_set(reterr, MT_EIO, "cache: a part of the listing was not written");
	if (rc < 0 || !complete) {
		one->changes = false;
		clear(one);
		return rc;
	}
	rc = txn_begin(s, reterr);
	if (rc == 0)
		rc = txn_end(s, finish(s, one, reterr), reterr);
	keep_hashes(one, rc == 0);
	clear(one);
	return rc;
}
