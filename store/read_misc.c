/* SPDX-License-Identifier: MIT */
/* read_misc - providers and their sources, kept lines, the log of actions, places in the log. */
#include "store/read_rows.h"

#define MS_PER_S 1000

static enum health health_of(int64_t value)
{
	return value >= 0 && value < HEALTH__COUNT ? (enum health)value : HEALTH_UNKNOWN;
}

/* How bad a health is, so that the provider shows the worst of its sources. */
static int badness(enum health h)
{
	switch (h) {
	case HEALTH_FRESH:
		return 0;
	case HEALTH_CATCHING_UP:
		return 1;
	case HEALTH_LATE:
		return 2;
	case HEALTH_UNKNOWN:
		return 3;
	case HEALTH_STALE:
		return 4;
	case HEALTH_FAILING:
		return 5;
	case HEALTH_STOPPED:
	case HEALTH__COUNT:
	default:
		return 6;
	}
}

static int source(
	sqlite3_stmt *stmt, struct arena *a, struct source_row *out, struct mt_error *reterr)
{
	int rc = 0;

	*out = (struct source_row){.id = (int)rd_id(stmt, 0),
		.health = health_of(rd_id(stmt, 3)),
		.last_ok_ms = rd_num(stmt, 4),
		.last_try_ms = rd_num(stmt, 5),
		.next_due_ms = rd_num(stmt, 6),
		.interval_ms = rd_num(stmt, 7),
		.newest_ms = rd_num(stmt, 8),
		.done_bytes = rd_num(stmt, 9),
		.total_bytes = rd_num(stmt, 10),
		.errors = rd_id(stmt, 11)};
	out->name = give_str(a, rd_str(stmt, 1), &rc);
	out->detail = give_str(a, rd_str(stmt, 2), &rc);
	return rc < 0 ? arena_full(reterr) : 0;
}

static int sources(
	struct reader *r, struct provider_row *p, struct arena *a, struct mt_error *reterr)
{
	struct rows rows = {.item = sizeof(struct source_row)};
	sqlite3_stmt *stmt;
	void *given = NULL;
	int rc = rd_prepare(r, READ_SOURCES, &stmt, reterr);

	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, p->id);
	while ((rc = rd_step(r, stmt, reterr)) > 0) {
		struct source_row *row = rows_add(&rows);

		rc = row ? source(stmt, a, row, reterr)
			 : mt_error_set(reterr, MT_ENOMEM, "out of memory");
		if (rc < 0)
			break;
	}
	sqlite3_reset(stmt);
	if (rc == 0)
		rc = rows_give(&rows, rows.n, a, &given, &p->nsources, reterr);
	rows_free(&rows);
	if (rc < 0)
		return rc;
	p->sources = given;
	p->last_ok_ms = p->nsources ? p->sources[0].last_ok_ms : EVENT_UNKNOWN;
	for (size_t i = 0; i < p->nsources; i++) {
		const struct source_row *s = &p->sources[i];

		if (i == 0 || badness(s->health) > badness(p->health))
			p->health = s->health;
		if (s->last_ok_ms < p->last_ok_ms)
			p->last_ok_ms = s->last_ok_ms;
	}
	return 0;
}

static int provider(
	sqlite3_stmt *stmt, struct arena *a, struct provider_row *out, struct mt_error *reterr)
{
	int rc = 0;

	*out = (struct provider_row){.id = (int)rd_id(stmt, 0),
		.finest_bucket_s = (int)rd_id(stmt, 4),
		.health = HEALTH_UNKNOWN,
		.last_ok_ms = EVENT_UNKNOWN};
	out->name = give_str(a, rd_str(stmt, 1), &rc);
	out->kind = give_str(a, rd_str(stmt, 2), &rc);
	out->host = give_str(a, rd_str(stmt, 3), &rc);
	out->time_zone = give_str(a, rd_str(stmt, 5), &rc);
	out->demo = rd_id(stmt, 6) > 0;
	return rc < 0 ? arena_full(reterr) : 0;
}

int read_providers(struct reader *r, struct arena *a, struct provider_row **ret, size_t *ret_n,
	struct mt_error *reterr)
{
	struct rows rows = {.item = sizeof(struct provider_row)};
	struct provider_row *p;
	sqlite3_stmt *stmt;
	void *given = NULL;
	size_t n = 0;
	int rc = rd_prepare(r, READ_PROVIDERS, &stmt, reterr);

	if (rc < 0)
		return rc;
	while ((rc = rd_step(r, stmt, reterr)) > 0) {
		p = rows_add(&rows);
		rc = p ? provider(stmt, a, p, reterr)
		       : mt_error_set(reterr, MT_ENOMEM, "out of memory");
		if (rc < 0)
			break;
	}
	sqlite3_reset(stmt);
	if (rc == 0)
		rc = rows_give(&rows, rows.n, a, &given, &n, reterr);
	rows_free(&rows);
	p = given;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = sources(r, &p[i], a, reterr);
	if (rc < 0)
		return rc;
	*ret = p;
	*ret_n = n;
	return 0;
}

static int sample(struct reader *r, sqlite3_stmt *stmt, const struct query *q, struct arena *a,
	struct rows *rows, struct mt_error *reterr)
{
	struct sample_row *row;
	struct str service;
	int64_t kind = rd_id(stmt, 2), severity = rd_id(stmt, 4);
	int rc = dict_text(r, rd_id(stmt, 5), &service, reterr);

	if (rc < 0)
		return rc;
	if (str_present(q->service) && !str_eq(service, q->service))
		return 0;
	if (q->text.n && (text_has(rd_str(stmt, 6), q->text) || text_has(service, q->text)) ==
				 q->text_invert)
		return 0;
	row = rows_add(rows);
	if (!row)
		return mt_error_set(reterr, MT_ENOMEM, "out of memory");
	*row = (struct sample_row){.id = rd_id(stmt, 0),
		.provider = (int)rd_id(stmt, 1),
		.kind = kind >= 0 && kind < EVENT__COUNT ? (enum event_kind)kind : EVENT_NONE,
		.t_ms = rd_id(stmt, 3),
		.severity = severity >= 0 && severity <= SEVERITY_PANIC
				    ? (enum event_severity)severity
				    : SEVERITY_INFO};
	row->service = give_str(a, service, &rc);
	row->text = give_str(a, rd_str(stmt, 6), &rc);
	return rc < 0 ? arena_full(reterr) : 0;
}

int read_samples(struct reader *r, const struct query *q, enum event_kind kind, struct arena *a,
	struct sample_row **ret, size_t *ret_n, struct mt_error *reterr)
{
	struct rows rows = {.item = sizeof(struct sample_row)};
	size_t limit = read_limit(q);
	struct window w;
	sqlite3_stmt *stmt;
	void *given;
	int rc = window_read(r, q, &w, reterr);

	if (rc == 0)
		rc = rd_prepare(r, READ_SAMPLES, &stmt, reterr);
	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, q->provider);
	rd_bind(stmt, 2, kind);
	rd_bind(stmt, 3, w.from_s * MS_PER_S);
	rd_bind(stmt, 4, w.to_s * MS_PER_S);
	while (rows.n < limit && (rc = rd_step(r, stmt, reterr)) > 0) {
		rc = sample(r, stmt, q, a, &rows, reterr);
		if (rc < 0)
			break;
	}
	sqlite3_reset(stmt);
	if (rc >= 0)
		rc = rows_give(&rows, rows.n, a, &given, ret_n, reterr);
	rows_free(&rows);
	if (rc == 0)
		*ret = given;
	return rc;
}

int read_actions(struct reader *r, const struct query *q, struct arena *a,
	struct action_log_row **ret, size_t *ret_n, struct mt_error *reterr)
{
	struct rows rows = {.item = sizeof(struct action_log_row)};
	sqlite3_stmt *stmt;
	void *given;
	int rc = rd_prepare(r, READ_ACTIONS, &stmt, reterr), full = 0;

	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, q->provider);
	rd_bind(stmt, 2, (int64_t)read_limit(q));
	while (full == 0 && (rc = rd_step(r, stmt, reterr)) > 0) {
		struct action_log_row *row = rows_add(&rows);

		if (!row) {
			rc = mt_error_set(reterr, MT_ENOMEM, "out of memory");
			break;
		}
		*row = (struct action_log_row){.id = rd_id(stmt, 0),
			.provider = (int)rd_id(stmt, 1),
			.t_ms = rd_id(stmt, 2),
			.asked = rd_id(stmt, 6),
			.done = rd_id(stmt, 7)};
		row->user = give_str(a, rd_str(stmt, 3), &full);
		row->verb = give_str(a, rd_str(stmt, 4), &full);
		row->qids = give_str(a, rd_str(stmt, 5), &full);
		row->result = give_str(a, rd_str(stmt, 8), &full);
	}
	sqlite3_reset(stmt);
	if (rc >= 0)
		rc = full < 0 ? arena_full(reterr)
			      : rows_give(&rows, rows.n, a, &given, ret_n, reterr);
	rows_free(&rows);
	if (rc == 0)
		*ret = given;
	return rc;
}

int read_log_position(struct reader *r, int provider_id, int64_t t_ms, struct arena *a,
	struct str *ret_key, int64_t *ret_offset, struct mt_error *reterr)
{
	sqlite3_stmt *stmt;
	int rc = rd_prepare(r, READ_MARK_LOG, &stmt, reterr), full = 0;

	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, provider_id);
	rd_bind(stmt, 2, t_ms / MS_PER_S);
	rc = rd_step(r, stmt, reterr);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return mt_error_set(reterr, MT_ENOENT, "where that is in the log is not known");
	*ret_key = give_str(a, rd_str(stmt, 0), &full);
	*ret_offset = rd_id(stmt, 1);
	sqlite3_reset(stmt);
	return full < 0 ? arena_full(reterr) : 0;
}
