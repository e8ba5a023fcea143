/* SPDX-License-Identifier: MIT */
/* layout - where the tiles of the overview go: a pure function of the area and the tiles' hints. */
#ifndef MT_TUI_LAYOUT_H
#define MT_TUI_LAYOUT_H

#include "tui/pane.h"

#define LAYOUT_TILES_MAX 16

/*
 * layout_tiles - place tiles in area.
 * hints   n tiles in the order they are to be read (left to right, top to bottom).
 * out     n rectangles; w 0 = dropped for want of room. At least the tile of priority 1 is placed when the
 *         area is not empty; rectangles never overlap and never leave the area.
 * Returns the number placed.
 */
size_t layout_tiles(struct rect area, const struct tile_hint *hints, size_t n, struct rect *out);

#endif
