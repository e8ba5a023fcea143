/* SPDX-License-Identifier: MIT */
/* Children that end well, badly, never, too loud or not at all; no zombie, no shell, no leak of fds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backends/spawn.h"
#include "store/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_BYTES (1u << 20)
#define LONG_MS 20000

static void assert_no_child(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* Runs `sh -c script`: the shell is the test's child program, not spawn's doing. */
static int run_sh(const char *script, struct str input, int64_t timeout_ms, size_t max_bytes,
	struct buf *out, struct mt_error *err)
{
	const char *argv[] = {"/bin/sh", "-c", script, NULL};
	struct spawn_request r = {.argv = argv,
		.mail_config = "/etc/pf test",
		.input = input,
		.timeout_ms = timeout_ms,
		.max_bytes = max_bytes};

	return spawn_run(&r, out, err);
}

static void test_output_and_exit(void **state)
{
	struct mt_error err = {0};
	struct buf out;

	(void)state;
	buf_init(&out, MAX_BYTES);
	assert_int_equal(
		run_sh("printf 'a b'; exit 69", (struct str){0}, LONG_MS, 100, &out, &err), 69);
	assert_string_equal(buf_z(&out), "a b");
	buf_clear(&out);
	assert_int_equal(
		run_sh("kill -9 $$", (struct str){0}, LONG_MS, 100, &out, &err), 128 + SIGKILL);
	assert_no_child();
	buf_done(&out);
}

static void test_environment(void **state)
{
	const char *argv[] = {"/usr/bin/env", NULL};
	struct spawn_request r = {.argv = argv,
		.mail_config = "/etc/pf test",
		.timeout_ms = LONG_MS,
		.max_bytes = 4096};
	struct buf out;
	struct mt_error err = {0};

	(void)state;
	setenv("MTATOP_SECRET_CANARY", "CANARYKEY123", 1);
	buf_init(&out, MAX_BYTES);
	assert_int_equal(spawn_run(&r, &out, &err), 0);
	assert_string_equal(buf_z(&out),
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin\nLANG=C\nMAIL_CONFIG=/etc/pf test\n");
	buf_done(&out);
}

static void test_input_unread(void **state)
{
	struct mt_error err = {0};
	struct buf in, out;

	(void)state;
	buf_init(&in, MAX_BYTES);
	buf_init(&out, MAX_BYTES);
	for (int i = 0; i < 50000; i++)
		assert_int_equal(buf_add_z(&in, "0123456789ABCD\n"), 0);
	/* read in full; not read at all (a pipe would raise SIGPIPE here) */
	assert_int_equal(run_sh("wc -l | tr -d ' '", buf_str(&in), LONG_MS, 100, &out, &err), 0);
	assert_string_equal(buf_z(&out), "50000\n");
	buf_clear(&out);
	assert_int_equal(run_sh("exit 3", buf_str(&in), LONG_MS, 100, &out, &err), 3);
	assert_int_equal(out.n, 0);
	buf_done(&in);
	buf_done(&out);
	assert_no_child();
}

static void test_refused(void **state)
{
	const char *missing[] = {"/nonexistent/postqueue", NULL}, *relative[] = {"sh", NULL},
		   *folder[] = {"/tmp", NULL};
	struct spawn_request r = {.timeout_ms = LONG_MS, .max_bytes = 10};
	struct spawn *s = NULL;
	struct mt_error err = {0};

	(void)state;
	r.argv = missing;
	assert_int_equal(spawn_open(&r, &s, &err), MT_ENOENT);
	assert_non_null(strstr(err.text, "/nonexistent/postqueue"));
	r.argv = relative;
	assert_int_equal(spawn_open(&r, &s, &err), MT_EINVAL);
	r.argv = folder;
	assert_int_equal(spawn_open(&r, &s, &err), MT_EPERM);
	assert_null(s);
	assert_no_child();
}

static void test_timeout_kills_the_group(void **state)
{
	struct clock clock = clock_real();
	int64_t t0 = clock_mono_ms(&clock), took;
	struct mt_error err = {0};
	struct buf out;

	(void)state;
	buf_init(&out, MAX_BYTES);
	/* a grandchild that keeps the pipe open, and SIGTERM ignored by both */
	assert_int_equal(run_sh("trap '' TERM; echo x; sleep 60 & wait; sleep 60", (struct str){0},
				 100, 100, &out, &err),
		MT_ECANCELED);
	took = clock_mono_ms(&clock) - t0;
	assert_true(took >= 100 && took < LONG_MS);
	assert_string_equal(buf_z(&out), "x\n");
	assert_no_child();
	buf_done(&out);
}

static void test_limit(void **state)
{
	struct mt_error err = {0};
	struct buf out;

	(void)state;
	buf_init(&out, MAX_BYTES);
	assert_int_equal(run_sh("while :; do echo yyyyyyyyyyyyyyyyyyyyyy; done", (struct str){0},
				 LONG_MS, 200000, &out, &err),
		MT_ELIMIT);
	assert_true(out.n <= 200000);
	assert_no_child();
	buf_done(&out);
}

static void test_stderr_flood(void **state)
{
	const char *argv[] = {"/bin/sh", "-c",
		"i=0; while [ $i -lt 20000 ]; do echo 'warning: one more line of it' >&2; "
		"i=$((i+1)); "
		"done; echo done",
		NULL};
	struct spawn_request r = {.argv = argv, .timeout_ms = LONG_MS, .max_bytes = 100};
	struct spawn *s = NULL;
	struct mt_error err = {0};

	(void)state;
	assert_int_equal(spawn_open(&r, &s, &err), 0);
	assert_int_equal(spawn_wait(s, NULL, NULL, &err), 0);
	assert_int_equal(spawn_stderr(s).n, 4096);
	assert_true(str_starts(spawn_stderr(s), STR_LIT("warning: one more")));
	spawn_close(s);
	assert_no_child();
}

static int refuse(void *ctx, struct str bytes)
{
	(void)ctx;
	(void)bytes;
	return MT_EFULL;
}

static void test_callback_stops(void **state)
{
	const char *argv[] = {"/bin/sh", "-c", "echo x; sleep 60", NULL};
	struct spawn_request r = {.argv = argv, .timeout_ms = LONG_MS, .max_bytes = 100};
	struct spawn *s = NULL;
	struct mt_error err = {0};

	(void)state;
	assert_int_equal(spawn_open(&r, &s, &err), 0);
	assert_int_equal(spawn_wait(s, refuse, NULL, &err), MT_EFULL);
	spawn_close(s);
	assert_no_child();
	/* closed while running */
	assert_int_equal(spawn_open(&r, &s, &err), 0);
	spawn_close(s);
	assert_no_child();
	spawn_close(NULL);
}

/* Output closed early: the end is still awaited and its code had. */
static void test_closed_output(void **state)
{
	struct mt_error err = {0};
	struct buf out;

	(void)state;
	buf_init(&out, MAX_BYTES);
	assert_int_equal(run_sh("exec >&- 2>&-; /bin/sleep 0.1; exit 7", (struct str){0}, LONG_MS,
				 100, &out, &err),
		7);
	buf_done(&out);
}

static void test_no_fd_leaks(void **state)
{
	const char *argv[] = {"/bin/ls", "/proc/self/fd", NULL};
	struct spawn_request r = {.argv = argv, .timeout_ms = LONG_MS, .max_bytes = 4096};
	struct mt_error err = {0};
	struct buf out;
	int leaky = open("/dev/null", O_RDONLY); /* without O_CLOEXEC */

	(void)state;
	buf_init(&out, MAX_BYTES);
	assert_true(leaky >= 0);
	assert_int_equal(spawn_run(&r, &out, &err), 0);
	assert_string_equal(buf_z(&out), "0\n1\n2\n3\n"); /* 3 is ls's own */
	close(leaky);
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_output_and_exit),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_input_unread),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_timeout_kills_the_group),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_stderr_flood),
		cmocka_unit_test(test_callback_stops),
		cmocka_unit_test(test_closed_output),
		cmocka_unit_test(test_no_fd_leaks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
