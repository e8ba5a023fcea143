/* SPDX-License-Identifier: MIT */
/* exim/server - refusals, and the lines that are of no message: connections, authentication, the daemon itself. */
#include "backends/exim/parse.h"
#include "store/base/scan.h"

static void refusal_field(
	struct event *e, struct str key, struct str value, const struct exim_host *host)
{
	if (key.n != 1)
		return;
	switch (key.p[0]) {
	case 'H':
		exim_set_client(e, host);
		break;
	case 'I':
		exim_set_interface(e, value);
		break;
	case 'X':
		e->tls = value;
		break;
	case 'A':
		exim_set_auth(e, value);
		break;
	case 'F':
		if (value.n > 1 && value.p[0] == '<')
			e->from = str_make(value.p + 1, value.n - 2);
		break;
	default:
		break;
	}
}

/* take_client - fields in front of a verdict; *in is left at it. */
static bool take_client(struct event *e, struct str *in)
{
	struct exim_host host;
	struct str key, value, rest = *in;
	bool some = false;

	/* exim_take_field wants the space before; the first field has none */
	if (scan_lit(&rest, STR_LIT("H=")) && exim_take_host(&rest, &host)) {
		exim_set_client(e, &host);
		some = true;
	} else {
		rest = *in;
	}
	while (exim_take_field(&rest, &key, &value, &host)) {
		refusal_field(e, key, value, &host);
		some = true;
	}
	scan_lit(&rest, STR_LIT(" "));
	*in = rest;
	return some;
}

static enum smtp_stage stage_of(struct str words)
{
	static const struct {
		struct str word;
		enum smtp_stage stage;
	} stages[] = {{STR_INIT("RCPT"), STAGE_RCPT}, {STR_INIT("MAIL"), STAGE_MAIL},
		{STR_INIT("after DATA"), STAGE_END_OF_DATA}, {STR_INIT("DATA"), STAGE_DATA},
		{STR_INIT("EHLO"), STAGE_EHLO}, {STR_INIT("HELO"), STAGE_EHLO},
		{STR_INIT("STARTTLS"), STAGE_STARTTLS}, {STR_INIT("AUTH"), STAGE_AUTH},
		{STR_INIT("connection"), STAGE_CONNECT},
		{STR_INIT("by local_scan"), STAGE_END_OF_DATA},
		{STR_INIT("during MIME"), STAGE_END_OF_DATA},
		{STR_INIT("by non-SMTP"), STAGE_OTHER}};

	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++)
		if (str_starts(words, stages[i].word))
			return stages[i].stage;
	return STAGE_OTHER;
}

/* unquote - a text that an ACL wrote is put in quotes when it has some itself. */
static struct str unquote(struct str s)
{
	return s.n > 1 && s.p[0] == '"' && s.p[s.n - 1] == '"' ? str_make(s.p + 1, s.n - 2) : s;
}

/* what - "RCPT <a@b>: text", "EHLO or HELO x: text", "after DATA: text", "connection in "connect" ACL: text". */
static void set_what(struct event *e, struct str what)
{
	size_t open = str_find(what, STR_LIT(" <")), colon;
	struct str address = {NULL, 0};

	e->stage = stage_of(what);
	e->stage_text = str_first(what, str_find_char(what, ' '));
	if (str_ends(e->stage_text, STR_LIT(":")))
		e->stage_text.n--;
	if (open < what.n && (e->stage == STAGE_RCPT || e->stage == STAGE_MAIL)) {
		address = str_skip(what, open + 2);
		address = str_first(address, str_find_char(address, '>'));
		what = str_skip(what, open + 2 + address.n);
	} else if (e->stage == STAGE_END_OF_DATA) {
		e->stage_text = STR_LIT("end of DATA");
	}
	if (e->stage == STAGE_RCPT)
		e->to = address;
	else if (e->stage == STAGE_MAIL)
		e->from = address;
	e->reject_subject = address;
	colon = str_find(what, STR_LIT(": "));
	if (colon == what.n)
		return;
	e->reply = unquote(str_skip(what, colon + 2));
	e->reject_reason = e->reply;
	exim_reply_facts(e);
}

bool exim_refusal(struct event *e, struct str rest)
{
	static const struct {
		struct str word;
		enum reject_action action;
	} verdicts[] = {{STR_INIT("temporarily rejected "), REJECT_REJECT},
		{STR_INIT("rejected "), REJECT_REJECT}, {STR_INIT("discarded "), REJECT_DISCARD}};
	const struct event before = *e;

	take_client(e, &rest);
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		enum smtp_stage stage = e->stage;

		if (!str_starts(rest, verdicts[i].word))
			continue;
		e->kind = EVENT_REJECT;
		e->action = verdicts[i].action;
		e->action_text = str_first(rest, verdicts[i].word.n - 1);
		e->process = STR_LIT("smtpd");
		set_what(e, str_skip(rest, verdicts[i].word.n));
		if (e->stage == STAGE_NONE)
			e->stage = stage;
		return true;
	}
	*e = before;
	return false;
}

static bool verify_failed(struct event *e, struct str rest)
{
	static const struct str mark = STR_INIT("sender verify ");
	const struct event before = *e;
	size_t open;

	take_client(e, &rest);
	if (!str_starts(rest, mark)) {
		*e = before;
		return false;
	}
	open = str_find_char(rest, '<');
	e->kind = EVENT_NONE;
	e->text = rest;
	if (open < rest.n) {
		e->from = str_skip(rest, open + 1);
		e->from = str_first(e->from, str_find_char(e->from, '>'));
	}
	return true;
}

static bool auth_failed(struct event *e, struct str rest)
{
	static const struct str mark = STR_INIT(" authenticator failed for ");
	static const struct str set_id = STR_INIT("(set_id=");
	size_t at = str_find(rest, mark), id, colon;
	struct exim_host host;
	struct str who = str_skip(rest, at + mark.n), key, value;

	if (at == rest.n || str_find_char(rest, ' ') != at)
		return false;
	e->kind = EVENT_AUTH_FAILED;
	e->process = STR_LIT("smtpd");
	e->sasl_method = str_first(rest, at);
	scan_lit(&who, STR_LIT("H="));
	if (exim_take_host(&who, &host))
		exim_set_client(e, &host);
	while (exim_take_field(&who, &key, &value, &host))
		refusal_field(e, key, value, &host);
	colon = str_find(who, STR_LIT(": "));
	e->reply = str_skip(who, colon + 2);
	id = str_rfind(who, set_id);
	if (id < who.n) {
		e->sasl_user = str_skip(who, id + set_id.n);
		e->sasl_user = str_first(e->sasl_user, str_rfind_char(e->sasl_user, ')'));
		e->reply = str_trim(str_first(e->reply, str_rfind(e->reply, set_id)));
	}
	exim_reply_facts(e);
	e->stage = STAGE_AUTH;
	return true;
}

/* client_at - "name (helo) [ip]:port I=[ip]:port" as far as it goes; *in is left behind it. */
static void client_at(struct event *e, struct str *in)
{
	struct exim_host host;
	struct str key, value;

	scan_lit(in, STR_LIT("H="));
	if (exim_take_host(in, &host))
		exim_set_client(e, &host);
	while (exim_take_field(in, &key, &value, &host))
		refusal_field(e, key, value, &host);
	e->process = STR_LIT("smtpd");
}

static bool connection(struct event *e, struct str rest)
{
	if (!scan_lit(&rest, STR_LIT("SMTP connection from ")) &&
		!scan_lit(&rest, STR_LIT("SMTP connection identification ")))
		return false;
	client_at(e, &rest);
	scan_lit(&rest, STR_LIT(" "));
	if (str_starts(rest, STR_LIT("(TCP/IP connection count"))) {
		e->kind = EVENT_CONNECT;
	} else if (str_starts(rest, STR_LIT("closed "))) {
		e->kind = EVENT_DISCONNECT;
	} else if (str_starts(rest, STR_LIT("lost"))) {
		e->kind = EVENT_LOST;
		e->action_text = str_first(rest, 4);
	} else {
		e->kind = EVENT_NONE;
	}
	e->text = rest;
	return true;
}

/* lost - sessions that ended otherwise than by QUIT, whatever the words. */
static bool lost(struct event *e, struct str rest)
{
	static const struct str starts[] = {STR_INIT("unexpected disconnection while reading SMTP"),
		STR_INIT("SMTP command timeout on "), STR_INIT("SMTP data timeout "),
		STR_INIT("SMTP call from ")};
	static const struct str from = STR_INIT(" from ");

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		size_t at = str_find(rest, from);
		struct str who = str_skip(rest, at + from.n);

		if (!str_starts(rest, starts[i]))
			continue;
		e->kind = EVENT_LOST;
		e->action_text = rest;
		if (at < rest.n) {
			e->action_text = str_first(rest, at);
			client_at(e, &who);
		}
		return true;
	}
	return false;
}

/* refused - "refused connection from [ip] (...)", "Connection from [ip] refused: too many connections". */
static bool refused(struct event *e, struct str rest)
{
	struct str who = rest, whole = rest;
	size_t at = str_find(rest, STR_LIT("rejected connection from "));

	if (str_starts(rest, STR_LIT("SMTP protocol synchronization error")) && at < rest.n) {
		who = str_skip(rest, at + 25);
	} else if (!scan_lit(&who, STR_LIT("refused connection from ")) &&
		   (!scan_lit(&who, STR_LIT("Connection from ")) ||
			   str_find(who, STR_LIT(" refused")) == who.n)) {
		return false;
	}
	client_at(e, &who);
	e->kind = EVENT_REJECT;
	e->action = REJECT_REJECT;
	e->action_text = STR_LIT("refused");
	e->stage = STAGE_CONNECT;
	e->reply = e->reject_reason = whole;
	return true;
}

static bool tls_failed(struct event *e, struct str rest)
{
	static const struct str mark = STR_INIT("TLS error on connection from ");
	struct str whole = rest;

	if (!scan_lit(&rest, mark))
		return false;
	client_at(e, &rest);
	e->kind = EVENT_TLS;
	e->text = whole;
	return true;
}

static bool daemon_itself(struct event *e, struct str rest)
{
	if (str_starts(rest, STR_LIT("exim ")) || str_starts(rest, STR_LIT("pid ")) ||
		str_find(rest, STR_LIT(" daemon started")) < rest.n) {
		e->kind = EVENT_SERVER;
	} else if (str_starts(rest, STR_LIT("Warning: "))) {
		e->kind = EVENT_WARNING;
		e->severity = SEVERITY_WARNING;
	} else if (str_starts(rest, STR_LIT("Exim configuration error"))) {
		e->kind = EVENT_WARNING;
		e->severity = SEVERITY_FATAL;
	} else if (str_starts(rest, STR_LIT("Failed ")) || str_starts(rest, STR_LIT("failed ")) ||
		   str_starts(rest, STR_LIT("socket bind()")) ||
		   str_starts(rest, STR_LIT("Cannot ")) ||
		   str_starts(rest, STR_LIT("unable to "))) {
		e->kind = EVENT_WARNING;
		e->severity = SEVERITY_ERROR;
	} else {
		return false;
	}
	e->text = rest;
	return true;
}

static bool known_quiet(struct str rest)
{
	static const struct str starts[] = {STR_INIT("Start queue run"), STR_INIT("End queue run"),
		STR_INIT("cwd="), STR_INIT("no host name found for IP address "),
		STR_INIT("no IP address found for host "), STR_INIT("no MAIL in "),
		STR_INIT("SMTP protocol "), STR_INIT("SMTP syntax error in "),
		STR_INIT("ident connection to "), STR_INIT("list matching forced to fail"),
		STR_INIT("host name alias list truncated"), STR_INIT("daemon: "),
		STR_INIT("Starting "), STR_INIT("H="), STR_INIT("TLS "), STR_INIT("SIGHUP"),
		STR_INIT("2 args"), STR_INIT("DKIM"), STR_INIT("DNS list lookup "),
		STR_INIT("SMTP "), STR_INIT("ACL \"warn\""), STR_INIT("[1\\"),
		STR_INIT("Queue run"), STR_INIT("Wrong "), STR_INIT("Connection from "),
		STR_INIT("retry timeout"), STR_INIT("Deferred: "), STR_INIT("ETRN")};

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (str_starts(rest, starts[i]))
			return true;
	return false;
}

bool exim_of_server(struct event *e, struct str rest)
{
	if (exim_refusal(e, rest) || connection(e, rest) || auth_failed(e, rest) ||
		verify_failed(e, rest) || lost(e, rest) || refused(e, rest) ||
		tls_failed(e, rest) || daemon_itself(e, rest))
		return true;
	if (!known_quiet(rest))
		return false;
	e->kind = EVENT_NONE;
	e->text = rest;
	return true;
}
