/* SPDX-License-Identifier: MIT */
/*
 * series - the files of a log that is never renamed: a new one with a later name is begun by the hour, the day or when the
 * one before is large. PREFIXyyyymmdd-N.LOG, PREFIXyyyymmddhh-N.LOG: Microsoft Exchange's.
 */
#ifndef MT_BACKENDS_SERIES_H
#define MT_BACKENDS_SERIES_H

#include "backends/rotated.h"
#include "store/base/str.h"

#define SERIES_PREFIX_MAX_BYTES 16

/*
 * series_name - is name (no folder) that of a file of a series? *ret_prefix: its letters; *ret_order: later files have a
 * greater one. Of letters, case does not matter.
 */
bool series_name(struct str name, struct str *ret_prefix, uint64_t *ret_order);

/*
 * series_list - the regular files of a series in the order of their names, oldest first. *ret is filled also on failure;
 * end with rotated_done. Errors: MT_EPERM, MT_EIO, MT_ENOENT of the folder.
 */
int series_list(const char *folder, const char *prefix, struct rotated *ret,
	struct mt_error *reterr) MT_MUST_CHECK;

/* series_has_newer - is there a file of the series behind the one at path? *ret_written: one that is not empty. */
bool series_has_newer(const char *path, bool *ret_written);

/*
 * series_each - call each(ctx, folder, prefix) for each series in a folder and in the folders below it, any number of times for
 * one, a folder's one behind the other. Not through symbolic links; a folder below that can't be listed is left out.
 * Returns 0, what each returned when that is negative, or MT_ENOENT, MT_EPERM, MT_EIO of top.
 */
int series_each(const char *top, int (*each)(void *ctx, const char *folder, struct str prefix),
	void *ctx, struct mt_error *reterr) MT_MUST_CHECK;

#endif
