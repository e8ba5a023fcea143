/* SPDX-License-Identifier: MIT */
/* names_domain - the checks of a domain: SPF, DKIM, DMARC, MX, MTA-STS, TLSRPT, DANE. See names.h. */
#include "backends/names.h"

#include <string.h>

#define NAME_BYTES 1300
#define WORDS_BYTES 1024
#define MX_CHECKED_MAX 20
#define PARENTS_MAX 8 /* DMARC: as many labels as a tree walk takes (RFC 9989 4.10) */
#define LOOKUPS_NEAR 9

static const struct str none = {"", 0};

static const struct dns_answer *ask_below(
	struct dns_view view, const char *prefix, struct str domain, enum dns_type type)
{
	const struct dns_answer *a;
	struct buf name;

	buf_init(&name, NAME_BYTES);
	buf_add_z(&name, prefix);
	buf_add_str(&name, domain);
	a = view.look(view.ctx, buf_str(&name), type);
	buf_done(&name);
	return a;
}

static bool cant(
	const struct name_item *item, const struct dns_answer *a, struct names_results *out)
{
	names_add(out, item, NAME_CANT, item->detail, none, 0, "%s", dns_status_words(a->status));
	return true;
}

/* begins - the record's version tag and nothing glued to it. */
static bool begins(struct str s, struct str version)
{
	return s.n >= version.n && str_ieq(str_first(s, version.n), version) &&
	       (s.n == version.n || s.p[version.n] == ';' || s.p[version.n] == ' ' ||
		       s.p[version.n] == '\t');
}

/* the_one - the record of that version among the answers; how many there are. */
static size_t the_one(const struct dns_answer *a, struct str version, struct str *ret)
{
	size_t n = 0;

	for (size_t i = 0; a->status == DNS_ANSWER && i < a->n; i++)
		if (begins(a->rr[i].data, version) && n++ == 0)
			*ret = a->rr[i].data;
	return n;
}

/* all_term - the qualifier of the record's own "all", or 0. */
static char all_term(struct str record)
{
	size_t at = str_rfind(record, STR_LIT("all"));

	if (at >= record.n || at == 0 || (at + 3 < record.n && record.p[at + 3] != ' '))
		return 0;
	if (record.p[at - 1] == ' ')
		return '+';
	return at >= 2 && record.p[at - 2] == ' ' && strchr("+-~?", record.p[at - 1])
		       ? record.p[at - 1]
		       : 0;
}

bool names_spf(struct dns_view view, const struct name_item *item, struct names_results *out)
{
	const struct dns_answer *txt;
	struct spf_result r;
	struct str record = none;
	enum name_verdict verdict = NAME_OK;
	bool many;
	char all;

	if (!spf_walk(view, item->subject, &r))
		return false;
	txt = view.look(view.ctx, item->subject, DNS_TXT);
	if (!txt)
		return false;
	(void)spf_record(txt, &record, &many);
	all = all_term(record);
	if (r.code == SPF_NONE) {
		names_add(out, item, NAME_WARN, none, none, txt->ttl_s,
			"no SPF record: large mailbox providers ask for one");
	} else if (r.code == SPF_TEMPERROR) {
		names_add(out, item, NAME_CANT, none, record, r.ttl_s, "%s", r.why);
	} else if (r.code == SPF_PERMERROR) {
		names_add(out, item, NAME_BAD, none, record, r.ttl_s,
			"permerror, the record does not count: %s", r.why);
	} else {
		if (all == '+' || r.voids > SPF_VOIDS_MAX || r.lookups >= LOOKUPS_NEAR)
			verdict = NAME_WARN;
		names_add(out, item, verdict, none, record, r.ttl_s,
			"valid, %s%u of 10 DNS lookups%s%s", r.more ? "at least " : "", r.lookups,
			r.voids > SPF_VOIDS_MAX ? ", more than 2 of them find nothing" : "",
			all == '+' ? "; +all lets everybody send" : "");
	}
	return true;
}

/* subject: the domain; detail: the address. */
bool names_spf_result(struct dns_view view, const struct name_item *item, struct names_results *out)
{
	static const enum name_verdict verdicts[SPF__COUNT] = {[SPF_NONE] = NAME_ABSENT,
		[SPF_NEUTRAL] = NAME_WARN,
		[SPF_PASS] = NAME_OK,
		[SPF_FAIL] = NAME_BAD,
		[SPF_SOFTFAIL] = NAME_WARN,
		[SPF_TEMPERROR] = NAME_CANT,
		[SPF_PERMERROR] = NAME_BAD};
	struct spf_request q = {.domain = item->subject,
		.sender_domain = item->subject,
		.helo = item->helo.n ? item->helo : item->subject};
	struct spf_result r;

	if (!ip_read(item->detail, &q.ip)) {
		names_add(out, item, NAME_CANT, item->detail, none, 0, "not an address");
		return true;
	}
	if (!spf_check(view, &q, &r))
		return false;
	names_add(out, item, verdicts[r.code], item->detail, none, r.ttl_s, "%s%s%s",
		spf_word(r.code), r.why[0] ? ": " : "", r.why);
	return true;
}

/* subject: the domain; detail: the selector. */
bool names_dkim(struct dns_view view, const struct name_item *item, struct names_results *out)
{
	const struct dns_answer *a;
	enum name_verdict verdict;
	struct buf name, words;

	buf_init(&name, NAME_BYTES);
	buf_add_str(&name, item->detail);
	buf_add_z(&name, "._domainkey.");
	a = ask_below(view, buf_z(&name), item->subject, DNS_TXT);
	buf_done(&name);
	if (!a)
		return false;
	if (dns_failed(a))
		return cant(item, a, out);
	if (a->n != 1) {
		names_add(out, item, NAME_BAD, item->detail, a->n ? a->rr[0].data : none, a->ttl_s,
			a->n ? "more than one key record: which one counts is not defined"
			     : "no key: signatures with this selector fail");
		return true;
	}
	buf_init(&words, WORDS_BYTES);
	verdict = names_read_dkim(a->rr[0].data, &words);
	names_add(out, item, verdict, item->detail, a->rr[0].data, a->ttl_s, "%s", buf_z(&words));
	buf_done(&words);
	return true;
}

/* dmarc_at - 1 the record, 0 none, -1 missing, -2 told already. */
static int dmarc_at(struct dns_view view, const struct name_item *item, struct str domain,
	struct str *ret, uint32_t *ret_ttl_s, struct names_results *out)
{
	const struct dns_answer *a = ask_below(view, "_dmarc.", domain, DNS_TXT);
	size_t n;

	if (!a)
		return -1;
	if (dns_failed(a)) {
		cant(item, a, out);
		return -2;
	}
	*ret_ttl_s = a->ttl_s;
	n = the_one(a, STR_LIT("v=DMARC1"), ret);
	if (n > 1) {
		names_add(out, item, NAME_BAD, none, *ret, a->ttl_s,
			"more than one DMARC record: none of them counts");
		return -2;
	}
	return (int)n;
}

/* The domain's own record, else that of the nearest domain above it that has one; never a top-level domain's. */
bool names_dmarc(struct dns_view view, const struct name_item *item, struct names_results *out)
{
	struct str domain = item->subject, record = none;
	enum name_verdict verdict;
	uint32_t ttl_s = 0;
	struct buf words;

	for (int i = 0; i < PARENTS_MAX; i++) {
		int found = dmarc_at(view, item, domain, &record, &ttl_s, out);

		if (found == -1)
			return false;
		if (found == -2)
			return true;
		if (found == 1)
			break;
		domain = str_skip(domain, str_find_char(domain, '.') + 1);
		if (str_find_char(domain, '.') == domain.n) {
			names_add(out, item, NAME_WARN, none, none, ttl_s,
				"no DMARC policy: large mailbox providers ask for one");
			return true;
		}
	}
	buf_init(&words, WORDS_BYTES);
	verdict = names_read_dmarc(record, &words);
	if (domain.n != item->subject.n)
		buf_printf(&words, " (of %.*s)", (int)domain.n, domain.p);
	names_add(out, item, verdict, none, record, ttl_s, "%s", buf_z(&words));
	buf_done(&words);
	return true;
}

struct mx_host {
	struct str name;
	const struct dns_answer *v4, *v6;
};

/* mx_hosts - those of the domain with their addresses. false: an answer is missing. */
static bool mx_hosts(struct dns_view view, const struct dns_answer *mx,
	struct mx_host hosts[MX_CHECKED_MAX], size_t *ret_n)
{
	bool all = true;

	*ret_n = mx->n < MX_CHECKED_MAX ? mx->n : MX_CHECKED_MAX;
	for (size_t i = 0; i < *ret_n; i++) {
		hosts[i].name = mx->rr[i].data;
		if (hosts[i].name.n == 0)
			continue;
		hosts[i].v4 = view.look(view.ctx, hosts[i].name, DNS_A);
		hosts[i].v6 = view.look(view.ctx, hosts[i].name, DNS_AAAA);
		all &= hosts[i].v4 && hosts[i].v6;
	}
	return all;
}

static void add_host(const struct name_item *item, const struct dns_rr *rr, const struct mx_host *h,
	struct names_results *out)
{
	bool has = h->v4->status == DNS_ANSWER || h->v6->status == DNS_ANSWER;
	const struct dns_answer *failed = dns_failed(h->v4)   ? h->v4
					  : dns_failed(h->v6) ? h->v6
							      : NULL;

	if (has)
		names_add(out, item, NAME_OK, h->name, none, h->v4->ttl_s,
			"preference %u, has an address%s", rr->preference,
			h->v6->status == DNS_ANSWER ? " (IPv6 too)" : "");
	else if (failed)
		names_add(out, item, NAME_CANT, h->name, none, 0, "preference %u: %s",
			rr->preference, dns_status_words(failed->status));
	else
		names_add(out, item, NAME_BAD, h->name, none, h->v4->ttl_s,
			"preference %u, has no address", rr->preference);
}

bool names_mx(struct dns_view view, const struct name_item *item, struct names_results *out)
{
	const struct dns_answer *mx = view.look(view.ctx, item->subject, DNS_MX), *a;
	struct mx_host hosts[MX_CHECKED_MAX] = {0};
	size_t n;

	if (!mx)
		return false;
	if (dns_failed(mx))
		return cant(item, mx, out);
	if (mx->n == 0) {
		a = view.look(view.ctx, item->subject, DNS_A);
		if (!a)
			return false;
		names_add(out, item, NAME_WARN, none, none, mx->ttl_s,
			a->status == DNS_ANSWER
				? "no MX: mail goes to the domain's own address (RFC 5321 5.1)"
				: "no MX and no address: nobody can answer or bounce to it");
		return true;
	}
	if (mx->n == 1 && mx->rr[0].data.n == 0) {
		names_add(out, item, NAME_OK, none, none, mx->ttl_s,
			"null MX: the domain takes no mail (RFC 7505)");
		return true;
	}
	if (!mx_hosts(view, mx, hosts, &n))
		return false;
	names_add(out, item, NAME_OK, none, none, mx->ttl_s, "%zu MX host%s%s", mx->n,
		mx->n == 1 ? "" : "s", mx->n == 1 ? ", no backup" : "");
	for (size_t i = 0; i < n; i++) {
		if (hosts[i].name.n > 0)
			add_host(item, &mx->rr[i], &hosts[i], out);
	}
	return true;
}

/* one_record - of a version, with a tag that must be there. */
static bool one_record(struct dns_view view, const struct name_item *item, const char *prefix,
	struct str version, const char *tag, struct names_results *out)
{
	const struct dns_answer *a = ask_below(view, prefix, item->subject, DNS_TXT);
	struct str record = none, value;
	size_t n;

	if (!a)
		return false;
	if (dns_failed(a))
		return cant(item, a, out);
	n = the_one(a, version, &record);
	if (n == 0)
		names_add(out, item, NAME_ABSENT, none, none, a->ttl_s, "not published");
	else if (n > 1)
		names_add(out, item, NAME_BAD, none, record, a->ttl_s,
			"more than one record: none of them counts");
	else if (!names_tag(record, tag, &value) || value.n == 0)
		names_add(out, item, NAME_BAD, none, record, a->ttl_s, "has no %s=", tag);
	else
		names_add(out, item, NAME_OK, none, record, a->ttl_s, "%s=%.*s", tag,
			(int)(value.n < 200 ? value.n : 200), value.p);
	return true;
}

bool names_mta_sts(struct dns_view view, const struct name_item *item, struct names_results *out)
{
	return one_record(view, item, "_mta-sts.", STR_LIT("v=STSv1"), "id", out);
}

bool names_tlsrpt(struct dns_view view, const struct name_item *item, struct names_results *out)
{
	return one_record(view, item, "_smtp._tls.", STR_LIT("v=TLSRPTv1"), "rua", out);
}

static void add_dane(const struct name_item *item, const struct dns_answer *mx, struct str host,
	const struct dns_answer *tlsa, struct names_results *out)
{
	if (dns_failed(tlsa))
		names_add(
			out, item, NAME_CANT, host, none, 0, "%s", dns_status_words(tlsa->status));
	else if (tlsa->n == 0)
		names_add(out, item, NAME_ABSENT, host, none, tlsa->ttl_s, "no TLSA record");
	else if (!tlsa->authentic || !mx->authentic)
		names_add(out, item, NAME_WARN, host, none, tlsa->ttl_s,
			"%zu TLSA, but by the resolver DNSSEC does not vouch for %s: they do not "
			"count",
			tlsa->n, tlsa->authentic ? "the MX records" : "them");
	else
		names_add(out, item, NAME_OK, host, none, tlsa->ttl_s,
			"%zu TLSA, vouched for by DNSSEC as the resolver says", tlsa->n);
}

bool names_dane(struct dns_view view, const struct name_item *item, struct names_results *out)
{
	const struct dns_answer *mx = view.look(view.ctx, item->subject, DNS_MX);
	const struct dns_answer *tlsa[MX_CHECKED_MAX] = {0};
	size_t n;
	bool all = true;

	if (!mx)
		return false;
	if (dns_failed(mx))
		return cant(item, mx, out);
	n = mx->n < MX_CHECKED_MAX ? mx->n : MX_CHECKED_MAX;
	for (size_t i = 0; i < n; i++) {
		if (mx->rr[i].data.n == 0)
			continue;
		tlsa[i] = ask_below(view, "_25._tcp.", mx->rr[i].data, DNS_TLSA);
		all &= tlsa[i] != NULL;
	}
	if (!all)
		return false;
	for (size_t i = 0; i < n; i++)
		if (tlsa[i])
			add_dane(item, mx, mx->rr[i].data, tlsa[i], out);
	return true;
}
