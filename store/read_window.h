/* SPDX-License-Identifier: MIT */
/*
 * read_window - a time window as buckets to add up and as row ids to look through.
 *
 * Invariant: the segments of a window tile it exactly, each in one resolution, so no minute is added twice
 * or left out; behind them come segments for slots of APIs, which hold other counts. Pure but for the functions that take a reader.
 */
#ifndef MT_STORE_READ_WINDOW_H
#define MT_STORE_READ_WINDOW_H

#include "store/read_priv.h"

struct segment {
	enum bucket_resolution res;
	int64_t from_s, to_s; /* [from, to), whole multiples of res */
};
#define WINDOW_SEGMENTS_MAX                                                                        \
	8 /* minutes, hours, days, hours, minutes; then slots of APIs, which overlap them */

/* window_split - segments of [from_s, to_s), both whole multiples of finest_s (60 or 3600), in order of time.
 * Returns how many; 0 when the window is empty. */
size_t window_split(
	int64_t from_s, int64_t to_s, int finest_s, struct segment out[WINDOW_SEGMENTS_MAX]);

struct window {
	int64_t from_s, to_s; /* aligned */
	int res_s; /* what it is aligned to: 60, or 3600 where the minutes are pruned */
	int64_t asked_to_s; /* end before it was widened to whole slots: what came then is all there is if that is now */
	int slot_s; /* length of the longest slots of APIs looked at; 0 none */
	int left_out_s; /* of all providers, those with slots of this length or longer are left out; 0 none */
	bool differences; /* the one provider is seen through differences between polls */
	bool minutes_gone; /* part of it lies before the oldest minute kept */
	struct segment seg[WINDOW_SEGMENTS_MAX];
	size_t nseg;
};

/* What the cache holds for the provider(s) of a query. EVENT_UNKNOWN: nothing. */
struct coverage {
	int64_t first_ms; /* start of the oldest bucket */
	int64_t newest_ms; /* newest record read */
	int64_t until_ms; /* up to when silence means zero: newest record or last successful look at the source */
};

/* coverage_local - the same without the counters of vendors: of what is counted by the minute. */
int coverage_local(struct reader *r, int provider, struct coverage *out,
	struct mt_error *reterr) MT_MUST_CHECK;
int coverage_read(struct reader *r, int provider, struct coverage *out,
	struct mt_error *reterr) MT_MUST_CHECK;
/* window_read - the window of a query; t0 = t1 = 0: all the cache holds (empty window when it holds nothing). */
int window_read(struct reader *r, const struct query *q, struct window *out,
	struct mt_error *reterr) MT_MUST_CHECK;
/* window_of - the aligned window [t0, t1). */
int window_of(struct reader *r, int64_t t0_ms, int64_t t1_ms, struct window *out,
	struct mt_error *reterr) MT_MUST_CHECK;
/* window_before - the window of the same length right before w, of the provider(s) of w. */
int window_before(struct reader *r, int provider, const struct window *w, struct window *out,
	struct mt_error *reterr) MT_MUST_CHECK;

/* The slots of a series: nslots of slot_s seconds, the last ending at the window's end (see read_slot_ms). */
struct slots {
	int64_t from_s, slot_s;
	enum bucket_resolution res; /* of the buckets to add up */
	size_t n;
};
struct slots slots_of(int64_t from_s, int64_t to_s, size_t nslots, bool minutes_gone);

/* provider_list - the provider, or for 0 the ids of all (the first max of them). */
int provider_list(struct reader *r, int provider, int *ids, int max, int *ret_n,
	struct mt_error *reterr) MT_MUST_CHECK;

/* A range of row ids [low, high] that holds every row of the window. Filter on t_ms still. */
struct id_range {
	int64_t low, high;
};
enum mark_column { MARK_MESSAGE, MARK_ATTEMPT, MARK_REJECT };
int window_ids(struct reader *r, int provider, int64_t from_ms, int64_t to_ms,
	enum mark_column column, struct id_range *out, struct mt_error *reterr) MT_MUST_CHECK;

/* Sums of a dimension over a window, by provider and key. */
#define SUM_COLUMNS 8
struct sum_row {
	int64_t key;
	int32_t provider;
	bool used;
	int64_t n[SUM_COLUMNS];
};
struct sums {
	struct sum_row *row; /* open addressing until sums_pack, then dense */
	size_t cap, n;
	struct reader *reader; /* gets the table back */
};
/* sums_read - add up metrics[0..nmetrics) into n[0..]; provider 0: all, added together unless by_provider. */
int sums_read(struct reader *r, const struct window *w, enum bucket_dim dim, int provider,
	bool by_provider, const enum metric *metrics, size_t nmetrics, struct sums *out,
	struct mt_error *reterr) MT_MUST_CHECK;
/* counts_walk - what a key counted in the slots of seg: each(ctx, t_s, metric, n), slots ascending, or descending
 * when down; each returns 0 to go on, 1 to stop. provider 0: all, each with slots of its own. Errors: the cache's. */
int counts_walk(struct reader *r, const struct segment *seg, bool down, enum bucket_dim dim,
	int64_t key, int provider, int (*each)(void *ctx, int64_t t_s, int metric, int64_t n),
	void *ctx, struct mt_error *reterr) MT_MUST_CHECK;
/* counts_last - start of the newest slot of seg in which the key counted the metric; EVENT_UNKNOWN: none. */
int counts_last(struct reader *r, const struct segment *seg, enum bucket_dim dim, int64_t key,
	enum metric metric, int provider, int64_t *ret_s, struct mt_error *reterr) MT_MUST_CHECK;
/* sums_find - the row of a key (all providers together), NULL if none; before sums_pack. */
const struct sum_row *sums_find(const struct sums *s, int32_t provider, int64_t key);
/* sums_pack - dense rows 0..n-1 in no order; sums_find must not be called after. */
void sums_pack(struct sums *s);
void sums_done(struct sums *s);

#endif
