/* SPDX-License-Identifier: MIT */
/* warmup_plan - the published schedules (assets/warmup_plans.def) and the caps of a plan's stages; see warmup.h. */
#include "store/warmup.h"

#define HOURS 24
#define PCT 100
#define LIMIT_MAX (INT64_C(1) << 53)

/* The file is read once for each kind of its lines. */
#define GROWTH(name, days, ...)                                                                    \
	static const int64_t steps_##name[] = {__VA_ARGS__};                                       \
	static const struct warmup_growth growth_##name = {                                        \
		days, steps_##name, sizeof(steps_##name) / sizeof(steps_##name[0])};
#define PLAN(id, word, per, clock, after, source, ...)                                             \
	static const int64_t caps_##id[] = {__VA_ARGS__};
#define TRACK(plan, box, ...) static const int64_t track_##plan##_##box[] = {__VA_ARGS__};
#define RULES(...)
#include "assets/warmup_plans.def"
#undef GROWTH
#undef PLAN
#undef TRACK
#undef RULES

enum { PER_DAY, PER_HOUR, CLOCK_SENDING, CLOCK_CALENDAR };

enum plan_id {
#define GROWTH(...)
#define PLAN(id, ...) PLAN_##id,
#define TRACK(...)
#define RULES(...)
#include "assets/warmup_plans.def"
#undef PLAN
	PLAN__COUNT
};

#define AFTER_END NULL
#define AFTER_DOUBLE &growth_DOUBLE
#define AFTER_IPOST &growth_IPOST

static const struct {
	const char *word, *source;
	bool hourly, calendar;
	const struct warmup_growth *growth;
	struct warmup_caps caps;
} plans[] = {
#define PLAN(id, word, per, clock, after, source, ...)                                             \
	{word, source, PER_##per == PER_HOUR, CLOCK_##clock == CLOCK_CALENDAR, AFTER_##after,      \
		{caps_##id, sizeof(caps_##id) / sizeof(caps_##id[0])}},
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
#undef TRACK
#undef RULES
};

static const struct {
	enum plan_id plan;
	enum mailbox box;
	int64_t target;
	int cold_days;
} rules[] = {
#define TRACK(...)
#define RULES(plan, box, target, idle) {PLAN_##plan, MAILBOX_##box, target, idle},
#include "assets/warmup_plans.def"
#undef GROWTH
#undef PLAN
#undef TRACK
#undef RULES
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
		out->growth = plans[i].growth;
		out->caps = plans[i].caps;
		for (size_t k = 0; k < sizeof(tracks) / sizeof(tracks[0]); k++)
			if (tracks[k].plan == i)
				out->track[tracks[k].box] = tracks[k].caps;
		for (size_t k = 0; k < sizeof(rules) / sizeof(rules[0]); k++)
			if (rules[k].plan == i) {
				out->target = rules[k].target;
				out->cold_days = rules[k].cold_days;
				out->has_only = rules[k].box != MAILBOX_OTHER;
				out->only = rules[k].box;
			}
		return true;
	}
	return false;
}

static int64_t grown(const struct warmup_growth *g, int64_t cap)
{
	size_t i = 0;

	while (i + 2 < g->n && cap >= g->step[i])
		i += 2;
	return cap + cap / PCT * g->step[i + 1] + cap % PCT * g->step[i + 1] / PCT;
}

/* How many stages a level takes. */
static size_t level_days(const struct warmup_plan *p)
{
	return p->growth ? (size_t)p->growth->days : 1;
}

int64_t warmup_limit(const struct warmup_plan *p, size_t stage)
{
	size_t level = stage / level_days(p);
	int64_t cap = p->caps.cap[level < p->caps.n ? level : p->caps.n - 1];

	for (size_t i = p->caps.n; p->growth && i <= level && cap < LIMIT_MAX; i++)
		cap = grown(p->growth, cap);
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
	size_t own = p->caps.n * level_days(p);
	size_t most = p->growth && p->target ? WARMUP_CAPS_MAX : own;

	if (p->target <= 0)
		return own;
	for (size_t i = 0; i < most; i++)
		if (warmup_cap(p, i) >= p->target)
			return i + 1;
	return most;
}
