/* SPDX-License-Identifier: MIT */
/* warmup_text - `mtatop warmup plan|status`: the plans of the configuration, or how they go, as text or JSON. */
#ifndef MT_TUI_WARMUP_TEXT_H
#define MT_TUI_WARMUP_TEXT_H

#include "store/base/clock.h"
#include "store/warmup_board.h"

#include <stdio.h>

struct warmup_command {
	const char *cache_path; /* of status; plan needs none */
	const struct warmup_plans *plans;
	const struct clock *clock;
	bool status, json;
	FILE *out;
};

/* warmup_command_run - print it. Errors as reader_open, MT_EIO. */
int warmup_command_run(const struct warmup_command *o, struct mt_error *reterr) MT_MUST_CHECK;

/* warmup_date - "2026-11-23" of the local day; "?" when negative. */
void warmup_date(struct buf *out, int64_t utc_ms);
/* warmup_gate_line - "bounce rate  0.4% of 7,211 ..." without its colour; for the pane too. */
void warmup_gate_line(struct buf *out, const struct gate_result *g);
/* warmup_day_line - "day 6 of 10", or when it begins. */
void warmup_day_line(struct buf *out, const struct warmup_row *row);

#endif
