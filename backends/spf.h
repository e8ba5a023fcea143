/* SPDX-License-Identifier: MIT */
/*
 * spf - Sender Policy Framework (RFC 7208): check_host() as a pure function over a view of the DNS, without the text of
 * an explanation (exp= is checked for its form alone).
 */
#ifndef MT_BACKENDS_SPF_H
#define MT_BACKENDS_SPF_H

#include "backends/dns.h"

#define SPF_LOOKUPS_MAX 10 /* RFC 7208 4.6.4 */
#define SPF_VOIDS_MAX 2
#define SPF_WALK_MAX 100 /* where counting ends: nobody needs to know how far over 10 */
#define SPF_WHY_BYTES 200

enum spf_code { /* RFC 7208 2.6 */
	SPF_NONE,
	SPF_NEUTRAL,
	SPF_PASS,
	SPF_FAIL,
	SPF_SOFTFAIL,
	SPF_TEMPERROR,
	SPF_PERMERROR,
	SPF__COUNT
};

struct ip_address {
	bool v6;
	unsigned char bytes[16]; /* 4 of IPv4 */
};

/* ip_read - "192.0.2.1", "2001:db8::1"; an IPv4-mapped IPv6 address is its IPv4 one. */
bool ip_read(struct str text, struct ip_address *ret);
/* ip_text - append. ip_reversed - append its labels in reverse order, as DNSBLs and PTR want them, without a zone. */
void ip_text(struct buf *out, const struct ip_address *ip);
void ip_reversed(struct buf *out, const struct ip_address *ip);
/* ip_public - an address the world can be sent mail from: not private, loopback, link-local, documentation (RFC 6890). */
bool ip_public(const struct ip_address *ip);

struct spf_request { /* borrowed */
	struct ip_address ip;
	struct str domain; /* whose record */
	struct str local; /* of the sender; empty: postmaster */
	struct str sender_domain, helo; /* for macros */
};

struct spf_result {
	enum spf_code code;
	unsigned lookups, voids; /* terms that ask the DNS; questions without an answer */
	bool more; /* a walk: an include or redirect hangs on the sender, so there may be more lookups */
	uint32_t ttl_s; /* the least of the answers used */
	char why[SPF_WHY_BYTES]; /* what made it so; holds strangers' bytes */
};

/* spf_check - false: the view still has to get an answer; run it again then. */
bool spf_check(struct dns_view view, const struct spf_request *q, struct spf_result *ret);
/*
 * spf_walk - the whole record as the worst sender has it evaluated: nothing matches, so that lookups are all there are
 * (to SPF_WALK_MAX). code: PERMERROR for what breaks it (syntax, a missing include, over SPF_LOOKUPS_MAX), TEMPERROR,
 * NONE, else NEUTRAL. Void lookups of terms that hang on the sender are not counted.
 */
bool spf_walk(struct dns_view view, struct str domain, struct spf_result *ret);
/* spf_word - "pass", as in RFC 8601 2.7.2. */
const char *spf_word(enum spf_code code);
/*
 * spf_record - the one SPF record among TXT records. false: there is none, or (*ret_many) more than one.
 */
bool spf_record(const struct dns_answer *txt, struct str *ret, bool *ret_many);

#endif
