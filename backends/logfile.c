/* SPDX-License-Identifier: MIT */
/* logfile - see logfile.h. Compressed files go through libarchive's raw format. */
#include "backends/logfile.h"

#include "store/base/map.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ARCHIVE_BLOCK_BYTES (64u << 10)
#define SKIP_BYTES (64u << 10)
#define NULS_MAX_BYTES                                                                             \
	(64 << 20) /* in front of the first line; more are not looked through for it */
#define HASH_SEED UINT64_C(0x6d7461746f70) /* fixed: hashes are stored */

bool logfile_compressed(const char *path)
{
	static const struct str ends[] = {STR_INIT(".gz"), STR_INIT(".bz2"), STR_INIT(".xz"),
		STR_INIT(".zst"), STR_INIT(".Z"), STR_INIT(".lz4"), STR_INIT(".lzma")};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (str_ends(str_of(path), ends[i]))
			return true;
	return false;
}

uint64_t logfile_hash(const void *bytes, size_t nbytes)
{
	return map_hash(str_make(bytes, nbytes), HASH_SEED);
}

static int open_archive(struct logfile *f, struct mt_error *reterr)
{
	struct archive_entry *entry;

	f->archive = archive_read_new();
	if (!f->archive)
		return mt_error_set(reterr, MT_ENOMEM, "no memory to unpack");
	archive_read_support_filter_all(f->archive);
	archive_read_support_format_raw(f->archive);
	archive_read_support_format_empty(f->archive);
	if (archive_read_open_fd(f->archive, f->fd, ARCHIVE_BLOCK_BYTES) != ARCHIVE_OK)
		return mt_error_set(reterr, MT_ECORRUPT, "can't unpack: %.100s",
			archive_error_string(f->archive));
	if (archive_read_next_header(f->archive, &entry) == ARCHIVE_FATAL)
		return mt_error_set(reterr, MT_ECORRUPT, "can't unpack: %.100s",
			archive_error_string(f->archive));
	return 0;
}

int logfile_stat(struct logfile *f, struct mt_error *reterr)
{
	struct stat st;

	if (fstat(f->fd, &st) < 0)
		return mt_error_sys(reterr, errno, "can't look at the log");
	f->size = st.st_size;
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	f->mtime_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
	f->regular = S_ISREG(st.st_mode);
	return 0;
}

int logfile_open(struct logfile *f, const char *path, struct mt_error *reterr)
{
	bool in = strcmp(path, "-") == 0;
	int rc;

	*f = (struct logfile){.fd = -1};
	f->fd = in ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (f->fd < 0)
		return mt_error_sys(reterr, errno, "can't read %.150s", path);
	rc = logfile_stat(f, reterr);
	if (rc == 0 && !f->regular && !in)
		rc = mt_error_set(reterr, MT_EINVAL, "%.150s is not a regular file", path);
	if (rc == 0 && !in && logfile_compressed(path))
		rc = open_archive(f, reterr);
	if (rc < 0)
		logfile_close(f);
	return rc;
}

void logfile_close(struct logfile *f)
{
	if (f->archive)
		archive_read_free(f->archive);
	if (f->fd >= 0)
		close(f->fd);
	*f = (struct logfile){.fd = -1};
}

ssize_t logfile_read(struct logfile *f, void *out, size_t nbytes, struct mt_error *reterr)
{
	ssize_t n;

	if (f->archive) {
		n = archive_read_data(f->archive, out, nbytes);
		if (n < 0)
			return mt_error_set(reterr, MT_ECORRUPT, "damaged archive: %.100s",
				archive_error_string(f->archive));
	} else {
		do
			n = f->regular ? pread(f->fd, out, nbytes, f->at)
				       : read(f->fd, out, nbytes);
		while (n < 0 && errno == EINTR);
		if (n < 0)
			return mt_error_sys(reterr, errno, "can't read the log");
	}
	f->at += n;
	return n;
}

int logfile_seek(struct logfile *f, int64_t offset, struct mt_error *reterr)
{
	char skipped[SKIP_BYTES];

	if (!f->archive && f->regular) {
		f->at = offset;
		return offset <= f->size
			       ? 0
			       : mt_error_set(reterr, MT_EEOF, "the file is shorter than it was");
	}
	while (f->at < offset) {
		int64_t left = offset - f->at;
		ssize_t n = logfile_read(
			f, skipped, left < SKIP_BYTES ? (size_t)left : SKIP_BYTES, reterr);

		if (n < 0)
			return (int)n;
		if (n == 0)
			return mt_error_set(reterr, MT_EEOF, "the file is shorter than it was");
	}
	return 0;
}

/* read_full - up to nbytes from where the file stands. */
static ssize_t read_full(struct logfile *f, char *out, size_t nbytes, struct mt_error *reterr)
{
	size_t have = 0;

	while (have < nbytes) {
		ssize_t n = logfile_read(f, out + have, nbytes - have, reterr);

		if (n < 0)
			return n;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

/* head_plain - from the first byte that is no NUL; holes cost nothing. */
static ssize_t head_plain(const struct logfile *f, char *out, struct mt_error *reterr)
{
	off_t at = 0, looked = 0;

	for (;;) {
		ssize_t n = pread(f->fd, out, LOGFILE_HEAD_BYTES, at);
		ssize_t nuls = 0;
		off_t data;

		if (n < 0)
			return mt_error_sys(reterr, errno, "can't read the beginning of the log");
		while (nuls < n && out[nuls] == '\0')
			nuls++;
		if (n == 0 || nuls == 0)
			return n;
		at += nuls;
		looked += nuls;
		if (looked > NULS_MAX_BYTES)
			return 0;
		if (nuls < n)
			continue;
		data = lseek(f->fd, at, SEEK_DATA);
		if (data < 0)
			return 0;
		at = data;
	}
}

static ssize_t head_archive(struct logfile *f, char *out, struct mt_error *reterr)
{
	for (;;) {
		ssize_t n = read_full(f, out, LOGFILE_HEAD_BYTES, reterr);
		ssize_t nuls = 0, more;

		while (nuls < n && out[nuls] == '\0')
			nuls++;
		if (n <= 0 || nuls == 0)
			return n;
		memmove(out, out + nuls, (size_t)(n - nuls));
		if (nuls == n)
			continue;
		more = read_full(f, out + n - nuls, (size_t)nuls, reterr);
		return more < 0 ? more : n - nuls + more;
	}
}

ssize_t logfile_read_head(const struct logfile *f, const char *path, char out[LOGFILE_HEAD_BYTES],
	struct mt_error *reterr)
{
	struct logfile again;
	ssize_t n;
	int rc;

	if (!f->archive)
		return head_plain(f, out, reterr);
	rc = logfile_open(&again, path, reterr);
	if (rc < 0)
		return rc;
	n = head_archive(&again, out, reterr);
	logfile_close(&again);
	return n;
}

int64_t logfile_disk_bytes(const struct logfile *f)
{
	return f->archive ? archive_filter_bytes(f->archive, -1) : f->at;
}

uint64_t logfile_tail_hash(const struct logfile *f, int64_t offset)
{
	char tail[LOGFILE_TAIL_BYTES];
	int64_t from = offset > LOGFILE_TAIL_BYTES ? offset - LOGFILE_TAIL_BYTES : 0;
	ssize_t n = offset > 0 ? pread(f->fd, tail, (size_t)(offset - from), from) : -1;

	return n == offset - from ? logfile_hash(tail, (size_t)n) : 0;
}
