/* SPDX-License-Identifier: MIT */
/*
 * alert_watch - alerts between rounds of the collector; see store_alert.h. State and history of one step are one
 * transaction, so that an alert fires once over kill -9. An idle disk stays idle: what only counts on is written once a
 * minute.
 */
#include "store/store_alert.h"

#include "store/alert_eval.h"
#include "store/base/mem.h"
#include "store/writer.h"

#include <stdio.h>
#include <stdlib.h>

#define REWRITE_MS 60000 /* value and text of what fires or is pending */
#define SLOW_MS 60000 /* new signatures: rows are looked through */

struct alert_watch {
	struct store *s;
	struct reader *reader;
	const struct warmup_plans *plans;
	struct alert_entry entry[ALERTS_MAX];
	int64_t slow_ms[ALERTS_MAX]; /* last look of a slow figure */
	size_t n;
};

static struct alert_entry *entry_of(struct alert_watch *w, struct str name)
{
	for (size_t i = 0; i < w->n; i++)
		if (str_eq(str_of(w->entry[i].rule->name), name))
			return &w->entry[i];
	return NULL;
}

static int forget_gone(struct alert_watch *w, struct mt_error *reterr)
{
	sqlite3_stmt *list = db_stmt(&w->s->db, SQL_ALERT_LIST, reterr), *gone;
	char names[ALERTS_MAX][128];
	size_t n = 0;
	int rc;

	if (!list)
		return (int)reterr->code;
	while ((rc = db_row(&w->s->db, list, reterr)) > 0) {
		struct str name = column_str(list, 0);
		struct alert_entry *e = entry_of(w, name);

		if (!e) {
			if (n < ALERTS_MAX)
				snprintf(names[n++], sizeof(names[0]), "%.*s", STR_ARG(name));
			continue;
		}
		e->state =
			(struct alert_state){.phase = (enum alert_phase)sqlite3_column_int(list, 1),
				.since_ms = sqlite3_column_int64(list, 2),
				.pending_ms = sqlite3_column_int64(list, 3),
				.below_ms = sqlite3_column_int64(list, 4),
				.mark = sqlite3_column_int64(list, 5)};
		e->hook_due = (enum alert_event)sqlite3_column_int(list, 6);
	}
	for (size_t i = 0; rc == 0 && i < n; i++) {
		gone = db_stmt(&w->s->db, SQL_ALERT_GONE, reterr);
		if (!gone)
			return (int)reterr->code;
		bind_str(gone, 1, str_of(names[i]));
		rc = db_run(&w->s->db, gone, reterr);
	}
	return rc;
}

int alert_watch_open(struct store *s, const char *path, const struct alert_rules *rules,
	const struct warmup_plans *plans, struct alert_watch **ret, struct mt_error *reterr)
{
	struct mt_error local;
	struct alert_watch *w = xcalloc(1, sizeof(*w));
	int rc;

	reterr = reterr ? reterr : &local;
	w->s = s;
	w->plans = plans;
	for (size_t i = 0; i < rules->n; i++)
		w->entry[w->n++] = (struct alert_entry){
			.rule = &rules->rule[i], .value = {.n = EVENT_UNKNOWN}};
	rc = reader_open(path, &w->reader, reterr);
	if (rc == 0)
		rc = txn_begin(s, reterr);
	if (rc == 0)
		rc = txn_end(s, forget_gone(w, reterr), reterr);
	if (rc < 0) {
		alert_watch_close(w);
		return rc;
	}
	*ret = w;
	return 0;
}

void alert_watch_close(struct alert_watch *w)
{
	if (!w)
		return;
	reader_close(w->reader);
	free(w);
}

struct alert_entry *alert_watch_entries(struct alert_watch *w, size_t *ret_n)
{
	*ret_n = w->n;
	return w->entry;
}

static int write_entry(struct alert_watch *w, struct alert_entry *e, int64_t now_ms, bool anew,
	struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&w->s->db, anew ? SQL_ALERT_SET_ANEW : SQL_ALERT_SET, reterr);
	struct buf condition;
	int rc;

	if (!stmt)
		return (int)reterr->code;
	buf_init(&condition, 512);
	alert_condition(&condition, e->rule);
	bind_str(stmt, 1, str_of(e->rule->name));
	bind_int(stmt, 2, e->state.phase);
	bind_int(stmt, 3, e->rule->severity);
	bind_int(stmt, 4, e->state.since_ms);
	bind_int(stmt, 5, e->state.pending_ms);
	bind_int(stmt, 6, e->state.below_ms);
	bind_int(stmt, 7, e->state.mark);
	if (e->value.known)
		sqlite3_bind_double(stmt, 8, e->value.value);
	bind_known(stmt, 9, e->value.n);
	bind_str(stmt, 10, str_of(e->value.text));
	bind_str(stmt, 11, buf_str(&condition));
	bind_int(stmt, 12, now_ms);
	bind_int(stmt, 13, e->hook_due);
	rc = db_run(&w->s->db, stmt, reterr);
	buf_done(&condition);
	e->written_ms = now_ms;
	return rc;
}

static int write_log(struct db *db, const char *name, enum alert_event event,
	enum alert_severity severity, const struct alert_value *v, const char *text, int64_t now_ms,
	struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(db, SQL_ALERT_LOG, reterr), *cut;
	int rc;

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, now_ms);
	bind_str(stmt, 2, str_of(name));
	bind_int(stmt, 3, event);
	bind_int(stmt, 4, severity);
	if (v && v->known)
		sqlite3_bind_double(stmt, 5, v->value);
	bind_str(stmt, 6, str_of(text));
	rc = db_run(db, stmt, reterr);
	cut = rc == 0 ? db_stmt(db, SQL_ALERT_LOG_CUT, reterr) : NULL;
	if (rc == 0)
		rc = cut ? db_run(db, cut, reterr) : (int)reterr->code;
	return rc;
}

/* What one step changed. */
struct change {
	bool write, anew;
	enum alert_event event;
};

static struct change move(struct alert_watch *w, size_t i, int64_t now_ms)
{
	struct alert_entry *e = &w->entry[i];
	struct alert_state before = e->state;
	struct change c = {.event = ALERT_NOTHING};
	bool slow = e->rule->figure == ALERT_FIGURE_NEW_SIGNATURE;

	if (!slow || now_ms - w->slow_ms[i] >= SLOW_MS || now_ms < w->slow_ms[i]) {
		w->slow_ms[i] = now_ms;
		if (alert_read(w->reader, e->rule, w->plans, now_ms, &e->state.mark, &e->value,
			    NULL) < 0)
			e->value = (struct alert_value){.n = EVENT_UNKNOWN};
	}
	c.event = alert_step(e->rule, &e->state, &e->value, now_ms);
	if (c.event == ALERT_FIRED && slow) /* told once: these are known now */
		e->state.mark = e->value.newest;
	c.anew = c.event != ALERT_NOTHING;
	if (c.anew && e->rule->hook[0])
		e->hook_due = c.event;
	c.write = c.anew || e->written_ms == 0 || before.phase != e->state.phase ||
		  before.mark != e->state.mark ||
		  (e->state.phase != ALERT_QUIET && now_ms - e->written_ms >= REWRITE_MS);
	return c;
}

static int write_change(struct alert_watch *w, size_t i, const struct change *c, int64_t now_ms,
	struct mt_error *err)
{
	struct alert_entry *e = &w->entry[i];
	int rc = c->write ? write_entry(w, e, now_ms, c->anew, err) : 0;

	if (rc == 0 && c->event != ALERT_NOTHING)
		rc = write_log(&w->s->db, e->rule->name, c->event, e->rule->severity, &e->value,
			e->value.text, now_ms, err);
	return rc;
}

int alert_watch_step(
	struct alert_watch *w, int64_t now_ms, bool *ret_changed, struct mt_error *reterr)
{
	struct mt_error local;
	struct change changes[ALERTS_MAX];
	struct alert_entry before[ALERTS_MAX];
	bool any = false;
	int rc;

	reterr = reterr ? reterr : &local;
	*ret_changed = false;
	(void)reader_changed(w->reader);
	rc = reader_begin(w->reader, reterr);
	if (rc < 0)
		return rc;
	memcpy(before, w->entry, w->n * sizeof(before[0]));
	for (size_t i = 0; i < w->n; i++) {
		changes[i] = move(w, i, now_ms);
		any = any || changes[i].write;
		*ret_changed = *ret_changed || changes[i].event != ALERT_NOTHING;
	}
	reader_end(w->reader);
	if (!any)
		return 0;
	rc = txn_begin(w->s, reterr);
	if (rc == 0) {
		for (size_t i = 0; rc == 0 && i < w->n; i++)
			rc = write_change(w, i, &changes[i], now_ms, reterr);
		rc = txn_end(w->s, rc, reterr);
	}
	if (rc < 0) /* nothing happened: the next step says it again */
		memcpy(w->entry, before, w->n * sizeof(before[0]));
	return rc;
}

int alert_watch_told(struct alert_watch *w, struct alert_entry *e, int64_t now_ms,
	const char *failed, struct mt_error *reterr)
{
	struct mt_error local;
	int rc;

	reterr = reterr ? reterr : &local;
	rc = txn_begin(w->s, reterr);
	if (rc < 0)
		return rc;
	if (!failed) {
		e->hook_due = ALERT_NOTHING;
		rc = write_entry(w, e, now_ms, false, reterr);
	} else {
		rc = write_log(&w->s->db, e->rule->name, ALERT_HOOK_FAILED, e->rule->severity, NULL,
			failed, now_ms, reterr);
	}
	return txn_end(w->s, rc, reterr);
}

int store_alert_acknowledge_at(const char *path, struct str name, const char *user, int64_t now_ms,
	struct mt_error *reterr)
{
	struct mt_error local;
	struct db db = {0};
	sqlite3_stmt *stmt;
	char z[128];
	int rc;

	reterr = reterr ? reterr : &local;
	rc = db_open_at(&db, path, reterr);
	if (rc == 0) {
		stmt = db_stmt(&db, SQL_ALERT_ACKNOWLEDGE, reterr);
		rc = stmt ? 0 : (int)reterr->code;
	}
	if (rc == 0) {
		bind_str(stmt, 1, name);
		bind_int(stmt, 2, now_ms);
		bind_str(stmt, 3, str_of(user));
		rc = db_run(&db, stmt, reterr);
	}
	if (rc == 0 && sqlite3_changes(db.handle) == 0)
		rc = mt_error_set(
			reterr, MT_ENOENT, "this alert does not fire, or is acknowledged");
	snprintf(z, sizeof(z), "%.*s", STR_ARG(name));
	if (rc == 0)
		rc = write_log(
			&db, z, ALERT_ACKNOWLEDGED, ALERT_WARNING, NULL, user, now_ms, reterr);
	db_done(&db);
	return rc;
}
