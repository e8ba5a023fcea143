/* SPDX-License-Identifier: MIT */
/* exim/backend - the exim family's one line of registration. */
#include "backends/backend.h"
#include "backends/exim/discover.h"
#include "backends/exim/log.h"
#include "backends/exim/queue.h"
#include "backends/logsource.h"

extern const struct backend_ops exim_backend;

static const struct source_ops *const sources[] = {&logsource, &queuesource, NULL};

const struct backend_ops exim_backend = {
	.name = "exim",
	.summary = "Exim: its main log (or reject and panic log), its queue, its actions",
	.keys = exim_keys,
	.nkeys = EXIM_NKEYS,
	.caps = BACKEND_CAP_LOG | BACKEND_CAP_QUEUE | BACKEND_CAP_ACT | BACKEND_CAP_DETAIL,
	.parse_state_bytes = sizeof(struct log_lines),
	.parse_init = log_lines_init,
	.parse_now = log_lines_now,
	.parse = exim_log_parse,
	.looks_like = exim_log_looks_like,
	.discover = exim_discover,
	.sources = sources,
	.lister = &exim_lister,
	.check = exim_check,
	.job = exim_job,
};
