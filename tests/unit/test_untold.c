/* SPDX-License-Identifier: MIT */
/* test_untold - figures that a provider's log never told are unknown, those it told once are counted, 0 too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/store_read.h"
#include "tests/unit/store_fixture.h"

#define DAY_MS 86400000

/* second - a provider of another family beside the fixture's Postfix. */
static int second(struct fixture *f, const char *kind)
{
	struct mt_error error = {0};
	int id;

	must(store_provider(f->store, kind, kind, "mx1", &id, &error), &error, "provider");
	return id;
}

/* sent - one delivery of a provider; the next day's when late. */
static void sent(struct fixture *f, int provider, bool late)
{
	struct event e = attempt_of("3A0F21C0B2", "u@example.org", STATUS_SENT);
	int own = f->provider;

	e.t_utc_ms = T0_MS + (late ? DAY_MS : 0);
	f->provider = provider;
	put(f, &e);
	f->provider = own;
}

static struct totals totals_of(struct fixture *f, int provider, int64_t t0_ms, int64_t t1_ms)
{
	struct query q = {.provider = provider, .t0_ms = t0_ms, .t1_ms = t1_ms};
	struct mt_error error = {0};
	struct totals t;
	struct reader *r;

	fixture_commit(f);
	must(reader_open(f->path, &r, &error), &error, "reader_open");
	must(read_totals(r, &q, &t, &error), &error, "read_totals");
	reader_close(r);
	return t;
}

static void connected(struct fixture *f, int provider)
{
	struct event e;
	int own = f->provider;

	event_init(&e);
	e.kind = EVENT_CONNECT;
	e.process = e.service = STR_LIT("smtpd");
	e.client_ip = STR_LIT("192.0.2.1");
	e.pid = 7;
	e.t_utc_ms = T0_MS;
	f->provider = provider;
	put(f, &e);
	f->provider = own;
}

static void what_was_never_told_is_unknown(void **state)
{
	struct fixture f;
	struct totals t;
	int exim;

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	exim = second(&f, "exim");
	sent(&f, f.provider, false);
	sent(&f, exim, false);
	t = totals_of(&f, f.provider, T0_MS, T0_MS + 3600000);
	assert_int_equal(t.n[METRIC_SENT], 1);
	assert_int_equal(t.n[METRIC_CONNECTIONS], 0); /* Postfix always writes them */
	assert_int_equal(t.n[METRIC_TLS_OUT], EVENT_UNKNOWN);
	t = totals_of(&f, exim, T0_MS, T0_MS + 3600000);
	assert_int_equal(t.n[METRIC_SENT], 1);
	assert_int_equal(t.n[METRIC_BOUNCED], 0);
	assert_int_equal(t.n[METRIC_REJECTED], 0);
	assert_int_equal(t.n[METRIC_CONNECTIONS], EVENT_UNKNOWN);
	assert_int_equal(t.n[METRIC_EXPIRED], EVENT_UNKNOWN);
	/* a sum of which one part is unknown is unknown */
	t = totals_of(&f, 0, T0_MS, T0_MS + 3600000);
	assert_int_equal(t.n[METRIC_SENT], 2);
	assert_int_equal(t.n[METRIC_CONNECTIONS], EVENT_UNKNOWN);
	fixture_end(&f);
}

/* Of a port too: accepted and refused are told, log-ins are not. */
static void a_port_of_such_a_log(void **state)
{
	struct fixture f;
	struct event e = event_of(EVENT_RECEIVED, "exim", "3A0F21C0B2");
	struct query q = {.t0_ms = T0_MS, .t1_ms = T0_MS + 3600000};
	struct mt_error error = {0};
	struct port_row *rows;
	struct reader *r;
	struct arena a;
	size_t n;

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	f.provider = second(&f, "exim");
	put(&f, &e);
	fixture_commit(&f);
	arena_init(&a, 1 << 20);
	must(reader_open(f.path, &r, &error), &error, "reader_open");
	must(read_ports(r, &q, &a, &rows, &n, &error), &error, "read_ports");
	assert_int_equal(n, 1);
	assert_int_equal(rows[0].accepted, 1);
	assert_int_equal(rows[0].rejected, 0);
	assert_int_equal(rows[0].auth_ok, EVENT_UNKNOWN);
	assert_int_equal(rows[0].lost, EVENT_UNKNOWN);
	reader_close(r);
	arena_done(&a);
	fixture_end(&f);
}

static void what_was_told_once_is_counted(void **state)
{
	struct fixture f;
	struct totals t;
	int exim;

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	exim = second(&f, "exim");
	second(&f, "opensmtpd"); /* without a line: it leaves nothing out */
	connected(&f, exim);
	sent(&f, exim, true);
	t = totals_of(&f, exim, T0_MS, T0_MS + 3600000);
	assert_int_equal(t.n[METRIC_CONNECTIONS], 1);
	t = totals_of(&f, exim, T0_MS + DAY_MS, T0_MS + DAY_MS + 3600000);
	assert_int_equal(t.n[METRIC_SENT], 1);
	assert_int_equal(
		t.n[METRIC_CONNECTIONS], 0); /* yesterday it told one, so today there is none */
	t = totals_of(&f, 0, T0_MS + DAY_MS, T0_MS + DAY_MS + 3600000);
	assert_int_equal(t.n[METRIC_CONNECTIONS], 0);
	fixture_end(&f);
}

static void refusals_of_exchange(void **state)
{
	struct fixture f;
	struct totals t;
	int exchange;

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	exchange = second(&f, "exchange");
	sent(&f, exchange, false);
	t = totals_of(&f, exchange, T0_MS, T0_MS + 3600000);
	assert_int_equal(t.n[METRIC_REJECTED], EVENT_UNKNOWN);
	assert_int_equal(t.n[METRIC_REJECTED_TEMPORARY], EVENT_UNKNOWN);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_never_told_is_unknown),
		cmocka_unit_test(what_was_told_once_is_counted),
		cmocka_unit_test(refusals_of_exchange),
		cmocka_unit_test(a_port_of_such_a_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
