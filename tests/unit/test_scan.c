/* SPDX-License-Identifier: MIT */
/* test_scan - numbers at their edges, refusals that take nothing, views without a NUL behind them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/base/scan.h"

static void reads_unsigned(void **state)
{
	static const struct {
		const char *in;
		unsigned digits;
		uint64_t max;
		bool ok;
		uint64_t want;
		size_t left;
	} cases[] = {
		{"0", 1, 0, true, 0, 0},
		{"007x", 3, 9, true, 7, 1},
		{"18446744073709551615", 20, UINT64_MAX, true, UINT64_MAX, 0},
		{"18446744073709551616", 20, UINT64_MAX, false, 0, 0},
		{"99999999999999999999999", 30, UINT64_MAX, false, 0, 0},
		{"256", 3, 255, false, 0, 0},
		{"255.1", 3, 255, true, 255, 2},
		{"1234", 3, 9999, false, 0, 0},
		{"", 3, 9999, false, 0, 0},
		{"-1", 3, 9999, false, 0, 0},
		{" 1", 3, 9999, false, 0, 0},
		{"3", 1, 2, false, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct str in = str_of(cases[i].in);
		uint64_t got = 77;

		assert_int_equal(scan_u64(&in, cases[i].digits, cases[i].max, &got), cases[i].ok);
		assert_int_equal(got, cases[i].ok ? cases[i].want : 77);
		assert_int_equal(in.n, cases[i].ok ? cases[i].left : strlen(cases[i].in));
	}
}

static void reads_signed(void **state)
{
	static const struct {
		const char *in;
		int64_t min, max;
		bool ok;
		int64_t want;
	} cases[] = {
		{"-5", -5, 5, true, -5},
		{"-6", -5, 5, false, 0},
		{"6", -5, 5, false, 0},
		{"-9223372036854775808", INT64_MIN, INT64_MAX, true, INT64_MIN},
		{"-9223372036854775809", INT64_MIN, INT64_MAX, false, 0},
		{"9223372036854775807", INT64_MIN, INT64_MAX, true, INT64_MAX},
		{"9223372036854775808", INT64_MIN, INT64_MAX, false, 0},
		{"-", INT64_MIN, INT64_MAX, false, 0},
		{"--1", INT64_MIN, INT64_MAX, false, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct str in = str_of(cases[i].in);
		int64_t got = 77;

		assert_int_equal(scan_i64(&in, 20, cases[i].min, cases[i].max, &got), cases[i].ok);
		assert_true(got == (cases[i].ok ? cases[i].want : 77));
	}
}

static void reads_centis(void **state)
{
	static const struct {
		const char *in;
		bool ok;
		int64_t want;
		const char *rest;
	} cases[] = {
		{"3", true, 300, ""},
		{"0.04,", true, 4, ","},
		{"1.2/0.5", true, 120, "/0.5"},
		{"18910", true, 1891000, ""},
		{"0.005", true, 1, ""},
		{"0.0049999", true, 0, ""},
		{"0.995", true, 100, ""},
		{"0.999999999999999999999999", true, 100, ""},
		{"10000000", true, 1000000000, ""},
		{"10000000.01", false, 0, ""},
		{"10000001", false, 0, ""},
		{"99999999999999999999999999", false, 0, ""},
		{"1e309", false, 0, ""},
		{"-1", false, 0, ""},
		{"nan", false, 0, ""},
		{".5", false, 0, ""},
		{"1.2.3", false, 0, ""},
		{"1.", false, 0, ""},
		{"", false, 0, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct str in = str_of(cases[i].in);
		int64_t got = -7;

		assert_int_equal(scan_centis(&in, 1000000000, &got), cases[i].ok);
		assert_int_equal(got, cases[i].ok ? cases[i].want : -7);
		assert_true(str_eq(in, str_of(cases[i].ok ? cases[i].rest : cases[i].in)));
	}
}

static void takes_tokens(void **state)
{
	struct str in = STR_LIT("tag[12]: rest");
	struct str got = {NULL, 0};

	(void)state;
	assert_false(scan_lit(&in, STR_LIT("Tag")));
	assert_false(scan_until(&in, '{', &got));
	assert_true(scan_until(&in, '[', &got));
	assert_true(str_eq(got, STR_LIT("tag")));
	assert_true(scan_lit(&in, STR_LIT("[")));
	got = scan_while(&in, scan_is_digit);
	assert_true(str_eq(got, STR_LIT("12")));
	assert_true(scan_lit(&in, STR_LIT("]: ")));
	assert_true(scan_word(&in, &got));
	assert_true(str_eq(got, STR_LIT("rest")));
	assert_int_equal(in.n, 0);
	assert_false(scan_word(&in, &got));
	got = scan_while(&in, scan_is_alnum);
	assert_int_equal(got.n, 0);
	in = (struct str){NULL, 0};
	assert_false(scan_word(&in, &got));
	assert_true(scan_lit(&in, (struct str){NULL, 0}));
}

static void reads_whole_views_only(void **state)
{
	uint64_t got = 0;

	(void)state;
	assert_true(scan_all_u64(STR_LIT("0000000000000000000000000042"), 42, &got));
	assert_int_equal(got, 42);
	assert_false(scan_all_u64(STR_LIT("42 "), 99, &got));
	assert_false(scan_all_u64(STR_LIT(""), 99, &got));
	assert_false(scan_all_u64(STR_LIT("4\0002"), 99, &got));
	assert_true(scan_all_u64(str_make("421", 2), 99, &got));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_unsigned),
		cmocka_unit_test(reads_signed),
		cmocka_unit_test(reads_centis),
		cmocka_unit_test(takes_tokens),
		cmocka_unit_test(reads_whole_views_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
