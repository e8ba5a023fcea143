/* SPDX-License-Identifier: MIT */
/*
 * helper_serve - the helper's own process: take a request, judge it, start the program, say how it
 * ended. Trusts nothing that comes over the socket.
 *
 * A child is killed when its socket closes, all of them when the helper's does; but not one that delivers mail, which
 * could then be sent twice.
 */
#include "backends/helper_private.h"
#include "backends/hook.h"

#include "store/base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUNS_MAX 32 /* at a time; mtatop has one a queue and one a job */

struct run {
	pid_t pid; /* 0: free */
	int control_fd; /* -1: its owner is gone, only to be reaped */
	bool lasting; /* delivers mail: goes on without its owner, and without the helper */
};

struct serving {
	const struct helper_options *options;
	int fd, signal_fd;
	struct run runs[RUNS_MAX];
};

static const struct tool {
	const char *name;
	const char *flags; /* options without a value */
	const char *write_flags; /* those that need read_write */
	const char *minus; /* options whose value is "-" */
	bool names; /* takes names: letters, digits, _ */
	bool writes; /* needs read_write whatever its options */
} tools[] = {
	{"mailq", "Acv", "", "", false, false},
	{"postcat", "hq", "", "", true, false},
	{"postconf", "MPhnx", "", "", true, false},
	{"postmulti", "l", "", "", false, false},
	{"postqueue", "jp", "f", "", false, false},
	{"postsuper", "", "", "Hdehr", false, true},
};

/* Every folder on the way and the file: only root can change what will be run. */
static bool only_root_writes(const char *path)
{
	char real[PATH_MAX];
	struct stat st;

	if (!realpath(path, real) || stat(real, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	for (;;) {
		char *slash = strrchr(real, '/');

		if (stat(real[0] ? real : "/", &st) < 0 || st.st_uid != 0)
			return false;
		if ((st.st_mode & (S_IWGRP | S_IWOTH)) &&
			!(S_ISDIR(st.st_mode) && (st.st_mode & S_ISVTX)))
			return false;
		if (!slash)
			return true;
		*slash = '\0';
	}
}

static bool is_name(const char *word)
{
	for (const char *p = word; *p; p++)
		if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
			    (*p >= '0' && *p <= '9') || *p == '_'))
			return false;
	return word[0] != '\0';
}

static bool allows_options(const struct tool *t, const char *const *argv, bool read_write)
{
	for (size_t i = 1; argv[i]; i++) {
		if (argv[i][0] != '-') {
			if (!t->names || !is_name(argv[i]))
				return false;
			continue;
		}
		if (argv[i][1] == '\0')
			return false;
		for (const char *p = argv[i] + 1; *p; p++) {
			if (strchr(t->flags, *p) || (read_write && strchr(t->write_flags, *p)))
				continue;
			if (p[1] || !argv[i + 1]) /* a value is a word of its own */
				return false;
			if (*p == 'c' ? argv[i + 1][0] != '/'
				      : !strchr(t->minus, *p) || strcmp(argv[i + 1], "-") != 0)
				return false;
			i++;
			break;
		}
	}
	return true;
}

bool helper_allows(const char *const *argv, bool read_write)
{
	const char *base = argv[0] && argv[0][0] == '/' ? strrchr(argv[0], '/') + 1 : "";

	if (helper_allows_mta(base, argv, read_write))
		return only_root_writes(argv[0]);
	for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++)
		if (strcmp(tools[i].name, base) == 0)
			return (read_write || !tools[i].writes) &&
			       allows_options(&tools[i], argv, read_write) &&
			       only_root_writes(argv[0]);
	return false;
}

/* A hook of the configuration, by its whole path and alone. */
static bool is_hook(const char *const *argv, const char *const *hooks)
{
	const char *why;

	for (size_t i = 0; hooks && hooks[i]; i++)
		if (strcmp(hooks[i], argv[0]) == 0)
			return !argv[1] && hook_trusted(argv[0], &why);
	return false;
}

static void tell(int fd, int32_t number)
{
	/* Who no longer listens needs no answer. */
	(void)!send(fd, &number, sizeof(number), MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* MAIL_CONFIG and argv out of a request's bytes; false: malformed. argv is NULL-terminated. */
static bool unpack(char *bytes, size_t n, const char **ret_config, const char **argv)
{
	size_t at = 0, count = 0;

	if (n == 0 || bytes[n - 1] != '\0')
		return false;
	*ret_config = bytes[0] ? bytes : NULL;
	for (at = strlen(bytes) + 1; at < n; at += strlen(bytes + at) + 1) {
		if (count == HELPER_ARGS_MAX)
			return false;
		argv[count++] = bytes + at;
	}
	argv[count] = NULL;
	return count > 0;
}

static struct run *free_run(struct serving *s)
{
	for (size_t i = 0; i < RUNS_MAX; i++)
		if (s->runs[i].pid == 0)
			return &s->runs[i];
	return NULL;
}

/* fds: the child's three and its control socket. True when control is kept. */
static bool start(struct serving *s, char *bytes, size_t n, const int *fds)
{
	const char *argv[HELPER_ARGS_MAX + 1], *config = NULL;
	struct child_files files = {fds[0], fds[1], fds[2]};
	struct run *run = free_run(s);
	pid_t pid = 0;
	int rc;

	if (!run)
		rc = EAGAIN;
	else if (!unpack(bytes, n, &config, argv))
		rc = EINVAL;
	else if (access(argv[0], F_OK) < 0)
		rc = errno;
	else if (!helper_allows(argv, s->options->read_write) && !is_hook(argv, s->options->hooks))
		rc = EPERM;
	else
		rc = child_exec(argv, config, &files, &pid);
	tell(fds[3], rc);
	if (rc != 0)
		return false;
	*run = (struct run){.pid = pid, .control_fd = fds[3], .lasting = helper_lasting(argv)};
	return true;
}

static size_t take_fds(struct msghdr *msg, int fds[HELPER_FDS])
{
	size_t got = 0;

	for (struct cmsghdr *head = CMSG_FIRSTHDR(msg); head; head = CMSG_NXTHDR(msg, head)) {
		if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
			continue;
		got = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(head),
			got * sizeof(int)); /* control has room for HELPER_FDS only */
	}
	return got;
}

/* False at the end of the socket. */
static bool take_request(struct serving *s)
{
	char bytes[HELPER_REQUEST_MAX_BYTES];
	int fds[HELPER_FDS];
	struct iovec iov = {.iov_base = bytes, .iov_len = sizeof(bytes)};
	union {
		char bytes[CMSG_SPACE(sizeof(int) * HELPER_FDS)];
		struct cmsghdr align;
	} control = {{0}};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	ssize_t n = recvmsg(s->fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	size_t nfds;
	bool kept = false;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	nfds = take_fds(&msg, fds);
	if (nfds == HELPER_FDS && !(msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		kept = start(s, bytes, (size_t)n, fds);
	for (size_t i = 0; i < nfds; i++)
		if (!kept || i + 1 < nfds)
			close(fds[i]);
	return true;
}

static void listen_to_owner(struct run *run)
{
	char byte = HELPER_SAY_KILL;
	ssize_t n = recv(run->control_fd, &byte, sizeof(byte), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 || !run->lasting)
		(void)kill(-run->pid, n > 0 && byte == HELPER_SAY_TERM ? SIGTERM : SIGKILL);
	if (n > 0)
		return;
	close(run->control_fd);
	run->control_fd = -1;
}

static void reap(struct serving *s)
{
	struct signalfd_siginfo ignored;
	int status;
	pid_t pid;

	while (read(s->signal_fd, &ignored, sizeof(ignored)) > 0)
		continue;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < RUNS_MAX; i++) {
			if (s->runs[i].pid != pid)
				continue;
			if (s->runs[i].control_fd >= 0) {
				tell(s->runs[i].control_fd, status);
				close(s->runs[i].control_fd);
			}
			s->runs[i] = (struct run){.control_fd = -1};
		}
}

/* Keys of the terminal are not for it; its files are its socket and nothing else. */
static void settle(struct serving *s, int fd, const struct helper_options *options)
{
	sigset_t child;
	int null = open("/dev/null", O_RDWR);

	(void)setsid();
	(void)prctl(PR_SET_NAME, "mtatop-helper", 0, 0, 0);
	for (int i = STDIN_FILENO; null >= 0 && i <= STDERR_FILENO; i++)
		(void)dup2(null, i);
	if (null > STDERR_FILENO)
		close(null);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &child, NULL);
	*s = (struct serving){.options = options,
		.fd = fd,
		.signal_fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK)};
	for (size_t i = 0; i < RUNS_MAX; i++)
		s->runs[i].control_fd = -1;
}

static void step(struct serving *s, const struct pollfd *fds)
{
	for (size_t i = 0; i < RUNS_MAX; i++)
		if (s->runs[i].pid && s->runs[i].control_fd >= 0 && fds[i + 2].revents &&
			fds[i + 2].fd == s->runs[i].control_fd)
			listen_to_owner(&s->runs[i]);
	if (fds[1].revents)
		reap(s);
}

_Noreturn void helper_serve(int fd, const struct helper_options *options)
{
	struct serving s;
	bool open = true;

	settle(&s, fd, options);
	while (open && s.signal_fd >= 0) {
		struct pollfd fds[RUNS_MAX + 2] = {
			{.fd = fd, .events = POLLIN}, {.fd = s.signal_fd, .events = POLLIN}};

		for (size_t i = 0; i < RUNS_MAX; i++)
			fds[i + 2] = (struct pollfd){.fd = s.runs[i].control_fd, .events = POLLIN};
		if (poll(fds, RUNS_MAX + 2, -1) <= 0)
			continue;
		step(&s, fds);
		if (fds[0].revents)
			open = take_request(&s);
	}
	for (size_t i = 0; i < RUNS_MAX; i++)
		if (s.runs[i].pid && !s.runs[i].lasting)
			(void)kill(-s.runs[i].pid, SIGKILL);
	_exit(0);
}
