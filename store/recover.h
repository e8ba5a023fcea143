/* SPDX-License-Identifier: MIT */
/* recover - is this file fit to be the cache, and what to do when it is not. */
#ifndef MT_STORE_RECOVER_H
#define MT_STORE_RECOVER_H

#include "store/base/clock.h"
#include "store/base/err.h"

#include <stdbool.h>

struct sqlite3;

/* recover_check - structural check of an open database, bounded in time; MT_ECORRUPT. A cache that was closed
 * cleanly and is large is not checked. */
int recover_check(struct sqlite3 *db, const char *path, struct mt_error *reterr) MT_MUST_CHECK;

/* recover_readable - can every byte of the file and its WAL be read? MT_EIO when the disk refuses. */
int recover_readable(const char *path, struct mt_error *reterr) MT_MUST_CHECK;

/* recover_move_aside - rename path and its -wal and -shm to path.corrupt-YYYYMMDDTHHMMSSZ. *ret_notice: what
 * to tell a person; gives. */
int recover_move_aside(const char *path, const struct clock *clock, const char *why,
	char **ret_notice, struct mt_error *reterr) MT_MUST_CHECK;

/* recover_flag / recover_flagged / recover_unflag - the writer met damage while running: the next open moves
 * the file aside (PATH.damaged). */
void recover_flag(const char *path);
bool recover_flagged(const char *path);
void recover_unflag(const char *path);

#endif
