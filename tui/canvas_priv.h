/* SPDX-License-Identifier: MIT */
/* canvas_priv - what canvas_graph.c needs of canvas.c; no one else includes it. */
#ifndef MT_TUI_CANVAS_PRIV_H
#define MT_TUI_CANVAS_PRIV_H

#include "tui/canvas.h"

/* canvas_put - one shown glyph of 1 or 2 columns; bytes must already be safe. Dropped outside of the clip. */
void canvas_put(
	struct canvas *c, int x, int y, enum style style, const char *bytes, size_t len, int width);
/* canvas_put_z - one column: the UTF-8 form, or its ASCII stand-in. */
void canvas_put_z(struct canvas *c, int x, int y, enum style style, const char *utf8, char ascii);

#endif
