/* SPDX-License-Identifier: MIT */
/* read_alerts - what each rule is at, and what happened; see store_read.h. */
#include "store/read_priv.h"

static void read_state(sqlite3_stmt *stmt, struct arena *a, struct alert_row *row, int *full)
{
	*row = (struct alert_row){.name = give_str(a, rd_str(stmt, 0), full),
		.phase = (int)rd_id(stmt, 1),
		.severity = (int)rd_id(stmt, 2),
		.since_ms = rd_id(stmt, 3),
		.known = sqlite3_column_type(stmt, 4) != SQLITE_NULL,
		.value = sqlite3_column_double(stmt, 4),
		.n = rd_num(stmt, 5),
		.text = give_str(a, rd_str(stmt, 6), full),
		.condition = give_str(a, rd_str(stmt, 7), full),
		.t_ms = rd_id(stmt, 8),
		.ack_ms = rd_num(stmt, 9),
		.ack_user = give_str(a, rd_str(stmt, 10), full)};
}

static void read_log(sqlite3_stmt *stmt, struct arena *a, struct alert_row *row, int *full)
{
	*row = (struct alert_row){.id = rd_id(stmt, 0),
		.t_ms = rd_id(stmt, 1),
		.name = give_str(a, rd_str(stmt, 2), full),
		.event = (int)rd_id(stmt, 3),
		.severity = (int)rd_id(stmt, 4),
		.known = sqlite3_column_type(stmt, 5) != SQLITE_NULL,
		.value = sqlite3_column_double(stmt, 5),
		.n = EVENT_UNKNOWN,
		.ack_ms = EVENT_UNKNOWN,
		.text = give_str(a, rd_str(stmt, 6), full)};
}

static int read_rows(struct reader *r, enum read_sql id, int limit, struct arena *a,
	struct alert_row **ret, size_t *ret_n, struct mt_error *reterr)
{
	struct rows rows = {.item = sizeof(struct alert_row)};
	sqlite3_stmt *stmt;
	void *given = NULL;
	int full = 0, rc = rd_prepare(r, id, &stmt, reterr);

	*ret_n = 0;
	if (rc == 0 && limit)
		rd_bind(stmt, 1, limit);
	while (rc == 0 && (rc = rd_step(r, stmt, reterr)) > 0) {
		struct alert_row *row = rows_add(&rows);

		rc = 0;
		if (!row) {
			rc = mt_error_set(reterr, MT_ENOMEM, "not enough memory for the list");
			sqlite3_reset(stmt);
		} else if (limit) {
			read_log(stmt, a, row, &full);
		} else {
			read_state(stmt, a, row, &full);
		}
	}
	if (rc == 0)
		rc = rows_give(&rows, rows.n, a, &given, ret_n, reterr);
	*ret = given;
	rows_free(&rows);
	return rc == 0 && full < 0 ? arena_full(reterr) : rc;
}

int read_alerts(struct reader *r, struct arena *a, struct alert_row **ret, size_t *ret_n,
	struct mt_error *reterr)
{
	return read_rows(r, READ_ALERTS, 0, a, ret, ret_n, reterr);
}

int read_alert_log(struct reader *r, int limit, struct arena *a, struct alert_row **ret,
	size_t *ret_n, struct mt_error *reterr)
{
	return read_rows(
		r, READ_ALERT_LOG, limit > 0 ? limit : LIST_ROWS_DEFAULT, a, ret, ret_n, reterr);
}
