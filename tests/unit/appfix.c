/* SPDX-License-Identifier: MIT */
/* appfix - see appfix.h. Takes the place of store_read and of the real pane table at link time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/appfix.h"
#include "tui/screen_text.h"

/* --- the reader --- */

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
	r->stopped = false;
	return 0;
}

void reader_stop_when(struct reader *r, bool (*stop)(void *ctx), void *ctx)
{
	r->stop = stop;
	r->stop_ctx = ctx;
}

bool reader_stopped(const struct reader *r)
{
	return r->stopped;
}

bool reader_truncated(const struct reader *r)
{
	(void)r;
	return false;
}

void reader_end(struct reader *r)
{
	r->whole += !r->stopped;
}

int read_alerts(struct reader *r, struct arena *a, struct alert_row **ret, size_t *ret_n,
	struct mt_error *reterr)
{
	(void)r;
	(void)a;
	(void)reterr;
	*ret = NULL;
	*ret_n = 0;
	return 0;
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
		.last_ok_ms = FIX_APP_NOW_MS - 1000};
	rows[1] = (struct provider_row){.id = 2,
		.name = STR_LIT("mailgun"),
		.kind = STR_LIT("mailgun"),
		.finest_bucket_s = 3600,
		.health = HEALTH_STALE,
		.last_ok_ms = FIX_APP_NOW_MS - 840000};
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
	*out = (struct queue_figures){.n = {EVENT_UNKNOWN, 1, 312, 5120, 4, EVENT_UNKNOWN},
		.active_limit = EVENT_UNKNOWN,
		.active_pm = EVENT_UNKNOWN};
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
	(void)reterr;
	++*(int *)state; /* must be put back when the refresh is stopped */
	r->last = v->query;
	r->stopped = r->stopped || (r->stop && r->stop(r->stop_ctx));
	if (r->stopped)
		return MT_ECANCELED;
	snprintf(r->last_text, sizeof(r->last_text), "%.*s", STR_ARG(v->query.text));
	t->rows = arena_alloc(&t->arena, FIX_ROWS * sizeof(*t->rows));
	t->nrows = FIX_ROWS;
	t->total = 12345 + r->grown;
	t->presorted = true;
	for (size_t i = 0; i < FIX_ROWS; i++) {
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
	.state_bytes = sizeof(int),
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
	.state_bytes = sizeof(int),
	.columns = columns,
	.ncolumns = 3,
	.refresh = refresh_rows,
	.identify = identify};
static const struct pane_ops gamma_pane = {.name = "gamma",
	.title = "Gamma",
	.help = "What gamma shows.",
	.number = 3,
	.state_bytes = sizeof(int),
	.refresh = refresh_rows,
	.tile = tile_gamma,
	.tile_hint = {.priority = 2, .min_w = 30, .min_h = 5, .want_w = 60, .want_h = 10}};
const struct pane_ops *const pane_table[] = {&alpha, &beta, &gamma_pane, NULL};

/* --- services --- */

struct job appfix_job;

static int job_start(
	void *ctx, const struct job_request *request, struct job **ret, struct mt_error *reterr)
{
	(void)ctx;
	(void)reterr;
	appfix_job = (struct job){.kind = (int)request->kind, .nids = request->nids};
	if (request->nids)
		snprintf(appfix_job.qid, sizeof(appfix_job.qid), "%.*s",
			STR_ARG(request->ids[0].qid));
	*ret = &appfix_job;
	return 0;
}

static enum job_state job_state_of(struct job *job, struct mt_error *ret_error)
{
	(void)job;
	(void)ret_error;
	return appfix_job.now;
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

int appfix_setup(void **state)
{
	static struct appfix f;
	struct app_options o;

	f = (struct appfix){.clock = clock_fake(FIX_APP_NOW_MS)};
	o = (struct app_options){.reader = &f.reader,
		.clock = &f.clock,
		.services = &services,
		.version = "1.0",
		.host = "mx1",
		.window = -1,
		.utf8 = true,
		.clipboard = true,
		.read_write = true};

	appfix_job = (struct job){0};

	f.a = app_new(&o);
	app_resize(f.a, 120, 40);
	buf_init(&f.screen, 1 << 20);
	app_step(f.a);
	*state = &f;
	return 0;
}

int appfix_teardown(void **state)
{
	struct appfix *f = *state;

	app_free(f->a);
	buf_done(&f->screen);
	return 0;
}

const char *appfix_screen(struct appfix *f)
{
	buf_clear(&f->screen);
	assert_int_equal(screen_text_write(app_draw(f->a), &f->screen), 0);
	return buf_z(&f->screen);
}

void press(struct appfix *f, const char *name)
{
	struct key_event e = {.key = key_by_name(str_of(name))};

	assert_int_not_equal(e.key, KEYCODE_NONE);
	app_key(f->a, &e);
	app_step(f->a);
	app_draw(f->a);
}

void type(struct appfix *f, const char *text)
{
	for (; *text; text++) {
		struct key_event e = {.key = (unsigned char)*text};

		app_key(f->a, &e);
	}
}

void sees(struct appfix *f, const char *text)
{
	if (!strstr(appfix_screen(f), text))
		fail_msg("no \"%s\" on\n%s", text, appfix_screen(f));
}

void sees_not(struct appfix *f, const char *text)
{
	if (strstr(appfix_screen(f), text))
		fail_msg("\"%s\" is on\n%s", text, appfix_screen(f));
}
