/* SPDX-License-Identifier: MIT */
/* schedule - due times, backoff, health; see schedule.h. */
#include "backends/schedule.h"

#define FRESH_MIN_MS 5000 /* a source polled each second is not late for one slow round */
#define LUCK_PER_MILLE 1000

void schedule_init(struct schedule *s, int64_t interval_ms, int64_t now_mono_ms)
{
	*s = (struct schedule){.interval_ms = interval_ms, .due_mono_ms = now_mono_ms};
}

void schedule_done(struct schedule *s, int64_t wish_ms, int64_t now_mono_ms, int64_t now_utc_ms)
{
	int64_t interval = wish_ms > 0 ? wish_ms : s->interval_ms;

	s->failures = 0;
	s->stopped = false;
	s->ok_utc_ms = now_utc_ms;
	/* A round that came early (woken by its fds) must not push the next one out by one interval each. */
	if (s->due_mono_ms > now_mono_ms)
		s->due_mono_ms = now_mono_ms;
	s->due_mono_ms += interval;
	if (s->due_mono_ms <= now_mono_ms)
		s->due_mono_ms = now_mono_ms + interval;
}

/* is_local - a person mends it here (chmod, mv), and wants to see that it helped. */
static bool is_local(int rc)
{
	return rc == MT_EPERM || rc == MT_ENOENT || rc == MT_EINVAL || rc == MT_ECORRUPT;
}

void schedule_failed(struct schedule *s, int rc, unsigned luck, int64_t now_mono_ms)
{
	int64_t wait = s->interval_ms;
	int64_t cap = is_local(rc) ? BACKOFF_LOCAL_MAX_MS : BACKOFF_MAX_MS;

	if (rc == MT_ECONFIG || rc == MT_EAUTH) {
		s->stopped = true;
		s->due_mono_ms = INT64_MAX;
		return;
	}
	for (unsigned i = 0; i < s->failures && wait < cap; i++)
		wait *= 2;
	if (wait > cap && cap > s->interval_ms)
		wait = cap;
	wait += wait / 4 * (int64_t)(luck % LUCK_PER_MILLE) / LUCK_PER_MILLE;
	s->failures++;
	s->due_mono_ms = now_mono_ms + wait;
}

enum health schedule_health(const struct schedule *s, int64_t now_utc_ms)
{
	int64_t unit = s->interval_ms > FRESH_MIN_MS ? s->interval_ms : FRESH_MIN_MS;
	int64_t age = now_utc_ms - s->ok_utc_ms;

	if (s->stopped)
		return HEALTH_STOPPED;
	if (s->failures)
		return HEALTH_FAILING;
	if (s->ok_utc_ms == 0)
		return HEALTH_UNKNOWN;
	return age <= 2 * unit ? HEALTH_FRESH : age <= 5 * unit ? HEALTH_LATE : HEALTH_STALE;
}
