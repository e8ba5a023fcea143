/* SPDX-License-Identifier: MIT */
/*
 * proc - what is one of a kind in this process, or in a thread, and so need not be handed from call to call: the
 * helper that alone may start programs (set once, before the first thread), and the arena a library's own allocations
 * go to for a while, since it hands no context to them.
 */
#ifndef MT_BASE_PROC_H
#define MT_BASE_PROC_H

#include "store/base/arena.h"

#include <sys/types.h>

/* proc_set_helper - the socket of the helper and its pid; -1, 0: none. Owner of both: backends/helper.c. */
void proc_set_helper(int fd, pid_t pid);
/* proc_helper - the socket, -1 without a helper. *ret_pid (may be NULL) is set when there is one. Any thread. */
int proc_helper(pid_t *ret_pid);
/* proc_set_arena - of the calling thread alone; NULL none. Borrowed until the next call. proc_arena - it. */
void proc_set_arena(struct arena *a);
struct arena *proc_arena(void);

#endif
