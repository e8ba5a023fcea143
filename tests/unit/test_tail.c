/* SPDX-License-Identifier: MIT */
/*
 * test_tail - a log followed over what happens to its files, step by step with a made-up clock: names of siblings,
 * identity of files, marks over a restart, grace, truncation, the window. What the real program makes of a real
 * writer is tests/follow.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backends/rotated.h"
#include "tests/unit/tailfix.h"

static void names_of_siblings(void **state)
{
	static const struct {
		const char *base, *name;
		bool is;
	} cases[] = {{"mail.log", "mail.log.1", true}, {"mail.log", "mail.log.0", true},
		{"mail.log", "mail.log.12.gz", true}, {"mail.log", "mail.log.gz", true},
		{"mail.log", "mail.log-20261125", true},
		{"mail.log", "mail.log-20261125.zst", true},
		{"mail.log", "mail.log-2026112513", true},
		{"mail.log", "mail.log-20261125-1764074100.bz2", true},
		{"maillog", "maillog.20261125-130501", true},
		{"maillog", "maillog.20261125-130501.xz", true},
		{"mail.log", "mail.log-20261125T1305", true},
		{"mail.log", "mail-20261125.log", true}, {"mail.log", "mail.1.log.gz", true},
		{"mail.log", "mail.log", false}, {"mail.log", "mail.log.", false},
		{"mail.log", "mail.log.old", false}, {"mail.log", "mail.log.1~", false},
		{"mail.log", "mail.log.1.swp", false}, {"mail.log", "mail.logs", false},
		{"mail.log", "mail.err.1", false}, {"mail.log", "mail-x.log", false},
		{"mail.log", "mail.log.offset", false}, {"maillog", "maillog-a", false}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (rotated_is_sibling(cases[i].base, cases[i].name) != cases[i].is)
			fail_msg("%s of %s", cases[i].name, cases[i].base);
}

static void siblings_oldest_first(void **state)
{
	static const struct {
		const char *suffix;
		int age_s;
	} made[] = {{".1", 10}, {".2.gz", 20}, {".3.gz", 30}, {"-20261101", 25}, {".4", 40},
		{".4.gz", 40}, {".old", 5}};
	static const char *const want[] = {".4", ".3.gz", "-20261101", ".2.gz", ".1"};
	struct mt_error error = {0};
	struct rotated r;
	struct fix f;

	(void)state;
	begin(&f, true);
	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		char *path = sibling(&f, made[i].suffix);
		struct timespec t = {time(NULL) - made[i].age_s, 0};

		write_at(path, "x\n", 0);
		utimensat(AT_FDCWD, path, (struct timespec[]){t, t}, 0);
		free(path);
	}
	assert_int_equal(rotated_list(f.path, &r, &error), 0);
	assert_int_equal(r.n, sizeof(want) / sizeof(want[0])); /* of .4 and .4.gz the plain one */
	for (size_t i = 0; i < r.n; i++)
		assert_string_equal(r.files[i].path + strlen(f.path), want[i]);
	rotated_done(&r);
	assert_int_equal(rotated_list("/nowhere/at/all/mail.log", &r, &error), 0);
	assert_int_equal(r.n, 0);
	end(&f);
}

static void lines_once_and_in_order(void **state)
{
	struct fix f;

	(void)state;
	begin(&f, true);
	assert_int_equal(run(&f), TAIL_IDLE); /* not there yet */
	append(&f, "one\ntw");
	assert_int_equal(run(&f), TAIL_IDLE);
	got(&f, "one\n");
	append(&f, "o\nthree\n");
	run(&f);
	got(&f, "two\nthree\n");
	restart(&f);
	append(&f, "four\n");
	run(&f);
	got(&f, "four\n");
	run(&f);
	got(&f, "");
	end(&f);
}

static void uncommitted_lines_come_again(void **state)
{
	struct fix f;
	struct mt_error error = {0};
	struct tail_chunk c;

	(void)state;
	begin(&f, true);
	append(&f, "one\n");
	run(&f);
	append(&f, "two\n");
	assert_int_equal(tail_next(f.tail, 1, &c, &error), TAIL_CHUNK);
	take(&f, &c); /* and no commit: as after kill -9 */
	got(&f, "one\ntwo\n");
	restart(&f);
	run(&f);
	got(&f, "two\n");
	end(&f);
}

static void waits_for_late_lines_of_the_old_file(void **state)
{
	struct fix f;
	char *old;

	(void)state;
	begin(&f, true);
	append(&f, "one\n");
	run(&f);
	move(&f, "", ".1");
	append(&f, "new\n");
	old = sibling(&f, ".1");
	run(&f);
	got(&f, "one\n");
	write_at(old, "late\n", O_APPEND);
	f.now_mono_ms += 500;
	run(&f);
	got(&f, "late\n");
	f.now_mono_ms += 1000; /* the grace since the new file was seen is over */
	run(&f);
	got(&f, "new\n");
	write_at(old, "later\n", O_APPEND);
	f.now_mono_ms += 30000;
	run(&f);
	got(&f, ""); /* looked for once a minute */
	f.now_mono_ms += 31000;
	append(&f, "newer\n");
	run(&f);
	f.now_mono_ms += 1;
	run(&f);
	got(&f, "newer\nlater\n");
	free(old);
	end(&f);
}

static void an_empty_new_file_keeps_its_place(void **state)
{
	struct fix f;

	(void)state;
	begin(&f, true);
	append(&f, "one\n");
	run(&f);
	move(&f, "", ".1");
	append(&f, "");
	run(&f);
	f.now_mono_ms += 6000; /* quiet grace: it is opened empty */
	run(&f);
	append(&f, "two\n");
	run(&f);
	got(&f, "one\ntwo\n");
	restart(&f);
	append(&f, "three\n");
	run(&f);
	got(&f, "three\n");
	end(&f);
}

static void rotated_and_compressed_while_down(void **state)
{
	struct fix f;

	(void)state;
	begin(&f, false);
	append(&f, "one\n");
	assert_int_equal(run(&f), TAIL_END);
	append(&f, "two\n");
	move(&f, "", ".1");
	compress_file(&f, ".1");
	move(&f, ".1.gz", ".2.gz");
	append(&f, "three\nlast without newline");
	move(&f, "", ".1");
	append(&f, "five\n");
	restart(&f);
	assert_int_equal(run(&f), TAIL_END);
	got(&f, "one\ntwo\nthree\nlast without newline\nfive\n");
	restart(&f);
	run(&f);
	got(&f, "");
	end(&f);
}

/* many_lines - more than a fingerprint of them, told apart by a word. */
static char *many_lines(const char *word, int n)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	for (int i = 0; i < n; i++)
		buf_printf(&b, "Nov 25 12:00:00 mx1 %s line %d\n", word, i);
	return buf_take(&b);
}

static void a_copy_without_the_last_lines(void **state)
{
	char *lines = many_lines("old", 60);
	struct fix f;
	char *copy;

	(void)state;
	begin(&f, true);
	append(&f, lines);
	run(&f);
	got(&f, lines);
	copy = sibling(&f, ".1");
	write_at(copy, lines, 0);
	append(&f, "after the copy\n");
	run(&f);
	got(&f, "after the copy\n");
	assert_int_equal(truncate(f.path, 0), 0);
	append(&f, "after the cut\n");
	run(&f);
	got(&f, "after the cut\n");
	assert_true(tail_truncated(f.tail));
	restart(&f);
	run(&f);
	got(&f, "");
	free(copy);
	free(lines);
	end(&f);
}

/* Filled, copied and cut again while nobody looked at the empty file: the copy is read at once, not at the next scan. */
static void copied_and_cut_unseen(void **state)
{
	char *first = many_lines("first", 40), *second = many_lines("second", 30);
	struct fix f;
	char *copy, *both;

	(void)state;
	begin(&f, true);
	append(&f, "before\n");
	run(&f);
	got(&f, "before\n");
	assert_int_equal(truncate(f.path, 0), 0);
	run(&f);
	got(&f, "");
	copy = sibling(&f, ".1");
	write_at(copy, first, 0);
	append(&f, second);
	run(&f);
	both = xasprintf("%s%s", second, first);
	got(&f, both);
	free(both);
	free(copy);
	free(first);
	free(second);
	end(&f);
}

static void cut_and_grown_past_the_offset(void **state)
{
	char *first = many_lines("first", 40), *second = many_lines("second", 80);
	struct fix f;

	(void)state;
	begin(&f, true);
	append(&f, first);
	run(&f);
	got(&f, first);
	assert_int_equal(truncate(f.path, 0), 0);
	append(&f, second);
	run(&f);
	got(&f, second);
	free(first);
	free(second);
	end(&f);
}

static void cut_to_a_part(void **state)
{
	char *lines = many_lines("x", 100);
	struct fix f;

	(void)state;
	begin(&f, true);
	append(&f, lines);
	run(&f);
	got(&f, lines);
	lines[strlen(lines) / 2] = '\0';
	*(strrchr(lines, '\n') + 1) = '\0';
	assert_int_equal(truncate(f.path, (off_t)strlen(lines)), 0);
	run(&f);
	append(&f, "new\n");
	run(&f);
	got(&f, "new\n");
	free(lines);
	end(&f);
}

static void a_torn_line_over_a_cut(void **state)
{
	struct fix f;

	(void)state;
	begin(&f, true);
	append(&f, "half a li");
	run(&f);
	assert_int_equal(truncate(f.path, 0), 0);
	append(&f, "quite another and longer line\n");
	run(&f);
	got(&f, "quite another and longer line\n");
	end(&f);
}

/* age - the file was last written so long ago. */
static void age(const struct fix *f, time_t seconds)
{
	struct timespec then = {.tv_sec = time(NULL) - seconds};

	assert_int_equal(utimensat(AT_FDCWD, f->path, (struct timespec[]){then, then}, 0), 0);
}

/* A writer that buffers, or a reader that was slow: half a line is no line however long it stays one. */
static void a_torn_line_not_followed(void **state)
{
	static const struct {
		bool given;
		time_t age_s;
		bool taken;
	} cases[] = {{false, 0, false}, {false, 60, false}, {false, 86400 * 3, false},
		{true, 0, false}, {true, 60, false}, {true, 3000, false}, {true, 7200, true}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fix f;

		begin(&f, false);
		f.options.all = cases[i].given;
		restart(&f);
		append(&f, "one\ntw");
		age(&f, cases[i].age_s);
		assert_int_equal(run(&f), TAIL_END);
		got(&f, cases[i].taken ? "one\ntw\n" : "one\n");
		restart(&f);
		append(&f, cases[i].taken ? "\nthree\n" : "o\nthree\n");
		assert_int_equal(run(&f), TAIL_END);
		got(&f, cases[i].taken ? "\nthree\n" : "two\nthree\n");
		end(&f);
	}
}

static void nuls_in_front(void **state)
{
	struct fix f;

	(void)state;
	begin(&f, true);
	append(&f, "");
	assert_int_equal(truncate(f.path, INT64_C(1) << 32), 0); /* a hole of 4 GiB */
	append(&f, "one\n");
	run(&f);
	got(&f, "one\n");
	restart(&f);
	append(&f, "two\n");
	run(&f);
	got(&f, "two\n");
	end(&f);
}

static void an_endless_line_is_counted_once(void **state)
{
	struct fix f;
	char *big = xcalloc(1, (1 << 20) + 1);

	(void)state;
	memset(big, 'x', 1 << 20);
	begin(&f, true);
	append(&f, "one\n");
	for (int i = 0; i < 5; i++)
		append(&f, big);
	run(&f);
	assert_int_equal(tail_skipped(f.tail), 0); /* its end has not come */
	restart(&f);
	append(&f, "end of it\ntwo\n");
	run(&f);
	got(&f, "one\ntwo\n");
	assert_int_equal(tail_skipped(f.tail), 1);
	assert_int_equal(tail_skipped(f.tail), 0);
	free(big);
	end(&f);
}

/* Half of one is none, as of any line: its rest would be taken for a line. */
static void an_endless_line_not_followed(void **state)
{
	struct fix f;
	char *big = xcalloc(1, (1 << 20) + 1);

	(void)state;
	memset(big, 'x', 1 << 20);
	begin(&f, false);
	f.options.all = true;
	restart(&f);
	append(&f, "one\n");
	append(&f, big);
	append(&f, big);
	assert_int_equal(run(&f), TAIL_END);
	assert_int_equal(tail_skipped(f.tail), 0);
	restart(&f);
	append(&f, "end of it\ntwo\n");
	assert_int_equal(run(&f), TAIL_END);
	got(&f, "one\ntwo\n");
	assert_int_equal(tail_skipped(f.tail), 1);
	append(&f, big);
	append(&f, big);
	age(&f, 7200);
	restart(&f);
	assert_int_equal(run(&f), TAIL_END);
	assert_int_equal(tail_skipped(f.tail), 1);
	free(big);
	end(&f);
}

static void no_file_but_something_else(void **state)
{
	struct fix f;
	struct mt_error error = {0};
	struct tail_chunk c;

	(void)state;
	begin(&f, true);
	assert_int_equal(mkfifo(f.path, 0644), 0);
	assert_int_equal(tail_next(f.tail, 1, &c, &error), MT_EINVAL);
	unlink(f.path);
	assert_int_equal(mkdir(f.path, 0755), 0);
	assert_int_equal(tail_next(f.tail, 2, &c, &error), MT_EINVAL);
	rmdir(f.path);
	assert_int_equal(run(&f), TAIL_IDLE);
	append(&f, "one\n");
	run(&f);
	got(&f, "one\n");
	end(&f);
}

/* number_time - lines of numbers: the number is the time. */
static int64_t number_time(void *ctx, struct str line, int64_t reference_ms)
{
	int64_t n = 0;

	(void)ctx;
	(void)reference_ms;
	for (size_t i = 0; i < line.n; i++) {
		if (line.p[i] < '0' || line.p[i] > '9')
			return -1;
		n = n * 10 + (line.p[i] - '0');
	}
	return line.n ? n : -1;
}

static void window_begins_at_the_exact_line(void **state)
{
	static const int64_t oldest[] = {0, 1, 17, 65536, 99999, 150000, 199999, 200000, 300000};
	struct buf all;

	(void)state;
	buf_init(&all, 16 << 20);
	for (int i = 1; i <= 200000; i++)
		buf_printf(&all, i % 50 == 0 ? "no time here\n" : "%d\n", i);
	for (size_t i = 0; i < sizeof(oldest) / sizeof(oldest[0]); i++) {
		struct fix f;
		int64_t first = oldest[i] < 1 ? 1 : oldest[i] + (oldest[i] % 50 == 0);

		begin(&f, true);
		append(&f, buf_z(&all));
		f.options.oldest_ms = oldest[i];
		f.options.line_time = number_time;
		restart(&f);
		run(&f);
		if (first > 200000)
			assert_int_equal(f.got.n, 0);
		else
			assert_int_equal(number_time(NULL,
						 str_first(buf_str(&f.got),
							 str_find_char(buf_str(&f.got), '\n')),
						 0),
				first);
		append(&f, "300001\n");
		buf_clear(&f.got);
		run(&f);
		got(&f, "300001\n");
		end(&f);
	}
	buf_done(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_siblings),
		cmocka_unit_test(siblings_oldest_first),
		cmocka_unit_test(lines_once_and_in_order),
		cmocka_unit_test(uncommitted_lines_come_again),
		cmocka_unit_test(waits_for_late_lines_of_the_old_file),
		cmocka_unit_test(an_empty_new_file_keeps_its_place),
		cmocka_unit_test(rotated_and_compressed_while_down),
		cmocka_unit_test(a_copy_without_the_last_lines),
		cmocka_unit_test(copied_and_cut_unseen),
		cmocka_unit_test(cut_and_grown_past_the_offset),
		cmocka_unit_test(cut_to_a_part),
		cmocka_unit_test(a_torn_line_over_a_cut),
		cmocka_unit_test(a_torn_line_not_followed),
		cmocka_unit_test(nuls_in_front),
		cmocka_unit_test(an_endless_line_is_counted_once),
		cmocka_unit_test(an_endless_line_not_followed),
		cmocka_unit_test(no_file_but_something_else),
		cmocka_unit_test(window_begins_at_the_exact_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
