/* SPDX-License-Identifier: MIT */
/*
 * schedule - when a source's next round is due, and how it fares. Pure: time and luck come from the caller.
 *
 * Results decide: a network or system failure doubles the wait up to a cap, with jitter; a configuration or
 * credential failure stops the source until reload; success restores the interval.
 */
#ifndef MT_BACKENDS_SCHEDULE_H
#define MT_BACKENDS_SCHEDULE_H

#include "store/base/err.h"
#include "store/vocab.h"

struct schedule {
	int64_t interval_ms; /* between rounds when all is well */
	int64_t due_mono_ms; /* next round */
	int64_t ok_utc_ms; /* last success; 0 never */
	unsigned failures; /* in a row */
	bool stopped;
};

#define BACKOFF_MAX_MS 300000 /* five minutes: a server that comes back is seen soon enough */
#define BACKOFF_LOCAL_MAX_MS                                                                       \
	8000 /* files and rights on this machine: cheap to look at, and somebody waits */

void schedule_init(struct schedule *s, int64_t interval_ms, int64_t now_mono_ms);
/* schedule_done - a round ended well; wish_ms: the source's wish for its next interval, 0 = default.
 * next = previous due (or now, if the round came early) + interval, but never in the past: no drift, no burst after
 * a suspend. */
void schedule_done(struct schedule *s, int64_t wish_ms, int64_t now_mono_ms, int64_t now_utc_ms);
/* schedule_failed - a round failed with rc; luck 0..999 is the jitter (up to a quarter of the wait). What is wrong on
 * this machine (MT_EPERM, MT_ENOENT, MT_EINVAL, MT_ECORRUPT) is looked at again within BACKOFF_LOCAL_MAX_MS. */
void schedule_failed(struct schedule *s, int rc, unsigned luck, int64_t now_mono_ms);
/* schedule_health - fresh within 2 intervals (and 5 s at least), late within 5, stale beyond; failing, stopped. */
enum health schedule_health(const struct schedule *s, int64_t now_utc_ms);

#endif
