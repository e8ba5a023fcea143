/* SPDX-License-Identifier: MIT */
/* names_ip - the checks of an address: block lists, its reverse name, the HELO name. See names.h. */
#include "backends/names.h"

#include <stdio.h>
#include <string.h>

#define NAME_BYTES 512
#define PTR_MAX 10
#define CODES_SHOWN 8

/* What a DNSBL says with 127.255.255.x (Spamhaus; others follow): it does not answer us. */
struct refusal {
	unsigned char last;
	const char *words;
};
static const struct refusal refusals[] = {
	{252, "there is no such list (typing error in its name)"},
	{254, "refuses a public or shared resolver: use one of your own"},
	{255, "too many queries from this resolver"},
};

static enum dns_type family(const struct ip_address *ip)
{
	return ip->v6 ? DNS_AAAA : DNS_A;
}

static bool has_address(const struct dns_answer *a, const struct ip_address *ip)
{
	size_t n = ip->v6 ? 16 : 4;

	for (size_t i = 0; a->status == DNS_ANSWER && i < a->n; i++)
		if (a->rr[i].data.n == n && memcmp(a->rr[i].data.p, ip->bytes, n) == 0)
			return true;
	return false;
}

static const struct dns_answer *ask_list(
	struct dns_view view, const struct ip_address *ip, struct str zone, enum dns_type type)
{
	const struct dns_answer *a;
	struct buf name;

	buf_init(&name, NAME_BYTES);
	ip_reversed(&name, ip);
	buf_add_char(&name, '.');
	buf_add_str(&name, zone);
	a = view.look(view.ctx, buf_str(&name), type);
	buf_done(&name);
	return a;
}

static const char *refused(const struct dns_answer *a)
{
	for (size_t i = 0; i < a->n; i++) {
		const unsigned char *p = (const unsigned char *)a->rr[i].data.p;

		if (p[0] != 127)
			return "it answers with what is no listing: a zone that no longer is a "
			       "block list, or a resolver that rewrites answers";
		if (p[1] == 255 && p[2] == 255) {
			for (size_t k = 0; k < sizeof(refusals) / sizeof(refusals[0]); k++)
				if (refusals[k].last == p[3])
					return refusals[k].words;
			return "it refuses (127.255.255.x)";
		}
		if (p[1] == 0 && p[2] == 0 && p[3] <= 1) /* RFC 5782 5: never a listing */
			return "it refuses (127.0.0.1)";
	}
	return NULL;
}

/*
 * list_works - RFC 5782 5: 127.0.0.2 (::FFFF:7F00:2) is in every list that works. A list that lists nothing, and one
 * that hides behind NXDOMAIN from whoever it does not like, are told from a clean address by that alone.
 * Returns NULL: it works; "" an answer is missing; else why not.
 */
static const char *list_works(struct dns_view view, bool v6, struct str zone)
{
	static const struct ip_address test4 = {false, {127, 0, 0, 2}};
	static const struct ip_address test6 = {
		true, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 2}};
	const struct dns_answer *a = ask_list(view, v6 ? &test6 : &test4, zone, DNS_A);
	const char *why;

	if (!a)
		return "";
	if (dns_failed(a))
		return dns_status_words(a->status);
	if (a->status != DNS_ANSWER)
		return v6 ? "no IPv6 list, or does not answer us (its test entry is missing)"
			  : "dead, or does not answer us (its test entry 127.0.0.2 is missing)";
	why = refused(a);
	return why;
}

static void codes(struct buf *out, const struct dns_answer *a)
{
	for (size_t i = 0; i < a->n && i < CODES_SHOWN; i++) {
		const unsigned char *p = (const unsigned char *)a->rr[i].data.p;

		buf_printf(out, "%s%u.%u.%u.%u", i ? ", " : "", p[0], p[1], p[2], p[3]);
	}
}

bool names_dnsbl(struct dns_view view, const struct name_item *item, struct names_results *out)
{
	static const struct str none = {"", 0};
	const struct dns_answer *a, *txt;
	struct ip_address ip;
	const char *why;
	struct buf shown;
	struct str reason = none;

	if (!ip_read(item->subject, &ip)) {
		names_add(out, item, NAME_CANT, none, none, 0, "not an address");
		return true;
	}
	a = ask_list(view, &ip, item->detail, DNS_A);
	why = list_works(view, ip.v6, item->detail);
	if (!a || (why && !why[0]))
		return false;
	if (dns_failed(a))
		why = dns_status_words(a->status);
	else if (!why && a->status == DNS_ANSWER)
		why = refused(a);
	if (why) {
		names_add(out, item, NAME_CANT, item->detail, none, a->ttl_s, "%s", why);
		return true;
	}
	if (a->status != DNS_ANSWER) {
		names_add(out, item, NAME_OK, item->detail, none, a->ttl_s, "not listed");
		return true;
	}
	txt = ask_list(view, &ip, item->detail, DNS_TXT);
	if (!txt)
		return false;
	if (txt->status == DNS_ANSWER && txt->n > 0)
		reason = txt->rr[0].data;
	buf_init(&shown, NAME_BYTES);
	codes(&shown, a);
	names_add(
		out, item, NAME_BAD, item->detail, reason, a->ttl_s, "listed (%s)", buf_z(&shown));
	buf_done(&shown);
	return true;
}

/* looks_dynamic - the four numbers of an IPv4 address in the name, as providers name lines of their customers. */
static bool looks_dynamic(struct str name, const struct ip_address *ip)
{
	char z[64];

	for (int way = 0; !ip->v6 && way < 4; way++) {
		const unsigned char *b = ip->bytes;
		char c = way & 1 ? '-' : '.';

		if (way & 2)
			snprintf(z, sizeof(z), "%u%c%u%c%u%c%u", b[3], c, b[2], c, b[1], c, b[0]);
		else
			snprintf(z, sizeof(z), "%u%c%u%c%u%c%u", b[0], c, b[1], c, b[2], c, b[3]);
		if (str_find(name, str_of(z)) < name.n)
			return true;
	}
	return false;
}

static const struct dns_answer *reverse(struct dns_view view, const struct ip_address *ip)
{
	const struct dns_answer *a;
	struct buf name;

	buf_init(&name, NAME_BYTES);
	ip_reversed(&name, ip);
	buf_add_z(&name, ip->v6 ? ".ip6.arpa" : ".in-addr.arpa");
	a = view.look(view.ctx, buf_str(&name), DNS_PTR);
	buf_done(&name);
	return a;
}

/* judge_ptr - names of the address, all answers there: the first that leads back counts. */
static void judge_ptr(struct dns_view view, const struct name_item *item,
	const struct ip_address *ip, const struct dns_answer *ptr, struct names_results *out)
{
	static const struct str none = {"", 0};
	size_t n = ptr->n < PTR_MAX ? ptr->n : PTR_MAX;
	const struct dns_answer *bad = NULL;

	for (size_t i = 0; i < n; i++) {
		struct str name = ptr->rr[i].data;
		const struct dns_answer *a = view.look(view.ctx, name, family(ip));

		if (a && has_address(a, ip)) {
			bool dynamic = looks_dynamic(name, ip);

			names_add(out, item, dynamic ? NAME_WARN : NAME_OK, none, name, ptr->ttl_s,
				"%.*s leads back to the address%s",
				(int)(name.n < 255 ? name.n : 255), name.p,
				dynamic ? ", but looks like the name of a customer's line" : "");
			return;
		}
		if (a && dns_failed(a))
			bad = a;
	}
	if (bad) {
		names_add(out, item, NAME_CANT, none, ptr->rr[0].data, ptr->ttl_s, "%.255s: %s",
			ptr->rr[0].data.p, dns_status_words(bad->status));
		return;
	}
	names_add(out, item, NAME_BAD, none, ptr->rr[0].data, ptr->ttl_s,
		"%.255s does not lead back to the address", ptr->rr[0].data.p);
}

bool names_ptr(struct dns_view view, const struct name_item *item, struct names_results *out)
{
	static const struct str none = {"", 0};
	const struct dns_answer *ptr;
	struct ip_address ip;
	bool missing = false;

	if (!ip_read(item->subject, &ip)) {
		names_add(out, item, NAME_CANT, none, none, 0, "not an address");
		return true;
	}
	ptr = reverse(view, &ip);
	if (!ptr)
		return false;
	if (dns_failed(ptr)) {
		names_add(out, item, NAME_CANT, none, none, 0, "%s", dns_status_words(ptr->status));
		return true;
	}
	if (ptr->n == 0) {
		names_add(out, item, NAME_BAD, none, none, ptr->ttl_s,
			"the address has no reverse name");
		return true;
	}
	for (size_t i = 0; i < ptr->n && i < PTR_MAX; i++)
		missing |= !view.look(view.ctx, ptr->rr[i].data, family(&ip));
	if (missing)
		return false;
	judge_ptr(view, item, &ip, ptr, out);
	return true;
}

/* subject: the address; detail: the name. */
bool names_helo(struct dns_view view, const struct name_item *item, struct names_results *out)
{
	static const struct str none = {"", 0};
	const struct dns_answer *a;
	struct ip_address ip;

	if (!ip_read(item->subject, &ip)) {
		names_add(out, item, NAME_CANT, none, none, 0, "not an address");
		return true;
	}
	if (str_find_char(item->detail, '.') == item->detail.n) {
		names_add(out, item, NAME_BAD, item->detail, none, 0,
			"not a full name: receivers refuse it (RFC 5321 2.3.5)");
		return true;
	}
	a = view.look(view.ctx, item->detail, family(&ip));
	if (!a)
		return false;
	if (dns_failed(a))
		names_add(out, item, NAME_CANT, item->detail, none, 0, "%s",
			dns_status_words(a->status));
	else if (has_address(a, &ip))
		names_add(out, item, NAME_OK, item->detail, none, a->ttl_s, "leads to the address");
	else if (a->status == DNS_ANSWER)
		names_add(out, item, NAME_WARN, item->detail, none, a->ttl_s,
			"leads to another address");
	else if (a->status == DNS_NXDOMAIN)
		names_add(out, item, NAME_BAD, item->detail, none, a->ttl_s, "no such name");
	else
		names_add(out, item, NAME_WARN, item->detail, none, a->ttl_s,
			"has no IPv%d address, mail leaves by one", ip.v6 ? 6 : 4);
	return true;
}
