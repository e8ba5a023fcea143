/* SPDX-License-Identifier: MIT */
/*
 * setup - F2: theme, mouse, characters, refresh interval, for this session, and under them the
 * configuration in force and the file it comes from, which mtatop never writes.
 */
#include "tui/app.h"

#include <stdio.h>

enum item { ITEM_THEME, ITEM_MOUSE, ITEM_UNICODE, ITEM_REFRESH, ITEM__COUNT };

#define VALUE_BYTES 32
#define KEY_COLUMNS 30 /* "[postfix out] follow_interval" */
#define CONF_VALUE_COLUMNS 26

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

static void draw_items(const struct app *a, struct canvas *c, struct rect in)
{
	static const char *const labels[ITEM__COUNT] = {"Theme", "Mouse", "Characters", "Refresh"};
	char value[VALUE_BYTES];

	for (int i = 0; i < ITEM__COUNT && i < in.h; i++) {
		bool at = i == a->setup.item;

		value_text(a, (enum item)i, value);
		canvas_printf(c, in.x + 1, in.y + i, in.w - 1, at ? STYLE_SELECTED : STYLE_NORMAL,
			"%c %-12s %s", at ? '>' : ' ', labels[i], value);
	}
}

struct conf_lines { /* the configuration, a key a line; those outside the page are only counted */
	struct canvas *c;
	struct rect r;
	int top, line;
};

static void conf_line(
	void *ctx, const struct conf_key *key, const char *instance, const char *value, bool is_set)
{
	struct conf_lines *l = ctx;
	int y = l->line++ - l->top, x = l->r.x + 1;
	char name[VALUE_BYTES * 4];

	if (y < 0 || y >= l->r.h)
		return;
	y += l->r.y;
	snprintf(name, sizeof(name), "[%s%s%s] %s", key->section, instance ? " " : "",
		instance ? instance : "", key->name);
	canvas_printf(l->c, x, y, KEY_COLUMNS, is_set ? STYLE_BOLD : STYLE_NORMAL, "%s", name);
	canvas_printf(l->c, x + KEY_COLUMNS + 1, y, CONF_VALUE_COLUMNS, STYLE_NORMAL, "%s",
		value[0] ? value : "-");
	x += KEY_COLUMNS + CONF_VALUE_COLUMNS + 2;
	canvas_printf(l->c, x, y, l->r.x + l->r.w - x, is_set ? STYLE_GOOD : STYLE_DIM, "%s",
		is_set ? "set" : "default");
	x += 9;
	canvas_printf(l->c, x, y, l->r.x + l->r.w - x, STYLE_DIM, "%s", key->help);
}

void setup_draw(struct app *a, struct canvas *c, struct rect r)
{
	struct rect in;
	struct conf_lines l;
	int last;

	canvas_fill(c, r, STYLE_NORMAL);
	in = canvas_box(c, r, true, STR_LIT("Setup"), STR_LIT("this session only"));
	if (in.w == 0)
		in = r;
	draw_items(a, c, in);
	in.y += ITEM__COUNT + 1;
	in.h -= ITEM__COUNT + 1;
	canvas_printf(c, in.x + 1, in.y, in.w - 1, STYLE_HEADER,
		"Configuration in force, for good in %s%s",
		a->opt.conf_path ? a->opt.conf_path : "mtatop.conf",
		a->opt.conf_path ? "" : " (there is none: all is default)");
	if (!a->opt.conf || in.h < 2)
		return;
	a->setup.page = in.h - 1;
	for (bool again = true; again;) { /* twice when the end has come nearer since */
		l = (struct conf_lines){c, {in.x, in.y + 1, in.w, a->setup.page}, a->setup.top, 0};
		canvas_fill(c, l.r, STYLE_NORMAL);
		conf_each(a->opt.conf, conf_line, &l);
		last = l.line > a->setup.page ? l.line - a->setup.page : 0;
		again = a->setup.top > last;
		a->setup.top = again ? last : a->setup.top;
	}
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
	else if (req == REQ_PAGE_DOWN || req == REQ_HALF_DOWN)
		a->setup.top += a->setup.page;
	else if (req == REQ_PAGE_UP || req == REQ_HALF_UP)
		a->setup.top = a->setup.top > a->setup.page ? a->setup.top - a->setup.page : 0;
	else if (req == REQ_QUIT_ALL)
		a->quit = true;
	else if (req == REQ_BACK || req == REQ_QUIT || req == REQ_SETUP)
		a->setup.open = false;
	a->dirty = true;
}
