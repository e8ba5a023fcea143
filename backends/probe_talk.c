/* SPDX-License-Identifier: MIT */
/*
 * probe_talk - the dialogue of one probe (RFC 5321 4.1, RFC 3207 4): what is said next, and what an answer means.
 *
 * MAIL and RCPT are said in the self-check of a listener of this machine alone, and always followed by RSET.
 */
#include "backends/probe_private.h"

#include <stdarg.h>
#include <stdio.h>

#define MS_PER_S 1000
#define READ_BYTES 16384
#define READ_ROUNDS 8 /* of one look: others wait too */
#define HAD_MAX_BYTES (128u << 10) /* of one server in all: more is no SMTP server's */
#define REPLY_PERMANENT 500 /* 5yz, RFC 5321 4.2.1 */
#define QUIT_MS 5000 /* for the 221: whoever is slower has answered all the same */
#define SHOWN_LINE_MAX_BYTES 1024

static int64_t min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

void talk_begin(struct talk *t, enum talk_state state, enum probe_step step)
{
	int64_t now_ms = clock_mono_ms(t->set->clock);

	t->state = state;
	t->result.step = step;
	t->step_us = probe_now_us();
	t->deadline_ms = min64(now_ms + t->set->timeout_ms, t->end_ms);
	probe_reply_clear(&t->reply);
}

void talk_took(struct talk *t, enum probe_step step)
{
	t->result.took_us[step] = probe_now_us() - t->step_us;
}

void talk_end(struct talk *t, enum probe_outcome outcome, const char *fmt, ...)
{
	char text[256];
	va_list args;

	if (t->state == TALK_ENDED)
		return;
	if (fmt) {
		va_start(args, fmt);
		vsnprintf(text, sizeof(text), fmt, args);
		va_end(args);
		buf_clear(&t->detail);
		(void)buf_add_z(&t->detail, text);
	}
	t->state = TALK_ENDED;
	t->result.outcome = outcome;
	t->result.total_us = probe_now_us() - t->begun_us;
}

void talk_start(struct talk *t)
{
	t->begun_us = probe_now_us();
	talk_begin(t, TALK_CONNECT, PROBE_STEP_CONNECT);
	t->deadline_ms += MS_PER_S; /* libcurl's own comes first */
	if (probe_connect(t) < 0)
		talk_end(t, PROBE_HERE, "no memory for a connection");
}

/* --- the transcript --- */

static void note(struct talk *t, const char *who, struct str line)
{
	if (t->result.flags & PROBE_F_CUT)
		return;
	if (t->transcript.n + line.n + strlen(who) + 1 > t->transcript.max) {
		t->result.flags |= PROBE_F_CUT;
		return;
	}
	(void)buf_add_z(&t->transcript, who);
	(void)buf_add_str(&t->transcript, str_first(line, SHOWN_LINE_MAX_BYTES));
	(void)buf_add_char(&t->transcript, '\n');
}

static void note_reply(struct talk *t)
{
	struct str text = buf_str(&t->reply.text);
	char head[16];

	for (unsigned i = 0; i < t->reply.nlines; i++) {
		size_t end = str_find_char(text, '\n');

		snprintf(head, sizeof(head), "S: %03d%c", t->reply.code,
			i + 1 < t->reply.nlines ? '-' : ' ');
		note(t, head, str_first(text, end));
		text = str_skip(text, end + 1);
	}
}

/* --- what is said --- */

static void say(struct talk *t, const char *fmt, ...) MT_PRINTF(2, 3);
static void say(struct talk *t, const char *fmt, ...)
{
	char line[600];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line) - 2, fmt, args);
	va_end(args);
	note(t, "C: ", str_of(line));
	(void)buf_add_z(&t->out, line);
	(void)buf_add_z(&t->out, "\r\n");
}

static void say_ehlo(struct talk *t, enum talk_state state, enum probe_step step)
{
	talk_begin(t, state, step);
	say(t, "%s %s", state == TALK_HELO ? "HELO" : "EHLO", t->set->helo);
}

/* quit - the result is had; waits for the 221 a while, as is right (RFC 5321 4.1.1.10). */
static void quit(struct talk *t)
{
	enum probe_step step = t->result.step;

	talk_begin(t, TALK_QUIT, step);
	t->deadline_ms = min64(t->deadline_ms, clock_mono_ms(t->set->clock) + QUIT_MS);
	say(t, "QUIT");
}

static void open_or_check(struct talk *t)
{
	if (!t->relay_check) {
		quit(t);
		return;
	}
	talk_begin(t, TALK_MAIL, PROBE_STEP_RELAY);
	say(t, "MAIL FROM:<>");
}

/* fail - what the server did ends the probe; it is told QUIT, and nobody waits for the answer. */
static void fail(struct talk *t, enum probe_outcome outcome, const char *detail)
{
	const char *ignored;

	note(t, "C: ", STR_LIT("QUIT"));
	(void)probe_send(t, "QUIT\r\n", 6, &ignored);
	talk_end(t, outcome, "%s", detail);
}

static void turned_away(struct talk *t)
{
	char text[160];
	struct str first = probe_reply_first(buf_str(&t->reply.text));

	snprintf(text, sizeof(text), "%d %.*s", t->reply.code, (int)(first.n < 140 ? first.n : 140),
		first.p ? first.p : "");
	fail(t, PROBE_TURNED_AWAY, text);
}

/* --- what an answer means --- */

static bool ok(const struct talk *t)
{
	return t->reply.code >= 200 && t->reply.code < 300;
}

/* name_by_greeting - TLS came before the name of a listener of this machine: is the certificate of that name? */
static void name_by_greeting(struct talk *t)
{
	struct str name = t->result.greeting_name;
	struct probe_cert c;

	if (!t->implicit || t->role != PROBE_OWN || t->name || !str_present(name) ||
		!(t->result.flags & PROBE_F_CERT))
		return;
	if (probe_cert_read(&c, buf_str(&t->cert.der), name, NULL) == 0 && c.names_host)
		t->result.flags |= PROBE_F_NAME;
	probe_cert_done(&c);
}

static void on_greeting(struct talk *t)
{
	struct str text = buf_str(&t->reply.text), name;

	if (t->reply.code != 220) {
		turned_away(t);
		return;
	}
	talk_took(t, PROBE_STEP_GREETING);
	(void)buf_add_str(&t->greeting, probe_reply_first(text));
	t->result.greeting = buf_str(&t->greeting);
	name = probe_reply_name(t->result.greeting);
	t->result.greeting_name = name;
	if (probe_reply_starred(text))
		t->result.flags |= PROBE_F_STARS;
	name_by_greeting(t);
	say_ehlo(t, t->secure ? TALK_EHLO_TLS : TALK_EHLO,
		t->secure ? PROBE_STEP_EHLO_TLS : PROBE_STEP_EHLO);
}

static void on_ehlo(struct talk *t)
{
	struct reply_keywords k;

	if (!ok(t)) {
		say_ehlo(t, TALK_HELO, PROBE_STEP_EHLO);
		return;
	}
	talk_took(t, PROBE_STEP_EHLO);
	probe_reply_keywords(buf_str(&t->reply.text), &k);
	t->result.flags |= PROBE_F_EHLO | (k.starttls ? PROBE_F_STARTTLS : 0u) |
			   (k.auth ? PROBE_F_AUTH : 0u) | (k.stars ? PROBE_F_STARS : 0u);
	if (!k.starttls) {
		open_or_check(t);
		return;
	}
	talk_begin(t, TALK_STARTTLS, PROBE_STEP_STARTTLS);
	say(t, "STARTTLS");
}

static void on_helo(struct talk *t)
{
	if (!ok(t)) {
		turned_away(t);
		return;
	}
	talk_took(t, PROBE_STEP_EHLO);
	t->result.flags |= PROBE_F_EHLO; /* and there are none */
	open_or_check(t);
}

static void on_starttls(struct talk *t)
{
	if (t->reply.code != 220) {
		char text[64];

		snprintf(text, sizeof(text), "STARTTLS is offered but refused with %d",
			t->reply.code);
		fail(t, PROBE_TLS_FAILED, text);
		return;
	}
	talk_took(t, PROBE_STEP_STARTTLS);
	talk_begin(t, TALK_TLS, PROBE_STEP_TLS);
	if (probe_tls(t) < 0)
		talk_end(t, PROBE_HERE, "TLS can't be started");
}

static void on_ehlo_tls(struct talk *t)
{
	struct reply_keywords k;

	if (!ok(t)) {
		turned_away(t);
		return;
	}
	talk_took(t, PROBE_STEP_EHLO_TLS);
	probe_reply_keywords(buf_str(&t->reply.text), &k);
	t->result.flags |= PROBE_F_EHLO_TLS | (k.auth ? PROBE_F_AUTH_TLS : 0u);
	open_or_check(t);
}

static void on_mail(struct talk *t)
{
	if (!ok(t)) {
		quit(t);
		return;
	}
	talk_begin(t, TALK_RCPT, PROBE_STEP_RELAY);
	say(t, "RCPT TO:<%s>", t->set->relay_to);
}

static void on_rcpt(struct talk *t)
{
	talk_took(t, PROBE_STEP_RELAY);
	/* "Later" (greylisting), or MAIL refused, is no answer to the question. */
	t->result.flags |= ok(t) || t->reply.code >= REPLY_PERMANENT ? PROBE_F_RELAY_ASKED : 0u;
	t->result.flags |= ok(t) ? PROBE_F_RELAY_TAKEN : 0u;
	/* Taken from this machine's own address may be trust in it (mynetworks): no proof. */
	t->result.flags |= ok(t) && t->from ? PROBE_F_RELAY_OPEN : 0u;
	talk_begin(t, TALK_RSET, PROBE_STEP_RELAY);
	say(t, "RSET");
}

static void on_reply(struct talk *t)
{
	t->result.code = t->reply.code;
	note_reply(t);
	switch (t->state) {
	case TALK_GREETING:
		on_greeting(t);
		break;
	case TALK_EHLO:
		on_ehlo(t);
		break;
	case TALK_HELO:
		on_helo(t);
		break;
	case TALK_STARTTLS:
		on_starttls(t);
		break;
	case TALK_EHLO_TLS:
		on_ehlo_tls(t);
		break;
	case TALK_MAIL:
		on_mail(t);
		break;
	case TALK_RCPT:
		on_rcpt(t);
		break;
	case TALK_RSET:
		quit(t);
		break;
	case TALK_QUIT:
		talk_end(t, PROBE_OPEN, NULL);
		break;
	case TALK_CONNECT:
	case TALK_TLS:
	case TALK_ENDED:
		break;
	}
}

/* --- bytes --- */

static void lost(struct talk *t, const char *why)
{
	if (t->state == TALK_QUIT) /* hung up instead of 221 */
		talk_end(t, PROBE_OPEN, NULL);
	else
		talk_end(t, PROBE_CLOSED, "%s at %s", why, probe_step_word(t->result.step));
}

static void take(struct talk *t, struct str in)
{
	while (in.n && t->state != TALK_ENDED) {
		enum reply_state got = probe_reply_take(&t->reply, &in);

		if (got == REPLY_BAD) {
			note(t, "S: ", str_first(in.n ? in : buf_str(&t->reply.line), 200));
			talk_end(t, PROBE_NOT_SMTP, "%s", t->reply.bad);
		} else if (got == REPLY_DONE) {
			bool starttls = t->state == TALK_STARTTLS;

			on_reply(t);
			/* Bytes behind "220 ready" would be taken for ones inside TLS (RFC 3207 5). */
			if (starttls && in.n && t->state == TALK_TLS)
				talk_end(t, PROBE_NOT_SMTP, "bytes behind the reply to STARTTLS");
		}
	}
}

static void read_all(struct talk *t)
{
	char bytes[READ_BYTES];
	const char *why = "";

	for (int i = 0; i < READ_ROUNDS; i++) {
		ssize_t n;

		if (t->state == TALK_ENDED || t->state == TALK_TLS)
			return;
		n = probe_recv(t, bytes, sizeof(bytes), &why);
		if (n < 0)
			lost(t, why);
		if (n <= 0)
			return;
		t->had_bytes += (size_t)n;
		take(t, str_make(bytes, (size_t)n));
		if (t->had_bytes > HAD_MAX_BYTES)
			talk_end(t, PROBE_NOT_SMTP, "more than %u kB", HAD_MAX_BYTES >> 10);
	}
}

static void write_all(struct talk *t)
{
	const char *why = "";

	while (t->out.n && t->state != TALK_ENDED) {
		ssize_t n = probe_send(t, t->out.p, t->out.n, &why);

		if (n < 0)
			lost(t, why);
		if (n <= 0)
			return;
		buf_drop_front(&t->out, (size_t)n);
	}
}

bool talk_wants_write(const struct talk *t)
{
	return t->out.n > 0;
}

void talk_work(struct talk *t)
{
	if (t->state == TALK_CONNECT || t->state == TALK_TLS || t->state == TALK_ENDED)
		return;
	write_all(t);
	read_all(t);
	write_all(t);
}

void talk_again(struct talk *t, const char *why)
{
	const unsigned keep = PROBE_F_CUT | PROBE_F_STARS;

	note(t, "-- ", str_of(why));
	note(t, "-- ", STR_LIT("again, without checking the certificate"));
	(void)buf_add_z(&t->detail, why);
	probe_curl_free(t);
	buf_clear(&t->out);
	buf_clear(&t->greeting);
	t->secure = false;
	t->lenient = true;
	t->result.flags &= keep;
	for (int i = 0; i < PROBE_STEP__COUNT; i++)
		t->result.took_us[i] = EVENT_UNKNOWN;
	talk_start(t);
}

void talk_connected(struct talk *t)
{
	if (t->role == PROBE_WITNESS) {
		t->result.step = PROBE_STEP_CONNECT;
		talk_end(t, PROBE_OPEN, NULL);
		return;
	}
	if (!t->implicit) {
		talk_begin(t, TALK_GREETING, PROBE_STEP_GREETING);
		return;
	}
	t->result.flags |= PROBE_F_IMPLICIT;
	talk_begin(t, TALK_TLS, PROBE_STEP_TLS);
	if (probe_tls(t) < 0)
		talk_end(t, PROBE_HERE, "TLS can't be started");
}

void talk_secured(struct talk *t)
{
	talk_took(t, PROBE_STEP_TLS);
	t->result.flags |= PROBE_F_TLS;
	if (t->implicit)
		talk_begin(t, TALK_GREETING, PROBE_STEP_GREETING);
	else
		say_ehlo(t, TALK_EHLO_TLS, PROBE_STEP_EHLO_TLS);
	talk_work(t);
}
