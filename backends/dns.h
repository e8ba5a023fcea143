/* SPDX-License-Identifier: MIT */
/*
 * dns - questions to the DNS that never wait: a table of answers with a resolver (c-ares) behind it.
 *
 * Who needs an answer looks it up; what is not known is asked for and there at a later look. So a check is a pure function
 * over a view: it is run again until nothing is missing (spf.h). Answers are kept for their TTL; each question has a
 * deadline, a bounded number is under way, and after DNS_DEAD_AFTER timeouts with no answer between them the resolver is
 * taken for dead until the next round.
 * A resolver that does not answer is followed by the next one; one that says SERVFAIL or REFUSED has answered.
 * The one file that includes ares.h is dns.c. What is asked goes to the system's resolvers, or to those configured.
 */
#ifndef MT_BACKENDS_DNS_H
#define MT_BACKENDS_DNS_H

#include "backends/dnsmsg.h"
#include "store/base/clock.h"

#include <poll.h>

#define DNS_DEADLINE_MS 6000 /* of a question, from when it is sent */
#define DNS_PARALLEL                                                                               \
	64 /* questions under way: what a resolver takes from one client without dropping */
#define DNS_ENTRIES_MAX 32768 /* 1,000 domains ask for 10,000 names and a few more each */
#define DNS_KEPT_MAX_BYTES (4u << 20)
#define DNS_DEAD_AFTER 32
#define DNS_FAILURE_TTL_S                                                                          \
	30 /* a failure is not asked again before (RFC 2308 7: at most 5 minutes) */

/* What a check sees of the DNS. look returns NULL while the answer is under way; else it is valid during the check. */
struct dns_view {
	const struct dns_answer *(*look)(void *ctx, struct str name, enum dns_type type);
	void *ctx;
};

struct dns;
struct dns_options {
	const char *servers; /* "192.0.2.1,192.0.2.2:5353"; NULL or "": the system's */
	int64_t deadline_ms; /* 0 = DNS_DEADLINE_MS */
	unsigned parallel; /* 0 = DNS_PARALLEL */
	const struct clock *clock; /* borrowed for life */
};
/* dns_new - gives *ret. MT_ECONFIG: servers can't be read; MT_ENOMEM. */
int dns_new(const struct dns_options *o, struct dns **ret, struct mt_error *reterr) MT_MUST_CHECK;
/* dns_free - what is under way is dropped. NULL accepted. */
void dns_free(struct dns *d);
/*
 * dns_round - a round of checks begins: answers whose TTL has ended are forgotten, those that are left, and all that
 * come, stay until the next round, so that all checks of a round see the same.
 */
void dns_round(struct dns *d);
/* dns_view - over this table; borrowed. */
struct dns_view dns_view(struct dns *d);
/* dns_step - send what waits, take what came, end what is over its deadline. Returns how many answers came. */
size_t dns_step(struct dns *d);
/* dns_fds - what to poll, at most max. dns_wait_ms - and how long at most; -1: nothing is under way. */
size_t dns_fds(const struct dns *d, struct pollfd *out, size_t max);
int64_t dns_wait_ms(const struct dns *d);
/* dns_wait - poll until something happens, at most max_ms: for commands, never for the collector. */
void dns_wait(const struct dns *d, int64_t max_ms);

#endif
