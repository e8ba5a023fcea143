/* SPDX-License-Identifier: MIT */
/*
 * read_mx - how relay hosts and the hosts of recipient domains were reached, from the buckets of mx.c.
 *
 * Two walks: the first finds the most used, the second adds up what these counted; so memory is that of the rows
 * asked for, but for one small entry a host or domain.
 */
#include "store/bucket.h"
#include "store/read_rows.h"
#include "store/store_read_mx.h"

#include <stdlib.h>

#define PCT 100
#define MS_PER_S 1000
#define IDS_FIRST 256

static const int32_t steps[] = MX_STEPS;

struct sum { /* of a row: records by the step of their connection time */
	struct mx_row row;
	int64_t steps[MX_STEP__COUNT];
};

struct one_id {
	int64_t id; /* 0 free */
	int64_t n; /* records and failures */
	struct sum *sum; /* NULL: not among the rows */
};

struct mx_read {
	struct reader *r;
	const struct query *q;
	struct window w;
	enum mx_whose whose;
	int64_t only; /* id; 0 all */
	struct one_id *slot; /* open addressing */
	size_t cap, n;
	bool second; /* walk */
	bool tied; /* a log that ties failures to messages is among those looked at */
	struct one_id *last; /* of the second: entries of one id come together */
	struct mt_error *reterr;
};

static struct one_id *find(const struct one_id *slot, size_t cap, int64_t id)
{
	size_t at = (size_t)((uint64_t)id * 0x9e3779b97f4a7c15u >> 32) & (cap - 1);

	while (slot[at].id && slot[at].id != id)
		at = (at + 1) & (cap - 1);
	return (struct one_id *)(uintptr_t)&slot[at];
}

static int widen(struct mx_read *m)
{
	size_t cap = m->cap ? m->cap * 4 : IDS_FIRST;
	struct one_id *wide = calloc(cap, sizeof(*wide));

	if (!wide)
		return mt_error_set(m->reterr, MT_ENOMEM, "not enough memory for the list");
	for (size_t i = 0; i < m->cap; i++)
		if (m->slot[i].id)
			*find(wide, cap, m->slot[i].id) = m->slot[i];
	free(m->slot);
	m->slot = wide;
	m->cap = cap;
	return 0;
}

static int weigh(struct mx_read *m, int64_t id, int64_t n)
{
	struct one_id *one;

	if (2 * (m->n + 1) > m->cap) {
		int rc = widen(m);

		if (rc < 0)
			return rc;
	}
	one = find(m->slot, m->cap, id);
	m->n += one->id == 0;
	one->id = id;
	one->n += n;
	return 0;
}

static void add_entry(struct sum *s, const struct bucket_entry *e)
{
	if (e->metric < MX_TLS__COUNT) {
		s->steps[e->key & (MX_STEP__COUNT - 1)] += e->n;
		s->row.tls[e->metric] += e->n;
	} else if (e->metric < MX_FIRST + MX_FIGURE__COUNT) {
		s->row.n[e->metric - MX_FIRST] += e->n;
	}
}

static int one_entry(struct mx_read *m, const struct bucket_entry *e)
{
	int64_t id = e->key >> (MX_STEP_BITS + 1);

	if ((e->key >> MX_STEP_BITS & 1) != (int64_t)m->whose || id == 0 ||
		(m->only && id != m->only))
		return 0;
	if (!m->second)
		return e->metric == MX_FIRST + MX_STEPPED_IN ? 0 : weigh(m, id, e->n);
	if (!m->last || m->last->id != id)
		m->last = find(m->slot, m->cap, id);
	if (m->last->id && m->last->sum)
		add_entry(m->last->sum, e);
	return 0;
}

static int one_slot(struct mx_read *m, struct str counts)
{
	struct bucket_iter it = bucket_iter(counts);
	struct bucket_entry e;
	int rc;

	while ((rc = bucket_next(&it, &e)) > 0) {
		rc = one_entry(m, &e);
		if (rc < 0)
			return rc;
	}
	return rc < 0 ? mt_error_set(m->reterr, MT_ECORRUPT, "cache %s: counts that are not ours",
				m->r->path)
		      : 0;
}

static int walk(struct mx_read *m)
{
	int rc = 0;

	m->last = NULL;
	for (size_t i = 0; rc == 0 && i < m->w.nseg; i++) {
		const struct segment *seg = &m->w.seg[i];
		sqlite3_stmt *stmt;

		rc = rd_prepare(
			m->r, m->only ? READ_BUCKET_KEY : READ_BUCKET_SUMS, &stmt, m->reterr);
		if (rc < 0)
			return rc;
		rd_bind(stmt, 1, m->q->provider);
		rd_bind(stmt, 2, seg->res);
		rd_bind(stmt, 3, DIM_MX);
		rd_bind(stmt, 4, seg->from_s);
		rd_bind(stmt, 5, seg->to_s);
		if (m->only)
			rd_bind(stmt, 6,
				bucket_chunk(
					seg->res, DIM_MX, mx_key((int32_t)m->only, m->whose, 0)));
		while (rc == 0 && (rc = rd_step(m->r, stmt, m->reterr)) > 0)
			rc = one_slot(m, rd_str(stmt, 1));
		sqlite3_reset(stmt);
	}
	return rc;
}

static int most_first(const void *left, const void *right)
{
	const struct one_id *a = left, *b = right;

	if (a->n != b->n)
		return a->n > b->n ? -1 : 1;
	return (a->id > b->id) - (a->id < b->id);
}

/* The rows: the most used whose names pass, as far as the limit goes. */
static int choose(struct mx_read *m, struct sum *sums, size_t max, struct arena *a, size_t *ret_n)
{
	struct one_id *sorted = calloc(m->n + 1, sizeof(*sorted));
	size_t n = 0, chosen = 0;
	int rc = 0;

	if (!sorted)
		return mt_error_set(m->reterr, MT_ENOMEM, "not enough memory for the list");
	for (size_t i = 0; i < m->cap; i++)
		if (m->slot[i].id && m->slot[i].n > 0)
			sorted[n++] = m->slot[i];
	if (n)
		qsort(sorted, n, sizeof(*sorted), most_first);
	for (size_t i = 0; rc == 0 && i < n && chosen < max; i++) {
		struct sum *s = &sums[chosen];
		struct str name = {NULL, 0};

		rc = dict_text(m->r, sorted[i].id, &name, m->reterr);
		if (rc < 0 || (m->q->text.n && text_has(name, m->q->text) == m->q->text_invert))
			continue;
		s->row.key = sorted[i].id;
		s->row.name = give_str(a, name, &rc);
		find(m->slot, m->cap, sorted[i].id)->sum = s;
		chosen++;
	}
	free(sorted);
	*ret_n = chosen;
	return rc;
}

/* The first step at or below which pct of the records are. */
static int64_t percentile(const struct sum *s, int64_t total, int pct)
{
	int64_t rank = (total * pct + PCT - 1) / PCT, seen = 0;

	for (size_t i = 0; total > 0 && i < sizeof(steps) / sizeof(steps[0]); i++) {
		seen += s->steps[i];
		if (seen >= rank)
			return steps[i];
	}
	return EVENT_UNKNOWN;
}

static void finish(const struct mx_read *m, struct sum *s, bool tls_in_log)
{
	struct mx_row *row = &s->row;
	int64_t told;

	for (int i = 0; i < MX_FIGURE__COUNT && !m->tied; i++)
		if (m->whose == MX_OF_DOMAIN || i == MX_STEPPED_IN)
			row->n[i] = EVENT_UNKNOWN;
	for (int i = 0; i < MX_STEP__COUNT; i++) {
		row->sent += s->steps[i];
		if (i < MX_STEP_NONE)
			row->connects += s->steps[i];
	}
	row->p50_cs = percentile(s, row->connects, 50);
	row->p90_cs = percentile(s, row->connects, 90);
	row->p99_cs = percentile(s, row->connects, 99);
	row->max_cs = percentile(s, row->connects, PCT);
	row->tls_used = row->tls[MX_TLS_1_3] + row->tls[MX_TLS_1_2] + row->tls[MX_TLS_OLDER] +
			row->tls[MX_TLS_VERSION_UNTOLD];
	told = row->tls_used + row->tls[MX_TLS_NONE] + (tls_in_log ? row->tls[MX_TLS_UNTOLD] : 0);
	row->tls_told = told > 0 ? told : EVENT_UNKNOWN;
	row->tls_used = told > 0 ? row->tls_used : EVENT_UNKNOWN;
}

static int add_tls(void *ctx, int64_t t_s, int metric, int64_t n)
{
	(void)t_s;
	if (metric == METRIC_TLS_OUT)
		*(int64_t *)ctx += n;
	return 0;
}

/* Does the log of the window tell of TLS at all? */
static int tls_told(struct mx_read *m, bool *ret)
{
	int64_t n = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < m->w.nseg; i++)
		rc = counts_walk(m->r, &m->w.seg[i], false, DIM_TOTAL, 0, m->q->provider, add_tls,
			&n, m->reterr);
	*ret = n > 0;
	return rc;
}

static int give_rows(struct mx_read *m, struct arena *a, struct mx_row **ret, size_t *ret_n)
{
	size_t max = m->n < read_limit(m->q) ? m->n : read_limit(m->q), n = 0;
	struct sum *sums = calloc(max + 1, sizeof(*sums));
	struct mx_row *out;
	bool tls = false;
	int rc = sums ? choose(m, sums, max, a, &n)
		      : mt_error_set(m->reterr, MT_ENOMEM, "not enough memory for the list");

	m->second = true;
	if (rc == 0 && n > 0)
		rc = walk(m);
	if (rc == 0)
		rc = tls_told(m, &tls);
	out = rc == 0 ? arena_alloc(a, (n + 1) * sizeof(*out)) : NULL;
	if (rc == 0 && !out)
		rc = arena_full(m->reterr);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		finish(m, &sums[i], tls);
		out[i] = sums[i].row;
	}
	free(sums);
	*ret = out;
	*ret_n = rc == 0 ? n : 0;
	return rc;
}

/* What is known at all: since when (see read_mx), and whether of domains. */
static int since(struct mx_read *m, int64_t *ret_ms)
{
	sqlite3_stmt *stmt;
	int64_t since_s = 0, ntied = 0;
	int rc = rd_prepare(m->r, READ_MX_SINCE, &stmt, m->reterr);

	if (rc == 0)
		rc = rd_int(m->r, stmt, 0, &since_s, m->reterr);
	if (rc == 0)
		rc = rd_prepare(m->r, READ_MX_TIED, &stmt, m->reterr);
	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, m->q->provider);
	rc = rd_int(m->r, stmt, 0, &ntied, m->reterr);
	m->tied = ntied > 0;
	*ret_ms = since_s > m->w.from_s ? since_s * MS_PER_S : EVENT_UNKNOWN;
	return rc;
}

static bool possible(const struct query *q, bool by_domain)
{
	return !str_present(by_domain ? q->relay_host : q->domain) && !str_present(q->service) &&
	       !str_present(q->sender_domain) && !str_present(q->user) &&
	       !str_present(q->reply_template) && !str_present(q->egress) && q->code_key == 0 &&
	       q->port == 0 && q->relay_port == 0;
}

int read_mx(struct reader *r, const struct query *q, bool by_domain, struct arena *a,
	struct mx_row **ret, size_t *ret_n, bool *ret_possible, int64_t *ret_since_ms,
	struct mt_error *reterr)
{
	struct str name = by_domain ? q->domain : q->relay_host;
	struct mx_read m = {
		.r = r, .q = q, .whose = by_domain ? MX_OF_DOMAIN : MX_OF_HOST, .reterr = reterr};
	int rc = window_read(r, q, &m.w, reterr);

	*ret_n = 0;
	*ret_possible = possible(q, by_domain);
	*ret_since_ms = EVENT_UNKNOWN;
	if (rc == 0)
		rc = since(&m, ret_since_ms);
	if (rc == 0 && str_present(name))
		rc = dict_find(r, by_domain ? DICT_DOMAIN : DICT_RELAY_HOST, name, &m.only, reterr);
	if (rc < 0 || !*ret_possible || (str_present(name) && m.only == 0))
		return rc;
	rc = walk(&m);
	if (rc == 0)
		rc = give_rows(&m, a, ret, ret_n);
	free(m.slot);
	return rc;
}
