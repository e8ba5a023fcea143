/* SPDX-License-Identifier: MIT */
/* health - how sources fare. */
#include "store/writer.h"

#include "store/base/mem.h"

#include <stdlib.h>

int health_write(
	struct store *s, int source, const struct source_health *h, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_SOURCE_HEALTH, reterr);

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, source);
	bind_int(stmt, 2, h->health);
	bind_str(stmt, 3, str_of(h->detail));
	bind_id(stmt, 4, h->last_try_ms);
	bind_id(stmt, 5, h->last_ok_ms);
	bind_id(stmt, 6, h->next_due_ms);
	bind_id(stmt, 7, h->interval_ms);
	bind_id(stmt, 8, h->newest_ms);
	bind_known(stmt, 9, h->done_bytes);
	bind_known(stmt, 10, h->total_bytes);
	bind_int(stmt, 11, h->errors_added);
	return db_run(&s->db, stmt, reterr);
}

/* Several reports within one batch become one: the newest, errors added up. */
static void put_off(struct store *s, int source, const struct source_health *h)
{
	struct health_change *all = s->batch.health.p, *one = NULL;

	for (size_t i = 0; i < s->batch.health.n; i++)
		if (all[i].source == source)
			one = &all[i];
	if (!one) {
		one = vec_add(&s->batch.health);
		one->source = source;
		one->h = *h;
		one->h.detail = NULL;
	} else {
		struct source_health before = one->h;

		one->h = *h;
		one->h.errors_added += before.errors_added;
		one->h.last_try_ms = h->last_try_ms ? h->last_try_ms : before.last_try_ms;
		one->h.last_ok_ms = h->last_ok_ms ? h->last_ok_ms : before.last_ok_ms;
		one->h.next_due_ms = h->next_due_ms ? h->next_due_ms : before.next_due_ms;
		one->h.interval_ms = h->interval_ms ? h->interval_ms : before.interval_ms;
		one->h.newest_ms = h->newest_ms ? h->newest_ms : before.newest_ms;
		one->h.done_bytes = h->done_bytes >= 0 ? h->done_bytes : before.done_bytes;
		one->h.total_bytes = h->total_bytes >= 0 ? h->total_bytes : before.total_bytes;
	}
	if (h->detail) {
		free(one->detail);
		one->detail = xstrdup(h->detail);
	}
	one->h.detail = one->detail;
}

int store_health(
	struct store *s, int source, const struct source_health *h, struct mt_error *reterr)
{
	struct mt_error local;
	int rc;

	reterr = reterr ? reterr : &local;
	if (s->batch.events || s->batch.api_rows || s->batch.cursors.n) {
		put_off(s, source, h);
		return 0;
	}
	rc = txn_begin(s, reterr);
	return rc < 0 ? rc : txn_end(s, health_write(s, source, h, reterr), reterr);
}
