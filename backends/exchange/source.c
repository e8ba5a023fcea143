/* SPDX-License-Identifier: MIT */
/*
 * exchange/source - see source.h. A kind of log in a folder is a stream; one step stores one piece of one stream, its marks in
 * the same batch.
 *
 * The streams are read in the order of time, the tracking log of the Transport service first: it tells of the arrival of what
 * the others deliver. A share has no inotify: folders are listed every few seconds.
 *
 * Marks are kept by kind of log, not by folder: files are known by their content, so a share may be mounted elsewhere.
 */
#include "backends/exchange/source.h"

#include "backends/exchange/discover.h"
#include "backends/exchange/log.h"
#include "backends/exchange/stream.h"
#include "backends/series.h"
#include "store/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INTERVAL_MS 1000
#define LIST_INTERVAL_MS 15000 /* a tree of folders over a network; new kinds of log are rare */
#define FIRST_INTERVAL_MS 3000 /* while there is none */
#define STREAMS_MAX 256
#define BEHIND_MS                                                                                  \
	10000 /* the other logs are read so much later than the tracking log, which they follow */
#define SLACK_MS 1000 /* no piece of them is cut finer */
#define DETAIL_MAX_BYTES 512
#define KEY_MAX_BYTES 64
#define GIVEN "given" /* the stream of files given */
#define LATEST_MS 86400000 /* clocks differ by less */

struct saved_mark { /* as it was at the start; for streams that are found later */
	char *key, *value; /* owned */
	size_t nkey, nvalue;
};

struct source {
	const struct backend_env *env;
	struct exchange_stream **all; /* owned */
	size_t n;
	struct saved_mark *saved; /* owned */
	size_t nsaved;
	int64_t list_mono_ms; /* when folders are listed next */
	struct exchange_stream *current; /* being parsed */
	int64_t newest_ms, latest_ms;
	uint64_t oversize;
	bool caught_up, has_connectivity;
	size_t nbad; /* folders and streams that could not be read at the last look */
	struct mt_error bad; /* why the last of them could not be read */
	struct mt_error error; /* of the store, carried out of emit */
	char detail[DETAIL_MAX_BYTES];
};

static int save_mark(void *ctx, struct str key, struct str value, int64_t updated_ms)
{
	struct source *l = ctx;

	(void)updated_ms;
	l->saved = xrealloc(l->saved, (l->nsaved + 1) * sizeof(l->saved[0]));
	l->saved[l->nsaved++] = (struct saved_mark){.key = xmemdup(key.p, key.n),
		.nkey = key.n,
		.value = xmemdup(value.p, value.n),
		.nvalue = value.n};
	return 0;
}

/* line_time - for the search of the window's beginning. */
static int64_t line_time(void *ctx, struct str line, int64_t reference_ms)
{
	(void)ctx;
	(void)reference_ms;
	return exchange_line_time(line);
}

static int corrupt(struct source *l, struct mt_error *reterr)
{
	store_distrust(l->env->store);
	return mt_error_set(reterr, MT_ECORRUPT,
		"the cache does not tell how far the log was read; it is moved aside and rebuilt "
		"at the next start");
}

/* restore - the marks kept for the stream's kind of log. */
static int restore(struct source *l, struct exchange_stream *s, struct mt_error *reterr)
{
	size_t n = strlen(s->prefix);

	for (size_t i = 0; i < l->nsaved; i++) {
		const struct saved_mark *m = &l->saved[i];
		struct str key = str_make(m->key, m->nkey);

		if (key.n <= n || key.p[n] != ':' || !str_eq(str_first(key, n), str_of(s->prefix)))
			continue;
		if (tail_restore(s->tail, str_skip(key, n + 1), str_make(m->value, m->nvalue)) < 0)
			return corrupt(l, reterr);
	}
	return 0;
}

static int add_stream(
	struct source *l, const char *folder, const char *prefix, struct mt_error *reterr)
{
	const struct instance_def *def = l->env->def;
	struct tail_options options = {.paths = def->logs,
		.npaths = folder ? 0 : def->nlogs,
		.series_folder = folder,
		.series_prefix = prefix,
		.all = !folder,
		.follow = !l->env->until_caught_up,
		.oldest_ms = INT64_MIN,
		.line_time = line_time,
		.line_ctx = l};

	if (l->env->read_back_ms >= 0)
		options.oldest_ms = clock_utc_ms(l->env->clock) - l->env->read_back_ms;
	l->all = xrealloc(l->all, (l->n + 1) * sizeof(l->all[0]));
	l->all[l->n] = exchange_stream_new(folder, prefix, tail_new(&options));
	l->has_connectivity |= str_ieq(str_of(prefix), STR_LIT("CONNECTLOG"));
	return restore(l, l->all[l->n++], reterr);
}

struct listing {
	struct source *l;
	struct mt_error *reterr;
};

static int see_prefix(void *ctx, const char *folder, struct str prefix)
{
	struct listing *listing = ctx;
	struct source *l = listing->l;
	char upper[SERIES_PREFIX_MAX_BYTES + 1];
	size_t i;

	if (!exchange_reads(prefix) || l->n >= STREAMS_MAX)
		return 0;
	for (i = 0; i < prefix.n && i + 1 < sizeof(upper); i++)
		upper[i] = (char)(prefix.p[i] >= 'a' ? prefix.p[i] - ('a' - 'A') : prefix.p[i]);
	upper[i] = '\0';
	for (i = 0; i < l->n; i++)
		if (strcmp(l->all[i]->folder, folder) == 0 && strcmp(l->all[i]->prefix, upper) == 0)
			return 0;
	return add_stream(l, folder, upper, listing->reterr);
}

/* list_folders - find the streams there are; a folder that can't be read is told of and tried again. */
static int list_folders(struct source *l, int64_t now_mono_ms, struct mt_error *reterr)
{
	const struct instance_def *def = l->env->def;

	if (!def->folders || now_mono_ms < l->list_mono_ms)
		return 0;
	l->list_mono_ms = now_mono_ms + (l->n ? LIST_INTERVAL_MS : FIRST_INTERVAL_MS);
	l->nbad = 0;
	for (size_t i = 0; i < def->nlogs; i++) {
		struct listing listing = {l, reterr};
		struct mt_error why = {0};
		int rc = series_each(def->logs[i], see_prefix, &listing, &why);

		if (rc == MT_ECORRUPT)
			return rc;
		if (rc < 0) {
			l->nbad++;
			l->bad = why;
		}
	}
	if (l->nbad && l->nbad == def->nlogs) {
		if (reterr)
			*reterr = l->bad;
		return (int)l->bad.code;
	}
	return 0;
}

static int source_init(void *state, const struct backend_env *env, struct mt_error *reterr)
{
	struct source *l = state;
	int rc;

	l->env = env;
	rc = store_cursors(env->store, env->source, save_mark, l, reterr);
	if (rc == MT_ECORRUPT)
		return corrupt(l, reterr);
	if (rc < 0 || env->def->folders)
		return rc;
	return add_stream(l, NULL, GIVEN, reterr);
}

struct offset_sink {
	struct source *l;
	int64_t base;
	bool no_failures; /* connections that failed are told of by the connectivity log */
};

static int emit(void *ctx, const struct event *e)
{
	struct offset_sink *o = ctx;
	struct source *l = o->l;
	struct event moved = *e;

	moved.line_offset += (uint64_t)o->base;
	if (o->no_failures && e->kind == EVENT_HOST_FAILURE)
		moved.kind = EVENT_NONE;
	if (e->t_utc_ms > l->newest_ms && e->t_utc_ms <= l->latest_ms && e->kind != EVENT_FOREIGN)
		l->newest_ms = e->t_utc_ms;
	return store_event(l->env->store, l->env->provider, &moved, &l->error);
}

static int put_cursor(void *ctx, struct str key, struct str value)
{
	struct source *l = ctx;
	char whole[KEY_MAX_BYTES];
	int n = snprintf(whole, sizeof(whole), "%s:%.*s", l->current->prefix, STR_ARG(key));

	if (tail_says_done(value)) /* the file may be deleted now: no power loss may undo this */
		store_durable(l->env->store);
	return store_cursor_set(
		l->env->store, l->env->source, str_make(whole, (size_t)n), value, &l->error);
}

static int count_skipped(struct source *l, int64_t n)
{
	struct offset_sink sink = {.l = l};
	struct event e;
	int rc = 0;

	for (; n > 0 && rc == 0; n--) {
		event_init(&e);
		e.kind = EVENT_OVERSIZE;
		e.t_utc_ms = l->newest_ms;
		e.line_offset = UINT64_MAX - l->oversize++; /* each is a line of its own */
		e.text = STR_LIT("a line over 1 MB was skipped");
		rc = emit(&sink, &e);
	}
	return rc;
}

static int store_marks(struct source *l, struct exchange_stream *s)
{
	int rc = count_skipped(l, tail_skipped(s->tail));

	l->current = s;
	if (rc == 0)
		rc = tail_each_changed(s->tail, put_cursor, l);
	if (rc == 0)
		tail_stored(s->tail);
	return rc;
}

/* leads - is it the log that the others follow? Of several servers these are read in strict order, for a message passes them. */
static bool leads(const struct exchange_stream *s)
{
	return !s->folder || strcmp(s->prefix, "MSGTRK") == 0;
}

/* turn_ms - when a stream's next record is to be read, as the tracking log's time counts. */
static int64_t turn_ms(const struct exchange_stream *s)
{
	return s->first_ms == INT64_MIN || leads(s) ? s->first_ms : s->first_ms + BEHIND_MS;
}

/* next_stream - the one whose turn it is; *ret_limit_ms: records of it up to then. NULL: none has anything. */
static struct exchange_stream *next_stream(const struct source *l, int64_t *ret_limit_ms)
{
	struct exchange_stream *best = NULL;

	*ret_limit_ms = INT64_MAX;
	for (size_t i = 0; i < l->n; i++)
		if (l->all[i]->has && (!best || turn_ms(l->all[i]) < turn_ms(best)))
			best = l->all[i];
	for (size_t i = 0; i < l->n && best; i++) {
		const struct exchange_stream *s = l->all[i];
		int64_t limit_ms;

		if (!s->has || s == best || s->first_ms == INT64_MIN)
			continue;
		limit_ms = turn_ms(s) + (leads(s) && leads(best) ? 0 : SLACK_MS) -
			   (leads(best) ? 0 : BEHIND_MS);
		*ret_limit_ms = limit_ms < *ret_limit_ms ? limit_ms : *ret_limit_ms;
	}
	return best;
}

static int parse_piece(struct source *l, struct exchange_stream *s, int64_t limit_ms)
{
	struct offset_sink offsets = {
		l, s->offset, l->has_connectivity && str_eq(str_of(s->prefix), STR_LIT("SEND"))};
	const struct event_sink sink = {emit, &offsets};
	int rc;

	l->latest_ms = clock_utc_ms(l->env->clock) + LATEST_MS;
	store_log_position(l->env->store, l->env->provider, str_of(s->key));
	rc = exchange_stream_parse(s, l->env->family, limit_ms, &sink);
	return rc == 0 ? store_marks(l, s) : rc;
}

static void describe(struct source *l)
{
	const char *last = NULL;

	for (size_t i = 0; i < l->n; i++)
		if (tail_path(l->all[i]->tail) &&
			(!last || strcmp(l->all[i]->prefix, "MSGTRK") == 0))
			last = tail_path(l->all[i]->tail);
	if (!l->env->def->folders)
		snprintf(l->detail, sizeof(l->detail), "%.400s",
			last ? last : l->env->def->logs[l->env->def->nlogs - 1]);
	else if (l->n == 0)
		snprintf(l->detail, sizeof(l->detail), "no log of Exchange in %.300s%s",
			l->env->def->logs[0], l->env->def->nlogs > 1 ? " and the others" : "");
	else
		snprintf(l->detail, sizeof(l->detail), "%.300s%s%zu kind%s of log",
			last ? last : "", last ? ", " : "", l->n, l->n == 1 ? "" : "s");
	if (l->nbad) {
		size_t n = strlen(l->detail);

		snprintf(l->detail + n, sizeof(l->detail) - n, " (%.150s)", l->bad.text);
	}
}

static int store_failure(struct source *l, int rc, struct mt_error *reterr)
{
	*l->env->store_failed = true;
	if (reterr)
		*reterr = l->error;
	return rc;
}

/* at_rest - nothing more for now. Marks move also without a record: a file may end. */
static int at_rest(struct source *l, struct mt_error *reterr)
{
	for (size_t i = 0; i < l->n; i++) {
		int rc = store_marks(l, l->all[i]);

		if (rc < 0)
			return store_failure(l, rc, reterr);
	}
	l->caught_up = true;
	describe(l);
	return STEP_DONE;
}

/*
 * fill_all - bytes for every stream. 1: some are still warming up. A stream that fails is told of and left for a later look;
 * it is a failure of the source only when all do.
 */
static int fill_all(struct source *l, int64_t now_mono_ms, struct mt_error *reterr)
{
	size_t nfailed = 0;
	int warming = 0;

	for (size_t i = 0; i < l->n; i++) {
		struct mt_error why = {0};
		int rc = exchange_stream_fill(l->all[i], l->env->family, now_mono_ms, &why);

		if (rc < 0) {
			nfailed++;
			l->bad = why;
		}
		warming |= rc == TAIL_CHUNK && !l->all[i]->has;
	}
	l->nbad += nfailed;
	if (nfailed == 0 || nfailed < l->n)
		return warming;
	if (reterr)
		*reterr = l->bad;
	return (int)l->bad.code;
}

static int source_step(void *state, struct mt_error *reterr)
{
	struct source *l = state;
	int64_t now_mono_ms = clock_mono_ms(l->env->clock), limit_ms;
	struct exchange_stream *s;
	int failed = list_folders(l, now_mono_ms, reterr), rc;

	if (failed < 0)
		return failed;
	failed = fill_all(l, now_mono_ms, reterr);
	if (failed > 0)
		return STEP_AGAIN;
	s = next_stream(l, &limit_ms);
	if (!s)
		return failed < 0 ? failed : at_rest(l, reterr);
	rc = parse_piece(l, s, limit_ms);
	return rc < 0 ? store_failure(l, rc, reterr) : STEP_AGAIN;
}

static void source_health(const void *state, struct source_health *out)
{
	const struct source *l = state;

	out->detail = l->detail[0] ? l->detail : NULL;
	out->newest_ms = l->newest_ms;
	out->done_bytes = out->total_bytes = 0;
	for (size_t i = 0; i < l->n; i++) {
		int64_t done, total;

		tail_progress(l->all[i]->tail, &done, &total);
		out->done_bytes += done;
		out->total_bytes += total;
	}
	if (!l->caught_up)
		out->health = HEALTH_CATCHING_UP;
	else
		out->done_bytes = out->total_bytes;
}

static void source_done(void *state)
{
	struct source *l = state;

	for (size_t i = 0; i < l->n; i++)
		exchange_stream_free(l->all[i]);
	free(l->all);
	for (size_t i = 0; i < l->nsaved; i++) {
		free(l->saved[i].key);
		free(l->saved[i].value);
	}
	free(l->saved);
}

const struct source_ops exchange_source = {
	.name = "log",
	.interval_ms = INTERVAL_MS,
	.state_bytes = sizeof(struct source),
	.init = source_init,
	.step = source_step,
	.health = source_health,
	.done = source_done,
};
