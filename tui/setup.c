/* SPDX-License-Identifier: MIT */
/*
 * setup - the F2 box: theme, mouse, characters, refresh interval, for this session. What should
 * last is said in the configuration file, which the box names and mtatop never writes.
 */
#include "tui/app.h"

#include <stdio.h>

enum item { ITEM_THEME, ITEM_MOUSE, ITEM_UNICODE, ITEM_REFRESH, ITEM__COUNT };

#define BOX_COLUMNS 62
#define BOX_ROWS 9
#define VALUE_BYTES 32

static const char *const theme_names[THEME__COUNT] = {"default", "contrast", "mono"};
static const int64_t intervals_ms[] = {250, 500, 1000, 2000, 5000, 10000, 30000, 60000};
#define INTERVALS ((int)(sizeof(intervals_ms) / sizeof(intervals_ms[0])))

static void value_text(const struct app *a, enum item item, char *out)
{
	const char *text = "";

	if (item == ITEM_REFRESH) {
		snprintf(out, VALUE_BYTES, "every %g s at most", (double)a->refresh_ms / 1000);
		return;
	}
	if (item == ITEM_THEME)
		text = theme_names[a->opt.theme];
	else if (item == ITEM_MOUSE)
		text = a->opt.mouse ? "on" : "off";
	else
		text = a->canvas.utf8 ? "UTF-8, braille graphs" : "ASCII only";
	snprintf(out, VALUE_BYTES, "%s", text);
}

void setup_draw(struct app *a, struct canvas *c, struct rect r)
{
	static const char *const labels[ITEM__COUNT] = {"Theme", "Mouse", "Characters", "Refresh"};
	struct rect box = {r.x + (r.w - BOX_COLUMNS) / 2, r.y + (r.h - BOX_ROWS) / 2, BOX_COLUMNS,
			    BOX_ROWS},
		    in;
	char value[VALUE_BYTES];

	if (box.x < r.x || box.y < r.y)
		box = r;
	canvas_fill(c, box, STYLE_NORMAL);
	in = canvas_box(c, box, true, STR_LIT("Setup"), STR_LIT("this session only"));
	for (int i = 0; i < ITEM__COUNT; i++) {
		bool at = i == a->setup.item;

		value_text(a, (enum item)i, value);
		canvas_printf(c, in.x + 1, in.y + i, in.w - 1, at ? STYLE_SELECTED : STYLE_NORMAL,
			"%c %-12s %s", at ? '>' : ' ', labels[i], value);
	}
	canvas_printf(c, in.x + 1, in.y + ITEM__COUNT + 1, in.w - 1, STYLE_DIM,
		"Up Down: choose   Left Right Enter: change   Esc: close");
	canvas_printf(c, in.x + 1, in.y + ITEM__COUNT + 2, in.w - 1, STYLE_DIM, "for good: %s",
		a->opt.conf_path ? a->opt.conf_path : "mtatop.conf");
}

static void change_refresh(struct app *a, int direction)
{
	int at = 0;

	while (at + 1 < INTERVALS && intervals_ms[at] < a->refresh_ms)
		at++;
	at = (at + direction + INTERVALS) % INTERVALS;
	a->refresh_ms = intervals_ms[at];
}

static void change(struct app *a, int direction)
{
	if (a->setup.item == ITEM_THEME)
		a->opt.theme = (enum app_theme)(
			((int)a->opt.theme + direction + THEME__COUNT) % THEME__COUNT);
	else if (a->setup.item == ITEM_MOUSE)
		a->opt.mouse = !a->opt.mouse;
	else if (a->setup.item == ITEM_UNICODE && (a->canvas.utf8 || a->opt.utf8))
		a->canvas.utf8 = !a->canvas.utf8;
	else if (a->setup.item == ITEM_UNICODE)
		app_message(a, STYLE_WARN, "this terminal's locale is not UTF-8 (LANG, LC_ALL)");
	else
		change_refresh(a, direction);
	app_touch(a);
}

void setup_key(struct app *a, int32_t key)
{
	enum request req = key_request(key);

	if (req == REQ_UP || req == REQ_DOWN)
		a->setup.item =
			(a->setup.item + (req == REQ_DOWN ? 1 : ITEM__COUNT - 1)) % ITEM__COUNT;
	else if (req == REQ_RIGHT || req == REQ_OPEN || req == REQ_TAG)
		change(a, 1);
	else if (req == REQ_LEFT)
		change(a, -1);
	else if (req == REQ_QUIT_ALL)
		a->quit = true;
	else if (req == REQ_BACK || req == REQ_QUIT || req == REQ_SETUP)
		a->setup.open = false;
	a->dirty = true;
}
