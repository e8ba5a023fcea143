/* SPDX-License-Identifier: MIT */
/* job - on demand: the time line of one message, and addresses off a suppression list. */
#ifndef MT_BACKENDS_SENDGRID_JOB_H
#define MT_BACKENDS_SENDGRID_JOB_H

#include "backends/backend.h"

/* sendgrid_job - backend_ops.job of the family: JOB_DETAIL, JOB_UNSUPPRESS. */
int sendgrid_job(const struct instance_def *def, const struct job_request *request,
	struct job_output *out, struct mt_error *reterr);

#endif
