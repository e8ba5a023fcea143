/* SPDX-License-Identifier: MIT */
/*
 * test_chains - one message under several queue ids, from the log's own lines to the totals.
 *
 * A case is a log, "PROCESS: MESSAGE" a line, and what it must count. "+SECONDS" lets time pass; "commit" ends the
 * batch and opens the cache anew, as a collector that was restarted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "backends/registry.h"
#include "store/base/scan.h"
#include "store/base/timefmt.h"
#include "tests/unit/store_fixture.h"

#define LINE_MAX_BYTES 4096
#define MANY_RECIPIENTS 10000
#define BATCH_EVENTS 4000

struct want {
	int received, recipients, sent, handed_over, deferred, bounced, expired, notifications,
		open;
};

struct chain {
	const char *name;
	struct want want;
	const char *log;
};

#define FROM_OUTSIDE(id, nrcpt)                                                                    \
	"smtpd: " id ": client=mail.example.net[203.0.113.1]\n"                                    \
	"cleanup: " id ": message-id=<1@example.net>\n"                                            \
	"qmgr: " id ": from=<a@example.net>, size=1000, nrcpt=" nrcpt " (queue active)\n"
#define FROM_FILTER(id, nrcpt)                                                                     \
	"10025/smtpd: " id ": client=localhost[127.0.0.1]\n"                                       \
	"cleanup: " id ": message-id=<1@example.net>\n"                                            \
	"qmgr: " id ": from=<a@example.net>, size=1400, nrcpt=" nrcpt " (queue active)\n"
#define TO_FILTER(id, rcpt, child)                                                                 \
	"amavis/smtp: " id ": to=<" rcpt ">, relay=127.0.0.1[127.0.0.1]:10024, delay=1, "          \
	"delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 " \
	"2.0.0 Ok: queued as " child ")\n"
#define SENT(id, rcpt)                                                                             \
	"smtp: " id ": to=<" rcpt ">, relay=mx.example.com[192.0.2.25]:25, delay=1, "              \
	"delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 77777777)\n"
#define SAVED(id, rcpt)                                                                            \
	"lmtp: " id ": to=<" rcpt ">, relay=mx1[private/dovecot-lmtp], delay=1, delays=0/0/0/1, "  \
	"dsn=2.0.0, status=sent (250 2.0.0 <" rcpt "> yF1OLrRhDVpddgAABvoInA Saved)\n"
#define FORWARDED(id, rcpt, child)                                                                 \
	"local: " id ": to=<" rcpt ">, relay=local, delay=1, delays=0/0/0/1, dsn=2.0.0, "          \
	"status=sent (forwarded as " child ")\n"
#define FORWARD_QUEUED(id, nrcpt)                                                                  \
	"cleanup: " id ": message-id=<1@example.net>\n"                                            \
	"qmgr: " id ": from=<a@example.net>, size=1200, nrcpt=" nrcpt " (queue active)\n"
#define DEFERRED(id, rcpt)                                                                         \
	"smtp: " id ": to=<" rcpt ">, relay=none, delay=1, delays=0/0/1/0, dsn=4.4.1, "            \
	"status=deferred (connect to mx.example.com[192.0.2.25]:25: Connection refused)\n"
#define BOUNCED(id, rcpt)                                                                          \
	"smtp: " id ": to=<" rcpt ">, relay=mx.example.com[192.0.2.25]:25, delay=1, "              \
	"delays=0/0/0/1, dsn=5.1.1, status=bounced (host mx.example.com[192.0.2.25] said: 550 "    \
	"5.1.1 unknown (in reply to RCPT TO command))\n"
#define REMOVED(id) "qmgr: " id ": removed\n"
#define NOTICE(parent, kind, id) "bounce: " parent ": " kind " notification: " id "\n"
#define NOTICE_ID(id) "cleanup: " id ": message-id=<" id "@mx1.example.org>\n"
#define NOTICE_QUEUED(id) "qmgr: " id ": from=<>, size=3000, nrcpt=1 (queue active)\n"

static const struct chain chains[] = {
	{"a filter, two recipients", {1, 2, 2, 2, 0, 0, 0, 0, 0},
		FROM_OUTSIDE("AAAAA1", "2") FROM_FILTER("BBBBB1", "2") TO_FILTER("AAAAA1",
			"b@example.com", "BBBBB1") TO_FILTER("AAAAA1", "c@example.com", "BBBBB1")
			REMOVED("AAAAA1") SAVED("BBBBB1", "b@example.com")
				SENT("BBBBB1", "c@example.com") REMOVED("BBBBB1")},
	{"a filter for one of two recipients", {1, 2, 2, 1, 0, 0, 0, 0, 0},
		FROM_OUTSIDE("AAAAA1", "2") SENT("AAAAA1", "c@example.com") FROM_FILTER(
			"BBBBB1", "1") TO_FILTER("AAAAA1", "b@example.com", "BBBBB1")
			REMOVED("AAAAA1") SAVED("BBBBB1", "b@example.com") REMOVED("BBBBB1")},
	{"a filter that gives each recipient back alone", {1, 2, 2, 2, 0, 0, 0, 0, 0},
		FROM_OUTSIDE("AAAAA1", "2") FROM_FILTER("BBBBB1", "1") TO_FILTER(
			"AAAAA1", "b@example.com", "BBBBB1") FROM_FILTER("BBBBB2", "1")
			TO_FILTER("AAAAA1", "c@example.com", "BBBBB2") REMOVED("AAAAA1")
				SAVED("BBBBB1", "b@example.com") SENT("BBBBB2", "c@example.com")
					REMOVED("BBBBB1") REMOVED("BBBBB2")},
	{"a filter's child delivered, then the collector restarted, before the parent's line",
		{1, 1, 1, 1, 0, 0, 0, 0, 0},
		FROM_OUTSIDE("AAAAA1", "1") FROM_FILTER("BBBBB1", "1")
			SAVED("BBBBB1", "b@example.com") REMOVED("BBBBB1") "commit\n" TO_FILTER(
				"AAAAA1", "b@example.com", "BBBBB1") REMOVED("AAAAA1")},
	{"a filter that defers, then takes it an hour later", {1, 1, 1, 1, 1, 0, 0, 0, 0},
		FROM_OUTSIDE("AAAAA1", "1") DEFERRED("AAAAA1",
			"b@example.com") "commit\n+3600\n"
					 "qmgr: AAAAA1: from=<a@example.net>, size=1000, nrcpt=1 "
					 "(queue active)\n" FROM_FILTER("BBBBB1", "1") TO_FILTER(
						 "AAAAA1", "b@example.com", "BBBBB1")
						 REMOVED("AAAAA1") SAVED("BBBBB1", "b@example.com")
							 REMOVED("BBBBB1")},
	{"the log begins between filter and child", {0, 0, 1, 1, 0, 0, 0, 0, 0},
		FROM_FILTER("BBBBB1", "1") TO_FILTER("AAAAA1", "b@example.com", "BBBBB1")
			REMOVED("AAAAA1") SAVED("BBBBB1", "b@example.com") REMOVED("BBBBB1")},
	{"an alias to three", {1, 1, 3, 1, 0, 0, 0, 0, 0},
		FROM_OUTSIDE("AAAAA1", "1") FORWARD_QUEUED("CCCCC1", "3")
			FORWARDED("AAAAA1", "all@example.org", "CCCCC1") REMOVED("AAAAA1")
				SENT("CCCCC1", "b@example.com") SENT("CCCCC1", "c@example.com")
					SENT("CCCCC1", "d@example.com") REMOVED("CCCCC1")},
	{"a filter, a forward, a forward of the forward", {1, 1, 1, 3, 0, 0, 0, 0, 0},
		FROM_OUTSIDE("AAAAA1", "1") FROM_FILTER("BBBBB1", "1") TO_FILTER(
			"AAAAA1", "b@example.org", "BBBBB1") REMOVED("AAAAA1")
			FORWARD_QUEUED("CCCCC1", "1") FORWARDED("BBBBB1", "b@example.org", "CCCCC1")
				REMOVED("BBBBB1") FORWARD_QUEUED("DDDDD1", "1") FORWARDED(
					"CCCCC1", "c@example.org", "DDDDD1") REMOVED("CCCCC1")
					SENT("DDDDD1", "d@example.com") REMOVED("DDDDD1")},
	{"a list manager sends a message of its own", {2, 2, 2, 0, 0, 0, 0, 0, 0},
		FROM_OUTSIDE("AAAAA1",
			"1") "local: AAAAA1: to=<list@example.org>, relay=local, delay=1, "
			     "delays=0/0/0/1, dsn=2.0.0, status=sent (delivered to command: "
			     "/usr/bin/list)\n" REMOVED(
				     "AAAAA1") "pickup: CCCCC1: uid=38 "
					       "from=<list-bounces@example.org>\n"
					       "cleanup: CCCCC1: "
					       "message-id=<1@example.net>\n"
					       "qmgr: CCCCC1: "
					       "from=<list-bounces@example.org>, "
					       "size=1500, nrcpt=1 (queue "
					       "active)\n" SENT("CCCCC1", "d@example.com")
						       REMOVED("CCCCC1")},
	{"a remote server's queue id that is one of ours", {2, 2, 2, 0, 0, 0, 0, 0, 0},
		FROM_OUTSIDE("AAAAA1", "1") FROM_OUTSIDE("77777777", "1")
			SENT("AAAAA1", "b@example.com") REMOVED("AAAAA1")
				SAVED("77777777", "c@example.com") REMOVED("77777777")},
	{"queue ids that come back within the hour, with a filter", {2, 2, 2, 2, 0, 0, 0, 0, 0},
		FROM_OUTSIDE("AAAAA1", "1") FROM_FILTER("BBBBB1", "1") TO_FILTER(
			"AAAAA1", "b@example.com", "BBBBB1") REMOVED("AAAAA1")
			SAVED("BBBBB1", "b@example.com") REMOVED("BBBBB1") "+1800\n" FROM_OUTSIDE(
				"AAAAA1", "1") FROM_FILTER("BBBBB1", "1")
				TO_FILTER("AAAAA1", "b@example.com", "BBBBB1") REMOVED("AAAAA1")
					SAVED("BBBBB1", "b@example.com") REMOVED("BBBBB1")},
	{"parent and child change places", {2, 2, 2, 2, 0, 0, 0, 0, 0},
		FROM_OUTSIDE("AAAAA1", "1") FROM_FILTER("BBBBB1", "1") TO_FILTER(
			"AAAAA1", "b@example.com", "BBBBB1") REMOVED("AAAAA1")
			SAVED("BBBBB1", "b@example.com") REMOVED("BBBBB1") "+120\n" FROM_OUTSIDE(
				"BBBBB1", "1") FROM_FILTER("AAAAA1", "1")
				TO_FILTER("BBBBB1", "b@example.com", "AAAAA1") REMOVED("BBBBB1")
					SAVED("AAAAA1", "b@example.com") REMOVED("AAAAA1")},
	{"deleted with postsuper", {1, 2, 0, 0, 1, 0, 0, 0, 0},
		FROM_OUTSIDE("AAAAA1", "2")
			DEFERRED("AAAAA1", "b@example.com") "postsuper: AAAAA1: removed\n"
							    "postsuper: Deleted: 1 message\n"},
	{"held, released, delivered", {1, 1, 1, 0, 0, 0, 0, 0, 0},
		FROM_OUTSIDE("AAAAA1",
			"1") "postsuper: AAAAA1: placed on hold\n+3600\n"
			     "postsuper: AAAAA1: released from hold\n"
			     "qmgr: AAAAA1: from=<a@example.net>, size=1000, nrcpt=1 (queue "
			     "active)\n" SENT("AAAAA1", "b@example.com") REMOVED("AAAAA1")},
	{"requeued with postsuper: a new id, the same message", {1, 2, 2, 0, 1, 0, 0, 0, 0},
		FROM_OUTSIDE("AAAAA1", "2") SENT("AAAAA1", "b@example.com") DEFERRED("AAAAA1",
			"c@example.com") "+7200\npostsuper: AAAAA1: requeued\n"
					 "pickup: CCCCC1: uid=104 from=<a@example.net> "
					 "orig_id=AAAAA1\n"
					 "cleanup: CCCCC1: message-id=<1@example.net>\n"
					 "qmgr: CCCCC1: from=<a@example.net>, size=1100, "
					 "nrcpt=1 (queue active)\n" SENT("CCCCC1", "c@example.com")
						 REMOVED("CCCCC1")},
	{"a bounce, its notice first logged by cleanup", {2, 2, 1, 0, 0, 1, 0, 1, 0},
		FROM_OUTSIDE("AAAAA1", "1") BOUNCED("AAAAA1", "b@example.com") NOTICE_ID("99991F")
			NOTICE("AAAAA1", "sender non-delivery", "99991F") NOTICE_QUEUED("99991F")
				REMOVED("AAAAA1") SENT("99991F", "a@example.net")
					REMOVED("99991F")},
	{"a bounce, its notice first logged by bounce (3.11)", {2, 2, 1, 0, 0, 1, 0, 1, 0},
		FROM_OUTSIDE("AAAAA1", "1") BOUNCED("AAAAA1", "b@example.com") NOTICE("AAAAA1",
			"sender non-delivery", "99991F") NOTICE_ID("99991F") NOTICE_QUEUED("99991F")
			REMOVED("AAAAA1") SENT("99991F", "a@example.net") REMOVED("99991F")},
	{"a bounce with a copy to the postmaster", {3, 3, 2, 0, 0, 1, 0, 2, 0},
		FROM_OUTSIDE("AAAAA1", "1") BOUNCED("AAAAA1", "b@example.com") NOTICE_ID("99991F")
			NOTICE("AAAAA1", "sender non-delivery", "99991F") NOTICE_QUEUED("99991F")
				NOTICE_ID("99992F") NOTICE("AAAAA1", "postmaster non-delivery",
					"99992F") NOTICE_QUEUED("99992F") REMOVED("AAAAA1")
					SENT("99991F", "a@example.net")
						SAVED("99992F", "postmaster@example.org")
							REMOVED("99991F") REMOVED("99992F")},
	{"a bounce of a bounce", {3, 3, 1, 0, 0, 2, 0, 2, 0},
		FROM_OUTSIDE("AAAAA1", "1") BOUNCED("AAAAA1", "b@example.com") NOTICE_ID("99991F")
			NOTICE("AAAAA1", "sender non-delivery", "99991F") NOTICE_QUEUED("99991F")
				REMOVED("AAAAA1") BOUNCED("99991F", "a@example.net") NOTICE_ID(
					"99992F") NOTICE("99991F", "postmaster non-delivery",
					"99992F") NOTICE_QUEUED("99992F") REMOVED("99991F")
					SAVED("99992F", "postmaster@example.org")
						REMOVED("99992F")},
	{"a warning of delay, then delivery", {2, 2, 2, 0, 2, 0, 0, 1, 0},
		FROM_OUTSIDE("AAAAA1", "1") DEFERRED("AAAAA1",
			"b@example.com") "+14400\nqmgr: AAAAA1: from=<a@example.net>, size=1000, "
					 "nrcpt=1 (queue active)\n" DEFERRED(
						 "AAAAA1", "b@example.com") NOTICE_ID("99991F")
						 NOTICE("AAAAA1", "sender delay",
							 "99991F") NOTICE_QUEUED("99991F")
							 SENT("99991F", "a@example.net") REMOVED(
								 "99991F") "+3600\nqmgr: AAAAA1: "
									   "from=<a@example.net>, "
									   "size=1000, nrcpt=1 "
									   "(queue active)\n" SENT(
										   "AAAAA1",
										   "b@example.com")
										   REMOVED("AAAAA"
											   "1")},
	{"a delivery status notification of success", {2, 2, 2, 0, 0, 0, 0, 1, 0},
		FROM_OUTSIDE("AAAAA1", "1") SENT("AAAAA1", "b@example.com") NOTICE_ID("99991F")
			NOTICE("AAAAA1", "sender delivery status", "99991F") NOTICE_QUEUED("99991F")
				REMOVED("AAAAA1") SENT("99991F", "a@example.net")
					REMOVED("99991F")},
	{"expired: given up after days, with a bounce", {2, 2, 1, 0, 1, 0, 1, 1, 0},
		FROM_OUTSIDE("AAAAA1", "1") DEFERRED("AAAAA1",
			"b@example.com") "commit\n+3600\nqmgr: AAAAA1: from=<a@example.net>, "
					 "status=expired, returned to sender\n" NOTICE_ID("99991F")
						 NOTICE("AAAAA1", "sender non-delivery", "99991F")
							 NOTICE_QUEUED("99991F") REMOVED("AAAAA1")
								 SENT("99991F", "a@example.net")
									 REMOVED("99991F")},
	{"a client that leaves in the middle of DATA (3.10)", {1, 0, 0, 0, 0, 0, 0, 0, 0},
		"smtpd: AAAAA1: client=mail.example.net[203.0.113.1]\n"
		"cleanup: AAAAA1: message-id=<1@example.net>\n"
		"smtpd: AAAAA1: lost connection after DATA (120 bytes) from "
		"mail.example.net[203.0.113.1]\n"
		"cleanup: AAAAA1: canceled\n"},
	{"a filter before the queue", {1, 1, 1, 0, 0, 0, 0, 0, 0},
		"smtpd: NOQUEUE: client=mail.example.net[203.0.113.1]\n"
		"10025/smtpd: AAAAA1: client=mail.example.net[203.0.113.1]\n"
		"cleanup: AAAAA1: message-id=<1@example.net>\n"
		"qmgr: AAAAA1: from=<a@example.net>, size=1000, nrcpt=1 (queue active)\n"
		"smtpd: proxy-accept: END-OF-MESSAGE: 250 2.0.0 Ok: queued as AAAAA1; "
		"from=<a@example.net> to=<b@example.com> proto=ESMTP helo=<x>\n" SAVED(
			"AAAAA1", "b@example.com") REMOVED("AAAAA1")},
};

struct feed {
	struct fixture *f;
	const struct backend_ops *family;
	void *state;
	size_t events;
};

static int emit(void *ctx, const struct event *e)
{
	struct feed *feed = ctx;
	struct event copy = *e;

	assert_int_not_equal(e->kind, EVENT_UNPARSED);
	assert_int_not_equal(e->kind, EVENT_FOREIGN);
	put(feed->f, &copy);
	if (++feed->events % BATCH_EVENTS == 0)
		fixture_commit(feed->f);
	return 0;
}

static void feed_begin(struct feed *feed, struct fixture *f)
{
	struct parse_options options = {.now_utc_ms = T0_MS, .timezone = "UTC"};

	*feed = (struct feed){.f = f, .family = backend_find("postfix")};
	feed->state = xcalloc(1, feed->family->parse_state_bytes);
	feed->family->parse_init(feed->state, &options);
	fixture_begin(f);
	f->clock = clock_fake(T0_MS + 3 * 86400000);
	fixture_open(f);
}

static void feed_line(struct feed *feed, struct str line)
{
	struct event_sink sink = {emit, feed};
	struct buf log;
	size_t colon = str_find(line, STR_LIT(": ")), consumed;

	buf_init(&log, LINE_MAX_BYTES);
	timefmt_rfc3339(&log, feed->f->t_ms);
	buf_add_z(&log, " mx1 postfix/");
	buf_add_str(&log, str_first(line, colon));
	buf_printf(&log, "[%u]", 100 + (unsigned)(unsigned char)line.p[0]);
	buf_add_str(&log, str_skip(line, colon));
	assert_int_equal(buf_add_char(&log, '\n'), 0);
	assert_int_equal(
		feed->family->parse(feed->state, buf_str(&log), true, &sink, &consumed), 0);
	buf_done(&log);
	feed->f->t_ms += 20;
}

static void feed_log(struct feed *feed, const char *text)
{
	struct str rest = str_of(text);

	while (rest.n) {
		struct str line = str_first(rest, str_find_char(rest, '\n'));
		struct str in = line;
		uint64_t seconds;

		rest = str_skip(rest, line.n + 1);
		if (scan_lit(&in, STR_LIT("+")) && scan_all_u64(in, 1000000, &seconds)) {
			feed->f->t_ms += (int64_t)seconds * 1000;
		} else if (str_eq(line, STR_LIT("commit"))) {
			fixture_commit(feed->f);
			fixture_reopen(feed->f);
		} else {
			feed_line(feed, line);
		}
	}
	fixture_commit(feed->f);
}

static void feed_end(struct feed *feed)
{
	free(feed->state);
	fixture_end(feed->f);
}

static void check(const struct fixture *f, const char *name, enum metric metric, int want)
{
	int64_t got = total(f, DIM_TOTAL, metric);

	if (got != want)
		fail_msg("%s: metric %d is %lld, not %d", name, (int)metric, (long long)got, want);
}

static void counts_once(void **state)
{
	const struct chain *c = *state;
	const struct want *w = &c->want;
	struct fixture f;
	struct feed feed;

	feed_begin(&feed, &f);
	feed_log(&feed, c->log);
	check(&f, c->name, METRIC_RECEIVED, w->received);
	check(&f, c->name, METRIC_RECIPIENTS, w->recipients);
	check(&f, c->name, METRIC_SENT, w->sent);
	check(&f, c->name, METRIC_HANDED_OVER, w->handed_over);
	check(&f, c->name, METRIC_DEFERRED, w->deferred);
	check(&f, c->name, METRIC_BOUNCED, w->bounced);
	check(&f, c->name, METRIC_EXPIRED, w->expired);
	check(&f, c->name, METRIC_NOTIFICATIONS, w->notifications);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM message WHERE end_ms IS NULL"), w->open);
	feed_end(&feed);
}

/* Ten thousand recipients of one message, over several batches. */
static void many_recipients(void **state)
{
	struct fixture f;
	struct feed feed;

	(void)state;
	feed_begin(&feed, &f);
	feed_log(&feed, FROM_OUTSIDE("AAAAA1", "10000"));
	for (int i = 0; i < MANY_RECIPIENTS; i++) {
		char *line = xasprintf(
			"smtp: AAAAA1: to=<user%d@d%d.example>, "
			"relay=mx.example.com[192.0.2.25]:25, "
			"delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok %d)",
			i, i % 100, i);

		feed_line(&feed, str_of(line));
		free(line);
	}
	feed_log(&feed, REMOVED("AAAAA1"));
	check(&f, "many", METRIC_RECEIVED, 1);
	check(&f, "many", METRIC_RECIPIENTS, MANY_RECIPIENTS);
	check(&f, "many", METRIC_SENT, MANY_RECIPIENTS);
	assert_int_equal(sql_int(&f, "SELECT nsent FROM message"), MANY_RECIPIENTS);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM message WHERE end_ms IS NULL"), 0);
	feed_end(&feed);
}

int main(void)
{
	struct CMUnitTest tests[sizeof(chains) / sizeof(chains[0]) + 1];
	size_t n = 0;

	for (; n < sizeof(chains) / sizeof(chains[0]); n++)
		tests[n] = (struct CMUnitTest){.name = chains[n].name,
			.test_func = counts_once,
			.initial_state = (void *)(uintptr_t)&chains[n]};
	tests[n++] = (struct CMUnitTest){.name = "many recipients", .test_func = many_recipients};
	return _cmocka_run_group_tests("chains", tests, n, NULL, NULL);
}
