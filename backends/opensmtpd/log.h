/* SPDX-License-Identifier: MIT */
/* opensmtpd/log - the parse slots of the opensmtpd family; see backend.h for their contract. */
#ifndef MT_BACKENDS_OPENSMTPD_LOG_H
#define MT_BACKENDS_OPENSMTPD_LOG_H

#include "backends/backend.h"
#include "store/base/timefmt.h"

#define OPENSMTPD_LINE_MAX_BYTES (64u << 10)

struct opensmtpd_log { /* parse state; private to log.c */
	struct timefmt stamps;
	int64_t last_utc_ms;
	char scratch[OPENSMTPD_LINE_MAX_BYTES]; /* of syslogline_read */
};

void opensmtpd_log_init(void *state, const struct parse_options *options);
void opensmtpd_log_now(void *state, int64_t now_utc_ms);
int opensmtpd_log_parse(void *state, struct str bytes, bool final, const struct event_sink *sink,
	size_t *ret_consumed);
int opensmtpd_log_looks_like(struct str head);

#endif
