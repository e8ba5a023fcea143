/* SPDX-License-Identifier: MIT */
/* sendmail/backend - the sendmail family's one line of registration. */
#include "backends/backend.h"
#include "backends/sendmail/check.h"
#include "backends/sendmail/discover.h"
#include "backends/sendmail/log.h"
#include "backends/sendmail/queue.h"
#include "backends/logsource.h"

extern const struct backend_ops sendmail_backend;

static const struct source_ops *const sources[] = {&logsource, &queuesource, NULL};

const struct backend_ops sendmail_backend = {
	.name = "sendmail",
	.summary = "Sendmail: its log, its queue and that of submissions",
	.keys = sendmail_keys,
	.nkeys = SENDMAIL_NKEYS,
	.caps = BACKEND_CAP_LOG | BACKEND_CAP_QUEUE,
	.parse_state_bytes = sizeof(struct sendmail_state),
	.parse_init = sendmail_log_init,
	.parse_now = log_lines_now,
	.parse = sendmail_log_parse,
	.looks_like = sendmail_log_looks_like,
	.discover = sendmail_discover,
	.sources = sources,
	.lister = &sendmail_lister,
	.check = sendmail_check,
};
