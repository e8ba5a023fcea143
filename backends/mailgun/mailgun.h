/* SPDX-License-Identifier: MIT */
/* mailgun - the family's configuration, its jobs and checks. */
#ifndef MT_BACKENDS_MAILGUN_MAILGUN_H
#define MT_BACKENDS_MAILGUN_MAILGUN_H

#include "backends/backend.h"
#include "store/base/buf.h"

/* mailgun_base - the base URL of a section: base_url, else by region. Borrowed. */
const char *mailgun_base(const struct conf *conf, const char *section);
/* mailgun_check - see backend_ops.check. */
int mailgun_check(
	const struct conf *conf, const struct instance_def *def, const struct check_report *report);
/* mailgun_job - see backend_ops.job: JOB_DETAIL, JOB_UNSUPPRESS. */
int mailgun_job(const struct instance_def *def, const struct job_request *request,
	struct job_output *out, struct mt_error *reterr);
/* mailgun_replay - see backend_ops.replay_body. */
int mailgun_replay(struct str body, struct buf *out, struct mt_error *reterr);

#endif
