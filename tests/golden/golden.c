/* SPDX-License-Identifier: MIT */
/*
 * golden - each scene of scenes.def over the known cache, drawn without a terminal and compared with
 * tests/golden/NAME@WxH.txt (text) and .sty (style letters). tests/regold.sh writes them anew.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "store/base/utf8.h"
#include "store/warmup_conf.h"
#include "tests/unit/cachefix.h"
#include "tests/unit/vendorfix.h"
#include "tui/app.h"
#include "tui/screen_text.h"

#include <stdlib.h>
#include <unistd.h>

#define SCREEN_MAX_BYTES (4u << 20)
#define STEPS_MAX 8

enum { /* bits of scene.sizes */
	SIZE_39x9 = 1 << 0,
	SIZE_80x24 = 1 << 1,
	SIZE_120x40 = 1 << 2,
	SIZE_200x60 = 1 << 3,
	SIZE_ALL = SIZE_39x9 | SIZE_80x24 | SIZE_120x40 | SIZE_200x60,
	SIZE_ASCII = 1 << 4,
	CACHE_WARMUP = 1 << 5 /* cachefix_warmup */
};

static const struct size {
	int w, h;
} sizes[] = {{39, 9}, {80, 24}, {120, 40}, {200, 60}}; /* in the order of the bits */
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

static const struct scene {
	const char *name, *keys;
	int sizes;
} scenes[] = {
#define SCENE(name, keys, sizes) {name, keys, sizes},
#include "tests/golden/scenes.def"
#undef SCENE
};
#define SCENES (sizeof(scenes) / sizeof(scenes[0]))

struct golden { /* one a run */
	char folder[64], cache[96], warm[96];
	char vendor_cache[96]; /* for scenes named vendor-... */
	struct warmup_plans plans;
	struct conf *conf;
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
		.utf8 = !(scene->sizes & SIZE_ASCII)};
	struct reader *reader;
	struct app *a;
	struct buf text;
	bool vendor = scene->name && str_starts(str_of(scene->name), STR_LIT("vendor-"));
	bool warm = scene->sizes & CACHE_WARMUP;

	o.warmups = warm ? &g->plans : NULL;
	assert_int_equal(reader_open(vendor ? g->vendor_cache
				     : warm ? g->warm
					    : g->cache,
				 &reader, NULL),
		0);
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
	if (scene->name)
		compare(g, scene->name, size, "txt", &text);
	buf_clear(&text);
	assert_int_equal(screen_text_styles(app_draw(a), &text), 0);
	if (scene->name)
		compare(g, scene->name, size, "sty", &text);
	buf_done(&text);
	app_free(a);
	reader_close(reader);
}

static void test_scenes(void **state)
{
	struct golden *g = *state;

	for (size_t i = 0; i < SCENES; i++)
		for (size_t k = 0; k < SIZES; k++)
			if (scenes[i].sizes & (1 << k))
				draw_scene(g, &scenes[i], sizes[k]);
	assert_int_equal(g->failed, 0);
	assert_true(g->update || g->compared > 0);
}

/* Whatever view, whatever key leads out of it: nothing but shown text, at any size. */
static void test_every_view_is_clean(void **state)
{
	struct golden *g = *state;
	char keys[32];

	for (int number = 1; number <= 9; number++) {
		for (size_t k = 0; k < SIZES; k++) {
			struct scene scene = {.name = NULL, .keys = keys};

			if (!pane_by_number(number))
				continue;
			snprintf(keys, sizeof(keys), "%d Enter Enter", number);
			draw_scene(g, &scene, sizes[k]);
			scene.sizes = SIZE_ASCII;
			draw_scene(g, &scene, sizes[k]);
		}
	}
}

static int setup(void **state)
{
	static struct golden g;

	g.update = getenv("GOLDEN_UPDATE") != NULL;
	snprintf(g.folder, sizeof(g.folder), "/tmp/mtatop-golden-XXXXXX");
	assert_non_null(mkdtemp(g.folder));
	snprintf(g.cache, sizeof(g.cache), "%s/cache.db", g.folder);
	cachefix_make(g.cache);
	snprintf(g.warm, sizeof(g.warm), "%s/warm.db", g.folder);
	cachefix_warmup(g.warm);
	g.conf = cachefix_warmup_plans(&g.plans);
	snprintf(g.vendor_cache, sizeof(g.vendor_cache), "%s/vendor.db", g.folder);
	vendorfix_make(g.vendor_cache);
	*state = &g;
	return 0;
}

static int teardown(void **state)
{
	static const char *const endings[] = {"", "-wal", "-shm", ".lock"};
	struct golden *g = *state;
	char path[128];

	for (size_t i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), "%s%s", i < 4 ? g->cache : g->vendor_cache,
			endings[i % 4]);
		unlink(path);
	}
	fix_unlink(g->warm);
	warmup_plans_done(&g->plans);
	conf_free(g->conf);
	rmdir(g->folder);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scenes),
		cmocka_unit_test(test_every_view_is_clean),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
