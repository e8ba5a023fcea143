/* SPDX-License-Identifier: MIT */
/* exim/log - the parse slots of the exim family; see backend.h for their contract. */
#ifndef MT_BACKENDS_EXIM_LOG_H
#define MT_BACKENDS_EXIM_LOG_H

#include "backends/loglines.h"

int exim_log_parse(void *state, struct str bytes, bool final, const struct event_sink *sink,
	size_t *ret_consumed);
int exim_log_looks_like(struct str head);

#endif
