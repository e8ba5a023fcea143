/* SPDX-License-Identifier: MIT */
/* store_alert - the collector's half of alerts: their states over restarts, figures, history; included by backends. */
#ifndef MT_STORE_STORE_ALERT_H
#define MT_STORE_STORE_ALERT_H

#include "store/alert.h"
#include "store/store_write.h"
#include "store/warmup_conf.h"

struct alert_watch; /* rules, their states, a reading connection of its own */

struct alert_entry { /* one rule; for the collector to read, hooks to tell */
	const struct alert_rule *rule;
	struct alert_state state;
	struct alert_value value;
	int64_t written_ms; /* when last written */
	enum alert_event hook_due; /* NOTHING: none */
};

/*
 * alert_watch_open - states as they were when the process before ended; rules that are gone leave the cache (their history
 * stays). Borrows rules and plans. Gives *ret; end with alert_watch_close.
 */
int alert_watch_open(struct store *s, const char *path, const struct alert_rules *rules,
	const struct warmup_plans *plans, struct alert_watch **ret,
	struct mt_error *reterr) MT_MUST_CHECK;
void alert_watch_close(struct alert_watch *w);
/*
 * alert_watch_step - read every figure, move the states on to now, write what changed in one transaction: a rule fires
 * once, whatever ends the process. A figure that can't be read is not known. *ret_changed: something fired, cleared.
 */
int alert_watch_step(struct alert_watch *w, int64_t now_ms, bool *ret_changed,
	struct mt_error *reterr) MT_MUST_CHECK;
struct alert_entry *alert_watch_entries(struct alert_watch *w, size_t *ret_n);
/* alert_watch_told - the hook of an entry was started: it is not run for that again. failed: a line of history. */
int alert_watch_told(struct alert_watch *w, struct alert_entry *e, int64_t now_ms,
	const char *failed, struct mt_error *reterr) MT_MUST_CHECK;

/* store_alert_acknowledge_at - from another process or thread, by name; MT_ENOENT: it does not fire. */
int store_alert_acknowledge_at(const char *path, struct str name, const char *user, int64_t now_ms,
	struct mt_error *reterr) MT_MUST_CHECK;

#endif
