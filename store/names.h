/* SPDX-License-Identifier: MIT */
/*
 * names - what is checked of own addresses and domains in the DNS, and how it can end. Numbers are on disk: append only.
 */
#ifndef MT_STORE_NAMES_H
#define MT_STORE_NAMES_H

#include "store/base/str.h"

#include <stdint.h>

/* NAME(ID, word, what it is, what to do when it is bad) */
#define NAME_CHECK_LIST(X)                                                                         \
	X(DNSBL, "blocklist",                                                                      \
		"a DNS block list is asked for the address, after its own test entry has shown "   \
		"that it works and answers us",                                                    \
		"find what was sent (rejected and bounced mail, a stolen account), stop it, then " \
		"ask the list's operator to remove the address")                                   \
	X(PTR, "reverse name",                                                                     \
		"the address has a name (PTR) and that name leads back to the address; large "     \
		"mailbox providers refuse mail from addresses without",                            \
		"have the owner of the address range set the PTR record to the server's name, "    \
		"and give that name an A or AAAA record with the address")                         \
	X(HELO, "HELO name",                                                                       \
		"the name the server greets with leads to the address mail leaves from",           \
		"give the name an address record, or set smtp_helo_name (myhostname) to one that " \
		"has it")                                                                          \
	X(SPF, "SPF record",                                                                       \
		"the domain's SPF record is valid and needs no more than 10 DNS lookups "          \
		"(RFC 7208 4.6.4)",                                                                \
		"mend the record; over 10 lookups, replace includes and a/mx terms by ip4 and "    \
		"ip6 terms")                                                                       \
	X(SPF_RESULT, "SPF result",                                                                \
		"what a receiver gets when mail of the domain comes from the address",             \
		"add the address to the domain's SPF record, or send this domain's mail another "  \
		"way")                                                                             \
	X(DKIM, "DKIM key",                                                                        \
		"the public key of the selector is there and of use (RFC 6376, RFC 8301)",         \
		"publish the key the signer uses (its .txt file); RSA keys of 2048 bits")          \
	X(DMARC, "DMARC policy",                                                                   \
		"the domain's DMARC record, or that of the domain above it (RFC 7489)",            \
		"publish v=DMARC1; p=none; rua=mailto:... to begin with")                          \
	X(MX, "MX", "hosts that take the domain's mail, and that each has an address",             \
		"mend the MX records, or the address records of the host")                         \
	X(MTA_STS, "MTA-STS",                                                                      \
		"the record that announces a policy of TLS for mail to the domain (RFC 8461)",     \
		"mend the record: v=STSv1; id=...;")                                               \
	X(TLSRPT, "TLS reports", "where others send reports of TLS failures (RFC 8460)",           \
		"mend the record: v=TLSRPTv1; rua=mailto:...")                                     \
	X(DANE, "DANE",                                                                            \
		"TLSA records of the MX host, which count only when DNSSEC vouches for them and "  \
		"for the MX records (RFC 7672); that is taken from the resolver's AD bit",         \
		"sign the zones (DNSSEC), or take the TLSA records out; use a resolver that "      \
		"validates")
enum name_check {
#define NAME_CHECK_ENUM(id, word, what, todo) NAME_CHECK_##id,
	NAME_CHECK_LIST(NAME_CHECK_ENUM)
#undef NAME_CHECK_ENUM
		NAME_CHECK__COUNT
};

enum name_verdict {
	NAME_UNKNOWN, /* not looked at yet */
	NAME_OK,
	NAME_ABSENT, /* not published, and need not be */
	NAME_WARN,
	NAME_BAD,
	NAME_CANT, /* can't check: refused, no answer, a list that does not work */
	NAME_VERDICT__COUNT
};

struct name_result { /* texts hold strangers' bytes */
	enum name_check check;
	enum name_verdict verdict;
	struct str subject; /* an address or a domain */
	struct str
		detail; /* block list, DKIM selector, MX host, address of an SPF result; "" none */
	struct str text; /* what was found, a sentence */
	struct str record; /* the record itself; "" none */
	int64_t ttl_s; /* of what was found; NAME_TTL_UNKNOWN */
};

/* name_check_word, name_verdict_word - "blocklist", "can't check". name_check_what, name_check_todo - sentences. Static. */
const char *name_check_word(int check);
const char *name_check_what(int check);
const char *name_check_todo(int check);
const char *name_verdict_word(int verdict);

/* name_list_named - the block list a reply names, as a word that its zone has in it ("spamhaus"); NULL: none of those known.
 * Static. */
const char *name_list_named(struct str reply);

#define NAME_TTL_UNKNOWN (-1) /* nothing was found out, so nothing has a TTL */
#define NAME_RECORD_MAX_BYTES 2048 /* longer records are cut, and end in " ..." */

#endif
