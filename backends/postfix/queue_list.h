/* SPDX-License-Identifier: MIT */
/*
 * postfix/queue_list - a listing by postqueue(1), streamed into rows.
 *
 * Works from a loop (fds + step) and, blocking, from a job. Knows postqueue's ways of failing; does
 * not decide what follows from them.
 */
#ifndef MT_BACKENDS_POSTFIX_QUEUE_LIST_H
#define MT_BACKENDS_POSTFIX_QUEUE_LIST_H

#include "backends/postfix/queue_row.h"

#include <poll.h>

struct queue_list_stats {
	int64_t n[QUEUE__COUNT]; /* messages by queue; EVENT_UNKNOWN: not told apart */
	int64_t rows;
	int64_t oldest_ms; /* EVENT_UNKNOWN when there is none */
	size_t bad; /* lines that were no row, too long or cut short */
	bool direct; /* Postfix is down, postqueue read the spool itself (as root) */
};

struct queue_list_request {
	const struct postfix_config *config; /* borrowed for the listing's life */
	bool text; /* -p instead of -j */
	int64_t now_utc_ms;
	int64_t timeout_ms;
	/* row - called once for each message, also when it is listed in two queues while it moves; its views die with the call. Negative stops the listing. next_retry_ms and
	 * expires_ms are unknown yet; the sender <> is empty. */
	int (*row)(void *ctx, struct queue_row *row, struct mt_error *reterr);
	void *ctx;
};

struct queue_list;

/* queue_list_open - start postqueue. MT_ENOENT / MT_EPERM / MT_EIO. Gives *ret; end with queue_list_close. */
int queue_list_open(const struct queue_list_request *request, struct queue_list **ret,
	struct mt_error *reterr) MT_MUST_CHECK;
/* queue_list_fds - what to poll; returns the number filled. */
size_t queue_list_fds(const struct queue_list *l, struct pollfd *out, size_t max);
/*
 * queue_list_step - take what is ready, never blocks.
 * Returns 1 = goes on, 0 = complete, MT_ENOTSUP (no -j: ask for text), MT_EPERM (authorized_mailq_users), MT_ENET
 * (Postfix is down), MT_ECANCELED (time-out), MT_EPROTO (ended half-way), MT_ELIMIT, MT_EIO (postqueue's own words), or
 * what row returned.
 */
int queue_list_step(struct queue_list *l, struct mt_error *reterr) MT_MUST_CHECK;
/* queue_list_wait - blocking: step to the end. */
int queue_list_wait(struct queue_list *l, struct mt_error *reterr) MT_MUST_CHECK;
/* queue_list_stats - what was seen so far. Borrowed. */
const struct queue_list_stats *queue_list_stats(const struct queue_list *l);
/* queue_list_close - end the child if it runs, free. NULL accepted. */
void queue_list_close(struct queue_list *l);

#endif
