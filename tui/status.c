/* SPDX-License-Identifier: MIT */
/*
 * status - what frames every view: two header lines, the breadcrumb, the hints at the foot, and the
 * single line that is left of all that on a tiny screen.
 *
 * Parts are shown whole or not at all, the least needed first to go; a figure is never cut.
 */
#include "tui/app.h"

#include "store/alert.h"
#include "store/base/fmt.h"
#include "store/base/timefmt.h"
#include "store/base/utf8.h"

#include <stdio.h>

#define TEXT_MAX_BYTES 4096
#define BAR_COLUMNS 12
#define HOUR_S 3600
#define DAY_S 86400

/* Alerts that fire and nobody has seen yet, the worst first; a new one rings. */
static void read_firing(struct app *a)
{
	struct status *s = &a->status;
	struct mt_error err = {0};
	int64_t newest = s->rung_ms;
	size_t n = 0, kept = 0;

	s->alerts = NULL;
	if (read_alerts(a->opt.reader, &s->arena, &s->alerts, &n, &err) < 0)
		n = 0;
	for (size_t i = 0; i < n; i++) {
		struct alert_row *row = &s->alerts[i];

		if (row->phase != ALERT_FIRING || row->ack_ms != EVENT_UNKNOWN)
			continue;
		newest = row->since_ms > newest ? row->since_ms : newest;
		s->alerts[kept++] = *row;
	}
	s->ring = s->ring || (s->looked && newest > s->rung_ms);
	s->looked = true;
	s->rung_ms = newest;
	s->nalerts = kept;
}

void status_refresh(struct app *a)
{
	struct status *s = &a->status;
	struct mt_error err = {0};
	struct view v;

	arena_reset(&s->arena);
	s->providers = NULL;
	s->nproviders = 0;
	if (read_providers(a->opt.reader, &s->arena, &s->providers, &s->nproviders, &err) < 0)
		s->nproviders = 0;
	read_firing(a);
	frame_view(a, &a->stack[0], &v);
	v.query.text =
		(struct str){NULL, 0}; /* the state of the server, whatever is being looked for */
	s->known = read_totals(a->opt.reader, &v.query, &s->totals, &err) == 0 &&
		   read_queue(a->opt.reader, &v.query, &s->queue, &err) == 0;
}

/* --- line 1 --- */

/* "last 1h  LIVE  12:04:31", or the instant looked at. */
static void time_text(const struct app *a, struct buf *out, enum style *style)
{
	*style = a->live && !a->paused ? STYLE_GOOD : STYLE_WARN;
	buf_printf(out, "last %s  ", app_window_name(a->window));
	if (a->paused)
		buf_add_z(out, "PAUSED at ");
	else
		buf_add_z(out, a->live ? "LIVE  " : "AT ");
	if (a->live && !a->paused)
		timefmt_clock(out, clock_utc_ms(a->opt.clock));
	else
		timefmt_date_clock(out, app_now_ms(a));
	buf_add_char(out, ' ');
}

static int draw_tab(
	struct app *a, struct canvas *c, int x, int right, struct str name, int provider)
{
	bool active = provider == app_shown_provider(a);
	int w = (int)utf8_show_width(name, !c->utf8) + 2;
	struct status *s = &a->status;

	if (x + w > right || s->ntabs >= APP_TABS_MAX)
		return x;
	canvas_fill(c, (struct rect){x, 0, w, 1}, active ? STYLE_TAB_ACTIVE : STYLE_TAB);
	canvas_text(c, x + 1, 0, w - 2, active ? STYLE_TAB_ACTIVE : STYLE_TAB, name);
	if (active) { /* not by colour alone */
		canvas_text(c, x, 0, 1, STYLE_TAB_ACTIVE, STR_LIT("["));
		canvas_text(c, x + w - 1, 0, 1, STYLE_TAB_ACTIVE, STR_LIT("]"));
	}
	s->tabs[s->ntabs].where = (struct rect){x, 0, w, 1};
	s->tabs[s->ntabs++].provider = provider;
	return x + w;
}

static int tabs_width(const struct app *a, const struct canvas *c)
{
	int w = 5;

	for (size_t i = 0; i < a->status.nproviders; i++)
		w += (int)utf8_show_width(a->status.providers[i].name, !c->utf8) + 2;
	return w;
}

/* All tabs if they fit; else the active one alone. */
static void draw_tabs(struct app *a, struct canvas *c, int x, int right)
{
	bool all = x + tabs_width(a, c) <= right;

	a->status.ntabs = 0;
	if (all || app_shown_provider(a) == 0)
		x = draw_tab(a, c, x, right, STR_LIT("ALL"), 0);
	for (size_t i = 0; i < a->status.nproviders; i++)
		if (all || a->status.providers[i].id == app_shown_provider(a))
			x = draw_tab(a, c, x, right, a->status.providers[i].name,
				a->status.providers[i].id);
}

static void draw_line1(struct app *a, struct canvas *c)
{
	struct buf text;
	enum style style;
	int x, columns, right;

	canvas_fill(c, (struct rect){0, 0, c->w, 1}, STYLE_STATUS);
	buf_init(&text, TEXT_MAX_BYTES);
	time_text(a, &text, &style);
	columns = (int)text.n;
	if (columns > c->w - 12) { /* the window and LIVE stay, the clock goes */
		buf_clear(&text);
		buf_printf(&text, "%s %s ", app_window_name(a->window),
			a->paused ? "PAUSED"
			: a->live ? "LIVE"
				  : "PAST");
		columns = (int)text.n;
	}
	right = c->w - columns;
	canvas_text(c, right, 0, columns, style, buf_str(&text));
	x = canvas_printf(c, 0, 0, right - 1, STYLE_TITLE, " mtatop %s", a->opt.version);
	if (a->opt.demo)
		x += canvas_printf(c, x, 0, right - 1 - x, STYLE_WARN, " DEMO");
	if (a->opt.host && x + 2 + (int)strlen(a->opt.host) + 2 + tabs_width(a, c) < right)
		x += canvas_printf(c, x, 0, right - x, STYLE_STATUS, "  %s", a->opt.host);
	draw_tabs(a, c, x + 2, right);
	buf_done(&text);
}

/* --- line 2 --- */

static const char *health_word(enum health health)
{
	static const char *const words[HEALTH__COUNT] = {[HEALTH_UNKNOWN] = "no data yet",
		[HEALTH_FRESH] = "fresh",
		[HEALTH_LATE] = "late",
		[HEALTH_STALE] = "stale",
		[HEALTH_FAILING] = "FAILING",
		[HEALTH_STOPPED] = "STOPPED",
		[HEALTH_CATCHING_UP] = "reading back"};

	return (int)health >= 0 && health < HEALTH__COUNT ? words[health] : "?";
}

static enum style health_style(enum health health)
{
	if (health == HEALTH_FAILING || health == HEALTH_STOPPED)
		return STYLE_BAD;
	if (health == HEALTH_FRESH)
		return STYLE_GOOD;
	return health == HEALTH_UNKNOWN ? STYLE_DIM : STYLE_WARN;
}

/* Bytes read back and to read, over the sources that are catching up; false if none knows. */
static bool catch_up(const struct provider_row *p, int64_t *done, int64_t *total)
{
	*done = *total = 0;
	for (size_t i = 0; i < p->nsources; i++) {
		const struct source_row *s = &p->sources[i];

		if (s->health == HEALTH_CATCHING_UP && s->total_bytes > 0 && s->done_bytes >= 0) {
			*done += s->done_bytes;
			*total += s->total_bytes;
		}
	}
	return *total > 0;
}

/* is_out - does ALL leave the figures of a provider out, since they are of whole days (hours)? */
static bool is_out(const struct app *a, const struct provider_row *p)
{
	const struct totals *shown = &a->status.totals;

	return p->finest_bucket_s >= HOUR_S && app_shown_provider(a) == 0 && a->status.known &&
	       shown->left_out_s && p->finest_bucket_s >= shown->left_out_s;
}

static int draw_provider(
	const struct app *a, struct canvas *c, int x, int right, const struct provider_row *p)
{
	int begun = x;
	struct buf text;
	int64_t done, total;

	buf_init(&text, TEXT_MAX_BYTES);
	x += canvas_text(c, x, 1, right - x, STYLE_BOLD, p->name);
	x += canvas_printf(
		c, x, 1, right - x, health_style(p->health), " %s", health_word(p->health));
	if (catch_up(p, &done, &total)) {
		fmt_pct(&text, done, total);
		x += canvas_printf(c, x, 1, right - x, STYLE_WARN, " %s of ", buf_z(&text));
		buf_clear(&text);
		fmt_bytes(&text, total);
		x += canvas_printf(c, x, 1, right - x, STYLE_WARN, "%s ", buf_z(&text));
		if (right - x >= BAR_COLUMNS) {
			canvas_bar(c, x, 1, BAR_COLUMNS, STYLE_GRAPH, done, total);
			x += BAR_COLUMNS;
		}
	} else if (p->last_ok_ms != EVENT_UNKNOWN) {
		int64_t age = clock_utc_ms(a->opt.clock) - p->last_ok_ms;

		timefmt_age(&text, age < 0 ? 0 : age);
		x += canvas_printf(c, x, 1, right - x, STYLE_DIM, " %s", buf_z(&text));
	}
	if (p->finest_bucket_s >= HOUR_S) {
		bool out = is_out(a, p);

		x += canvas_printf(c, x, 1, right - x, STYLE_DIM, " (%s%s%s)",
			p->finest_bucket_s >= DAY_S ? "day" : "hour", out ? ", not in ALL" : "",
			p->demo ? ", DEMO" : "");
	}
	buf_done(&text);
	return x - begun;
}

#define BOUNCE_CONVENTION_PCT                                                                      \
	3 /* what receivers and senders commonly call too much; a convention, no limit */
#define BOUNCE_MIN_RECIPIENTS 100 /* under this a rate is an accident; as in panes/delivery.c */

static bool bounce_alert(const struct app *a, struct buf *out, bool brief)
{
	const int64_t *n = a->status.totals.n;
	int64_t final = totals_outcomes(n);

	if (!a->status.known || n[METRIC_SENT] < 0 || n[METRIC_BOUNCED] < 0 ||
		final < BOUNCE_MIN_RECIPIENTS ||
		n[METRIC_BOUNCED] * 100 <= final * BOUNCE_CONVENTION_PCT)
		return false;
	buf_add_z(out, "! bounce ");
	fmt_pct(out, n[METRIC_BOUNCED], final);
	if (!brief) {
		buf_add_z(out, " of ");
		fmt_count(out, final);
	}
	buf_printf(out, " > %d%%%s", BOUNCE_CONVENTION_PCT, brief ? "" : " (convention)");
	return true;
}

/* The loudest thing wrong: what the collector can't go on with, an alert that fires, a source that fails, then the bounce rate, then a source that is behind. */
static enum style alert_text(const struct app *a, struct buf *out, bool brief)
{
	static const enum health order[] = {
		HEALTH_FAILING, HEALTH_STOPPED, HEALTH_STALE, HEALTH_LATE};

	if (a->alarm[0]) {
		buf_printf(out, "! %s", a->alarm);
		return STYLE_BAD;
	}
	if (a->status.nalerts > 0) {
		const struct alert_row *row = &a->status.alerts[0];

		(void)buf_add_z(out, brief || row->text.n == 0 ? "! alert " : "! ");
		if (brief || row->text.n == 0)
			(void)buf_add_str(out, row->name);
		else
			(void)buf_add_str(out, row->text);
		if (a->status.nalerts > 1)
			(void)buf_printf(out, " (+%zu)", a->status.nalerts - 1);
		return row->severity == ALERT_CRITICAL ? STYLE_BAD : STYLE_WARN;
	}
	for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++) {
		if (order[k] == HEALTH_STALE && bounce_alert(a, out, brief))
			return STYLE_BAD;
		for (size_t i = 0; i < a->status.nproviders; i++) {
			const struct provider_row *p = &a->status.providers[i];

			for (size_t j = 0; j < p->nsources; j++) {
				if (p->sources[j].health != order[k])
					continue;
				buf_add_z(out, "! ");
				buf_add_str(out, p->sources[j].name);
				buf_printf(out, " %s: ", health_word(order[k]));
				buf_add_str(out, p->sources[j].detail);
				return k < 2 ? STYLE_BAD : STYLE_WARN;
			}
		}
	}
	return STYLE_NORMAL;
}

/* nth_provider - of line 2: in their order, or the one that is shown first and the others behind it. */
static const struct provider_row *nth_provider(const struct app *a, bool shown_first, size_t n)
{
	const struct provider_row *all = a->status.providers;
	size_t first = 0;

	while (first < a->status.nproviders && all[first].id != app_shown_provider(a))
		first++;
	if (!shown_first || first == a->status.nproviders)
		return &all[n];
	return &all[n == 0 ? first : n <= first ? n - 1 : n];
}

/* draw_rest - how many providers had no room, from the nth on, and how many of them ALL leaves out. */
static void draw_rest(
	const struct app *a, struct canvas *c, int x, int right, bool shown_first, size_t n)
{
	size_t more = a->status.nproviders - n, out = 0;
	char text[48];

	for (; n < a->status.nproviders; n++)
		out += is_out(a, nth_provider(a, shown_first, n));
	snprintf(text, sizeof(text), " +%zu, %zu not in ALL", more, out);
	if (!out || (int)strlen(text) > right - x)
		snprintf(text, sizeof(text), " +%zu", more);
	canvas_text(c, x, 1, right - x, STYLE_DIM, str_of(text));
}

/* draw_providers - a badge each. False: not all of them had room. */
static bool draw_providers(const struct app *a, struct canvas *c, int right, bool shown_first)
{
	int x = 1;

	canvas_fill(c, (struct rect){x, 1, right - x, 1}, STYLE_NORMAL);
	for (size_t i = 0; i < a->status.nproviders; i++) {
		int begun = x;

		if (i > 0)
			x += canvas_printf(c, x, 1, right - x, STYLE_DIM, " \xc2\xb7 ");
		x += draw_provider(a, c, x, right, nth_provider(a, shown_first, i));
		if (x < right || i == 0)
			continue;
		/* Not whole: rather only told that there are more. */
		canvas_fill(c, (struct rect){begun, 1, right - begun, 1}, STYLE_NORMAL);
		draw_rest(a, c, begun, right, shown_first, i);
		return false;
	}
	return true;
}

static void draw_line2(struct app *a, struct canvas *c)
{
	struct buf alert;
	enum style style;
	int columns, right = c->w - 1;

	buf_init(&alert, TEXT_MAX_BYTES);
	style = alert_text(a, &alert, false);
	columns = (int)utf8_show_width(buf_str(&alert), !c->utf8);
	if (columns > c->w / 2) {
		buf_clear(&alert);
		style = alert_text(a, &alert, true);
		columns = (int)utf8_show_width(buf_str(&alert), !c->utf8);
		columns = columns > c->w / 2 ? c->w / 2 : columns;
	}
	if (columns > 0) {
		right -= columns + 2;
		canvas_text(c, c->w - 1 - columns, 1, columns, style, buf_str(&alert));
	}
	if (a->status.nproviders == 0)
		canvas_printf(c, 1, 1, right - 1, STYLE_DIM, "no provider has reported yet");
	else if (!draw_providers(a, c, right, false))
		(void)draw_providers(a, c, right, true);
	buf_done(&alert);
}

/* --- line 3: where we are --- */

static void count_text(struct app *a, struct buf *out)
{
	const struct frame *f = app_top(a);

	if (!f->pane || !f->pane->columns || f->failed)
		return;
	if (f->own_window) { /* not the window of line 1 */
		timefmt_date_clock(out, f->narrow.t0_ms);
		buf_add_z(out, " to ");
		timefmt_clock(out, f->narrow.t1_ms);
		buf_add_z(out, "  ");
	}
	if (f->list.tags.n > 0) {
		fmt_count(out, (int64_t)f->list.tags.n);
		buf_add_z(out, " tagged  ");
	}
	if (f->list.follow)
		buf_add_z(out, "FOLLOW  ");
	fmt_count(out, (int64_t)f->table.nrows);
	if (f->table.total >= 0 && (size_t)f->table.total != f->table.nrows) {
		buf_add_z(out, " of ");
		fmt_count(out, f->table.total);
	}
	buf_add_z(out, f->table.total == 1 || (f->table.total < 0 && f->table.nrows == 1)
			       ? " row"
			       : " rows");
}

/* The way from frame `first` to what is on top. */
static void add_crumbs(const struct app *a, size_t first, struct buf *out)
{
	for (size_t i = first; i < a->depth; i++)
		buf_printf(out, "%s%s", i > first ? " > " : "", a->stack[i].label);
	if (a->help.open || a->setup.open)
		buf_add_z(out, a->help.open ? " > help" : " > setup");
}

static void draw_crumbs(struct app *a, struct canvas *c, int y)
{
	struct buf text;
	int x = 1, right = c->w - 1, columns;

	buf_init(&text, TEXT_MAX_BYTES);
	count_text(a, &text);
	columns = (int)text.n;
	if (columns > 0 && columns < c->w / 2) {
		right -= columns + 1;
		canvas_text(c, right + 1, y, columns, STYLE_DIM, buf_str(&text));
	}
	if (a->filter[0]) {
		columns = (int)utf8_show_width(str_of(a->filter), !c->utf8) + 10;
		columns = columns > right / 2 ? right / 2 : columns;
		right -= columns + 1;
		canvas_printf(c, right + 1, y, columns, STYLE_WARN, "FILTERED: %s", a->filter);
	}
	/* The near end of the way matters most: drop from the far end. */
	buf_clear(&text);
	add_crumbs(a, 0, &text);
	columns = (int)utf8_show_width(buf_str(&text), !c->utf8);
	for (size_t i = 0; i + 1 < a->depth && columns > right - x; i++) {
		buf_clear(&text);
		buf_add_z(&text, "... > ");
		add_crumbs(a, i + 1, &text);
		columns = (int)utf8_show_width(buf_str(&text), !c->utf8);
	}
	canvas_text(c, x, y, right - x, STYLE_BOLD, buf_str(&text));
	buf_done(&text);
}

int status_draw_head(struct app *a, struct canvas *c)
{
	bool crumbs = a->depth > 1 || a->filter[0] || a->help.open || a->setup.open;

	draw_line1(a, c);
	draw_line2(a, c);
	if (crumbs)
		draw_crumbs(a, c, 2);
	return crumbs ? 3 : 2;
}

bool status_click(struct app *a, int x, int y)
{
	for (size_t i = 0; i < a->status.ntabs; i++) {
		const struct rect *r = &a->status.tabs[i].where;

		if (y == r->y && x >= r->x && x < r->x + r->w) {
			app_set_provider(a, a->status.tabs[i].provider);
			return true;
		}
	}
	return y < 2;
}
