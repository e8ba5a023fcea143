/* SPDX-License-Identifier: MIT */
/*
 * postfix/queue - the `queue` source of a Postfix instance, and the jobs on its queue.
 *
 * Depth comes from the spool's folders where they can be read, else from the listing; the listing
 * from postqueue(1). Never opens a queue file itself, never writes to the spool: actions are
 * postsuper's, after the identity of each message was checked again.
 */
#ifndef MT_BACKENDS_POSTFIX_QUEUE_H
#define MT_BACKENDS_POSTFIX_QUEUE_H

#include "backends/backend.h"

/* postfix_queue_source - for backend_ops.sources. */
extern const struct source_ops postfix_queue_source;

/*
 * postfix_queue_job - the queue's part of backend_ops.job: JOB_QUEUE_FILE, JOB_HOLD .. JOB_FLUSH.
 * Blocks; runs in a job's own thread. Each action taken is logged in the cache at out->cache_path.
 * Returns 0 with out->asked, done and summary, MT_ENOTSUP (another kind of job, or no config_dir), MT_EPERM (needs
 * root; the text has the command to type), MT_ECANCELED, MT_EINVAL (no cache_path), or as spawn_run.
 */
int postfix_queue_job(const struct instance_def *def, const struct job_request *request,
	struct job_output *out, struct mt_error *reterr) MT_MUST_CHECK;

#endif
