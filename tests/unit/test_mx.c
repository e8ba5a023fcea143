/* SPDX-License-Identifier: MIT */
/* test_mx - how hosts were reached: failures by kind, whose they are, who stepped in, connection times, TLS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/store_read_mx.h"
#include "tests/unit/store_fixture.h"

static void failed(struct fixture *f, int pid, const char *qid, const char *host, const char *text)
{
	struct event e = event_of(EVENT_HOST_FAILURE, "postfix/smtp", qid);

	e.pid = pid;
	e.outbound = true;
	e.relay_host = str_of(host);
	e.relay_ip = STR_LIT("192.0.2.1");
	e.relay_port = 25;
	e.text = e.reply = str_of(text);
	put(f, &e);
}

static struct event record(int pid, const char *qid, const char *host, enum event_status status)
{
	struct event e = event_of(EVENT_ATTEMPT, "postfix/smtp", qid);

	e.pid = pid;
	e.to = STR_LIT("you@there.example");
	e.status = status;
	e.relay = STR_LIT("none");
	if (host) {
		e.relay = str_of(host);
		e.relay_host = str_of(host);
		e.relay_ip = STR_LIT("192.0.2.9");
		e.relay_port = 25;
	}
	e.delay_cs[DELAY_TOTAL] = 300;
	e.delay_cs[DELAY_C] = 130;
	return e;
}

static void sent(struct fixture *f, int pid, const char *qid, const char *host)
{
	struct event e = record(pid, qid, host, STATUS_SENT);

	put(f, &e);
}

static void handshake(struct fixture *f, int pid, const char *version)
{
	struct event e = event_of(EVENT_TLS, "postfix/smtp", NULL);

	e.pid = pid;
	e.outbound = e.tls_ok = true;
	e.tls_version = str_of(version);
	put(f, &e);
}

struct board {
	struct reader *reader;
	struct arena arena;
	struct mx_row *rows;
	struct fallback_row *fallbacks;
	size_t n, nfallbacks;
	int64_t since_ms;
};

static void look(struct board *b, const struct fixture *f, bool by_domain)
{
	struct query q = {0};
	struct mt_error error = {0};
	bool possible;

	*b = (struct board){0};
	arena_init(&b->arena, 1u << 20);
	must(reader_open(f->path, &b->reader, &error), &error, "reader_open");
	must(reader_begin(b->reader, &error), &error, "reader_begin");
	must(read_mx(b->reader, &q, by_domain, &b->arena, &b->rows, &b->n, &possible, &b->since_ms,
		     &error),
		&error, "read_mx");
	assert_true(possible);
	must(read_fallbacks(b->reader, &q, &b->arena, &b->fallbacks, &b->nfallbacks, &error),
		&error, "read_fallbacks");
}

static void look_away(struct board *b)
{
	reader_end(b->reader);
	reader_close(b->reader);
	arena_done(&b->arena);
}

static const struct mx_row *row(const struct board *b, const char *name)
{
	for (size_t i = 0; i < b->n; i++)
		if (str_eq(b->rows[i].name, str_of(name)))
			return &b->rows[i];
	fail_msg("no row %s", name);
	return NULL;
}

static void start(struct fixture *f)
{
	fixture_begin(f);
	fixture_open(f);
}

static void kinds_by_the_words_of_the_log(void **state)
{
	static const struct {
		const char *text;
		int figure; /* -1 none */
	} cases[] = {{"connect to a.example[192.0.2.1]:25: Connection refused", MX_REFUSED},
		{"connect to a.example[192.0.2.1]:25: Connection timed out", MX_TIMED_OUT},
		{"conversation with a.example[192.0.2.1] timed out while receiving the initial "
		 "server greeting",
			MX_TIMED_OUT},
		{"connect to a.example[192.0.2.1]:25: No route to host", MX_NO_ROUTE},
		{"connect to a.example[2001:db8::1]:25: Network is unreachable", MX_NO_ROUTE},
		{"lost connection with a.example[192.0.2.1] while performing the HELO handshake",
			MX_LOST},
		{"TLS is required, but was not offered by host a.example[192.0.2.1]",
			MX_TLS_FAILED},
		{"SSL_connect error to a.example[192.0.2.1]:25: -1", MX_TLS_FAILED},
		{"Cannot start TLS: handshake failure", -1}, /* its SSL_connect line counts */
		{"host a.example[192.0.2.1] said: 450 4.7.1 connection refused by policy, timed "
		 "out",
			-1},
		{"host a.example[192.0.2.1] refused to talk to me: 421 lost connection", -1}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture f;
		struct board b;

		start(&f);
		failed(&f, 7, NULL, "a.example", cases[i].text);
		fixture_commit(&f);
		look(&b, &f, false);
		assert_int_equal(b.n, cases[i].figure >= 0);
		for (int k = 0; k < MX_FIGURE__COUNT && b.n; k++)
			assert_int_equal(b.rows[0].n[k], k == cases[i].figure);
		look_away(&b);
		fixture_end(&f);
	}
}

/* Two fail, the third takes it; the record's connection time is theirs too, so the third's is not told. */
static void the_next_record_of_the_process_has_the_failures(void **state)
{
	struct fixture f;
	struct board b;

	(void)state;
	start(&f);
	failed(&f, 7, NULL, "a.example", "connect to a.example[192.0.2.1]:25: Connection refused");
	failed(&f, 7, "A1", "b.example", "lost connection with b.example[192.0.2.1] while ...");
	sent(&f, 8, "A9", "a.example"); /* another process */
	fixture_commit(&f);
	fixture_reopen(&f); /* what process 7 is at outlives the restart */
	sent(&f, 7, "A1", "c.example");
	sent(&f, 7, "A1", "c.example"); /* a second recipient of the same message */
	sent(&f, 7, "A2", "c.example"); /* the next message had no trouble */
	fixture_commit(&f);
	look(&b, &f, false);
	assert_int_equal(row(&b, "a.example")->n[MX_REFUSED], 1);
	assert_int_equal(row(&b, "a.example")->sent, 1);
	assert_int_equal(row(&b, "a.example")->n[MX_STEPPED_IN], 0);
	assert_int_equal(row(&b, "b.example")->n[MX_LOST], 1);
	assert_int_equal(row(&b, "c.example")->sent, 3);
	assert_int_equal(row(&b, "c.example")->connects, 1);
	assert_int_equal(row(&b, "c.example")->p50_cs, 150);
	assert_int_equal(row(&b, "c.example")->n[MX_STEPPED_IN], 2);
	assert_int_equal(row(&b, "c.example")->tls_told, EVENT_UNKNOWN);
	assert_int_equal(b.nfallbacks, 2);
	assert_int_equal(b.fallbacks[0].n + b.fallbacks[1].n, 4);
	look_away(&b);
	look(&b, &f, true);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.rows[0].n[MX_REFUSED], 1); /* once, however many recipients */
	assert_int_equal(b.rows[0].n[MX_LOST], 1);
	assert_int_equal(b.rows[0].n[MX_STEPPED_IN], 2);
	assert_int_equal(b.rows[0].connects, 4);
	look_away(&b);
	fixture_end(&f);
}

static void the_same_host_again_is_no_backup(void **state)
{
	struct fixture f;
	struct board b;

	(void)state;
	start(&f);
	failed(&f, 7, NULL, "a.example",
		"connect to a.example[192.0.2.1]:25: Connection timed out");
	sent(&f, 7, "A1", "a.example"); /* by its other address */
	fixture_commit(&f);
	look(&b, &f, false);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.rows[0].n[MX_STEPPED_IN], 0);
	assert_int_equal(b.rows[0].n[MX_TIMED_OUT], 1);
	assert_int_equal(b.rows[0].connects, 0);
	assert_int_equal(b.nfallbacks, 0);
	look_away(&b);
	fixture_end(&f);
}

/* At the last host there is no line but the recipients' records: one failure of each queue run. */
static void a_failure_told_by_records_counts_once_a_run(void **state)
{
	struct fixture f;
	struct board b;

	(void)state;
	start(&f);
	for (int run = 0; run < 2; run++) {
		put_queued(&f, "A1", "me@here.example", 2);
		for (int i = 0; i < 2; i++) {
			struct event e = record(7, "A1", "a.example", STATUS_DEFERRED);

			e.reply = STR_LIT("conversation with a.example[192.0.2.9] timed out while "
					  "receiving the initial server greeting");
			put(&f, &e);
		}
	}
	fixture_commit(&f);
	look(&b, &f, false);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.rows[0].n[MX_TIMED_OUT], 2);
	look_away(&b);
	fixture_end(&f);
}

static void names_not_found(void **state)
{
	struct event e = record(7, "A1", NULL, STATUS_BOUNCED);
	struct fixture f;
	struct board b;

	(void)state;
	start(&f);
	e.reply = STR_LIT("Host or domain name not found. Name service error for "
			  "name=there.example type=AAAA: Host not found");
	put(&f, &e);
	e.t_utc_ms = 0;
	e.reply = STR_LIT("Host or domain name not found. Name service error for "
			  "name=mx.there.example type=A: Host not found, try again");
	put(&f, &e);
	fixture_commit(&f);
	look(&b, &f, false);
	assert_int_equal(b.n, 1); /* the domain itself is no MX host */
	assert_int_equal(row(&b, "mx.there.example")->n[MX_DNS_FAILED], 1);
	look_away(&b);
	look(&b, &f, true);
	assert_int_equal(row(&b, "there.example")->n[MX_DNS_FAILED], 2);
	look_away(&b);
	fixture_end(&f);
}

static void tls_by_version(void **state)
{
	struct event e = record(7, "A4", "a.example", STATUS_SENT);
	struct fixture f;
	struct board b;

	(void)state;
	start(&f);
	handshake(&f, 7, "TLSv1.3");
	sent(&f, 7, "A1", "a.example");
	handshake(&f, 7, "TLSv1.2");
	sent(&f, 7, "A2", "a.example");
	handshake(&f, 7, "TLSv1");
	sent(&f, 7, "A3", "a.example");
	e.conn_use = 3; /* by a connection of another process: not told, and no time */
	put(&f, &e);
	sent(&f, 7, "A5", "a.example"); /* no hand-shake: none, since the log tells of others */
	fixture_commit(&f);
	look(&b, &f, false);
	assert_int_equal(b.rows[0].sent, 5);
	assert_int_equal(b.rows[0].connects, 4);
	assert_int_equal(b.rows[0].tls_told, 4);
	assert_int_equal(b.rows[0].tls_used, 3);
	assert_int_equal(b.rows[0].tls[MX_TLS_1_3], 1);
	assert_int_equal(b.rows[0].tls[MX_TLS_1_2], 1);
	assert_int_equal(b.rows[0].tls[MX_TLS_OLDER], 1);
	look_away(&b);
	fixture_end(&f);
}

/* The step of the schema that such a cache goes through; tests run in the source root. */
static void read_step(char *out, size_t n)
{
	FILE *f = fopen("store/schema/009.sql", "r");
	size_t got = f ? fread(out, 1, n - 1, f) : 0;

	assert_non_null(f);
	fclose(f);
	out[got] = '\0';
}

/* A cache of before: what its minutes lack is told, not taken for nothing. */
static void what_was_counted_before_is_not_known(void **state)
{
	struct fixture f;
	struct board b;
	char step[4096];
	sqlite3 *db;

	(void)state;
	start(&f);
	sent(&f, 7, "A1", "a.example");
	fixture_commit(&f);
	store_close(f.store);
	assert_int_equal(sqlite3_open(f.path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db, "DELETE FROM bucket WHERE dim>=21", NULL, NULL, NULL), SQLITE_OK);
	read_step(step, sizeof(step));
	assert_int_equal(sqlite3_exec(db, step, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	fixture_open(&f);
	f.t_ms += 600000;
	sent(&f, 7, "A2", "b.example");
	fixture_commit(&f);
	look(&b, &f, false);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.since_ms, T0_MS + 60000);
	look_away(&b);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_by_the_words_of_the_log),
		cmocka_unit_test(the_next_record_of_the_process_has_the_failures),
		cmocka_unit_test(the_same_host_again_is_no_backup),
		cmocka_unit_test(a_failure_told_by_records_counts_once_a_run),
		cmocka_unit_test(names_not_found),
		cmocka_unit_test(tls_by_version),
		cmocka_unit_test(what_was_counted_before_is_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
