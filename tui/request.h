/* SPDX-License-Identifier: MIT */
/* request - what keys mean. Keys, help, footer hints and the man page all come from request.def. */
#ifndef MT_TUI_REQUEST_H
#define MT_TUI_REQUEST_H

enum request {
	REQ_NONE,
#define REQUEST(id, keys, group, hint, help) REQ_##id,
#include "tui/request.def"
#undef REQUEST
	REQ__COUNT
};

enum request_result { /* flags */
	REQRES_NONE = 0, /* not handled: the app's default applies */
	REQRES_HANDLED = 1,
	REQRES_REDRAW = 2,
	REQRES_REFRESH = 4,
	REQRES_OPEN = 8, /* ret_target is filled: open it */
	REQRES_BACK = 16
};

#endif
