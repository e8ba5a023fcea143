/* SPDX-License-Identifier: MIT */
/* exim/log - the parse slots of the exim family; see backend.h for their contract. */
#ifndef MT_BACKENDS_EXIM_LOG_H
#define MT_BACKENDS_EXIM_LOG_H

#include "backends/backend.h"
#include "store/base/timefmt.h"

#define EXIM_LINE_MAX_BYTES (64u << 10) /* Exim's own log lines end at LOG_BUFFER_SIZE, 8 KiB */

struct exim_log { /* parse state; private to log.c */
	struct timefmt stamps;
	int64_t last_utc_ms; /* of lines without a stamp */
	char scratch[EXIM_LINE_MAX_BYTES]; /* of syslogline_read */
};

void exim_log_init(void *state, const struct parse_options *options);
void exim_log_now(void *state, int64_t now_utc_ms);
int exim_log_parse(void *state, struct str bytes, bool final, const struct event_sink *sink,
	size_t *ret_consumed);
int exim_log_looks_like(struct str head);

#endif
