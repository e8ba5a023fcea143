/* SPDX-License-Identifier: MIT */
/* test_session - connections, authentication and TLS of client sessions, counted once each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/store_fixture.h"

static const char *tag = "postfix/submission/smtpd";

static struct event session_line(enum event_kind kind)
{
	struct event e = event_of(kind, tag, NULL);

	e.client_host = STR_LIT("c.example");
	e.client_ip = STR_LIT("203.0.113.5");
	e.tls_ok = true;
	return e;
}

static void line(struct fixture *f, enum event_kind kind)
{
	struct event e = session_line(kind);

	put(f, &e);
}

static void leave(struct fixture *f, int auth_ok, int auth_total, int starttls)
{
	struct event e = session_line(EVENT_DISCONNECT);

	e.session.present = true;
	e.session.auth_ok = auth_ok;
	e.session.auth_total = auth_total;
	e.session.starttls_ok = starttls;
	e.session.commands = 5;
	put(f, &e);
}

static void accept_mail(struct fixture *f, const char *qid)
{
	struct event e = session_line(EVENT_RECEIVED);

	e.queue_id = str_of(qid);
	e.sasl_user = STR_LIT("user");
	put(f, &e);
}

static void expect(struct fixture *f, int connections, int ok, int failed, int tls)
{
	fixture_commit(f);
	assert_int_equal(total(f, DIM_TOTAL, METRIC_CONNECTIONS), connections);
	assert_int_equal(total(f, DIM_TOTAL, METRIC_AUTH_OK), ok);
	assert_int_equal(total(f, DIM_TOTAL, METRIC_AUTH_FAILED), failed);
	assert_int_equal(total(f, DIM_TOTAL, METRIC_TLS), tls);
	assert_int_equal(total(f, DIM_SERVICE, METRIC_AUTH_FAILED), failed);
	assert_int_equal(total(f, DIM_SERVICE, METRIC_TLS), tls);
	fixture_end(f);
}

static void start(struct fixture *f)
{
	fixture_begin(f);
	fixture_open(f);
}

static void counters_and_lines_agree(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	line(&f, EVENT_CONNECT);
	line(&f, EVENT_TLS);
	line(&f, EVENT_AUTH_FAILED);
	accept_mail(&f, "A1");
	accept_mail(&f, "A2");
	leave(&f, 1, 2, 1);
	expect(&f, 1, 1, 1, 1);
}

static void counters_alone(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	line(&f, EVENT_CONNECT);
	leave(&f, 1, 4, 1);
	fixture_commit(&f);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_COUNTED_SESSIONS), 1);
	assert_int_equal(total(&f, DIM_SERVICE, METRIC_COUNTED_SESSIONS), 1);
	expect(&f, 1, 1, 3, 1);
}

/* More warnings than the counters admit, or none at all: the larger figure. */
static void warnings_alone(void **state)
{
	struct fixture f;
	struct event e;

	(void)state;
	start(&f);
	line(&f, EVENT_CONNECT);
	line(&f, EVENT_AUTH_FAILED);
	line(&f, EVENT_AUTH_FAILED);
	leave(&f, 0, 1, 0);
	line(&f, EVENT_CONNECT);
	line(&f, EVENT_AUTH_FAILED);
	e = session_line(EVENT_DISCONNECT); /* before Postfix 3.0 */
	put(&f, &e);
	expect(&f, 2, 0, 3, 0);
}

static void old_log_counts_mail_with_sasl(void **state)
{
	struct fixture f;
	struct event e;

	(void)state;
	start(&f);
	line(&f, EVENT_CONNECT);
	accept_mail(&f, "A1");
	accept_mail(&f, "A2");
	e = session_line(EVENT_DISCONNECT);
	put(&f, &e);
	line(&f, EVENT_CONNECT);
	accept_mail(&f, "A3");
	e = session_line(EVENT_DISCONNECT);
	put(&f, &e);
	expect(&f, 2, 2, 0, 0);
}

static void interleaved_sessions_count_once(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	line(&f, EVENT_CONNECT);
	line(&f, EVENT_CONNECT);
	line(&f, EVENT_TLS);
	line(&f, EVENT_TLS);
	accept_mail(&f, "A1");
	accept_mail(&f, "A2");
	leave(&f, 1, 1, 1);
	leave(&f, 1, 1, 1);
	expect(&f, 2, 2, 0, 2);
}

/* The log begins inside a session. */
static void without_connect(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	line(&f, EVENT_AUTH_FAILED);
	accept_mail(&f, "A1");
	leave(&f, 1, 3, 1);
	leave(&f, 2, 2, 0); /* and one of which nothing else was seen */
	expect(&f, 0, 3, 2, 1);
}

/* A session that never ended in the log does not lend its counts to the next one of that process. */
static void lost_disconnect(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	line(&f, EVENT_CONNECT);
	line(&f, EVENT_AUTH_FAILED);
	f.t_ms += 2 * 86400000;
	line(&f, EVENT_CONNECT);
	leave(&f, 0, 1, 0);
	expect(&f, 2, 0, 2, 0);
}

static void implicit_tls_by_service(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	tag = "postfix/smtps/smtpd";
	line(&f, EVENT_CONNECT);
	leave(&f, 0, 0, 0);
	line(&f, EVENT_CONNECT);
	line(&f, EVENT_TLS);
	leave(&f, 0, 0, 0);
	tag = "postfix/submission/smtpd";
	line(&f, EVENT_CONNECT);
	leave(&f, 0, 0, 0);
	expect(&f, 3, 0, 0, 2);
}

/* The map from master.cf beats stock names. */
static void wrapper_from_the_service_map(void **state)
{
	struct fixture f;
	struct mt_error error = {0};
	const struct service_row rows[] = {{.tag = STR_LIT("postfix/odd/smtpd"),
		.port = 4465,
		.source = PORT_FROM_MASTER,
		.wrapper = 1}};

	(void)state;
	start(&f);
	must(store_services(f.store, f.provider, rows, 1, &error), &error, "services");
	fixture_reopen(&f);
	tag = "postfix/odd/smtpd";
	line(&f, EVENT_CONNECT);
	leave(&f, 0, 0, 0);
	tag = "postfix/submission/smtpd";
	fixture_commit(&f);
	assert_int_equal(sql_int(&f, "SELECT port FROM service"), 4465);
	expect(&f, 1, 0, 0, 1);
}

/* postscreen: one process, no sessions kept, nothing piles up. */
static void postscreen_keeps_no_sessions(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	tag = "postfix/postscreen";
	for (int i = 0; i < 100; i++)
		line(&f, EVENT_CONNECT);
	tag = "postfix/submission/smtpd";
	fixture_commit(&f);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM state WHERE key='sessions'"), 0);
	expect(&f, 100, 0, 0, 0);
}

/* An attack opens more sessions than are remembered: memory and state stay bounded, connections exact. */
static void sessions_are_bounded(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	for (int i = 0; i < 40000; i++) {
		struct event e = session_line(EVENT_CONNECT);

		e.pid = i + 1;
		f.t_ms += 10;
		put(&f, &e);
	}
	fixture_commit(&f);
	assert_true(sql_int(&f, "SELECT length(value) FROM state WHERE key='sessions'") < 2000000);
	fixture_reopen(&f);
	expect(&f, 40000, 0, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters_and_lines_agree),
		cmocka_unit_test(counters_alone),
		cmocka_unit_test(warnings_alone),
		cmocka_unit_test(old_log_counts_mail_with_sasl),
		cmocka_unit_test(interleaved_sessions_count_once),
		cmocka_unit_test(without_connect),
		cmocka_unit_test(lost_disconnect),
		cmocka_unit_test(implicit_tls_by_service),
		cmocka_unit_test(wrapper_from_the_service_map),
		cmocka_unit_test(postscreen_keeps_no_sessions),
		cmocka_unit_test(sessions_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
