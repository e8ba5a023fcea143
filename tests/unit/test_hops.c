/* SPDX-License-Identifier: MIT */
/*
 * test_hops - messages whose id lasts from server to server (Exchange's network-message-id): each counts once, however many of
 * their servers' logs are read and in which order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/store_fixture.h"

#define ID "11111111-0000-4000-8000-000000000001"

static void put_at(struct fixture *f, struct event e, int64_t after_ms)
{
	e.t_utc_ms = T0_MS + after_ms;
	e.queue_id = STR_LIT(ID);
	e.lasting_id = e.settles = e.runless = true;
	put(f, &e);
}

/* An arrival as the parser tells it: received, message-id, queued. */
static void arrive(struct fixture *f, int64_t after_ms, int32_t nrcpt)
{
	struct event e;

	event_init(&e);
	e.service = e.process = STR_LIT("exchange");
	e.from = STR_LIT("a@b.example");
	e.message_id = STR_LIT("1@b.example");
	e.nrcpt = nrcpt;
	e.kind = EVENT_RECEIVED;
	put_at(f, e, after_ms);
	e.kind = EVENT_MESSAGE_ID;
	put_at(f, e, after_ms);
	e.kind = EVENT_QUEUED;
	put_at(f, e, after_ms);
}

static void expand(struct fixture *f, int64_t after_ms, int32_t more)
{
	struct event e;

	event_init(&e);
	e.kind = EVENT_QUEUED;
	e.more_rcpt = more;
	put_at(f, e, after_ms);
}

static void outcome(
	struct fixture *f, int64_t after_ms, const char *to, enum event_status status, int32_t hop)
{
	struct event e = attempt_of(ID, to, status);

	e.hop = hop > 0;
	e.nrcpt = hop;
	put_at(f, e, after_ms);
}

static void expect(struct fixture *f, int64_t received, int64_t recipients, int64_t sent,
	int64_t handed, int64_t open)
{
	fixture_commit(f);
	assert_int_equal(total(f, DIM_TOTAL, METRIC_RECEIVED), received);
	assert_int_equal(total(f, DIM_TOTAL, METRIC_RECIPIENTS), recipients);
	assert_int_equal(total(f, DIM_TOTAL, METRIC_SENT), sent);
	assert_int_equal(total(f, DIM_TOTAL, METRIC_HANDED_OVER), handed);
	assert_int_equal(sql_int(f, "SELECT count(*) FROM message WHERE end_ms IS NULL"), open);
	fixture_end(f);
}

static void start(struct fixture *f)
{
	fixture_begin(f);
	fixture_open(f);
}

static void two_servers_one_message(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	arrive(&f, 0, 2);
	outcome(&f, 10, "x@c.example", STATUS_SENT, 2);
	outcome(&f, 10, "y@c.example", STATUS_SENT, 2);
	arrive(&f, 12, 2); /* it has left the first one */
	outcome(&f, 20, "x@c.example", STATUS_SENT, 0);
	outcome(&f, 21, "y@c.example", STATUS_SENT, 0);
	expect(&f, 1, 2, 2, 2, 0);
}

static void delivery_read_before_its_hand_over(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	arrive(&f, 0, 3);
	outcome(&f, 10, "x@c.example", STATUS_SENT, 0);
	outcome(&f, 11, "x@c.example", STATUS_SENT, 1); /* says the same */
	outcome(&f, 12, "y@c.example", STATUS_BOUNCED, 0);
	expect(&f, 1, 3, 1, 1, 1); /* the third is still to come */
}

static void handed_to_a_server_that_is_not_read(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	arrive(&f, 0, 2);
	outcome(&f, 10, "x@c.example", STATUS_SENT, 2);
	outcome(&f, 10, "y@c.example", STATUS_SENT, 2);
	expect(&f, 1, 2, 0, 2, 0);
}

static void outcome_read_before_the_arrival(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	outcome(&f, 20, "x@c.example", STATUS_SENT, 0);
	fixture_commit(&f);
	arrive(&f, 0, 2);
	fixture_commit(&f);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM message WHERE end_ms IS NULL"), 1);
	outcome(&f, 30, "y@c.example", STATUS_SENT, 0);
	expect(&f, 1, 2, 2, 0, 0);
}

static void outcome_and_further_server_read_first(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	outcome(&f, 20, "x@c.example", STATUS_SENT, 0);
	arrive(&f, 12, 1); /* at the further server: one had failed before */
	arrive(&f, 0, 2);
	outcome(&f, 5, "y@c.example", STATUS_BOUNCED, 0);
	arrive(&f, 8, 1); /* one in between changes nothing */
	expect(&f, 1, 2, 1, 0, 0);
}

static void a_group_becomes_its_members(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	arrive(&f, 0, 1);
	expand(&f, 1, 2);
	outcome(&f, 2, "x@c.example", STATUS_SENT, 0);
	outcome(&f, 3, "y@c.example", STATUS_SENT, 0);
	fixture_commit(&f);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM message WHERE end_ms IS NULL"), 1);
	outcome(&f, 4, "z@c.example", STATUS_SENT, 0);
	expect(&f, 1, 3, 3, 0, 0);
}

static void known_again_after_a_restart(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	arrive(&f, 0, 1);
	outcome(&f, 10, "x@c.example", STATUS_SENT, 1);
	fixture_commit(&f);
	fixture_reopen(&f);
	arrive(&f, 12, 1);
	outcome(&f, 20, "x@c.example", STATUS_SENT, 0);
	expect(&f, 1, 1, 1, 1, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(two_servers_one_message),
		cmocka_unit_test(delivery_read_before_its_hand_over),
		cmocka_unit_test(handed_to_a_server_that_is_not_read),
		cmocka_unit_test(outcome_read_before_the_arrival),
		cmocka_unit_test(outcome_and_further_server_read_first),
		cmocka_unit_test(a_group_becomes_its_members),
		cmocka_unit_test(known_again_after_a_restart)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
