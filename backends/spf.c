/* SPDX-License-Identifier: MIT */
/* spf - see spf.h. */
#include "backends/spf_private.h"

#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 12 /* includes and redirects of each other: the lookups end it before */
#define MX_MAX 10 /* RFC 7208 4.6.4 */
#define PTR_MAX 10
#define NAME_BYTES 4096 /* while macros are expanded */
#define RECORD_TERMS_MAX 1000

static enum spf_code check_host(struct spf_eval *e, struct str domain, unsigned depth);

const char *spf_word(enum spf_code code)
{
	static const char *const words[SPF__COUNT] = {
		"none", "neutral", "pass", "fail", "softfail", "temperror", "permerror"};

	return (unsigned)code < SPF__COUNT ? words[code] : "?";
}

/* why - keeps the first and innermost reason of an error; of a result, the term. */
static enum spf_code why(struct spf_eval *e, enum spf_code code, struct str what, const char *words)
{
	if (code == SPF_TEMPERROR || code == SPF_PERMERROR)
		if (e->out->why[0])
			return code;
	snprintf(e->out->why, sizeof(e->out->why), "%.*s%s%s", (int)(what.n < 120 ? what.n : 120),
		what.n ? what.p : "", what.n && words[0] ? ": " : "", words);
	return code;
}

const struct dns_answer *spf_look(struct spf_eval *e, struct str name, enum dns_type type)
{
	const struct dns_answer *a = e->view.look(e->view.ctx, name, type);

	if (!a) {
		e->pending = true;
		return NULL;
	}
	if (!dns_failed(a) && a->ttl_s < e->out->ttl_s)
		e->out->ttl_s = a->ttl_s;
	return a;
}

static enum dns_type address_type(const struct spf_eval *e)
{
	return e->q->ip.v6 ? DNS_AAAA : DNS_A;
}

/* is_void - a name that can't be asked is a name that does not exist (RFC 7208 4.8, errata 5550). */
static bool is_void(const struct dns_answer *a)
{
	return a->status == DNS_NXDOMAIN || a->status == DNS_NODATA || a->status == DNS_NONAME;
}

static bool temp(const struct dns_answer *a)
{
	return dns_failed(a) && a->status != DNS_NONAME;
}

static bool same_bits(const unsigned char *a, const unsigned char *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	return memcmp(a, b, whole) == 0 &&
	       (rest == 0 || ((a[whole] ^ b[whole]) & (0xff00 >> rest & 0xff)) == 0);
}

static bool holds(const struct spf_eval *e, const struct dns_answer *a, const struct spf_term *t)
{
	for (size_t i = 0; i < a->n; i++)
		if (same_bits((const unsigned char *)a->rr[i].data.p, e->q->ip.bytes,
			    e->q->ip.v6 ? t->bits6 : t->bits4))
			return true;
	return false;
}

/* What a mechanism says: matches, does not, or an end of it all. */
enum found { NO_MATCH, MATCH, FOUND_TEMP, FOUND_PERM };

static enum found error(
	struct spf_eval *e, enum spf_code code, const struct spf_term *t, const char *words)
{
	why(e, code, t->text, words);
	return code == SPF_TEMPERROR ? FOUND_TEMP : FOUND_PERM;
}

static enum found count_void(struct spf_eval *e, const struct spf_term *t)
{
	if (++e->out->voids > SPF_VOIDS_MAX && !e->walk)
		return error(e, SPF_PERMERROR, t, "more than 2 lookups find nothing");
	return NO_MATCH;
}

static enum found by_addresses(struct spf_eval *e, struct str name, const struct spf_term *t,
	enum dns_type type, bool counts)
{
	const struct dns_answer *a = spf_look(e, name, type);

	if (!a)
		return NO_MATCH;
	if (temp(a))
		return error(e, SPF_TEMPERROR, t, dns_status_words(a->status));
	if (is_void(a))
		return counts ? count_void(e, t) : NO_MATCH;
	if (e->walk)
		return NO_MATCH;
	return t->kind == TERM_EXISTS || holds(e, a, t) ? MATCH : NO_MATCH;
}

static enum found by_mx(struct spf_eval *e, struct str name, const struct spf_term *t)
{
	const struct dns_answer *mx = spf_look(e, name, DNS_MX);
	enum found found = NO_MATCH;

	if (!mx)
		return NO_MATCH;
	if (temp(mx))
		return error(e, SPF_TEMPERROR, t, dns_status_words(mx->status));
	if (is_void(mx))
		return count_void(e, t);
	if (mx->n > MX_MAX)
		return error(e, SPF_PERMERROR, t, "more than 10 MX hosts");
	if (e->walk)
		return NO_MATCH;
	for (size_t i = 0; i < mx->n; i++) /* all at once: fewer rounds of waiting */
		(void)spf_look(e, mx->rr[i].data, address_type(e));
	if (e->pending)
		return NO_MATCH;
	for (size_t i = 0; i < mx->n && found == NO_MATCH; i++)
		if (mx->rr[i].data.n > 0)
			found = by_addresses(e, mx->rr[i].data, t, address_type(e), true);
	return found;
}

static const struct dns_answer *names_of_client(struct spf_eval *e)
{
	const struct dns_answer *a;
	struct buf name;

	buf_init(&name, NAME_BYTES);
	ip_reversed(&name, &e->q->ip);
	buf_add_z(&name, e->q->ip.v6 ? ".ip6.arpa" : ".in-addr.arpa");
	a = spf_look(e, buf_str(&name), DNS_PTR);
	buf_done(&name);
	return a;
}

static int nearness(struct str name, struct str domain)
{
	return dns_name_equal(name, domain) ? 2 : dns_name_within(name, domain) ? 1 : 0;
}

bool spf_validated(struct spf_eval *e, struct str domain, struct buf *best)
{
	const struct spf_term any = {.bits4 = 32, .bits6 = 128};
	const struct dns_answer *ptr = names_of_client(e);
	struct str found = {NULL, 0};
	int near = -1;
	size_t n = ptr && ptr->status == DNS_ANSWER ? ptr->n : 0;

	n = n > PTR_MAX ? PTR_MAX : n;
	for (size_t i = 0; i < n; i++)
		(void)spf_look(e, ptr->rr[i].data, address_type(e));
	if (e->pending)
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct dns_answer *a = spf_look(e, ptr->rr[i].data, address_type(e));
		int how = nearness(ptr->rr[i].data, domain);

		if (!a || a->status != DNS_ANSWER || !holds(e, a, &any) || how <= near)
			continue;
		near = how;
		found = ptr->rr[i].data;
	}
	if (best && str_present(found))
		buf_add_str(best, found);
	return near > 0;
}

static enum found by_ptr(struct spf_eval *e, struct str name, const struct spf_term *t)
{
	const struct dns_answer *ptr;

	if (e->walk)
		return NO_MATCH;
	ptr = names_of_client(e);
	if (ptr && is_void(ptr))
		return count_void(e, t);
	return spf_validated(e, name, NULL) ? MATCH : NO_MATCH; /* a failure is no match, 5.5 */
}

static enum found by_include(
	struct spf_eval *e, struct str name, const struct spf_term *t, unsigned depth)
{
	enum spf_code code = check_host(e, name, depth + 1);

	if (e->pending)
		return NO_MATCH;
	if (code == SPF_NONE)
		return error(e, SPF_PERMERROR, t, "has no SPF record");
	if (code == SPF_TEMPERROR)
		return FOUND_TEMP;
	if (code == SPF_PERMERROR)
		return FOUND_PERM;
	return code == SPF_PASS ? MATCH : NO_MATCH;
}

static bool counts(enum spf_kind kind)
{
	return kind == TERM_A || kind == TERM_EXISTS || kind == TERM_INCLUDE || kind == TERM_MX ||
	       kind == TERM_PTR || kind == TERM_REDIRECT;
}

/* one_more - of the terms that ask. false: that was one too many. */
static bool one_more(struct spf_eval *e)
{
	return ++e->out->lookups <= (e->walk ? SPF_WALK_MAX : SPF_LOOKUPS_MAX);
}

static bool in_net(const struct spf_eval *e, const struct spf_term *t)
{
	return !e->walk && e->q->ip.v6 == t->net.v6 &&
	       same_bits(e->q->ip.bytes, t->net.bytes, t->net.v6 ? t->bits6 : t->bits4);
}

/* hangs_on_sender - such a name is not asked while walking. */
static bool hangs_on_sender(struct str spec)
{
	return str_find_char(spec, '%') < spec.n;
}

static enum found match(
	struct spf_eval *e, const struct spf_term *t, struct str domain, unsigned depth)
{
	enum found found = NO_MATCH;
	struct buf name;

	if (counts(t->kind) && !one_more(e))
		return error(e, SPF_PERMERROR, t, "more than 10 DNS lookups");
	if (t->kind == TERM_ALL)
		return e->walk ? NO_MATCH : MATCH;
	if (t->kind == TERM_IP4 || t->kind == TERM_IP6)
		return in_net(e, t) ? MATCH : NO_MATCH;
	if (e->walk && str_present(t->domain) && hangs_on_sender(t->domain)) {
		e->out->more |= t->kind == TERM_INCLUDE;
		return NO_MATCH;
	}
	buf_init(&name, NAME_BYTES);
	if (str_present(t->domain))
		spf_expand(e, t->domain, domain, &name);
	else
		buf_add_str(&name, domain);
	if (e->pending)
		found = NO_MATCH;
	else if (t->kind == TERM_A)
		found = by_addresses(e, buf_str(&name), t, address_type(e), true);
	else if (t->kind == TERM_EXISTS) /* always A, whatever the client's family: 5.7 */
		found = by_addresses(e, buf_str(&name), t, DNS_A, true);
	else if (t->kind == TERM_MX)
		found = by_mx(e, buf_str(&name), t);
	else if (t->kind == TERM_PTR)
		found = by_ptr(e, buf_str(&name), t);
	else
		found = by_include(e, buf_str(&name), t, depth);
	buf_done(&name);
	return found;
}

static enum spf_code of_qualifier(char qualifier)
{
	return qualifier == '-'   ? SPF_FAIL
	       : qualifier == '~' ? SPF_SOFTFAIL
	       : qualifier == '?' ? SPF_NEUTRAL
				  : SPF_PASS;
}

/* well_formed - all terms, before any is asked (4.6): ret has redirect=, or absent text. */
static bool well_formed(
	struct spf_eval *e, struct str record, struct spf_term *ret_redirect, bool *ret_all)
{
	unsigned redirects = 0, exps = 0, terms = 0;
	struct spf_term t;
	int rc;

	*ret_redirect = (struct spf_term){0};
	*ret_all = false;
	while ((rc = spf_next(&record, &t)) > 0 && ++terms <= RECORD_TERMS_MAX) {
		exps += t.kind == TERM_EXP;
		*ret_all |= t.kind == TERM_ALL;
		if (t.kind == TERM_REDIRECT) {
			redirects++;
			*ret_redirect = t;
		}
	}
	if (rc < 0)
		why(e, SPF_PERMERROR, t.text, "not valid SPF");
	else if (rc > 0)
		why(e, SPF_PERMERROR, STR_LIT("record"), "too many terms");
	else if (redirects > 1 || exps > 1)
		why(e, SPF_PERMERROR, redirects > 1 ? STR_LIT("redirect=") : STR_LIT("exp="),
			"more than once");
	return rc == 0 && redirects <= 1 && exps <= 1;
}

static enum spf_code redirected(
	struct spf_eval *e, const struct spf_term *t, struct str domain, unsigned depth)
{
	enum spf_code code = SPF_NEUTRAL;
	struct buf name;

	if (!one_more(e))
		return why(e, SPF_PERMERROR, t->text, "more than 10 DNS lookups");
	if (e->walk && hangs_on_sender(t->domain)) {
		e->out->more = true;
		return SPF_NEUTRAL;
	}
	buf_init(&name, NAME_BYTES);
	spf_expand(e, t->domain, domain, &name);
	if (!e->pending)
		code = check_host(e, buf_str(&name), depth + 1);
	if (!e->pending && code == SPF_NONE)
		code = why(e, SPF_PERMERROR, t->text, "has no SPF record");
	buf_done(&name);
	return code;
}

static enum spf_code evaluate(
	struct spf_eval *e, struct str record, struct str domain, unsigned depth)
{
	struct spf_term t, redirect;
	struct str rest = record;
	bool all;

	if (!well_formed(e, record, &redirect, &all))
		return SPF_PERMERROR;
	while (spf_next(&rest, &t) > 0) {
		enum found found;

		if (t.kind == TERM_REDIRECT || t.kind == TERM_EXP || t.kind == TERM_OTHER)
			continue;
		found = match(e, &t, domain, depth);
		if (e->pending)
			return SPF_NONE;
		if (found == FOUND_TEMP)
			return SPF_TEMPERROR;
		if (found == FOUND_PERM)
			return SPF_PERMERROR;
		if (found == MATCH)
			return why(e, of_qualifier(t.qualifier), t.text, "");
	}
	if (redirect.text.n > 0 && !all)
		return redirected(e, &redirect, domain, depth);
	return why(e, SPF_NEUTRAL, (struct str){"", 0}, "nothing in the record matches");
}

bool spf_record(const struct dns_answer *txt, struct str *ret, bool *ret_many)
{
	static const struct str version = STR_INIT("v=spf1");
	unsigned n = 0;

	for (size_t i = 0; txt->status == DNS_ANSWER && i < txt->n; i++) {
		struct str s = txt->rr[i].data;

		if (!str_ieq(str_first(s, version.n), version) ||
			(s.n > version.n && s.p[version.n] != ' '))
			continue;
		n++;
		*ret = s;
	}
	*ret_many = n > 1;
	return n == 1;
}

/* domain_valid - at least two labels of 1..63 bytes (4.3). */
static bool domain_valid(struct str domain)
{
	size_t label = 0, labels = 0;

	if (domain.n > 0 && domain.p[domain.n - 1] == '.')
		domain = str_first(domain, domain.n - 1);
	if (domain.n == 0 || domain.n > 253)
		return false;
	for (size_t i = 0; i <= domain.n; i++) {
		if (i < domain.n && domain.p[i] != '.') {
			label++;
			continue;
		}
		if (label == 0 || label > 63)
			return false;
		labels++;
		label = 0;
	}
	return labels >= 2;
}

static enum spf_code check_host(struct spf_eval *e, struct str domain, unsigned depth)
{
	const struct dns_answer *txt;
	struct str record;
	bool many;

	if (!domain_valid(domain))
		return SPF_NONE;
	if (depth > (e->walk ? SPF_WALK_MAX : DEPTH_MAX))
		return why(e, SPF_PERMERROR, domain, "includes without end");
	txt = spf_look(e, domain, DNS_TXT);
	if (!txt)
		return SPF_NONE;
	if (temp(txt))
		return why(e, SPF_TEMPERROR, domain, dns_status_words(txt->status));
	if (txt->cut)
		return why(e, SPF_PERMERROR, domain, "its TXT records are too large");
	if (spf_record(txt, &record, &many))
		return evaluate(e, str_skip(record, sizeof("v=spf1") - 1), domain, depth);
	return many ? why(e, SPF_PERMERROR, domain, "more than one SPF record") : SPF_NONE;
}

static bool run(struct spf_eval *e, struct str domain)
{
	*e->out = (struct spf_result){.ttl_s = DNS_TTL_MAX_S};
	e->out->code = check_host(e, domain, 0);
	return !e->pending;
}

bool spf_check(struct dns_view view, const struct spf_request *q, struct spf_result *ret)
{
	struct spf_eval e = {.view = view, .q = q, .out = ret};

	return run(&e, q->domain);
}

bool spf_walk(struct dns_view view, struct str domain, struct spf_result *ret)
{
	struct spf_request q = {.domain = domain, .sender_domain = domain, .helo = domain};
	struct spf_eval e = {.view = view, .q = &q, .out = ret, .walk = true};

	if (!run(&e, domain))
		return false;
	if (ret->code == SPF_NEUTRAL && ret->lookups > SPF_LOOKUPS_MAX) {
		ret->code = SPF_PERMERROR;
		snprintf(ret->why, sizeof(ret->why), "%s%u DNS lookups, more than 10",
			ret->lookups >= SPF_WALK_MAX ? "at least " : "", ret->lookups);
	}
	return true;
}
