/* SPDX-License-Identifier: MIT */
/* test_fmt - figures at the edges of their forms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/base/fmt.h"

static void one_figure(void **state)
{
	static const struct {
		void (*fn)(struct buf *, int64_t);
		int64_t n;
		const char *want;
	} cases[] = {
		{fmt_count, 0, "0"},
		{fmt_count, 999, "999"},
		{fmt_count, 1000, "1,000"},
		{fmt_count, 1234567, "1,234,567"},
		{fmt_count, INT64_MAX, "9,223,372,036,854,775,807"},
		{fmt_count, -1, "?"},
		{fmt_count_short, 0, "0"},
		{fmt_count_short, 999, "999"},
		{fmt_count_short, 1000, "1.00k"},
		{fmt_count_short, 12499, "12.4k"},
		{fmt_count_short, 99999, "99.9k"},
		{fmt_count_short, 999999, "999k"},
		{fmt_count_short, 1239999, "1.23M"},
		{fmt_count_short, INT64_MAX, "9.22E"},
		{fmt_count_short, -1, "?"},
		{fmt_signed, 41, "+41"},
		{fmt_signed, -3, "-3"},
		{fmt_signed, 0, "0"},
		{fmt_bytes, 0, "0"},
		{fmt_bytes, 5360, "5360"},
		{fmt_bytes, 9999, "9999"},
		{fmt_bytes, 12800, "12.5k"},
		{fmt_bytes, 1023999, "999k"},
		{fmt_bytes, 1024000, "0.9M"},
		{fmt_bytes, 3250586, "3.1M"},
		{fmt_bytes, INT64_MAX, "7.9E"},
		{fmt_bytes, -1, "?"},
		{fmt_cs, 0, "0.00s"},
		{fmt_cs, 4, "0.04s"},
		{fmt_cs, 410, "4.1s"},
		{fmt_cs, 4899, "48s"},
		{fmt_cs, 5999, "59s"},
		{fmt_cs, 6000, "1m"},
		{fmt_cs, 359999, "59m"},
		{fmt_cs, 1104000, "3h04m"},
		{fmt_cs, 31556200, "3d15h"},
		{fmt_cs, -1, "?"},
		{fmt_dsn, 5001001, "5.1.1"},
		{fmt_dsn, 4007012, "4.7.12"},
		{fmt_dsn, 0, ""},
		{fmt_dsn, -1, ""},
		{fmt_code_key, 0, "none"},
		{fmt_code_key, 550, "550"},
		{fmt_code_key, 5001001, "5.1.1"},
		{fmt_code_key, 42, "?"},
		{fmt_code_key, -1, "?"},
	};
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		buf_clear(&b);
		cases[i].fn(&b, cases[i].n);
		assert_string_equal(buf_z(&b), cases[i].want);
	}
	buf_done(&b);
}

static void short_counts_keep_their_width(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	for (int64_t n = 1; n > 0 && n < INT64_MAX / 3; n = n * 3 + 1) {
		buf_clear(&b);
		fmt_count_short(&b, n);
		assert_in_range(b.n, 1, 5);
		buf_clear(&b);
		fmt_bytes(&b, n);
		assert_in_range(b.n, 1, 5);
	}
	buf_done(&b);
}

static void percent(void **state)
{
	static const struct {
		int64_t part, whole;
		const char *want;
	} cases[] = {{0, 0, "-"}, {5, 0, "-"}, {-1, 5, "-"}, {5, -1, "-"}, {0, 5, "0.0%"},
		{5, 5, "100.0%"}, {961, 1000, "96.1%"}, {1, 3, "33.3%"}, {2, 3, "66.7%"},
		{99999, 100000, "99.9%"}, {1, 100000, "<0.1%"}, {3, 2, "150.0%"},
		{INT64_MAX, INT64_MAX, "100.0%"}, {INT64_MAX / 2, INT64_MAX, "50.0%"}};
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		buf_clear(&b);
		fmt_pct(&b, cases[i].part, cases[i].whole);
		assert_string_equal(buf_z(&b), cases[i].want);
	}
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_figure),
		cmocka_unit_test(short_counts_keep_their_width),
		cmocka_unit_test(percent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
