/* SPDX-License-Identifier: MIT */
/*
 * postfix/queue - the `queue` source: depth every few seconds, a listing as often as it is cheap.
 *
 * Reading costs at most 2 % of a core: the next listing (or scan) comes no sooner than 50 times (a long
 * one: 120 times) what the last one took. With a readable spool the folders give the depth and the queue files' time
 * stamps the next try; without, both come from the listing, the next try as an estimate. A listing
 * that failed removes nothing from the cache. Where neither works, or only a log is known, the open
 * messages of the log are the queue, and said to be.
 */
#include "backends/postfix/queue.h"

#include "backends/postfix/queue_list.h"
#include "backends/queuelog.h"
#include "backends/postfix/queue_scan.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define COST_FACTOR 50 /* 2 % of a core */
#define COSTLY_MS                                                                                  \
	250 /* from here on scans, the cache and postqueue add to it: the listing itself gets less */
#define COSTLY_FACTOR 120
#define LIST_TIMEOUT_MS 300000 /* 100,000 messages take 2 s; a million on a slow disk minutes */
#define LIST_RETRY_MAX_MS 300000 /* while only the listing fails */
#define SCAN_DENIED_MS 60000 /* between looks whether the spool may be read by now */
#define LOG_LIST_MS 2000 /* a listing of the cache itself, and only when the log has moved */
#define FAILURES_MAX 3 /* of postqueue in a row before the log is asked */
#define OFF_INTERVAL_MS 86400000
#define INTERVAL_MS 5000
#define DETAIL_MAX_BYTES 1024
#define HASH_DEPTH_MAX 5
#define MS_PER_S 1000
#define NS_PER_MS 1000000

struct queue_state {
	const struct backend_env *env;
	struct postfix_config config;
	bool off; /* by configuration */
	bool log_only; /* no config_directory: nothing but the log can be read */
	bool by_log; /* the last listing was the log's */
	bool listed; /* the last one was postqueue's */
	struct queue_log log;
	struct timespec main_cf; /* when main.cf was changed last */
	int64_t depth_interval_ms, list_interval_ms; /* as configured */
	int64_t next_depth_mono_ms, next_list_mono_ms;

	struct queue_scan scan;
	bool scanning, spool; /* spool: the last scan could read it */
	int64_t scan_began_mono_ms;
	int64_t depth[QUEUE__COUNT];

	struct queue_list *list; /* NULL when none is running */
	int spool_fd; /* of queue_directory, to look at queue files; -1 */
	unsigned hash_depth; /* of the deferred queue's folders */
	bool text; /* this postqueue has no -j */
	bool begun; /* store_queue_begin was called */
	bool again; /* the round goes on with a scan */
	int64_t list_began_mono_ms;
	unsigned list_failures;
	int64_t oldest_ms; /* of the last complete listing */
	int64_t exact, estimated; /* next tries of this listing */

	struct buf detail, list_detail;
	struct mt_error list_error; /* of the last listing; code 0 when it went well */
};

static int64_t mono(const struct queue_state *s)
{
	return clock_mono_ms(s->env->clock);
}

static bool main_cf_changed(const struct queue_state *s)
{
	struct timespec now = postfix_main_cf_time(s->config.dir);

	return now.tv_sec != s->main_cf.tv_sec || now.tv_nsec != s->main_cf.tv_nsec;
}

static int load_config(struct queue_state *s, struct mt_error *reterr)
{
	int rc;

	postfix_config_done(&s->config);
	s->main_cf = postfix_main_cf_time(s->env->def->config_dir);
	rc = postfix_config_load(&s->config, s->env->def->config_dir, reterr);
	s->text = postfix_config_older(&s->config, 3, 1);
	s->hash_depth = 0;
	if (rc == 0 && s->config.hash_queue_depth > 0 &&
		strstr(s->config.hash_queue_names, "deferred"))
		s->hash_depth = s->config.hash_queue_depth > HASH_DEPTH_MAX
					? HASH_DEPTH_MAX
					: (unsigned)s->config.hash_queue_depth;
	return rc;
}

/* The demo's server is as Postfix comes. Values: postconf -d. */
static void stock_config(struct queue_state *s)
{
	postfix_config_init(&s->config, "/");
	postfix_config_parse(
		&s->config, STR_LIT("minimal_backoff_time = 300s\nmaximal_backoff_time = 4000s\n"
				    "maximal_queue_lifetime = 5d\nbounce_queue_lifetime = 5d\n"));
}

static int init(void *state, const struct backend_env *env, struct mt_error *reterr)
{
	struct queue_state *s = state;
	const char *name = env->def->name;

	*s = (struct queue_state){.env = env, .spool_fd = -1, .oldest_ms = EVENT_UNKNOWN};
	buf_init(&s->detail, DETAIL_MAX_BYTES);
	buf_init(&s->list_detail, DETAIL_MAX_BYTES);
	for (int i = 0; i < QUEUE__COUNT; i++)
		s->depth[i] = EVENT_UNKNOWN;
	s->scan.spool_fd = -1;
	s->off = !conf_bool(env->conf, "postfix", name, "queue");
	s->log_only = s->by_log = !env->def->config_dir;
	if (s->off)
		(void)buf_add_z(&s->detail, "off by configuration");
	s->depth_interval_ms = conf_int(env->conf, "postfix", name, "depth_interval");
	s->list_interval_ms = conf_int(env->conf, "postfix", name, "queue_interval");
	s->next_depth_mono_ms = s->next_list_mono_ms = mono(s);
	if (s->log_only) {
		s->next_depth_mono_ms = INT64_MAX;
		if (env->def->made_up)
			stock_config(s);
		return 0;
	}
	return s->off ? 0 : load_config(s, reterr);
}

static void describe(struct queue_state *s)
{
	buf_clear(&s->detail);
	if (s->log_only)
		(void)buf_add_z(&s->detail, "only the log is known, no config_directory");
	else if (s->by_log)
		(void)buf_printf(&s->detail, "%s; no permission to read %s", buf_z(&s->list_detail),
			s->config.queue_directory);
	else if (s->spool)
		(void)buf_printf(&s->detail, "depth from %s", s->config.queue_directory);
	else
		(void)buf_printf(&s->detail,
			"no permission to read %s: depth from postqueue, corrupt unknown",
			s->config.queue_directory);
	if (s->list_detail.n > 0 && (s->log_only || !s->by_log))
		(void)buf_printf(&s->detail, "; %s", buf_z(&s->list_detail));
}

/* ---- depth */

static int store_depth(struct queue_state *s, enum queue_source source, struct mt_error *reterr)
{
	struct queue_depth d = {.source = source, .oldest_ms = s->oldest_ms};
	bool empty = true;

	for (int i = 0; i < QUEUE__COUNT; i++) {
		d.n[i] = s->depth[i];
		empty = empty && d.n[i] <= 0;
	}
	if (empty)
		d.oldest_ms = EVENT_UNKNOWN;
	return store_queue_depth(s->env->store, s->env->provider, &d, reterr);
}

static int64_t at_most_share(int64_t wish_ms, int64_t cost_ms)
{
	int64_t factor = cost_ms < COSTLY_MS ? COST_FACTOR : COSTLY_FACTOR;

	return cost_ms > wish_ms / factor ? cost_ms * factor : wish_ms;
}

static int scan_step(struct queue_state *s, struct mt_error *reterr)
{
	int64_t now_mono_ms;

	if (!s->scanning) {
		s->scan_began_mono_ms = mono(s);
		s->scanning = true;
		queue_scan_begin(&s->scan, s->config.queue_directory);
	}
	if (queue_scan_step(&s->scan))
		return STEP_AGAIN;
	queue_scan_done(&s->scan);
	s->scanning = false;
	now_mono_ms = mono(s);
	s->spool = queue_scan_complete(&s->scan);
	s->next_depth_mono_ms =
		now_mono_ms +
		(s->spool ? at_most_share(s->depth_interval_ms, now_mono_ms - s->scan_began_mono_ms)
			  : SCAN_DENIED_MS);
	describe(s);
	if (!s->spool)
		return 0;
	memcpy(s->depth, s->scan.n, sizeof(s->depth));
	return store_depth(s, QUEUE_SOURCE_SPOOL, reterr);
}

/* ---- listing */

static int on_row(void *ctx, struct queue_row *row, struct mt_error *reterr)
{
	struct queue_state *s = ctx;

	row->expires_ms = queue_expiry(&s->config, row);
	if (row->queue == QUEUE_DEFERRED) {
		if (queue_file_time(s->spool_fd, s->hash_depth, row->qid, &row->next_retry_ms)) {
			s->exact++;
		} else {
			row->next_retry_ms =
				queue_retry_estimate(row->arrival_ms, clock_utc_ms(s->env->clock),
					s->config.minimal_backoff_ms, s->config.maximal_backoff_ms);
			s->estimated++;
		}
	}
	return store_queue_row(s->env->store, s->env->provider, row, reterr);
}

static void close_list(struct queue_state *s)
{
	queue_list_close(s->list);
	s->list = NULL;
	if (s->spool_fd >= 0)
		close(s->spool_fd);
	s->spool_fd = -1;
}

/* What was listed so far stays; that it can't be ended matters to nobody, the next begins anew. */
static void abandon(struct queue_state *s)
{
	if (s->begun && store_queue_end(s->env->store, s->env->provider, false, NULL) < 0)
		s->list_failures++;
	s->begun = false;
}

static int list_begin(struct queue_state *s, struct mt_error *reterr)
{
	struct queue_list_request request = {.config = &s->config,
		.text = s->text,
		.now_utc_ms = clock_utc_ms(s->env->clock),
		.timeout_ms = LIST_TIMEOUT_MS,
		.row = on_row,
		.ctx = s};
	int rc = 0;

	if (main_cf_changed(s))
		rc = load_config(s, reterr);
	if (rc < 0)
		return rc;
	request.text = s->text;
	s->exact = s->estimated = 0;
	s->list_began_mono_ms = mono(s);
	if (s->spool)
		s->spool_fd = open(s->config.queue_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = queue_list_open(&request, &s->list, reterr);
	if (rc == 0)
		rc = store_queue_begin(s->env->store, s->env->provider, reterr);
	s->begun = rc == 0;
	return rc;
}

static void describe_list(struct queue_state *s, int64_t took_ms)
{
	const struct queue_list_stats *stats = queue_list_stats(s->list);

	buf_clear(&s->list_detail);
	(void)buf_printf(&s->list_detail, "%lld listed in %lld ms by postqueue",
		(long long)stats->rows, (long long)took_ms);
	if (s->exact > 0 && s->estimated == 0)
		(void)buf_add_z(&s->list_detail, ", next try from the queue files");
	else if (s->estimated > 0)
		(void)buf_add_z(&s->list_detail, ", next try estimated from the age");
	if (stats->direct)
		(void)buf_add_z(&s->list_detail, "; Postfix is down");
	if (stats->bad > 0)
		(void)buf_printf(&s->list_detail, "; %zu lines not understood", stats->bad);
}

/* The queue as the log knows it. */
static int log_step(struct queue_state *s, struct mt_error *reterr)
{
	const struct postfix_config *c = s->log_only && !s->env->def->made_up ? NULL : &s->config;
	int64_t wish_ms = s->list_interval_ms < LOG_LIST_MS ? s->list_interval_ms : LOG_LIST_MS;
	int rc;

	if (!queue_log_due(&s->log, s->env)) {
		s->next_list_mono_ms = mono(s) + wish_ms;
		return 0;
	}
	if (!s->log.running)
		s->list_began_mono_ms = mono(s);
	rc = queue_log_step(&s->log, s->env, c, reterr);
	if (rc != 0)
		return rc > 0 ? STEP_AGAIN : rc;
	if (s->log_only)
		s->next_list_mono_ms =
			mono(s) + at_most_share(wish_ms, mono(s) - s->list_began_mono_ms);
	buf_clear(&s->list_detail);
	if (s->list_error.code != MT_OK)
		(void)buf_printf(&s->list_detail, "%s; ", s->list_error.text);
	(void)buf_printf(&s->list_detail, "%lld open by the log", (long long)s->log.rows);
	describe(s);
	return 0;
}

/* A whole listing: what it did not show is gone; without a readable spool it gives the depth too. */
static int list_complete(struct queue_state *s, struct mt_error *reterr)
{
	int64_t now_mono_ms = mono(s), took_ms = now_mono_ms - s->list_began_mono_ms;
	const struct queue_list_stats *stats = queue_list_stats(s->list);
	int rc;

	describe_list(s, took_ms);
	s->again = s->spool && s->oldest_ms != stats->oldest_ms;
	if (s->again)
		s->next_depth_mono_ms = now_mono_ms; /* a sample that tells the new age, at once */
	s->oldest_ms = stats->oldest_ms;
	if (!s->spool)
		memcpy(s->depth, stats->n, sizeof(s->depth));
	close_list(s);
	s->begun = s->by_log = false;
	s->listed = true;
	s->list_failures = 0;
	s->list_error = (struct mt_error){.code = MT_OK};
	s->next_list_mono_ms = now_mono_ms + at_most_share(s->list_interval_ms, took_ms);
	describe(s);
	rc = store_queue_end(s->env->store, s->env->provider, true, reterr);
	if (rc == 0 && !s->spool)
		rc = store_depth(s, QUEUE_SOURCE_POSTQUEUE, reterr);
	return rc;
}

/* Returns the failure, or 0 when the source as a whole goes on: with the depth from the spool, or both by the log. */
static int list_failed(
	struct queue_state *s, int rc, const struct mt_error *why, struct mt_error *reterr)
{
	int64_t wait_ms = s->list_interval_ms;

	close_list(s);
	abandon(s);
	if (rc == MT_ENOTSUP && !s->text) {
		s->text = true;
		return STEP_AGAIN;
	}
	s->list_error = *why;
	for (unsigned i = 0; i < s->list_failures && wait_ms < LIST_RETRY_MAX_MS; i++)
		wait_ms *= 2;
	s->list_failures++;
	s->next_list_mono_ms =
		mono(s) + (wait_ms > LIST_RETRY_MAX_MS ? LIST_RETRY_MAX_MS : wait_ms);
	buf_clear(&s->list_detail);
	(void)buf_printf(&s->list_detail, "listing failed: %s", why->text);
	describe(s);
	if (s->spool && rc != MT_EFULL && rc != MT_ECORRUPT)
		return 0;
	/* What postqueue told is kept over a restart of Postfix, but not for long. */
	if (rc == MT_EFULL || rc == MT_ECORRUPT ||
		(s->listed && rc != MT_EPERM && rc != MT_ENOENT &&
			s->list_failures < FAILURES_MAX)) {
		s->next_list_mono_ms = mono(s); /* the schedule's waiting is enough */
		*reterr = *why;
		return rc;
	}
	s->by_log = true;
	s->listed = false;
	store_queue_by_log(s->env->store, s->env->provider);
	s->log.listed = false;
	return log_step(s, reterr);
}

/* The last listing was empty, and no queue of postqueue's holds a file by the scan just done: so is this one, and
 * no program need be run to say so. */
static bool lists_nothing(const struct queue_state *s)
{
	return !s->list && s->spool && s->listed && s->list_error.code == MT_OK &&
	       s->oldest_ms == EVENT_UNKNOWN && s->depth[QUEUE_INCOMING] == 0 &&
	       s->depth[QUEUE_ACTIVE] == 0 && s->depth[QUEUE_DEFERRED] == 0 &&
	       s->depth[QUEUE_HOLD] == 0 && !main_cf_changed(s);
}

static int list_nothing(struct queue_state *s, struct mt_error *reterr)
{
	int rc = store_queue_begin(s->env->store, s->env->provider, reterr);

	if (rc == 0)
		rc = store_queue_end(s->env->store, s->env->provider, true, reterr);
	s->next_list_mono_ms = mono(s) + s->list_interval_ms;
	buf_clear(&s->list_detail);
	(void)buf_add_z(&s->list_detail, "nothing to list");
	describe(s);
	return rc;
}

static int list_step(struct queue_state *s, struct mt_error *reterr)
{
	struct mt_error why = {.code = MT_OK};
	int rc;

	if (lists_nothing(s))
		return list_nothing(s, reterr);
	rc = s->list ? 1 : list_begin(s, &why);
	if (rc >= 0)
		rc = queue_list_step(s->list, &why);
	if (rc > 0)
		return STEP_WAIT;
	if (rc == 0)
		return list_complete(s, reterr);
	return list_failed(s, rc, &why, reterr);
}

static int step(void *state, struct mt_error *reterr)
{
	struct queue_state *s = state;
	int64_t now_mono_ms = mono(s) + ROUND_SLACK_MS;
	bool again;
	int rc = 0;

	if (s->off)
		return STEP_DONE;
	if (s->list)
		rc = list_step(s, reterr);
	else if (s->log.running)
		rc = log_step(s, reterr);
	else if (s->scanning || s->next_depth_mono_ms <= now_mono_ms)
		rc = scan_step(s, reterr);
	else if (s->next_list_mono_ms <= now_mono_ms)
		rc = s->log_only ? log_step(s, reterr) : list_step(s, reterr);
	if (rc != 0)
		return rc;
	/* A first round, and --until-caught-up, is both: depth and listing. */
	again = s->again;
	s->again = false;
	return again || s->next_list_mono_ms <= now_mono_ms ? STEP_AGAIN : STEP_DONE;
}

static size_t fds(const void *state, struct pollfd *out, size_t max)
{
	const struct queue_state *s = state;

	return s->list ? queue_list_fds(s->list, out, max) : 0;
}

static int64_t interval(const void *state)
{
	const struct queue_state *s = state;
	int64_t due_ms;

	if (s->off)
		return OFF_INTERVAL_MS;
	due_ms = s->next_depth_mono_ms < s->next_list_mono_ms ? s->next_depth_mono_ms
							      : s->next_list_mono_ms;
	due_ms -= mono(s);
	return due_ms < 1 ? 1 : due_ms;
}

static void health(const void *state, struct source_health *out)
{
	const struct queue_state *s = state;

	if (s->detail.n > 0)
		out->detail = buf_z(&s->detail);
	if (s->off)
		out->health = HEALTH_STOPPED;
	else if (s->list_error.code != MT_OK && out->health == HEALTH_FRESH)
		out->health = HEALTH_LATE;
}

static void done(void *state)
{
	struct queue_state *s = state;

	close_list(s);
	abandon(s);
	if (s->scanning)
		queue_scan_done(&s->scan);
	postfix_config_done(&s->config);
	buf_done(&s->detail);
	buf_done(&s->list_detail);
}

const struct source_ops postfix_queue_source = {
	.name = "queue",
	.interval_ms = INTERVAL_MS,
	.state_bytes = sizeof(struct queue_state),
	.init = init,
	.step = step,
	.fds = fds,
	.interval = interval,
	.health = health,
	.done = done,
};
