/* SPDX-License-Identifier: MIT */
/* test_log - whole safe lines from several threads, levels, and the growing silence about a lasting fault. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/base/buf.h"
#include "store/base/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define THREADS 4
#define LINES 200

struct place {
	char dir[64], path[80];
};

static int set_up(void **state)
{
	struct place *at = calloc(1, sizeof(*at));

	(void)snprintf(at->dir, sizeof(at->dir), "/tmp/mtatop-log-XXXXXX");
	if (!mkdtemp(at->dir))
		return -1;
	(void)snprintf(at->path, sizeof(at->path), "%s/log", at->dir);
	*state = at;
	return 0;
}

static int tear_down(void **state)
{
	struct place *at = *state;

	log_close();
	(void)unlink(at->path);
	(void)rmdir(at->dir);
	free(at);
	return 0;
}

static struct buf content(const struct place *at)
{
	struct buf b;
	char room[4096];
	size_t n;
	FILE *f = fopen(at->path, "r");

	assert_non_null(f);
	buf_init(&b, 1u << 20);
	while ((n = fread(room, 1, sizeof(room), f)) > 0)
		buf_add(&b, room, n);
	fclose(f);
	return b;
}

static size_t count(struct str text, const char *needle)
{
	size_t n = 0, at;

	while ((at = str_find(text, str_of(needle))) < text.n) {
		text = str_skip(text, at + 1);
		n++;
	}
	return n;
}

static void *chatter(void *ctx)
{
	for (int i = 0; i < LINES; i++)
		log_write(LOG_LEVEL_INFO, "<%s>", (const char *)ctx);
	return NULL;
}

static void lines_stay_whole(void **state)
{
	struct place *at = *state;
	pthread_t threads[THREADS];
	struct buf b;
	struct stat st;
	char word[] = "abcdefghijklmnopqrstuvwxyz";

	assert_int_equal(log_open(LOG_TARGET_FILE, at->path, LOG_LEVEL_INFO, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, chatter, word), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	b = content(at);
	assert_int_equal(
		count(buf_str(&b), "info: <abcdefghijklmnopqrstuvwxyz>\n"), THREADS * LINES);
	assert_int_equal(count(buf_str(&b), "\n"), THREADS * LINES);
	buf_done(&b);
	assert_int_equal(stat(at->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void levels_and_safety(void **state)
{
	struct place *at = *state;
	struct buf b;

	assert_int_equal(log_open(LOG_TARGET_FILE, at->path, LOG_LEVEL_WARNING, NULL), 0);
	log_write(LOG_LEVEL_INFO, "quiet");
	log_write(LOG_LEVEL_ERROR, "a\nforged \033[2J \xE2\x80\xAE");
	log_write(LOG_LEVEL_ERROR, "%5000d", 7);
	assert_int_equal(log_open(LOG_TARGET_NONE, NULL, LOG_LEVEL_DEBUG, NULL), 0);
	log_write(LOG_LEVEL_ERROR, "nowhere");
	b = content(at);
	assert_int_equal(count(buf_str(&b), "\n"), 2);
	assert_int_equal(count(buf_str(&b), "error: a^Jforged ^[[2J <U+202E>\n"), 1);
	assert_int_equal(count(buf_str(&b), "quiet"), 0);
	assert_int_equal(count(buf_str(&b), "nowhere"), 0);
	buf_done(&b);
}

static void repeats_grow_rarer(void **state)
{
	struct place *at = *state;
	struct log_repeat r = {0};
	struct buf b;

	assert_int_equal(log_open(LOG_TARGET_FILE, at->path, LOG_LEVEL_INFO, NULL), 0);
	log_recovered(&r, "well");
	for (int i = 0; i < 200; i++)
		log_repeated(&r, "broken");
	log_recovered(&r, "well");
	log_recovered(&r, "well");
	log_repeated(&r, "broken");
	b = content(at);
	/* 1 2 4 8 16 32 64 128 192, then the first of the new row */
	assert_int_equal(count(buf_str(&b), "broken"), 10);
	assert_int_equal(count(buf_str(&b), "broken (192 times)\n"), 1);
	assert_int_equal(count(buf_str(&b), "well (200 times)\n"), 1);
	assert_int_equal(count(buf_str(&b), "well"), 1);
	buf_done(&b);
}

static void refuses_odd_files(void **state)
{
	struct place *at = *state;
	struct mt_error err = {0};

	assert_int_equal(log_open(LOG_TARGET_FILE, at->dir, LOG_LEVEL_INFO, &err), MT_EIO);
	assert_int_equal(log_open(LOG_TARGET_FILE, "/dev/null", LOG_LEVEL_INFO, &err), MT_EINVAL);
	assert_int_equal(
		log_open(LOG_TARGET_FILE, "/nowhere/log", LOG_LEVEL_INFO, &err), MT_ENOENT);
	assert_int_equal(symlink("/dev/null", at->path), 0);
	assert_int_equal(log_open(LOG_TARGET_FILE, at->path, LOG_LEVEL_INFO, &err), MT_EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lines_stay_whole, set_up, tear_down),
		cmocka_unit_test_setup_teardown(levels_and_safety, set_up, tear_down),
		cmocka_unit_test_setup_teardown(repeats_grow_rarer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_odd_files, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
