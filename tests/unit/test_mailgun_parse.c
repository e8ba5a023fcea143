/* SPDX-License-Identifier: MIT */
/*
 * test_mailgun_parse - bodies of Mailgun into rows: tests/fixtures/mailgun/NN-name.json gives NN-name.rows, and every
 * body cut short at any byte is refused, never half taken.
 *
 * FIXTURES_UPDATE=1 writes the .rows anew. The vendor's own example bodies are checked by tests/api/bodies.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backends/mailgun/mailgun.h"
#include "backends/mailgun/parse.h"
#include "store/base/buf.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER "tests/fixtures/mailgun/"
#define FILE_MAX_BYTES (1u << 20)

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

static void rows_path(const char *path, char *out, size_t max)
{
	snprintf(out, max, "%.*s.rows", (int)(strlen(path) - strlen(".json")), path);
}

static void check_file(const char *path, struct buf *body, struct buf *rows, struct buf *want)
{
	struct mt_error error = {0};
	char rows_at[200];

	assert_true(read_file(path, body));
	buf_clear(rows);
	if (mailgun_replay(buf_str(body), rows, &error) < 0)
		fail_msg("%s: %s", path, error.text);
	rows_path(path, rows_at, sizeof(rows_at));
	if (getenv("FIXTURES_UPDATE")) {
		FILE *f = fopen(rows_at, "we");

		assert_non_null(f);
		fputs(buf_z(rows), f);
		fclose(f);
	}
	assert_true(read_file(rows_at, want));
	assert_string_equal(buf_z(rows), buf_z(want));
}

static void each(void (*fn)(const char *path, struct buf *a, struct buf *b, struct buf *c))
{
	struct buf a, b, c;
	glob_t found;

	buf_init(&a, FILE_MAX_BYTES);
	buf_init(&b, FILE_MAX_BYTES);
	buf_init(&c, FILE_MAX_BYTES);
	assert_int_equal(glob(FOLDER "*.json", 0, NULL, &found), 0);
	assert_true(found.gl_pathc >= 23);
	for (size_t i = 0; i < found.gl_pathc; i++)
		fn(found.gl_pathv[i], &a, &b, &c);
	globfree(&found);
	buf_done(&a);
	buf_done(&b);
	buf_done(&c);
}

static void every_fixture_gives_its_rows(void **state)
{
	(void)state;
	each(check_file);
}

static void check_cut(const char *path, struct buf *body, struct buf *rows, struct buf *unused)
{
	size_t end;

	(void)unused;
	assert_true(read_file(path, body));
	for (end = body->n; end && body->p[end - 1] != '}'; end--)
		;
	for (size_t n = end - 1; n > end / 2; n--) {
		struct mt_error error = {0};

		buf_clear(rows);
		assert_true(mailgun_replay(str_make(body->p, n), rows, &error) < 0);
		assert_int_equal(rows->n, 0);
	}
}

static void trap_26_a_cut_body_gives_nothing(void **state)
{
	(void)state;
	each(check_cut);
}

/* rows_of - of one body of that shape, as JSON lines; NULL when it is refused. */
static const char *rows_of(const char *body, struct buf *out)
{
	struct mt_error error = {0};

	buf_clear(out);
	return mailgun_replay(str_of(body), out, &error) < 0 ? NULL : buf_z(out);
}

static void same(const char *body, const char *want)
{
	struct buf out;

	buf_init(&out, FILE_MAX_BYTES);
	if (want)
		assert_string_equal(rows_of(body, &out), want);
	else
		assert_null(rows_of(body, &out));
	buf_done(&out);
}

#define METRICS(figures)                                                                           \
	"# metrics\n{\"resolution\":\"hour\",\"items\":[{\"dimensions\":[],\"metrics\":{" figures  \
	"}}]}"
#define RANGE "{\"row\":\"range\",\"step_s\":3600}\n"

static void trap_06_rates_are_strings(void **state)
{
	(void)state;
	same(METRICS("\"delivered_count\":8,\"delivered_rate\":\"0.8300\",\"bounce_rate\":0.1"),
		RANGE "{\"row\":\"counts\",\"by\":\"total\",\"sent\":8}\n");
}

static void trap_07_null_is_not_zero(void **state)
{
	(void)state;
	same(METRICS("\"delivered_count\":null,\"opened_count\":0"),
		RANGE "{\"row\":\"counts\",\"by\":\"total\",\"sent\":null,\"opens\":0}\n");
	same(METRICS("\"permanent_failed_count\":5,\"suppressed_bounces_count\":1"), RANGE
		"{\"row\":\"counts\",\"by\":\"total\",\"bounced\":null,\"suppressed\":null}\n");
	same(METRICS(""), RANGE "{\"row\":\"counts\",\"by\":\"total\"}\n");
	same(METRICS("\"delivered_count\":\"seven\",\"opened_count\":[1],\"clicked_count\":-1"),
		RANGE "{\"row\":\"counts\",\"by\":\"total\",\"sent\":null,\"opens\":null,"
		      "\"clicks\":null}\n");
}

static void trap_13_codes_of_every_kind(void **state)
{
	static const char *const codes[][2] = {{"550", ",\"code\":550"},
		{"\"550\"", ",\"code\":550"}, {"550.0", ",\"code\":550"}, {"605", ""}, {"606", ""},
		{"607", ""}, {"680", ""}, {"498", ""}, {"499", ""}, {"0", ""}, {"-1", ""},
		{"null", ""}, {"\"x\"", ""}, {"199", ""}, {"1e99", ""}, {"{}", ""}};
	char body[300], want[300];

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		snprintf(body, sizeof(body),
			"{\"event\":\"failed\",\"id\":\"i\",\"@timestamp\":\"2026-11-23T10:30:"
			"18Z\",\"severity\":\"temporary\","
			"\"delivery-status\":{\"code\":%s,\"message\":\"m\"}}",
			codes[i][0]);
		snprintf(want, sizeof(want),
			"{\"row\":\"event\",\"kind\":\"deferred\",\"time\":\"2026-11-23T10:30:18."
			"000Z\",\"id\":\"/i/20780\","
			"\"message\":\"i\"%s,\"reply\":\"m\"}\n",
			codes[i][1]);
		same(body, want);
	}
}

/* What happened is told by severity and reason. */
static void trap_13_own_codes_do_not_class(void **state)
{
	(void)state;
	same("{\"event\":\"failed\",\"id\":\"i\",\"@timestamp\":\"2026-11-23T10:30:18Z\","
	     "\"severity\":\"permanent\","
	     "\"reason\":\"suppress-complaint\",\"delivery-status\":{\"code\":607}}",
		"{\"row\":\"event\",\"kind\":\"suppressed\",\"time\":\"2026-11-23T10:30:18.000Z\","
		"\"id\":\"/i/20780\","
		"\"message\":\"i\",\"reply\":\"suppress-complaint\"}\n");
}

static void trap_14_odd_types_beside(void **state)
{
	(void)state;
	same("{\"event\":\"delivered\",\"id\":\"i\",\"timestamp\":1795429818,\"user-variables\":"
	     "\"Could not load\",\"tags\":null,"
	     "\"flags\":{\"is-routed\":null},\"storage\":{\"url\":[\"a\",\"b\"],\"key\":\"k\"},"
	     "\"envelope\":[],\"message\":\"x\"}",
		"{\"row\":\"event\",\"kind\":\"delivered\",\"time\":\"2026-11-23T10:30:18.000Z\","
		"\"id\":\"/i/20780\",\"message\":\"k\"}\n");
}

static void trap_16_percent_as_text(void **state)
{
	(void)state;
	same("{\"items\":[{\"ip\":\"192.0.2.1\",\"sent_within_stage\":\"7%\"},{\"ip\":\"192.0.2."
	     "2\",\"sent_within_stage\":12},"
	     "{\"ip\":\"192.0.2.3\",\"sent_within_stage\":\"%\"}]}",
		"{\"row\":\"ip\",\"ip\":\"192.0.2.1\",\"warming\":1,\"percent\":7}\n"
		"{\"row\":\"ip\",\"ip\":\"192.0.2.2\",\"warming\":1,\"percent\":12}\n"
		"{\"row\":\"ip\",\"ip\":\"192.0.2.3\",\"warming\":1}\n");
}

static void trap_17_list_and_detail_name_things_otherwise(void **state)
{
	static const char want[] =
		"{\"row\":\"ip\",\"ip\":\"192.0.2.1\",\"warming\":1,\"stage\":2,\"limit\":4000}\n";

	(void)state;
	same("# "
	     "ip_warmups\n{\"items\":[{\"ip\":\"192.0.2.1\",\"stage_number\":2,\"stage_volume_"
	     "limit\":4000}]}",
		want);
	same("# ip_warmup 192.0.2.1\n{\"details\":{\"stage\":2,\"stage_limit\":4000}}", want);
}

static void trap_15_dates_that_are_none(void **state)
{
	(void)state;
	same("# bounces d\n{\"items\":[{\"address\":\"a\",\"created_at\":\"0001-01-01T00:00:00Z\"},"
	     "{\"address\":\"b\",\"created_at\":\"2026-03-26T12:59:15.123456789Z\"},{\"address\":"
	     "\"c\",\"created_at\":\"soon\"}]}",
		"{\"row\":\"suppression\",\"list\":\"bounces\",\"domain\":\"d\",\"address\":\"a\"}"
		"\n"
		"{\"row\":\"suppression\",\"list\":\"bounces\",\"domain\":\"d\",\"address\":\"b\","
		"\"created\":\"2026-03-26T12:59:15.123Z\"}\n"
		"{\"row\":\"suppression\",\"list\":\"bounces\",\"domain\":\"d\",\"address\":\"c\"}"
		"\n");
}

/* Escape sequences in words and subjects: kept as they came, shown by no way out as they are. */
static void trap_22_escape_sequences_are_text(void **state)
{
	(void)state;
	same("# bounces "
	     "d\n{\"items\":[{\"address\":\"a@b\",\"error\":\"x\\u001b["
	     "2J\\u009b31m\\u202ey\\r\\nz\\u0000\"}]}",
		"{\"row\":\"suppression\",\"list\":\"bounces\",\"domain\":\"d\",\"address\":\"a@"
		"b\","
		"\"reason\":\"x\\u001b[2J\\u009b31m\\u202ey\\u000d\\u000az\\u0000\"}\n");
}

/* Neither temporary nor permanent: no failure is made up. */
static void a_failure_without_severity(void **state)
{
	(void)state;
	same("{\"event\":\"failed\",\"id\":\"i\",\"@timestamp\":\"2026-11-23T10:30:18Z\"}",
		"{\"row\":\"event\",\"kind\":\"other\",\"time\":\"2026-11-23T10:30:18.000Z\","
		"\"id\":\"/i/20780\","
		"\"message\":\"i\",\"reply\":\"failed\"}\n");
}

static void trap_21_bodies_that_are_no_answer(void **state)
{
	static const char *const bodies[] = {"", "<html>502</html>", "{\"items\":[1,]}",
		"# logs\n[]", "# logs\n{\"items\":{}}", "# metrics\n{}", "# no_such_shape\n{}",
		"{\"unheard\":1}", "null", "7", "\"x\"", "# bounces d\n{\"items\":null}",
		"# warmup\n{}", "# ip_pools\n{\"ip_pools\":{}}", "# domain\n{\"domain\":[]}",
		"# sending_queues d\n{}"};
	struct buf deep;

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		same(bodies[i], NULL);
	buf_init(&deep, FILE_MAX_BYTES);
	for (int i = 0; i < 200000; i++)
		(void)buf_add_char(&deep, '[');
	same(buf_z(&deep), NULL);
	buf_done(&deep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_fixture_gives_its_rows),
		cmocka_unit_test(trap_06_rates_are_strings),
		cmocka_unit_test(trap_07_null_is_not_zero),
		cmocka_unit_test(trap_13_codes_of_every_kind),
		cmocka_unit_test(trap_13_own_codes_do_not_class),
		cmocka_unit_test(trap_14_odd_types_beside),
		cmocka_unit_test(trap_15_dates_that_are_none),
		cmocka_unit_test(trap_16_percent_as_text),
		cmocka_unit_test(trap_17_list_and_detail_name_things_otherwise),
		cmocka_unit_test(trap_21_bodies_that_are_no_answer),
		cmocka_unit_test(trap_22_escape_sequences_are_text),
		cmocka_unit_test(a_failure_without_severity),
		cmocka_unit_test(trap_26_a_cut_body_gives_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
