/* SPDX-License-Identifier: MIT */
/*
 * test_sendgrid_walk - what is asked: requests to the letter; slices of the email logs against a made-up log of which every
 * answer holds the limit at most, so that none is left out, none asked for ever; days added up over subusers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backends/sendgrid/request.h"
#include "backends/sendgrid/slices.h"
#include "backends/sendgrid/daily.h"

#include <stdlib.h>
#include <string.h>

#define NOW_S INT64_C(1767323045) /* 2026-01-02 03:04:05 UTC */
#define LIMIT 1000

static void check_request(
	const struct sendgrid_want *w, const char *method, const char *target, const char *body)
{
	struct buf t, b;

	buf_init(&t, 4096);
	buf_init(&b, 4096);
	assert_string_equal(sendgrid_request(w, &t, &b), method);
	assert_string_equal(buf_z(&t), target);
	assert_string_equal(buf_z(&b), body);
	buf_done(&t);
	buf_done(&b);
}

static void requests_to_the_letter(void **state)
{
	struct sendgrid_want w = {.endpoint = SENDGRID_STATS,
		.first_day = 20454,
		.last_day = 20455,
		.subuser_id = EVENT_UNKNOWN};

	(void)state;
	check_request(&w, "GET",
		"/v3/"
		"stats?start_date=2026-01-01&end_date=2026-01-02&aggregated_by=day&limit=500&"
		"offset=0",
		"");
	w.endpoint = SENDGRID_CATEGORIES;
	w.offset = 500;
	check_request(&w, "GET",
		"/v3/categories/stats/"
		"sums?start_date=2026-01-01&end_date=2026-01-02&limit=500&offset=500",
		"");
	w.endpoint = SENDGRID_BOUNCES;
	check_request(&w, "GET", "/v3/suppression/bounces?limit=500&offset=500", "");
	w.since_s = 1250337600;
	check_request(&w, "GET",
		"/v3/suppression/bounces?start_time=1250337600&limit=500&offset=500", "");
	w.endpoint = SENDGRID_LOGS;
	w.from_s = NOW_S;
	w.to_s = NOW_S + 60;
	check_request(&w, "POST", "/v3/logs",
		"{\"query\":\"status IN ('bounced','blocked','deferred','dropped') AND "
		"sg_message_id_created_at >= TIMESTAMP \\\"2026-01-02T03:04:05Z\\\" AND "
		"sg_message_id_created_at < TIMESTAMP "
		"\\\"2026-01-02T03:05:05Z\\\"\",\"limit\":1000}");
	w.all_states = true;
	w.subuser_id = 77;
	check_request(&w, "POST", "/v3/logs",
		"{\"query\":\"sg_message_id_created_at >= TIMESTAMP \\\"2026-01-02T03:04:05Z\\\" "
		"AND "
		"sg_message_id_created_at < TIMESTAMP "
		"\\\"2026-01-02T03:05:05Z\\\"\",\"limit\":1000,"
		"\"subusers\":[\"77\"]}");
	w.endpoint = SENDGRID_LOG;
	w.id = STR_LIT("a/../b?c\x1b");
	check_request(&w, "GET", "/v3/logs/a%2F..%2Fb%3Fc%1B", "");
	w.endpoint = SENDGRID_MESSAGES;
	w.all_states = false;
	check_request(&w, "GET",
		"/v3/"
		"messages?limit=1000&query=status%3D%22not_delivered%22%20AND%20last_event_time%"
		"20BETWEEN%20"
		"TIMESTAMP%20%222026-01-02T03%3A04%3A05Z%22%20AND%20TIMESTAMP%20%222026-01-02T03%"
		"3A05%3A05Z%22",
		"");
}

static void removals_to_the_letter(void **state)
{
	struct buf t;

	(void)state;
	buf_init(&t, 4096);
	assert_true(sendgrid_removal(API_LIST_BOUNCES, STR_LIT("a+b@x.example"), &t));
	assert_string_equal(buf_z(&t), "/v3/suppression/bounces/a%2Bb%40x.example");
	assert_true(sendgrid_removal(API_LIST_UNSUBSCRIBES, STR_LIT("a@x"), &t));
	assert_string_equal(buf_z(&t), "/v3/asm/suppressions/global/a%40x");
	assert_false(sendgrid_removal(API_LIST_ALLOW, STR_LIT("a@x"), &t));
	assert_false(sendgrid_removal(API_LIST_IPS, STR_LIT("a@x"), &t));
	assert_false(sendgrid_removal(API_LIST_BOUNCES, STR_LIT(""), &t));
	buf_done(&t);
}

/* A log: how many messages were created in each second of the last 4 days. */
struct log {
	unsigned *count;
	unsigned char *seen; /* how often each second was had whole */
	int64_t first_s, n;
	unsigned requests;
};

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223; /* Numerical Recipes' generator */
	return *seed >> 8;
}

static void log_make(struct log *l, unsigned usual, int64_t crowded_s, unsigned crowd)
{
	uint32_t seed = 7;

	l->n = 4 * 86400;
	l->first_s = NOW_S - l->n;
	l->count = calloc((size_t)l->n, sizeof(l->count[0]));
	l->seen = calloc((size_t)l->n, 1);
	l->requests = 0;
	assert_non_null(l->count);
	assert_non_null(l->seen);
	for (int64_t i = 0; i < l->n; i++)
		l->count[i] = usual ? next_random(&seed) % (2 * usual) : 0;
	if (crowd)
		l->count[crowded_s - l->first_s] = crowd;
}

/* round - one round as the source makes it; each answer has LIMIT rows at most. */
static void do_round(struct log *l, struct slices *s, int64_t now_s)
{
	int64_t from, to;

	slices_begin(s, now_s);
	while (slices_next(s, now_s, &from, &to)) {
		uint64_t rows = 0;

		assert_true(from < to);
		assert_true(l->requests++ < 100000);
		for (int64_t t = from; t < to && t < now_s; t++)
			rows += t >= l->first_s ? l->count[t - l->first_s] : 0;
		if (rows < LIMIT || to - from == 1)
			for (int64_t t = from; t < to && t < now_s; t++)
				if (t >= l->first_s)
					l->seen[t - l->first_s]++;
		slices_answered(s, to, rows < LIMIT ? rows : LIMIT, LIMIT);
	}
}

static void every_second_is_had(void **state)
{
	struct slices s;
	struct log l;

	(void)state;
	log_make(&l, 3, 0, 0); /* a million messages */
	slices_init(&s, l.first_s, 0);
	do_round(&l, &s, NOW_S);
	for (int64_t i = 0; i < l.n; i++)
		assert_true(l.seen[i] >= 1);
	assert_int_equal(s.truncated, 0);
	assert_in_range(s.done_s, NOW_S, NOW_S + 1);
	assert_in_range(l.requests, 1000, 3000); /* of 1,036 that would do */
	free(l.count);
	free(l.seen);
}

/* The status of a message changes: the last 72 hours are had again within SLICES_AGAIN_ROUNDS rounds, and no older one. */
static void the_last_72_hours_are_had_again(void **state)
{
	struct slices s;
	struct log l;

	(void)state;
	log_make(&l, 0, 0, 0);
	slices_init(&s, l.first_s, NOW_S - 60);
	for (int i = 0; i <= SLICES_AGAIN_ROUNDS; i++)
		do_round(&l, &s, NOW_S);
	for (int64_t i = 0; i < l.n; i++) {
		bool recent = i >= l.n - SLICES_AGAIN_S;

		if (recent ? l.seen[i] < 1 : l.seen[i] != 0)
			fail_msg("second %lld of %lld: %d times", (long long)i, (long long)l.n,
				l.seen[i]);
	}
	free(l.count);
	free(l.seen);
}

/* Trap 20: a second with more messages than an answer holds is told, and passed. */
static void a_second_too_full_is_told(void **state)
{
	struct slices s;
	struct log l;

	(void)state;
	log_make(&l, 1, NOW_S - 5000, 4000);
	slices_init(&s, l.first_s, NOW_S - 7200);
	do_round(&l, &s, NOW_S);
	assert_int_equal(s.truncated, 1);
	assert_true(l.requests < 200);
	free(l.count);
	free(l.seen);
}

static struct sendgrid_counts day(int64_t number, const char *key, int64_t sent, int64_t opens)
{
	struct sendgrid_counts c = {.dim = key ? DIM_MAILBOX : DIM_TOTAL, .day = number, .n = 1};

	c.key = str_of(key);
	c.figures[0] = (struct api_figure){METRIC_SENT, sent};
	if (opens >= 0)
		c.figures[c.n++] = (struct api_figure){METRIC_OPENS, opens};
	return c;
}

static void sums_refuse_no_row_and_are_bounded(void **state)
{
	struct daily s;
	struct mt_error error = {0};
	struct sendgrid_counts c;
	int rc = 0;

	(void)state;
	daily_init(&s);
	c = day(3, "b", 5, 1);
	assert_int_equal(daily_add(&s, &c, &error), 0);
	c = day(3, "a", 1, -1);
	assert_int_equal(daily_add(&s, &c, &error), 0);
	c = day(3, "b", 7, 2);
	assert_int_equal(daily_add(&s, &c, &error), 0);
	assert_int_equal(s.n, 2);
	daily_answer(&s, 2, 5);
	daily_answer(&s, 3,
		6); /* an answer that came after midnight: the day both know ends the round */
	assert_true(s.first_day == 3 && s.last_day == 5 && s.answers == 2);
	assert_int_equal(s.metrics, UINT64_C(1) << METRIC_SENT | UINT64_C(1) << METRIC_OPENS);
	for (int64_t i = 0; i < DAILY_ROWS_MAX + 1 && rc == 0; i++) {
		c = day(i + 10, "c", 1, 1);
		rc = daily_add(&s, &c, &error);
	}
	assert_int_equal(rc, MT_ELIMIT);
	daily_clear(&s);
	assert_true(s.n == 0 && s.last_day == INT64_MAX);
	daily_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_to_the_letter),
		cmocka_unit_test(removals_to_the_letter),
		cmocka_unit_test(every_second_is_had),
		cmocka_unit_test(the_last_72_hours_are_had_again),
		cmocka_unit_test(a_second_too_full_is_told),
		cmocka_unit_test(sums_refuse_no_row_and_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
