/* SPDX-License-Identifier: MIT */
/* read_queue - depth of the queues over time, the newest listing, and its age x domain matrix. */
#include "store/read_rows.h"
#include "store/read_slots.h"

#include <stdlib.h>

#define MS_PER_S 1000
#define TREND_MS (10 * 60000) /* over which deferred_per_min is taken */
#define MS_PER_MINUTE 60000
#define PROVIDERS_MAX 256
#define PER_MILLE 1000
#define ACTIVE_LIMIT_MAX INT32_MAX /* Postfix holds it in an int */

struct depth {
	bool found;
	int64_t t_ms, n[QUEUE__COUNT], oldest_ms;
	enum queue_source source;
};

static int depth_at(struct reader *r, int provider, int64_t from_ms, int64_t to_ms,
	struct depth *out, struct mt_error *reterr)
{
	sqlite3_stmt *stmt;
	int rc = rd_prepare(r, READ_QUEUE_SAMPLE_AT, &stmt, reterr);

	*out = (struct depth){.found = false};
	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, provider);
	rd_bind(stmt, 2, to_ms);
	rd_bind(stmt, 3, from_ms);
	rc = rd_step(r, stmt, reterr);
	if (rc <= 0)
		return rc;
	out->found = true;
	out->t_ms = rd_id(stmt, 0);
	out->source = (enum queue_source)rd_id(stmt, 1);
	for (int i = 0; i < QUEUE__COUNT; i++)
		out->n[i] = rd_num(stmt, 2 + i);
	out->oldest_ms = rd_num(stmt, 8);
	sqlite3_reset(stmt);
	return 0;
}

/* Change of the deferred queue a minute up to d, INT64_MIN unknown. */
static int trend(struct reader *r, int provider, const struct depth *d, int64_t *ret,
	struct mt_error *reterr)
{
	int64_t t_ms = 0, deferred = EVENT_UNKNOWN;
	sqlite3_stmt *stmt;
	int rc = rd_prepare(r, READ_QUEUE_DEFERRED_SINCE, &stmt, reterr);

	*ret = INT64_MIN;
	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, provider);
	rd_bind(stmt, 2, d->t_ms - TREND_MS);
	rd_bind(stmt, 3, d->t_ms);
	rd_bind(stmt, 4, d->source); /* a change of source is no change of the queue */
	rc = rd_step(r, stmt, reterr);
	if (rc <= 0)
		return rc;
	t_ms = rd_id(stmt, 0);
	deferred = rd_num(stmt, 1);
	sqlite3_reset(stmt);
	if (deferred >= 0 && d->n[QUEUE_DEFERRED] >= 0 && d->t_ms - t_ms >= MS_PER_MINUTE)
		*ret = (d->n[QUEUE_DEFERRED] - deferred) * MS_PER_MINUTE / (d->t_ms - t_ms);
	return 0;
}

/* add_limit - of the active queue; pointless, and so unknown, where its depth is not known. */
static int add_limit(struct reader *r, int provider, const struct depth *d,
	struct queue_figures *sum, struct mt_error *reterr)
{
	int64_t limit = EVENT_UNKNOWN, active = d->found ? d->n[QUEUE_ACTIVE] : EVENT_UNKNOWN;
	sqlite3_stmt *stmt;
	int rc = rd_prepare(r, READ_PROVIDER_ACTIVE_LIMIT, &stmt, reterr);

	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, provider);
	rc = rd_int(r, stmt, EVENT_UNKNOWN, &limit, reterr);
	if (rc < 0)
		return rc;
	if (active < 0 || limit <= 0) {
		sum->active_limit = EVENT_UNKNOWN;
		return 0;
	}
	if (sum->active_limit >= 0)
		sum->active_limit += limit < ACTIVE_LIMIT_MAX ? limit : ACTIVE_LIMIT_MAX;
	active = active < limit ? active * PER_MILLE / limit : PER_MILLE;
	sum->active_pm = active > sum->active_pm ? (int)active : sum->active_pm;
	return 0;
}

/* A server's own listing tells as much as postqueue's; the numbers are those on disk. */
static int poverty(enum queue_source source)
{
	return source == QUEUE_SOURCE_LISTING ? (int)QUEUE_SOURCE_POSTQUEUE : (int)source;
}

static void add_depth(struct queue_figures *sum, const struct depth *d, int64_t per_min)
{
	for (int i = 0; i < QUEUE__COUNT; i++) {
		if (!d->found || d->n[i] < 0)
			sum->n[i] = EVENT_UNKNOWN;
		else if (sum->n[i] >= 0)
			sum->n[i] += d->n[i];
	}
	if (!d->found)
		return;
	if (d->oldest_ms >= 0 && (sum->oldest_ms < 0 || d->oldest_ms < sum->oldest_ms))
		sum->oldest_ms = d->oldest_ms;
	if (sum->t_ms < 0 || d->t_ms < sum->t_ms)
		sum->t_ms = d->t_ms;
	if (poverty(d->source) > poverty(sum->source))
		sum->source = d->source; /* the poorest of them */
	if (sum->deferred_per_min != INT64_MIN)
		sum->deferred_per_min =
			per_min == INT64_MIN ? per_min : sum->deferred_per_min + per_min;
}

/* The provider, or all that have a queue of ours: vendors have none. */
static int with_queues(
	struct reader *r, int provider, int ids[PROVIDERS_MAX], int *ret_n, struct mt_error *reterr)
{
	int rc = provider_list(r, provider, ids, PROVIDERS_MAX, ret_n, reterr), kept = 0;

	if (rc == 0)
		rc = slots_load(r, reterr);
	for (int i = 0; rc == 0 && !provider && i < *ret_n; i++)
		if (!slots_of_provider(r, ids[i]))
			ids[kept++] = ids[i];
	if (!provider)
		*ret_n = kept;
	return rc;
}

int read_queue(
	struct reader *r, const struct query *q, struct queue_figures *out, struct mt_error *reterr)
{
	struct queue_figures sum = {
		.oldest_ms = EVENT_UNKNOWN, .t_ms = EVENT_UNKNOWN, .active_pm = EVENT_UNKNOWN};
	int64_t to_ms = q->t1_ms ? q->t1_ms : INT64_MAX, per_min;
	int ids[PROVIDERS_MAX], n = 0;
	int rc = with_queues(r, q->provider, ids, &n, reterr);

	for (int i = 0; rc == 0 && i < n; i++) {
		struct depth d;

		rc = depth_at(r, ids[i], 0, to_ms, &d, reterr);
		per_min = INT64_MIN;
		if (rc == 0 && d.found)
			rc = trend(r, ids[i], &d, &per_min, reterr);
		add_depth(&sum, &d, per_min);
		if (rc == 0)
			rc = add_limit(r, ids[i], &d, &sum, reterr);
	}
	if (rc < 0)
		return rc;
	if (sum.t_ms < 0) {
		for (int i = 0; i < QUEUE__COUNT; i++)
			sum.n[i] = EVENT_UNKNOWN;
		sum.deferred_per_min = INT64_MIN;
		sum.active_limit = EVENT_UNKNOWN;
	}
	*out = sum;
	return 0;
}

int read_queue_series(struct reader *r, const struct query *q, enum queue_name queue, int64_t *out,
	size_t nslots, struct mt_error *reterr)
{
	int ids[PROVIDERS_MAX], n = 0;
	struct window w;
	struct slots s;
	int rc = window_read(r, q, &w, reterr);

	if (rc == 0)
		rc = with_queues(r, q->provider, ids, &n, reterr);
	if (rc < 0 || nslots == 0)
		return rc;
	s = slots_of(w.from_s, w.to_s, nslots, false);
	for (size_t i = 0; i < nslots; i++) {
		int64_t from_ms = (s.from_s + (int64_t)i * s.slot_s) * MS_PER_S;

		out[i] = n > 0 ? 0 : EVENT_UNKNOWN;
		for (int p = 0; p < n; p++) {
			struct depth d;

			rc = depth_at(
				r, ids[p], from_ms, from_ms + s.slot_s * MS_PER_S, &d, reterr);
			if (rc < 0)
				return rc;
			if (!d.found || d.n[queue] < 0)
				out[i] = EVENT_UNKNOWN;
			else if (out[i] >= 0)
				out[i] += d.n[queue];
		}
	}
	return 0;
}

static enum read_sql list_statement(const struct query *q)
{
	switch (q->sort) {
	case QSORT_QID:
		return q->descending ? READ_QUEUE_BY_QID_DOWN : READ_QUEUE_BY_QID;
	case QSORT_SENDER:
		return q->descending ? READ_QUEUE_BY_SENDER_DOWN : READ_QUEUE_BY_SENDER;
	case QSORT_DOMAIN:
		return q->descending ? READ_QUEUE_BY_DOMAIN_DOWN : READ_QUEUE_BY_DOMAIN;
	case QSORT_SIZE:
		return READ_QUEUE_BY_SIZE;
	case QSORT_NEXT:
		return READ_QUEUE_BY_NEXT;
	case QSORT_QUEUE:
		return READ_QUEUE_BY_QUEUE;
	case QSORT_AGE:
	default:
		return READ_QUEUE_BY_AGE;
	}
}

static int entry(struct reader *r, sqlite3_stmt *stmt, struct arena *a, struct queue_entry *out,
	struct mt_error *reterr)
{
	struct str domain;
	int64_t queue = rd_id(stmt, 6);
	int rc = dict_text(r, rd_id(stmt, 4), &domain, reterr);

	if (rc < 0)
		return rc;
	*out = (struct queue_entry){.provider = (int)rd_id(stmt, 0),
		.queue = queue >= 0 && queue < QUEUE__COUNT ? (enum queue_name)queue
							    : QUEUE_DEFERRED,
		.arrival_ms = rd_id(stmt, 7),
		.size_bytes = rd_num(stmt, 8),
		.nrcpt = rd_num(stmt, 9),
		.next_retry_ms = rd_num(stmt, 10),
		.expires_ms = rd_num(stmt, 11),
		.forced_expire = rd_id(stmt, 12) != 0};
	out->qid = give_str(a, rd_str(stmt, 1), &rc);
	out->sender = give_str(a, rd_str(stmt, 2), &rc);
	out->rcpt = give_str(a, rd_str(stmt, 3), &rc);
	out->reason = give_str(a, rd_str(stmt, 5), &rc);
	out->domain = give_str(a, domain, &rc);
	return rc < 0 ? arena_full(reterr) : 0;
}

static int queue_statement(struct reader *r, const struct query *q, const struct filter *f,
	struct str at_domain, enum read_sql id, sqlite3_stmt **ret, struct mt_error *reterr)
{
	int rc = rd_prepare(r, id, ret, reterr);

	if (rc < 0)
		return rc;
	rd_bind(*ret, 1, q->provider);
	rd_bind(*ret, 2, f->dom);
	if (q->text.n)
		rd_bind_str(*ret, 3, q->text);
	rd_bind(*ret, 4, q->text_invert);
	rd_bind(*ret, 7, f->sender_dom);
	if (at_domain.n)
		rd_bind_str(*ret, 8, at_domain);
	if (q->queue_id.n)
		rd_bind_str(*ret, 9, q->queue_id);
	if (id != READ_QUEUE_COUNT) {
		rd_bind(*ret, 5, q->descending ? -1 : 1);
		rd_bind(*ret, 6, f->impossible ? 0 : (int64_t)read_limit(q));
	}
	return 0;
}

static int find_message(struct reader *r, struct queue_entry *e, struct mt_error *reterr)
{
	sqlite3_stmt *stmt;
	int rc = rd_prepare(r, READ_QUEUE_MESSAGE_OF, &stmt, reterr);

	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, e->provider);
	rd_bind_str(stmt, 2, e->qid);
	rd_bind(stmt, 3, e->arrival_ms);
	rd_bind(stmt, 4, MESSAGE_NO_START);
	return rd_int(r, stmt, 0, &e->message, reterr);
}

/* "@" and the domain in lower case, as the ends of addresses are compared with. */
static struct str at_lower(struct arena *a, struct str domain, int *rc)
{
	char *p = arena_alloc(a, domain.n + 1);

	if (!p) {
		*rc = MT_ENOMEM;
		return (struct str){NULL, 0};
	}
	p[0] = '@';
	for (size_t i = 0; i < domain.n; i++) {
		char c = domain.p[i];

		p[i + 1] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
	}
	return (struct str){p, domain.n + 1};
}

int read_queue_list(struct reader *r, const struct query *q, struct arena *a,
	struct queue_entry **ret, size_t *ret_n, int64_t *ret_total, struct mt_error *reterr)
{
	struct rows rows = {.item = sizeof(struct queue_entry)};
	struct str at_domain = {NULL, 0};
	struct filter f;
	sqlite3_stmt *stmt;
	int64_t total = 0;
	void *given;
	int rc = filter_init(r, q, &f, reterr);

	if (rc == 0 && q->domain.n)
		at_domain = at_lower(a, q->domain, &rc);
	if (rc == 0)
		rc = queue_statement(r, q, &f, at_domain, READ_QUEUE_COUNT, &stmt, reterr);
	if (rc == 0)
		rc = rd_int(r, stmt, 0, &total, reterr);
	if (rc == 0)
		rc = queue_statement(r, q, &f, at_domain, list_statement(q), &stmt, reterr);
	if (rc < 0)
		return rc;
	while ((rc = rd_step(r, stmt, reterr)) > 0) {
		struct queue_entry *row = rows_add(&rows);

		rc = row ? entry(r, stmt, a, row, reterr)
			 : mt_error_set(reterr, MT_ENOMEM, "out of memory");
		if (rc < 0)
			break;
	}
	sqlite3_reset(stmt);
	if (rc == 0)
		rc = rows_give(&rows, rows.n, a, &given, ret_n, reterr);
	rows_free(&rows);
	for (size_t i = 0; rc == 0 && i < *ret_n; i++)
		rc = find_message(r, (struct queue_entry *)given + i, reterr);
	if (rc < 0)
		return rc;
	*ret = given;
	*ret_total = f.impossible ? 0 : total;
	return 0;
}

int read_queue_recipients(struct reader *r, int provider, struct str qid, struct arena *a,
	struct queue_rcpt_row **ret, size_t *ret_n, struct mt_error *reterr)
{
	struct rows rows = {.item = sizeof(struct queue_rcpt_row)};
	sqlite3_stmt *stmt;
	void *given;
	int rc = rd_prepare(r, READ_QUEUE_RECIPIENTS, &stmt, reterr);

	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, provider);
	rd_bind_str(stmt, 2, qid);
	while ((rc = rd_step(r, stmt, reterr)) > 0) {
		struct queue_rcpt_row *row = rows_add(&rows);

		if (!row) {
			rc = mt_error_set(reterr, MT_ENOMEM, "out of memory");
			break;
		}
		row->rcpt = give_str(a, rd_str(stmt, 0), &rc);
		row->reason = give_str(a, rd_str(stmt, 1), &rc);
		if (rc < 0) {
			rc = arena_full(reterr);
			break;
		}
	}
	sqlite3_reset(stmt);
	if (rc == 0)
		rc = rows_give(&rows, rows.n, a, &given, ret_n, reterr);
	rows_free(&rows);
	if (rc == 0)
		*ret = given;
	return rc;
}

static int most_first(const void *left, const void *right)
{
	const struct shape_row *a = left, *b = right;
	size_t n = a->domain.n < b->domain.n ? a->domain.n : b->domain.n;
	int order;

	if (a->total != b->total)
		return a->total > b->total ? -1 : 1;
	order = n ? memcmp(a->domain.p, b->domain.p, n) : 0;
	return order ? order : (a->domain.n > b->domain.n) - (a->domain.n < b->domain.n);
}

/* Rows come ordered by domain: a new one begins where the id changes. */
static int shape_rows(struct reader *r, sqlite3_stmt *stmt, struct arena *a, struct rows *out,
	struct mt_error *reterr)
{
	struct shape_row *row = NULL;
	int64_t dom = -1;
	int rc;

	while ((rc = rd_step(r, stmt, reterr)) > 0) {
		int64_t bucket = rd_id(stmt, 1);

		if (!row || rd_id(stmt, 0) != dom) {
			struct str name;

			dom = rd_id(stmt, 0);
			row = rows_add(out);
			if (!row)
				return mt_error_set(reterr, MT_ENOMEM, "out of memory");
			rc = dict_text(r, dom, &name, reterr);
			if (rc == 0)
				row->domain =
					give_str(a, str_present(name) ? name : STR_LIT(""), &rc);
			if (rc < 0)
				return rc;
		}
		if (bucket >= 0 && bucket < QSHAPE_BUCKETS) {
			row->n[bucket] += rd_id(stmt, 2);
			row->total += rd_id(stmt, 2);
		}
	}
	return rc;
}

int read_queue_shape(struct reader *r, const struct query *q, bool by_sender, struct arena *a,
	struct shape_row **ret, size_t *ret_n, struct mt_error *reterr)
{
	struct rows rows = {.item = sizeof(struct shape_row)};
	sqlite3_stmt *stmt;
	void *given;
	int rc = rd_prepare(r, READ_QUEUE_SHAPE, &stmt, reterr);

	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, q->provider);
	rd_bind(stmt, 2, by_sender);
	rc = shape_rows(r, stmt, a, &rows, reterr);
	sqlite3_reset(stmt);
	if (rc == 0 && rows.n)
		qsort(rows.p, rows.n, sizeof(struct shape_row), most_first);
	if (rc == 0)
		rc = rows_give(&rows, read_limit(q), a, &given, ret_n, reterr);
	rows_free(&rows);
	if (rc == 0)
		*ret = given;
	return rc;
}
