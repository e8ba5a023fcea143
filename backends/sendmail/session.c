/* SPDX-License-Identifier: MIT */
/* sendmail/session - clients that come, log in, encrypt and get lost; and servers that do. */
#include "backends/sendmail/parse.h"
#include "store/base/scan.h"

/* The value behind a mark, up to the next ", ". Absent where the mark is not. */
static struct str value_of(struct str text, struct str mark)
{
	size_t at = str_find(text, mark);
	struct str value = str_skip(text, at + mark.n);

	return at == text.n ? (struct str){NULL, 0}
			    : str_first(value, str_find(value, STR_LIT(", ")));
}

static uint8_t keep(char *to, size_t max, struct str s)
{
	size_t n = s.n > max ? max : s.n;

	if (n)
		memcpy(to, s.p, n);
	return (uint8_t)n;
}

static struct sendmail_noted *note(
	struct sendmail_noted *all, size_t *next, const struct event *e, struct str peer)
{
	struct sendmail_noted *n = &all[*next];

	*next = (*next + 1) % SENDMAIL_NOTED;
	for (size_t i = 0; i < SENDMAIL_NOTED; i++)
		if (all[i].pid == e->pid)
			all[i].pid =
				0; /* an earlier process of that number, or hand-shake of this */
	n->pid = e->pid > 0 ? e->pid : 0;
	n->t_utc_ms = e->t_utc_ms;
	n->npeer = keep(n->peer, SENDMAIL_PEER_BYTES, peer);
	return n;
}

static void shake_with(struct sendmail_state *p, struct event *e)
{
	struct str host = e->relay_host;
	struct sendmail_noted *n;
	size_t used;

	n = note(p->shakes, &p->next_shake, e, host);
	used = keep(n->text, SENDMAIL_TEXT_BYTES / 2, e->tls_version);
	n->text[used++] = ' ';
	n->ntext =
		(uint8_t)(used + keep(n->text + used, SENDMAIL_TEXT_BYTES / 2 - 1, e->tls_cipher));
}

/* "relay=H, version=V, verify=T, cipher=C, bits=A/B", "error: ... failed=...". */
static enum sendmail_line tls(struct sendmail_state *p, struct event *e, struct str rest)
{
	bool client = str_starts(rest, STR_LIT("client"));
	struct str relay = value_of(rest, STR_LIT("relay="));

	e->outbound = client;
	e->process = client ? STR_LIT("smtp") : STR_LIT("smtpd");
	e->tls_version = value_of(rest, STR_LIT(", version="));
	e->tls_trust = value_of(rest, STR_LIT(", verify="));
	e->tls_cipher = value_of(rest, STR_LIT(", cipher="));
	e->tls_bits = value_of(rest, STR_LIT(", bits="));
	e->kind = EVENT_NONE;
	if (client) {
		e->relay = e->relay_host = relay;
		if (relay.n > 1 && relay.p[relay.n - 1] == '.')
			e->relay_host.n--;
	} else {
		sendmail_set_client(e, relay);
	}
	if (e->tls_version.n && relay.n) {
		e->tls_ok = true;
		if (client)
			shake_with(p, e); /* told with the to= lines: they have the message */
		else
			e->kind = EVENT_TLS;
	} else if (str_find(rest, STR_LIT("error: accept failed")) < rest.n ||
		   str_find(rest, STR_LIT("error: connect failed")) < rest.n) {
		e->kind = EVENT_TLS;
	}
	return SENDMAIL_EVENT;
}

/* "AUTH=server, relay=H [ip], authid=U, mech=M, bits=N": U is the client's own text. */
static enum sendmail_line login(struct sendmail_state *p, struct event *e, struct str rest)
{
	static const struct str id = STR_INIT(", authid="), mech = STR_INIT(", mech=");
	size_t at = str_find(rest, id), end = str_rfind(rest, mech);
	struct str relay = str_first(rest, at);
	struct sendmail_noted *n;

	if (at == rest.n || end <= at || end == rest.n || !scan_lit(&relay, STR_LIT("relay=")))
		return SENDMAIL_UNKNOWN;
	e->kind = EVENT_AUTH_OK;
	e->process = STR_LIT("smtpd");
	e->sasl_user = str_skip(str_first(rest, end), at + id.n);
	e->sasl_method = value_of(str_skip(rest, end), mech);
	sendmail_set_client(e, relay);
	n = note(p->logins, &p->next_login, e, relay);
	n->ntext = keep(n->text, SENDMAIL_TEXT_BYTES, e->sasl_user);
	return SENDMAIL_EVENT;
}

/* "AUTH failure (LOGIN): authentication failure (-13) ...[, user=U], relay=H [ip]" */
static enum sendmail_line login_failed(struct event *e, struct str rest)
{
	static const struct str relay = STR_INIT(", relay="), user = STR_INIT(", user=");
	size_t close = str_find_char(rest, ')'), at = str_rfind(rest, relay), who;

	e->kind = EVENT_AUTH_FAILED;
	e->process = STR_LIT("smtpd");
	e->stage = STAGE_AUTH;
	e->sasl_method = str_first(rest, close);
	sendmail_set_client(e, str_skip(rest, at + relay.n));
	rest = str_first(rest, at);
	who = str_rfind(rest, user);
	if (who < rest.n)
		e->sasl_user = str_skip(rest, who + user.n);
	e->reply = str_skip(str_first(rest, who), close + 3);
	return SENDMAIL_EVENT;
}

/* "lost input channel from H [ip] to MTA after rcpt", "timeout waiting for input from H during server cmd read" */
static enum sendmail_line lost(
	struct sendmail_state *p, struct event *e, struct str rest, bool timeout)
{
	static const struct str during = STR_INIT(" during "), to = STR_INIT(" to ");
	size_t end = str_rfind(rest, timeout ? during : to);
	struct str who = str_first(rest, end), how = str_skip(rest, end + (timeout ? 8 : 4));
	bool told = !timeout && p->timed_out_pid == e->pid && e->pid > 0;

	if (timeout && str_starts(how, STR_LIT("client "))) { /* a server that we waited for */
		e->kind = EVENT_HOST_FAILURE;
		e->outbound = true;
		e->process = STR_LIT("smtp");
		e->relay = e->relay_host = who;
		if (who.n > 1 && who.p[who.n - 1] == '.')
			e->relay_host.n--;
		e->reply = e->text;
		return SENDMAIL_EVENT;
	}
	p->timed_out_pid = timeout && e->pid > 0 ? e->pid : 0;
	e->kind = told ? EVENT_NONE : EVENT_LOST;
	e->process = STR_LIT("smtpd");
	e->action_text = timeout ? STR_LIT("timeout") : STR_LIT("lost input channel");
	if (!sendmail_set_client(e, who))
		e->client_host = who;
	return SENDMAIL_EVENT;
}

static enum sendmail_line connected(struct event *e, struct str rest)
{
	e->kind = EVENT_CONNECT;
	e->process = STR_LIT("smtpd");
	if (!sendmail_set_client(e, rest))
		e->client_host = rest;
	return SENDMAIL_EVENT;
}

/* "H [ip] did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA": no session is counted where only such are told. */
static enum sendmail_line idle(struct event *e, struct str text)
{
	static const struct str mark = STR_INIT(" did not issue MAIL");
	size_t at = str_find(text, mark);

	if (at == text.n)
		return SENDMAIL_UNKNOWN;
	e->kind = EVENT_NONE;
	e->process = STR_LIT("smtpd");
	sendmail_set_client(e, str_first(text, at));
	return SENDMAIL_EVENT;
}

enum sendmail_line sendmail_session(struct sendmail_state *p, struct event *e, struct str text)
{
	struct str rest = text;

	e->text = text;
	if (scan_lit(&rest, STR_LIT("STARTTLS=")))
		return tls(p, e, rest);
	if (scan_lit(&rest, STR_LIT("AUTH=server, ")))
		return login(p, e, rest);
	if (scan_lit(&rest, STR_LIT("AUTH failure (")))
		return login_failed(e, rest);
	if (scan_lit(&rest, STR_LIT("connect from ")))
		return connected(e, rest);
	if (scan_lit(&rest, STR_LIT("lost input channel from ")))
		return lost(p, e, rest, false);
	if (scan_lit(&rest, STR_LIT("timeout waiting for input from ")))
		return lost(p, e, rest, true);
	return idle(e, text);
}
