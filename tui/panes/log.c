/* SPDX-License-Identifier: MIT */
/*
 * log - the raw log, newest line first: live it follows what is written, at an instant it shows the lines before it.
 *
 * Lines come from a job of the backend, a few hundred at first and then what is new; the pane keeps the newest
 * LINES_KEPT of them. Which part of the file they are from is the job's business.
 */
#include "store/base/mem.h"
#include "tui/panes/rawlog.h"

#include <stdlib.h>

#define LINES_KEPT 5000
#define LINES_FIRST 1000
#define TEXT_MAX_BYTES (16u << 20)
#define QID_MIN                                                                                    \
	5 /* Postfix's short ids have 5 digits at least, long ones about 15 letters and digits */
#define QID_MAX 20

enum col { COL_TIME, COL_DAEMON, COL_TEXT, COL__COUNT };

static const struct column columns[COL__COUNT] = {
	{"time", 15, ALIGN_LEFT, 2, true, "the stamp as logged, without date and zone"},
	{"daemon", 24, ALIGN_LEFT, 1, false, "who wrote it: the tag, without its process id"},
	{"line", 0, ALIGN_LEFT, 1, false, "the rest of the line, as logged; Right scrolls it"},
};

struct kept {
	char *text; /* owned */
	size_t n;
	int64_t offset;
};

struct log {
	struct rawlog job;
	struct kept *lines; /* owned; oldest first */
	size_t n;
	bool live, loaded, failed;
	int provider; /* of the lines; the first one when all are looked at */
	int64_t until_ms; /* the instant they end at; 0 live */
	int64_t object_ms; /* opened at this time */
	struct mt_error error;
};

static int open_log(void *state, const struct view *v, int64_t object)
{
	struct log *s = state;

	(void)v;
	s->lines = xcalloc(LINES_KEPT, sizeof(s->lines[0]));
	s->object_ms = object;
	return 0;
}

static void forget(struct log *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->lines[i].text);
	s->n = 0;
	s->loaded = false;
}

static void keep(struct log *s, const struct job_line *line)
{
	if (s->n == LINES_KEPT) {
		free(s->lines[0].text);
		memmove(s->lines, s->lines + 1, (LINES_KEPT - 1) * sizeof(s->lines[0]));
		s->n--;
	}
	s->lines[s->n++] = (struct kept){.text = xmemdup(line->text.p, line->text.n),
		.n = line->text.n,
		.offset = line->offset};
}

/* What the job has found, if it is done: the newest LINES_KEPT. */
static void take(struct log *s)
{
	const struct job_line *lines;
	const char *why;
	size_t n;

	if (!s->job.job || rawlog_running(&s->job))
		return;
	s->failed = s->job.services->state(s->job.job, &s->error) == JOB_FAILED;
	lines = rawlog_result(&s->job, &n, &why);
	/* Rotated meanwhile: the job began anew, with offsets that go back. */
	if (n > 0 && s->n > 0 && lines[0].offset <= s->lines[s->n - 1].offset)
		forget(s);
	for (size_t i = n > LINES_KEPT ? n - LINES_KEPT : 0; i < n; i++)
		keep(s, &lines[i]);
	rawlog_done(&s->job);
	s->loaded = true;
}

static void ask(struct log *s, const struct view *v)
{
	struct job_request request = {.kind = JOB_LOG_TAIL,
		.provider = s->provider,
		.t0_ms = s->until_ms ? v->query.t0_ms : 0,
		.t1_ms = s->until_ms,
		.max_lines = str_present(v->query.service) ? LINES_KEPT : LINES_FIRST};

	if (s->loaded && s->until_ms)
		return; /* the past does not change */
	if (s->n > 0) {
		request.last_offset = s->lines[s->n - 1].offset;
		request.after_offset = request.last_offset + (int64_t)s->lines[s->n - 1].n + 1;
	}
	rawlog_ask(&s->job, v, &request);
	if (s->job.asked && !s->job.job) {
		s->failed = true;
		s->error = s->job.error;
	}
}

/* Another provider or another time: other lines. */
static void aim(struct log *s, const struct view *v)
{
	int provider = v->query.provider;
	int64_t until_ms = s->object_ms ? s->object_ms : v->live ? 0 : v->now_ms;

	if (provider == 0 && v->nproviders > 0)
		provider = v->providers[0].id;
	if (provider == s->provider && until_ms == s->until_ms)
		return;
	rawlog_done(&s->job);
	forget(s);
	s->provider = provider;
	s->until_ms = until_ms;
}

/* Stamp, tag and text of a line: "Nov 23 12:00:00 host tag[pid]: text" or "2026-11-23T12:00:00.1+00:00 host ...". */
static void split(struct str line, struct str *time, struct str *tag, struct str *text)
{
	struct str rest = line;
	size_t at;

	*time = *tag = STR_LIT("");
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	*text = rest = line;
	at = str_find_char(rest, 'T');
	if (at == 10 && rest.n > 19 && rest.p[4] == '-') {
		*time = str_skip(str_first(rest, str_find_char(rest, ' ')), at + 1);
		for (size_t i = 8; i < time->n; i++)
			if (time->p[i] == '+' || time->p[i] == '-' || time->p[i] == 'Z')
				*time = str_first(*time, i);
		if (str_starts(str_skip(rest, at + 1 + time->n), STR_LIT("Z,"))) {
			*text = str_skip(rest, at + 1 + time->n + 2); /* a CSV's record */
			return;
		}
		rest = str_skip(rest, str_find_char(rest, ' ') + 1);
	} else if (rest.n > 16 && rest.p[3] == ' ' && rest.p[9] == ':' && rest.p[12] == ':') {
		*time = str_make(rest.p + 7, 8);
		rest = str_skip(rest, 16);
	} else {
		return;
	}
	rest = str_skip(rest, str_find_char(rest, ' ') + 1); /* the host */
	at = str_find(rest, STR_LIT(": "));
	if (at == rest.n)
		return;
	*tag = str_first(rest, str_find_char(str_first(rest, at), '['));
	*text = str_skip(rest, at + 2);
}

/* Is the tag one of the services the view is narrowed to (", "-joined)? */
static bool of_service(struct str services, struct str line)
{
	struct str time, tag, text;

	if (!str_present(services))
		return true;
	split(line, &time, &tag, &text);
	while (services.n > 0) {
		struct str one = str_first(services, str_find(services, STR_LIT(", ")));

		if (str_eq(one, tag))
			return true;
		services = str_skip(services, one.n + 2);
	}
	return false;
}

static bool passes(const struct view *v, struct str line)
{
	struct str needle = v->query.text;

	if (!of_service(v->query.service, line))
		return false;

	for (size_t i = 0; needle.n > 0 && i + needle.n <= line.n; i++)
		if (str_ieq(str_make(line.p + i, needle.n), needle))
			return !v->query.text_invert;
	return needle.n == 0 || v->query.text_invert;
}

static void add_row(struct table *t, const struct kept *k)
{
	struct str line = str_make(k->text, k->n), time, tag, text;
	struct cell *c = cells_row(t, COL__COUNT, (uint64_t)k->offset + 1, rawlog_style(line), k);

	if (!c)
		return;
	split(line, &time, &tag, &text);
	c[COL_TIME] = cell_text(t, time);
	c[COL_TIME].text_sort = false;
	c[COL_TIME].sort = k->offset; /* the order of the file */
	c[COL_DAEMON] = cell_text(t, tag);
	c[COL_TEXT] = cell_text(t, text);
}

static void say_empty(const struct log *s, const struct view *v, struct table *t)
{
	if (!v->services)
		t->empty = STR_LIT("the log can't be read from here");
	else if (s->failed)
		t->empty = arena_str(&t->arena, str_of(s->error.text));
	else if (!s->loaded)
		t->empty = STR_LIT("reading the log ...");
	else
		cells_empty(t, v, "no line of the log here");
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct log *s = state;
	int rc;

	(void)r;
	(void)reterr;
	aim(s, v);
	take(s);
	ask(s, v);
	rc = cells_begin(t, s->n);
	for (size_t i = s->n; i > 0 && rc == 0; i--)
		if (passes(v, str_make(s->lines[i - 1].text, s->lines[i - 1].n)))
			add_row(t, &s->lines[i - 1]);
	say_empty(s, v, t);
	return rc;
}

static int draw(const void *state, const struct view *v, const struct table *t, struct canvas *c,
	struct rect area)
{
	const struct log *s = state;
	struct str name = view_provider_name(v, s->provider);
	struct buf b;

	(void)t;
	buf_init(&b, 512);
	buf_add_z(&b, s->until_ms ? "lines up to " : "following the log of ");
	if (s->until_ms) {
		timefmt_date_clock(&b, s->until_ms);
		buf_add_z(&b, " of the log of ");
	}
	buf_add_str(&b, str_present(name) ? name : STR_LIT("?"));
	if (str_present(v->query.service)) {
		buf_add_z(&b, ", lines of ");
		buf_add_str(&b, v->query.service);
	}
	if (v->query.provider == 0 && v->nproviders > 1)
		buf_add_z(&b, " (] shows the others: logs are not merged)");
	canvas_text(c, area.x + 1, area.y, area.w - 1, STYLE_DIM, buf_str(&b));
	buf_done(&b);
	return 1;
}

/* The queue id a line is about: its text begins with it. */
static struct str queue_id(struct str text)
{
	struct str id = str_first(text, str_find(text, STR_LIT(": ")));

	if (id.n < QID_MIN || id.n > QID_MAX || id.n == text.n)
		return (struct str){NULL, 0};
	for (size_t i = 0; i < id.n; i++)
		if (!((id.p[i] >= '0' && id.p[i] <= '9') || (id.p[i] >= 'A' && id.p[i] <= 'Z') ||
			    (id.p[i] >= 'a' && id.p[i] <= 'z')))
			return (struct str){NULL, 0};
	return str_eq(id, STR_LIT("NOQUEUE")) ? (struct str){NULL, 0} : id;
}

static bool digit_in(struct str id)
{
	for (size_t i = 0; i < id.n; i++)
		if (id.p[i] >= '0' && id.p[i] <= '9')
			return true;
	return false;
}

static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	const struct log *s = state;
	const struct kept *k = selected->ref;
	struct str time, tag, text, id;

	(void)v;
	split(str_make(k->text, k->n), &time, &tag, &text);
	id = queue_id(text);
	ret->query.provider = s->provider;
	if (id.n > 0 && digit_in(id)) {
		ret->pane = "message";
		ret->query.qid = id;
		target_label(ret, "%.*s", STR_ARG(id));
	} else {
		ret->pane = "samples";
		target_label(ret, "samples");
	}
	return true;
}

static bool tick(void *state, const struct view *v)
{
	struct log *s = state;

	(void)v;
	return rawlog_tick(&s->job);
}

static void close_log(void *state)
{
	struct log *s = state;

	rawlog_done(&s->job);
	forget(s);
	free(s->lines);
}

const struct pane_ops pane_log = {
	.name = "log",
	.title = "Log",
	.help = "The raw lines of the provider's log, newest first (I turns it round): red "
		"bounced, rejected, error or "
		"worse; yellow deferred or a warning; green sent. Live it follows the log; at an "
		"instant (, or "
		":03:12) it shows the lines before it. The filter (\\) works on whole lines. Of a "
		"long log the newest 5,000 "
		"lines read are kept. Enter on a line with a queue id opens its message.",
	.number = 8,
	.columns = columns,
	.ncolumns = COL__COUNT,
	.default_sort = COL_TIME,
	.state_bytes = sizeof(struct log),
	.open = open_log,
	.refresh = refresh,
	.draw = draw,
	.enter = enter,
	.tick = tick,
	.close = close_log,
};
