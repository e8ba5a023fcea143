/* SPDX-License-Identifier: MIT */
/*
 * screen_style - the themes. The first 16 colours are the person's own palette, the background is
 * the terminal's. Colour never stands alone: what it says is also a word, a mark or a place.
 */
#include "tui/screen_style.h"

enum { BLACK, RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN, WHITE, BRIGHT = 8 };

#define PLAIN                                                                                      \
	{                                                                                          \
		.fg = -1, .bg = -1                                                                 \
	}

static const struct screen_style themes[THEME__COUNT][STYLE__COUNT] =
	{
		[THEME_DEFAULT] =
			{
				[STYLE_NORMAL] = PLAIN,
				[STYLE_DIM] = {.fg = BRIGHT + BLACK, .bg = -1},
				[STYLE_BOLD] = {.fg = -1, .bg = -1, .bold = true},
				[STYLE_TITLE] = {.fg = -1, .bg = -1, .bold = true},
				[STYLE_BORDER] = {.fg = BRIGHT + BLACK, .bg = -1},
				[STYLE_HEADER] = {.fg = CYAN, .bg = -1, .underline = true},
				[STYLE_KEY] = {.fg = CYAN, .bg = -1, .bold = true},
				[STYLE_GOOD] = {.fg = GREEN, .bg = -1},
				[STYLE_WARN] = {.fg = YELLOW, .bg = -1},
				[STYLE_BAD] = {.fg = RED, .bg = -1, .bold = true},
				[STYLE_SELECTED] = {.fg = -1, .bg = -1, .reverse = true},
				[STYLE_TAGGED] = {.fg = YELLOW, .bg = -1, .bold = true},
				[STYLE_MATCH] = {.fg = BLACK, .bg = YELLOW},
				[STYLE_ESCAPED] = {.fg = MAGENTA, .bg = -1, .underline = true},
				[STYLE_GRAPH] = {.fg = GREEN, .bg = -1},
				[STYLE_GRAPH2] = {.fg = BLUE, .bg = -1},
				[STYLE_TAB] = PLAIN,
				[STYLE_TAB_ACTIVE] =
					{.fg = -1, .bg = -1, .bold = true, .reverse = true},
				[STYLE_STATUS] = PLAIN,
			},
		[THEME_CONTRAST] =
			{
				[STYLE_NORMAL] = {.fg = BRIGHT + WHITE, .bg = BLACK},
				[STYLE_DIM] = {.fg = WHITE, .bg = BLACK},
				[STYLE_BOLD] = {.fg = BRIGHT + WHITE, .bg = BLACK, .bold = true},
				[STYLE_TITLE] = {.fg = BRIGHT + WHITE, .bg = BLACK, .bold = true},
				[STYLE_BORDER] = {.fg = WHITE, .bg = BLACK},
				[STYLE_HEADER] = {.fg = BRIGHT + WHITE,
					.bg = BLACK,
					.bold = true,
					.underline = true},
				[STYLE_KEY] = {.fg = BRIGHT + CYAN, .bg = BLACK, .bold = true},
				[STYLE_GOOD] = {.fg = BRIGHT + GREEN, .bg = BLACK, .bold = true},
				[STYLE_WARN] = {.fg = BRIGHT + YELLOW, .bg = BLACK, .bold = true},
				[STYLE_BAD] = {.fg = BRIGHT + WHITE, .bg = RED, .bold = true},
				[STYLE_SELECTED] = {.fg = BLACK,
					.bg = BRIGHT + WHITE,
					.bold = true},
				[STYLE_TAGGED] = {.fg = BLACK, .bg = BRIGHT + YELLOW},
				[STYLE_MATCH] = {.fg = BLACK, .bg = BRIGHT + CYAN},
				[STYLE_ESCAPED] =
					{.fg = BRIGHT + MAGENTA, .bg = BLACK, .underline = true},
				[STYLE_GRAPH] = {.fg = BRIGHT + GREEN, .bg = BLACK},
				[STYLE_GRAPH2] = {.fg = BRIGHT + CYAN, .bg = BLACK},
				[STYLE_TAB] = {.fg = BRIGHT + WHITE, .bg = BLACK},
				[STYLE_TAB_ACTIVE] =
					{.fg = BLACK, .bg = BRIGHT + WHITE, .bold = true},
				[STYLE_STATUS] = {.fg = BRIGHT + WHITE, .bg = BLACK},
			},
		[THEME_MONO] =
			{
				[STYLE_NORMAL] = PLAIN,
				[STYLE_DIM] = {.fg = -1, .bg = -1, .dim = true},
				[STYLE_BOLD] = {.fg = -1, .bg = -1, .bold = true},
				[STYLE_TITLE] = {.fg = -1, .bg = -1, .bold = true},
				[STYLE_BORDER] = {.fg = -1, .bg = -1, .dim = true},
				[STYLE_HEADER] = {.fg = -1, .bg = -1, .underline = true},
				[STYLE_KEY] = {.fg = -1, .bg = -1, .bold = true},
				[STYLE_GOOD] = PLAIN,
				[STYLE_WARN] = {.fg = -1, .bg = -1, .bold = true},
				[STYLE_BAD] = {.fg = -1, .bg = -1, .bold = true, .underline = true},
				[STYLE_SELECTED] = {.fg = -1, .bg = -1, .reverse = true},
				[STYLE_TAGGED] = {.fg = -1, .bg = -1, .bold = true},
				[STYLE_MATCH] = {.fg = -1, .bg = -1, .reverse = true, .bold = true},
				[STYLE_ESCAPED] = {.fg = -1, .bg = -1, .underline = true},
				[STYLE_GRAPH] = PLAIN,
				[STYLE_GRAPH2] = {.fg = -1, .bg = -1, .dim = true},
				[STYLE_TAB] = PLAIN,
				[STYLE_TAB_ACTIVE] =
					{.fg = -1, .bg = -1, .bold = true, .reverse = true},
				[STYLE_STATUS] = PLAIN,
			},
};

const struct screen_style *screen_style(enum app_theme theme, enum style style)
{
	return &themes[theme][style];
}
