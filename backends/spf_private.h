/* SPDX-License-Identifier: MIT */
/* spf_private - what spf.c (evaluation), spf_term.c (syntax) and spf_macro.c (macros) share. */
#ifndef MT_BACKENDS_SPF_PRIVATE_H
#define MT_BACKENDS_SPF_PRIVATE_H

#include "backends/spf.h"

enum spf_kind {
	TERM_A,
	TERM_ALL,
	TERM_EXISTS,
	TERM_INCLUDE,
	TERM_IP4,
	TERM_IP6,
	TERM_MX,
	TERM_PTR,
	TERM_REDIRECT,
	TERM_EXP,
	TERM_OTHER /* a modifier nobody knows: ignored */
};

struct spf_term {
	enum spf_kind kind;
	char qualifier; /* + - ~ ? */
	struct str text; /* the whole term */
	struct str domain; /* domain-spec; absent: none */
	struct ip_address net; /* IP4, IP6 */
	unsigned bits4, bits6; /* of the prefix */
};

/* spf_next - the next term of a record's rest: 1, 0 at the end, MT_EINVAL with its text in out->text. */
int spf_next(struct str *rest, struct spf_term *out);

struct spf_eval {
	struct dns_view view;
	const struct spf_request *q;
	struct spf_result *out;
	bool walk; /* nothing matches */
	bool pending;
};

/* spf_look - an answer, its TTL taken in; NULL: pending is set. */
const struct dns_answer *spf_look(struct spf_eval *e, struct str name, enum dns_type type);
/* spf_validated - is a name of the client's, whose addresses hold the client's, domain or below it (RFC 7208 5.5)? Of
 * all names the one nearest to domain goes into best (may be NULL). */
bool spf_validated(struct spf_eval *e, struct str domain, struct buf *best);

/* spf_macro_valid - is that a macro-string (RFC 7208 7.1) whose letters may stand in a record? ret_end: offset behind the
 * last macro-expand, 0 none. */
bool spf_macro_valid(struct str s, size_t *ret_end);
/* spf_expand - domain-spec into a name, cut from the left to 253 bytes (7.3). Look at e->pending. */
void spf_expand(struct spf_eval *e, struct str spec, struct str domain, struct buf *out);

#endif
