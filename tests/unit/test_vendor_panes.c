/* SPDX-License-Identifier: MIT */
/*
 * test_vendor_panes - the views of vendors' accounts over vendorfix's cache: rows, ways, an address taken off a list,
 * a message's detail fetched by a job.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/cachefix.h"
#include "tests/unit/vendorfix.h"
#include "tui/app.h"
#include "tui/screen_text.h"

#include <stdlib.h>
#include <unistd.h>

#define STEPS_MAX 8

struct job { /* what the app started last */
	struct job_request request;
	struct job_id id;
	char qid[128], scope[64], provider[32];
	enum job_state now;
	struct mt_error error;
	int started;
};
static struct job last;

static int job_start(
	void *ctx, const struct job_request *request, struct job **ret, struct mt_error *reterr)
{
	(void)ctx;
	(void)reterr;
	last.request = *request;
	last.started++;
	snprintf(last.qid, sizeof(last.qid), "%.*s",
		STR_ARG(request->nids ? request->ids[0].qid : STR_LIT("")));
	snprintf(last.scope, sizeof(last.scope), "%.*s",
		STR_ARG(request->nids ? request->ids[0].sender : STR_LIT("")));
	snprintf(last.provider, sizeof(last.provider), "%.*s", STR_ARG(request->provider_name));
	*ret = &last;
	return 0;
}

static enum job_state job_state_of(struct job *job, struct mt_error *ret_error)
{
	if (ret_error)
		*ret_error = job->error;
	return job->now;
}

static const struct job_line *job_lines(struct job *job, size_t *ret_n)
{
	static const struct job_line lines[] = {
		{STR_INIT("delivered \x1b[2J by mx.example"), 0}, {STR_INIT("opened"), 0}};

	(void)job;
	*ret_n = 2;
	return lines;
}

static const char *job_summary(struct job *job)
{
	(void)job;
	return "1 of 1 taken off the list";
}

static void job_drop(struct job *job)
{
	(void)job;
}

static const struct services services = {.read_write = true,
	.start = job_start,
	.state = job_state_of,
	.lines = job_lines,
	.summary = job_summary,
	.drop = job_drop};

struct bed {
	char folder[64], path[96];
	struct clock clock;
	struct reader *reader;
	struct app *a;
	struct buf screen;
};

static void settle(struct bed *b)
{
	for (int i = 0; i < STEPS_MAX && (app_draw(b->a), !app_idle(b->a)); i++)
		app_step(b->a);
	app_step(b->a);
}

static void press(struct bed *b, const char *keys)
{
	struct str rest = str_of(keys);

	while ((rest = str_trim(rest)).n > 0) {
		struct str name = str_first(rest, str_find_char(rest, ' '));
		struct key_event e = {.key = key_by_name(name)};

		rest = str_skip(rest, name.n);
		assert_int_not_equal(e.key, KEYCODE_NONE);
		app_key(b->a, &e);
		settle(b);
	}
}

static void sees(struct bed *b, const char *text)
{
	buf_clear(&b->screen);
	assert_int_equal(screen_text_write(app_draw(b->a), &b->screen), 0);
	if (!strstr(buf_z(&b->screen), text))
		fail_msg("\"%s\" is not on the screen:\n%s", text, buf_z(&b->screen));
}

static int setup(void **state)
{
	static struct bed b;
	struct app_options o;

	b = (struct bed){.clock = clock_fake(FIX_NOW_MS)};
	last = (struct job){0};
	snprintf(b.folder, sizeof(b.folder), "/tmp/mtatop-vendor-XXXXXX");
	assert_non_null(mkdtemp(b.folder));
	snprintf(b.path, sizeof(b.path), "%s/cache.db", b.folder);
	vendorfix_make(b.path);
	assert_int_equal(reader_open(b.path, &b.reader, NULL), 0);
	o = (struct app_options){.reader = b.reader,
		.clock = &b.clock,
		.services = &services,
		.version = "1.0",
		.host = "mx1",
		.window = -1,
		.utf8 = true,
		.read_write = true};
	buf_init(&b.screen, 4u << 20);
	b.a = app_new(&o);
	app_resize(b.a, 120, 40);
	settle(&b);
	*state = &b;
	return 0;
}

static int teardown(void **state)
{
	struct bed *b = *state;
	char lock[128];

	app_free(b->a);
	reader_close(b->reader);
	buf_done(&b->screen);
	fix_unlink(b->path);
	snprintf(lock, sizeof(lock), "%s.lock", b->path);
	unlink(lock);
	rmdir(b->folder);
	return 0;
}

static void open_view(struct bed *b, const char *name)
{
	view_home(b->a);
	assert_true(view_push(b->a, pane_by_name(str_of(name)), NULL));
	settle(b);
	if (app_top(b->a)->failed)
		fail_msg("%s: %s", name, app_top(b->a)->error.text);
}

static void test_rows(void **state)
{
	static const struct {
		const char *view;
		size_t rows;
	} views[] = {{"suppressions", 420}, {"ips", 4}, {"domains", 3}, {"account", 7},
		{"requests", 6}, {"providers", 9}};
	struct bed *b = *state;

	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
		open_view(b, views[i].view);
		assert_int_equal(app_top(b->a)->table.nrows, views[i].rows);
		press(b, "Enter"); /* wherever it leads, it can be read */
		assert_false(app_top(b->a)->failed);
	}
}

static void test_taken_off_the_list(void **state)
{
	struct bed *b = *state;

	open_view(b, "suppressions");
	press(b, "Del");
	sees(b, "take 1 address off the vendor's list?");
	press(b, "y Enter");
	sees(b, "not confirmed");
	assert_int_equal(last.started, 0);
	press(b, "Down Del 1 Enter");
	assert_int_equal(last.request.kind, JOB_UNSUPPRESS);
	assert_int_equal(last.request.nids, 1);
	assert_int_equal(last.request.list, API_LIST_BOUNCES);
	assert_string_equal(last.qid, "user0010@gmail.example");
	assert_true(last.provider[0] != '\0');
	last.now = JOB_DONE;
	settle(b);
	sees(b, "1 of 1 taken off the list");
	press(b, "H"); /* nothing else can be done to an address */
	sees(b, "no use for that key");
	b->a->opt.read_write = false;
	press(b, "Del");
	sees(b, "--read-write");
	assert_int_equal(last.started, 1);
}

/* Rows of two lists are not taken off together. */
static void test_one_list_at_a_time(void **state)
{
	struct bed *b = *state;

	open_view(b, "suppressions");
	press(b, "] ] Space Space Space Space Space Space Space Space Space Space Del");
	sees(b, "different lists");
	assert_int_equal(last.started, 0);
}

static void test_detail_is_fetched(void **state)
{
	struct bed *b = *state;

	open_view(b, "failures");
	press(b, "] ] Enter");
	assert_int_equal(last.request.kind, JOB_DETAIL);
	assert_string_equal(last.provider, "mailgun");
	assert_true(strstr(last.qid, "@shop.example") != NULL);
	sees(b, "fetching what the vendor says");
	sees(b, "accepted");
	last.now = JOB_DONE;
	clock_advance(&b->clock, 1000);
	settle(b);
	settle(b);
	sees(b, "delivered");
	sees(b, "opened");
}

static void test_detail_that_fails(void **state)
{
	struct bed *b = *state;

	last.now = JOB_FAILED;
	last.error = (struct mt_error){.code = MT_EPERM, .text = "403: messages.read is missing"};
	open_view(b, "failures");
	press(b, "] ] Enter");
	settle(b);
	sees(b, "403: messages.read is missing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_taken_off_the_list, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_list_at_a_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_detail_is_fetched, setup, teardown),
		cmocka_unit_test_setup_teardown(test_detail_that_fails, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
