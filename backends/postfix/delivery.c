/* SPDX-License-Identifier: MIT */
/*
 * delivery - the record of one delivery attempt (Postfix src/global/log_adhoc.c), read by name and not by
 * position: to, orig_to, relay, conn_use, delay, delays, tls, dsn, status.
 */
#include "backends/postfix/parse.h"
#include "store/base/scan.h"

#define PORT_MAX 65535
#define CODE_MIN 200
#define CODE_MAX 599
#define CONN_USE_MAX 1000000

static void read_relay(struct event *e, struct str value)
{
	size_t open = str_find_char(value, '[');
	size_t close = str_rfind_char(value, ']');
	struct str inside, rest;
	uint64_t port;

	e->relay = value;
	if (open == value.n || close == value.n || close < open) {
		e->relay_host = value;
		return;
	}
	e->relay_host = str_first(value, open);
	inside = str_make(value.p + open + 1, close - open - 1);
	if (str_find_char(inside, '/') < inside.n) {
		e->relay_socket = inside;
		return;
	}
	e->relay_ip = inside;
	rest = str_skip(value, close + 1);
	if (scan_lit(&rest, STR_LIT(":")) && scan_all_u64(rest, PORT_MAX, &port))
		e->relay_port = (int32_t)port;
}

static int32_t centis(struct str value)
{
	int64_t cs;

	return scan_centis(&value, DELAY_MAX_CS, &cs) && value.n == 0 ? (int32_t)cs : EVENT_UNKNOWN;
}

static void read_delays(struct event *e, struct str value)
{
	for (int part = DELAY_A; part < DELAY__COUNT; part++) {
		size_t n = str_find_char(value, '/');

		e->delay_cs[part] = centis(str_first(value, n));
		value = str_skip(value, n + 1);
	}
}

static enum event_status status_of(struct str word)
{
	static const struct {
		struct str word;
		enum event_status status;
	} words[] = {{STR_INIT("sent"), STATUS_SENT}, {STR_INIT("deferred"), STATUS_DEFERRED},
		{STR_INIT("bounced"), STATUS_BOUNCED},
		{STR_INIT("deliverable"), STATUS_DELIVERABLE},
		{STR_INIT("undeliverable"), STATUS_UNDELIVERABLE},
		{STR_INIT("expired"), STATUS_EXPIRED},
		{STR_INIT("undeliverable-but-not-cached"), STATUS_UNDELIVERABLE}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (str_eq(word, words[i].word))
			return words[i].status;
	return STATUS_OTHER;
}

/* read_status - "sent (reply)": the reply goes to the last ')' of the line, or to its end if that was cut off. */
static void read_status(struct event *e, struct str rest)
{
	size_t n = str_find_char(rest, ' ');
	struct str text;
	size_t close;

	e->status_text = str_first(rest, n);
	e->status = status_of(e->status_text);
	text = str_skip(rest, n + 1);
	if (!scan_lit(&text, STR_LIT("(")))
		return;
	close = str_rfind_char(text, ')');
	e->reply = str_first(text, close);
	postfix_reply_facts(e);
	if (close == text.n && e->child_queue_id.n &&
		e->child_queue_id.p + e->child_queue_id.n == text.p + text.n)
		e->child_queue_id = (struct str){NULL, 0}; /* it may be cut too */
}

static void read_key(struct event *e, struct str key, struct str value)
{
	uint64_t n;

	switch (key.n ? key.p[0] : 0) {
	case 'r':
		if (str_eq(key, STR_LIT("relay")))
			read_relay(e, value);
		break;
	case 'c':
		if (str_eq(key, STR_LIT("conn_use")) && scan_all_u64(value, CONN_USE_MAX, &n))
			e->conn_use = (int32_t)n;
		break;
	case 'd':
		if (str_eq(key, STR_LIT("delay")))
			e->delay_cs[DELAY_TOTAL] = centis(value);
		else if (str_eq(key, STR_LIT("delays")))
			read_delays(e, value);
		else if (str_eq(key, STR_LIT("dsn")))
			e->dsn = postfix_dsn(&value);
		break;
	case 't':
		if (str_eq(key, STR_LIT("tls")))
			e->tls = value;
		break;
	default:
		break;
	}
}

bool postfix_delivery(struct event *e, struct str rest)
{
	if (!scan_lit(&rest, STR_LIT("to=")) || !postfix_take_address(&rest, &e->to))
		return false;
	scan_lit(&rest, STR_LIT(", "));
	while (rest.n) {
		size_t eq = str_find_char(rest, '=');
		struct str key = str_first(rest, eq);
		struct str value = str_skip(rest, eq + 1);
		size_t end;

		if (eq == rest.n)
			return false;
		if (str_eq(key, STR_LIT("status"))) {
			e->kind = EVENT_ATTEMPT;
			read_status(e, value);
			return true;
		}
		if (str_eq(key, STR_LIT("orig_to"))) {
			postfix_take_address(&value, &e->orig_to);
			scan_lit(&value, STR_LIT(", "));
			rest = value;
			continue;
		}
		end = str_find(value, STR_LIT(", "));
		read_key(e, key, str_first(value, end));
		rest = str_skip(value, end + 2);
	}
	return false;
}

enum smtp_stage postfix_stage(struct str text)
{
	static const struct {
		struct str word;
		enum smtp_stage stage;
	} words[] = {{STR_INIT("end of DATA"), STAGE_END_OF_DATA},
		{STR_INIT("END-OF-MESSAGE"), STAGE_END_OF_DATA},
		{STR_INIT("END-OF-DATA"), STAGE_END_OF_DATA},
		{STR_INIT("end of data"), STAGE_END_OF_DATA},
		{STR_INIT("message body"), STAGE_DATA}, {STR_INIT("RCPT"), STAGE_RCPT},
		{STR_INIT("MAIL"), STAGE_MAIL}, {STR_INIT("DATA"), STAGE_DATA},
		{STR_INIT("BDAT"), STAGE_DATA}, {STR_INIT("STARTTLS"), STAGE_STARTTLS},
		{STR_INIT("AUTH"), STAGE_AUTH}, {STR_INIT("EHLO"), STAGE_EHLO},
		{STR_INIT("HELO"), STAGE_EHLO}, {STR_INIT("LHLO"), STAGE_EHLO},
		{STR_INIT("CONNECT"), STAGE_CONNECT},
		{STR_INIT("initial server greeting"), STAGE_CONNECT},
		{STR_INIT("connection"), STAGE_CONNECT}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (str_find(text, words[i].word) < text.n)
			return words[i].stage;
	return STAGE_OTHER;
}

void postfix_set_stage(struct event *e, struct str words)
{
	e->stage = postfix_stage(words);
	e->stage_text = words;
}

static int32_t code_at(struct str text)
{
	uint64_t code;

	if (text.n < 3 || !scan_u64(&text, 3, CODE_MAX, &code) || code < CODE_MIN)
		return EVENT_UNKNOWN;
	return text.n == 0 || text.p[0] == ' ' || text.p[0] == '-' ? (int32_t)code : EVENT_UNKNOWN;
}

/* remote_words - where the remote server's own words begin, or the whole reply. */
static struct str remote_words(struct str reply, bool *remote)
{
	static const struct str marks[] = {
		STR_INIT(" said: "), STR_INIT("refused to talk to me: ")};

	for (size_t i = 0; i < 2; i++) {
		size_t at = str_find(reply, marks[i]);

		if (at < reply.n) {
			*remote = true;
			return str_skip(reply, at + marks[i].n);
		}
	}
	return reply;
}

/* in_reply_to - "... (in reply to RCPT TO command)": where that begins, and the stage in its words. */
static size_t in_reply_to(struct str reply, struct str *ret_stage)
{
	static const struct str mark = STR_INIT(" (in reply to ");
	size_t at = str_rfind(reply, mark);
	struct str words = str_skip(reply, at + mark.n);
	size_t end = str_find(words, STR_LIT(" command"));

	if (at < reply.n)
		*ret_stage = end < words.n ? str_first(words, end)
					   : str_first(words, str_find_char(words, ')'));
	return at;
}

static void read_stage(struct event *e, struct str reply)
{
	static const struct str marks[] = {STR_INIT(" while sending "),
		STR_INIT(" while receiving the "), STR_INIT(" while performing the ")};
	struct str words;

	if (in_reply_to(reply, &words) < reply.n) {
		postfix_set_stage(e, words);
		return;
	}
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		size_t at = str_find(reply, marks[i]);

		if (at < reply.n) {
			words = str_skip(reply, at + marks[i].n);
			postfix_set_stage(e, str_first(words, str_find(words, STR_LIT(" -- "))));
			return;
		}
	}
	if (str_find(reply, STR_LIT("connect to ")) < reply.n ||
		str_find(reply, STR_LIT("refused to talk to me")) < reply.n)
		e->stage = STAGE_CONNECT;
}

static struct str child_id(struct str reply)
{
	static const struct str marks[] = {STR_INIT("queued as "), STR_INIT("forwarded as ")};

	for (size_t i = 0; i < 2; i++) {
		size_t at = str_rfind(reply, marks[i]);
		struct str word;

		if (at == reply.n)
			continue;
		word = str_skip(reply, at + marks[i].n);
		word = str_first(word, str_find_char(word, ' '));
		while (word.n && !scan_is_alnum(word.p[word.n - 1]))
			word.n--;
		if (postfix_is_queue_id(word))
			return word;
	}
	return (struct str){NULL, 0};
}

void postfix_reply_facts(struct event *e)
{
	bool remote = false;
	struct str words = remote_words(e->reply, &remote);

	e->code = code_at(words);
	if (e->status == STATUS_SENT) {
		e->child_queue_id = child_id(e->reply);
		return;
	}
	read_stage(e, e->reply);
}

void postfix_host_reply(struct event *e)
{
	bool remote = false;
	struct str words = remote_words(e->reply, &remote), stage;

	if (remote)
		e->reply = str_first(words, in_reply_to(words, &stage));
}
