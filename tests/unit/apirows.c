/* SPDX-License-Identifier: MIT */
/* apirows - see apirows.h. */
#include "tests/unit/apirows.h"

#include "store/base/zone.h"

#include <inttypes.h>

static const char *metric_name(enum metric m)
{
#define APIROWS_NAME(id, name, help) [METRIC_##id] = #id,
	static const char *const names[] = {METRIC_LIST(APIROWS_NAME)};

	return names[m];
}

static const char *dim_name(enum bucket_dim d)
{
	return d == DIM_TOTAL        ? "total"
	       : d == DIM_MAILBOX    ? "mailbox"
	       : d == DIM_TAG        ? "tag"
	       : d == DIM_SUBACCOUNT ? "subaccount"
	       : d == DIM_CLASS      ? "class"
				     : "?";
}

static int scope(void *ctx, struct str name)
{
	return buf_printf(ctx, "scope %.*s\n", STR_ARG(name));
}

static int counts(void *ctx, const struct sendgrid_counts *c)
{
	char date[16];

	zone_date(c->day, date, sizeof(date));
	buf_printf(ctx, "counts %s", dim_name(c->dim));
	if (str_present(c->key))
		buf_printf(ctx, " [%.*s]", STR_ARG(c->key));
	buf_printf(ctx, " %s", date);
	for (size_t i = 0; i < c->n; i++)
		buf_printf(ctx, " %s=%" PRId64, metric_name(c->figures[i].metric), c->figures[i].n);
	return buf_add_char(ctx, '\n');
}

static int event(void *ctx, const struct api_event *e)
{
	return buf_printf(ctx,
		"event %d id=%.*s from=%.*s to=%.*s t=%" PRId64 " code=%d dsn=%d reply=%.*s\n",
		e->kind, STR_ARG(e->id), STR_ARG(e->sender), STR_ARG(e->rcpt), e->t_ms, e->code,
		e->dsn, STR_ARG(e->reply));
}

static int suppression(void *ctx, const struct api_suppression *s)
{
	return buf_printf(ctx,
		"suppression %d [%.*s] %.*s code=%.*s created=%" PRId64 " reason=%.*s\n", s->list,
		STR_ARG(s->scope), STR_ARG(s->address), STR_ARG(s->code), s->created_ms,
		STR_ARG(s->reason));
}

static int ip(void *ctx, const struct api_ip *row)
{
	return buf_printf(ctx,
		"ip %.*s warming=%d started=%" PRId64 " day=%d limit=%" PRId64
		" rdns=%.*s pools=%.*s\n",
		STR_ARG(row->ip), row->warming, row->started_ms, row->day, row->limit,
		STR_ARG(row->rdns), STR_ARG(row->pools));
}

static int account(void *ctx, struct str name, struct str value)
{
	return buf_printf(ctx, "account %.*s=%.*s\n", STR_ARG(name), STR_ARG(value));
}

static int subuser(void *ctx, struct str name, int64_t id)
{
	return buf_printf(ctx, "subuser %.*s %" PRId64 "\n", STR_ARG(name), id);
}

static int line(void *ctx, const struct sendgrid_event *e)
{
	return buf_printf(ctx, "line %" PRId64 " %.*s try=%d ip=%.*s class=%.*s %.*s\n", e->t_ms,
		STR_ARG(e->what), e->attempt, STR_ARG(e->ip), STR_ARG(e->class_name),
		STR_ARG(e->text));
}

struct sendgrid_sink apirows_sink(struct buf *out)
{
	return (struct sendgrid_sink){
		scope, counts, event, suppression, ip, account, subuser, line, out};
}
