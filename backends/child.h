/* SPDX-License-Identifier: MIT */
/*
 * child - one program running for spawn.c: started here, or by the helper when there is one.
 *
 * Leads a process group of its own, so that what it started is signaled with it; its environment is
 * PATH, LANG=C and MAIL_CONFIG alone.
 */
#ifndef MT_BACKENDS_CHILD_H
#define MT_BACKENDS_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

struct child {
	pid_t pid; /* started here; 0: not running, or the helper's */
	int control_fd; /* to the helper, one a child; -1: started here */
};

struct child_files { /* descriptors of this process that become 0, 1, 2 of the child; borrowed */
	int in, out, err;
};

/* child_exec - start argv (absolute, NULL-terminated) in this process. Gives *ret_pid. 0 or a positive errno. */
int child_exec(const char *const *argv, const char *mail_config, const struct child_files *files,
	pid_t *ret_pid);
/* child_start - the same through the helper if there is one. 0 or a positive errno (EPERM: not among its programs). */
int child_start(struct child *c, const char *const *argv, const char *mail_config,
	const struct child_files *files);
/* child_running - started and not reaped yet. */
bool child_running(const struct child *c);
/* child_signal - its whole group. */
void child_signal(const struct child *c, int signo);
/* child_leave - it goes on by itself and is nobody's any more (the helper's, who decides by its own table what may). */
void child_leave(struct child *c);
/* child_reap - never waits. 1 still runs, 0 ended with *ret_status as of waitpid(2), negative: its status is lost. */
int child_reap(struct child *c, int *ret_status);

#endif
