/* SPDX-License-Identifier: MIT */
/*
 * read_scan - failures of a window, newest first, for those who group them (codes, domains, relays).
 *
 * Looks at no more rows than it is told to; when that is not the whole window, reader_truncated says so.
 */
#include "store/read_rows.h"

#define MS_PER_S 1000

struct failure_scan {
	struct filter filter;
	int64_t from_ms, to_ms, left;
};

static int one(struct reader *r, sqlite3_stmt *stmt, struct failure_scan *s,
	int (*each)(void *ctx, const struct raw_attempt *a, const struct raw_message *m), void *ctx,
	struct mt_error *reterr)
{
	const struct query *q = s->filter.q;
	struct raw_message m;
	struct raw_attempt a;
	bool owned = false;
	int64_t t_ms = rd_id(stmt, ATTEMPT_T);
	enum event_status status = (enum event_status)rd_id(stmt, ATTEMPT_STATUS);
	int rc;

	if (t_ms < s->from_ms || t_ms >= s->to_ms ||
		(q->provider && rd_id(stmt, ATTEMPT_PROVIDER) != q->provider))
		return 0;
	if (status != STATUS_DEFERRED && status != STATUS_BOUNCED && status != STATUS_EXPIRED)
		return 0;
	if (!filter_status(q, status))
		return 0;
	raw_attempt_read(stmt, &a);
	if (s->filter.by_message) {
		rc = raw_message_get(r, a.message, q->text.n > 0, &m, reterr);
		if (rc < 0 && rc != MT_ENOENT)
			return rc;
		if (rc == MT_ENOENT)
			return 0; /* pruned first */
		owned = true;
	}
	rc = filter_attempt(r, &s->filter, &a, owned ? &m : NULL, reterr);
	return rc > 0 ? each(ctx, &a, owned ? &m : NULL) : rc;
}

/* Failures of a domain have an index of their own; there max_rows is the caller's to count. */
static int failures_of_domain(struct reader *r, const struct filter *f, const struct id_range *ids,
	sqlite3_stmt **ret, struct mt_error *reterr)
{
	int rc = rd_prepare(r, READ_FAILURES_OF_DOMAIN, ret, reterr);

	if (rc < 0)
		return rc;
	rd_bind(*ret, 1, ids->low);
	rd_bind(*ret, 2, ids->high);
	rd_bind(*ret, 3, f->dom);
	return 0;
}

/* The newest max_rows rows of ids: *ret_cut when that is not all of them. max: the statement of the table's highest id. */
static int cut_ids(struct reader *r, struct id_range *ids, enum read_sql max, int64_t max_rows,
	bool *ret_cut, struct mt_error *reterr)
{
	int64_t newest = 0;
	sqlite3_stmt *stmt;
	int rc = rd_prepare(r, max, &stmt, reterr);

	if (rc == 0)
		rc = rd_int(r, stmt, 0, &newest, reterr);
	if (rc < 0)
		return rc;
	ids->high = ids->high < newest ? ids->high : newest;
	*ret_cut = ids->low <= ids->high - max_rows;
	if (*ret_cut)
		ids->low = ids->high - max_rows + 1;
	return 0;
}

static int begin(struct reader *r, enum read_sql id, const struct id_range *ids,
	const struct filter *f, int64_t third, sqlite3_stmt **ret, struct mt_error *reterr)
{
	int rc = rd_prepare(r, id, ret, reterr);

	if (rc < 0)
		return rc;
	rd_bind(*ret, 1, ids->low);
	rd_bind(*ret, 2, ids->high);
	rd_bind(*ret, 3, f->q->provider);
	rd_bind(*ret, 4, third);
	rd_bind(*ret, 5, f->dom);
	rd_bind(*ret, 6, f->reply);
	rd_bind(*ret, 7, f->q->code_key);
	return 0;
}

int attempts_newest(struct reader *r, const struct filter *f, const struct id_range *ids,
	bool failures, int64_t max_rows, sqlite3_stmt **ret, bool *ret_cut, struct mt_error *reterr)
{
	const struct query *q = f->q;
	struct id_range range = *ids;
	bool any_failure = q->status == STATUS__COUNT || (failures && q->status == STATUS_NONE);
	int rc;

	*ret_cut = false;
	if (f->dom && (failures || any_failure))
		return failures_of_domain(r, f, ids, ret, reterr);
	rc = cut_ids(r, &range, READ_ATTEMPT_MAX, max_rows, ret_cut, reterr);
	return rc < 0 ? rc
		      : begin(r, READ_ATTEMPTS_NEWEST, &range, f,
				any_failure ? -1 : (int64_t)q->status, ret, reterr);
}

int rejects_newest(struct reader *r, const struct filter *f, const struct id_range *ids, int action,
	int64_t max_rows, sqlite3_stmt **ret, bool *ret_cut, struct mt_error *reterr)
{
	struct id_range range = *ids;
	int rc = cut_ids(r, &range, READ_REJECT_MAX, max_rows, ret_cut, reterr);

	return rc < 0 ? rc : begin(r, READ_REJECTS_NEWEST, &range, f, action, ret, reterr);
}

int scan_failures(struct reader *r, const struct query *q, const struct window *w, int64_t max_rows,
	int (*each)(void *ctx, const struct raw_attempt *a, const struct raw_message *m), void *ctx,
	struct mt_error *reterr)
{
	struct failure_scan s = {
		.from_ms = w->from_s * MS_PER_S, .to_ms = w->to_s * MS_PER_S, .left = max_rows};
	struct id_range ids;
	sqlite3_stmt *stmt;
	bool cut = false;
	int rc = filter_init(r, q, &s.filter, reterr);

	if (rc < 0 || s.filter.impossible)
		return rc;
	rc = window_ids(r, q->provider, s.from_ms, s.to_ms, MARK_ATTEMPT, &ids, reterr);
	if (rc == 0)
		rc = attempts_newest(r, &s.filter, &ids, true, max_rows, &stmt, &cut, reterr);
	if (rc < 0)
		return rc;
	while ((rc = rd_step(r, stmt, reterr)) > 0) {
		if (s.left-- == 0) {
			r->truncated = true;
			break;
		}
		rc = one(r, stmt, &s, each, ctx, reterr);
		if (rc != 0)
			break;
	}
	r->truncated = r->truncated || cut;
	sqlite3_reset(stmt);
	return rc < 0 ? rc : 0;
}
