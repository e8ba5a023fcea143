/* SPDX-License-Identifier: MIT */
/*
 * source_counts - counters: a trailing window asked again and again, since hours still grow and are corrected.
 *
 * An answer of several pages is put into the store whole or not at all, in one batch: hours it leaves out are zero,
 * and that is true of the whole answer only. The account's totals are the sums over its domains.
 */
#include "backends/mailgun/source.h"

#include "store/base/mem.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define TRAILING_MS (3 * HOUR_MS)
#define WIDE_MS (72 * HOUR_MS) /* once a day: late corrections */
#define KEPT_MS (60 * DAY_MS) /* the vendor keeps hours that long */
#define PAGE_ROWS 1000
#define ROWS_MAX 2000000
#define ROWS_ARENA_BYTES (256u << 20)
#define S_MS INT64_C(1000)

static const struct {
	const char *dimension, *cursor;
	enum bucket_dim dim;
} tasks[3] = {{"domain", "metrics", DIM_SENDER}, {"recipient_provider", "providers", DIM_MAILBOX},
	{"ip", "ip_metrics", DIM_IP}};

static int task_of(size_t e)
{
	return e == EP_METRICS ? 0 : e == EP_PROVIDERS ? 1 : 2;
}

static void forget(struct count_task *t)
{
	if (!t->arena.max_bytes)
		arena_init(&t->arena, ROWS_ARENA_BYTES);
	arena_reset(&t->arena);
	t->n = t->odd = 0;
	t->skip = 0;
	t->asked = t->unknown = 0;
	t->range_from_ms = t->range_to_ms = EVENT_UNKNOWN;
	api_pager_init(&t->pager);
}

/* window - from when on figures are asked for. */
static int64_t window(const struct mailgun *m, int64_t counted_ms, int64_t recounted_ms)
{
	int64_t now = api_now_ms(&m->api), back_ms = m->api.env->read_back_ms;
	int64_t from = counted_ms - TRAILING_MS;

	if (counted_ms == 0)
		from = now - (back_ms < 0 || back_ms > KEPT_MS ? KEPT_MS : back_ms);
	else if (now - recounted_ms >= DAY_MS)
		from = from < now - WIDE_MS ? from : now - WIDE_MS;
	if (from > now - TRAILING_MS)
		from = now - TRAILING_MS;
	if (from < now - KEPT_MS)
		from = now - KEPT_MS;
	return from / HOUR_MS * HOUR_MS;
}

int counts_begin(struct mailgun *m, size_t e)
{
	int i = task_of(e);
	struct count_task *t = &m->counts[i];

	if (i > 0 && api_is_off(&m->api, EP_METRICS))
		return -1; /* the same right is missing */
	t->dim = tasks[i].dim;
	t->set = 0;
	t->from_ms = window(m, m->counted_ms[i], m->recounted_ms[i]);
	t->to_ms = (api_now_ms(&m->api) / HOUR_MS + 1) * HOUR_MS;
	forget(t);
	return 0;
}

static json_t *names_of(const char *const *names)
{
	json_t *list = json_array();

	for (; *names; names++)
		json_array_append_new(list, json_string(*names));
	return list;
}

static void add_filter(const struct mailgun *m, json_t *root)
{
	json_t *values = json_array();

	for (size_t i = 0; i < m->only.n; i++)
		json_array_append_new(values, json_pack("{s:s,s:s}", "label", m->only.names[i],
						      "value", m->only.names[i]));
	if (m->only.n)
		json_object_set_new(root, "filter",
			json_pack("{s:[{s:s,s:s,s:o}]}", "AND", "attribute", "domain", "comparator",
				"=", "values", values));
	else
		json_decref(values);
}

int counts_next(struct mailgun *m, size_t e, struct api_request *r, struct mt_error *reterr)
{
	const struct count_task *t = &m->counts[task_of(e)];
	char from[64], to[64];
	json_t *root;
	char *text;
	int rc;

	if (t->set == MAILGUN_METRIC_SETS)
		return 0;
	root = json_pack("{s:s,s:s,s:s,s:[s,s],s:o,s:b,s:b,s:{s:s,s:I,s:i}}", "start",
		mailgun_date(from, t->from_ms).p, "end", mailgun_date(to, t->to_ms).p, "resolution",
		"hour", "dimensions", "time", tasks[task_of(e)].dimension, "metrics",
		names_of(mailgun_metric_set(t->set)), "include_subaccounts", m->subaccounts,
		"include_aggregates", 0, "pagination", "sort", "time:asc", "skip",
		(json_int_t)t->skip, "limit", PAGE_ROWS);
	if (!root)
		return mt_error_set(reterr, MT_ENOMEM, "no memory for a request");
	add_filter(m, root);
	text = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	r->method = HTTP_POST;
	r->headers = m->headers[0] ? m->headers : NULL;
	rc = buf_add_z(r->path, "/v1/analytics/metrics") | buf_add_z(r->body, text ? text : "");
	free(text);
	return rc < 0 ? mt_error_set(reterr, MT_ELIMIT, "too many domains are configured") : 1;
}

static int on_range(void *ctx, const struct mailgun_range *r)
{
	struct count_task *t = ctx;

	if (r->step_ms != HOUR_MS)
		return MT_EPROTO;
	t->range_from_ms = r->from_ms;
	t->range_to_ms = r->to_ms;
	return 0;
}

/* note_unknown - null, or absent though asked for: such a metric of this answer is not to be zeroed anywhere. */
static void note_unknown(struct count_task *t, struct count_row *row)
{
	uint64_t told = 0, asked = t->asked;

	for (size_t i = 0; i < row->n; i++)
		told |= row->figures[i].n < 0 ? 0 : UINT64_C(1) << row->figures[i].metric;
	t->unknown |= asked & ~told;
	for (int metric = 0; metric < METRIC__COUNT && row->n < MAILGUN_FIGURES_MAX; metric++)
		if ((asked & ~told) >> metric & 1) /* in a sum it makes the sum unknown */
			row->figures[row->n++] =
				(struct api_figure){(enum metric)metric, EVENT_UNKNOWN};
}

static int on_counts(void *ctx, const struct mailgun_counts *c)
{
	struct count_task *t = ctx;
	struct count_row *row;

	if (c->dim != t->dim || c->start_ms == EVENT_UNKNOWN || c->start_ms % HOUR_MS) {
		t->odd++;
		return 0;
	}
	if (t->n == ROWS_MAX)
		return MT_ELIMIT;
	if (t->n == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 256;
		t->rows = xrealloc(t->rows, t->cap * sizeof(t->rows[0]));
	}
	row = &t->rows[t->n];
	*row = (struct count_row){.key = arena_str(&t->arena, c->key),
		.start_s = c->start_ms / S_MS,
		.dim = c->dim,
		.n = c->n};
	if (!str_present(row->key))
		return MT_ELIMIT;
	memcpy(row->figures, c->figures, c->n * sizeof(c->figures[0]));
	note_unknown(t, row);
	t->n++;
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct count_row *x = a, *y = b;

	return (x->start_s > y->start_s) - (x->start_s < y->start_s);
}

/* covered - of dim (key: of that alone), the whole hours of the answer. */
static int covered(struct mailgun *m, const struct count_task *t, enum bucket_dim dim,
	struct str key, uint64_t metrics, struct mt_error *reterr)
{
	int64_t from = t->range_from_ms == EVENT_UNKNOWN ? t->from_ms : t->range_from_ms;
	int64_t to = t->range_to_ms == EVENT_UNKNOWN ? t->to_ms : t->range_to_ms;
	struct api_cover c = {.dim = dim,
		.key = key,
		.from_s = (from + HOUR_MS - 1) / HOUR_MS * (HOUR_MS / S_MS),
		.to_s = to / HOUR_MS * (HOUR_MS / S_MS),
		.metrics = metrics & ~t->unknown,
		.fetched_ms = api_now_ms(&m->api)};

	if (c.to_s <= c.from_s || !c.metrics)
		return 0;
	return store_api_covered(api_store(&m->api), api_provider(&m->api), &c, reterr);
}

static int put(struct mailgun *m, struct count_task *t, const struct count_row *row,
	struct mt_error *reterr)
{
	const struct api_slot slot = {.dim = row->dim,
		.key = row->dim == DIM_TOTAL ? (struct str){NULL, 0} : row->key,
		.start_s = row->start_s,
		.length_s = HOUR_MS / S_MS};
	int rc = store_api_counts(
		api_store(&m->api), api_provider(&m->api), &slot, row->figures, row->n, reterr);

	if (rc != MT_EINVAL)
		return rc;
	t->odd++; /* a date no slot has */
	return 0;
}

static void add_to(struct count_row *sum, const struct count_row *row)
{
	for (size_t i = 0; i < row->n; i++) {
		size_t k = 0;

		while (k < sum->n && sum->figures[k].metric != row->figures[i].metric)
			k++;
		if (k == sum->n && k < MAILGUN_FIGURES_MAX)
			sum->figures[sum->n++] = row->figures[i];
		else if (k < sum->n && sum->figures[k].n >= 0)
			sum->figures[k].n = row->figures[i].n < 0
						    ? EVENT_UNKNOWN
						    : sum->figures[k].n + row->figures[i].n;
	}
}

/* put_totals - of each hour the sum over its rows. Sorts them. */
static int put_totals(
	struct mailgun *m, struct count_task *t, uint64_t metrics, struct mt_error *reterr)
{
	int rc = covered(m, t, DIM_TOTAL, (struct str){NULL, 0}, metrics, reterr);

	if (t->n)
		qsort(t->rows, t->n, sizeof(t->rows[0]), by_time);
	for (size_t i = 0, next; i < t->n && rc == 0; i = next) {
		struct count_row sum = {.start_s = t->rows[i].start_s, .dim = DIM_TOTAL};

		for (next = i; next < t->n && t->rows[next].start_s == sum.start_s; next++)
			add_to(&sum, &t->rows[next]);
		rc = put(m, t, &sum, reterr);
	}
	return rc;
}

static int put_all(struct mailgun *m, struct count_task *t, struct mt_error *reterr)
{
	uint64_t metrics = mailgun_metrics_of(t->set);
	int rc = covered(m, t, t->dim, (struct str){NULL, 0}, metrics, reterr);

	for (size_t i = 0; i < t->n && rc == 0; i++)
		rc = put(m, t, &t->rows[i], reterr);
	return rc == 0 && t->dim == DIM_SENDER ? put_totals(m, t, metrics, reterr) : rc;
}

static int finished(struct mailgun *m, int i, struct mt_error *reterr)
{
	int64_t now = api_now_ms(&m->api);
	char name[40];
	int rc;

	if (m->counts[i].from_ms <= now - WIDE_MS || m->counted_ms[i] == 0)
		m->recounted_ms[i] = now;
	m->counted_ms[i] = now;
	rc = mailgun_cursor(m, tasks[i].cursor, now, reterr);
	snprintf(name, sizeof(name), "%s_wide", tasks[i].cursor);
	return rc < 0 ? rc : mailgun_cursor(m, name, m->recounted_ms[i], reterr);
}

/* metrics_refused - what has no metrics has the older stats; a wrong path is a missing right to everyone but us. */
static int metrics_refused(
	struct mailgun *m, size_t e, const struct http_reply *reply, struct mt_error *reterr)
{
	int rc = reply->rc == MT_ENOENT ? MT_EPERM : reply->rc;

	if (e == EP_METRICS && rc == MT_EPERM)
		api_switch_on(&m->api, EP_STATS);
	(void)mailgun_refused(reply,
		e == EP_METRICS && rc == MT_EPERM ? "; the older v3 stats are read instead" : "",
		reterr);
	reterr->code = (enum mt_err)rc;
	return rc;
}

int counts_took(
	struct mailgun *m, size_t e, const struct http_reply *reply, struct mt_error *reterr)
{
	int i = task_of(e), rc;
	struct count_task *t = &m->counts[i];
	struct mailgun_sink sink = {.range = on_range, .counts = on_counts, .ctx = t};
	struct mailgun_ask ask = {.shape = MAILGUN_METRICS};
	struct mailgun_result result;
	char place[32];
	bool more;

	if (reply->rc < 0)
		return metrics_refused(m, e, reply, reterr);
	t->asked = mailgun_metrics_of(t->set);
	if (e == EP_IP_COUNTS)
		t->asked &= ~(UINT64_C(1) << METRIC_REQUESTS); /* the vendor has none by IP */
	rc = mailgun_parse(&ask, reply->body, &sink, &result, reterr);
	if (rc == MT_EPROTO && reterr->code == MT_OK)
		return mt_error_set(reterr, MT_EPROTO,
			"metrics: the answer is not of the hours that were asked for");
	if (rc < 0)
		return rc;
	t->skip += (int64_t)result.rows;
	snprintf(place, sizeof(place), "%lld", (long long)t->skip);
	more = result.total == EVENT_UNKNOWN ? result.rows >= PAGE_ROWS : t->skip < result.total;
	if (more &&
		api_pager_next(&t->pager, result.rows,
			str_make((const char *)&result.mark, sizeof(result.mark)), str_of(place)))
		return 0;
	if (t->pager.stuck)
		return mt_error_set(reterr, MT_EPROTO, "metrics: its pages repeat");
	rc = put_all(m, t, reterr);
	if (rc < 0)
		return rc;
	t->set++;
	forget(t);
	if (t->set < MAILGUN_METRIC_SETS)
		return 0;
	if (e == EP_METRICS) /* all well: the fallback is not needed (any more) */
		api_switch_off(&m->api, EP_STATS, "");
	return finished(m, i, reterr);
}

int stats_begin(struct mailgun *m)
{
	if (!m->domains_known)
		return -1;
	m->stats.dim = DIM_SENDER;
	m->stats.from_ms = window(m, m->stats_counted_ms, api_now_ms(&m->api));
	m->stats.to_ms = api_now_ms(&m->api) / HOUR_MS * HOUR_MS;
	m->at[EP_STATS] = 0;
	forget(&m->stats);
	return 0;
}

int stats_next(struct mailgun *m, struct api_request *r)
{
	if (m->at[EP_STATS] >= m->ndomains)
		return 0;
	r->headers = m->headers[0] ? m->headers : NULL;
	(void)buf_add_z(r->path, "/v3/");
	(void)http_escape(r->path, str_of(m->domains[m->at[EP_STATS]]));
	(void)buf_printf(r->path,
		"/stats/"
		"total?event=accepted&event=delivered&event=failed&event=opened&event=clicked"
		"&event=unsubscribed&event=complained&resolution=hour&start=%lld&end=%lld",
		(long long)(m->stats.from_ms / S_MS), (long long)(m->stats.to_ms / S_MS));
	return 1;
}

/* The metrics that v3 stats know: no processed, no hard and soft bounces, no first tries. */
static uint64_t stats_metrics(void)
{
	return UINT64_C(1) << METRIC_REQUESTS | UINT64_C(1) << METRIC_SENT |
	       UINT64_C(1) << METRIC_DEFERRED | UINT64_C(1) << METRIC_BOUNCED |
	       UINT64_C(1) << METRIC_SUPPRESSED | UINT64_C(1) << METRIC_OPENS |
	       UINT64_C(1) << METRIC_CLICKS | UINT64_C(1) << METRIC_UNSUBSCRIBES |
	       UINT64_C(1) << METRIC_COMPLAINTS;
}

int stats_took(struct mailgun *m, const struct http_reply *reply, struct mt_error *reterr)
{
	struct count_task *t = &m->stats;
	struct mailgun_sink sink = {.range = on_range, .counts = on_counts, .ctx = t};
	struct mailgun_ask ask = {
		.shape = MAILGUN_STATS, .domain = str_of(m->domains[m->at[EP_STATS]])};
	size_t first = t->n;
	int rc;

	if (reply->rc == MT_ENOENT) { /* the domain is gone since */
		m->at[EP_STATS]++;
		return 1;
	}
	if (reply->rc < 0)
		return mailgun_refused(reply, "", reterr);
	t->range_from_ms = t->range_to_ms = EVENT_UNKNOWN;
	t->unknown = 0;
	rc = mailgun_parse(&ask, reply->body, &sink, NULL, reterr);
	if (rc < 0)
		return rc == MT_EPROTO && !reterr->code
			       ? mt_error_set(
					 reterr, rc, "stats: not the hours that were asked for")
			       : rc;
	rc = covered(m, t, DIM_SENDER, ask.domain, stats_metrics(), reterr);
	for (size_t i = first; i < t->n && rc == 0; i++)
		rc = put(m, t, &t->rows[i], reterr);
	m->at[EP_STATS]++;
	return rc;
}

int stats_end(struct mailgun *m, bool complete, struct mt_error *reterr)
{
	int rc;

	if (!complete)
		return 0;
	rc = put_totals(m, &m->stats, stats_metrics(), reterr);
	m->stats_counted_ms = api_now_ms(&m->api);
	return rc < 0 ? rc : mailgun_cursor(m, "stats", m->stats_counted_ms, reterr);
}

void counts_close(struct mailgun *m)
{
	for (int i = 0; i < 3; i++) {
		arena_done(&m->counts[i].arena);
		free(m->counts[i].rows);
	}
	arena_done(&m->stats.arena);
	free(m->stats.rows);
}
