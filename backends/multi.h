/* SPDX-License-Identifier: MIT */
/*
 * multi - libcurl's multi handle inside somebody's poll loop: curl_multi_socket_action over the sockets it names. What they
 * wait for is in a small table; step asks poll(2) with no time itself, so no caller has to hand results down.
 */
#ifndef MT_BACKENDS_MULTI_H
#define MT_BACKENDS_MULTI_H

#include "store/base/clock.h"
#include "store/base/err.h"

#include <curl/curl.h>
#include <poll.h>
#include <stddef.h>

#define MULTI_SOCKETS_MAX 64 /* connections, and the resolver's wake-up */

struct multi {
	CURLM *handle; /* owned */
	const struct clock *clock; /* borrowed */
	int64_t timer_ms; /* mono; -1 none */
	struct pollfd sockets[MULTI_SOCKETS_MAX];
	size_t nsockets;
};

/* multi_init - connections: open at once and kept at most. The struct must not move until multi_done, which accepts what
 * failed. MT_ENOMEM. */
int multi_init(struct multi *m, const struct clock *clock, unsigned connections,
	struct mt_error *reterr) MT_MUST_CHECK;
void multi_done(struct multi *m);
/* multi_step - let libcurl work on what is ready; then read curl_multi_info_read. */
void multi_step(struct multi *m);
/* multi_fds - what to poll for; returns how many. multi_wait_ms - until step is due, -1: only when a socket says so. */
size_t multi_fds(const struct multi *m, struct pollfd *out, size_t max);
int64_t multi_wait_ms(const struct multi *m);

#endif
