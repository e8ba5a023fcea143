/* SPDX-License-Identifier: MIT */
/*
 * queuelog - the listing of a queue that can't be read, made of the messages open by its log.
 *
 * What no line told stays unknown: mail that was queued before the log begins, recipients not tried
 * yet, maildrop and corrupt. Runs in slices.
 */
#ifndef MT_BACKENDS_QUEUELOG_H
#define MT_BACKENDS_QUEUELOG_H

#include "backends/backend.h"
#include "backends/postfix/config.h"

struct queue_log {
	bool running, listed; /* listed: offset, listed_mono_ms and rows are of the last listing */
	struct store_open_at at;
	int64_t offset; /* of the log, when the last listing began */
	int64_t listed_mono_ms; /* when it ended */
	struct queue_depth depth;
	int64_t rows;
};

/* queue_log_due - the log has moved since the last listing, or ages have. */
bool queue_log_due(const struct queue_log *l, const struct backend_env *env);
/*
 * queue_log_step - a slice. config (may be NULL) has the backoff times and lifetimes for the next try and the end of a
 * message. Returns 1 while there is more, 0 when depth and listing are written, or as store_queue_row.
 */
int queue_log_step(struct queue_log *l, const struct backend_env *env,
	const struct postfix_config *config, struct mt_error *reterr) MT_MUST_CHECK;

#endif
