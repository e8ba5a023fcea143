/* SPDX-License-Identifier: MIT */
/*
 * read_siblings - which relay hosts stand beside one: those that mail of the same destinations went to, and those that
 * failed before it or took mail after it had failed.
 *
 * Which hosts a domain has is DNS's to say; here it is what the newest attempts tell.
 */
#include "store/read_rows.h"
#include "store/store_read_mx.h"

#include "store/base/map.h"

#include <stdlib.h>

#define MS_PER_S 1000
#define HOSTS_MAX 256 /* told apart; more than a screen holds */

struct pair { /* of an attempt: where to, by which host */
	int64_t dom, relay; /* relay: dict id of the host */
};

struct siblings {
	struct reader *r;
	const struct query *q;
	struct window w;
	int64_t host; /* dict id of q->relay_host */
	struct rows pairs; /* struct pair, each once */
	struct map seen; /* struct pair -> 1 */
	struct map hosts; /* whole relay= value's dict id -> its host's */
	struct rows found; /* struct sibling_row, key and ndomains */
	struct mt_error *reterr;
};

static int no_memory(struct siblings *s)
{
	return mt_error_set(s->reterr, MT_ENOMEM, "not enough memory for the list");
}

static int host_of(struct siblings *s, int64_t relay, int64_t *ret)
{
	bool new;
	uint64_t *at = map_ref(&s->hosts, str_make((const char *)&relay, sizeof(relay)), &new);
	struct str text;
	int rc;

	if (!new) {
		*ret = (int64_t)*at;
		return 0;
	}
	rc = dict_text(s->r, relay, &text, s->reterr);
	*ret = 0;
	if (rc == 0 && str_find_char(text, '[') < text.n) /* else "none", "local" ... */
		rc = dict_find(s->r, DICT_RELAY_HOST, relay_host(text), ret, s->reterr);
	*at = (uint64_t)*ret;
	return rc;
}

static int attempt_seen(struct siblings *s, const struct raw_attempt *a)
{
	struct pair p = {.dom = a->dom};
	bool new;
	int rc;

	if (a->dom <= 0 || a->relay <= 0 || a->handed_over ||
		(s->q->provider && a->provider != s->q->provider) ||
		a->t_ms < s->w.from_s * MS_PER_S || a->t_ms >= s->w.to_s * MS_PER_S)
		return 0;
	rc = host_of(s, a->relay, &p.relay);
	if (rc < 0 || p.relay == 0)
		return rc;
	map_ref(&s->seen, str_make((const char *)&p, sizeof(p)), &new);
	if (new) {
		struct pair *made = rows_add(&s->pairs);

		if (!made)
			return no_memory(s);
		*made = p;
	}
	return 0;
}

static int walk_attempts(struct siblings *s)
{
	struct filter all = {.q = s->q};
	struct id_range ids;
	struct raw_attempt a;
	sqlite3_stmt *stmt;
	bool cut;
	int rc = window_ids(s->r, s->q->provider, s->w.from_s * MS_PER_S, s->w.to_s * MS_PER_S,
		MARK_ATTEMPT, &ids, s->reterr);

	if (rc == 0)
		rc = attempts_newest(
			s->r, &all, &ids, false, SIBLING_ROWS_MAX, &stmt, &cut, s->reterr);
	if (rc < 0)
		return rc;
	while (rc == 0 && (rc = rd_step(s->r, stmt, s->reterr)) > 0) {
		raw_attempt_read(stmt, &a);
		rc = attempt_seen(s, &a);
	}
	sqlite3_reset(stmt);
	return rc;
}

static int walk_messages(struct siblings *s)
{
	int64_t left = SIBLING_ROWS_MAX;
	struct message_walk w;
	struct raw_message m;
	struct id_range ids;
	int rc = window_ids(s->r, s->q->provider, s->w.from_s * MS_PER_S - INLINE_ATTEMPT_MAX_MS,
		s->w.to_s * MS_PER_S, MARK_MESSAGE, &ids, s->reterr);

	if (rc == 0)
		rc = message_walk_begin(s->r, &ids, &w, s->reterr);
	if (rc < 0)
		return rc;
	while (rc == 0 && left-- > 0 && (rc = message_walk_next(s->r, &w, &m, s->reterr)) > 0)
		rc = m.has_inline ? attempt_seen(s, &m.first) : 0;
	message_walk_end(&w);
	return rc;
}

/* A host met for one more of the destinations (0: by a fallback alone). */
static int host_seen(struct siblings *s, int64_t host, int domains)
{
	struct sibling_row *rows = (void *)s->found.p;

	if (host <= 0 || host == s->host)
		return 0;
	for (size_t i = 0; i < s->found.n; i++)
		if (rows[i].key == host) {
			rows[i].ndomains += domains;
			return 0;
		}
	if (s->found.n >= HOSTS_MAX)
		return 0;
	rows = rows_add(&s->found);
	if (!rows)
		return no_memory(s);
	*rows = (struct sibling_row){.key = host, .ndomains = domains};
	return 0;
}

/* The hosts of the domains the host itself had mail of. */
static int hosts_beside(struct siblings *s)
{
	const struct pair *p = (void *)s->pairs.p;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->pairs.n; i++) {
		struct pair own = {p[i].dom, s->host};
		uint64_t unused;

		if (map_get(&s->seen, str_make((const char *)&own, sizeof(own)), &unused))
			rc = host_seen(s, p[i].relay, 1);
	}
	return rc;
}

static int fallbacks(struct siblings *s)
{
	static const enum metric sent[] = {METRIC_SENT};
	const int64_t mask = ((int64_t)1 << FALLBACK_BITS) - 1;
	struct sums sums;
	int rc = sums_read(
		s->r, &s->w, DIM_FALLBACK, s->q->provider, false, sent, 1, &sums, s->reterr);

	if (rc < 0)
		return rc;
	sums_pack(&sums);
	for (size_t i = 0; rc == 0 && i < sums.n; i++) {
		int64_t failed = sums.row[i].key >> FALLBACK_BITS, took = sums.row[i].key & mask;

		if (failed == s->host || took == s->host)
			rc = host_seen(s, failed == s->host ? took : failed, 0);
	}
	sums_done(&sums);
	return rc;
}

static int most_common_first(const void *left, const void *right)
{
	const struct sibling_row *a = left, *b = right;

	if (a->ndomains != b->ndomains)
		return a->ndomains > b->ndomains ? -1 : 1;
	return (a->key > b->key) - (a->key < b->key);
}

static int give_siblings(
	struct siblings *s, struct arena *a, struct sibling_row **ret, size_t *ret_n)
{
	void *given;
	int rc;

	if (s->found.n)
		qsort(s->found.p, s->found.n, sizeof(struct sibling_row), most_common_first);
	rc = rows_give(&s->found, SIBLINGS_MAX, a, &given, ret_n, s->reterr);
	*ret = given;
	for (size_t i = 0; rc == 0 && i < *ret_n; i++) {
		struct str name;

		rc = dict_text(s->r, (*ret)[i].key, &name, s->reterr);
		if (rc == 0)
			(*ret)[i].host = give_str(a, name, &rc);
	}
	return rc;
}

int read_siblings(struct reader *r, const struct query *q, struct arena *a,
	struct sibling_row **ret, size_t *ret_n, struct mt_error *reterr)
{
	struct siblings s = {.r = r,
		.q = q,
		.pairs = {.item = sizeof(struct pair)},
		.found = {.item = sizeof(struct sibling_row)},
		.reterr = reterr};
	int rc = window_read(r, q, &s.w, reterr);

	map_init(&s.seen);
	map_init(&s.hosts);
	*ret_n = 0;
	if (rc == 0)
		rc = dict_find(r, DICT_RELAY_HOST, q->relay_host, &s.host, reterr);
	if (rc == 0 && s.host)
		rc = walk_attempts(&s);
	if (rc == 0 && s.host)
		rc = walk_messages(&s);
	if (rc == 0)
		rc = hosts_beside(&s);
	if (rc == 0 && s.host)
		rc = fallbacks(&s);
	if (rc == 0)
		rc = give_siblings(&s, a, ret, ret_n);
	map_done(&s.seen);
	map_done(&s.hosts);
	rows_free(&s.pairs);
	rows_free(&s.found);
	return rc;
}

static int most_first(const void *left, const void *right)
{
	const struct sum_row *a = left, *b = right;

	if (a->n[0] != b->n[0])
		return a->n[0] > b->n[0] ? -1 : 1;
	return (a->key > b->key) - (a->key < b->key);
}

static int give_fallback(struct reader *r, const struct sum_row *sum, struct arena *a,
	struct fallback_row *out, struct mt_error *reterr)
{
	struct str name;
	int rc = dict_text(r, sum->key >> FALLBACK_BITS, &name, reterr);

	if (rc == 0)
		out->failed = give_str(a, name, &rc);
	if (rc == 0)
		rc = dict_text(r, sum->key & (((int64_t)1 << FALLBACK_BITS) - 1), &name, reterr);
	if (rc == 0)
		out->took = give_str(a, name, &rc);
	out->n = sum->n[0];
	return rc;
}

int read_fallbacks(struct reader *r, const struct query *q, struct arena *a,
	struct fallback_row **ret, size_t *ret_n, struct mt_error *reterr)
{
	static const enum metric sent[] = {METRIC_SENT};
	size_t max = read_limit(q);
	struct sums sums;
	struct window w;
	int rc = window_read(r, q, &w, reterr);

	*ret_n = 0;
	if (rc == 0)
		rc = sums_read(r, &w, DIM_FALLBACK, q->provider, false, sent, 1, &sums, reterr);
	if (rc < 0)
		return rc;
	sums_pack(&sums);
	if (sums.n)
		qsort(sums.row, sums.n, sizeof(sums.row[0]), most_first);
	*ret = arena_alloc(a, (sums.n + 1) * sizeof(**ret));
	rc = *ret ? 0 : arena_full(reterr);
	for (size_t i = 0; rc == 0 && i < sums.n && *ret_n < max; i++) {
		struct fallback_row *row = &(*ret)[*ret_n];

		if (sums.row[i].n[0] <= 0)
			continue;
		rc = give_fallback(r, &sums.row[i], a, row, reterr);
		*ret_n += !str_present(q->relay_host) || str_eq(row->failed, q->relay_host) ||
			  str_eq(row->took, q->relay_host);
	}
	sums_done(&sums);
	return rc;
}
