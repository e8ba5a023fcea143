/* SPDX-License-Identifier: MIT */
/*
 * app_request - what keys do. The order of who is asked: prompt, help, setup, mouse, number keys,
 * the pane itself, its list, the overview, and last the requests that mean the same everywhere.
 */
#include "tui/app.h"

#include "store/base/utf8.h"
#include "tui/screen_text.h"

#include <stdio.h>

#define WHEEL_ROWS 3
#define LOFI_COLUMNS 500 /* wide enough for a reply of three lines; terminals wrap it */
#define REFRESH_MIN_MS 250
#define REFRESH_MAX_MS 60000

static void show_paused(struct app *a)
{
	a->paused = !a->paused;
	if (a->paused)
		a->paused_ms = a->live ? clock_utc_ms(a->opt.clock) : a->instant_ms;
	else
		app_touch(a);
	a->dirty = true;
}

static void step_time(struct app *a, int direction)
{
	int64_t now = app_now_ms(a), half = app_window_ms(a->window) / 2;

	if (direction > 0 && a->live && !a->paused) {
		app_message(a, STYLE_DIM, "this is live: there is no later");
		return;
	}
	app_set_instant(a, now + direction * half);
}

static void step_provider(struct app *a, int direction)
{
	size_t n = a->status.nproviders + 1, at = 0; /* 0 = all */

	for (size_t i = 0; i < a->status.nproviders; i++)
		if (a->status.providers[i].id == app_shown_provider(a))
			at = i + 1;
	at = (at + n + (direction > 0 ? 1 : n - 1)) % n;
	app_set_provider(a, at == 0 ? 0 : a->status.providers[at - 1].id);
}

static void step_refresh(struct app *a, bool faster)
{
	a->refresh_ms = faster ? a->refresh_ms / 2 : a->refresh_ms * 2;
	a->refresh_ms = a->refresh_ms < REFRESH_MIN_MS ? REFRESH_MIN_MS : a->refresh_ms;
	a->refresh_ms = a->refresh_ms > REFRESH_MAX_MS ? REFRESH_MAX_MS : a->refresh_ms;
	app_message(a, STYLE_NORMAL, "refresh at most every %lld.%02lld s",
		(long long)(a->refresh_ms / 1000), (long long)(a->refresh_ms % 1000 / 10));
}

/* Esc: first what narrows this view, then the view itself. */
static void go_back(struct app *a)
{
	struct frame *f = app_list_frame(a);
	const char *before = a->depth > 1 ? app_top(a)->filter_before : "";

	if (f && f->list.search_shown) {
		f->list.search_shown = false;
	} else if (strcmp(a->filter, before) != 0) {
		app_set_filter(a, str_of(before));
	} else if (view_pop(a)) {
		a->dirty = true;
	} else if (f && f->list.pinned) {
		f->list.pinned = f->list.follow = false;
		list_update(&f->list, &f->table);
	} else {
		app_message(a, STYLE_DIM, "this is the first view; q quits");
	}
	a->dirty = true;
}

static void copy_row(struct app *a)
{
	struct frame *f = app_list_frame(a);
	const struct row *row = f ? list_selected(&f->list, &f->table) : NULL;

	if (!a->opt.clipboard) {
		app_message(a, STYLE_WARN, "copying is off ([screen] clipboard)");
		return;
	}
	if (!row) {
		app_message(a, STYLE_WARN, "no row is selected");
		return;
	}
	buf_clear(&a->effect_text);
	for (size_t i = 0; i < f->list.ncolumns; i++) {
		if (i > 0)
			buf_add_char(&a->effect_text, '\t');
		utf8_show_text(&a->effect_text, row->cells[i].text, !a->canvas.utf8);
	}
	a->effect = EFFECT_COPY;
	app_message(a, STYLE_NORMAL, "row sent to the terminal's clipboard (if it takes OSC 52)");
}

/* The pane with all its rows at full width, as plain text. */
static void make_lofi(struct app *a)
{
	struct frame *f = app_list_frame(a);
	struct canvas c;

	buf_clear(&a->effect_text);
	if (!f) {
		(void)!screen_text_write(app_draw(a), &a->effect_text);
	} else {
		struct rect head = f->list.head, body = f->list.body;
		size_t top = f->list.top;
		int page = f->list.page_rows, rows = CANVAS_MAX_ROWS;

		if (f->table.nrows + 16 < CANVAS_MAX_ROWS)
			rows = (int)f->table.nrows + 16;
		canvas_init(&c, LOFI_COLUMNS, rows, a->canvas.utf8);
		frame_draw(a, f, &c, (struct rect){0, 0, c.w, c.h}, false);
		(void)!screen_text_write(&c, &a->effect_text);
		canvas_done(&c);
		f->list.head = head;
		f->list.body = body;
		f->list.top = top;
		f->list.page_rows = page;
	}
	a->effect = EFFECT_LOFI;
}

static void open_number(struct app *a, int number)
{
	const struct pane_ops *pane = pane_by_number(number);

	if (number == 0) {
		view_home(a);
		return;
	}
	if (!pane) {
		app_message(a, STYLE_WARN, "no view has the number %d", number);
		return;
	}
	if (a->depth == 2 && app_top(a)->pane == pane)
		return;
	view_home(a);
	view_push(a, pane, NULL);
}

/* Tab in a full view: the next pane by number. */
static void next_pane(struct app *a, int direction)
{
	int number = app_top(a)->pane ? app_top(a)->pane->number : 0;

	for (int i = 0; i < 9; i++) {
		number = (number - 1 + direction + 9) % 9 + 1;
		if (pane_by_number(number)) {
			open_number(a, number);
			return;
		}
	}
}

static bool request_time(struct app *a, enum request req)
{
	if (req == REQ_WINDOW_NEXT)
		app_set_window(a, (a->window + 1) % app_window_count());
	else if (req == REQ_WINDOW_PREVIOUS)
		app_set_window(a, (a->window + app_window_count() - 1) % app_window_count());
	else if (req == REQ_STEP_BACK || req == REQ_STEP_FORWARD)
		step_time(a, req == REQ_STEP_BACK ? -1 : 1);
	else if (req == REQ_PAUSE)
		show_paused(a);
	else if (req == REQ_PROVIDER_NEXT || req == REQ_PROVIDER_PREVIOUS)
		step_provider(a, req == REQ_PROVIDER_NEXT ? 1 : -1);
	else if (req == REQ_FASTER || req == REQ_SLOWER)
		step_refresh(a, req == REQ_FASTER);
	else if (req == REQ_REFRESH)
		app_touch(a);
	else
		return false;
	return true;
}

static bool request_find(struct app *a, enum request req)
{
	if (req == REQ_SEARCH || req == REQ_TAG_PATTERN) {
		if (!app_list_frame(a))
			app_message(
				a, STYLE_DIM, "this pane is not a list: open one first (Enter)");
		else
			prompt_open(a, req == REQ_SEARCH ? PROMPT_SEARCH : PROMPT_TAG, "");
	} else if (req == REQ_FILTER) {
		prompt_open(a, PROMPT_FILTER, a->filter);
	} else if (req == REQ_COMMAND) {
		prompt_open(a, PROMPT_COMMAND, "");
	} else if (req == REQ_SEARCH_NEXT || req == REQ_SEARCH_PREVIOUS) {
		app_message(a, STYLE_WARN, "nothing found (search with /)");
	} else if (req == REQ_NEXT_ERROR || req == REQ_PREVIOUS_ERROR) {
		app_message(a, STYLE_DIM, "no failing row here");
	} else {
		return false;
	}
	return true;
}

static void begin_tagged(struct app *a)
{
	a->tagged_only = true;
	app_message(a, STYLE_NORMAL, "for the tagged rows: which action?");
}

static void request_general(struct app *a, enum request req)
{
	if (req == REQ_HELP)
		a->help = (struct help){.open = true};
	else if (req == REQ_SETUP)
		a->setup = (struct setup){.open = true};
	else if (req == REQ_QUIT_ALL || (req == REQ_QUIT && a->depth == 1))
		a->quit = true;
	else if (req == REQ_QUIT || (req == REQ_ZOOM && a->depth == 2))
		view_pop(a);
	else if (req == REQ_BACK)
		go_back(a);
	else if (req == REQ_PANE_NEXT || req == REQ_PANE_PREVIOUS)
		next_pane(a, req == REQ_PANE_NEXT ? 1 : -1);
	else if (req == REQ_TAGGED)
		begin_tagged(a);
	else if (req == REQ_COPY)
		copy_row(a);
	else if (req == REQ_LOFI)
		make_lofi(a);
	else if (req == REQ_REDRAW)
		a->effect = EFFECT_REDRAW;
	else
		action_begin(a, req);
	a->dirty = true;
}

void app_request(struct app *a, enum request req)
{
	struct frame *top = app_top(a), *f;
	unsigned res;
	size_t tags;

	if (req == REQ_NONE)
		return;
	if (top->pane && view_pane_request(a, top, req) != REQRES_NONE)
		return;
	if (top->pane && req == REQ_OPEN) {
		if (!view_enter(a, top))
			app_message(a, STYLE_DIM, "nothing behind this row");
		return;
	}
	if (!top->pane && overview_request(a, req))
		return;
	f = app_list_frame(a);
	if (f && top->pane && page_turn(a, f, req))
		return;
	tags = f ? f->list.tags.n : 0;
	res = f ? list_request(&f->list, &f->table, req) : (unsigned)REQRES_NONE;
	if (f && req == REQ_FOLLOW && res != REQRES_NONE)
		app_message(a, STYLE_NORMAL,
			f->list.follow ? "following this row wherever it goes"
				       : "no longer following the row");
	else if (f && req == REQ_UNTAG_ALL && tags == 0)
		app_message(a, STYLE_DIM, "no row is tagged");
	if (res & REQRES_REFRESH)
		app_touch(a);
	if (res != REQRES_NONE) {
		a->dirty = true;
		return;
	}
	if (!request_time(a, req) && !request_find(a, req))
		request_general(a, req);
}

static void mouse(struct app *a, const struct key_event *e)
{
	struct frame *f = app_list_frame(a);
	unsigned res;

	a->dirty = true;
	if (e->key != KEYCODE_MOUSE_CLICK) {
		if (!app_top(a)->pane) {
			overview_focus(a, e->x, e->y);
			f = app_list_frame(a);
		}
		if (f)
			list_scroll(&f->list, &f->table,
				e->key == KEYCODE_WHEEL_UP ? -WHEEL_ROWS : WHEEL_ROWS);
		else
			app_request(a, e->key == KEYCODE_WHEEL_UP ? REQ_UP : REQ_DOWN);
		return;
	}
	if (status_click(a, e->x, e->y))
		return;
	if (!app_top(a)->pane) {
		overview_click(a, e->x, e->y);
		return;
	}
	if (!f)
		return;
	res = list_click(&f->list, &f->table, e->x, e->y);
	if (res & REQRES_REFRESH)
		app_touch(a);
	if (res & REQRES_OPEN)
		app_request(a, REQ_OPEN);
}

void app_key(struct app *a, const struct key_event *e)
{
	bool after_prefix = a->tagged_only;

	a->message[0] = '\0';
	a->dirty = a->keyed = true;
	if (a->prompt.kind != PROMPT_NONE) {
		prompt_key(a, e);
		return;
	}
	if (e->pasted) /* a paste is text; here is no place for text */
		return;
	if (e->key == KEYCODE_MOUSE_CLICK || e->key == KEYCODE_WHEEL_UP ||
		e->key == KEYCODE_WHEEL_DOWN) {
		if (a->help.open)
			help_key(a, e->key == KEYCODE_WHEEL_UP ? KEYCODE_UP : KEYCODE_DOWN);
		else if (!a->setup.open)
			mouse(a, e);
		return;
	}
	if (a->help.open)
		help_key(a, e->key);
	else if (a->setup.open)
		setup_key(a, e->key);
	else if (e->key >= '0' && e->key <= '9')
		open_number(a, (int)(e->key - '0'));
	else
		app_request(a, key_request(e->key));
	if (after_prefix)
		a->tagged_only = false;
}
