/* SPDX-License-Identifier: MIT */
/*
 * logfile - one file of a log, plain or compressed: who it is, and its bytes from an offset on.
 *
 * Identity is content: a hash of its first bytes (up to 1024, the length remembered) and a hash of the bytes before
 * the offset read up to. Inodes are only a hint: they are reused at once by most file systems. All offsets
 * count uncompressed bytes.
 */
#ifndef MT_BACKENDS_LOGFILE_H
#define MT_BACKENDS_LOGFILE_H

#include "store/base/err.h"
#include "store/base/str.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define LOGFILE_HEAD_BYTES 1024
#define LOGFILE_TAIL_BYTES 64

/* Where reading stands in one file; what is stored as a cursor. */
struct logmark {
	uint64_t head_hash, tail_hash;
	uint32_t head_len; /* bytes the head hash covers: min(1024, size) when last looked at */
	int64_t offset; /* after the last complete line read */
	uint64_t dev, ino; /* when last seen */
	int64_t mtime_ms;
	bool done; /* rotated away and read to its end, or left out at the first start */
};

struct archive;

struct logfile {
	int fd; /* -1 closed */
	struct archive *archive; /* NULL for a plain file */
	int64_t at; /* offset of the next byte read() gives */
	int64_t size; /* of the file on disk, when last looked at */
	dev_t dev;
	ino_t ino;
	int64_t mtime_ms;
	bool regular; /* false: standard input */
};

/* logfile_compressed - does the name say gz, bz2, xz, zst or the like? */
bool logfile_compressed(const char *path);

/*
 * logfile_open - open for reading from the beginning; "-" is standard input.
 * Refused: what is no regular file (MT_EINVAL: folder, FIFO, device, socket), MT_ENOENT, MT_EPERM.
 * The open never blocks. End with logfile_close.
 */
int logfile_open(struct logfile *f, const char *path, struct mt_error *reterr) MT_MUST_CHECK;
void logfile_close(struct logfile *f); /* accepts a closed one (fd -1, archive NULL) */

/* logfile_stat - look at size and mtime again. */
int logfile_stat(struct logfile *f, struct mt_error *reterr) MT_MUST_CHECK;

/* logfile_read - the next bytes; 0 at the end (for now). Negative: MT_EIO, MT_ECORRUPT (damaged archive). */
ssize_t logfile_read(
	struct logfile *f, void *out, size_t nbytes, struct mt_error *reterr) MT_MUST_CHECK;

/* logfile_seek - go to an offset (an archive is read up to it). MT_EEOF: the file is shorter. */
int logfile_seek(struct logfile *f, int64_t offset, struct mt_error *reterr) MT_MUST_CHECK;

/* logfile_disk_bytes - how far into the file on disk reading has come (an archive: compressed bytes). */
int64_t logfile_disk_bytes(const struct logfile *f);

/* logfile_hash - hash of nbytes. */
uint64_t logfile_hash(const void *bytes, size_t nbytes);

/*
 * logfile_read_head - the first bytes of a file, up to LOGFILE_HEAD_BYTES, without moving its position (an archive
 * is opened a second time by its path). NULs in front are passed over: a writer that does not append leaves
 * them when its file is truncated. Returns their number (0: empty, or NULs alone) or a negative mt_err.
 */
ssize_t logfile_read_head(const struct logfile *f, const char *path, char out[LOGFILE_HEAD_BYTES],
	struct mt_error *reterr) MT_MUST_CHECK;

/* logfile_tail_hash - of the LOGFILE_TAIL_BYTES (or fewer) bytes before offset in a plain file. */
uint64_t logfile_tail_hash(const struct logfile *f, int64_t offset);

#endif
