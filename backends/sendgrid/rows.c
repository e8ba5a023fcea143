/* SPDX-License-Identifier: MIT */
/* rows - suppression lists, and messages of /v3/logs and /v3/messages. */
#include "backends/sendgrid/json.h"
#include "store/base/scan.h"

#include <stdio.h>

#define ADDRESS_MAX_BYTES 320 /* RFC 5321 4.5.3.1: 64 + @ + 255 */
#define ID_MAX_BYTES 500
#define TEXT_MAX_BYTES 4000

static bool address_ok(struct str address)
{
	return address.n && address.n <= ADDRESS_MAX_BYTES;
}

/* digits_code - "550" in front of a space, a hyphen or the end, 200..599. */
static bool basic_code(struct str *in, int32_t *code)
{
	struct str rest = *in;
	uint64_t n;

	if (!scan_u64(&rest, 3, 599, &n) || n < 200 ||
		(rest.n && rest.p[0] != ' ' && rest.p[0] != '-'))
		return false;
	*code = (int32_t)n;
	*in = str_skip(rest, 1);
	return true;
}

/* enhanced_code - "5.1.1" (RFC 3463) with anything but a digit or dot behind. */
static bool enhanced_code(struct str in, int32_t *dsn)
{
	uint64_t class_digit, subject, detail;

	if (!scan_u64(&in, 1, 5, &class_digit) || class_digit < 2 || class_digit == 3 ||
		!scan_lit(&in, STR_LIT(".")) || !scan_u64(&in, 3, 999, &subject) ||
		!scan_lit(&in, STR_LIT(".")) || !scan_u64(&in, 3, 999, &detail))
		return false;
	if (in.n && in.p[0] == '.')
		return false;
	*dsn = (int32_t)DSN_MAKE((int64_t)class_digit, (int64_t)subject, (int64_t)detail);
	return true;
}

void sendgrid_code(struct str reason, struct str status, int32_t *code, int32_t *dsn)
{
	struct str in = str_trim(reason);

	*code = EVENT_UNKNOWN;
	*dsn = 0;
	if (basic_code(&in, code))
		enhanced_code(in, dsn);
	else
		enhanced_code(in, dsn);
	if (*dsn == 0)
		enhanced_code(str_trim(status), dsn);
}

static const enum api_list lists[SENDGRID__ENDPOINTS] = {
	[SENDGRID_BOUNCES] = API_LIST_BOUNCES,
	[SENDGRID_BLOCKS] = API_LIST_BLOCKS,
	[SENDGRID_INVALID] = API_LIST_INVALID,
	[SENDGRID_SPAM] = API_LIST_COMPLAINTS,
	[SENDGRID_UNSUBSCRIBES] = API_LIST_UNSUBSCRIBES,
};

static int suppression(struct parse *p, const json_t *row)
{
	struct api_suppression s = {.list = lists[p->ask->endpoint],
		.scope = p->ask->subuser,
		.address = api_json_text(row, "email"),
		.reason = str_first(api_json_text(row, "reason"), TEXT_MAX_BYTES),
		.code = str_first(api_json_text(row, "status"), 20),
		.created_ms = api_json_seconds_ms(row, "created")};

	if (!address_ok(s.address))
		return sendgrid_odd(p);
	sendgrid_seen(p, s.created_ms);
	return p->sink->suppression ? p->sink->suppression(p->sink->ctx, &s) : 0;
}

int sendgrid_suppressions(struct parse *p, const json_t *root)
{
	return sendgrid_each_row(p, root, suppression);
}

/* The words of /v3/logs and /v3/messages. */
static enum api_event_kind kind_of(struct str status)
{
	static const struct {
		struct str word;
		enum api_event_kind kind;
	} words[] = {{STR_INIT("processed"), API_EVENT_ACCEPTED},
		{STR_INIT("delivered"), API_EVENT_DELIVERED},
		{STR_INIT("deferred"), API_EVENT_DEFERRED},
		{STR_INIT("dropped"), API_EVENT_SUPPRESSED},
		{STR_INIT("bounced"), API_EVENT_BOUNCED}, {STR_INIT("blocked"), API_EVENT_BOUNCED},
		{STR_INIT("not_delivered"), API_EVENT_BOUNCED}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (str_eq(status, words[i].word))
			return words[i].kind;
	return API_EVENT_OTHER;
}

/*
 * message - one row of a list. Its status is that of now; a message that was deferred and then bounces has been both, so
 * the status is part of the event's identity.
 */
static int message(struct parse *p, const json_t *row)
{
	struct str status = api_json_text(row, "status"), id = api_json_text(row, "sg_message_id");
	struct api_event e;
	char identity[ID_MAX_BYTES + ADDRESS_MAX_BYTES + 40];
	int n;

	api_event_init(&e);
	if (!str_present(id))
		id = api_json_text(row, "msg_id");
	e.rcpt = api_json_text(row, "to_email");
	e.t_ms = api_json_date_ms(row, "sg_message_id_created_at");
	if (e.t_ms == EVENT_UNKNOWN)
		e.t_ms = api_json_date_ms(row, "last_event_time");
	if (id.n == 0 || id.n > ID_MAX_BYTES || e.rcpt.n > ADDRESS_MAX_BYTES || status.n > 30 ||
		e.t_ms == EVENT_UNKNOWN)
		return sendgrid_odd(p);
	sendgrid_seen(p, e.t_ms);
	e.kind = kind_of(status);
	e.message = id;
	e.sender = str_first(api_json_text(row, "from_email"), ADDRESS_MAX_BYTES);
	e.subject = str_first(api_json_text(row, "subject"), TEXT_MAX_BYTES);
	e.reply = str_first(api_json_text(row, "reason"), TEXT_MAX_BYTES);
	if (e.kind == API_EVENT_OTHER && !str_present(e.reply))
		e.reply = status;
	if (e.kind == API_EVENT_BOUNCED || e.kind == API_EVENT_DEFERRED)
		sendgrid_code(e.reply, (struct str){NULL, 0}, &e.code, &e.dsn);
	e.user = p->ask->subuser.n ? p->ask->subuser : (struct str){NULL, 0};
	n = snprintf(identity, sizeof(identity), "%.*s/%.*s/%.*s", STR_ARG(id), STR_ARG(e.rcpt),
		STR_ARG(status));
	e.id = str_make(identity, (size_t)n);
	return p->sink->event ? p->sink->event(p->sink->ctx, &e) : 0;
}

int sendgrid_messages(struct parse *p, const json_t *root)
{
	return sendgrid_each_row(p, json_object_get(root, "messages"), message);
}
