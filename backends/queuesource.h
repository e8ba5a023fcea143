/* SPDX-License-Identifier: MIT */
/*
 * queuesource - the `queue` source of a family that lists its queue whole: when, at what cost, and into the cache.
 *
 * Depth and listing are of one pass. The next one comes no sooner than 50 times what the last took. A listing that
 * failed removes nothing from the cache; where none can be had, or only a log is known, the messages open by the log are
 * the queue, and said to be. Postfix, whose depth is counted without a listing, has a source of its own.
 */
#ifndef MT_BACKENDS_QUEUESOURCE_H
#define MT_BACKENDS_QUEUESOURCE_H

#include "backends/backend.h"

/* What one pass has seen. */
struct queue_pass {
	int (*give)(void *ctx, struct queue_row *row,
		struct mt_error *reterr); /* views die with the call */
	void *ctx;
	struct queue_depth
		depth; /* source and what is never told (EVENT_UNKNOWN) set by begin; counted by queue_pass_row */
	int64_t rows;
	size_t bad; /* entries that could not be understood */
	struct buf detail; /* words behind "12 listed in 3 ms" */
};
/* queue_pass_init - nothing seen, every queue 0, source as given. End with queue_pass_done. */
void queue_pass_init(struct queue_pass *p, enum queue_source source);
void queue_pass_done(struct queue_pass *p);
/* queue_pass_row - count a message and give it on. MT_ELIMIT from QUEUE_ROWS_MAX messages on. */
#define QUEUE_ROWS_MAX 2000000
int queue_pass_row(
	struct queue_pass *p, struct queue_row *row, struct mt_error *reterr) MT_MUST_CHECK;

/* How a family lists its queue. */
struct queue_lister {
	size_t state_bytes; /* zeroed before the first begin */
	/* begin - 0, MT_EPERM (may not), MT_ENOENT (no program), ... Also sets p->depth.source. */
	int (*begin)(void *state, const struct instance_def *def, const struct conf *conf,
		struct queue_pass *p, struct mt_error *reterr);
	/* step - a slice: STEP_AGAIN, STEP_WAIT (on fds), 0 complete, negative. */
	int (*step)(void *state, struct queue_pass *p, struct mt_error *reterr);
	size_t (*fds)(const void *state, struct pollfd *out, size_t max);
	/* end - after the last step, or a begin that failed. Twice does no harm. */
	void (*end)(void *state);
};

/* queuesource - for backend_ops.sources of a family with a lister; its section has the keys `queue` and `queue_interval`. */
extern const struct source_ops queuesource;

/* queue_list_now - a whole pass, blocking, for a job that checks what is still there. As step. */
int queue_list_now(const struct queue_lister *lister, const struct instance_def *def,
	const struct conf *conf,
	int (*give)(void *ctx, struct queue_row *row, struct mt_error *reterr), void *ctx,
	struct mt_error *reterr) MT_MUST_CHECK;

#endif
