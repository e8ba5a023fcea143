/* SPDX-License-Identifier: MIT */
/* api_show - see api_show.h. */
#include "backends/api_show.h"

#include "store/base/timefmt.h"
#include "store/base/utf8.h"
#include "store/base/zone.h"

#include <inttypes.h>

static void put_name(struct buf *out, const char *name)
{
	buf_printf(out, ",\"%s\":", name);
}

void api_show_text(struct buf *out, const char *name, struct str value)
{
	if (!str_present(value))
		return;
	put_name(out, name);
	if (utf8_json(out, value) < 0)
		out->err = MT_ELIMIT;
}

void api_show_number(struct buf *out, const char *name, int64_t n)
{
	if (n == EVENT_UNKNOWN)
		return;
	put_name(out, name);
	buf_printf(out, "%" PRId64, n);
}

void api_show_time(struct buf *out, const char *name, int64_t t_ms)
{
	if (t_ms == EVENT_UNKNOWN)
		return;
	put_name(out, name);
	buf_add_char(out, '"');
	timefmt_rfc3339(out, t_ms);
	buf_add_char(out, '"');
}

void api_show_begin(struct buf *out, const char *row)
{
	buf_printf(out, "{\"row\":\"%s\"", row);
}

int api_show_end(struct buf *out)
{
	buf_add_z(out, "}\n");
	return out->err ? (int)out->err : 0;
}

static const char *metric_name(enum metric m)
{
#define SHOW_NAME(id, name, help) [METRIC_##id] = name,
	static const char *const names[] = {METRIC_LIST(SHOW_NAME)};

	return names[m];
}

int api_show_counts(struct buf *out, int64_t day, const char *of, struct str key,
	const struct api_figure *figures, size_t n)
{
	char date[16];

	zone_date(day, date, sizeof(date));
	api_show_begin(out, "counts");
	api_show_text(out, "day", str_of(date));
	api_show_text(out, "of", str_of(of));
	api_show_text(out, "key", key);
	for (size_t i = 0; i < n; i++)
		api_show_number(out, metric_name(figures[i].metric), figures[i].n);
	return api_show_end(out);
}

int api_show_event(void *ctx, const struct api_event *e)
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

	api_show_begin(ctx, "event");
	api_show_text(ctx, "kind", str_of(kinds[e->kind]));
	api_show_time(ctx, "time", e->t_ms);
	api_show_text(ctx, "id", e->id);
	api_show_text(ctx, "message", e->message);
	api_show_text(ctx, "from", e->sender);
	api_show_text(ctx, "to", e->rcpt);
	api_show_text(ctx, "subject", e->subject);
	api_show_number(ctx, "code", e->code);
	api_show_number(ctx, "dsn", e->dsn ? e->dsn : EVENT_UNKNOWN);
	api_show_text(ctx, "reply", e->reply);
	return api_show_end(ctx);
}

int api_show_suppression(void *ctx, const struct api_suppression *s)
{
	static const char *const lists[API_LIST__COUNT] = {[API_LIST_BOUNCES] = "bounces",
		[API_LIST_COMPLAINTS] = "spam reports",
		[API_LIST_UNSUBSCRIBES] = "unsubscribes",
		[API_LIST_BLOCKS] = "blocks",
		[API_LIST_INVALID] = "invalid"};

	api_show_begin(ctx, "suppression");
	api_show_text(ctx, "list", str_of(lists[s->list]));
	api_show_text(ctx, "address", s->address);
	api_show_text(ctx, "code", s->code);
	api_show_time(ctx, "created", s->created_ms);
	api_show_text(ctx, "reason", s->reason);
	return api_show_end(ctx);
}

int api_show_account(void *ctx, struct str name, struct str value)
{
	api_show_begin(ctx, "account");
	api_show_text(ctx, "name", name);
	api_show_text(ctx, "value", value);
	return api_show_end(ctx);
}
