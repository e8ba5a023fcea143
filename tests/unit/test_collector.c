/* SPDX-License-Identifier: MIT */
/* test_collector - the loop over a log and a cache, with a clock that stands still: read once, commit, stop, fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backends/collector.h"
#include "backends/confkeys.h"
#include "backends/registry.h"
#include "tests/unit/bucketsql.h"

#include <fcntl.h>
#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW_MS INT64_C(1795305600000) /* 2026-11-22T00:00:00Z */

struct fix {
	char dir[64], log[96], cache[96];
	const char *logs[2];
	struct conf_table tables[2];
	struct conf *conf;
	struct clock clock;
	int notify[2];
	int64_t told, total; /* by progress */
	int calls;
};

static void begin(struct fix *f)
{
	*f = (struct fix){.clock = clock_fake(NOW_MS)};
	snprintf(f->dir, sizeof(f->dir), "/tmp/mtatop-collector-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->log, sizeof(f->log), "%s/mail.log", f->dir);
	snprintf(f->cache, sizeof(f->cache), "%s/cache.db", f->dir);
	f->logs[0] = f->log;
	f->tables[0] = collector_conf_table();
	f->tables[1] = (struct conf_table){backend_table[0]->keys, backend_table[0]->nkeys};
	f->conf = conf_new(f->tables, 2);
	assert_int_equal(pipe2(f->notify, O_NONBLOCK | O_CLOEXEC), 0);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static void end(struct fix *f)
{
	conf_free(f->conf);
	close(f->notify[0]);
	close(f->notify[1]);
	nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void append(const struct fix *f, int first, int n)
{
	FILE *out = fopen(f->log, "a");

	assert_non_null(out);
	for (int i = first; i < first + n; i++)
		fprintf(out,
			"Nov 21 12:00:%02d mx1 postfix/smtp[7]: %010X: to=<a@b.example>, "
			"relay=mx.b.example[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, "
			"status=sent (250 ok %d)\n",
			i % 60, 0x10000000 + i, i);
	fclose(out);
}

static void note_progress(void *ctx, const struct collector_progress *p)
{
	struct fix *f = ctx;

	assert_in_range(p->done_bytes, 0, p->total_bytes);
	f->calls++;
	f->told = p->done_bytes;
	f->total = p->total_bytes;
}

static int collect(struct fix *f, bool stop_first, struct mt_error *error)
{
	struct collector_options o = {.conf = f->conf,
		.clock = &f->clock,
		.cache_path = f->cache,
		.logs = f->logs,
		.nlogs = f->logs[1] ? 2 : 1,
		.until_caught_up = !stop_first,
		.notify_fd = f->notify[1],
		.progress = note_progress,
		.progress_ctx = f};
	struct collector *c = NULL;
	int rc = collector_new(&o, &c, error);

	if (rc < 0)
		return rc;
	if (stop_first)
		collector_stop(c);
	rc = collector_run(c, error);
	collector_free(c);
	return rc;
}

static int64_t sql_int(const struct fix *f, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *stmt;
	int64_t n;

	assert_int_equal(sqlite3_open_v2(f->cache, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(bucketsql_register(db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return n;
}

/* messages - each of these lines makes one that stays open: there is no "removed". */
static int64_t messages(const struct fix *f)
{
	return sql_int(f, "SELECT count(*) FROM message_open");
}

static void reads_all_and_never_twice(void **state)
{
	struct mt_error error = {0};
	struct fix f;
	char byte;

	(void)state;
	begin(&f);
	append(&f, 0, 200);
	assert_int_equal(collect(&f, false, &error), 0);
	assert_int_equal(messages(&f), 200);
	assert_true(f.calls > 0 && f.total > 0);
	assert_int_equal(read(f.notify[0], &byte, 1), 1); /* the screen hears of it */
	assert_int_equal(collect(&f, false, &error), 0);
	assert_int_equal(messages(&f), 200);
	append(&f, 200, 7);
	assert_int_equal(collect(&f, false, &error), 0);
	assert_int_equal(messages(&f), 207);
	assert_int_equal(
		sql_int(&f, "SELECT count(*) FROM source WHERE name = 'log' AND health = 1"), 1);
	end(&f);
}

static void append_long(const struct fix *f, const char *end)
{
	FILE *out = fopen(f->log, "a");

	assert_non_null(out);
	for (int i = 0; i < 3 << 20; i++)
		putc('x', out);
	fputs(end, out);
	fclose(out);
}

static int64_t total(const struct fix *f, enum metric metric, int64_t t_s)
{
	char sql[512];

	snprintf(sql, sizeof(sql),
		"SELECT ifnull(sum(n), 0) FROM " BUCKET_ROWS
		" WHERE res = 60 AND dim = 0 AND metric = %d AND t_s = %lld",
		metric, (long long)t_s);
	return sql_int(f, sql);
}

/* Lines too long, the first of them over two processes: where the log stands, not when it was read. */
static void long_lines_are_dated_by_the_log(void **state)
{
	const int64_t minute_s = NOW_MS / 1000 - 43200; /* 12:00 of the day before */
	struct mt_error error = {0};
	struct fix f;

	(void)state;
	begin(&f);
	append(&f, 0, 5);
	append_long(&f, "");
	assert_int_equal(collect(&f, false, &error), 0);
	assert_int_equal(total(&f, METRIC_OVERSIZE, minute_s), 0);
	append_long(&f, "\n");
	append_long(&f, "\n");
	assert_int_equal(collect(&f, false, &error), 0);
	assert_int_equal(total(&f, METRIC_OVERSIZE, minute_s), 2);
	assert_int_equal(total(&f, METRIC_LINES, minute_s), 7);
	end(&f);
}

static void stops_when_asked(void **state)
{
	struct mt_error error = {0};
	struct fix f;

	(void)state;
	begin(&f);
	append(&f, 0, 5);
	assert_int_equal(collect(&f, true, &error), 0);
	assert_int_equal(collect(&f, false, &error), 0);
	assert_int_equal(messages(&f), 5);
	end(&f);
}

static void one_bad_file_hides_no_other(void **state)
{
	struct mt_error error = {0};
	struct fix f;
	char bad[128];

	(void)state;
	begin(&f);
	append(&f, 0, 5);
	snprintf(bad, sizeof(bad), "%s/bad.fifo", f.dir);
	f.logs[0] = f.log;
	f.logs[1] = bad;
	assert_int_equal(mkfifo(bad, 0600), 0);
	assert_int_equal(collect(&f, false, &error), MT_EINVAL);
	assert_non_null(strstr(error.text, "bad.fifo"));
	assert_int_equal(messages(&f), 5);
	assert_int_equal(
		sql_int(&f, "SELECT count(*) FROM source WHERE name = 'log' AND health = 4"), 1);
	end(&f);
}

static void a_cache_in_use_is_refused(void **state)
{
	struct collector_options o = {.notify_fd = -1};
	struct mt_error error = {0};
	struct collector *c = NULL;
	struct fix f;

	(void)state;
	begin(&f);
	append(&f, 0, 5);
	o.conf = f.conf;
	o.clock = &f.clock;
	o.cache_path = f.cache;
	o.logs = f.logs;
	o.nlogs = 1;
	assert_int_equal(collector_new(&o, &c, &error), 0);
	assert_int_equal(collect(&f, false, &error), MT_EBUSY);
	collector_free(c);
	assert_int_equal(collect(&f, false, &error), 0);
	assert_int_equal(messages(&f), 5);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_all_and_never_twice),
		cmocka_unit_test(long_lines_are_dated_by_the_log),
		cmocka_unit_test(stops_when_asked),
		cmocka_unit_test(one_bad_file_hides_no_other),
		cmocka_unit_test(a_cache_in_use_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
