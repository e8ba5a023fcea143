/* SPDX-License-Identifier: MIT */
/*
 * canvas - the grid: cells, clip, text, boxes.
 *
 * Invariant: a wide glyph is one cell of width 2 followed by one of width 0; writing over either
 * half blanks the other, so a row always adds up to its columns. All bytes pass utf8_next_glyph.
 * Does not know terminals, themes or colours.
 */
#include "tui/canvas.h"

#include "store/base/buf.h"
#include "store/base/mem.h"
#include "store/base/utf8.h"
#include "tui/canvas_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define FAR_COLUMNS                                                                                \
	(1 << 28) /* places and widths beyond it are nowhere all the same; sums stay in an int */
#define PRINTF_MAX_BYTES 4096 /* of one formatted text: four times the widest canvas */

static int clamp(int v, int lo, int hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

void canvas_init(struct canvas *c, int w, int h, bool utf8)
{
	*c = (struct canvas){.utf8 = utf8};
	canvas_resize(c, w, h);
}

void canvas_done(struct canvas *c)
{
	free(c->cells);
	*c = (struct canvas){0};
}

void canvas_resize(struct canvas *c, int w, int h)
{
	w = clamp(w, 1, CANVAS_MAX_COLUMNS);
	h = clamp(h, 1, CANVAS_MAX_ROWS);
	if (!c->cells || w != c->w || h != c->h) {
		free(c->cells);
		c->cells = xcalloc((size_t)w * (size_t)h, sizeof(*c->cells));
	}
	c->w = w;
	c->h = h;
	canvas_clear(c);
}

static void blank(struct canvas_cell *cell, enum style style)
{
	*cell = (struct canvas_cell){.bytes = " ", .len = 1, .width = 1, .style = (uint8_t)style};
}

void canvas_clear(struct canvas *c)
{
	size_t n = (size_t)c->w * (size_t)c->h;

	c->clip = (struct rect){0, 0, c->w, c->h};
	for (size_t i = 0; i < n; i++)
		blank(&c->cells[i], STYLE_NORMAL);
}

/* The part of r inside of bounds; never negative. Wide arithmetic: a caller's rect may be anything. */
static struct rect intersect(struct rect r, struct rect bounds)
{
	int64_t x0 = r.x > bounds.x ? r.x : bounds.x, y0 = r.y > bounds.y ? r.y : bounds.y;
	int64_t rx1 = (int64_t)r.x + r.w, ry1 = (int64_t)r.y + r.h;
	int64_t bx1 = (int64_t)bounds.x + bounds.w, by1 = (int64_t)bounds.y + bounds.h;
	int64_t x1 = rx1 < bx1 ? rx1 : bx1, y1 = ry1 < by1 ? ry1 : by1;

	if (x1 <= x0 || y1 <= y0)
		return (struct rect){bounds.x, bounds.y, 0, 0};
	return (struct rect){(int)x0, (int)y0, (int)(x1 - x0), (int)(y1 - y0)};
}

struct rect canvas_clip(struct canvas *c, struct rect r)
{
	struct rect old = c->clip;

	c->clip = intersect(r, (struct rect){0, 0, c->w, c->h});
	return old;
}

static bool visible(const struct canvas *c, int x, int y)
{
	return x >= c->clip.x && x < c->clip.x + c->clip.w && y >= c->clip.y &&
	       y < c->clip.y + c->clip.h;
}

/* Blank the other half of a wide glyph that (x,y) is part of. */
static void unpair(struct canvas *c, int x, int y)
{
	struct canvas_cell *cell = &c->cells[(size_t)y * (size_t)c->w + (size_t)x];

	if (cell->width == 2 && x + 1 < c->w)
		blank(cell + 1, (enum style)cell->style);
	else if (cell->width == 0 && x > 0)
		blank(cell - 1, (enum style)cell->style);
}

void canvas_put(
	struct canvas *c, int x, int y, enum style style, const char *bytes, size_t len, int width)
{
	struct canvas_cell *cell;

	if (width == 2 && (!visible(c, x, y) || !visible(c, x + 1, y))) {
		canvas_put(c, x, y, style, " ", 1, 1);
		canvas_put(c, x + 1, y, style, " ", 1, 1);
		return;
	}
	if (!visible(c, x, y) || len >= sizeof(cell->bytes))
		return;
	unpair(c, x, y);
	cell = &c->cells[(size_t)y * (size_t)c->w + (size_t)x];
	*cell = (struct canvas_cell){
		.len = (uint8_t)len, .width = (uint8_t)width, .style = (uint8_t)style};
	memcpy(cell->bytes, bytes, len);
	if (width == 2) {
		unpair(c, x + 1, y);
		cell[1] = (struct canvas_cell){.style = (uint8_t)style};
	}
}

void canvas_put_z(struct canvas *c, int x, int y, enum style style, const char *utf8, char ascii)
{
	if (c->utf8)
		canvas_put(c, x, y, style, utf8, strlen(utf8), 1);
	else
		canvas_put(c, x, y, style, &ascii, 1, 1);
}

int canvas_text(struct canvas *c, int x, int y, int width, enum style style, struct str bytes)
{
	struct utf8_show show;
	struct utf8_glyph g;
	int used = 0;

	if (width <= 0)
		return 0;
	x = clamp(x, -FAR_COLUMNS, FAR_COLUMNS);
	width = clamp(width, 1, FAR_COLUMNS);
	utf8_show_init(&show, bytes, !c->utf8);
	while (utf8_next_glyph(&show, &g)) {
		if (used + g.width > width) {
			for (int i = used; i < width; i++)
				canvas_put(c, x + i, y, style, " ", 1, 1);
			canvas_put_z(c, x + width - 1, y, style, "\xe2\x80\xa6", '~');
			return width;
		}
		canvas_put(
			c, x + used, y, g.escaped ? STYLE_ESCAPED : style, g.bytes, g.len, g.width);
		used += g.width;
	}
	return used;
}

int canvas_number(struct canvas *c, int x, int y, int width, enum style style, struct str bytes)
{
	size_t columns = utf8_show_width(bytes, !c->utf8);

	if (width <= 0)
		return 0;
	x = clamp(x, -FAR_COLUMNS, FAR_COLUMNS);
	width = clamp(width, 1, FAR_COLUMNS);
	if (columns > (size_t)width) {
		for (int i = 0; i < width; i++)
			canvas_put(c, x + i, y, style, "#", 1, 1);
		return width;
	}
	canvas_text(c, x + width - (int)columns, y, (int)columns, style, bytes);
	return width;
}

/* Our own typography where the terminal has none; strangers' text loses nothing but a dot's height. */
static void fold_ascii(struct buf *out, struct str in)
{
	static const struct {
		const char *from, *to;
	} folds[] = {
		{"\xc2\xb7", "."},
		{"\xe2\x80\x93", "-"},
		{"\xe2\x80\x94", "-"},
		{"\xe2\x80\xa6", "~"},
		{"\xe2\x96\xb2", "^"},
		{"\xe2\x96\xbc", "v"},
		{"\xe2\x86\x91", "^"},
		{"\xe2\x86\x93", "v"},
		{"\xe2\x86\x92", ">"},
		{"\xe2\x86\x90", "<"},
		{"\xc3\x97", "x"},
		{"\xe2\x89\xa5", ">="},
		{"\xe2\x89\xa4", "<="},
		{"\xce\x94", "d"},
	};

	while (in.n > 0) {
		size_t i;

		for (i = 0; i < sizeof(folds) / sizeof(folds[0]); i++)
			if (str_starts(in, str_of(folds[i].from)))
				break;
		if (i < sizeof(folds) / sizeof(folds[0])) {
			buf_add_z(out, folds[i].to);
			in = str_skip(in, strlen(folds[i].from));
		} else {
			buf_add_char(out, in.p[0]);
			in = str_skip(in, 1);
		}
	}
}

int canvas_printf(struct canvas *c, int x, int y, int width, enum style style, const char *fmt, ...)
{
	char text[PRINTF_MAX_BYTES];
	struct buf folded;
	va_list ap;
	int n, used;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0)
		return 0;
	if (c->utf8)
		return canvas_text(c, x, y, width, style, str_of(text));
	buf_init(&folded, sizeof(text));
	fold_ascii(&folded, str_of(text));
	used = canvas_text(c, x, y, width, style, buf_str(&folded));
	buf_done(&folded);
	return used;
}

void canvas_fill(struct canvas *c, struct rect r, enum style style)
{
	r = intersect(r, c->clip);
	for (int y = r.y; y < r.y + r.h; y++)
		for (int x = r.x; x < r.x + r.w; x++)
			canvas_put(c, x, y, style, " ", 1, 1);
}

void canvas_restyle(struct canvas *c, struct rect r, enum style style)
{
	r = intersect(r, c->clip);
	for (int y = r.y; y < r.y + r.h; y++)
		for (int x = r.x; x < r.x + r.w; x++)
			c->cells[(size_t)y * (size_t)c->w + (size_t)x].style = (uint8_t)style;
}

/* Lines of a box: thin, or heavy where the keys go ("=" in ASCII), so that colour alone does not say it. */
static void box_lines(struct canvas *c, struct rect r, bool focused, enum style style)
{
	const char *across = focused ? "\xe2\x94\x81" : "\xe2\x94\x80",
		   *down = focused ? "\xe2\x94\x83" : "\xe2\x94\x82";
	int right = r.x + r.w - 1, bottom = r.y + r.h - 1;

	for (int x = r.x + 1; x < right; x++) {
		canvas_put_z(c, x, r.y, style, across, focused ? '=' : '-');
		canvas_put_z(c, x, bottom, style, across, focused ? '=' : '-');
	}
	for (int y = r.y + 1; y < bottom; y++) {
		canvas_put_z(c, r.x, y, style, down, '|');
		canvas_put_z(c, right, y, style, down, '|');
	}
	canvas_put_z(c, r.x, r.y, style, focused ? "\xe2\x94\x8f" : "\xe2\x94\x8c", '+');
	canvas_put_z(c, right, r.y, style, focused ? "\xe2\x94\x93" : "\xe2\x94\x90", '+');
	canvas_put_z(c, r.x, bottom, style, focused ? "\xe2\x94\x97" : "\xe2\x94\x94", '+');
	canvas_put_z(c, right, bottom, style, focused ? "\xe2\x94\x9b" : "\xe2\x94\x98", '+');
}

struct rect canvas_box(
	struct canvas *c, struct rect r, bool focused, struct str title, struct str note)
{
	enum style style = focused ? STYLE_KEY : STYLE_BORDER;
	int room, used, columns;

	if (r.w < 2 || r.h < 2)
		return (struct rect){r.x, r.y, 0, 0};
	room = r.w - 4;
	box_lines(c, r, focused, style);
	if (room > 0 && title.n > 0) {
		used = canvas_text(c, r.x + 2, r.y, room, focused ? STYLE_KEY : STYLE_TITLE, title);
		canvas_put(c, r.x + 1, r.y, style, " ", 1, 1);
		canvas_put(c, r.x + 2 + used, r.y, style, " ", 1, 1);
		room -= used + 3;
	}
	columns = (int)utf8_show_width(note, !c->utf8);
	if (note.n > 0 && columns <= room) { /* a note is figures: whole or not at all */
		canvas_text(c, r.x + r.w - 2 - columns, r.y, columns, STYLE_NORMAL, note);
		canvas_put(c, r.x + r.w - 3 - columns, r.y, style, " ", 1, 1);
		canvas_put(c, r.x + r.w - 2, r.y, style, " ", 1, 1);
	}
	return (struct rect){r.x + 1, r.y + 1, r.w - 2, r.h - 2};
}
