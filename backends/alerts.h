/* SPDX-License-Identifier: MIT */
/* alerts - the alerts of a running collector: looks at the figures between rounds, runs hooks, tells syslog. */
#ifndef MT_BACKENDS_ALERTS_H
#define MT_BACKENDS_ALERTS_H

#include "store/base/clock.h"
#include "store/store_alert.h"

#include <poll.h>

struct alerts;

/* alerts_new - all borrowed. MT_ECONFIG: a hook that others can change; as alert_watch_open. Gives *ret. */
int alerts_new(struct store *s, const char *cache_path, const struct alert_rules *rules,
	const struct warmup_plans *plans, const struct clock *clock, struct alerts **ret,
	struct mt_error *reterr) MT_MUST_CHECK;
void alerts_free(struct alerts *a);
/* alerts_acknowledge - by who runs this process (behind sudo: who called it). Any thread. As store_alert_acknowledge_at. */
int alerts_acknowledge(
	const char *cache_path, struct str name, struct mt_error *reterr) MT_MUST_CHECK;
/* alerts_step - when it is time: news: something was committed since the last call. True when the screen is to look. */
bool alerts_step(struct alerts *a, bool news);
/* alerts_due_mono_ms - when alerts_step wants to be called at the latest. */
int64_t alerts_due_mono_ms(const struct alerts *a);
size_t alerts_fds(const struct alerts *a, struct pollfd *out, size_t max);

#endif
