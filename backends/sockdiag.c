/* SPDX-License-Identifier: MIT */
/* sockdiag - NETLINK_SOCK_DIAG; see sockdiag.h. */
#include "backends/sockdiag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECEIVE_BYTES                                                                              \
	(256 << 10) /* the kernel fills what it is given: fewer calls for many sockets */
#define RECEIVE_LIMIT_S 2 /* a dump is answered at once */
#define ALL_STATES 0xfffu

/* part - n bytes at offset of bytes as a struct; false: they are not all there. Bytes need not be aligned. */
static bool part(struct str bytes, size_t at, void *out, size_t n)
{
	if (at > bytes.n || bytes.n - at < n)
		return false;
	memcpy(out, bytes.p + at, n);
	return true;
}

/* has - did this kernel's tcp_info reach to the end of a field? Older ones are shorter. */
#define HAS(n, field)                                                                              \
	((n) >= offsetof(struct tcp_info, field) + sizeof(((struct tcp_info *)0)->field))

static void take_info(struct sock *s, struct str value)
{
	struct tcp_info info;
	size_t n = value.n < sizeof(info) ? value.n : sizeof(info);

	memset(&info, 0, sizeof(info));
	memcpy(&info, value.p, n);
	s->has_info = HAS(n, tcpi_bytes_received);
	s->rtt_us = info.tcpi_rtt;
	s->retransmits = info.tcpi_total_retrans;
	/* what was acknowledged counts SYN and FIN as a byte each: taken from kernels before 4.19 alone */
	s->bytes_sent = HAS(n, tcpi_bytes_retrans) ? info.tcpi_bytes_sent - info.tcpi_bytes_retrans
						   : info.tcpi_bytes_acked;
	s->bytes_received = info.tcpi_bytes_received;
}

static int take_socket(struct str body, sock_fn each, void *ctx, struct mt_error *reterr)
{
	struct inet_diag_msg m;
	struct sock s = {.cookie = 0};
	size_t at = NLMSG_ALIGN(sizeof(m));
	struct rtattr a;

	if (!part(body, 0, &m, sizeof(m)))
		return mt_error_set(reterr, MT_EPROTO, "a socket cut short");
	s.family = m.idiag_family;
	s.state = m.idiag_state;
	s.local_port = ntohs(m.id.idiag_sport);
	s.remote_port = ntohs(m.id.idiag_dport);
	s.cookie = (uint64_t)m.id.idiag_cookie[1] << 32 | m.id.idiag_cookie[0];
	memcpy(s.local, m.id.idiag_src, sizeof(s.local));
	memcpy(s.remote, m.id.idiag_dst, sizeof(s.remote));
	while (part(body, at, &a, sizeof(a))) {
		if (a.rta_len < sizeof(a) || a.rta_len > body.n - at)
			return mt_error_set(
				reterr, MT_EPROTO, "an attribute of %u bytes", a.rta_len);
		if (a.rta_type == INET_DIAG_INFO)
			take_info(&s, (struct str){body.p + at + sizeof(a), a.rta_len - sizeof(a)});
		at += RTA_ALIGN((size_t)a.rta_len);
	}
	return each(ctx, &s);
}

static int take_error(struct str body, struct mt_error *reterr)
{
	struct nlmsgerr e;

	if (!part(body, 0, &e, sizeof(e)))
		return mt_error_set(reterr, MT_EPROTO, "an error cut short");
	if (e.error == -ENOENT || e.error == -EOPNOTSUPP)
		return mt_error_set(reterr, MT_ENOTSUP, "the kernel has no inet_diag");
	return mt_error_sys(reterr, -e.error, "sock_diag");
}

int sockdiag_decode(
	struct str bytes, sock_fn each, void *ctx, bool *ret_done, struct mt_error *reterr)
{
	struct nlmsghdr h;
	size_t at = 0;
	int rc = 0;

	*ret_done = false;
	while (rc == 0 && !*ret_done && part(bytes, at, &h, sizeof(h))) {
		struct str body;

		if (h.nlmsg_len < NLMSG_HDRLEN || h.nlmsg_len > bytes.n - at)
			return mt_error_set(
				reterr, MT_EPROTO, "a message of %u bytes", h.nlmsg_len);
		body = (struct str){bytes.p + at + NLMSG_HDRLEN, h.nlmsg_len - NLMSG_HDRLEN};
		if (h.nlmsg_type == NLMSG_DONE)
			*ret_done = true;
		else if (h.nlmsg_type == NLMSG_ERROR)
			rc = take_error(body, reterr);
		else if (h.nlmsg_type == SOCK_DIAG_BY_FAMILY || h.nlmsg_type == TCPDIAG_GETSOCK)
			rc = take_socket(body, each, ctx, reterr);
		at += NLMSG_ALIGN((size_t)h.nlmsg_len);
	}
	return rc;
}

static int put(int fd, const void *request, size_t n, struct mt_error *reterr)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

	if (sendto(fd, request, n, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return mt_error_sys(reterr, errno, "sock_diag");
	return 0;
}

static int ask(int fd, int family, struct mt_error *reterr)
{
	struct {
		struct nlmsghdr h;
		struct inet_diag_req_v2 r;
	} request = {.h = {.nlmsg_len = sizeof(request),
			     .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			     .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.r = {.sdiag_family = (uint8_t)family,
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_ext = 1 << (INET_DIAG_INFO - 1),
			.idiag_states = ALL_STATES}};

	return put(fd, &request, sizeof(request), reterr);
}

/* The older request knows no family: both come in one walk over the kernel's table, which is a third of the work. */
static int ask_both(int fd, struct mt_error *reterr)
{
	struct {
		struct nlmsghdr h;
		struct inet_diag_req r;
	} request = {.h = {.nlmsg_len = sizeof(request),
			     .nlmsg_type = TCPDIAG_GETSOCK,
			     .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.r = {.idiag_family = AF_INET,
			.idiag_ext = 1 << (INET_DIAG_INFO - 1),
			.idiag_states = ALL_STATES}};

	return put(fd, &request, sizeof(request), reterr);
}

static int receive(int fd, char *room, sock_fn each, void *ctx, struct mt_error *reterr)
{
	bool done = false;
	int rc = 0;

	while (rc == 0 && !done) {
		ssize_t n = recv(fd, room, RECEIVE_BYTES, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return mt_error_sys(reterr, n < 0 ? errno : EIO, "sock_diag");
		rc = sockdiag_decode((struct str){room, (size_t)n}, each, ctx, &done, reterr);
	}
	return rc;
}

static int walk(int fd, char *room, sock_fn each, void *ctx, struct mt_error *reterr)
{
	static const int families[] = {AF_INET, AF_INET6};
	int rc = ask_both(fd, reterr);

	if (rc == 0)
		rc = receive(fd, room, each, ctx, reterr);
	if (rc != MT_ENOTSUP)
		return rc;
	rc = 0;
	for (size_t i = 0; rc == 0 && i < sizeof(families) / sizeof(families[0]); i++) {
		rc = ask(fd, families[i], reterr);
		if (rc == 0)
			rc = receive(fd, room, each, ctx, reterr);
	}
	return rc;
}

int sockdiag_walk(sock_fn each, void *ctx, struct mt_error *reterr)
{
	struct timeval limit = {.tv_sec = RECEIVE_LIMIT_S};
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	char *room;
	int rc;

	if (fd < 0)
		return mt_error_set(reterr, MT_ENOTSUP, "no NETLINK_SOCK_DIAG here");
	room = malloc(RECEIVE_BYTES);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	rc = room ? walk(fd, room, each, ctx, reterr)
		  : mt_error_set(reterr, MT_ENOMEM, "not enough memory for a list of sockets");
	free(room);
	close(fd);
	return rc;
}
