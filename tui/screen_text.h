/* SPDX-License-Identifier: MIT */
/* screen_text - a canvas as plain text (--once, golden screens) and as style letters; no terminal needed. */
#ifndef MT_TUI_SCREEN_TEXT_H
#define MT_TUI_SCREEN_TEXT_H

#include "store/base/buf.h"
#include "tui/canvas.h"

/* screen_text_write - the rows, trailing blanks stripped, each ended by a newline. Returns 0 or the buffer's error. */
int screen_text_write(const struct canvas *c, struct buf *out) MT_MUST_CHECK;
/* screen_text_styles - one letter a cell (see screen_text.c), "." for normal; rows as above. */
int screen_text_styles(const struct canvas *c, struct buf *out) MT_MUST_CHECK;

#endif
