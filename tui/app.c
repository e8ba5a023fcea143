/* SPDX-License-Identifier: MIT */
/*
 * app - life, time and the main dispatch of the dashboard.
 *
 * Invariant: depth >= 1 and stack[0] is the overview. Every change of what is asked for goes through
 * app_touch; every change of the picture sets dirty. Requests are in app_request.c.
 */
#include "tui/app.h"

#include "store/base/mem.h"

#include <stdio.h>
#include <stdlib.h>

#define MS_PER_S 1000
#define MS_PER_MIN 60000
#define REFRESH_DEFAULT_MS 1000
#define MESSAGE_MS 10000
#define JOB_POLL_MS 100
#define PANE_TICK_MS 500 /* jobs of panes (log tail): two wake-ups a second */
#define EFFECT_MAX_BYTES (1u << 20)
#define DEFAULT_COLUMNS 80
#define DEFAULT_ROWS 24

static const struct {
	const char *name;
	int64_t minutes;
} windows[] = {{"5m", 5}, {"15m", 15}, {"1h", 60}, {"6h", 360}, {"24h", 1440}, {"7d", 10080},
	{"30d", 43200}};
#define WINDOWS ((int)(sizeof(windows) / sizeof(windows[0])))

int app_window_by_name(struct str name)
{
	for (int i = 0; i < WINDOWS; i++)
		if (str_ieq(name, str_of(windows[i].name)))
			return i;
	return -1;
}

const char *app_window_name(int window)
{
	return windows[window].name;
}

int64_t app_window_ms(int window)
{
	return windows[window].minutes * MS_PER_MIN;
}

int app_window_count(void)
{
	return WINDOWS;
}

struct app *app_new(const struct app_options *options)
{
	struct app *a = xcalloc(1, sizeof(*a));

	a->opt = *options;
	canvas_init(&a->canvas, DEFAULT_COLUMNS, DEFAULT_ROWS, options->utf8);
	a->window = options->window >= 0 && options->window < WINDOWS
			    ? options->window
			    : app_window_by_name(STR_LIT("1h"));
	a->refresh_ms = options->refresh_ms > 0 ? options->refresh_ms : REFRESH_DEFAULT_MS;
	a->live = a->stale = a->asked = a->dirty = true;
	snprintf(a->provider_wanted, sizeof(a->provider_wanted), "%s",
		options->provider ? options->provider : "");
	snprintf(a->filter, sizeof(a->filter), "%s", options->filter ? options->filter : "");
	buf_init(&a->effect_text, EFFECT_MAX_BYTES);
	arena_init(&a->status.arena, EFFECT_MAX_BYTES);
	arena_init(&a->status.spare, EFFECT_MAX_BYTES);
	arena_init(&a->action.arena, EFFECT_MAX_BYTES);
	a->depth = 1;
	snprintf(a->stack[0].label, sizeof(a->stack[0].label), "overview");
	overview_init(a);
	app_rules_open(a);
	if (options->notice)
		app_message(a, STYLE_WARN, "%s", options->notice);
	return a;
}

void app_free(struct app *a)
{
	if (!a)
		return;
	view_home(a);
	overview_done(a);
	action_cancel(a);
	arena_done(&a->action.arena);
	arena_done(&a->status.arena);
	arena_done(&a->status.spare);
	buf_done(&a->effect_text);
	explain_free(a->rules);
	canvas_done(&a->canvas);
	free(a);
}

struct frame *app_top(struct app *a)
{
	return &a->stack[a->depth - 1];
}

struct frame *app_list_frame(struct app *a)
{
	struct frame *f = app_top(a);

	if (!f->pane && a->overview.n > 0) {
		f = &a->overview.tiles[a->overview.focus];
		if (f->pane->tile)
			return NULL;
	}
	return f->pane && f->pane->columns ? f : NULL;
}

int64_t app_now_ms(const struct app *a)
{
	if (a->paused)
		return a->paused_ms;
	return a->live ? clock_utc_ms(a->opt.clock) : a->instant_ms;
}

int app_shown_provider(const struct app *a)
{
	const struct frame *top = &a->stack[a->depth - 1];

	return top->own_provider ? top->narrow.provider : a->provider;
}

void app_touch(struct app *a)
{
	a->stale = a->asked = a->dirty = true;
}

void app_set_window(struct app *a, int window)
{
	if (window < 0 || window >= WINDOWS)
		return;
	a->window = window;
	app_top(a)->own_window = false; /* asked for here: it holds here */
	page_reset(a);
	app_touch(a);
}

void app_set_provider(struct app *a, int provider)
{
	a->provider = provider;
	app_top(a)->own_provider = false;
	page_reset(a);
	app_touch(a);
}

void app_set_instant(struct app *a, int64_t utc_ms)
{
	a->live = utc_ms >= clock_utc_ms(a->opt.clock);
	a->instant_ms = utc_ms;
	a->paused = false;
	app_top(a)->own_window = false;
	page_reset(a);
	app_touch(a);
}

void app_set_filter(struct app *a, struct str text)
{
	text = str_first(str_trim(text), sizeof(a->filter) - 1);
	memmove(a->filter, text.n ? text.p : "", text.n);
	a->filter[text.n] = '\0';
	page_reset(a);
	app_touch(a);
}

void app_message(struct app *a, enum style style, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(a->message, sizeof(a->message), fmt, ap);
	va_end(ap);
	a->message_style = style;
	a->message_until_mono_ms = clock_mono_ms(a->opt.clock) + MESSAGE_MS;
	a->dirty = true;
}

void app_resize(struct app *a, int w, int h)
{
	canvas_resize(&a->canvas, w, h);
	app_touch(a); /* what is wrapped is wrapped anew */
}

/* --- time --- */

/* Jobs that a shown pane runs (log tail) are polled by its tick. */
static void tick_pane(struct app *a, int64_t mono_ms)
{
	struct frame *f = app_top(a);
	struct view v;

	if (!f->pane || !f->pane->tick || mono_ms - a->ticked_mono_ms < PANE_TICK_MS)
		return;
	a->ticked_mono_ms = mono_ms;
	frame_view(a, f, &v);
	if (f->pane->tick(f->state, &v))
		app_touch(a);
}

void app_step(struct app *a)
{
	int64_t mono = clock_mono_ms(a->opt.clock), utc = clock_utc_ms(a->opt.clock);

	action_step(a);
	tick_pane(a, mono);
	app_rules_look(a);
	if (!a->stale && reader_changed(a->opt.reader))
		refresh_wanted(a, mono);
	if (a->live && utc / MS_PER_MIN != a->refreshed_minute)
		refresh_wanted(a, mono);
	refresh_if_due(a, mono);
	a->keyed = false;
	if (utc / MS_PER_S != a->drawn_second)
		a->dirty = true;
	if (a->message[0] && mono >= a->message_until_mono_ms) {
		a->message[0] = '\0';
		a->dirty = true;
	}
}

int app_wait_ms(const struct app *a)
{
	int64_t mono = clock_mono_ms(a->opt.clock);
	int64_t wait = MS_PER_S - clock_utc_ms(a->opt.clock) % MS_PER_S;
	const struct frame *top = &a->stack[a->depth - 1];

	if (a->asked)
		return 0;
	if (a->stale && !a->paused && refresh_due_mono_ms(a) - mono < wait)
		wait = refresh_due_mono_ms(a) - mono;
	/* A commit that came too soon to be shown has woken nobody: look for it then. */
	if (!a->stale && !a->paused && top->pane && refresh_due_mono_ms(a) > mono &&
		refresh_due_mono_ms(a) - mono < wait)
		wait = refresh_due_mono_ms(a) - mono;
	if (a->action.job && wait > JOB_POLL_MS)
		wait = JOB_POLL_MS;
	if (top->pane && top->pane->tick && a->ticked_mono_ms + PANE_TICK_MS - mono < wait)
		wait = a->ticked_mono_ms + PANE_TICK_MS - mono;
	return wait < 0 ? 0 : wait > MS_PER_S ? MS_PER_S : (int)wait;
}

bool app_wants_commits(const struct app *a)
{
	return !a->stale && clock_mono_ms(a->opt.clock) >= refresh_due_mono_ms(a);
}

bool app_idle(const struct app *a)
{
	return !a->stale && !a->asked && !a->action.job;
}

/* --- the picture --- */

#define TINY_COLUMNS 40
#define TINY_ROWS 10

static void draw_view(struct app *a, struct frame *f, struct canvas *c, struct rect body)
{
	if (f->pane->columns && !f->failed)
		body.h -= page_draw(f, c, body);
	frame_draw(a, f, c, body, !a->opt.once);
}

static void draw_body(struct app *a, struct canvas *c, struct rect body)
{
	if (a->help.open)
		help_draw(a, c, body);
	else if (app_top(a)->pane)
		draw_view(a, app_top(a), c, body);
	else
		overview_draw(a, c, body);
	if (a->setup.open)
		setup_draw(a, c, body);
	if (a->prompt.kind == PROMPT_CONFIRM)
		action_draw(a, c, body);
}

/* Too small for frames: the overview is its three figures; anything else keeps all the room there is. */
static void draw_tiny(struct app *a, struct canvas *c)
{
	int rows = a->prompt.kind != PROMPT_NONE && c->h > 1 ? c->h - 1 : c->h;

	if (app_top(a)->pane || a->help.open || a->setup.open || a->prompt.kind == PROMPT_CONFIRM)
		draw_body(a, c, (struct rect){0, 0, c->w, rows});
	else
		status_draw_tiny(a, c);
	if (a->prompt.kind != PROMPT_NONE)
		prompt_draw(a, c, c->h - 1);
}

const struct canvas *app_draw(struct app *a)
{
	struct canvas *c = &a->canvas;
	int top, foot = a->opt.once ? 0 : 1;

	if (!a->dirty)
		return c;
	a->dirty = false;
	a->drawn_second = clock_utc_ms(a->opt.clock) / MS_PER_S;
	canvas_clear(c);
	a->tiny = c->w < TINY_COLUMNS || c->h < TINY_ROWS;
	if (a->tiny) {
		draw_tiny(a, c);
		return c;
	}
	top = status_draw_head(a, c);
	draw_body(a, c, (struct rect){0, top, c->w, c->h - top - foot});
	if (a->prompt.kind != PROMPT_NONE)
		prompt_draw(a, c, c->h - 1);
	else if (foot)
		status_draw_foot(a, c, c->h - 1);
	return c;
}
