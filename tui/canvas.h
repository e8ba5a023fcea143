/* SPDX-License-Identifier: MIT */
/*
 * canvas - a grid of cells: the only way to the screen and the only sanitiser on that way.
 *
 * Drawing outside the grid or the clip is dropped, so a pane may draw at any size. A canvas is
 * turned into curses output by screen_curses, into plain text (--once, golden screens) by screen_text.
 */
#ifndef MT_TUI_CANVAS_H
#define MT_TUI_CANVAS_H

#include "store/base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum style { /* meaning, not colour: the theme maps them; never colour alone carries a meaning */
	STYLE_NORMAL,
	STYLE_DIM,
	STYLE_BOLD,
	STYLE_TITLE,
	STYLE_BORDER,
	STYLE_HEADER,
	STYLE_KEY,
	STYLE_GOOD,
	STYLE_WARN,
	STYLE_BAD,
	STYLE_SELECTED,
	STYLE_TAGGED,
	STYLE_MATCH,
	STYLE_ESCAPED,
	STYLE_GRAPH,
	STYLE_GRAPH2,
	STYLE_TAB,
	STYLE_TAB_ACTIVE,
	STYLE_STATUS,
	STYLE__COUNT
};

struct rect {
	int x, y, w, h;
};

struct canvas_cell {
	char bytes[20];
	uint8_t len, width;
	uint8_t style; /* width 0: right half of a wide cell */
};

struct canvas {
	int w, h;
	bool utf8; /* false: ASCII only */
	struct canvas_cell *cells; /* owned, w*h */
	struct rect clip;
};

/* canvas_init / canvas_done - caller's storage. canvas_resize clears. Sizes are clamped to 1..CANVAS_MAX. */
#define CANVAS_MAX_COLUMNS 1000
#define CANVAS_MAX_ROWS 500
void canvas_init(struct canvas *c, int w, int h, bool utf8);
void canvas_done(struct canvas *c);
void canvas_resize(struct canvas *c, int w, int h);
void canvas_clear(struct canvas *c);
/* canvas_clip - restrict drawing to r (intersected with the grid); returns the old clip to restore. */
struct rect canvas_clip(struct canvas *c, struct rect r);
/* canvas_text - shown form of bytes from (x,y), at most width columns; a longer text ends in "…" ("~" in ASCII).
 * Returns the columns used. */
int canvas_text(struct canvas *c, int x, int y, int width, enum style style, struct str bytes);
/* canvas_number - like canvas_text, right-aligned, but a text that does not fit is replaced by '#'s: a figure
 * is never cut in the middle. */
int canvas_number(struct canvas *c, int x, int y, int width, enum style style, struct str bytes);
/* canvas_printf - formatted, for our own words and numbers (strangers' bytes are made safe all the same). */
int canvas_printf(struct canvas *c, int x, int y, int width, enum style style, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));
/* canvas_fill - style (and blank) a rectangle. canvas_restyle - change style only. */
void canvas_fill(struct canvas *c, struct rect r, enum style style);
void canvas_restyle(struct canvas *c, struct rect r, enum style style);
/* canvas_box - border with a title at the left and a note at the right of its top line. Returns the inside. */
struct rect canvas_box(
	struct canvas *c, struct rect r, bool focused, struct str title, struct str note);
/* canvas_spark - one-line sparkline of values scaled to max (0 = own maximum); EVENT_UNKNOWN = gap "·". */
void canvas_spark(struct canvas *c, int x, int y, int width, enum style style, const int64_t *v,
	size_t n, int64_t max);
/* canvas_graph - area graph (braille, or .:|# in ASCII) of values, newest at the right. Returns the scale's maximum. */
int64_t canvas_graph(struct canvas *c, struct rect r, enum style style, const int64_t *v, size_t n);
/* canvas_chart - canvas_graph with its scale at the left: the maximum at the top, 0 at the bottom, in CHART_SCALE
 * columns. Without room for the scale the graph alone. */
#define CHART_SCALE 6
void canvas_chart(struct canvas *c, struct rect r, enum style style, const int64_t *v, size_t n);
/* canvas_time_axis - under a graph of CHART_SCALE and width: how long ago its left end, its middle and "now" (or
 * `end`) are. One line; words are left out rather than cut. */
void canvas_time_axis(struct canvas *c, int x, int y, int width, int64_t span_ms, const char *end);
/* canvas_bar - horizontal bar part/whole. canvas_shade - heat cell 0..4 of intensity. */
void canvas_bar(
	struct canvas *c, int x, int y, int width, enum style style, int64_t part, int64_t whole);
void canvas_shade(struct canvas *c, int x, int y, int width, int level);

#endif
