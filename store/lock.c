/* SPDX-License-Identifier: MIT */
/*
 * lock - the collector's lock on a cache.
 *
 * Invariant: one writer. The lock is flock(2) on PATH.lock, which dies with its process; its content
 * (the pid) is only for the message to the second one.
 */
#include "store/store_write.h"
#include "store/writer.h"

#include "store/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define FILE_MODE 0600

struct store_lock {
	int fd;
};

static int busy(int fd, const char *path, struct mt_error *reterr)
{
	char pid[16] = "";
	ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);

	if (n > 0)
		pid[strcspn(pid, "\n")] = '\0';
	return mt_error_set(reterr, MT_EBUSY,
		"another collector (process %s) is writing the cache %s", pid[0] ? pid : "unknown",
		path);
}

static int open_lock(
	const char *path, const char *lock_path, int flags, int *ret_fd, struct mt_error *reterr)
{
	*ret_fd = open(lock_path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, FILE_MODE);
	if (*ret_fd >= 0)
		return 0;
	if (errno == ENOENT && !(flags & O_CREAT))
		return mt_error_set(reterr, MT_ENOENT, "%s is not there", lock_path);
	if (errno == EACCES || errno == EROFS || errno == EPERM)
		return mt_error_set(reterr, MT_EPERM,
			"no permission to write beside the cache %s; name another file "
			"with --cache",
			path);
	return mt_error_sys(reterr, errno, "cannot make %s", lock_path);
}

static int take(int fd, const char *path, const char *lock_path, struct mt_error *reterr)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return busy(fd, path, reterr);
	return mt_error_sys(reterr, errno, "cannot lock %s", lock_path);
}

static int sign(int fd, const char *lock_path, struct mt_error *reterr)
{
	char pid[16];
	int n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());

	if (ftruncate(fd, 0) < 0 || pwrite(fd, pid, (size_t)n, 0) < 0)
		return errno == ENOSPC || errno == EDQUOT
			       ? mt_error_sys(reterr, errno, "cannot write %s", lock_path)
			       : 0;
	return 0;
}

static int make(const char *path, int flags, struct store_lock **ret, struct mt_error *reterr)
{
	char *lock_path = xasprintf("%s.lock", path);
	int fd = -1;
	int rc = open_lock(path, lock_path, flags, &fd, reterr);

	if (rc == 0)
		rc = take(fd, path, lock_path, reterr);
	if (rc == 0)
		rc = sign(fd, lock_path, reterr);
	free(lock_path);
	if (rc < 0) {
		if (fd >= 0)
			close(fd);
		return rc;
	}
	*ret = xcalloc(1, sizeof(**ret));
	(*ret)->fd = fd;
	return 0;
}

int store_lock_make(const char *path, struct store_lock **ret, struct mt_error *reterr)
{
	return make(path, O_CREAT, ret, reterr);
}

int store_lock_left(const char *path, struct store_lock **ret, struct mt_error *reterr)
{
	return make(path, 0, ret, reterr);
}

void store_lock_free(struct store_lock *lock)
{
	if (!lock)
		return;
	close(lock->fd);
	free(lock);
}
