/* SPDX-License-Identifier: MIT */
/* The depth of a queue by its log alone: one sample a minute of the log, until the queue itself is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/store_read.h"
#include "tests/unit/store_fixture.h"

#define MINUTE_MS 60000

static void assert_sample(const struct fixture *f, int minute, int64_t incoming, int64_t active,
	int64_t deferred, int64_t hold)
{
	const int64_t want[] = {incoming, active, deferred, hold};
	const char *const names[] = {"incoming", "active", "deferred", "hold"};

	for (int i = 0; i < 4; i++) {
		char *sql = xasprintf("SELECT %s FROM queue_sample WHERE source=%d AND t_ms=%lld",
			names[i], (int)QUEUE_SOURCE_LOG, (long long)T0_MS + minute * MINUTE_MS);

		if (sql_int(f, sql) != want[i])
			fail_msg("minute %d: %s is %lld, not %lld", minute, names[i],
				(long long)sql_int(f, sql), (long long)want[i]);
		free(sql);
	}
}

static void put_hold(struct fixture *f, const char *qid, bool hold)
{
	struct event e = event_of(EVENT_HOLD, "postfix/postsuper", qid);

	e.action = hold ? REJECT_HOLD : REJECT_OTHER;
	put(f, &e);
}

static void test_states(void **state)
{
	struct fixture f;

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	put_client(&f, "A1", "192.0.2.9");
	put_client(&f, "A2", "192.0.2.9");
	put_queued(&f, "A2", "a@b.example", 1);
	put_client(&f, "A3", "192.0.2.9");
	put_queued(&f, "A3", "a@b.example", 2);
	put_attempt(&f, "A3", "x@y.example", STATUS_DEFERRED);
	f.t_ms += MINUTE_MS; /* the first line of a minute ends the one before */
	put_attempt(&f, "A2", "x@y.example", STATUS_SENT);
	put_removed(&f, "A2");
	put_hold(&f, "A3", true);
	fixture_commit(&f);
	assert_sample(&f, 0, 1, 1, 1, 0);
	assert_sample(&f, 1, 1, 0, 0, 1); /* the minute under way, as it stands */
	put_hold(&f, "A3", false);
	put_attempt(&f, "P1", "probe@y.example", STATUS_UNDELIVERABLE);
	fixture_commit(&f);
	assert_sample(&f, 1, 1, 0, 1, 0);
	f.t_ms += 5 * MINUTE_MS;
	put_removed(&f, "A1");
	put_removed(&f, "A3");
	fixture_commit(&f);
	assert_sample(&f, 6, 0, 0, 0, 0);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM queue_sample"), 3);
	assert_int_equal(sql_int(&f, "SELECT count(maildrop) + count(corrupt) + count(oldest_ms)"
				     " FROM queue_sample"),
		0); /* unknown, not 0 */
	fixture_end(&f);
}

static void test_survives_restart(void **state)
{
	struct fixture f;

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	put_client(&f, "A1", "192.0.2.9");
	put_queued(&f, "A1", "a@b.example", 1);
	put_attempt(&f, "A1", "x@y.example", STATUS_DEFERRED);
	put_client(&f, "A2", "192.0.2.9");
	fixture_commit(&f);
	fixture_reopen(&f);
	f.t_ms += MINUTE_MS;
	put_removed(&f, "A1");
	put_queued(&f, "A2", "a@b.example", 1);
	fixture_commit(&f);
	assert_sample(&f, 0, 1, 0, 1, 0);
	assert_sample(&f, 1, 0, 1, 0, 0);
	fixture_end(&f);
}

static void test_own_source(void **state)
{
	struct queue_depth d = {.source = QUEUE_SOURCE_SPOOL, .oldest_ms = EVENT_UNKNOWN};
	struct mt_error error = {0};
	struct fixture f;

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	assert_int_equal(store_queue_depth(f.store, f.provider, &d, &error), 0);
	put_client(&f, "A1", "192.0.2.9");
	f.t_ms += MINUTE_MS;
	put_client(&f, "A2", "192.0.2.9");
	fixture_commit(&f);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM queue_sample"), 1);
	store_queue_by_log(f.store, f.provider); /* it can't be read any more */
	f.t_ms += MINUTE_MS;
	put_client(&f, "A3", "192.0.2.9");
	fixture_commit(&f);
	assert_sample(&f, 1, 2, 0, 0, 0);
	assert_sample(&f, 2, 3, 0, 0, 0);
	fixture_end(&f);
}

/* An idle queue does not fill the cache. */
static void test_unchanged(void **state)
{
	struct queue_depth d = {.source = QUEUE_SOURCE_SPOOL, .oldest_ms = EVENT_UNKNOWN};
	struct mt_error error = {0};
	struct fixture f;

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	for (int i = 0; i < 24; i++) { /* two minutes of every 5 s */
		assert_int_equal(store_queue_depth(f.store, f.provider, &d, &error), 0);
		clock_advance(&f.clock, 5000);
	}
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM queue_sample"), 5);
	d.n[QUEUE_ACTIVE] = 1;
	assert_int_equal(store_queue_depth(f.store, f.provider, &d, &error), 0);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM queue_sample"), 6);
	fixture_end(&f);
}

static void figures(const struct fixture *f, int provider, struct queue_figures *ret)
{
	const struct query q = {.provider = provider};
	struct mt_error error = {0};
	struct reader *r;

	must(reader_open(f->path, &r, &error), &error, "open");
	must(reader_begin(r, &error), &error, "begin");
	must(read_queue(r, &q, ret, &error), &error, "read_queue");
	reader_end(r);
	reader_close(r);
}

static void test_active_limit(void **state)
{
	struct queue_depth d = {.source = QUEUE_SOURCE_SPOOL, .oldest_ms = EVENT_UNKNOWN};
	struct mt_error error = {0};
	struct queue_figures q;
	struct fixture f;
	int other;

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	d.n[QUEUE_ACTIVE] = 899;
	must(store_queue_depth(f.store, f.provider, &d, &error), &error, "depth");
	figures(&f, 0, &q);
	assert_int_equal(q.active_limit, EVENT_UNKNOWN);
	assert_int_equal(q.active_pm, EVENT_UNKNOWN);
	must(store_active_limit(f.store, f.provider, 1000, &error), &error, "limit");
	figures(&f, 0, &q);
	assert_int_equal(q.active_limit, 1000);
	assert_int_equal(q.active_pm, 899);

	/* A second one, of which the depth is not known, then known: the sum, and the fuller of the two. */
	must(store_provider(f.store, "out", "postfix", NULL, &other, &error), &error, "provider");
	must(store_active_limit(f.store, other, 20, &error), &error, "limit");
	figures(&f, 0, &q);
	assert_int_equal(q.active_limit, EVENT_UNKNOWN);
	assert_int_equal(q.active_pm, 899);
	figures(&f, other, &q);
	assert_int_equal(q.active_limit, EVENT_UNKNOWN);
	d.n[QUEUE_ACTIVE] = 25; /* lowered by a reload: more than it takes */
	must(store_queue_depth(f.store, other, &d, &error), &error, "depth");
	figures(&f, 0, &q);
	assert_int_equal(q.n[QUEUE_ACTIVE], 924);
	assert_int_equal(q.active_limit, 1020);
	assert_int_equal(q.active_pm, 1000);
	figures(&f, f.provider, &q);
	assert_int_equal(q.active_pm, 899);

	must(store_active_limit(f.store, other, EVENT_UNKNOWN, &error), &error, "limit");
	figures(&f, 0, &q);
	assert_int_equal(q.active_limit, EVENT_UNKNOWN);
	assert_int_equal(q.active_pm, 899);
	assert_int_equal(store_active_limit(f.store, 99, 1, &error), MT_EINVAL);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_survives_restart),
		cmocka_unit_test(test_own_source),
		cmocka_unit_test(test_unchanged),
		cmocka_unit_test(test_active_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
