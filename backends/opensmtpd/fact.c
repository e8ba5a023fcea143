/* SPDX-License-Identifier: MIT */
/* opensmtpd/fact - keys and values of OpenSMTPD's lines into events. */
#include "backends/opensmtpd/parse.h"
#include "store/base/scan.h"

#define MSGID_BYTES 8
#define EVPID_BYTES 16
#define CODE_MIN 200
#define CODE_MAX 599
#define DSN_DETAIL_MAX 999
#define SIZE_DIGITS 15
#define NRCPT_MAX 1000000
#define CS_PER_S 100

static int64_t unit_s(char c)
{
	return c == 's' ? 1 : c == 'm' ? 60 : c == 'h' ? 3600 : c == 'd' ? 86400 : 0;
}

/* duration_to_text(): "0s", "42m42s", "2d3h", with a leading '-' for one below 0. */
static int32_t centis(struct str s)
{
	int64_t total = 0;

	if (s.n == 0)
		return EVENT_UNKNOWN;
	while (s.n) {
		uint64_t n;

		if (!scan_u64(&s, 9, DELAY_MAX_CS, &n) || s.n == 0 || unit_s(s.p[0]) == 0)
			return EVENT_UNKNOWN;
		total += (int64_t)n * unit_s(s.p[0]) * CS_PER_S;
		if (total > DELAY_MAX_CS)
			return EVENT_UNKNOWN;
		s = str_skip(s, 1);
	}
	return (int32_t)total;
}

/* "203.0.113.9 (mx.example.com)"; a delivery that never got that far has none. */
static void set_relay(struct event *e, struct str value)
{
	size_t open = str_find(value, STR_LIT(" ("));

	if (value.n == 0 || str_eq(value, STR_LIT("<none>")) || str_eq(value, STR_LIT("-")))
		return;
	e->relay = value;
	e->relay_ip = str_first(value, open);
	e->relay_host = e->relay_ip;
	if (open < value.n) {
		e->relay_host = str_skip(value, open + 2);
		e->relay_host = str_first(e->relay_host, str_find_char(e->relay_host, ')'));
	}
}

void opensmtpd_result(struct event *e, struct str word)
{
	e->kind = EVENT_ATTEMPT;
	if (str_eq(word, STR_LIT("Ok"))) {
		e->status = STATUS_SENT;
		e->status_text = STR_LIT("sent");
	} else if (str_eq(word, STR_LIT("TempFail"))) {
		e->status = STATUS_DEFERRED;
		e->status_text = STR_LIT("deferred");
	} else if (str_eq(word, STR_LIT("PermFail")) || str_eq(word, STR_LIT("Loop")) ||
		   str_eq(word, STR_LIT("Expire"))) {
		e->status = STATUS_BOUNCED;
		e->status_text = STR_LIT("bounced");
	} else {
		e->status = STATUS_OTHER;
		e->status_text = word;
	}
}

static void set_client(struct event *e, struct str value)
{
	scan_lit(&value, STR_LIT("IPv6:"));
	if (value.n > 1 && value.p[0] == '[') {
		value = str_skip(value, 1);
		value = str_first(value, str_find_char(value, ']'));
	}
	e->client_ip = value;
}

static void number_fact(struct event *e, struct str key, struct str value)
{
	uint64_t n;

	if (str_eq(key, STR_LIT("size")) && scan_u64(&value, SIZE_DIGITS, INT64_MAX, &n))
		e->size_bytes = (int64_t)n;
	else if ((str_eq(key, STR_LIT("nrcpt")) || str_eq(key, STR_LIT("ndest"))) &&
		 scan_all_u64(value, NRCPT_MAX, &n))
		e->nrcpt = (int32_t)n;
	else if (str_eq(key, STR_LIT("delay")))
		e->delay_cs[DELAY_TOTAL] = centis(value);
}

void opensmtpd_fact(struct event *e, struct str key, struct str value)
{
	if (str_eq(key, STR_LIT("evpid")))
		e->queue_id = value.n == EVPID_BYTES ? str_first(value, MSGID_BYTES) : value;
	else if (str_eq(key, STR_LIT("msgid")))
		e->queue_id = value;
	else if (str_eq(key, STR_LIT("from")))
		e->from = value;
	else if (str_eq(key, STR_LIT("to")))
		e->to = value;
	else if (str_eq(key, STR_LIT("rcpt")) && value.n > 0 && !str_eq(value, STR_LIT("-")))
		e->orig_to = value;
	else if (str_eq(key, STR_LIT("relay")))
		set_relay(e, value);
	else if (str_eq(key, STR_LIT("result")))
		opensmtpd_result(e, value);
	else if (str_eq(key, STR_LIT("stat")))
		e->reply = value;
	else if (str_eq(key, STR_LIT("proto")))
		e->proto = value;
	else if (str_eq(key, STR_LIT("address")))
		set_client(e, value);
	else if (str_eq(key, STR_LIT("host")))
		e->client_host = value;
	else if (str_eq(key, STR_LIT("user")))
		e->sasl_user = value;
	else
		number_fact(e, key, value);
}

void opensmtpd_settle(struct event *e)
{
	struct str text = e->reply;
	uint64_t code, class_digit, subject, detail;

	if (text.n < 4 || (text.p[3] != ' ' && text.p[3] != '-') ||
		!scan_u64(&text, 3, CODE_MAX, &code) || code < CODE_MIN)
		return;
	e->code = (int32_t)code;
	text = str_skip(text, 1);
	if (scan_u64(&text, 1, 9, &class_digit) && scan_lit(&text, STR_LIT(".")) &&
		scan_u64(&text, 3, DSN_DETAIL_MAX, &subject) && scan_lit(&text, STR_LIT(".")) &&
		scan_u64(&text, 3, DSN_DETAIL_MAX, &detail))
		e->dsn = (int32_t)DSN_MAKE(class_digit, subject, detail);
}
