/* SPDX-License-Identifier: MIT */
/* opensmtpd/backend - the opensmtpd family's one line of registration. */
#include "backends/backend.h"
#include "backends/opensmtpd/discover.h"
#include "backends/opensmtpd/log.h"
#include "backends/opensmtpd/queue.h"
#include "backends/logsource.h"

extern const struct backend_ops opensmtpd_backend;

static const struct source_ops *const sources[] = {&logsource, &queuesource, NULL};

const struct backend_ops opensmtpd_backend = {
	.name = "opensmtpd",
	.summary = "OpenSMTPD: its log, its queue, its actions",
	.keys = opensmtpd_keys,
	.nkeys = OPENSMTPD_NKEYS,
	.caps = BACKEND_CAP_LOG | BACKEND_CAP_QUEUE | BACKEND_CAP_ACT,
	.parse_state_bytes = sizeof(struct log_lines),
	.parse_init = log_lines_init,
	.parse_now = log_lines_now,
	.parse = opensmtpd_log_parse,
	.looks_like = opensmtpd_log_looks_like,
	.discover = opensmtpd_discover,
	.sources = sources,
	.lister = &opensmtpd_lister,
	.check = opensmtpd_check,
	.job = opensmtpd_job,
};
