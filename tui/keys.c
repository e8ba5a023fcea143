/* SPDX-License-Identifier: MIT */
/*
 * keys - names of keys and the parsed form of request.def.
 *
 * The key lists are parsed at each look-up: a table of 50 short strings, some microseconds a key.
 * Does not read keys (screen_curses.c does) and keeps no state.
 */
#include "tui/keys.h"

#include "store/base/utf8.h"

#include <stdio.h>

static const struct request_info infos[REQ__COUNT] = {
#define REQUEST(id, keys, group, hint, help) [REQ_##id] = {#id, keys, group, hint, help},
#include "tui/request.def"
#undef REQUEST
};

static const struct {
	const char *name;
	int32_t key;
} names[] = {
	{"BackTab", KEYCODE_BACKTAB},
	{"Backspace", KEYCODE_BACKSPACE},
	{"Del", KEYCODE_DELETE},
	{"Down", KEYCODE_DOWN},
	{"End", KEYCODE_END},
	{"Enter", KEYCODE_ENTER},
	{"Esc", KEYCODE_ESC},
	{"Home", KEYCODE_HOME},
	{"Ins", KEYCODE_INSERT},
	{"Left", KEYCODE_LEFT},
	{"PgDn", KEYCODE_PAGE_DOWN},
	{"PgUp", KEYCODE_PAGE_UP},
	{"Right", KEYCODE_RIGHT},
	{"Space", ' '},
	{"Tab", KEYCODE_TAB},
	{"Up", KEYCODE_UP},
};
#define NAMES (sizeof(names) / sizeof(names[0]))
#define FUNCTION_KEYS 12

int32_t key_by_name(struct str name)
{
	struct str rest = name;
	int32_t cp;

	for (size_t i = 0; i < NAMES; i++)
		if (str_eq(name, str_of(names[i].name)))
			return names[i].key;
	if (name.n >= 2 && name.n <= 3 && name.p[0] == 'F' && name.p[1] >= '1' &&
		name.p[1] <= '9') {
		int n = name.p[1] - '0';

		if (name.n == 3)
			n = name.p[2] >= '0' && name.p[2] <= '9' ? n * 10 + name.p[2] - '0' : 0;
		return n >= 1 && n <= FUNCTION_KEYS ? KEYCODE_F1 + n - 1 : KEYCODE_NONE;
	}
	if (name.n == 2 && name.p[0] == '^' && name.p[1] >= 'A' && name.p[1] <= 'Z')
		return name.p[1] - 'A' + 1;
	if (name.n == 0)
		return KEYCODE_NONE;
	cp = utf8_decode(&rest);
	return rest.n == 0 && cp > ' ' ? cp : KEYCODE_NONE;
}

void keycode_name(int32_t key, char *out)
{
	for (size_t i = 0; i < NAMES; i++) {
		if (names[i].key == key) {
			snprintf(out, KEY_NAME_MAX_BYTES, "%s", names[i].name);
			return;
		}
	}
	if (key >= KEYCODE_F1 && key <= KEYCODE_F12) {
		snprintf(out, KEY_NAME_MAX_BYTES, "F%d", (int)(key - KEYCODE_F1 + 1));
	} else if (key >= 1 && key <= 26) {
		snprintf(out, KEY_NAME_MAX_BYTES, "^%c", (char)('A' + key - 1));
	} else if (key > ' ' && key < 0x7f) {
		snprintf(out, KEY_NAME_MAX_BYTES, "%c", (char)key);
	} else {
		snprintf(out, KEY_NAME_MAX_BYTES, "?");
	}
}

/* The next name of a key list; false at its end. */
static bool next_key(struct str *list, struct str *ret)
{
	*list = str_trim(*list);
	if (list->n == 0)
		return false;
	*ret = str_first(*list, str_find_char(*list, ' '));
	*list = str_skip(*list, ret->n);
	return true;
}

enum request key_request(int32_t key)
{
	if (key == KEYCODE_NONE)
		return REQ_NONE;
	for (int req = REQ_NONE + 1; req < REQ__COUNT; req++) {
		struct str list = str_of(infos[req].keys), name;

		while (next_key(&list, &name))
			if (key_by_name(name) == key)
				return (enum request)req;
	}
	return REQ_NONE;
}

const struct request_info *request_info(enum request req)
{
	return &infos[req];
}

void request_first_key(enum request req, char *out)
{
	struct str list = str_of(infos[req].keys), name = {NULL, 0};

	next_key(&list, &name);
	snprintf(out, KEY_NAME_MAX_BYTES, "%.*s", STR_ARG(name));
}
