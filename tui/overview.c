/* SPDX-License-Identifier: MIT */
/*
 * overview - the first view: a tile for each pane that has one, laid out by layout.c.
 *
 * Panes without a tile of their own but with columns show their list. Focus is a tile that is shown.
 */
#include "tui/app.h"

#include <stdio.h>

#define TILE_NOTE_BYTES 64
#define NUMBER_LAST 9 /* of the number keys */

/* In the order of the number keys, panes without one last; those that take the rows left over under the others. */
static void open_tiles(struct app *a, bool growing)
{
	struct overview *o = &a->overview;

	for (int number = 1; number <= NUMBER_LAST + 1; number++) {
		for (size_t i = 0; pane_table[i] && o->n < LAYOUT_TILES_MAX; i++) {
			const struct pane_ops *pane = pane_table[i];

			if (pane->wants_tile && !pane->wants_tile(a->opt.warmups))
				continue;
			if ((pane->number ? pane->number : NUMBER_LAST + 1) == number &&
				pane->tile_hint.priority > 0 && pane->tile_hint.grows == growing)
				frame_open(a, &o->tiles[o->n++], pane, NULL);
		}
	}
}

void overview_init(struct app *a)
{
	open_tiles(a, false);
	open_tiles(a, true);
}

void overview_done(struct app *a)
{
	for (size_t i = 0; i < a->overview.n; i++)
		frame_close(&a->overview.tiles[i]);
	a->overview.n = 0;
}

void overview_read(struct app *a)
{
	struct overview *o = &a->overview;

	for (size_t i = 0; i < o->n; i++) {
		if (!o->laid_out || o->rects[i].w > 0)
			frame_read(a, &o->tiles[i]);
		else
			o->tiles[i].read = false; /* read again when there is room for it */
	}
}

void overview_end(struct app *a, bool keep)
{
	for (size_t i = 0; i < a->overview.n; i++)
		if (keep)
			frame_keep(&a->overview.tiles[i]);
		else
			frame_undo(&a->overview.tiles[i]);
}

static bool list_tile(const struct frame *f)
{
	return !f->pane->tile && f->pane->columns;
}

static void draw_tile(struct app *a, struct frame *f, struct canvas *c, struct rect r, bool focused)
{
	char title[APP_LABEL_BYTES], note[TILE_NOTE_BYTES] = "";
	struct rect in, old;
	struct view v;

	if (f->pane->number > 0)
		snprintf(title, sizeof(title), "%d %s", f->pane->number, f->pane->title);
	else
		snprintf(title, sizeof(title), "%s", f->pane->title);
	in = (struct rect){r.x + 1, r.y + 1, r.w - 2, r.h - 2};
	old = canvas_clip(c, in);
	if (f->failed || list_tile(f)) {
		frame_draw(a, f, c, in, focused && f->list.pinned && !a->opt.once);
	} else if (f->pane->tile && in.w > 0 && in.h > 0) {
		frame_view(a, f, &v);
		f->pane->tile(f->state, &v, &f->table, c, in, note, sizeof(note));
	}
	c->clip = old;
	canvas_box(c, r, focused && !a->opt.once, str_of(title), str_of(note));
}

static void keep_focus_shown(struct overview *o)
{
	for (size_t i = 0; i < o->n && o->rects[o->focus].w == 0; i++)
		o->focus = (o->focus + 1) % o->n;
}

void overview_draw(struct app *a, struct canvas *c, struct rect r)
{
	struct overview *o = &a->overview;
	struct tile_hint hints[LAYOUT_TILES_MAX];

	for (size_t i = 0; i < o->n; i++)
		hints[i] = o->tiles[i].pane->tile_hint;
	layout_tiles(r, hints, o->n, o->rects);
	if (o->n == 0) {
		canvas_printf(c, r.x + 1, r.y, r.w - 1, STYLE_DIM, "no panes are built in");
		return;
	}
	o->laid_out = true;
	keep_focus_shown(o);
	for (size_t i = 0; i < o->n; i++) {
		if (o->rects[i].w == 0)
			continue;
		draw_tile(a, &o->tiles[i], c, o->rects[i], i == o->focus);
		if (!o->tiles[i].read)
			app_touch(a);
	}
}

/* The tile that holds (x,y); n if none does. */
static size_t tile_at(const struct overview *o, int x, int y)
{
	for (size_t i = 0; i < o->n; i++) {
		const struct rect *r = &o->rects[i];

		if (r->w > 0 && x >= r->x && x < r->x + r->w && y >= r->y && y < r->y + r->h)
			return i;
	}
	return o->n;
}

static void move_focus(struct overview *o, bool back)
{
	for (size_t i = 0; i < o->n; i++) {
		o->focus = (o->focus + (back ? o->n - 1 : 1)) % o->n;
		if (o->rects[o->focus].w > 0)
			return;
	}
}

/* Open the focused pane; its cursor starts on the row the tile had under its own. */
static void zoom(struct app *a)
{
	struct frame *f = &a->overview.tiles[a->overview.focus];
	bool pinned = list_tile(f) && f->list.pinned;
	uint64_t id = f->list.selected;

	if (!view_push(a, f->pane, NULL))
		return;
	if (pinned) {
		app_top(a)->list.pinned = true;
		app_top(a)->list.selected = id;
	}
}

static bool plain_move(enum request req)
{
	return req == REQ_UP || req == REQ_DOWN || req == REQ_LEFT || req == REQ_RIGHT;
}

bool overview_request(struct app *a, enum request req)
{
	struct overview *o = &a->overview;
	struct frame *f = &o->tiles[o->focus];

	if (o->n == 0)
		return false;
	a->dirty = true;
	if (req == REQ_PANE_NEXT || req == REQ_PANE_PREVIOUS) {
		move_focus(o, req == REQ_PANE_PREVIOUS);
	} else if (req == REQ_ZOOM) {
		zoom(a);
	} else if (req == REQ_OPEN) {
		if (!(list_tile(f) && f->list.pinned && view_enter(a, f)))
			zoom(a);
	} else if (!list_tile(f) && plain_move(req)) {
		move_focus(o, req == REQ_UP || req == REQ_LEFT);
	} else {
		return false;
	}
	return true;
}

void overview_focus(struct app *a, int x, int y)
{
	size_t i = tile_at(&a->overview, x, y);

	if (i < a->overview.n)
		a->overview.focus = i;
}

bool overview_click(struct app *a, int x, int y)
{
	struct overview *o = &a->overview;
	size_t i = tile_at(o, x, y);
	bool again = i == o->focus;
	unsigned res = REQRES_NONE;

	if (i == o->n)
		return false;
	o->focus = i;
	a->dirty = true;
	if (list_tile(&o->tiles[i]))
		res = list_click(&o->tiles[i].list, &o->tiles[i].table, x, y);
	if (res & REQRES_REFRESH)
		app_touch(a);
	if ((res & REQRES_OPEN) || (again && res == REQRES_NONE))
		overview_request(a, REQ_OPEN);
	return true;
}
