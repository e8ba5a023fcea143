/* SPDX-License-Identifier: MIT */
/* logtail - lines before an instant, found by bisection, from the right sibling, and what came since an offset. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backends/logtail.h"
#include "store/base/scan.h"
#include "store/base/timefmt.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINES 50000 /* one a second: 4 MB, many times what bisection ends at */
#define FIRST_MS INT64_C(1795435200000) /* 2026-11-23T12:00:00Z */
#define MS_PER_S 1000

struct got {
	size_t n;
	int64_t first, last; /* numbers of the lines */
	int64_t last_offset;
	bool in_order;
};

struct fixture {
	char folder[64], path[96];
};

static int add(void *ctx, struct str line, int64_t offset)
{
	struct got *g = ctx;
	size_t at = str_rfind_char(line, ' ');
	uint64_t number;
	int64_t n;

	assert_true(scan_all_u64(str_skip(line, at + 1), LINES + 10000, &number));
	n = (int64_t)number;
	if (g->n++ == 0)
		g->first = n;
	else
		g->in_order = g->in_order && n == g->last + 1;
	g->last = n;
	g->last_offset = offset;
	return 0;
}

static bool canceled(void *ctx)
{
	(void)ctx;
	return false;
}

static struct got run(const char *path, struct job_request request)
{
	struct got g = {.in_order = true};
	struct job_output out = {.add = add, .canceled = canceled, .ctx = &g};

	request.kind = JOB_LOG_TAIL;
	assert_int_equal(logtail_run(path, true, &request, &out, NULL), 0);
	return g;
}

static void write_log(const char *path, int from, int to, bool classic)
{
	FILE *f = fopen(path, "ae");
	struct buf stamp;

	assert_non_null(f);
	buf_init(&stamp, 64);
	for (int i = from; i < to; i++) {
		int s = i % 60, m = i / 60 % 60, h = 12 + i / 3600;

		buf_clear(&stamp);
		if (classic)
			buf_printf(&stamp, "Nov %d %02d:%02d:%02d", 23 + h / 24, h % 24, m, s);
		else
			timefmt_rfc3339(&stamp, FIRST_MS + (int64_t)i * MS_PER_S);
		fprintf(f, "%s mx postfix/qmgr[1]: some words to make it longer, line %d\n",
			buf_z(&stamp), i);
	}
	buf_done(&stamp);
	assert_int_equal(fclose(f), 0);
}

static void set_mtime(const char *path, int64_t ms)
{
	struct timespec times[2] = {{.tv_sec = ms / MS_PER_S}, {.tv_sec = ms / MS_PER_S}};

	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void check_instants(const struct fixture *f)
{
	static const int instants[] = {0, 1, 77, 9999, 25000, 43210, LINES - 1};

	for (size_t i = 0; i < sizeof(instants) / sizeof(instants[0]); i++) {
		struct got g = run(f->path,
			(struct job_request){.t1_ms = FIRST_MS + (int64_t)instants[i] * MS_PER_S,
				.max_lines = 100});

		assert_int_equal(g.last, instants[i]);
		assert_true(g.in_order);
		assert_true(g.n > 100 || g.first == 0);
		assert_true(g.n < 5000);
	}
}

static void test_before_an_instant(void **state)
{
	struct fixture *f = *state;

	write_log(f->path, 0, LINES, false);
	check_instants(f);
	unlink(f->path);
	write_log(f->path, 0, LINES, true);
	set_mtime(f->path, FIRST_MS + (int64_t)LINES * MS_PER_S);
	check_instants(f);
	/* Before the first line: none. */
	assert_int_equal(run(f->path, (struct job_request){.t1_ms = FIRST_MS - MS_PER_S}).n, 0);
}

static void test_tail_and_what_came_since(void **state)
{
	struct fixture *f = *state;
	struct got g, more;
	struct job_request request = {.max_lines = 50};

	write_log(f->path, 0, 1000, false);
	g = run(f->path, request);
	assert_int_equal(g.last, 999);
	assert_true(g.in_order && g.n > 50 && g.n < 1000);
	write_log(f->path, 1000, 1003, false);
	request.after_offset = g.last_offset + 1; /* anywhere in the last line would do too */
	while (request.after_offset > 0) {
		FILE *r = fopen(f->path, "re");
		int c;

		assert_int_equal(fseek(r, (long)request.after_offset - 1, SEEK_SET), 0);
		c = fgetc(r);
		fclose(r);
		if (c == '\n')
			break;
		request.after_offset++;
	}
	more = run(f->path, request);
	assert_int_equal(more.n, 3);
	assert_int_equal(more.first, 1000);
	/* A file that has become shorter is another one: from its tail. */
	unlink(f->path);
	write_log(f->path, 5000, 5010, false);
	more = run(f->path, request);
	assert_int_equal(more.n, 10);
	assert_int_equal(more.last, 5009);
}

static void test_the_right_sibling(void **state)
{
	struct fixture *f = *state;
	char old[128];
	struct got g;

	snprintf(old, sizeof(old), "%s.1", f->path);
	write_log(old, 0, 2000, false);
	set_mtime(old, FIRST_MS + INT64_C(1999) * MS_PER_S);
	write_log(f->path, 2000, 4000, false);
	g = run(f->path, (struct job_request){.t1_ms = FIRST_MS + INT64_C(1500) * MS_PER_S});
	assert_int_equal(g.last, 1500);
	g = run(f->path, (struct job_request){.t1_ms = FIRST_MS + INT64_C(2500) * MS_PER_S});
	assert_int_equal(g.last, 2500);
	unlink(old);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->folder, sizeof(f->folder), "/tmp/mtatop-logtail-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/mail.log", f->folder);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	unlink(f->path);
	rmdir(f->folder);
	free(f);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_before_an_instant, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tail_and_what_came_since, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_right_sibling, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
