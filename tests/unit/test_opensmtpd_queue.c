/* SPDX-License-Identifier: MIT */
/* The text of `smtpctl show queue`, hostile lines too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backends/opensmtpd/listing.h"

#define NOW_MS INT64_C(1795637900000)
#define ONE "66d5cc2e61eb4d8b|inet4|mta||a@here.example|"

static void is(struct str got, const char *want)
{
	assert_int_equal(got.n, strlen(want));
	assert_memory_equal(got.p, want, got.n);
}

/* Gives lines until a message is whole; the text that is left begins with the line to be given again. */
static int next(struct opensmtpd_listing *l, struct str *text, struct queue_row *ret)
{
	while (text->n) {
		size_t n = str_find_char(*text, '\n');
		int rc = opensmtpd_listing_line(l, str_first(*text, n), ret);

		assert_true(rc >= 0);
		if (rc == 1)
			return 1;
		*text = str_skip(*text, n + 1);
	}
	return opensmtpd_listing_end(l, ret);
}

static void test_messages(void **state)
{
	struct str text = STR_LIT(
		ONE "b@a.example|b@a.example|1795637822|1796000000|0|1|pending|396|451 4.7.1 a|b\n"
		    "66d5cc2e00000000|inet4|mta||a@here.example|c@a.example|d@a.example|1795637822|"
		    "1795999000|5|2|pending|-20|\n"
		    "7563b1b6aaa6b115|inet4|mta|suspend|@|e@a.example|e@a.example|1795637822|"
		    "1795637822|0|1|pending|1|x\n"
		    "7563b1b7aaa6b115|inet4|mta||@|e@a.example|e@a.example|1795637822|1795637822|0|"
		    "0|pending|0|\n"
		    "7563b1b8aaa6b115|inet4|mta||@|e@a.example|e@a.example|1795637822|1795637822|0|"
		    "3|inflight|2|y\n"
		    "7563b1b9aaa6b115|inet4|mta||@|e@a.example|e@a.example|1795637822|1795637822|0|"
		    "3|offline||y");
	static const enum queue_name want[] = {
		QUEUE_HOLD, QUEUE_INCOMING, QUEUE_ACTIVE, QUEUE_DEFERRED};
	struct opensmtpd_listing l;
	struct queue_row row;

	(void)state;
	opensmtpd_listing_init(&l, NOW_MS);
	assert_int_equal(next(&l, &text, &row), 1);
	is(row.qid, "66d5cc2e");
	is(row.sender, "a@here.example");
	assert_int_equal(row.queue, QUEUE_DEFERRED);
	assert_int_equal(row.arrival_ms, INT64_C(1795637822000));
	assert_int_equal(row.next_retry_ms, NOW_MS - 20000); /* the sooner one */
	assert_int_equal(row.expires_ms, INT64_C(1795999000000));
	assert_int_equal(row.size_bytes, EVENT_UNKNOWN);
	assert_int_equal(row.nrcpt, 2);
	is(row.rcpt[1], "c@a.example");
	is(row.reason[0], "451 4.7.1 a|b");
	assert_false(str_present(row.reason[1]));
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_int_equal(next(&l, &text, &row), 1);
		assert_int_equal(row.queue, want[i]);
		assert_true(str_present(row.sender) && row.sender.n == 0);
		assert_int_equal(row.next_retry_ms, EVENT_UNKNOWN);
		assert_int_equal(row.expires_ms, EVENT_UNKNOWN);
	}
	assert_true(l.offline);
	assert_int_equal(next(&l, &text, &row), 0);
	assert_int_equal(l.bad, 0);
	opensmtpd_listing_done(&l);
}

static void test_hostile(void **state)
{
	static const char *const bad[] = {"x", "|||||||||||||", ONE "b@a|b@a|1|1|0|1|pending",
		/* a bar in a local part moves the figures behind it, or the @ out of its field */
		"66d5cc2e61eb4d8b|inet4|mta||x|1|2@here.example|b@a|b@a|1795637822|1|0|1|pending|"
		"396|",
		"66d5cc2e61eb4d8b|inet4|mta||x|b|c|1|1|0|1|pending|5|@here.example|b@a|b@a|1|1|0|1|"
		"pending|3|",
		ONE "b@a|b@a|99999999999999|1|0|1|pending|396|",
		ONE "b@a|b@a|-1|1|0|1|pending|396|",
		"66D5CC2E61EB4D8B|inet4|mta||@|b@a|b@a|1|1|0|1|pending|396|",
		"66d5cc2e|inet4|mta||@|b@a|b@a|1|1|0|1|pending|396|"};
	struct opensmtpd_listing l;
	struct queue_row row;

	(void)state;
	opensmtpd_listing_init(&l, NOW_MS);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(opensmtpd_listing_line(&l, str_of(bad[i]), &row), 0);
	assert_int_equal(l.bad, sizeof(bad) / sizeof(bad[0]));
	assert_int_equal(opensmtpd_listing_end(&l, &row), 0);
	assert_true(opensmtpd_is_msgid(STR_LIT("0123abcd")));
	assert_false(opensmtpd_is_msgid(STR_LIT("0123abcD")) ||
		     opensmtpd_is_msgid(STR_LIT("all")) || opensmtpd_is_msgid(STR_LIT("")));
	opensmtpd_listing_done(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages), cmocka_unit_test(test_hostile)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
