/* SPDX-License-Identifier: MIT */
/*
 * plan - one warm-up plan: history as a graph, the verdict and what made it, gates, mailbox providers, days. Enter on a
 * gate lists the failures behind it, on a day its failures.
 */
#include "store/warmup_board.h"
#include "tui/panes/lines.h"
#include "tui/warmup_text.h"

#define GRAPH_DAYS 60
#define GRAPH_ROWS 6
#define GRAPH_ROWS_LOW 3 /* on low screens */
#define LOW_SCREEN 20
#define TEXT_MAX_BYTES 2048
#define DAYS_SHOWN 60
#define MS_PER_DAY 86400000

struct plan {
	size_t at; /* index among the plans + 1 */
	int64_t volume[GRAPH_DAYS], cap[GRAPH_DAYS];
	size_t n;
};

static int open_plan(void *state, const struct view *v, int64_t object)
{
	struct plan *s = state;

	(void)v;
	s->at = (size_t)object;
	return 0;
}

static enum style colour_style(enum gate_colour colour)
{
	return colour == GATE_RED      ? STYLE_BAD
	       : colour == GATE_YELLOW ? STYLE_WARN
	       : colour == GATE_GREEN  ? STYLE_NORMAL
				       : STYLE_DIM;
}

static void count(struct buf *out, int64_t n)
{
	struct buf b;

	buf_init(&b, 64);
	fmt_count(&b, n);
	(void)buf_add_str(out, buf_str(&b));
	buf_done(&b);
}

static void say(struct lines *l, enum style style, const char *what, struct buf *b)
{
	lines_wrap(l, style, what, buf_str(b));
	buf_clear(b);
}

static void verdict(struct lines *l, struct buf *b, const struct warmup_row *row)
{
	const struct warmup_status *s = &row->status;

	(void)buf_printf(b, "%s  ", warmup_state_word(s->state));
	warmup_day_line(b, row);
	say(l, STYLE_BOLD, "verdict", b);
	warmup_reason(b, row);
	if (b->n)
		say(l, STYLE_NORMAL, "why", b);
	if (s->begun) {
		count(b, s->volume);
		(void)buf_add_z(b, " of ");
		count(b, s->cap);
		(void)buf_add_z(b, ", due by now ");
		count(b, s->pace);
		(void)buf_add_z(b, "; delivered ");
		count(b, s->delivered);
		say(l, STYLE_NORMAL, "today", b);
	}
	for (size_t i = 0; i < s->nnext; i++) {
		count(b, s->next[i]);
		(void)buf_add_z(b, i + 1 < s->nnext ? "  " : row->plan->hourly ? "  an hour" : "");
	}
	if (b->n)
		say(l, STYLE_NORMAL, "next caps", b);
	if (s->eta_ms >= 0) {
		warmup_date(b, s->eta_ms);
		(void)buf_add_z(b, " at the earliest");
	} else {
		(void)buf_add_z(b, s->state == WARMUP_DONE ? "-" : "?");
	}
	say(l, STYLE_NORMAL, "done", b);
	if (s->unknown_days) {
		(void)buf_printf(
			b, "%d days before the cache's first record", (int)s->unknown_days);
		say(l, STYLE_WARN, "not known", b);
	}
}

static void about(struct lines *l, struct buf *b, const struct warmup_plan *p)
{
	(void)buf_printf(b, "%s, clock by %s days, since %04d-%02d-%02d", p->schedule,
		p->calendar ? "calendar" : "sending", p->year, p->month, p->day);
	if (p->target) {
		(void)buf_add_z(b, ", target ");
		count(b, p->target);
		(void)buf_add_z(b, " a day");
	}
	say(l, STYLE_NORMAL, "plan", b);
	lines_wrap(l, STYLE_DIM, "source", str_of(p->source));
	for (size_t i = 0; i < p->negress; i++)
		(void)buf_printf(b, "%s%s", i ? ", " : "", p->egress[i]);
	if (p->has_only)
		(void)buf_printf(b, "; to %s alone", mailbox_name(p->only));
	say(l, STYLE_NORMAL, "egress", b);
}

static const struct warmup_day *last_sending_day(const struct warmup_row *row)
{
	for (size_t i = row->ndays; i-- > 1;) {
		const struct warmup_counts *c = &row->days[i - 1].all;

		if (c->sent + c->bounced + c->deferred > 0)
			return &row->days[i - 1];
	}
	return &row->days[row->ndays - 1];
}

/* The failures a gate is made of, in the day it is of. */
static struct pane_target behind(
	struct lines *l, const struct gate_result *g, const struct warmup_row *row)
{
	struct pane_target to = lines_target(l, "failures", g->name);
	const struct warmup_day *day =
		g->before ? last_sending_day(row) : &row->days[row->ndays - 1];

	to.query.provider = 0;
	to.query.t0_ms = day->start_ms;
	to.query.t1_ms = g->before ? day->end_ms : l->v->now_ms;
	to.query.plan = row->plan;
	to.query.gate_box = g->box + 1;
	to.query.gate_signal = g->kind == GATE_KIND_SIGNAL ? (int)g->signal + 1 : 0;
	if (g->kind == GATE_KIND_BOUNCE || g->kind == GATE_KIND_SES_BOUNCE)
		to.query.status = STATUS_BOUNCED;
	else if (g->kind == GATE_KIND_DEFERRAL)
		to.query.status = STATUS_DEFERRED;
	return to;
}

static void gates(struct lines *l, struct buf *b, const struct warmup_row *row)
{
	for (size_t i = 0; i < row->status.ngates; i++) {
		const struct gate_result *g = &row->status.gate[i];
		struct pane_target to = behind(l, g, row);
		size_t first = l->t->nrows;

		lines_section(l, 100 + (uint64_t)g->kind * 10000 + (uint64_t)(g->box + 1) * 100 +
					 (uint64_t)g->signal * 2 + g->before);
		(void)buf_printf(b, "%s  ", gate_colour_word(g->colour));
		warmup_gate_line(b, g);
		if (g->published)
			(void)buf_printf(b, " %s", g->source);
		say(l, colour_style(g->colour), "gate", b);
		if (g->k > 0 && g->kind != GATE_KIND_COMPLAINT)
			lines_link(l, first, &to);
	}
}

static void mailboxes(struct lines *l, struct buf *b, const struct warmup_row *row)
{
	const struct warmup_day *today = row->ndays ? &row->days[row->ndays - 1] : NULL;

	for (int i = 0; today && i < MAILBOX__COUNT; i++) {
		const struct warmup_box *box = &row->status.box[i];

		if (!box->used)
			continue;
		(void)buf_printf(b, "%s  %s  ", mailbox_name((enum mailbox)i),
			gate_colour_word(box->colour));
		count(b, box->volume);
		if (box->cap >= 0) {
			(void)buf_add_z(b, " of ");
			count(b, box->cap);
		}
		(void)buf_add_z(b, ", bounced ");
		count(b, today->box[i].bounced);
		(void)buf_add_z(b, ", deferred ");
		count(b, today->box[i].deferred);
		say(l,
			box->cap >= 0 && box->volume > box->cap ? STYLE_WARN
								: colour_style(box->colour),
			"to", b);
	}
}

static void history(struct lines *l, struct buf *b, const struct warmup_row *row)
{
	for (size_t i = row->ndays; i-- > 0 && row->ndays - i <= DAYS_SHOWN;) {
		const struct warmup_day *d = &row->days[i];
		struct pane_target to = lines_target(l, "failures", "failures of the day");
		size_t first = l->t->nrows;

		to.query.t0_ms = d->start_ms;
		to.query.t1_ms = d->end_ms < l->v->now_ms ? d->end_ms : l->v->now_ms;
		to.query.provider = 0;
		to.query.plan = row->plan;
		lines_section(l, 1000000 + (uint64_t)(d->start_ms / MS_PER_DAY));
		warmup_date(b, d->start_ms);
		(void)buf_add_z(b, "  ");
		count(b, d->known ? d->all.sent + d->all.bounced : EVENT_UNKNOWN);
		(void)buf_add_z(b, " of ");
		count(b, row->caps[i]);
		(void)buf_add_z(b, ", bounced ");
		count(b, d->known ? d->all.bounced : EVENT_UNKNOWN);
		(void)buf_add_z(b, ", deferred ");
		count(b, d->known ? d->all.deferred : EVENT_UNKNOWN);
		say(l, d->known ? colour_style(gates_colour(d)) : STYLE_DIM, "day", b);
		if (to.query.t1_ms > to.query.t0_ms)
			lines_link(l, first, &to);
	}
}

static void keep_graph(struct plan *s, const struct warmup_row *row)
{
	size_t from = row->ndays > GRAPH_DAYS ? row->ndays - GRAPH_DAYS : 0;

	s->n = row->ndays - from;
	for (size_t i = 0; i < s->n; i++) {
		const struct warmup_day *d = &row->days[from + i];

		s->volume[i] = d->known ? d->all.sent + d->all.bounced : EVENT_UNKNOWN;
		s->cap[i] = row->caps[from + i];
	}
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct plan *s = state;
	struct warmup_row *rows = NULL;
	struct lines l;
	struct buf b;
	size_t n = 0;
	int rc = read_warmups(r, v->warmups, v->now_ms, &t->arena, &rows, &n, reterr);

	t->empty = STR_LIT("choose a plan in :warmup");
	s->n = 0;
	if (rc < 0 || s->at == 0 || s->at > n)
		return rc;
	lines_begin(&l, t, v);
	buf_init(&b, TEXT_MAX_BYTES);
	lines_section(&l, 1);
	verdict(&l, &b, &rows[s->at - 1]);
	gates(&l, &b, &rows[s->at - 1]);
	lines_section(&l, 2);
	mailboxes(&l, &b, &rows[s->at - 1]);
	lines_section(&l, 3);
	about(&l, &b, rows[s->at - 1].plan);
	history(&l, &b, &rows[s->at - 1]);
	keep_graph(s, &rows[s->at - 1]);
	buf_done(&b);
	return 0;
}

/* Sent and cap of the last days, side by side, each with its own scale: caps grow over five powers of ten. */
static int draw(const void *state, const struct view *v, const struct table *t, struct canvas *c,
	struct rect area)
{
	const struct plan *s = state;
	int rows = area.h < LOW_SCREEN ? GRAPH_ROWS_LOW : GRAPH_ROWS, half = area.w / 2 - 1;

	(void)v;
	(void)t;
	if (s->n < 2)
		return 0;
	canvas_printf(c, area.x + 1, area.y, half, STYLE_DIM, "sent a day");
	canvas_printf(c, area.x + half + 2, area.y, half, STYLE_DIM, "cap of the day");
	canvas_chart(c, (struct rect){area.x + 1, area.y + 1, half - 1, rows}, STYLE_GRAPH,
		s->volume, s->n);
	canvas_chart(c, (struct rect){area.x + half + 2, area.y + 1, half - 1, rows}, STYLE_GRAPH2,
		s->cap, s->n);
	canvas_time_axis(
		c, area.x + 1, area.y + 1 + rows, half - 1, (int64_t)s->n * MS_PER_DAY, "today");
	canvas_time_axis(c, area.x + half + 2, area.y + 1 + rows, half - 1,
		(int64_t)s->n * MS_PER_DAY, "today");
	return rows + 2;
}

const struct pane_ops pane_plan = {
	.name = "plan",
	.title = "Plan",
	.help = "One warm-up plan. The graphs: recipients with a final outcome a day, and the cap "
		"in force, of the last 60 days. A gate's line tells its figures, the line it "
		"speaks from, whether a mailbox provider published it or it is a convention, "
		"and its source; Enter on it lists the failures behind it. A rate says nothing "
		"under 100 tries.",
	.columns = lines_columns,
	.ncolumns = LINES_COLUMNS,
	.state_bytes = sizeof(struct plan),
	.open = open_plan,
	.refresh = refresh,
	.draw = draw,
	.enter = lines_enter,
};
