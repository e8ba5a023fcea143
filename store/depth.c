/* SPDX-License-Identifier: MIT */
/*
 * depth - how deep a queue is by its log alone: the open messages, told apart by what their rows hold.
 *
 * p->open is always the number of open messages of the provider, in memory or not. A sample is kept a
 * minute of the log, stamped with the minute's begin, and only while the provider has no other source.
 * A message that was in the queue before the log begins is not known until a line names it.
 */
#include "store/writer.h"

#define MS_PER_MINUTE_I 60000
#define SAME_DEPTH_MS                                                                              \
	25000 /* an unchanged depth is written this seldom: twice a minute, the least slot of a trend */
#define CLASS_NONE 0 /* not counted: closed, or a probe */

static uint8_t class_of(const struct message *m)
{
	if (m->end_ms || (m->flags & MESSAGE_PROBE))
		return CLASS_NONE;
	if (m->flags & MESSAGE_HELD)
		return 1 + QUEUE_HOLD;
	if (m->ndeferred > 0)
		return 1 + QUEUE_DEFERRED;
	return m->runs > 0 ? 1 + QUEUE_ACTIVE : 1 + QUEUE_INCOMING;
}

void depth_known(struct message *m)
{
	m->depth = class_of(m);
}

void depth_touch(struct store *s, struct message *m)
{
	uint8_t now = class_of(m);
	struct provider_state *p;

	if (now == m->depth)
		return;
	p = provider_state(s, m->provider);
	if (p && m->depth)
		p->open[m->depth - 1]--;
	if (p && now)
		p->open[now - 1]++;
	m->depth = now;
}

int depth_load(struct store *s, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_MESSAGE_OPEN_BY_QUEUE, reterr);
	int rc;

	if (!stmt)
		return (int)reterr->code;
	for (size_t i = 0; i < s->nproviders; i++)
		memset(s->providers[i].open, 0, sizeof(s->providers[i].open));
	bind_int(stmt, 1, MESSAGE_PROBE);
	bind_int(stmt, 2, MESSAGE_HELD);
	bind_int(stmt, 3, QUEUE_HOLD);
	bind_int(stmt, 4, QUEUE_DEFERRED);
	bind_int(stmt, 5, QUEUE_ACTIVE);
	bind_int(stmt, 6, QUEUE_INCOMING);
	while ((rc = db_row(&s->db, stmt, reterr)) > 0) {
		struct provider_state *p = provider_state(s, sqlite3_column_int(stmt, 0));
		int queue = sqlite3_column_int(stmt, 1);

		if (p && queue >= 0 && queue < QUEUE__COUNT)
			p->open[queue] = sqlite3_column_int64(stmt, 2);
	}
	return rc;
}

void depth_minute(struct store *s, struct provider_state *p, int64_t t_ms)
{
	int64_t minute_ms = t_ms - t_ms % MS_PER_MINUTE_I;
	struct depth_sample *sample;

	if (p->depth_minute_ms == minute_ms)
		return;
	if (p->depth_minute_ms && !p->own_depth) {
		sample = vec_add(&s->batch.depths);
		*sample = (struct depth_sample){.provider = p->id, .t_ms = p->depth_minute_ms};
		memcpy(sample->n, p->open, sizeof(sample->n));
	}
	p->depth_minute_ms = minute_ms;
}

static int write_one(struct store *s, const struct depth_sample *sample, struct mt_error *reterr)
{
	struct queue_depth d = {.source = QUEUE_SOURCE_LOG, .oldest_ms = EVENT_UNKNOWN};

	memcpy(d.n, sample->n, sizeof(d.n));
	d.n[QUEUE_MAILDROP] = d.n[QUEUE_CORRUPT] = EVENT_UNKNOWN; /* no line tells of these */
	return depth_write(s, sample->provider, sample->t_ms, &d, reterr);
}

int depth_write_batch(struct store *s, struct mt_error *reterr)
{
	const struct depth_sample *all = s->batch.depths.p;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->batch.depths.n; i++)
		rc = write_one(s, &all[i], reterr);
	for (size_t i = 0; rc == 0 && i < s->nproviders; i++) {
		struct provider_state *p = &s->providers[i];
		struct depth_sample now = {.provider = p->id, .t_ms = p->depth_minute_ms};

		if (!p->depth_minute_ms || p->own_depth)
			continue;
		memcpy(now.n, p->open, sizeof(now.n));
		rc = write_one(s, &now, reterr);
	}
	return rc;
}

int depth_write(struct store *s, int provider, int64_t t_ms, const struct queue_depth *d,
	struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_QUEUE_SAMPLE, reterr);

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, provider);
	bind_int(stmt, 2, t_ms);
	bind_int(stmt, 3, d->source);
	for (int i = 0; i < QUEUE__COUNT; i++)
		bind_known(stmt, 4 + i, d->n[i]);
	bind_known(stmt, 10, d->oldest_ms);
	return db_run(&s->db, stmt, reterr);
}

static bool is_same(const struct queue_depth *a, const struct queue_depth *b)
{
	return a->source == b->source && a->oldest_ms == b->oldest_ms &&
	       memcmp(a->n, b->n, sizeof(a->n)) == 0;
}

int store_queue_depth(
	struct store *s, int provider, const struct queue_depth *d, struct mt_error *reterr)
{
	struct provider_state *p = provider_state(s, provider);
	int64_t now_ms = clock_utc_ms(s->clock);
	struct mt_error local;
	int rc;

	reterr = reterr ? reterr : &local;
	if (!p)
		return mt_error_set(reterr, MT_EINVAL, "cache: no provider %d", provider);
	if (d->source != QUEUE_SOURCE_LOG)
		p->own_depth = true;
	if (is_same(&p->told_depth, d) && now_ms >= p->told_depth_ms &&
		now_ms < p->told_depth_ms + SAME_DEPTH_MS)
		return 0;
	rc = txn_begin(s, reterr);
	if (rc == 0)
		rc = txn_end(s, depth_write(s, provider, now_ms, d, reterr), reterr);
	if (rc == 0) {
		p->told_depth = *d;
		p->told_depth_ms = now_ms;
	}
	return rc;
}

void store_queue_by_log(struct store *s, int provider)
{
	struct provider_state *p = provider_state(s, provider);

	if (p)
		p->own_depth = false;
}
