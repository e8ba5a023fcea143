/* SPDX-License-Identifier: MIT */
/*
 * spawn - run a program without a shell and stream its output; see spawn.h.
 *
 * The input lies in a memfd the child reads as a file, so there is no pipe to write to: no SIGPIPE,
 * no dead-lock with a child that writes before it reads. A timer fd wakes the poll of whoever
 * waits, at the time-out and while an end without EOF is awaited. The child leads a process group of
 * its own, so that what it started is killed with it.
 * Does not interpret anything it moves.
 */
#include "backends/spawn.h"

#include "backends/child.h"
#include "store/base/clock.h"
#include "store/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define STDERR_MAX_BYTES (4u << 10) /* enough for a fatal: line and a few warnings */
#define READ_BYTES (64u << 10) /* the capacity of a Linux pipe: one read empties it */
#define TERM_GRACE_MS 1000 /* from SIGTERM to SIGKILL */
#define REAP_TICK_MS 5 /* between looks at a child that closed its output but lives */
#define REAP_MAX_MS 500 /* a killed child in disk wait is not awaited longer */
#define FIRST_FREE_FD 3
#define MS_PER_S 1000
#define NS_PER_MS 1000000
#define SIGNAL_EXIT_BASE 128 /* as sh(1) reports death by a signal */
#define EXIT_UNKNOWN (-1)

enum { PIPE_READ, PIPE_WRITE };

struct spawn {
	struct child child;
	int out_fd, err_fd; /* -1 after EOF */
	int timer_fd;
	int64_t deadline_mono_ms; /* next escalation: SIGTERM, then SIGKILL */
	bool termed, killed;
	bool leave;
	int exit_code;
	size_t out_bytes, max_bytes;
	struct buf err;
	char *chunk;
};

static int64_t now_mono_ms(void)
{
	struct clock clock = clock_real();

	return clock_mono_ms(&clock);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Descriptors 0..2 may be closed in this process; the child's ends must not lie there. */
static int above_stdio(int fd)
{
	int moved;

	if (fd < 0 || fd >= FIRST_FREE_FD)
		return fd;
	moved = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
	close(fd);
	return moved;
}

static int make_pipe(int ret_fds[2])
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	fds[PIPE_READ] = above_stdio(fds[PIPE_READ]);
	fds[PIPE_WRITE] = above_stdio(fds[PIPE_WRITE]);
	if (fds[PIPE_READ] < 0 || fds[PIPE_WRITE] < 0 ||
		fcntl(fds[PIPE_READ], F_SETFL, O_NONBLOCK) < 0) {
		int err = errno;

		close_fd(&fds[PIPE_READ]);
		close_fd(&fds[PIPE_WRITE]);
		return -err;
	}
	ret_fds[PIPE_READ] = fds[PIPE_READ];
	ret_fds[PIPE_WRITE] = fds[PIPE_WRITE];
	return 0;
}

static int write_all(int fd, struct str s)
{
	size_t at = 0;

	while (at < s.n) {
		ssize_t n = pwrite(fd, s.p + at, s.n - at, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += (size_t)n;
	}
	return 0;
}

/* The child's stdin: a file of our own with the input, at offset 0. Returns the fd or -errno. */
static int make_input(struct str input)
{
	int fd, rc;

	if (input.n == 0)
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	else
		fd = memfd_create("mtatop-input", MFD_CLOEXEC);
	fd = above_stdio(fd);
	if (fd < 0)
		return -errno;
	rc = write_all(fd, input);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return fd;
}

static void arm_timer(const struct spawn *s, int64_t in_ms)
{
	struct itimerspec when = {0};

	if (in_ms < 1)
		in_ms = 1;
	when.it_value.tv_sec = (time_t)(in_ms / MS_PER_S);
	when.it_value.tv_nsec = (long)(in_ms % MS_PER_S) * NS_PER_MS;
	/* Can't fail with a valid time; without it the caller's own timer still steps us. */
	(void)timerfd_settime(s->timer_fd, 0, &when, NULL);
}

static int open_fds(
	struct spawn *s, const struct spawn_request *r, int *ret_in, int *ret_out, int *ret_err)
{
	int out[2], err[2], in, rc;

	s->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (s->timer_fd < 0)
		return -errno;
	in = make_input(r->input);
	if (in < 0)
		return in;
	*ret_in = in;
	rc = make_pipe(out);
	if (rc < 0)
		return rc;
	s->out_fd = out[PIPE_READ];
	*ret_out = out[PIPE_WRITE];
	if (r->merge_stderr)
		return 0;
	rc = make_pipe(err);
	if (rc < 0)
		return rc;
	s->err_fd = err[PIPE_READ];
	*ret_err = err[PIPE_WRITE];
	return 0;
}

int spawn_open(const struct spawn_request *request, struct spawn **ret, struct mt_error *reterr)
{
	struct spawn *s;
	int in = -1, out = -1, err = -1, rc;

	if (request->argv[0] == NULL || request->argv[0][0] != '/')
		return mt_error_set(reterr, MT_EINVAL, "no absolute path of a program to run");
	s = xcalloc(1, sizeof(*s));
	s->out_fd = s->err_fd = s->timer_fd = s->child.control_fd = -1;
	s->exit_code = EXIT_UNKNOWN;
	s->max_bytes = request->max_bytes;
	s->leave = request->leave;
	s->chunk = xmalloc(READ_BYTES);
	buf_init(&s->err, STDERR_MAX_BYTES);
	rc = open_fds(s, request, &in, &out, &err);
	if (rc == 0)
		rc = -child_start(&s->child, request->argv, request->mail_config,
			&(struct child_files){in, out, request->merge_stderr ? out : err});
	close_fd(&in);
	close_fd(&out);
	close_fd(&err);
	if (rc < 0) {
		spawn_close(s);
		return mt_error_sys(reterr, -rc, "cannot run %s", request->argv[0]);
	}
	s->deadline_mono_ms = now_mono_ms() + request->timeout_ms;
	arm_timer(s, request->timeout_ms);
	*ret = s;
	return 0;
}

size_t spawn_fds(const struct spawn *s, struct pollfd *out, size_t max)
{
	const int fds[] = {s->out_fd, s->err_fd, s->timer_fd};
	size_t n = 0;

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]) && n < max; i++)
		if (fds[i] >= 0)
			out[n++] = (struct pollfd){.fd = fds[i], .events = POLLIN};
	return n;
}

static void take_status(struct spawn *s, int status)
{
	if (WIFEXITED(status))
		s->exit_code = WEXITSTATUS(status);
	else if (WIFSIGNALED(status))
		s->exit_code = SIGNAL_EXIT_BASE + WTERMSIG(status);
}

/* Reap without waiting. True when there is no child any more. */
static bool reap(struct spawn *s)
{
	int status = 0, rc;

	if (!child_running(&s->child))
		return true;
	rc = child_reap(&s->child, &status);
	if (rc == 0)
		take_status(s, status);
	return rc <= 0; /* negative: the exit code stays unknown */
}

static void kill_and_reap(struct spawn *s)
{
	int64_t until_mono_ms = now_mono_ms() + REAP_MAX_MS;

	child_signal(&s->child, SIGKILL);
	while (!reap(s) && now_mono_ms() < until_mono_ms)
		(void)poll(NULL, 0, 1);
	close_fd(&s->out_fd);
	close_fd(&s->err_fd);
}

static int take_out(
	struct spawn *s, size_t n, spawn_bytes_fn out, void *ctx, struct mt_error *reterr)
{
	if (n > s->max_bytes - s->out_bytes) {
		kill_and_reap(s);
		return mt_error_set(
			reterr, MT_ELIMIT, "the program wrote more than %zu bytes", s->max_bytes);
	}
	s->out_bytes += n;
	return out ? out(ctx, str_make(s->chunk, n)) : 0;
}

/* Read what is there. 1 = something was read, 0 = nothing now (or EOF), else negative. */
static int drain(struct spawn *s, int *fd, spawn_bytes_fn out, void *ctx, struct mt_error *reterr)
{
	ssize_t n;
	int rc;

	if (*fd < 0)
		return 0;
	n = read(*fd, s->chunk, READ_BYTES);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		close_fd(fd);
		return 0;
	}
	if (fd == &s->out_fd) {
		rc = take_out(s, (size_t)n, out, ctx, reterr);
		return rc < 0 ? rc : 1;
	}
	if ((size_t)n > STDERR_MAX_BYTES - s->err.n)
		n = (ssize_t)(STDERR_MAX_BYTES - s->err.n);
	(void)buf_add(&s->err, s->chunk, (size_t)n); /* within the cap; lost only without memory */
	return 1;
}

static void escalate(struct spawn *s)
{
	int64_t now_ms = now_mono_ms();

	if (now_ms < s->deadline_mono_ms)
		return;
	if (!s->termed) {
		s->termed = true;
		child_signal(&s->child, SIGTERM);
		s->deadline_mono_ms = now_ms + TERM_GRACE_MS;
		arm_timer(s, TERM_GRACE_MS);
	} else if (!s->killed) {
		s->killed = true;
		kill_and_reap(s);
	}
}

static int ended(struct spawn *s, struct mt_error *reterr)
{
	if (s->termed)
		return mt_error_set(reterr, MT_ECANCELED, "the program did not end in time");
	if (s->exit_code == EXIT_UNKNOWN)
		return mt_error_set(reterr, MT_EIO, "the program's exit status is lost");
	return 0;
}

int spawn_step(struct spawn *s, spawn_bytes_fn out, void *ctx, struct mt_error *reterr)
{
	uint64_t ticks;
	int rc;

	/* The value does not matter, reading it only lets the fd sleep again. */
	if (read(s->timer_fd, &ticks, sizeof(ticks)) < 0)
		ticks = 0;
	/* One read a step: what the caller does with 64 KiB is a few ms of work. */
	rc = drain(s, &s->out_fd, out, ctx, reterr);
	if (rc >= 0 && drain(s, &s->err_fd, NULL, NULL, reterr) >= 0)
		escalate(s);
	if (rc < 0) {
		kill_and_reap(s);
		return rc;
	}
	if (s->killed)
		return ended(s, reterr);
	if (s->out_fd >= 0 || s->err_fd >= 0)
		return 1;
	if (!reap(s)) {
		int64_t left_ms = s->deadline_mono_ms - now_mono_ms();

		arm_timer(s, left_ms < REAP_TICK_MS ? left_ms : REAP_TICK_MS);
		return 1;
	}
	return ended(s, reterr);
}

int spawn_exit_code(const struct spawn *s)
{
	return s->exit_code;
}

struct str spawn_stderr(const struct spawn *s)
{
	return buf_str(&s->err);
}

void spawn_close(struct spawn *s)
{
	if (!s)
		return;
	if (child_running(&s->child) && s->leave)
		child_leave(&s->child);
	else if (child_running(&s->child))
		kill_and_reap(s);
	close_fd(&s->out_fd);
	close_fd(&s->err_fd);
	close_fd(&s->timer_fd);
	buf_done(&s->err);
	free(s->chunk);
	free(s);
}

static int append(void *ctx, struct str bytes)
{
	return buf_add_str(ctx, bytes);
}

int spawn_wait(struct spawn *s, spawn_bytes_fn out, void *ctx, struct mt_error *reterr)
{
	struct pollfd fds[SPAWN_FDS_MAX];
	int rc;

	do {
		/* The timer fd bounds this poll; EINTR only steps once more. */
		(void)poll(fds, (nfds_t)spawn_fds(s, fds, SPAWN_FDS_MAX), -1);
		rc = spawn_step(s, out, ctx, reterr);
	} while (rc > 0);
	return rc < 0 ? rc : spawn_exit_code(s);
}

int spawn_run(const struct spawn_request *request, struct buf *out, struct mt_error *reterr)
{
	struct spawn *s = NULL;
	int rc = spawn_open(request, &s, reterr);

	if (rc < 0)
		return rc;
	rc = spawn_wait(s, append, out, reterr);
	spawn_close(s);
	return rc;
}

char *spawn_find_tool(const char *name)
{
	static const char *const folders[] = {"/usr/sbin", "/usr/local/sbin", "/sbin",
		"/opt/postfix/sbin", "/opt/local/sbin", "/usr/pkg/sbin"};

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		char *path = xasprintf("%s/%s", folders[i], name);

		if (access(path, X_OK) == 0)
			return path;
		free(path);
	}
	return NULL;
}
