/* SPDX-License-Identifier: MIT */
/*
 * read_suppressions - a vendor's suppression lists in order of address, a page at a time, searched.
 *
 * Each list of each provider is a range of one index; their pages are merged here.
 */
#include "store/read_rows.h"
#include "store/read_window.h"

#include <stdlib.h>

#define PROVIDERS_MAX 256
#define NEEDLE_MAX_BYTES 256
#define SCAN_ROWS_MIN 2000 /* of each list, however many there are */

struct looking {
	struct reader *r;
	const struct query *q;
	struct arena *a;
	struct rows rows; /* struct suppression_row */
	struct suppression_row from; /* the last row of the page before */
	bool paged;
	size_t max;
	int64_t scan;
	char needle[NEEDLE_MAX_BYTES + 1], end[NEEDLE_MAX_BYTES + 2];
	size_t needle_n;
	struct mt_error *reterr;
};

static int bytes_order(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n ? memcmp(a.p, b.p, n) : 0;

	return order ? order : (a.n > b.n) - (a.n < b.n);
}

static int by_address(const void *left, const void *right)
{
	const struct suppression_row *a = left, *b = right;
	int order = bytes_order(a->address, b->address);

	if (!order)
		order = bytes_order(a->scope, b->scope);
	if (!order)
		order = (a->provider > b->provider) - (a->provider < b->provider);
	return order ? order : (a->list > b->list) - (a->list < b->list);
}

/* Texts of the row are valid until the next step. */
static struct suppression_row raw(sqlite3_stmt *stmt)
{
	int64_t list = rd_id(stmt, 2);

	return (struct suppression_row){.id = rd_id(stmt, 0),
		.provider = (int)rd_id(stmt, 1),
		.list = list < API_LIST__SUPPRESSIONS ? (enum api_list)list : API_LIST_BOUNCES,
		.scope = rd_str(stmt, 3),
		.address = rd_str(stmt, 4),
		.reason = rd_str(stmt, 5),
		.code = rd_str(stmt, 6),
		.created_ms = rd_num(stmt, 7)};
}

static int give(struct arena *a, struct suppression_row *row, struct mt_error *reterr)
{
	int rc = 0;

	row->scope = give_str(a, row->scope, &rc);
	row->address = give_str(a, row->address, &rc);
	row->reason = give_str(a, row->reason, &rc);
	row->code = give_str(a, row->code, &rc);
	return rc < 0 ? arena_full(reterr) : 0;
}

static bool passes(const struct looking *l, const struct suppression_row *row)
{
	struct str needle = {l->needle, l->needle_n};

	return l->needle_n == 0 ||
	       (text_has(row->address, needle) || text_has(row->reason, needle) ||
		       text_has(row->code, needle)) != l->q->text_invert;
}

/* Behind the page before; where all wanted begin with the needle, not before it: one bound, for the index. */
static void begin_at(
	const struct looking *l, enum read_sql id, struct str *address, struct str *scope)
{
	struct str needle = {l->needle, l->needle_n};

	*address = l->paged ? l->from.address : STR_LIT("");
	*scope = l->paged ? l->from.scope : STR_LIT("");
	if (id == READ_SUPPRESSIONS_BEGIN && bytes_order(*address, needle) < 0) {
		*address = needle;
		*scope = STR_LIT("");
	}
}

/* Rows of one range that pass; scan: the range is not of the needle's own index. */
static int collect(struct looking *l, enum read_sql id, int provider, int list, bool scan)
{
	int64_t seen = 0, limit = scan && l->needle_n ? l->scan : (int64_t)l->max + 1;
	struct str address, scope;
	sqlite3_stmt *stmt;
	size_t kept = 0;
	int rc = rd_prepare(l->r, id, &stmt, l->reterr);

	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, provider);
	rd_bind(stmt, 2, list);
	begin_at(l, id, &address, &scope);
	rd_bind_str(stmt, 3, address);
	rd_bind_str(stmt, 4, scope);
	rd_bind(stmt, 5, limit);
	if (id == READ_SUPPRESSIONS_DOMAIN)
		rd_bind_str(stmt, 6, (struct str){l->needle, l->needle_n});
	if (id == READ_SUPPRESSIONS_BEGIN)
		rd_bind_str(stmt, 7, (struct str){l->end, l->needle_n + 1});
	while (kept < l->max && (rc = rd_step(l->r, stmt, l->reterr)) > 0) {
		struct suppression_row row = raw(stmt), *added;

		seen++;
		if ((l->paged && by_address(&row, &l->from) <= 0) || (scan && !passes(l, &row)))
			continue;
		added = rows_add(&l->rows);
		if (!added) {
			rc = mt_error_set(l->reterr, MT_ENOMEM, "not enough memory for the list");
			break;
		}
		*added = row;
		rc = give(l->a, added, l->reterr);
		if (rc < 0)
			break;
		kept++;
	}
	sqlite3_reset(stmt);
	if (scan && l->needle_n && seen == limit && kept < l->max)
		l->r->truncated = true;
	return rc < 0 ? rc : 0;
}

static int one_list(struct looking *l, int provider, int list)
{
	int rc = collect(l, READ_SUPPRESSIONS, provider, list, true);

	if (l->needle_n == 0 || l->q->text_invert)
		return rc;
	if (rc == 0)
		rc = collect(l, READ_SUPPRESSIONS_BEGIN, provider, list, false);
	if (rc == 0 && l->needle[0] == '@') { /* @gmail.com: the domain is what is behind it */
		memmove(l->needle, l->needle + 1, l->needle_n--);
		rc = collect(l, READ_SUPPRESSIONS_DOMAIN, provider, list, false);
		memmove(l->needle + 1, l->needle, ++l->needle_n - 1);
		l->needle[0] = '@';
	} else if (rc == 0) {
		rc = collect(l, READ_SUPPRESSIONS_DOMAIN, provider, list, false);
	}
	return rc;
}

static void set_needle(struct looking *l)
{
	struct str text = str_first(l->q->text, NEEDLE_MAX_BYTES);

	for (size_t i = 0; i < text.n; i++)
		l->needle[i] = l->end[i] =
			(char)(text.p[i] >= 'A' && text.p[i] <= 'Z' ? text.p[i] + ('a' - 'A')
								    : text.p[i]);
	l->needle_n = text.n;
	l->end[text.n] = (char)0xff; /* behind all that begins with the needle */
}

static int set_after(struct looking *l, int64_t after)
{
	int rc;

	if (after == 0)
		return 0;
	rc = read_suppression(l->r, after, l->a, &l->from, l->reterr);
	l->paged = rc == 0;
	return rc;
}

static size_t drop_doubles(struct suppression_row *rows, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (kept == 0 || rows[kept - 1].id != rows[i].id)
			rows[kept++] = rows[i];
	return kept;
}

int read_suppressions(struct reader *r, const struct query *q, int list, int64_t after,
	struct arena *a, struct suppression_row **ret, size_t *ret_n, struct mt_error *reterr)
{
	struct looking l = {.r = r,
		.q = q,
		.a = a,
		.rows = {.item = sizeof(struct suppression_row)},
		.max = read_limit(q),
		.reterr = reterr};
	int first = list < 0 ? 0 : list, end = list < 0 ? API_LIST__SUPPRESSIONS : list + 1;
	int providers[PROVIDERS_MAX], n = 0;
	void *given = NULL;
	int rc = provider_list(r, q->provider, providers, PROVIDERS_MAX, &n, reterr);

	if (rc == 0)
		rc = set_after(&l, after);
	set_needle(&l);
	l.scan = n > 0 ? SCAN_ROWS_MAX / (n * (end - first)) : 0;
	l.scan = l.scan < SCAN_ROWS_MIN ? SCAN_ROWS_MIN : l.scan;
	for (int i = 0; rc == 0 && i < n; i++)
		for (int k = first; rc == 0 && k < end; k++)
			rc = one_list(&l, providers[i], k);
	if (rc == 0 && l.rows.n) {
		qsort(l.rows.p, l.rows.n, sizeof(struct suppression_row), by_address);
		l.rows.n = drop_doubles((struct suppression_row *)(void *)l.rows.p, l.rows.n);
	}
	if (rc == 0)
		rc = rows_give(&l.rows, l.max, a, &given, ret_n, reterr);
	*ret = given;
	rows_free(&l.rows);
	return rc;
}

int read_suppression(struct reader *r, int64_t id, struct arena *a, struct suppression_row *out,
	struct mt_error *reterr)
{
	sqlite3_stmt *stmt;
	int rc = rd_prepare(r, READ_SUPPRESSION, &stmt, reterr);

	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, id);
	rc = rd_step(r, stmt, reterr);
	if (rc <= 0)
		return rc < 0 ? rc
			      : mt_error_set(
					reterr, MT_ENOENT, "this address is on the list no longer");
	*out = raw(stmt);
	rc = give(a, out, reterr);
	sqlite3_reset(stmt);
	return rc;
}

int read_suppression_counts(
	struct reader *r, int provider, struct suppression_counts *out, struct mt_error *reterr)
{
	sqlite3_stmt *stmt;
	int rc = rd_prepare(r, READ_SUPPRESSION_COUNTS, &stmt, reterr);

	for (int i = 0; i < API_LIST__SUPPRESSIONS; i++)
		out->n[i] = EVENT_UNKNOWN;
	out->walked_ms = INT64_MAX;
	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, provider);
	while ((rc = rd_step(r, stmt, reterr)) > 0) {
		int64_t list = rd_id(stmt, 0), walked = rd_id(stmt, 2);

		if (list < API_LIST__SUPPRESSIONS)
			out->n[list] = rd_id(stmt, 1);
		out->walked_ms = walked < out->walked_ms ? walked : out->walked_ms;
	}
	if (out->walked_ms == INT64_MAX || out->walked_ms == 0)
		out->walked_ms = EVENT_UNKNOWN;
	return rc;
}
