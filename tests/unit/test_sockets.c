/* SPDX-License-Identifier: MIT */
/*
 * test_sockets - the kernel's answers decoded, whatever the bytes; sockets into figures; samples in the cache and read
 * back. Against real sockets: tests/e2e/test_sockets.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backends/sockstat.h"
#include "store/store_read.h"
#include "tests/unit/store_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <string.h>
#include <sys/socket.h>

#define ESTABLISHED 1
#define SYN_SENT 2
#define TIME_WAIT 6
#define LISTEN 10

/* --- decoding --- */

struct answer {
	_Alignas(8) char bytes[4096];
	size_t n;
};

static void add_socket(struct answer *a, unsigned port, const struct tcp_info *info, size_t info_n)
{
	struct nlmsghdr h = {.nlmsg_type = SOCK_DIAG_BY_FAMILY};
	struct inet_diag_msg m = {.idiag_family = AF_INET, .idiag_state = ESTABLISHED};
	struct rtattr r = {.rta_type = INET_DIAG_INFO};
	size_t at = a->n + NLMSG_HDRLEN;

	m.id.idiag_sport = htons((uint16_t)port);
	m.id.idiag_dport = htons(50000);
	m.id.idiag_cookie[0] = port;
	memcpy(a->bytes + at, &m, sizeof(m));
	at += NLMSG_ALIGN(sizeof(m));
	r.rta_len = (unsigned short)(sizeof(r) + info_n);
	memcpy(a->bytes + at, &r, sizeof(r));
	memcpy(a->bytes + at + sizeof(r), info, info_n);
	at += RTA_ALIGN(r.rta_len);
	h.nlmsg_len = (uint32_t)(at - a->n);
	memcpy(a->bytes + a->n, &h, sizeof(h));
	a->n = at;
}

static void add_end(struct answer *a, int type, int error)
{
	struct nlmsghdr h = {.nlmsg_type = (uint16_t)type};
	struct nlmsgerr e = {.error = error};

	h.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + sizeof(e));
	memcpy(a->bytes + a->n, &h, sizeof(h));
	memcpy(a->bytes + a->n + NLMSG_HDRLEN, &e, sizeof(e));
	a->n += NLMSG_ALIGN(h.nlmsg_len);
}

struct seen {
	struct sock all[8];
	size_t n;
};

static int see(void *ctx, const struct sock *s)
{
	struct seen *seen = ctx;

	if (seen->n < 8)
		seen->all[seen->n++] = *s;
	return 0;
}

static void test_decode(void **state)
{
	struct tcp_info info = {.tcpi_rtt = 1234, .tcpi_total_retrans = 5};
	struct answer a = {.n = 0};
	struct seen seen = {.n = 0};
	bool done;

	(void)state;
	info.tcpi_bytes_acked = 99;
	info.tcpi_bytes_sent = (UINT64_C(1) << 40) + 5;
	info.tcpi_bytes_retrans = 5;
	info.tcpi_bytes_received = 77;
	add_socket(&a, 25, &info, sizeof(info));
	add_socket(
		&a, 587, &info, offsetof(struct tcp_info, tcpi_bytes_received)); /* an old kernel */
	add_socket(&a, 465, &info, offsetof(struct tcp_info, tcpi_bytes_sent)); /* before 4.19 */
	assert_int_equal(sockdiag_decode((struct str){a.bytes, a.n}, see, &seen, &done, NULL), 0);
	assert_false(done);
	add_end(&a, NLMSG_DONE, 0);
	seen.n = 0;
	assert_int_equal(sockdiag_decode((struct str){a.bytes, a.n}, see, &seen, &done, NULL), 0);
	assert_true(done);
	assert_int_equal(seen.n, 3);
	assert_int_equal(seen.all[0].local_port, 25);
	assert_int_equal(seen.all[0].cookie, 25);
	assert_true(seen.all[0].has_info);
	assert_int_equal(seen.all[0].rtt_us, 1234);
	assert_int_equal(seen.all[0].retransmits, 5);
	assert_true(seen.all[0].bytes_sent == UINT64_C(1) << 40);
	assert_int_equal(seen.all[0].bytes_received, 77);
	assert_false(seen.all[1].has_info);
	assert_true(seen.all[2].has_info);
	assert_int_equal(seen.all[2].bytes_sent, 99);
}

static void test_decode_errors(void **state)
{
	struct answer a = {.n = 0};
	struct seen seen = {.n = 0};
	bool done;

	(void)state;
	add_end(&a, NLMSG_ERROR, -ENOENT);
	assert_int_equal(
		sockdiag_decode((struct str){a.bytes, a.n}, see, &seen, &done, NULL), MT_ENOTSUP);
	a.n = 0;
	add_end(&a, NLMSG_ERROR, -EPERM);
	assert_int_equal(
		sockdiag_decode((struct str){a.bytes, a.n}, see, &seen, &done, NULL), MT_EPERM);
}

/* Every cut and every changed byte: told or taken, never read past the end (the bytes lie in a buffer of their size). */
static void test_decode_hostile(void **state)
{
	struct tcp_info info = {.tcpi_rtt = 1};
	struct answer a = {.n = 0};
	struct seen seen = {.n = 0};
	bool done;

	(void)state;
	add_socket(&a, 25, &info, sizeof(info));
	add_end(&a, NLMSG_DONE, 0);
	for (size_t n = 0; n <= a.n; n++) {
		for (int value = 0; value < 256; value += 51) {
			char *copy = malloc(n + 1);

			memcpy(copy, a.bytes, n);
			if (n)
				copy[n - 1] = (char)value;
			(void)!sockdiag_decode((struct str){copy, n}, see, &seen, &done, NULL);
			free(copy);
			seen.n = 0;
		}
	}
}

static void test_proc_lines(void **state)
{
	static const char *const refused[] = {"", "  sl  local_address rem_address   st",
		"0:", "   0: 0100007F:0019", "   0: 0100007F:0019 0100007F:C350 0",
		"   0: 0100007G:0019 0100007F:C350 01", "   0: 0100007F-0019 0100007F:C350 01"};
	struct sock s;

	(void)state;
	assert_true(
		procnet_line(STR_LIT("   3: 0100007F:0019 0100007F:C350 01 00000000:00000000 00:"),
			AF_INET, &s));
	assert_int_equal(s.local_port, 25);
	assert_int_equal(s.remote_port, 50000);
	assert_int_equal(s.state, ESTABLISHED);
	assert_memory_equal(s.remote, "\x7f\0\0\x01", 4);
	assert_int_equal(s.cookie, 0);
	assert_false(s.has_info);
	assert_true(procnet_line(STR_LIT("12: 00000000000000000000000000000000:024B "
					 "00000000000000000000000000000000:0000 0A 0"),
		AF_INET6, &s));
	assert_int_equal(s.local_port, 587);
	assert_int_equal(s.state, LISTEN);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		assert_false(procnet_line(str_of(refused[i]), AF_INET, &s));
}

/* --- figures --- */

static struct sock a_sock(int state, int local, int remote, unsigned char host, uint64_t cookie)
{
	return (struct sock){.family = AF_INET,
		.state = state,
		.local_port = (uint16_t)local,
		.remote_port = (uint16_t)remote,
		.remote = {192, 0, 2, host},
		.cookie = cookie,
		.has_info = true,
		.rtt_us = host * 100u};
}

/* The row of a port; one of port 0 when there is none. */
static const struct socket_port *find_port(const struct socket_sample *s, int port, bool outbound)
{
	static const struct socket_port none = {.port = 0};

	for (size_t i = 0; i < s->nports; i++)
		if (s->ports[i].port == port && s->ports[i].outbound == outbound)
			return &s->ports[i];
	return &none;
}

static void test_figures(void **state)
{
	static const int32_t ports[] = {25, 10025};
	struct sockstat *stat = sockstat_new(ports, 2);
	struct sock in = a_sock(ESTABLISHED, 25, 40000, 1, 11),
		    out = a_sock(ESTABLISHED, 40001, 25, 2, 12);
	struct sock listen = a_sock(LISTEN, 25, 0, 0, 1),
		    other = a_sock(ESTABLISHED, 22, 50000, 3, 13);
	struct sock syn = a_sock(SYN_SENT, 40002, 587, 4, 14),
		    waits = a_sock(TIME_WAIT, 25, 40003, 5, 0);
	struct socket_sample s;
	const struct socket_port *p;

	(void)state;
	in.bytes_received = 1000;
	in.bytes_sent = 50;
	for (int round = 0; round < 2; round++) {
		sockstat_begin(stat);
		sockstat_add(stat, &in);
		sockstat_add(stat, &listen);
		sockstat_add(stat, &out);
		sockstat_add(stat, &other);
		sockstat_add(stat, &syn);
		sockstat_add(stat, &waits);
		if (round) {
			struct sock more = a_sock(ESTABLISHED, 25, 40004, 1, 15);

			more.bytes_received = 7;
			sockstat_add(stat, &more);
		}
		assert_int_equal(sockstat_end(stat, true, 1000 + round * 2000, &s, NULL), 0);
		in.bytes_received = 1500;
		in.bytes_sent = 40; /* less than before: a reused number, never 2^64 bytes */
		in.retransmits = 3;
	}
	assert_int_equal(s.interval_ms, 2000);
	p = find_port(&s, 25, false);
	assert_int_not_equal(p->port, 0);
	assert_int_equal(p->established, 2);
	assert_int_equal(p->closing, 1);
	assert_int_equal(p->opened, 1);
	assert_int_equal(p->bytes_in, 507);
	assert_int_equal(p->bytes_out, 0);
	assert_int_equal(p->retransmits, 3);
	p = find_port(&s, 25, true);
	assert_int_not_equal(p->port, 0);
	assert_int_equal(p->established, 1);
	assert_int_equal(p->rtt_p50_us, 200);
	p = find_port(&s, 587, true);
	assert_int_not_equal(p->port, 0);
	assert_int_equal(p->opening, 1);
	assert_int_equal(p->rtt_p50_us, EVENT_UNKNOWN); /* not connected yet */
	assert_int_equal(find_port(&s, 22, false)->port, 0);
	assert_int_equal(
		find_port(&s, 10025, false)->port, 0); /* nobody listens, nobody is connected */
	assert_int_equal(s.npeers, 2);
	assert_true(str_eq(s.peers[0].peer, STR_LIT("192.0.2.1")));
	assert_int_equal(s.peers[0].connections, 2);
	assert_int_equal(s.peers[0].bytes_in, 507);
	sockstat_free(stat);
}

/* The first walk has nothing to compare with; states alone never have. */
static void test_unknown(void **state)
{
	struct sockstat *stat = sockstat_new(NULL, 0);
	struct sock in = a_sock(ESTABLISHED, 25, 40000, 1, 11),
		    listen = a_sock(LISTEN, 587, 0, 0, 1);
	struct socket_sample s;

	(void)state;
	for (int known = 1; known >= 0; known--) {
		sockstat_begin(stat);
		in.has_info = known;
		in.cookie = known ? 11 : 0;
		sockstat_add(stat, &in);
		sockstat_add(stat, &listen);
		assert_int_equal(sockstat_end(stat, known, 1000, &s, NULL), 0);
		assert_int_equal(s.source, known ? SOCKETS_NETLINK : SOCKETS_PROC);
		assert_int_equal(s.interval_ms, EVENT_UNKNOWN);
		assert_int_equal(find_port(&s, 25, false)->established, 1);
		assert_int_equal(find_port(&s, 25, false)->opened, EVENT_UNKNOWN);
		assert_int_equal(find_port(&s, 25, false)->bytes_in, EVENT_UNKNOWN);
		assert_int_equal(find_port(&s, 587, false)->established, 0); /* it listens: known */
		assert_int_equal(find_port(&s, 587, false)->opened, EVENT_UNKNOWN);
	}
	sockstat_free(stat);
}

/* Peers: the busiest, and no more than SOCKSTAT_PEERS_MAX of a port. An IPv4 peer of an IPv6 socket is the same peer. */
static void test_peers(void **state)
{
	struct sockstat *stat = sockstat_new(NULL, 0);
	struct sock mapped = a_sock(ESTABLISHED, 25, 40000, 9, 900);
	struct socket_sample s;

	(void)state;
	sockstat_begin(stat);
	for (int i = 0; i < 200; i++) {
		struct sock one =
			a_sock(ESTABLISHED, 25, 30000 + i, (unsigned char)i, (uint64_t)i + 1);

		sockstat_add(stat, &one);
	}
	mapped.family = AF_INET6;
	memcpy(mapped.remote, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\x02\x09", 16);
	sockstat_add(stat, &mapped);
	assert_int_equal(sockstat_end(stat, true, 1, &s, NULL), 0);
	assert_int_equal(s.npeers, SOCKSTAT_PEERS_MAX);
	assert_true(str_eq(s.peers[0].peer, STR_LIT("192.0.2.9")));
	assert_int_equal(s.peers[0].connections, 2);
	sockstat_free(stat);
}

static struct sock from_v6(unsigned char last, uint64_t cookie)
{
	struct sock one = a_sock(ESTABLISHED, 25, (int)(30000 + cookie), 0, cookie);

	one.family = AF_INET6;
	memcpy(one.remote, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0", 15);
	one.remote[15] = last;
	return one;
}

/* Neighbours of one network, one after the other in the kernel's order: each is a peer of its own. */
static void test_peers_of_one_network(void **state)
{
	struct sockstat *stat = sockstat_new(NULL, 0);
	struct socket_sample s;

	(void)state;
	sockstat_begin(stat);
	for (int i = 0; i < 30; i++) {
		struct sock one = from_v6((unsigned char)(1 + i % 3), (uint64_t)i + 1);

		sockstat_add(stat, &one);
	}
	assert_int_equal(sockstat_end(stat, true, 1, &s, NULL), 0);
	assert_int_equal(s.npeers, 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(s.peers[i].connections, 10);
	sockstat_free(stat);
}

/* A socket is the same one wherever in the next walk it comes. */
static void test_walks_in_any_order(void **state)
{
	static const int orders[][6] = {
		{1, 2, 3, 4, 5, 6}, {6, 5, 4, 3, 2, 1}, {2, 4, 6, 7, 1, 0}, {1, 7, 8, 2, 0, 0}};
	static const int opened[] = {0, 0, 1, 1};
	struct sockstat *stat = sockstat_new(NULL, 0);
	struct socket_sample s;

	(void)state;
	for (int round = 0; round < 4; round++) {
		sockstat_begin(stat);
		for (int i = 0; i < 6 && orders[round][i]; i++) {
			struct sock one = a_sock(ESTABLISHED, 25, 40000 + orders[round][i], 1,
				(uint64_t)orders[round][i]);

			one.bytes_received = (uint64_t)(100 * round + 7); /* 100 since the last */
			sockstat_add(stat, &one);
		}
		assert_int_equal(sockstat_end(stat, true, 1 + round, &s, NULL), 0);
		if (round == 0)
			continue;
		assert_int_equal(find_port(&s, 25, false)->opened, opened[round]);
		/* new ones bring all they ever had */
		assert_int_equal(find_port(&s, 25, false)->bytes_in, (round == 1) ? 600
								     : (round == 2)
									     ? 400 + 207
									     : 200 + 307 + 100);
	}
	sockstat_free(stat);
}

/* --- in the cache --- */

static void put_sample(struct fixture *f, int64_t interval_ms, int64_t established, int64_t moved)
{
	struct mt_error error = {0};
	struct socket_port port = {.port = 25,
		.established = established,
		.opened = moved,
		.bytes_in = moved * 100,
		.bytes_out = moved,
		.retransmits = 0,
		.rtt_p50_us = 300,
		.rtt_p95_us = 900};
	struct socket_peer peer = {
		.port = 25, .peer = STR_LIT("192.0.2.1"), .connections = 1, .rtt_us = 5};
	struct socket_sample s = {.source = SOCKETS_NETLINK,
		.interval_ms = interval_ms,
		.ports = &port,
		.nports = 1,
		.peers = &peer,
		.npeers = 1};

	must(store_sockets(f->store, f->provider, &s, &error), &error, "sockets");
}

static struct socket_row *read_one(struct fixture *f, struct arena *a, int64_t t0_ms, int64_t t1_ms)
{
	struct query q = {.t0_ms = t0_ms, .t1_ms = t1_ms};
	struct mt_error error = {0};
	struct socket_row *rows;
	struct reader *r;
	size_t n;

	must(reader_open(f->path, &r, &error), &error, "open");
	must(reader_begin(r, &error), &error, "begin");
	must(read_sockets(r, &q, a, &rows, &n, &error), &error, "read");
	reader_end(r);
	reader_close(r);
	return n == 1 ? rows : NULL;
}

static void test_cache(void **state)
{
	struct fixture f;
	struct socket_row *row;
	struct arena a;
	int64_t t_ms;

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	arena_init(&a, 1 << 20);
	t_ms = f.clock.fake_utc_ms;
	put_sample(&f, EVENT_UNKNOWN, 3, EVENT_UNKNOWN);
	row = read_one(&f, &a, t_ms - 60000, t_ms + 1);
	assert_non_null(row);
	assert_int_equal(row->established, 3);
	assert_int_equal(row->in_per_s, EVENT_UNKNOWN);
	assert_int_equal(row->bytes_in, EVENT_UNKNOWN);
	clock_advance(&f.clock, 5000);
	put_sample(&f, 5000, 4, 10);
	clock_advance(&f.clock, 5000);
	put_sample(&f, 5000, 2, 20);
	row = read_one(&f, &a, t_ms - 60000, t_ms + 60000);
	assert_non_null(row);
	assert_int_equal(row->established, 2);
	assert_int_equal(row->opened_per_min, 240);
	assert_int_equal(row->in_per_s, 400);
	assert_int_equal(row->out_per_s, 4);
	assert_int_equal(row->opened, 30);
	assert_int_equal(row->bytes_in, 3000);
	assert_int_equal(row->established_max, 4);
	assert_int_equal(row->covered_ms, 10000);
	assert_int_equal(row->rtt_p95_us, 900);
	/* a window that ended long before: what is now is not of it */
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM socket_minute"), 1);
	row = read_one(&f, &a, t_ms - 7200000, t_ms - 3600000);
	assert_non_null(row);
	assert_int_equal(row->established, EVENT_UNKNOWN);
	assert_int_equal(row->bytes_in, EVENT_UNKNOWN);
	arena_done(&a);
	fixture_end(&f);
}

/* A server where nothing moves is not written every few seconds. */
static void test_quiet(void **state)
{
	struct fixture f;
	int64_t first_ms;

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	put_sample(&f, 5000, 0, 0);
	first_ms = sql_int(&f, "SELECT t_ms FROM socket_port");
	clock_advance(&f.clock, 5000);
	put_sample(&f, 5000, 0, 0);
	assert_int_equal(sql_int(&f, "SELECT t_ms FROM socket_port"), first_ms);
	clock_advance(&f.clock, 30000);
	put_sample(&f, 5000, 0, 0);
	assert_int_equal(sql_int(&f, "SELECT t_ms FROM socket_port"), first_ms + 35000);
	clock_advance(&f.clock, 5000);
	put_sample(&f, 5000, 1, 1);
	assert_int_equal(sql_int(&f, "SELECT established FROM socket_port"), 1);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_decode_errors),
		cmocka_unit_test(test_decode_hostile),
		cmocka_unit_test(test_proc_lines),
		cmocka_unit_test(test_figures),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_peers),
		cmocka_unit_test(test_peers_of_one_network),
		cmocka_unit_test(test_walks_in_any_order),
		cmocka_unit_test(test_cache),
		cmocka_unit_test(test_quiet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
