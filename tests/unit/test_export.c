/* SPDX-License-Identifier: MIT */
/* test_export - `mtatop export` over the known cache: figures, labels, what strangers wrote; what it listens on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/base/utf8.h"
#include "tests/unit/cachefix.h"
#include "tui/export.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUT_MAX_BYTES (1u << 20)

static char cache[64];

static void text_of(struct buf *out)
{
	struct mt_error error = {0};

	buf_clear(out);
	if (export_text(cache, FIX_NOW_MS, out, &error) < 0)
		fail_msg("%s", error.text);
}

static void has(const struct buf *out, const char *line)
{
	if (!strstr(buf_z(out), line))
		fail_msg("no line %s in\n%s", line, buf_z(out));
}

static void test_figures(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, OUT_MAX_BYTES);
	text_of(&out);
	has(&out, "\nmtatop_sent_total{provider=\"postfix\"} 59\n");
	has(&out, "\nmtatop_sent_total{provider=\"postfix-out\"} 4\n");
	has(&out, "\nmtatop_bounced_total{provider=\"postfix\"} 4\n");
	has(&out, "\nmtatop_deliveries_by_code_total{provider=\"postfix\",code=\"4yz\",status="
		  "\"deferred\"} 1\n");
	has(&out, "\nmtatop_deliveries_by_code_total{provider=\"postfix\",code=\"5.7\",status="
		  "\"rejected\"} 5\n");
	has(&out, "\nmtatop_service_auth_failed_total{provider=\"postfix\",service=\"postfix/"
		  "submission/smtpd\",port=\"587\"} 4\n");
	has(&out, "\nmtatop_deliveries_by_relay_port_total{provider=\"postfix\",port=\"25\",status="
		  "\"sent\"} 44\n");
	has(&out, "\nmtatop_queue_messages{provider=\"postfix\",queue=\"deferred\"} 3\n");
	assert_null(strstr(buf_z(&out),
		"provider=\"postfix-out\",queue=\"active\"")); /* unknown is left out, not 0 */
	has(&out, "part=\"total\",percentile=\"99\"} 1.00\n");
	buf_done(&out);
}

/* Days that retention takes stay in the counters: moved to RES_EVER here as store/prune.c does it. */
static void test_counters_do_not_fall(void **state)
{
	struct buf out;
	struct fix f;

	(void)state;
	buf_init(&out, OUT_MAX_BYTES);
	fix_reopen(&f, cache);
	fix_exec(&f, "UPDATE bucket SET res=0, t_s=0 WHERE res=86400 AND dim=0 AND t_s="
		     "(SELECT min(t_s) FROM bucket WHERE res=86400 AND dim=0)");
	fix_close(&f);
	text_of(&out);
	has(&out, "\nmtatop_sent_total{provider=\"postfix\"} 59\n");
	buf_done(&out);
}

/* A vendor's counters are absolute figures of slots, at a resolution of their own: they are added up as well. */
static void test_vendor(void **state)
{
	struct buf out;
	struct fix f;

	(void)state;
	buf_init(&out, OUT_MAX_BYTES);
	fix_reopen(&f, cache);
	fix_exec(&f, "INSERT INTO provider(id, name, kind, finest_bucket_s) "
		     "VALUES(9,'vendor','mailgun',3600)");
	fix_exec(&f, "INSERT INTO bucket SELECT 3601, dim, t_s, 9, chunk, counts FROM bucket WHERE "
		     "res=3600 AND "
		     "dim=0 AND provider=1");
	fix_close(&f);
	text_of(&out);
	has(&out, "\nmtatop_sent_total{provider=\"vendor\"} 59\n");
	has(&out, "\nmtatop_sent_total{provider=\"postfix\"} 59\n");
	buf_done(&out);
}

/* A service with a name from hell and more services than labels: one label each line, no raw byte, a bounded number. */
static void test_hostile(void **state)
{
	struct buf out;
	struct fix f;
	size_t lines = 0;

	(void)state;
	buf_init(&out, OUT_MAX_BYTES);
	fix_reopen(&f, cache);
	for (int i = 0; i < 100; i++) {
		char tag[64];
		int64_t id;

		snprintf(tag, sizeof(tag), "evil%d\"\\\n\x1b[2J\xff/smtpd", i);
		id = fix_dict(&f, DICT_SERVICE, tag);
		fix_bucket(&f, FIX_NOW_MS, 1, DIM_SERVICE, id, METRIC_CONNECTIONS, 1);
	}
	fix_close(&f);
	text_of(&out);
	for (struct str rest = buf_str(&out); rest.n > 0;) {
		int32_t cp = utf8_decode(&rest);

		assert_true(cp == '\n' || utf8_width(cp) >= 0);
	}
	has(&out, "service=\"evil0\\\"\\\\^J^[[2J\\\\xFF/smtpd\",port=\"25\"} 1\n");
	has(&out, "service=\"other\"");
	for (const char *p = buf_z(&out);
		(p = strstr(p, "mtatop_service_connections_total{provider=\"postfix\"")); p++)
		lines++;
	assert_int_equal(lines, EXPORT_SERVICES_MAX + 1);
	buf_done(&out);
}

static void test_file(void **state)
{
	struct clock clock = clock_fake(FIX_NOW_MS);
	char path[96];
	struct export_options o = {.cache_path = cache, .output = path, .clock = &clock};
	struct mt_error error = {0};
	struct stat st;

	(void)state;
	snprintf(path, sizeof(path), "%s.prom", cache);
	assert_int_equal(export_once(&o, &error), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	unlink(path);
	o.cache_path = "/nonexistent/cache.db";
	assert_int_equal(export_once(&o, &error), MT_ENOENT);
	assert_int_not_equal(access(path, F_OK), 0); /* nothing half made */
	o.cache_path = cache;
	o.output = "/dev/null/x.prom";
	assert_true(export_once(&o, &error) < 0);
}

static void test_listen(void **state)
{
	static const char *const refused[] = {"", "x", "70000", "-1", "0.0.0.0:9154",
		"192.0.2.1:9154", "[::]:9154", "localhost:9154", "127.0.0.1:", "127.0.0.1:9154x"};
	struct mt_error error = {0};
	int fd;

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (export_listen(refused[i], &fd, &error) != MT_ECONFIG)
			fail_msg("taken: %s", refused[i]);
	assert_int_equal(export_listen("127.0.0.1:0", &fd, &error), 0);
	close(fd);
	assert_int_equal(export_listen("0", &fd, &error), 0);
	close(fd);
}

static int make_cache(void **state)
{
	(void)state;
	snprintf(cache, sizeof(cache), "/tmp/mtatop-test-export-%d.db", (int)getpid());
	fix_unlink(cache);
	cachefix_make(cache);
	return 0;
}

static int end_cache(void **state)
{
	(void)state;
	fix_unlink(cache);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_figures, make_cache, end_cache),
		cmocka_unit_test_setup_teardown(test_counters_do_not_fall, make_cache, end_cache),
		cmocka_unit_test_setup_teardown(test_vendor, make_cache, end_cache),
		cmocka_unit_test_setup_teardown(test_hostile, make_cache, end_cache),
		cmocka_unit_test_setup_teardown(test_file, make_cache, end_cache),
		cmocka_unit_test(test_listen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
