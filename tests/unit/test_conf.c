/* SPDX-License-Identifier: MIT */
/* test_conf - values and their refusals, each with its line; files that are none; nothing half taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/base/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct conf_key main_keys[] = {
	{"mtatop", "interval", CONF_DURATION, "5s", 1000, 86400000, NULL, "how often", false},
	{"mtatop", "cache", CONF_PATH, "~/cache", 0, 0, NULL, "where", false},
	{"mtatop", "colour", CONF_CHOICE, "auto", 0, 0, "auto|yes|no", "colour", false},
	{"mtatop", "limit", CONF_SIZE, "4G", 1048576, INT64_C(1) << 40, NULL, "how much", false},
	{"mtatop", "mouse", CONF_BOOL, "yes", 0, 0, NULL, "mouse", false},
};
static const struct conf_key postfix_keys[] = {
	{"postfix", "log", CONF_LIST, "", 0, 0, NULL, "files", false},
	{"postfix", "depth", CONF_INT, "3", -5, 10, NULL, "depth", false},
	{"postfix", "key", CONF_TEXT, "", 0, 0, NULL, "secret", true},
};
static const struct conf_table tables[] = {{main_keys, 5}, {postfix_keys, 3}};

static int set_up(void **state)
{
	setenv("HOME", "/home/somebody", 1);
	*state = conf_new(tables, 2);
	return 0;
}

static int tear_down(void **state)
{
	conf_free(*state);
	return 0;
}

static int load(struct conf *c, const char *text, struct mt_error *err)
{
	return conf_load_text(c, "f", str_of(text), false, err);
}

static void defaults(void **state)
{
	struct conf *c = *state;
	size_t n = 7;

	assert_int_equal(conf_int(c, "mtatop", NULL, "interval"), 5000);
	assert_string_equal(conf_text(c, "mtatop", NULL, "cache"), "/home/somebody/cache");
	assert_string_equal(conf_text(c, "mtatop", NULL, "colour"), "auto");
	assert_true(conf_int(c, "mtatop", NULL, "limit") == INT64_C(4) << 30);
	assert_true(conf_bool(c, "mtatop", NULL, "mouse"));
	assert_false(conf_is_set(c, "mtatop", NULL, "mouse"));
	conf_list(c, "postfix", NULL, "log", &n);
	assert_int_equal(n, 0);
	conf_instances(c, "postfix", &n);
	assert_int_equal(n, 0);
}

static void takes_a_file(void **state)
{
	struct conf *c = *state;
	struct mt_error err = {0};
	const char *const *list;
	size_t n;

	assert_int_equal(
		load(c,
			"\xEF\xBB\xBF# comment\r\n[mtatop]\r\n  interval = 1m30s ; often\r\n"
			"\tmouse: off\r\n\r\n[postfix]\ndepth=-2\nlog = /a, /b  /c,\n"
			"[postfix out] # the other\nkey = s3cret\ndepth = 9\n[postfix empty]",
			&err),
		0);
	assert_int_equal(conf_int(c, "mtatop", NULL, "interval"), 90000);
	assert_false(conf_bool(c, "mtatop", NULL, "mouse"));
	assert_true(conf_is_set(c, "mtatop", NULL, "mouse"));
	assert_int_equal(conf_int(c, "postfix", NULL, "depth"), -2);
	assert_int_equal(conf_int(c, "postfix", "out", "depth"), 9);
	assert_int_equal(conf_int(c, "postfix", "unheard", "depth"), -2);
	assert_string_equal(conf_text(c, "postfix", "out", "key"), "s3cret");
	assert_string_equal(conf_text(c, "postfix", NULL, "key"), "");
	list = conf_list(c, "postfix", "out", "log", &n);
	assert_int_equal(n, 3);
	assert_string_equal(list[0], "/a");
	assert_string_equal(list[2], "/c");
	list = conf_instances(c, "postfix", &n);
	assert_int_equal(n, 2);
	assert_string_equal(list[0], "out");
	assert_string_equal(list[1], "empty");
}

static void refuses_with_line_and_fix(void **state)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{"\n[mtatop]\nintervall = 5s\n",
			"f line 3: unknown key \"intervall\" in [mtatop]; did you mean interval?"},
		{"[mtatop]\nwhatever = 5s\n",
			"f line 2: unknown key \"whatever\" in [mtatop]; see mtatop.conf(5)"},
		{"[mta]\n", "f line 1: unknown section [mta]; see mtatop.conf(5)"},
		{"[mtatop]\n[postfix]\n[mtatop]\n",
			"f line 3: section [mtatop] was there in line 1; put its keys together"},
		{"[postfix a]\n[postfix  a]\n", "f line 2: section [postfix  a] was there in line "
						"1; put its keys together"},
		{"[mtatop x]\n", "f line 1: [mtatop] takes no instance name; write [mtatop]"},
		{"[postfix a b]\n", "f line 1: bad instance name in [postfix ...]; use one word of "
				    "letters, digits and . _ - @"},
		{"[postfix\n", "f line 1: section without ]; close it"},
		{"[postfix] depth = 1\n",
			"f line 1: text behind a section; give it a line of its own"},
		{"depth = 1\n", "f line 1: key before any section; begin with [mtatop]"},
		{"[postfix]\ndepth\n",
			"f line 2: neither [section] nor key = value; a comment begins with #"},
		{"[postfix]\ndepth = 1\ndepth = 1\n", "f line 3: depth is given twice; keep one"},
		{"[postfix]\ndepth = x\n",
			"f line 2: bad value \"x\" of depth; give a whole number"},
		{"[postfix]\ndepth = 11\n", "f line 2: depth is out of range; give -5 to 10"},
		{"[postfix]\nkey = a\001b\n", "f line 2: key holds a control character; remove it"},
		{"[mtatop]\ninterval = -5s\n", "f line 2: bad value \"-5s\" of interval; give a "
					       "duration with units (90s, 1h30m, 7d)"},
		{"[mtatop]\ninterval = 5\n", "f line 2: bad value \"5\" of interval; give a "
					     "duration with units (90s, 1h30m, 7d)"},
		{"[mtatop]\ninterval = 999ms\n",
			"f line 2: interval is out of range; give 1s to 1d"},
		{"[mtatop]\nlimit = 1k\n", "f line 2: limit is out of range; give 1M to 1T"},
		{"[mtatop]\ncolour = blue\n",
			"f line 2: bad value \"blue\" of colour; give auto|yes|no"},
		{"[mtatop]\nmouse = perhaps\n",
			"f line 2: bad value \"perhaps\" of mouse; give yes or no"},
		{"[mtatop]\ncache = ~root/x\n",
			"f line 2: cache: only ~/ is expanded; write the path in full"},
		{"[mtatop]\nmouse = no\ninterval = 5s\n  interval = 7s\n",
			"f line 4: interval is given twice; keep one"},
	};
	struct conf *c = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mt_error err = {0};

		assert_int_equal(load(c, cases[i].in, &err), MT_ECONFIG);
		assert_string_equal(err.text, cases[i].want);
	}
	/* Nothing of the refused files stayed. */
	assert_true(conf_bool(c, "mtatop", NULL, "mouse"));
	assert_int_equal(conf_int(c, "postfix", NULL, "depth"), 3);
	size_t n = 7;

	conf_instances(c, "postfix", &n);
	assert_int_equal(n, 0);
}

static void refuses_odd_bytes(void **state)
{
	struct conf *c = *state;
	struct mt_error err = {0};
	char *big = calloc(1, (1u << 20) + 2);

	assert_int_equal(
		conf_load_text(c, "f", STR_LIT("\n[mtatop]\nmo\0use=1"), false, &err), MT_ECONFIG);
	assert_string_equal(err.text, "f line 3: NUL byte; save the file as UTF-8 text");
	memset(big, '#', (1u << 20) + 1);
	assert_int_equal(load(c, big, &err), MT_ECONFIG);
	assert_non_null(strstr(err.text, "over 1 MiB"));
	memcpy(big, "[postfix]\nlog=", 14);
	big[5000] = '\0';
	assert_int_equal(load(c, big, &err), MT_ECONFIG);
	assert_non_null(strstr(err.text, "f line 2: longer than"));
	/* A long comment is no line of data. */
	memset(big, '#', 14);
	assert_int_equal(load(c, big, &err), 0);
	free(big);
	assert_int_equal(load(c, "", &err), 0);
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static void refuses_odd_files(void **state)
{
	struct conf *c = *state;
	struct mt_error err = {0};
	char dir[] = "/tmp/mtatop-conf-XXXXXX";
	char path[64], want[256];

	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/c", dir);
	assert_int_equal(conf_load(c, path, &err), MT_ENOENT);
	write_file(path, "[postfix]\nkey = s3cret\n", 0644);
	assert_int_equal(conf_load(c, path, &err), MT_ECONFIG);
	(void)snprintf(want, sizeof(want),
		"%s line 2: key is secret and others can read this file; chmod 600 %s", path, path);
	assert_string_equal(err.text, want);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(conf_load(c, path, &err), 0);
	write_file(path, "[postfix]\ndepth = 4\n", 0644);
	assert_int_equal(conf_load(c, path, &err), 0);
	assert_int_equal(conf_int(c, "postfix", NULL, "depth"), 4);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(conf_load(c, path, &err), MT_ECONFIG);
	assert_non_null(strstr(err.text, "not a regular file"));
	assert_int_equal(conf_load(c, dir, &err), MT_ECONFIG);
	assert_int_equal(conf_load(c, "/dev/zero", &err), MT_ECONFIG);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void count_secrets(
	void *ctx, const struct conf_key *key, const char *instance, const char *value, bool is_set)
{
	unsigned *seen = ctx;

	(void)instance;
	assert_null(strstr(value, "s3cret"));
	if (key->secret && is_set) {
		assert_string_equal(value, "***");
		++*seen;
	}
}

static void sets_and_hides(void **state)
{
	struct conf *c = *state;
	struct mt_error err = {0};
	unsigned seen = 0;
	size_t n;

	assert_int_equal(conf_set(c, "postfix", NULL, "key", "s3cret", &err), 0);
	assert_int_equal(conf_set(c, "postfix", "in", "key", "s3cret2", &err), 0);
	assert_int_equal(conf_set(c, "postfix", NULL, "nokey", "1", &err), MT_ECONFIG);
	assert_int_equal(conf_set(c, "nothing", NULL, "key", "1", &err), MT_ECONFIG);
	assert_int_equal(conf_set(c, "mtatop", "in", "mouse", "1", &err), MT_ECONFIG);
	assert_int_equal(conf_set(c, "mtatop", NULL, "cache", "~/x", &err), 0);
	assert_string_equal(conf_text(c, "mtatop", NULL, "cache"), "/home/somebody/x");
	conf_each(c, count_secrets, &seen);
	assert_int_equal(seen, 2);
	assert_string_equal(conf_instances(c, "postfix", &n)[0], "in");
}

static void durations_and_sizes(void **state)
{
	static const struct {
		const char *in;
		int64_t ms, bytes; /* -1 = refused */
	} cases[] = {{"0", 0, 0}, {"90s", 90000, -1}, {"7d", 604800000, -1}, {"1h30m", 5400000, -1},
		{"250ms", 250, -1}, {"1w1d1h1m1s1ms", 694861001, -1}, {"30m1h", -1, -1},
		{"1s1s", -1, -1}, {"5", -1, 5}, {"", -1, -1}, {"s", -1, -1}, {"1 h", -1, -1},
		{"-1s", -1, -1}, {"999999999999999999w", -1, -1}, {"4G", -1, INT64_C(4) << 30},
		{"512M", -1, 512 << 20}, {"512MiB", -1, 512 << 20}, {"512mb", -1, 512 << 20},
		{"100k", -1, 102400}, {"7B", -1, 7}, {"2T", -1, INT64_C(2) << 40},
		{"99999999999T", -1, -1}, {"1.5G", -1, -1}, {"G", -1, -1}, {"1MM", -1, -1}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int64_t ms = -1, bytes = -1;
		int rc = conf_parse_duration_ms(str_of(cases[i].in), &ms);

		assert_int_equal(rc, cases[i].ms < 0 ? MT_EINVAL : 0);
		assert_true(ms == cases[i].ms);
		rc = conf_parse_size_bytes(str_of(cases[i].in), &bytes);
		assert_int_equal(rc, cases[i].bytes < 0 ? MT_EINVAL : 0);
		assert_true(bytes == cases[i].bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(defaults, set_up, tear_down),
		cmocka_unit_test_setup_teardown(takes_a_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_with_line_and_fix, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_odd_bytes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_odd_files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sets_and_hides, set_up, tear_down),
		cmocka_unit_test(durations_and_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
