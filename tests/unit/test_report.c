/* SPDX-License-Identifier: MIT */
/*
 * test_report - `mtatop report` over the known cache, byte for byte (tests/fixtures/report/), and over caches
 * with little or nothing in them. GOLDEN_UPDATE=1 writes the files anew: read the diff.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/base/utf8.h"
#include "tests/unit/cachefix.h"
#include "tui/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define OUT_MAX_BYTES (1u << 20)

struct bed {
	char known[64], path[64];
};

/* A report into *out; its result. */
static int report(const char *cache, enum report_format format, const char *provider,
	int64_t since_ms, int64_t until_ms, struct buf *out, struct mt_error *error)
{
	struct clock clock = clock_fake(FIX_NOW_MS);
	char *bytes = NULL;
	size_t n = 0;
	struct report_options o = {.cache_path = cache,
		.format = format,
		.provider = provider,
		.since_ms = since_ms,
		.until_ms = until_ms,
		.clock = &clock,
		.out = open_memstream(&bytes, &n)};
	int rc;

	assert_non_null(o.out);
	rc = report_run(&o, error);
	fclose(o.out);
	buf_clear(out);
	assert_int_equal(buf_add(out, bytes, n), 0);
	free(bytes);
	return rc;
}

static int report_json_of(const char *cache, struct buf *out, struct mt_error *error)
{
	return report(cache, REPORT_JSON, NULL, REPORT_UNSET, REPORT_UNSET, out, error);
}

static bool has(const struct buf *text, const char *part)
{
	return text->n && strstr(buf_z(text), part);
}

static void compare(const char *name, struct buf *got)
{
	static char want[OUT_MAX_BYTES];
	bool update = getenv("GOLDEN_UPDATE") != NULL;
	char path[128];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "tests/fixtures/report/%s", name);
	f = fopen(path, update ? "we" : "re");
	assert_non_null(f);
	if (update) {
		assert_int_equal(fwrite(got->p, 1, got->n, f), got->n);
	} else {
		n = fread(want, 1, sizeof(want) - 1, f);
		want[n] = '\0';
		assert_string_equal(buf_z(got), want);
	}
	fclose(f);
}

static void test_known(void **state)
{
	static const char *const names[] = {"known.txt", "known.json", "known.csv"};
	struct bed *b = *state;
	struct buf out;

	buf_init(&out, OUT_MAX_BYTES);
	for (int form = REPORT_TEXT; form <= REPORT_CSV; form++) {
		assert_int_equal(report(b->known, (enum report_format)form, NULL, REPORT_UNSET,
					 REPORT_UNSET, &out, NULL),
			0);
		compare(names[form], &out);
		/* the cache holds escapes, a bell, a bad byte, a bidi override: none comes out raw */
		for (struct str rest = buf_str(&out); rest.n > 0;) {
			int32_t cp = utf8_decode(&rest);

			assert_true(cp == '\n' || utf8_width(cp) >= 0);
		}
	}
	assert_true(has(&out, "\\xFF"));
	buf_done(&out);
}

static void test_window_and_provider(void **state)
{
	struct bed *b = *state;
	struct buf out;

	buf_init(&out, OUT_MAX_BYTES);
	assert_int_equal(report(b->known, REPORT_JSON, "postfix", FIX_NOW_MS - FIX_HOUR_MS,
				 FIX_NOW_MS, &out, NULL),
		0);
	assert_true(
		has(&out, "\"messages\":52,\"recipients\":54,\"sent\":48,\"deferred_attempts\":5,"
			  "\"bounced\":3,\"expired\":1,\"rejected\":7,\"rejected_temporary\":2"));
	assert_true(
		has(&out, "\"since\":\"2026-11-23T11:00:00.000Z\",\"until\":\"2026-11-23T12:00:00"
			  ".000Z\",\"resolution_s\":60"));
	assert_false(has(&out, "postfix-out"));
	assert_int_equal(report(b->known, REPORT_JSON, "postfix-out", FIX_NOW_MS - FIX_HOUR_MS,
				 FIX_NOW_MS, &out, NULL),
		0);
	assert_true(
		has(&out, "\"messages\":4,\"recipients\":4,\"sent\":4,\"deferred_attempts\":0"));
	assert_true(
		has(&out, "{\"port\":null,\"direction\":\"in\",\"service\":\"postfix-out/smtpd\","
			  "\"connections\":4,\"accepted\":4,\"rejected\":0,\"auth_ok\":0,"
			  "\"auth_failed\":0,\"tls\":null"));
	assert_true(has(&out, "\"queue\":{\"maildrop\":null"));
	/* both together: their sum */
	assert_int_equal(report(b->known, REPORT_JSON, "ALL", FIX_NOW_MS - FIX_HOUR_MS, FIX_NOW_MS,
				 &out, NULL),
		0);
	assert_true(has(&out, "\"messages\":56,\"recipients\":58,\"sent\":52,"));
	buf_done(&out);
}

static void test_refused(void **state)
{
	struct bed *b = *state;
	struct mt_error error = {0};
	struct buf out;

	buf_init(&out, OUT_MAX_BYTES);
	assert_int_equal(
		report(b->known, REPORT_JSON, "nobody", REPORT_UNSET, REPORT_UNSET, &out, &error),
		MT_ENOENT);
	assert_non_null(strstr(error.text, "no provider of that name"));
	assert_int_equal(out.n, 0);
	assert_int_equal(report_json_of("/tmp/mtatop-no-such-cache.db", &out, &error), MT_ENOENT);
	assert_non_null(strstr(error.text, "/tmp/mtatop-no-such-cache.db"));
	assert_int_equal(out.n, 0);
	assert_int_equal(report(b->known, REPORT_JSON, NULL, FIX_NOW_MS, FIX_NOW_MS - FIX_HOUR_MS,
				 &out, &error),
		MT_ECONFIG);
	assert_int_equal(out.n, 0);
	buf_done(&out);
}

/* Before the first record and after the last look nothing is known; in between silence is 0. */
static void test_no_data(void **state)
{
	static const char unknown[] =
		"\"totals\":{\"messages\":null,\"recipients\":null,\"sent\":null,";
	struct bed *b = *state;
	struct buf out;

	buf_init(&out, OUT_MAX_BYTES);
	assert_int_equal(report(b->known, REPORT_JSON, NULL, FIX_NOW_MS - 50 * (int64_t)FIX_HOUR_MS,
				 FIX_NOW_MS - 49 * (int64_t)FIX_HOUR_MS, &out, NULL),
		0);
	assert_true(has(&out, unknown));
	assert_true(has(&out, "\"delays\":{\"total\":{\"p50\":null,\"p90\":null,\"p99\":null}"));
	assert_true(has(&out, "\"by_code\":[]"));
	assert_true(has(&out, "\"failures\":[]"));
	assert_int_equal(report(b->known, REPORT_JSON, NULL, FIX_NOW_MS + FIX_HOUR_MS,
				 FIX_NOW_MS + 2 * FIX_HOUR_MS, &out, NULL),
		0);
	assert_true(has(&out, unknown));
	assert_int_equal(report(b->known, REPORT_JSON, NULL, FIX_NOW_MS - 20 * (int64_t)FIX_HOUR_MS,
				 FIX_NOW_MS - 19 * (int64_t)FIX_HOUR_MS, &out, NULL),
		0);
	assert_true(has(&out, "\"totals\":{\"messages\":0,\"recipients\":0,\"sent\":0,"));
	buf_done(&out);
}

static void test_empty_cache(void **state)
{
	struct bed *b = *state;
	struct buf out;
	struct fix f;

	buf_init(&out, OUT_MAX_BYTES);
	fix_unlink(b->path);
	fix_open(&f, b->path);
	fix_close(&f);
	for (int form = REPORT_TEXT; form <= REPORT_CSV; form++)
		assert_int_equal(report(b->path, (enum report_format)form, NULL, REPORT_UNSET,
					 REPORT_UNSET, &out, NULL),
			0);
	assert_int_equal(report_json_of(b->path, &out, NULL), 0);
	assert_true(has(&out, "\"providers\":[]"));
	assert_true(has(&out, "\"totals\":{\"messages\":null,"));
	assert_true(has(&out, "\"unparsed_lines\":null"));
	assert_true(has(&out, "\"queue\":{\"maildrop\":null,\"incoming\":null,\"active\":null,"
			      "\"deferred\":null,\"hold\":null,\"corrupt\":null,\"oldest_s\":null,"
			      "\"source\":null,\"age_s\":null}"));
	fix_unlink(b->path);
	buf_done(&out);
}

/* An attack with more different domains than the reader keeps texts: all of them are reported. */
static void test_many_domains(void **state)
{
	struct bed *b = *state;
	struct buf out;
	struct fix f;
	char name[300];
	int shown = 0;

	buf_init(&out, 64u << 20);
	fix_unlink(b->path);
	fix_open(&f, b->path);
	fix_exec(&f, "INSERT INTO provider(id, name, kind) VALUES(1,'postfix','postfix')");
	memset(name, 'x', sizeof(name));
	for (int i = 0; i < 2000; i++) { /* as fix_bucket, which is too slow for more */
		snprintf(name + 220, sizeof(name) - 220, "%d.example", i);
		fix_bucket(&f, FIX_NOW_MS - FIX_HOUR_MS, 1, DIM_DOMAIN,
			fix_dict(&f, DICT_DOMAIN, name), METRIC_SENT, 1);
	}
	fix_exec(&f, "UPDATE dict SET text = printf('%.*c', 10000, 'y') || text");
	fix_total(&f, FIX_NOW_MS - FIX_HOUR_MS, 1, METRIC_SENT, 2000);
	fix_close(&f);
	assert_int_equal(report_json_of(b->path, &out, NULL), 0);
	for (const char *at = buf_z(&out); (at = strstr(at, ".example\",\"sent\":1,")); at++)
		shown++;
	assert_int_equal(shown, 2000);
	fix_unlink(b->path);
	buf_done(&out);
}

static int setup(void **state)
{
	static struct bed b;

	snprintf(b.known, sizeof(b.known), "/tmp/mtatop-report-%d.db", (int)getpid());
	snprintf(b.path, sizeof(b.path), "/tmp/mtatop-report2-%d.db", (int)getpid());
	fix_unlink(b.known);
	cachefix_make(b.known);
	*state = &b;
	return 0;
}

static int teardown(void **state)
{
	fix_unlink(((struct bed *)*state)->known);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_window_and_provider),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_no_data),
		cmocka_unit_test(test_empty_cache),
		cmocka_unit_test(test_many_domains),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
