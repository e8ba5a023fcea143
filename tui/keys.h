/* SPDX-License-Identifier: MIT */
/* keys - key codes, their names, and the request table (request.def) as data. */
#ifndef MT_TUI_KEYS_H
#define MT_TUI_KEYS_H

#include "store/base/str.h"
#include "tui/request.h"

#include <stdbool.h>
#include <stdint.h>

/* A key is the code point it types, 1..26 for ^A..^Z, or one of these. */
enum key_code {
	KEYCODE_NONE = 0,
	KEYCODE_TAB = 9,
	KEYCODE_ENTER = 13,
	KEYCODE_ESC = 27,
	KEYCODE_SPECIAL = 0x110000, /* past Unicode */
	KEYCODE_BACKSPACE,
	KEYCODE_BACKTAB,
	KEYCODE_UP,
	KEYCODE_DOWN,
	KEYCODE_LEFT,
	KEYCODE_RIGHT,
	KEYCODE_PAGE_UP,
	KEYCODE_PAGE_DOWN,
	KEYCODE_HOME,
	KEYCODE_END,
	KEYCODE_DELETE,
	KEYCODE_INSERT,
	KEYCODE_F1, /* F1..F12 */
	KEYCODE_F12 = KEYCODE_F1 + 11,
	KEYCODE_MOUSE_CLICK,
	KEYCODE_WHEEL_UP,
	KEYCODE_WHEEL_DOWN
};

struct key_event {
	int32_t key;
	int x, y; /* of the mouse, cells from 0 */
	bool pasted; /* typed by a paste: never a command */
};

#define KEY_NAME_MAX_BYTES 16
/* key_by_name - "Enter", "F1", "^L", "a"; KEYCODE_NONE if it is no key name. */
int32_t key_by_name(struct str name);
/* keycode_name - the name of a key into out (KEY_NAME_MAX_BYTES); "?" for none. */
void keycode_name(int32_t key, char *out);
/* key_request - what a key asks for; REQ_NONE if nothing. */
enum request key_request(int32_t key);

struct request_info {
	const char *id, *keys, *group, *hint, *help;
};
/* request_info - the row of request.def; req 1..REQ__COUNT-1. */
const struct request_info *request_info(enum request req);
/* request_first_key - name of its first key into out (KEY_NAME_MAX_BYTES). */
void request_first_key(enum request req, char *out);

#endif
