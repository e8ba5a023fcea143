/* SPDX-License-Identifier: MIT */
/*
 * test_app - the dashboard as a state machine over made-up panes and a made-up reader: the way there
 * and back, filter, window, provider, pause, prompt, help, actions, any size, any key.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "store/base/mem.h"
#include "tui/app.h"
#include "tui/screen_text.h"

#define NOW_MS 1795435200000
#define ROWS 60

/* --- the reader --- */

struct reader {
	bool changed;
	int refreshes;
	struct query last; /* what the last pane was asked */
};

static struct reader the_reader;
static char last_text[64];

bool reader_changed(struct reader *r)
{
	bool changed = r->changed;

	r->changed = false;
	return changed;
}

int reader_begin(struct reader *r, struct mt_error *reterr)
{
	(void)reterr;
	r->refreshes++;
	return 0;
}

void reader_end(struct reader *r)
{
	(void)r;
}

int read_providers(struct reader *r, struct arena *a, struct provider_row **ret, size_t *ret_n,
	struct mt_error *reterr)
{
	struct provider_row *rows = arena_alloc(a, 2 * sizeof(*rows));

	(void)r;
	(void)reterr;
	rows[0] = (struct provider_row){.id = 1,
		.name = STR_LIT("postfix"),
		.kind = STR_LIT("postfix"),
		.finest_bucket_s = 60,
		.health = HEALTH_FRESH,
		.last_ok_ms = NOW_MS - 1000};
	rows[1] = (struct provider_row){.id = 2,
		.name = STR_LIT("mailgun"),
		.kind = STR_LIT("mailgun"),
		.finest_bucket_s = 3600,
		.health = HEALTH_STALE,
		.last_ok_ms = NOW_MS - 840000};
	*ret = rows;
	*ret_n = 2;
	return 0;
}

int read_totals(
	struct reader *r, const struct query *q, struct totals *out, struct mt_error *reterr)
{
	(void)r;
	(void)q;
	(void)reterr;
	*out = (struct totals){0};
	out->n[METRIC_SENT] = 961;
	out->n[METRIC_BOUNCED] = 39;
	return 0;
}

int read_queue(
	struct reader *r, const struct query *q, struct queue_figures *out, struct mt_error *reterr)
{
	(void)r;
	(void)q;
	(void)reterr;
	*out = (struct queue_figures){.n = {EVENT_UNKNOWN, 1, 312, 5120, 4, EVENT_UNKNOWN}};
	return 0;
}

/* --- two panes --- */

static const struct column columns[] = {
	{"name", 8, ALIGN_LEFT, 1, false, "definition of name"},
	{"n", 8, ALIGN_RIGHT, 2, true, "definition of n"},
	{"text", 0, ALIGN_LEFT, 3, false, "definition of text"},
};

static int refresh_rows(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	(void)state;
	(void)reterr;
	r->last = v->query;
	snprintf(last_text, sizeof(last_text), "%.*s", STR_ARG(v->query.text));
	t->rows = arena_alloc(&t->arena, ROWS * sizeof(*t->rows));
	t->nrows = ROWS;
	t->total = 12345;
	t->presorted = true;
	for (size_t i = 0; i < ROWS; i++) {
		struct cell *cells = arena_alloc(&t->arena, 3 * sizeof(*cells));
		char name[16];

		snprintf(name, sizeof(name), "row%zu", i);
		cells[0] = (struct cell){
			.text = arena_str(&t->arena, str_of(name)), .text_sort = true};
		cells[1] = (struct cell){.text = STR_LIT("1,234"), .sort = (int64_t)i};
		cells[2] = (struct cell){.text = STR_LIT("host said \x1b[2J")};
		t->rows[i] = (struct row){
			.id = i + 1, .cells = cells, .style = i == 7 ? STYLE_BAD : STYLE_NORMAL};
	}
	return 0;
}

static bool enter_beta(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	(void)state;
	(void)v;
	ret->pane = "beta";
	ret->query.code_key = (int64_t)selected->id;
	ret->query.domain = selected->cells[0].text;
	snprintf(ret->label, sizeof(ret->label), "beta %d", (int)selected->id);
	return true;
}

static bool identify(const void *state, const struct view *v, const struct row *row,
	struct job_id *ret, int *ret_provider)
{
	(void)state;
	(void)v;
	*ret = (struct job_id){
		.qid = row->cells[0].text, .sender = STR_LIT("a@b"), .arrival_ms = 5};
	*ret_provider = 1;
	return true;
}

static void tile_gamma(const void *state, const struct view *v, const struct table *t,
	struct canvas *c, struct rect area, char *note, size_t note_bytes)
{
	(void)state;
	(void)v;
	(void)t;
	canvas_printf(c, area.x, area.y, area.w, STYLE_NORMAL, "gamma tile");
	snprintf(note, note_bytes, "5,437");
}

static const struct pane_ops alpha = {.name = "alpha",
	.title = "Alpha",
	.help = "What alpha shows.",
	.number = 1,
	.columns = columns,
	.ncolumns = 3,
	.default_sort = 1,
	.refresh = refresh_rows,
	.enter = enter_beta,
	.tile_hint = {
		.priority = 1, .min_w = 30, .min_h = 5, .want_w = 60, .want_h = 10, .grows = true}};
static const struct pane_ops beta = {.name = "beta",
	.title = "Beta",
	.help = "What beta shows.",
	.number = 2,
	.columns = columns,
	.ncolumns = 3,
	.refresh = refresh_rows,
	.identify = identify};
static const struct pane_ops gamma_pane = {.name = "gamma",
	.title = "Gamma",
	.help = "What gamma shows.",
	.number = 3,
	.refresh = refresh_rows,
	.tile = tile_gamma,
	.tile_hint = {.priority = 2, .min_w = 30, .min_h = 5, .want_w = 60, .want_h = 10}};
const struct pane_ops *const pane_table[] = {&alpha, &beta, &gamma_pane, NULL};

/* --- services --- */

struct job {
	int kind;
	size_t nids;
	char qid[32];
};

static struct job last_job;
static enum job_state job_state_now;

static int job_start(
	void *ctx, const struct job_request *request, struct job **ret, struct mt_error *reterr)
{
	(void)ctx;
	(void)reterr;
	last_job = (struct job){.kind = (int)request->kind, .nids = request->nids};
	if (request->nids)
		snprintf(last_job.qid, sizeof(last_job.qid), "%.*s", STR_ARG(request->ids[0].qid));
	*ret = &last_job;
	return 0;
}

static enum job_state job_state_of(struct job *job, struct mt_error *ret_error)
{
	(void)job;
	(void)ret_error;
	return job_state_now;
}

static const char *job_summary(struct job *job)
{
	(void)job;
	return "2 of 2 deleted";
}

static void job_drop(struct job *job)
{
	(void)job;
}

static const struct services services = {.read_write = true,
	.start = job_start,
	.state = job_state_of,
	.summary = job_summary,
	.drop = job_drop};

/* --- helpers --- */

struct fix {
	struct clock clock;
	struct app *a;
	struct buf screen;
};

static int setup(void **state)
{
	static struct fix f;
	struct app_options o;

	f = (struct fix){.clock = clock_fake(NOW_MS)};
	o = (struct app_options){.reader = &the_reader,
		.clock = &f.clock,
		.services = &services,
		.version = "1.0",
		.host = "mx1",
		.window = -1,
		.utf8 = true,
		.read_write = true};
	the_reader = (struct reader){0};
	last_job = (struct job){0};
	job_state_now = JOB_RUNNING;
	f.a = app_new(&o);
	app_resize(f.a, 120, 40);
	buf_init(&f.screen, 1 << 20);
	app_step(f.a);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fix *f = *state;

	app_free(f->a);
	buf_done(&f->screen);
	return 0;
}

static const char *screen(struct fix *f)
{
	buf_clear(&f->screen);
	assert_int_equal(screen_text_write(app_draw(f->a), &f->screen), 0);
	return buf_z(&f->screen);
}

static void press(struct fix *f, const char *name)
{
	struct key_event e = {.key = key_by_name(str_of(name))};

	assert_int_not_equal(e.key, KEYCODE_NONE);
	app_key(f->a, &e);
	app_step(f->a);
	app_draw(f->a);
}

static void type(struct fix *f, const char *text)
{
	for (; *text; text++) {
		struct key_event e = {.key = (unsigned char)*text};

		app_key(f->a, &e);
	}
}

static void sees(struct fix *f, const char *text)
{
	if (!strstr(screen(f), text))
		fail_msg("no \"%s\" on\n%s", text, screen(f));
}

static void sees_not(struct fix *f, const char *text)
{
	if (strstr(screen(f), text))
		fail_msg("\"%s\" is on\n%s", text, screen(f));
}

/* --- tests --- */

static void test_overview(void **state)
{
	struct fix *f = *state;

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
	press(f, "Enter");
	assert_ptr_equal(app_top(f->a)->pane, &gamma_pane);
	press(f, "q");
	assert_int_equal(f->a->depth, 1);
	assert_false(f->a->quit);
	press(f, "q");
	assert_true(f->a->quit);
}

static void test_way_and_back(void **state)
{
	struct fix *f = *state;
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
	assert_int_equal(the_reader.last.code_key, 46);
	assert_true(str_eq(the_reader.last.domain, STR_LIT("row45")));
	assert_int_equal(the_reader.last.t1_ms, NOW_MS); /* the common window, not a frozen one */
	assert_false(app_top(f->a)->own_window);
	press(f, "Esc");
	assert_ptr_equal(app_top(f->a)->pane, &alpha);
	assert_int_equal(app_top(f->a)->list.cursor, cursor);
	assert_int_equal(app_top(f->a)->list.top, top);
	sees(f, "60 of 12,345 rows");
}

static void test_filter_belongs_to_its_view(void **state)
{
	struct fix *f = *state;

	press(f, "1");
	press(f, "\\");
	type(f, "!gmail");
	press(f, "Enter");
	sees(f, "FILTERED: !gmail");
	assert_true(the_reader.last.text_invert);
	assert_string_equal(last_text, "gmail");
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
	struct fix *f = *state;
	int refreshes;

	sees(f, "last 1h");
	assert_int_equal(the_reader.last.t0_ms, NOW_MS - 3600000);
	press(f, "w");
	sees(f, "last 6h");
	assert_int_equal(the_reader.last.t0_ms, NOW_MS - 6 * 3600000);
	press(f, ",");
	sees(f, "AT 2026-11-23 09:00:00");
	assert_int_equal(the_reader.last.t1_ms, NOW_MS - 3 * 3600000);
	press(f, ".");
	sees(f, "LIVE");
	press(f, "p");
	sees(f, "PAUSED at 2026-11-23 12:00:00");
	refreshes = the_reader.refreshes;
	the_reader.changed = true;
	clock_advance(&f->clock, 90000);
	app_step(f->a);
	assert_int_equal(the_reader.refreshes, refreshes);
	sees(f, "PAUSED at 2026-11-23 12:00:00");
	press(f, "p");
	assert_int_equal(the_reader.refreshes, refreshes + 1);
	assert_int_equal(the_reader.last.t1_ms, NOW_MS + 90000);
}

static void test_refresh_only_when_changed(void **state)
{
	struct fix *f = *state;
	int refreshes = the_reader.refreshes;

	for (int i = 0; i < 20; i++) {
		assert_in_range(app_wait_ms(f->a), 500, 1000); /* two wake-ups a second at most */
		clock_advance(&f->clock, 1000);
		app_step(f->a);
		app_draw(f->a);
	}
	assert_int_equal(the_reader.refreshes, refreshes);
	the_reader.changed = true;
	app_step(f->a);
	assert_int_equal(the_reader.refreshes, refreshes + 1);
	the_reader.changed = true;
	app_step(f->a); /* not more often than the interval */
	assert_int_equal(the_reader.refreshes, refreshes + 1);
	assert_false(app_wants_commits(f->a));
	clock_advance(&f->clock, 1000);
	app_step(f->a);
	assert_int_equal(the_reader.refreshes, refreshes + 2);
}

static void test_providers_and_commands(void **state)
{
	struct fix *f = *state;

	press(f, "]");
	sees(f, "[postfix]");
	assert_int_equal(the_reader.last.provider, 1);
	press(f, ":");
	type(f, "mailgun");
	press(f, "Enter");
	assert_int_equal(the_reader.last.provider, 2);
	press(f, ":");
	type(f, "nonsense");
	press(f, "Enter");
	sees(f, "no such view");
	press(f, "^U");
	type(f, "be");
	press(f, "Tab");
	press(f, "Enter");
	assert_ptr_equal(app_top(f->a)->pane, &beta);
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
	struct fix *f = *state;

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
	struct fix *f = *state;

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

static void test_delete_needs_the_count(void **state)
{
	struct fix *f = *state;

	press(f, "2");
	press(f, "Space");
	press(f, "Space");
	press(f, "Del");
	sees(f, "delete 2 messages?");
	sees(f, "row0");
	type(f, "y");
	press(f, "Enter");
	sees(f, "not confirmed");
	assert_int_equal(last_job.nids, 0);
	press(f, "Del");
	type(f, "2");
	press(f, "Enter");
	assert_int_equal(last_job.kind, JOB_DELETE);
	assert_int_equal(last_job.nids, 2);
	assert_string_equal(last_job.qid, "row0");
	assert_false(app_idle(f->a));
	job_state_now = JOB_DONE;
	app_step(f->a);
	sees(f, "2 of 2 deleted");
	f->a->opt.read_write = false;
	press(f, "Del");
	sees(f, "--read-write");
	assert_int_equal(f->a->prompt.kind, PROMPT_NONE);
}

static void test_paste_is_text(void **state)
{
	struct fix *f = *state;
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
	struct fix *f = *state;
	struct key_event e = {.key = KEYCODE_MOUSE_CLICK};

	screen(f);
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
	struct fix *f = *state;

	app_resize(f->a, 39, 9);
	assert_string_equal(screen(f), "queue 5,437  sent 96.1%  bounced 3.9%\n\n\n\n\n\n\n\n\n");
	app_resize(f->a, 20, 1);
	assert_string_equal(screen(f), "q5.43k s96.1% b3.9%\n");
	app_resize(f->a, 8, 1); /* whole figures or none */
	assert_string_equal(screen(f), "q5.43k\n");
	app_resize(f->a, 3, 1);
	assert_string_equal(screen(f), "###\n");
}

/* Any size, any key: nothing to see but that it stands (the sanitizer build looks closer). */
static void test_monkey(void **state)
{
	struct fix *f = *state;
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
	struct fix *f = *state;

	for (int h = 1; h <= 200; h += h < 45 ? 1 : 9) {
		for (int w = 1; w <= 300; w += w < 130 ? 3 : 17) {
			app_resize(f->a, w, h);
			assert_true(strspn(screen(f), " \n") < strlen(screen(f))); /* never empty */
		}
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_overview),
		T(test_way_and_back),
		T(test_filter_belongs_to_its_view),
		T(test_time),
		T(test_refresh_only_when_changed),
		T(test_providers_and_commands),
		T(test_help_and_setup),
		T(test_search),
		T(test_delete_needs_the_count),
		T(test_paste_is_text),
		T(test_mouse),
		T(test_tiny),
		T(test_monkey),
		T(test_every_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
