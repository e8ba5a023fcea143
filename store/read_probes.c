/* SPDX-License-Identifier: MIT */
/* read_probes - the newest look at each SMTP port, and what changed between looks; see store_read.h. */
#include "store/read_priv.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_STEP 10 /* columns as in read_sql.def */

static void take(struct probe_result *r, sqlite3_stmt *stmt, struct arena *a, int *full)
{
	struct str *const texts[] = {&r->address, &r->greeting, &r->greeting_name, &r->tls,
		&r->cipher, &r->subject, &r->issuer, &r->names, &r->detail, &r->transcript};
	int at = FIRST_STEP + PROBE_STEP__COUNT;

	*r = (struct probe_result){.host = give_str(a, rd_str(stmt, 0), full),
		.port = (int)rd_id(stmt, 1),
		.role = (enum probe_role)rd_id(stmt, 2),
		.t_ms = rd_id(stmt, 3),
		.since_ms = rd_id(stmt, 4),
		.outcome = (enum probe_outcome)rd_id(stmt, 5),
		.step = (enum probe_step)rd_id(stmt, 6),
		.flags = (unsigned)rd_id(stmt, 7),
		.code = (int)rd_id(stmt, 8),
		.total_us = rd_num(stmt, 9)};
	for (int i = 0; i < PROBE_STEP__COUNT; i++)
		r->took_us[i] = rd_num(stmt, FIRST_STEP + i);
	r->nnames = rd_num(stmt, at++);
	r->chain = rd_num(stmt, at++);
	r->not_before_ms = rd_num(stmt, at++);
	r->not_after_ms = rd_num(stmt, at++);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		*texts[i] = give_str(a, rd_str(stmt, at++), full);
}

static int own_first(const void *left, const void *right)
{
	static const int rank[PROBE_ROLE__COUNT] = {[PROBE_OWN] = 0,
		[PROBE_ASKED] = 1,
		[PROBE_RELAY] = 2,
		[PROBE_MX] = 3,
		[PROBE_WITNESS] = 4};
	const struct probe_result *a = left, *b = right;
	size_t n = a->host.n < b->host.n ? a->host.n : b->host.n;
	int order;

	if (a->role != b->role && (unsigned)a->role < PROBE_ROLE__COUNT &&
		(unsigned)b->role < PROBE_ROLE__COUNT)
		return rank[a->role] - rank[b->role];
	order = n ? memcmp(a->host.p, b->host.p, n) : 0;
	if (order == 0)
		order = (a->host.n > b->host.n) - (a->host.n < b->host.n);
	return order ? order : a->port - b->port;
}

int read_probes(struct reader *r, struct arena *a, struct probe_result **ret, size_t *ret_n,
	struct mt_error *reterr)
{
	struct rows rows = {.item = sizeof(struct probe_result)};
	sqlite3_stmt *stmt;
	int full = 0, rc = rd_prepare(r, READ_PROBES, &stmt, reterr);

	*ret_n = 0;
	while (rc == 0 && (rc = rd_step(r, stmt, reterr)) > 0) {
		struct probe_result *row = rows_add(&rows);

		rc = 0;
		if (row) {
			take(row, stmt, a, &full);
		} else {
			rc = mt_error_set(reterr, MT_ENOMEM, "not enough memory for the list");
			sqlite3_reset(stmt);
		}
	}
	if (rc == 0 && rows.n)
		qsort(rows.p, rows.n, sizeof(struct probe_result), own_first);
	if (rc == 0)
		rc = rows_give(&rows, rows.n, a, (void **)ret, ret_n, reterr);
	rows_free(&rows);
	return rc == 0 && full < 0 ? arena_full(reterr) : rc;
}

int read_probe_changes(struct reader *r, int limit, struct arena *a, struct probe_change_row **ret,
	size_t *ret_n, struct mt_error *reterr)
{
	struct rows rows = {.item = sizeof(struct probe_change_row)};
	sqlite3_stmt *stmt;
	int full = 0, rc = rd_prepare(r, READ_PROBE_CHANGES, &stmt, reterr);

	*ret_n = 0;
	if (rc == 0)
		rd_bind(stmt, 1, limit > 0 ? limit : LIST_ROWS_DEFAULT);
	while (rc == 0 && (rc = rd_step(r, stmt, reterr)) > 0) {
		struct probe_change_row *row = rows_add(&rows);

		rc = 0;
		if (!row) {
			rc = mt_error_set(reterr, MT_ENOMEM, "not enough memory for the list");
			sqlite3_reset(stmt);
			break;
		}
		*row = (struct probe_change_row){.id = rd_id(stmt, 0),
			.t_ms = rd_id(stmt, 1),
			.host = give_str(a, rd_str(stmt, 2), &full),
			.port = (int)rd_id(stmt, 3),
			.what = (enum probe_change)rd_id(stmt, 4),
			.before = rd_id(stmt, 5),
			.after = rd_id(stmt, 6),
			.detail = give_str(a, rd_str(stmt, 7), &full)};
	}
	if (rc == 0)
		rc = rows_give(&rows, rows.n, a, (void **)ret, ret_n, reterr);
	rows_free(&rows);
	return rc == 0 && full < 0 ? arena_full(reterr) : rc;
}
