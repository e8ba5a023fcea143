/* SPDX-License-Identifier: MIT */
/* test_probe_store - looks at ports in the cache: the newest of each, what changed, what is left out, whom the log names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/store_probe.h"
#include "store/store_read.h"
#include "tests/unit/store_fixture.h"

#include <string.h>

#define DAY_MS INT64_C(86400000)
#define HOSTILE "\x1b]0;x\x07\xff"

static struct probe_result result(const char *host, enum probe_outcome outcome, int64_t t_ms)
{
	struct probe_result r = {.host = str_of(host),
		.port = 25,
		.role = PROBE_MX,
		.t_ms = t_ms,
		.outcome = outcome,
		.step = PROBE_STEP_EHLO_TLS,
		.code = 221,
		.flags = PROBE_F_EHLO | PROBE_F_STARTTLS | PROBE_F_CERT | PROBE_F_UNTRUSTED,
		.total_us = 12345,
		.nnames = 2,
		.chain = 1,
		.not_before_ms = 0,
		.not_after_ms = T0_MS + 90 * DAY_MS,
		.address = STR_LIT("192.0.2.1"),
		.greeting = STR_LIT(HOSTILE),
		.transcript = STR_LIT("S: 220 " HOSTILE "\n")};

	for (int i = 0; i < PROBE_STEP__COUNT; i++)
		r.took_us[i] = i == PROBE_STEP_TLS ? EVENT_UNKNOWN : i * 10;
	return r;
}

struct board {
	struct reader *reader;
	struct arena arena;
	struct probe_result *rows;
	struct probe_change_row *changes;
	size_t n, nchanges;
};

static void look(struct board *b, const struct fixture *f)
{
	struct mt_error error = {0};

	*b = (struct board){.n = 0};
	arena_init(&b->arena, 1 << 20);
	must(reader_open(f->path, &b->reader, &error), &error, "reader");
	must(reader_begin(b->reader, &error), &error, "snapshot");
	must(read_probes(b->reader, &b->arena, &b->rows, &b->n, &error), &error, "probes");
	must(read_probe_changes(b->reader, 0, &b->arena, &b->changes, &b->nchanges, &error), &error,
		"changes");
	reader_end(b->reader);
	reader_close(b->reader);
}

static void keep(struct fixture *f, struct probe_result r)
{
	struct mt_error error = {0};

	must(store_probes(f->store, &r, 1, &error), &error, "store_probes");
}

static void what_goes_in_comes_out(void **state)
{
	struct probe_result r = result("mx.a.test", PROBE_OPEN, T0_MS);
	struct fixture f;
	struct board b;

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	f.clock = clock_fake(T0_MS);
	keep(&f, r);
	look(&b, &f);
	assert_int_equal(b.n, 1);
	assert_true(str_eq(b.rows[0].host, r.host) && str_eq(b.rows[0].greeting, r.greeting));
	assert_true(str_eq(b.rows[0].transcript, r.transcript));
	assert_false(str_present(b.rows[0].detail) || str_present(b.rows[0].tls));
	assert_memory_equal(b.rows[0].took_us, r.took_us, sizeof(r.took_us));
	assert_int_equal(b.rows[0].flags, r.flags);
	assert_int_equal(b.rows[0].code, 221);
	assert_int_equal(b.rows[0].total_us, 12345);
	assert_int_equal(b.rows[0].not_after_ms, r.not_after_ms);
	assert_int_equal(b.rows[0].since_ms, T0_MS);
	assert_int_equal(b.nchanges, 0);
	arena_done(&b.arena);
	fixture_end(&f);
}

static void changes_are_kept(void **state)
{
	struct probe_result r = result("mx.a.test", PROBE_OPEN, T0_MS);
	struct probe_memory memory;
	struct mt_error error = {0};
	struct fixture f;
	struct board b;

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	f.clock = clock_fake(T0_MS);
	assert_false(store_probe_memory(f.store, r.host, 25, &memory));
	assert_int_equal(store_probe_newest(f.store, PROBE_MX), 0);
	keep(&f, r);
	keep(&f, result("mx.a.test", PROBE_OPEN, T0_MS + 1000)); /* the same: no change */
	keep(&f, result("mx.a.test", PROBE_TIMEOUT, T0_MS + 2000));
	r = result("mx.a.test", PROBE_OPEN, T0_MS + 3000);
	r.not_after_ms += DAY_MS;
	must(store_probes_at(f.path, &r, 1, T0_MS + 3000, &error), &error, "from another thread");
	look(&b, &f);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.rows[0].since_ms, T0_MS + 3000);
	assert_int_equal(b.nchanges, 3); /* newest first: certificate, open again, timed out */
	assert_int_equal(b.changes[0].what, PROBE_CHANGE_CERTIFICATE);
	assert_int_equal(b.changes[0].after - b.changes[0].before, DAY_MS);
	assert_int_equal(b.changes[1].after, PROBE_OPEN);
	assert_int_equal(b.changes[2].before, PROBE_OPEN);
	assert_int_equal(b.changes[2].after, PROBE_TIMEOUT);
	assert_true(store_probe_memory(f.store, r.host, 25, &memory));
	assert_int_equal(memory.not_after_ms, r.not_after_ms);
	assert_true(memory.flags & PROBE_F_UNTRUSTED);
	assert_int_equal(store_probe_newest(f.store, PROBE_MX), T0_MS + 3000);
	assert_int_equal(store_probe_newest(f.store, PROBE_OWN), 0);
	arena_done(&b.arena);
	fixture_end(&f);
}

/* A target not looked at for a week is gone with the next look at another. */
static void old_ones_go(void **state)
{
	struct fixture f;
	struct board b;

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	f.clock = clock_fake(T0_MS + 7 * DAY_MS);
	keep(&f, result("mx.a.test", PROBE_OPEN, T0_MS));
	keep(&f, result("mx.b.test", PROBE_OPEN, T0_MS + 7 * DAY_MS));
	look(&b, &f);
	assert_int_equal(b.n, 2);
	arena_done(&b.arena);
	clock_advance(&f.clock, 1);
	keep(&f, result("mx.b.test", PROBE_OPEN, T0_MS + 7 * DAY_MS + 1));
	look(&b, &f);
	assert_int_equal(b.n, 1);
	assert_true(str_eq(b.rows[0].host, STR_LIT("mx.b.test")));
	arena_done(&b.arena);
	fixture_end(&f);
}

static void sent_to(struct fixture *f, const char *qid, const char *host, int port)
{
	struct event e = event_of(EVENT_ATTEMPT, "postfix/smtp", qid);

	e.status = STATUS_SENT;
	e.to = STR_LIT("u@a.test");
	e.relay = e.relay_host = str_of(host);
	e.relay_ip = STR_LIT("192.0.2.9");
	e.delay_cs[DELAY_TOTAL] = 300;
	e.relay_port = port;
	put(f, &e);
}

static size_t busy(struct fixture *f, size_t max, struct arena *a, struct str **ret)
{
	struct mt_error error = {0};
	size_t n = 0;

	must(store_busy_hosts(f->store, f->t_ms + 1000, max, a, ret, &n, &error), &error, "busy");
	return n;
}

static void busiest_hosts(void **state)
{
	struct fixture f;
	struct arena a;
	struct str *hosts;

	(void)state;
	arena_init(&a, 1 << 20);
	fixture_begin(&f);
	fixture_open(&f);
	sent_to(&f, "A1", "smart.test", 587);
	fixture_commit(&f);
	assert_int_equal(busy(&f, 3, &a, &hosts), 0); /* nothing goes out by 25 */
	sent_to(&f, "A2", "mx.a.test", 25);
	sent_to(&f, "A3", "mx.b.test", 25);
	sent_to(&f, "A4", "mx.b.test", 25);
	sent_to(&f, "A5", "127.0.0.1", 10024);
	sent_to(&f, "A6", "127.0.0.1", 10024);
	sent_to(&f, "A7", "127.0.0.1", 10024);
	sent_to(&f, "A8", "localhost", 10025);
	fixture_commit(&f);
	assert_true(busy(&f, 3, &a, &hosts) >= 2);
	assert_true(str_eq(hosts[0], STR_LIT("mx.b.test")));
	assert_int_equal(busy(&f, 1, &a, &hosts), 1);
	assert_int_equal(busy(&f, 20, &a, &hosts), 3); /* no address, no localhost */
	arena_done(&a);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_goes_in_comes_out),
		cmocka_unit_test(changes_are_kept),
		cmocka_unit_test(old_ones_go),
		cmocka_unit_test(busiest_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
