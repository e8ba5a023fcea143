/* SPDX-License-Identifier: MIT */
/*
 * read_replies - failures and refusals grouped by the wording of their reply: the dictionary's template is the key.
 *
 * Counts rows, newest first, as far back as COUNT_ROWS_MAX allows. The example of a wording is its newest record.
 */
#include "store/base/map.h"
#include "store/read_rows.h"

#include <stdlib.h>

#define MS_PER_S 1000

struct replies {
	struct reader *r;
	struct arena *arena;
	struct rows rows; /* struct reply_row */
	struct map index; /* template id -> row number + 1 */
	struct mt_error *reterr;
};

/* The row of a template; *made when it is new and its example is still to be filled. */
static struct reply_row *row_of(struct replies *p, int64_t reply, bool *made)
{
	uint64_t *at = map_ref(&p->index, (struct str){(const char *)&reply, sizeof(reply)}, made);
	struct reply_row *row;

	if (!*made)
		return &((struct reply_row *)(void *)p->rows.p)[*at - 1];
	row = rows_add(&p->rows);
	if (row) {
		*at = p->rows.n;
		*row = (struct reply_row){.key = reply};
	}
	return row;
}

static int attempt_seen(void *ctx, const struct raw_attempt *a, const struct raw_message *m)
{
	struct replies *p = ctx;
	struct attempt_row whole;
	bool made;
	struct reply_row *row = row_of(p, a->reply, &made);
	int rc;

	(void)m;
	if (!row)
		return mt_error_set(p->reterr, MT_ENOMEM, "not enough memory for the replies");
	row->n++;
	if (a->t_ms > row->newest_ms)
		row->newest_ms = a->t_ms;
	if (!made)
		return 0;
	rc = give_attempt(p->r, a, NULL, p->arena, &whole, p->reterr);
	row->reply_template = whole.reply_template;
	row->example = whole.reply;
	row->where = whole.relay;
	row->status = a->status;
	row->stage = a->stage;
	row->dsn = a->dsn;
	row->code = a->code;
	return rc;
}

static int reject_seen(struct replies *p, const struct raw_reject *x)
{
	struct reject_row whole;
	bool made;
	struct reply_row *row = row_of(p, x->reply, &made);
	int rc;

	if (!row)
		return mt_error_set(p->reterr, MT_ENOMEM, "not enough memory for the replies");
	row->n++;
	if (x->t_ms > row->newest_ms)
		row->newest_ms = x->t_ms;
	if (!made)
		return 0;
	rc = give_reject(p->r, x, p->arena, &whole, p->reterr);
	row->reply_template = whole.reply_template;
	row->example = whole.reply;
	row->where = whole.client;
	row->stage = x->stage;
	row->dsn = x->dsn;
	row->code = x->code;
	return rc;
}

static int one_reject(
	struct replies *p, const struct filter *f, const struct window *w, sqlite3_stmt *stmt)
{
	struct raw_reject x;
	int rc;

	raw_reject_read(stmt, &x);
	if (x.t_ms < w->from_s * MS_PER_S || x.t_ms >= w->to_s * MS_PER_S ||
		x.action != REJECT_REJECT || (f->q->provider && x.provider != f->q->provider))
		return 0;
	rc = filter_reject(p->r, f, &x, p->reterr);
	return rc > 0 ? reject_seen(p, &x) : rc;
}

static int scan_rejects(struct replies *p, const struct query *q, const struct window *w)
{
	struct filter f;
	struct id_range ids;
	sqlite3_stmt *stmt;
	bool cut;
	int rc = filter_init(p->r, q, &f, p->reterr);

	if (rc == 0)
		rc = window_ids(p->r, q->provider, w->from_s * MS_PER_S, w->to_s * MS_PER_S,
			MARK_REJECT, &ids, p->reterr);
	if (rc < 0 || f.impossible)
		return rc;
	rc = rejects_newest(
		p->r, &f, &ids, REJECT_REJECT, count_rejects_max(q), &stmt, &cut, p->reterr);
	if (rc < 0)
		return rc;
	while ((rc = rd_step(p->r, stmt, p->reterr)) > 0) {
		rc = one_reject(p, &f, w, stmt);
		if (rc < 0)
			break;
	}
	p->r->truncated = p->r->truncated || cut;
	sqlite3_reset(stmt);
	return rc < 0 ? rc : 0;
}

static int most_first(const void *left, const void *right)
{
	const struct reply_row *a = left, *b = right;

	if (a->n != b->n)
		return a->n > b->n ? -1 : 1;
	return (a->key > b->key) - (a->key < b->key);
}

int read_replies(struct reader *r, const struct query *q, bool rejects, struct arena *a,
	struct reply_row **ret, size_t *ret_n, struct mt_error *reterr)
{
	struct replies p = {
		.r = r, .arena = a, .rows = {.item = sizeof(struct reply_row)}, .reterr = reterr};
	struct window w;
	void *given;
	int rc = window_read(r, q, &w, reterr);

	map_init(&p.index);
	if (rc == 0)
		rc = rejects ? scan_rejects(&p, q, &w)
			     : scan_failures(r, q, &w, count_rows_max(q), attempt_seen, &p, reterr);
	if (rc == 0 && p.rows.n)
		qsort(p.rows.p, p.rows.n, sizeof(struct reply_row), most_first);
	if (rc == 0)
		rc = rows_give(&p.rows, read_limit(q), a, &given, ret_n, reterr);
	if (rc == 0)
		*ret = given;
	map_done(&p.index);
	rows_free(&p.rows);
	return rc;
}
