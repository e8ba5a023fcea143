/* SPDX-License-Identifier: MIT */
/* proc - see proc.h. */
#include "store/base/proc.h"

static int helper_fd = -1;
static pid_t helper_pid;
static _Thread_local struct arena *arena;

void proc_set_helper(int fd, pid_t pid)
{
	helper_fd = fd;
	helper_pid = pid;
}

int proc_helper(pid_t *ret_pid)
{
	if (ret_pid && helper_fd >= 0)
		*ret_pid = helper_pid;
	return helper_fd;
}

void proc_set_arena(struct arena *a)
{
	arena = a;
}

struct arena *proc_arena(void)
{
	return arena;
}
