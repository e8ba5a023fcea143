/* SPDX-License-Identifier: MIT */
/*
 * sockets_tool - what the sources of sockets see, as text for tests and the bench.
 *   sockets_tool list [proc]     one line a socket: family state local-port remote-port received acked rtt_us retransmits
 *   sockets_tool count [proc]    two walks, a line of standard input between them; then one line a port and one a peer
 *   sockets_tool net             bytes in and out of all interfaces but lo since the machine's start
 *   sockets_tool time N          N walks and their sums: microseconds of CPU for one
 */
#include "backends/hoststat.h"
#include "backends/sockstat.h"
#include "store/base/scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int walk(bool proc, sock_fn each, void *ctx)
{
	struct mt_error error = {0};
	int rc = proc ? procnet_walk("/proc/self/net", each, ctx, &error)
		      : sockdiag_walk(each, ctx, &error);

	if (rc < 0)
		fprintf(stderr, "%s\n", error.text);
	return rc;
}

static int print_one(void *ctx, const struct sock *s)
{
	(void)ctx;
	printf("%d %d %u %u %" PRIu64 " %" PRIu64 " %u %u\n", s->family, s->state, s->local_port,
		s->remote_port, s->bytes_received, s->bytes_sent, s->rtt_us, s->retransmits);
	return 0;
}

static int sample(struct sockstat *stat, bool proc, int64_t at_ms, struct socket_sample *out)
{
	struct mt_error error = {0};

	sockstat_begin(stat);
	if (walk(proc, sockstat_add, stat) < 0)
		return -1;
	return sockstat_end(stat, !proc, at_ms, out, &error);
}

static int count(bool proc)
{
	struct sockstat *stat = sockstat_new(NULL, 0);
	struct socket_sample s;
	int rc = sample(stat, proc, 0, &s);

	puts("ready");
	fflush(stdout);
	if (rc == 0 && getchar() == '\n')
		rc = sample(stat, proc, 1000, &s);
	for (size_t i = 0; rc == 0 && i < s.nports; i++) {
		const struct socket_port *p = &s.ports[i];

		printf("port %d %s %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64
		       " %" PRId64 " %" PRId64 " %" PRId64 "\n",
			p->port, p->outbound ? "out" : "in", p->established, p->opening, p->closing,
			p->opened, p->bytes_in, p->bytes_out, p->rtt_p50_us, p->rtt_p95_us);
	}
	for (size_t i = 0; rc == 0 && i < s.npeers; i++)
		printf("peer %d %s %.*s %" PRId64 " %" PRId64 " %" PRId64 "\n", s.peers[i].port,
			s.peers[i].outbound ? "out" : "in", STR_ARG(s.peers[i].peer),
			s.peers[i].connections, s.peers[i].bytes_in, s.peers[i].bytes_out);
	sockstat_free(stat);
	return rc < 0;
}

static int time_it(int n)
{
	struct sockstat *stat = sockstat_new(NULL, 0);
	struct socket_sample s;
	clock_t start;
	int rc = sample(stat, false, 0, &s);

	start = clock();
	for (int i = 0; rc == 0 && i < n; i++)
		rc = sample(stat, false, i + 1, &s);
	printf("%.0f\n", (double)(clock() - start) * 1e6 / CLOCKS_PER_SEC / n);
	sockstat_free(stat);
	return rc < 0;
}

static int net(void)
{
	char text[65536];
	FILE *f = fopen("/proc/self/net/dev", "r");
	size_t n = f ? fread(text, 1, sizeof(text), f) : 0;
	struct host_counters c;

	if (f)
		fclose(f);
	hoststat_clear(&c);
	hoststat_netdev(&c, (struct str){text, n});
	printf("%" PRId64 " %" PRId64 "\n", c.net_in, c.net_out);
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t n;
	bool proc = argc > 2 && strcmp(argv[2], "proc") == 0;

	if (argc > 1 && strcmp(argv[1], "list") == 0)
		return walk(proc, print_one, NULL) < 0;
	if (argc > 1 && strcmp(argv[1], "net") == 0)
		return net();
	if (argc > 1 && strcmp(argv[1], "count") == 0)
		return count(proc);
	if (argc > 2 && strcmp(argv[1], "time") == 0 && scan_all_u64(str_of(argv[2]), 100000, &n))
		return time_it((int)n);
	return 2;
}
