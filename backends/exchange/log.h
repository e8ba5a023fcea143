/* SPDX-License-Identifier: MIT */
/* exchange/log - the parse slots of the exchange family; see backend.h for their contract. */
#ifndef MT_BACKENDS_EXCHANGE_LOG_H
#define MT_BACKENDS_EXCHANGE_LOG_H

#include "backends/exchange/parse.h"

void exchange_log_init(void *state, const struct parse_options *options);
int exchange_log_parse(void *state, struct str bytes, bool final, const struct event_sink *sink,
	size_t *ret_consumed);
int exchange_log_looks_like(struct str head);
/* exchange_line_time - UTC ms of the record that begins with this line; -1: it has no stamp. */
int64_t exchange_line_time(struct str line);

#endif
