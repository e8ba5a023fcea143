/* SPDX-License-Identifier: MIT */
/*
 * test_exchange - what Exchange's parser stands on: records and fields of its CSV at their edges, columns by name, endpoints,
 * names of its files in order. What records mean is in tests/fixtures/exchange, how folders are followed in tests/follow.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backends/exchange/log.h"
#include "backends/series.h"
#include "store/base/mem.h"

#include <stdlib.h>

static void records_end_where_they_end(void **state)
{
	static const struct {
		const char *bytes;
		bool final;
		size_t n;
	} cases[] = {
		{"a,b\r\nc", false, 5},
		{"a,b", false, 0},
		{"a,b", true, 3},
		{"", true, 0},
		{"\n", false, 1},
		{"a,\"b\nc\",d\nnext", false, 10},
		{"a,\"b\nc", false, 0}, /* the field may go on */
		{"a,\"b\nc", true, 5}, /* it does not: a torn line */
		{"a,\"b\nc\"", false, 0}, /* a second quote may follow */
		{"a,\"b\nc\"d,e\n", false, 5}, /* closed, but not as a field is: torn */
		{"a,\"b\"\"\nc\"\"\",d\nx", false, 14},
		{"a,b\"c\nd\"\n", false, 6}, /* a quote within is a quote */
		{"a,\"b\"\n\"c\"\n", false, 6},
		{"#Fields: \"a\nb\n", false, 12}, /* a header is a line */
		{"\"\n\"\n", false, 4},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n = csv_record(str_of(cases[i].bytes), cases[i].final);

		if (n != cases[i].n)
			fail_msg("case %zu: %zu, want %zu", i, n, cases[i].n);
	}
}

static void a_record_is_bounded(void **state)
{
	size_t n = CSV_RECORD_MAX_BYTES * 2;
	char *bytes = xmalloc(n);

	(void)state;
	memset(bytes, 'x', n);
	memcpy(bytes, "a,\"\n", 4);
	/* Up to the bound more may come; past it the line is one that was torn. */
	assert_int_equal(csv_record(str_make(bytes, CSV_RECORD_MAX_BYTES - 1), false), 0);
	assert_int_equal(csv_record(str_make(bytes, CSV_RECORD_MAX_BYTES), false), 4);
	assert_int_equal(csv_record(str_make(bytes, n), false), 4);
	for (size_t i = 4; i <= 4 + CSV_RECORD_MAX_LINES; i++)
		bytes[i] = '\n';
	memcpy(bytes + 5 + CSV_RECORD_MAX_LINES, "\"\n", 2);
	assert_int_equal(csv_record(str_make(bytes, 1000), false), 4);
	memcpy(bytes + CSV_RECORD_MAX_LINES - 4, "\"\n", 2);
	assert_int_equal(csv_record(str_make(bytes, 1000), false), CSV_RECORD_MAX_LINES - 2);
	free(bytes);
}

static void fields_are_split(void **state)
{
	struct csv_fields f;
	char scratch[16];
	size_t at = 0;

	(void)state;
	csv_split(STR_LIT("a,,\"b,\"\"c\"\"\",\"d\"e,\"f\"\r\n"), &f);
	assert_int_equal(f.n, 5);
	assert_true(str_eq(f.field[0], STR_LIT("a")));
	assert_true(str_present(f.field[1]) && f.field[1].n == 0);
	assert_int_equal(f.escaped, 1 << 2);
	assert_true(str_eq(
		csv_unescape(f.field[2], scratch, sizeof(scratch), &at), STR_LIT("b,\"c\"")));
	assert_true(str_eq(f.field[3], STR_LIT("\"d\"e")));
	assert_true(str_eq(f.field[4], STR_LIT("f")));
	assert_true(str_eq(csv_unescape(STR_LIT("0123456789abcdef"), scratch, sizeof(scratch), &at),
		STR_LIT("0123456789a"))); /* what has no room is cut */
	csv_split(STR_LIT(","), &f);
	assert_int_equal(f.n, 2);
	csv_split(STR_LIT(""), &f);
	assert_int_equal(f.n, 1);
	at = 0;
	for (size_t i = 0; i < 3; i++) {
		char many[CSV_FIELDS_MAX * 2 + 1];

		memset(many, ',', sizeof(many));
		csv_split(str_make(many, CSV_FIELDS_MAX - 2 + i), &f);
		assert_int_equal(f.n, CSV_FIELDS_MAX - 1 + i);
	}
}

static void columns_tell_the_kind(void **state)
{
	static const struct {
		const char *names;
		enum exchange_kind type, kind;
	} cases[] = {
		{"date-time,source,event-id,recipient-address", EXCHANGE_TRACKING,
			EXCHANGE_TRACKING},
		{"date-time, source, EVENT-ID, recipient-address", EXCHANGE_UNKNOWN,
			EXCHANGE_TRACKING},
		{"source,event-id,recipient-address", EXCHANGE_TRACKING, EXCHANGE_OTHER},
		{"date-time,event-id", EXCHANGE_TRACKING, EXCHANGE_OTHER},
		{"date-time,session-id,event,data,context", EXCHANGE_SEND, EXCHANGE_SEND},
		{"date-time,session-id,event,data,context", EXCHANGE_UNKNOWN, EXCHANGE_UNKNOWN},
		{"date-time,session,direction,description", EXCHANGE_UNKNOWN,
			EXCHANGE_CONNECTIVITY},
		{"date-time,session-id,event,data,context", EXCHANGE_OTHER, EXCHANGE_OTHER},
		{"", EXCHANGE_TRACKING, EXCHANGE_OTHER},
	};
	struct exchange_layout layout;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		exchange_fields(&layout, str_of(cases[i].names), cases[i].type);
		if (layout.kind != cases[i].kind)
			fail_msg("case %zu: %d, want %d", i, (int)layout.kind, (int)cases[i].kind);
	}
	exchange_fields(&layout, STR_LIT("date-time,date-time,event,event"), EXCHANGE_UNKNOWN);
	assert_int_equal(layout.n, 4);
	assert_int_equal(layout.column[1], COL_NONE);
}

static void endpoints(void **state)
{
	static const struct {
		const char *text, *ip, *port;
	} cases[] = {{"192.0.2.1:25", "192.0.2.1", "25"},
		{"[2001:db8::1]:587", "2001:db8::1", "587"}, {"2001:db8::1", "2001:db8::1", ""},
		{"192.0.2.1", "192.0.2.1", ""}, {"[2001:db8::1]", "2001:db8::1", ""}, {"", "", ""},
		{":", "", ""}, {"[", "[", ""}, {"[]:1", "", "1"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct str ip, port;

		exchange_endpoint(str_of(cases[i].text), &ip, &port);
		if (!str_eq(ip, str_of(cases[i].ip)) || !str_eq(port, str_of(cases[i].port)))
			fail_msg("%s", cases[i].text);
	}
	assert_int_equal(exchange_port(STR_LIT("65536")), EVENT_UNKNOWN);
	assert_int_equal(exchange_port(STR_LIT("0")), EVENT_UNKNOWN);
	assert_int_equal(exchange_port(STR_LIT("25x")), EVENT_UNKNOWN);
}

static void names_in_order(void **state)
{
	static const char *const sorted[] = {"MSGTRK20101231-1.LOG", "MSGTRK2025123123-2.LOG",
		"MSGTRK2026010100-9.LOG", "msgtrk2026010100-10.log", "MSGTRK2026010101-1.LOG",
		"MSGTRK20260102-1.LOG"};
	static const char *const others[] = {"MSGTRK.LOG", "MSGTRK20260101.LOG",
		"MSGTRK20260101-.LOG", "MSGTRK20260101-1.LOG.gz", "MSGTRK2026010-1.LOG",
		"20260101-1.LOG", "MSGTRK20260101-1.LOG~", ".LOG", "", "MSGTRK20260101-1x.LOG",
		"MSGTRK2026010100-1234567890.LOG", "AVERYLONGPREFIXOFALOG20260101-1.LOG"};
	struct str prefix;
	uint64_t order, before = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(sorted) / sizeof(sorted[0]); i++) {
		assert_true(series_name(str_of(sorted[i]), &prefix, &order));
		assert_true(str_ieq(prefix, STR_LIT("MSGTRK")));
		assert_true(order > before);
		before = order;
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (series_name(str_of(others[i]), &prefix, &order))
			fail_msg("%s", others[i]);
	assert_true(series_name(STR_LIT("CONNECTLOG20260101-1.LOG"), &prefix, &order));
	assert_true(str_eq(prefix, STR_LIT("CONNECTLOG")));
}

static void stamps_of_lines(void **state)
{
	static const char *const bad[] = {"2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
		"2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
		"2026-01-01T00:00:00", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.1234567890Z",
		"2026-01-01T00:00:00+", "1969-12-31T00:00:00Z", "2026-1-01T00:00:00.0Z",
		"-026-01-01T00:00:00Z"};

	(void)state;
	assert_int_equal(
		exchange_line_time(STR_LIT("2026-01-01T00:00:00.001Z,x")), INT64_C(1767225600001));
	assert_int_equal(
		exchange_line_time(STR_LIT("2024-02-29T23:59:60Z")), INT64_C(1709251199000));
	assert_int_equal(exchange_line_time(STR_LIT("2026-01-01T00:00:00.1234567Z,")),
		INT64_C(1767225600123));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (exchange_line_time(str_of(bad[i])) != -1)
			fail_msg("%s", bad[i]);
	assert_int_equal(exchange_line_time(STR_LIT("\xef\xbb\xbf#Software")), -1);
	assert_int_equal(exchange_line_time(STR_LIT("2026-01-01 00:00:00.001Z,x")), -1);
	assert_int_equal(exchange_line_time(STR_LIT("")), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(records_end_where_they_end),
		cmocka_unit_test(a_record_is_bounded), cmocka_unit_test(fields_are_split),
		cmocka_unit_test(columns_tell_the_kind), cmocka_unit_test(endpoints),
		cmocka_unit_test(names_in_order), cmocka_unit_test(stamps_of_lines)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
