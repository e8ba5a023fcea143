/* SPDX-License-Identifier: MIT */
/*
 * read_totals - the totals of a window and series of one figure, from buckets alone.
 *
 * Does not look at rows, so a filter that buckets do not serve makes the figures unknown, never wrong.
 */
#include "store/read_slots.h"

#define MS_PER_S 1000
#define SHARED_METRICS                                                                             \
	(UINT64_C(1) << METRIC_SENT | UINT64_C(1) << METRIC_DEFERRED |                             \
		UINT64_C(1) << METRIC_BOUNCED | UINT64_C(1) << METRIC_FIRST_TRY)

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
	if (str_present(q->text) || str_present(q->reply_template) || str_present(q->egress) ||
		q->plan || str_present(q->user) || q->port != 0 || q->relay_port != 0 ||
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
		return true; /* the vendors' are told by slots_metrics */
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

/* The metrics that are known: those of the log where a provider with one is looked at, and what vendors count. */
static int known_metrics(struct reader *r, const struct query *q, const struct narrowed *to,
	const struct window *w, uint64_t *ret, struct mt_error *reterr)
{
	struct coverage covered;
	uint64_t local = 0, untold = 0;
	bool vendors;
	int rc = slots_metrics(r, q->provider, w, to->dim, ret, &vendors, reterr);

	if (rc == 0)
		rc = coverage_local(r, q->provider, &covered, reterr);
	if (rc < 0 || !window_covered(&covered, w) ||
		(q->provider ? slots_of_provider(r, q->provider) != NULL
			     : !r->local && r->napi > 0))
		return rc;
	rc = untold_metrics(r, q->provider, &untold, reterr);
	for (int m = 0; m < METRIC_REQUESTS; m++)
		if (counted_by(to->dim, (enum metric)m))
			local |= UINT64_C(1) << m;
	local &= ~untold;
	/* what both count is a figure of all only if every vendor counts it too */
	*ret = vendors ? (local & ~SHARED_METRICS) | *ret : local;
	return rc;
}

static int64_t round_up(int64_t t, int64_t step)
{
	return (t + step - 1) / step * step;
}

/* A slot that is still open ends, for rates, with what was asked for or is known. */
static int64_t open_end(const struct window *w, const struct coverage *c)
{
	int64_t known_ms = round_up(c->until_ms, RES_MINUTE * MS_PER_S),
		asked_ms = w->asked_to_s * MS_PER_S, end_ms = w->to_s * MS_PER_S;

	known_ms = known_ms > asked_ms ? known_ms : asked_ms;
	return known_ms < end_ms ? known_ms : end_ms;
}

int read_totals(
	struct reader *r, const struct query *q, struct totals *out, struct mt_error *reterr)
{
	struct totals t = {.window_res_s = RES_MINUTE};
	struct coverage covered;
	struct narrowed to;
	struct window w;
	uint64_t known = 0;
	int rc = coverage_read(r, q->provider, &covered, reterr);

	if (rc == 0)
		rc = window_read(r, q, &w, reterr);
	if (rc == 0)
		rc = narrow(r, q, &to, reterr);
	if (rc == 0 && to.possible)
		rc = known_metrics(r, q, &to, &w, &known, reterr);
	if (rc < 0)
		return rc;
	t.first_ms = covered.first_ms;
	t.newest_ms = covered.newest_ms;
	t.from_ms = w.from_s * MS_PER_S;
	t.to_ms = w.slot_s ? open_end(&w, &covered) : w.to_s * MS_PER_S;
	t.window_res_s = w.res_s;
	t.slot_s = w.slot_s;
	t.left_out_s = w.left_out_s;
	t.differences = w.differences;
	for (size_t i = 0; rc == 0 && known && i < w.nseg; i++)
		rc = counts_walk(
			r, &w.seg[i], false, to.dim, to.key, q->provider, add_total, t.n, reterr);
	for (int m = 0; m < METRIC__COUNT; m++)
		if (!(known >> m & 1))
			t.n[m] = EVENT_UNKNOWN;
	if (rc < 0)
		return rc;
	*out = t;
	return 0;
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

/* Slots of a vendor's counters go into a series where they fit its slots whole; else their minutes of differences do. */
static bool fits(const struct slots *s, int res)
{
	return s->slot_s % (res - 1) == 0 && (res == RES_SLOT_DAY || s->from_s % (res - 1) == 0);
}

static bool any_fits(const struct reader *r, const struct slots *s)
{
	for (size_t i = 0; i < r->napi; i++)
		if (fits(s, r->api[i].res))
			return true;
	return false;
}

static int add_vendor(struct reader *r, const struct api_info *api, bool several,
	const struct segment *all, const struct narrowed *to, struct series *s,
	struct mt_error *reterr)
{
	struct segment seg = *all;

	if (several && !fits(&s->slots, api->res))
		return 0; /* minutes of differences may be known of a part alone: that would look like a rise */
	seg.res = (enum bucket_resolution)(fits(&s->slots, api->res) ? api->res : RES_DIFFERENCE);
	return counts_walk(r, &seg, false, to->dim, to->key, api->provider, add_slot, s, reterr);
}

/* Slots of a vendor's series that no poll covers whole are unknown. */
static int mask_vendor(struct reader *r, const struct api_info *api, const struct narrowed *to,
	struct series *s, int64_t until_s, struct mt_error *reterr)
{
	bool whole = fits(&s->slots, api->res), known;
	int64_t metrics = (int64_t)api->metrics;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->slots.n; i++) {
		int64_t from_s = s->slots.from_s + (int64_t)i * s->slots.slot_s,
			to_s = from_s + s->slots.slot_s;

		to_s = to_s > until_s ? until_s : to_s;
		if (!whole)
			to_s -= to_s % RES_MINUTE;
		rc = to_s <= from_s ? 0
				    : slots_covered(r, api->provider, whole ? (int)to->dim : -1,
					      from_s, to_s, &known, reterr);
		if (to_s <= from_s || !known || !(metrics >> s->metric & 1))
			s->out[i] = EVENT_UNKNOWN;
	}
	return rc;
}

static void mask_local(struct series *s, const struct coverage *covered, bool known)
{
	for (size_t i = 0; i < s->slots.n; i++) {
		int64_t from_ms = (s->slots.from_s + (int64_t)i * s->slots.slot_s) * MS_PER_S;

		if (!known || covered->first_ms < 0 ||
			from_ms + s->slots.slot_s * MS_PER_S <= covered->first_ms ||
			from_ms > covered->until_ms)
			s->out[i] = EVENT_UNKNOWN;
	}
}

/* shows_vendor - is one of those that count by the hour or day among the providers asked for? */
static bool shows_vendor(const struct reader *r, const struct query *q)
{
	return q->provider ? slots_of_provider(r, q->provider) != NULL : r->napi > 0;
}

static int series(struct reader *r, const struct query *q, const struct narrowed *to,
	enum metric metric, int64_t *out, size_t nslots, struct mt_error *reterr)
{
	struct series s = {.metric = (int)metric, .out = out};
	struct query asked = *q;
	struct coverage covered;
	struct segment seg;
	struct window w;
	int rc = coverage_read(r, q->provider, &covered, reterr);
	bool known = to->possible && (counted_by(to->dim, metric) || to->dim >= DIM_MAILBOX);

	if (rc == 0)
		rc = q->t0_ms || q->t1_ms ? window_of(r, q->t0_ms, q->t1_ms, &w, reterr)
					  : window_read(r, &asked, &w, reterr);
	if (rc == 0)
		rc = slots_load(r, reterr);
	if (rc < 0 || nslots == 0)
		return rc;
	s.slots = slots_of(w.from_s, w.to_s, nslots, w.minutes_gone);
	if (s.slots.slot_s == RES_HOUR &&
		shows_vendor(r, q)) /* whole hours, which its counters fill */
		s.slots = slots_of(w.from_s, w.to_s, nslots, true);
	seg = (struct segment){
		s.slots.res, s.slots.from_s, s.slots.from_s + (int64_t)nslots * s.slots.slot_s};
	memset(out, 0, nslots * sizeof(out[0]));
	if (known)
		rc = counts_walk(
			r, &seg, false, to->dim, to->key, q->provider, add_slot, &s, reterr);
	/* beside providers counted by the minute, only vendors that are in the graph tell which of its slots are known */
	if (rc == 0 && !q->provider && r->local && !any_fits(r, &s.slots))
		rc = coverage_local(r, 0, &covered, reterr);
	for (size_t i = 0; rc == 0 && known && i < r->napi; i++)
		if (!q->provider || r->api[i].provider == q->provider)
			rc = add_vendor(
				r, &r->api[i], !q->provider && r->local, &seg, to, &s, reterr);
	if (rc == 0)
		mask_local(&s, &covered, known);
	if (rc == 0 && q->provider && slots_of_provider(r, q->provider))
		rc = mask_vendor(r, slots_of_provider(r, q->provider), to, &s,
			covered.until_ms / MS_PER_S, reterr);
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
