/* SPDX-License-Identifier: MIT */
/* opensmtpd/log - the parse slots of the opensmtpd family; see backend.h for their contract. */
#ifndef MT_BACKENDS_OPENSMTPD_LOG_H
#define MT_BACKENDS_OPENSMTPD_LOG_H

#include "backends/loglines.h"

int opensmtpd_log_parse(void *state, struct str bytes, bool final, const struct event_sink *sink,
	size_t *ret_consumed);
int opensmtpd_log_looks_like(struct str head);

#endif
