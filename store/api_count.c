/* SPDX-License-Identifier: MIT */
/*
 * api_count - a vendor's counters into table bucket: absolute figures of its slots.
 *
 * The slots a batch touches are read, changed in memory in the order of the calls, and written where they became
 * another; what the totals grew by since the poll before becomes minutes of differences (api_cover.c).
 */
#include "store/api_private.h"
#include "store/bucket.h"

#include "store/base/mem.h"

#include <stdlib.h>

struct figure { /* of a slot; of equal (key, metric) the last one counts */
	int64_t key, n;
	int metric;
	uint32_t turn;
};

struct slot {
	struct slot *next;
	int64_t start_s, length_s, chunk;
	enum bucket_dim dim;
	int res;
	struct str before; /* owned bytes */
	struct figure *figure; /* owned */
	size_t n, cap;
};

struct work {
	struct store *s;
	int provider;
	struct slot *first, *last_used;
	struct map index; /* place of a slot -> its address */
	uint64_t asked; /* totals of this batch: metrics polled */
	int64_t prev_ms[METRIC__COUNT], now_ms[METRIC__COUNT]; /* 0: never before */
	uint64_t known[DIM__COUNT];
	uint32_t turn;
	struct mt_error *reterr;
};

static void add(struct work *w, struct slot *slot, int64_t key, int metric, int64_t n)
{
	if (slot->n == slot->cap) {
		slot->cap = slot->cap ? 2 * slot->cap : 16;
		slot->figure = xrealloc(slot->figure, slot->cap * sizeof(slot->figure[0]));
	}
	slot->figure[slot->n++] = (struct figure){key, n, metric, w->turn++};
}

static int unpack(struct work *w, struct slot *slot)
{
	struct bucket_iter it = bucket_iter(slot->before);
	struct bucket_entry e;
	int rc;

	while ((rc = bucket_next(&it, &e)) > 0)
		add(w, slot, e.key, e.metric, e.n);
	return rc < 0 ? mt_error_set(w->reterr, MT_ECORRUPT, "cache: counts that are not ours") : 0;
}

struct place {
	int64_t start_s, chunk;
	int32_t dim, res;
};

static struct slot *make(struct work *w, const struct place *p)
{
	struct slot *slot = xcalloc(1, sizeof(*slot));
	uint64_t address = (uint64_t)(uintptr_t)slot;

	slot->start_s = p->start_s;
	slot->chunk = p->chunk;
	slot->dim = (enum bucket_dim)p->dim;
	slot->res = p->res;
	slot->length_s = p->res - 1;
	slot->next = w->first;
	w->first = slot;
	map_set(&w->index, (struct str){(const char *)p, sizeof(*p)}, address);
	return slot;
}

static struct slot *known_slot(struct work *w, const struct place *p)
{
	uint64_t address;

	return map_get(&w->index, (struct str){(const char *)p, sizeof(*p)}, &address)
		       ? (struct slot *)(uintptr_t)address
		       : NULL;
}

static int take(struct work *w, struct slot *slot, struct str counts)
{
	slot->before = (struct str){xmemdup(counts.n ? counts.p : "", counts.n + 1), counts.n};
	return unpack(w, slot);
}

/* The slot of a place, as the cache has it when it is met for the first time. */
static int find_slot(struct work *w, const struct place *p, struct slot **ret)
{
	sqlite3_stmt *stmt;
	int rc;

	*ret = known_slot(w, p);
	if (*ret)
		return 0;
	*ret = make(w, p);
	stmt = db_stmt(&w->s->db, SQL_API_SLOT, w->reterr);
	if (!stmt)
		return (int)w->reterr->code;
	bind_int(stmt, 1, p->res);
	bind_int(stmt, 2, p->dim);
	bind_int(stmt, 3, p->start_s);
	bind_int(stmt, 4, w->provider);
	bind_int(stmt, 5, p->chunk);
	rc = db_row(&w->s->db, stmt, w->reterr);
	if (rc > 0) {
		rc = take(w, *ret, column_str(stmt, 0));
		sqlite3_reset(stmt);
	}
	return rc;
}

static void clear(struct slot *slot, const struct cover_op *op)
{
	size_t kept = 0;

	for (size_t i = 0; i < slot->n; i++)
		if ((op->key != KEY_ALL && slot->figure[i].key != op->key) ||
			slot->figure[i].metric >= METRIC__COUNT ||
			!(op->metrics >> slot->figure[i].metric & 1))
			slot->figure[kept++] = slot->figure[i];
	slot->n = kept;
}

/* All slots the cache has in a range become part of the work. */
static int load_range(struct work *w, const struct cover_op *op, int res)
{
	sqlite3_stmt *stmt = db_stmt(&w->s->db, SQL_API_SLOTS, w->reterr);
	int rc;

	if (!stmt)
		return (int)w->reterr->code;
	bind_int(stmt, 1, res);
	bind_int(stmt, 2, op->dim);
	bind_int(stmt, 3, op->from_s);
	bind_int(stmt, 4, op->to_s);
	bind_int(stmt, 5, w->provider);
	while ((rc = db_row(&w->s->db, stmt, w->reterr)) > 0) {
		struct place p = {sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1),
			(int32_t)op->dim, res};

		if (!known_slot(w, &p))
			rc = take(w, make(w, &p), column_str(stmt, 2));
		if (rc < 0) {
			sqlite3_reset(stmt);
			break;
		}
	}
	return rc;
}

static int cover(struct work *w, const struct cover_op *op)
{
	static const int all[] = {RES_SLOT_QUARTER, RES_SLOT_HOUR, RES_SLOT_DAY};
	int64_t prev = 0;
	int rc = 0;

	w->known[op->dim] |= op->metrics;
	for (size_t i = 0; rc == 0 && i < sizeof(all) / sizeof(all[0]); i++)
		rc = load_range(w, op, all[i]);
	for (struct slot *slot = w->first; rc == 0 && slot; slot = slot->next)
		if (slot->dim == op->dim && slot->start_s >= op->from_s && slot->start_s < op->to_s)
			clear(slot, op);
	if (rc == 0 && op->key == KEY_ALL)
		rc = api_cover_add(
			w->s, w->provider, (int)op->dim, op->from_s, op->to_s, w->reterr);
	if (rc < 0 || op->dim != DIM_TOTAL || op->fetched_ms <= 0)
		return rc;
	rc = api_poll_swap(w->s, w->provider, op->metrics, op->fetched_ms, &prev, w->reterr);
	for (int m = 0; m < METRIC__COUNT; m++)
		if (op->metrics >> m & 1) {
			if (!(w->asked >> m & 1))
				w->prev_ms[m] = prev;
			w->now_ms[m] = op->fetched_ms;
		}
	w->asked |= op->metrics;
	return rc;
}

static int set(struct work *w, const struct counts_op *op)
{
	struct place p = {op->start_s,
		bucket_chunk((enum bucket_resolution)op->res, op->dim, op->key), (int32_t)op->dim,
		op->res};
	struct slot *slot;
	int rc = find_slot(w, &p, &slot);

	for (size_t i = 0; rc == 0 && i < op->n; i++) {
		add(w, slot, op->key, (int)op->figure[i].metric, op->figure[i].n);
		w->known[op->dim] |= UINT64_C(1) << op->figure[i].metric;
	}
	slot->length_s = op->length_s;
	return rc;
}

static int by_place(const void *left, const void *right)
{
	const struct figure *a = left, *b = right;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	if (a->metric != b->metric)
		return a->metric < b->metric ? -1 : 1;
	return (a->turn > b->turn) - (a->turn < b->turn);
}

/* Sorted, one figure a place, none of them 0. */
static void settle(struct slot *slot)
{
	size_t kept = 0;

	if (slot->n)
		qsort(slot->figure, slot->n, sizeof(slot->figure[0]), by_place);
	for (size_t i = 0; i < slot->n; i++) {
		const struct figure *f = &slot->figure[i], *next = f + 1;

		if (i + 1 < slot->n && next->key == f->key && next->metric == f->metric)
			continue;
		if (f->n != 0)
			slot->figure[kept++] = *f;
	}
	slot->n = kept;
}

/* What the totals of a slot that was open at the poll before grew by. A fall is a correction: no rate. */
static int differences(struct work *w, const struct slot *slot)
{
	int64_t grown[METRIC__COUNT] = {0};
	struct bucket_iter it = bucket_iter(slot->before);
	struct bucket_entry e;
	int rc = 0;

	for (size_t i = 0; i < slot->n; i++)
		if (slot->figure[i].metric < METRIC__COUNT)
			grown[slot->figure[i].metric] = slot->figure[i].n;
	while (bucket_next(&it, &e) > 0)
		if (e.metric < METRIC__COUNT)
			grown[e.metric] -= e.n;
	for (int m = 0; rc == 0 && m < METRIC__COUNT; m++)
		if (grown[m] > 0 && w->prev_ms[m] > 0 &&
			w->now_ms[m] - w->prev_ms[m] <= API_DIFFERENCE_MAX_MS &&
			(slot->start_s + slot->length_s) * 1000 > w->prev_ms[m])
			rc = api_difference(w->s, w->provider, (enum metric)m, grown[m],
				w->prev_ms[m], w->now_ms[m], slot->start_s, w->reterr);
	return rc;
}

static int put(struct work *w, const struct slot *slot, struct str counts)
{
	sqlite3_stmt *stmt =
		db_stmt(&w->s->db, counts.n ? SQL_API_SLOT_SET : SQL_API_SLOT_DELETE, w->reterr);

	if (!stmt)
		return (int)w->reterr->code;
	bind_int(stmt, 1, slot->res);
	bind_int(stmt, 2, slot->dim);
	bind_int(stmt, 3, slot->start_s);
	bind_int(stmt, 4, w->provider);
	bind_int(stmt, 5, slot->chunk);
	if (counts.n)
		bind_blob(stmt, 6, counts);
	return db_run(&w->s->db, stmt, w->reterr);
}

static int write_slot(struct work *w, struct slot *slot)
{
	unsigned char *packed, *end;
	struct str counts;
	int64_t key = 0;
	int rc = 0;

	settle(slot);
	packed = end = xmalloc((slot->n + 1) * BUCKET_ENTRY_MAX_BYTES);
	for (size_t i = 0; i < slot->n; i++)
		end = bucket_put(end, &key,
			&(struct bucket_entry){.key = slot->figure[i].key,
				.n = slot->figure[i].n,
				.metric = slot->figure[i].metric});
	counts = (struct str){(const char *)packed, (size_t)(end - packed)};
	if (!str_eq(counts, slot->before)) {
		rc = put(w, slot, counts);
		if (rc == 0 && slot->dim == DIM_TOTAL)
			rc = differences(w, slot);
	}
	free(packed);
	return rc;
}

static int write_known(struct work *w)
{
	int rc = 0;

	for (int dim = 0; rc == 0 && dim < DIM__COUNT; dim++) {
		sqlite3_stmt *stmt;

		if (!w->known[dim])
			continue;
		stmt = db_stmt(&w->s->db, SQL_API_KNOWN, w->reterr);
		if (!stmt)
			return (int)w->reterr->code;
		bind_int(stmt, 1, w->provider);
		bind_int(stmt, 2, dim);
		bind_int(stmt, 3, (int64_t)w->known[dim]);
		rc = db_run(&w->s->db, stmt, w->reterr);
	}
	return rc;
}

/* Between two polls near enough the differences are known, also where there are none. */
static int cover_differences(struct work *w)
{
	int rc = 0;

	for (int m = 0; rc == 0 && m < METRIC__COUNT; m++)
		if ((w->asked >> m & 1) && m == METRIC_SENT && w->prev_ms[m] > 0 &&
			w->now_ms[m] > w->prev_ms[m] &&
			w->now_ms[m] - w->prev_ms[m] <= API_DIFFERENCE_MAX_MS)
			rc = api_cover_add(w->s, w->provider, -1, w->prev_ms[m] / 60000 * 60,
				w->now_ms[m] / 60000 * 60, w->reterr);
	return rc;
}

static void free_work(struct work *w)
{
	for (struct slot *slot = w->first, *next; slot; slot = next) {
		char *before;

		next = slot->next;
		memcpy(&before, &slot->before.p, sizeof(before));
		free(before);
		free(slot->figure);
		free(slot);
	}
	map_done(&w->index);
}

int api_write_counts(struct store *s, int provider, struct mt_error *reterr)
{
	const struct api_op *ops = s->batch.api.p;
	struct work w = {.s = s, .provider = provider, .reterr = reterr};
	int rc = 0;

	map_init(&w.index);
	for (size_t i = 0; rc == 0 && i < s->batch.api.n; i++) {
		if (ops[i].provider != provider)
			continue;
		if (ops[i].kind == OP_COVER)
			rc = cover(&w, ops[i].row);
		else if (ops[i].kind == OP_COUNTS)
			rc = set(&w, ops[i].row);
	}
	for (struct slot *slot = w.first; rc == 0 && slot; slot = slot->next)
		rc = write_slot(&w, slot);
	if (rc == 0)
		rc = cover_differences(&w);
	if (rc == 0)
		rc = write_known(&w);
	free_work(&w);
	return rc;
}
