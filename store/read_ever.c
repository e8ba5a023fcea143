/* SPDX-License-Identifier: MIT */
/* read_ever - what was ever counted, by provider and key: the days kept and those that retention took (RES_EVER). */
#include "store/ports.h"
#include "store/read_rows.h"
#include "store/read_window.h"

#include <stdlib.h>

#define TIME_MAX_S INT64_C(253402300800) /* end of the year 9999 */

_Static_assert(EVER_COLUMNS <= SUM_COLUMNS, "a row has room for its columns");

static int by_place(const void *left, const void *right)
{
	const struct sum_row *a = left, *b = right;

	if (a->provider != b->provider)
		return a->provider < b->provider ? -1 : 1;
	return (a->key > b->key) - (a->key < b->key);
}

/* Port of a tag: what table service has, else the stock name's. */
static int place(struct reader *r, struct ever_row *row, struct mt_error *reterr)
{
	sqlite3_stmt *stmt;
	int rc = rd_prepare(r, READ_SERVICES, &stmt, reterr);
	bool known = false;

	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, row->provider);
	while ((rc = rd_step(r, stmt, reterr)) > 0) {
		if (rd_id(stmt, 1) != row->key || rd_id(stmt, 3) == PORT_UNKNOWN)
			continue;
		known = true;
		row->port = (int32_t)rd_num(stmt, 2);
	}
	if (!known)
		row->port = ports_stock(row->text, NULL);
	return rc;
}

static int give_row(struct reader *r, enum bucket_dim dim, const struct sum_row *sum,
	size_t nmetrics, struct arena *a, struct ever_row *out, struct mt_error *reterr)
{
	struct str tag = {NULL, 0};
	int rc = 0;

	*out = (struct ever_row){.provider = sum->provider, .key = sum->key, .port = EVENT_UNKNOWN};
	memcpy(out->n, sum->n, nmetrics * sizeof(out->n[0]));
	if (dim != DIM_SERVICE)
		return 0;
	rc = dict_text(r, sum->key, &tag, reterr);
	out->text = arena_str(a, tag);
	return rc == 0 ? place(r, out, reterr) : rc;
}

int read_ever(struct reader *r, enum bucket_dim dim, const enum metric *metrics, size_t nmetrics,
	struct arena *a, struct ever_row **ret, size_t *ret_n, struct mt_error *reterr)
{
	/* a provider has days of its log, or a vendor's slots of one length */
	struct window w = {.nseg = 5,
		.seg = {{RES_EVER, 0, 1}, {RES_DAY, 0, TIME_MAX_S},
			{RES_SLOT_QUARTER, 0, TIME_MAX_S}, {RES_SLOT_HOUR, 0, TIME_MAX_S},
			{RES_SLOT_DAY, 0, TIME_MAX_S}},
		.to_s = TIME_MAX_S,
		.res_s = RES_DAY};
	struct ever_row *rows = NULL;
	struct sums s;
	int rc = sums_read(r, &w, dim, 0, true, metrics, nmetrics, &s, reterr);

	if (rc < 0)
		return rc;
	sums_pack(&s);
	if (s.n) {
		qsort(s.row, s.n, sizeof(s.row[0]), by_place);
		rows = arena_alloc(a, s.n * sizeof(rows[0]));
		if (!rows)
			rc = mt_error_set(reterr, MT_ELIMIT, "too many keys: %zu", s.n);
	}
	for (size_t i = 0; rc == 0 && i < s.n; i++)
		rc = give_row(r, dim, &s.row[i], nmetrics, a, &rows[i], reterr);
	*ret = rows;
	*ret_n = rc == 0 ? s.n : 0;
	sums_done(&s);
	return rc;
}
