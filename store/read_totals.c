/* SPDX-License-Identifier: MIT */
/*
 * read_totals - the totals of a window and series of one figure, from buckets alone.
 *
 * Does not look at rows, so a filter that buckets do not serve makes the figures unknown, never wrong.
 */
#include "store/read_window.h"

#define MS_PER_S 1000

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
	if (str_present(q->text) || str_present(q->reply_template) || str_present(q->user) ||
		q->port != 0 || q->relay_port != 0 ||
		str_find(q->service, STR_LIT(", ")) < q->service.n)
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

static int add_total(void *ctx, int64_t t_s, int metric, int64_t n)
{
	(void)t_s;
	if (metric < METRIC__COUNT)
		((int64_t *)ctx)[metric] += n;
	return 0;
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
			rc = counts_walk(r, &w.seg[i], false, to.dim, to.key, q->provider,
				add_total, t.n, reterr);
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

struct series {
	struct slots slots;
	int metric;
	int64_t *out;
};

static int add_slot(void *ctx, int64_t t_s, int metric, int64_t n)
{
	struct series *s = ctx;

	if (metric == s->metric)
		s->out[(t_s - s->slots.from_s) / s->slots.slot_s] += n;
	return 0;
}

static int series(struct reader *r, const struct query *q, const struct narrowed *to,
	enum metric metric, int64_t *out, size_t nslots, struct mt_error *reterr)
{
	struct series s = {.metric = (int)metric, .out = out};
	struct coverage covered;
	struct segment seg;
	struct window w;
	int rc = coverage_read(r, q->provider, &covered, reterr);
	bool known = to->possible && counted_by(to->dim, metric);

	if (rc == 0)
		rc = window_read(r, q, &w, reterr);
	if (rc < 0 || nslots == 0)
		return rc;
	s.slots = slots_of(w.from_s, w.to_s, nslots, w.minutes_gone);
	seg = (struct segment){
		s.slots.res, s.slots.from_s, s.slots.from_s + (int64_t)nslots * s.slots.slot_s};
	memset(out, 0, nslots * sizeof(out[0]));
	if (known)
		rc = counts_walk(
			r, &seg, false, to->dim, to->key, q->provider, add_slot, &s, reterr);
	for (size_t i = 0; rc == 0 && i < nslots; i++) {
		int64_t from_ms = (seg.from_s + (int64_t)i * s.slots.slot_s) * MS_PER_S;

		if (!known || covered.first_ms < 0 ||
			from_ms + s.slots.slot_s * MS_PER_S <= covered.first_ms ||
			from_ms > covered.until_ms)
			out[i] = EVENT_UNKNOWN;
	}
	return rc;
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
