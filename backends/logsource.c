/* SPDX-License-Identifier: MIT */
/*
 * logsource - see logsource.h. One step stores one chunk; its marks go into the same batch as its events, so
 * they are committed together or not at all.
 *
 * While catching up, chunks are read and parsed ahead (ahead.h): a chunk in flight has its marks with it, and they
 * reach the store behind its last event. A failure of the store starts the source anew at its cursors.
 */
#include "backends/logsource.h"

#include "backends/ahead.h"
#include "backends/instances.h"
#include "backends/syslogline.h"
#include "backends/tail.h"
#include "store/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define INTERVAL_MS                                                                                \
	1000 /* without inotify's word; a line is on the screen a second after it was written */
#define WATCHED_INTERVAL_MS                                                                        \
	2500 /* with it: only what inotify can't see; every other time with the other sources */
#define DETAIL_MAX_BYTES 256
#define PROBE_MAX_BYTES 4096
#define LATEST_MS 86400000 /* clocks and zones differ by less */
#define AHEAD_MIN_BYTES (64u << 10) /* a chunk so large has more behind it */
#define FLIGHTS_MAX 4 /* chunks ahead of the store, 128 KiB each */

/* A chunk on its way through the parsing thread. */
struct flight {
	struct flight *next;
	struct ahead_job job;
	char *key; /* owned; of its file */
	int64_t skipped; /* lines given up as too long before it */
	struct flight_mark {
		char *key, *value; /* owned */
		size_t nkey, nvalue;
	} * marks; /* owned */
	size_t nmarks;
};

struct log_state {
	const struct backend_env *env;
	struct tail *tail;
	struct parser parser;
	bool restart; /* the next bytes are of another file */
	struct ahead *ahead; /* NULL while keeping up */
	bool no_thread; /* none could be had */
	struct flight *first; /* in flight, oldest first */
	size_t nflights;
	int inotify_fd; /* -1 none */
	int watch; /* of the file followed; -1 none */
	char *watched; /* owned; its path */
	int64_t newest_ms, latest_ms; /* latest: stamps past it are no news */
	uint64_t oversize; /* lines given up as too long */
	bool caught_up;
	struct mt_error error; /* of the store, carried out of emit */
	char detail[DETAIL_MAX_BYTES];
};

static int restore_mark(void *ctx, struct str key, struct str value, int64_t updated_ms)
{
	struct log_state *l = ctx;

	(void)updated_ms;
	return tail_restore(l->tail, key, value);
}

/* restore_marks - without its marks the log would be counted a second time: then the cache is of no use. */
static int restore_marks(struct log_state *l, struct mt_error *reterr)
{
	int rc = store_cursors(l->env->store, l->env->source, restore_mark, l, reterr);

	if (rc != MT_ECORRUPT)
		return rc;
	store_distrust(l->env->store);
	return mt_error_set(reterr, MT_ECORRUPT,
		"the cache does not tell how far the log was read; it is moved aside and rebuilt "
		"at the next start");
}

/* options_of - the parser's reference: the file's time, but past the first catching up a line was written just now. */
static struct parse_options options_of(struct log_state *l, int64_t reference_ms)
{
	const char *zone = conf_text(l->env->conf, "mtatop", NULL, "timezone");
	int64_t now_ms = clock_utc_ms(l->env->clock);

	l->latest_ms = now_ms + LATEST_MS;
	if (!l->caught_up && reference_ms && reference_ms < now_ms)
		now_ms = reference_ms;
	return (struct parse_options){.now_utc_ms = now_ms, .timezone = zone[0] ? zone : NULL};
}

/* line_time - for the search of the window's beginning: each line by itself, no memory of order. */
static int64_t line_time(void *ctx, struct str line, int64_t reference_ms)
{
	struct log_state *l = ctx;
	struct parse_options options = options_of(l, reference_ms);
	struct syslogline head;
	struct timefmt stamps;
	char scratch[PROBE_MAX_BYTES];

	line = str_first(line, sizeof(scratch)); /* the stamp is at the front */
	timefmt_init(&stamps, options.now_utc_ms, options.timezone);
	return syslogline_read(&stamps, line, scratch, &head) && head.has_time ? head.t_utc_ms : -1;
}

static int log_init(void *state, const struct backend_env *env, struct mt_error *reterr)
{
	struct log_state *l = state;
	const struct instance_def *def = env->def;
	struct tail_options options = {.paths = def->logs,
		.npaths = def->nlogs,
		.all = def->all_logs,
		.follow = !env->until_caught_up,
		.oldest_ms = INT64_MIN,
		.line_time = line_time,
		.line_ctx = l};

	if (env->read_back_ms >= 0)
		options.oldest_ms = clock_utc_ms(env->clock) - env->read_back_ms;
	l->env = env;
	l->restart = true;
	l->watch = -1;
	l->tail = tail_new(&options);
	l->inotify_fd = env->until_caught_up ? -1 : inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	return restore_marks(l, reterr);
}

static int emit(void *ctx, const struct event *e)
{
	struct log_state *l = ctx;

	if (!instance_owns(l->env->def, e))
		return 0;
	if (e->t_utc_ms > l->newest_ms && e->t_utc_ms <= l->latest_ms && e->kind != EVENT_FOREIGN)
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

	if (tail_says_done(value)) /* the file may be deleted now: no power loss may undo this */
		store_durable(l->env->store);
	return store_cursor_set(l->env->store, l->env->source, key, value, &l->error);
}

static int count_skipped(struct log_state *l, int64_t n)
{
	struct event e;

	for (; n > 0; n--) {
		int rc;

		event_init(&e);
		e.kind = EVENT_OVERSIZE;
		e.t_utc_ms =
			l->newest_ms; /* 0, nothing read yet: the store knows how far the log was */
		e.line_offset = UINT64_MAX - l->oversize++; /* each is a line of its own */
		e.text = STR_LIT("a line over 1 MB was skipped");
		rc = emit(l, &e);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* store_marks - and what was skipped. Also at rest: a file may end, or be left out, without a line of its own. */
static int store_marks(struct log_state *l)
{
	int rc = count_skipped(l, tail_skipped(l->tail));

	if (rc == 0)
		rc = tail_each_changed(l->tail, put_cursor, l);
	if (rc == 0)
		tail_stored(l->tail);
	return rc;
}

static int parse_chunk(struct log_state *l, const struct tail_chunk *c)
{
	struct offset_sink offsets = {l, c->offset};
	struct event_sink sink = {emit_at, &offsets};
	struct parse_options options = options_of(l, c->reference_ms);
	size_t consumed = 0;
	int rc;

	parser_ready(&l->parser, l->env->family, l->restart, &options);
	l->restart = false;
	store_log_position(l->env->store, l->env->provider, str_of(c->key));
	rc = l->env->family->parse(l->parser.state, c->bytes, c->final, &sink, &consumed);
	if (rc < 0)
		return rc;
	tail_consumed(l->tail, consumed);
	return store_marks(l);
}

static void free_flight(struct flight *f)
{
	for (size_t i = 0; i < f->nmarks; i++) {
		free(f->marks[i].key);
		free(f->marks[i].value);
	}
	free(f->marks);
	free(f->job.bytes);
	free(f->key);
	free(f);
}

/* ground - forget what is in flight and end the thread. */
static void ground(struct log_state *l)
{
	ahead_free(l->ahead);
	l->ahead = NULL;
	while (l->first) {
		struct flight *gone = l->first;

		l->first = gone->next;
		free_flight(gone);
	}
	l->nflights = 0;
}

static int keep_mark(void *ctx, struct str key, struct str value)
{
	struct flight *f = ctx;

	f->marks = xrealloc(f->marks, (f->nmarks + 1) * sizeof(f->marks[0]));
	f->marks[f->nmarks++] = (struct flight_mark){.key = xmemdup(key.p, key.n),
		.nkey = key.n,
		.value = value.p ? xmemdup(value.p, value.n) : NULL, /* NULL: forgotten */
		.nvalue = value.n};
	return 0;
}

/* depart - whole lines of a chunk to the parsing thread, and the marks as they are behind them. */
static int depart(struct log_state *l, const struct tail_chunk *c)
{
	size_t n = c->final ? c->bytes.n : str_rfind_char(c->bytes, '\n') + 1;
	struct flight *f, **end = &l->first;
	int rc;

	if (n > c->bytes.n)
		return 0; /* no line's end yet: more comes with the next chunk */
	f = xcalloc(1, sizeof(*f));
	f->key = xstrdup(c->key);
	f->job = (struct ahead_job){.bytes = xmemdup(c->bytes.p, n),
		.n = n,
		.offset = c->offset,
		.final = c->final,
		.restart = l->restart,
		.options = options_of(l, c->reference_ms)};
	l->restart = false;
	tail_consumed(l->tail, n);
	f->skipped = tail_skipped(l->tail);
	rc = tail_each_changed(l->tail, keep_mark, f);
	tail_stored(l->tail);
	while (*end)
		end = &(*end)->next;
	*end = f;
	l->nflights++;
	ahead_give(l->ahead, &f->job);
	return rc;
}

static int put_marks(struct log_state *l, const struct flight *f)
{
	int rc = count_skipped(l, f->skipped);

	for (size_t i = 0; rc == 0 && i < f->nmarks; i++)
		rc = put_cursor(l, str_make(f->marks[i].key, f->marks[i].nkey),
			str_make(f->marks[i].value, f->marks[i].nvalue));
	return rc;
}

/* land - store the oldest chunk in flight. */
static int land(struct log_state *l)
{
	struct flight *f = l->first;
	bool last = false;
	int rc = 0;

	store_log_position(l->env->store, l->env->provider, str_of(f->key));
	while (rc == 0 && !last) {
		struct ahead_batch *batch = ahead_take(l->ahead);
		struct event e;

		while (rc == 0 && ahead_event(batch, &e))
			rc = emit(l, &e);
		last = batch->last;
		ahead_return(l->ahead, batch);
	}
	if (rc == 0)
		rc = put_marks(l, f);
	if (rc < 0)
		return rc; /* the source is begun anew */
	l->first = f->next;
	l->nflights--;
	free_flight(f);
	return 0;
}

/* take_chunk - a chunk through the thread when there is much to read, else at once. */
static int take_chunk(struct log_state *l, const struct tail_chunk *c)
{
	l->restart = l->restart || c->fresh;
	if (!l->ahead && !l->no_thread && c->bytes.n >= AHEAD_MIN_BYTES) {
		l->parser.family = l->env->family;
		l->ahead = ahead_new(&l->parser);
		l->no_thread = !l->ahead;
	}
	return l->ahead ? depart(l, c) : parse_chunk(l, c);
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

/* The file is looked at whatever happened; but one that has gone from its path is watched no more: the next one is. */
static void drain_watch(struct log_state *l)
{
	_Alignas(struct inotify_event) char events[4096];
	ssize_t n;

	if (l->inotify_fd < 0)
		return;
	while ((n = read(l->inotify_fd, events, sizeof(events))) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *e = (const void *)(events + at);

			if (e->wd == l->watch &&
				(e->mask & (IN_MOVE_SELF | IN_DELETE_SELF | IN_IGNORED))) {
				if (!(e->mask & IN_IGNORED))
					inotify_rm_watch(l->inotify_fd, l->watch);
				l->watch = -1;
			}
			at += (ssize_t)(sizeof(*e) + e->len);
		}
	}
}

static int64_t log_interval(const void *state)
{
	const struct log_state *l = state;

	return l->inotify_fd >= 0 && l->watch >= 0 ? WATCHED_INTERVAL_MS : 0;
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

/* fetch - read chunks until enough are in flight or there are no more. enum tail_state, or negative: *ret_store tells
 * whether it was the store that failed. */
static int fetch(struct log_state *l, bool *ret_store, struct mt_error *reterr)
{
	struct tail_chunk c;
	int state = TAIL_CHUNK, rc = 0;

	*ret_store = false;
	do {
		state = tail_next(l->tail, clock_mono_ms(l->env->clock), &c, reterr);
		if (state == TAIL_CHUNK) {
			rc = take_chunk(l, &c);
			*ret_store = rc < 0;
		}
	} while (state == TAIL_CHUNK && rc == 0 && l->ahead && l->nflights < FLIGHTS_MAX);
	return rc < 0 ? rc : state;
}

static int log_step(void *state, struct mt_error *reterr)
{
	struct log_state *l = state;
	bool store = false;
	int rc = TAIL_CHUNK;

	drain_watch(l);
	if (l->nflights < FLIGHTS_MAX)
		rc = fetch(l, &store, reterr);
	if (l->first && !store) {
		int landed = land(l);

		store = landed < 0;
		rc = landed < 0 ? landed : rc < 0 ? rc : TAIL_CHUNK;
	}
	if (store) {
		*l->env->store_failed = true;
		if (reterr)
			*reterr = l->error;
	}
	if (rc < 0)
		return rc;
	if (rc == TAIL_CHUNK)
		return STEP_AGAIN;
	ground(l);
	rc = store_marks(l);
	if (rc < 0) {
		*l->env->store_failed = true;
		if (reterr)
			*reterr = l->error;
		return rc;
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

	ground(l);
	parser_done(&l->parser);
	free(l->watched);
	if (l->env && l->inotify_fd >= 0)
		close(l->inotify_fd);
	tail_free(l->tail);
}

const struct source_ops logsource = {
	.name = "log",
	.interval_ms = INTERVAL_MS,
	.interval = log_interval,
	.state_bytes = sizeof(struct log_state),
	.init = log_init,
	.step = log_step,
	.fds = log_fds,
	.health = log_health,
	.done = log_done,
};
