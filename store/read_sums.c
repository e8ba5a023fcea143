/* SPDX-License-Identifier: MIT */
/* read_sums - buckets of a window added up by key; see read_window.h. Knows nothing of what keys mean. */
#include "store/read_window.h"

#include <stdlib.h>

#define SUMS_FIRST 256

static struct sum_row *find(const struct sums *s, int32_t provider, int64_t key)
{
	uint64_t h = ((uint64_t)key * 0x9e3779b97f4a7c15u) ^
		     ((uint64_t)(uint32_t)provider * 0xff51afd7ed558ccdu);
	size_t at = (size_t)(h >> 32) & (s->cap - 1);

	while (s->row[at].used && (s->row[at].key != key || s->row[at].provider != provider))
		at = (at + 1) & (s->cap - 1);
	return &s->row[at];
}

static int grow(struct sums *s, struct mt_error *reterr)
{
	struct sums wide = {.cap = s->cap ? s->cap * 2 : SUMS_FIRST, .n = s->n};

	wide.row = calloc(wide.cap, sizeof(wide.row[0]));
	if (!wide.row)
		return mt_error_set(reterr, MT_ENOMEM, "not enough memory for %zu keys", wide.cap);
	for (size_t i = 0; i < s->cap; i++)
		if (s->row[i].used)
			*find(&wide, s->row[i].provider, s->row[i].key) = s->row[i];
	free(s->row);
	*s = wide;
	return 0;
}

static int add(struct sums *s, int32_t provider, int64_t key, int column, int64_t n,
	struct mt_error *reterr)
{
	struct sum_row *row;
	int rc;

	if (2 * (s->n + 1) > s->cap && (rc = grow(s, reterr)) < 0)
		return rc;
	row = find(s, provider, key);
	if (!row->used) {
		row->used = true;
		row->key = key;
		row->provider = provider;
		s->n++;
	}
	row->n[column] += n;
	return 0;
}

static int read_segment(struct reader *r, const struct segment *seg, enum bucket_dim dim,
	int provider, bool by_provider, const int8_t *column, struct sums *out,
	struct mt_error *reterr)
{
	sqlite3_stmt *stmt;
	int rc = rd_prepare(r, READ_BUCKET_SUMS, &stmt, reterr);

	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, provider);
	rd_bind(stmt, 2, seg->res);
	rd_bind(stmt, 3, dim);
	rd_bind(stmt, 4, seg->from_s);
	rd_bind(stmt, 5, seg->to_s);
	while ((rc = rd_step(r, stmt, reterr)) > 0) {
		int64_t metric = rd_id(stmt, 2);

		if (metric < 0 || metric >= METRIC__COUNT || column[metric] < 0)
			continue;
		rc = add(out, by_provider ? (int32_t)rd_id(stmt, 0) : 0, rd_id(stmt, 1),
			column[metric], rd_id(stmt, 3), reterr);
		if (rc < 0) {
			sqlite3_reset(stmt);
			return rc;
		}
	}
	return rc;
}

int sums_read(struct reader *r, const struct window *w, enum bucket_dim dim, int provider,
	bool by_provider, const enum metric *metrics, size_t nmetrics, struct sums *out,
	struct mt_error *reterr)
{
	int8_t column[METRIC__COUNT];
	int rc = 0;

	*out = (struct sums){0};
	memset(column, -1, sizeof(column));
	for (size_t i = 0; i < nmetrics && i < SUM_COLUMNS; i++)
		column[metrics[i]] = (int8_t)i;
	for (size_t i = 0; rc == 0 && i < w->nseg; i++)
		rc = read_segment(r, &w->seg[i], dim, provider, by_provider, column, out, reterr);
	if (rc < 0)
		sums_done(out);
	return rc;
}

const struct sum_row *sums_find(const struct sums *s, int32_t provider, int64_t key)
{
	const struct sum_row *row = s->cap ? find(s, provider, key) : NULL;

	return row && row->used ? row : NULL;
}

void sums_pack(struct sums *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->cap; i++)
		if (s->row[i].used)
			s->row[kept++] = s->row[i];
}

void sums_done(struct sums *s)
{
	free(s->row);
	*s = (struct sums){0};
}
