/* SPDX-License-Identifier: MIT */
/*
 * sockstat - TCP sockets into figures by port, direction and peer; what moved since the walk before, by the kernel's
 * cookie of each socket. Pure.
 *
 * In: the local port is one of ours that listens. Out: the remote port is one that mail goes to. Both ends of a
 * connection within this machine are sockets of their own and count each on its side. TIME_WAIT and CLOSE are over
 * and count as closing alone. Bytes of a connection that was opened and closed between two walks are not seen.
 */
#ifndef MT_BACKENDS_SOCKSTAT_H
#define MT_BACKENDS_SOCKSTAT_H

#include "backends/sockdiag.h"
#include "store/store_write.h"

#define SOCKSTAT_SOCKETS_MAX                                                                       \
	200000 /* 60 MB while a walk lasts; further ones are left out, and it is said */
#define SOCKSTAT_PEERS_MAX 50 /* of a port and direction, those with most connections */

struct sockstat;

/* sockstat_new - ports: those of our services (25, 465, 587 and 2525 are always among them). Gives. */
struct sockstat *sockstat_new(const int32_t *ports, size_t nports);
void sockstat_free(struct sockstat *s);
/* sockstat_begin - forget the sockets of a walk, keep what the one before had. */
void sockstat_begin(struct sockstat *s);
/* sockstat_add - a sock_fn; ctx is the struct sockstat. */
int sockstat_add(void *ctx, const struct sock *one);
/* sockstat_end - the figures of the walk. out borrows from s until the next begin. known: sockets have cookie and info
 * (netlink). now_mono_ms: of the walk. MT_ENOMEM. */
int sockstat_end(struct sockstat *s, bool known, int64_t now_mono_ms, struct socket_sample *out,
	struct mt_error *reterr) MT_MUST_CHECK;
/* sockstat_left_out - sockets beyond SOCKSTAT_SOCKETS_MAX in the last walk. */
size_t sockstat_left_out(const struct sockstat *s);

#endif
