/* SPDX-License-Identifier: MIT */
/* sendmail/record - the two records of a message: from=..., once, and to=..., once a delivery attempt. */
#include "backends/sendmail/parse.h"
#include "store/base/scan.h"

#define SIZE_DIGITS 15
#define NRCPT_MAX 1000000
#define DAYS_MAX 1000
#define CS_PER_S 100
#define NOTED_MAX_MS 3600000 /* a session, at the longest */

/* "[days+]HH:MM:SS", pintvl() of convtime.c. */
static int32_t centis(struct str s)
{
	uint64_t days = 0, h, m, sec;
	struct str rest = s;
	int64_t cs;

	if (scan_u64(&rest, 4, DAYS_MAX, &days) && scan_lit(&rest, STR_LIT("+")))
		s = rest;
	else
		days = 0;
	if (!scan_u64(&s, 2, 23, &h) || !scan_lit(&s, STR_LIT(":")) || !scan_u64(&s, 2, 59, &m) ||
		!scan_lit(&s, STR_LIT(":")) || !scan_u64(&s, 2, 59, &sec) || s.n)
		return EVENT_UNKNOWN;
	cs = (int64_t)(((days * 24 + h) * 60 + m) * 60 + sec) * CS_PER_S;
	return cs > DELAY_MAX_CS ? EVENT_UNKNOWN : (int32_t)cs;
}

/* ", key=" at the start. */
static bool key_follows(struct str s)
{
	size_t n = 2;

	if (s.n < 4 || s.p[0] != ',' || s.p[1] != ' ')
		return false;
	while (n < s.n && ((s.p[n] >= 'a' && s.p[n] <= 'z') || s.p[n] == '_'))
		n++;
	return n > 2 && n < s.n && s.p[n] == '=';
}

/* The value up to the next ", key="; *in is left behind the comma. */
static struct str take_value(struct str *in)
{
	struct str whole = *in;
	size_t n = str_find_char(whole, ',');

	while (n < whole.n && !key_follows(str_skip(whole, n)))
		n += 1 + str_find_char(str_skip(whole, n + 1), ',');
	if (n > whole.n)
		n = whole.n;
	*in = str_skip(whole, n + 2);
	return str_first(whole, n);
}

/* What is behind the last mark, up to the next ", "; the text is cut there. Absent if there is no mark. */
static struct str take_last(struct str *text, struct str mark)
{
	size_t at = str_rfind(*text, mark);
	struct str value = str_skip(*text, at + mark.n);

	if (at == text->n)
		return (struct str){NULL, 0};
	*text = str_first(*text, at);
	return value;
}

static bool is_of(const struct sendmail_noted *n, const struct event *e, struct str peer)
{
	return n->pid > 0 && n->pid == e->pid && e->t_utc_ms >= n->t_utc_ms &&
	       e->t_utc_ms - n->t_utc_ms <= NOTED_MAX_MS &&
	       str_eq(str_first(peer, SENDMAIL_PEER_BYTES), str_make(n->peer, n->npeer));
}

/* The user that the process' client logged in as. Not the method: AUTH=server has counted it. */
static void set_user(const struct sendmail_state *p, struct event *e, struct str relay)
{
	for (size_t i = 0; i < SENDMAIL_NOTED; i++)
		if (is_of(&p->logins[i], e, relay))
			e->sasl_user = str_make(p->logins[i].text, p->logins[i].ntext);
}

/* The hand-shake that the process made with this relay. */
static void set_tls(const struct sendmail_state *p, struct event *e)
{
	for (size_t i = 0; i < SENDMAIL_NOTED; i++)
		if (is_of(&p->shakes[i], e, e->relay_host))
			e->tls = str_make(p->shakes[i].text, p->shakes[i].ntext);
}

static void set_origin(struct sendmail_state *p, struct event *e, struct str relay)
{
	if (!sendmail_set_client(e, relay)) {
		e->process = STR_LIT("pickup"); /* "root@localhost": submitted on this machine */
		return;
	}
	e->process = STR_LIT("smtpd");
	set_user(p, e, relay);
}

static void set_message_id(struct event *e, struct str value)
{
	e->message_id = str_first(value, str_rfind(value, STR_LIT(", bodytype=")));
	e->message_id = sendmail_bare(e->message_id);
}

/*
 * from=A, size=N, class=N, nrcpts=N[, msgid=M][, bodytype=B][, proto=P][, daemon=D][, tls_verify=V, auth=A], relay=R:
 * M is the sender's own text, so that what is behind it is looked for from the end.
 */
static enum sendmail_line arrival(struct sendmail_state *p, struct event *e, struct str rest)
{
	struct str relay, proto;
	uint64_t n;

	e->from = sendmail_bare(sendmail_take_address(&rest));
	if (str_eq(e->from, STR_LIT("NONE")))
		e->from = (struct str){NULL, 0};
	if (!scan_lit(&rest, STR_LIT(", size=")) || !scan_u64(&rest, SIZE_DIGITS, INT64_MAX, &n))
		return SENDMAIL_UNKNOWN;
	e->size_bytes = (int64_t)n;
	relay = take_last(&rest, STR_LIT(", relay="));
	take_last(&rest,
		STR_LIT(", daemon=")); /* refusals and sessions don't tell it: one listener */
	proto = take_last(&rest, STR_LIT(", proto="));
	rest = str_skip(rest, str_find(rest, STR_LIT(", nrcpts=")) + 9);
	if (!scan_u64(&rest, 7, NRCPT_MAX, &n))
		return SENDMAIL_UNKNOWN;
	e->nrcpt = (int32_t)n;
	if (scan_lit(&rest, STR_LIT(", msgid=")))
		set_message_id(e, rest);
	if (proto.n)
		e->proto = str_first(proto, str_find(proto, STR_LIT(", ")));
	set_origin(p, e, relay);
	if (e->nrcpt == 0) { /* every recipient was refused: there is no message */
		e->kind = EVENT_NONE;
		return SENDMAIL_EVENT;
	}
	e->kind = EVENT_RECEIVED;
	return SENDMAIL_ARRIVAL;
}

/* "mx.example.com. [192.0.2.1]", "[127.0.0.1] [127.0.0.1]", a name. */
static void set_relay(struct event *e, struct str value)
{
	size_t open = str_rfind(value, STR_LIT(" ["));
	struct str ip = str_skip(value, open + 2);
	size_t close = str_find_char(ip, ']');

	e->relay = value;
	e->relay_host = str_first(value, open);
	if (close < ip.n) {
		e->relay_ip = str_first(ip, close);
		scan_lit(&e->relay_ip, STR_LIT("IPv6:"));
		e->process = STR_LIT("smtp");
	}
	if (e->relay_host.n > 1 && e->relay_host.p[e->relay_host.n - 1] == '.')
		e->relay_host.n--; /* as the name service has it */
}

static void set_dsn(struct event *e, struct str s)
{
	uint64_t class_digit, subject, detail;

	if (scan_u64(&s, 1, 9, &class_digit) && scan_lit(&s, STR_LIT(".")) &&
		scan_u64(&s, 3, 999, &subject) && scan_lit(&s, STR_LIT(".")) &&
		scan_u64(&s, 3, 999, &detail))
		e->dsn = (int32_t)DSN_MAKE(class_digit, subject, detail);
}

static void set_status(struct event *e, enum event_status status)
{
	e->status = status;
	e->status_text = status == STATUS_SENT       ? STR_LIT("sent")
			 : status == STATUS_DEFERRED ? STR_LIT("deferred")
						     : STR_LIT("bounced");
}

/* "Sent (text)" */
static void set_sent(struct event *e, struct str stat)
{
	static const struct str accepted = STR_INIT(" Message accepted for delivery");
	static const struct str queued = STR_INIT("queued as ");
	struct str text = stat;
	size_t at;

	set_status(e, STATUS_SENT);
	e->reply = stat;
	if (!scan_lit(&text, STR_LIT("Sent (")) || !str_ends(text, STR_LIT(")")))
		return;
	text.n--;
	e->reply = text;
	sendmail_codes(e, text, false);
	at = str_find(text, accepted);
	if (at < text.n) { /* the next sendmail's id: of the MTA behind a submission, above all */
		size_t space = str_rfind_char(str_first(text, at), ' ');

		e->child_queue_id = str_first(text, at);
		if (space < at)
			e->child_queue_id = str_skip(e->child_queue_id, space + 1);
		return;
	}
	at = str_rfind(text, queued);
	if (at < text.n) {
		text = str_skip(text, at + queued.n);
		e->child_queue_id = scan_while(&text, scan_is_alnum);
	}
}

static void set_stage(struct event *e, struct str text)
{
	static const struct str starts[] = {STR_INIT("Connection refused by"),
		STR_INIT("Connection timed out with"), STR_INIT("No route to host"),
		STR_INIT("Network is unreachable"), STR_INIT("Host is down")};

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (str_starts(text, starts[i]))
			e->stage = STAGE_CONNECT;
}

/* A failure: the server's own words are in reply= (8.16 on), else in stat= as far as they are kept. */
static void set_failed(struct event *e, struct str stat, struct str reply)
{
	struct str text = stat;

	if (scan_lit(&text, STR_LIT("Deferred"))) {
		set_status(e, STATUS_DEFERRED);
		text = scan_lit(&text, STR_LIT(": ")) ? text : stat;
	} else {
		set_status(e, e->dsn / 1000000 == 4   ? STATUS_DEFERRED
			      : e->dsn / 1000000 == 2 ? STATUS_SENT
						      : STATUS_BOUNCED);
	}
	set_stage(e, text);
	e->reply = reply.n ? reply : text;
	sendmail_codes(e, e->reply, true); /* dsn= is Sendmail's own view: 4.3.0 of any 4.x.x */
}

/* stat=, the rest of the line. doubtful: a server's words have a "stat=" of their own, so that the code decides. */
static void set_outcome(struct event *e, struct str stat, struct str reply, bool doubtful)
{
	const int32_t class_digit = e->dsn / 1000000;

	e->kind = EVENT_ATTEMPT;
	if (doubtful) {
		e->reply = reply;
		set_status(e, class_digit == 2   ? STATUS_SENT
			      : class_digit == 4 ? STATUS_DEFERRED
						 : STATUS_BOUNCED);
	} else if (str_starts(stat, STR_LIT("Sent"))) {
		set_sent(e, stat);
	} else {
		set_failed(e, stat, reply);
	}
}

/* Nothing was tried: put into the queue; or, without a mailer, refused, discarded or aborted with the whole message. */
static bool untried(struct event *e, struct str stat, bool mailer)
{
	if (mailer && !str_eq(stat, STR_LIT("queued")) && !str_eq(stat, STR_LIT("quarantined")))
		return false;
	e->kind = EVENT_ATTEMPT;
	e->status = STATUS_OTHER;
	e->status_text = mailer ? stat : STR_LIT("not tried");
	e->reply = stat;
	return true;
}

/* One pair in front of stat=. */
static void take_pair(struct event *e, struct str key, struct str value, struct str *mailer)
{
	if (str_eq(key, STR_LIT("delay")))
		e->delay_cs[DELAY_TOTAL] = centis(value);
	else if (str_eq(key, STR_LIT("xdelay")))
		e->delay_cs[DELAY_D] = centis(value);
	else if (str_eq(key, STR_LIT("mailer")))
		*mailer = value;
	else if (str_eq(key, STR_LIT("relay")))
		set_relay(e, value);
	else if (str_eq(key, STR_LIT("dsn")))
		set_dsn(e, value);
}

/* The pairs behind the recipients. Returns false when there is no stat=. */
static bool take_pairs(struct event *e, struct str rest, bool *ret_gone)
{
	static const struct str mark = STR_INIT(", stat=");
	struct str mailer = {NULL, 0}, reply = {NULL, 0};
	bool doubtful = false;

	while (rest.n) {
		size_t eq = str_find_char(rest, '=');
		struct str key = str_first(rest, eq);

		rest = str_skip(rest, eq + 1);
		if (str_eq(key, STR_LIT("reply"))) {
			size_t at = str_find(rest, mark);

			reply = str_first(rest, at);
			rest = str_skip(rest, at + mark.n);
			doubtful = str_find(rest, mark) < rest.n;
			key = STR_LIT("stat");
		}
		if (str_eq(key, STR_LIT("stat"))) {
			e->service = mailer.n ? mailer : e->service;
			if (!str_present(e->relay) && mailer.n)
				e->relay = e->relay_host = mailer;
			*ret_gone = mailer.n == 0;
			if (!untried(e, rest, mailer.n > 0))
				set_outcome(e, rest, reply, doubtful);
			return true;
		}
		take_pair(e, key, take_value(&rest), &mailer);
	}
	return false;
}

static enum sendmail_line delivery(
	struct sendmail_state *p, struct event *e, struct str rest, struct sendmail_more *more)
{
	struct str list = rest;

	while (rest.n && !str_starts(rest, STR_LIT(", ")))
		sendmail_take_address(&rest);
	list.n -= rest.n;
	rest = str_skip(rest, 2);
	scan_lit(&rest, STR_LIT("[more], "));
	while (list.n && list.p[list.n - 1] == ',')
		list.n--;
	more->recipients = list;
	e->process = STR_LIT("local");
	if (list.n == 0 || !take_pairs(e, rest, &more->gone))
		return SENDMAIL_UNKNOWN;
	if (e->relay_ip.n)
		set_tls(p, e);
	return SENDMAIL_RECIPIENTS;
}

enum sendmail_line sendmail_record(
	struct sendmail_state *p, struct event *e, struct str text, struct sendmail_more *more)
{
	if (!str_present(e->queue_id))
		return SENDMAIL_UNKNOWN;
	if (scan_lit(&text, STR_LIT("to=")))
		return delivery(p, e, text, more);
	if (scan_lit(&text, STR_LIT("from=")))
		return arrival(p, e, text);
	return SENDMAIL_UNKNOWN;
}
