/* SPDX-License-Identifier: MIT */
/*
 * events - one event of /v1/analytics/logs or the older /v3 events.
 *
 * An id is unique within a day only, so identity is domain, id and day. What happened is told by event, severity and
 * reason, never by the code: 605, 606, 607 (suppressed), 498, 499, 680 (no connection) are Mailgun's own.
 */
#include "backends/mailgun/private.h"

#include "store/base/scan.h"
#include "store/base/timefmt.h"

#include <stdio.h>

#define CODE_MIN 200
#define CODE_MAX 599
#define IDENTITY_MAX_BYTES 400
#define MS_PER_DAY INT64_C(86400000)

const char *const mailgun_event_members[] = {"items", "pagination", "paging", "next", "total",
	"event", "id", "@timestamp", "timestamp", "severity", "reason", "recipient", "domain",
	"domain-name", "name", "account", "parent-id", "storage", "key", "message", "headers",
	"message-id", "subject", "from", "size", "envelope", "mail-from", "sender", "targets",
	"sending-ip", "delivery-status", "description", "code", "enhanced-code", "attempt-no",
	"session-seconds", "retry-seconds", "mx-host", "mxhost", "reject", NULL};

static int32_t code_of(const json_t *status)
{
	int64_t n = api_json_number(status, "code");

	/* 498 and 499 are no replies of RFC 5321: Mailgun gives them where there was no connection. */
	return n < CODE_MIN || n > CODE_MAX || n == 498 || n == 499 ? EVENT_UNKNOWN : (int32_t)n;
}

static bool dsn_at(struct str in, int32_t *ret)
{
	uint64_t a, b, c;

	if (!scan_u64(&in, 1, 5, &a) || !scan_lit(&in, STR_LIT(".")) ||
		!scan_u64(&in, 3, 999, &b) || !scan_lit(&in, STR_LIT(".")) ||
		!scan_u64(&in, 3, 999, &c) || (a != 2 && a != 4 && a != 5) ||
		(in.n && (scan_is_alnum(in.p[0]) || in.p[0] == '.')))
		return false;
	*ret = (int32_t)DSN_MAKE(a, b, c);
	return true;
}

/* dsn_of - as told, else the one the reply begins with: "5.1.1 ...", "550 5.1.1 ...", "550-5.1.1 ...". */
static int32_t dsn_of(const json_t *status, struct str reply)
{
	int32_t dsn = 0;
	uint64_t code;

	if (dsn_at(api_json_text(status, "enhanced-code"), &dsn) || dsn_at(reply, &dsn))
		return dsn;
	if (scan_u64(&reply, 3, CODE_MAX, &code) && code >= CODE_MIN && reply.n &&
		(reply.p[0] == ' ' || reply.p[0] == '-'))
		(void)dsn_at(str_skip(reply, 1), &dsn);
	return dsn;
}

static enum api_event_kind kind_of(const json_t *row, struct str event)
{
	static const struct {
		const char *event;
		enum api_event_kind kind;
	} kinds[] = {{"accepted", API_EVENT_ACCEPTED}, {"delivered", API_EVENT_DELIVERED},
		{"rejected", API_EVENT_BOUNCED}, {"opened", API_EVENT_OPENED},
		{"unique_opened", API_EVENT_OPENED}, {"clicked", API_EVENT_CLICKED},
		{"unique_clicked", API_EVENT_CLICKED}, {"unsubscribed", API_EVENT_UNSUBSCRIBED},
		{"complained", API_EVENT_COMPLAINED}};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (str_eq(event, str_of(kinds[i].event)))
			return kinds[i].kind;
	if (!str_eq(event, STR_LIT("failed")))
		return API_EVENT_OTHER;
	if (str_starts(api_json_text(row, "reason"), STR_LIT("suppress")))
		return API_EVENT_SUPPRESSED;
	if (str_eq(api_json_text(row, "severity"), STR_LIT("permanent")))
		return API_EVENT_BOUNCED;
	if (str_eq(api_json_text(row, "severity"), STR_LIT("temporary")) ||
		api_json_number(json_object_get(row, "delivery-status"), "retry-seconds") > 0)
		return API_EVENT_DEFERRED;
	return API_EVENT_OTHER; /* given up or tried again? It does not say */
}

static struct str domain_of(struct parse *p, const json_t *row)
{
	struct str name = api_json_text(json_object_get(row, "domain"), "name");

	name = name.n ? name : api_json_text(row, "domain-name");
	return name.n ? name : p->ask->domain;
}

/* identity - text into at; what has no id is known by all that makes it what it is. */
static struct str identity(struct parse *p, const json_t *row, const struct api_event *e, char *at)
{
	struct str id = api_json_text(row, "id"), domain = str_first(domain_of(p, row), 100);
	int n;

	if (id.n)
		n = snprintf(at, IDENTITY_MAX_BYTES, "%.*s/%.*s/%lld", STR_ARG(domain),
			STR_ARG(str_first(id, 200)), (long long)(e->t_ms / MS_PER_DAY));
	else
		n = snprintf(at, IDENTITY_MAX_BYTES, "%.*s/%.*s/%.*s/%lld", STR_ARG(domain),
			STR_ARG(str_first(api_json_text(row, "event"), 30)),
			STR_ARG(str_first(e->rcpt, 200)), (long long)e->t_ms);
	return str_make(at, n < 0                     ? 0
			    : n >= IDENTITY_MAX_BYTES ? IDENTITY_MAX_BYTES - 1
						      : (size_t)n);
}

static void delivery_of(const json_t *row, struct api_event *e)
{
	static const char *const words[] = {"message", "description", NULL};
	static const char *const hosts[] = {"mx-host", "mxhost", NULL};
	static const char *const refusals[] = {"description", "reason", NULL};
	const json_t *status = json_object_get(row, "delivery-status");
	struct str reason = api_json_text(row, "reason");
	int64_t n = api_json_number(status, "attempt-no");

	e->reply = api_json_first(status, words);
	if (!e->reply.n)
		e->reply = api_json_first(json_object_get(row, "reject"), refusals);
	if (!e->reply.n)
		e->reply = reason;
	e->code = code_of(status);
	e->dsn = dsn_of(status, e->reply);
	e->relay = api_json_first(status, hosts);
	e->attempt = n >= 0 && n < INT32_MAX ? (int32_t)n : EVENT_UNKNOWN;
	e->session_ms = api_json_seconds_ms(status, "session-seconds");
}

/* recipient - "a@b", also as "Name <a@b>"; several are none. */
static struct str address_of(struct str text)
{
	size_t open = str_rfind_char(text, '<'), end = str_rfind_char(text, '>');

	if (open < end && end < text.n)
		text = str_make(text.p + open + 1, end - open - 1);
	return str_trim(text);
}

static void message_of(const json_t *row, struct api_event *e)
{
	static const char *const senders[] = {"mail-from", "sender", NULL};
	const json_t *message = json_object_get(row, "message"),
		     *envelope = json_object_get(row, "envelope");
	const json_t *headers = json_object_get(message, "headers"),
		     *account = json_object_get(row, "account");
	struct str id = api_json_text(headers, "message-id");

	if (id.n > 2 && id.p[0] == '<' && id.p[id.n - 1] == '>')
		id = str_make(id.p + 1, id.n - 2);
	e->header_id = id;
	e->message = id.n ? id : api_json_text(json_object_get(row, "storage"), "key");
	e->message = e->message.n ? e->message : api_json_text(row, "id");
	e->subject = api_json_text(headers, "subject");
	e->size_bytes = api_json_number(message, "size");
	e->sender = address_of(api_json_first(envelope, senders));
	if (!e->sender.n)
		e->sender = address_of(api_json_text(headers, "from"));
	e->egress = api_json_text(envelope, "sending-ip");
	e->rcpt = address_of(api_json_text(row, "recipient"));
	if (!e->rcpt.n)
		e->rcpt = address_of(api_json_text(envelope, "targets"));
	if (api_json_text(account, "parent-id").n)
		e->user = api_json_text(account, "id");
}

static int event_row(struct parse *p, const json_t *row)
{
	char id[IDENTITY_MAX_BYTES];
	struct str name = api_json_text(row, "event");
	struct api_event e;

	api_event_init(&e);
	e.t_ms = api_json_date_ms(
		row, json_object_get(row, "@timestamp") ? "@timestamp" : "timestamp");
	if (!name.n || e.t_ms == EVENT_UNKNOWN)
		return mailgun_odd(p);
	e.kind = kind_of(row, name);
	message_of(row, &e);
	delivery_of(row, &e);
	if (e.kind == API_EVENT_OTHER && !e.reply.n)
		e.reply = name;
	e.id = identity(p, row, &e, id);
	if (e.t_ms > p->result->newest_ms)
		p->result->newest_ms = e.t_ms;
	return p->sink->event ? p->sink->event(p->sink->ctx, &e) : 0;
}

/* one - a body that is one event, as webhooks and the documentation have them. */
static bool one(const json_t *root)
{
	return !json_object_get(root, "items") && json_object_get(root, "event");
}

int mailgun_parse_logs(struct parse *p, const json_t *root)
{
	const json_t *pages = json_object_get(root, "pagination");
	int rc = one(root) ? event_row(p, root)
			   : mailgun_each(p, json_object_get(root, "items"), event_row);

	p->result->total = api_json_number(pages, "total");
	return rc < 0 ? rc : mailgun_next(p, api_json_text(pages, "next"));
}

int mailgun_parse_events(struct parse *p, const json_t *root)
{
	int rc = one(root) ? event_row(p, root)
			   : mailgun_each(p, json_object_get(root, "items"), event_row);

	return rc < 0 ? rc
		      : mailgun_next(p, api_json_text(json_object_get(root, "paging"), "next"));
}
