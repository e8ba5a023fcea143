/* SPDX-License-Identifier: MIT */
/*
 * api_plan - when an endpoint may be asked: intervals, budgets, waits after failures and rate limits.
 *
 * A budget is a bucket of tokens: half of per_minute at once, the other half over a minute, so no minute ever sees more.
 */
#include "backends/api_private.h"

#include "backends/schedule.h"

#include <stdio.h>

#define MINUTE_MS 60000
#define BEGIN_AGAIN_MS 1000
#define LUCK 1000

static int64_t mono(const struct api *a)
{
	return clock_mono_ms(a->env->clock);
}

static double per_minute(const struct api *a, size_t e)
{
	return a->requests_per_minute > 0 ? (double)a->requests_per_minute
					  : (double)a->vendor->endpoints[e].per_minute;
}

void plan_init(struct api *a, int64_t requests_per_minute)
{
	a->requests_per_minute = requests_per_minute;
	for (size_t e = 0; e < a->vendor->n; e++) {
		struct api_line *l = &a->line[e];

		*l = (struct api_line){.interval_ms = a->vendor->endpoints[e].interval_ms,
			.due_ms = mono(a),
			.refilled_ms = mono(a),
			.minute_ms = mono(a),
			.dirty = true};
		l->tokens = per_minute(a, e) / 2 < 1 ? 1 : per_minute(a, e) / 2;
		http_limit_init(&l->limit);
	}
}

bool plan_due(const struct api *a, size_t e)
{
	const struct api_line *l = &a->line[e];
	int64_t now = mono(a);

	return !l->never && !l->running && now >= l->due_ms && now >= l->blocked_ms;
}

static void refill(struct api *a, size_t e)
{
	struct api_line *l = &a->line[e];
	double rate = per_minute(a, e) / 2, most = rate < 1 ? 1 : rate;
	int64_t now = mono(a);

	l->tokens += rate * (double)(now - l->refilled_ms) / MINUTE_MS;
	l->tokens = l->tokens > most ? most : l->tokens;
	l->refilled_ms = now;
	if (now - l->minute_ms >= MINUTE_MS) {
		l->minute_ms = now;
		l->used = 0;
	}
}

bool plan_may_ask(struct api *a, size_t e)
{
	refill(a, e);
	return mono(a) >= a->line[e].blocked_ms && a->line[e].tokens >= 1;
}

void plan_asked(struct api *a, size_t e)
{
	struct api_line *l = &a->line[e];

	l->tokens -= 1;
	l->used++;
	l->requests++;
	l->last_utc_ms = api_now_ms(a);
	l->dirty = true;
}

void plan_well(struct api *a, size_t e)
{
	struct api_line *l = &a->line[e];

	l->failures = 0;
	l->last_rc = 0;
	l->off = false;
	l->detail[0] = '\0';
	l->dirty = true;
	/* All used up: the next one would be refused. */
	if (l->limit.remaining == 0 && l->limit.wait_ms > 0)
		l->blocked_ms = mono(a) + l->limit.wait_ms;
}

void plan_ended(struct api *a, size_t e, bool complete)
{
	struct api_line *l = &a->line[e];

	l->running = false;
	l->dirty = true;
	if (complete) {
		l->ok_utc_ms = api_now_ms(a);
		l->settled = true;
	}
	l->due_ms += l->interval_ms;
	if (l->due_ms <= mono(a)) /* no burst after a suspend */
		l->due_ms = mono(a) + l->interval_ms;
}

static int64_t doubled(int64_t first_ms, unsigned times, int64_t cap_ms, int64_t luck)
{
	int64_t ms = first_ms;

	for (unsigned i = 0; i < times && ms < cap_ms; i++)
		ms *= 2;
	ms = ms > cap_ms ? cap_ms : ms;
	return ms + ms / 4 * (luck % LUCK) / LUCK;
}

static int64_t rate_wait(const struct api_line *l, const struct http_limit *limit, int64_t now)
{
	if (limit && limit->wait_ms > 0)
		return limit->wait_ms + now % LUCK; /* others wait for the same instant */
	return doubled(API_RATE_WAIT_MS, l->failures, HTTP_WAIT_MAX_MS, now);
}

void plan_failed(
	struct api *a, size_t e, const struct mt_error *error, const struct http_limit *limit)
{
	struct api_line *l = &a->line[e];
	int64_t now = mono(a), wait_ms = 0;

	if (error->code == MT_ERATE) {
		wait_ms = rate_wait(l, limit, now);
	} else if (error->code == MT_EPERM || error->code == MT_EAUTH) {
		l->off = true;
		wait_ms = API_OFF_RETRY_MS;
	} else {
		wait_ms = doubled(API_RETRY_FIRST_MS, l->failures, BACKOFF_MAX_MS, now);
	}
	l->failures++;
	l->last_rc = (int)error->code;
	l->blocked_ms = now + wait_ms;
	l->settled = true;
	l->dirty = true;
	snprintf(l->detail, sizeof(l->detail), "%s", error->text);
	if (!l->off && !a->vendor->endpoints[e].minor)
		a->error = *error;
}

void api_soon(struct api *a, size_t e)
{
	a->line[e].due_ms = mono(a);
}

void api_switch_off(struct api *a, size_t e, const char *why)
{
	struct api_line *l = &a->line[e];

	l->never = l->settled = true;
	l->dirty = true;
	snprintf(l->detail, sizeof(l->detail), "%s", why);
}

void api_switch_on(struct api *a, size_t e)
{
	struct api_line *l = &a->line[e];

	if (!l->never)
		return;
	l->never = l->settled = false;
	l->dirty = true;
	l->detail[0] = '\0';
	l->due_ms = mono(a);
}

bool api_is_off(const struct api *a, size_t e)
{
	return a->line[e].never || a->line[e].off;
}

/* ready_ms - mono time at which line e needs attention; INT64_MAX never. */
static int64_t ready_ms(const struct api *a, size_t e)
{
	const struct api_line *l = &a->line[e];
	int64_t at = l->running ? 0 : l->due_ms;
	double lacks = 1 - l->tokens, rate = per_minute(a, e) / 2;

	if (l->never || l->flying)
		return INT64_MAX;
	if (l->running && lacks > 0)
		at = l->refilled_ms + (int64_t)(lacks * MINUTE_MS / (rate < 1 ? 1 : rate)) + 1;
	return at > l->blocked_ms ? at : l->blocked_ms;
}

int64_t plan_next_ms(const struct api *a)
{
	int64_t at = INT64_MAX, now = mono(a);

	for (size_t e = 0; e < a->vendor->n; e++) {
		int64_t ready = ready_ms(a, e);

		at = ready < at ? ready : at;
	}
	if (at == INT64_MAX)
		return API_INTERVAL_MS;
	return at <= now ? 1 : at - now;
}

static enum health health_of(const struct api *a, size_t e)
{
	const struct api_line *l = &a->line[e];
	int64_t age = api_now_ms(a) - l->ok_utc_ms;

	if (l->never || l->off)
		return HEALTH_STOPPED;
	if (l->failures && l->last_rc != MT_ERATE)
		return HEALTH_FAILING;
	if (l->ok_utc_ms == 0)
		return l->failures ? HEALTH_LATE : HEALTH_UNKNOWN;
	if (l->last_rc == MT_ERATE && l->failures && age <= 5 * l->interval_ms)
		return HEALTH_LATE;
	return age <= 2 * l->interval_ms + BEGIN_AGAIN_MS ? HEALTH_FRESH
	       : age <= 5 * l->interval_ms                ? HEALTH_LATE
							  : HEALTH_STALE;
}

static int store_line(struct api *a, size_t e, struct mt_error *reterr)
{
	struct api_line *l = &a->line[e];
	const struct api_endpoint *def = &a->vendor->endpoints[e];
	int64_t ready = ready_ms(a, e);
	struct api_budget row = {.endpoint = str_of(def->name),
		.source = STR_LIT("api"),
		.used = l->used,
		.limit = l->limit.limit,
		.remaining = l->limit.remaining,
		.window_s = EVENT_UNKNOWN,
		.reset_ms = l->limit.reset_ms,
		.last_ms = l->last_utc_ms ? l->last_utc_ms : EVENT_UNKNOWN,
		.next_ms = EVENT_UNKNOWN,
		.requests = l->requests,
		.health = health_of(a, e),
		.detail = str_of(l->detail)};

	if (l->limit.limit == HTTP_UNKNOWN) { /* what is kept to is ours then */
		row.limit = (int64_t)per_minute(a, e);
		row.remaining = row.limit > l->used ? row.limit - l->used : 0;
		row.window_s = MINUTE_MS / 1000;
	}
	if (!l->never && ready != INT64_MAX)
		row.next_ms = api_now_ms(a) + (ready > mono(a) ? ready - mono(a) : 0);
	if (l->off && def->needs)
		row.missing = str_of(def->needs);
	l->dirty = false;
	return store_api_budget(api_store(a), api_provider(a), &row, reterr);
}

/* is_unused - a fallback that was never needed is no line of the providers view. */
static bool is_unused(const struct api_line *l)
{
	return l->never && l->requests == 0 && l->detail[0] == '\0';
}

int plan_store(struct api *a, struct mt_error *reterr)
{
	int rc = 0;

	for (size_t e = 0; rc == 0 && e < a->vendor->n; e++)
		if (a->line[e].dirty && !is_unused(&a->line[e]))
			rc = store_line(a, e, reterr);
	return rc;
}

bool plan_in_vain(const struct api *a, struct mt_error *reterr)
{
	const struct api_line *failed = NULL;
	bool waiting = false;

	for (size_t e = 0; e < a->vendor->n; e++) {
		const struct api_line *l = &a->line[e];

		if (l->running)
			return false;
		waiting |= l->waits && !l->settled;
		failed = l->failures && !failed ? l : failed;
	}
	if (!waiting || !failed)
		return false;
	(void)mt_error_set(reterr, (enum mt_err)failed->last_rc, "%s", failed->detail);
	return true;
}

bool plan_settled(const struct api *a)
{
	bool in_vain = plan_in_vain(a, NULL);

	for (size_t e = 0; e < a->vendor->n; e++) {
		const struct api_line *l = &a->line[e];

		if (l->settled || (in_vain && l->waits))
			continue;
		if (!a->vendor->endpoints[e].minor || l->running || plan_due(a, e))
			return false;
	}
	return true;
}

void plan_health(const struct api *a, struct source_health *out)
{
	enum health worst = HEALTH_UNKNOWN;
	const struct api_line *why = NULL;
	int64_t ok_ms = INT64_MAX;
	bool lacks = false;

	for (size_t e = 0; e < a->vendor->n; e++) {
		const struct api_line *l = &a->line[e];
		enum health h = health_of(a, e);

		lacks |= l->off;
		if (h == HEALTH_STOPPED || a->vendor->endpoints[e].minor)
			continue;
		out->interval_ms = l->interval_ms;
		ok_ms = l->ok_utc_ms < ok_ms ? l->ok_utc_ms : ok_ms;
		if (h > worst || !why) {
			worst = h;
			why = l;
		}
	}
	out->health = worst;
	out->last_ok_ms = ok_ms == INT64_MAX ? 0 : ok_ms;
	out->detail = why && why->detail[0] ? why->detail
		      : lacks               ? "some figures are not for this key: see its endpoints"
					    : "";
}
