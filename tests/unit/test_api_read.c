/* SPDX-License-Identifier: MIT */
/* test_api_read - what the reader makes of vendors' counters and lists: whole slots, unknown outside what was asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/store_api.h"
#include "store/store_read.h"
#include "tests/unit/store_fixture.h"

#define S (T0_MS / 1000)
#define H 3600
#define DAY 86400
#define ZONE (7 * H) /* the vendor's midnight, UTC */
#define BIT(m) (UINT64_C(1) << METRIC_##m)
#define ASKED (BIT(SENT) | BIT(BOUNCED) | BIT(COMPLAINTS))

/* A Postfix, a Mailgun (hours 0..9 of the day, 10 an hour) and a SendGrid (two days, 1000 and 30). now: 09:30. */
struct bed {
	struct fixture f;
	struct reader *r;
	struct arena arena;
	int postfix, mailgun, sendgrid;
};

static int add_provider(struct bed *b, const char *name, int finest_s)
{
	struct api_provider p = {.finest_bucket_s = finest_s};
	struct mt_error error = {0};
	int id;

	must(store_provider(b->f.store, name, name, NULL, &id, &error), &error, "provider");
	must(store_api_provider(b->f.store, id, &p, &error), &error, "api");
	return id;
}

static void cover(struct bed *b, int provider, int64_t from_s, int64_t to_s, int64_t at_s)
{
	struct mt_error error = {0};
	struct api_cover c = {.dim = DIM_TOTAL,
		.from_s = from_s,
		.to_s = to_s,
		.metrics = ASKED,
		.fetched_ms = at_s * 1000};

	must(store_api_covered(b->f.store, provider, &c, &error), &error, "cover");
}

static void count(struct bed *b, int provider, int64_t start_s, int64_t length_s, int64_t sent)
{
	struct mt_error error = {0};
	struct api_slot slot = {.dim = DIM_TOTAL, .start_s = start_s, .length_s = length_s};
	struct api_figure figures[] = {{METRIC_SENT, sent}, {METRIC_COMPLAINTS, 1}};

	must(store_api_counts(b->f.store, provider, &slot, figures, 2, &error), &error, "count");
}

static void look(struct bed *b)
{
	struct mt_error error = {0};

	fixture_commit(&b->f);
	if (b->r)
		reader_end(b->r);
	else
		must(reader_open(b->f.path, &b->r, &error), &error, "reader_open");
	must(reader_begin(b->r, &error), &error, "reader_begin");
}

static void bed_begin(struct bed *b)
{
	*b = (struct bed){0};
	fixture_begin(&b->f);
	fixture_open(&b->f);
	arena_init(&b->arena, 64u << 20);
	b->postfix = b->f.provider;
	b->f.t_ms = T0_MS + 5 * 60000;
	put_client(&b->f, "A1", "192.0.2.9");
	put_queued(&b->f, "A1", "a@b.example", 1);
	put_attempt(&b->f, "A1", "x@y.example", STATUS_SENT);
	b->f.t_ms = T0_MS + (9 * H + 1750) * 1000LL;
	put_removed(&b->f, "A1");
	b->mailgun = add_provider(b, "mailgun", H);
	cover(b, b->mailgun, S, S + 10 * H, S + 9 * H + 1800);
	for (int i = 0; i < 10; i++)
		if (i != 4)
			count(b, b->mailgun, S + i * H, H, 10);
	b->sendgrid = add_provider(b, "sendgrid", DAY);
	cover(b, b->sendgrid, S - 2 * DAY + ZONE, S + ZONE + DAY, S + 9 * H + 1800);
	count(b, b->sendgrid, S - DAY + ZONE, DAY, 1000);
	count(b, b->sendgrid, S + ZONE, DAY, 30);
	look(b);
}

static void bed_end(struct bed *b)
{
	reader_end(b->r);
	reader_close(b->r);
	arena_done(&b->arena);
	fixture_end(&b->f);
}

static struct totals totals(struct bed *b, int provider, int64_t from_s, int64_t to_s)
{
	struct query q = {.provider = provider, .t0_ms = from_s * 1000, .t1_ms = to_s * 1000};
	struct mt_error error = {0};
	struct totals t;

	must(read_totals(b->r, &q, &t, &error), &error, "totals");
	return t;
}

static void test_hours(void **state)
{
	struct totals t;
	struct bed b;

	(void)state;
	bed_begin(&b);
	t = totals(&b, b.mailgun, S + 6 * H + 1800, S + 9 * H + 1800); /* 06:30-09:30 -> 06..10 */
	assert_int_equal(t.n[METRIC_SENT], 40);
	assert_int_equal(t.n[METRIC_BOUNCED], 0); /* asked for, none: a zero */
	assert_int_equal(t.n[METRIC_COMPLAINTS], 4);
	assert_int_equal(t.n[METRIC_RECEIVED], EVENT_UNKNOWN); /* only a log tells */
	assert_int_equal(t.n[METRIC_OPENS], EVENT_UNKNOWN); /* never asked for */
	assert_int_equal(t.window_res_s, H);
	assert_int_equal(t.slot_s, H);
	assert_int_equal(t.from_ms, (S + 6 * H) * 1000LL);
	assert_int_equal(t.to_ms, (S + 9 * H + 1800) * 1000LL);
	t = totals(&b, b.mailgun, S + 4 * H, S + 5 * H); /* omitted: nothing was sent */
	assert_int_equal(t.n[METRIC_SENT], 0);
	t = totals(&b, b.mailgun, S - 5 * H, S - 2 * H); /* never asked for */
	assert_int_equal(t.n[METRIC_SENT], EVENT_UNKNOWN);
	t = totals(&b, b.mailgun, S + 8 * H,
		S + 8 * H + 900); /* shorter than an hour, no differences */
	assert_int_equal(t.n[METRIC_SENT], EVENT_UNKNOWN);
	assert_true(t.differences);
	t = totals(&b, b.postfix, S, S + 10 * H);
	assert_int_equal(t.n[METRIC_SENT], 1);
	assert_int_equal(t.n[METRIC_COMPLAINTS], EVENT_UNKNOWN);
	assert_int_equal(t.window_res_s, 60);
	assert_int_equal(t.slot_s, 0);
	bed_end(&b);
}

/* Trap 25: days begin at the account's midnight. */
static void test_days(void **state)
{
	struct totals t;
	struct bed b;

	(void)state;
	bed_begin(&b);
	t = totals(&b, b.sendgrid, S + 9 * H + 1800 - DAY, S + 9 * H + 1800);
	assert_int_equal(t.n[METRIC_SENT], 1030);
	assert_int_equal(t.from_ms, (S - DAY + ZONE) * 1000LL);
	assert_int_equal(t.slot_s, DAY);
	t = totals(&b, b.sendgrid, S + 8 * H, S + 9 * H);
	assert_int_equal(t.n[METRIC_SENT], EVENT_UNKNOWN);
	t = totals(&b, b.sendgrid, S - DAY + ZONE, S + ZONE); /* just yesterday */
	assert_int_equal(t.n[METRIC_SENT], 1000);
	assert_int_equal(t.window_res_s, 60);
	t = totals(
		&b, b.sendgrid, S - 2 * DAY + ZONE, S - DAY + ZONE); /* asked for, nothing sent */
	assert_int_equal(t.n[METRIC_SENT], 0);
	bed_end(&b);
}

static void test_all(void **state)
{
	struct totals t;
	struct bed b;

	(void)state;
	bed_begin(&b);
	t = totals(&b, 0, S + 9 * H, S + 9 * H + 1800); /* 30 min: Postfix alone */
	assert_int_equal(t.n[METRIC_SENT], 0);
	assert_int_equal(t.n[METRIC_COMPLAINTS], EVENT_UNKNOWN);
	assert_true(t.left_out_s > 0);
	t = totals(&b, 0, S, S + 9 * H + 1800); /* with the hours of Mailgun */
	assert_int_equal(t.n[METRIC_SENT], 91);
	assert_int_equal(t.n[METRIC_RECEIVED], 1);
	assert_int_equal(t.n[METRIC_COMPLAINTS], 9);
	assert_true(t.left_out_s > 0);
	t = totals(&b, 0, S + 9 * H + 1800 - DAY,
		S + 9 * H + 1800); /* two days of SendGrid would be too many */
	assert_int_equal(t.n[METRIC_SENT], 91);
	assert_true(t.left_out_s > 0);
	assert_int_equal(t.window_res_s, H);
	t = totals(
		&b, 0, S + 9 * H + 1800 - 7 * DAY, S + 9 * H + 1800); /* and the days of SendGrid */
	assert_int_equal(t.n[METRIC_SENT], 91 + 1030);
	assert_int_equal(t.left_out_s, 0);
	assert_int_equal(t.window_res_s, DAY);
	t = totals(&b, 0, 0, 0);
	assert_int_equal(t.n[METRIC_SENT], 91 + 1030);
	bed_end(&b);
}

static void test_differences(void **state)
{
	struct mt_error error = {0};
	struct totals t;
	struct query q = {0};
	int64_t series[12];
	struct bed b;

	(void)state;
	bed_begin(&b);
	for (int i = 1; i <= 6; i++) { /* every 10 minutes 60 more, till 10:30 */
		cover(&b, b.sendgrid, S + ZONE, S + ZONE + DAY, S + 9 * H + 1800 + i * 600);
		count(&b, b.sendgrid, S + ZONE, DAY, 30 + 60 * i);
		look(&b);
	}
	t = totals(&b, b.sendgrid, S + 9 * H + 2400, S + 10 * H + 1800);
	assert_true(t.differences);
	assert_int_equal(t.n[METRIC_SENT], 300);
	q = (struct query){.provider = b.sendgrid,
		.t0_ms = (S + 9 * H) * 1000LL,
		.t1_ms = (S + 11 * H) * 1000LL};
	must(read_series(b.r, &q, METRIC_SENT, series, 12, &error), &error, "series");
	assert_int_equal(series[2], EVENT_UNKNOWN); /* before the first poll */
	for (int i = 3; i < 9; i++)
		assert_int_equal(series[i], 60);
	assert_int_equal(series[9], EVENT_UNKNOWN);
	t = totals(&b, b.sendgrid, S + 9 * H,
		S + 10 * H + 1800); /* half an hour of it was not polled */
	assert_int_equal(t.n[METRIC_SENT], EVENT_UNKNOWN);
	bed_end(&b);
}

/* A graph by the hour is of whole hours where a vendor is in it, wherever the window begins: its counters are those. */
static void test_hours_of_a_graph(void **state)
{
	struct query q = {
		.t0_ms = (S + 6 * H + 1800) * 1000LL, .t1_ms = (S + 9 * H + 1800) * 1000LL};
	struct mt_error error = {0};
	struct bed b;

	(void)state;
	bed_begin(&b);
	for (int all = 0; all < 2; all++) {
		int64_t series[3] = {-7, -7, -7};

		q.provider = all ? 0 : b.mailgun;
		must(read_series(b.r, &q, METRIC_SENT, series, 3, &error), &error, "series");
		for (int i = 0; i < 3; i++) /* of 7, 8 and 9 o'clock */
			assert_int_equal(series[i], 10);
	}
	bed_end(&b);
}

/* What the vendor was asked lately says nothing of a log that has not been read since. */
static void test_stale_log_beside_a_vendor(void **state)
{
	struct query q = {.t0_ms = (S + 9 * H) * 1000LL, .t1_ms = (S + 10 * H + 3000) * 1000LL};
	struct mt_error error = {0};
	int64_t series[11];
	struct totals t;
	struct bed b;

	(void)state;
	bed_begin(&b);
	cover(&b, b.mailgun, S, S + 11 * H, S + 10 * H + 3000);
	look(&b);
	must(read_series(b.r, &q, METRIC_SENT, series, 11, &error), &error, "series");
	assert_int_equal(series[2], 0); /* the log's last line is of 09:29 */
	assert_int_equal(series[4], EVENT_UNKNOWN);
	t = totals(&b, 0, S + 10 * H, S + 10 * H + 1800);
	assert_int_equal(t.n[METRIC_SENT], EVENT_UNKNOWN);
	bed_end(&b);
}

static void suppress(struct bed *b, int list, const char *address, const char *reason)
{
	struct mt_error error = {0};
	struct api_suppression row = {(enum api_list)list, STR_LIT("shop.example"), str_of(address),
		str_of(reason), STR_LIT("550"), T0_MS};

	must(store_api_suppression(b->f.store, b->mailgun, &row, &error), &error, "suppress");
}

static size_t search(struct bed *b, int list, const char *text, int64_t after, int limit,
	struct suppression_row **rows)
{
	struct query q = {.text = str_of(text), .limit = limit};
	struct mt_error error = {0};
	size_t n;

	must(read_suppressions(b->r, &q, list, after, &b->arena, rows, &n, &error), &error,
		"suppressions");
	return n;
}

static void test_suppressions(void **state)
{
	struct suppression_row *rows;
	struct suppression_counts counts;
	struct mt_error error = {0};
	struct bed b;
	int64_t after = 0;
	size_t n, all = 0;
	char address[64];

	(void)state;
	bed_begin(&b);
	for (int i = 0; i < 60; i++) {
		snprintf(address, sizeof(address), "User%02d@%s", i,
			i % 2 ? "gmail.com" : "firma.example");
		suppress(&b, i % 3 ? API_LIST_BOUNCES : API_LIST_COMPLAINTS, address,
			i == 7 ? "mailbox is FULL" : "no such user");
	}
	look(&b);
	assert_int_equal(search(&b, SUPPRESSIONS_ALL, NULL, 0, 0, &rows), 60);
	assert_int_equal(search(&b, API_LIST_COMPLAINTS, NULL, 0, 0, &rows), 20);
	while ((n = search(&b, SUPPRESSIONS_ALL, NULL, after, 7, &rows)) > 0) {
		for (size_t i = 0; i < n; i++) {
			snprintf(address, sizeof(address), "user%02zu@", all++);
			assert_true(str_starts(rows[i].address, str_of(address)));
		}
		after = rows[n - 1].id;
	}
	assert_int_equal(all, 60);
	assert_int_equal(search(&b, SUPPRESSIONS_ALL, "USER0", 0, 0, &rows), 10);
	assert_int_equal(search(&b, SUPPRESSIONS_ALL, "@gmail.com", 0, 0, &rows), 30);
	assert_int_equal(search(&b, SUPPRESSIONS_ALL, "gmail.com", 0, 0, &rows), 30);
	assert_int_equal(search(&b, SUPPRESSIONS_ALL, "is full", 0, 0, &rows), 1);
	assert_string_equal(rows[0].address.p, "user07@gmail.com");
	assert_int_equal(search(&b, SUPPRESSIONS_ALL, "nowhere", 0, 0, &rows), 0);
	must(read_suppression_counts(b.r, 0, &counts, &error), &error, "counts");
	assert_int_equal(counts.n[API_LIST_BOUNCES], 40);
	assert_int_equal(counts.n[API_LIST_BLOCKS], EVENT_UNKNOWN);
	assert_int_equal(counts.walked_ms, EVENT_UNKNOWN);
	bed_end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hours),
		cmocka_unit_test(test_days),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_differences),
		cmocka_unit_test(test_hours_of_a_graph),
		cmocka_unit_test(test_stale_log_beside_a_vendor),
		cmocka_unit_test(test_suppressions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
