/* SPDX-License-Identifier: MIT */
/* opensmtpd/line - the lines from 6.0 on: "SESSION smtp|mta|mda EVENT k=v k=<v> k="v"". */
#include "backends/opensmtpd/parse.h"
#include "store/base/scan.h"

#define SESSION_BYTES 16

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool take_session(struct str *in)
{
	size_t n = 0;

	while (n < in->n && is_hex(in->p[n]))
		n++;
	if (n != SESSION_BYTES || n == in->n || in->p[n] != ' ')
		return false;
	*in = str_skip(*in, n + 1);
	return true;
}

/* key_follows - " key=" at the start: what was closed before is closed. */
static bool key_follows(struct str s)
{
	size_t n = 1;

	if (s.n < 3 || s.p[0] != ' ')
		return false;
	while (n < s.n && s.p[n] >= 'a' && s.p[n] <= 'z')
		n++;
	return n > 1 && n < s.n && s.p[n] == '=';
}

/* closing - of a value that began with a bracket or a quote: the one that a key follows, else the last of the line. */
static size_t closing(struct str s, char c)
{
	size_t n = str_find_char(s, c);

	while (n < s.n && !key_follows(str_skip(s, n + 1))) {
		size_t next = n + 1 + str_find_char(str_skip(s, n + 1), c);

		if (next >= s.n)
			break;
		n = next;
	}
	return n;
}

/* take_value - <...>, "...", a word, or, of a key that is always last, all there is. */
static struct str take_value(struct str *rest, bool last)
{
	char close = rest->n && rest->p[0] == '<' ? '>' : rest->n && rest->p[0] == '"' ? '"' : 0;
	struct str value = close ? str_skip(*rest, 1) : *rest;
	size_t n = close ? closing(value, close) : last ? value.n : str_find_char(value, ' ');

	if (close && last && value.n && value.p[value.n - 1] == close)
		n = value.n - 1;
	*rest = str_skip(value, n + (close != 0));
	return str_first(value, n);
}

/* The pairs behind the event's name. Keys that an event of ours has no place for are left. */
static void take_facts(struct event *e, struct str rest, struct str *command, struct str *result,
	struct str *reason)
{
	while (rest.n) {
		size_t eq;
		struct str key, value;

		while (rest.n && rest.p[0] == ' ')
			rest = str_skip(rest, 1);
		eq = str_find_char(rest, '=');
		if (eq == rest.n)
			return;
		key = str_first(rest, eq);
		rest = str_skip(rest, eq + 1);
		value = take_value(
			&rest, str_eq(key, STR_LIT("stat")) || str_eq(key, STR_LIT("reason")));
		if (str_eq(key, STR_LIT("command")))
			*command = value;
		else if (str_eq(key, STR_LIT("reason")))
			*reason = value;
		else if (str_eq(key, STR_LIT("result")))
			*result = value;
		else if (str_eq(key, STR_LIT("ciphers")))
			e->tls_cipher = value;
		else
			opensmtpd_fact(e, key, value);
	}
}

static void set_ciphers(struct event *e)
{
	size_t colon = str_find_char(e->tls_cipher, ':');

	e->tls_version = str_first(e->tls_cipher, colon);
	e->tls_cipher = str_skip(e->tls_cipher, colon + 1);
}

static struct str address_in(struct str command)
{
	size_t open = str_find_char(command, '<');
	struct str inside = str_skip(command, open + 1);

	return open == command.n ? (struct str){NULL, 0}
				 : str_first(inside, str_find_char(inside, '>'));
}

static bool starts_ignoring_case(struct str s, struct str word)
{
	return s.n >= word.n && str_ieq(str_first(s, word.n), word);
}

/* A command that was refused. Nonsense and what is told by a line of its own (AUTH) refuses no mail. */
static void refused(struct event *e, struct str command, struct str result)
{
	static const struct {
		struct str word;
		enum smtp_stage stage;
	} stages[] = {{STR_INIT("RCPT"), STAGE_RCPT}, {STR_INIT("MAIL"), STAGE_MAIL},
		{STR_INIT("DATA"), STAGE_DATA}, {STR_INIT("EHLO"), STAGE_EHLO},
		{STR_INIT("HELO"), STAGE_EHLO}};

	e->kind = EVENT_NONE;
	e->reply = e->reject_reason = result;
	opensmtpd_settle(e);
	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++)
		if (starts_ignoring_case(command, stages[i].word)) {
			e->kind = EVENT_REJECT;
			e->stage = stages[i].stage;
			e->stage_text = str_first(command, stages[i].word.n);
		}
	e->action_text = STR_LIT("failed-command");
	e->action = REJECT_REJECT;
	if (e->stage == STAGE_RCPT)
		e->to = address_in(command);
	else if (e->stage == STAGE_MAIL)
		e->from = address_in(command);
	e->reject_subject = e->stage == STAGE_RCPT ? e->to : e->from;
}

static bool smtp_event(struct event *e, struct str name, struct str command, struct str result,
	struct str reason, bool *ret_accepted)
{
	e->process = STR_LIT("smtpd");
	if (str_eq(name, STR_LIT("connected"))) {
		e->kind = EVENT_CONNECT;
	} else if (str_eq(name, STR_LIT("message"))) {
		*ret_accepted = true;
		e->kind = EVENT_RECEIVED;
	} else if (str_eq(name, STR_LIT("envelope"))) {
		e->kind = EVENT_QUEUED;
	} else if (str_eq(name, STR_LIT("failed-command"))) {
		refused(e, command, result);
	} else if (str_eq(name, STR_LIT("authentication"))) {
		e->kind = str_eq(result, STR_LIT("ok")) ? EVENT_AUTH_OK : EVENT_AUTH_FAILED;
		e->reply = result;
	} else if (str_eq(name, STR_LIT("tls")) || str_eq(name, STR_LIT("starttls"))) {
		e->kind = EVENT_TLS;
		e->tls_ok = true;
		set_ciphers(e);
	} else if (str_eq(name, STR_LIT("disconnected"))) {
		e->kind = str_eq(reason, STR_LIT("quit")) || !reason.n ? EVENT_DISCONNECT
								       : EVENT_LOST;
		e->action_text = reason;
	} else {
		e->kind = EVENT_NONE;
	}
	return true;
}

static bool mta_event(struct event *e, struct str name, struct str reason)
{
	e->process = STR_LIT("smtp");
	e->outbound = true;
	e->client_host = e->client_ip = (struct str){NULL, 0}; /* the server's it is */
	if (str_eq(name, STR_LIT("error")) || str_eq(name, STR_LIT("host-rejects-all-mails"))) {
		e->kind = EVENT_HOST_FAILURE;
		e->reply = reason;
	} else if (str_eq(name, STR_LIT("tls"))) {
		e->kind = EVENT_TLS;
		e->tls_ok = true;
		set_ciphers(e);
	} else {
		e->kind = EVENT_NONE;
	}
	return true;
}

static bool of_session(struct event *e, struct str rest, bool *ret_accepted)
{
	struct str part, name, command = {NULL, 0}, result = {NULL, 0}, reason = {NULL, 0};

	if (!scan_word(&rest, &part) || !scan_lit(&rest, STR_LIT(" ")))
		return false;
	scan_lit(&rest, STR_LIT("event=")); /* as 6.0 to 6.3 had it */
	if (!scan_word(&rest, &name))
		return false;
	e->text = rest;
	take_facts(e, rest, &command, &result, &reason);
	if (str_eq(name, STR_LIT("delivery")) && result.n) {
		opensmtpd_result(e, result);
		opensmtpd_settle(e);
		e->service = part;
		e->process = str_eq(part, STR_LIT("mta")) ? STR_LIT("smtp") : part;
		e->sasl_user = (struct str){NULL, 0}; /* user= of mda: the mailbox's owner */
		if (!str_present(e->relay) && !str_eq(part, STR_LIT("mta")))
			e->relay = e->relay_host = part;
		return e->queue_id.n > 0;
	}
	if (str_eq(part, STR_LIT("smtp")))
		return smtp_event(e, name, command, result, reason, ret_accepted);
	if (str_eq(part, STR_LIT("mta")))
		return mta_event(e, name, reason);
	e->kind = EVENT_NONE;
	return str_eq(part, STR_LIT("mda")) || str_eq(part, STR_LIT("filters")) ||
	       str_eq(part, STR_LIT("lka")) || str_eq(part, STR_LIT("proxy"));
}

static bool of_server(struct event *e, struct str text)
{
	static const struct {
		struct str word;
		enum event_severity severity;
	} words[] = {{STR_INIT("warn: "), SEVERITY_WARNING},
		{STR_INIT("warning: "), SEVERITY_WARNING}, {STR_INIT("fatal: "), SEVERITY_FATAL},
		{STR_INIT("fatal in "), SEVERITY_FATAL}, {STR_INIT("crit: "), SEVERITY_ERROR}};

	e->text = text;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (str_starts(text, words[i].word)) {
			e->kind = EVENT_WARNING;
			e->severity = words[i].severity;
			return true;
		}
	if (str_starts(text, STR_LIT("info: ")) || str_starts(text, STR_LIT("Exiting"))) {
		e->kind = EVENT_SERVER;
		return true;
	}
	e->kind = EVENT_NONE;
	return str_starts(text, STR_LIT("debug: ")) || str_starts(text, STR_LIT("smtp-out: ")) ||
	       str_starts(text, STR_LIT("lookup: ")) || str_starts(text, STR_LIT("setup_")) ||
	       str_starts(text, STR_LIT("scheduler: ")) || str_starts(text, STR_LIT("expand: ")) ||
	       str_starts(text, STR_LIT("queue")) || str_starts(text, STR_LIT("control: "));
}

bool opensmtpd_line(struct event *e, struct str text, bool *ret_accepted)
{
	struct str rest = text;

	*ret_accepted = false;
	if (take_session(&rest))
		return of_session(e, rest, ret_accepted);
	return opensmtpd_old(e, text, ret_accepted) || of_server(e, text);
}
