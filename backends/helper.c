/* SPDX-License-Identifier: MIT */
/* helper - see helper.h: the socket between the two processes, and what the one that asks does. */
#include "backends/helper_private.h"

#include "store/base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define REPLY_TIMEOUT_MS 10000 /* it does nothing but start programs: a loaded machine needs ms */

int helper_start(const struct helper_options *options, struct mt_error *reterr)
{
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return mt_error_sys(reterr, errno, "can't make the helper's socket");
	pid = fork();
	if (pid < 0) {
		int err = errno;

		close(ends[0]);
		close(ends[1]);
		return mt_error_sys(reterr, err, "can't start the helper");
	}
	if (pid == 0) {
		close(ends[0]);
		helper_serve(ends[1], options);
	}
	close(ends[1]);
	proc_set_helper(ends[0], pid);
	return 0;
}

bool helper_running(void)
{
	return proc_helper(NULL) >= 0;
}

void helper_stop(void)
{
	pid_t pid = 0;
	int fd = proc_helper(&pid);

	if (fd < 0)
		return;
	close(fd); /* it ends at the end of its socket */
	proc_set_helper(-1, 0);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

/* MAIL_CONFIG (may be empty), then argv, each with its NUL. 0 when it does not fit. */
static size_t pack(const char *const *argv, const char *mail_config, char *out, size_t max)
{
	size_t n = strlen(mail_config ? mail_config : "") + 1;

	if (n > max)
		return 0;
	memcpy(out, mail_config ? mail_config : "", n);
	for (size_t i = 0; argv[i]; i++) {
		size_t more = strlen(argv[i]) + 1;

		if (more > max - n || i + 1 > HELPER_ARGS_MAX)
			return 0;
		memcpy(out + n, argv[i], more);
		n += more;
	}
	return n;
}

static int send_request(int fd, char *bytes, size_t n, const int *fds)
{
	struct iovec iov = {.iov_base = bytes, .iov_len = n};
	union {
		char bytes[CMSG_SPACE(sizeof(int) * HELPER_FDS)];
		struct cmsghdr align;
	} control = {{0}};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *head = CMSG_FIRSTHDR(&msg);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int) * HELPER_FDS);
	memcpy(CMSG_DATA(head), fds, sizeof(int) * HELPER_FDS);
	for (;;) {
		if (sendmsg(fd, &msg, MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno != EINTR)
			return errno == ECONNRESET || errno == ENOTCONN ? EPIPE : errno;
	}
}

/* One number from the helper. 0, ETIMEDOUT, EPIPE. */
static int receive(int fd, int timeout_ms, int32_t *ret)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ssize_t n;

	while (poll(&p, 1, timeout_ms) <= 0)
		if (errno != EINTR || p.revents == 0)
			return ETIMEDOUT;
	n = recv(fd, ret, sizeof(*ret), MSG_DONTWAIT);
	return n == (ssize_t)sizeof(*ret) ? 0 : EPIPE;
}

int helper_open(const char *const *argv, const char *mail_config, const struct child_files *files,
	int *ret_control_fd)
{
	char bytes[HELPER_REQUEST_MAX_BYTES];
	size_t n = pack(argv, mail_config, bytes, sizeof(bytes));
	int32_t answer = EPIPE;
	int ends[2], rc;

	if (n == 0)
		return E2BIG;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return errno;
	rc = send_request(proc_helper(NULL), bytes, n,
		(const int[HELPER_FDS]){files->in, files->out, files->err, ends[1]});
	close(ends[1]);
	if (rc == 0)
		rc = receive(ends[0], REPLY_TIMEOUT_MS, &answer);
	if (rc == 0)
		rc = answer;
	if (rc != 0)
		close(ends[0]);
	else
		*ret_control_fd = ends[0];
	return rc;
}

void helper_signal(int control_fd, int signo)
{
	char byte = signo == SIGTERM ? HELPER_SAY_TERM : HELPER_SAY_KILL;

	/* A helper that is gone has taken its children along. */
	(void)!send(control_fd, &byte, sizeof(byte), MSG_NOSIGNAL | MSG_DONTWAIT);
}

int helper_status(int control_fd, int *ret_status)
{
	int32_t status;
	ssize_t n = recv(control_fd, &status, sizeof(status), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 1;
	if (n != (ssize_t)sizeof(status))
		return -EPIPE;
	*ret_status = status;
	return 0;
}
