/* SPDX-License-Identifier: MIT */
/* test_join - messages joined from their lines, and what each line counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/store_fixture.h"

static void one_row_for_a_delivered_mail(void **state)
{
	struct fixture f;

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	put_client(&f, "A1", "203.0.113.5");
	put_mid(&f, "A1", "1@a.example");
	put_queued(&f, "A1", "Me@Here.example", 1);
	put_attempt(&f, "A1", "you@There.Example", STATUS_SENT);
	put_removed(&f, "A1");
	fixture_commit(&f);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM message"), 1);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM attempt"), 0);
	assert_int_equal(
		sql_int(&f, "SELECT count(*) FROM message m JOIN dict d ON d.id=m.a_dom "
			    "WHERE a_rcpt='you' AND d.text='there.example' AND end_ms IS NOT NULL"),
		1);
	assert_int_equal(
		sql_int(&f, "SELECT count(*) FROM message m JOIN dict d ON d.id=m.from_dom "
			    "WHERE from_local='Me' AND d.text='here.example' AND flags=0"),
		1);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_RECEIVED), 1);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_RECIPIENTS), 1);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_SENT), 1);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_FIRST_TRY), 1);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_LINES), 5);
	assert_int_equal(total(&f, DIM_DOMAIN, METRIC_SENT), 1);
	assert_int_equal(total(&f, DIM_SENDER, METRIC_RECEIVED), 1);
	assert_int_equal(total(&f, DIM_SERVICE, METRIC_RECEIVED), 1);
	assert_int_equal(total(&f, DIM_DELAY_D, METRIC_SENT), 1);
	assert_int_equal(sql_int(&f, "SELECT key FROM bucket WHERE dim=8 AND res=60"), 120);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_row_for_a_delivered_mail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
