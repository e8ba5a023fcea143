/* SPDX-License-Identifier: MIT */
/* queuelog - see queuelog.h. */
#include "backends/queuelog.h"

#include "backends/postfix/queue_row.h"

#define SLICE_ROWS 500 /* ~10 ms */
#define AGES_MS 60000 /* an unchanged queue is listed again this seldom: only its ages move */

struct slice {
	struct queue_log *log;
	const struct backend_env *env;
	const struct postfix_config *config;
};

bool queue_log_due(const struct queue_log *l, const struct backend_env *env)
{
	int64_t now_mono_ms = clock_mono_ms(env->clock);

	/* What the log holds is listed once it has been read and committed, not while it is. */
	if (!l->listed && store_batch_rows(env->store) > 0)
		return false;
	return l->running || !l->listed ||
	       store_log_offset(env->store, env->provider) != l->offset ||
	       (l->rows > 0 && now_mono_ms - l->listed_mono_ms >= AGES_MS);
}

static int on_row(void *ctx, struct queue_row *row, struct mt_error *reterr)
{
	struct slice *slice = ctx;
	struct queue_depth *d = &slice->log->depth;
	const struct postfix_config *c = slice->config;

	if (c)
		row->expires_ms = queue_expiry(c, row);
	if (c && row->queue == QUEUE_DEFERRED)
		row->next_retry_ms =
			queue_retry_estimate(row->arrival_ms, clock_utc_ms(slice->env->clock),
				c->minimal_backoff_ms, c->maximal_backoff_ms);
	slice->log->rows++;
	d->n[row->queue]++;
	if (d->oldest_ms < 0 || row->arrival_ms < d->oldest_ms)
		d->oldest_ms = row->arrival_ms;
	return store_queue_row(slice->env->store, slice->env->provider, row, reterr);
}

static int begin(struct queue_log *l, const struct backend_env *env, struct mt_error *reterr)
{
	l->at = (struct store_open_at){.id = 0};
	l->rows = 0;
	l->offset = store_log_offset(env->store, env->provider);
	l->depth = (struct queue_depth){.source = QUEUE_SOURCE_LOG, .oldest_ms = EVENT_UNKNOWN};
	l->depth.n[QUEUE_MAILDROP] = l->depth.n[QUEUE_CORRUPT] = EVENT_UNKNOWN;
	return store_queue_begin(env->store, env->provider, reterr);
}

int queue_log_step(struct queue_log *l, const struct backend_env *env,
	const struct postfix_config *config, struct mt_error *reterr)
{
	struct slice slice = {l, env, config};
	int rc = l->running ? 0 : begin(l, env, reterr);

	l->running = rc == 0;
	if (rc == 0)
		rc = store_open_messages(
			env->store, env->provider, &l->at, SLICE_ROWS, on_row, &slice, reterr);
	if (rc > 0)
		return rc;
	l->running = false;
	if (rc < 0) {
		/* What was listed so far stays; the first failure is the one to tell. */
		(void)!store_queue_end(env->store, env->provider, false, NULL);
		return rc;
	}
	l->listed = true;
	l->listed_mono_ms = clock_mono_ms(env->clock);
	rc = store_queue_end(env->store, env->provider, true, reterr);
	return rc < 0 ? rc : store_queue_depth(env->store, env->provider, &l->depth, reterr);
}
