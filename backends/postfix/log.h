/* SPDX-License-Identifier: MIT */
/* log - the parse slots of the postfix family; see backend.h for their contract. */
#ifndef MT_BACKENDS_POSTFIX_LOG_H
#define MT_BACKENDS_POSTFIX_LOG_H

#include "backends/loglines.h"

int postfix_log_parse(void *state, struct str bytes, bool final, const struct event_sink *sink,
	size_t *ret_consumed);
int postfix_log_looks_like(struct str head);

#endif
