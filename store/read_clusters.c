/* SPDX-License-Identifier: MIT */
/*
 * read_clusters - failures and refusals grouped by signature and by why (table cluster), and by where they were to go:
 * counts from buckets. A filter that buckets do not serve: read_clusters_rows.c.
 */
#include "store/read_clusters.h"

#include "store/reply.h"

#include <stdlib.h>

#define MS_PER_S 1000

enum { COL_DEFERRED, COL_BOUNCED, COL_REJECTED, COLS };
static const enum metric metrics[COLS] = {METRIC_DEFERRED, METRIC_BOUNCED, METRIC_REJECTED};

static int no_memory(struct clusters *c)
{
	return mt_error_set(c->reterr, MT_ENOMEM, "not enough memory for the errors");
}

static enum bucket_dim dim_of(enum cluster_by by)
{
	return by == CLUSTER_DESTINATION ? DIM_DOMAIN
	       : by == CLUSTER_EGRESS    ? DIM_EGRESS
	       : by == CLUSTER_SENDER    ? DIM_SENDER
					 : DIM_CLUSTER;
}

int64_t clusters_key(const struct cluster_info *info, enum cluster_by by)
{
	switch (by) {
	case CLUSTER_SIGNATURE:
		return info->reply * 2 + info->refusal;
	case CLUSTER_CLASS:
		return explain_class(info->category);
	case CLUSTER_CAUSE:
		return info->cause;
	case CLUSTER_SIDE:
		return info->side;
	case CLUSTER_STAGE:
		return info->stage;
	case CLUSTER_MAILBOX:
		return info->refusal ? CLUSTER_OWN_DOOR : info->mailbox;
	case CLUSTER_DESTINATION:
	case CLUSTER_EGRESS:
	case CLUSTER_SENDER:
	case CLUSTER__COUNT:
	default:
		return 0;
	}
}

struct cluster_group *clusters_at(const struct clusters *c, int64_t number)
{
	return &((struct cluster_group *)(void *)c->groups.p)[number];
}

int64_t clusters_group(struct clusters *c, int64_t key, bool make)
{
	struct str name = {(const char *)&key, sizeof(key)};
	struct cluster_group *g;
	uint64_t at;

	if (map_get(&c->index, name, &at))
		return (int64_t)at - 1;
	g = make ? rows_add(&c->groups) : NULL;
	if (!g)
		return -1;
	g->row = (struct cluster_row){.key = key,
		.before = EVENT_UNKNOWN,
		.first_ms = EVENT_UNKNOWN,
		.last_ms = EVENT_UNKNOWN,
		.ndomains = EVENT_UNKNOWN,
		.negress = EVENT_UNKNOWN};
	map_set(&c->index, name, c->groups.n);
	return (int64_t)c->groups.n - 1;
}

int clusters_join(struct clusters *c, struct cluster_info *info)
{
	const struct query *q = c->q;

	info->group = -1;
	if (q->errors_by &&
		clusters_key(info, (enum cluster_by)(q->errors_by - 1)) != q->errors_key)
		return 0;
	if (q->code_key && info->code != q->code_key)
		return 0;
	info->group = clusters_group(c, clusters_key(info, c->by), true);
	return info->group < 0 ? no_memory(c) : 0;
}

static void widen(struct cluster_row *row, const struct cluster_info *info)
{
	if (info->first_ms >= 0 && (row->first_ms < 0 || info->first_ms < row->first_ms))
		row->first_ms = info->first_ms;
	if (info->last_ms > row->last_ms)
		row->last_ms = info->last_ms;
}

void clusters_add(
	struct cluster_group *g, struct cluster_info *info, const struct cluster_counts *n)
{
	int64_t sum = n->deferred + n->bounced + n->rejected;

	g->row.n += sum;
	g->row.deferred += n->deferred;
	g->row.bounced += n->bounced;
	g->row.rejected += n->rejected;
	if (!info)
		return;
	widen(&g->row, info);
	g->row.nclusters += info->n == 0;
	info->n += sum;
	if (info->n < g->best || (info->n == g->best && info->reply >= g->reply))
		return;
	g->best = info->n;
	g->reply = info->reply;
	g->relay = info->relay;
	g->args = info->args;
	g->row.code = info->code;
	g->row.stage = info->stage;
	g->row.category = info->category;
	g->row.cause = info->cause;
	g->row.side = info->side;
	g->row.refusal = info->refusal;
	g->row.suppressed = info->suppressed;
	g->row.rule = info->rule;
}

/* Written by a newer version: counted, its reason unknown. */
static struct cluster_info unreadable(const struct cluster_info *info)
{
	struct cluster_info out = *info;

	out.category = CATEGORY_UNKNOWN;
	out.cause = CAUSE_UNKNOWN;
	out.side = SIDE_UNKNOWN;
	out.stage = STAGE_NONE;
	return out;
}

static int read_info(struct clusters *c, int64_t id, struct cluster_info *out)
{
	sqlite3_stmt *stmt;
	int rc = rd_prepare(c->r, READ_CLUSTER, &stmt, c->reterr);

	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, id);
	rc = rd_step(c->r, stmt, c->reterr);
	if (rc <= 0)
		return rc;
	*out = (struct cluster_info){.id = id,
		.reply = rd_id(stmt, 0),
		.code = rd_id(stmt, 1),
		.stage = (enum smtp_stage)rd_id(stmt, 2),
		.refusal = rd_id(stmt, 3) != 0,
		.mailbox = rd_id(stmt, 4),
		.relay = rd_id(stmt, 5),
		.first_ms = rd_num(stmt, 7),
		.last_ms = rd_num(stmt, 8),
		.category = (enum explain_category)rd_id(stmt, 10),
		.cause = (enum explain_cause)rd_id(stmt, 11),
		.side = (enum explain_side)rd_id(stmt, 12),
		.suppressed = rd_id(stmt, 13) != 0};
	rc = 0;
	out->args = give_str(c->a, rd_str(stmt, 6), &rc);
	out->rule = give_str(c->a, rd_str(stmt, 9), &rc);
	sqlite3_reset(stmt);
	if ((unsigned)out->category >= CATEGORY__COUNT || (unsigned)out->cause >= CAUSE__COUNT ||
		(unsigned)out->side >= SIDE__COUNT || (unsigned)out->stage >= STAGE__COUNT)
		*out = unreadable(out);
	return rc < 0 ? arena_full(c->reterr) : 1;
}

/* The signature of an id, its group joined; *ret NULL when it is gone. */
static int info_of(struct clusters *c, int64_t id, struct cluster_info **ret)
{
	struct str name = {(const char *)&id, sizeof(id)};
	struct cluster_info info, *kept;
	uint64_t at;
	int rc;

	*ret = NULL;
	if (map_get(&c->info_of, name, &at)) {
		*ret = at ? &((struct cluster_info *)(void *)c->infos.p)[at - 1] : NULL;
		return 0;
	}
	rc = read_info(c, id, &info);
	if (rc == 0)
		map_set(&c->info_of, name, 0);
	if (rc <= 0)
		return rc;
	rc = clusters_join(c, &info);
	kept = rc == 0 ? rows_add(&c->infos) : NULL;
	if (!kept)
		return rc < 0 ? rc : no_memory(c);
	*kept = info;
	map_set(&c->info_of, name, c->infos.n);
	*ret = kept;
	return 0;
}

enum into { INTO_WINDOW, INTO_BEFORE, INTO_TREND };

static int put(struct clusters *c, const struct sum_row *sum, enum into into, int slot)
{
	struct cluster_info *info = NULL;
	int64_t number;
	struct cluster_group *g;
	struct cluster_counts n = {sum->n[COL_DEFERRED] > 0 ? sum->n[COL_DEFERRED] : 0,
		sum->n[COL_BOUNCED] > 0 ? sum->n[COL_BOUNCED] : 0,
		sum->n[COL_REJECTED] > 0 ? sum->n[COL_REJECTED] : 0};
	int rc = 0;

	if (c->by >= CLUSTER_DESTINATION) {
		n.rejected = 0;
		number = n.deferred + n.bounced ? clusters_group(c, sum->key, into == INTO_WINDOW)
						: -1;
	} else {
		rc = info_of(c, sum->key, &info);
		number = info ? info->group : -1;
	}
	if (rc < 0 || number < 0 || n.deferred + n.bounced + n.rejected == 0)
		return rc;
	g = clusters_at(c, number);
	if (into == INTO_WINDOW)
		clusters_add(g, info, &n);
	else if (into == INTO_BEFORE)
		g->row.before += n.deferred + n.bounced + n.rejected;
	else if (g->row.trend[slot] >= 0)
		g->row.trend[slot] += n.deferred + n.bounced + n.rejected;
	return 0;
}

static int add_window(struct clusters *c, const struct window *w, enum into into, int slot)
{
	struct sums sums;
	int rc = sums_read(
		c->r, w, dim_of(c->by), c->q->provider, false, metrics, COLS, &sums, c->reterr);

	if (rc < 0)
		return rc;
	sums_pack(&sums);
	for (size_t i = 0; rc == 0 && i < sums.n; i++)
		rc = put(c, &sums.row[i], into, slot);
	sums_done(&sums);
	return rc;
}

static int add_before(struct clusters *c, const struct window *w)
{
	struct coverage covered;
	struct window before;
	int rc = coverage_read(c->r, c->q->provider, &covered, c->reterr);

	if (rc == 0)
		rc = window_before(c->r, c->q->provider, w, &before, c->reterr);
	if (rc < 0 || covered.first_ms < 0 || covered.first_ms > before.from_s * MS_PER_S ||
		before.res_s != w->res_s || w->slot_s)
		return rc;
	for (size_t i = 0; i < c->groups.n; i++)
		clusters_at(c, (int64_t)i)->row.before = 0;
	return add_window(c, &before, INTO_BEFORE, 0);
}

static int add_trend(struct clusters *c, const struct window *w)
{
	struct slots slots = slots_of(w->from_s, w->to_s, CLUSTER_SLOTS, w->minutes_gone);
	struct coverage covered;
	int rc = coverage_read(c->r, c->q->provider, &covered, c->reterr);

	for (int i = 0; rc == 0 && i < CLUSTER_SLOTS; i++) {
		int64_t from_s = slots.from_s + i * slots.slot_s, to_s = from_s + slots.slot_s;
		struct window one = {.from_s = from_s,
			.to_s = to_s,
			.seg = {{slots.res, from_s, to_s}},
			.nseg = 1};
		bool known = covered.first_ms >= 0 && to_s * MS_PER_S > covered.first_ms &&
			     from_s * MS_PER_S <= covered.until_ms;

		for (size_t k = 0; k < c->groups.n; k++) {
			struct cluster_row *row = &clusters_at(c, (int64_t)k)->row;

			row->has_trend = true;
			row->trend[i] = known ? 0 : EVENT_UNKNOWN;
		}
		if (known)
			rc = add_window(c, &one, INTO_TREND, i);
	}
	return rc;
}

static int by_buckets(struct clusters *c, const struct window *w)
{
	bool truncated = c->r->truncated;
	int rc = add_window(c, w, INTO_WINDOW, 0);

	if (rc == 0)
		rc = add_before(c, w);
	if (rc == 0 && w->from_s < w->to_s)
		rc = add_trend(c, w);
	if (rc == 0 && c->by == CLUSTER_SIGNATURE)
		rc = clusters_hits(c, w);
	c->r->truncated = truncated; /* the counts are whole */
	return rc;
}

static int most_first(const void *left, const void *right)
{
	const struct cluster_group *a = left, *b = right;

	if (a->row.n != b->row.n)
		return a->row.n > b->row.n ? -1 : 1;
	return (a->row.key > b->row.key) - (a->row.key < b->row.key);
}

static int give_text(struct clusters *c, int64_t id, struct str *ret)
{
	struct str text;
	int rc = dict_text(c->r, id, &text, c->reterr);

	if (rc == 0)
		*ret = give_str(c->a, text, &rc);
	return rc;
}

/* Met within the day before the window's end, in a cache that goes further back. */
static int is_new(const struct coverage *covered, const struct window *w, int64_t first_ms)
{
	int64_t day_ms = (w->to_s - RES_DAY) * MS_PER_S;

	if (first_ms < 0 || covered->first_ms < 0 || covered->first_ms > day_ms)
		return EVENT_UNKNOWN;
	return first_ms >= day_ms;
}

static int give_group(struct clusters *c, const struct window *w, const struct cluster_group *g,
	struct cluster_row *out)
{
	int rc;

	*out = g->row;
	rc = give_text(c, g->relay, &out->relay);
	if (rc == 0)
		rc = give_text(c, g->reply, &out->reply_template);
	if (rc == 0 && str_present(out->reply_template)) {
		buf_clear(&c->r->text);
		rc = reply_join(out->reply_template, g->args, &c->r->text);
		out->example = give_str(c->a, buf_str(&c->r->text), &rc);
	}
	if (rc == 0 && (c->by == CLUSTER_MAILBOX || c->by >= CLUSTER_DESTINATION))
		rc = give_text(c, g->row.key, &out->name);
	if (c->by == CLUSTER_EGRESS)
		out->ip = egress_one_ip(
			c->known, c->nknown, out->name, w->from_s * MS_PER_S, w->to_s * MS_PER_S);
	else if (c->by == CLUSTER_SIGNATURE)
		out->name = out->reply_template;
	return rc;
}

static int give_groups(
	struct clusters *c, const struct window *w, struct cluster_row **ret, size_t *ret_n)
{
	struct coverage covered;
	size_t n = c->groups.n < read_limit(c->q) ? c->groups.n : read_limit(c->q), kept = 0;
	int rc = coverage_read(c->r, c->q->provider, &covered, c->reterr);

	if (rc < 0)
		return rc;
	if (c->groups.n)
		qsort(c->groups.p, c->groups.n, sizeof(struct cluster_group), most_first);
	*ret = arena_alloc(c->a, (n + 1) * sizeof(**ret));
	if (!*ret)
		return arena_full(c->reterr);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct cluster_group *g = clusters_at(c, (int64_t)i);

		g->row.is_new = is_new(&covered, w, g->row.first_ms);
		if (g->row.n > 0)
			rc = give_group(c, w, g, &(*ret)[kept++]);
	}
	*ret_n = kept;
	return rc;
}

/* Buckets know providers, windows and codes, and the reasons of signatures. */
static bool is_filtered(const struct query *q, enum cluster_by by)
{
	return str_present(q->domain) || str_present(q->relay_host) ||
	       str_present(q->sender_domain) || str_present(q->user) || str_present(q->service) ||
	       str_present(q->reply_template) || str_present(q->egress) || q->plan ||
	       q->text.n > 0 || q->port != 0 || q->relay_port != 0 || q->status != STATUS_NONE ||
	       (by >= CLUSTER_DESTINATION && (q->errors_by || q->code_key));
}

int read_clusters(struct reader *r, const struct query *q, enum cluster_by by,
	const struct explain_rules *rules, struct arena *a, struct cluster_row **ret, size_t *ret_n,
	struct mt_error *reterr)
{
	struct clusters c = {.r = r,
		.q = q,
		.by = by,
		.rules = rules,
		.a = a,
		.groups = {.item = sizeof(struct cluster_group)},
		.infos = {.item = sizeof(struct cluster_info)},
		.reterr = reterr};
	struct window w;
	int rc = window_read(r, q, &w, reterr);

	map_init(&c.index);
	map_init(&c.info_of);
	map_init(&c.hits);
	if (rc == 0 && (by == CLUSTER_EGRESS || by == CLUSTER_SIGNATURE))
		rc = read_egress(r, a, &c.known, &c.nknown, reterr);
	if (rc == 0)
		rc = is_filtered(q, by) ? clusters_of_rows(&c, &w) : by_buckets(&c, &w);
	if (rc == 0)
		rc = give_groups(&c, &w, ret, ret_n);
	map_done(&c.index);
	map_done(&c.info_of);
	map_done(&c.hits);
	rows_free(&c.groups);
	rows_free(&c.infos);
	return rc;
}
