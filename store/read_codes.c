/* SPDX-License-Identifier: MIT */
/*
 * read_codes - figures by reply code and outcome: counts from buckets, words from the newest failures.
 *
 * With a filter that buckets do not serve the counts come from the rows, as far back as COUNT_ROWS_MAX allows;
 * then sent records have no code (their rows are too many) and stand together under key 0.
 */
#include "store/base/map.h"
#include "store/read_rows.h"

#include <stdlib.h>

#define MS_PER_S 1000
#define SAMPLE_ROWS_MAX 2000 /* newest failures whose words are counted: 2 ms */

enum { COL_SENT, COL_DEFERRED, COL_BOUNCED, COL_REJECTED, COLS };

static const enum metric metrics[COLS] = {
	METRIC_SENT, METRIC_DEFERRED, METRIC_BOUNCED, METRIC_REJECTED};
static const enum event_status statuses[COLS] = {
	STATUS_SENT, STATUS_DEFERRED, STATUS_BOUNCED, STATUS_NONE};

struct group {
	int64_t key, status;
};
struct word {
	int64_t row, reply;
};

struct codes {
	struct reader *r;
	struct rows rows; /* struct code_row */
	struct map index; /* struct group -> row number + 1 */
	struct map words; /* struct word -> times */
	struct rows best; /* int64_t: times of the row's most frequent template */
	bool counting; /* rows count too, not only their words */
	struct mt_error *reterr;
};

static struct code_row *row_of(struct codes *c, int64_t key, enum event_status status, bool make)
{
	struct group g = {key, status};
	struct str name = {(const char *)&g, sizeof(g)};
	uint64_t at;
	struct code_row *row;

	if (map_get(&c->index, name, &at))
		return &((struct code_row *)(void *)c->rows.p)[at - 1];
	if (!make)
		return NULL;
	row = rows_add(&c->rows);
	if (!row || !rows_add(&c->best))
		return NULL;
	*row = (struct code_row){
		.key = key, .status = status, .before = EVENT_UNKNOWN, .newest_ms = EVENT_UNKNOWN};
	map_set(&c->index, name, c->rows.n);
	return row;
}

/* relay: dict id of the relay= value that said it; 0 for refusals. */
static int word_seen(struct codes *c, int64_t key, enum event_status status, int64_t reply,
	int64_t relay, enum smtp_stage stage, int64_t t_ms)
{
	struct code_row *row = row_of(c, key, status, c->counting);
	struct word w;
	uint64_t *times;
	int64_t *best;

	if (!row)
		return c->counting ? mt_error_set(c->reterr, MT_ENOMEM,
					     "not enough memory for the codes")
				   : 0;
	if (c->counting)
		row->n++;
	w = (struct word){row - (struct code_row *)(void *)c->rows.p, reply};
	times = map_ref(&c->words, (struct str){(const char *)&w, sizeof(w)}, NULL);
	best = &((int64_t *)(void *)c->best.p)[w.row];
	++*times;
	if (reply && (int64_t)*times > *best) {
		*best = (int64_t)*times;
		if (row->dict_reply != reply)
			row->dict_relay = relay;
		row->dict_reply = reply;
		row->stage = stage;
	}
	if (t_ms > row->newest_ms)
		row->newest_ms = t_ms;
	return 0;
}

static int attempt_seen(void *ctx, const struct raw_attempt *a, const struct raw_message *m)
{
	(void)m;
	if (a->status == STATUS_EXPIRED)
		return 0; /* not a reply of anyone: its last deferral is counted */
	return word_seen(
		ctx, code_key(a->dsn, a->code), a->status, a->reply, a->relay, a->stage, a->t_ms);
}

static int one_reject(
	struct codes *c, const struct filter *f, const struct window *w, sqlite3_stmt *stmt)
{
	struct raw_reject x;
	int rc;

	raw_reject_read(stmt, &x);
	if (x.t_ms < w->from_s * MS_PER_S || x.t_ms >= w->to_s * MS_PER_S ||
		x.action != REJECT_REJECT || (f->q->provider && x.provider != f->q->provider))
		return 0;
	rc = filter_reject(c->r, f, &x, c->reterr);
	if (rc > 0)
		rc = word_seen(
			c, code_key(x.dsn, x.code), STATUS_NONE, x.reply, 0, x.stage, x.t_ms);
	return rc;
}

static int scan_rejects(
	struct codes *c, const struct query *q, const struct window *w, int64_t max_rows)
{
	struct filter f;
	struct id_range ids;
	sqlite3_stmt *stmt;
	bool cut;
	int rc = filter_init(c->r, q, &f, c->reterr);

	if (rc == 0)
		rc = window_ids(c->r, q->provider, w->from_s * MS_PER_S, w->to_s * MS_PER_S,
			MARK_REJECT, &ids, c->reterr);
	if (rc < 0 || f.impossible || (q->status != STATUS_NONE && c->counting))
		return rc;
	rc = rejects_newest(c->r, &f, &ids, REJECT_REJECT, max_rows, &stmt, &cut, c->reterr);
	if (rc < 0)
		return rc;
	while ((rc = rd_step(c->r, stmt, c->reterr)) > 0) {
		rc = one_reject(c, &f, w, stmt);
		if (rc < 0)
			break;
	}
	c->r->truncated = c->r->truncated || (cut && c->counting);
	sqlite3_reset(stmt);
	return rc < 0 ? rc : 0;
}

static bool wanted(const struct query *q, int column)
{
	if (q->status == STATUS_NONE)
		return true;
	return statuses[column] != STATUS_NONE && filter_status(q, statuses[column]);
}

static int count_buckets(struct codes *c, const struct query *q, const struct window *w)
{
	struct sums sums;
	int rc = sums_read(c->r, w, DIM_CODE, q->provider, false, metrics, COLS, &sums, c->reterr);

	if (rc < 0)
		return rc;
	sums_pack(&sums);
	for (size_t i = 0; rc == 0 && i < sums.n; i++)
		for (int m = 0; rc == 0 && m < COLS; m++) {
			struct code_row *row;

			if (sums.row[i].n[m] <= 0 || !wanted(q, m) ||
				(q->code_key && sums.row[i].key != q->code_key))
				continue;
			row = row_of(c, sums.row[i].key, statuses[m], true);
			if (row)
				row->n = sums.row[i].n[m];
			else
				rc = mt_error_set(
					c->reterr, MT_ENOMEM, "not enough memory for the codes");
		}
	sums_done(&sums);
	return rc;
}

static int count_before(struct codes *c, const struct query *q, const struct window *w)
{
	struct coverage covered;
	struct window before;
	struct sums sums;
	int rc = coverage_read(c->r, q->provider, &covered, c->reterr);

	if (rc == 0)
		rc = window_before(c->r, q->provider, w, &before, c->reterr);
	if (rc < 0 || covered.first_ms < 0 || covered.first_ms > before.from_s * MS_PER_S ||
		before.res_s != w->res_s || w->slot_s)
		return rc;
	rc = sums_read(
		c->r, &before, DIM_CODE, q->provider, false, metrics, COLS, &sums, c->reterr);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < c->rows.n; i++) {
		struct code_row *row = &((struct code_row *)(void *)c->rows.p)[i];
		const struct sum_row *sum = sums_find(&sums, 0, row->key);

		row->before = 0;
		for (int m = 0; sum && m < COLS; m++)
			if (statuses[m] == row->status)
				row->before = sum->n[m] > 0 ? sum->n[m] : 0;
	}
	sums_done(&sums);
	return 0;
}

/* Newest minute in which the code occurred, through the hours: EVENT_UNKNOWN when that is pruned. */
static int newest_minute(struct reader *r, const struct query *q, const struct window *w,
	const struct code_row *row, int64_t *ret_s, struct mt_error *reterr)
{
	int64_t from_s = w->from_s - w->from_s % RES_HOUR, to_s = w->to_s;
	static const enum bucket_resolution steps[] = {RES_HOUR, RES_MINUTE};
	enum metric metric = METRIC_REJECTED;
	int rc = 0;

	for (int m = 0; m < COLS; m++)
		if (statuses[m] == row->status)
			metric = metrics[m];
	*ret_s = EVENT_UNKNOWN;
	for (size_t i = 0; rc == 0 && i < 2; i++) {
		struct segment seg = {steps[i], from_s, to_s};

		rc = counts_last(r, &seg, DIM_CODE, row->key, metric, q->provider, ret_s, reterr);
		if (*ret_s < 0)
			break;
		from_s = *ret_s;
		to_s = from_s + RES_HOUR < w->to_s ? from_s + RES_HOUR : w->to_s;
	}
	return rc;
}

/* A code too rare to be among the newest failures: look at its newest minute. */
static int find_words(struct codes *c, const struct query *q, const struct window *w, size_t at)
{
	struct code_row row = ((struct code_row *)(void *)c->rows.p)[at];
	struct query narrow = {.provider = q->provider, .code_key = row.key, .status = row.status};
	struct window minute;
	int64_t t_s;
	int rc = newest_minute(c->r, q, w, &row, &t_s, c->reterr);

	if (rc < 0 || t_s < 0)
		return rc;
	((struct code_row *)(void *)c->rows.p)[at].newest_ms = t_s * MS_PER_S;
	if (row.status == STATUS_SENT)
		return 0;
	rc = window_of(c->r, t_s * MS_PER_S, (t_s + RES_MINUTE) * MS_PER_S, &minute, c->reterr);
	if (rc == 0 && row.status == STATUS_NONE)
		rc = scan_rejects(c, &narrow, &minute, SAMPLE_ROWS_MAX);
	else if (rc == 0)
		rc = scan_failures(
			c->r, &narrow, &minute, SAMPLE_ROWS_MAX, attempt_seen, c, c->reterr);
	return rc;
}

static int by_buckets(struct codes *c, const struct query *q, const struct window *w)
{
	struct query sample = {.provider = q->provider, .code_key = q->code_key};
	bool truncated = c->r->truncated;
	int rc = count_buckets(c, q, w);

	if (rc == 0)
		rc = count_before(c, q, w);
	if (rc == 0)
		rc = scan_failures(c->r, &sample, w, SAMPLE_ROWS_MAX, attempt_seen, c, c->reterr);
	if (rc == 0)
		rc = scan_rejects(c, &sample, w, SAMPLE_ROWS_MAX);
	for (size_t i = 0; rc == 0 && i < c->rows.n; i++)
		if (((struct code_row *)(void *)c->rows.p)[i].newest_ms < 0)
			rc = find_words(c, q, w, i);
	c->r->truncated = truncated; /* the counts are whole; only their words are a sample */
	return rc;
}

static int by_rows(struct codes *c, const struct query *q, const struct window *w)
{
	struct query totals_query = *q;
	struct totals totals;
	struct code_row *row;
	int rc;

	c->counting = true;
	rc = scan_failures(c->r, q, w, count_rows_max(q), attempt_seen, c, c->reterr);
	if (rc == 0)
		rc = scan_rejects(c, q, w, count_rejects_max(q));
	if (rc < 0 || !wanted(q, COL_SENT) || q->code_key)
		return rc;
	rc = read_totals(c->r, &totals_query, &totals, c->reterr);
	if (rc == 0 && totals.n[METRIC_SENT] > 0) {
		row = row_of(c, 0, STATUS_SENT, true);
		if (row)
			row->n = totals.n[METRIC_SENT];
	}
	return rc;
}

static int most_first(const void *left, const void *right)
{
	const struct code_row *a = left, *b = right;

	if (a->n != b->n)
		return a->n > b->n ? -1 : 1;
	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return (a->status > b->status) - (a->status < b->status);
}

static int give_codes(struct codes *c, const struct query *q, struct arena *a,
	struct code_row **ret, size_t *ret_n)
{
	void *given;
	struct str text;
	int rc;

	if (c->rows.n)
		qsort(c->rows.p, c->rows.n, sizeof(struct code_row), most_first);
	rc = rows_give(&c->rows, read_limit(q), a, &given, ret_n, c->reterr);
	*ret = given;
	for (size_t i = 0; rc == 0 && i < *ret_n; i++) {
		rc = dict_text(c->r, (*ret)[i].dict_reply, &text, c->reterr);
		if (rc == 0)
			(*ret)[i].reply = give_str(a, text, &rc);
		if (rc == 0)
			rc = dict_text(c->r, (*ret)[i].dict_relay, &text, c->reterr);
		if (rc == 0)
			(*ret)[i].relay = give_str(a, text, &rc);
	}
	return rc;
}

int read_codes(struct reader *r, const struct query *q, struct arena *a, struct code_row **ret,
	size_t *ret_n, struct mt_error *reterr)
{
	struct codes c = {.r = r,
		.reterr = reterr,
		.rows = {.item = sizeof(struct code_row)},
		.best = {.item = sizeof(int64_t)}};
	bool filtered = str_present(q->domain) || str_present(q->relay_host) ||
			str_present(q->sender_domain) || str_present(q->user) ||
			str_present(q->service) || str_present(q->reply_template) ||
			str_present(q->egress) || q->plan || q->text.n > 0 || q->port != 0 ||
			q->relay_port != 0;
	struct window w;
	int rc = window_read(r, q, &w, reterr);

	map_init(&c.index);
	map_init(&c.words);
	if (rc == 0)
		rc = filtered ? by_rows(&c, q, &w) : by_buckets(&c, q, &w);
	if (rc == 0)
		rc = give_codes(&c, q, a, ret, ret_n);
	map_done(&c.index);
	map_done(&c.words);
	rows_free(&c.rows);
	rows_free(&c.best);
	return rc;
}
