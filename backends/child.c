/* SPDX-License-Identifier: MIT */
/* child - see child.h. */
#include "backends/child.h"

#include "backends/helper.h"
#include "store/base/mem.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST_FREE_FD 3

#ifdef __GLIBC__
#if __GLIBC_PREREQ(2, 34)
#define CAN_CLOSE_FROM
#endif
#endif

static int set_attributes(posix_spawnattr_t *attr)
{
	sigset_t none, defaults;
	short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP;
	int rc;

	sigemptyset(&none);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	sigaddset(&defaults, SIGHUP);
	sigaddset(&defaults, SIGINT);
	sigaddset(&defaults, SIGTERM);
	sigaddset(&defaults, SIGCHLD);
	rc = posix_spawnattr_setsigmask(attr, &none);
	if (rc == 0)
		rc = posix_spawnattr_setsigdefault(attr, &defaults);
	if (rc == 0)
		rc = posix_spawnattr_setpgroup(attr, 0);
	if (rc == 0)
		rc = posix_spawnattr_setflags(attr, flags);
	return rc;
}

static int set_files(posix_spawn_file_actions_t *actions, const struct child_files *files)
{
	int rc = posix_spawn_file_actions_adddup2(actions, files->in, STDIN_FILENO);

	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(actions, files->out, STDOUT_FILENO);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(actions, files->err, STDERR_FILENO);
#ifdef CAN_CLOSE_FROM
	/* A library that forgot O_CLOEXEC must not leak a database or a key into the child. */
	if (rc == 0)
		rc = posix_spawn_file_actions_addclosefrom_np(actions, FIRST_FREE_FD);
#endif
	return rc;
}

int child_exec(const char *const *argv, const char *mail_config, const struct child_files *files,
	pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	char *config = mail_config ? xasprintf("MAIL_CONFIG=%s", mail_config) : NULL;
	char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", lang[] = "LANG=C";
	char *env[] = {path, lang, config, NULL};
	char **args;
	size_t n = 0, i;
	int rc;

	while (argv[n])
		n++;
	args = xcalloc(n + 1, sizeof(*args));
	for (i = 0; i < n; i++) /* posix_spawn wants char *, and promises not to write */
		args[i] = xstrdup(argv[i]);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	rc = set_files(&actions, files);
	if (rc == 0)
		rc = set_attributes(&attr);
	if (rc == 0)
		rc = posix_spawn(ret_pid, args[0], &actions, &attr, args, env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	for (i = 0; i < n; i++)
		free(args[i]);
	free(args);
	free(config);
	return rc;
}

int child_start(struct child *c, const char *const *argv, const char *mail_config,
	const struct child_files *files)
{
	*c = (struct child){.control_fd = -1};
	if (helper_running())
		return helper_open(argv, mail_config, files, &c->control_fd);
	return child_exec(argv, mail_config, files, &c->pid);
}

bool child_running(const struct child *c)
{
	return c->pid > 0 || c->control_fd >= 0;
}

void child_signal(const struct child *c, int signo)
{
	if (c->control_fd >= 0)
		helper_signal(c->control_fd, signo);
	else if (c->pid > 0 && kill(-c->pid, signo) < 0)
		(void)kill(c->pid, signo);
}

void child_leave(struct child *c)
{
	if (c->control_fd >= 0)
		close(c->control_fd);
	*c = (struct child){.control_fd = -1};
}

int child_reap(struct child *c, int *ret_status)
{
	pid_t got;
	int rc;

	if (c->control_fd >= 0) {
		rc = helper_status(c->control_fd, ret_status);
		if (rc <= 0) {
			close(c->control_fd);
			c->control_fd = -1;
		}
		return rc;
	}
	if (c->pid <= 0)
		return -ECHILD;
	got = waitpid(c->pid, ret_status, WNOHANG);
	if (got == 0 || (got < 0 && errno == EINTR))
		return 1;
	c->pid = 0; /* ECHILD: someone else reaped it */
	return got > 0 ? 0 : -errno;
}
