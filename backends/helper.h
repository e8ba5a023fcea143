/* SPDX-License-Identifier: MIT */
/*
 * helper - a small process forked before anything hostile is read, that alone starts programs.
 *
 * It keeps the right to run setgid postqueue, which the rest gives up with NO_NEW_PRIVS. It is asked
 * over a socket with an argv and three descriptors, and starts only Postfix's own queue tools, Exim's and OpenSMTPD's, with
 * options that read (and, with read_write, those that act), from files that only root can change; and the hooks
 * of alerts (hook.h), which the configuration names.
 * It reads nothing of what the programs write. It ends with the process that started it, and every child with it, but
 * those that deliver mail.
 */
#ifndef MT_BACKENDS_HELPER_H
#define MT_BACKENDS_HELPER_H

#include "backends/child.h"
#include "store/base/err.h"

struct helper_options {
	bool read_write; /* postsuper and postqueue -f too */
	const char *const *
		hooks; /* NULL-terminated: programs that may be run without arguments; NULL: none */
};

/*
 * helper_start - fork it; from now on child_start goes through it. Before the first thread, once a process.
 * Returns 0 or MT_EIO. End with helper_stop.
 */
int helper_start(const struct helper_options *options, struct mt_error *reterr) MT_MUST_CHECK;
/* helper_running - is there one in this process. Any thread. */
bool helper_running(void);
/* helper_stop - end it and its children, reap it. Without one: nothing. */
void helper_stop(void);

/* helper_allows - may this be run: the name and options of argv are in the table and the file is root's alone. */
bool helper_allows(const char *const *argv, bool read_write);

/*
 * helper_open - have argv started on the files. Gives *ret_control_fd (close-on-exec); closing it kills the child.
 * 0 or a positive errno: EPERM not allowed, EPIPE the helper is gone, ETIMEDOUT, E2BIG. Any thread.
 */
int helper_open(const char *const *argv, const char *mail_config, const struct child_files *files,
	int *ret_control_fd);
/* helper_signal - SIGTERM or SIGKILL (any other signal) to the child's group. */
void helper_signal(int control_fd, int signo);
/* helper_status - as child_reap; does not close control_fd. */
int helper_status(int control_fd, int *ret_status);

#endif
