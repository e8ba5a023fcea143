/* SPDX-License-Identifier: MIT */
/* names_plan - see names_plan.h. */
#include "backends/names_plan.h"

#include "store/base/mem.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define SECTION "dns"
#define ARENA_MAX_BYTES (8u << 20)
#define FIRST_ITEMS 64
#define DOMAIN_MAX_BYTES 253

void names_plan_init(struct names_plan *p)
{
	*p = (struct names_plan){.helo = {"", 0}};
	arena_init(&p->arena, ARENA_MAX_BYTES);
	p->domains = xcalloc(NAMES_DOMAINS_MAX, sizeof(p->domains[0]));
}

void names_plan_done(struct names_plan *p)
{
	free(p->items);
	free(p->domains);
	arena_done(&p->arena);
	*p = (struct names_plan){0};
}

static void add(struct names_plan *p, enum name_check check, struct str subject, struct str detail)
{
	if (p->n == NAMES_ITEMS_MAX)
		return;
	if (p->n == p->cap) {
		p->cap = p->cap ? p->cap * 2 : FIRST_ITEMS;
		p->items = xrealloc(p->items, p->cap * sizeof(p->items[0]));
	}
	p->items[p->n++] = (struct name_item){
		.check = check, .subject = subject, .detail = detail, .helo = p->helo};
}

static struct str text_of(struct names_plan *p, const struct ip_address *ip)
{
	struct buf text;
	struct str kept;

	buf_init(&text, INET6_ADDRSTRLEN);
	ip_text(&text, ip);
	kept = arena_str(&p->arena, buf_str(&text));
	buf_done(&text);
	return kept;
}

/* add_address - in one form whoever names it; only_public: nobody asked for it by name. */
static void add_address(struct names_plan *p, struct str text, bool only_public)
{
	struct ip_address ip;
	struct str kept;

	if (!ip_read(text, &ip) || (only_public && !ip_public(&ip)) ||
		p->naddresses == NAMES_ADDRESSES_MAX)
		return;
	kept = text_of(p, &ip);
	for (size_t i = 0; i < p->naddresses; i++)
		if (str_eq(p->addresses[i], kept))
			return;
	if (str_present(kept))
		p->addresses[p->naddresses++] = kept;
}

/* A domain: labels with a dot between, nothing that is no host name. Lower case, without a final dot. */
static bool is_domain(struct str s)
{
	bool dot = false;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
			    c == '_' || c == '.';

		if (!good || (c == '.' && (i == 0 || i + 1 == s.n || s.p[i - 1] == '.')))
			return false;
		dot |= c == '.';
	}
	return dot && s.n <= DOMAIN_MAX_BYTES;
}

static struct str lower(struct names_plan *p, struct str s)
{
	char *z;

	if (s.n > 0 && s.p[s.n - 1] == '.')
		s.n--;
	z = arena_alloc(&p->arena, s.n + 1);
	if (!z || s.n == 0)
		return (struct str){"", 0};
	for (size_t i = 0; i < s.n; i++)
		z[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] | 0x20) : s.p[i];
	z[s.n] = '\0';
	return str_make(z, s.n);
}

static void add_domain(struct names_plan *p, struct str name)
{
	struct str kept = lower(p, name);

	if (!is_domain(kept) || p->ndomains == NAMES_DOMAINS_MAX)
		return;
	for (size_t i = 0; i < p->ndomains; i++)
		if (str_eq(p->domains[i], kept))
			return;
	p->domains[p->ndomains++] = kept;
}

static void plan_address(struct names_plan *p, const struct conf *conf, struct str ip)
{
	size_t n;
	const char *const *lists = conf_list(conf, SECTION, NULL, "blocklists", &n);

	for (size_t i = 0; i < n; i++)
		add(p, NAME_CHECK_DNSBL, ip, lower(p, str_of(lists[i])));
	add(p, NAME_CHECK_PTR, ip, (struct str){"", 0});
	if (p->helo.n > 0)
		add(p, NAME_CHECK_HELO, ip, p->helo);
}

/* plan_selector - "s" is of every domain, "s._domainkey.d" of one. */
static void plan_selector(struct names_plan *p, struct str selector, struct str domain)
{
	static const struct str mark = STR_INIT("._domainkey.");
	size_t at;

	selector = lower(p, selector);
	at = str_find(selector, mark);
	if (at == selector.n)
		add(p, NAME_CHECK_DKIM, domain, selector);
	else if (str_eq(str_skip(selector, at + mark.n), domain))
		add(p, NAME_CHECK_DKIM, domain, str_first(selector, at));
}

static void plan_domain(struct names_plan *p, const struct conf *conf, struct str domain)
{
	static const enum name_check plain[] = {NAME_CHECK_SPF, NAME_CHECK_DMARC, NAME_CHECK_MX,
		NAME_CHECK_MTA_STS, NAME_CHECK_TLSRPT, NAME_CHECK_DANE};
	size_t n;
	const char *const *selectors = conf_list(conf, SECTION, NULL, "selectors", &n);

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		add(p, plain[i], domain, (struct str){"", 0});
	for (size_t i = 0; i < p->naddresses; i++)
		add(p, NAME_CHECK_SPF_RESULT, domain, p->addresses[i]);
	for (size_t i = 0; i < n; i++)
		plan_selector(p, str_of(selectors[i]), domain);
}

static void configured(struct names_plan *p, const struct conf *conf)
{
	size_t n;
	const char *const *list = conf_list(conf, SECTION, NULL, "addresses", &n);

	for (size_t i = 0; i < n; i++)
		add_address(p, str_of(list[i]), false);
	p->helo = lower(p, str_of(conf_text(conf, SECTION, NULL, "helo")));
}

static void on_domain(void *ctx, struct str name)
{
	add_domain(ctx, name);
}

static void on_helo(void *ctx, struct str name)
{
	struct names_plan *p = ctx;

	if (p->helo.n == 0)
		p->helo = lower(p, name);
}

static void on_addresses(void *ctx, struct str ips)
{
	while (ips.n > 0) {
		struct str word = str_first(ips, str_find_char(ips, ' '));

		add_address(ctx, word, true);
		ips = str_skip(ips, word.n + 1);
	}
}

/* machine - the public addresses of this machine's interfaces: what it sends from when nothing says else. */
static void machine(struct names_plan *p)
{
	struct ifaddrs *all = NULL;

	if (getifaddrs(&all) < 0)
		return;
	for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
		struct ip_address ip = {0};

		if (!i->ifa_addr)
			continue;
		if (i->ifa_addr->sa_family == AF_INET) {
			const struct sockaddr_in *in = (const void *)i->ifa_addr;

			memcpy(ip.bytes, &in->sin_addr, 4);
		} else if (i->ifa_addr->sa_family == AF_INET6) {
			const struct sockaddr_in6 *in = (const void *)i->ifa_addr;

			ip.v6 = true;
			memcpy(ip.bytes, &in->sin6_addr, 16);
		} else {
			continue;
		}
		if (ip_public(&ip))
			add_address(p, text_of(p, &ip), true);
	}
	freeifaddrs(all);
}

void names_plan_own(struct names_plan *p, const struct conf *conf, struct store *store)
{
	size_t n;
	const char *const *domains = conf_list(conf, SECTION, NULL, "domains", &n);

	configured(p, conf);
	for (size_t i = 0; i < n; i++)
		add_domain(p, str_of(domains[i]));
	if (store) {
		store_egress_each(store, NAMES_ADDRESSES_MAX, on_addresses, p);
		store_own_each(store, OWN_DOMAIN, NAMES_DOMAINS_MAX, on_domain, p);
		store_own_each(store, OWN_HELO, 1, on_helo, p);
	}
	if (p->naddresses == 0)
		machine(p);
	for (size_t i = 0; i < p->naddresses; i++)
		plan_address(p, conf, p->addresses[i]);
	for (size_t i = 0; i < p->ndomains; i++)
		plan_domain(p, conf, p->domains[i]);
}

int names_plan_one(
	struct names_plan *p, const struct conf *conf, struct str subject, struct mt_error *reterr)
{
	struct ip_address ip;

	size_t before = p->ndomains;

	if (p->n == 0)
		configured(p, conf);
	if (ip_read(subject, &ip)) {
		plan_address(p, conf, text_of(p, &ip));
		return 0;
	}
	add_domain(p, subject);
	if (p->ndomains == before && !is_domain(lower(p, subject)))
		return mt_error_set(reterr, MT_EINVAL,
			"%.80s is neither an address nor a domain (xn-- form for other than ASCII)",
			subject.p);
	if (p->ndomains > before) /* else it was named before */
		plan_domain(p, conf, p->domains[before]);
	return 0;
}
