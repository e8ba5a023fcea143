/* SPDX-License-Identifier: MIT */
/*
 * golden - each view over the known cache, drawn at three sizes without a terminal and compared
 * with tests/golden/VIEW@WxH.txt (text) and .sty (style letters). tests/regold.sh writes them anew.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "store/base/utf8.h"
#include "tests/unit/cachefix.h"
#include "tui/app.h"
#include "tui/screen_text.h"

#include <stdlib.h>
#include <unistd.h>

#define SCREEN_MAX_BYTES (4u << 20)
#define STEPS_MAX 8

struct scene {
	const char *name; /* of the golden files */
	const char *keys; /* pressed one by one, names as in keys.c */
	bool ascii;
};

static const struct size {
	int w, h;
} sizes[] = {{80, 24}, {120, 40}, {200, 60}};
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

struct golden { /* one a run */
	char folder[64], cache[96];
	bool update;
	size_t compared, failed;
};

static void read_whole(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "re");
	char bytes[4096];
	size_t n;

	buf_clear(out);
	if (!f)
		return;
	while ((n = fread(bytes, 1, sizeof(bytes), f)) > 0)
		buf_add(out, bytes, n);
	fclose(f);
}

static void write_whole(const char *path, const struct buf *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(text->p, 1, text->n, f), text->n);
	assert_int_equal(fclose(f), 0);
}

static void compare(struct golden *g, const char *name, struct size size, const char *ending,
	const struct buf *got)
{
	char path[256];
	struct buf want;

	snprintf(path, sizeof(path), "tests/golden/%s@%dx%d.%s", name, size.w, size.h, ending);
	if (g->update) {
		write_whole(path, got);
		return;
	}
	buf_init(&want, SCREEN_MAX_BYTES);
	read_whole(path, &want);
	g->compared++;
	if (!str_eq(buf_str(&want), buf_str(got))) {
		g->failed++;
		print_error("%s differs; now it is\n%s\n", path, buf_z(got));
	}
	buf_done(&want);
}

/* Whatever is in the cache: nothing but shown text comes out. */
static void check_clean(const struct buf *text)
{
	for (struct str rest = buf_str(text); rest.n > 0;) {
		int32_t cp = utf8_decode(&rest);

		assert_true(cp == '\n' || (cp >= 0x20 && cp != 0x7f && utf8_width(cp) >= 0));
	}
}

static void press_all(struct app *a, struct str keys)
{
	while ((keys = str_trim(keys)).n > 0) {
		struct str name = str_first(keys, str_find_char(keys, ' '));
		struct key_event e = {.key = key_by_name(name)};

		keys = str_skip(keys, name.n);
		assert_int_not_equal(e.key, KEYCODE_NONE);
		app_draw(a);
		app_key(a, &e);
		app_step(a);
	}
}

static void draw_scene(struct golden *g, const struct scene *scene, struct size size)
{
	struct clock clock = clock_fake(FIX_NOW_MS);
	struct app_options o = {.clock = &clock,
		.version = "1.0",
		.host = "mx1.example.net",
		.window = -1,
		.utf8 = !scene->ascii};
	struct reader *reader;
	struct app *a;
	struct buf text;

	assert_int_equal(reader_open(g->cache, &reader, NULL), 0);
	o.reader = reader;
	a = app_new(&o);
	app_resize(a, size.w, size.h);
	app_step(a);
	press_all(a, str_of(scene->keys));
	for (int i = 0; i < STEPS_MAX && (app_draw(a), !app_idle(a)); i++)
		app_step(a);
	buf_init(&text, SCREEN_MAX_BYTES);
	assert_int_equal(screen_text_write(app_draw(a), &text), 0);
	check_clean(&text);
	compare(g, scene->name, size, "txt", &text);
	buf_clear(&text);
	assert_int_equal(screen_text_styles(app_draw(a), &text), 0);
	compare(g, scene->name, size, "sty", &text);
	buf_done(&text);
	app_free(a);
	reader_close(reader);
}

static void all_sizes(struct golden *g, const struct scene *scene)
{
	for (size_t i = 0; i < SIZES; i++)
		draw_scene(g, scene, sizes[i]);
}

static void test_overview(void **state)
{
	static const struct scene scenes[] = {{"overview", "", false}, {"overview-ascii", "", true},
		{"help", "?", false}, {"provider", "]", false}, {"back-in-time", ", ,", false}};
	struct golden *g = *state;

	g->failed = 0;
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
		all_sizes(g, &scenes[i]);
	assert_int_equal(g->failed, 0);
}

static void test_panes(void **state)
{
	struct golden *g = *state;

	g->failed = 0;
	for (size_t i = 0; pane_table[i]; i++) {
		char key[2] = {(char)('0' + pane_table[i]->number), '\0'};
		struct scene scene = {.name = pane_table[i]->name, .keys = key};

		if (pane_table[i]->number > 0)
			all_sizes(g, &scene);
	}
	assert_int_equal(g->failed, 0);
}

/* From each list the first row, opened: where the drill-down leads. */
static void test_drill_down(void **state)
{
	struct golden *g = *state;

	g->failed = 0;
	for (size_t i = 0; pane_table[i]; i++) {
		char keys[32], name[64];
		struct scene scene = {.name = name, .keys = keys};

		if (pane_table[i]->number == 0 || !pane_table[i]->enter)
			continue;
		snprintf(keys, sizeof(keys), "%d Enter", pane_table[i]->number);
		snprintf(name, sizeof(name), "%s-enter", pane_table[i]->name);
		draw_scene(g, &scene, sizes[1]);
	}
	assert_int_equal(g->failed, 0);
}

static int setup(void **state)
{
	static struct golden g;

	g.update = getenv("GOLDEN_UPDATE") != NULL;
	snprintf(g.folder, sizeof(g.folder), "/tmp/mtatop-golden-XXXXXX");
	assert_non_null(mkdtemp(g.folder));
	snprintf(g.cache, sizeof(g.cache), "%s/cache.db", g.folder);
	cachefix_make(g.cache);
	*state = &g;
	return 0;
}

static int teardown(void **state)
{
	static const char *const endings[] = {"", "-wal", "-shm", ".lock"};
	struct golden *g = *state;
	char path[128];

	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s%s", g->cache, endings[i]);
		unlink(path);
	}
	rmdir(g->folder);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overview),
		cmocka_unit_test(test_panes),
		cmocka_unit_test(test_drill_down),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
