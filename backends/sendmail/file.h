/* SPDX-License-Identifier: MIT */
/* sendmail/file - a file whole, as those that belong to Sendmail are read: no link, no device, no more than fits. */
#ifndef MT_BACKENDS_SENDMAIL_FILE_H
#define MT_BACKENDS_SENDMAIL_FILE_H

#include "store/base/buf.h"
#include "store/base/err.h"

/*
 * sendmail_file_read - into b, which is emptied; its cap is the file's. name is below the folder `at`, or whole (at -1:
 * then it may be a link).
 * Returns 0, MT_ENOENT, MT_EPERM, MT_ELIMIT (larger), MT_EIO (also: not a file). reterr may be NULL.
 */
int sendmail_file_read(
	int at, const char *name, struct buf *b, struct mt_error *reterr) MT_MUST_CHECK;

#endif
