/* SPDX-License-Identifier: MIT */
/*
 * prune - retention by age and by size, in slices of bounded work, each a transaction of its own.
 *
 * Open messages stay. Rows go in order of id, buckets by whole slots. Freed pages are used again, so
 * the file stops growing at its cap; it is never rewritten (VACUUM would lock readers out).
 */
#include "store/writer.h"

#define MS_PER_S 1000
#define LOOK_FACTOR                                                                                \
	8 /* rows looked at for each that may go: young ones among low ids do not block the rest */
#define DICT_EVERY_MS MS_PER_DAY
#define DICT_SLACK_DAYS 8 /* seen_day lags up to 7 */
#define OPEN_LIFE_DAYS 15 /* messages.c closes older ones: they hold ids of texts */
#define SIZE_STEP_PARTS 20 /* over the cap: the oldest twentieth of the time covered goes */
#define SIZE_KEEP_MS (6 * 3600000LL) /* but never the last hours */

struct prune {
	struct store *s;
	int64_t now_ms, rows_before_ms, buckets_before_ms;
	int left; /* rows that may still go in this slice */
	bool over; /* the size cap, with something left that may go */
	struct mt_error *reterr;
};

static int changed(struct prune *p, int rc)
{
	if (rc == 0)
		p->left -= sqlite3_changes(p->s->db.handle);
	return rc;
}

static int delete_rows(struct prune *p, enum sql_id id)
{
	sqlite3_stmt *stmt;

	if (p->left <= 0)
		return 0;
	stmt = db_stmt(&p->s->db, id, p->reterr);
	if (!stmt)
		return (int)p->reterr->code;
	bind_int(stmt, 1, p->rows_before_ms);
	bind_int(stmt, 2, p->left);
	if (sqlite3_bind_parameter_count(stmt) > 2)
		bind_int(stmt, 3, (int64_t)p->left * LOOK_FACTOR);
	return changed(p, db_run(&p->s->db, stmt, p->reterr));
}

static int run_slot(struct prune *p, enum sql_id id, enum bucket_resolution res,
	enum bucket_dim dim, int64_t t_s)
{
	sqlite3_stmt *stmt = db_stmt(&p->s->db, id, p->reterr);

	if (!stmt)
		return (int)p->reterr->code;
	bind_int(stmt, 1, res);
	bind_int(stmt, 2, dim);
	bind_int(stmt, 3, t_s);
	return db_run(&p->s->db, stmt, p->reterr);
}

/* last_form - counts that are nowhere else: days of a log, a vendor's slots. The others are their parts. */
static bool last_form(enum bucket_resolution res)
{
	return res == RES_DAY || res == RES_SLOT_QUARTER || res == RES_SLOT_HOUR ||
	       res == RES_SLOT_DAY;
}

/* The oldest slots of one dimension, a whole slot at a time. Counts in their last form go on in RES_EVER. */
static int delete_slots(
	struct prune *p, enum bucket_resolution res, enum bucket_dim dim, int64_t before_ms)
{
	while (p->left > 0) {
		sqlite3_stmt *stmt = db_stmt(&p->s->db, SQL_BUCKET_OLDEST, p->reterr);
		int64_t oldest_s = 0;
		int rc;

		if (!stmt)
			return (int)p->reterr->code;
		bind_int(stmt, 1, res);
		bind_int(stmt, 2, dim);
		rc = db_int(&p->s->db, stmt, INT64_MAX, &oldest_s, p->reterr);
		if (rc < 0 || oldest_s == INT64_MAX ||
			oldest_s + (int64_t)res > before_ms / MS_PER_S)
			return rc;
		if (last_form(res) && bucket_kept_for_ever(dim))
			rc = run_slot(p, SQL_BUCKET_KEEP, res, dim, oldest_s);
		if (rc == 0)
			rc = changed(p, run_slot(p, SQL_BUCKET_DELETE, res, dim, oldest_s));
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int delete_buckets(struct prune *p)
{
	static const enum bucket_resolution slots[] = {
		RES_SLOT_QUARTER, RES_SLOT_HOUR, RES_SLOT_DAY};
	int rc = 0;

	for (int dim = 0; rc == 0 && dim < DIM__COUNT; dim++) {
		rc = delete_slots(p, RES_MINUTE, (enum bucket_dim)dim, p->rows_before_ms);
		if (rc == 0)
			rc = delete_slots(p, RES_HOUR, (enum bucket_dim)dim, p->buckets_before_ms);
		if (rc == 0)
			rc = delete_slots(p, RES_DAY, (enum bucket_dim)dim, p->buckets_before_ms);
		if (rc == 0)
			rc = delete_slots(
				p, RES_DIFFERENCE, (enum bucket_dim)dim, p->rows_before_ms);
		for (int i = 0; rc == 0 && i < (int)(sizeof(slots) / sizeof(slots[0])); i++)
			rc = delete_slots(p, slots[i], (enum bucket_dim)dim, p->buckets_before_ms);
	}
	return rc;
}

/* Texts that no kept row or bucket can name any more. Only between batches: a batch holds ids. */
static int delete_texts(struct prune *p)
{
	struct store *s = p->s;
	int64_t rows_day = p->rows_before_ms / MS_PER_DAY - DICT_SLACK_DAYS;
	int64_t open_day = p->now_ms / MS_PER_DAY - OPEN_LIFE_DAYS - DICT_SLACK_DAYS;
	sqlite3_stmt *stmt;
	int rc;

	if (p->left <= 0 || s->batch.events || s->batch.api_rows ||
		p->now_ms < s->dict_pruned_ms + DICT_EVERY_MS)
		return 0;
	stmt = db_stmt(&s->db, SQL_API_ID_PRUNE, p->reterr);
	if (!stmt)
		return (int)p->reterr->code;
	bind_int(stmt, 1, p->rows_before_ms / MS_PER_DAY);
	bind_int(stmt, 2, p->left);
	rc = changed(p, db_run(&s->db, stmt, p->reterr));
	if (rc < 0 || p->left <= 0)
		return rc;
	stmt = db_stmt(&s->db, SQL_CLUSTER_PRUNE, p->reterr);
	if (!stmt)
		return (int)p->reterr->code;
	bind_int(stmt, 1, p->buckets_before_ms);
	bind_int(stmt, 2, p->left);
	rc = changed(p, db_run(&s->db, stmt, p->reterr));
	if (rc < 0 || p->left <= 0)
		return rc;
	stmt = db_stmt(&s->db, SQL_DICT_PRUNE, p->reterr);
	if (!stmt)
		return (int)p->reterr->code;
	bind_int(stmt, 1, rows_day < open_day ? rows_day : open_day);
	bind_int(stmt, 2, p->buckets_before_ms / MS_PER_DAY - DICT_SLACK_DAYS);
	bind_int(stmt, 3, p->left);
	rc = db_run(&s->db, stmt, p->reterr);
	if (rc == 0) {
		int gone = sqlite3_changes(s->db.handle);

		if (gone < p->left)
			s->dict_pruned_ms = p->now_ms;
		p->left -= gone;
		s->dict_stale = s->dict_stale || gone > 0;
	}
	return rc;
}

static int pragma_value(struct prune *p, enum sql_id id, int64_t *ret)
{
	sqlite3_stmt *stmt = db_stmt(&p->s->db, id, p->reterr);

	return stmt ? db_int(&p->s->db, stmt, 0, ret, p->reterr) : (int)p->reterr->code;
}

/* Over the size cap, the row retention is cut to what is kept less its oldest part. */
static int apply_size_cap(struct prune *p)
{
	int64_t pages = 0, unused = 0, page_bytes = 0, oldest_s = 0, span_ms, limit_ms;
	int rc = pragma_value(p, SQL_PAGE_COUNT, &pages);

	if (rc == 0)
		rc = pragma_value(p, SQL_FREE_COUNT, &unused);
	if (rc == 0)
		rc = pragma_value(p, SQL_PAGE_SIZE, &page_bytes);
	if (rc < 0 || (pages - unused) * page_bytes <= p->s->options.max_bytes)
		return rc;
	rc = pragma_value(p, SQL_MARK_OLDEST, &oldest_s);
	if (rc < 0 || oldest_s <= 0)
		return rc;
	span_ms = p->now_ms - oldest_s * MS_PER_S;
	limit_ms = oldest_s * MS_PER_S + span_ms / SIZE_STEP_PARTS;
	if (limit_ms > p->now_ms - SIZE_KEEP_MS)
		limit_ms = p->now_ms - SIZE_KEEP_MS;
	if (limit_ms > p->rows_before_ms) {
		p->rows_before_ms = limit_ms;
		p->over = true;
	}
	return 0;
}

static int one_slice(struct prune *p)
{
	int rc = delete_rows(p, SQL_MESSAGE_PRUNE);

	if (rc == 0)
		rc = delete_rows(p, SQL_ATTEMPT_PRUNE);
	if (rc == 0)
		rc = delete_rows(p, SQL_REJECT_PRUNE);
	if (rc == 0)
		rc = delete_rows(p, SQL_API_NOTE_PRUNE);
	if (rc == 0)
		rc = delete_rows(p, SQL_SAMPLE_PRUNE);
	if (rc == 0)
		rc = delete_rows(p, SQL_QUEUE_SAMPLE_PRUNE);
	if (rc == 0)
		rc = delete_rows(p, SQL_SOCKET_MINUTE_PRUNE);
	if (rc == 0)
		rc = delete_rows(p, SQL_HOST_PRUNE);
	if (rc == 0)
		rc = delete_buckets(p);
	/* marks last: until then they say how far back the rows go */
	if (rc == 0)
		rc = delete_rows(p, SQL_MARK_PRUNE);
	return rc == 0 ? delete_texts(p) : rc;
}

int store_prune(struct store *s, int max_rows, bool *ret_more, struct mt_error *reterr)
{
	struct mt_error local;
	struct prune p = {.s = s,
		.now_ms = clock_utc_ms(s->clock),
		.left = max_rows > 0 ? max_rows : 1,
		.reterr = reterr ? reterr : &local};
	int rc;

	p.rows_before_ms = p.now_ms - s->options.keep_attempts_ms;
	p.buckets_before_ms = p.now_ms - s->options.keep_buckets_ms;
	rc = apply_size_cap(&p);
	if (rc == 0)
		rc = txn_begin(s, p.reterr);
	if (rc < 0)
		return rc;
	rc = txn_end(s, one_slice(&p), p.reterr);
	if (rc == 0 && s->dict_stale) {
		rc = intern_load(&s->dict, &s->db, s->dict.max, p.reterr);
		s->dict_stale = false;
	}
	if (rc == 0)
		*ret_more = p.left <= 0 || (p.over && p.left < max_rows);
	return rc;
}
