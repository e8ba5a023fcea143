/* SPDX-License-Identifier: MIT */
/*
 * read_groups - figures by recipient domain, relay host and sender domain: from buckets, or, with a filter
 * that buckets do not serve, failures alone from the rows (sent is unknown then).
 */
#include "store/base/map.h"
#include "store/read_rows.h"
#include "store/read_slots.h"

#include <stdlib.h>

#define MS_PER_S 1000

enum { COL_SENT, COL_DEFERRED, COL_BOUNCED, COL_RECEIVED, COLS };

struct groups {
	struct reader *r;
	const struct query *q;
	enum bucket_dim dim;
	enum dict_kind kind;
	struct str only; /* the filter on the grouped thing itself */
	struct rows rows; /* struct domain_row */
	struct map index; /* key -> row number + 1, for rows */
	struct mt_error *reterr;
};

static bool filtered_otherwise(const struct groups *g)
{
	const struct query *q = g->q;

	return (g->dim != DIM_DOMAIN && str_present(q->domain)) ||
	       (g->dim != DIM_RELAY && str_present(q->relay_host)) ||
	       (g->dim != DIM_SENDER && str_present(q->sender_domain)) || str_present(q->service) ||
	       str_present(q->reply_template) || str_present(q->egress) || q->plan ||
	       str_present(q->user) || q->code_key != 0 || q->port != 0 || q->relay_port != 0;
}

/* The name of a key if the filters on names let it pass. */
static int name_of(struct groups *g, int64_t key, struct str *out, bool *ret_passes)
{
	int rc = dict_text(g->r, key, out, g->reterr);

	if (!str_present(*out))
		*out = STR_LIT(""); /* no domain: <>, a bare user name */
	*ret_passes = rc == 0 && (!str_present(g->only) || str_eq(*out, g->only)) &&
		      (g->q->text.n == 0 || text_has(*out, g->q->text) != g->q->text_invert);
	return rc;
}

static int no_memory(struct groups *g)
{
	return mt_error_set(g->reterr, MT_ENOMEM, "not enough memory for the list");
}

/* Messages of a sender: a vendor does not tell them. */
static int64_t received(const struct groups *g, int64_t n)
{
	return n > 0 || g->r->napi == 0 ||
			       (g->q->provider && !slots_of_provider(g->r, g->q->provider))
		       ? n
		       : EVENT_UNKNOWN;
}

static int add_sums(
	struct groups *g, const struct sums *sums, const struct sums *before, bool before_known)
{
	/* names are read only where a filter or the list needs them */
	bool by_name = str_present(g->only) || g->q->text.n > 0, passes = true;

	for (size_t i = 0; i < sums->cap; i++) {
		const struct sum_row *s = &sums->row[i];
		const struct sum_row *old = before_known ? sums_find(before, 0, s->key) : NULL;
		struct domain_row *row;
		struct str name;
		int rc = s->used && by_name ? name_of(g, s->key, &name, &passes) : 0;

		if (rc < 0)
			return rc;
		if (!s->used || !passes ||
			(s->n[COL_SENT] <= 0 && s->n[COL_DEFERRED] <= 0 && s->n[COL_BOUNCED] <= 0 &&
				s->n[COL_RECEIVED] <= 0))
			continue;
		row = rows_add(&g->rows);
		if (!row)
			return no_memory(g);
		*row = (struct domain_row){.key = s->key,
			.sent = s->n[COL_SENT],
			.deferred = s->n[COL_DEFERRED],
			.bounced = s->n[COL_BOUNCED],
			.before_sent = before_known ? old ? old->n[COL_SENT] : 0 : EVENT_UNKNOWN,
			.delay_p50_cs = EVENT_UNKNOWN,
			.delay_p90_cs = EVENT_UNKNOWN};
		if (g->dim == DIM_SENDER)
			row->before_sent = received(g, s->n[COL_RECEIVED]);
	}
	return 0;
}

static int by_buckets(struct groups *g, const struct window *w)
{
	static const enum metric metrics[] = {
		METRIC_SENT, METRIC_DEFERRED, METRIC_BOUNCED, METRIC_RECEIVED};
	struct sums sums = {0}, old = {0};
	struct coverage covered;
	struct window before;
	bool known = false;
	int rc = coverage_read(g->r, g->q->provider, &covered, g->reterr);

	if (rc == 0)
		rc = window_before(g->r, g->q->provider, w, &before, g->reterr);
	if (rc == 0)
		rc = sums_read(
			g->r, w, g->dim, g->q->provider, false, metrics, COLS, &sums, g->reterr);
	if (rc == 0 && g->dim != DIM_SENDER && covered.first_ms >= 0 &&
		covered.first_ms <= before.from_s * MS_PER_S && before.res_s == w->res_s &&
		w->slot_s == 0) { /* a slot that is still open compares with nothing */
		known = true;
		rc = sums_read(
			g->r, &before, g->dim, g->q->provider, false, metrics, 1, &old, g->reterr);
	}
	if (rc == 0)
		rc = add_sums(g, &sums, &old, known);
	sums_done(&sums);
	sums_done(&old);
	return rc;
}

/* The key a failure is grouped under. */
static int key_of(
	struct groups *g, const struct raw_attempt *a, const struct raw_message *m, int64_t *ret)
{
	struct raw_message own;
	struct str relay;
	int rc = 0;

	if (g->dim == DIM_DOMAIN) {
		*ret = a->dom;
	} else if (g->dim == DIM_RELAY) {
		rc = dict_text(g->r, a->relay, &relay, g->reterr);
		if (rc == 0)
			rc = dict_find(g->r, DICT_RELAY_HOST, relay_host(relay), ret, g->reterr);
	} else if (m) {
		*ret = m->from_dom;
	} else {
		rc = raw_message_get(g->r, a->message, false, &own, g->reterr);
		*ret = rc == 0 ? own.from_dom : 0;
		rc = rc == MT_ENOENT ? 0 : rc;
	}
	return rc;
}

static int failure_seen(void *ctx, const struct raw_attempt *a, const struct raw_message *m)
{
	struct groups *g = ctx;
	struct domain_row *row;
	uint64_t *at;
	int64_t key = 0;
	bool made;
	int rc = key_of(g, a, m, &key);

	if (rc < 0)
		return rc;
	at = map_ref(&g->index, (struct str){(const char *)&key, sizeof(key)}, &made);
	if (made) {
		row = rows_add(&g->rows);
		if (!row)
			return no_memory(g);
		*at = g->rows.n;
		*row = (struct domain_row){.key = key,
			.sent = EVENT_UNKNOWN,
			.before_sent = EVENT_UNKNOWN,
			.delay_p50_cs = EVENT_UNKNOWN,
			.delay_p90_cs = EVENT_UNKNOWN};
	}
	row = &((struct domain_row *)(void *)g->rows.p)[*at - 1];
	row->deferred += a->status == STATUS_DEFERRED;
	row->bounced += a->status == STATUS_BOUNCED;
	return 0;
}

static int most_first(const void *left, const void *right)
{
	const struct domain_row *a = left, *b = right;
	int64_t na = (a->sent > 0 ? a->sent : 0) + a->deferred + a->bounced;
	int64_t nb = (b->sent > 0 ? b->sent : 0) + b->deferred + b->bounced;

	if (na != nb)
		return na > nb ? -1 : 1;
	return (a->key > b->key) - (a->key < b->key);
}

static int give_groups(struct groups *g, struct arena *a, struct domain_row **ret, size_t *ret_n)
{
	struct str name;
	bool passes;
	void *given;
	int rc;

	if (g->rows.n)
		qsort(g->rows.p, g->rows.n, sizeof(struct domain_row), most_first);
	rc = rows_give(&g->rows, read_limit(g->q), a, &given, ret_n, g->reterr);
	*ret = given;
	for (size_t i = 0; rc == 0 && i < *ret_n; i++) {
		rc = name_of(g, (*ret)[i].key, &name, &passes);
		if (rc == 0)
			(*ret)[i].domain = give_str(a, name, &rc);
	}
	return rc;
}

static int read_groups(struct groups *g, struct arena *a, struct domain_row **ret, size_t *ret_n)
{
	struct window w;
	int rc = window_read(g->r, g->q, &w, g->reterr);

	map_init(&g->index);
	g->rows.item = sizeof(struct domain_row);
	if (rc == 0)
		rc = filtered_otherwise(g) ? scan_failures(g->r, g->q, &w, count_rows_max(g->q),
						     failure_seen, g, g->reterr)
					   : by_buckets(g, &w);
	if (rc == 0)
		rc = give_groups(g, a, ret, ret_n);
	map_done(&g->index);
	rows_free(&g->rows);
	return rc;
}

int read_domains(struct reader *r, const struct query *q, struct arena *a, struct domain_row **ret,
	size_t *ret_n, struct mt_error *reterr)
{
	struct groups g = {.r = r,
		.q = q,
		.dim = DIM_DOMAIN,
		.kind = DICT_DOMAIN,
		.only = q->domain,
		.reterr = reterr};

	return read_groups(&g, a, ret, ret_n);
}

int read_relays(struct reader *r, const struct query *q, struct arena *a, struct domain_row **ret,
	size_t *ret_n, struct mt_error *reterr)
{
	struct groups g = {.r = r,
		.q = q,
		.dim = DIM_RELAY,
		.kind = DICT_RELAY_HOST,
		.only = q->relay_host,
		.reterr = reterr};

	return read_groups(&g, a, ret, ret_n);
}

int read_senders(struct reader *r, const struct query *q, struct arena *a, struct domain_row **ret,
	size_t *ret_n, struct mt_error *reterr)
{
	struct groups g = {.r = r,
		.q = q,
		.dim = DIM_SENDER,
		.kind = DICT_DOMAIN,
		.only = q->sender_domain,
		.reterr = reterr};

	return read_groups(&g, a, ret, ret_n);
}
