/* SPDX-License-Identifier: MIT */
/*
 * read_totals - the totals of a window and series of one figure, from buckets alone.
 *
 * Does not look at rows, so a filter that buckets do not serve makes the figures unknown, never wrong.
 */
#include "store/read_window.h"

#define MS_PER_S 1000
#define PROVIDERS_MAX 256

/* Which buckets a query's filter leads to. */
struct narrowed {
	enum bucket_dim dim;
	int64_t key;
	bool possible; /* false: no bucket counts that */
};

static int narrow_one(struct reader *r, struct narrowed *out, int *nfilters, struct str text,
	enum dict_kind kind, enum bucket_dim dim, struct mt_error *reterr)
{
	if (!str_present(text))
		return 0;
	(*nfilters)++;
	out->dim = dim;
	return dict_find(
		r, kind, text, &out->key, reterr); /* 0, never met: its buckets are empty */
}

static int narrow(
	struct reader *r, const struct query *q, struct narrowed *out, struct mt_error *reterr)
{
	int n = 0, rc;

	*out = (struct narrowed){.dim = DIM_TOTAL};
	rc = narrow_one(r, out, &n, q->domain, DICT_DOMAIN, DIM_DOMAIN, reterr);
	if (rc == 0)
		rc = narrow_one(r, out, &n, q->sender_domain, DICT_DOMAIN, DIM_SENDER, reterr);
	if (rc == 0)
		rc = narrow_one(r, out, &n, q->relay_host, DICT_RELAY_HOST, DIM_RELAY, reterr);
	if (rc == 0)
		rc = narrow_one(r, out, &n, q->service, DICT_SERVICE, DIM_SERVICE, reterr);
	if (q->code_key != 0) {
		n++;
		out->dim = DIM_CODE;
		out->key = q->code_key;
	}
	if (str_present(q->text) || str_present(q->reply_template) || q->port != 0)
		n = INT16_MAX;
	out->possible = n <= 1;
	return rc;
}

static bool outcome(enum metric metric)
{
	return metric == METRIC_SENT || metric == METRIC_DEFERRED || metric == METRIC_BOUNCED;
}

/* Is the metric counted by this dimension at all? */
static bool counted_by(enum bucket_dim dim, enum metric metric)
{
	if (dim == DIM_TOTAL)
		return true;
	if (dim == DIM_SERVICE)
		return metric == METRIC_CONNECTIONS || metric == METRIC_RECEIVED ||
		       metric == METRIC_REJECTED || metric == METRIC_AUTH_OK ||
		       metric == METRIC_AUTH_FAILED || metric == METRIC_TLS ||
		       metric == METRIC_LOST || metric == METRIC_COUNTED_SESSIONS;
	if (dim == DIM_CODE)
		return outcome(metric) || metric == METRIC_REJECTED;
	return outcome(metric) || metric == METRIC_TLS_OUT || metric == METRIC_HOST_FAILURES ||
	       (dim == DIM_SENDER && metric == METRIC_RECEIVED);
}

static bool window_covered(const struct coverage *c, const struct window *w)
{
	return c->first_ms >= 0 && w->to_s * MS_PER_S > c->first_ms &&
	       w->from_s * MS_PER_S <= c->until_ms;
}

static int add_segment(struct reader *r, const struct segment *seg, const struct narrowed *to,
	int provider, int64_t *n, struct mt_error *reterr)
{
	sqlite3_stmt *stmt;
	int rc = rd_prepare(r, READ_BUCKET_SUMS, &stmt, reterr);

	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, provider);
	rd_bind(stmt, 2, seg->res);
	rd_bind(stmt, 3, to->dim);
	rd_bind(stmt, 4, seg->from_s);
	rd_bind(stmt, 5, seg->to_s);
	while ((rc = rd_step(r, stmt, reterr)) > 0) {
		int64_t metric = rd_id(stmt, 2);

		if (metric >= 0 && metric < METRIC__COUNT && rd_id(stmt, 1) == to->key)
			n[metric] += rd_id(stmt, 3);
	}
	return rc;
}

int read_totals(
	struct reader *r, const struct query *q, struct totals *out, struct mt_error *reterr)
{
	struct totals t = {.window_res_s = RES_MINUTE};
	struct coverage covered;
	struct narrowed to;
	struct window w;
	int rc = coverage_read(r, q->provider, &covered, reterr);

	if (rc == 0)
		rc = window_read(r, q, &w, reterr);
	if (rc == 0)
		rc = narrow(r, q, &to, reterr);
	if (rc < 0)
		return rc;
	t.first_ms = covered.first_ms;
	t.newest_ms = covered.newest_ms;
	t.from_ms = w.from_s * MS_PER_S;
	t.to_ms = w.to_s * MS_PER_S;
	t.window_res_s = w.res_s;
	if (to.possible && window_covered(&covered, &w))
		for (size_t i = 0; rc == 0 && i < w.nseg; i++)
			rc = add_segment(r, &w.seg[i], &to, q->provider, t.n, reterr);
	for (int m = 0; m < METRIC__COUNT; m++)
		if (!to.possible || !window_covered(&covered, &w) ||
			!counted_by(to.dim, (enum metric)m))
			t.n[m] = EVENT_UNKNOWN;
	if (rc < 0)
		return rc;
	*out = t;
	return 0;
}

static int64_t round_up(int64_t t, int64_t step)
{
	return (t + step - 1) / step * step;
}

struct slots slots_of(int64_t from_s, int64_t to_s, size_t nslots, bool minutes_gone)
{
	struct slots s = {.n = nslots, .res = RES_MINUTE};
	int64_t slot_s =
		round_up((to_s - from_s + (int64_t)nslots - 1) / (int64_t)nslots, RES_MINUTE);

	if (slot_s > RES_HOUR || minutes_gone) {
		s.res = RES_HOUR;
		slot_s = round_up(slot_s, RES_HOUR);
		to_s = round_up(to_s, RES_HOUR);
	}
	s.slot_s = slot_s > 0 ? slot_s : RES_MINUTE;
	s.from_s = to_s - (int64_t)nslots * s.slot_s;
	return s;
}

int64_t read_slot_ms(const struct query *q, size_t nslots)
{
	const int64_t minute_ms = RES_MINUTE * MS_PER_S;
	int64_t from_s = q->t0_ms / minute_ms * RES_MINUTE,
		to_s = round_up(q->t1_ms, minute_ms) / MS_PER_S;

	return slots_of(from_s, to_s, nslots, false).slot_s * MS_PER_S;
}

/* Point look-ups: cheaper than a range of all keys, and bounded by nslots times 60. */
static int add_slot(struct reader *r, const struct slots *s, size_t i, int provider,
	const struct narrowed *to, enum metric metric, int64_t *sum, struct mt_error *reterr)
{
	int64_t from_s = s->from_s + (int64_t)i * s->slot_s;

	for (int64_t t_s = from_s; t_s < from_s + s->slot_s; t_s += s->res) {
		sqlite3_stmt *stmt;
		int64_t n = 0;
		int rc = rd_prepare(r, READ_BUCKET_AT, &stmt, reterr);

		if (rc < 0)
			return rc;
		rd_bind(stmt, 1, s->res);
		rd_bind(stmt, 2, to->dim);
		rd_bind(stmt, 3, t_s);
		rd_bind(stmt, 4, provider);
		rd_bind(stmt, 5, to->key);
		rd_bind(stmt, 6, metric);
		rc = rd_int(r, stmt, 0, &n, reterr);
		if (rc < 0)
			return rc;
		*sum += n;
	}
	return 0;
}

static int series(struct reader *r, const struct query *q, const struct narrowed *to,
	enum metric metric, int64_t *out, size_t nslots, struct mt_error *reterr)
{
	struct coverage covered;
	struct window w;
	struct slots s;
	int ids[PROVIDERS_MAX], nids = 0;
	int rc = coverage_read(r, q->provider, &covered, reterr);

	if (rc == 0)
		rc = window_read(r, q, &w, reterr);
	if (rc == 0)
		rc = provider_list(r, q->provider, ids, PROVIDERS_MAX, &nids, reterr);
	if (rc < 0 || nslots == 0)
		return rc;
	s = slots_of(w.from_s, w.to_s, nslots, w.minutes_gone);
	for (size_t i = 0; i < nslots; i++) {
		int64_t from_ms = (s.from_s + (int64_t)i * s.slot_s) * MS_PER_S, sum = 0;

		if (!to->possible || !counted_by(to->dim, metric) || covered.first_ms < 0 ||
			from_ms + s.slot_s * MS_PER_S <= covered.first_ms ||
			from_ms > covered.until_ms) {
			out[i] = EVENT_UNKNOWN;
			continue;
		}
		for (int p = 0; rc == 0 && p < nids; p++)
			rc = add_slot(r, &s, i, ids[p], to, metric, &sum, reterr);
		if (rc < 0)
			return rc;
		out[i] = sum;
	}
	return 0;
}

int read_series(struct reader *r, const struct query *q, enum metric metric, int64_t *out,
	size_t nslots, struct mt_error *reterr)
{
	struct narrowed to;
	int rc = narrow(r, q, &to, reterr);

	return rc < 0 ? rc : series(r, q, &to, metric, out, nslots, reterr);
}

int read_series_key(struct reader *r, const struct query *q, enum bucket_dim dim, int64_t key,
	enum metric metric, int64_t *out, size_t nslots, struct mt_error *reterr)
{
	struct narrowed to = {.dim = dim, .key = key, .possible = true};

	return series(r, q, &to, metric, out, nslots, reterr);
}
