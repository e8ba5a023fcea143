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
	sqlite3_stmt *owner = NULL;
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
		rc = raw_message_get(r, a.message, &m, &owner, reterr);
		if (rc < 0 && rc != MT_ENOENT)
			return rc;
		if (rc == MT_ENOENT)
			return 0; /* pruned first */
	}
	rc = filter_attempt(r, &s->filter, &a, owner ? &m : NULL, reterr);
	if (rc > 0)
		rc = each(ctx, &a, owner ? &m : NULL);
	if (owner)
		sqlite3_reset(owner);
	return rc;
}

int scan_failures(struct reader *r, const struct query *q, const struct window *w, int64_t max_rows,
	int (*each)(void *ctx, const struct raw_attempt *a, const struct raw_message *m), void *ctx,
	struct mt_error *reterr)
{
	struct failure_scan s = {
		.from_ms = w->from_s * MS_PER_S, .to_ms = w->to_s * MS_PER_S, .left = max_rows};
	struct id_range ids;
	sqlite3_stmt *stmt;
	int rc = filter_init(r, q, &s.filter, reterr);

	if (rc < 0 || s.filter.impossible)
		return rc;
	rc = window_ids(r, q->provider, s.from_ms, s.to_ms, MARK_ATTEMPT, &ids, reterr);
	if (rc == 0)
		rc = rd_prepare(r, s.filter.dom ? READ_FAILURES_OF_DOMAIN : READ_ATTEMPTS_NEWEST,
			&stmt, reterr);
	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, ids.low);
	rd_bind(stmt, 2, ids.high);
	if (s.filter.dom)
		rd_bind(stmt, 3, s.filter.dom);
	while ((rc = rd_step(r, stmt, reterr)) > 0) {
		if (s.left-- == 0) {
			r->truncated = true;
			break;
		}
		rc = one(r, stmt, &s, each, ctx, reterr);
		if (rc != 0)
			break;
	}
	sqlite3_reset(stmt);
	return rc < 0 ? rc : 0;
}
