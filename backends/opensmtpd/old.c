/* SPDX-License-Identifier: MIT */
/* opensmtpd/old - the lines of 5.x: "relay: Ok for EVPID: k=v, k=v, stat=...", "smtp-in: ... session ...". */
#include "backends/opensmtpd/parse.h"
#include "store/base/scan.h"

#define MSGID_BYTES 8
#define EVPID_BYTES 16

/* "k=v, k=<v>, ...": stat= is the last and takes the rest. */
static void take_pairs(struct event *e, struct str rest)
{
	while (rest.n) {
		size_t eq = str_find_char(rest, '='), end;
		struct str key = str_first(rest, eq), value;

		if (eq == rest.n)
			return;
		rest = str_skip(rest, eq + 1);
		end = str_eq(key, STR_LIT("stat")) ? rest.n
		      : rest.n && rest.p[0] == '<' ? str_find(rest, STR_LIT(">, "))
						   : str_find(rest, STR_LIT(", "));
		end += end < rest.n && rest.p[0] == '<';
		value = str_first(rest, end);
		rest = str_skip(rest, end + 2);
		if (value.n > 1 && value.p[0] == '<' && value.p[value.n - 1] == '>')
			value = str_make(value.p + 1, value.n - 2);
		opensmtpd_fact(e, key, value);
	}
}

/* "PART: RESULT for EVPID: pairs". */
static bool delivery(struct event *e, struct str part, struct str rest)
{
	size_t at = str_find(rest, STR_LIT(" for "));
	struct str result = str_first(rest, at), id = str_skip(rest, at + 5);
	size_t end = str_find(id, STR_LIT(": "));

	if (at == rest.n || end != EVPID_BYTES || str_find_char(result, ' ') < result.n)
		return false;
	opensmtpd_result(e, result);
	e->queue_id = str_first(id, MSGID_BYTES);
	take_pairs(e, str_skip(id, end + 2));
	opensmtpd_settle(e);
	e->sasl_user = (struct str){NULL, 0};
	e->service = part;
	e->process = str_eq(part, STR_LIT("relay")) ? STR_LIT("smtp") : part;
	if (!str_present(e->relay) && !str_eq(part, STR_LIT("relay")))
		e->relay = e->relay_host = part;
	return true;
}

/* "New session ID from host H [ip]" */
static bool new_session(struct event *e, struct str rest)
{
	static const struct str mark = STR_INIT(" from host ");
	size_t at = str_find(rest, mark), open;

	if (at == rest.n)
		return false;
	rest = str_skip(rest, at + mark.n);
	open = str_find(rest, STR_LIT(" ["));
	e->kind = EVENT_CONNECT;
	e->client_host = str_first(rest, open);
	opensmtpd_fact(e, STR_LIT("address"), str_skip(rest, open + 1));
	return true;
}

/* "Failed command on session ID: "MAIL FROM:<a@b>" => 421 4.3.0: Temporary Error" */
static bool failed_command(struct event *e, struct str rest)
{
	static const struct str mark = STR_INIT("\" => ");
	size_t at = str_rfind(rest, mark), quote = str_find_char(rest, '"');
	struct str command = str_first(str_skip(rest, quote + 1), at - quote - 1), inside;
	bool rcpt, mail;

	if (at == rest.n || quote >= at)
		return false;
	inside = str_skip(command, str_find_char(command, '<') + 1);
	inside = str_first(inside, str_find_char(inside, '>'));
	rcpt = str_starts(command, STR_LIT("RCPT"));
	mail = str_starts(command, STR_LIT("MAIL"));
	e->reply = e->reject_reason = str_skip(rest, at + mark.n);
	opensmtpd_settle(e);
	e->kind = rcpt || mail ? EVENT_REJECT : EVENT_NONE;
	e->action = REJECT_REJECT;
	e->action_text = STR_LIT("failed-command");
	e->stage = rcpt ? STAGE_RCPT : mail ? STAGE_MAIL : STAGE_OTHER;
	e->reject_subject = inside;
	if (rcpt)
		e->to = inside;
	else if (mail)
		e->from = inside;
	return true;
}

/* "Accepted message MSGID on session ID: pairs" */
static bool accepted(struct event *e, struct str rest, bool *ret_accepted)
{
	size_t at = str_find(rest, STR_LIT(": "));

	e->queue_id = str_first(rest, str_find_char(rest, ' '));
	if (at == rest.n || e->queue_id.n != MSGID_BYTES)
		return false;
	take_pairs(e, str_skip(rest, at + 2));
	e->kind = EVENT_RECEIVED;
	*ret_accepted = true;
	return true;
}

static bool smtp_in(struct event *e, struct str rest, bool *ret_accepted)
{
	e->process = STR_LIT("smtpd");
	e->text = rest;
	if (scan_lit(&rest, STR_LIT("New session ")))
		return new_session(e, rest);
	if (scan_lit(&rest, STR_LIT("Accepted message ")))
		return accepted(e, rest, ret_accepted);
	if (scan_lit(&rest, STR_LIT("Failed command on session ")))
		return failed_command(e, rest);
	if (str_starts(rest, STR_LIT("Closing session ")))
		e->kind = EVENT_DISCONNECT;
	else if (str_starts(rest, STR_LIT("Disconnecting session ")) ||
		 str_starts(rest, STR_LIT("Received disconnect from session ")))
		e->kind = EVENT_LOST;
	else
		e->kind = EVENT_NONE; /* started TLS on, verification of, ... */
	e->action_text = e->kind == EVENT_LOST ? rest : (struct str){NULL, 0};
	return true;
}

bool opensmtpd_old(struct event *e, struct str text, bool *ret_accepted)
{
	static const struct str parts[] = {STR_INIT("relay"), STR_INIT("delivery"), STR_INIT("mda"),
		STR_INIT("mta"), STR_INIT("bounce")};
	struct str rest = text;

	if (scan_lit(&rest, STR_LIT("smtp-in: ")))
		return smtp_in(e, rest, ret_accepted);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		rest = text;
		if (scan_lit(&rest, parts[i]) && scan_lit(&rest, STR_LIT(": ")) &&
			delivery(e, str_first(text, parts[i].n), rest))
			return true;
	}
	return false;
}
