/* SPDX-License-Identifier: MIT */
/*
 * read_attempts - the list of attempts, newest first: rows of table attempt and those inside messages.
 *
 * First the keys of the page are found in both tables, then only its rows are read whole. Invariant: pages
 * are ordered by (t_ms, key) descending and no row of the window is in two pages.
 */
#include "store/read_rows.h"

#include <stdlib.h>

#define MS_PER_S 1000
#define DISORDER_ROWS 64 /* log lines may be out of order by that many rows at the edge of a page */

struct candidate {
	int64_t t_ms,
		key; /* key: attempt id, or the message id made negative for the attempt inside it */
};

struct page {
	struct filter filter;
	struct candidate before; /* t_ms INT64_MAX: the first page */
	int64_t from_ms, to_ms;
	size_t limit;
	struct rows found; /* struct candidate */
};

static int newest_first(const void *left, const void *right)
{
	const struct candidate *a = left, *b = right;

	if (a->t_ms != b->t_ms)
		return a->t_ms > b->t_ms ? -1 : 1;
	return (a->key < b->key) - (a->key > b->key);
}

static bool in_page(const struct page *p, struct candidate c)
{
	return c.t_ms >= p->from_ms && c.t_ms < p->to_ms && newest_first(&p->before, &c) < 0;
}

static int keep(struct page *p, struct candidate c, struct mt_error *reterr)
{
	struct candidate *made = rows_add(&p->found);

	if (!made)
		return mt_error_set(reterr, MT_ENOMEM, "not enough memory for the list");
	*made = c;
	return 0;
}

/* 1: kept, 0: does not match. */
static int try_attempt(
	struct reader *r, struct page *p, sqlite3_stmt *stmt, struct mt_error *reterr)
{
	struct candidate c = {rd_id(stmt, ATTEMPT_T), rd_id(stmt, ATTEMPT_ID)};
	const struct query *q = p->filter.q;
	struct raw_attempt a;
	struct raw_message m;
	bool owned = false;
	int rc;

	if (!in_page(p, c) || (q->provider && rd_id(stmt, ATTEMPT_PROVIDER) != q->provider) ||
		!filter_status(q, (enum event_status)rd_id(stmt, ATTEMPT_STATUS)))
		return 0;
	if (p->filter.any) {
		raw_attempt_read(stmt, &a);
		if (p->filter.by_message) {
			rc = raw_message_get(r, a.message, q->text.n > 0, &m, reterr);
			if (rc < 0)
				return rc == MT_ENOENT ? 0 : rc;
			owned = true;
		}
		rc = filter_attempt(r, &p->filter, &a, owned ? &m : NULL, reterr);
		if (rc <= 0)
			return rc;
	}
	rc = keep(p, c, reterr);
	return rc < 0 ? rc : 1;
}

static int find_attempts(struct reader *r, struct page *p, struct mt_error *reterr)
{
	const struct query *q = p->filter.q;
	bool cut = false;
	int64_t most = p->filter.by_message ? OWNED_ROWS_MAX : SCAN_ROWS_MAX, left = most;
	struct id_range ids;
	sqlite3_stmt *stmt;
	size_t n = 0;
	int rc = window_ids(r, q->provider, p->from_ms, p->to_ms, MARK_ATTEMPT, &ids, reterr);

	if (rc == 0)
		rc = attempts_newest(r, &p->filter, &ids,
			q->status == STATUS_DEFERRED || q->status == STATUS_BOUNCED ||
				q->status == STATUS_EXPIRED,
			most, &stmt, &cut, reterr);
	if (rc < 0)
		return rc;
	while (n < p->limit + DISORDER_ROWS && (rc = rd_step(r, stmt, reterr)) > 0) {
		if (left-- == 0) {
			r->truncated = true;
			break;
		}
		rc = try_attempt(r, p, stmt, reterr);
		if (rc < 0)
			break;
		n += (size_t)rc;
	}
	r->truncated = r->truncated || (cut && n < p->limit);
	sqlite3_reset(stmt);
	return rc < 0 ? rc : 0;
}

static int try_inline(struct reader *r, struct page *p, const struct message_walk *w,
	struct raw_message *m, struct mt_error *reterr)
{
	struct candidate c = {m->first.t_ms, -m->id};
	const struct query *q = p->filter.q;
	int rc = 0;

	if (!m->has_inline || !in_page(p, c) || (q->provider && m->provider != q->provider))
		return 0;
	if (q->text.n > 0)
		rc = message_walk_texts(r, w, m, reterr);
	if (rc == 0)
		rc = filter_attempt(r, &p->filter, &m->first, m, reterr);
	if (rc > 0 && (rc = keep(p, c, reterr)) == 0)
		rc = 1;
	return rc;
}

/*
 * Messages come in order of arrival, their attempts up to INLINE_ATTEMPT_MAX_MS later: go on until none that
 * is left can be newer than the oldest one found.
 */
static int find_inline(struct reader *r, struct page *p, struct mt_error *reterr)
{
	int64_t left = SCAN_ROWS_MAX, oldest_ms = INT64_MAX, t_ms;
	struct id_range ids;
	struct message_walk w;
	struct raw_message m;
	size_t n = 0;
	int rc = window_ids(r, p->filter.q->provider, p->from_ms - INLINE_ATTEMPT_MAX_MS, p->to_ms,
		MARK_MESSAGE, &ids, reterr);

	if (rc == 0)
		rc = message_walk_begin(r, &ids, &w, reterr);
	if (rc < 0)
		return rc;
	while ((rc = message_walk_next(r, &w, &m, reterr)) > 0) {
		if (left-- == 0) {
			r->truncated = true;
			break;
		}
		if (n >= p->limit + DISORDER_ROWS && m.t_ms < oldest_ms - INLINE_ATTEMPT_MAX_MS)
			break;
		rc = try_inline(r, p, &w, &m, reterr);
		if (rc < 0)
			break;
		if (rc > 0) {
			t_ms = ((struct candidate *)(void *)p->found.p)[p->found.n - 1].t_ms;
			if (n < p->limit && t_ms < oldest_ms)
				oldest_ms = t_ms;
			n++;
		}
	}
	message_walk_end(&w);
	return rc < 0 ? rc : 0;
}

/* When the attempts inside messages fill a page alone, older ones than its last are not on it: no need to look. */
static void bound_to_page(struct page *p)
{
	struct candidate *c = (void *)p->found.p;

	if (p->found.n < p->limit)
		return;
	qsort(c, p->found.n, sizeof(*c), newest_first);
	if (c[p->limit - 1].t_ms > p->from_ms)
		p->from_ms = c[p->limit - 1].t_ms;
}

static int give_one(struct reader *r, const struct candidate *c, struct arena *a,
	struct attempt_row *out, struct mt_error *reterr)
{
	struct raw_attempt raw;
	struct raw_message m;
	sqlite3_stmt *stmt = NULL;
	bool has_message;
	int rc;

	if (c->key < 0) {
		rc = raw_message_get(r, -c->key, true, &m, reterr);
		return rc < 0 ? rc : give_attempt(r, &m.first, &m, a, out, reterr);
	}
	rc = rd_prepare(r, READ_ATTEMPT_BY_ID, &stmt, reterr);
	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, c->key);
	rc = rd_step(r, stmt, reterr);
	if (rc <= 0)
		return rc < 0 ? rc
			      : mt_error_set(reterr, MT_ECORRUPT,
					"cache: a row vanished within a snapshot");
	raw_attempt_read(stmt, &raw);
	rc = raw_message_get(r, raw.message, true, &m, reterr);
	has_message = rc == 0;
	if (rc == 0 || rc == MT_ENOENT)
		rc = give_attempt(r, &raw, has_message ? &m : NULL, a, out, reterr);
	sqlite3_reset(stmt);
	return rc;
}

static int give_page(struct reader *r, struct page *p, struct arena *a, struct attempt_row **ret,
	size_t *ret_n, struct mt_error *reterr)
{
	struct candidate *c = (void *)p->found.p;
	size_t n = p->found.n < p->limit ? p->found.n : p->limit;
	struct attempt_row *out = arena_alloc(a, n * sizeof(*out) + 1);
	int rc = 0;

	if (!out)
		return arena_full(reterr);
	if (p->found.n)
		qsort(c, p->found.n, sizeof(*c), newest_first);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = give_one(r, &c[i], a, &out[i], reterr);
	if (rc < 0)
		return rc;
	*ret = out;
	*ret_n = n;
	return 0;
}

/* A rare code: hours in which it did not occur need no look. */
static int narrow_to_code(struct reader *r, const struct query *q, const struct window *w,
	int64_t *to_ms, struct mt_error *reterr)
{
	static const enum metric outcomes[] = {METRIC_SENT, METRIC_DEFERRED, METRIC_BOUNCED};
	struct segment hours = {RES_HOUR, w->from_s - w->from_s % RES_HOUR, w->to_s};
	int64_t newest_s = EVENT_UNKNOWN, t_s;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
		rc = counts_last(
			r, &hours, DIM_CODE, q->code_key, outcomes[i], q->provider, &t_s, reterr);
		newest_s = rc == 0 && t_s > newest_s ? t_s : newest_s;
	}
	if (rc == 0 && newest_s >= 0 && (newest_s + RES_HOUR) * MS_PER_S < *to_ms)
		*to_ms = (newest_s + RES_HOUR) * MS_PER_S;
	return rc;
}

int read_attempts(struct reader *r, const struct query *q, int64_t before_ms, int64_t before_id,
	struct arena *a, struct attempt_row **ret, size_t *ret_n, struct mt_error *reterr)
{
	struct page p = {
		.before = {before_ms ? before_ms : INT64_MAX, before_ms ? before_id : INT64_MAX},
		.limit = read_limit(q),
		.found = {.item = sizeof(struct candidate)}};
	struct window w;
	int rc = filter_init(r, q, &p.filter, reterr);

	if (rc == 0)
		rc = window_read(r, q, &w, reterr);
	if (rc < 0)
		return rc;
	p.from_ms = w.from_s * MS_PER_S;
	p.to_ms = w.to_s * MS_PER_S;
	if (before_ms && before_ms < p.to_ms)
		p.to_ms = before_ms + 1;
	if (q->code_key)
		rc = narrow_to_code(r, q, &w, &p.to_ms, reterr);
	if (rc == 0 && !p.filter.impossible &&
		(q->status == STATUS_NONE || q->status == STATUS_SENT))
		rc = find_inline(r, &p, reterr);
	bound_to_page(&p);
	if (rc == 0 && !p.filter.impossible)
		rc = find_attempts(r, &p, reterr);
	if (rc == 0)
		rc = give_page(r, &p, a, ret, ret_n, reterr);
	rows_free(&p.found);
	return rc;
}
