/* SPDX-License-Identifier: MIT */
/* spf_term - the terms of an SPF record by the grammar of RFC 7208 12, and addresses. */
#include "backends/spf_private.h"

#include "store/base/scan.h"

#include <arpa/inet.h>
#include <string.h>

#define V4_BITS 32
#define V6_BITS 128

struct kind {
	struct str name;
	enum spf_kind kind;
};

static const struct kind mechanisms[] = {
	{STR_INIT("a"), TERM_A},
	{STR_INIT("all"), TERM_ALL},
	{STR_INIT("exists"), TERM_EXISTS},
	{STR_INIT("include"), TERM_INCLUDE},
	{STR_INIT("ip4"), TERM_IP4},
	{STR_INIT("ip6"), TERM_IP6},
	{STR_INIT("mx"), TERM_MX},
	{STR_INIT("ptr"), TERM_PTR},
};

bool ip_read(struct str text, struct ip_address *ret)
{
	static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	char z[INET6_ADDRSTRLEN];
	struct ip_address ip = {0};

	if (text.n == 0 || text.n >= sizeof(z) || memchr(text.p, '\0', text.n))
		return false;
	memcpy(z, text.p, text.n);
	z[text.n] = '\0';
	if (inet_pton(AF_INET, z, ip.bytes) == 1) {
		*ret = ip;
		return true;
	}
	if (inet_pton(AF_INET6, z, ip.bytes) != 1)
		return false;
	ip.v6 = memcmp(ip.bytes, mapped, sizeof(mapped)) != 0;
	if (!ip.v6) {
		memmove(ip.bytes, ip.bytes + sizeof(mapped), 4);
		memset(ip.bytes + 4, 0, sizeof(mapped));
	}
	*ret = ip;
	return true;
}

void ip_text(struct buf *out, const struct ip_address *ip)
{
	char z[INET6_ADDRSTRLEN];

	if (inet_ntop(ip->v6 ? AF_INET6 : AF_INET, ip->bytes, z, sizeof(z)))
		buf_add_z(out, z);
}

void ip_reversed(struct buf *out, const struct ip_address *ip)
{
	static const char hex[] = "0123456789abcdef";

	if (!ip->v6) {
		buf_printf(
			out, "%u.%u.%u.%u", ip->bytes[3], ip->bytes[2], ip->bytes[1], ip->bytes[0]);
		return;
	}
	for (int i = 15; i >= 0; i--) {
		buf_add_char(out, hex[ip->bytes[i] & 15]);
		buf_add_char(out, '.');
		buf_add_char(out, hex[ip->bytes[i] >> 4]);
		if (i > 0)
			buf_add_char(out, '.');
	}
}

struct block {
	unsigned char net[4];
	unsigned bits;
};

static bool in_prefix(const unsigned char *ip, const unsigned char *net, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(ip, net, whole) != 0)
		return false;
	return rest == 0 || ((ip[whole] ^ net[whole]) & (0xff00 >> rest & 0xff)) == 0;
}

bool ip_public(const struct ip_address *ip)
{
	static const struct block closed[] = {{{0}, 8}, {{10}, 8}, {{100, 64}, 10}, {{127}, 8},
		{{169, 254}, 16}, {{172, 16}, 12}, {{192, 0, 0}, 24}, {{192, 0, 2}, 24},
		{{192, 168}, 16}, {{198, 18}, 15}, {{198, 51, 100}, 24}, {{203, 0, 113}, 24},
		{{224}, 3}};
	static const unsigned char global[] = {0x20}, documentation[] = {0x20, 0x01, 0x0d, 0xb8};

	if (ip->v6)
		return in_prefix(ip->bytes, global, 3) && !in_prefix(ip->bytes, documentation, 32);
	for (size_t i = 0; i < sizeof(closed) / sizeof(closed[0]); i++)
		if (in_prefix(ip->bytes, closed[i].net, closed[i].bits))
			return false;
	return true;
}

/* prefix - the digits at the end of s behind slashes, if there: taken off. false: digits that no length has. */
static bool prefix(struct str *s, const char *slashes, unsigned max, unsigned *ret, bool *ret_had)
{
	size_t n = s->n, len = strlen(slashes);
	uint64_t bits;

	*ret_had = false;
	while (n > 0 && scan_is_digit(s->p[n - 1]))
		n--;
	if (n < len || memcmp(s->p + n - len, slashes, len) != 0)
		return true;
	*ret_had = true;
	if (n == s->n || (s->p[n] == '0' && s->n - n > 1) || s->n - n > 3 ||
		!scan_all_u64(str_skip(*s, n), max, &bits))
		return false;
	*ret = (unsigned)bits;
	*s = str_first(*s, n - len);
	return true;
}

/* toplabel - (*alnum ALPHA *alnum) / (1*alnum "-" *(alnum / "-") alnum): not all digits, no hyphen at an end. */
static bool toplabel(struct str s)
{
	bool digits = true;

	if (s.n == 0 || s.p[0] == '-' || s.p[s.n - 1] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!scan_is_alnum(s.p[i]) && s.p[i] != '-')
			return false;
		digits &= scan_is_digit(s.p[i]);
	}
	return !digits;
}

/* domain_spec - a macro-string that ends in a macro or in "." toplabel ["."]. */
static bool domain_spec(struct str s)
{
	size_t end, dot;
	struct str tail;

	if (s.n == 0 || !spf_macro_valid(s, &end))
		return false;
	if (end == s.n)
		return true;
	tail = str_skip(s, end);
	if (tail.p[tail.n - 1] == '.')
		tail = str_first(tail, tail.n - 1);
	dot = str_rfind_char(tail, '.');
	return dot < tail.n && toplabel(str_skip(tail, dot + 1));
}

static bool name_char(char c)
{
	return scan_is_alnum(c) || c == '-' || c == '_' || c == '.';
}

static int modifier(struct str name, struct str value, struct spf_term *out)
{
	size_t end;

	out->domain = value;
	if (str_ieq(name, STR_LIT("redirect")))
		out->kind = TERM_REDIRECT;
	else if (str_ieq(name, STR_LIT("exp")))
		out->kind = TERM_EXP;
	else
		out->kind = TERM_OTHER;
	if (out->kind == TERM_OTHER)
		return value.n == 0 || spf_macro_valid(value, &end) ? 1 : MT_EINVAL;
	return domain_spec(value) ? 1 : MT_EINVAL;
}

static int network(struct str arg, struct spf_term *out)
{
	bool v6 = out->kind == TERM_IP6, had;
	char z[INET6_ADDRSTRLEN];

	if (!prefix(&arg, "/", v6 ? V6_BITS : V4_BITS, v6 ? &out->bits6 : &out->bits4, &had))
		return MT_EINVAL;
	if (arg.n == 0 || arg.n >= sizeof(z) || memchr(arg.p, '\0', arg.n))
		return MT_EINVAL;
	memcpy(z, arg.p, arg.n);
	z[arg.n] = '\0';
	out->net.v6 = v6; /* as written: a mapped one is an IPv6 network */
	return inet_pton(v6 ? AF_INET6 : AF_INET, z, out->net.bytes) == 1 ? 1 : MT_EINVAL;
}

/* directive - arg begins with ':' or '/', or is empty. */
static int directive(struct str arg, struct spf_term *out)
{
	bool had, colon;

	if (out->kind == TERM_A || out->kind == TERM_MX) {
		if (!prefix(&arg, "//", V6_BITS, &out->bits6, &had) ||
			!prefix(&arg, "/", V4_BITS, &out->bits4, &had))
			return MT_EINVAL;
	}
	colon = arg.n > 0 && arg.p[0] == ':';
	if (arg.n > 0 && !colon)
		return MT_EINVAL;
	arg = str_skip(arg, 1);
	switch (out->kind) {
	case TERM_ALL:
		return colon ? MT_EINVAL : 1;
	case TERM_IP4:
	case TERM_IP6:
		return colon ? network(arg, out) : MT_EINVAL;
	case TERM_A:
	case TERM_MX:
	case TERM_PTR:
		if (!colon)
			return 1;
		break;
	case TERM_EXISTS:
	case TERM_INCLUDE:
	case TERM_REDIRECT:
	case TERM_EXP:
	case TERM_OTHER:
		break;
	}
	out->domain = arg;
	return colon && domain_spec(arg) ? 1 : MT_EINVAL;
}

static int mechanism(struct str term, struct spf_term *out)
{
	struct str name;
	size_t n = 0;

	if (strchr("+-~?", term.p[0])) {
		out->qualifier = term.p[0];
		term = str_skip(term, 1);
	}
	while (n < term.n && term.p[n] != ':' && term.p[n] != '/')
		n++;
	name = str_first(term, n);
	for (size_t i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++) {
		if (str_ieq(name, mechanisms[i].name)) {
			out->kind = mechanisms[i].kind;
			return directive(str_skip(term, n), out);
		}
	}
	return MT_EINVAL;
}

int spf_next(struct str *rest, struct spf_term *out)
{
	struct str term;
	size_t n = 0;

	*out = (struct spf_term){.qualifier = '+', .bits4 = V4_BITS, .bits6 = V6_BITS};
	while (rest->n > 0 && rest->p[0] == ' ')
		*rest = str_skip(*rest, 1);
	if (rest->n == 0)
		return 0;
	term = str_first(*rest, str_find_char(*rest, ' '));
	*rest = str_skip(*rest, term.n);
	out->text = term;
	if (scan_is_alnum(term.p[0]) && !scan_is_digit(term.p[0]))
		while (n < term.n && name_char(term.p[n]))
			n++;
	if (n > 0 && n < term.n && term.p[n] == '=')
		return modifier(str_first(term, n), str_skip(term, n + 1), out);
	if (term.p[0] == '\0') /* strchr finds it */
		return MT_EINVAL;
	return mechanism(term, out);
}
