/* SPDX-License-Identifier: MIT */
/* warmup_conf - the [warmup NAME] sections of mtatop.conf as plans, refused whole when one is wrong. */
#ifndef MT_STORE_WARMUP_CONF_H
#define MT_STORE_WARMUP_CONF_H

#include "store/base/arena.h"
#include "store/base/conf.h"
#include "store/warmup.h"

#define WARMUP_PLANS_MAX 64

struct warmup_plans {
	struct arena arena; /* owns what the plans point to, beside the configuration */
	struct warmup_plan plan[WARMUP_PLANS_MAX];
	size_t n;
};

/* warmup_conf_table - for conf_new. Borrowed for ever. */
struct conf_table warmup_conf_table(void);

/*
 * warmup_plans_load - every plan; [warmup] without a name gives defaults to the others, and is a plan itself when it
 * is alone and has a start. Borrows conf. Fills *out (end with warmup_plans_done, also on failure).
 * MT_ECONFIG, naming section, key and fix.
 */
int warmup_plans_load(
	const struct conf *conf, struct warmup_plans *out, struct mt_error *reterr) MT_MUST_CHECK;
void warmup_plans_done(struct warmup_plans *p);

/*
 * warmup_days - the local days from the plan's start to that of now, counts zero, known.
 * Returns how many: 0 before the start, at most max (then the newest).
 */
#define WARMUP_DAYS_MAX 800
size_t warmup_days(const struct warmup_plan *p, int64_t now_ms, struct warmup_day *out, size_t max);

#endif
