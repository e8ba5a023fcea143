/* SPDX-License-Identifier: MIT */
/* sendmail/refusal - what was refused: by a ruleset, by a milter, by the server itself. */
#include "backends/sendmail/parse.h"
#include "store/base/scan.h"

struct stage_word {
	struct str word;
	enum smtp_stage stage;
	struct str text;
};

/* Header rulesets have names of the postmaster's choice: what is not listed is refused with the message. */
static void set_stage(struct event *e, struct str ruleset)
{
	static const struct stage_word stages[] = {
		{STR_INIT("check_relay"), STAGE_CONNECT, STR_INIT("CONNECT")},
		{STR_INIT("check_mail"), STAGE_MAIL, STR_INIT("MAIL")},
		{STR_INIT("check_rcpt"), STAGE_RCPT, STR_INIT("RCPT")},
		{STR_INIT("check_data"), STAGE_DATA, STR_INIT("DATA")},
		{STR_INIT("tls_client"), STAGE_STARTTLS, STR_INIT("STARTTLS")},
		{STR_INIT("check_etrn"), STAGE_OTHER, STR_INIT("ETRN")},
		{STR_INIT("check_expn"), STAGE_OTHER, STR_INIT("EXPN")},
		{STR_INIT("check_vrfy"), STAGE_OTHER, STR_INIT("VRFY")},
		{STR_INIT("srv_features"), STAGE_CONNECT, STR_INIT("CONNECT")}};

	e->stage = STAGE_END_OF_DATA;
	e->stage_text = STR_LIT("end of DATA");
	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++)
		if (str_eq(ruleset, stages[i].word)) {
			e->stage = stages[i].stage;
			e->stage_text = stages[i].text;
		}
}

static bool is_outbound(struct str ruleset)
{
	return str_eq(ruleset, STR_LIT("tls_server")) || str_eq(ruleset, STR_LIT("tls_rcpt")) ||
	       str_eq(ruleset, STR_LIT("try_tls")) || str_eq(ruleset, STR_LIT("authinfo"));
}

static void refuse(struct event *e, struct str subject, struct str text)
{
	e->kind = EVENT_REJECT;
	e->action = REJECT_REJECT;
	e->action_text = STR_LIT("reject");
	e->process = STR_LIT("smtpd");
	e->reply = e->reject_reason = text;
	e->reject_subject = sendmail_bare(subject);
	if (e->stage == STAGE_RCPT)
		e->to = e->reject_subject;
	else if (e->stage == STAGE_MAIL)
		e->from = e->reject_subject;
	sendmail_codes(e, text, true);
}

static void discard(struct event *e, struct str subject)
{
	refuse(e, subject, STR_LIT("discard"));
	e->action = REJECT_DISCARD;
	e->action_text = STR_LIT("discard");
}

static void hold(struct event *e, struct str reason)
{
	e->kind = EVENT_HOLD;
	e->action = REJECT_HOLD;
	e->action_text = STR_LIT("quarantine");
	e->reply = reason;
}

/* arg1= is the client's own text: an address ends where its quotes and brackets say, other text at the next mark. */
static struct str take_argument(struct str *in)
{
	static const struct str marks[] = {STR_INIT(", arg2="), STR_INIT(", relay="),
		STR_INIT(", reject="), STR_INIT(", discard"), STR_INIT(", quarantine=")};
	struct str value = *in;
	size_t end = value.n;

	if (value.n && value.p[0] == '<') {
		value = sendmail_take_address(in);
		return value;
	}
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		size_t at = str_find(value, marks[i]);

		end = at < end ? at : end;
	}
	*in = str_skip(value, end);
	return str_first(value, end);
}

/* "ruleset=check_rcpt, arg1=<a@b>[, arg2=x][, relay=H [ip]], reject=550 5.7.1 text" */
static enum sendmail_line by_ruleset(struct event *e, struct str rest)
{
	static const struct str relay_mark = STR_INIT(", relay=");
	struct str ruleset = str_first(rest, str_find_char(rest, ',')), argument, relay;
	size_t end;

	rest = str_skip(rest, ruleset.n);
	if (!scan_lit(&rest, STR_LIT(", arg1=")))
		return SENDMAIL_UNKNOWN;
	argument = take_argument(&rest);
	end = str_find(rest, STR_LIT(", reject="));
	end = end < rest.n ? end : str_rfind(rest, STR_LIT(", quarantine="));
	end = end < rest.n ? end : str_rfind(rest, STR_LIT(", discard"));
	if (end == rest.n)
		return SENDMAIL_UNKNOWN;
	relay = str_first(rest, end);
	rest = str_skip(rest, end + 2);
	relay = str_skip(relay, str_find(relay, relay_mark) + relay_mark.n);
	if (is_outbound(ruleset)) {
		e->kind = EVENT_HOST_FAILURE;
		e->outbound = true;
		e->process = STR_LIT("smtp");
		e->stage = STAGE_STARTTLS;
		e->stage_text = STR_LIT("STARTTLS");
		e->relay = e->relay_host = relay;
		e->reply = str_skip(rest, str_find_char(rest, '=') + 1);
		sendmail_codes(e, e->reply, true);
		return SENDMAIL_EVENT;
	}
	set_stage(e, ruleset);
	sendmail_set_client(e, relay);
	/* the to= line of that recipient tells it; an AUTH= that is not believed refuses nothing */
	if (str_eq(ruleset, STR_LIT("check_compat")) || str_eq(ruleset, STR_LIT("trust_auth"))) {
		e->kind = EVENT_NONE;
		return SENDMAIL_EVENT;
	}
	if (scan_lit(&rest, STR_LIT("reject=")))
		refuse(e, argument, rest);
	else if (scan_lit(&rest, STR_LIT("quarantine=")))
		hold(e, rest);
	else
		discard(e, argument);
	return SENDMAIL_EVENT;
}

static void milter_stage(struct event *e, struct str *what, struct str *ret_subject)
{
	static const struct stage_word stages[] = {{STR_INIT("to="), STAGE_RCPT, STR_INIT("RCPT")},
		{STR_INIT("from="), STAGE_MAIL, STR_INIT("MAIL")},
		{STR_INIT("helo="), STAGE_EHLO, STR_INIT("EHLO")},
		{STR_INIT("cmd=data"), STAGE_DATA, STR_INIT("DATA")},
		{STR_INIT("data"), STAGE_END_OF_DATA, STR_INIT("end of DATA")}};

	*ret_subject = (struct str){NULL, 0};
	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++)
		if (scan_lit(what, stages[i].word)) {
			e->stage = stages[i].stage;
			e->stage_text = stages[i].text;
			if (e->stage == STAGE_RCPT || e->stage == STAGE_MAIL ||
				e->stage == STAGE_EHLO)
				*ret_subject = take_argument(what);
			return;
		}
}

/* "host=H, addr=I, reject=554 5.7.1 text", or in words: "rejecting commands", "temp failing commands=text", "shutdown" */
static enum sendmail_line connect_by_milter(struct event *e, struct str rest)
{
	static const struct str addr = STR_INIT(", addr=");
	size_t at = str_find(rest, addr), end;

	e->client_host = str_first(rest, at);
	rest = str_skip(rest, at + addr.n);
	end = str_find(rest, STR_LIT(", "));
	e->client_ip = str_first(rest, end);
	rest = str_skip(rest, end + 2);
	if (rest.n == 0) {
		e->kind = EVENT_NONE;
		return SENDMAIL_EVENT;
	}
	e->stage = STAGE_CONNECT;
	e->stage_text = STR_LIT("CONNECT");
	scan_lit(&rest, STR_LIT("reject="));
	refuse(e, e->client_host, rest);
	if (str_starts(rest, STR_LIT("temp ")))
		e->action_text = STR_LIT("temporarily reject");
	return SENDMAIL_EVENT;
}

/* "Milter: to=<a@b>, reject=550 5.7.1 Command rejected", "Milter: data, discard" */
static enum sendmail_line by_milter(struct event *e, struct str rest)
{
	struct str subject;
	size_t end;

	if (scan_lit(&rest, STR_LIT("connect: host=")))
		return connect_by_milter(e, rest);
	milter_stage(e, &rest, &subject);
	if (e->stage == STAGE_EHLO)
		e->helo = subject;
	end = str_find(rest, STR_LIT(", reject="));
	if (e->stage != STAGE_NONE && end < rest.n) {
		refuse(e, subject, str_skip(rest, end + 9));
		return e->stage == STAGE_END_OF_DATA ? SENDMAIL_THROWN : SENDMAIL_EVENT;
	}
	if (e->stage != STAGE_NONE && str_ends(rest, STR_LIT(", discard"))) {
		discard(e, subject);
		return SENDMAIL_EVENT;
	}
	e->stage = STAGE_NONE;
	e->stage_text = (struct str){NULL, 0};
	e->kind = EVENT_NONE;
	return SENDMAIL_EVENT;
}

/* "<a@b>... User unknown": said to the client of RCPT; the line has neither client nor code. */
static enum sendmail_line by_server(struct event *e, struct str text)
{
	static const struct str dots = STR_INIT("... ");
	struct str address = sendmail_take_address(&text), whole = address;
	size_t at = str_find(address, dots);

	if (at == whole.n || at == 0 || (whole.p[0] != '<' && str_find_char(whole, ' ') < at))
		return SENDMAIL_UNKNOWN;
	whole.n += text.n; /* a comma in the text is no end of it */
	e->stage = STAGE_RCPT;
	e->stage_text = STR_LIT("RCPT");
	refuse(e, str_first(whole, at), str_skip(whole, at + dots.n));
	return SENDMAIL_EVENT;
}

/* "rejecting commands from H [ip] due to pre-greeting traffic after 3 seconds" */
static enum sendmail_line too_early(struct event *e, struct str text, struct str rest)
{
	e->stage = STAGE_CONNECT;
	e->stage_text = STR_LIT("CONNECT");
	sendmail_set_client(e, str_first(rest, str_find(rest, STR_LIT(" due to "))));
	refuse(e, e->client_ip, text);
	return SENDMAIL_EVENT;
}

enum sendmail_line sendmail_refusal(struct event *e, struct str text)
{
	struct str rest = text;

	e->text = text;
	if (scan_lit(&rest, STR_LIT("ruleset=")))
		return by_ruleset(e, rest);
	if (scan_lit(&rest, STR_LIT("Milter: ")))
		return by_milter(e, rest);
	if (scan_lit(&rest, STR_LIT("rejecting commands from ")))
		return too_early(e, text, rest);
	if (scan_lit(&rest, STR_LIT("milter="))) {
		size_t at = str_find(rest, STR_LIT(", quarantine="));

		e->kind = EVENT_NONE; /* one filter's word; "Milter: " has what came of it */
		if (at < rest.n)
			hold(e, str_skip(rest, at + 13));
		return SENDMAIL_EVENT;
	}
	return by_server(e, text);
}
