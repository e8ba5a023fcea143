/* SPDX-License-Identifier: MIT */
/*
 * bucket - how the counts of a slot are packed into one BLOB (table bucket, column counts).
 *
 * Invariant: entries ascend by (key, metric), none twice, none with n = 0; so equal counts are equal bytes. An
 * entry is two LEB128 varints: (key - key of the entry before) << 6 | metric, then n zigzagged.
 * A slot with many keys is cut into chunks (bucket_chunk), so that adding to a day of a million domains
 * rewrites kilobytes. Knows nothing of what keys and metrics mean.
 */
#ifndef MT_STORE_BUCKET_H
#define MT_STORE_BUCKET_H

#include "store/base/err.h"
#include "store/base/str.h"
#include "store/vocab.h"

#include <sqlite3.h>

#define BUCKET_METRIC_BITS 6
#define BUCKET_KEY_MAX ((INT64_C(1) << 57) - 1)
#define BUCKET_ENTRY_MAX_BYTES 20

struct bucket_entry {
	int64_t key, n; /* key 0..BUCKET_KEY_MAX */
	int metric; /* 0..63; may be one this version does not know */
};

struct bucket_iter {
	const unsigned char *p, *end;
	int64_t key;
};

/* bucket_chunk - column chunk of a key: which row of its slot it lies in. key >= 0. */
int64_t bucket_chunk(enum bucket_resolution res, enum bucket_dim dim, int64_t key);

/* bucket_iter - over counts; borrows the bytes. */
struct bucket_iter bucket_iter(struct str counts);

/* bucket_next - 1 with the next entry, 0 at the end, MT_ECORRUPT (counts that bucket_put did not make). */
int bucket_next(struct bucket_iter *it, struct bucket_entry *out) MT_MUST_CHECK;

/* bucket_find - n of one entry, 0 without it. MT_ECORRUPT. */
int bucket_find(struct str counts, int64_t key, int metric, int64_t *ret) MT_MUST_CHECK;

/*
 * bucket_put - append an entry at to (BUCKET_ENTRY_MAX_BYTES of room); ascending, n not 0.
 * *key   key of the entry before, 0 at first; updated.       Returns the position behind the entry.
 */
unsigned char *bucket_put(unsigned char *to, int64_t *key, const struct bucket_entry *e);

/* bucket_merge - the sum of two into out (left.n + right.n bytes of room). *ret_n: bytes used. MT_ECORRUPT. */
int bucket_merge(
	struct str left, struct str right, unsigned char *out, size_t *ret_n) MT_MUST_CHECK;

/* bucket_register - SQL function bucket_merge(counts, counts) on a connection, for SQL_BUCKET_ADD. */
int bucket_register(sqlite3 *db, struct mt_error *reterr) MT_MUST_CHECK;

#endif
