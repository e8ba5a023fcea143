/* SPDX-License-Identifier: MIT */
/* logtail - the raw lines of a log before an instant, or what has come since an offset: for a person who watches. */
#ifndef MT_BACKENDS_LOGTAIL_H
#define MT_BACKENDS_LOGTAIL_H

#include "backends/backend.h"

/*
 * logtail_run - JOB_LOG_TAIL on one log, oldest line first; request->max_lines is a measure, not a limit: the caller
 * keeps the last ones.
 * path       the log followed.
 * siblings   look in its rotated siblings when t1 lies before the live file's lines.
 * request    t1_ms: lines up to then, 0 = to the end; t0_ms: of an archive, lines since then; after_offset: only what
 *            is in the live file from this offset on (t1_ms 0), when it is still that long.
 * Blocks; looks at out->canceled between blocks. MT_ENOENT, MT_EPERM, MT_ECANCELED, what out->add returned.
 */
int logtail_run(const char *path, bool siblings, const struct job_request *request,
	struct job_output *out, struct mt_error *reterr) MT_MUST_CHECK;

#endif
