/* SPDX-License-Identifier: MIT */
/* loop - the life of the interactive screen: keys, commits, signals and time, in one poll. */
#ifndef MT_TUI_LOOP_H
#define MT_TUI_LOOP_H

#include "tui/app.h"
#include "tui/dashboard.h"
#include "tui/screen_curses.h"

/* loop_run - until the user quits, a signal ends it or the terminal is gone. 0, MT_EIO. */
int loop_run(struct app *a, struct screen *s, const struct dashboard_options *o, bool color,
	struct mt_error *reterr) MT_MUST_CHECK;
/* loop_end_grace - call when the terminal is given back: from SIGTERM, HUP, INT or QUIT until here the program ends by
 * force after two seconds, should the terminal take no output. */
void loop_end_grace(void);
/* script_run - drive the app by the steps of a file, without a terminal, for tests:
 *   size COLUMNSxROWS | key NAME... | text TEXT | wait TEXT | gone TEXT | save FILE | styles FILE | quit
 * A step is taken when nothing is left to read. MT_ENOENT, MT_EINVAL (named line), MT_EIO (a wait of 20 s). */
int script_run(
	struct app *a, const char *path, int notify_fd, struct mt_error *reterr) MT_MUST_CHECK;

#endif
