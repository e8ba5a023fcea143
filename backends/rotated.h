/* SPDX-License-Identifier: MIT */
/* rotated - the siblings a log leaves behind when it is rotated: names, and in which order they were written. */
#ifndef MT_BACKENDS_ROTATED_H
#define MT_BACKENDS_ROTATED_H

#include "store/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rotated_file {
	char *path; /* owned */
	int64_t mtime_ms;
	int64_t size; /* bytes on disk */
	uint64_t dev, ino;
	bool compressed;
	int number; /* N of ".N"; -1 none */
};

struct rotated {
	struct rotated_file *files; /* owned; oldest first, the live file not among them */
	size_t n;
};

/*
 * rotated_list - siblings of path: path.N, path-DATE, path.DATE-TIME, NAME-DATE.EXT, each also compressed. Of "x" and "x.gz" only
 * "x" is listed (gzip is at work). Only regular files. *ret is filled also on failure; end with rotated_done.
 * Errors: MT_EPERM, MT_EIO of the folder; a folder that is not there has no siblings.
 */
int rotated_list(const char *path, struct rotated *ret, struct mt_error *reterr) MT_MUST_CHECK;
void rotated_done(struct rotated *r);
/* rotated_is_sibling - is name (no folder) what a rotation makes of base? */
bool rotated_is_sibling(const char *base, const char *name);

#endif
