/* SPDX-License-Identifier: MIT */
/*
 * demo_model - the traffic of the made-up server: messages by three ports, a content filter behind
 * port 25, destinations that accept, greylist, throttle, time out and refuse.
 *
 * Lines of the future wait in a heap by time and serial number. Deliberately without a clock: time is
 * what the caller asks for.
 */
#include "backends/demo.h"
#include "store/base/mem.h"
#include "store/base/timefmt.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define HOST "mx1.example.net"
#define LINE_MAX_BYTES 1024
#define MESSAGES_PER_MIN_MEAN                                                                      \
	40 /* enough to see graphs move, little enough to follow a single one */
#define RETRY_FIRST_MS 300000 /* Postfix minimal_backoff_time */
#define RETRY_LAST_MS 4000000 /* maximal_backoff_time */
#define RETRIES_MAX 4
#define PIDS 9000

struct line {
	int64_t t_ms;
	uint64_t serial;
	char *text; /* owned */
};

struct demo_model {
	uint64_t random;
	int64_t next_ms; /* of the next arrival */
	uint64_t serial;
	uint64_t message;
	unsigned pid; /* of the session being written; 0: any */
	struct line *heap; /* owned; earliest first */
	size_t n, cap;
};

struct destination {
	const char *domain, *relay;
	unsigned weight; /* of 100 */
	unsigned soft, hard; /* share of recipients, percent */
	const char *soft_dsn, *soft_text, *hard_text;
};

static const struct destination destinations[] = {
	{"gmail.example", "gmail-smtp-in.l.google.example[192.0.2.26]:25", 34, 6, 2, "4.7.28",
		"host gmail-smtp-in.l.google.example[192.0.2.26] said: 421-4.7.28 Our system has "
		"detected an "
		"unusual rate of mail originating from your IP address 198.51.100.7. 421 4.7.28 "
		"Try again later "
		"(in reply to end of DATA command)",
		"host gmail-smtp-in.l.google.example[192.0.2.26] said: 550-5.1.1 The email account "
		"that you tried "
		"to reach does not exist. 550 5.1.1 Check the address for typos (in reply to RCPT "
		"TO command)"},
	{"outlook.example", "outlook-com.olc.protection.outlook.example[192.0.2.40]:25", 22, 4, 3,
		"4.7.650",
		"host outlook-com.olc.protection.outlook.example[192.0.2.40] said: 451 4.7.650 The "
		"mail server "
		"[198.51.100.7] has been temporarily rate limited due to IP reputation (in reply "
		"to MAIL FROM command)",
		"host outlook-com.olc.protection.outlook.example[192.0.2.40] said: 550 5.5.0 "
		"Requested action not "
		"taken: mailbox unavailable (S2017062302) (in reply to RCPT TO command)"},
	{"yahoo.example", "mta7.am0.yahoodns.example[192.0.2.51]:25", 14, 9, 4, "4.7.0",
		"host mta7.am0.yahoodns.example[192.0.2.51] said: 421 4.7.0 [TSS04] Messages from "
		"198.51.100.7 "
		"temporarily deferred due to unexpected volume or user complaints (in reply to "
		"MAIL FROM command)",
		"host mta7.am0.yahoodns.example[192.0.2.51] said: 554 5.7.9 Message not accepted "
		"for policy reasons "
		"(in reply to end of DATA command)"},
	{"firma.example", "mx2.firma.example[203.0.113.9]:25", 12, 12, 6, "4.2.0",
		"host mx2.firma.example[203.0.113.9] said: 450 4.2.0 <%s>: Recipient address "
		"rejected: Greylisted "
		"(in reply to RCPT TO command)",
		"host mx2.firma.example[203.0.113.9] said: 550 5.1.1 <%s>: Recipient address "
		"rejected: User unknown "
		"in virtual mailbox table (in reply to RCPT TO command)"},
	{"uni.example", "mail.uni.example[203.0.113.70]:25", 10, 5, 5, "4.2.2",
		"host mail.uni.example[203.0.113.70] said: 452 4.2.2 Mailbox full (in reply to "
		"RCPT TO command)",
		"host mail.uni.example[203.0.113.70] said: 554 5.7.1 Service unavailable; client "
		"host [198.51.100.7] "
		"blocked using zen.spamhaus.example (in reply to RCPT TO command)"},
	{"slow.example", "none", 5, 90, 0, "4.4.1",
		"connect to mx.slow.example[203.0.113.200]:25: Connection timed out", NULL},
	{"gone.example", "none", 3, 0, 100, NULL, NULL,
		"Host or domain name not found. Name service error for name=gone.example "
		"type=AAAA: Host not found"},
};
#define DESTINATIONS (sizeof(destinations) / sizeof(destinations[0]))

static uint64_t next_random(struct demo_model *m)
{
	/* xorshift64*: the demo needs the same numbers everywhere, not good ones. */
	m->random ^= m->random >> 12;
	m->random ^= m->random << 25;
	m->random ^= m->random >> 27;
	return m->random * UINT64_C(2685821657736338717);
}

static unsigned below(struct demo_model *m, unsigned n)
{
	return (unsigned)((next_random(m) >> 33) % n);
}

static bool earlier(const struct line *a, const struct line *b)
{
	return a->t_ms != b->t_ms ? a->t_ms < b->t_ms : a->serial < b->serial;
}

static void swap(struct line *a, struct line *b)
{
	struct line old = *a;

	*a = *b;
	*b = old;
}

static void push(struct demo_model *m, int64_t t_ms, char *text)
{
	size_t i = m->n;

	if (m->n == m->cap) {
		m->cap = m->cap ? m->cap * 2 : 256;
		m->heap = xrealloc(m->heap, m->cap * sizeof(m->heap[0]));
	}
	m->heap[m->n++] = (struct line){t_ms, m->serial++, text};
	for (; i && earlier(&m->heap[i], &m->heap[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&m->heap[i], &m->heap[(i - 1) / 2]);
}

static struct line pop(struct demo_model *m)
{
	struct line first = m->heap[0];
	size_t i = 0;

	m->heap[0] = m->heap[--m->n];
	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= m->n)
			break;
		if (child + 1 < m->n && earlier(&m->heap[child + 1], &m->heap[child]))
			child++;
		if (!earlier(&m->heap[child], &m->heap[i]))
			break;
		swap(&m->heap[i], &m->heap[child]);
		i = child;
	}
	return first;
}

MT_PRINTF(4, 5)
static void say(struct demo_model *m, int64_t t_ms, const char *program, const char *fmt, ...)
{
	struct buf b;
	char text[LINE_MAX_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_init(&b, LINE_MAX_BYTES * 2);
	timefmt_rfc3339(&b, t_ms);
	if (buf_printf(&b, " " HOST " postfix/%s[%u]: %s\n", program,
		    m->pid ? m->pid : 1000 + below(m, PIDS), text) < 0)
		buf_clear(&b);
	push(m, t_ms, buf_take(&b));
}

static void make_qid(struct demo_model *m, char out[static 16])
{
	snprintf(out, 16, "4dM%07" PRIX64 "z%03X", m->message++ * 16 + 0x1000000, below(m, 0xfff));
	for (char *p = out; *p; p++) /* long queue ids have no vowels */
		*p = *p == 'A' ? 'x' : *p == 'E' ? 'k' : *p;
}

struct mail {
	char qid[16], sender[64], rcpt[96];
	const struct destination *to;
	int64_t t0_ms;
	unsigned size;
};

MT_PRINTF(7, 0)
static void attempt(struct demo_model *m, const struct mail *mail, int64_t t_ms, const char *relay,
	const char *dsn, const char *status, const char *fmt, va_list ap)
{
	char reply[LINE_MAX_BYTES / 2];
	unsigned connect = 5 + below(m, 60);
	unsigned transmit = 8 + below(m, 90);
	unsigned total = (unsigned)((t_ms - mail->t0_ms) / 10), before;

	/* The parts add up to the delay, as Postfix logs them: time spent deferred is before this run. */
	if (connect + transmit >= total) {
		connect = total / 3;
		transmit = total / 2;
	}
	before = total - connect - transmit;
	before -= before > 0; /* 0.01 in the queue manager */
	vsnprintf(reply, sizeof(reply), fmt, ap);
	say(m, t_ms, "smtp",
		"%s: to=<%s>, relay=%s, delay=%u.%02u, delays=%u.%02u/0.01/0.%02u/%u.%02u, dsn=%s, "
		"status=%s (%s)",
		mail->qid, mail->rcpt, relay, total / 100, total % 100, before / 100, before % 100,
		connect, transmit / 100, transmit % 100, dsn, status, reply);
}

MT_PRINTF(7, 8)
static void try_once(struct demo_model *m, const struct mail *mail, int64_t t_ms, const char *relay,
	const char *dsn, const char *status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	attempt(m, mail, t_ms, relay, dsn, status, fmt, ap);
	va_end(ap);
}

static void queued(struct demo_model *m, const struct mail *mail, int64_t t_ms)
{
	say(m, t_ms, "qmgr", "%s: from=<%s>, size=%u, nrcpt=1 (queue active)", mail->qid,
		mail->sender, mail->size);
}

static void sent(struct demo_model *m, const struct mail *mail, int64_t t_ms)
{
	const char *relay = mail->to->relay;

	try_once(m, mail, t_ms, relay[0] == 'n' ? "mx.slow.example[203.0.113.200]:25" : relay,
		"2.0.0", "sent", "250 2.0.0 Ok: queued as %X", 0x10000000u + below(m, 0xfffffff));
	say(m, t_ms + 1, "qmgr", "%s: removed", mail->qid);
}

static void notify_sender(struct demo_model *m, const struct mail *mail, int64_t t_ms)
{
	struct mail notice = {
		.to = &destinations[0], .t0_ms = t_ms, .size = mail->size + 2400, .sender = ""};

	make_qid(m, notice.qid);
	snprintf(notice.rcpt, sizeof(notice.rcpt), "%s", mail->sender);
	say(m, t_ms, "cleanup", "%s: message-id=<%s@" HOST ">", notice.qid, notice.qid);
	say(m, t_ms + 1, "bounce", "%s: sender non-delivery notification: %s", mail->qid,
		notice.qid);
	queued(m, &notice, t_ms + 2);
	try_once(m, &notice, t_ms + 90, "mail.example.net[198.51.100.20]:25", "2.0.0", "sent",
		"250 2.0.0 Ok: queued as %X", 0x20000000u + below(m, 0xfffffff));
	say(m, t_ms + 91, "qmgr", "%s: removed", notice.qid);
}

static void bounced(struct demo_model *m, const struct mail *mail, int64_t t_ms)
{
	const char *text = mail->to->hard_text;
	const char *code = strstr(text, " 5.");
	const char *hole = strstr(text, "%s");
	char dsn[16] = "5.4.4";

	if (code)
		snprintf(dsn, sizeof(dsn), "%.*s", (int)strcspn(code + 1, " "), code + 1);
	if (hole)
		try_once(m, mail, t_ms, mail->to->relay, dsn, "bounced", "%.*s%s%s",
			(int)(hole - text), text, mail->rcpt, hole + 2);
	else
		try_once(m, mail, t_ms, mail->to->relay, dsn, "bounced", "%s", text);
	notify_sender(m, mail, t_ms + 3);
	say(m, t_ms + 5, "qmgr", "%s: removed", mail->qid);
}

static void deferred(struct demo_model *m, const struct mail *mail, int64_t t_ms)
{
	const char *text = mail->to->soft_text;
	const char *hole = strstr(text, "%s");

	if (mail->to->relay[0] == 'n')
		say(m, t_ms - 1, "smtp", "%s", text);
	if (hole)
		try_once(m, mail, t_ms, mail->to->relay, mail->to->soft_dsn, "deferred", "%.*s%s%s",
			(int)(hole - text), text, mail->rcpt, hole + 2);
	else
		try_once(
			m, mail, t_ms, mail->to->relay, mail->to->soft_dsn, "deferred", "%s", text);
}

static void deliver(struct demo_model *m, const struct mail *mail, int64_t t_ms)
{
	unsigned luck = below(m, 100);
	int64_t retry_ms = RETRY_FIRST_MS;
	unsigned retries = below(m, RETRIES_MAX) + 1;

	queued(m, mail, t_ms);
	t_ms += 200 + below(m, 1500);
	if (luck < mail->to->hard) {
		bounced(m, mail, t_ms);
		return;
	}
	if (luck >= mail->to->hard + mail->to->soft) {
		sent(m, mail, t_ms);
		return;
	}
	for (unsigned i = 0; i < retries; i++) {
		deferred(m, mail, t_ms);
		t_ms += retry_ms + below(m, 30000);
		retry_ms = retry_ms * 2 > RETRY_LAST_MS ? RETRY_LAST_MS : retry_ms * 2;
		queued(m, mail, t_ms);
		t_ms += 300;
	}
	sent(m, mail, t_ms);
}

/* filtered - hand the message to the content filter; it comes back with a queue id of its own. */
static void filtered(struct demo_model *m, struct mail *mail, int64_t t_ms)
{
	struct mail back = *mail;

	make_qid(m, back.qid);
	queued(m, mail, t_ms);
	say(m, t_ms + 60, "10025/smtpd", "connect from localhost[127.0.0.1]");
	say(m, t_ms + 70, "10025/smtpd", "%s: client=localhost[127.0.0.1], orig_queue_id=%s",
		back.qid, mail->qid);
	say(m, t_ms + 75, "cleanup", "%s: message-id=<%s@app.example.net>", back.qid, mail->qid);
	try_once(m, mail, t_ms + 90, "127.0.0.1[127.0.0.1]:10024", "2.0.0", "sent",
		"250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as %s", back.qid);
	say(m, t_ms + 91, "qmgr", "%s: removed", mail->qid);
	say(m, t_ms + 92, "10025/smtpd",
		"disconnect from localhost[127.0.0.1] ehlo=1 mail=1 rcpt=1 data=1 quit=1 "
		"commands=5");
	deliver(m, &back, t_ms + 95);
}

static const struct destination *pick_destination(struct demo_model *m)
{
	unsigned at = below(m, 100);

	for (size_t i = 0; i < DESTINATIONS; i++) {
		if (at < destinations[i].weight)
			return &destinations[i];
		at -= destinations[i].weight;
	}
	return &destinations[0];
}

static void refuse(struct demo_model *m, int64_t t_ms)
{
	unsigned host = 1 + below(m, 250);

	m->pid = 1000 + below(m, PIDS);
	say(m, t_ms, "smtpd", "connect from unknown[203.0.113.%u]", host);
	if (below(m, 3) == 0)
		say(m, t_ms + 40, "smtpd",
			"NOQUEUE: reject: RCPT from unknown[203.0.113.%u]: 450 4.2.0 "
			"<joe@example.net>: Recipient "
			"address rejected: Greylisted; from=<x%u@spam.example> "
			"to=<joe@example.net> proto=ESMTP helo=<a.example>",
			host, host);
	else
		say(m, t_ms + 40, "smtpd",
			"NOQUEUE: reject: RCPT from unknown[203.0.113.%u]: 554 5.7.1 "
			"<v@third.example>: Relay "
			"access denied; from=<x%u@spam.example> to=<v@third.example> proto=ESMTP "
			"helo=<a.example>",
			host, host);
	say(m, t_ms + 80, "smtpd",
		"disconnect from unknown[203.0.113.%u] ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4",
		host);
}

static void wrong_password(struct demo_model *m, int64_t t_ms)
{
	unsigned host = 1 + below(m, 250);

	m->pid = 1000 + below(m, PIDS);
	say(m, t_ms, "submission/smtpd", "connect from unknown[203.0.113.%u]", host);
	say(m, t_ms + 300, "submission/smtpd",
		"warning: unknown[203.0.113.%u]: SASL LOGIN authentication failed: "
		"authentication failure, sasl_username=admin",
		host);
	say(m, t_ms + 400, "submission/smtpd",
		"disconnect from unknown[203.0.113.%u] ehlo=2 starttls=1 auth=0/1 quit=1 "
		"commands=4/5",
		host);
}

static void accept_mail(struct demo_model *m, int64_t t_ms)
{
	static const char *const services[] = {"smtpd", "submission/smtpd", "submissions/smtpd"};
	static const char *const users[] = {"alice", "bob", "shop", "newsletter"};
	unsigned port = below(m, 100);
	unsigned service = port < 55 ? 0 : port < 85 ? 1 : 2;
	const char *program = services[service];
	const char *user = users[below(m, 4)];
	unsigned client = 2 + below(m, 60);
	struct mail mail = {
		.to = pick_destination(m), .t0_ms = t_ms, .size = 800 + below(m, 60000)};

	m->pid = 1000 + below(m, PIDS);
	make_qid(m, mail.qid);
	snprintf(mail.sender, sizeof(mail.sender), "%s@example.net", user);
	snprintf(mail.rcpt, sizeof(mail.rcpt), "u%u@%s", below(m, 5000), mail.to->domain);
	say(m, t_ms, program, "connect from app%u.example.net[198.51.100.%u]", client, client);
	if (service)
		say(m, t_ms + 20, program,
			"Anonymous TLS connection established from "
			"app%u.example.net[198.51.100.%u]: TLSv1.3 "
			"with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)",
			client, client);
	if (service)
		say(m, t_ms + 60, program,
			"%s: client=app%u.example.net[198.51.100.%u], sasl_method=PLAIN, "
			"sasl_username=%s@example.net",
			mail.qid, client, client, user);
	else
		say(m, t_ms + 60, program, "%s: client=app%u.example.net[198.51.100.%u]", mail.qid,
			client, client);
	say(m, t_ms + 80, "cleanup", "%s: message-id=<%s@app.example.net>", mail.qid, mail.qid);
	if (service)
		say(m, t_ms + 110, program,
			"disconnect from app%u.example.net[198.51.100.%u] ehlo=%d %sauth=1 mail=1 "
			"rcpt=1 data=1 "
			"quit=1 commands=%d",
			client, client, service == 1 ? 2 : 1, service == 1 ? "starttls=1 " : "",
			service == 1 ? 8 : 6);
	else
		say(m, t_ms + 110, program,
			"disconnect from app%u.example.net[198.51.100.%u] ehlo=1 mail=1 rcpt=1 "
			"data=1 quit=1 "
			"commands=5",
			client, client);
	m->pid = 0;
	if (service)
		deliver(m, &mail, t_ms + 100);
	else
		filtered(m, &mail, t_ms + 100);
}

static void arrive(struct demo_model *m)
{
	unsigned what = below(m, 100);

	if (what < 6)
		refuse(m, m->next_ms);
	else if (what < 8)
		wrong_password(m, m->next_ms);
	else
		accept_mail(m, m->next_ms);
	m->pid = 0;
	m->next_ms += 1 + below(m, 2 * 60000 / MESSAGES_PER_MIN_MEAN);
}

struct demo_model *demo_model_new(int64_t from_utc_ms)
{
	struct demo_model *m = xcalloc(1, sizeof(*m));

	m->random = UINT64_C(0x9E3779B97F4A7C15);
	m->next_ms = from_utc_ms;
	return m;
}

void demo_model_free(struct demo_model *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n; i++)
		free(m->heap[i].text);
	free(m->heap);
	free(m);
}

int demo_model_until(struct demo_model *m, int64_t until_utc_ms, struct buf *out)
{
	int rc = 0;

	while (m->next_ms < until_utc_ms)
		arrive(m);
	while (m->n && m->heap[0].t_ms < until_utc_ms) {
		struct line line = pop(m);

		if (rc == 0)
			rc = buf_add_z(out, line.text);
		free(line.text);
	}
	return rc;
}
