/* SPDX-License-Identifier: MIT */
/* count - buckets of a batch; see count.h. Knows nothing of what the figures mean. */
#include "store/count.h"

#include "store/base/mem.h"
#include "store/bucket.h"

#include <stdlib.h>

#define COUNT_FIRST_SLOTS 4096 /* a quiet second of a busy server */
#define COUNT_KEEP_SLOTS 262144 /* 6 MiB; a larger table is given back after the batch */
#define MS_PER_MINUTE 60000
#define MINUTES_MAX 4223375999 /* end of the year 9999 */
#define SECONDS_PER_MINUTE 60

struct bucket_row {
	int64_t t_s, key, n;
	int32_t provider;
	uint8_t dim, metric;
};

uint32_t count_minute(int64_t t_ms)
{
	int64_t minute = t_ms / MS_PER_MINUTE;

	return (uint32_t)(minute < 0 ? 0 : minute > MINUTES_MAX ? MINUTES_MAX : minute);
}

static size_t slot_hash(uint64_t at, int64_t key)
{
	uint64_t h = (at ^ ((uint64_t)key * 0x9e3779b97f4a7c15u)) * 0xff51afd7ed558ccdu;

	return (size_t)(h ^ (h >> 32));
}

static struct count_slot *find(struct counts *c, uint64_t at, int64_t key)
{
	size_t mask = c->cap - 1, i = slot_hash(at, key) & mask;

	while (c->slot[i].at && (c->slot[i].at != at || c->slot[i].key != key))
		i = (i + 1) & mask;
	return &c->slot[i];
}

static void grow(struct counts *c)
{
	struct counts wide = {.cap = c->cap ? c->cap * 2 : COUNT_FIRST_SLOTS, .n = c->n};

	wide.slot = xcalloc(wide.cap, sizeof(wide.slot[0]));
	for (size_t i = 0; i < c->cap; i++)
		if (c->slot[i].at)
			*find(&wide, c->slot[i].at, c->slot[i].key) = c->slot[i];
	free(c->slot);
	*c = wide;
}

void count_add(struct counts *c, int provider, uint32_t minute, enum bucket_dim dim, int64_t key,
	enum metric metric, int64_t n)
{
	uint64_t at = (uint64_t)minute << 32 | (uint64_t)(uint16_t)provider << 16 |
		      (uint64_t)dim << 8 | (uint64_t)metric;
	struct count_slot *slot;

	key = key < 0 ? 0 : key > BUCKET_KEY_MAX ? BUCKET_KEY_MAX : key;
	if (2 * (c->n + 1) > c->cap)
		grow(c);
	slot = find(c, at, key);
	if (!slot->at) {
		slot->at = at;
		slot->key = key;
		c->n++;
	}
	slot->n += n;
}

static int by_primary_key(const void *left, const void *right)
{
	const struct bucket_row *a = left, *b = right;

	if (a->dim != b->dim)
		return a->dim < b->dim ? -1 : 1;
	if (a->t_s != b->t_s)
		return a->t_s < b->t_s ? -1 : 1;
	if (a->provider != b->provider)
		return a->provider < b->provider ? -1 : 1;
	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return (a->metric > b->metric) - (a->metric < b->metric);
}

/* The rows of one slot (or of one chunk of it) as one row of the table. */
static int write_slot(const struct bucket_row *rows, size_t n, enum bucket_resolution res,
	unsigned char *packed, struct db *db, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(db, SQL_BUCKET_ADD, reterr);
	unsigned char *end = packed;
	int64_t key = 0;

	if (!stmt)
		return (int)reterr->code;
	for (size_t i = 0; i < n; i++)
		if (rows[i].n != 0)
			end = bucket_put(end, &key,
				&(struct bucket_entry){.key = rows[i].key,
					.metric = rows[i].metric,
					.n = rows[i].n});
	bind_int(stmt, 1, res);
	bind_int(stmt, 2, rows[0].dim);
	bind_int(stmt, 3, rows[0].t_s);
	bind_int(stmt, 4, rows[0].provider);
	bind_int(stmt, 5, bucket_chunk(res, (enum bucket_dim)rows[0].dim, rows[0].key));
	bind_blob(stmt, 6, (struct str){(const char *)packed, (size_t)(end - packed)});
	return db_run(db, stmt, reterr);
}

static bool same_slot(
	const struct bucket_row *a, const struct bucket_row *b, enum bucket_resolution res)
{
	return a->dim == b->dim && a->t_s == b->t_s && a->provider == b->provider &&
	       bucket_chunk(res, (enum bucket_dim)a->dim, a->key) ==
		       bucket_chunk(res, (enum bucket_dim)b->dim, b->key);
}

static int write_rows(const struct bucket_row *rows, size_t n, enum bucket_resolution res,
	unsigned char *packed, struct db *db, struct mt_error *reterr)
{
	size_t first = 0;
	int rc = 0;

	for (size_t i = 1; rc == 0 && i <= n; i++) {
		if (i < n && same_slot(&rows[first], &rows[i], res))
			continue;
		rc = write_slot(rows + first, i - first, res, packed, db, reterr);
		first = i;
	}
	return rc;
}

/* Rows of a coarser resolution in place of the finer ones; returns how many are left. */
static size_t roll_up(struct bucket_row *rows, size_t n, enum bucket_resolution res)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		rows[i].t_s -= rows[i].t_s % (int64_t)res;
	qsort(rows, n, sizeof(rows[0]), by_primary_key);
	for (size_t i = 0; i < n; i++) {
		if (kept > 0 && by_primary_key(&rows[kept - 1], &rows[i]) == 0)
			rows[kept - 1].n += rows[i].n;
		else
			rows[kept++] = rows[i];
	}
	return kept;
}

int count_write(const struct counts *c, struct db *db, struct mt_error *reterr)
{
	static const enum bucket_resolution resolutions[] = {RES_MINUTE, RES_HOUR, RES_DAY};
	struct bucket_row *rows = xmalloc(c->n * sizeof(rows[0]));
	unsigned char *packed = xmalloc(c->n * BUCKET_ENTRY_MAX_BYTES + 1);
	size_t n = 0;
	int rc = 0;

	for (size_t i = 0; i < c->cap; i++) {
		uint64_t at = c->slot[i].at;

		if (!at)
			continue;
		rows[n++] = (struct bucket_row){.t_s = (int64_t)(at >> 32) * SECONDS_PER_MINUTE,
			.provider = (uint16_t)(at >> 16),
			.dim = (uint8_t)(at >> 8),
			.metric = (uint8_t)at,
			.key = c->slot[i].key,
			.n = c->slot[i].n};
	}
	for (size_t i = 0; rc == 0 && i < sizeof(resolutions) / sizeof(resolutions[0]); i++) {
		n = roll_up(rows, n, resolutions[i]);
		rc = write_rows(rows, n, resolutions[i], packed, db, reterr);
	}
	free(packed);
	free(rows);
	return rc;
}

void count_reset(struct counts *c)
{
	if (c->cap > COUNT_KEEP_SLOTS)
		count_done(c);
	else if (c->n)
		memset(c->slot, 0, c->cap * sizeof(c->slot[0]));
	c->n = 0;
}

void count_done(struct counts *c)
{
	free(c->slot);
	*c = (struct counts){0};
}
