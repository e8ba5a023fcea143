/* SPDX-License-Identifier: MIT */
/* smtpd - the lines of the SMTP server, whichever service name it runs under. */
#include "backends/postfix/parse.h"
#include "store/base/scan.h"

#define COUNTER_MAX 1000000000

static bool counter(struct str value, int32_t *ok, int32_t *total)
{
	uint64_t good, all;

	if (!scan_u64(&value, 10, COUNTER_MAX, &good))
		return false;
	all = good;
	if (scan_lit(&value, STR_LIT("/")) && !scan_u64(&value, 10, COUNTER_MAX, &all))
		return false;
	*ok = (int32_t)good;
	*total = (int32_t)all;
	return value.n == 0;
}

static void read_counter(struct session_counters *s, struct str key, struct str value)
{
	int32_t ok, total;

	if (!counter(value, &ok, &total))
		return;
	s->present = true;
	if (str_eq(key, STR_LIT("starttls"))) {
		s->starttls_ok = ok;
	} else if (str_eq(key, STR_LIT("auth"))) {
		s->auth_ok = ok;
		s->auth_total = total;
	} else if (str_eq(key, STR_LIT("mail"))) {
		s->mail_ok = ok;
	} else if (str_eq(key, STR_LIT("rcpt"))) {
		s->rcpt_ok = ok;
		s->rcpt_total = total;
	} else if (str_eq(key, STR_LIT("data")) || str_eq(key, STR_LIT("bdat"))) {
		s->data_ok += ok;
	} else if (str_eq(key, STR_LIT("commands"))) {
		s->commands = total;
	}
}

static bool disconnect(struct event *e, struct str rest)
{
	struct str word;

	if (!postfix_take_client(e, &rest))
		return false;
	e->kind = EVENT_DISCONNECT;
	while (scan_lit(&rest, STR_LIT(" ")) && scan_word(&rest, &word)) {
		size_t eq = str_find_char(word, '=');

		read_counter(&e->session, str_first(word, eq), str_skip(word, eq + 1));
	}
	return true;
}

static void read_client_key(struct event *e, struct str key, struct str value)
{
	if (str_eq(key, STR_LIT("sasl_method")))
		e->sasl_method = value;
	else if (str_eq(key, STR_LIT("sasl_username")))
		e->sasl_user = value;
	else if (str_eq(key, STR_LIT("sasl_sender")))
		e->sasl_sender = value;
	else if (str_eq(key, STR_LIT("orig_queue_id")))
		e->orig_queue_id = value;
	else if (str_eq(key, STR_LIT("orig_client")))
		e->orig_client = value;
}

static bool client(struct event *e, struct str rest)
{
	if (!postfix_take_client(e, &rest))
		return false;
	e->kind = str_present(e->queue_id) ? EVENT_RECEIVED
					   : EVENT_NONE; /* NOQUEUE: a before-queue filter's */
	while (scan_lit(&rest, STR_LIT(", "))) {
		size_t end = str_find(rest, STR_LIT(", "));
		struct str pair = str_first(rest, end);
		size_t eq = str_find_char(pair, '=');

		read_client_key(e, str_first(pair, eq), str_skip(pair, eq + 1));
		rest = str_skip(rest, end);
	}
	return true;
}

/* lost - "lost connection after STAGE (n bytes) from H[ip]" and its kin. */
static bool lost(struct event *e, struct str rest, struct str word)
{
	size_t from = str_find(rest, STR_LIT(" from "));
	struct str who = str_skip(rest, from + 6);

	if (from == rest.n || !postfix_take_client(e, &who))
		return false;
	e->kind = EVENT_LOST;
	e->action_text = word;
	postfix_set_stage(e, str_first(rest, from));
	e->stage_text = str_first(e->stage_text, str_find(e->stage_text, STR_LIT(" (")));
	return true;
}

/* odd - "improper command pipelining after EHLO from H[ip]: ..." and "bare <LF> received after DATA from H[ip]". */
static bool odd(struct event *e, struct str rest, struct str whole)
{
	size_t from = str_find(rest, STR_LIT(" from "));
	struct str who = str_skip(rest, from + 6);

	e->kind = EVENT_NONE;
	e->action_text = str_first(whole, str_find(whole, STR_LIT(" after ")));
	e->text = whole;
	if (from < rest.n && postfix_take_client(e, &who))
		postfix_set_stage(e, str_first(rest, from));
	return true;
}

static bool tls_failed(struct event *e, struct str rest)
{
	if (!postfix_take_client(e, &rest))
		return false;
	e->kind = EVENT_TLS;
	e->tls_ok = false;
	e->action_text = STR_LIT("SSL_accept error");
	scan_lit(&rest, STR_LIT(": "));
	e->text = rest;
	return true;
}

/* known_quiet - understood, nothing to count. */
static bool known_quiet(struct event *e, struct str rest)
{
	static const struct str starts[] = {STR_INIT("setting up TLS connection from "),
		STR_INIT("initializing the server-side TLS engine"), STR_INIT("table "),
		STR_INIT("statistics: "), STR_INIT("Connection concurrency limit exceeded"),
		STR_INIT("Connection rate limit exceeded"), STR_INIT("NOQUEUE: client="),
		STR_INIT("certificate verification failed for "), STR_INIT("auto-"),
		STR_INIT("using "), STR_INIT("reading "), STR_INIT("Verified: "),
		STR_INIT("unable to "), STR_INIT("milter "),
		STR_INIT("Illegal address syntax from "), STR_INIT("vstream_"),
		STR_INIT("process "), STR_INIT("address not listed"), STR_INIT("open smtpd_tls"),
		STR_INIT("replace: "), STR_INIT("sender "), STR_INIT("SNI "), STR_INIT("TLS SNI "),
		STR_INIT("SSL_accept:"), STR_INIT("save session "),
		STR_INIT("certificate has expired"), STR_INIT("Client certificate"),
		STR_INIT("reject: "), STR_INIT("discarding EHLO keywords"),
		STR_INIT("abort: TLS from "), STR_INIT("BDAT request from "),
		STR_INIT("null BDAT request from "), STR_INIT("malformed BDAT command"),
		STR_INIT("queue file size limit exceeded"), STR_INIT("proxy "),
		STR_INIT("mapping DSN status "),
		STR_INIT("Relaying allowed for certified client: "), STR_INIT("Refusing "),
		STR_INIT("relay_clientcerts: "), STR_INIT("Session aborted, "),
		STR_INIT("Wrapper-mode request dropped from "), STR_INIT("replacing command "),
		STR_INIT("issuing session ticket")};

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		if (str_starts(rest, starts[i])) {
			e->kind = EVENT_NONE;
			e->text = rest;
			return true;
		}
	}
	return false;
}

bool postfix_smtpd(struct event *e, struct str rest)
{
	static const struct str losses[] = {STR_INIT("lost connection after "),
		STR_INIT("timeout after "), STR_INIT("too many errors after ")};
	static const struct str odds[] = {STR_INIT("improper command pipelining after "),
		STR_INIT("bare <LF> received after ")};
	struct str whole = rest;

	if (scan_lit(&rest, STR_LIT("connect from "))) {
		e->kind = EVENT_CONNECT;
		return postfix_take_client(e, &rest);
	}
	if (scan_lit(&rest, STR_LIT("disconnect from ")))
		return disconnect(e, rest);
	if (scan_lit(&rest, STR_LIT("client=")))
		return client(e, rest);
	if (scan_lit(&rest, STR_LIT("SSL_accept error from ")))
		return tls_failed(e, rest);
	for (size_t i = 0; i < 3; i++)
		if (scan_lit(&rest, losses[i]))
			return lost(e, rest, str_first(losses[i], losses[i].n - 7));
	for (size_t i = 0; i < 2; i++)
		if (scan_lit(&rest, odds[i]))
			return odd(e, rest, whole);
	if (str_eq(rest, STR_LIT("canceled"))) {
		e->kind = EVENT_REMOVED;
		e->action_text = rest;
		return true;
	}
	return postfix_access(e, rest) || postfix_tls(e, rest) || known_quiet(e, rest) ||
	       postfix_peer(e, rest);
}

bool postfix_peer(struct event *e, struct str rest)
{
	struct str in = rest;

	if (str_find_char(rest, '[') > str_find_char(rest, ' ') || !postfix_take_client(e, &in) ||
		!scan_lit(&in, STR_LIT(": "))) {
		e->client_host = e->client_ip = (struct str){NULL, 0};
		e->client_port = EVENT_UNKNOWN;
		return false;
	}
	e->kind = EVENT_NONE;
	e->text = rest;
	return true;
}

static struct str trust_of(struct str rest)
{
	return str_first(rest, str_find_char(rest, ' '));
}

bool postfix_tls(struct event *e, struct str rest)
{
	static const struct str in = STR_INIT(" TLS connection established from ");
	static const struct str out = STR_INIT(" TLS connection established to ");
	static const struct str reused = STR_INIT(" TLS connection reused to ");
	size_t at = str_find(rest, in);
	size_t skip = in.n;
	bool outbound = at == rest.n;
	struct str cipher;

	if (outbound) {
		at = str_find(rest, out);
		skip = out.n;
	}
	if (at == rest.n) {
		at = str_find(rest, reused);
		skip = reused.n;
	}
	if (at == rest.n)
		return false;
	e->tls_trust = trust_of(rest);
	rest = str_skip(rest, at + skip);
	if (!postfix_take_client(e, &rest))
		return false;
	e->kind = EVENT_TLS;
	e->tls_ok = true;
	e->outbound = outbound;
	if (outbound)
		postfix_as_relay(e);
	if (!scan_lit(&rest, STR_LIT(": ")) || !scan_word(&rest, &e->tls_version))
		return true;
	if (!scan_lit(&rest, STR_LIT(" with cipher ")) || !scan_word(&rest, &cipher))
		return true;
	e->tls_cipher = cipher;
	if (scan_lit(&rest, STR_LIT(" (")))
		e->tls_bits = str_first(rest, str_find(rest, STR_LIT(" bits)")));
	return true;
}
