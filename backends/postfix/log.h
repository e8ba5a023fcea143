/* SPDX-License-Identifier: MIT */
/* log - the parse slots of the postfix family; see backend.h for their contract. */
#ifndef MT_BACKENDS_POSTFIX_LOG_H
#define MT_BACKENDS_POSTFIX_LOG_H

#include "backends/backend.h"
#include "store/base/timefmt.h"

#define LOG_LINE_MAX_BYTES                                                                         \
	(64u << 10) /* syslog cuts at 8 KiB at the latest; the journal at 48 KiB */

struct postfix_log { /* parse state; private to log.c */
	struct timefmt stamps;
	int64_t last_utc_ms; /* of lines whose stamp can't be read */
	char scratch[LOG_LINE_MAX_BYTES]; /* of syslogline_read */
};

void postfix_log_init(void *state, const struct parse_options *options);
void postfix_log_now(void *state, int64_t now_utc_ms);
int postfix_log_parse(void *state, struct str bytes, bool final, const struct event_sink *sink,
	size_t *ret_consumed);
int postfix_log_looks_like(struct str head);

#endif
