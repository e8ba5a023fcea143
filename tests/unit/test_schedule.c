/* SPDX-License-Identifier: MIT */
/* test_schedule - due times, backoff and health, with time and luck made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backends/schedule.h"

#define INTERVAL_MS 1000

static void keeps_its_beat(void **state)
{
	struct schedule s;

	(void)state;
	schedule_init(&s, INTERVAL_MS, 5000);
	assert_int_equal(s.due_mono_ms, 5000);
	schedule_done(&s, 0, 5030, 1);
	assert_int_equal(s.due_mono_ms, 6000); /* not 6030: no drift */
	schedule_done(&s, 0, 6000, 1);
	assert_int_equal(s.due_mono_ms, 7000);
	schedule_done(&s, 3000, 7001, 1);
	assert_int_equal(s.due_mono_ms, 10000); /* the source's wish */
}

static void no_burst_after_a_suspend(void **state)
{
	struct schedule s;

	(void)state;
	schedule_init(&s, INTERVAL_MS, 0);
	schedule_done(&s, 0, 8 * 3600 * 1000, 1);
	assert_int_equal(s.due_mono_ms, 8 * 3600 * 1000 + INTERVAL_MS);
}

static void early_rounds_do_not_add_up(void **state)
{
	struct schedule s;

	(void)state;
	schedule_init(&s, INTERVAL_MS, 0);
	for (int64_t now = 0; now < 20000; now += 200) /* woken five times a second */
		schedule_done(&s, 2000, now, 1);
	assert_int_equal(s.due_mono_ms, 19800 + 2000);
}

static void backs_off_and_comes_back(void **state)
{
	static const struct {
		int rc;
		int64_t longest_ms;
	} cases[] = {{MT_ENET, BACKOFF_MAX_MS}, {MT_EIO, BACKOFF_MAX_MS},
		{MT_EPERM, BACKOFF_LOCAL_MAX_MS}, {MT_ENOENT, BACKOFF_LOCAL_MAX_MS}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct schedule s;
		int64_t want = INTERVAL_MS;

		schedule_init(&s, INTERVAL_MS, 0);
		for (unsigned n = 1; n <= 40; n++) {
			schedule_failed(&s, cases[i].rc, 0, 100);
			assert_int_equal(s.due_mono_ms, 100 + want);
			assert_int_equal(s.failures, n);
			want = want * 2 < cases[i].longest_ms ? want * 2 : cases[i].longest_ms;
		}
		assert_int_equal(schedule_health(&s, 0), HEALTH_FAILING);
		schedule_done(&s, 0, 1000000, 77);
		assert_int_equal(s.failures, 0);
		assert_int_equal(s.due_mono_ms, 1000000 + INTERVAL_MS);
	}
}

static void jitter_is_at_most_a_quarter(void **state)
{
	struct schedule s;

	(void)state;
	for (unsigned luck = 0; luck < 2000; luck++) {
		schedule_init(&s, 4000, 0);
		schedule_failed(&s, MT_ENET, luck, 0);
		assert_in_range(s.due_mono_ms, 4000, 5000);
	}
	schedule_init(&s, 4000, 0);
	schedule_failed(&s, MT_ENET, 500, 0);
	assert_int_equal(s.due_mono_ms, 4500);
}

static void long_intervals_are_not_cut(void **state)
{
	struct schedule s;

	(void)state;
	schedule_init(&s, 60000, 0);
	schedule_failed(&s, MT_EPERM, 0, 0);
	assert_int_equal(s.due_mono_ms, 60000);
	schedule_failed(&s, MT_EPERM, 0, 0);
	assert_int_equal(s.due_mono_ms, 60000);
}

static void a_bad_key_stops(void **state)
{
	struct schedule s;

	(void)state;
	schedule_init(&s, INTERVAL_MS, 0);
	schedule_failed(&s, MT_EAUTH, 0, 0);
	assert_int_equal(s.due_mono_ms, INT64_MAX);
	assert_int_equal(schedule_health(&s, 0), HEALTH_STOPPED);
	schedule_done(&s, 0, 10, 10);
	assert_int_equal(schedule_health(&s, 10), HEALTH_FRESH);
}

static void ages(void **state)
{
	struct schedule s;

	(void)state;
	schedule_init(&s, INTERVAL_MS, 0);
	assert_int_equal(schedule_health(&s, 1000000), HEALTH_UNKNOWN);
	schedule_done(&s, 0, 0, 1000000);
	assert_int_equal(schedule_health(&s, 1010000), HEALTH_FRESH);
	assert_int_equal(schedule_health(&s, 1010001), HEALTH_LATE);
	assert_int_equal(schedule_health(&s, 1025000), HEALTH_LATE);
	assert_int_equal(schedule_health(&s, 1025001), HEALTH_STALE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_its_beat),
		cmocka_unit_test(no_burst_after_a_suspend),
		cmocka_unit_test(early_rounds_do_not_add_up),
		cmocka_unit_test(backs_off_and_comes_back),
		cmocka_unit_test(jitter_is_at_most_a_quarter),
		cmocka_unit_test(long_intervals_are_not_cut),
		cmocka_unit_test(a_bad_key_stops),
		cmocka_unit_test(ages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
