/* SPDX-License-Identifier: MIT */
/* Queue ids, postqueue -j and -p rows (hostile ones too), the rules of retry and expiry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backends/postfix/queue_row.h"

#include <stdlib.h>

#define MINUTE_MS INT64_C(60000)
#define DAY_MS (1440 * MINUTE_MS)
#define MIN_BACKOFF_MS (5 * MINUTE_MS)
#define MAX_BACKOFF_MS INT64_C(4000000)

static void test_ids(void **state)
{
	static const char *const good[] = {
		"4jYRht5SfXz1bYWS", "A1B2C3", "0123456789ABCDEF", "D4F2023DB", "3zzzzz0000z0"};
	static const char *const bad[] = {"", "ALL", "-", "a1b2c3", "A1B2C", "A1B2C3 ", "A1B2C3\n",
		"../../etc/x", "4jYRht5SfXzzAE!", "4jYRht5SfXz", "4jYRht5SfXa1bYWS",
		"0123456789ABCDEF0123456", "-d", "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz1"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(queue_id_ok(str_of(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(queue_id_ok(str_of(bad[i])));
	assert_false(queue_id_ok(str_make("A1B2\0C3", 7)));
}

static void test_hash(void **state)
{
	char hash[QUEUE_HASH_MAX];

	(void)state;
	assert_true(queue_id_hash(STR_LIT("4jYRht5SfXz1bYWS"), hash));
	assert_memory_equal(hash, "B", 1); /* where a real Postfix 3.7 put this very id */
	assert_true(queue_id_hash(STR_LIT("D4F2023DB"), hash));
	assert_memory_equal(hash, "D4F20", 5);
	assert_false(queue_id_hash(STR_LIT("../../x"), hash));
	assert_false(queue_id_hash(
		STR_LIT("4jYRhtzzzzz1bYWS"), hash)); /* over a second of microseconds */
}

/* Parses a copy on the heap of exactly the line's size, so that ASan sees a byte read past it. */
static int parse(const char *line, size_t n, struct queue_rcpts *rcpts, struct queue_row *row,
	char **ret_copy)
{
	*ret_copy = malloc(n + !n);
	assert_non_null(*ret_copy);
	memcpy(*ret_copy, line, n);
	return queue_json_row(*ret_copy, n, rcpts, row);
}

static const char whole[] =
	"{\"queue_name\": \"deferred\", \"queue_id\": \"4jYRht5SfXz1bYWS\", \"arrival_time\": "
	"1795487662, "
	"\"message_size\": 318, \"forced_expire\": true, \"sender\": \"a\\\"b@example.test\", "
	"\"new_member\": [{\"x\": [1.5e3, null, \"]\"]}, -2], \"recipients\": "
	"[{\"address\": \"u@soft.test\", \"orig_address\": \"U@soft.test\", \"delay_reason\": "
	"\"said: 450 4.2.2 full\"}, "
	"{\"address\": \"\\u00e9\\ud83d\\ude00\\t@x\"}]}";

static void test_json_row(void **state)
{
	struct queue_rcpts rcpts = {0};
	struct queue_row row = {0};
	char *copy;

	(void)state;
	assert_int_equal(parse(whole, sizeof(whole) - 1, &rcpts, &row, &copy), 0);
	assert_true(str_eq(row.qid, STR_LIT("4jYRht5SfXz1bYWS")));
	assert_int_equal(row.queue, QUEUE_DEFERRED);
	assert_int_equal(row.arrival_ms, INT64_C(1795487662000));
	assert_int_equal(row.size_bytes, 318);
	assert_true(row.forced_expire);
	assert_true(str_eq(row.sender, STR_LIT("a\"b@example.test")));
	assert_int_equal(row.nrcpt, 2);
	assert_true(str_eq(row.rcpt[0], STR_LIT("u@soft.test")));
	assert_true(str_eq(row.reason[0], STR_LIT("said: 450 4.2.2 full")));
	assert_true(str_eq(row.rcpt[1], STR_LIT("\xc3\xa9\xf0\x9f\x98\x80\t@x")));
	assert_false(str_present(row.reason[1]));
	assert_int_equal(row.next_retry_ms, EVENT_UNKNOWN);
	free(copy);
	queue_rcpts_done(&rcpts);
}

/* Every prefix of a row, as a child that dies leaves it: refused, never read past, never half a row. */
static void test_json_cut(void **state)
{
	struct queue_rcpts rcpts = {0};
	struct queue_row row = {0};

	(void)state;
	for (size_t n = 0; n < sizeof(whole) - 1; n++) {
		char *copy;

		assert_int_equal(parse(whole, n, &rcpts, &row, &copy), MT_EINVAL);
		free(copy);
	}
	queue_rcpts_done(&rcpts);
}

#define HEAD "{\"queue_id\": \"A1B2C3D4E5\", \"arrival_time\": 5, \"queue_name\": \"hold\""

static void test_json_hostile(void **state)
{
	static const struct {
		const char *line;
		int want;
	} cases[] = {{HEAD "}", 0}, {HEAD ", \"sender\": \"\xff\xc2\x9b\xed\xa0\x80\x1b[31m\"}", 0},
		{HEAD ", \"sender\": \"\\ud800\"}", 0}, {HEAD ", \"sender\": \"\\u0000\"}", 0},
		{HEAD ",}", MT_EINVAL}, {HEAD "} x", MT_EINVAL}, {HEAD "}{}", MT_EINVAL},
		{HEAD ", \"sender\": null}", MT_EINVAL},
		{HEAD ", \"arrival_time\": -1}", MT_EINVAL},
		{HEAD ", \"arrival_time\": 1e9}", MT_EINVAL},
		{HEAD ", \"arrival_time\": 99999999999999999999}", MT_EINVAL},
		{HEAD ", \"arrival_time\": \"5\"}", MT_EINVAL},
		{HEAD ", \"message_size\": -5}", MT_EINVAL},
		{HEAD ", \"queue_name\": \"../x\"}", MT_EINVAL},
		{HEAD ", \"queue_id\": \"ALL\"}", MT_EINVAL},
		{HEAD ", \"queue_id\": \"-d\\nALL\"}", MT_EINVAL},
		{HEAD ", \"recipients\": {}}", MT_EINVAL},
		{HEAD ", \"recipients\": [{}]}", MT_EINVAL}, {HEAD ", \"recipients\": []}", 0},
		{HEAD ", \"sender\": \"\\q\"}", MT_EINVAL},
		{HEAD ", \"sender\": \"\\u12g4\"}", MT_EINVAL}, {HEAD ", \"x\": ]}", MT_EINVAL},
		{HEAD ", \"x\":}", MT_EINVAL}, {"[]", MT_EINVAL}, {"null", MT_EINVAL},
		{"{}", MT_EINVAL},
		{"{\"queue_id\": \"A1B2C3D4E5\", \"queue_name\": \"hold\"}", MT_EINVAL},
		{"{\"arrival_time\": 5, \"queue_name\": \"hold\"}", MT_EINVAL},
		{"{\"queue_id\": \"A1B2C3D4E5\", \"arrival_time\": 5}", MT_EINVAL}};
	struct queue_rcpts rcpts = {0};
	struct queue_row row = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *copy;
		int rc = parse(cases[i].line, strlen(cases[i].line), &rcpts, &row, &copy);

		if (rc != cases[i].want)
			fail_msg("case %zu: %d", i, rc);
		free(copy);
	}
	queue_rcpts_done(&rcpts);
}

static void test_json_raw_bytes(void **state)
{
	static const char line[] = HEAD ", \"sender\": \"\xff\xc2\x9b\xed\xa0\x80\\u0000\\ud800\"}";
	struct queue_rcpts rcpts = {0};
	struct queue_row row = {0};
	char *copy;

	(void)state;
	assert_int_equal(parse(line, sizeof(line) - 1, &rcpts, &row, &copy), 0);
	assert_true(str_eq(row.sender, str_make("\xff\xc2\x9b\xed\xa0\x80\0\xed\xa0\x80", 10)));
	assert_int_equal(row.size_bytes, EVENT_UNKNOWN); /* not given is unknown, not 0 */
	assert_int_equal(row.queue, QUEUE_HOLD);
	free(copy);
	queue_rcpts_done(&rcpts);
}

static void test_json_depth(void **state)
{
	struct queue_rcpts rcpts = {0};
	struct queue_row row = {0};
	struct buf line;

	(void)state;
	buf_init(&line, 1u << 21);
	assert_int_equal(buf_add_z(&line, HEAD ", \"x\": "), 0);
	for (int i = 0; i < 1000000; i++)
		assert_int_equal(buf_add_char(&line, '['), 0);
	assert_int_equal(queue_json_row(line.p, line.n, &rcpts, &row), MT_EINVAL);
	buf_done(&line);
	queue_rcpts_done(&rcpts);
}

static void test_json_many_recipients(void **state)
{
	struct queue_rcpts rcpts = {0};
	struct queue_row row = {0};
	struct buf line;

	(void)state;
	buf_init(&line, 1u << 24);
	assert_int_equal(buf_add_z(&line, HEAD ", \"recipients\": ["), 0);
	for (int i = 0; i < 50000; i++)
		assert_int_equal(
			buf_printf(&line,
				"%s{\"address\": \"user%d@d.test\", \"delay_reason\": \"r%d\"}",
				i ? ", " : "", i, i % 7),
			0);
	assert_int_equal(buf_add_z(&line, "]}"), 0);
	assert_int_equal(queue_json_row(line.p, line.n, &rcpts, &row), 0);
	assert_int_equal(row.nrcpt, 50000);
	assert_true(str_eq(row.rcpt[49999], STR_LIT("user49999@d.test")));
	assert_true(str_eq(row.reason[49999], STR_LIT("r5")));
	buf_done(&line);
	queue_rcpts_done(&rcpts);
}

/* ---- postqueue -p */

struct seen {
	struct buf text;
	int rows;
};

static void feed(struct queue_text *t, const char *text, struct seen *seen)
{
	struct str in = str_of(text);

	while (in.n > 0) {
		struct str line = str_first(in, str_find_char(in, '\n'));
		int rc = queue_text_line(t, line);

		in = str_skip(in, line.n + 1);
		assert_true(rc >= 0);
		if (rc == 0)
			continue;
		seen->rows++;
		assert_int_equal(
			buf_printf(&seen->text, "%.*s %s %lld %lld <%.*s>%s", STR_ARG(t->row.qid),
				queue_name_text(t->row.queue), (long long)t->row.size_bytes,
				(long long)t->row.arrival_ms, STR_ARG(t->row.sender),
				t->row.forced_expire ? " expire" : ""),
			0);
		for (size_t i = 0; i < t->row.nrcpt; i++)
			assert_int_equal(
				buf_printf(&seen->text, " %.*s(%.*s)", STR_ARG(t->row.rcpt[i]),
					STR_ARG(t->row.reason[i])),
				0);
		assert_int_equal(buf_add_char(&seen->text, '\n'), 0);
	}
}

#define NOW_MS INT64_C(1767268800000) /* 2026-01-01T12:00:00Z */

static const char listing[] =
	"-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------\n"
	"A1B2C3D4E5*     318 Thu Jan  1 11:00:00 a@example.test\n"
	"                                         u2@soft.test\n"
	"\n"
	"A1B2C3D4E6!     319 Wed Dec 31 23:59:59 MAILER-DAEMON\n"
	"(host mx.test[10.0.0.1] said: 450 4.2.2 full (in reply to RCPT TO command))\n"
	"                                         u3@soft.test\n"
	"                                         v@soft.test\n"
	"              (connect to x.test[10.0.0.2]:25: Connection refused)\n"
	"                                         w@x.test\n"
	"\n"
	"4jYRht5SfXz1bYWS# 123456789 Thu Jan  1 11:00:01 b c@example.test\n"
	"(why)\n"
	"                                         u@x.test\n"
	"\n"
	"A1B2C3D4E8     20 Thu Jan  1 11:00:02 d@example.test\n"
	"                                         u@y.test\n"
	"\n"
	"-- 1 Kbytes in 4 Requests.\n";

static void test_text(void **state)
{
	struct queue_text t;
	struct seen seen = {.rows = 0};

	(void)state;
	buf_init(&seen.text, 10000);
	queue_text_init(&t, NOW_MS, "UTC");
	feed(&t, listing, &seen);
	assert_string_equal(buf_z(&seen.text),
		"A1B2C3D4E5 active 318 1767265200000 <a@example.test> u2@soft.test()\n"
		"A1B2C3D4E6 hold 319 1767225599000 <MAILER-DAEMON>"
		" u3@soft.test(host mx.test[10.0.0.1] said: 450 4.2.2 full (in reply to RCPT TO "
		"command))"
		" v@soft.test(host mx.test[10.0.0.1] said: 450 4.2.2 full (in reply to RCPT TO "
		"command))"
		" w@x.test(connect to x.test[10.0.0.2]:25: Connection refused)\n"
		"4jYRht5SfXz1bYWS deferred 123456789 1767265201000 <b c@example.test> expire "
		"u@x.test(why)\n"
		"A1B2C3D4E8 incoming 20 1767265202000 <d@example.test> u@y.test()\n");
	assert_int_equal(seen.rows, 4);
	assert_int_equal(t.bad, 0);
	assert_true(t.ended);
	queue_text_done(&t);
	buf_done(&seen.text);
}

static void test_text_hostile(void **state)
{
	struct queue_text t;
	struct seen seen = {.rows = 0};

	(void)state;
	buf_init(&seen.text, 10000);
	queue_text_init(&t, NOW_MS, "UTC");
	feed(&t,
		"A1B2C3D4E5 318\nA1B2C3D4E5 x Thu Jan  1 11:00:00 a\nALL 5 Thu Jan  1 11:00:00 a\n"
		"A1B2C3D4E5 99999999999999999999 Thu Jan  1 11:00:00 a\nA1B2C3D4E5 5 Thu Jan 99 "
		"11:00:00 a\n"
		"A1B2C3D4E5 5 Thu Jan  1 11:00:00\nA1B2C3D4E5 5\nA1B2C3D4E5\n(\n)\n\x1b[31m\n",
		&seen);
	assert_int_equal(seen.rows, 0);
	assert_int_equal(t.bad, 11);
	assert_false(t.ended);
	feed(&t, "A1B2C3D4E5      318 Thu Jan  1 11:00:00 a@b\n                 (\n", &seen);
	assert_int_equal(seen.rows, 0); /* cut: no empty line yet, so no row */
	queue_text_done(&t);
	buf_done(&seen.text);
}

static void test_text_empty(void **state)
{
	struct queue_text t;
	struct seen seen = {.rows = 0};

	(void)state;
	queue_text_init(&t, NOW_MS, "UTC");
	feed(&t, "Mail queue is empty\n", &seen);
	assert_true(t.ended);
	assert_int_equal(t.bad, 0);
	queue_text_done(&t);
}

/* ---- the rules */

static void test_retry(void **state)
{
	static const struct {
		int64_t age_s, want_age_s;
	} cases[] = {{0, 300}, {299, 300}, {300, 600}, {599, 600}, {600, 1200}, {1200, 2400},
		{2399, 2400}, {2400, 4800}, {4799, 4800}, {4800, 8800}, {8799, 8800}, {8800, 12800},
		{-100, 0}};
	struct postfix_config c;

	(void)state;
	postfix_config_init(&c, "/etc/postfix");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(queue_retry_estimate(NOW_MS, NOW_MS + cases[i].age_s * 1000,
					 MIN_BACKOFF_MS, MAX_BACKOFF_MS),
			NOW_MS + cases[i].want_age_s * 1000);
	/* a year old: at once, and never further away than the upper bound */
	for (int64_t late = 0; late < 50; late++) {
		int64_t now = NOW_MS + 365 * DAY_MS + late * 100000,
			next = queue_retry_estimate(NOW_MS, now, MIN_BACKOFF_MS, MAX_BACKOFF_MS);

		assert_true(next > now && next <= now + MAX_BACKOFF_MS);
	}
	/* the lower bound above the upper one wins, as in qmgr */
	assert_int_equal(queue_retry_estimate(0, 1, 900000, 300000), 900000);
	assert_int_equal(queue_retry_estimate(0, 900000, 900000, 300000), 1800000);
	assert_int_equal(queue_retry_estimate(0, 1, EVENT_UNKNOWN, 5), EVENT_UNKNOWN);
	assert_int_equal(queue_retry_estimate(0, 1, 0, 0), EVENT_UNKNOWN);
	postfix_config_done(&c);
}

static void test_expiry(void **state)
{
	struct postfix_config c;
	struct queue_row row = {
		.arrival_ms = NOW_MS, .queue = QUEUE_DEFERRED, .sender = STR_LIT("a@b")};

	(void)state;
	postfix_config_init(&c, "/etc/postfix");
	assert_int_equal(queue_expiry(&c, &row), EVENT_UNKNOWN);
	postfix_config_parse(
		&c, STR_LIT("maximal_queue_lifetime = 5d\nbounce_queue_lifetime = 1d\n"));
	assert_int_equal(queue_expiry(&c, &row), NOW_MS + 5 * DAY_MS);
	row.sender = STR_LIT("");
	assert_int_equal(queue_expiry(&c, &row), NOW_MS + DAY_MS);
	row.queue = QUEUE_HOLD;
	assert_int_equal(queue_expiry(&c, &row), EVENT_UNKNOWN);
	row.queue = QUEUE_ACTIVE;
	row.sender = (struct str){0}; /* not known whose: not known when */
	assert_int_equal(queue_expiry(&c, &row), EVENT_UNKNOWN);
	postfix_config_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_json_row),
		cmocka_unit_test(test_json_cut),
		cmocka_unit_test(test_json_hostile),
		cmocka_unit_test(test_json_raw_bytes),
		cmocka_unit_test(test_json_depth),
		cmocka_unit_test(test_json_many_recipients),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_text_hostile),
		cmocka_unit_test(test_text_empty),
		cmocka_unit_test(test_retry),
		cmocka_unit_test(test_expiry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
