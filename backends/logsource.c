/* SPDX-License-Identifier: MIT */
/*
 * logsource - see logsource.h. One step reads one chunk; its marks go into the same batch as its events, so
 * they are committed together or not at all.
 */
#include "backends/logsource.h"

#include "backends/tail.h"
#include "store/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define INTERVAL_MS                                                                                \
	1000 /* without inotify's word; a line is on the screen a second after it was written */
#define DETAIL_MAX_BYTES 256

struct log_state {
	const struct backend_env *env;
	struct tail *tail;
	void *parser; /* owned */
	int inotify_fd; /* -1 none */
	int watch; /* of the file followed; -1 none */
	char *watched; /* owned; its path */
	int64_t newest_ms;
	bool caught_up;
	struct mt_error error; /* of the store, carried out of emit */
	char detail[DETAIL_MAX_BYTES];
	int64_t reference_ms; /* of the file being parsed */
};

static int restore_mark(void *ctx, struct str key, struct str value, int64_t updated_ms)
{
	struct log_state *l = ctx;

	(void)updated_ms;
	if (tail_restore(l->tail, key, value) < 0)
		l->newest_ms =
			0; /* a mark of another version: reading again is better than never */
	return 0;
}

static void start_parser(struct log_state *l, int64_t reference_ms)
{
	const struct backend_ops *family = l->env->family;
	const char *zone = conf_text(l->env->conf, "mtatop", NULL, "timezone");
	int64_t now_ms = clock_utc_ms(l->env->clock);
	struct parse_options options = {
		.now_utc_ms = reference_ms && reference_ms < now_ms ? reference_ms : now_ms,
		.timezone = zone[0] ? zone : NULL};

	if (family->parse_done && l->parser)
		family->parse_done(l->parser);
	free(l->parser);
	l->parser = xcalloc(1, family->parse_state_bytes);
	family->parse_init(l->parser, &options);
}

static int log_init(void *state, const struct backend_env *env, struct mt_error *reterr)
{
	struct log_state *l = state;
	const struct instance_def *def = env->def;
	struct tail_options options = {.paths = def->logs,
		.npaths = def->nlogs,
		.all = def->all_logs,
		.follow = !env->until_caught_up,
		.oldest_mtime_ms = clock_utc_ms(env->clock) - env->read_back_ms};

	l->env = env;
	l->watch = -1;
	l->tail = tail_new(&options);
	l->inotify_fd = env->until_caught_up ? -1 : inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	return store_cursors(env->store, env->source, restore_mark, l, reterr);
}

/* ours - is the event of this instance? Several may write into one log under names of their own. */
static bool ours(const struct log_state *l, const struct event *e)
{
	const char *name = l->env->def->syslog_name;
	size_t n;

	if (!name || e->kind == EVENT_FOREIGN || !str_present(e->service))
		return true;
	n = strlen(name);
	return e->service.n > n && memcmp(e->service.p, name, n) == 0 && e->service.p[n] == '/';
}

static int emit(void *ctx, const struct event *e)
{
	struct log_state *l = ctx;

	if (!ours(l, e))
		return 0;
	if (e->t_utc_ms > l->newest_ms && e->kind != EVENT_FOREIGN)
		l->newest_ms = e->t_utc_ms;
	return store_event(l->env->store, l->env->provider, e, &l->error);
}

struct offset_sink {
	struct log_state *l;
	int64_t base;
};

/* emit_at - line offsets count from the file's beginning in the store. */
static int emit_at(void *ctx, const struct event *e)
{
	struct offset_sink *o = ctx;
	struct event moved = *e;

	moved.line_offset += (uint64_t)o->base;
	return emit(o->l, &moved);
}

static int put_cursor(void *ctx, struct str key, struct str value)
{
	struct log_state *l = ctx;

	return store_cursor_set(l->env->store, l->env->source, key, value, &l->error);
}

static int count_skipped(struct log_state *l)
{
	struct event e;

	for (int64_t n = tail_skipped(l->tail); n > 0; n--) {
		int rc;

		event_init(&e);
		e.kind = EVENT_OVERSIZE;
		e.t_utc_ms = l->newest_ms ? l->newest_ms : clock_utc_ms(l->env->clock);
		e.text = STR_LIT("a line over 1 MB was skipped");
		rc = emit(l, &e);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int parse_chunk(struct log_state *l, const struct tail_chunk *c)
{
	struct offset_sink offsets = {l, c->offset};
	struct event_sink sink = {emit_at, &offsets};
	size_t consumed = 0;
	int rc;

	if (c->fresh || !l->parser)
		start_parser(l, c->reference_ms);
	store_log_position(l->env->store, l->env->provider, str_of(c->key));
	rc = l->env->family->parse(l->parser, c->bytes, c->final, &sink, &consumed);
	if (rc < 0)
		return rc;
	tail_consumed(l->tail, consumed);
	rc = count_skipped(l);
	if (rc == 0)
		rc = tail_each_changed(l->tail, put_cursor, l);
	if (rc == 0)
		tail_stored(l->tail);
	return rc;
}

/* watch_file - ask inotify to wake us for the file followed now. */
static void watch_file(struct log_state *l)
{
	const char *path = tail_path(l->tail);

	if (l->inotify_fd < 0 || !path ||
		(l->watched && strcmp(path, l->watched) == 0 && l->watch >= 0))
		return;
	if (l->watch >= 0)
		inotify_rm_watch(l->inotify_fd, l->watch);
	free(l->watched);
	l->watched = xstrdup(path);
	l->watch = inotify_add_watch(
		l->inotify_fd, path, IN_MODIFY | IN_MOVE_SELF | IN_DELETE_SELF | IN_ATTRIB);
}

static void drain_watch(struct log_state *l)
{
	char events[4096];

	if (l->inotify_fd < 0)
		return;
	while (read(l->inotify_fd, events, sizeof(events)) > 0)
		l->watch = l->watch; /* what happened does not matter: the file is looked at */
}

static void describe(struct log_state *l)
{
	const char *path = tail_path(l->tail);

	if (!path && l->newest_ms && l->env->def->nlogs)
		path = l->env->def->logs[l->env->def->nlogs - 1];
	if (path)
		snprintf(l->detail, sizeof(l->detail), "%s%s", path,
			tail_truncated(l->tail)
				? " (truncated in place: copytruncate loses lines, use create)"
				: "");
	else if (l->env->def->nlogs)
		snprintf(l->detail, sizeof(l->detail), "%s is not there yet", l->env->def->logs[0]);
	else
		snprintf(l->detail, sizeof(l->detail), "no log file known");
}

static int log_step(void *state, struct mt_error *reterr)
{
	struct log_state *l = state;
	struct tail_chunk c;
	int rc;

	drain_watch(l);
	rc = tail_next(l->tail, clock_mono_ms(l->env->clock), &c, reterr);
	if (rc < 0)
		return rc;
	if (rc == TAIL_CHUNK) {
		rc = parse_chunk(l, &c);
		if (rc < 0) {
			*l->env->store_failed = true;
			if (reterr)
				*reterr = l->error;
			return rc;
		}
		return STEP_AGAIN;
	}
	l->caught_up = true;
	describe(l);
	watch_file(l);
	return STEP_DONE;
}

static size_t log_fds(const void *state, struct pollfd *out, size_t max)
{
	const struct log_state *l = state;

	if (l->inotify_fd < 0 || max == 0)
		return 0;
	out[0] = (struct pollfd){.fd = l->inotify_fd, .events = POLLIN};
	return 1;
}

static void log_health(const void *state, struct source_health *out)
{
	const struct log_state *l = state;

	out->detail = l->detail[0] ? l->detail : NULL;
	out->newest_ms = l->newest_ms;
	tail_progress(l->tail, &out->done_bytes, &out->total_bytes);
	if (!l->caught_up)
		out->health = HEALTH_CATCHING_UP;
	else
		out->done_bytes = out->total_bytes;
}

static void log_done(void *state)
{
	struct log_state *l = state;

	if (l->env && l->env->family->parse_done && l->parser)
		l->env->family->parse_done(l->parser);
	free(l->parser);
	free(l->watched);
	if (l->env && l->inotify_fd >= 0)
		close(l->inotify_fd);
	tail_free(l->tail);
}

const struct source_ops logsource = {
	.name = "log",
	.interval_ms = INTERVAL_MS,
	.state_bytes = sizeof(struct log_state),
	.init = log_init,
	.step = log_step,
	.fds = log_fds,
	.health = log_health,
	.done = log_done,
};
