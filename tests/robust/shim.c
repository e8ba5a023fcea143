/* SPDX-License-Identifier: MIT */
/*
 * shim - LD_PRELOAD: one call of a kind fails, the n-th of the process; for torture.py.
 *
 * MTATOP_FAIL=KIND:N:ERRNO with KIND malloc, read, write, open or sync. MTATOP_COUNTS=FILE: how often each kind was
 * called, written at the end. Nothing is counted before main's libraries are set up.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum kind { KIND_MALLOC, KIND_READ, KIND_WRITE, KIND_OPEN, KIND_SYNC, KIND__COUNT };

static const char *const names[] = {"malloc", "read", "write", "open", "sync"};
static atomic_long counts[KIND__COUNT];
static atomic_bool armed;
static int fail_kind = -1, fail_errno;
static long fail_at;
static long counts_fd = -1;

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);

/* number - the one behind the next colon. */
static long number(const char **text, size_t skip)
{
	const char *p = *text + skip;
	long n = 0;

	for (p += *p == ':'; *p >= '0' && *p <= '9'; p++)
		n = n * 10 + (*p - '0');
	*text = p;
	return n;
}

__attribute__((constructor)) static void set_up(void)
{
	const char *text = getenv("MTATOP_FAIL"), *path = getenv("MTATOP_COUNTS");
	size_t n = text ? strcspn(text, ":") : 0;

	for (int i = 0; i < KIND__COUNT; i++)
		if (n && strlen(names[i]) == n && memcmp(names[i], text, n) == 0)
			fail_kind = i;
	if (fail_kind >= 0) {
		fail_at = number(&text, n);
		fail_errno = (int)number(&text, strcspn(text, ":"));
	}
	if (path) /* before the program gives up writing there */
		counts_fd = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	atomic_store(&armed, 1);
}

__attribute__((destructor)) static void tell(void)
{
	char line[64];

	atomic_store(&armed, 0);
	for (int i = 0; i < KIND__COUNT && counts_fd >= 0; i++) {
		int n = snprintf(line, sizeof(line), "%s %ld\n", names[i], atomic_load(&counts[i]));

		(void)!syscall(SYS_write, counts_fd, line, n);
	}
}

/* due - is this the call that fails? */
static int due(enum kind kind)
{
	if (!atomic_load(&armed) || atomic_fetch_add(&counts[kind], 1) + 1 != fail_at ||
		(int)kind != fail_kind)
		return 0;
	errno = fail_errno;
	return 1;
}

void *malloc(size_t n)
{
	return due(KIND_MALLOC) ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return due(KIND_MALLOC) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	return due(KIND_MALLOC) ? NULL : __libc_realloc(p, n);
}

ssize_t read(int fd, void *to, size_t n)
{
	return due(KIND_READ) ? -1 : syscall(SYS_read, fd, to, n);
}

ssize_t pread64(int fd, void *to, size_t n, off64_t at)
{
	return due(KIND_READ) ? -1 : syscall(SYS_pread64, fd, to, n, at);
}

ssize_t pread(int fd, void *to, size_t n, off_t at)
{
	return pread64(fd, to, n, at);
}

ssize_t write(int fd, const void *from, size_t n)
{
	return due(KIND_WRITE) ? -1 : syscall(SYS_write, fd, from, n);
}

ssize_t pwrite64(int fd, const void *from, size_t n, off64_t at)
{
	return due(KIND_WRITE) ? -1 : syscall(SYS_pwrite64, fd, from, n, at);
}

ssize_t pwrite(int fd, const void *from, size_t n, off_t at)
{
	return pwrite64(fd, from, n, at);
}

int ftruncate64(int fd, off64_t size)
{
	return due(KIND_WRITE) ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

int ftruncate(int fd, off_t size)
{
	return ftruncate64(fd, size);
}

static int open_at(int folder, const char *path, int flags, va_list args)
{
	mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;

	return due(KIND_OPEN) ? -1 : (int)syscall(SYS_openat, folder, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	va_list args;
	int fd;

	va_start(args, flags);
	fd = open_at(AT_FDCWD, path, flags, args);
	va_end(args);
	return fd;
}

int open(const char *path, int flags, ...)
{
	va_list args;
	int fd;

	va_start(args, flags);
	fd = open_at(AT_FDCWD, path, flags, args);
	va_end(args);
	return fd;
}

int fsync(int fd)
{
	return due(KIND_SYNC) ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	return due(KIND_SYNC) ? -1 : (int)syscall(SYS_fdatasync, fd);
}
