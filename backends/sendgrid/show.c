/* SPDX-License-Identifier: MIT */
/* show - a body as lines of JSON, one a row: what `mtatop --replay sendgrid FILE` prints and the fixtures hold. */
#include "backends/sendgrid/show.h"

#include "backends/sendgrid/parse.h"
#include "store/base/timefmt.h"
#include "store/base/utf8.h"
#include "store/base/zone.h"

#include <inttypes.h>

static void put_name(struct buf *out, const char *name)
{
	buf_printf(out, ",\"%s\":", name);
}

static void put_text(struct buf *out, const char *name, struct str value)
{
	if (!str_present(value))
		return;
	put_name(out, name);
	if (utf8_json(out, value) < 0)
		out->err = MT_ELIMIT;
}

static void put_number(struct buf *out, const char *name, int64_t n)
{
	if (n == EVENT_UNKNOWN)
		return;
	put_name(out, name);
	buf_printf(out, "%" PRId64, n);
}

static void put_time(struct buf *out, const char *name, int64_t t_ms)
{
	if (t_ms == EVENT_UNKNOWN)
		return;
	put_name(out, name);
	buf_add_char(out, '"');
	timefmt_rfc3339(out, t_ms);
	buf_add_char(out, '"');
}

static void begin(struct buf *out, const char *row)
{
	buf_printf(out, "{\"row\":\"%s\"", row);
}

static int end(struct buf *out)
{
	buf_add_z(out, "}\n");
	return out->err ? (int)out->err : 0;
}

static int scope(void *ctx, struct str name)
{
	begin(ctx, "scope");
	put_text(ctx, "name", name);
	return end(ctx);
}

static const char *metric_name(enum metric m)
{
#define SHOW_NAME(id, name, help) [METRIC_##id] = name,
	static const char *const names[] = {METRIC_LIST(SHOW_NAME)};

	return names[m];
}

static const char *dim_name(enum bucket_dim dim)
{
	return dim == DIM_MAILBOX      ? "mailbox provider"
	       : dim == DIM_TAG        ? "category"
	       : dim == DIM_SUBACCOUNT ? "subuser"
	       : dim == DIM_CLASS      ? "bounce classification"
				       : "total";
}

static int counts(void *ctx, const struct sendgrid_counts *c)
{
	char day[16];

	zone_date(c->day, day, sizeof(day));
	begin(ctx, "counts");
	put_text(ctx, "day", str_of(day));
	put_text(ctx, "of", str_of(dim_name(c->dim)));
	put_text(ctx, "key", c->key);
	for (size_t i = 0; i < c->n; i++)
		put_number(ctx, metric_name(c->figures[i].metric), c->figures[i].n);
	return end(ctx);
}

static int event(void *ctx, const struct api_event *e)
{
	static const char *const kinds[API_EVENT__COUNT] = {[API_EVENT_OTHER] = "other",
		[API_EVENT_ACCEPTED] = "accepted",
		[API_EVENT_DELIVERED] = "delivered",
		[API_EVENT_DEFERRED] = "deferred",
		[API_EVENT_BOUNCED] = "bounced",
		[API_EVENT_SUPPRESSED] = "suppressed",
		[API_EVENT_OPENED] = "opened",
		[API_EVENT_CLICKED] = "clicked",
		[API_EVENT_UNSUBSCRIBED] = "unsubscribed",
		[API_EVENT_COMPLAINED] = "complained"};

	begin(ctx, "event");
	put_text(ctx, "kind", str_of(kinds[e->kind]));
	put_time(ctx, "time", e->t_ms);
	put_text(ctx, "id", e->id);
	put_text(ctx, "message", e->message);
	put_text(ctx, "from", e->sender);
	put_text(ctx, "to", e->rcpt);
	put_text(ctx, "subject", e->subject);
	put_number(ctx, "code", e->code);
	put_number(ctx, "dsn", e->dsn ? e->dsn : EVENT_UNKNOWN);
	put_text(ctx, "reply", e->reply);
	return end(ctx);
}

static int suppression(void *ctx, const struct api_suppression *s)
{
	static const char *const lists[API_LIST__COUNT] = {[API_LIST_BOUNCES] = "bounces",
		[API_LIST_COMPLAINTS] = "spam reports",
		[API_LIST_UNSUBSCRIBES] = "unsubscribes",
		[API_LIST_BLOCKS] = "blocks",
		[API_LIST_INVALID] = "invalid"};

	begin(ctx, "suppression");
	put_text(ctx, "list", str_of(lists[s->list]));
	put_text(ctx, "address", s->address);
	put_text(ctx, "code", s->code);
	put_time(ctx, "created", s->created_ms);
	put_text(ctx, "reason", s->reason);
	return end(ctx);
}

static int ip(void *ctx, const struct api_ip *row)
{
	begin(ctx, "ip");
	put_text(ctx, "ip", row->ip);
	put_text(ctx, "rdns", row->rdns);
	put_text(ctx, "pools", row->pools);
	put_text(ctx, "region", row->region);
	put_number(ctx, "warming", row->warming);
	put_time(ctx, "started", row->started_ms);
	return end(ctx);
}

static int account(void *ctx, struct str name, struct str value)
{
	begin(ctx, "account");
	put_text(ctx, "name", name);
	put_text(ctx, "value", value);
	return end(ctx);
}

static int subuser(void *ctx, struct str name, int64_t id)
{
	begin(ctx, "subuser");
	put_text(ctx, "name", name);
	put_number(ctx, "id", id);
	return end(ctx);
}

static int line(void *ctx, const struct sendgrid_event *e)
{
	begin(ctx, "line");
	put_time(ctx, "time", e->t_ms);
	put_text(ctx, "what", e->what);
	put_number(ctx, "try", e->attempt);
	put_text(ctx, "ip", e->ip);
	put_text(ctx, "class", e->class_name);
	put_text(ctx, "text", e->text);
	return end(ctx);
}

int sendgrid_show(struct str body, struct buf *out, struct mt_error *reterr)
{
	struct sendgrid_ask ask = {.endpoint = sendgrid_guess(body)};
	const struct sendgrid_sink sink = {
		scope, counts, event, suppression, ip, account, subuser, line, out};

	if (ask.endpoint == SENDGRID__ENDPOINTS)
		return mt_error_set(
			reterr, MT_EINVAL, "this is no answer of SendGrid's that mtatop reads");
	return sendgrid_parse(&ask, body, &sink, NULL, reterr);
}
