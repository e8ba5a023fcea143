/* SPDX-License-Identifier: MIT */
/* warmup_board - every warm-up plan with its days and verdict, for screens, the command and alerts. */
#ifndef MT_STORE_WARMUP_BOARD_H
#define MT_STORE_WARMUP_BOARD_H

#include "store/base/fmt.h"
#include "store/store_read.h"
#include "store/warmup_conf.h"

struct warmup_row { /* days and caps in the caller's arena */
	const struct warmup_plan *plan;
	struct warmup_status status;
	struct warmup_day *days;
	int64_t *caps; /* in force on each day */
	size_t ndays;
	bool known; /* see read_warmup */
};

/* read_warmups - plans may be NULL: none. Inside a snapshot. */
int read_warmups(struct reader *r, const struct warmup_plans *plans, int64_t now_ms,
	struct arena *a, struct warmup_row **ret, size_t *ret_n,
	struct mt_error *reterr) MT_MUST_CHECK;
/* warmup_reason - what made the verdict, in a few words; nothing for ON TRACK. */
void warmup_reason(struct buf *out, const struct warmup_row *row);

#endif
