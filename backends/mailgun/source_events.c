/* SPDX-License-Identifier: MIT */
/*
 * source_events - failures: /v1/analytics/logs over the whole account, or where there is none, /v3/{domain}/events.
 *
 * Events come late and out of order, so each round reads again what it read before: the last five minutes, and every
 * ten minutes the last hour. The store knows each by its identity.
 */
#include "backends/mailgun/source.h"

#include <jansson.h>
#include <stdlib.h>

#define HOUR_MS INT64_C(3600000)
#define MINUTE_MS INT64_C(60000)
#define OVERLAP_MS (5 * MINUTE_MS)
#define WIDE_OVERLAP_MS HOUR_MS
#define WIDE_EVERY_MS (10 * MINUTE_MS)
#define KEPT_MS (30 * 24 * HOUR_MS) /* the longest a plan keeps them */
#define LOGS_PAGE 100
#define EVENTS_PAGE 300
#define S_MS INT64_C(1000)

int logs_begin(struct mailgun *m, size_t e)
{
	int64_t now = api_now_ms(&m->api), back_ms = m->api.env->read_back_ms;
	bool wide = now - m->log_wide_ms >= WIDE_EVERY_MS;

	if (e == EP_EVENTS && !m->domains_known)
		return -1;
	m->log_to_ms = now;
	if (m->log_seen_ms == 0)
		m->log_from_ms = now - (back_ms < 0 || back_ms > KEPT_MS ? KEPT_MS : back_ms);
	else
		m->log_from_ms = m->log_seen_ms - (wide ? WIDE_OVERLAP_MS : OVERLAP_MS);
	if (wide)
		m->log_wide_ms = now;
	m->log_newest_ms = m->log_seen_ms;
	m->at[EP_EVENTS] = 0;
	buf_clear(&m->log_place);
	api_pager_init(&m->log_pager);
	return 0;
}

static json_t *events_of(const struct mailgun *m)
{
	json_t *list = json_array();

	for (size_t i = 0; i < m->log_events.n; i++)
		json_array_append_new(list, json_string(m->log_events.names[i]));
	return list;
}

static int logs_body(struct mailgun *m, struct api_request *r, struct mt_error *reterr)
{
	char from[64], to[64];
	json_t *pages = json_pack("{s:s,s:i}", "sort", "timestamp:asc", "limit", LOGS_PAGE);
	json_t *root;
	char *text;
	int rc;

	if (m->log_place.n)
		json_object_set_new(pages, "token", json_stringn(m->log_place.p, m->log_place.n));
	root = json_pack("{s:s,s:s,s:o,s:b,s:o}", "start", mailgun_date(from, m->log_from_ms).p,
		"end", mailgun_date(to, m->log_to_ms).p, "events", events_of(m),
		"include_subaccounts", m->subaccounts, "pagination", pages);
	if (root && m->only.n) {
		json_t *values = json_array();

		for (size_t i = 0; i < m->only.n; i++)
			json_array_append_new(
				values, json_pack("{s:s,s:s}", "label", m->only.names[i], "value",
						m->only.names[i]));
		json_object_set_new(root, "filter",
			json_pack("{s:[{s:s,s:s,s:o}]}", "AND", "attribute", "domain", "comparator",
				"=", "values", values));
	}
	text = root ? json_dumps(root, JSON_COMPACT) : NULL;
	json_decref(root);
	rc = text ? buf_add_z(r->body, text) : MT_ENOMEM;
	free(text);
	return rc < 0 ? mt_error_set(reterr, MT_ELIMIT, "logs: the request is too long") : 1;
}

static int events_path(struct mailgun *m, struct api_request *r)
{
	const char *domain = m->domains[m->at[EP_EVENTS]];
	struct buf list;

	if (m->log_place.n)
		return buf_add_str(r->path, buf_str(&m->log_place)) < 0 ? MT_ELIMIT : 1;
	buf_init(&list, 1024);
	for (size_t i = 0; i < m->log_events.n; i++)
		(void)buf_printf(&list, "%s%s", i ? " OR " : "", m->log_events.names[i]);
	(void)buf_add_z(r->path, "/v3/");
	(void)http_escape(r->path, str_of(domain));
	(void)buf_printf(r->path, "/events?begin=%lld&ascending=yes&limit=%d&event=",
		(long long)(m->log_from_ms / S_MS), EVENTS_PAGE);
	(void)http_escape(r->path, str_make(buf_z(&list), list.n));
	buf_done(&list);
	return 1;
}

int logs_next(struct mailgun *m, size_t e, struct api_request *r, struct mt_error *reterr)
{
	r->headers = m->headers[0] ? m->headers : NULL;
	if (e == EP_EVENTS)
		return m->at[EP_EVENTS] >= m->ndomains ? 0 : events_path(m, r);
	if (m->log_pager.pages && m->log_place.n == 0)
		return 0;
	r->method = HTTP_POST;
	(void)buf_add_z(r->path, "/v1/analytics/logs");
	return logs_body(m, r, reterr);
}

struct place { /* of the next page */
	struct mailgun *m;
	struct mailgun_sink rows;
	struct buf token;
};

static int on_event(void *ctx, const struct api_event *event)
{
	struct place *p = ctx;

	return p->rows.event(p->rows.ctx, event);
}

static int on_next(void *ctx, struct str place)
{
	struct place *p = ctx;

	buf_clear(&p->token);
	return buf_add_str(&p->token, place);
}

/* next_place - where the events of a domain go on: on the base, and within that domain's events alone. */
static int next_place(
	struct mailgun *m, const char *domain, struct str url, struct mt_error *reterr)
{
	struct buf prefix;
	int rc;

	buf_init(&prefix, HTTP_PATH_MAX_BYTES);
	(void)buf_add_z(&prefix, "/v3/");
	(void)http_escape(&prefix, str_of(domain));
	(void)buf_add_z(&prefix, "/events/");
	rc = http_reroot(url, str_make(buf_z(&prefix), prefix.n), &m->log_place, reterr);
	buf_done(&prefix);
	return rc;
}

/* page_over - where to go on after a page of nrows. */
static int page_over(struct mailgun *m, size_t e, const struct mailgun_result *result,
	struct str token, struct mt_error *reterr)
{
	struct str mark = str_make((const char *)&result->mark, sizeof(result->mark));
	bool more = api_pager_next(&m->log_pager, result->rows, mark, token);

	if (m->log_pager.stuck)
		return mt_error_set(reterr, MT_EPROTO, "the pages of events repeat");
	buf_clear(&m->log_place);
	if (more && e == EP_LOGS)
		return buf_add_str(&m->log_place, token);
	if (more)
		return next_place(m, m->domains[m->at[e]], token, reterr);
	if (e == EP_EVENTS) {
		m->at[e]++;
		api_pager_init(&m->log_pager);
	}
	return 0;
}

int logs_took(struct mailgun *m, size_t e, const struct http_reply *reply, struct mt_error *reterr)
{
	struct place p = {.m = m, .rows = mailgun_rows(m)};
	struct mailgun_sink sink = {.event = on_event, .next = on_next, .ctx = &p};
	struct mailgun_ask ask = {.shape = e == EP_LOGS ? MAILGUN_LOGS : MAILGUN_EVENTS};
	struct mailgun_result result;
	int rc;

	if (reply->rc < 0 && e == EP_LOGS && (reply->rc == MT_EPERM || reply->rc == MT_ENOENT)) {
		api_switch_on(&m->api, EP_EVENTS);
		(void)mailgun_refused(reply, "; the older events are read instead", reterr);
		reterr->code = MT_EPERM; /* of this key, whatever the status */
		return MT_EPERM;
	}
	if (reply->rc == MT_ENOENT) {
		m->at[e]++;
		return 1;
	}
	if (reply->rc < 0)
		return mailgun_refused(reply, "", reterr);
	if (e == EP_EVENTS)
		ask.domain = str_of(m->domains[m->at[e]]);
	buf_init(&p.token, HTTP_PATH_MAX_BYTES);
	rc = mailgun_parse(&ask, reply->body, &sink, &result, reterr);
	if (rc == 0 && result.newest_ms > m->log_newest_ms)
		m->log_newest_ms = result.newest_ms;
	if (rc == 0)
		rc = page_over(m, e, &result, buf_str(&p.token), reterr);
	/* In order of time: what is behind this page need not be read again after a restart. */
	if (rc == 0 && e == EP_LOGS && m->log_newest_ms > m->log_seen_ms &&
		m->log_newest_ms < m->log_to_ms)
		rc = mailgun_cursor(m, "logs", m->log_newest_ms, reterr);
	buf_done(&p.token);
	return rc;
}

int logs_end(struct mailgun *m, bool complete, struct mt_error *reterr)
{
	if (!complete)
		return 0;
	m->log_seen_ms = m->log_to_ms;
	return mailgun_cursor(m, "logs", m->log_seen_ms, reterr);
}
