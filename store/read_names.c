/* SPDX-License-Identifier: MIT */
/* read_names - checks of own addresses and domains, their history, and what the block lists say; see store_read.h. */
#include "store/read_rows.h"

#define NAMES_MAX 100000

static void take(sqlite3_stmt *stmt, struct name_row *row)
{
	*row = (struct name_row){.id = rd_id(stmt, 0),
		.subject = rd_str(stmt, 1),
		.check = (int)rd_id(stmt, 2),
		.detail = rd_str(stmt, 3),
		.verdict = (int)rd_id(stmt, 4),
		.known = (int)rd_id(stmt, 5),
		.text = rd_str(stmt, 6),
		.record = rd_str(stmt, 7)};
}

static void give(struct arena *a, struct name_row *row, int *full)
{
	row->subject = give_str(a, row->subject, full);
	row->detail = give_str(a, row->detail, full);
	row->text = give_str(a, row->text, full);
	row->record = give_str(a, row->record, full);
	row->record_before = give_str(a, row->record_before, full);
}

static bool asked_for(const struct query *q, const struct name_row *row)
{
	if (q->text.n == 0)
		return true;
	return (text_has(row->subject, q->text) || text_has(row->detail, q->text) ||
		       text_has(row->text, q->text) ||
		       text_has(str_of(name_check_word(row->check)), q->text)) != q->text_invert;
}

/* walk - rows of a statement into an array; changes: their last columns differ. */
static int walk(struct reader *r, sqlite3_stmt *stmt, const struct query *q, bool changes,
	struct arena *a, struct name_row **ret, size_t *ret_n, struct mt_error *reterr)
{
	struct rows rows = {.item = sizeof(struct name_row)};
	int rc, full = 0;

	while ((rc = rd_step(r, stmt, reterr)) > 0) {
		struct name_row row, *kept;

		take(stmt, &row);
		row.ttl_s = changes ? 0 : rd_id(stmt, 8);
		row.t_ms = rd_id(stmt, changes ? 8 : 9);
		row.record_before = changes ? rd_str(stmt, 9) : (struct str){NULL, 0};
		row.since_ms = changes ? row.t_ms : rd_id(stmt, 10);
		if (q && !asked_for(q, &row))
			continue;
		kept = rows_add(&rows);
		if (!kept)
			break;
		give(a, &row, &full);
		*kept = row;
	}
	sqlite3_reset(stmt);
	if (rc >= 0)
		rc = full < 0 ? arena_full(reterr)
			      : rows_give(&rows, rows.n, a, (void **)ret, ret_n, reterr);
	rows_free(&rows);
	return rc;
}

int read_names(struct reader *r, const struct query *q, struct arena *a, struct name_row **ret,
	size_t *ret_n, struct mt_error *reterr)
{
	sqlite3_stmt *stmt;
	int rc = rd_prepare(r, READ_NAMES, &stmt, reterr);

	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, NAMES_MAX);
	return walk(r, stmt, q, false, a, ret, ret_n, reterr);
}

int read_name_changes(struct reader *r, int64_t id, int limit, struct arena *a,
	struct name_row **ret, size_t *ret_n, struct mt_error *reterr)
{
	sqlite3_stmt *stmt;
	int rc = rd_prepare(r, READ_NAME_CHANGES, &stmt, reterr);

	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, id);
	rd_bind(stmt, 2, limit);
	return walk(r, stmt, NULL, true, a, ret, ret_n, reterr);
}

int read_listings(struct reader *r, struct arena *a, struct listings *out, struct mt_error *reterr)
{
	struct name_row *rows;
	size_t n = 0;
	int rc = read_names(r, &(struct query){0}, a, &rows, &n, reterr);

	*out = (struct listings){.t_ms = EVENT_UNKNOWN};
	for (size_t i = 0; rc == 0 && i < n; i++) {
		const struct name_row *row = &rows[i];

		if (row->check != NAME_CHECK_DNSBL)
			continue;
		out->checked += row->known != NAME_UNKNOWN;
		out->cant += row->verdict == NAME_CANT;
		if (out->t_ms < 0 || row->t_ms < out->t_ms)
			out->t_ms = row->t_ms;
		if (row->known != NAME_BAD)
			continue;
		if (out->listed++ == 0) {
			out->first_address = row->subject;
			out->first_list = row->detail;
		}
	}
	return rc;
}
