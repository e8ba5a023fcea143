/* SPDX-License-Identifier: MIT */
/* action - the log of what was done to queues; the one row another process than the collector may write. */
#include "store/store_api.h"
#include "store/writer.h"

#define QIDS_MAX_BYTES 65536

static int insert(struct db *db, int provider, int64_t now_ms, const struct action_row *row,
	struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(db, SQL_ACTION_INSERT, reterr);

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, provider);
	bind_int(stmt, 2, now_ms);
	bind_str(stmt, 3, str_of(row->user));
	bind_str(stmt, 4, str_of(row->verb));
	bind_str(stmt, 5,
		str_present(row->qids) ? str_first(row->qids, QIDS_MAX_BYTES)
				       : (struct str){"", 0});
	bind_int(stmt, 6, row->asked);
	bind_int(stmt, 7, row->done);
	bind_str(stmt, 8, str_of(row->result));
	return db_run(db, stmt, reterr);
}

int store_action(
	struct store *s, int provider, const struct action_row *row, struct mt_error *reterr)
{
	struct mt_error local;
	int rc;

	reterr = reterr ? reterr : &local;
	rc = txn_begin(s, reterr);
	if (rc < 0)
		return rc;
	return txn_end(s, insert(&s->db, provider, clock_utc_ms(s->clock), row, reterr), reterr);
}

int store_action_at(
	const char *path, int provider, const struct action_row *row, struct mt_error *reterr)
{
	struct mt_error local;
	struct clock clock = clock_real();
	struct db db = {0};
	int rc;

	reterr = reterr ? reterr : &local;
	rc = db_open_at(&db, path, reterr);
	if (rc == 0)
		rc = insert(&db, provider, clock_utc_ms(&clock), row, reterr);
	db_done(&db);
	return rc;
}

int store_api_unsuppressed_at(const char *path, int provider, enum api_list list, struct str scope,
	struct str address, struct mt_error *reterr)
{
	static const enum sql_id steps[] = {
		SQL_BEGIN, SQL_SUPPRESSION_GONE, SQL_SUPPRESSION_COUNT, SQL_COMMIT};
	struct mt_error local;
	struct db db = {0};
	int rc;

	reterr = reterr ? reterr : &local;
	rc = db_open_at(&db, path, reterr);
	for (size_t i = 0; rc == 0 && i < sizeof(steps) / sizeof(steps[0]); i++) {
		sqlite3_stmt *stmt = db_stmt(&db, steps[i], reterr);

		if (!stmt) {
			rc = (int)reterr->code;
			break;
		}
		if (steps[i] == SQL_SUPPRESSION_GONE || steps[i] == SQL_SUPPRESSION_COUNT) {
			bind_int(stmt, 1, provider);
			bind_int(stmt, 2, list);
		}
		if (steps[i] == SQL_SUPPRESSION_GONE) {
			bind_str(stmt, 3, str_present(scope) ? scope : STR_LIT(""));
			bind_str(stmt, 4, address);
		}
		rc = db_run(&db, stmt, reterr);
	}
	db_done(&db); /* an open transaction ends with its connection, undone */
	return rc;
}
