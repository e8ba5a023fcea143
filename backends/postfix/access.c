/* SPDX-License-Identifier: MIT */
/*
 * access - "reject: RCPT from H[ip]: 550 5.1.1 <x>: text; from=<a> to=<b> proto=ESMTP helo=<c>" and its kin,
 * as smtpd, cleanup and postscreen write them, with spaces or commas in the trailer.
 */
#include "backends/postfix/parse.h"
#include "store/base/scan.h"

#define CODE_MAX 599
#define CODE_MIN 200
#define STAGE_MAX_BYTES 20 /* "END-OF-MESSAGE" */
#define TRAILER_TRIES 64 /* places in a line that look like the start of one */

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
	{STR_INIT("add"), REJECT_OTHER},
};

/* find_word - the action; milter_header_checks say "milter-header-redirect", "milter-body-warning". */
static const struct access_word *find_word(struct str word)
{
	if (str_starts(word, STR_LIT("milter-")) &&
		(str_find(word, STR_LIT("header-")) < word.n ||
			str_find(word, STR_LIT("body-")) < word.n))
		word = str_skip(word, str_rfind_char(word, '-') + 1);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (str_eq(words[i].word, word))
			return &words[i];
	return NULL;
}

/* take_helo - the last '>' ends it: a client may say anything in HELO. */
static void take_helo(struct event *e, struct str *rest)
{
	size_t sasl = str_rfind(*rest, STR_LIT("> sasl_"));
	size_t end = sasl < rest->n ? sasl : str_rfind_char(*rest, '>');
	struct str in = *rest;

	if (!scan_lit(&in, STR_LIT("<")) || end == 0) {
		postfix_take_address(rest, &e->helo);
		return;
	}
	e->helo = str_first(in, end - 1);
	*rest = str_skip(in, e->helo.n + 1);
}

/* take_pair - the next pair, which comes no earlier in Postfix's order than *at. */
static bool take_pair(struct event *e, struct str *rest, size_t *at, bool content)
{
	static const struct str keys[] = {STR_INIT("from="), STR_INIT("to="), STR_INIT("proto="),
		STR_INIT("helo="), STR_INIT("sasl_method="), STR_INIT("sasl_username="),
		STR_INIT("sasl_sender=")};
	struct str *fields[] = {&e->from, &e->to, &e->proto, &e->helo, &e->sasl_method,
		&e->sasl_user, &e->sasl_sender};

	for (; *at < sizeof(keys) / sizeof(keys[0]); ++*at) {
		if (!scan_lit(rest, keys[*at]))
			continue;
		if (fields[*at] == &e->proto)
			e->proto = scan_while(rest, scan_is_alnum);
		else if (fields[*at] == &e->helo && !content)
			take_helo(e, rest);
		else
			postfix_take_address(rest, fields[*at]);
		++*at;
		return true;
	}
	return false;
}

/*
 * take_trailer - the pairs to the end of the line, or, for a content check, to a ": " and its text in *tail.
 * False, with nothing in e, when this is no trailer: addresses and headers may look like the start of one.
 */
static bool take_trailer(struct event *e, struct str rest, bool content, struct str *tail)
{
	struct event was = *e;
	size_t at = 0;

	*tail = (struct str){NULL, 0};
	while (take_pair(e, &rest, &at, content)) {
		if (rest.n == 0)
			return true;
		if (content && scan_lit(&rest, STR_LIT(": "))) {
			*tail = rest;
			return true;
		}
		if (!scan_lit(&rest, STR_LIT(", ")) && !scan_lit(&rest, STR_LIT(" ")))
			break;
	}
	*e = was;
	return false;
}

/*
 * find_trailer - where "; from=<a> to=<b> proto=ESMTP helo=<c>" begins, taken into e; the length if there is
 * none. Before it stands what the client chose: of a content check the header, so the last one counts.
 */
static size_t find_trailer(struct event *e, struct str text, bool content, struct str *tail)
{
	static const struct str mark = STR_INIT("; ");
	size_t found = text.n, at = 0;
	struct str ends;

	*tail = (struct str){NULL, 0};
	for (int tries = 0; tries < TRAILER_TRIES; tries++, at += mark.n) {
		at += str_find(str_skip(text, at), mark);
		if (at >= text.n)
			break;
		if (!take_trailer(e, str_skip(text, at + mark.n), content, &ends))
			continue;
		found = at;
		*tail = ends;
		if (!content)
			break;
	}
	return found;
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

/* read_reply - code, enhanced code, what the refusal is about, its reason; the trailer, if there may be one. */
static void read_reply(struct event *e, struct str text, bool trailer)
{
	uint64_t code;
	struct str in = text, tail;

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
	if (trailer)
		in.n = find_trailer(e, in, false, &tail);
	e->reply = str_first(text, (size_t)(in.p + in.n - text.p));
	e->reject_reason.n -= (size_t)(e->reject_reason.p + e->reject_reason.n - in.p) - in.n;
}

/* read_where - "header Subject: ... from H[ip]" of a content check: its client; the last " from " counts. */
static void read_where(struct event *e, struct str where)
{
	size_t from = str_rfind(where, STR_LIT(" from "));
	struct str client = str_skip(where, from + 6);

	e->text = where;
	e->stage = STAGE_DATA;
	if (from < where.n && !postfix_take_client(e, &client))
		e->client_host = client; /* "local" */
}

/* read_command - "RCPT from H[ip]:port: reply; trailer", or of a proxy "END-OF-MESSAGE: reply; trailer". */
static void read_command(struct event *e, struct str body)
{
	size_t from = str_find(body, STR_LIT(" from "));
	size_t colon = str_find(body, STR_LIT(": "));
	struct str rest = str_skip(body, from + 6);

	if (from < colon && postfix_take_client(e, &rest)) {
		postfix_set_stage(e, str_first(body, from));
		scan_lit(&rest, STR_LIT(":"));
		scan_lit(&rest, STR_LIT(" "));
		read_reply(e, rest, true);
	} else if (colon < body.n && colon <= STAGE_MAX_BYTES) {
		postfix_set_stage(e, str_first(body, colon));
		read_reply(e, str_skip(body, colon + 2), true);
	} else {
		read_reply(e, body, true);
	}
}

static bool is_content_check(struct str body)
{
	static const struct str starts[] = {STR_INIT("header "), STR_INIT("body "),
		STR_INIT("mime-header "), STR_INIT("nested-header "), STR_INIT("mime-error ")};

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (str_starts(body, starts[i]))
			return true;
	return false;
}

bool postfix_access(struct event *e, struct str rest)
{
	size_t colon = str_find(rest, STR_LIT(": "));
	const struct access_word *word = colon < rest.n ? find_word(str_first(rest, colon)) : NULL;
	struct str body, tail;

	if (!word)
		return false;
	body = str_skip(rest, colon + 2);
	e->kind = EVENT_REJECT;
	e->action = word->action;
	e->action_text = str_first(rest, colon);
	e->text = body;
	if (is_content_check(body)) {
		read_where(e, str_first(body, find_trailer(e, body, true, &tail)));
		if (str_present(tail))
			read_reply(e, tail, false);
	} else {
		read_command(e, body);
	}
	return true;
}
