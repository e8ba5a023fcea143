/* SPDX-License-Identifier: MIT */
/* probe_plan - see probe_plan.h. */
#include "backends/probe_plan.h"

#include "backends/probe_conf.h"
#include "backends/sockdiag.h"
#include "store/base/mem.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTION "probe"
#define PORTS_MAX 64
#define ARENA_MAX_BYTES (1u << 20)

static const int own_ports[] = {25, PROBE_SUBMISSIONS_PORT, 587};
#define NOWN (sizeof(own_ports) / sizeof(own_ports[0]))

/* Where a port of ours listens. */
struct listener {
	bool there, by_loopback;
	char address[INET6_ADDRSTRLEN];
};

int probe_plan_one(const struct probe_plan *p, const char *host, int port, enum probe_role role,
	struct probe_round *round, struct mt_error *reterr)
{
	struct probe_memory memory;
	struct probe_ask ask = {.host = host,
		.port = port,
		.role = role,
		.implicit = port == PROBE_SUBMISSIONS_PORT,
		.relay_check = role == PROBE_OWN && conf_bool(p->conf, SECTION, NULL, "self_check"),
		.from_address = conf_text(p->conf, SECTION, NULL, "self_check_from")};

	ask.from_address = ask.relay_check ? ask.from_address : NULL;
	ask.lenient = !p->strict && p->store &&
		      store_probe_memory(p->store, str_of(host), port, &memory) &&
		      (memory.flags & PROBE_F_UNTRUSTED);
	return probe_round_add(round, &ask, reterr);
}

static int add_list(const struct probe_plan *p, const char *key, enum probe_role role,
	struct probe_round *round, struct mt_error *reterr)
{
	size_t n;
	const char *const *items = conf_list(p->conf, SECTION, NULL, key, &n);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		char *host = NULL;
		int port;

		rc = probe_parse_target(str_of(items[i]), OUTBOUND_PORT, &host, &port, reterr);
		if (rc == 0)
			rc = probe_plan_one(p, host, port, role, round, reterr);
		free(host);
	}
	return rc;
}

static bool all_zero(const unsigned char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes[i])
			return false;
	return true;
}

/* take_listener - by loopback where the socket takes that, else by the address it is bound to. */
static int take_listener(void *ctx, const struct sock *s)
{
	static const char *const loopback[] = {"127.0.0.1", "::1"};
	struct listener *all = ctx;
	char text[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < NOWN && s->state == TCP_LISTEN; i++) {
		size_t width =
			s->family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
		bool any = all_zero(s->local, width);

		if (s->local_port != own_ports[i] || all[i].by_loopback ||
			!inet_ntop(s->family, s->local, text, sizeof(text)))
			continue;
		all[i].there = true;
		all[i].by_loopback =
			any || strcmp(text, loopback[0]) == 0 || strcmp(text, loopback[1]) == 0;
		/* A socket of all IPv6 addresses takes IPv4 as well, unless told not to; Postfix binds both. */
		snprintf(all[i].address, sizeof(all[i].address), "%s", any ? loopback[0] : text);
	}
	return 0;
}

static void find_listeners(struct listener *all)
{
	struct mt_error ignored;

	if (sockdiag_walk(take_listener, all, &ignored) == MT_ENOTSUP)
		(void)!procnet_walk("/proc/self/net", take_listener, all, &ignored);
}

/* is_service - has the mail server a service on this port? Then it should listen. */
static bool is_service(const struct probe_plan *p, int port)
{
	int32_t ports[PORTS_MAX];
	size_t n = p->store ? store_ports(p->store, ports, PORTS_MAX) : 0;

	for (size_t i = 0; i < n; i++)
		if (ports[i] == port)
			return true;
	return false;
}

static int add_own(const struct probe_plan *p, struct probe_round *round, struct mt_error *reterr)
{
	struct listener found[NOWN] = {{.there = false}};
	size_t n;
	int rc = 0;

	(void)conf_list(p->conf, SECTION, NULL, "listeners", &n);
	if (n)
		return add_list(p, "listeners", PROBE_OWN, round, reterr);
	find_listeners(found);
	for (size_t i = 0; rc == 0 && i < NOWN; i++)
		if (found[i].there || is_service(p, own_ports[i]))
			rc = probe_plan_one(p, found[i].there ? found[i].address : "127.0.0.1",
				own_ports[i], PROBE_OWN, round, reterr);
	return rc;
}

int probe_plan_near(const struct probe_plan *p, struct probe_round *round, struct mt_error *reterr)
{
	int rc = add_own(p, round, reterr);

	if (rc == 0)
		rc = add_list(p, "relays", PROBE_RELAY, round, reterr);
	return rc < 0 ? rc : add_list(p, "targets", PROBE_ASKED, round, reterr);
}

int probe_plan_far(const struct probe_plan *p, int64_t now_ms, struct probe_round *round,
	struct mt_error *reterr)
{
	int64_t max = conf_int(p->conf, SECTION, NULL, "mx");
	struct arena arena;
	struct str *hosts;
	size_t n = 0;
	int rc;

	if (max == 0 || !p->store)
		return 0;
	arena_init(&arena, ARENA_MAX_BYTES);
	rc = store_busy_hosts(p->store, now_ms, (size_t)max, &arena, &hosts, &n, reterr);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		char *host = xmemdup(hosts[i].p, hosts[i].n);
		struct mt_error odd;

		/* A name of the log that is none is passed over. */
		(void)!probe_plan_one(p, host, OUTBOUND_PORT, PROBE_MX, round, &odd);
		free(host);
	}
	arena_done(&arena);
	return rc;
}
