/* SPDX-License-Identifier: MIT */
/*
 * exchange/tracking - the message tracking log: arrivals, outcomes a recipient, bounces; the rest tells of them again.
 *
 * Recipients of one record are separated by ';', their statuses stand in parallel.
 */
#include "backends/exchange/parse.h"
#include "store/base/scan.h"

#define NRCPT_MAX 1000000
#define SIZE_DIGITS 15
#define MS_PER_CS 10
#define CODE_DIGITS 3

static bool is(struct str s, const char *word)
{
	return str_ieq(s, str_of(word));
}

static struct str take_item(struct str *list)
{
	size_t n = str_find_char(*list, ';');
	struct str item = str_first(*list, n);

	*list = str_skip(*list, n + 1);
	return str_trim(item);
}

static int32_t count_items(struct str list)
{
	int32_t n = 0;

	while (list.n && n < NRCPT_MAX)
		n += take_item(&list).n > 0;
	return n;
}

/* custom - the value of "S:KEY=value;..." in custom-data. */
static struct str custom(const struct exchange_record *r, struct str key)
{
	struct str data = r->col[COL_CUSTOM];
	size_t at = str_find(data, key);

	if (at == data.n || (at > 0 && data.p[at - 1] != ';'))
		return (struct str){NULL, 0};
	data = str_skip(data, at + key.n);
	return str_first(data, str_find_char(data, ';'));
}

static struct str without_brackets(struct str s)
{
	return s.n > 1 && s.p[0] == '<' && s.p[s.n - 1] == '>' ? str_make(s.p + 1, s.n - 2) : s;
}

static void set_sender(struct event *e, const struct exchange_record *r)
{
	struct str path = r->col[COL_RETURN_PATH];

	e->from = without_brackets(path.n ? path : r->col[COL_SENDER]);
	if (!e->from.p)
		e->from = (struct str){NULL, 0};
}

static void set_message(struct event *e, const struct exchange_record *r)
{
	struct str network = r->col[COL_NETWORK_ID];
	uint64_t n;

	e->queue_id = network.n ? network : r->col[COL_INTERNAL_ID];
	e->lasting_id = network.n > 0;
	if (r->col[COL_MESSAGE_ID].n)
		e->message_id = without_brackets(r->col[COL_MESSAGE_ID]);
	if (r->col[COL_BYTES].n <= SIZE_DIGITS && scan_all_u64(r->col[COL_BYTES], INT64_MAX, &n))
		e->size_bytes = (int64_t)n;
	if (scan_all_u64(r->col[COL_RCPT_COUNT], NRCPT_MAX, &n))
		e->nrcpt = (int32_t)n;
}

/* set_client - who handed the message in; behind a Front End that is told of in other columns. */
static void set_client(struct event *e, const struct exchange_record *r)
{
	struct str proxied = custom(r, STR_LIT("S:ProxiedClientIPAddress="));
	struct str original = r->col[COL_ORIG_CLIENT_IP];

	e->client_ip = r->col[COL_CLIENT_IP];
	e->client_host = r->col[COL_CLIENT_HOST];
	if (proxied.n && !str_eq(proxied, e->client_ip)) {
		e->client_ip = proxied;
		e->client_host = custom(r, STR_LIT("S:ProxiedClientHostname="));
	} else if (original.n && !str_eq(original, e->client_ip)) {
		e->client_ip = original;
		e->client_host = (struct str){NULL, 0};
	}
}

/* set_host - the server that wrote the record; only where its ids are its own. */
static void set_host(struct event *e, const struct exchange_record *r, bool sent_from)
{
	if (!e->lasting_id)
		e->host = r->col[sent_from ? COL_CLIENT_HOST : COL_SERVER_HOST];
}

static int emit_as(struct event *e, enum event_kind kind, const struct event_sink *sink)
{
	e->kind = kind;
	return sink->emit(sink->ctx, e);
}

static int arrival(struct event *e, const struct exchange_record *r, bool notice,
	const struct event_sink *sink)
{
	int rc;

	set_host(e, r, false);
	set_client(e, r);
	set_sender(e, r);
	if (notice)
		e->from = STR_LIT(""); /* a notification's sender is nobody (RFC 3464 2) */
	if (r->col[COL_CONNECTOR].n)
		e->service = r->col[COL_CONNECTOR];
	e->process = is(r->col[COL_SOURCE], "SMTP") ? STR_LIT("smtpd") : STR_LIT("pickup");
	rc = emit_as(e, EVENT_RECEIVED, sink);
	if (rc == 0 && notice) {
		struct str id = e->queue_id;

		e->child_queue_id = id;
		e->queue_id = (struct str){NULL, 0}; /* of what: only the message-id is told */
		rc = emit_as(e, EVENT_NOTIFICATION, sink);
		e->queue_id = id;
		e->child_queue_id = (struct str){NULL, 0};
	}
	if (rc == 0 && e->message_id.n)
		rc = emit_as(e, EVENT_MESSAGE_ID, sink);
	return rc == 0 ? emit_as(e, EVENT_QUEUED, sink) : rc;
}

/* starts_status - does a status of its own begin here: "250 2.1.5 ...", "[{LED=...", "{LED=..." ? */
static bool starts_status(struct str s)
{
	uint64_t code;

	s = str_trim(s);
	if (str_starts(s, STR_LIT("[{")) || str_starts(s, STR_LIT("{LED=")))
		return true;
	return scan_u64(&s, CODE_DIGITS, 599, &code) && code >= 200 &&
	       (s.n == 0 || s.p[0] == ' ' || s.p[0] == '-');
}

/* next_status - of the statuses of several recipients the first, taken: up to a ';' behind which another begins. */
static struct str next_status(struct str *rest)
{
	size_t at = 0;

	while (at < rest->n) {
		at += str_find_char(str_skip(*rest, at), ';');
		if (at >= rest->n || starts_status(str_skip(*rest, at + 1)))
			break;
		at++;
	}
	{
		struct str status = str_first(*rest, at);

		*rest = str_skip(*rest, at + 1);
		return str_trim(status);
	}
}

static int32_t count_statuses(struct str list)
{
	int32_t n = 0;

	while (list.n && n < NRCPT_MAX) {
		next_status(&list);
		n++;
	}
	return n;
}

/* braced - the value of "{KEY=...}" in "[{LED=...};{MSG=...};{FQDN=...};{IP=...};{LRT=...}]". */
static struct str braced(struct str status, struct str key)
{
	size_t at = str_find(status, key);
	struct str value = str_skip(status, at + key.n);
	size_t end = str_find_char(value, '}');

	return at == status.n ? (struct str){NULL, 0} : str_first(value, end);
}

static void set_status(struct event *e, struct str status)
{
	static const struct str last_error = STR_INIT("{LED=");

	if (str_find(status, last_error) < status.n) {
		struct str host = braced(status, STR_LIT("{FQDN=")), ip;

		ip = braced(status, STR_LIT("{IP="));
		e->reply = braced(status, last_error);
		if (e->reply.n == 0)
			e->reply = braced(status, STR_LIT("{MSG="));
		if (host.n || ip.n) {
			e->relay = e->relay_host = host.n ? host : ip;
			e->relay_ip = ip;
		}
	} else if (status.n) {
		e->reply = status;
	}
	exchange_reply(e, e->reply);
}

/* Total delay: message-info begins with when the message came into the organisation. */
static void set_delay(struct event *e, const struct exchange_record *r)
{
	struct str info = r->col[COL_INFO];
	int64_t came_ms, cs;

	if (!exchange_stamp(&info, &came_ms))
		return;
	cs = (e->t_utc_ms - came_ms) / MS_PER_CS;
	if (cs >= 0 && cs <= DELAY_MAX_CS)
		e->delay_cs[DELAY_TOTAL] = (int32_t)cs;
}

/* is_hop - is the SEND one to another Exchange server of the organisation? */
static bool is_hop(const struct exchange_record *r)
{
	static const struct str internal[] = {STR_INIT("Intra-Organization SMTP Send Connector"),
		STR_INIT("Inbound Proxy Internal Send Connector"),
		STR_INIT("Client Proxy Send Connector"), STR_INIT("Internal SMTP Send Connector")};
	struct str context = r->col[COL_SOURCE_CONTEXT];

	if (!is(r->col[COL_EVENT_ID], "SEND"))
		return false;
	for (size_t i = 0; i < sizeof(internal) / sizeof(internal[0]); i++)
		if (str_ieq(r->col[COL_CONNECTOR], internal[i]))
			return true;
	/* That is what Mailbox Transport Delivery answers; a Transport service tells an InternalId too. */
	return str_find(context, STR_LIT("[Hostname=")) < context.n;
}

/* set_relay - the other end, as far as it is one: what failed before a connection was made names only the server it is on. */
static void set_relay(struct event *e, const struct exchange_record *r)
{
	struct str host = r->col[COL_SERVER_HOST], ip = r->col[COL_SERVER_IP];
	bool store = is(r->col[COL_SOURCE], "STOREDRIVER");

	if (!store && (!is(r->col[COL_SOURCE], "SMTP") || (ip.n == 0 && e->status != STATUS_SENT)))
		return;
	e->relay = e->relay_host = host.n ? host : ip;
	if (e->relay.n == 0)
		e->relay = e->relay_host = (struct str){NULL, 0};
	if (!store)
		e->relay_ip = ip;
}

static int outcome(struct event *e, const struct exchange_record *r, enum event_status status,
	const char *word, const struct event_sink *sink)
{
	struct str to = r->col[COL_RCPT], statuses = r->col[COL_RCPT_STATUS];
	int32_t nto = count_items(to), nstatus;
	struct event base;
	int rc = 0;

	if (statuses.n == 0 && starts_status(r->col[COL_SOURCE_CONTEXT]))
		statuses = r->col[COL_SOURCE_CONTEXT];
	nstatus = nto > 1 ? count_statuses(statuses) : 1;
	set_host(e, r, status == STATUS_SENT && is(r->col[COL_SOURCE], "SMTP"));
	set_sender(e, r);
	e->status = status;
	set_relay(e, r);
	set_delay(e, r);
	e->kind = nto ? EVENT_ATTEMPT : EVENT_NONE;
	e->status_text = str_of(word);
	e->service = r->col[COL_CONNECTOR].n ? r->col[COL_CONNECTOR] : r->col[COL_SOURCE];
	e->process = is(r->col[COL_SOURCE], "SMTP") ? STR_LIT("smtp") : STR_LIT("exchange");
	e->hop = status == STATUS_SENT && is_hop(r);
	e->nrcpt = nto;
	if (nto == 0)
		return sink->emit(sink->ctx, e);
	base = *e;
	for (int32_t i = 0; i < nto && rc == 0;) {
		*e = base;
		e->to = take_item(&to);
		if (e->to.n == 0)
			continue;
		i++;
		if (nto == 1 && r->col[COL_RELATED].n && !str_eq(r->col[COL_RELATED], e->to))
			e->orig_to = r->col[COL_RELATED];
		if (nto == 1 || nstatus == 1)
			set_status(e, statuses);
		else if (nstatus == nto)
			set_status(e, next_status(&statuses));
		else if (statuses.n)
			e->reply = statuses; /* which is whose can't be told */
		rc = sink->emit(sink->ctx, e);
	}
	return rc;
}

/* A group became its members. */
static int expansion(
	struct event *e, const struct exchange_record *r, const struct event_sink *sink)
{
	int32_t members = count_items(r->col[COL_RCPT]);

	set_host(e, r, false);
	e->nrcpt = EVENT_UNKNOWN;
	e->size_bytes = EVENT_UNKNOWN;
	e->more_rcpt = members > 0 ? members - 1 : 0;
	return emit_as(e, members > 0 ? EVENT_QUEUED : EVENT_NONE, sink);
}

static int trouble(struct event *e, const struct exchange_record *r, enum event_severity severity,
	const struct event_sink *sink)
{
	e->severity = severity;
	e->text = r->whole;
	return emit_as(e, EVENT_WARNING, sink);
}

/* is_word - an event-id we may never have heard of is still one: letters. */
static bool is_word(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!scan_is_alnum(s.p[i]) && s.p[i] != '_' && s.p[i] != '-')
			return false;
	return s.n > 0;
}

int exchange_tracking(struct event *e, const struct exchange_record *r,
	const struct event_sink *sink, bool *ret_known)
{
	struct str event = r->col[COL_EVENT_ID];

	*ret_known = is_word(event);
	if (!*ret_known)
		return 0;
	set_message(e, r);
	if (e->queue_id.n && is(event, "RECEIVE"))
		return arrival(e, r, false, sink);
	if (e->queue_id.n && is(event, "DSN"))
		return arrival(e, r, true, sink);
	if (e->queue_id.n &&
		(is(event, "DELIVER") || is(event, "SEND") || is(event, "SENDEXTERNAL")))
		return outcome(e, r, STATUS_SENT, "sent", sink);
	if (e->queue_id.n && is(event, "FAIL"))
		return outcome(e, r, STATUS_BOUNCED, "bounced", sink);
	if (e->queue_id.n && is(event, "DEFER"))
		return outcome(e, r, STATUS_DEFERRED, "deferred", sink);
	if (e->queue_id.n && is(event, "EXPAND"))
		return expansion(e, r, sink);
	if (is(event, "BADMAIL") || is(event, "POISONMESSAGE") || is(event, "SUBMITFAIL"))
		return trouble(e, r, SEVERITY_WARNING, sink);
	if (e->queue_id.n && is(event, "DROP")) {
		set_host(e, r, false);
		return emit_as(e, EVENT_REMOVED, sink);
	}
	e->text = event;
	return emit_as(e, EVENT_NONE, sink);
}
