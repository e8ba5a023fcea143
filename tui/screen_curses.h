/* SPDX-License-Identifier: MIT */
/*
 * screen_curses - the terminal: one at a time, opened once, restored on every way out.
 */
#ifndef MT_TUI_SCREEN_CURSES_H
#define MT_TUI_SCREEN_CURSES_H

#include "store/base/err.h"
#include "tui/app.h"

struct screen;

struct screen_options {
	enum app_theme theme;
	bool color; /* false: --no-color, NO_COLOR */
	bool mouse;
};

/* screen_usable - can TERM be drawn on? false: *reterr says why (unset, dumb, unknown, lacks cursor addressing). */
bool screen_usable(struct mt_error *reterr);
/* screen_open - take the terminal over. MT_ENOTSUP as screen_usable; MT_EIO. Gives *ret. */
int screen_open(const struct screen_options *options, struct screen **ret,
	struct mt_error *reterr) MT_MUST_CHECK;
/* screen_close - give the terminal back as it was. NULL accepted. */
void screen_close(struct screen *s);
/* screen_size - columns and rows now (asks the terminal, so call it after SIGWINCH too). */
void screen_size(struct screen *s, int *ret_w, int *ret_h);
/* screen_options_set - theme, colour or mouse changed in setup. */
void screen_options_set(struct screen *s, const struct screen_options *options);
/* screen_draw - bring the terminal to what c shows; writes nothing when nothing differs. all: write every cell. */
void screen_draw(struct screen *s, const struct canvas *c, bool all);
/* screen_key - next key or mouse event without waiting; false: none for now. */
bool screen_key(struct screen *s, struct key_event *ret);
/* screen_check_lost - has the terminal gone? Ask when poll reports input and screen_key has none. */
bool screen_check_lost(struct screen *s);
/* screen_suspend / screen_resume - around a stop (SIGTSTP) or plain output. */
void screen_suspend(struct screen *s);
void screen_resume(struct screen *s);
/* screen_bell - ring it. */
void screen_bell(struct screen *s);
/* screen_copy - OSC 52 with text, which must be shown text already (no control bytes; others are dropped). */
void screen_copy(struct screen *s, struct str text);
/* screen_emergency - restore the terminal from a crash handler: async-signal-safe, no curses. */
void screen_emergency(void);

#endif
