/* SPDX-License-Identifier: MIT */
/*
 * test_hook - programs run at an alert: what they get, hanging, failing and shouting ones, how often they run, which may
 * run at all, through the helper too; hostile text in what they are told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backends/alerts.h"
#include "backends/helper.h"
#include "backends/hook.h"
#include "tests/unit/store_fixture.h"

#include <jansson.h>
#include <string.h>

#define MINUTE_MS INT64_C(60000)
#define NOW_MS (T0_MS + 12 * 60 * MINUTE_MS)
#define DEADLINE_MS 60000 /* of what takes milliseconds */

static char folder[64];
static char ended_name[64], ended_why[128];
static int nended;

static void note_end(void *ctx, const char *name, const char *why)
{
	(void)ctx;
	nended++;
	snprintf(ended_name, sizeof(ended_name), "%s", name);
	snprintf(ended_why, sizeof(ended_why), "%s", why ? why : "");
}

/* A program of ours in the test's folder. */
static const char *script(const char *name, const char *body)
{
	static char path[160];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "we");
	assert_non_null(f);
	fprintf(f, "#!/bin/sh\n%s\n", body);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0700), 0);
	return path;
}

static void read_file(const char *name, char *out, size_t max)
{
	char path[160];
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "re");
	if (f) {
		n = fread(out, 1, max - 1, f);
		fclose(f);
	}
	out[n] = '\0';
}

static void wait_for_end(struct hooks *h, int n)
{
	struct clock clock = clock_real();
	int64_t until = clock_mono_ms(&clock) + DEADLINE_MS;

	while (nended < n) {
		struct pollfd fds[16];
		size_t nfds = hooks_fds(h, fds, 16);

		if (clock_mono_ms(&clock) > until)
			fail_msg("the hook does not end");
		poll(fds, nfds, 1000);
		hooks_step(h, note_end, NULL);
	}
}

static void run(struct hooks *h, const char *path, const char *input)
{
	struct mt_error error = {0};

	nended = 0;
	must(hooks_start(h, path, "rule", str_of(input), 0, &error), &error, "start");
	wait_for_end(h, 1);
	assert_string_equal(ended_name, "rule");
}

static void gets_its_input_and_nothing_else(void **state)
{
	struct hooks *h = hooks_new(0);
	char body[400], got[4096];

	(void)state;
	setenv("SECRET_OF_OURS", "x", 1);
	snprintf(body, sizeof(body), "cat > %s/in; env > %s/env; echo $# > %s/args", folder, folder,
		folder);
	run(h, script("echo", body), "{\"a\":1}\n");
	assert_string_equal(ended_why, "");
	read_file("in", got, sizeof(got));
	assert_string_equal(got, "{\"a\":1}\n");
	read_file("env", got, sizeof(got));
	assert_null(strstr(got, "SECRET"));
	assert_non_null(strstr(got, "PATH="));
	read_file("args", got, sizeof(got));
	assert_string_equal(got, "0\n");
	hooks_free(h);
}

static void bad_ones_are_ended(void **state)
{
	struct hooks *h = hooks_new(200);

	(void)state;
	run(h, script("fails", "exit 3"), "");
	assert_string_equal(ended_why, "the hook ended with status 3");
	run(h, script("hangs", "exec sleep 600"), "");
	assert_string_equal(ended_why, "the hook took too long and was ended");
	hooks_free(h);
	h = hooks_new(0);
	run(h, script("shouts", "exec cat /dev/zero"), "");
	assert_string_equal(ended_why, "the hook wrote too much and was ended");
	/* one that does not read its input ends as well */
	run(h, script("deaf", "exit 0"), "x");
	assert_string_equal(ended_why, "");
	hooks_free(h);
}

static void only_some_at_a_time(void **state)
{
	struct hooks *h = hooks_new(0);
	struct mt_error error = {0};
	const char *path;

	(void)state;
	path = script("waits", "exec sleep 600");
	for (int i = 0; i < HOOKS_RUNNING_MAX; i++) {
		assert_true(hooks_may_start(h, 0));
		must(hooks_start(h, path, "r", STR_LIT(""), 0, &error), &error, "start");
	}
	assert_false(hooks_may_start(h, 0));
	assert_int_equal(hooks_start(h, path, "r", STR_LIT(""), 0, &error), MT_EBUSY);
	assert_int_equal(hooks_running(h), HOOKS_RUNNING_MAX);
	hooks_free(h); /* kills them */
	h = hooks_new(0);
	path = script("quick", "exit 0");
	for (int i = 0; i < HOOKS_PER_MINUTE; i++)
		run(h, path, "");
	assert_false(hooks_may_start(h, MINUTE_MS - 1));
	assert_true(hooks_may_start(h, MINUTE_MS));
	hooks_free(h);
}

static void others_may_not_change_it(void **state)
{
	struct mt_error error = {0};
	struct hooks *h = hooks_new(0);
	char path[160], link[160];
	const char *why;

	(void)state;
	snprintf(path, sizeof(path), "%s", script("mine", "exit 0"));
	assert_true(hook_trusted(path, &why));
	assert_int_equal(chmod(path, 0720), 0);
	assert_false(hook_trusted(path, &why));
	assert_non_null(strstr(why, "chmod go-w"));
	assert_int_equal(hooks_start(h, path, "r", STR_LIT(""), 0, &error), MT_EPERM);
	assert_int_equal(chmod(path, 0600), 0);
	assert_false(hook_trusted(path, &why));
	assert_int_equal(chmod(path, 0700), 0);
	snprintf(link, sizeof(link), "%s/link", folder);
	assert_int_equal(symlink(path, link), 0);
	assert_true(hook_trusted(link, &why));
	assert_int_equal(chmod(folder, 0777), 0);
	assert_false(hook_trusted(path, &why));
	assert_int_equal(chmod(folder, 0700), 0);
	assert_false(hook_trusted(folder, &why));
	assert_false(hook_trusted("relative", &why));
	assert_false(hook_trusted("/nowhere/at/all", &why));
	hooks_free(h);
}

static void hostile_text_in_the_json(void **state)
{
	const struct alert_rule rule = {.name = "r\"1",
		.figure = ALERT_FIGURE_BOUNCE_RATE,
		.word = "bounce-rate",
		.provider = "",
		.over = 5,
		.clear = 3,
		.hook = ""};
	struct alert_entry e = {.rule = &rule,
		.state = {.phase = ALERT_FIRING, .since_ms = NOW_MS},
		.value = {.known = true, .value = 6.25, .n = 800}};
	struct buf out;
	json_error_t error;
	json_t *json;

	(void)state;
	snprintf(e.value.text, sizeof(e.value.text),
		"\x1b]0;owned\x07 \"quoted\" \\ \xff\xe2\x80\xae $(reboot) `id`\n{}");
	buf_init(&out, 65536);
	assert_int_equal(hook_json(&out, &e, ALERT_FIRED, NOW_MS, "mx1"), 0);
	for (size_t i = 0; i + 1 < out.n; i++)
		assert_true((unsigned char)out.p[i] >= 0x20 && (unsigned char)out.p[i] != 0x7f);
	json = json_loadb(out.p, out.n, 0, &error);
	if (!json)
		fail_msg("%s in %s", error.text, out.p);
	assert_string_equal(json_string_value(json_object_get(json, "alert")), "r\"1");
	assert_string_equal(json_string_value(json_object_get(json, "event")), "fired");
	assert_string_equal(json_string_value(json_object_get(json, "condition")),
		"bounce-rate > 5%, clears at 3%");
	assert_int_equal(json_integer_value(json_object_get(json, "n")), 800);
	assert_true(json_real_value(json_object_get(json, "value")) > 6.2);
	assert_string_equal(
		json_string_value(json_object_get(json, "since")), "2026-11-22T12:00:00.000Z");
	json_decref(json);
	/* what is not known is null */
	buf_clear(&out);
	e.value = (struct alert_value){.n = EVENT_UNKNOWN};
	assert_int_equal(hook_json(&out, &e, ALERT_CLEARED, NOW_MS, "mx1"), 0);
	json = json_loadb(out.p, out.n, 0, &error);
	assert_true(json_is_null(json_object_get(json, "value")));
	assert_true(json_is_null(json_object_get(json, "n")));
	json_decref(json);
	buf_done(&out);
}

static int lines_of(const char *name)
{
	char got[4096];
	int n = 0;

	read_file(name, got, sizeof(got));
	for (const char *p = got; *p; p++)
		n += *p == '\n';
	return n;
}

/* What the collector does between rounds, until the hook has run so often. */
static void step_until(struct alerts *a, int runs)
{
	struct clock clock = clock_real();
	int64_t until = clock_mono_ms(&clock) + DEADLINE_MS;

	while (lines_of("rung") < runs) {
		struct pollfd fds[16];
		size_t nfds = alerts_fds(a, fds, 16);

		if (clock_mono_ms(&clock) > until)
			fail_msg("%d runs, not %d", lines_of("rung"), runs);
		poll(fds, nfds, 100);
		(void)alerts_step(a, false);
	}
}

static void depth(struct fixture *f, int64_t n)
{
	struct queue_depth d = {
		.source = QUEUE_SOURCE_SPOOL, .n = {0, 0, 0, n, 0, 0}, .oldest_ms = EVENT_UNKNOWN};
	struct mt_error error = {0};

	must(store_queue_depth(f->store, f->provider, &d, &error), &error, "depth");
	fixture_commit(f);
	clock_advance(&f->clock, ALERT_EVAL_INTERVAL_MS);
}

static void a_flapping_rule_rings_once_a_minute(void **state)
{
	struct alert_rule rule = {.name = "deep",
		.figure = ALERT_FIGURE_QUEUE_DEFERRED,
		.word = "queue-deferred",
		.provider = "",
		.over = 10,
		.clear = 10,
		.hook_interval_ms = MINUTE_MS};
	struct alert_rules rules = {.n = 1};
	struct fixture f;
	struct alerts *a = NULL;
	struct mt_error error = {0};
	char body[200];

	(void)state;
	fixture_begin(&f);
	f.clock = clock_fake(NOW_MS);
	fixture_open(&f);
	snprintf(body, sizeof(body), "cat >> %s/rung", folder);
	rule.hook = script("ring", body);
	rules.rule[0] = rule;
	must(alerts_new(f.store, f.path, &rules, NULL, &f.clock, &a, &error), &error, "alerts");
	depth(&f, 11);
	assert_true(alerts_step(a, true));
	step_until(a, 1);
	for (int i = 0; i < 10; i++) { /* 50 s of flapping */
		depth(&f, i % 2 ? 11 : 0);
		assert_true(alerts_step(a, true));
	}
	assert_int_equal(lines_of("rung"), 1);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM alert_log WHERE event<=2"), 11);
	depth(&f, 11);
	depth(&f, 11);
	(void)alerts_step(a, true);
	step_until(a, 2);
	alerts_free(a);
	/* a hook others can change is refused at the start */
	assert_int_equal(chmod(rule.hook, 0722), 0);
	assert_int_equal(
		alerts_new(f.store, f.path, &rules, NULL, &f.clock, &a, &error), MT_ECONFIG);
	assert_non_null(strstr(error.text, "[alert deep] hook"));
	fixture_end(&f);
}

/* Last: from here on programs are started by the helper. */
static void the_helper_runs_what_is_named(void **state)
{
	static const char *names[2];
	static char allowed[160];
	const struct helper_options o = {.hooks = names};
	struct hooks *h = hooks_new(0);
	struct mt_error error = {0};
	char body[200], got[256];

	(void)state;
	snprintf(body, sizeof(body), "cat > %s/helped", folder);
	snprintf(allowed, sizeof(allowed), "%s", script("named", body));
	names[0] = allowed;
	must(helper_start(&o, &error), &error, "helper");
	run(h, allowed, "told\n");
	assert_string_equal(ended_why, "");
	read_file("helped", got, sizeof(got));
	assert_string_equal(got, "told\n");
	assert_int_equal(
		hooks_start(h, script("unnamed", "exit 0"), "r", STR_LIT(""), 0, &error), MT_EPERM);
	hooks_free(h);
	helper_stop();
}

static int setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/mtatop-hook-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gets_its_input_and_nothing_else),
		cmocka_unit_test(bad_ones_are_ended),
		cmocka_unit_test(only_some_at_a_time),
		cmocka_unit_test(others_may_not_change_it),
		cmocka_unit_test(hostile_text_in_the_json),
		cmocka_unit_test(a_flapping_rule_rings_once_a_minute),
		cmocka_unit_test(the_helper_runs_what_is_named),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
