/* SPDX-License-Identifier: MIT */
/* logfind - raw lines of a provider's log for a person to read: the last ones, or those of some queue ids. */
#ifndef MT_BACKENDS_LOGFIND_H
#define MT_BACKENDS_LOGFIND_H

#include "backends/backend.h"

/*
 * logfind_run - JOB_LOG_TAIL (the last max_lines lines of the log followed) or JOB_LOG_FIND (lines that hold one of
 * the ids, in the log and its rotated siblings last written at or after t0). Blocks; looks at out->canceled
 * between blocks. Errors: MT_ENOENT no log, MT_EPERM, MT_ECANCELED, what out->add returned.
 */
int logfind_run(const struct backend_ops *family, const struct instance_def *def,
	const struct job_request *request, struct job_output *out,
	struct mt_error *reterr) MT_MUST_CHECK;

#endif
