/* SPDX-License-Identifier: MIT */
/* names - checks of own addresses and domains into the cache, their changes, and what a mail server calls its own. */
#include "store/writer.h"

static int note_change(struct store *s, const struct name_result *row, int64_t before,
	int64_t now_ms, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_NAME_CHANGED, reterr);

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, now_ms);
	bind_str(stmt, 2, row->subject);
	bind_int(stmt, 3, row->check);
	bind_str(stmt, 4, row->detail);
	bind_int(stmt, 5, before);
	bind_int(stmt, 6, row->verdict);
	bind_str(stmt, 7, row->text);
	bind_str(stmt, 8, row->record);
	return db_run(&s->db, stmt, reterr);
}

/* changed - is it another verdict than before, or another record? What was never looked at has not changed. */
static int changed(struct store *s, const struct name_result *row, bool *ret, int64_t *ret_before,
	struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_NAME_BEFORE, reterr);
	int rc;

	*ret = false;
	if (!stmt)
		return (int)reterr->code;
	bind_str(stmt, 1, row->subject);
	bind_int(stmt, 2, row->check);
	bind_str(stmt, 3, row->detail);
	rc = db_row(&s->db, stmt, reterr);
	if (rc <= 0)
		return rc;
	*ret_before = sqlite3_column_int64(stmt, 0);
	*ret = *ret_before != (int64_t)row->verdict ||
	       (row->verdict != NAME_CANT && !str_eq(column_str(stmt, 1), row->record));
	sqlite3_reset(stmt);
	return 0;
}

static int put(
	struct store *s, const struct name_result *row, int64_t now_ms, struct mt_error *reterr)
{
	int64_t before = NAME_UNKNOWN;
	sqlite3_stmt *stmt;
	bool is_new;
	int rc = changed(s, row, &is_new, &before, reterr);

	if (rc == 0 && is_new)
		rc = note_change(s, row, before, now_ms, reterr);
	if (rc < 0)
		return rc;
	stmt = db_stmt(&s->db, SQL_NAME_SET, reterr);
	if (!stmt)
		return (int)reterr->code;
	bind_str(stmt, 1, row->subject);
	bind_int(stmt, 2, row->check);
	bind_str(stmt, 3, row->detail);
	bind_int(stmt, 4, row->verdict);
	bind_str(stmt, 5, row->text);
	bind_str(stmt, 6, row->record);
	bind_int(stmt, 7, row->ttl_s);
	bind_int(stmt, 8, now_ms);
	return db_run(&s->db, stmt, reterr);
}

static int put_all(
	struct store *s, const struct name_result *rows, size_t n, struct mt_error *reterr)
{
	int64_t now_ms = clock_utc_ms(s->clock);
	sqlite3_stmt *stmt;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = put(s, &rows[i], now_ms, reterr);
	if (rc < 0)
		return rc;
	stmt = db_stmt(&s->db, SQL_NAME_GONE, reterr);
	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, now_ms);
	rc = db_run(&s->db, stmt, reterr);
	stmt = rc == 0 ? db_stmt(&s->db, SQL_NAME_CHANGES_CUT, reterr) : NULL;
	return stmt ? db_run(&s->db, stmt, reterr) : (int)reterr->code;
}

int store_names(struct store *s, const struct name_result *rows, size_t n, struct mt_error *reterr)
{
	struct mt_error local = {0};
	int rc;

	reterr = reterr ? reterr : &local;
	rc = txn_begin(s, reterr);
	return rc < 0 ? rc : txn_end(s, put_all(s, rows, n, reterr), reterr);
}

static int put_own(struct store *s, int provider, enum own_kind kind, const struct str *names,
	size_t n, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_OWN_CLEAR, reterr);
	int rc;

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, provider);
	bind_int(stmt, 2, kind);
	rc = db_run(&s->db, stmt, reterr);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		stmt = db_stmt(&s->db, SQL_OWN_ADD, reterr);
		if (!stmt)
			return (int)reterr->code;
		bind_int(stmt, 1, provider);
		bind_int(stmt, 2, kind);
		bind_str(stmt, 3, names[i]);
		rc = db_run(&s->db, stmt, reterr);
	}
	return rc;
}

int store_own(struct store *s, int provider, enum own_kind kind, const struct str *names, size_t n,
	struct mt_error *reterr)
{
	struct mt_error local = {0};
	int rc;

	reterr = reterr ? reterr : &local;
	if (!provider_state(s, provider))
		return mt_error_set(reterr, MT_EINVAL, "cache: no provider %d", provider);
	rc = txn_begin(s, reterr);
	return rc < 0 ? rc : txn_end(s, put_own(s, provider, kind, names, n, reterr), reterr);
}

static void each_text(sqlite3_stmt *stmt, void (*each)(void *ctx, struct str text), void *ctx)
{
	while (stmt && sqlite3_step(stmt) == SQLITE_ROW)
		each(ctx, column_str(stmt, 0));
	if (stmt)
		sqlite3_reset(stmt);
}

void store_own_each(struct store *s, enum own_kind kind, size_t max,
	void (*each)(void *ctx, struct str name), void *ctx)
{
	struct mt_error ignored;
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_OWN_LIST, &ignored);

	if (stmt) {
		bind_int(stmt, 1, kind);
		bind_int(stmt, 2, (int64_t)max);
	}
	each_text(stmt, each, ctx);
}

void store_egress_each(
	struct store *s, size_t max, void (*each)(void *ctx, struct str ips), void *ctx)
{
	struct mt_error ignored;
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_OWN_EGRESS, &ignored);

	if (stmt)
		bind_int(stmt, 1, (int64_t)max);
	each_text(stmt, each, ctx);
}
