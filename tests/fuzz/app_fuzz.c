/* SPDX-License-Identifier: MIT */
/*
 * app_fuzz - the dashboard under any keys, mouse events, pastes, resizes and jumps of the clock, over the
 * made-up panes of appfix: it goes on, and every picture is clean text of the size asked for.
 */
#include "store/base/utf8.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/appfix.h"
#include "tui/screen_text.h"

#include <string.h>

#define EVENTS_MAX 48

static const int32_t specials[] = {KEYCODE_ENTER, KEYCODE_ESC, KEYCODE_TAB, KEYCODE_BACKSPACE,
	KEYCODE_BACKTAB, KEYCODE_UP, KEYCODE_DOWN, KEYCODE_LEFT, KEYCODE_RIGHT, KEYCODE_PAGE_UP,
	KEYCODE_PAGE_DOWN, KEYCODE_HOME, KEYCODE_END, KEYCODE_DELETE, KEYCODE_INSERT, KEYCODE_F1,
	KEYCODE_F1 + 1, KEYCODE_F1 + 3, KEYCODE_F1 + 5, KEYCODE_F12, 'F' - '@', 'O' - '@',
	KEYCODE_MOUSE_CLICK, KEYCODE_WHEEL_UP, KEYCODE_WHEEL_DOWN, 0x20ac, 0x4e2d, 0x301};
#define SPECIALS (sizeof(specials) / sizeof(specials[0]))

/* One byte is a key; the last few have operands. Returns the bytes used. */
static size_t feed(struct appfix *f, const uint8_t *p, size_t n)
{
	struct key_event e = {.key = p[0] < 0x7f ? p[0] : specials[p[0] % SPECIALS]};

	if (p[0] >= 0xf0 && n >= 3) {
		e.x = p[1];
		e.y = p[2] % 64;
		if (p[0] == 0xf0)
			app_resize(f->a, p[1] * 2 + 1, p[2] + 1);
		else if (p[0] == 0xf1)
			f->clock.fake_utc_ms += ((int64_t)p[1] - 64) * p[2] * 1000;
		else if (p[0] == 0xf2)
			f->reader.changed = true;
		else if (p[0] == 0xf3)
			app_key(f->a, &(struct key_event){.key = p[1], .pasted = true});
		else
			app_key(f->a, &e);
		return 3;
	}
	app_key(f->a, &e);
	return 1;
}

static void check(struct appfix *f)
{
	const struct canvas *c = app_draw(f->a);

	FUZZ_CHECK(f->a->depth >= 1 && f->a->depth <= APP_STACK_MAX);
	buf_clear(&f->screen);
	FUZZ_CHECK(screen_text_write(c, &f->screen) == 0);
	for (struct str rest = buf_str(&f->screen); rest.n > 0;) {
		int32_t cp = utf8_decode(&rest);

		FUZZ_CHECK(cp == '\n' || (cp >= ' ' && utf8_width(cp) >= 0));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	void *state = NULL;
	size_t at = 0;

	if (appfix_setup(&state) != 0)
		return 0;
	for (int i = 0; i < EVENTS_MAX && at < size; i++) {
		struct appfix *f = state;

		at += feed(f, data + at, size - at);
		app_step(f->a);
		if (i % 8 == 7)
			check(f);
	}
	check(state);
	return appfix_teardown(&state);
}
