/* SPDX-License-Identifier: MIT */
/* test_read_window - segments tile a window; totals and series of the known cache. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/read_window.h"
#include "tests/unit/cachefix.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DAY_S 86400
#define ROUNDS 20000

static uint64_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state >> 33;
}

static void test_split_tiles(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		int64_t from = (int64_t)(next_random(&seed) % (3 * DAY_S / 60)) * 60 +
			       20000 * (int64_t)DAY_S;
		int64_t to = from +
			     (int64_t)(next_random(&seed) % (i % 2 ? 200 : 5 * DAY_S / 60)) * 60,
			at = from;
		struct segment seg[WINDOW_SEGMENTS_MAX];
		size_t n = window_split(from, to, 60, seg);

		assert_true(n <= WINDOW_SEGMENTS_MAX);
		for (size_t s = 0; s < n; s++) {
			assert_int_equal(seg[s].from_s, at);
			assert_true(seg[s].to_s > seg[s].from_s);
			assert_int_equal(seg[s].from_s % seg[s].res, 0);
			assert_int_equal(seg[s].to_s % seg[s].res, 0);
			if (seg[s].res == RES_MINUTE)
				assert_true(seg[s].to_s - seg[s].from_s < 2 * RES_HOUR);
			if (seg[s].res == RES_HOUR)
				assert_true(seg[s].to_s - seg[s].from_s < 2 * RES_DAY);
			at = seg[s].to_s;
		}
		assert_int_equal(at, to > from ? to : from);
	}
}

static struct reader *open_known(const char *path)
{
	struct mt_error err = {0};
	struct reader *r = NULL;

	if (reader_open(path, &r, &err) < 0 || reader_begin(r, &err) < 0)
		fail_msg("%s", err.text);
	return r;
}

static void test_totals(void **state)
{
	struct reader *r = open_known(*state);
	struct query q = {.t0_ms = FIX_NOW_MS - FIX_HOUR_MS, .t1_ms = FIX_NOW_MS, .provider = 1};
	struct mt_error err = {0};
	struct totals t;

	assert_int_equal(read_totals(r, &q, &t, &err), 0);
	assert_int_equal(t.n[METRIC_RECEIVED], 52);
	assert_int_equal(t.n[METRIC_RECIPIENTS], 54);
	assert_int_equal(t.n[METRIC_SENT], 48);
	assert_int_equal(t.n[METRIC_HANDED_OVER], 1);
	assert_int_equal(t.n[METRIC_DEFERRED], 5);
	assert_int_equal(t.n[METRIC_BOUNCED], 3);
	assert_int_equal(t.n[METRIC_EXPIRED], 1);
	assert_int_equal(t.n[METRIC_EXPIRED_RECIPIENTS], 2);
	assert_int_equal(t.n[METRIC_REJECTED], 7);
	assert_int_equal(t.n[METRIC_REJECTED_TEMPORARY], 2);
	assert_int_equal(t.n[METRIC_REJECT_WARNINGS], 1);
	assert_int_equal(t.n[METRIC_NOTIFICATIONS], 3);
	assert_int_equal(t.n[METRIC_CONNECTIONS], 120);
	assert_int_equal(t.n[METRIC_HELD], 0);
	assert_int_equal(t.window_res_s, 60);
	assert_int_equal(t.from_ms, FIX_NOW_MS - FIX_HOUR_MS);
	assert_int_equal(t.newest_ms, FIX_NOW_MS - 2000);
	assert_int_equal(t.first_ms, FIX_NOW_MS - 25 * FIX_HOUR_MS);
	q.provider = 0;
	assert_int_equal(read_totals(r, &q, &t, &err), 0);
	assert_int_equal(t.n[METRIC_SENT], 52);
	q.t0_ms = q.t1_ms = 0; /* everything */
	assert_int_equal(read_totals(r, &q, &t, &err), 0);
	assert_int_equal(t.n[METRIC_SENT], 52 + 6 + 5);
	assert_int_equal(t.n[METRIC_BOUNCED], 4);
	reader_end(r);
	reader_close(r);
}

static void test_totals_narrowed(void **state)
{
	struct reader *r = open_known(*state);
	struct query q = {.t0_ms = FIX_NOW_MS - FIX_HOUR_MS,
		.t1_ms = FIX_NOW_MS,
		.domain = STR_LIT("gmail.com")};
	struct totals t;

	assert_int_equal(read_totals(r, &q, &t, NULL), 0);
	assert_int_equal(t.n[METRIC_SENT], 21);
	assert_int_equal(t.n[METRIC_BOUNCED], 3);
	assert_int_equal(t.n[METRIC_DEFERRED], 0);
	assert_int_equal(t.n[METRIC_CONNECTIONS], EVENT_UNKNOWN);
	q.domain = STR_LIT("never.seen");
	assert_int_equal(read_totals(r, &q, &t, NULL), 0);
	assert_int_equal(t.n[METRIC_SENT], 0);
	q.code_key = 5001001;
	assert_int_equal(read_totals(r, &q, &t, NULL), 0);
	assert_int_equal(t.n[METRIC_SENT], EVENT_UNKNOWN);
	q.domain = (struct str){NULL, 0};
	assert_int_equal(read_totals(r, &q, &t, NULL), 0);
	assert_int_equal(t.n[METRIC_BOUNCED], 2);
	reader_end(r);
	reader_close(r);
}

static void test_totals_not_covered(void **state)
{
	struct reader *r = open_known(*state);
	struct query q = {
		.t0_ms = FIX_NOW_MS - 40 * FIX_HOUR_MS, .t1_ms = FIX_NOW_MS - 39 * FIX_HOUR_MS};
	struct totals t;

	assert_int_equal(read_totals(r, &q, &t, NULL), 0);
	assert_int_equal(t.n[METRIC_SENT], EVENT_UNKNOWN);
	q = (struct query){
		.t0_ms = FIX_NOW_MS + FIX_HOUR_MS, .t1_ms = FIX_NOW_MS + 2 * FIX_HOUR_MS};
	assert_int_equal(read_totals(r, &q, &t, NULL), 0);
	assert_int_equal(t.n[METRIC_SENT], EVENT_UNKNOWN);
	reader_end(r);
	reader_close(r);
}

static void test_series(void **state)
{
	struct reader *r = open_known(*state);
	struct query q = {.t0_ms = FIX_NOW_MS - FIX_HOUR_MS, .t1_ms = FIX_NOW_MS, .provider = 1};
	int64_t out[60], sum = 0;

	assert_int_equal(read_slot_ms(&q, 60), FIX_MINUTE_MS);
	assert_int_equal(read_series(r, &q, METRIC_SENT, out, 60, NULL), 0);
	assert_int_equal(out[0], 1);
	assert_int_equal(out[59], 0);
	for (int i = 0; i < 60; i++)
		sum += out[i];
	assert_int_equal(sum, 48);
	q.t0_ms = FIX_NOW_MS - 30 * FIX_HOUR_MS;
	assert_int_equal(read_slot_ms(&q, 10), 3 * FIX_HOUR_MS);
	assert_int_equal(read_series(r, &q, METRIC_SENT, out, 10, NULL), 0);
	assert_int_equal(out[0], EVENT_UNKNOWN); /* 30 to 27 hours ago: before the first record */
	assert_int_equal(out[1], 5);
	assert_int_equal(out[9], 54);
	q = (struct query){.t0_ms = FIX_NOW_MS - FIX_HOUR_MS,
		.t1_ms = FIX_NOW_MS + FIX_HOUR_MS,
		.provider = 2};
	assert_int_equal(read_series(r, &q, METRIC_SENT, out, 12, NULL), 0);
	assert_int_equal(out[1], 4);
	assert_int_equal(out[4], 0); /* 11:40: the source was looked at until 11:50 */
	assert_int_equal(out[6], EVENT_UNKNOWN);
	reader_end(r);
	reader_close(r);
}

/* While a log is read back, a look at the queue just now does not make its newest hour known: ?, not 0. */
static void test_queue_looks_do_not_cover(void **state)
{
	const struct query q = {
		.t0_ms = FIX_NOW_MS + FIX_HOUR_MS, .t1_ms = FIX_NOW_MS + 2 * FIX_HOUR_MS};
	struct totals t;
	struct reader *r;
	char path[128];
	sqlite3 *db;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/mtatop-looks-%d.db", (int)getpid());
	fix_unlink(path);
	cachefix_make(path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db,
			"UPDATE source SET last_ok_ms=last_ok_ms+10800000 WHERE name='queue'", NULL,
			NULL, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_changes(db), 1);
	sqlite3_close(db);
	r = open_known(path);
	assert_int_equal(read_totals(r, &q, &t, NULL), 0);
	assert_int_equal(t.n[METRIC_SENT], EVENT_UNKNOWN);
	reader_end(r);
	reader_close(r);
	fix_unlink(path);
}

/* Minutes pruned: the window is widened to hours and says so. */
static void test_pruned_minutes(void **state)
{
	char path[128];
	struct fix f;
	struct reader *r;
	struct query q = {
		.t0_ms = FIX_NOW_MS - 5 * FIX_HOUR_MS + 10 * FIX_MINUTE_MS, .t1_ms = FIX_NOW_MS};
	struct totals t;
	int64_t out[4];

	(void)state;
	snprintf(path, sizeof(path), "/tmp/mtatop-pruned-%d.db", (int)getpid());
	fix_unlink(path);
	fix_open(&f, path);
	for (int h = 0; h < 6; h++)
		for (int m = 0; m < 60; m++)
			fix_total(&f,
				FIX_NOW_MS - 6 * FIX_HOUR_MS + h * FIX_HOUR_MS + m * FIX_MINUTE_MS,
				1, METRIC_SENT, 1);
	fix_exec(&f, "INSERT INTO provider(id, name, kind) VALUES(1,'postfix','postfix');"
		     "DELETE FROM bucket WHERE res=60 AND t_s < 1795435200 - 9000");
	fix_close(&f);
	r = open_known(path);
	assert_int_equal(read_totals(r, &q, &t, NULL), 0);
	assert_int_equal(t.n[METRIC_SENT], 300);
	assert_int_equal(t.window_res_s, 3600);
	assert_int_equal(t.from_ms, FIX_NOW_MS - 5 * FIX_HOUR_MS);
	q.t0_ms = FIX_NOW_MS - 2 * FIX_HOUR_MS + 10 * FIX_MINUTE_MS;
	assert_int_equal(read_totals(r, &q, &t, NULL), 0);
	assert_int_equal(t.n[METRIC_SENT], 110);
	assert_int_equal(t.window_res_s, 60);
	q.t0_ms = FIX_NOW_MS - 4 * FIX_HOUR_MS;
	assert_int_equal(read_series(r, &q, METRIC_SENT, out, 4, NULL), 0);
	assert_int_equal(out[0], 60);
	assert_int_equal(out[3], 60);
	reader_end(r);
	reader_close(r);
	fix_unlink(path);
}

static int setup(void **state)
{
	char *path = NULL;

	if (asprintf(&path, "/tmp/mtatop-window-%d.db", (int)getpid()) < 0)
		return -1;
	fix_unlink(path);
	cachefix_make(path);
	*state = path;
	return 0;
}

static int teardown(void **state)
{
	fix_unlink(*state);
	free(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split_tiles),
		cmocka_unit_test(test_totals),
		cmocka_unit_test(test_totals_narrowed),
		cmocka_unit_test(test_queue_looks_do_not_cover),
		cmocka_unit_test(test_totals_not_covered),
		cmocka_unit_test(test_series),
		cmocka_unit_test(test_pruned_minutes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
