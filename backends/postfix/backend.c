/* SPDX-License-Identifier: MIT */
/* backend - the postfix family's one line of registration. */
#include "backends/backend.h"
#include "backends/logsource.h"
#include "backends/postfix/config.h"
#include "backends/postfix/log.h"
#include "backends/postfix/master.h"
#include "backends/postfix/queue.h"

extern const struct backend_ops postfix_backend;

static const struct source_ops *const sources[] = {&logsource, &postfix_queue_source, NULL};

const struct backend_ops postfix_backend = {
	.name = "postfix",
	.summary = "Postfix: its log, its queue, its actions",
	.keys = postfix_keys,
	.nkeys = POSTFIX_NKEYS,
	.caps = BACKEND_CAP_LOG | BACKEND_CAP_QUEUE | BACKEND_CAP_ACT | BACKEND_CAP_DETAIL,
	.parse_state_bytes = sizeof(struct log_lines),
	.parse_init = log_lines_init,
	.parse_now = log_lines_now,
	.parse = postfix_log_parse,
	.looks_like = postfix_log_looks_like,
	.discover = postfix_discover,
	.services = postfix_services,
	.sources = sources,
	.job = postfix_queue_job,
};
