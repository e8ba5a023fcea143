/* SPDX-License-Identifier: MIT */
/*
 * opensmtpd/queue - the `queue` source of an OpenSMTPD, and the jobs on its queue, both by smtpctl(8).
 *
 * smtpctl shows and changes the queue for root alone; elsewhere the messages open by the log are the queue.
 */
#ifndef MT_BACKENDS_OPENSMTPD_QUEUE_H
#define MT_BACKENDS_OPENSMTPD_QUEUE_H

#include "backends/queuesource.h"

/* opensmtpd_lister - for backend_ops.lister, and for those who check identities. */
extern const struct queue_lister opensmtpd_lister;

/*
 * opensmtpd_job - backend_ops.job: JOB_HOLD (pause envelope), RELEASE (resume envelope), REQUEUE (schedule), DELETE
 * (remove), FLUSH (schedule all). Blocks. Each action taken is logged in the cache at out->cache_path. Returns as
 * postfix_queue_job.
 */
int opensmtpd_job(const struct instance_def *def, const struct job_request *request,
	struct job_output *out, struct mt_error *reterr) MT_MUST_CHECK;

/* opensmtpd_check - backend_ops.check. */
int opensmtpd_check(
	const struct conf *conf, const struct instance_def *def, const struct check_report *report);

#endif
