/* SPDX-License-Identifier: MIT */
/* sendmail/log - the parse slots of the sendmail family; see backend.h for their contract. */
#ifndef MT_BACKENDS_SENDMAIL_LOG_H
#define MT_BACKENDS_SENDMAIL_LOG_H

#include "backends/sendmail/parse.h"

void sendmail_log_init(void *state, const struct parse_options *options);
int sendmail_log_parse(void *state, struct str bytes, bool final, const struct event_sink *sink,
	size_t *ret_consumed);
int sendmail_log_looks_like(struct str head);

#endif
