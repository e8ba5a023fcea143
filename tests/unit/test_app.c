/* SPDX-License-Identifier: MIT */
/*
 * test_app - the dashboard as a state machine (see appfix.h): the way there and back, filter, window,
 * provider, pause, prompt, help, actions, any size, any key.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/appfix.h"

static void test_overview(void **state)
{
	struct appfix *f = *state;

	sees(f, "1 Alpha");
	sees(f, "gamma tile");
	sees(f, "5,437");
	sees(f, "LIVE");
	sees(f, "[ALL] postfix  mailgun");
	sees(f, "postfix fresh 1s");
	sees(f, "mailgun stale 14m (hour)");
	sees(f, "! bounce 3.9% of 1,000 > 3%");
	sees(f, "? Help");
	press(f, "Tab");
	assert_int_equal(f->a->overview.focus, 1);
	press(f, "Enter"); /* the list that grows stands last */
	assert_ptr_equal(app_top(f->a)->pane, pane_table[0]);
	press(f, "q");
	assert_int_equal(f->a->depth, 1);
	assert_false(f->a->quit);
	press(f, "q");
	assert_true(f->a->quit);
}

static void test_way_and_back(void **state)
{
	struct appfix *f = *state;
	size_t cursor, top;

	press(f, "1");
	for (int i = 0; i < 45; i++)
		press(f, "Down");
	cursor = app_top(f->a)->list.cursor;
	top = app_top(f->a)->list.top;
	assert_int_equal(cursor, 45);
	assert_true(top > 0);
	press(f, "Enter");
	sees(f, "overview > alpha > beta 46");
	assert_int_equal(f->reader.last.code_key, 46);
	assert_true(str_eq(f->reader.last.domain, STR_LIT("row45")));
	assert_int_equal(
		f->reader.last.t1_ms, FIX_APP_NOW_MS); /* the common window, not a frozen one */
	assert_false(app_top(f->a)->own_window);
	press(f, "Esc");
	assert_ptr_equal(app_top(f->a)->pane, pane_table[0]);
	assert_int_equal(app_top(f->a)->list.cursor, cursor);
	assert_int_equal(app_top(f->a)->list.top, top);
	sees(f, "60 of 12,345 rows");
}

static void test_filter_belongs_to_its_view(void **state)
{
	struct appfix *f = *state;

	press(f, "1");
	press(f, "\\");
	type(f, "!gmail");
	press(f, "Enter");
	sees(f, "FILTERED: !gmail");
	assert_true(f->reader.last.text_invert);
	assert_string_equal(f->reader.last_text, "gmail");
	press(f, "Enter");
	press(f, "\\");
	press(f, "^U");
	type(f, "other");
	press(f, "Enter");
	sees(f, "FILTERED: other");
	press(f, "Esc"); /* what was set here goes first */
	sees(f, "FILTERED: !gmail");
	assert_int_equal(f->a->depth, 3);
	press(f, "Esc");
	assert_int_equal(f->a->depth, 2);
	sees(f, "FILTERED: !gmail");
	press(f, "Esc");
	sees_not(f, "FILTERED");
	assert_int_equal(f->a->depth, 2);
}

static void test_time(void **state)
{
	struct appfix *f = *state;
	int refreshes;

	sees(f, "last 1h");
	assert_int_equal(f->reader.last.t0_ms, FIX_APP_NOW_MS - 3600000);
	press(f, "w");
	sees(f, "last 6h");
	assert_int_equal(f->reader.last.t0_ms, FIX_APP_NOW_MS - 6 * 3600000);
	press(f, ",");
	sees(f, "AT 2026-11-23 09:00:00");
	assert_int_equal(f->reader.last.t1_ms, FIX_APP_NOW_MS - 3 * 3600000);
	press(f, ".");
	sees(f, "LIVE");
	press(f, "p");
	sees(f, "PAUSED at 2026-11-23 12:00:00");
	refreshes = f->reader.refreshes;
	f->reader.changed = true;
	clock_advance(&f->clock, 90000);
	app_step(f->a);
	assert_int_equal(f->reader.refreshes, refreshes);
	sees(f, "PAUSED at 2026-11-23 12:00:00");
	press(f, "p");
	assert_int_equal(f->reader.refreshes, refreshes + 1);
	assert_int_equal(f->reader.last.t1_ms, FIX_APP_NOW_MS + 90000);
}

static void test_refresh_only_when_changed(void **state)
{
	struct appfix *f = *state;
	int refreshes = f->reader.refreshes;

	for (int i = 0; i < 20; i++) {
		assert_in_range(app_wait_ms(f->a), 500, 1000); /* two wake-ups a second at most */
		clock_advance(&f->clock, 1000);
		app_step(f->a);
		app_draw(f->a);
	}
	assert_int_equal(f->reader.refreshes, refreshes);
	f->reader.changed = true;
	app_step(f->a);
	assert_int_equal(f->reader.refreshes, refreshes + 1);
	f->reader.changed = true;
	app_step(f->a); /* not more often than the interval */
	assert_int_equal(f->reader.refreshes, refreshes + 1);
	assert_false(app_wants_commits(f->a));
	clock_advance(&f->clock, 1000);
	app_step(f->a);
	assert_int_equal(f->reader.refreshes, refreshes + 2);
}

/* Figures on the overview change once a second; a line that an opened list waits for is there sooner. */
static void test_opened_view_is_sooner(void **state)
{
	struct appfix *f = *state;
	int refreshes;

	clock_advance(&f->clock, 700);
	f->reader.changed = true;
	refreshes = f->reader.refreshes;
	app_step(f->a);
	assert_int_equal(f->reader.refreshes, refreshes);
	press(f, "2");
	refreshes = f->reader.refreshes;
	assert_in_range(app_wait_ms(f->a), 1, 650); /* its pipe is not looked at before */
	clock_advance(&f->clock, 700);
	f->reader.changed = true;
	app_step(f->a);
	assert_int_equal(f->reader.refreshes, refreshes + 1);
	for (int i = 0; i < 10; i++) { /* quiet again: one more look, then the tick alone */
		clock_advance(&f->clock, app_wait_ms(f->a));
		app_step(f->a);
		app_draw(f->a);
	}
	assert_in_range(app_wait_ms(f->a), 500, 1000);
	assert_int_equal(f->reader.refreshes, refreshes + 1);
}

/* A key that only moves the cursor is shown before what has become due is read; the read follows at once. */
static void test_key_before_refresh(void **state)
{
	struct appfix *f = *state;
	int refreshes;

	press(f, "2");
	refreshes = f->reader.refreshes;
	f->reader.changed = true;
	clock_advance(&f->clock, 1000);
	press(f, "Down");
	assert_int_equal(f->reader.refreshes, refreshes);
	assert_int_equal(app_wait_ms(f->a), 0);
	app_step(f->a);
	assert_int_equal(f->reader.refreshes, refreshes + 1);
	clock_advance(&f->clock, 1000);
	press(f, "w"); /* asks for other figures: there is nothing to show before they are read */
	assert_int_equal(f->reader.refreshes, refreshes + 2);
}

static bool key_waits(void *ctx)
{
	return *(bool *)ctx;
}

/* A key that comes while the figures are read goes first; the old picture stays whole meanwhile. */
static void test_key_stops_refresh(void **state)
{
	struct appfix *f = *state;
	bool waiting = true;
	int whole, *count;

	f->a->opt.key_waits = key_waits;
	f->a->opt.key_waits_ctx = &waiting;
	press(f, "2"); /* what a key asks for is read to the end */
	press(f, "Down");
	sees(f, "60 of 12,345 rows");
	count = app_top(f->a)->state;
	assert_int_equal(*count, 1);
	whole = f->reader.whole;
	f->reader.grown = 1;
	f->reader.changed = true;
	clock_advance(&f->clock, 1000);
	app_step(f->a);
	app_step(f->a);
	assert_int_equal(f->reader.whole, whole);
	assert_ptr_equal(app_top(f->a)->state, count);
	assert_int_equal(*count, 1);
	sees(f, "60 of 12,345 rows");
	sees(f, "row9");
	assert_int_equal(app_top(f->a)->list.cursor, 1);
	assert_int_equal(app_wait_ms(f->a), 0);
	waiting = false;
	app_step(f->a);
	assert_int_equal(f->reader.whole, whole + 1);
	assert_int_equal(*count, 2);
	sees(f, "60 of 12,346 rows");
}

static void test_key_stops_overview(void **state)
{
	struct appfix *f = *state;
	bool waiting = true;
	int whole = f->reader.whole;

	f->a->opt.key_waits = key_waits;
	f->a->opt.key_waits_ctx = &waiting;
	f->reader.changed = true;
	clock_advance(&f->clock, 1000);
	app_step(f->a);
	assert_int_equal(f->reader.whole, whole);
	assert_int_equal(*(int *)f->a->overview.tiles[0].state, 1);
	sees(f, "gamma tile");
	sees(f, "row0");
	sees(f, "[ALL] postfix  mailgun");
	waiting = false;
	app_step(f->a);
	assert_int_equal(*(int *)f->a->overview.tiles[0].state, 2);
}

/* A key held down must not keep the figures old: after some seconds they go first, once. */
static void test_refresh_under_key_repeat(void **state)
{
	struct appfix *f = *state;
	bool waiting = true;
	int whole;

	press(f, "2");
	f->a->opt.key_waits = key_waits;
	f->a->opt.key_waits_ctx = &waiting;
	whole = f->reader.whole;
	for (int i = 0; i < 500; i++) { /* 50 a second for 10 s, each while the figures are read */
		f->reader.changed = true;
		clock_advance(&f->clock, 20);
		app_step(f->a);
		press(f, i % 2 ? "Up" : "Down");
	}
	assert_in_range(f->reader.whole - whole, 2, 4);
}

static void test_providers_and_commands(void **state)
{
	struct appfix *f = *state;

	press(f, "]");
	sees(f, "[postfix]");
	assert_int_equal(f->reader.last.provider, 1);
	press(f, ":");
	type(f, "mailgun");
	press(f, "Enter");
	assert_int_equal(f->reader.last.provider, 2);
	press(f, ":");
	type(f, "nonsense");
	press(f, "Enter");
	sees(f, "no such view");
	press(f, "^U");
	type(f, "be");
	press(f, "Tab");
	press(f, "Enter");
	assert_ptr_equal(app_top(f->a)->pane, pane_table[1]);
	press(f, ":");
	type(f, "24h");
	press(f, "Enter");
	sees(f, "last 24h");
	press(f, ":");
	type(f, "03:12");
	press(f, "Enter");
	sees(f, "AT 2026-11-23 03:12:00");
	press(f, ":");
	type(f, "live");
	press(f, "Enter");
	sees(f, "LIVE");
}

static void test_help_and_setup(void **state)
{
	struct appfix *f = *state;

	press(f, "1");
	press(f, "?");
	sees(f, "What alpha shows.");
	sees(f, "definition of name");
	press(f, "End");
	sees(f, "BackTab");
	press(f, "Esc");
	assert_false(f->a->help.open);
	assert_int_equal(f->a->depth, 2);
	press(f, "F2");
	sees(f, "this session only");
	press(f, "Right");
	assert_int_equal(f->a->opt.theme, THEME_CONTRAST);
	press(f, "Esc");
	assert_int_equal(f->a->depth, 2);
}

static void test_search(void **state)
{
	struct appfix *f = *state;

	press(f, "1");
	press(f, "/");
	type(f, "row42");
	press(f, "Enter");
	assert_int_equal(list_selected(&app_top(f->a)->list, &app_top(f->a)->table)->id, 43);
	press(f, "Esc"); /* the search goes first, then the view */
	assert_int_equal(f->a->depth, 2);
	press(f, "e");
	assert_int_equal(list_selected(&app_top(f->a)->list, &app_top(f->a)->table)->id, 8);
	press(f, "Esc");
	assert_int_equal(f->a->depth, 1);
}

/* What was to be acted on and is not there must not become the row that the cursor happens to be on. */
static void test_action_never_falls_on_the_cursor(void **state)
{
	struct appfix *f = *state;

	press(f, "2");
	press(f, "T");
	type(f, "nosuchrow");
	press(f, "Enter");
	sees(f, "no row matches");
	press(f, "Del");
	sees(f, "no row matched");
	assert_int_equal(f->a->prompt.kind, PROMPT_NONE);
	press(f, "Down"); /* a choice */
	press(f, "Del");
	sees(f, "delete 1 message?");
	press(f, "Esc");
	press(f, ";");
	sees(f, "which action?");
	press(f, "Del");
	sees(f, "no row is tagged");
	assert_int_equal(f->a->prompt.kind, PROMPT_NONE);
	press(f, "Del"); /* the prefix holds for one key */
	sees(f, "delete 1 message?");
	press(f, "Esc");
	press(f, "Space");
	press(f, ";");
	press(f, "Del");
	sees(f, "delete 1 message?");
	press(f, "Esc");
}

static void test_delete_needs_the_count(void **state)
{
	struct appfix *f = *state;

	press(f, "2");
	press(f, "Space");
	press(f, "Space");
	press(f, "Del");
	sees(f, "delete 2 messages?");
	sees(f, "row0");
	type(f, "y");
	press(f, "Enter");
	sees(f, "not confirmed");
	assert_int_equal(appfix_job.nids, 0);
	press(f, "Del");
	type(f, "2");
	press(f, "Enter");
	assert_int_equal(appfix_job.kind, JOB_DELETE);
	assert_int_equal(appfix_job.nids, 2);
	assert_string_equal(appfix_job.qid, "row0");
	assert_false(app_idle(f->a));
	appfix_job.now = JOB_DONE;
	app_step(f->a);
	sees(f, "2 of 2 deleted");
	f->a->opt.read_write = false;
	press(f, "Del");
	sees(f, "--read-write");
	assert_int_equal(f->a->prompt.kind, PROMPT_NONE);
}

/* A drill-down may have a provider and a window of its own; asking for others here ends that. */
static void test_own_provider_and_window(void **state)
{
	struct appfix *f = *state;
	struct pane_target target = {.pane = "beta", .label = "beta"};

	target.query.provider = 2;
	target.query.t0_ms = FIX_APP_NOW_MS - 7200000;
	target.query.t1_ms = FIX_APP_NOW_MS - 3600000;
	view_push(f->a, pane_table[1], &target);
	app_step(f->a);
	sees(f, "[mailgun]");
	sees(f, "2026-11-23 10:00:00 to 11:00:00");
	assert_int_equal(f->reader.last.t1_ms, FIX_APP_NOW_MS - 3600000);
	assert_int_equal(f->reader.last.provider, 2);
	press(f, "[");
	sees(f, "[postfix]");
	assert_int_equal(f->reader.last.provider, 1);
	press(f, "w");
	assert_int_equal(f->reader.last.t1_ms, FIX_APP_NOW_MS);
}

static void test_catching_up(void **state)
{
	struct appfix *f = *state;
	struct source_row source = {.name = STR_LIT("log"),
		.health = HEALTH_CATCHING_UP,
		.done_bytes = 450000000,
		.total_bytes = 1000000000};

	app_resize(f->a, 120, 40);
	f->a->status.providers[0].health = HEALTH_CATCHING_UP;
	f->a->status.providers[0].sources = &source;
	f->a->status.providers[0].nsources = 1;
	sees(f, "postfix reading back 45.0% of");
	sees(f, "\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x8d\xe2\x96"
		"\x91");
}

static void test_paste_is_text(void **state)
{
	struct appfix *f = *state;
	struct key_event e = {.key = 'Q', .pasted = true};

	app_key(f->a, &e);
	assert_false(f->a->quit);
	press(f, "\\");
	app_key(f->a, &e);
	e.key = KEYCODE_ENTER;
	app_key(f->a, &e);
	assert_int_equal(f->a->prompt.kind, PROMPT_FILTER);
	assert_string_equal(f->a->prompt.text, "Q");
}

static void test_mouse(void **state)
{
	struct appfix *f = *state;
	struct key_event e = {.key = KEYCODE_MOUSE_CLICK};

	appfix_screen(f);
	e.x = f->a->status.tabs[2].where.x + 1;
	app_key(f->a, &e);
	assert_int_equal(f->a->provider, 2);
	e.x = f->a->overview.rects[1].x + 3;
	e.y = f->a->overview.rects[1].y + 2;
	app_key(f->a, &e);
	assert_int_equal(f->a->overview.focus, 1);
	app_key(f->a, &e);
	assert_int_equal(f->a->depth, 2);
}

static void test_tiny(void **state)
{
	struct appfix *f = *state;

	app_resize(f->a, 39, 9);
	assert_string_equal(
		appfix_screen(f), "queue 5,437  sent 96.1%  bounced 3.9%\n\n\n\n\n\n\n\n\n");
	app_resize(f->a, 20, 1);
	assert_string_equal(appfix_screen(f), "q5.43k s96.1% b3.9%\n");
	app_resize(f->a, 8, 1); /* whole figures or none */
	assert_string_equal(appfix_screen(f), "q5.43k\n");
	app_resize(f->a, 3, 1);
	assert_string_equal(appfix_screen(f), "###\n");
}

/* Any size, any key: nothing to see but that it stands (the sanitizer build looks closer). */
static void test_monkey(void **state)
{
	struct appfix *f = *state;
	uint32_t seed = 12345;

	for (int i = 0; i < 30000; i++) {
		struct key_event e = {0};

		seed = seed * 1664525u + 1013904223u;
		e.key = (int32_t)((seed >> 8) % 160);
		if (e.key >= 128)
			e.key = KEYCODE_SPECIAL + e.key - 128;
		e.x = (int)(seed >> 20) % 130;
		e.y = (int)(seed >> 24) % 50;
		app_key(f->a, &e);
		if (i % 50 == 0)
			app_resize(f->a, (int)(seed >> 11) % 200 + 1, (int)(seed >> 19) % 70 + 1);
		if (i % 7 == 0) {
			clock_advance(&f->clock, 300);
			app_step(f->a);
		}
		app_draw(f->a);
		f->a->quit = false;
		f->a->effect = EFFECT_NONE;
		assert_in_range(f->a->depth, 1, APP_STACK_MAX);
	}
}

static void test_every_size(void **state)
{
	struct appfix *f = *state;

	for (int h = 1; h <= 200; h += h < 45 ? 1 : 9) {
		for (int w = 1; w <= 300; w += w < 130 ? 3 : 17) {
			app_resize(f->a, w, h);
			assert_true(strspn(appfix_screen(f), " \n") <
				    strlen(appfix_screen(f))); /* never empty */
		}
	}
}

/* No key is silent: it changes the picture, asks something of the terminal or of the reader, or says why it can't. */
static bool check_heard(struct appfix *f, enum request req, const char *where)
{
	struct buf before;
	int refreshes = f->reader.refreshes;
	bool heard;

	buf_init(&before, 1 << 20);
	buf_add_z(&before, appfix_screen(f));
	app_request(f->a, req);
	app_step(f->a);
	heard = f->a->quit || f->a->effect != EFFECT_NONE || f->reader.refreshes != refreshes ||
		strcmp(buf_z(&before), appfix_screen(f)) != 0;
	buf_done(&before);
	if (!heard)
		print_error("%s is silent in %s\n", request_info(req)->id, where);
	return heard;
}

static void test_no_key_is_silent(void **state)
{
	static const char *const ways[][4] = {{"overview", "Tab"},
		{"a tile with a list", "Tab", "Down", "Down"}, {"a list", "1", "Down", "Down"}};
	bool all = true;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		for (int req = REQ_NONE + 1; req < REQ__COUNT; req++) {
			struct appfix *f;

			appfix_teardown(state);
			appfix_setup(state);
			f = *state;
			if (req == REQ_LEFT) /* at the left edge there is no more to see */
				continue;
			for (size_t k = 1; k < 4 && ways[i][k]; k++)
				press(f, ways[i][k]);
			for (size_t k = 0; i > 0 && k < 40; k++) /* off both ends */
				app_request(f->a, REQ_DOWN);
			app_step(f->a);
			all = check_heard(f, (enum request)req, ways[i][0]) && all;
		}
	}
	assert_true(all);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, appfix_setup, appfix_teardown)
	const struct CMUnitTest tests[] = {
		T(test_overview),
		T(test_way_and_back),
		T(test_filter_belongs_to_its_view),
		T(test_time),
		T(test_refresh_only_when_changed),
		T(test_opened_view_is_sooner),
		T(test_key_before_refresh),
		T(test_key_stops_refresh),
		T(test_key_stops_overview),
		T(test_refresh_under_key_repeat),
		T(test_providers_and_commands),
		T(test_help_and_setup),
		T(test_search),
		T(test_action_never_falls_on_the_cursor),
		T(test_delete_needs_the_count),
		T(test_own_provider_and_window),
		T(test_catching_up),
		T(test_paste_is_text),
		T(test_mouse),
		T(test_tiny),
		T(test_monkey),
		T(test_every_size),
		T(test_no_key_is_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
