/* SPDX-License-Identifier: MIT */
/*
 * proc - what is one of a kind in this process and so need not be handed from call to call: the
 * helper that alone may start programs. Set once, before the first thread.
 */
#ifndef MT_BASE_PROC_H
#define MT_BASE_PROC_H

#include <sys/types.h>

/* proc_set_helper - the socket of the helper and its pid; -1, 0: none. Owner of both: backends/helper.c. */
void proc_set_helper(int fd, pid_t pid);
/* proc_helper - the socket, -1 without a helper. *ret_pid (may be NULL) is set when there is one. Any thread. */
int proc_helper(pid_t *ret_pid);

#endif
