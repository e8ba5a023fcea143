/* SPDX-License-Identifier: MIT */
/* screen_style - what each style looks like in each theme, in terms any terminal library has. */
#ifndef MT_TUI_SCREEN_STYLE_H
#define MT_TUI_SCREEN_STYLE_H

#include "tui/app.h"

struct screen_style {
	int fg, bg; /* 0..15 of the terminal's own palette, -1 = its default */
	bool bold, dim, reverse, underline;
};

/* screen_style - look of a style; static storage. */
const struct screen_style *screen_style(enum app_theme theme, enum style style);

#endif
