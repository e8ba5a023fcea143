/* SPDX-License-Identifier: MIT */
/* test_join - messages joined from their lines, and what each line counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/store_fixture.h"

static void one_row_for_a_delivered_mail(void **state)
{
	struct fixture f;

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	put_client(&f, "A1", "203.0.113.5");
	put_mid(&f, "A1", "1@a.example");
	put_queued(&f, "A1", "Me@Here.example", 1);
	put_attempt(&f, "A1", "you@There.Example", STATUS_SENT);
	put_removed(&f, "A1");
	fixture_commit(&f);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM message"), 1);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM attempt"), 0);
	assert_int_equal(
		sql_int(&f, "SELECT count(*) FROM message m JOIN dict d ON d.id=m.a_dom "
			    "WHERE a_rcpt='you' AND d.text='there.example' AND end_ms IS NOT NULL"),
		1);
	assert_int_equal(
		sql_int(&f, "SELECT count(*) FROM message m JOIN dict d ON d.id=m.from_dom "
			    "WHERE from_local='Me' AND d.text='here.example' AND flags=0"),
		1);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_RECEIVED), 1);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_RECIPIENTS), 1);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_SENT), 1);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_FIRST_TRY), 1);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_LINES), 5);
	assert_int_equal(total(&f, DIM_DOMAIN, METRIC_SENT), 1);
	assert_int_equal(total(&f, DIM_SENDER, METRIC_RECEIVED), 1);
	assert_int_equal(total(&f, DIM_SERVICE, METRIC_RECEIVED), 1);
	assert_int_equal(total(&f, DIM_DELAY_D, METRIC_SENT), 1);
	assert_int_equal(
		sql_int(&f, "SELECT key FROM " BUCKET_ROWS " WHERE dim=8 AND res=60"), 123);
	fixture_end(&f);
}

static void start(struct fixture *f)
{
	fixture_begin(f);
	fixture_open(f);
}

/* Parent with its filter's child; the parent's "sent" names the child. */
static void put_filtered(struct fixture *f, const char *parent, const char *child,
	const char *client_ip, const char *relay_ip)
{
	struct event e;

	put_client(f, parent, "203.0.113.5");
	put_mid(f, parent, "1@a.example");
	put_queued(f, parent, "me@here.example", 2);
	put_client(f, child, client_ip);
	put_mid(f, child, "1@a.example");
	put_queued(f, child, "me@here.example", 2);
	e = attempt_of(parent, "you@there.example", STATUS_SENT);
	e.relay_ip = str_of(relay_ip);
	e.relay_port = 10024;
	e.child_queue_id = str_of(child);
	put(f, &e);
	e.to = STR_LIT("her@there.example");
	put(f, &e);
	put_removed(f, parent);
	put_attempt(f, child, "you@there.example", STATUS_SENT);
	put_attempt(f, child, "her@there.example", STATUS_SENT);
	put_removed(f, child);
	fixture_commit(f);
}

static void filtered_mail_counts_once(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	put_filtered(&f, "A1", "B1", "127.0.0.1", "127.0.0.1");
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_RECEIVED), 1);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_RECIPIENTS), 2);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_SENT), 2);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_HANDED_OVER), 2);
	assert_int_equal(total(&f, DIM_SENDER, METRIC_RECEIVED), 1);
	assert_int_equal(total(&f, DIM_SERVICE, METRIC_RECEIVED), 1);
	assert_int_equal(total(&f, DIM_DOMAIN, METRIC_SENT), 2);
	assert_int_equal(total(&f, DIM_RELAY_PORT, METRIC_HANDED_OVER), 2);
	assert_int_equal(sql_int(&f, "SELECT parent FROM message WHERE qid='B1'"),
		sql_int(&f, "SELECT id FROM message WHERE qid='A1'"));
	assert_int_equal(
		sql_int(&f, "SELECT flags FROM message WHERE qid='B1'"), MESSAGE_REINJECTED);
	assert_int_equal(sql_int(&f, "SELECT a_flags FROM message WHERE qid='A1'"), 1);
	fixture_end(&f);
}

/* A filter on another machine: the child comes from the address the parent went to. */
static void filter_elsewhere_counts_once(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	put_filtered(&f, "A1", "B1", "192.0.2.77", "192.0.2.77");
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_RECEIVED), 1);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_HANDED_OVER), 2);
	fixture_end(&f);
}

/* Without that evidence a remote server's queue id that happens to be one of ours is a delivery. */
static void remote_queued_as_stays_sent(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	put_filtered(&f, "A1", "B1", "203.0.113.9", "192.0.2.77");
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_RECEIVED), 2);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_RECIPIENTS), 4);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_SENT), 4);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_HANDED_OVER), 0);
	fixture_end(&f);
}

/* The child's whole life, and a commit, before the parent's "sent". */
static void child_closed_and_committed_first(void **state)
{
	struct fixture f;
	struct event e;

	(void)state;
	start(&f);
	put_client(&f, "A1", "203.0.113.5");
	put_queued(&f, "A1", "me@here.example", 1);
	put_client(&f, "B1", "127.0.0.1");
	put_queued(&f, "B1", "me@here.example", 1);
	put_attempt(&f, "B1", "you@there.example", STATUS_SENT);
	put_removed(&f, "B1");
	fixture_commit(&f);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_RECEIVED), 2);
	fixture_reopen(&f);
	e = attempt_of("A1", "you@there.example", STATUS_SENT);
	e.relay_ip = STR_LIT("127.0.0.1");
	e.child_queue_id = STR_LIT("B1");
	put(&f, &e);
	put_removed(&f, "A1");
	fixture_commit(&f);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_RECEIVED), 1);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_RECIPIENTS), 1);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_SENT), 1);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_HANDED_OVER), 1);
	assert_int_equal(sql_int(&f, "SELECT parent FROM message WHERE qid='B1'"), 1);
	fixture_end(&f);
}

static void origin_named_by_client_line(void **state)
{
	struct fixture f;
	struct event e;

	(void)state;
	start(&f);
	put_client(&f, "A1", "203.0.113.5");
	put_queued(&f, "A1", "me@here.example", 1);
	e = event_of(EVENT_RECEIVED, "postfix/smtpd", "B1");
	e.client_ip = STR_LIT("203.0.113.5");
	e.orig_queue_id = STR_LIT("A1");
	put(&f, &e);
	put_queued(&f, "B1", "me@here.example", 1);
	fixture_commit(&f);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_RECEIVED), 1);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_RECIPIENTS), 1);
	assert_int_equal(total(&f, DIM_SENDER, METRIC_RECEIVED), 1);
	assert_int_equal(sql_int(&f, "SELECT parent FROM message WHERE qid='B1'"), 1);
	fixture_end(&f);
}

static void forwarded_copy_counts_once(void **state)
{
	struct fixture f;
	struct event e;

	(void)state;
	start(&f);
	put_client(&f, "A1", "203.0.113.5");
	put_queued(&f, "A1", "me@here.example", 1);
	put_mid(&f, "B1", "1@a.example");
	e = attempt_of("A1", "you@here.example", STATUS_SENT);
	e.service = STR_LIT("postfix/local");
	e.process = STR_LIT("local");
	e.reply = STR_LIT("forwarded as B1");
	e.child_queue_id = STR_LIT("B1");
	put(&f, &e);
	put_removed(&f, "A1");
	put_queued(&f, "B1", "me@here.example", 1);
	put_attempt(&f, "B1", "you@far.example", STATUS_SENT);
	fixture_commit(&f);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_RECEIVED), 1);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_RECIPIENTS), 1);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_SENT), 1);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_HANDED_OVER), 1);
	assert_int_equal(sql_int(&f, "SELECT flags FROM message WHERE qid='B1'"),
		MESSAGE_OPEN | MESSAGE_FORWARDED);
	fixture_end(&f);
}

/* A pipe(8) filter puts the mail back with sendmail(1); pickup's line may come before or after the pipe's. */
static void piped_filter(bool child_first)
{
	struct fixture f;
	struct event e;

	start(&f);
	put_client(&f, "A1", "203.0.113.5");
	put_mid(&f, "A1", "1@a.example");
	put_queued(&f, "A1", "me@here.example", 1);
	e = attempt_of("A1", "you@there.example", STATUS_SENT);
	e.service = STR_LIT("postfix/pipe");
	e.process = STR_LIT("pipe");
	e.relay = e.relay_host = STR_LIT("filter");
	e.relay_ip = (struct str){NULL, 0};
	e.relay_port = EVENT_UNKNOWN;
	if (!child_first) {
		put(&f, &e);
		fixture_commit(&f);
		assert_int_equal(total(&f, DIM_TOTAL, METRIC_SENT), 1);
		fixture_reopen(&f);
	}
	put_pickup(&f, "B1");
	put_mid(&f, "B1", "1@a.example");
	put_queued(&f, "B1", "me@here.example", 1);
	if (child_first)
		put(&f, &e);
	put_removed(&f, "A1");
	put_attempt(&f, "B1", "you@there.example", STATUS_SENT);
	fixture_commit(&f);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_RECEIVED), 1);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_SENT), 1);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_HANDED_OVER), 1);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_FIRST_TRY), 1);
	assert_int_equal(total(&f, DIM_DOMAIN, METRIC_SENT), 1);
	assert_int_equal(total(&f, DIM_DELAY_C, METRIC_SENT), 1);
	assert_int_equal(total(&f, DIM_CODE, METRIC_SENT), 1);
	assert_int_equal(total(&f, DIM_SENDER, METRIC_SENT), 1);
	assert_int_equal(total(&f, DIM_RELAY_PORT, METRIC_SENT), 1);
	assert_int_equal(total(&f, DIM_EGRESS, METRIC_HANDED_OVER), 1);
	assert_int_equal(sql_int(&f, "SELECT a_flags FROM message WHERE qid='A1'"), 1);
	fixture_end(&f);
}

static void piped_filter_either_order(void **state)
{
	(void)state;
	piped_filter(true);
	piped_filter(false);
}

static void notification_either_order(void **state)
{
	(void)state;
	for (int notice_first = 0; notice_first < 2; notice_first++) {
		struct fixture f;
		struct event e;

		start(&f);
		put_client(&f, "A1", "203.0.113.5");
		put_queued(&f, "A1", "me@here.example", 1);
		put_attempt(&f, "A1", "you@there.example", STATUS_BOUNCED);
		e = event_of(EVENT_NOTIFICATION, "postfix/bounce", "A1");
		e.child_queue_id = STR_LIT("N1");
		if (notice_first)
			put(&f, &e);
		put_mid(&f, "N1", "n1@here.example");
		if (!notice_first)
			put(&f, &e);
		put_queued(&f, "N1", "", 1);
		put_removed(&f, "A1");
		put_attempt(&f, "N1", "me@here.example", STATUS_SENT);
		put_removed(&f, "N1");
		fixture_commit(&f);
		assert_int_equal(total(&f, DIM_TOTAL, METRIC_RECEIVED), 2);
		assert_int_equal(total(&f, DIM_TOTAL, METRIC_NOTIFICATIONS), 1);
		assert_int_equal(total(&f, DIM_TOTAL, METRIC_RECIPIENTS), 2);
		assert_int_equal(total(&f, DIM_TOTAL, METRIC_BOUNCED), 1);
		assert_int_equal(
			sql_int(&f, "SELECT parent FROM message WHERE qid='N1' AND flags=2"), 1);
		assert_int_equal(sql_int(&f, "SELECT count(*) FROM message WHERE qid='N1' AND "
					     "from_local='' AND from_dom IS NULL"),
			1);
		fixture_end(&f);
	}
}

/* The log begins in the middle: attempts count, the arrival does not. */
static void log_begins_in_the_middle(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	put_queued(&f, "A1", "me@here.example", 3);
	put_attempt(&f, "A1", "you@there.example", STATUS_DEFERRED);
	put_attempt(&f, "B1", "you@there.example", STATUS_SENT);
	put_removed(&f, "C1");
	fixture_commit(&f);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_RECEIVED), 0);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_RECIPIENTS), 0);
	assert_int_equal(total(&f, DIM_SENDER, METRIC_RECEIVED), 0);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_DEFERRED), 1);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_SENT), 1);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM message WHERE flags & 32"), 2);
	fixture_end(&f);
}

/* Short queue ids come back, with and without "removed" of the one before. */
static void queue_ids_come_back(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	for (int i = 0; i < 3; i++) {
		put_client(&f, "A1", "203.0.113.5");
		put_mid(&f, "A1", i == 0 ? "1@a" : i == 1 ? "2@a" : "3@a");
		put_queued(&f, "A1", "me@here.example", 1);
		put_attempt(&f, "A1", "you@there.example", STATUS_SENT);
		if (i == 0)
			put_removed(&f, "A1");
		f.t_ms += 3600000;
	}
	fixture_commit(&f);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_RECEIVED), 3);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM message"), 3);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM message WHERE nsent=1"), 3);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM message WHERE end_ms IS NULL"), 1);
	fixture_end(&f);
}

/* cleanup's line before smtpd's: one message. Two hosts, one id: two messages. */
static void disorder_and_hosts(void **state)
{
	struct fixture f;
	struct event e;

	(void)state;
	start(&f);
	put_mid(&f, "A1", "1@a");
	put_client(&f, "A1", "203.0.113.5");
	put_queued(&f, "A1", "me@here.example", 2);
	e = event_of(EVENT_RECEIVED, "postfix/smtpd", "A1");
	e.host = STR_LIT("mx2");
	e.client_ip = STR_LIT("203.0.113.6");
	put(&f, &e);
	fixture_commit(&f);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_RECEIVED), 2);
	assert_int_equal(total(&f, DIM_SERVICE, METRIC_RECEIVED), 2);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_RECIPIENTS), 2);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM message"), 2);
	fixture_end(&f);
}

static void deferred_then_expired(void **state)
{
	struct fixture f;
	struct event e;

	(void)state;
	start(&f);
	put_client(&f, "A1", "203.0.113.5");
	for (int run = 0; run < 3; run++) {
		put_queued(&f, "A1", "me@here.example", 3);
		if (run == 0)
			put_attempt(&f, "A1", "ok@there.example", STATUS_SENT);
		put_attempt(&f, "A1", "a@there.example", STATUS_DEFERRED);
		put_attempt(&f, "A1", "b@there.example", STATUS_DEFERRED);
		fixture_commit(&f);
		fixture_reopen(&f);
	}
	e = event_of(EVENT_EXPIRED, "postfix/qmgr", "A1");
	put(&f, &e);
	put(&f, &e);
	put_removed(&f, "A1");
	fixture_commit(&f);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_DEFERRED), 6);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_EXPIRED), 1);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_EXPIRED_RECIPIENTS), 2);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_RECIPIENTS), 3);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_FIRST_TRY), 1);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM attempt WHERE status=2"), 6);
	assert_int_equal(
		sql_int(&f, "SELECT count(*) FROM attempt WHERE status=4 AND rcpt='b'"), 1);
	assert_int_equal(sql_int(&f, "SELECT runs FROM message WHERE nsent=1 AND ndeferred=6"), 3);
	fixture_end(&f);
}

static void probes_are_in_no_total(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	put_mid(&f, "P1", "p@here.example");
	put_queued(&f, "P1", "double-bounce@here.example", 1);
	put_attempt(&f, "P1", "you@there.example", STATUS_UNDELIVERABLE);
	put_removed(&f, "P1");
	fixture_commit(&f);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_RECEIVED), 0);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_RECIPIENTS), 0);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_BOUNCED), 0);
	assert_int_equal(total(&f, DIM_DOMAIN, METRIC_BOUNCED), 0);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM attempt"), 0);
	fixture_end(&f);
}

static void rejects(void **state)
{
	static const struct {
		enum reject_action action;
		int32_t code, dsn;
	} cases[] = {{REJECT_REJECT, 550, DSN_MAKE(5, 1, 1)},
		{REJECT_REJECT, 450, DSN_MAKE(4, 2, 0)},
		{REJECT_REJECT, EVENT_UNKNOWN, DSN_MAKE(4, 7, 1)},
		{REJECT_REJECT, EVENT_UNKNOWN, 0}, {REJECT_WARN, 550, 0},
		{REJECT_HOLD, EVENT_UNKNOWN, 0}, {REJECT_DISCARD, EVENT_UNKNOWN, 0},
		{REJECT_OTHER, EVENT_UNKNOWN, 0}};
	struct fixture f;

	(void)state;
	start(&f);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct event e = event_of(EVENT_REJECT, "postfix/submission/smtpd", NULL);

		e.action = cases[i].action;
		e.code = cases[i].code;
		e.dsn = cases[i].dsn;
		e.client_ip = STR_LIT("203.0.113.9");
		e.to = STR_LIT("x@There.example");
		e.reply = STR_LIT("<x@There.example>: Recipient address rejected: User unknown");
		put(&f, &e);
	}
	fixture_commit(&f);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_REJECTED), 4);
	assert_int_equal(total(&f, DIM_SERVICE, METRIC_REJECTED), 4);
	assert_int_equal(total(&f, DIM_CODE, METRIC_REJECTED), 4);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_REJECTED_TEMPORARY), 2);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_REJECT_WARNINGS), 1);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_HELD), 1);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_DISCARDED), 1);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM reject"), 8);
	assert_int_equal(sql_int(&f, "SELECT count(DISTINCT reply) FROM reject"), 1);
	assert_int_equal(sql_int(&f, "SELECT port FROM service"), 587);
	fixture_end(&f);
}

static void lines_and_samples(void **state)
{
	struct fixture f;
	struct event e;
	struct mt_error error = {0};

	(void)state;
	start(&f);
	for (int i = 0; i < 1200; i++) {
		e = event_of(EVENT_UNPARSED, "postfix/smtpd", NULL);
		e.text = STR_LIT("what is this");
		put(&f, &e);
	}
	e = event_of(EVENT_WARNING, "postfix/smtpd", NULL);
	e.severity = SEVERITY_WARNING;
	e.text = STR_LIT("warning: x");
	put(&f, &e);
	/* a second event of the same line */
	e.line_offset = f.offset - 100;
	must(store_event(f.store, f.provider, &e, &error), &error, "store_event");
	e = event_of(EVENT_FOREIGN, "dovecot", NULL);
	put(&f, &e);
	fixture_commit(&f);
	for (int i = 0; i < 10; i++) {
		e = event_of(EVENT_UNPARSED, "postfix/smtpd", NULL);
		e.text = STR_LIT("and this");
		put(&f, &e);
	}
	fixture_commit(&f);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_LINES), 1212);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_UNPARSED), 1210);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_WARNINGS), 1);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_FOREIGN), 1);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM sample WHERE kind=1"), 500);
	assert_int_equal(
		sql_int(&f, "SELECT count(*) FROM sample WHERE kind=1 AND text='and this'"), 10);
	fixture_end(&f);
}

static void tls_out_by_field_and_by_process(void **state)
{
	static const struct {
		const char *tls;
		int encrypted;
	} cases[] = {{"none", 0}, {"may", 1}, {"may?", 0}, {"may:none", 0}, {"dane:halfdane", 1},
		{"encrypt", 1}, {"secure/!requiretls:nostarttls", 1}, {"", 0}};
	struct fixture f;
	struct event e;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start(&f);
		e = attempt_of("A1", "you@there.example", STATUS_SENT);
		e.tls = str_of(cases[i].tls);
		put(&f, &e);
		fixture_commit(&f);
		assert_int_equal(total(&f, DIM_TOTAL, METRIC_TLS_OUT), cases[i].encrypted);
		fixture_end(&f);
	}
	start(&f);
	e = event_of(EVENT_TLS, "postfix/smtp", NULL);
	e.outbound = e.tls_ok = true;
	e.tls_version = STR_LIT("TLSv1.3");
	put(&f, &e);
	put_attempt(&f, "A1", "you@there.example", STATUS_SENT);
	put_attempt(&f, "A1", "her@there.example", STATUS_SENT);
	put_attempt(&f, "A2", "you@there.example",
		STATUS_SENT); /* another message, no hand-shake of its own */
	fixture_commit(&f);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_TLS_OUT), 2);
	fixture_end(&f);
}

/* Open messages that never see their "removed" end after the longest queue lifetime. */
static void forgotten_messages_age_out(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	put_client(&f, "A1", "203.0.113.5");
	fixture_commit(&f);
	clock_advance(&f.clock, 20LL * 86400000);
	f.t_ms += 13LL * 86400000;
	put_client(&f, "A2", "203.0.113.5");
	fixture_commit(&f);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM message WHERE end_ms IS NULL"), 2);
	f.t_ms += 2LL * 86400000;
	put_client(&f, "A3", "203.0.113.5");
	fixture_commit(&f);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM message WHERE end_ms IS NULL"), 2);
	/* a line from ten years ahead moves nothing */
	f.t_ms += 3650LL * 86400000;
	put_client(&f, "A4", "203.0.113.5");
	fixture_commit(&f);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM message WHERE end_ms IS NULL"), 3);
	fixture_end(&f);
}

static void strange_values_do_no_harm(void **state)
{
	static const int64_t times[] = {INT64_MIN, -1, 0, 1, INT64_MAX, T0_MS};
	struct fixture f;
	char *huge = xcalloc(1, 70000);

	(void)state;
	memset(huge, 'x', 69999);
	huge[300] = '@';
	start(&f);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct event e = attempt_of(huge, huge, STATUS_SENT);

		e.t_utc_ms = times[i];
		e.reply = e.relay = e.relay_host = str_of(huge);
		e.delay_cs[DELAY_TOTAL] = DELAY_MAX_CS;
		put(&f, &e);
		put_client(&f, huge, huge);
		put_mid(&f, huge, huge);
		put_queued(&f, huge, huge, INT32_MAX);
	}
	fixture_commit(&f);
	fixture_reopen(&f);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_SENT), 6);
	fixture_end(&f);
	free(huge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_row_for_a_delivered_mail),
		cmocka_unit_test(filtered_mail_counts_once),
		cmocka_unit_test(filter_elsewhere_counts_once),
		cmocka_unit_test(remote_queued_as_stays_sent),
		cmocka_unit_test(child_closed_and_committed_first),
		cmocka_unit_test(origin_named_by_client_line),
		cmocka_unit_test(forwarded_copy_counts_once),
		cmocka_unit_test(piped_filter_either_order),
		cmocka_unit_test(notification_either_order),
		cmocka_unit_test(log_begins_in_the_middle),
		cmocka_unit_test(queue_ids_come_back),
		cmocka_unit_test(disorder_and_hosts),
		cmocka_unit_test(deferred_then_expired),
		cmocka_unit_test(probes_are_in_no_total),
		cmocka_unit_test(rejects),
		cmocka_unit_test(lines_and_samples),
		cmocka_unit_test(tls_out_by_field_and_by_process),
		cmocka_unit_test(forgotten_messages_age_out),
		cmocka_unit_test(strange_values_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
