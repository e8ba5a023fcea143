/* SPDX-License-Identifier: MIT */
/* api_cover - which times of a vendor's counters are known, and the minutes made of differences between polls. */
#include "store/api_private.h"
#include "store/bucket.h"

#define MS_PER_MINUTE 60000
#define SECONDS_PER_MINUTE 60

static int64_t lower(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int range(struct store *s, enum sql_id id, int provider, int dim, int64_t from_s,
	int64_t to_s, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, id, reterr);

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, provider);
	bind_int(stmt, 2, dim);
	bind_int(stmt, 3, from_s);
	bind_int(stmt, 4, to_s);
	return db_run(&s->db, stmt, reterr);
}

int api_cover_add(struct store *s, int provider, int dim, int64_t from_s, int64_t to_s,
	struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_API_COVER_AROUND, reterr);
	int64_t from = from_s, to = to_s;
	int rc;

	if (!stmt)
		return (int)reterr->code;
	if (to_s <= from_s)
		return 0;
	bind_int(stmt, 1, provider);
	bind_int(stmt, 2, dim);
	bind_int(stmt, 3, from_s);
	bind_int(stmt, 4, to_s);
	rc = db_row(&s->db, stmt, reterr);
	if (rc < 0)
		return rc;
	if (rc > 0) {
		if (sqlite3_column_type(stmt, 0) != SQLITE_NULL) {
			from = lower(from_s, sqlite3_column_int64(stmt, 0));
			to = -lower(-to_s, -sqlite3_column_int64(stmt, 1));
		}
		sqlite3_reset(stmt);
	}
	rc = range(s, SQL_API_COVER_DROP, provider, dim, from, to, reterr);
	return rc < 0 ? rc : range(s, SQL_API_COVER_SET, provider, dim, from, to, reterr);
}

int api_poll_swap(struct store *s, int provider, uint64_t metrics, int64_t now_ms,
	int64_t *ret_prev, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_API_POLL_GET, reterr);
	int rc;

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, provider);
	bind_int(stmt, 2, (int64_t)metrics);
	rc = db_int(&s->db, stmt, 0, ret_prev, reterr);
	if (rc < 0)
		return rc;
	stmt = db_stmt(&s->db, SQL_API_POLL_SET, reterr);
	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, provider);
	bind_int(stmt, 2, (int64_t)metrics);
	bind_int(stmt, 3, now_ms);
	return db_run(&s->db, stmt, reterr);
}

static int add_minute(struct store *s, int provider, enum metric metric, int64_t minute, int64_t n,
	struct mt_error *reterr)
{
	unsigned char packed[BUCKET_ENTRY_MAX_BYTES], *end;
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_BUCKET_ADD, reterr);
	int64_t key = 0;

	if (!stmt)
		return (int)reterr->code;
	end = bucket_put(
		packed, &key, &(struct bucket_entry){.key = 0, .n = n, .metric = (int)metric});
	bind_int(stmt, 1, RES_DIFFERENCE);
	bind_int(stmt, 2, DIM_TOTAL);
	bind_int(stmt, 3, minute * SECONDS_PER_MINUTE);
	bind_int(stmt, 4, provider);
	bind_int(stmt, 5, 0);
	bind_blob(stmt, 6, (struct str){(const char *)packed, (size_t)(end - packed)});
	return db_run(&s->db, stmt, reterr);
}

int api_difference(struct store *s, int provider, enum metric metric, int64_t n, int64_t prev_ms,
	int64_t now_ms, int64_t since_s, struct mt_error *reterr)
{
	int64_t first = prev_ms / MS_PER_MINUTE, end = now_ms / MS_PER_MINUTE, given = 0;
	int rc = 0;

	if (first < since_s / SECONDS_PER_MINUTE)
		first = since_s / SECONDS_PER_MINUTE;
	if (end <= first)
		end = first + 1; /* polls within one minute */
	for (int64_t minute = first; rc == 0 && minute < end; minute++) {
		int64_t upto = n / (end - first) * (minute + 1 - first) +
			       n % (end - first) * (minute + 1 - first) / (end - first);

		if (upto > given)
			rc = add_minute(s, provider, metric, minute, upto - given, reterr);
		given = upto;
	}
	return rc;
}
