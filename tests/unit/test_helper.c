/* SPDX-License-Identifier: MIT */
/* The helper: starts Postfix's tools for a process that may not, and nothing else. Needs root (its tools must be root's). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backends/helper.h"
#include "backends/spawn.h"
#include "store/base/clock.h"
#include "store/base/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_BYTES (4u << 20)
#define LONG_MS 20000
#define PATH_BYTES 128

struct fixture {
	char dir[32];
	struct buf out;
	struct mt_error err;
};

static void tool(const struct fixture *f, const char *name, mode_t mode, const char *body)
{
	char path[PATH_BYTES];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fprintf(file, "#!/bin/sh\n%s\n", body) > 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static int start(struct fixture *f, bool read_write)
{
	struct helper_options options = {.read_write = read_write};

	buf_init(&f->out, MAX_BYTES);
	return helper_start(&options, &f->err);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	*state = f;
	snprintf(f->dir, sizeof(f->dir), "/tmp/mtatop-test-XXXXXX");
	return mkdtemp(f->dir) ? start(f, false) : -1;
}

static int teardown(void **state)
{
	static const char *const names[] = {
		"postqueue", "postsuper", "postconf", "sh", "exim4", "smtpctl"};
	struct fixture *f = *state;
	char path[PATH_BYTES];

	helper_stop();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, names[i]);
		unlink(path);
	}
	rmdir(f->dir);
	buf_done(&f->out);
	free(f);
	return 0;
}

/* Runs DIR/name with up to three words; its output is f->out. */
static int run(struct fixture *f, const char *name, const char *a, const char *b, const char *c,
	int64_t timeout_ms)
{
	char path[PATH_BYTES];
	const char *argv[] = {path, a, b, c, NULL};
	struct spawn_request r = {.argv = argv,
		.mail_config = "/etc/pf test",
		.input = STR_LIT("AB\n"),
		.timeout_ms = timeout_ms,
		.max_bytes = MAX_BYTES};

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	buf_clear(&f->out);
	return spawn_run(&r, &f->out, &f->err);
}

static void test_runs(void **state)
{
	struct fixture *f = *state;

	tool(f, "postqueue", 0755, "echo \"$* $MAIL_CONFIG $PATH\"; cat; exit 69");
	assert_int_equal(run(f, "postqueue", "-j", NULL, NULL, LONG_MS), 69);
	assert_string_equal(buf_z(&f->out), "-j /etc/pf test /usr/sbin:/usr/bin:/sbin:/bin\nAB\n");
	tool(f, "postqueue", 0755, "kill -9 $$");
	assert_int_equal(run(f, "postqueue", "-j", NULL, NULL, LONG_MS), 128 + SIGKILL);
	/* it is the helper's child: none of ours */
	assert_int_equal(helper_running(), true);
}

static void test_refuses(void **state)
{
	struct fixture *f = *state;

	tool(f, "postqueue", 0755, "echo never");
	tool(f, "postsuper", 0755, "echo never");
	tool(f, "postconf", 0755, "echo never");
	tool(f, "sh", 0755, "echo never");
	assert_int_equal(run(f, "sh", "-c", "id", NULL, LONG_MS), MT_EPERM);
	assert_int_equal(run(f, "missing", NULL, NULL, NULL, LONG_MS), MT_ENOENT);
	/* changing: only with --read-write */
	assert_int_equal(run(f, "postqueue", "-f", NULL, NULL, LONG_MS), MT_EPERM);
	assert_int_equal(run(f, "postqueue", "-i", "ABCDEF", NULL, LONG_MS), MT_EPERM);
	assert_int_equal(run(f, "postsuper", "-d", "-", NULL, LONG_MS), MT_EPERM);
	assert_int_equal(run(f, "postconf", "-e", "a=b", NULL, LONG_MS), MT_EPERM);
	assert_int_equal(run(f, "postconf", "a=b", NULL, NULL, LONG_MS), MT_EPERM);
	assert_int_equal(run(f, "postconf", "-c", "relative", NULL, LONG_MS), MT_EPERM);
	assert_int_equal(run(f, "postconf", "-c", NULL, NULL, LONG_MS), MT_EPERM);
	/* names are parameters only behind -bP: elsewhere they are recipients */
	tool(f, "exim4", 0755, "echo \"$*\"");
	assert_int_equal(run(f, "exim4", "-bP", "log_file_path", NULL, LONG_MS), 0);
	assert_string_equal(buf_z(&f->out), "-bP log_file_path\n");
	assert_int_equal(run(f, "exim4", "root", NULL, NULL, LONG_MS), MT_EPERM);
	assert_int_equal(run(f, "exim4", "-P", "root", NULL, LONG_MS), MT_EPERM);
	assert_int_equal(run(f, "exim4", "-bp", NULL, NULL, LONG_MS), MT_EPERM);
	assert_int_equal(run(f, "exim4", "-Mrm", "1vLaB1-0001Xy-2Z", NULL, LONG_MS), MT_EPERM);
	assert_int_equal(run(f, "exim4", "-bpru", NULL, NULL, LONG_MS), 0);
	assert_int_equal(run(f, "exim4", "-bpru", "-be", NULL, LONG_MS), MT_EPERM);
	assert_int_equal(run(f, "exim4", "-bP", "-be", NULL, LONG_MS), MT_EPERM);
	assert_int_equal(run(f, "exim4", NULL, NULL, NULL, LONG_MS), MT_EPERM);
	assert_int_equal(run(f, "exim4", "-Mvh", "1vLaB1-0001Xy-2Z", NULL, LONG_MS), 0);
	assert_int_equal(run(f, "exim4", "-qf", NULL, NULL, LONG_MS), MT_EPERM);
	tool(f, "smtpctl", 0755, "echo \"$*\"");
	assert_int_equal(run(f, "smtpctl", "show", "queue", NULL, LONG_MS), 0);
	assert_int_equal(run(f, "smtpctl", "show", "envelope", "0123abcd", LONG_MS), MT_EPERM);
	assert_int_equal(run(f, "smtpctl", "remove", "0123abcd", NULL, LONG_MS), MT_EPERM);
	assert_int_equal(run(f, "smtpctl", NULL, NULL, NULL, LONG_MS), MT_EPERM);
	/* files others may change */
	tool(f, "postqueue", 0777, "echo never");
	assert_int_equal(run(f, "postqueue", "-j", NULL, NULL, LONG_MS), MT_EPERM);
	tool(f, "postqueue", 0755, "echo never");
	assert_int_equal(chmod(f->dir, 0777), 0);
	assert_int_equal(run(f, "postqueue", "-j", NULL, NULL, LONG_MS), MT_EPERM);
	assert_int_equal(chmod(f->dir, 0755), 0);
	assert_int_equal(run(f, "postqueue", "-j", NULL, NULL, LONG_MS), 0);
	assert_int_equal(chown(f->dir, 65534, 65534), 0);
	assert_int_equal(run(f, "postqueue", "-j", NULL, NULL, LONG_MS), MT_EPERM);
	assert_int_equal(run(f, "postconf", "-x", "-c", "/etc/x", LONG_MS), MT_EPERM);
}

static void test_read_write(void **state)
{
	struct fixture *f = *state;

	helper_stop();
	assert_int_equal(helper_running(), false);
	buf_done(&f->out);
	assert_int_equal(start(f, true), 0);
	tool(f, "postqueue", 0755, "echo \"$*\"");
	tool(f, "postsuper", 0755, "echo \"$*\"; cat");
	assert_int_equal(run(f, "postqueue", "-f", NULL, NULL, LONG_MS), 0);
	assert_int_equal(run(f, "postsuper", "-d", "-", NULL, LONG_MS), 0);
	assert_string_equal(buf_z(&f->out), "-d -\nAB\n");
	assert_int_equal(run(f, "postsuper", "-d", "ALL", NULL, LONG_MS), MT_EPERM);
	assert_int_equal(run(f, "postsuper", "-s", NULL, NULL, LONG_MS), MT_EPERM);
	tool(f, "exim4", 0755, "echo \"$*\"");
	assert_int_equal(
		run(f, "exim4", "-Mrm", "1vLaB1-0001Xy-2Z", "1smkL5-00000000e65-24eQ", LONG_MS), 0);
	assert_string_equal(buf_z(&f->out), "-Mrm 1vLaB1-0001Xy-2Z 1smkL5-00000000e65-24eQ\n");
	assert_int_equal(run(f, "exim4", "-Mrm", "-C/etc/passwd-x-yzzzz", NULL, LONG_MS), MT_EPERM);
	assert_int_equal(run(f, "exim4", "-Mrm", NULL, NULL, LONG_MS), MT_EPERM);
	tool(f, "smtpctl", 0755, "echo \"$*\"");
	assert_int_equal(run(f, "smtpctl", "pause", "envelope", "0123abcd", LONG_MS), 0);
	assert_int_equal(run(f, "smtpctl", "schedule", "all", NULL, LONG_MS), 0);
	assert_int_equal(run(f, "smtpctl", "remove", "0123abcd", "all", LONG_MS), MT_EPERM);
	assert_int_equal(run(f, "smtpctl", "remove", "all", NULL, LONG_MS), MT_EPERM);
	assert_int_equal(run(f, "smtpctl", "pause", "envelope", NULL, LONG_MS), MT_EPERM);
	assert_int_equal(run(f, "exim4", "-qf", "1vLaB1-0001Xy-2Z", NULL, LONG_MS), MT_EPERM);
}

/* True once no process of that pid is left. */
static bool is_gone(pid_t pid)
{
	struct clock clock = clock_real();
	int64_t until_ms = clock_mono_ms(&clock) + LONG_MS;

	while (kill(pid, 0) == 0) {
		if (clock_mono_ms(&clock) > until_ms)
			return false;
		(void)poll(NULL, 0, 5);
	}
	return true;
}

static int keep_pid(void *ctx, struct str bytes)
{
	uint64_t pid = 0;

	assert_true(scan_u64(&bytes, 10, INT32_MAX, &pid));
	*(pid_t *)ctx = (pid_t)pid;
	return 0;
}

/* Starts a postqueue that sleeps; its pid, and the spawn still running. */
static struct spawn *start_sleeper(struct fixture *f, pid_t *ret_pid)
{
	char path[PATH_BYTES];
	const char *argv[] = {path, "-j", NULL};
	struct spawn_request r = {.argv = argv, .timeout_ms = LONG_MS, .max_bytes = MAX_BYTES};
	struct spawn *s = NULL;

	tool(f, "postqueue", 0755, "trap '' TERM; echo $$; exec sleep 300");
	snprintf(path, sizeof(path), "%s/postqueue", f->dir);
	assert_int_equal(spawn_open(&r, &s, &f->err), 0);
	*ret_pid = 0;
	while (*ret_pid == 0) {
		struct pollfd fds[SPAWN_FDS_MAX];

		(void)poll(fds, (nfds_t)spawn_fds(s, fds, SPAWN_FDS_MAX), LONG_MS);
		assert_int_equal(spawn_step(s, keep_pid, ret_pid, &f->err), 1);
	}
	return s;
}

static void test_ends_children(void **state)
{
	struct fixture *f = *state;
	pid_t first, second;
	struct spawn *a = start_sleeper(f, &first), *b;

	spawn_close(a);
	assert_true(is_gone(first));
	/* the time-out: SIGTERM is ignored, so SIGKILL */
	assert_int_equal(run(f, "postqueue", "-j", NULL, NULL, 50), MT_ECANCELED);
	/* two at a time; the helper's own end takes them along */
	a = start_sleeper(f, &first);
	b = start_sleeper(f, &second);
	helper_stop();
	assert_true(is_gone(first));
	assert_true(is_gone(second));
	assert_int_equal(spawn_wait(a, NULL, NULL, &f->err), MT_EIO);
	spawn_close(a);
	spawn_close(b);
}

/* What it is for: a setgid postqueue keeps its group when the process that asks can't gain any. */
static void test_no_new_privileges(void **state)
{
	struct fixture *f = *state;

	tool(f, "postqueue", 0755, "grep NoNewPrivs /proc/self/status");
	assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	assert_int_equal(run(f, "postqueue", "-j", NULL, NULL, LONG_MS), 0);
	assert_string_equal(buf_z(&f->out), "NoNewPrivs:\t0\n");
	helper_stop();
	assert_int_equal(run(f, "postqueue", "-j", NULL, NULL, LONG_MS), 0);
	assert_string_equal(buf_z(&f->out), "NoNewPrivs:\t1\n");
}

static void test_killed(void **state)
{
	struct fixture *f = *state;
	char path[PATH_BYTES];
	FILE *children;
	char line[32] = "";
	struct str text;
	uint64_t pid = 0;

	tool(f, "postqueue", 0755, "true");
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	children = fopen(path, "re");
	if (!children)
		return; /* a kernel without CONFIG_PROC_CHILDREN; meson takes cmocka's skip() for a failure */
	assert_non_null(fgets(line, sizeof(line), children));
	fclose(children);
	text = str_of(line);
	assert_true(scan_u64(&text, 10, INT32_MAX, &pid));
	assert_int_equal(kill((pid_t)pid, SIGKILL), 0);
	assert_int_equal(run(f, "postqueue", "-j", NULL, NULL, LONG_MS), MT_EIO);
	assert_non_null(strstr(f->err.text, "cannot run"));
}

/* A delivery under way outlives the spawn that began it, and the helper; with its files gone it does not wait. */
static void test_leaves_deliveries(void **state)
{
	struct fixture *f = *state;
	char path[PATH_BYTES];
	const char *argv[] = {path, "-M", "1vLaB1-0001Xy-2Z", NULL};
	struct spawn_request r = {
		.argv = argv, .timeout_ms = LONG_MS, .max_bytes = MAX_BYTES, .leave = true};
	struct spawn *s = NULL;
	pid_t pid = 0;

	helper_stop();
	buf_done(&f->out);
	assert_int_equal(start(f, true), 0);
	tool(f, "exim4", 0755, "echo $$; exec sleep 300");
	snprintf(path, sizeof(path), "%s/exim4", f->dir);
	assert_int_equal(spawn_open(&r, &s, &f->err), 0);
	while (pid == 0) {
		struct pollfd fds[SPAWN_FDS_MAX];

		(void)poll(fds, (nfds_t)spawn_fds(s, fds, SPAWN_FDS_MAX), LONG_MS);
		assert_int_equal(spawn_step(s, keep_pid, &pid, &f->err), 1);
	}
	spawn_close(s);
	helper_stop();
	assert_int_equal(kill(pid, 0), 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_runs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_write, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ends_children, setup, teardown),
		cmocka_unit_test_setup_teardown(test_leaves_deliveries, setup, teardown),
		cmocka_unit_test_setup_teardown(test_killed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_new_privileges, setup, teardown),
	};

	if (geteuid() != 0) {
		printf("1..0 # SKIP needs root: the helper runs only what root alone can change\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
