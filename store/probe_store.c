/* SPDX-License-Identifier: MIT */
/* probe_store - looks at SMTP ports into the cache; see store_probe.h. */
#include "store/store_probe.h"
#include "store/writer.h"

#define DAY_MS INT64_C(86400000)
#define KEPT_DAYS 7
#define FIRST_STEP 11 /* of the bound columns, as in sql.def */

static int put(struct db *db, const struct probe_result *r, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(db, SQL_PROBE_SET, reterr);
	int at = FIRST_STEP + PROBE_STEP__COUNT;

	if (!stmt)
		return (int)reterr->code;
	bind_str(stmt, 1, r->host);
	bind_int(stmt, 2, r->port);
	bind_int(stmt, 3, r->role);
	bind_int(stmt, 4, r->t_ms);
	bind_int(stmt, 5, r->t_ms);
	bind_int(stmt, 6, r->outcome);
	bind_int(stmt, 7, r->step);
	bind_int(stmt, 8, r->flags);
	bind_id(stmt, 9, r->code);
	bind_known(stmt, 10, r->total_us);
	for (int i = 0; i < PROBE_STEP__COUNT; i++)
		bind_known(stmt, FIRST_STEP + i, r->took_us[i]);
	bind_known(stmt, at++, r->nnames);
	bind_known(stmt, at++, r->chain);
	bind_known(stmt, at++, r->not_before_ms);
	bind_known(stmt, at++, r->not_after_ms);
	bind_str(stmt, at++, r->address);
	bind_str(stmt, at++, r->greeting);
	bind_str(stmt, at++, r->greeting_name);
	bind_str(stmt, at++, r->tls);
	bind_str(stmt, at++, r->cipher);
	bind_str(stmt, at++, r->subject);
	bind_str(stmt, at++, r->issuer);
	bind_str(stmt, at++, r->names);
	bind_str(stmt, at++, r->detail);
	bind_str(stmt, at, r->transcript);
	return db_run(db, stmt, reterr);
}

static int put_change(struct db *db, const struct probe_result *r, enum probe_change what,
	int64_t before, int64_t after, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(db, SQL_PROBE_CHANGE, reterr);

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, r->t_ms);
	bind_str(stmt, 2, r->host);
	bind_int(stmt, 3, r->port);
	bind_int(stmt, 4, what);
	bind_int(stmt, 5, before);
	bind_int(stmt, 6, after);
	bind_str(stmt, 7, what == PROBE_CHANGE_OUTCOME ? r->detail : r->subject);
	return db_run(db, stmt, reterr);
}

/* put_changes - against what is there; the first look at a target changes nothing. */
static int put_changes(struct db *db, const struct probe_result *r, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(db, SQL_PROBE_BEFORE, reterr);
	int64_t outcome, end_ms = EVENT_UNKNOWN;
	int rc;

	if (!stmt)
		return (int)reterr->code;
	bind_str(stmt, 1, r->host);
	bind_int(stmt, 2, r->port);
	rc = db_row(db, stmt, reterr);
	if (rc <= 0)
		return rc;
	outcome = sqlite3_column_int64(stmt, 0);
	if (sqlite3_column_type(stmt, 1) != SQLITE_NULL)
		end_ms = sqlite3_column_int64(stmt, 1);
	sqlite3_reset(stmt);
	rc = 0;
	if (outcome != (int64_t)r->outcome)
		rc = put_change(db, r, PROBE_CHANGE_OUTCOME, outcome, r->outcome, reterr);
	if (rc == 0 && end_ms != EVENT_UNKNOWN && r->not_after_ms != EVENT_UNKNOWN &&
		end_ms != r->not_after_ms)
		rc = put_change(db, r, PROBE_CHANGE_CERTIFICATE, end_ms, r->not_after_ms, reterr);
	return rc;
}

static int put_all(struct db *db, const struct probe_result *results, size_t n, int64_t now_ms,
	struct mt_error *reterr)
{
	sqlite3_stmt *stmt;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		rc = put_changes(db, &results[i], reterr);
		if (rc == 0)
			rc = put(db, &results[i], reterr);
	}
	stmt = rc == 0 ? db_stmt(db, SQL_PROBE_OLD, reterr) : NULL;
	if (!stmt)
		return rc < 0 ? rc : (int)reterr->code;
	bind_int(stmt, 1, now_ms - KEPT_DAYS * DAY_MS);
	rc = db_run(db, stmt, reterr);
	stmt = rc == 0 ? db_stmt(db, SQL_PROBE_CHANGE_CUT, reterr) : NULL;
	if (!stmt)
		return rc < 0 ? rc : (int)reterr->code;
	return db_run(db, stmt, reterr);
}

int store_probes(
	struct store *s, const struct probe_result *results, size_t n, struct mt_error *reterr)
{
	struct mt_error local;
	int rc;

	reterr = reterr ? reterr : &local;
	rc = txn_begin(s, reterr);
	if (rc < 0)
		return rc;
	return txn_end(s, put_all(&s->db, results, n, clock_utc_ms(s->clock), reterr), reterr);
}

static int run(struct db *db, enum sql_id id, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(db, id, reterr);

	return stmt ? db_run(db, stmt, reterr) : (int)reterr->code;
}

int store_probes_at(const char *path, const struct probe_result *results, size_t n, int64_t now_ms,
	struct mt_error *reterr)
{
	struct mt_error local;
	struct db db = {0};
	int rc;

	reterr = reterr ? reterr : &local;
	rc = db_open_at(&db, path, reterr);
	if (rc == 0)
		rc = run(&db, SQL_BEGIN, reterr);
	if (rc == 0)
		rc = put_all(&db, results, n, now_ms, reterr);
	if (rc == 0)
		rc = run(&db, SQL_COMMIT, reterr);
	db_done(&db); /* an open transaction ends with its connection, undone */
	return rc;
}

bool store_probe_memory(struct store *s, struct str host, int port, struct probe_memory *ret)
{
	struct mt_error ignored;
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_PROBE_BEFORE, &ignored);

	if (!stmt)
		return false;
	bind_str(stmt, 1, host);
	bind_int(stmt, 2, port);
	if (db_row(&s->db, stmt, &ignored) <= 0)
		return false;
	ret->not_after_ms = sqlite3_column_type(stmt, 1) == SQLITE_NULL
				    ? EVENT_UNKNOWN
				    : sqlite3_column_int64(stmt, 1);
	ret->flags = (unsigned)sqlite3_column_int64(stmt, 2);
	sqlite3_reset(stmt);
	return true;
}

int64_t store_probe_newest(struct store *s, enum probe_role role)
{
	struct mt_error ignored;
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_PROBE_NEWEST, &ignored);
	int64_t t_ms = 0;

	if (!stmt)
		return 0;
	bind_int(stmt, 1, role);
	return db_int(&s->db, stmt, 0, &t_ms, &ignored) < 0 ? 0 : t_ms;
}
