/* SPDX-License-Identifier: MIT */
/* sendmail/check - what doctor says of a Sendmail: configuration, queues, what its LogLevel leaves out. */
#ifndef MT_BACKENDS_SENDMAIL_CHECK_H
#define MT_BACKENDS_SENDMAIL_CHECK_H

#include "backends/backend.h"

/* sendmail_check - backend_ops.check. */
int sendmail_check(
	const struct conf *conf, const struct instance_def *def, const struct check_report *report);

#endif
