/* SPDX-License-Identifier: MIT */
/* sendmail/file - see file.h. */
#include "backends/sendmail/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int fd, struct buf *b)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return MT_EIO;
	if (st.st_size > (off_t)b->max)
		return MT_ELIMIT;
	while (b->n < (size_t)st.st_size) {
		size_t want = (size_t)st.st_size - b->n;
		char *room = buf_reserve(b, want);
		ssize_t n = room ? read(fd, room, want) : -1;

		if (n < 0 && room && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? 0 : MT_EIO;
		buf_grow(b, (size_t)n);
	}
	return 0;
}

int sendmail_file_read(int at, const char *name, struct buf *b, struct mt_error *reterr)
{
	int fd = openat(at >= 0 ? at : AT_FDCWD, name,
		O_RDONLY | O_NONBLOCK | O_CLOEXEC | (at >= 0 ? O_NOFOLLOW : 0));
	int rc;

	buf_clear(b);
	if (fd < 0)
		return mt_error_set(reterr,
			errno == ENOENT                     ? MT_ENOENT
			: errno == EACCES || errno == EPERM ? MT_EPERM
							    : MT_EIO,
			"can't read %.150s", name);
	rc = read_all(fd, b);
	close(fd);
	return rc < 0 ? mt_error_set(reterr, (enum mt_err)rc, "can't read %.150s", name) : 0;
}
