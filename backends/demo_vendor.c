/* SPDX-License-Identifier: MIT */
/* demo_vendor - the sources of the demo's vendor accounts and their counters; lists are demo_vendor_rows.c's. */
#include "backends/demo_vendor.h"

#include "store/store_api.h"

#define MS_PER_S 1000
#define HISTORY_HOURS 168
#define HISTORY_DAYS 30
#define POLL_MS 300000 /* of the made-up polls before the start */
#define POLLED_MS                                                                                  \
	(2 * 3600000) /* how long the account was polled before it, so that there are rates */
#define ROUND_MS 5000
#define ZONE_S (8 * 3600) /* the account's midnight after UTC's */
#define PER_HOUR_MEAN 900
#define EVENTS_MS 3600000
#define PARTS_MAX 4
#define FIGURES 9

struct vendor {
	struct demo_vendor v;
	const struct clock *clock;
	int64_t polled_ms; /* 0: not yet */
	int64_t rounds;
};

uint64_t demo_hash(uint64_t a, uint64_t b)
{
	uint64_t h = (a ^ b * 0x9e3779b97f4a7c15u) * 0xff51afd7ed558ccdu;

	h ^= h >> 33;
	h *= 0xc4ceb9fe1a85ec53u;
	return h ^ h >> 29;
}

/* Deliveries within [from_s, to_s): by the hour of the day, the same whenever they are asked for. */
static int64_t volume(bool hours, int64_t from_s, int64_t to_s)
{
	static const int of_day[24] = {20, 15, 10, 10, 15, 30, 60, 90, 120, 150, 160, 150, 140, 150,
		160, 150, 140, 120, 110, 120, 110, 90, 60, 40};
	int64_t n = 0;

	for (int64_t at = from_s - from_s % RES_HOUR; at < to_s; at += RES_HOUR) {
		int64_t whole = PER_HOUR_MEAN * of_day[at / RES_HOUR % 24] / 100 +
				(int64_t)(demo_hash((uint64_t)at, hours) % 97);
		int64_t first = from_s > at ? from_s - at : 0,
			end = to_s < at + RES_HOUR ? to_s - at : RES_HOUR;

		n += whole * end / RES_HOUR - whole * first / RES_HOUR;
	}
	return n;
}

static size_t figures_of(bool hours, int64_t delivered, struct api_figure out[FIGURES])
{
	const struct api_figure all[FIGURES] = {{METRIC_SENT, delivered},
		{METRIC_DEFERRED, delivered / 12}, {METRIC_BOUNCED, delivered / 48},
		{METRIC_SUPPRESSED, delivered / 90}, {METRIC_COMPLAINTS, delivered / 1900},
		{METRIC_UNSUBSCRIBES, delivered / 350}, {METRIC_OPENS, delivered / 4},
		{METRIC_CLICKS, delivered / 17},
		{hours ? METRIC_FIRST_TRY : METRIC_BLOCKED,
			hours ? delivered * 19 / 20 : delivered / 130}};

	memcpy(out, all, sizeof(all));
	return FIGURES;
}

static uint64_t metrics_of(bool hours)
{
	struct api_figure figures[FIGURES];
	uint64_t set = 0;

	for (size_t i = 0, n = figures_of(hours, 0, figures); i < n; i++)
		set |= UINT64_C(1) << figures[i].metric;
	return set;
}

struct part { /* of a dimension: names and their share in percent */
	enum bucket_dim dim;
	const char *name[PARTS_MAX];
	int share[PARTS_MAX];
};

static const struct part hour_parts[] = {
	{DIM_TOTAL, {""}, {100}},
	{DIM_SENDER, {"shop.example", "news.example"}, {70, 30}},
	{DIM_MAILBOX, {"Gmail", "Outlook", "Yahoo", "Other"}, {46, 27, 15, 12}},
	{DIM_IP, {"192.0.2.65", "192.0.2.66"}, {80, 20}},
};
static const struct part day_parts[] = {
	{DIM_TOTAL, {""}, {100}},
	{DIM_MAILBOX, {"Gmail", "Outlook", "Yahoo", "Other"}, {52, 20, 17, 11}},
	{DIM_TAG, {"receipt", "newsletter"}, {60, 40}},
};

static int count_part(const struct demo_vendor *v, const struct part *p, int at, int64_t start_s,
	int64_t length_s, int64_t delivered, struct mt_error *reterr)
{
	struct api_slot slot = {.dim = p->dim, .start_s = start_s, .length_s = length_s};
	struct api_figure figures[FIGURES];
	size_t n = figures_of(v->hours, delivered * p->share[at] / 100, figures);

	if (p->dim != DIM_TOTAL)
		slot.key = str_of(p->name[at]);
	return store_api_counts(v->store, v->provider, &slot, figures, n, reterr);
}

int demo_vendor_counts(
	const struct demo_vendor *v, int64_t from_s, int64_t now_ms, struct mt_error *reterr)
{
	const struct part *parts = v->hours ? hour_parts : day_parts;
	size_t nparts = v->hours ? sizeof(hour_parts) / sizeof(hour_parts[0])
				 : sizeof(day_parts) / sizeof(day_parts[0]);
	int64_t length_s = v->hours ? RES_HOUR : RES_DAY, shift_s = v->hours ? 0 : ZONE_S;
	int64_t now_s = now_ms / MS_PER_S, first_s = from_s - (from_s - shift_s) % length_s;
	int64_t end_s = now_s - (now_s - shift_s) % length_s + length_s;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < nparts; i++) {
		struct api_cover c = {.dim = parts[i].dim,
			.from_s = first_s,
			.to_s = end_s,
			.metrics = metrics_of(v->hours),
			.fetched_ms = now_ms};

		rc = store_api_covered(v->store, v->provider, &c, reterr);
		for (int64_t at = first_s; rc == 0 && at < end_s; at += length_s) {
			int64_t to_s = at + length_s < now_s ? at + length_s : now_s;
			int64_t n = volume(v->hours, at, to_s);

			for (int k = 0; rc == 0 && k < PARTS_MAX && parts[i].name[k]; k++)
				rc = count_part(v, &parts[i], k, at, length_s, n, reterr);
		}
	}
	return rc;
}

static int begin(void *state, const struct backend_env *env, bool hours, struct mt_error *reterr)
{
	struct vendor *s = state;
	struct api_provider p = {.finest_bucket_s = hours ? RES_HOUR : RES_DAY,
		.time_zone = hours ? "" : "America/Los_Angeles",
		.demo = true};

	s->v = (struct demo_vendor){env->store, env->provider, env->source, hours};
	s->clock = env->clock;
	return store_api_provider(env->store, env->provider, &p, reterr);
}

static int begin_hours(void *state, const struct backend_env *env, struct mt_error *reterr)
{
	return begin(state, env, true, reterr);
}

static int begin_days(void *state, const struct backend_env *env, struct mt_error *reterr)
{
	return begin(state, env, false, reterr);
}

/* What was there before the start, as if it had been polled for two hours. Each poll is a commit: rates come of it. */
static int history(struct vendor *s, int64_t now_ms, struct mt_error *reterr)
{
	int64_t at_ms = now_ms - POLLED_MS,
		span_s = s->v.hours ? HISTORY_HOURS * RES_HOUR : (int64_t)HISTORY_DAYS * RES_DAY;
	int rc = demo_vendor_counts(&s->v, at_ms / MS_PER_S - span_s, at_ms, reterr);

	for (; rc == 0 && at_ms < now_ms; at_ms += POLL_MS) {
		rc = demo_vendor_counts(&s->v, at_ms / MS_PER_S - RES_HOUR, at_ms, reterr);
		if (rc == 0)
			rc = store_commit(s->v.store, reterr);
	}
	if (rc == 0)
		rc = demo_vendor_rows(&s->v, now_ms, reterr);
	return rc < 0 ? rc : demo_vendor_events(&s->v, now_ms - EVENTS_MS, now_ms, reterr);
}

static int step(void *state, struct mt_error *reterr)
{
	struct vendor *s = state;
	int64_t now_ms = clock_utc_ms(s->clock);
	int rc = s->polled_ms ? demo_vendor_events(&s->v, s->polled_ms, now_ms, reterr)
			      : history(s, now_ms, reterr);

	if (rc == 0)
		rc = demo_vendor_counts(&s->v, now_ms / MS_PER_S - RES_HOUR, now_ms, reterr);
	if (rc == 0)
		rc = demo_vendor_budgets(&s->v, now_ms, ++s->rounds, reterr);
	if (rc < 0)
		return rc;
	s->polled_ms = now_ms;
	return STEP_DONE;
}

static void health(const void *state, struct source_health *out)
{
	const struct vendor *s = state;

	out->detail = "DEMO: made-up figures, no request is sent";
	out->newest_ms = s->polled_ms;
}

static void done(void *state)
{
	(void)state;
}

static const struct source_ops hours_source = {.name = "api",
	.interval_ms = ROUND_MS,
	.state_bytes = sizeof(struct vendor),
	.init = begin_hours,
	.step = step,
	.health = health,
	.done = done};
static const struct source_ops days_source = {.name = "api",
	.interval_ms = ROUND_MS,
	.state_bytes = sizeof(struct vendor),
	.init = begin_days,
	.step = step,
	.health = health,
	.done = done};
static const struct source_ops *const hours_sources[] = {&hours_source, NULL};
static const struct source_ops *const days_sources[] = {&days_source, NULL};

static const struct backend_ops hours_vendor = {.name = "mailgun",
	.summary = "made-up account",
	.sources = hours_sources,
	.job = demo_vendor_job};
static const struct backend_ops days_vendor = {.name = "sendgrid",
	.summary = "made-up account",
	.sources = days_sources,
	.job = demo_vendor_job};

void demo_vendors_add(struct instances *list)
{
	instances_add(list, &hours_vendor, &(struct instance_def){.name = hours_vendor.name});
	instances_add(list, &days_vendor, &(struct instance_def){.name = days_vendor.name});
}
