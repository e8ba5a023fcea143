/* SPDX-License-Identifier: MIT */
/*
 * daily - the daily figures of one round of questions: the account's and those of its subusers added up by day and key,
 * because the vendor tells each alone. Written to the store when the last of them has answered.
 */
#ifndef MT_BACKENDS_SENDGRID_DAILY_H
#define MT_BACKENDS_SENDGRID_DAILY_H

#include "backends/sendgrid/parse.h"
#include "store/base/zone.h"

struct daily_row;

struct daily {
	struct daily_row *rows; /* owned */
	size_t n, room;
	int64_t first_day, last_day; /* what all answers so far told of; last < first: nothing */
	size_t answers;
	uint64_t metrics; /* set of UINT64_C(1) << METRIC_: those any answer had */
};

#define DAILY_ROWS_MAX 200000 /* 10,000 categories over 7 days, and more */

void daily_init(struct daily *s);
void daily_done(struct daily *s);
void daily_clear(struct daily *s);
/* daily_add - the figures of one more account. MT_ELIMIT past DAILY_ROWS_MAX. */
int daily_add(
	struct daily *s, const struct sendgrid_counts *c, struct mt_error *reterr) MT_MUST_CHECK;
/* daily_answer - an account's answer is complete: it told of these days. */
void daily_answer(struct daily *s, int64_t first_day, int64_t last_day);
/*
 * daily_write - SET what all answers told of, for one dimension: slots of the account's days. A figure one of the accounts
 * did not tell stays as it was.
 */
int daily_write(const struct daily *s, struct store *store, int provider, const struct zone *zone,
	enum bucket_dim dim, int64_t fetched_ms, struct mt_error *reterr) MT_MUST_CHECK;

#endif
