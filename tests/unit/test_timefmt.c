/* SPDX-License-Identifier: MIT */
/*
 * test_timefmt - every stamp form; the year rule; a matrix of dates and zones checked against mktime,
 * which the reader itself never calls; daylight saving's fold and gap; what people type.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/base/timefmt.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char *const zones[] = {"UTC", "Europe/Berlin", "America/New_York"};

static void use_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

static int64_t utc(int year, int month, int day, int hour, int minute, int second)
{
	struct tm tm = {.tm_year = year - 1900,
		.tm_mon = month - 1,
		.tm_mday = day,
		.tm_hour = hour,
		.tm_min = minute,
		.tm_sec = second};

	return (int64_t)timegm(&tm) * 1000;
}

static void reads_every_form(void **state)
{
	static const struct {
		const char *in;
		int64_t ms; /* part of the second */
		size_t left;
		int minutes_east;
	} cases[] = {
		{"Mar  2 10:11:12 mx1", 0, 4, 0},
		{"Mar 02 10:11:12 mx1", 0, 4, 0},
		{"Mar 2 10:11:12 mx1", 0, 4, 0},
		{"Mar 02 10:11:12.345678 mx1", 345, 4, 0},
		{"2026-03-02T10:11:12.345678+01:00 mx1", 345, 4, 60},
		{"2026-03-02T10:11:12+02:00 mx1", 0, 4, 120},
		{"2026-03-02T10:11:12+0100 mx1", 0, 4, 60},
		{"2026-03-02T10:11:12-0330 mx1", 0, 4, -210},
		{"2026-03-02T10:11:12.9Z", 900, 0, 0},
		{"2026-03-02T10:11:12,05Z", 50, 0, 0},
		{"2026-03-02t10:11:12z", 0, 0, 0},
		{"2026-03-02T10:11:12", 0, 0, 0},
		{"2026-03-02T10:11:12.1239999", 123, 0, 0},
		{"2026 Mar  2 10:11:12.123 gds", 123, 4, 0},
		{"2026 Mar 02 10:11:12", 0, 0, 0},
		{"2026-03-02 10:11:12 +0200 [789] x", 0, 8, 120},
		{"2026-03-02 10:11:12 [789] x", 0, 8, 0},
		{"2026-03-02 10:11:12.712 1jm", 712, 4, 0},
		{"2026-03-02 10:11:12 -> x", 0, 5, 0},
		{"2026-03-02 10:11:12+02:00 x", 0, 2, 120},
		{"Mar  2 10:11:12.", 0, 1, 0},
		{"Mar  2 10:11:12", 0, 0, 0},
	};
	struct timefmt t;

	(void)state;
	use_zone("UTC");
	timefmt_init(&t, utc(2026, 11, 23, 0, 0, 0), NULL);
	/* Twice: the second round meets the remembered second in every other form. */
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(*cases); i++) {
		size_t at = i % (sizeof(cases) / sizeof(*cases));
		struct str in = str_of(cases[at].in);
		int64_t got = -1;

		for (int again = 0; again < 2; again++) {
			in = str_of(cases[at].in);
			assert_true(timefmt_read(&t, &in, &got));
			assert_int_equal(got, utc(2026, 3, 2, 10, 11, 12) + cases[at].ms -
						      cases[at].minutes_east * 60000);
			assert_int_equal(in.n, cases[at].left);
		}
	}
}

static void refuses_what_is_no_stamp(void **state)
{
	static const char *const cases[] = {"", "M", "Mar", "Mar ", "Mar  2", "Mar  2 10:11:1",
		"Mar  2 10:11:123", "Mar  2 24:00:00", "Mar  2 10:60:00", "Mar  2 10:11:61",
		"Mar  0 10:11:12", "Mar 32 10:11:12", "Apr 31 10:11:12", "Feb 30 10:11:12",
		"Mrz  2 10:11:12", "mar  2 10:11:12", "Mar   2 10:11:12", "Mar 2  10:11:12",
		"Mar 002 10:11:12", "2025-02-29T10:11:12Z", "1900-02-28T10:11:12Z",
		"2026-13-01T10:11:12Z", "2026-00-01T10:11:12Z", "2026-03-02T10:11:12Zx",
		"2026-03-02T10:11:12+01:0", "2026-03-02T10:11:12+01:001",
		"2026-03-02T10:11:12+24:00", "2026-03-02X10:11:12", "2026-3-2 10:11:12",
		"2026 Feb 29 10:11:12", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00+01:00",
		"%(day)s 11:00:20", "<22>Mar  2 10:11:12", "-026-03-02T10:11:12Z",
		"Mar  2 10:11:12x", "Mar  2 -1:11:12"};
	struct timefmt t;

	(void)state;
	use_zone("UTC");
	timefmt_init(&t, utc(2026, 11, 23, 0, 0, 0), NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct str in = str_of(cases[i]);
		int64_t got = -7;

		if (timefmt_read(&t, &in, &got))
			fail_msg("took \"%s\"", cases[i]);
		assert_int_equal(got, -7);
		assert_int_equal(in.n, strlen(cases[i]));
	}
	/* 60 counts as 59. */
	for (int i = 0; i < 2; i++) {
		struct str in = STR_LIT("2016-12-31T23:59:60Z");
		int64_t got;

		assert_true(timefmt_read(&t, &in, &got));
		assert_int_equal(got, utc(2016, 12, 31, 23, 59, 59));
	}
}

static const int dates[40][3] = {{2024, 1, 1}, {2024, 2, 28}, {2024, 2, 29}, {2024, 3, 1},
	{2024, 3, 10}, {2024, 3, 31}, {2024, 4, 30}, {2024, 10, 27}, {2024, 11, 3}, {2024, 12, 31},
	{2025, 1, 1}, {2025, 2, 28}, {2025, 3, 1}, {2025, 3, 9}, {2025, 3, 29}, {2025, 3, 30},
	{2025, 3, 31}, {2025, 5, 31}, {2025, 6, 30}, {2025, 7, 4}, {2025, 8, 31}, {2025, 9, 9},
	{2025, 10, 25}, {2025, 10, 26}, {2025, 10, 27}, {2025, 11, 1}, {2025, 11, 2}, {2025, 11, 3},
	{2025, 12, 31}, {2026, 1, 1}, {2026, 2, 28}, {2026, 3, 1}, {2026, 3, 8}, {2026, 3, 29},
	{2026, 6, 15}, {2026, 10, 24}, {2026, 10, 25}, {2026, 10, 26}, {2026, 11, 1},
	{2026, 11, 23}};

/* Local times that mktime maps one to one: the reader must agree with and without the year. */
static void agrees_with_mktime(void **state)
{
	static const char *const months = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct timefmt t, yearless;

	(void)state;
	for (size_t z = 0; z < sizeof(zones) / sizeof(*zones); z++) {
		unsigned compared = 0;

		use_zone(zones[z]);
		timefmt_init(&t, 0, NULL);
		for (size_t d = 0; d < 40; d++) {
			for (int minute = 0; minute < 24 * 60; minute += 7) {
				struct tm tm = {.tm_year = dates[d][0] - 1900,
					.tm_mon = dates[d][1] - 1,
					.tm_mday = dates[d][2],
					.tm_hour = minute / 60,
					.tm_min = minute % 60,
					.tm_isdst = 0};
				struct tm summer = tm;
				char text[64];
				struct str in;
				int64_t got = 0, want;
				time_t w = mktime(&tm);
				time_t s;

				summer.tm_isdst = 1;
				s = mktime(&summer);
				/* Unambiguous only if exactly one of the two readings keeps its hour. */
				if ((tm.tm_isdst == 0) == (summer.tm_isdst == 1) && w != s)
					continue;
				want = (int64_t)(tm.tm_isdst == 0 ? w : s) * 1000;
				(void)snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:00",
					dates[d][0], dates[d][1], dates[d][2], minute / 60,
					minute % 60);
				in = str_of(text);
				assert_true(timefmt_read(&t, &in, &got));
				if (got != want)
					fail_msg("%s %s: %lld, not %lld", zones[z], text,
						(long long)got, (long long)want);
				(void)snprintf(text, sizeof(text), "%.3s %2d %02d:%02d:00",
					months + (dates[d][1] - 1) * 3, dates[d][2], minute / 60,
					minute % 60);
				timefmt_init(&yearless, want + 3600 * 1000, NULL);
				in = str_of(text);
				assert_true(timefmt_read(&yearless, &in, &got));
				assert_true(got == want);
				compared++;
			}
		}
		assert_true(compared > 40 * 190);
	}
}

static int64_t read_one(struct timefmt *t, const char *text)
{
	struct str in = str_of(text);
	int64_t got = -1;

	assert_true(timefmt_read(t, &in, &got));
	return got;
}

static void finds_the_year(void **state)
{
	struct timefmt t;

	(void)state;
	use_zone("UTC");
	timefmt_init(&t, utc(2026, 1, 5, 0, 0, 0), NULL);
	assert_int_equal(read_one(&t, "Dec 31 23:59:59"), utc(2025, 12, 31, 23, 59, 59));
	assert_int_equal(read_one(&t, "Jan  1 00:00:00"), utc(2026, 1, 1, 0, 0, 0));
	assert_int_equal(read_one(&t, "Jan  6 00:00:00"), utc(2026, 1, 6, 0, 0, 0));
	/* Two days ahead of now, but time doesn't go back a year within a file. */
	assert_int_equal(read_one(&t, "Jan  7 12:00:00"), utc(2026, 1, 7, 12, 0, 0));
	/* Far ahead stays last year's. */
	assert_int_equal(read_one(&t, "Jan 20 12:00:00"), utc(2025, 1, 20, 12, 0, 0));

	timefmt_init(&t, utc(2026, 1, 5, 0, 0, 0), NULL);
	assert_int_equal(read_one(&t, "Jan  6 00:00:01"), utc(2025, 1, 6, 0, 0, 1));
	/* New Year's Eve, the line's clock an hour ahead. */
	timefmt_init(&t, utc(2025, 12, 31, 23, 30, 0), NULL);
	assert_int_equal(read_one(&t, "Dec 31 23:29:59"), utc(2025, 12, 31, 23, 29, 59));
	assert_int_equal(read_one(&t, "Jan  1 00:20:00"), utc(2026, 1, 1, 0, 20, 0));
	/* The leap day goes to the newest year that has one. */
	timefmt_init(&t, utc(2026, 11, 23, 0, 0, 0), NULL);
	assert_int_equal(read_one(&t, "Feb 29 01:02:03"), utc(2024, 2, 29, 1, 2, 3));
	timefmt_init(&t, utc(2103, 11, 23, 0, 0, 0), NULL);
	assert_int_equal(read_one(&t, "Feb 29 01:02:03"), utc(2096, 2, 29, 1, 2, 3));
	/* A dated line from far ahead doesn't drag the year-less ones with it. */
	timefmt_init(&t, utc(2026, 11, 23, 0, 0, 0), NULL);
	assert_int_equal(read_one(&t, "2036-01-01T00:00:00Z"), utc(2036, 1, 1, 0, 0, 0));
	assert_int_equal(read_one(&t, "Nov 22 00:00:00"), utc(2026, 11, 22, 0, 0, 0));
}

static void daylight_saving(void **state)
{
	struct timefmt t;

	(void)state;
	use_zone("Europe/Berlin");
	timefmt_init(&t, utc(2026, 11, 23, 0, 0, 0), NULL);
	/* Oct 25 2026, 03:00 CEST becomes 02:00 CET: 02:xx comes twice, told apart by order. */
	assert_int_equal(read_one(&t, "Oct 25 01:59:59"), utc(2026, 10, 24, 23, 59, 59));
	assert_int_equal(read_one(&t, "Oct 25 02:00:00"), utc(2026, 10, 25, 0, 0, 0));
	assert_int_equal(read_one(&t, "Oct 25 02:59:59"), utc(2026, 10, 25, 0, 59, 59));
	assert_int_equal(read_one(&t, "Oct 25 02:59:57"), utc(2026, 10, 25, 0, 59, 57));
	assert_int_equal(read_one(&t, "Oct 25 02:00:00"), utc(2026, 10, 25, 1, 0, 0));
	assert_int_equal(read_one(&t, "Oct 25 02:30:00"), utc(2026, 10, 25, 1, 30, 0));
	assert_int_equal(read_one(&t, "Oct 25 02:59:59"), utc(2026, 10, 25, 1, 59, 59));
	assert_int_equal(read_one(&t, "Oct 25 03:00:00"), utc(2026, 10, 25, 2, 0, 0));
	/* Mar 29 2026: 02:00 to 03:00 doesn't exist; read with the winter offset. */
	timefmt_init(&t, utc(2026, 11, 23, 0, 0, 0), NULL);
	assert_int_equal(read_one(&t, "Mar 29 01:59:59"), utc(2026, 3, 29, 0, 59, 59));
	assert_int_equal(read_one(&t, "Mar 29 02:30:00"), utc(2026, 3, 29, 1, 30, 0));
	assert_int_equal(read_one(&t, "Mar 29 03:00:00"), utc(2026, 3, 29, 1, 0, 0));
	use_zone("America/New_York");
	timefmt_init(&t, utc(2026, 11, 23, 0, 0, 0), NULL);
	assert_int_equal(read_one(&t, "Nov  1 01:30:00"), utc(2026, 11, 1, 5, 30, 0));
	assert_int_equal(read_one(&t, "Nov  1 01:59:00"), utc(2026, 11, 1, 5, 59, 0));
	assert_int_equal(read_one(&t, "Nov  1 01:02:00"), utc(2026, 11, 1, 6, 2, 0));
	/* A fixed zone knows no daylight saving. */
	assert_true(timefmt_init(&t, utc(2026, 11, 23, 0, 0, 0), "+01:00"));
	assert_int_equal(read_one(&t, "Jul  1 12:00:00"), utc(2026, 7, 1, 11, 0, 0));
	assert_true(timefmt_init(&t, utc(2026, 11, 23, 0, 0, 0), "utc"));
	assert_int_equal(read_one(&t, "Jul  1 12:00:00"), utc(2026, 7, 1, 12, 0, 0));
	assert_false(timefmt_init(&t, 0, "Mars/Olympus"));
	assert_false(timefmt_init(&t, 0, "+01:00x"));
}

static void writes_for_people(void **state)
{
	static const struct {
		int64_t ms;
		const char *want;
	} ages[] = {{0, "0s"}, {999, "0s"}, {59999, "59s"}, {60000, "1m"}, {3599999, "59m"},
		{3600000, "1h 00m"}, {11040000, "3h 04m"}, {86400000, "1d 00h"},
		{273600000, "3d 04h"}, {-5000, "-5s"}, {-500, "0s"},
		{INT64_MIN, "-106751991167d 07h"}};
	int64_t now = utc(2026, 11, 23, 13, 4, 31);
	struct buf b;

	(void)state;
	use_zone("Europe/Berlin");
	buf_init(&b, 256);
	for (size_t i = 0; i < sizeof(ages) / sizeof(*ages); i++) {
		buf_clear(&b);
		timefmt_age(&b, ages[i].ms);
		assert_string_equal(buf_z(&b), ages[i].want);
	}
	buf_clear(&b);
	timefmt_clock(&b, now);
	timefmt_date_clock(&b, now);
	timefmt_rfc3339(&b, now + 7);
	assert_string_equal(buf_z(&b), "14:04:312026-11-23 14:04:312026-11-23T13:04:31.007Z");
	buf_clear(&b);
	timefmt_when(&b, now, now);
	buf_add_char(&b, '|');
	timefmt_when(&b, now - 86400000, now);
	buf_add_char(&b, '|');
	timefmt_when(&b, now - 6 * INT64_C(86400000), now);
	buf_add_char(&b, '|');
	timefmt_when(&b, now - 7 * INT64_C(86400000), now);
	buf_add_char(&b, '|');
	timefmt_when(&b, now + 86400000, now);
	assert_string_equal(buf_z(&b), "14:04:31|Sun 14:04|Tue 14:04|2026-11-16|2026-11-24");
	buf_done(&b);
}

static void parses_what_people_type(void **state)
{
	int64_t now = utc(2026, 11, 23, 13, 4, 31), got;
	static const char *const bad[] = {"", "-", "yesterday", "20261123", "2026-11",
		"2026-11-23 25:00", "-2x", "2026-11-23T13:04:31Zjunk", "2026-02-29", "123456789012",
		"-99999d", "2026-11-23 13"};
	const struct {
		const char *in;
		int64_t want;
	} good[] = {{"2026-11-23T13:04:31Z", now}, {"2026-11-23T14:04:31+01:00", now},
		{"2026-11-23 14:04:31", now}, {"2026-11-23 14:04", now - 31000},
		{"2026-11-23T14:04", now - 31000}, {"2026-11-23", utc(2026, 11, 22, 23, 0, 0)},
		{"-2h", now - 7200000}, {" -1d12h ", now - 129600000},
		{"1700000000", INT64_C(1700000000000)}};

	(void)state;
	use_zone("Europe/Berlin");
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(timefmt_parse_when(str_of(good[i].in), now, &got), 0);
		assert_true(got == good[i].want);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (timefmt_parse_when(str_of(bad[i]), now, &got) != MT_EINVAL)
			fail_msg("took \"%s\"", bad[i]);
}

/* The shared corpus, when it is there: each line starts with a stamp of known meaning. */
static void reads_the_corpus(void **state)
{
	static const char line_key[] = "\"line\": \"", time_key[] = "\"time_iso\": \"";
	FILE *f = fopen("../shared/corpora/timestamps.jsonl", "r");
	char row[4096];
	unsigned n = 0;

	(void)state;
	if (!f) {
		print_message("skipped: ../shared/corpora/timestamps.jsonl isn't here\n");
		return; /* meson takes cmocka's skip() for a failure */
	}
	use_zone("UTC");
	while (fgets(row, sizeof(row), f)) {
		const char *line = strstr(row, line_key), *want = strstr(row, time_key);
		struct timefmt t;
		struct str in, expected;
		char year[64];
		int64_t got, asked;

		assert_true(line && want);
		in = str_of(line + sizeof(line_key) - 1);
		expected = str_of(want + sizeof(time_key) - 1);
		expected = str_first(expected, str_find_char(expected, '"'));
		/* A year that is not written is that of now. */
		(void)snprintf(year, sizeof(year), "2026%.*s", (int)expected.n - 4, expected.p + 4);
		timefmt_init(&t, utc(2026, 11, 23, 0, 0, 0), NULL);
		assert_true(timefmt_read(&t, &in, &got));
		assert_int_equal(timefmt_parse_when(str_of(year), 0, &asked), 0);
		assert_true(got == asked);
		n++;
	}
	fclose(f);
	assert_true(n >= 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_form),
		cmocka_unit_test(refuses_what_is_no_stamp),
		cmocka_unit_test(agrees_with_mktime),
		cmocka_unit_test(finds_the_year),
		cmocka_unit_test(daylight_saving),
		cmocka_unit_test(writes_for_people),
		cmocka_unit_test(parses_what_people_type),
		cmocka_unit_test(reads_the_corpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
