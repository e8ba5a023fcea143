/* SPDX-License-Identifier: MIT */
/*
 * replay - a body as JSON lines, for `mtatop --replay mailgun FILE` and the fixtures.
 *
 * The body's shape is told by its look, or by a first line "# SHAPE [DOMAIN|IP]" (SHAPE as in mailgun_shape_name).
 */
#include "backends/mailgun/mailgun.h"

#include "backends/mailgun/parse.h"
#include "store/base/scan.h"
#include "store/base/timefmt.h"
#include "store/base/utf8.h"

static const char *const dim_names[DIM__COUNT] = {[DIM_TOTAL] = "total",
	[DIM_SENDER] = "domain",
	[DIM_DOMAIN] = "recipient_domain",
	[DIM_MAILBOX] = "recipient_provider",
	[DIM_IP] = "ip",
	[DIM_TAG] = "tag",
	[DIM_SUBACCOUNT] = "subaccount"};
static const char *const kind_names[API_EVENT__COUNT] = {"other", "accepted", "delivered",
	"deferred", "bounced", "suppressed", "opened", "clicked", "unsubscribed", "complained"};
static const char *const list_names[API_LIST__SUPPRESSIONS] = {
	"bounces", "complaints", "unsubscribes", "allow", "blocks", "invalid"};
#define METRIC_NAME(id, name, help) [METRIC_##id] = name,
static const char *const metric_names[METRIC__COUNT] = {METRIC_LIST(METRIC_NAME)};

static void text(struct buf *b, const char *key, struct str value)
{
	if (!value.n)
		return;
	(void)buf_printf(b, ",\"%s\":", key);
	(void)utf8_json(b, value);
}

static void number(struct buf *b, const char *key, int64_t n)
{
	if (n != EVENT_UNKNOWN)
		(void)buf_printf(b, ",\"%s\":%lld", key, (long long)n);
}

static void when(struct buf *b, const char *key, int64_t ms)
{
	if (ms == EVENT_UNKNOWN)
		return;
	(void)buf_printf(b, ",\"%s\":\"", key);
	timefmt_rfc3339(b, ms);
	(void)buf_add_char(b, '"');
}

static int on_range(void *ctx, const struct mailgun_range *r)
{
	struct buf *b = ctx;

	(void)buf_add_z(b, "{\"row\":\"range\"");
	when(b, "from", r->from_ms);
	when(b, "to", r->to_ms);
	number(b, "step_s", r->step_ms / 1000);
	return buf_add_z(b, "}\n");
}

static int on_counts(void *ctx, const struct mailgun_counts *c)
{
	struct buf *b = ctx;

	(void)buf_printf(b, "{\"row\":\"counts\",\"by\":\"%s\"",
		dim_names[c->dim] ? dim_names[c->dim] : "?");
	text(b, "key", c->key);
	when(b, "time", c->start_ms);
	for (size_t i = 0; i < c->n; i++)
		if (c->figures[i].n < 0)
			(void)buf_printf(b, ",\"%s\":null", metric_names[c->figures[i].metric]);
		else
			number(b, metric_names[c->figures[i].metric], c->figures[i].n);
	return buf_add_z(b, "}\n");
}

static int on_event(void *ctx, const struct api_event *e)
{
	struct buf *b = ctx;

	(void)buf_printf(b, "{\"row\":\"event\",\"kind\":\"%s\"", kind_names[e->kind]);
	when(b, "time", e->t_ms);
	text(b, "id", e->id);
	text(b, "message", e->message);
	text(b, "message_id", e->header_id);
	text(b, "from", e->sender);
	text(b, "to", e->rcpt);
	text(b, "subject", e->subject);
	number(b, "code", e->code);
	if (e->dsn)
		(void)buf_printf(b, ",\"dsn\":\"%d.%d.%d\"", e->dsn / 1000000, e->dsn / 1000 % 1000,
			e->dsn % 1000);
	text(b, "reply", e->reply);
	text(b, "relay", e->relay);
	text(b, "ip", e->egress);
	text(b, "subaccount", e->user);
	number(b, "attempt", e->attempt);
	number(b, "size", e->size_bytes);
	number(b, "session_ms", e->session_ms);
	return buf_add_z(b, "}\n");
}

static int on_suppression(void *ctx, const struct api_suppression *s)
{
	struct buf *b = ctx;

	(void)buf_printf(b, "{\"row\":\"suppression\",\"list\":\"%s\"", list_names[s->list]);
	text(b, "domain", s->scope);
	text(b, "address", s->address);
	text(b, "code", s->code);
	text(b, "reason", s->reason);
	when(b, "created", s->created_ms);
	return buf_add_z(b, "}\n");
}

static int on_domain(void *ctx, const struct api_domain *d)
{
	struct buf *b = ctx;

	(void)buf_add_z(b, "{\"row\":\"domain\"");
	text(b, "name", d->name);
	text(b, "state", d->state);
	text(b, "subaccount", d->subaccount);
	text(b, "disabled", d->disabled);
	number(b, "dns_valid", d->dns_valid);
	number(b, "dns_invalid", d->dns_invalid);
	number(b, "dns_unknown", d->dns_unknown);
	text(b, "dns_wrong", d->dns_wrong);
	number(b, "queue_disabled", d->queue_disabled);
	text(b, "queue_reason", d->queue_reason);
	when(b, "queue_until", d->queue_until_ms);
	return buf_add_z(b, "}\n");
}

static int on_ip(void *ctx, const struct api_ip *ip)
{
	struct buf *b = ctx;

	(void)buf_add_z(b, "{\"row\":\"ip\"");
	text(b, "ip", ip->ip);
	text(b, "rdns", ip->rdns);
	text(b, "pools", ip->pools);
	number(b, "dedicated", ip->dedicated);
	number(b, "warming", ip->warming);
	number(b, "stage", ip->stage);
	number(b, "stages", ip->stages);
	number(b, "limit", ip->limit);
	number(b, "hourly_limit", ip->hourly_limit);
	number(b, "percent", ip->percent);
	when(b, "started", ip->started_ms);
	when(b, "stage_started", ip->stage_started_ms);
	return buf_add_z(b, "}\n");
}

static int on_account(void *ctx, struct str name, struct str value)
{
	struct buf *b = ctx;

	(void)buf_add_z(b, "{\"row\":\"account\"");
	text(b, "name", name);
	text(b, "value", value);
	return buf_add_z(b, "}\n");
}

static int on_next(void *ctx, struct str place)
{
	struct buf *b = ctx;

	(void)buf_add_z(b, "{\"row\":\"next\"");
	text(b, "place", place);
	return buf_add_z(b, "}\n");
}

/* ask_of - the first line, when it is one of ours; taken from *body. */
static struct mailgun_ask ask_of(struct str *body)
{
	struct mailgun_ask ask = {.shape = MAILGUN__SHAPES};
	struct str line = str_first(*body, str_find_char(*body, '\n')), word = {NULL, 0};

	if (!str_starts(line, STR_LIT("# "))) {
		ask.shape = mailgun_guess(*body);
		return ask;
	}
	*body = str_skip(*body, line.n + 1);
	line = str_trim(str_skip(line, 2));
	if (scan_word(&line, &word))
		ask.shape = mailgun_shape_of(word);
	ask.domain = ask.ip = str_trim(line);
	return ask;
}

int mailgun_replay(struct str body, struct buf *out, struct mt_error *reterr)
{
	const struct mailgun_sink sink = {on_range, on_counts, on_event, on_suppression, on_domain,
		on_ip, on_account, on_next, out};
	struct mailgun_ask ask = ask_of(&body);
	struct mailgun_result result;
	int rc;

	if (ask.shape == MAILGUN__SHAPES)
		return mt_error_set(reterr, MT_EINVAL,
			"this looks like no answer of Mailgun; begin it with a line such as: # "
			"bounces example.com");
	rc = mailgun_parse(&ask, body, &sink, &result, reterr);
	if (rc == 0 && result.odd)
		(void)buf_printf(out, "{\"row\":\"odd\",\"n\":%zu}\n", result.odd);
	return rc == 0 && out->err ? mt_error_set(reterr, MT_ELIMIT, "too much to print") : rc;
}
