/* SPDX-License-Identifier: MIT */
/*
 * sockdiag - the TCP sockets of this network namespace: from the kernel by NETLINK_SOCK_DIAG with tcp_info (sock_diag(7)),
 * or, where that is not to be had, states alone from /proc/net/tcp and tcp6 (proc(5)). Neither needs rights.
 *
 * Decoding is pure and takes any bytes. Says what is there now; counting over time is sockets.c.
 */
#ifndef MT_BACKENDS_SOCKDIAG_H
#define MT_BACKENDS_SOCKDIAG_H

#include "store/base/err.h"
#include "store/base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct sock {
	int family; /* AF_INET, AF_INET6 */
	int state; /* TCP_ESTABLISHED ... as in netinet/tcp.h */
	uint16_t local_port, remote_port;
	unsigned char local[16], remote[16]; /* network order; the first 4 of AF_INET */
	uint64_t cookie; /* the kernel's own number of it; 0: none (a state without, or /proc) */
	bool has_info; /* the figures below are known */
	uint32_t rtt_us;
	uint64_t bytes_received,
		bytes_sent; /* payload since it was opened, once however often it was sent */
	uint32_t retransmits; /* segments since it was opened */
};

/* 0 to go on; negative ends the walk. */
typedef int (*sock_fn)(void *ctx, const struct sock *s);

/* sockdiag_walk - every TCP socket of both families. MT_ENOTSUP: no netlink here; MT_EIO; what each returned. */
int sockdiag_walk(sock_fn each, void *ctx, struct mt_error *reterr) MT_MUST_CHECK;
/* procnet_walk - the same from root/tcp and root/tcp6 ("/proc/net"); no socket has cookie or info. MT_EIO, MT_EPERM. */
int procnet_walk(const char *root, sock_fn each, void *ctx, struct mt_error *reterr) MT_MUST_CHECK;

/* sockdiag_decode - netlink messages as received. *ret_done: the dump is at its end. MT_EPROTO: not what sock_diag(7)
 * describes; MT_ENOTSUP, MT_EIO: an error message of the kernel's. */
int sockdiag_decode(struct str bytes, sock_fn each, void *ctx, bool *ret_done,
	struct mt_error *reterr) MT_MUST_CHECK;
/* procnet_line - one line of /proc/net/tcp or tcp6; false: it is none. */
bool procnet_line(struct str line, int family, struct sock *out);

#endif
