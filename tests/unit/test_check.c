/* SPDX-License-Identifier: MIT */
/* test_check - ranges of monitoring plugins, and `mtatop check` over the known cache: figure, status, perfdata, age. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/cachefix.h"
#include "tui/check.h"
#include "tui/range.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char cache[64];

/* The table of the guidelines, and its edges. */
static void test_ranges(void **state)
{
	static const struct {
		const char *text;
		double value;
		bool alerts;
	} cases[] = {
		{"10", -0.1, true},
		{"10", 0, false},
		{"10", 10, false},
		{"10", 10.1, true},
		{"10:", 9.9, true},
		{"10:", 10, false},
		{"10:", 1e9, false},
		{"~:10", -1e9, false},
		{"~:10", 10, false},
		{"~:10", 11, true},
		{"10:20", 9, true},
		{"10:20", 10, false},
		{"10:20", 20, false},
		{"10:20", 21, true},
		{"@10:20", 9, false},
		{"@10:20", 10, true},
		{"@10:20", 20, true},
		{"@10:20", 21, false},
		{"0", 0, false},
		{"0", 0.5, true},
		{"1.5", 1.4, false},
		{"1.5", 1.6, true},
		{"-5:-1", -3, false},
		{"-5:-1", 0, true},
		{":7", 7, false},
		{":7", -1, true},
	};
	static const char *const refused[] = {"", "@", "ten", "10:5", "1:2:3", "5:x", "0x10", "nan",
		"inf", " 5", "5 ", "~", "1e999", "10:~"};
	struct range r;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(range_parse(cases[i].text, &r), 0);
		if (range_alerts(&r, cases[i].value) != cases[i].alerts)
			fail_msg("%s of %g", cases[i].text, cases[i].value);
	}
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (strcmp(refused[i], "@") != 0 && range_parse(refused[i], &r) == 0)
			fail_msg("taken: %s", refused[i]);
	r = (struct range){.set = false};
	assert_false(range_alerts(&r, 1e9));
}

static struct check_options asked(const char *what, int64_t now_ms)
{
	static struct clock clock;

	clock = clock_fake(now_ms);
	return (struct check_options){.cache_path = cache,
		.what = what,
		.min_n = -1,
		.max_age_ms = FIX_HOUR_MS / 4,
		/* one of its providers was read ten minutes ago */ .clock = &clock};
}

/* says - the line of a check and its status. */
static void says(struct check_options o, enum check_status status, const char *line)
{
	char *bytes = NULL;
	size_t n = 0;
	enum check_status got;

	o.out = open_memstream(&bytes, &n);
	assert_non_null(o.out);
	got = check_run(&o);
	fclose(o.out);
	assert_string_equal(bytes, line);
	assert_int_equal(got, status);
	free(bytes);
}

/* In the last hour 52 sent, 3 bounced, 2 expired recipients, 5 deferred attempts: see cachefix.c and test_report.c. */
static void test_rates(void **state)
{
	struct check_options o = asked("bounce-rate", FIX_NOW_MS);

	(void)state;
	says(o, CHECK_OK,
		"MTATOP OK - 5.3% bounced: 3 of 57 final outcomes in 1h 00m, fewer than 100: no "
		"alert | "
		"bounce_rate=5.26%;3;10;0;100 n=57;;;0\n");
	o.min_n = 50;
	says(o, CHECK_WARNING,
		"MTATOP WARNING - 5.3% bounced: 3 of 57 final outcomes in 1h 00m | "
		"bounce_rate=5.26%;3;10;0;100 n=57;;;0\n");
	o.critical = "5";
	says(o, CHECK_CRITICAL,
		"MTATOP CRITICAL - 5.3% bounced: 3 of 57 final outcomes in 1h 00m | "
		"bounce_rate=5.26%;;5;0;100 n=57;;;0\n");
	o.critical = "five";
	says(o, CHECK_UNKNOWN,
		"MTATOP UNKNOWN - not a range; write -w 10, 10:, ~:10, 10:20 or @10:20\n");
	o = asked("deferral-rate", FIX_NOW_MS);
	o.provider = "postfix";
	o.min_n = 1;
	says(o, CHECK_OK,
		"MTATOP OK - 8.9% deferred: 5 of 56 attempts in 1h 00m | "
		"deferral_rate=8.92%;15;40;0;100 n=56;;;0\n");
	o.provider = "nobody";
	says(o, CHECK_UNKNOWN, "MTATOP UNKNOWN - there is no provider of that name in the cache\n");
}

static void test_refusals(void **state)
{
	struct check_options o = asked(NULL, FIX_NOW_MS);

	(void)state;
	says(o, CHECK_UNKNOWN,
		"MTATOP UNKNOWN - check what? There are: bounce-rate certificate deferral-rate "
		"dnsbl "
		"health lag port "
		"queue queue-active queue-age queue-corrupt queue-deferred queue-hold "
		"queue-incoming\n");
	o.what = "weather";
	says(o, CHECK_UNKNOWN,
		"MTATOP UNKNOWN - there is no such check; there are: bounce-rate certificate "
		"deferral-rate dnsbl health lag port queue queue-active queue-age queue-corrupt "
		"queue-deferred queue-hold queue-incoming\n");
	o.what = "lag";
	o.cache_path = "/nonexistent/cache.db";
	says(o, CHECK_UNKNOWN,
		"MTATOP UNKNOWN - cache /nonexistent/cache.db: No such file or directory\n");
}

/* What probes found: one that is down is CRITICAL, old looks are no figures, one target by --host. */
static void test_ports(void **state)
{
	struct check_options o = asked("port", FIX_NOW_MS);

	(void)state;
	o.max_age_ms = 0;
	says(o, CHECK_CRITICAL,
		"MTATOP CRITICAL - 127.0.0.1:587 silent; 3 of 4 open, slowest greeting "
		"smart.example.net:587 95 ms | port=95ms;5000;20000;0 open=3;;;0;4\n");
	o.host = "127.0.0.1:25";
	says(o, CHECK_OK,
		"MTATOP OK - 1 of 1 open, slowest greeting 127.0.0.1:25 4 ms | "
		"port=4ms;5000;20000;0 "
		"open=1;;;0;1\n");
	o.host = "MX.legacy.example";
	says(o, CHECK_CRITICAL,
		"MTATOP CRITICAL - mx.legacy.example:25 timed out | port=U;5000;20000;0 "
		"open=0;;;0;1\n");
	o.host = "nobody.example";
	says(o, CHECK_UNKNOWN, "MTATOP UNKNOWN - no such port was probed\n");
	o = asked("certificate", FIX_NOW_MS);
	o.max_age_ms = 0;
	says(o, CHECK_WARNING,
		"MTATOP WARNING - 127.0.0.1:465: 9 days left of its certificate | "
		"certificate=9;14:;7:;\n");
	o.host = "127.0.0.1:25";
	says(o, CHECK_OK,
		"MTATOP OK - 127.0.0.1:25: 61 days left of its certificate | "
		"certificate=61;14:;7:;\n");
	o = asked("certificate", FIX_NOW_MS + FIX_HOUR_MS);
	o.max_age_ms = 0;
	says(o, CHECK_UNKNOWN,
		"MTATOP UNKNOWN - the port was last read 1h 02m ago: is mtatop collecting?\n");
}

/* Figures nobody looked at for longer than --max-age are no figures. */
static void test_age(void **state)
{
	struct check_options o = asked("bounce-rate", FIX_NOW_MS);

	(void)state;
	o.max_age_ms = 0;
	says(o, CHECK_UNKNOWN,
		"MTATOP UNKNOWN - the log was last read 10m ago: is mtatop collecting?\n");
	o = asked("bounce-rate", FIX_NOW_MS + 2 * FIX_HOUR_MS);
	says(o, CHECK_UNKNOWN,
		"MTATOP UNKNOWN - the log was last read 2h 10m ago: is mtatop collecting?\n");
	o.max_age_ms = 3 * FIX_HOUR_MS;
	o.window_ms = 3 * FIX_HOUR_MS;
	o.min_n = 1;
	says(o, CHECK_WARNING,
		"MTATOP WARNING - 5.3% bounced: 3 of 57 final outcomes in 3h 00m | "
		"bounce_rate=5.26%;3;10;0;100 n=57;;;0\n");
}

static int make_cache(void **state)
{
	(void)state;
	snprintf(cache, sizeof(cache), "/tmp/mtatop-test-check-%d.db", (int)getpid());
	fix_unlink(cache);
	cachefix_make(cache);
	return 0;
}

static int end_cache(void **state)
{
	(void)state;
	fix_unlink(cache);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_age),
		cmocka_unit_test(test_ports),
	};

	return cmocka_run_group_tests(tests, make_cache, end_cache);
}
