/* SPDX-License-Identifier: MIT */
/*
 * access - "reject: RCPT from H[ip]: 550 5.1.1 <x>: text; from=<a> to=<b> proto=ESMTP helo=<c>" and its kin,
 * as smtpd, cleanup and postscreen write them, with spaces or commas in the trailer.
 */
#include "backends/postfix/parse.h"
#include "store/base/scan.h"

#define CODE_MAX 599
#define CODE_MIN 200

struct access_word {
	struct str word;
	enum reject_action action;
};

static const struct access_word words[] = {
	{STR_INIT("reject"), REJECT_REJECT},
	{STR_INIT("milter-reject"), REJECT_REJECT},
	{STR_INIT("proxy-reject"), REJECT_REJECT},
	{STR_INIT("reject_warning"), REJECT_WARN},
	{STR_INIT("warn"), REJECT_WARN},
	{STR_INIT("warning"), REJECT_WARN},
	{STR_INIT("hold"), REJECT_HOLD},
	{STR_INIT("milter-hold"), REJECT_HOLD},
	{STR_INIT("milter-quarantine"), REJECT_HOLD},
	{STR_INIT("discard"), REJECT_DISCARD},
	{STR_INIT("milter-discard"), REJECT_DISCARD},
	{STR_INIT("filter"), REJECT_FILTER},
	{STR_INIT("redirect"), REJECT_REDIRECT},
	{STR_INIT("milter-header-redirect"), REJECT_REDIRECT},
	{STR_INIT("proxy-accept"), REJECT_OTHER},
	{STR_INIT("permit"), REJECT_OTHER},
	{STR_INIT("info"), REJECT_OTHER},
	{STR_INIT("prepend"), REJECT_OTHER},
	{STR_INIT("replace"), REJECT_OTHER},
	{STR_INIT("strip"), REJECT_OTHER},
	{STR_INIT("pass"), REJECT_OTHER},
	{STR_INIT("bcc"), REJECT_OTHER},
	{STR_INIT("delay"), REJECT_OTHER},
	{STR_INIT("trigger"), REJECT_OTHER},
	{STR_INIT("client"), REJECT_OTHER},
	{STR_INIT("milter-header-add"), REJECT_OTHER},
	{STR_INIT("milter-header-warn"), REJECT_WARN},
};

static const struct access_word *find_word(struct str word)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (str_eq(words[i].word, word))
			return &words[i];
	return NULL;
}

/* trailer_at - where "; from=<...", or whatever the trailer begins with, starts; n if there is none. */
static size_t trailer_at(struct str rest)
{
	static const struct str marks[] = {STR_INIT("; from=<"), STR_INIT("; to=<"),
		STR_INIT("; proto="), STR_INIT("; helo=<")};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		size_t at = str_rfind(rest, marks[i]);

		if (at < rest.n)
			return at;
	}
	return rest.n;
}

static void take_pair(struct event *e, struct str *rest)
{
	static const struct str keys[] = {STR_INIT("from="), STR_INIT("to="), STR_INIT("proto="),
		STR_INIT("helo="), STR_INIT("sasl_username="), STR_INIT("sasl_method=")};
	struct str *fields[] = {
		&e->from, &e->to, &e->proto, &e->helo, &e->sasl_user, &e->sasl_method};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (!scan_lit(rest, keys[i]))
			continue;
		postfix_take_address(rest, fields[i]);
		return;
	}
	*rest = str_skip(*rest, str_find_char(*rest, ' '));
}

/* read_trailer - the pairs; what follows them after ": " is returned (header checks put their text there). */
static struct str read_trailer(struct event *e, struct str rest)
{
	while (rest.n) {
		if (scan_lit(&rest, STR_LIT(": ")))
			return rest;
		if (rest.p[0] == ' ' || rest.p[0] == ',' || rest.p[0] == ';' || rest.p[0] == ':')
			rest = str_skip(rest, 1);
		else
			take_pair(e, &rest);
	}
	return (struct str){NULL, 0};
}

/* take_listed - "Service unavailable; client [192.0.2.1] blocked using LIST": what is listed, up to its ']'. */
static void take_listed(struct event *e, struct str *in)
{
	size_t mark = str_find(*in, STR_LIT("] blocked using "));
	size_t open = str_rfind_char(str_first(*in, mark), '[');

	if (mark == in->n || open >= mark)
		return;
	e->reject_subject = str_make(in->p + open + 1, mark - open - 1);
	*in = str_skip(*in, mark + 1);
}

static void read_reply(struct event *e, struct str text)
{
	uint64_t code;
	struct str in = text;

	e->reply = e->reject_reason = text;
	if (scan_u64(&in, 3, CODE_MAX, &code) && code >= CODE_MIN &&
		(scan_lit(&in, STR_LIT(" ")) || scan_lit(&in, STR_LIT("-"))))
		e->code = (int32_t)code;
	else
		in = text;
	e->dsn = postfix_dsn(&in);
	scan_lit(&in, STR_LIT(" "));
	e->reject_reason = in;
	if (in.n && in.p[0] == '<')
		postfix_take_address(&in, &e->reject_subject);
	else
		take_listed(e, &in);
	if (scan_lit(&in, STR_LIT(": ")) || scan_lit(&in, STR_LIT(" ")))
		e->reject_reason = in;
}

/* read_where - "RCPT from H[ip]" or "header Subject: ... from H[ip]": stage and client; the last " from " counts. */
static bool read_where(struct event *e, struct str where)
{
	size_t from = str_rfind(where, STR_LIT(" from "));
	struct str client = str_skip(where, from + 6);

	e->text = where;
	if (str_starts(where, STR_LIT("header ")) || str_starts(where, STR_LIT("body ")) ||
		str_starts(where, STR_LIT("mime ")) || str_starts(where, STR_LIT("nested ")))
		e->stage = STAGE_DATA;
	else
		e->stage = postfix_stage(str_first(where, from));
	if (from == where.n)
		return false;
	if (!postfix_take_client(e, &client))
		e->client_host = client;
	return true;
}

/* read_command - "RCPT from H[ip]:port: reply": the client ends at the "]: " or "]:port: ". */
static bool read_command(struct event *e, struct str body)
{
	size_t from = str_find(body, STR_LIT(" from "));
	struct str rest = str_skip(body, from + 6);

	if (from == body.n || from > 40 || !postfix_take_client(e, &rest))
		return false;
	postfix_set_stage(e, str_first(body, from));
	if (!scan_lit(&rest, STR_LIT(": ")))
		return rest.n == 0;
	read_reply(e, rest);
	return true;
}

static bool is_content_check(struct str body)
{
	return str_starts(body, STR_LIT("header ")) || str_starts(body, STR_LIT("body ")) ||
	       str_starts(body, STR_LIT("mime-header ")) ||
	       str_starts(body, STR_LIT("nested-header "));
}

bool postfix_access(struct event *e, struct str rest)
{
	size_t colon = str_find(rest, STR_LIT(": "));
	const struct access_word *word = colon < rest.n ? find_word(str_first(rest, colon)) : NULL;
	struct str body, tail;
	size_t at;

	if (!word)
		return false;
	body = str_skip(rest, colon + 2);
	at = trailer_at(body);
	tail = at < body.n ? read_trailer(e, str_skip(body, at + 2)) : (struct str){NULL, 0};
	e->kind = EVENT_REJECT;
	e->action = word->action;
	e->action_text = word->word;
	if (is_content_check(body)) {
		read_where(e, str_first(body, at));
		if (str_present(tail))
			read_reply(e, tail);
	} else if (!read_command(e, str_first(body, at))) {
		e->reply = str_first(body, at);
	}
	return true;
}
