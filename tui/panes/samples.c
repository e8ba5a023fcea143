/* SPDX-License-Identifier: MIT */
/*
 * samples - lines that are no mail flow: not understood, too long, warnings, failures of hosts, the server itself.
 * All are counted; of each kind the newest are kept to be looked at. Enter shows the log around one.
 */
#include "tui/panes/cells.h"

enum col { COL_TIME, COL_KIND, COL_SEVERITY, COL_SERVICE, COL_TEXT, COL__COUNT };

static const struct column columns[COL__COUNT] = {
	{"time", 11, ALIGN_LEFT, 1, true, "time of the line"},
	{"kind", 13, ALIGN_LEFT, 1, false,
		"unparsed: no rule understood it; oversize: over the length cap; warning: a "
		"warning:, "
		"error:, fatal: or panic: line; host failure: no recipient was tried; server: it "
		"was "
		"started, stopped, reloaded, or a process died"},
	{"severity", 8, ALIGN_LEFT, 3, false, "of a warning: the word of its line"},
	{"service", 26, ALIGN_LEFT, 2, false, "the service that wrote it"},
	{"line", 0, ALIGN_LEFT, 1, false, "its text, as logged"},
};

static const struct kind {
	enum event_kind kind;
	enum metric metric; /* METRIC__COUNT: not counted apart */
	const char *word;
} kinds[] = {
	{EVENT_UNPARSED, METRIC_UNPARSED, "unparsed"},
	{EVENT_OVERSIZE, METRIC_OVERSIZE, "oversize"},
	{EVENT_WARNING, METRIC_WARNINGS, "warning"},
	{EVENT_HOST_FAILURE, METRIC_HOST_FAILURES, "host failure"},
	{EVENT_SERVER, METRIC__COUNT, "server"},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct samples {
	enum event_kind only; /* EVENT_NONE: all of them */
	struct totals totals;
};

static int open_samples(void *state, const struct view *v, int64_t object)
{
	struct samples *s = state;

	(void)v;
	s->only = (enum event_kind)object;
	return 0;
}

static const char *severity_word(enum event_severity severity)
{
	static const char *const words[] = {"info", "warning", "error", "fatal", "panic"};

	return words[severity];
}

static enum style severity_style(const struct sample_row *row)
{
	if (row->severity >= SEVERITY_ERROR)
		return STYLE_BAD;
	return row->kind == EVENT_WARNING || row->kind == EVENT_UNPARSED ? STYLE_WARN
									 : STYLE_NORMAL;
}

static void fill(
	struct table *t, const struct view *v, const struct sample_row *row, const char *kind)
{
	struct cell *c = cells_row(t, COL__COUNT, (uint64_t)row->id, severity_style(row), row);

	if (!c)
		return;
	c[COL_TIME] = cell_when(t, row->t_ms, v->now_ms);
	c[COL_KIND] = cell_words(kind);
	c[COL_SEVERITY] =
		cell_words(row->kind == EVENT_WARNING ? severity_word(row->severity) : "-");
	c[COL_SERVICE] = cell_text(t, row->service);
	c[COL_TEXT] = cell_text(t, row->text);
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct samples *s = state;
	struct sample_row *rows[KINDS] = {NULL};
	size_t n[KINDS] = {0}, all = 0;
	struct query totals_query = {
		.t0_ms = v->query.t0_ms, .t1_ms = v->query.t1_ms, .provider = v->query.provider};
	int rc = read_totals(r, &totals_query, &s->totals, reterr);

	for (size_t i = 0; i < KINDS && rc == 0; i++) {
		if (s->only != EVENT_NONE && s->only != kinds[i].kind)
			continue;
		rc = read_samples(r, &v->query, kinds[i].kind, &t->arena, &rows[i], &n[i], reterr);
		all += n[i];
	}
	if (rc == 0)
		rc = cells_begin(t, all);
	for (size_t i = 0; i < KINDS && rc == 0; i++)
		for (size_t k = 0; k < n[i]; k++)
			fill(t, v, &rows[i][k], kinds[i].word);
	cells_empty(t, v, "no such line in this window");
	return rc;
}

static int draw(const void *state, const struct view *v, const struct table *t, struct canvas *c,
	struct rect area)
{
	const struct samples *s = state;
	struct buf b;

	(void)v;
	(void)t;
	buf_init(&b, 256);
	buf_add_z(&b, "of ");
	fmt_count(&b, s->totals.n[METRIC_LINES]);
	buf_add_z(&b, " lines:");
	for (size_t i = 0; i < KINDS; i++) {
		if (kinds[i].metric == METRIC__COUNT)
			continue;
		buf_printf(&b, "%s %s ", i ? "," : "", kinds[i].word);
		fmt_count(&b, s->totals.n[kinds[i].metric]);
	}
	buf_add_z(&b, "; shown are the newest 500 of a kind");
	canvas_text(c, area.x + 1, area.y, area.w - 1, STYLE_DIM, buf_str(&b));
	buf_done(&b);
	return 1;
}

static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	const struct sample_row *row = selected->ref;

	(void)state;
	(void)v;
	ret->pane = "log";
	ret->query.provider = row->provider;
	ret->object = row->t_ms;
	target_label(ret, "log");
	return true;
}

const struct pane_ops pane_samples = {
	.name = "samples",
	.title = "Samples",
	.help = "Lines of the mail server beside the mail flow. Each is counted (the line above "
		"the list); of each kind "
		"and provider the newest 500 are kept to be read. An unparsed line is one this "
		"version does not "
		"understand: it is in no other figure. Enter shows the log around the line.",
	.columns = columns,
	.ncolumns = COL__COUNT,
	.default_sort = COL_TIME,
	.state_bytes = sizeof(struct samples),
	.open = open_samples,
	.refresh = refresh,
	.draw = draw,
	.enter = enter,
};
