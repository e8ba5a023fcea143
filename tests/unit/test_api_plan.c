/* SPDX-License-Identifier: MIT */
/* test_api_plan - when an endpoint may be asked, by a clock that the test moves: an hour of refusals, budgets, waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backends/api_private.h"

#include <string.h>

#define T0_MS INT64_C(1795435200000)
#define SECOND 1000
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

enum { FIRST, SECOND_ONE, MINOR, N };
static const struct api_endpoint endpoints[N] = {{"first", MINUTE, 60, NULL, false},
	{"second", MINUTE, 60, NULL, false}, {"minor", 15 * MINUTE, 6, NULL, true}};
static const struct api_vendor vendor = {.endpoints = endpoints, .n = N};

struct fix {
	struct api api;
	struct backend_env env;
	struct clock clock;
};

static void begin(struct fix *f)
{
	memset(f, 0, sizeof(*f));
	f->clock = clock_fake(T0_MS);
	f->env.clock = &f->clock;
	f->api.vendor = &vendor;
	f->api.env = &f->env;
	plan_init(&f->api, 0);
}

/* ask - is a request of e sent now? As api.c does it. */
static bool ask(struct fix *f, size_t e)
{
	struct api_line *l = &f->api.line[e];

	l->running |= plan_due(&f->api, e);
	if (!l->running || !plan_may_ask(&f->api, e))
		return false;
	plan_asked(&f->api, e);
	return true;
}

static void refuse(struct fix *f, size_t e, enum mt_err code, int64_t wait_ms)
{
	struct mt_error error = {0};
	struct http_limit limit;

	http_limit_init(&limit);
	limit.wait_ms = wait_ms;
	(void)mt_error_set(&error, code, "refused");
	plan_failed(&f->api, e, &error, &limit);
}

/* An hour in which every request is refused with 429: how many are sent, and when the next one may be after it. */
static int hour_of_429(int64_t wait_ms, int64_t *ret_next_ms)
{
	struct fix f;
	int sent = 0;

	begin(&f);
	for (int second = 0; second < 3600; second++) {
		if (ask(&f, FIRST)) {
			sent++;
			refuse(&f, FIRST, MT_ERATE, wait_ms);
			assert_false(ask(&f, FIRST));
			assert_true(f.api.line[FIRST].running); /* its round goes on where it was */
		}
		clock_advance(&f.clock, SECOND);
	}
	*ret_next_ms = f.api.line[FIRST].blocked_ms - clock_mono_ms(&f.clock);
	clock_advance(&f.clock, *ret_next_ms > 0 ? *ret_next_ms : 0);
	assert_true(ask(&f, FIRST)); /* the hour is over: it is asked again, and all is well */
	plan_well(&f.api, FIRST);
	plan_ended(&f.api, FIRST, true);
	assert_int_equal(f.api.line[FIRST].failures, 0);
	return sent;
}

static void an_hour_of_429(void **state)
{
	int64_t next_ms;

	(void)state;
	/* as long as it says, never longer than 15 minutes, never before: to a second that others don't wait for */
	assert_in_range(hour_of_429(MINUTE, &next_ms), 55, 60);
	assert_in_range(next_ms + MINUTE, 0, 2 * MINUTE + SECOND);
	assert_in_range(hour_of_429(HTTP_WAIT_MAX_MS, &next_ms), 4, 4);
	assert_in_range(hour_of_429(5 * SECOND, &next_ms), 550, 720);
	/* it does not say: 1, 2, 4, 8 and from then on 15 minutes, some more by chance */
	assert_in_range(hour_of_429(HTTP_UNKNOWN, &next_ms), 6, 7);
	assert_in_range(next_ms + HTTP_WAIT_MAX_MS, 0, 3 * HTTP_WAIT_MAX_MS);
	assert_in_range(hour_of_429(0, &next_ms), 6, 7); /* a reset in the past says nothing */
}

/* No minute, wherever it begins, sees more requests than the budget, however much there is to ask. */
static void no_minute_sees_more(void **state)
{
	static int64_t sent[4096];
	struct fix f;
	size_t n = 0;

	(void)state;
	begin(&f);
	for (int64_t ms = 0; ms < 10 * MINUTE; ms += 50) {
		if (ask(&f, FIRST))
			sent[n++] = ms;
		clock_advance(&f.clock, 50);
	}
	for (size_t i = 0, from = 0; i < n; i++) {
		while (sent[i] - sent[from] >= MINUTE)
			from++;
		assert_in_range(i - from + 1, 1, 60);
	}
	assert_in_range(n, 300, 60 * 10); /* and it is used */
}

static void what_is_used_up_is_waited_for(void **state)
{
	struct fix f;

	(void)state;
	begin(&f);
	assert_true(ask(&f, FIRST));
	f.api.line[FIRST].limit.remaining = 0;
	f.api.line[FIRST].limit.wait_ms = 40 * SECOND;
	plan_well(&f.api, FIRST);
	clock_advance(&f.clock, 39 * SECOND);
	assert_false(ask(&f, FIRST));
	clock_advance(&f.clock, SECOND);
	assert_true(ask(&f, FIRST));
}

/* Failures of the network: 5 s, doubled up to the cap; a refusal for good: once an hour. */
static void waits_grow(void **state)
{
	struct fix f;
	int sent = 0, asked = 0;

	(void)state;
	begin(&f);
	for (int second = 0; second < 3600; second++) {
		if (ask(&f, FIRST)) {
			sent++;
			refuse(&f, FIRST, MT_ENET, HTTP_UNKNOWN);
		}
		if (ask(&f, MINOR)) {
			asked++;
			refuse(&f, MINOR, MT_EPERM, HTTP_UNKNOWN);
			plan_ended(&f.api, MINOR, false);
		}
		clock_advance(&f.clock, SECOND);
	}
	assert_in_range(sent, 8, 40);
	assert_int_equal(asked, 1);
	assert_true(api_is_off(&f.api, MINOR) && !api_is_off(&f.api, FIRST));
	assert_int_equal(f.api.error.code,
		MT_ENET); /* a right that is missing is no failure of the source */
}

/* A single pass ends when what all wait for can't be had, with the words of that. */
static void a_pass_in_vain_ends(void **state)
{
	struct mt_error error = {0};
	struct fix f;

	(void)state;
	begin(&f);
	f.api.line[SECOND_ONE].waits = f.api.line[MINOR].waits = true;
	assert_false(plan_settled(&f.api) || plan_in_vain(&f.api, &error));
	assert_true(ask(&f, FIRST));
	assert_false(plan_settled(&f.api));
	plan_ended(&f.api, FIRST, false);
	refuse(&f, FIRST, MT_EPERM, HTTP_UNKNOWN);
	assert_true(plan_settled(&f.api) && plan_in_vain(&f.api, &error));
	assert_int_equal(error.code, MT_EPERM);
	assert_string_equal(error.text, "refused");
	f.api.line[SECOND_ONE].waits = false; /* it is asked after all */
	f.api.line[SECOND_ONE].running = true;
	assert_false(plan_settled(&f.api) || plan_in_vain(&f.api, &error));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_hour_of_429),
		cmocka_unit_test(no_minute_sees_more),
		cmocka_unit_test(what_is_used_up_is_waited_for),
		cmocka_unit_test(waits_grow),
		cmocka_unit_test(a_pass_in_vain_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
