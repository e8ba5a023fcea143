/* SPDX-License-Identifier: MIT */
/*
 * script - the dashboard driven by a file, so that tests press keys and keep screens with no
 * terminal and no waiting for time: a step is taken when the app has nothing left to read.
 */
#include "tui/loop.h"

#include "store/base/scan.h"
#include "store/base/utf8.h"
#include "tui/screen_text.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define WAIT_MAX_MS 20000
#define SCREEN_MAX_BYTES (16u << 20)
#define LINE_MAX_BYTES 4096

struct script {
	struct app *app;
	int notify_fd, line;
	struct mt_error *reterr;
};

/* Let the app work until it is idle or ms have gone by. */
static void settle(struct script *s, int64_t ms)
{
	struct clock real = clock_real();
	int64_t end = clock_mono_ms(&real) + ms;

	do {
		struct pollfd fd = {.fd = s->notify_fd, .events = POLLIN};
		char bytes[256];
		int wait;

		app_step(s->app);
		if (app_idle(s->app))
			return;
		wait = app_wait_ms(s->app);
		if (poll(&fd, 1, wait > 20 ? 20 : wait) > 0 && (fd.revents & POLLIN))
			(void)!read(s->notify_fd, bytes, sizeof(bytes));
	} while (clock_mono_ms(&real) < end);
}

static bool shows(struct script *s, struct str text)
{
	struct buf screen;
	bool found;

	buf_init(&screen, SCREEN_MAX_BYTES);
	(void)!screen_text_write(app_draw(s->app), &screen);
	found = str_find(buf_str(&screen), text) < screen.n;
	buf_done(&screen);
	return found;
}

static int step_wait(struct script *s, struct str text, bool there)
{
	struct clock real = clock_real();
	int64_t end = clock_mono_ms(&real) + WAIT_MAX_MS;

	while (shows(s, text) != there) {
		struct pollfd fd = {.fd = s->notify_fd, .events = POLLIN};
		char bytes[256];

		if (clock_mono_ms(&real) >= end)
			return mt_error_set(s->reterr, MT_EIO,
				"script line %d: \"%.*s\" %s in %d s", s->line, STR_ARG(text),
				there ? "did not come" : "did not go", WAIT_MAX_MS / 1000);
		if (poll(&fd, 1, 20) > 0 && (fd.revents & POLLIN))
			(void)!read(s->notify_fd, bytes, sizeof(bytes));
		app_step(s->app);
	}
	return 0;
}

static int step_save(struct script *s, struct str path, bool styles)
{
	struct buf screen;
	char name[LINE_MAX_BYTES];
	FILE *f;
	int err = 0;

	snprintf(name, sizeof(name), "%.*s", STR_ARG(path));
	f = fopen(name, "we");
	if (!f)
		return mt_error_sys(s->reterr, errno, "script line %d: %s", s->line, name);
	buf_init(&screen, SCREEN_MAX_BYTES);
	err = styles ? screen_text_styles(app_draw(s->app), &screen)
		     : screen_text_write(app_draw(s->app), &screen);
	if (err == 0 && fwrite(screen.p, 1, screen.n, f) != screen.n)
		err = mt_error_sys(s->reterr, errno, "script line %d: %s", s->line, name);
	if (fclose(f) != 0 && err == 0)
		err = mt_error_sys(s->reterr, errno, "script line %d: %s", s->line, name);
	buf_done(&screen);
	return err;
}

static int step_keys(struct script *s, struct str names)
{
	while ((names = str_trim(names)).n > 0) {
		struct str name = str_first(names, str_find_char(names, ' '));
		struct key_event e = {.key = key_by_name(name)};

		names = str_skip(names, name.n);
		if (e.key == KEYCODE_NONE)
			return mt_error_set(s->reterr, MT_EINVAL, "script line %d: no key \"%.*s\"",
				s->line, STR_ARG(name));
		app_key(s->app, &e);
		settle(s, WAIT_MAX_MS);
	}
	return 0;
}

static int step_size(struct script *s, struct str text)
{
	uint64_t w, h;

	if (!scan_u64(&text, 4, CANVAS_MAX_COLUMNS, &w) || !scan_lit(&text, STR_LIT("x")) ||
		!scan_u64(&text, 4, CANVAS_MAX_ROWS, &h))
		return mt_error_set(
			s->reterr, MT_EINVAL, "script line %d: size COLUMNSxROWS", s->line);
	app_resize(s->app, (int)w, (int)h);
	return 0;
}

static int step_text(struct script *s, struct str text)
{
	while (text.n > 0) {
		struct key_event e = {.key = utf8_decode(&text)};

		if (e.key > 0)
			app_key(s->app, &e);
	}
	return 0;
}

static int step(struct script *s, struct str line)
{
	struct str verb = str_first(line, str_find_char(line, ' ')),
		   rest = str_skip(line, verb.n + 1);

	settle(s, WAIT_MAX_MS);
	if (verb.n == 0 || verb.p[0] == '#')
		return 0;
	if (str_eq(verb, STR_LIT("key")))
		return step_keys(s, rest);
	if (str_eq(verb, STR_LIT("text")))
		return step_text(s, rest);
	if (str_eq(verb, STR_LIT("wait")) || str_eq(verb, STR_LIT("gone")))
		return step_wait(s, rest, verb.p[0] == 'w');
	if (str_eq(verb, STR_LIT("save")) || str_eq(verb, STR_LIT("styles")))
		return step_save(s, rest, verb.p[1] == 't');
	if (str_eq(verb, STR_LIT("size")))
		return step_size(s, rest);
	if (str_eq(verb, STR_LIT("quit"))) {
		s->app->quit = true;
		return 0;
	}
	return mt_error_set(
		s->reterr, MT_EINVAL, "script line %d: no step \"%.*s\"", s->line, STR_ARG(verb));
}

int script_run(struct app *a, const char *path, int notify_fd, struct mt_error *reterr)
{
	struct script s = {.app = a, .notify_fd = notify_fd, .reterr = reterr};
	char line[LINE_MAX_BYTES];
	FILE *f = fopen(path, "re");
	int err = 0;

	if (!f)
		return mt_error_sys(reterr, errno, "%s", path);
	while (err == 0 && !a->quit && fgets(line, sizeof(line), f)) {
		struct str text = str_of(line);

		s.line++;
		if (text.n > 0 && text.p[text.n - 1] == '\n')
			text.n--;
		err = step(&s, text);
	}
	fclose(f);
	return err;
}
