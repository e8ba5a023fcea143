/* SPDX-License-Identifier: MIT */
/*
 * count - the buckets of a batch: added up in memory by minute, written by minute, hour and day,
 * each sorted by primary key. Increments may be negative (a re-injected message is taken back).
 *
 * A slot (dimension, minute, provider) has a small table of its own, since the lines of a minute come together;
 * the one last used of each dimension is at hand.
 */
#ifndef MT_STORE_COUNT_H
#define MT_STORE_COUNT_H

#include "store/db.h"
#include "store/vocab.h"

struct count_entry {
	uint64_t at; /* (key << BUCKET_METRIC_BITS | metric) + 1; 0 = free */
	int64_t n;
};

struct count_slot {
	struct count_slot *next; /* of its hash chain */
	uint32_t minute; /* since 1970 */
	uint16_t provider;
	uint8_t dim;
	uint32_t cap, n; /* cap a power of two, at most half full */
	struct count_entry *entry; /* owned; open addressing */
};

struct counts {
	struct count_slot *last[DIM__COUNT];
	struct count_slot **chain; /* heads; owned, as are the slots */
	size_t nchains, nslots; /* nchains a power of two */
	size_t n; /* entries in all */
};

/* count_minute - the minute a time falls into; times outside 1970..9999 are brought to its ends. */
uint32_t count_minute(int64_t t_ms);
/* count_add - n more (or less) of a metric. provider 1..65535; a key outside 0..BUCKET_KEY_MAX is brought to its ends. */
void count_add(struct counts *c, int provider, uint32_t minute, enum bucket_dim dim, int64_t key,
	enum metric metric, int64_t n);
/* count_write - add the batch to table bucket, within the caller's transaction. Leaves the batch as it is. */
int count_write(const struct counts *c, struct db *db, struct mt_error *reterr) MT_MUST_CHECK;
void count_reset(struct counts *c);
void count_done(struct counts *c);

#endif
