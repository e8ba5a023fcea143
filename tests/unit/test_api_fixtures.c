/* SPDX-License-Identifier: MIT */
/*
 * test_api_fixtures - answers of vendors' APIs: each tests/fixtures/FAMILY/NN-name.json gives the lines of NN-name.rows,
 * as `--replay FAMILY FILE` prints them; cut anywhere it is refused, and no line holds a raw control character.
 *
 * With FIXTURES_UPDATE=1 the .rows are written anew: read the diff.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backends/registry.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool read_file(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "re");
	char bytes[4096];
	size_t n;

	buf_clear(out);
	if (!f)
		return false;
	while ((n = fread(bytes, 1, sizeof(bytes), f)) > 0)
		assert_int_equal(buf_add(out, bytes, n), 0);
	fclose(f);
	return true;
}

static void write_file(const char *path, const struct buf *b)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(buf_z(b), 1, b->n, f), b->n);
	assert_int_equal(fclose(f), 0);
}

/* cut - what ends too early is no answer, whatever it looks like. */
static void cut(const struct backend_ops *family, struct str body)
{
	struct mt_error error = {0};
	struct buf out;

	body = str_trim(body);
	buf_init(&out, 8u << 20);
	for (size_t n = 0; n < body.n; n += 1 + body.n / 500)
		assert_true(family->replay_body(str_first(body, n), &out, &error) < 0);
	assert_int_equal(out.n, 0);
	buf_done(&out);
}

static void check(const struct backend_ops *family, const char *path)
{
	struct buf body, out, want;
	struct mt_error error = {0};
	char rows[400];

	buf_init(&body, 8u << 20);
	buf_init(&out, 8u << 20);
	buf_init(&want, 8u << 20);
	assert_true(read_file(path, &body));
	if (family->replay_body(buf_str(&body), &out, &error) < 0)
		fail_msg("%s: %s", path, error.text);
	snprintf(rows, sizeof(rows), "%.*srows", (int)strlen(path) - 4, path);
	if (getenv("FIXTURES_UPDATE"))
		write_file(rows, &out);
	assert_true(read_file(rows, &want));
	assert_string_equal(buf_z(&out), buf_z(&want));
	for (const char *c = buf_z(&out); *c; c++)
		assert_true((unsigned char)*c >= ' ' || *c == '\n');
	cut(family, buf_str(&body));
	buf_done(&body);
	buf_done(&out);
	buf_done(&want);
}

static void answers_of_all_families(void **state)
{
	size_t n = 0;

	(void)state;
	for (size_t i = 0; backend_table[i]; i++) {
		char pattern[200];
		glob_t found;

		if (!backend_table[i]->replay_body)
			continue;
		snprintf(pattern, sizeof(pattern), "tests/fixtures/%.60s/*.json",
			backend_table[i]->name);
		if (glob(pattern, 0, NULL, &found) == 0) {
			for (size_t k = 0; k < found.gl_pathc; k++, n++)
				check(backend_table[i], found.gl_pathv[k]);
			globfree(&found);
		}
	}
	assert_true(n > 0 || !backend_find("sendgrid"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(answers_of_all_families)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
