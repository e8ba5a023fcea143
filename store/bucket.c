/* SPDX-License-Identifier: MIT */
/* bucket - packed counts: encode, walk, merge; see bucket.h. */
#include "store/bucket.h"

#include "store/db.h"
#include "store/varint.h"

#define METRIC_MASK ((1u << BUCKET_METRIC_BITS) - 1)

_Static_assert(METRIC__COUNT <= METRIC_MASK + 1, "a metric must fit its bits on disk");

/* Keys a row may hold, as a power of two. Ids of texts are given out in order of first sight, so neighbours are
 * met together; codes, ports and delays are few unless strangers make codes up. */
int64_t bucket_chunk(enum bucket_resolution res, enum bucket_dim dim, int64_t key)
{
	switch (dim) {
	case DIM_CODE:
		return key >> 20; /* the class of an enhanced code */
	case DIM_DOMAIN:
	case DIM_RELAY:
	case DIM_SENDER:
	case DIM_MAILBOX:
	case DIM_IP:
	case DIM_TAG:
	case DIM_SUBACCOUNT:
	case DIM_CLASS:
	case DIM_CLUSTER:
		return key >> (res == RES_MINUTE ? 16 : res == RES_HOUR ? 12 : 10);
	case DIM_MX:
		return key >> (1 + MX_STEP_BITS +
				      (res == RES_MINUTE        ? 16
					      : res == RES_HOUR ? 12
								: 10));
	case DIM_FALLBACK:
	case DIM_TOTAL:
	case DIM_SERVICE:
	case DIM_RELAY_PORT:
	case DIM_EGRESS:
	case DIM_EGRESS_MAILBOX:
	case DIM_GATE:
	case DIM_DELAY_TOTAL:
	case DIM_DELAY_A:
	case DIM_DELAY_B:
	case DIM_DELAY_C:
	case DIM_DELAY_D:
	case DIM__COUNT:
		break;
	}
	return 0;
}

struct bucket_iter bucket_iter(struct str counts)
{
	const unsigned char *p = (const unsigned char *)(counts.n ? counts.p : "");

	return (struct bucket_iter){p, p + counts.n, 0};
}

int bucket_next(struct bucket_iter *it, struct bucket_entry *out)
{
	uint64_t at, n, step;

	if (it->p == it->end)
		return 0;
	if (!varint_get(&it->p, it->end, &at) || !varint_get(&it->p, it->end, &n))
		return MT_ECORRUPT;
	step = at >> BUCKET_METRIC_BITS;
	if (step > (uint64_t)(BUCKET_KEY_MAX - it->key))
		return MT_ECORRUPT;
	it->key += (int64_t)step;
	*out = (struct bucket_entry){
		.key = it->key, .metric = (int)(at & METRIC_MASK), .n = unzigzag(n)};
	return 1;
}

unsigned char *bucket_put(unsigned char *to, int64_t *key, const struct bucket_entry *e)
{
	to = varint_put(to, (uint64_t)(e->key - *key) << BUCKET_METRIC_BITS | (unsigned)e->metric);
	*key = e->key;
	return varint_put(to, zigzag(e->n));
}

int bucket_find(struct str counts, int64_t key, int metric, int64_t *ret)
{
	struct bucket_iter it = bucket_iter(counts);
	struct bucket_entry e;
	int rc;

	while ((rc = bucket_next(&it, &e)) > 0 &&
		(e.key < key || (e.key == key && e.metric < metric)))
		;
	if (rc >= 0)
		*ret = rc > 0 && e.key == key && e.metric == metric ? e.n : 0;
	return rc < 0 ? rc : 0;
}

static int order(const struct bucket_entry *a, const struct bucket_entry *b)
{
	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return (a->metric > b->metric) - (a->metric < b->metric);
}

/* Fits left.n + right.n: a step is never longer than one of the two it replaces, a sum of two n at most one byte
 * longer than the longer, and where two became one an entry of two bytes or more is saved. */
int bucket_merge(struct str left, struct str right, unsigned char *out, size_t *ret_n)
{
	struct bucket_iter l = bucket_iter(left), r = bucket_iter(right);
	struct bucket_entry a, b;
	unsigned char *to = out;
	int64_t key = 0;
	int more_l = bucket_next(&l, &a), more_r = bucket_next(&r, &b);

	while (more_l > 0 || more_r > 0) {
		int which = more_r <= 0 ? -1 : more_l <= 0 ? 1 : order(&a, &b);
		struct bucket_entry sum = which <= 0 ? a : b;

		if (which == 0)
			sum.n = (int64_t)((uint64_t)a.n + (uint64_t)b.n);
		if (sum.n != 0)
			to = bucket_put(to, &key, &sum);
		if (which <= 0)
			more_l = bucket_next(&l, &a);
		if (which >= 0)
			more_r = bucket_next(&r, &b);
		if (more_l < 0 || more_r < 0)
			return MT_ECORRUPT;
	}
	if (more_l < 0 || more_r < 0)
		return MT_ECORRUPT;
	*ret_n = (size_t)(to - out);
	return 0;
}

static void sql_merge(sqlite3_context *context, int nargs, sqlite3_value **args)
{
	struct str part[2];
	unsigned char *out;
	size_t n;

	for (int i = 0; i < nargs && i < 2; i++) {
		part[i].p = sqlite3_value_blob(args[i]);
		part[i].n = (size_t)sqlite3_value_bytes(args[i]);
	}
	out = sqlite3_malloc64(part[0].n + part[1].n + 1);
	if (!out) {
		sqlite3_result_error_nomem(context);
	} else if (bucket_merge(part[0], part[1], out, &n) < 0) {
		sqlite3_free(out);
		sqlite3_result_error_code(context, SQLITE_CORRUPT);
	} else {
		sqlite3_result_blob64(context, out, n, sqlite3_free);
	}
}

int bucket_register(sqlite3 *db, struct mt_error *reterr)
{
	const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;

	if (sqlite3_create_function_v2(
		    db, "bucket_merge", 2, flags, NULL, sql_merge, NULL, NULL, NULL) != SQLITE_OK)
		return db_error(db, "cannot be prepared", reterr);
	return 0;
}
