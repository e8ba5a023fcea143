/* SPDX-License-Identifier: MIT */
/*
 * test_zone - offsets and days of named zones against the C library's own reading of the same files; fixed offsets;
 * damaged files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/base/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define DAY_S INT64_C(86400)

static const char *const names[] = {"America/Denver", "Europe/Berlin", "Asia/Kolkata",
	"Asia/Kathmandu", "Australia/Lord_Howe", "America/Sao_Paulo", "Europe/Dublin",
	"Pacific/Apia", "America/St_Johns", "Etc/GMT+7"};

#define DENVER "/usr/share/zoneinfo/America/Denver"

/* have_zones - false, saying so: the case returns then, for meson takes cmocka's skip() for a failure. */
static bool have_zones(void)
{
	bool have = access(DENVER, R_OK) == 0;

	if (!have)
		print_message("skipped: no " DENVER " here\n");
	return have;
}

static void offsets_are_the_c_librarys(void **state)
{
	(void)state;
	if (!have_zones())
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct zone z;

		assert_int_equal(zone_load(&z, names[i], NULL), 0);
		setenv("TZ", names[i], 1);
		tzset();
		/* 1960 to 2070: past the tables, where the rule decides; a step that meets every hour of the day */
		for (int64_t t = -315619200; t < INT64_C(3155760000); t += 3600 * 11 + 1799) {
			time_t at = (time_t)t;
			struct tm tm;

			assert_non_null(localtime_r(&at, &tm));
			if (zone_offset(&z, t) != tm.tm_gmtoff)
				fail_msg("%s at %lld: %d, not %ld", names[i], (long long)t,
					zone_offset(&z, t), tm.tm_gmtoff);
		}
		zone_done(&z);
	}
	setenv("TZ", "UTC", 1);
	tzset();
}

/* Each day begins where the last ended, and is 23, 23.5, 24, 24.5 or 25 hours long; a date skipped is empty. */
static void days_follow_each_other(void **state)
{
	(void)state;
	if (!have_zones())
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct zone z;
		int64_t day, last;

		assert_int_equal(zone_load(&z, names[i], NULL), 0);
		day = zone_day(&z, 1420070400);
		last = zone_midnight(&z, day);
		for (; day < 25000; day++) {
			int64_t next = zone_midnight(&z, day + 1), hours2 = (next - last) / 1800;

			if (hours2 == 0 || hours2 == 47 || hours2 == 49)
				assert_true((next - last) % 1800 == 0);
			else
				assert_in_range(hours2, 46, 50);
			assert_int_equal(zone_day(&z, next), day + 1);
			last = next;
		}
		zone_done(&z);
	}
}

static void days_of_daylight_saving_are_23_and_25_hours(void **state)
{
	struct zone z;
	int64_t day;

	(void)state;
	if (!have_zones())
		return;
	assert_int_equal(zone_load(&z, "America/Denver", NULL), 0);
	assert_true(zone_parse_date(str_of("2026-03-08"), &day));
	assert_int_equal(zone_midnight(&z, day), 1772953200); /* 07:00 UTC */
	assert_int_equal(zone_midnight(&z, day + 1) - zone_midnight(&z, day), 23 * 3600);
	assert_true(zone_parse_date(str_of("2026-11-01"), &day));
	assert_int_equal(zone_midnight(&z, day + 1) - zone_midnight(&z, day), 25 * 3600);
	zone_done(&z);
}

static void fixed_offsets_and_none(void **state)
{
	struct zone z;
	struct mt_error error = {0};

	(void)state;
	assert_int_equal(zone_load(&z, NULL, NULL), 0);
	assert_int_equal(zone_offset(&z, 1700000000), 0);
	assert_int_equal(zone_load(&z, "", NULL), 0);
	assert_int_equal(zone_load(&z, "-07:00:30", NULL), 0);
	assert_int_equal(zone_offset(&z, 0), -(7 * 3600 + 30));
	assert_int_equal(zone_midnight(&z, 0), 7 * 3600 + 30);
	assert_int_equal(zone_load(&z, "+05:30", NULL), 0);
	assert_int_equal(zone_day(&z, 18 * 3600 + 1800 - 1), 0);
	assert_int_equal(zone_day(&z, 18 * 3600 + 1800), 1);
	assert_int_equal(zone_load(&z, "../../etc/passwd", &error), MT_ECONFIG);
	assert_int_equal(zone_load(&z, "Mars/Olympus", &error), MT_ECONFIG);
	assert_int_equal(zone_load(&z, "+5h", &error), MT_ECONFIG);
	assert_int_equal(zone_load(&z, "+99:00", &error), MT_ECONFIG);
	assert_int_equal(zone_offset(&z, 0), 0);
}

static void dates_there_and_back(void **state)
{
	char text[16];
	int64_t day;

	(void)state;
	for (int64_t d = -40000; d < 60000; d++) {
		zone_date(d, text, sizeof(text));
		assert_true(zone_parse_date(str_of(text), &day));
		assert_int_equal(day, d);
	}
	assert_true(zone_parse_date(str_of("2015-10-11T00:00:00Z"), &day));
	assert_false(zone_parse_date(str_of("2015-02-29"), &day));
	assert_false(zone_parse_date(str_of("2015-1-29"), &day));
	assert_false(zone_parse_date(str_of("2015-10-111"), &day));
	assert_false(zone_parse_date(str_of(""), &day));
	assert_false(zone_parse_date(str_of("0000-01-01"), &day));
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223; /* Numerical Recipes' generator */
	return *seed >> 8;
}

static void damaged_files_are_refused(void **state)
{
	uint32_t seed = 1;
	char bytes[8192], spoiled[8192];
	FILE *f;
	size_t n;

	(void)state;
	if (!have_zones())
		return;
	f = fopen(DENVER, "re");
	assert_non_null(f);
	n = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	for (size_t cut = 0; cut < n - 1; cut++) {
		struct zone z;

		if (zone_read(&z, str_make(bytes, cut), NULL) == 0) {
			/* what is left of the closing rule may be a rule too */
			assert_true(cut + 30 > n);
			zone_offset(&z, 4000000000);
			zone_done(&z);
		}
	}
	for (int i = 0; i < 20000; i++) {
		struct zone z;

		memcpy(spoiled, bytes, n);
		for (int k = 0; k < 4; k++)
			spoiled[next_random(&seed) % n] = (char)next_random(&seed);
		if (zone_read(&z, str_make(spoiled, n), NULL) == 0) {
			zone_midnight(&z, 20000);
			zone_offset(&z, 4000000000);
			zone_done(&z);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offsets_are_the_c_librarys),
		cmocka_unit_test(days_follow_each_other),
		cmocka_unit_test(days_of_daylight_saving_are_23_and_25_hours),
		cmocka_unit_test(fixed_offsets_and_none),
		cmocka_unit_test(dates_there_and_back),
		cmocka_unit_test(damaged_files_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
