/* SPDX-License-Identifier: MIT */
/* exchange/backend - the exchange family's one line of registration. */
#include "backends/backend.h"
#include "backends/exchange/discover.h"
#include "backends/exchange/log.h"
#include "backends/exchange/source.h"

extern const struct backend_ops exchange_backend;

static const struct source_ops *const sources[] = {&exchange_source, NULL};

const struct backend_ops exchange_backend = {
	.name = "exchange",
	.summary = "Microsoft Exchange: its message tracking, protocol and connectivity logs",
	.keys = exchange_keys,
	.nkeys = EXCHANGE_NKEYS,
	.caps = BACKEND_CAP_LOG,
	.parse_state_bytes = sizeof(struct exchange_state),
	.parse_init = exchange_log_init,
	.parse = exchange_log_parse,
	.looks_like = exchange_log_looks_like,
	.discover = exchange_discover,
	.check = exchange_check,
	.sources = sources,
};
