/* SPDX-License-Identifier: MIT */
/*
 * dnsmsg - DNS messages (RFC 1035 4): a question into bytes, the bytes of an answer into records. Pure.
 *
 * Everything in an answer comes from strangers: each read is bounded, names are followed backwards only, aliases for
 * DNS_HOPS_MAX links. Names are held as text without a final dot; bytes of a label that are no letter, digit, '-' or '_'
 * stand as \DDD (RFC 1035 5.1), so that a dot in a label is no dot.
 */
#ifndef MT_BACKENDS_DNSMSG_H
#define MT_BACKENDS_DNSMSG_H

#include "store/base/arena.h"
#include "store/base/buf.h"

#include <stdint.h>

#define DNS_HOPS_MAX 8 /* links of a chain of CNAMEs: what resolvers follow, too */
#define DNS_RECORDS_MAX 128 /* of one answer; an address with more names is a trick */
#define DNS_DATA_MAX_BYTES                                                                         \
	16384 /* of one answer: twice what the largest real sets of TXT records have */
#define DNS_NAME_MAX_BYTES 255 /* on the wire, RFC 1035 2.3.4 */
#define DNS_TTL_MAX_S 86400
#define DNS_UDP_BYTES 1232 /* EDNS: fits one packet on every path (DNS Flag Day 2020) */

enum dns_type { /* RFC 1035 3.2.2, 3596, 6698 */
	DNS_A = 1,
	DNS_CNAME = 5,
	DNS_SOA = 6,
	DNS_PTR = 12,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_OPT = 41,
	DNS_TLSA = 52
};

enum dns_status {
	DNS_ANSWER, /* records */
	DNS_NODATA, /* the name is there, but not with this type */
	DNS_NXDOMAIN, /* RFC 8020: nor anything below it */
	DNS_SERVFAIL, /* the resolver could not find out; also a DNSSEC signature that is wrong */
	DNS_REFUSED, /* the server does not answer us */
	DNS_TIMEOUT, /* nothing came before the deadline */
	DNS_UNREACHABLE, /* no server could be asked */
	DNS_LOOP, /* aliases without end */
	DNS_BAD, /* what came is no answer by RFC 1035 */
	DNS_NONAME, /* not a name that can be asked */
	DNS_CROWD, /* too many questions at once: not asked */
	DNS_STATUS__COUNT
};

struct dns_rr {
	uint16_t preference; /* MX */
	struct str
		data; /* A, AAAA: 4 or 16 bytes; TXT: its strings joined; MX, PTR: a name; TLSA: as it came */
};

struct dns_answer {
	enum dns_status status;
	bool authentic; /* the resolver says that DNSSEC vouches for it (AD, RFC 4035 3.2.3) */
	bool cut; /* there was more than DNS_RECORDS_MAX, DNS_DATA_MAX_BYTES */
	uint32_t
		ttl_s; /* the least of the records and aliases; of a negative answer by RFC 2308 5 */
	size_t n;
	const struct dns_rr *rr; /* in the order they came */
};

/* dns_failed - nothing is known by this answer, neither yes nor no. */
bool dns_failed(const struct dns_answer *a);
/* dns_status_words - "no such name", "timed out"; static. */
const char *dns_status_words(enum dns_status status);

/*
 * dnsmsg_question - append a query: recursion desired, AD wanted (RFC 6840 5.7), EDNS with DNS_UDP_BYTES.
 * name   text, see above; a final dot is allowed.
 * Returns 0 or MT_EINVAL: empty or too long a label or name, a backslash without \DDD.
 */
int dnsmsg_question(struct buf *out, struct str name, enum dns_type type, uint16_t id);
/*
 * dnsmsg_read - an answer to (name, type). Records of other names and types are left out, aliases followed.
 * ret_alias   the name to ask for next, when the chain ends in one that the message says nothing of; else absent.
 * All that *out points to is in a. Never fails: what is no answer is DNS_BAD.
 */
void dnsmsg_read(struct str message, struct str name, enum dns_type type, struct arena *a,
	struct dns_answer *out, struct str *ret_alias);
/* dns_name_equal - without case, a final dot aside. */
bool dns_name_equal(struct str a, struct str b);
/* dns_name_within - is name domain, or below it? */
bool dns_name_within(struct str name, struct str domain);

#endif
