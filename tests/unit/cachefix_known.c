/* SPDX-License-Identifier: MIT */
/*
 * cachefix_known - the known cache: two providers, a day of records, all of 2026-11-23T12:00:00Z.
 *
 * Last hour (11:00-12:00) of provider 1 "postfix":
 *   messages 52, recipients 54, sent 48, handed over 1, deferred attempts 5, bounced 3, expired 1 (2 recipients),
 *   rejected 7 (2 of them 4xx), reject warnings 1, notifications 3, connections 120, auth 10 ok 4 failed, TLS 33
 *   sent by domain: gmail.com 21, outlook.com 12, example.org 11, shop.example.com 2, corp.example 1, mx1.example.com 1
 * The hour before: sent 6, bounced 1 (5.1.1), deferred 2 (4.7.650). The day before: sent 5.
 * Provider 2 "postfix-out", last hour: messages 4, recipients 4, sent 4; its TLS is unknowable, its port ambiguous.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/cachefix.h"

#include <stdio.h>

#define SMTPD "postfix/smtpd"
#define SUBMISSION "postfix/submission/smtpd"
#define SUBMISSIONS "postfix/submissions/smtpd"
#define SMTP "postfix/smtp"
#define GMAIL_HOST "gmail-smtp-in.l.google.com"
#define GMAIL GMAIL_HOST "[142.250.1.27]:25"
#define OUTLOOK_HOST "outlook-com.olc.protection.outlook.com"
#define OUTLOOK OUTLOOK_HOST "[52.101.1.1]:25"
#define EXAMPLE_HOST "mail.example.org"
#define EXAMPLE EXAMPLE_HOST "[192.0.2.25]:587"

static int64_t at(int hour, int minute, int second)
{
	return FIX_NOW_MS + (int64_t)(hour - 12) * FIX_HOUR_MS + (int64_t)minute * FIX_MINUTE_MS +
	       second * 1000;
}

static struct fix_attempt attempt(
	int64_t message, int64_t t_ms, enum event_status status, const char *rcpt)
{
	struct fix_attempt a = {.message = message,
		.t_ms = t_ms,
		.provider = 1,
		.status = status,
		.rcpt = rcpt,
		.run = 1,
		.egress = SMTP,
		.cs = {50, 2, 1, 10, 20}};

	if (status == STATUS_SENT) {
		a.dsn = DSN_MAKE(2, 0, 0);
		a.code = 250;
	}
	return a;
}

static void to_gmail(struct fix_attempt *a)
{
	a->relay = GMAIL;
	a->relay_host = GMAIL_HOST;
	a->relay_port = 25;
	a->reply = a->status == STATUS_SENT ? "250 2.0.0 OK 1795435 a1-20020a05.117 - gsmtp"
					    : a->reply;
}

static void to_example(struct fix_attempt *a)
{
	a->relay = EXAMPLE;
	a->relay_host = EXAMPLE_HOST;
	a->relay_port = 587;
	a->reply = "250 2.0.0 Ok: queued as 4F99A1B2C3";
	a->tls = "TLSv1.3 TLS_AES_256_GCM_SHA384";
}

static void to_local(struct fix_attempt *a)
{
	a->relay = "local";
	a->relay_host = "local";
	a->egress = "postfix/local";
	a->reply = "delivered to mailbox";
	a->code = 0;
}

static int64_t message(struct fix *f, const char *qid, int64_t t_ms, const char *from,
	int64_t nrcpt, const char *service)
{
	struct fix_message m = {.provider = 1,
		.t_ms = t_ms,
		.end_ms = t_ms + 3000,
		.qid = qid,
		.from = from,
		.service = service,
		.client = "mail.client.example[203.0.113.5]",
		.size = 4321,
		.nrcpt = nrcpt,
		.nsent = 1};

	return fix_message(f, &m);
}

static void normal(struct fix *f, int i)
{
	static const char *const domains[] = {"gmail.com", "outlook.com", "example.org"};
	int which = i % 10 < 5 ? 0 : i % 10 < 8 ? 1 : 2, cs = (i % 10 + 1) * 10;
	const char *from = i % 2 ? "info@corp.example" : "news@shop.example.com";
	char qid[16], rcpt[64], mid[64];
	int64_t t_ms = at(11, i, 30);
	struct fix_message m = {.provider = 1,
		.t_ms = t_ms,
		.end_ms = t_ms + 2100,
		.qid = qid,
		.from = from,
		.service = i % 10 == 9   ? SUBMISSIONS
			   : i % 10 == 4 ? SUBMISSION
					 : SMTPD,
		.message_id = mid,
		.client = "mail.client.example[203.0.113.5]",
		.user = i % 5 == 4 ? "info" : NULL,
		.size = 1000 + i,
		.nrcpt = 1,
		.nsent = 1};
	struct fix_attempt a;

	snprintf(qid, sizeof(qid), "4F%02X0A", (unsigned)i);
	snprintf(rcpt, sizeof(rcpt), "user%d@%s", i, domains[which]);
	snprintf(mid, sizeof(mid), "id%d@corp.example", i);
	a = attempt(fix_message(f, &m), t_ms + 2000, STATUS_SENT, rcpt);
	a.sender_domain = i % 2 ? "corp.example" : "shop.example.com";
	a.inline_row = true;
	a.cs[DELAY_TOTAL] = cs;
	if (which == 0)
		to_gmail(&a);
	if (which == 1) {
		a.relay = OUTLOOK;
		a.relay_host = OUTLOOK_HOST;
		a.relay_port = 25;
		a.reply = "250 2.6.0 <id@corp.example> [InternalId=123, "
			  "Hostname=X.prod.outlook.com] Queued mail for delivery";
	}
	if (which == 2)
		to_example(&a);
	fix_attempt(f, &a);
}

/* A bounce of code 5.1.1 at gmail.com and its notification back to the sender here. */
static void bounce(struct fix *f, int64_t t_ms, const char *qid, const char *child, bool notify)
{
	struct fix_message n = {.provider = 1,
		.t_ms = t_ms + 1000,
		.end_ms = t_ms + 1500,
		.qid = child,
		.from = "",
		.size = 2500,
		.nrcpt = 1,
		.nsent = 1,
		.flags = MESSAGE_NOTIFICATION};
	struct fix_message m = {.provider = 1,
		.t_ms = t_ms,
		.end_ms = t_ms + 1500,
		.qid = qid,
		.from = "news@shop.example.com",
		.service = SMTPD,
		.size = 900,
		.nrcpt = 1,
		.nbounced = 1,
		.client = "mail.client.example[203.0.113.5]"};
	struct fix_attempt a = attempt(
		n.parent = fix_message(f, &m), t_ms + 800, STATUS_BOUNCED, "nobody@gmail.com");

	a.dsn = DSN_MAKE(5, 1, 1);
	a.code = 550;
	a.stage = STAGE_RCPT;
	a.sender_domain = "shop.example.com";
	a.reply = "host " GMAIL_HOST "[142.250.1.27] said: 550-5.1.1 The email account that you "
		  "tried to reach does not exist. "
		  "a1-20020a05.117 - gsmtp (in reply to RCPT TO command)";
	to_gmail(&a);
	fix_attempt(f, &a);
	if (!notify)
		return;
	a = attempt(fix_message(f, &n), t_ms + 1200, STATUS_SENT, "news@shop.example.com");
	to_local(&a);
	a.inline_row = true;
	fix_attempt(f, &a);
}

static void deferral(struct fix *f, int64_t message_id, int64_t t_ms, int run)
{
	struct fix_attempt a = attempt(message_id, t_ms, STATUS_DEFERRED, "user@outlook.com");

	a.dsn = DSN_MAKE(4, 7, 650);
	a.code = 451;
	a.stage = STAGE_MAIL;
	a.run = run;
	a.sender_domain = "corp.example";
	a.relay = OUTLOOK;
	a.relay_host = OUTLOOK_HOST;
	a.relay_port = 25;
	a.reply = "host " OUTLOOK_HOST "[52.101.1.1] said: 451 4.7.650 The mail server "
		  "[203.0.113.7] has been temporarily rate "
		  "limited due to IP reputation. (in reply to MAIL FROM command)";
	fix_attempt(f, &a);
}

static void deferred(struct fix *f)
{
	struct fix_message m = {.provider = 1,
		.t_ms = at(11, 10, 0),
		.qid = "4FD0D0",
		.from = "info@corp.example",
		.service = SMTPD,
		.client = "mail.client.example[203.0.113.5]",
		.size = 7000,
		.nrcpt = 1,
		.ndeferred = 3,
		.flags = MESSAGE_OPEN};
	struct fix_attempt a;
	int64_t id = fix_message(f, &m);

	deferral(f, id, at(11, 10, 1), 1);
	deferral(f, id, at(11, 25, 1), 2);
	deferral(f, id, at(11, 45, 1), 3);
	m = (struct fix_message){.provider = 1,
		.t_ms = at(11, 55, 0),
		.qid = "4FD1D1",
		.from = "info@corp.example",
		.service = SMTPD,
		.size = 800,
		.nrcpt = 1,
		.ndeferred = 1,
		.flags = MESSAGE_OPEN};
	a = attempt(fix_message(f, &m), at(11, 55, 2), STATUS_DEFERRED, "old@legacy.example");
	a.code = 451;
	a.stage = STAGE_RCPT;
	a.sender_domain = "corp.example";
	a.relay = "mail.legacy.example[198.51.100.9]:25";
	a.relay_host = "mail.legacy.example";
	a.relay_port = 25;
	a.reply = "host mail.legacy.example[198.51.100.9] said: 451 try again later (in reply to "
		  "RCPT TO command)";
	fix_attempt(f, &a);
	m.t_ms = at(11, 56, 0);
	m.qid = "4FD2D2";
	a = attempt(fix_message(f, &m), at(11, 56, 30), STATUS_DEFERRED, "x@dead.example");
	a.dsn = DSN_MAKE(4, 4, 1);
	a.stage = STAGE_CONNECT;
	a.sender_domain = "corp.example";
	a.relay = "none";
	a.reply = "connect to mail.dead.example[192.0.2.99]:25: Connection timed out";
	fix_attempt(f, &a);
}

static void several_recipients(struct fix *f)
{
	struct fix_message m = {.provider = 1,
		.t_ms = at(11, 50, 0),
		.end_ms = at(11, 50, 9),
		.qid = "4FE0E0",
		.from = "info@corp.example",
		.service = SMTPD,
		.size = 1500,
		.nrcpt = 3,
		.nsent = 2,
		.nbounced = 1};
	struct fix_message n = {.provider = 1,
		.t_ms = at(11, 50, 5),
		.end_ms = at(11, 50, 6),
		.qid = "4FE1E1",
		.from = "",
		.size = 3000,
		.nrcpt = 1,
		.nsent = 1,
		.flags = MESSAGE_NOTIFICATION};
	int64_t id = n.parent = fix_message(f, &m);
	struct fix_attempt a = attempt(id, at(11, 50, 1), STATUS_SENT, "a@example.org");

	to_example(&a);
	a.sender_domain = "corp.example";
	a.inline_row = true;
	fix_attempt(f, &a);
	a.inline_row = false;
	a.rcpt = "b@example.org";
	a.orig = "b-alias@corp.example";
	fix_attempt(f, &a);
	a = attempt(id, at(11, 50, 2), STATUS_BOUNCED, "c@gmail.com");
	a.dsn = DSN_MAKE(5, 7, 1);
	a.code = 550;
	a.stage = STAGE_END_OF_DATA;
	a.sender_domain = "corp.example";
	a.reply = FIX_HOSTILE_REPLY;
	to_gmail(&a);
	fix_attempt(f, &a);
	a = attempt(fix_message(f, &n), at(11, 50, 6), STATUS_SENT, "info@corp.example");
	to_local(&a);
	a.inline_row = true;
	fix_attempt(f, &a);
}

static void families(struct fix *f)
{
	struct fix_message m = {.provider = 1,
		.t_ms = at(11, 52, 2),
		.end_ms = at(11, 52, 4),
		.qid = "4FC1C1",
		.from = "info@corp.example",
		.service = "postfix/10025/smtpd",
		.client = "localhost[127.0.0.1]",
		.size = 1600,
		.nrcpt = 1,
		.nsent = 1,
		.flags = MESSAGE_REINJECTED};
	struct fix_attempt a;

	m.parent = message(f, "4FC0C0", at(11, 52, 0), "info@corp.example", 1, SMTPD);
	a = attempt(m.parent, at(11, 52, 3), STATUS_SENT, "g@gmail.com");
	a.relay = "127.0.0.1[127.0.0.1]:10024";
	a.relay_host = "127.0.0.1";
	a.relay_port = 10024;
	a.reply = "250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 4FC1C1";
	a.inline_row = a.handed_over = true;
	fix_attempt(f, &a);
	a = attempt(fix_message(f, &m), at(11, 52, 4), STATUS_SENT, "g@gmail.com");
	to_gmail(&a);
	a.sender_domain = "corp.example";
	a.inline_row = true;
	fix_attempt(f, &a);
	a = attempt(
		message(f, "4FB0B0", at(11, 53, 0), FIX_HOSTILE_SENDER "@bad.example", 1, SMTPD),
		at(11, 53, 1), STATUS_SENT, "h@example.org");
	to_example(&a);
	a.sender_domain = "bad.example";
	a.inline_row = true;
	fix_attempt(f, &a);
	m = (struct fix_message){.provider = 1,
		.t_ms = at(11, 54, 0),
		.end_ms = at(11, 54, 1),
		.qid = "4FA0A0",
		.from = "root@mx1.example.com",
		.service = "postfix/pickup",
		.size = 600,
		.nrcpt = 1,
		.nsent = 1,
		.flags = MESSAGE_LOCAL};
	a = attempt(fix_message(f, &m), at(11, 54, 1), STATUS_SENT, "root@mx1.example.com");
	to_local(&a);
	a.sender_domain = "mx1.example.com";
	a.inline_row = true;
	fix_attempt(f, &a);
	m = (struct fix_message){.provider = 1,
		.t_ms = at(11, 5, 0),
		.end_ms = at(11, 5, 0),
		.qid = "4F0000",
		.from = "info@corp.example",
		.size = 600,
		.nrcpt = 2,
		.flags = MESSAGE_NO_START | MESSAGE_EXPIRED};
	fix_message(f, &m);
	fix_total(f, m.t_ms, 1, METRIC_EXPIRED, 1);
	fix_total(f, m.t_ms, 1, METRIC_EXPIRED_RECIPIENTS, 2);
}

static void rejects(struct fix *f)
{
	struct fix_reject x = {.provider = 1,
		.action = REJECT_REJECT,
		.word = "reject",
		.service = SMTPD,
		.client = "unknown[198.51.100.66]",
		.from = "spam@spam.example",
		.rcpt = "info@corp.example",
		.helo = "spam.example",
		.stage = STAGE_RCPT,
		.code = 554,
		.dsn = DSN_MAKE(5, 7, 1),
		.reply = "<info@corp.example>: Relay access denied"};

	for (int i = 0; i < 3; i++) {
		x.t_ms = at(11, 20 + i, 0);
		fix_reject(f, &x);
	}
	x.code = 450;
	x.dsn = DSN_MAKE(4, 7, 1);
	x.reply = "Client host rejected: cannot find your hostname, [198.51.100.66]";
	for (int i = 0; i < 2; i++) {
		x.t_ms = at(11, 30 + i, 0);
		fix_reject(f, &x);
	}
	x.code = 553;
	x.dsn = DSN_MAKE(5, 7, 1);
	x.service = SUBMISSION;
	x.reply = "<spam@spam.example>: Sender address rejected: not owned by user info";
	x.t_ms = at(11, 32, 0);
	fix_reject(f, &x);
	x.code = 550;
	x.service = "postfix/postscreen";
	x.reply = "Service unavailable; client [198.51.100.66] blocked using dnsbl.example";
	x.t_ms = at(11, 33, 0);
	fix_reject(f, &x);
	x.action = REJECT_WARN;
	x.word = "reject_warning";
	x.t_ms = at(11, 34, 0);
	fix_reject(f, &x);
}

static void sessions(struct fix *f)
{
	static const struct {
		const char *tag;
		enum metric metric;
		int64_t n;
	} figures[] = {
		{SMTPD, METRIC_CONNECTIONS, 45},
		{SMTPD, METRIC_COUNTED_SESSIONS, 45},
		{SMTPD, METRIC_TLS, 20},
		{SMTPD, METRIC_LOST, 3},
		{"postfix/postscreen", METRIC_CONNECTIONS, 60},
		{SUBMISSION, METRIC_CONNECTIONS, 10},
		{SUBMISSION, METRIC_COUNTED_SESSIONS, 10},
		{SUBMISSION, METRIC_AUTH_OK, 6},
		{SUBMISSION, METRIC_AUTH_FAILED, 4},
		{SUBMISSION, METRIC_TLS, 8},
		{SUBMISSIONS, METRIC_CONNECTIONS, 5},
		{SUBMISSIONS, METRIC_COUNTED_SESSIONS, 5},
		{SUBMISSIONS, METRIC_AUTH_OK, 4},
		{SUBMISSIONS, METRIC_TLS, 5},
	};

	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
		fix_service(f, at(11, 40, 0), 1, figures[i].tag, figures[i].metric, figures[i].n);
	fix_service(f, at(11, 15, 0), 2, "postfix-out/smtpd", METRIC_CONNECTIONS, 4);
	fix_total(f, at(11, 59, 0), 1, METRIC_LINES, 1000);
	fix_total(f, at(11, 59, 0), 1, METRIC_WARNINGS, 3);
	fix_total(f, at(11, 59, 0), 1, METRIC_UNPARSED, 2);
	fix_total(f, at(11, 59, 0), 1, METRIC_FOREIGN, 17);
	fix_total(f, at(11, 20, 0), 2, METRIC_LINES, 50);
}

static void earlier(struct fix *f)
{
	struct fix_attempt a;

	for (int i = 0; i < 5; i++) {
		a = attempt(
			message(f, "4E0001", at(-13, 0, 10 + i), "news@shop.example.com", 1, SMTPD),
			at(-13, 0, 12 + i), STATUS_SENT, "old@gmail.com");
		to_gmail(&a);
		a.inline_row = true;
		fix_attempt(f, &a);
	}
	for (int i = 0; i < 6; i++) {
		a = attempt(
			message(f, "4E0002", at(10, 30 + i, 0), "news@shop.example.com", 1, SMTPD),
			at(10, 30 + i, 2), STATUS_SENT, "earlier@gmail.com");
		to_gmail(&a);
		a.inline_row = true;
		fix_attempt(f, &a);
	}
	bounce(f, at(10, 40, 0), "4E0003", NULL, false);
	{
		struct fix_message m = {.provider = 1,
			.t_ms = at(10, 45, 0),
			.end_ms = at(10, 55, 0),
			.qid = "4E0004",
			.from = "info@corp.example",
			.service = SMTPD,
			.size = 700,
			.nrcpt = 1,
			.ndeferred = 2,
			.flags = MESSAGE_DELETED};
		int64_t id = fix_message(f, &m);

		deferral(f, id, at(10, 45, 1), 1);
		deferral(f, id, at(10, 50, 1), 2);
	}
}

static void second_provider(struct fix *f)
{
	for (int i = 0; i < 4; i++) {
		struct fix_message m = {.provider = 2,
			.t_ms = at(11, 15, i),
			.end_ms = at(11, 15, i + 3),
			.qid = "5A00A0",
			.from = "app@shop.example.com",
			.service = "postfix-out/smtpd",
			.size = 100,
			.nrcpt = 1,
			.nsent = 1};
		struct fix_attempt a = attempt(
			fix_message(f, &m), at(11, 15, i + 2), STATUS_SENT, "z@example.net");

		a.provider = 2;
		a.egress = "postfix-out/smtp";
		a.relay = "mx.example.net[192.0.2.80]:25";
		a.relay_host = "mx.example.net";
		a.relay_port = 25;
		a.reply = "250 2.0.0 Ok: queued as ABCDEF";
		a.sender_domain = "shop.example.com";
		a.inline_row = true;
		fix_attempt(f, &a);
	}
}

static void mx_figure(struct fix *f, enum mx_whose whose, enum dict_kind kind, const char *name,
	enum mx_figure figure, int64_t n)
{
	fix_bucket(f, at(11, 40, 0), 1, DIM_MX,
		mx_key((int32_t)fix_dict(f, kind, name), whose, MX_STEP_NONE),
		(enum metric)(MX_FIRST + (int)figure), n);
}

/* An old MX host that times out; what was for it, mail.example.org took. */
static void hosts(struct fix *f)
{
	const char *old = "mx-old.example.org";

	mx_figure(f, MX_OF_HOST, DICT_RELAY_HOST, old, MX_TIMED_OUT, 6);
	mx_figure(f, MX_OF_HOST, DICT_RELAY_HOST, old, MX_REFUSED, 2);
	mx_figure(f, MX_OF_HOST, DICT_RELAY_HOST, EXAMPLE_HOST, MX_STEPPED_IN, 6);
	mx_figure(f, MX_OF_DOMAIN, DICT_DOMAIN, "example.org", MX_TIMED_OUT, 6);
	mx_figure(f, MX_OF_DOMAIN, DICT_DOMAIN, "example.org", MX_REFUSED, 2);
	mx_figure(f, MX_OF_DOMAIN, DICT_DOMAIN, "example.org", MX_STEPPED_IN, 6);
	fix_bucket(f, at(11, 40, 0), 1, DIM_FALLBACK,
		fallback_key((int32_t)fix_dict(f, DICT_RELAY_HOST, old),
			(int32_t)fix_dict(f, DICT_RELAY_HOST, EXAMPLE_HOST)),
		METRIC_SENT, 6);
}

void cachefix_make(const char *path)
{
	struct fix f;

	fix_open(&f, path);
	cachefix_static(&f);
	earlier(&f);
	for (int i = 0; i < 40; i++) {
		normal(&f, i);
		if (i == 9)
			deferred(&f);
		if (i == 15)
			second_provider(&f);
	}
	hosts(&f);
	bounce(&f, at(11, 40, 40), "4FF0F0", "4FF1F1", true);
	bounce(&f, at(11, 41, 40), "4FF2F2", "4FF3F3", true);
	several_recipients(&f);
	families(&f);
	rejects(&f);
	sessions(&f);
	fix_close(&f);
}
