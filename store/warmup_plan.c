/* SPDX-License-Identifier: MIT */
/* warmup_plan - the published schedules (assets/warmup_plans.def) and the caps of a plan's stages; see warmup.h. */
#include "store/warmup.h"

#define HOURS 24
#define LIMIT_MAX (INT64_C(1) << 53)

#define PLAN(id, word, per, clock, after, source, ...)                                             \
	static const int64_t caps_##id[] = {__VA_ARGS__};
#define TRACK(plan, box, ...) static const int64_t track_##plan##_##box[] = {__VA_ARGS__};
#include "assets/warmup_plans.def"
#undef PLAN
#undef TRACK

enum { PER_DAY, PER_HOUR, CLOCK_SENDING, CLOCK_CALENDAR, AFTER_END, AFTER_DOUBLE };

enum plan_id {
#define PLAN(id, ...) PLAN_##id,
#define TRACK(...)
#include "assets/warmup_plans.def"
#undef PLAN
#undef TRACK
	PLAN__COUNT
};

static const struct {
	const char *word, *source;
	bool hourly, calendar, doubles;
	struct warmup_caps caps;
} plans[] = {
#define PLAN(id, word, per, clock, after, source, ...)                                             \
	{word, source, PER_##per == PER_HOUR, CLOCK_##clock == CLOCK_CALENDAR,                     \
		AFTER_##after == AFTER_DOUBLE,                                                     \
		{caps_##id, sizeof(caps_##id) / sizeof(caps_##id[0])}},
#define TRACK(...)
#include "assets/warmup_plans.def"
#undef PLAN
#undef TRACK
};

static const struct {
	enum plan_id plan;
	enum mailbox box;
	struct warmup_caps caps;
} tracks[] = {
#define PLAN(...)
#define TRACK(plan, box, ...)                                                                      \
	{PLAN_##plan, MAILBOX_##box,                                                               \
		{track_##plan##_##box,                                                             \
			sizeof(track_##plan##_##box) / sizeof(track_##plan##_##box[0])}},
#include "assets/warmup_plans.def"
#undef PLAN
#undef TRACK
};

const char *warmup_builtin_word(size_t i)
{
	return i < PLAN__COUNT ? plans[i].word : NULL;
}

bool warmup_builtin(struct str word, struct warmup_plan *out)
{
	for (size_t i = 0; i < PLAN__COUNT; i++) {
		if (!str_eq(word, str_of(plans[i].word)))
			continue;
		out->schedule = plans[i].word;
		out->source = plans[i].source;
		out->hourly = plans[i].hourly;
		out->calendar = plans[i].calendar;
		out->doubles = plans[i].doubles;
		out->caps = plans[i].caps;
		for (size_t k = 0; k < sizeof(tracks) / sizeof(tracks[0]); k++)
			if (tracks[k].plan == i)
				out->track[tracks[k].box] = tracks[k].caps;
		return true;
	}
	return false;
}

int64_t warmup_limit(const struct warmup_plan *p, size_t stage)
{
	int64_t cap = p->caps.cap[stage < p->caps.n ? stage : p->caps.n - 1];

	for (size_t i = p->caps.n; p->doubles && i <= stage && cap < LIMIT_MAX; i++)
		cap *= 2;
	return cap;
}

int64_t warmup_cap(const struct warmup_plan *p, size_t stage)
{
	return warmup_limit(p, stage) * (p->hourly ? HOURS : 1);
}

int64_t warmup_track(const struct warmup_plan *p, enum mailbox box, size_t stage)
{
	const struct warmup_caps *c = &p->track[box];

	return c->n == 0 ? -1 : c->cap[stage < c->n ? stage : c->n - 1];
}

size_t warmup_stages(const struct warmup_plan *p)
{
	size_t most = p->doubles && p->target ? WARMUP_CAPS_MAX : p->caps.n;

	if (p->target <= 0)
		return p->caps.n;
	for (size_t i = 0; i < most; i++)
		if (warmup_cap(p, i) >= p->target)
			return i + 1;
	return most;
}
