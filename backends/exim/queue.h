/* SPDX-License-Identifier: MIT */
/*
 * exim/queue - the `queue` source of an Exim, and the jobs on its queue.
 *
 * By the spool's files where they can be read, else by `exim -bpru`. Never writes to the spool: actions are Exim's own
 * (-Mf -Mt -Mrm -Mg -M), after the identity of each message was checked again.
 */
#ifndef MT_BACKENDS_EXIM_QUEUE_H
#define MT_BACKENDS_EXIM_QUEUE_H

#include "backends/queuesource.h"

/* exim_lister - for backend_ops.lister, and for those who check identities. */
extern const struct queue_lister exim_lister;

/*
 * exim_job - backend_ops.job: JOB_QUEUE_FILE, JOB_HOLD (freeze), RELEASE (thaw), REQUEUE (deliver now), DELETE (remove),
 * EXPIRE (give up: returned to its sender), FLUSH. Blocks. Each action taken is logged in the cache at out->cache_path.
 * Returns as postfix_queue_job; MT_EPERM when Exim does not take this user for an admin.
 */
int exim_job(const struct instance_def *def, const struct job_request *request,
	struct job_output *out, struct mt_error *reterr) MT_MUST_CHECK;

/* exim_check - backend_ops.check. */
int exim_check(
	const struct conf *conf, const struct instance_def *def, const struct check_report *report);

#endif
