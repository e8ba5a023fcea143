/* SPDX-License-Identifier: MIT */
/* test_ports - stock service names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/event.h"
#include "store/ports.h"

static void test_stock(void **state)
{
	static const struct {
		const char *tag;
		int32_t port;
		int wrapper;
	} cases[] = {
		{"postfix/smtpd", 25, 0},
		{"smtpd", 25, 0},
		{"postfix-out/smtpd", 25, 0},
		{"postfix/postscreen", 25, 0},
		{"postfix/submission/smtpd", 587, 0},
		{"postfix-in/submissions/smtpd", 465, 1},
		{"postfix/smtps/smtpd", 465, 1},
		{"postfix/10025/smtpd", 10025, -1},
		{"postfix/127.0.0.1:10025/smtpd", 10025, -1},
		{"postfix-in/[::1]:2525/smtpd", 2525, -1},
		{"postfix/0/smtpd", -1, -1},
		{"postfix/65536/smtpd", -1, -1},
		{"postfix/10025x/smtpd", -1, -1},
		{"postfix/10025/cleanup", -1, -1},
		{"postfix/reinject/smtpd", -1, -1},
		{"postfix/smtp", -1, -1},
		{"postfix/pickup", -1, -1},
		{"", -1, -1},
		{"/", -1, -1},
		{"//smtpd", 25, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int wrapper = 7;

		assert_int_equal(ports_stock(str_of(cases[i].tag), &wrapper), cases[i].port);
		assert_int_equal(wrapper, cases[i].wrapper);
		assert_int_equal(ports_stock(str_of(cases[i].tag), NULL), cases[i].port);
	}
}

static void test_listens(void **state)
{
	(void)state;
	assert_true(ports_listens(STR_LIT("postfix/smtpd")));
	assert_true(ports_listens(STR_LIT("postfix/10025/smtpd")));
	assert_true(ports_listens(STR_LIT("postfix/postscreen")));
	assert_false(ports_listens(STR_LIT("postfix/cleanup")));
	assert_false(ports_listens(STR_LIT("postfix/pickup")));
	assert_false(ports_listens(STR_LIT("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stock), cmocka_unit_test(test_listens)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
