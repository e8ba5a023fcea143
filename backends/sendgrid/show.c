/* SPDX-License-Identifier: MIT */
/* show - a body as lines of JSON, one a row: what `mtatop --replay sendgrid FILE` prints and the fixtures hold. */
#include "backends/sendgrid/show.h"

#include "backends/api_show.h"
#include "backends/sendgrid/parse.h"

static int scope(void *ctx, struct str name)
{
	api_show_begin(ctx, "scope");
	api_show_text(ctx, "name", name);
	return api_show_end(ctx);
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
	return api_show_counts(ctx, c->day, dim_name(c->dim), c->key, c->figures, c->n);
}

static int ip(void *ctx, const struct api_ip *row)
{
	api_show_begin(ctx, "ip");
	api_show_text(ctx, "ip", row->ip);
	api_show_text(ctx, "rdns", row->rdns);
	api_show_text(ctx, "pools", row->pools);
	api_show_text(ctx, "region", row->region);
	api_show_number(ctx, "warming", row->warming);
	api_show_time(ctx, "started", row->started_ms);
	return api_show_end(ctx);
}

static int subuser(void *ctx, struct str name, int64_t id)
{
	api_show_begin(ctx, "subuser");
	api_show_text(ctx, "name", name);
	api_show_number(ctx, "id", id);
	return api_show_end(ctx);
}

static int line(void *ctx, const struct sendgrid_event *e)
{
	api_show_begin(ctx, "line");
	api_show_time(ctx, "time", e->t_ms);
	api_show_text(ctx, "what", e->what);
	api_show_number(ctx, "try", e->attempt);
	api_show_text(ctx, "ip", e->ip);
	api_show_text(ctx, "class", e->class_name);
	api_show_text(ctx, "text", e->text);
	return api_show_end(ctx);
}

int sendgrid_show(struct str body, struct buf *out, struct mt_error *reterr)
{
	struct sendgrid_ask ask = {.endpoint = sendgrid_guess(body)};
	const struct sendgrid_sink sink = {scope, counts, api_show_event, api_show_suppression, ip,
		api_show_account, subuser, line, out};

	if (ask.endpoint == SENDGRID__ENDPOINTS)
		return mt_error_set(
			reterr, MT_EINVAL, "this is no answer of SendGrid's that mtatop reads");
	return sendgrid_parse(&ask, body, &sink, NULL, reterr);
}
