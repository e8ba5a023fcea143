/* SPDX-License-Identifier: MIT */
/* backend - the postfix family's one line of registration. */
#include "backends/backend.h"
#include "backends/postfix/config.h"
#include "backends/postfix/log.h"
#include "backends/postfix/master.h"

extern const struct backend_ops postfix_backend;

const struct backend_ops postfix_backend = {
	.name = "postfix",
	.summary = "Postfix: its log, its queue, its actions",
	.keys = postfix_keys,
	.nkeys = POSTFIX_NKEYS,
	.caps = BACKEND_CAP_LOG,
	.parse_state_bytes = sizeof(struct postfix_log),
	.parse_init = postfix_log_init,
	.parse = postfix_log_parse,
	.looks_like = postfix_log_looks_like,
	.discover = postfix_discover,
	.services = postfix_services,
};
