/* SPDX-License-Identifier: MIT */
/* read_warmup - what left by the egress of a warm-up plan, by local day; see store_read.h. */
#include "store/bucket.h"
#include "store/read_window.h"
#include "store/warmup.h"

#define MS_PER_S 1000
#define ARENA_MAX_BYTES (1u << 20)
#define EGRESS_PARTS 8 /* bits of the part of egress_key */

struct reading {
	struct reader *r;
	const struct warmup_plan *p;
	struct warmup_day *days;
	size_t n, at; /* at: the day last found */
	struct egress_known *known;
	size_t nknown;
	struct provider_row *providers;
	size_t nproviders;
	/* the last answer of leaves_by */
	int last_provider;
	int64_t last_key, last_since, last_until;
	bool last_answer, met;
	int64_t hour_s, hour_volume; /* the slot under way, over providers */
	struct mt_error *err;
};

int read_egress(struct reader *r, struct arena *a, struct egress_known **ret, size_t *ret_n,
	struct mt_error *reterr)
{
	struct rows rows = {.item = sizeof(struct egress_known)};
	sqlite3_stmt *stmt;
	void *given = NULL;
	int full = 0, rc = rd_prepare(r, READ_EGRESS, &stmt, reterr);

	while (rc == 0 && (rc = rd_step(r, stmt, reterr)) > 0) {
		struct egress_known *row = rows_add(&rows);

		rc = 0;
		if (!row) {
			rc = mt_error_set(reterr, MT_ENOMEM, "not enough memory for the list");
			sqlite3_reset(stmt);
			break;
		}
		*row = (struct egress_known){.provider = (int)rd_id(stmt, 0),
			.tag = give_str(a, rd_str(stmt, 1), &full),
			.since_ms = rd_id(stmt, 2),
			.ip = give_str(a, rd_str(stmt, 3), &full),
			.note = give_str(a, rd_str(stmt, 4), &full)};
	}
	if (rc == 0)
		rc = rows_give(&rows, rows.n, a, &given, ret_n, reterr);
	*ret = given;
	rows_free(&rows);
	return rc == 0 && full < 0 ? arena_full(reterr) : rc;
}

/* The IP of a tag at an instant, and from when to when that holds. */
static struct str ip_at(struct reading *w, int provider, struct str tag, int64_t t_ms)
{
	struct str ip = {NULL, 0};

	w->last_since = INT64_MIN;
	w->last_until = INT64_MAX;
	for (size_t i = 0; i < w->nknown; i++) {
		const struct egress_known *e = &w->known[i];

		if (e->provider != provider || !str_eq(e->tag, tag))
			continue;
		if (e->since_ms <= t_ms) {
			ip = e->ip;
			w->last_since = e->since_ms;
		} else if (e->since_ms < w->last_until) {
			w->last_until = e->since_ms;
		}
	}
	return ip;
}

static struct str provider_name(const struct reading *w, int provider)
{
	for (size_t i = 0; i < w->nproviders; i++)
		if (w->providers[i].id == provider)
			return w->providers[i].name;
	return (struct str){NULL, 0};
}

/* "postfix-out" is the head of "postfix-out/smtp" and of "postfix-out/relay/smtp". */
static bool names_tag(struct str word, struct str tag)
{
	return str_eq(word, tag) ||
	       (tag.n > word.n && tag.p[word.n] == '/' && str_starts(tag, word));
}

/* One of the addresses, which are space separated. */
static bool has_ip(struct str ips, struct str word)
{
	while (ips.n > 0) {
		struct str ip = str_first(ips, str_find_char(ips, ' '));

		if (str_eq(ip, word))
			return true;
		ips = str_skip(ips, ip.n + 1);
	}
	return false;
}

static bool wanted(const struct reading *w, int provider, struct str tag, struct str ip)
{
	for (size_t i = 0; i < w->p->negress; i++) {
		struct str word = str_of(w->p->egress[i]);

		if (names_tag(word, tag) || has_ip(ip, word) ||
			str_eq(word, provider_name(w, provider)))
			return true;
	}
	return false;
}

/* Does what this service sent at t belong to the plan? Keys of one service come together. */
static int leaves_by(struct reading *w, int provider, int64_t service, int64_t t_ms, bool *ret)
{
	struct str tag;
	int rc;

	if (w->last_key == service && w->last_provider == provider && t_ms >= w->last_since &&
		t_ms < w->last_until) {
		*ret = w->last_answer;
		return 0;
	}
	rc = dict_text(w->r, service, &tag, w->err);
	if (rc < 0)
		return rc;
	w->last_key = service;
	w->last_provider = provider;
	w->last_answer = wanted(w, provider, tag, ip_at(w, provider, tag, t_ms));
	*ret = w->last_answer;
	return 0;
}

static struct warmup_day *day_of(struct reading *w, int64_t t_ms)
{
	if (t_ms < w->days[w->at].start_ms)
		w->at = 0;
	while (w->at + 1 < w->n && t_ms >= w->days[w->at].end_ms)
		w->at++;
	return t_ms >= w->days[w->at].start_ms && t_ms < w->days[w->at].end_ms ? &w->days[w->at]
									       : NULL;
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

/* One slot of the log's counts: by egress and mailbox provider, or by gate. */
static int add_slot(
	struct reading *w, enum bucket_dim dim, int provider, int64_t t_s, struct str counts)
{
	struct warmup_day *day = day_of(w, t_s * MS_PER_S);
	struct bucket_iter it = bucket_iter(counts);
	struct bucket_entry e;
	int64_t volume = 0;
	int rc;

	while (day && (rc = bucket_next(&it, &e)) != 0) {
		int part = (int)(e.key & ((1 << EGRESS_PARTS) - 1));
		bool ours = false;

		if (rc < 0)
			return mt_error_set(w->err, MT_ECORRUPT,
				"cache %s: counts that are not ours", w->r->path);
		rc = leaves_by(w, provider, e.key >> EGRESS_PARTS, t_s * MS_PER_S, &ours);
		if (rc < 0)
			return rc;
		if (!ours)
			continue;
		w->met = true;
		if (dim == DIM_GATE) {
			if (part < GATE__COUNT &&
				(!w->p->has_only ||
					gate_mailbox((enum warmup_gate)part) == w->p->only))
				day->signal[part] += e.n;
			continue;
		}
		if (part >= MAILBOX__COUNT || (w->p->has_only && part != (int)w->p->only))
			continue;
		add(&day->all, e.metric, e.n);
		add(&day->box[part], e.metric, e.n);
		volume += e.metric == METRIC_SENT || e.metric == METRIC_BOUNCED ? e.n : 0;
	}
	w->hour_volume = t_s == w->hour_s ? w->hour_volume + volume : volume;
	w->hour_s = t_s;
	if (day && w->hour_volume > day->peak_hour)
		day->peak_hour = w->hour_volume;
	return 0;
}

/* A vendor's counters by sending IP: it does not tell the mailbox provider beside it. */
static int add_vendor_slot(
	struct reading *w, enum bucket_resolution res, int64_t t_s, struct str counts)
{
	int64_t middle = t_s + (res == RES_SLOT_DAY ? 43200 : 0);
	struct warmup_day *day = day_of(w, middle * MS_PER_S);
	struct bucket_iter it = bucket_iter(counts);
	struct bucket_entry e;
	int rc;

	while (day && (rc = bucket_next(&it, &e)) != 0) {
		struct str ip;

		if (rc > 0)
			rc = dict_text(w->r, e.key, &ip, w->err);
		if (rc < 0)
			return rc;
		for (size_t i = 0; i < w->p->negress; i++)
			if (str_eq(ip, str_of(w->p->egress[i]))) {
				w->met = true;
				add(&day->all, e.metric, e.n);
				break;
			}
	}
	return 0;
}

static int read_slots(struct reading *w, enum bucket_resolution res, enum bucket_dim dim)
{
	sqlite3_stmt *stmt;
	int rc = rd_prepare(w->r, READ_BUCKET_SLOTS, &stmt, w->err);

	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, 0);
	rd_bind(stmt, 2, res);
	rd_bind(stmt, 3, dim);
	rd_bind(stmt, 4, w->days[0].start_ms / MS_PER_S);
	rd_bind(stmt, 5, w->days[w->n - 1].end_ms / MS_PER_S);
	while ((rc = rd_step(w->r, stmt, w->err)) > 0) {
		rc = dim == DIM_IP ? add_vendor_slot(w, res, rd_id(stmt, 1), rd_str(stmt, 2))
				   : add_slot(w, dim, (int)rd_id(stmt, 0), rd_id(stmt, 1),
					     rd_str(stmt, 2));
		if (rc < 0) {
			sqlite3_reset(stmt);
			return rc;
		}
	}
	return rc;
}

static int read_days(struct reading *w)
{
	int rc = read_slots(w, RES_HOUR, DIM_EGRESS_MAILBOX);

	if (rc == 0)
		rc = read_slots(w, RES_HOUR, DIM_GATE);
	if (rc == 0 && !w->p->has_only)
		rc = read_slots(w, RES_SLOT_QUARTER, DIM_IP);
	if (rc == 0 && !w->p->has_only)
		rc = read_slots(w, RES_SLOT_HOUR, DIM_IP);
	if (rc == 0 && !w->p->has_only)
		rc = read_slots(w, RES_SLOT_DAY, DIM_IP);
	return rc;
}

int read_warmup(struct reader *r, const struct warmup_plan *p, struct warmup_day *days, size_t n,
	bool *ret_known, struct mt_error *reterr)
{
	struct mt_error local;
	struct reading w = {.r = r,
		.p = p,
		.days = days,
		.n = n,
		.last_key = -1,
		.err = reterr ? reterr : &local};
	struct coverage covered;
	struct arena arena;
	int rc;

	*ret_known = false;
	if (n == 0)
		return 0;
	arena_init(&arena, ARENA_MAX_BYTES);
	rc = read_egress(r, &arena, &w.known, &w.nknown, w.err);
	if (rc == 0)
		rc = read_providers(r, &arena, &w.providers, &w.nproviders, w.err);
	if (rc == 0)
		rc = coverage_read(r, 0, &covered, w.err);
	for (size_t i = 0; rc == 0 && i < n; i++)
		days[i].known = covered.first_ms >= 0 && days[i].end_ms > covered.first_ms;
	if (rc == 0)
		rc = read_days(&w);
	for (size_t i = 0; rc == 0 && i < w.nknown; i++)
		w.met = w.met || wanted(&w, w.known[i].provider, w.known[i].tag, w.known[i].ip);
	*ret_known = w.met;
	arena_done(&arena);
	return rc;
}
