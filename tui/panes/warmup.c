/* SPDX-License-Identifier: MIT */
/* warmup - the warming up of sending IPs: a row a plan, and IPs a vendor warms up by itself; Enter opens the plan. */
#include "store/warmup_board.h"
#include "tui/panes/cells.h"
#include "tui/warmup_text.h"

#include <stdio.h>

#define BAR_MIN_COLUMNS 8
#define TILE_LINES 3 /* of one plan */

enum col {
	COL_NAME,
	COL_STATE,
	COL_DAY,
	COL_SENT,
	COL_CAP,
	COL_DUE,
	COL_NEXT,
	COL_DONE,
	COL_WHY,
	COL__COUNT
};

static const struct column columns[COL__COUNT] = {
	{"plan", 14, ALIGN_LEFT, 1, false,
		"[warmup NAME] of mtatop.conf, or an IP a vendor warms up"},
	{"verdict", 9, ALIGN_LEFT, 1, false,
		"COLD, ON TRACK, BEHIND, AHEAD, HOLD, BACK OFF, STALLED or DONE: see above"},
	{"day", 9, ALIGN_LEFT, 2, false, "n of m: the stage of the plan in force"},
	{"sent", 9, ALIGN_RIGHT, 1, true,
		"recipients with a final outcome today: sent + bounced, by this egress"},
	{"of", 10, ALIGN_RIGHT, 1, true, "today's cap; of a plan by the hour 24 times the hour's"},
	{"due now", 9, ALIGN_RIGHT, 3, true, "the cap by the part of the day that is over"},
	{"next", 10, ALIGN_RIGHT, 4, true, "the cap after this one, an hour or a day as the plan"},
	{"done", 10, ALIGN_LEFT, 5, false,
		"the day the target may be reached at the earliest; ? not known"},
	{"why", 0, ALIGN_LEFT, 2, false,
		"what made the verdict, or how the mailbox providers fare"},
};

struct warmup {
	struct warmup_row *rows; /* in the table's arena */
	size_t n;
};

static enum style state_style(enum warmup_state state)
{
	switch (state) {
	case WARMUP_ON_TRACK:
	case WARMUP_DONE:
		return STYLE_GOOD;
	case WARMUP_AHEAD:
	case WARMUP_HOLD:
	case WARMUP_STALLED:
		return STYLE_WARN;
	case WARMUP_BACK_OFF:
		return STYLE_BAD;
	case WARMUP_COLD:
	case WARMUP_BEHIND:
	case WARMUP__STATES:
		break;
	}
	return STYLE_NORMAL;
}

/* "Gmail BACK OFF, Yahoo HOLD": providers a gate speaks of, the worst first; "all ok" when it is of none. */
static void boxes(struct buf *out, const struct warmup_row *row)
{
	bool any = false, told = false;

	for (int colour = GATE_RED; colour >= GATE_GREEN; colour--)
		for (int i = 0; i < MAILBOX__COUNT; i++) {
			const struct warmup_box *b = &row->status.box[i];

			if (!b->used || (int)b->colour != colour)
				continue;
			any = true;
			if (colour <= GATE_UNKNOWN)
				continue;
			(void)buf_printf(out, "%s%s %s", told ? ", " : "",
				mailbox_name((enum mailbox)i), gate_colour_word(b->colour));
			told = true;
		}
	if (any && !told)
		(void)buf_add_z(out, "all ok");
}

static struct cell cell_buf(struct table *t, struct buf *b)
{
	struct cell c = cell_text(t, buf_str(b));

	buf_clear(b);
	return c;
}

static void fill(struct table *t, const struct warmup_row *row, uint64_t id)
{
	const struct warmup_status *s = &row->status;
	struct cell *c = cells_row(t, COL__COUNT, id, STYLE_NORMAL, row);
	struct buf b;

	if (!c)
		return;
	buf_init(&b, 1024);
	c[COL_NAME] = cell_text(t, str_of(row->plan->name));
	c[COL_STATE] = cell_words(warmup_state_word(s->state));
	c[COL_STATE].style = state_style(s->state);
	if (!s->begun)
		(void)buf_add_z(&b, "not begun");
	else if (s->stage < s->stages)
		(void)buf_printf(&b, "%zu of %zu", s->stage + 1, s->stages);
	else
		(void)buf_printf(&b, "past %zu", s->stages);
	c[COL_DAY] = cell_buf(t, &b);
	c[COL_SENT] = cell_count(t, s->begun ? s->volume : EVENT_UNKNOWN);
	c[COL_CAP] = cell_count(t, s->cap);
	c[COL_DUE] = cell_count(t, s->begun ? s->pace : EVENT_UNKNOWN);
	c[COL_NEXT] = s->nnext ? cell_count(t, s->next[0]) : cell_words("-");
	if (s->eta_ms >= 0)
		warmup_date(&b, s->eta_ms);
	else
		(void)buf_add_z(&b, s->state == WARMUP_DONE ? "-" : "?");
	c[COL_DONE] = cell_buf(t, &b);
	warmup_reason(&b, row);
	if (b.n == 0)
		boxes(&b, row);
	c[COL_WHY] = cell_buf(t, &b);
	buf_done(&b);
}

/* What a vendor tells of an IP it warms up by its own plan. */
static void fill_vendor(struct table *t, const struct sending_ip_row *ip, uint64_t id)
{
	struct cell *c = cells_row(t, COL__COUNT, id, STYLE_NORMAL, NULL);
	struct buf b;

	if (!c)
		return;
	buf_init(&b, 1024);
	c[COL_NAME] = cell_text(t, ip->ip);
	c[COL_STATE] = cell_words("vendor's");
	if (ip->stage != EVENT_UNKNOWN && ip->stages != EVENT_UNKNOWN)
		(void)buf_printf(&b, "%d of %d", (int)ip->stage, (int)ip->stages);
	else if (ip->day != EVENT_UNKNOWN)
		(void)buf_printf(&b, "%d", (int)ip->day);
	else
		(void)buf_add_char(&b, '?');
	c[COL_DAY] = cell_buf(t, &b);
	c[COL_SENT] = cell_count(t, EVENT_UNKNOWN);
	c[COL_CAP] = cell_count(t, ip->limit);
	c[COL_DUE] = cell_words("-");
	c[COL_NEXT] = cell_count(t, EVENT_UNKNOWN);
	c[COL_DONE] = cell_words("?");
	(void)buf_add_z(&b, "the vendor's own plan");
	if (ip->percent != EVENT_UNKNOWN)
		(void)buf_printf(&b, "; %d%% of this stage sent", (int)ip->percent);
	if (ip->hourly_limit != EVENT_UNKNOWN) {
		(void)buf_add_z(&b, "; at most ");
		fmt_count(&b, ip->hourly_limit);
		(void)buf_add_z(&b, " an hour");
	}
	if (ip->limit_per_s == 3600)
		(void)buf_add_z(&b, "; cap of an hour");
	c[COL_WHY] = cell_buf(t, &b);
	buf_done(&b);
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct warmup *s = state;
	struct query q = {.provider = v->query.provider};
	struct sending_ip_row *ips = NULL;
	size_t nips = 0;
	int rc = read_warmups(r, v->warmups, v->now_ms, &t->arena, &s->rows, &s->n, reterr);

	if (rc == 0)
		rc = read_sending_ips(r, &q, &t->arena, &ips, &nips, reterr);
	if (rc == 0)
		rc = cells_begin(t, s->n + nips);
	for (size_t i = 0; i < s->n && rc == 0; i++)
		fill(t, &s->rows[i], i + 1);
	for (size_t i = 0; i < nips && rc == 0; i++)
		if (ips[i].warming == 1)
			fill_vendor(t, &ips[i], WARMUP_PLANS_MAX + 1 + i);
	t->total = EVENT_UNKNOWN;
	t->empty = STR_LIT("no plan: a [warmup NAME] section in mtatop.conf makes one, see "
			   "mtatop.conf(5)");
	return rc;
}

static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	const struct warmup_row *row = selected->ref;

	(void)state;
	if (!row)
		return false;
	ret->pane = "plan";
	ret->object = row->plan - v->warmups->plan + 1;
	target_label(ret, "%s", row->plan->name);
	return true;
}

/* --- tile --- */

/* "203.0.113.7  day 6 of 17", a bar and "7.2k of 10k", the verdict and the providers. */
static void draw_plan(const struct warmup_row *row, struct canvas *c, struct rect area)
{
	const struct warmup_status *s = &row->status;
	struct buf b;
	int x;

	buf_init(&b, 512);
	x = canvas_text(c, area.x, area.y, area.w, STYLE_BOLD, str_of(row->plan->name));
	warmup_day_line(&b, row);
	if (x + 2 + (int)b.n <= area.w)
		canvas_text(c, area.x + x + 2, area.y, area.w - x - 2, STYLE_NORMAL, buf_str(&b));
	buf_clear(&b);
	fmt_count_short(&b, s->begun ? s->volume : EVENT_UNKNOWN);
	(void)buf_add_z(&b, " of ");
	fmt_count_short(&b, s->cap);
	if (area.h > 1) {
		int bar = area.w - (int)b.n - 2;

		if (bar >= BAR_MIN_COLUMNS)
			canvas_bar(c, area.x, area.y + 1, bar, STYLE_GRAPH,
				s->volume < s->cap ? s->volume : s->cap, s->cap);
		canvas_text(c, area.x + area.w - (int)b.n, area.y + 1, (int)b.n, STYLE_NORMAL,
			buf_str(&b));
	}
	if (area.h > 2) {
		x = canvas_printf(c, area.x, area.y + 2, area.w, state_style(s->state), "%s",
			warmup_state_word(s->state));
		buf_clear(&b);
		boxes(&b, row);
		canvas_text(c, area.x + x + 2, area.y + 2, area.w - x - 2, STYLE_DIM, buf_str(&b));
	}
	buf_done(&b);
}

static void tile(const void *state, const struct view *v, const struct table *t, struct canvas *c,
	struct rect area, char *note, size_t note_bytes)
{
	const struct warmup *s = state;
	size_t shown = 0;

	(void)v;
	(void)t;
	for (int y = 0; shown < s->n && y < area.h; y += TILE_LINES, shown++)
		draw_plan(&s->rows[shown], c,
			(struct rect){area.x, area.y + y, area.w,
				area.h - y < TILE_LINES ? area.h - y : TILE_LINES});
	if (shown < s->n)
		snprintf(note, note_bytes, "%zu of %zu", shown, s->n);
}

static bool wants_tile(const struct warmup_plans *plans)
{
	return plans && plans->n > 0;
}

const struct pane_ops pane_warmup = {
	.name = "warmup",
	.title = "Warmup",
	.help = "How the warming up of sending IPs goes, by the plans of mtatop.conf. COLD: "
		"nothing sent yet, or for 30 days. ON TRACK: 90% of what is due is delivered, "
		"no gate is open. BEHIND: less, harmless. AHEAD: over the cap, a risk. HOLD: a "
		"yellow gate, the stage stays. BACK OFF: a red gate, the stage before. STALLED: "
		"ten sending days without passing a stage. DONE: the target is reached. A stage "
		"is passed by a day with 90% of its cap delivered and no gate open. Enter opens "
		"a plan: its gates, what they are made of, and its history.",
	.columns = columns,
	.ncolumns = COL__COUNT,
	.default_sort = COL_NAME,
	.state_bytes = sizeof(struct warmup),
	.tile_hint = {.priority = 7, .min_w = 30, .min_h = 5, .want_w = 34, .want_h = 8},
	.wants_tile = wants_tile,
	.refresh = refresh,
	.tile = tile,
	.enter = enter,
};
