/* SPDX-License-Identifier: MIT */
/*
 * count - the buckets of a batch: added up in memory by minute, written by minute, hour and day,
 * each sorted by primary key. Increments may be negative (a re-injected message is taken back).
 */
#ifndef MT_STORE_COUNT_H
#define MT_STORE_COUNT_H

#include "store/db.h"
#include "store/vocab.h"

struct count_slot {
	uint64_t at; /* minute since 1970 : 32, provider : 16, dim : 8, metric : 8; 0 = free */
	int64_t key;
	int64_t n;
};

struct counts {
	struct count_slot *slot; /* open addressing */
	size_t cap, n; /* cap a power of two, at most half full */
};

/* count_minute - the minute a time falls into; times outside 1970..9999 are brought to its ends. */
uint32_t count_minute(int64_t t_ms);
/* count_add - n more (or less) of a metric. provider 1..65535. */
void count_add(struct counts *c, int provider, uint32_t minute, enum bucket_dim dim, int64_t key,
	enum metric metric, int64_t n);
/* count_write - add the batch to table bucket, within the caller's transaction. Leaves the batch as it is. */
int count_write(const struct counts *c, struct db *db, struct mt_error *reterr) MT_MUST_CHECK;
void count_reset(struct counts *c);
void count_done(struct counts *c);

#endif
