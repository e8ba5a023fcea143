/* SPDX-License-Identifier: MIT */
/* read_sums - buckets of a window added up by key; see read_window.h. Knows nothing of what keys mean. */
#include "store/bucket.h"
#include "store/read_window.h"

#include <stdlib.h>

#define SUMS_FIRST 1024

static struct sum_row *find(const struct sums *s, int32_t provider, int64_t key)
{
	uint64_t h = ((uint64_t)key * 0x9e3779b97f4a7c15u) ^
		     ((uint64_t)(uint32_t)provider * 0xff51afd7ed558ccdu);
	size_t at = (size_t)(h >> 32) & (s->cap - 1);

	while (s->row[at].used && (s->row[at].key != key || s->row[at].provider != provider))
		at = (at + 1) & (s->cap - 1);
	return &s->row[at];
}

#define SPARE_ROWS_MAX 65536 /* 6 MiB each; larger ones go back to the system */

/* A table of an earlier sum: of the size such sums grow to, and its memory is there already. */
static void begin(struct reader *r, struct sums *out)
{
	size_t i = r->spare[0] ? 0 : 1;

	*out = (struct sums){.reader = r};
	if (!r->spare[i])
		return;
	out->row = r->spare[i];
	out->cap = r->spare_rows[i];
	r->spare[i] = NULL;
	memset(out->row, 0, out->cap * sizeof(out->row[0]));
}

static int grow(struct sums *s, struct mt_error *reterr)
{
	struct sums wide = {
		.cap = s->cap ? s->cap * 4 : SUMS_FIRST, .n = s->n, .reader = s->reader};

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

static int corrupt(const struct reader *r, struct mt_error *reterr)
{
	return mt_error_set(reterr, MT_ECORRUPT, "cache %s: counts that are not ours", r->path);
}

/* What sums_read adds up, and where to. */
struct adding {
	struct reader *r;
	enum bucket_dim dim;
	int provider;
	bool by_provider;
	int8_t column[METRIC__COUNT]; /* -1: not asked for */
	struct sums *out;
	struct mt_error *reterr;
};

static int add_counts(struct adding *a, int32_t provider, struct str counts)
{
	struct bucket_iter it = bucket_iter(counts);
	struct bucket_entry e;
	int rc;

	while ((rc = bucket_next(&it, &e)) > 0) {
		if (e.metric >= METRIC__COUNT || a->column[e.metric] < 0)
			continue;
		rc = add(a->out, provider, e.key, a->column[e.metric], e.n, a->reterr);
		if (rc < 0)
			return rc;
	}
	return rc < 0 ? corrupt(a->r, a->reterr) : 0;
}

static int read_segment(struct adding *a, const struct segment *seg)
{
	sqlite3_stmt *stmt;
	int rc = rd_prepare(a->r, READ_BUCKET_SUMS, &stmt, a->reterr);

	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, a->provider);
	rd_bind(stmt, 2, seg->res);
	rd_bind(stmt, 3, a->dim);
	rd_bind(stmt, 4, seg->from_s);
	rd_bind(stmt, 5, seg->to_s);
	while ((rc = rd_step(a->r, stmt, a->reterr)) > 0) {
		rc = add_counts(a, a->by_provider ? (int32_t)rd_id(stmt, 0) : 0, rd_str(stmt, 1));
		if (rc < 0) {
			sqlite3_reset(stmt);
			return rc;
		}
	}
	return rc;
}

static int walk_counts(struct reader *r, sqlite3_stmt *stmt, int64_t key,
	int (*each)(void *ctx, int64_t t_s, int metric, int64_t n), void *ctx,
	struct mt_error *reterr)
{
	struct bucket_iter it = bucket_iter(rd_str(stmt, 1));
	struct bucket_entry e;
	int rc, stop = 0;

	while (stop == 0 && (rc = bucket_next(&it, &e)) > 0 && e.key <= key)
		if (e.key == key)
			stop = each(ctx, rd_id(stmt, 0), e.metric, e.n);
	return stop ? stop : rc < 0 ? corrupt(r, reterr) : 0;
}

int counts_walk(struct reader *r, const struct segment *seg, bool down, enum bucket_dim dim,
	int64_t key, int provider, int (*each)(void *ctx, int64_t t_s, int metric, int64_t n),
	void *ctx, struct mt_error *reterr)
{
	sqlite3_stmt *stmt;
	int rc = rd_prepare(r, down ? READ_BUCKET_KEY_DOWN : READ_BUCKET_KEY, &stmt, reterr);

	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, provider);
	rd_bind(stmt, 2, seg->res);
	rd_bind(stmt, 3, dim);
	rd_bind(stmt, 4, seg->from_s);
	rd_bind(stmt, 5, seg->to_s);
	rd_bind(stmt, 6, bucket_chunk(seg->res, dim, key));
	while ((rc = rd_step(r, stmt, reterr)) > 0) {
		rc = walk_counts(r, stmt, key, each, ctx, reterr);
		if (rc != 0)
			break;
	}
	sqlite3_reset(stmt);
	return rc < 0 ? rc : 0;
}

struct newest {
	int metric;
	int64_t t_s;
};

static int newest_slot(void *ctx, int64_t t_s, int metric, int64_t n)
{
	struct newest *newest = ctx;

	if (metric != newest->metric || n <= 0)
		return 0;
	newest->t_s = t_s;
	return 1;
}

int counts_last(struct reader *r, const struct segment *seg, enum bucket_dim dim, int64_t key,
	enum metric metric, int provider, int64_t *ret_s, struct mt_error *reterr)
{
	struct newest newest = {.metric = (int)metric, .t_s = EVENT_UNKNOWN};
	int rc = counts_walk(r, seg, true, dim, key, provider, newest_slot, &newest, reterr);

	if (rc == 0)
		*ret_s = newest.t_s;
	return rc;
}

int sums_read(struct reader *r, const struct window *w, enum bucket_dim dim, int provider,
	bool by_provider, const enum metric *metrics, size_t nmetrics, struct sums *out,
	struct mt_error *reterr)
{
	struct adding a = {.r = r,
		.dim = dim,
		.provider = provider,
		.by_provider = by_provider,
		.out = out,
		.reterr = reterr};
	int rc = 0;

	begin(r, out);
	memset(a.column, -1, sizeof(a.column));
	for (size_t i = 0; i < nmetrics && i < SUM_COLUMNS; i++)
		a.column[metrics[i]] = (int8_t)i;
	for (size_t i = 0; rc == 0 && i < w->nseg; i++)
		rc = read_segment(&a, &w->seg[i]);
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
	struct reader *r = s->reader;
	size_t i = r && r->spare[0] ? 1 : 0;

	if (r && s->row && !r->spare[i] && s->cap <= SPARE_ROWS_MAX) {
		r->spare[i] = s->row;
		r->spare_rows[i] = s->cap;
		s->row = NULL;
	}
	free(s->row);
	*s = (struct sums){0};
}
