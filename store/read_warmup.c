/* SPDX-License-Identifier: MIT */
/* read_warmup - what left by the egress of a warm-up plan, by local day; see store_read.h. */
#include "store/bucket.h"
#include "store/plan_egress.h"
#include "store/read_slots.h"
#include "store/read_window.h"

#define MS_PER_S 1000
#define EGRESS_PARTS 8 /* bits of the part of egress_key */
#define HALF_DAY_S 43200
#define SOURCES_MAX 64

struct source { /* whose counts were met; days are known as far back as these are */
	int provider;
	int dim; /* of a vendor's counters; -1: of a log */
	bool complaints; /* its counters tell of them */
};

struct reading {
	struct reader *r;
	const struct warmup_plan *p;
	struct warmup_day *days;
	size_t n, at; /* at: the day last found */
	struct plan_egress egress;
	struct source source[SOURCES_MAX];
	size_t nsources;
	int64_t hour_s, hour_volume; /* the hour under way, over providers */
	struct mt_error *err;
};

static struct warmup_day *day_of(struct reading *w, int64_t t_ms)
{
	if (t_ms < w->days[w->at].start_ms)
		w->at = 0;
	while (w->at + 1 < w->n && t_ms >= w->days[w->at].end_ms)
		w->at++;
	return t_ms >= w->days[w->at].start_ms && t_ms < w->days[w->at].end_ms ? &w->days[w->at]
									       : NULL;
}

/* Does a vendor tell of complaints in the counters of a dimension? */
static int tells_complaints(struct reading *w, struct source *s)
{
	sqlite3_stmt *stmt;
	int64_t metrics = 0;
	int rc = s->dim < 0 ? 0 : rd_prepare(w->r, READ_API_METRICS, &stmt, w->err);

	if (rc < 0 || s->dim < 0)
		return rc;
	rd_bind(stmt, 1, s->provider);
	rd_bind(stmt, 2, s->dim);
	rc = rd_int(w->r, stmt, 0, &metrics, w->err);
	s->complaints = (uint64_t)metrics >> METRIC_COMPLAINTS & 1;
	return rc;
}

/* The source of counts, which is one of the plan's from now on; *ret NULL: there are too many. */
static int met(struct reading *w, int provider, int dim, const struct source **ret)
{
	struct source *s = w->source;

	*ret = NULL;
	for (; s < w->source + w->nsources; s++)
		if (s->provider == provider && s->dim == dim) {
			*ret = s;
			return 0;
		}
	if (w->nsources == SOURCES_MAX)
		return 0;
	*s = (struct source){.provider = provider, .dim = dim};
	w->nsources++;
	*ret = s;
	return tells_complaints(w, s);
}

static void add(struct warmup_counts *c, int metric, int64_t n)
{
	if (metric == METRIC_SENT)
		c->sent += n;
	else if (metric == METRIC_BOUNCED)
		c->bounced += n;
	else if (metric == METRIC_DEFERRED)
		c->deferred += n;
}

static void add_hour(struct reading *w, struct warmup_day *day, int64_t t_s, int64_t volume)
{
	int64_t hour_s = t_s - t_s % RES_HOUR;

	w->hour_volume = hour_s == w->hour_s ? w->hour_volume + volume : volume;
	w->hour_s = hour_s;
	if (day && w->hour_volume > day->peak_hour)
		day->peak_hour = w->hour_volume;
}

static bool is_volume(int metric)
{
	return metric == METRIC_SENT || metric == METRIC_BOUNCED;
}

/* A count of the log by egress and mailbox provider, or by gate; *ret_volume grows. */
static void add_count(struct reading *w, struct warmup_day *day, enum bucket_dim dim,
	const struct bucket_entry *e, int64_t *ret_volume)
{
	int part = (int)(e->key & ((1 << EGRESS_PARTS) - 1));
	const struct warmup_plan *p = w->p;

	if (dim == DIM_GATE) {
		if (part < GATE__COUNT &&
			(!p->has_only || gate_mailbox((enum warmup_gate)part) == p->only))
			day->signal[part] += e->n;
		return;
	}
	if (part >= MAILBOX__COUNT || (p->has_only && part != (int)p->only))
		return;
	add(&day->all, e->metric, e->n);
	add(&day->box[part], e->metric, e->n);
	*ret_volume += is_volume(e->metric) ? e->n : 0;
}

/* One slot of the log's counts. */
static int add_slot(
	struct reading *w, enum bucket_dim dim, int provider, int64_t t_s, struct str counts)
{
	struct warmup_day *day = day_of(w, t_s * MS_PER_S);
	struct bucket_iter it = bucket_iter(counts);
	struct bucket_entry e;
	const struct source *source;
	int64_t volume = 0;
	int rc;

	while (day && (rc = bucket_next(&it, &e)) != 0) {
		bool ours = false;

		if (rc < 0)
			return mt_error_set(w->err, MT_ECORRUPT,
				"cache %s: counts that are not ours", w->r->path);
		rc = plan_egress_has(
			&w->egress, provider, e.key >> EGRESS_PARTS, t_s * MS_PER_S, &ours, w->err);
		if (rc == 0 && ours)
			rc = met(w, provider, -1, &source);
		if (rc < 0)
			return rc;
		if (ours)
			add_count(w, day, dim, &e, &volume);
	}
	add_hour(w, day, t_s, volume);
	return 0;
}

/* Is a vendor's count of the plan? By sending IP, or all of a provider that the plan names. */
static int vendor_wants(
	struct reading *w, enum bucket_dim dim, int provider, int64_t key, bool *ret)
{
	bool whole = plan_egress_provider(&w->egress, provider);
	struct str ip;
	int rc = 0;

	*ret = dim == DIM_TOTAL && whole;
	if (dim != DIM_IP || whole)
		return 0;
	rc = dict_text(w->r, key, &ip, w->err);
	*ret = rc == 0 && plan_egress_ip(&w->egress, ip);
	return rc;
}

/* A vendor's counters: it does not tell the mailbox provider beside the IP. */
static int add_vendor_slot(struct reading *w, enum bucket_resolution res, enum bucket_dim dim,
	int provider, int64_t t_s, struct str counts)
{
	int64_t middle = t_s + (res == RES_SLOT_DAY ? HALF_DAY_S : 0);
	struct warmup_day *day = day_of(w, middle * MS_PER_S);
	struct bucket_iter it = bucket_iter(counts);
	struct bucket_entry e;
	int64_t volume = 0;
	int rc;

	while (day && (rc = bucket_next(&it, &e)) != 0) {
		const struct source *source = NULL;
		bool ours = false;

		if (rc < 0)
			return mt_error_set(w->err, MT_ECORRUPT,
				"cache %s: counts that are not ours", w->r->path);
		rc = vendor_wants(w, dim, provider, e.key, &ours);
		if (rc == 0 && ours)
			rc = met(w, provider, (int)dim, &source);
		if (rc < 0)
			return rc;
		if (!ours)
			continue;
		add(&day->all, e.metric, e.n);
		volume += is_volume(e.metric) ? e.n : 0;
		if (!source || !source->complaints)
			continue;
		day->complaints_known = true;
		day->complaints += e.metric == METRIC_COMPLAINTS ? e.n : 0;
		day->complaints_of += e.metric == METRIC_SENT ? e.n : 0;
	}
	if (res != RES_SLOT_DAY)
		add_hour(w, day, t_s, volume);
	return 0;
}

static int read_slots(struct reading *w, enum bucket_resolution res, enum bucket_dim dim)
{
	sqlite3_stmt *stmt;
	int rc = rd_prepare(w->r, READ_BUCKET_SLOTS, &stmt, w->err);

	if (rc < 0)
		return rc;
	w->hour_s = -1;
	rd_bind(stmt, 1, 0);
	rd_bind(stmt, 2, res);
	rd_bind(stmt, 3, dim);
	rd_bind(stmt, 4, w->days[0].start_ms / MS_PER_S);
	rd_bind(stmt, 5, w->days[w->n - 1].end_ms / MS_PER_S);
	while ((rc = rd_step(w->r, stmt, w->err)) > 0) {
		int provider = (int)rd_id(stmt, 0);
		int64_t t_s = rd_id(stmt, 1);

		rc = res == RES_HOUR ? add_slot(w, dim, provider, t_s, rd_str(stmt, 2))
				     : add_vendor_slot(w, res, dim, provider, t_s, rd_str(stmt, 2));
		if (rc < 0) {
			sqlite3_reset(stmt);
			return rc;
		}
	}
	return rc;
}

static int read_days(struct reading *w)
{
	static const enum bucket_resolution slots[] = {
		RES_SLOT_QUARTER, RES_SLOT_HOUR, RES_SLOT_DAY};
	static const enum bucket_dim dims[] = {DIM_IP, DIM_TOTAL};
	int rc = read_slots(w, RES_HOUR, DIM_EGRESS_MAILBOX);

	if (rc == 0)
		rc = read_slots(w, RES_HOUR, DIM_GATE);
	for (size_t i = 0; !w->p->has_only && i < sizeof(slots) / sizeof(slots[0]); i++)
		for (size_t k = 0; rc == 0 && k < sizeof(dims) / sizeof(dims[0]); k++)
			rc = read_slots(w, slots[i], dims[k]);
	return rc;
}

/* Days of which a vendor told nothing. Today's slots are open: its beginning tells. */
static int vendor_knows(struct reading *w, const struct source *s)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < w->n; i++) {
		struct warmup_day *d = &w->days[i];
		int64_t from_s = d->start_ms / MS_PER_S;
		bool covered = false;

		rc = slots_covered(w->r, s->provider, s->dim, from_s,
			i + 1 == w->n ? from_s + 1 : d->end_ms / MS_PER_S, &covered, w->err);
		d->known = d->known && covered;
	}
	return rc;
}

/* Which days are known whole, of all that has counts of the plan; with none of any, of the cache. */
static int known_days(struct reading *w)
{
	int rc = 0;

	if (w->nsources == 0)
		w->source[w->nsources++] = (struct source){.provider = 0, .dim = -1};
	for (size_t k = 0; rc == 0 && k < w->nsources; k++) {
		const struct source *s = &w->source[k];
		struct coverage covered;

		if (s->dim >= 0) {
			rc = vendor_knows(w, s);
			continue;
		}
		rc = coverage_read(w->r, s->provider, &covered, w->err);
		for (size_t i = 0; rc == 0 && i < w->n; i++)
			w->days[i].known = w->days[i].known && covered.first_ms >= 0 &&
					   w->days[i].end_ms > covered.first_ms;
	}
	return rc;
}

int read_warmup(struct reader *r, const struct warmup_plan *p, struct warmup_day *days, size_t n,
	bool *ret_known, struct mt_error *reterr)
{
	struct mt_error local;
	struct reading w = {.r = r, .p = p, .days = days, .n = n, .err = reterr ? reterr : &local};
	int rc;

	*ret_known = false;
	if (n == 0)
		return 0;
	rc = plan_egress_open(r, p, &w.egress, w.err);
	for (size_t i = 0; i < n; i++)
		days[i].known = true;
	if (rc == 0)
		rc = read_days(&w);
	if (rc == 0) {
		*ret_known = w.nsources > 0 || plan_egress_met(&w.egress);
		rc = known_days(&w);
	}
	plan_egress_done(&w.egress);
	return rc;
}
