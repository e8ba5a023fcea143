/* SPDX-License-Identifier: MIT */
/*
 * read_messages - the list of messages, one message with its attempts and its family, and rejects.
 *
 * Queue ids have no index but for open messages (random keys halve the writer): a finished one is looked
 * for among the newest QID_ROWS_MAX messages.
 */
#include "store/read_rows.h"

#include <stdlib.h>

#define MS_PER_S 1000
#define QID_ROWS_MAX 1000000 /* about 0.2 s; asked for by a person typing an id, not by a frame */
#define ATTEMPTS_OF_MESSAGE_MAX 10000
#define FAMILY_MAX 200 /* a mailing list's forwarded copies */
#define ANCESTORS_MAX 16

struct list {
	struct filter filter;
	int64_t from_ms, to_ms, before_id;
	struct id_range ids;
	size_t limit;
};

static int list_init(struct reader *r, const struct query *q, int64_t before_id,
	enum mark_column column, struct list *out, struct mt_error *reterr)
{
	struct window w;
	int rc = filter_init(r, q, &out->filter, reterr);

	if (rc == 0)
		rc = window_read(r, q, &w, reterr);
	if (rc < 0)
		return rc;
	out->from_ms = w.from_s * MS_PER_S;
	out->to_ms = w.to_s * MS_PER_S;
	out->limit = read_limit(q);
	rc = window_ids(r, q->provider, out->from_ms, out->to_ms, column, &out->ids, reterr);
	if (before_id > 0 && before_id - 1 < out->ids.high)
		out->ids.high = before_id - 1;
	return rc;
}

static bool in_list(const struct list *l, int64_t t_ms, int64_t provider)
{
	return t_ms >= l->from_ms && t_ms < l->to_ms &&
	       (!l->filter.q->provider || provider == l->filter.q->provider);
}

static int list_message(struct reader *r, const struct list *l, const struct message_walk *w,
	struct raw_message *m, struct arena *a, struct rows *out, struct mt_error *reterr)
{
	bool by_text = l->filter.q->text.n > 0;
	struct message_row *row;
	int rc = 0;

	if (!in_list(l, m->t_ms, m->provider))
		return 0;
	if (by_text)
		rc = message_walk_texts(r, w, m, reterr);
	if (rc == 0)
		rc = filter_message(r, &l->filter, m, reterr);
	if (rc > 0 && !by_text && (rc = message_walk_texts(r, w, m, reterr)) == 0)
		rc = 1;
	if (rc <= 0)
		return rc;
	row = rows_add(out);
	return row ? give_message(r, m, a, row, reterr)
		   : mt_error_set(reterr, MT_ENOMEM, "out of memory");
}

static int list_messages(struct reader *r, const struct list *l, struct arena *a, struct rows *out,
	struct mt_error *reterr)
{
	int64_t left = SCAN_ROWS_MAX;
	struct message_walk w;
	struct raw_message m;
	int rc = l->filter.impossible ? 0 : message_walk_begin(r, &l->ids, &w, reterr);

	if (rc < 0 || l->filter.impossible)
		return rc;
	while (out->n < l->limit && (rc = message_walk_next(r, &w, &m, reterr)) > 0) {
		if (left-- == 0) {
			r->truncated = true;
			break;
		}
		rc = list_message(r, l, &w, &m, a, out, reterr);
		if (rc < 0)
			break;
	}
	message_walk_end(&w);
	return rc < 0 ? rc : 0;
}

static int list_reject(struct reader *r, const struct list *l, sqlite3_stmt *stmt, struct arena *a,
	struct rows *out, struct mt_error *reterr)
{
	struct raw_reject x;
	struct reject_row *row;
	int rc;

	if (!in_list(l, rd_id(stmt, 2), rd_id(stmt, 1)))
		return 0;
	raw_reject_read(stmt, &x);
	rc = filter_reject(r, &l->filter, &x, reterr);
	if (rc <= 0)
		return rc;
	row = rows_add(out);
	return row ? give_reject(r, &x, a, row, reterr)
		   : mt_error_set(reterr, MT_ENOMEM, "out of memory");
}

static int list_rejects(struct reader *r, const struct list *l, struct arena *a, struct rows *out,
	struct mt_error *reterr)
{
	int64_t left = SCAN_ROWS_MAX;
	sqlite3_stmt *stmt;
	bool cut = false;
	int rc = l->filter.impossible ? 0
				      : rejects_newest(r, &l->filter, &l->ids, -1, SCAN_ROWS_MAX,
						&stmt, &cut, reterr);

	if (rc < 0 || l->filter.impossible)
		return rc;
	while (out->n < l->limit && (rc = rd_step(r, stmt, reterr)) > 0) {
		if (left-- == 0) {
			r->truncated = true;
			break;
		}
		rc = list_reject(r, l, stmt, a, out, reterr);
		if (rc < 0)
			break;
	}
	r->truncated = r->truncated || (cut && out->n < l->limit);
	sqlite3_reset(stmt);
	return rc < 0 ? rc : 0;
}

int read_messages(struct reader *r, const struct query *q, int64_t before_id, struct arena *a,
	struct message_row **ret, size_t *ret_n, struct mt_error *reterr)
{
	struct rows out = {.item = sizeof(struct message_row)};
	struct list l;
	void *given;
	int rc = list_init(r, q, before_id, MARK_MESSAGE, &l, reterr);

	if (rc == 0)
		rc = list_messages(r, &l, a, &out, reterr);
	if (rc == 0)
		rc = rows_give(&out, out.n, a, &given, ret_n, reterr);
	if (rc == 0)
		*ret = given;
	rows_free(&out);
	return rc;
}

int read_rejects(struct reader *r, const struct query *q, int64_t before_id, struct arena *a,
	struct reject_row **ret, size_t *ret_n, struct mt_error *reterr)
{
	struct rows out = {.item = sizeof(struct reject_row)};
	struct list l;
	void *given;
	int rc = list_init(r, q, before_id, MARK_REJECT, &l, reterr);

	if (rc == 0)
		rc = list_rejects(r, &l, a, &out, reterr);
	if (rc == 0)
		rc = rows_give(&out, out.n, a, &given, ret_n, reterr);
	if (rc == 0)
		*ret = given;
	rows_free(&out);
	return rc;
}

static int by_time(const void *left, const void *right)
{
	const struct attempt_row *a = left, *b = right;

	if (a->t_ms != b->t_ms)
		return a->t_ms < b->t_ms ? -1 : 1;
	return (a->id > b->id) - (a->id < b->id);
}

static int message_attempts(struct reader *r, const struct raw_message *m, struct arena *a,
	struct message_detail *out, struct mt_error *reterr)
{
	struct rows rows = {.item = sizeof(struct attempt_row)};
	struct attempt_row *row = m->has_inline ? rows_add(&rows) : NULL;
	struct raw_attempt raw;
	sqlite3_stmt *stmt;
	void *given;
	int rc = row ? give_attempt(r, &m->first, m, a, row, reterr) : 0;

	if (rc == 0)
		rc = rd_prepare(r, READ_ATTEMPTS_OF_MESSAGE, &stmt, reterr);
	if (rc == 0) {
		rd_bind(stmt, 1, m->id);
		rd_bind(stmt, 2, ATTEMPTS_OF_MESSAGE_MAX);
		while ((rc = rd_step(r, stmt, reterr)) > 0) {
			raw_attempt_read(stmt, &raw);
			row = rows_add(&rows);
			rc = row ? give_attempt(r, &raw, m, a, row, reterr)
				 : mt_error_set(reterr, MT_ENOMEM, "out of memory");
			if (rc < 0)
				break;
		}
		sqlite3_reset(stmt);
	}
	if (rc >= 0)
		rc = rows_give(&rows, rows.n, a, &given, &out->nattempts, reterr);
	rows_free(&rows);
	if (rc < 0)
		return rc;
	out->attempts = given;
	if (out->nattempts)
		qsort(out->attempts, out->nattempts, sizeof(out->attempts[0]), by_time);
	return 0;
}

static int queue_state(struct reader *r, const struct raw_message *m, struct arena *a,
	struct message_detail *out, struct mt_error *reterr)
{
	sqlite3_stmt *stmt;
	int rc = rd_prepare(r, READ_QUEUE_OF_MESSAGE, &stmt, reterr);

	out->queue = EVENT_UNKNOWN;
	out->queue_next_retry_ms = out->queue_expires_ms = EVENT_UNKNOWN;
	if (rc < 0 || !(m->flags & MESSAGE_OPEN))
		return rc;
	rd_bind(stmt, 1, m->provider);
	rd_bind_str(stmt, 2, m->qid);
	rc = rd_step(r, stmt, reterr);
	if (rc <= 0)
		return rc;
	out->queue = (int)rd_id(stmt, 0);
	out->queue_reason = give_str(a, rd_str(stmt, 1), &rc);
	out->queue_next_retry_ms = rd_num(stmt, 2);
	out->queue_expires_ms = rd_num(stmt, 3);
	sqlite3_reset(stmt);
	return rc < 0 ? arena_full(reterr) : 0;
}

static int add_member(
	struct reader *r, int64_t id, struct arena *a, struct rows *family, struct mt_error *reterr)
{
	struct raw_message m;
	struct message_row *row;
	int rc = raw_message_get(r, id, true, &m, reterr);

	if (rc == MT_ENOENT)
		return 0;
	if (rc == 0) {
		row = rows_add(family);
		rc = row ? give_message(r, &m, a, row, reterr)
			 : mt_error_set(reterr, MT_ENOMEM, "out of memory");
	}
	return rc;
}

/* The children of id but for one, as ids: the statement must be free again before their rows are read. */
static int children(
	struct reader *r, int64_t id, int64_t except, struct rows *ids, struct mt_error *reterr)
{
	sqlite3_stmt *stmt;
	int rc = rd_prepare(r, READ_MESSAGE_CHILDREN, &stmt, reterr);

	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, id);
	rd_bind(stmt, 2, FAMILY_MAX);
	while ((rc = rd_step(r, stmt, reterr)) > 0) {
		int64_t *made = rd_id(stmt, 0) == except ? NULL : rows_add(ids);

		if (made)
			*made = rd_id(stmt, 0);
	}
	return rc;
}

/* The message all of the family descend from; a cycle in a damaged cache ends at ANCESTORS_MAX. */
static int root_of(struct reader *r, int64_t id, int64_t *ret, struct mt_error *reterr)
{
	for (int i = 0; i < ANCESTORS_MAX; i++) {
		struct raw_message m;
		int rc = raw_message_get(r, id, false, &m, reterr);

		if (rc < 0 && rc != MT_ENOENT)
			return rc;
		if (rc == MT_ENOENT || m.parent == 0)
			break;
		id = m.parent;
	}
	*ret = id;
	return 0;
}

static int read_family(struct reader *r, int64_t self, struct arena *a, struct message_detail *out,
	struct mt_error *reterr)
{
	struct rows ids = {.item = sizeof(int64_t)}, family = {.item = sizeof(struct message_row)};
	int64_t root = self, *made;
	void *given = NULL;
	int rc = root_of(r, self, &root, reterr);

	if (rc == 0 && root != self && (made = rows_add(&ids)))
		*made = root;
	if (rc == 0)
		rc = children(r, root, self, &ids, reterr);
	/* and what came of those: the bounce of a re-injected copy */
	for (size_t i = 0; rc == 0 && i < ids.n && ids.n < FAMILY_MAX; i++)
		if (((int64_t *)(void *)ids.p)[i] != root)
			rc = children(r, ((int64_t *)(void *)ids.p)[i], self, &ids, reterr);
	if (rc == 0 && root != self)
		rc = children(r, self, self, &ids, reterr);
	for (size_t i = 0; rc == 0 && i < ids.n; i++)
		rc = add_member(r, ((int64_t *)(void *)ids.p)[i], a, &family, reterr);
	if (rc == 0)
		rc = rows_give(&family, FAMILY_MAX, a, &given, &out->nfamily, reterr);
	out->family = given;
	rows_free(&ids);
	rows_free(&family);
	return rc;
}

int read_message(struct reader *r, int64_t id, struct arena *a, struct message_detail *out,
	struct mt_error *reterr)
{
	struct message_detail d = {.nfamily = 0};
	struct raw_message m;
	int rc = raw_message_get(r, id, true, &m, reterr);

	if (rc == 0)
		rc = give_message(r, &m, a, &d.message, reterr);
	if (rc == 0)
		rc = message_attempts(r, &m, a, &d, reterr);
	if (rc == 0)
		rc = queue_state(r, &m, a, &d, reterr);
	if (rc == 0)
		rc = read_family(r, id, a, &d, reterr);
	if (rc == 0)
		*out = d;
	return rc;
}

static int newest_with_qid(
	struct reader *r, int provider, struct str qid, int64_t *ret, struct mt_error *reterr)
{
	sqlite3_stmt *stmt;
	int rc = rd_prepare(r, READ_MESSAGE_QIDS, &stmt, reterr);

	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, QID_ROWS_MAX);
	*ret = 0;
	while (*ret == 0 && (rc = rd_step(r, stmt, reterr)) > 0)
		if (str_eq(rd_str(stmt, 2), qid) && (!provider || rd_id(stmt, 1) == provider))
			*ret = rd_id(stmt, 0);
	sqlite3_reset(stmt);
	return rc < 0 ? rc : 0;
}

int read_message_by_qid(
	struct reader *r, int provider, struct str qid, int64_t *ret_id, struct mt_error *reterr)
{
	int64_t id = 0;
	sqlite3_stmt *stmt;
	int rc = 0;

	if (provider) {
		rc = rd_prepare(r, READ_MESSAGE_OPEN_BY_QID, &stmt, reterr);
		if (rc < 0)
			return rc;
		rd_bind(stmt, 1, provider);
		rd_bind_str(stmt, 2, qid);
		rc = rd_int(r, stmt, 0, &id, reterr);
	}
	if (rc == 0 && id == 0)
		rc = newest_with_qid(r, provider, qid, &id, reterr);
	if (rc < 0)
		return rc;
	if (id == 0)
		return mt_error_set(
			reterr, MT_ENOENT, "no message with this queue id in the cache");
	*ret_id = id;
	return 0;
}
