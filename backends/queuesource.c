/* SPDX-License-Identifier: MIT */
/* queuesource - see queuesource.h. */
#include "backends/queuesource.h"

#include "backends/queuelog.h"
#include "store/base/mem.h"

#include <stdlib.h>

#define COST_FACTOR 50 /* 2 % of a core */
#define RETRY_MAX_MS 300000
#define FAILURES_MAX 3 /* in a row before the log is asked */
#define OFF_INTERVAL_MS 86400000
#define DETAIL_MAX_BYTES 1024
#define FDS_MAX 8
#define INTERVAL_MS 10000

struct listed_queue {
	const struct backend_env *env;
	const struct queue_lister *lister;
	void *lister_state; /* owned */
	bool off, log_only, by_log, running, begun, listed;
	int64_t interval_ms, next_mono_ms, began_mono_ms;
	unsigned failures;
	struct queue_pass pass;
	struct queue_log log;
	struct buf detail;
	struct mt_error error; /* of the last listing; code 0 when it went well */
};

void queue_pass_init(struct queue_pass *p, enum queue_source source)
{
	*p = (struct queue_pass){.depth = {.source = source, .oldest_ms = EVENT_UNKNOWN}};
	buf_init(&p->detail, DETAIL_MAX_BYTES);
}

void queue_pass_done(struct queue_pass *p)
{
	buf_done(&p->detail);
}

int queue_pass_row(struct queue_pass *p, struct queue_row *row, struct mt_error *reterr)
{
	struct queue_depth *d = &p->depth;

	if (p->rows >= QUEUE_ROWS_MAX)
		return mt_error_set(
			reterr, MT_ELIMIT, "more than %d messages in the queue", QUEUE_ROWS_MAX);
	p->rows++;
	if (d->n[row->queue] >= 0)
		d->n[row->queue]++;
	if (d->oldest_ms < 0 || row->arrival_ms < d->oldest_ms)
		d->oldest_ms = row->arrival_ms;
	return p->give(p->ctx, row, reterr);
}

static int64_t mono(const struct listed_queue *s)
{
	return clock_mono_ms(s->env->clock);
}

static int init(void *state, const struct backend_env *env, struct mt_error *reterr)
{
	struct listed_queue *s = state;
	const char *family = env->family->name;
	bool log_only = env->def->all_logs; /* by --log FILE alone nothing is known of a queue */

	(void)reterr;
	*s = (struct listed_queue){.env = env,
		.lister = env->family->lister,
		.log_only = log_only,
		.by_log = log_only};
	s->lister_state = xcalloc(1, s->lister->state_bytes);
	buf_init(&s->detail, DETAIL_MAX_BYTES);
	s->off = !conf_bool(env->conf, family, NULL, "queue");
	s->interval_ms = conf_int(env->conf, family, NULL, "queue_interval");
	s->next_mono_ms = mono(s);
	if (s->off)
		(void)buf_add_z(&s->detail, "off by configuration");
	return 0;
}

static int give(void *ctx, struct queue_row *row, struct mt_error *reterr)
{
	struct listed_queue *s = ctx;

	return store_queue_row(s->env->store, s->env->provider, row, reterr);
}

static void end_pass(struct listed_queue *s)
{
	s->lister->end(s->lister_state);
	queue_pass_done(&s->pass);
	s->running = false;
}

static int begin_pass(struct listed_queue *s, struct mt_error *reterr)
{
	int rc;

	s->began_mono_ms = mono(s);
	s->running = true;
	queue_pass_init(&s->pass, QUEUE_SOURCE_LISTING);
	s->pass.give = give;
	s->pass.ctx = s;
	rc = s->lister->begin(s->lister_state, s->env->def, s->env->conf, &s->pass, reterr);
	if (rc == 0)
		rc = store_queue_begin(s->env->store, s->env->provider, reterr);
	s->begun = rc == 0;
	return rc;
}

static void describe(struct listed_queue *s, int64_t took_ms)
{
	const struct queue_pass *p = &s->pass;

	buf_clear(&s->detail);
	(void)buf_printf(&s->detail, "%lld listed in %lld ms%s%s", (long long)p->rows,
		(long long)took_ms, p->detail.n ? " " : "", buf_z(&p->detail));
	if (p->bad)
		(void)buf_printf(&s->detail, "; %zu not understood", p->bad);
}

/* A whole listing: what it did not show is gone. */
static int complete(struct listed_queue *s, struct mt_error *reterr)
{
	int64_t took_ms = mono(s) - s->began_mono_ms, least_ms = took_ms * COST_FACTOR;
	struct queue_depth depth = s->pass.depth;
	int rc;

	describe(s, took_ms);
	end_pass(s);
	s->begun = s->by_log = false;
	s->listed = true;
	s->failures = 0;
	s->error = (struct mt_error){.code = MT_OK};
	s->next_mono_ms = mono(s) + (least_ms > s->interval_ms ? least_ms : s->interval_ms);
	rc = store_queue_end(s->env->store, s->env->provider, true, reterr);
	return rc < 0 ? rc : store_queue_depth(s->env->store, s->env->provider, &depth, reterr);
}

/* The queue as the log knows it. */
static int log_step(struct listed_queue *s, struct mt_error *reterr)
{
	int rc;

	if (s->log_only)
		s->next_mono_ms = mono(s) + s->interval_ms;
	if (!queue_log_due(&s->log, s->env))
		return 0;
	rc = queue_log_step(&s->log, s->env, NULL, reterr);
	if (rc != 0)
		return rc > 0 ? STEP_AGAIN : rc;
	buf_clear(&s->detail);
	if (s->log_only)
		(void)buf_add_z(&s->detail, "only the log is known; ");
	else if (s->error.code != MT_OK)
		(void)buf_printf(&s->detail, "%s; ", s->error.text);
	(void)buf_printf(&s->detail, "%lld open by the log", (long long)s->log.rows);
	return 0;
}

/* What was told is kept over a moment's failure, but not for long; then the log is asked. */
static int failed(
	struct listed_queue *s, int rc, const struct mt_error *why, struct mt_error *reterr)
{
	int64_t wait_ms = s->interval_ms;
	bool store = rc == MT_EFULL || rc == MT_ECORRUPT;

	end_pass(s);
	/* The first failure is the one to tell. */
	if (s->begun)
		(void)!store_queue_end(s->env->store, s->env->provider, false, NULL);
	s->begun = false;
	s->error = *why;
	for (unsigned i = 0; i < s->failures && wait_ms < RETRY_MAX_MS; i++)
		wait_ms *= 2;
	s->failures++;
	s->next_mono_ms = mono(s) + (wait_ms > RETRY_MAX_MS ? RETRY_MAX_MS : wait_ms);
	buf_clear(&s->detail);
	(void)buf_printf(&s->detail, "listing failed: %s", why->text);
	if (store ||
		(s->listed && rc != MT_EPERM && rc != MT_ENOENT && s->failures < FAILURES_MAX)) {
		*reterr = *why;
		return rc;
	}
	s->by_log = true;
	s->listed = false;
	store_queue_by_log(s->env->store, s->env->provider);
	s->log.listed = false;
	return log_step(s, reterr);
}

static int list_step(struct listed_queue *s, struct mt_error *reterr)
{
	struct mt_error why = {.code = MT_OK};
	int rc = s->running ? 0 : begin_pass(s, &why);

	if (rc == 0)
		rc = s->lister->step(s->lister_state, &s->pass, &why);
	if (rc > 0)
		return rc;
	return rc == 0 ? complete(s, reterr) : failed(s, rc, &why, reterr);
}

static int step(void *state, struct mt_error *reterr)
{
	struct listed_queue *s = state;
	bool due = s->next_mono_ms <= mono(s) + ROUND_SLACK_MS;

	if (s->off)
		return STEP_DONE;
	if (s->running)
		return list_step(s, reterr);
	if (s->log.running)
		return log_step(s, reterr);
	if (!due)
		return STEP_DONE;
	return s->log_only ? log_step(s, reterr) : list_step(s, reterr);
}

static size_t fds(const void *state, struct pollfd *out, size_t max)
{
	const struct listed_queue *s = state;

	return s->running ? s->lister->fds(s->lister_state, out, max) : 0;
}

static int64_t interval(const void *state)
{
	const struct listed_queue *s = state;
	int64_t due_ms = s->next_mono_ms - mono(s);

	if (s->off)
		return OFF_INTERVAL_MS;
	return due_ms < 1 ? 1 : due_ms;
}

static void health(const void *state, struct source_health *out)
{
	const struct listed_queue *s = state;

	if (s->detail.n > 0)
		out->detail = buf_z(&s->detail);
	if (s->off)
		out->health = HEALTH_STOPPED;
	else if (s->error.code != MT_OK && out->health == HEALTH_FRESH)
		out->health = HEALTH_LATE;
}

static void done(void *state)
{
	struct listed_queue *s = state;

	if (s->running)
		end_pass(s);
	/* What was listed so far stays; the next listing begins anew. */
	if (s->begun)
		(void)!store_queue_end(s->env->store, s->env->provider, false, NULL);
	free(s->lister_state);
	buf_done(&s->detail);
}

const struct source_ops queuesource = {
	.name = "queue",
	.interval_ms = INTERVAL_MS,
	.state_bytes = sizeof(struct listed_queue),
	.init = init,
	.step = step,
	.fds = fds,
	.interval = interval,
	.health = health,
	.done = done,
};

int queue_list_now(const struct queue_lister *lister, const struct instance_def *def,
	const struct conf *conf,
	int (*each)(void *ctx, struct queue_row *row, struct mt_error *reterr), void *ctx,
	struct mt_error *reterr)
{
	void *state = xcalloc(1, lister->state_bytes);
	struct queue_pass pass;
	int rc;

	queue_pass_init(&pass, QUEUE_SOURCE_LISTING);
	pass.give = each;
	pass.ctx = ctx;
	rc = lister->begin(state, def, conf, &pass, reterr);
	while (rc >= 0) {
		struct pollfd fds[FDS_MAX];

		rc = lister->step(state, &pass, reterr);
		if (rc == STEP_WAIT)
			(void)poll(fds, (nfds_t)lister->fds(state, fds, FDS_MAX), -1);
		if (rc == 0)
			break;
	}
	lister->end(state);
	queue_pass_done(&pass);
	free(state);
	return rc;
}
