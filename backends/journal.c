/* SPDX-License-Identifier: MIT */
/*
 * journal - see journal.h. A step takes some hundred entries; the cursor of the last one goes into the batch that
 * their events went into.
 */
#include "backends/journal.h"

#include "backends/ahead.h"
#include "backends/instances.h"
#include "backends/journal_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INTERVAL_MS 1000 /* where its fd is not reliable (network file systems) */
#define INTERVAL_QUIET_MS 5000 /* where it is: a look all the same */
#define STEP_ENTRIES 500 /* some 20 ms */
#define LINE_MAX_BYTES (2u << 20)
#define DETAIL_MAX_BYTES 256
#define LATEST_MS 86400000 /* stamps past now and this are no news */
#define US_PER_MS 1000
#define CURSOR_KEY "journal"

struct journal_state {
	const struct backend_env *env;
	sd_journal *j; /* owned; NULL = not open */
	char *cursor; /* owned; of the last entry taken, NULL = none ever */
	struct parser parser;
	struct buf line;
	uint64_t offset; /* of the last line: they only need to differ; grows with its time */
	int64_t newest_ms, latest_ms;
	bool at_entry; /* stands at one not taken yet */
	bool caught_up;
	int skipped; /* entries that could not be read */
	struct mt_error error; /* of the store, carried out of emit */
	char detail[DETAIL_MAX_BYTES];
};

bool journal_built_in(void)
{
	return true;
}

static int restore_cursor(void *ctx, struct str key, struct str value, int64_t updated_ms)
{
	struct journal_state *s = ctx;

	(void)updated_ms;
	if (str_eq(key, STR_LIT(CURSOR_KEY))) {
		free(s->cursor);
		s->cursor = strndup(value.p, value.n);
	}
	return 0;
}

static int journal_init(void *state, const struct backend_env *env, struct mt_error *reterr)
{
	struct journal_state *s = state;
	struct parse_options options = {.now_utc_ms = clock_utc_ms(env->clock)};

	s->env = env;
	buf_init(&s->line, LINE_MAX_BYTES);
	parser_ready(&s->parser, env->family, true, &options);
	return store_cursors(env->store, env->source, restore_cursor, s, reterr);
}

/* place - at the entry last taken or, where that was vacuumed, at the first one behind it; at the first start before
 * the window. */
static int place(struct journal_state *s)
{
	int64_t from_ms = clock_utc_ms(s->env->clock) - s->env->read_back_ms;
	int rc;

	if (!s->cursor)
		return s->env->read_back_ms < 0 || from_ms < 0
			       ? sd_journal_seek_head(s->j)
			       : sd_journal_seek_realtime_usec(s->j, (uint64_t)from_ms * US_PER_MS);
	rc = sd_journal_seek_cursor(s->j, s->cursor);
	if (rc >= 0)
		rc = sd_journal_next(s->j);
	s->at_entry = rc > 0 && sd_journal_test_cursor(s->j, s->cursor) <= 0;
	return rc;
}

static int open_journal(struct journal_state *s, struct mt_error *reterr)
{
	bool entries;
	int rc = journal_check(s->env->def, &entries, reterr);

	if (rc == 0)
		rc = journal_open(s->env->def, &s->j, reterr);
	if (rc < 0)
		return rc;
	rc = place(s);
	return rc < 0 ? journal_failed(rc, "can't find the place where reading stopped", reterr)
		      : 0;
}

static int emit(void *ctx, const struct event *e)
{
	struct journal_state *s = ctx;
	struct event moved = *e;

	if (!instance_owns(s->env->def, e))
		return 0;
	moved.line_offset = s->offset;
	if (e->t_utc_ms > s->newest_ms && e->t_utc_ms <= s->latest_ms && e->kind != EVENT_FOREIGN)
		s->newest_ms = e->t_utc_ms;
	return store_event(s->env->store, s->env->provider, &moved, &s->error);
}

/* take_entry - the current entry into the batch. 0, or negative when the store failed. */
static int take_entry(struct journal_state *s)
{
	struct event_sink sink = {emit, s};
	uint64_t us = 0;
	size_t consumed;
	int rc = journal_line(s->j, &s->line, &us);

	if (rc <= 0) {
		s->skipped += rc < 0;
		return 0;
	}
	s->offset = us > s->offset ? us : s->offset + 1;
	buf_add_char(&s->line, '\n');
	return s->env->family->parse(s->parser.state, buf_str(&s->line), true, &sink, &consumed);
}

static int keep_cursor(struct journal_state *s)
{
	char *cursor = NULL;
	int rc = sd_journal_get_cursor(s->j, &cursor);

	if (rc < 0)
		return journal_failed(rc, "can't tell the place", &s->error);
	free(s->cursor);
	s->cursor = cursor;
	return store_cursor_set(
		s->env->store, s->env->source, STR_LIT(CURSOR_KEY), str_of(cursor), &s->error);
}

static void describe(struct journal_state *s)
{
	snprintf(s->detail, sizeof(s->detail), "systemd journal%s%.150s%s",
		s->env->def->journal_folder ? " in " : "",
		s->env->def->journal_folder ? s->env->def->journal_folder : "",
		s->skipped ? " (some entries could not be read)" : "");
}

static int next_entry(struct journal_state *s)
{
	if (!s->at_entry)
		return sd_journal_next(s->j);
	s->at_entry = false;
	return 1;
}

/* take_some - entries until there are no more or enough. Their number, or negative: the store failed. */
static int take_some(struct journal_state *s, int *ret_rc)
{
	int taken = 0, rc = 0;

	*ret_rc = 1;
	while (taken < STEP_ENTRIES && (*ret_rc = next_entry(s)) > 0) {
		rc = take_entry(s);
		if (rc < 0)
			return rc;
		taken++;
	}
	rc = taken ? keep_cursor(s) : 0;
	return rc < 0 ? rc : taken;
}

static int journal_step(void *state, struct mt_error *reterr)
{
	struct journal_state *s = state;
	int rc, more;

	if (!s->j) {
		rc = open_journal(s, reterr);
		if (rc < 0)
			return rc;
	}
	rc = sd_journal_process(s->j);
	if (rc < 0)
		return journal_failed(rc, "can't follow it", reterr);
	s->latest_ms = clock_utc_ms(s->env->clock) + LATEST_MS;
	rc = take_some(s, &more);
	if (rc < 0) {
		*s->env->store_failed = true;
		if (reterr)
			*reterr = s->error;
		return rc;
	}
	if (more < 0)
		return journal_failed(more, "can't read on", reterr);
	describe(s);
	if (more > 0)
		return STEP_AGAIN;
	s->caught_up = true;
	return STEP_DONE;
}

static size_t journal_fds(const void *state, struct pollfd *out, size_t max)
{
	const struct journal_state *s = state;
	int fd = s->j && max ? sd_journal_get_fd(s->j) : -1;

	if (fd < 0)
		return 0;
	out[0] = (struct pollfd){.fd = fd, .events = (short)sd_journal_get_events(s->j)};
	return 1;
}

static int64_t journal_interval(const void *state)
{
	const struct journal_state *s = state;

	return s->j && sd_journal_reliable_fd(s->j) > 0 ? INTERVAL_QUIET_MS : INTERVAL_MS;
}

static void journal_health(const void *state, struct source_health *out)
{
	const struct journal_state *s = state;

	out->detail = s->detail[0] ? s->detail : NULL;
	out->newest_ms = s->newest_ms;
	if (!s->caught_up)
		out->health = HEALTH_CATCHING_UP;
}

static void journal_done(void *state)
{
	struct journal_state *s = state;

	if (s->j)
		sd_journal_close(s->j);
	free(s->cursor);
	parser_done(&s->parser);
	buf_done(&s->line);
}

const struct source_ops journalsource = {
	.name = "log",
	.interval_ms = INTERVAL_MS,
	.state_bytes = sizeof(struct journal_state),
	.init = journal_init,
	.step = journal_step,
	.fds = journal_fds,
	.interval = journal_interval,
	.health = journal_health,
	.done = journal_done,
};
