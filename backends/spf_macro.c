/* SPDX-License-Identifier: MIT */
/* spf_macro - macros of SPF records (RFC 7208 7): their form, and what they expand to. */
#include "backends/spf_private.h"

#include "store/base/scan.h"

#include <string.h>

#define NAME_MAX_BYTES 253 /* RFC 7208 7.3 */
#define EXPANDED_MAX_BYTES 4096
#define LABELS_MAX 128
#define DIGITS_MAX 3 /* as many labels as no name has */

struct macro {
	char letter;
	unsigned keep; /* labels from the right; 0 all */
	bool reverse;
	struct str delimiters; /* empty: "." */
};

static bool is_delimiter(char c)
{
	return c != '\0' && strchr(".-+,/_=", c) != NULL;
}

/* read_macro - after "%{"; *in goes behind the '}'. */
static bool read_macro(struct str *in, struct macro *m)
{
	struct str s = *in;
	uint64_t keep = 0;
	size_t n = 0;

	*m = (struct macro){0};
	if (s.n == 0 || s.p[0] == '\0' || !strchr("slodiphvSLODIPHV", s.p[0]))
		return false;
	m->letter = s.p[0];
	s = str_skip(s, 1);
	if (s.n > 0 && scan_is_digit(s.p[0])) {
		while (n < s.n && scan_is_digit(s.p[n]))
			n++;
		if (n > DIGITS_MAX || !scan_u64(&s, DIGITS_MAX, 999, &keep) || keep == 0)
			return false;
	}
	m->keep = (unsigned)keep;
	if (s.n > 0 && (s.p[0] == 'r' || s.p[0] == 'R')) {
		m->reverse = true;
		s = str_skip(s, 1);
	}
	n = 0;
	while (n < s.n && is_delimiter(s.p[n]))
		n++;
	m->delimiters = str_first(s, n);
	s = str_skip(s, n);
	if (s.n == 0 || s.p[0] != '}')
		return false;
	*in = str_skip(s, 1);
	return true;
}

bool spf_macro_valid(struct str s, size_t *ret_end)
{
	const char *start = s.p;
	struct macro m;

	*ret_end = 0;
	while (s.n > 0) {
		unsigned char c = (unsigned char)s.p[0];

		if (c <= ' ' || c >= 0x7f)
			return false;
		s = str_skip(s, 1);
		if (c != '%')
			continue;
		if (s.n == 0)
			return false;
		c = (unsigned char)s.p[0];
		s = str_skip(s, 1);
		if (c == '{' ? !read_macro(&s, &m) : c != '%' && c != '_' && c != '-')
			return false;
		*ret_end = (size_t)(s.p - start);
	}
	return true;
}

static void add_address(struct buf *out, const struct ip_address *ip)
{
	static const char hex[] = "0123456789abcdef";

	if (!ip->v6) {
		ip_text(out, ip);
		return;
	}
	for (int i = 0; i < 16; i++)
		buf_printf(out, "%s%c.%c", i ? "." : "", hex[ip->bytes[i] >> 4],
			hex[ip->bytes[i] & 15]);
}

static struct str local_of(const struct spf_request *q)
{
	return q->local.n > 0 ? q->local : STR_LIT("postmaster");
}

static void add_value(struct spf_eval *e, char letter, struct str domain, struct buf *out)
{
	const struct spf_request *q = e->q;

	switch (letter | 0x20) {
	case 's':
		buf_add_str(out, local_of(q));
		buf_add_char(out, '@');
		buf_add_str(out, q->sender_domain);
		break;
	case 'l':
		buf_add_str(out, local_of(q));
		break;
	case 'o':
		buf_add_str(out, q->sender_domain);
		break;
	case 'd':
		buf_add_str(out, domain);
		break;
	case 'i':
		add_address(out, &q->ip);
		break;
	case 'p':
		if (!e->walk)
			(void)spf_validated(e, domain, out);
		if (out->n == 0)
			buf_add_z(out, "unknown");
		break;
	case 'h':
		buf_add_str(out, q->helo);
		break;
	default:
		buf_add_z(out, q->ip.v6 ? "ip6" : "in-addr");
		break;
	}
}

/* split - at the delimiters; parts beyond LABELS_MAX stay with the last. */
static size_t split(struct str s, struct str delimiters, struct str parts[LABELS_MAX])
{
	size_t n = 0, at = 0;

	if (delimiters.n == 0)
		delimiters = STR_LIT(".");
	for (size_t i = 0; i <= s.n; i++) {
		if (i < s.n && (n == LABELS_MAX - 1 || !memchr(delimiters.p, s.p[i], delimiters.n)))
			continue;
		parts[n++] = str_make(s.p + at, i - at);
		at = i + 1;
	}
	return n;
}

static void add_escaped(struct buf *out, struct str s)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (scan_is_alnum((char)c) || (c && strchr("-._~", c)))
			buf_add_char(out, (char)c);
		else
			buf_printf(out, "%%%c%c", hex[c >> 4], hex[c & 15]);
	}
}

static void add_macro(struct spf_eval *e, const struct macro *m, struct str domain, struct buf *out)
{
	struct str parts[LABELS_MAX];
	struct buf value, joined;
	size_t n, first;

	buf_init(&value, EXPANDED_MAX_BYTES);
	buf_init(&joined, EXPANDED_MAX_BYTES);
	add_value(e, m->letter, domain, &value);
	n = split(str_make(buf_z(&value), value.n), m->delimiters, parts);
	if (m->reverse)
		for (size_t i = 0; i < n / 2; i++) {
			struct str swap = parts[i];

			parts[i] = parts[n - 1 - i];
			parts[n - 1 - i] = swap;
		}
	first = m->keep && m->keep < n ? n - m->keep : 0;
	for (size_t i = first; i < n; i++) {
		if (i > first)
			buf_add_char(&joined, '.');
		buf_add_str(&joined, parts[i]);
	}
	if (m->letter >= 'A' && m->letter <= 'Z')
		add_escaped(out, buf_str(&joined));
	else
		buf_add_str(out, buf_str(&joined));
	buf_done(&value);
	buf_done(&joined);
}

/* cut_left - labels off the front until it fits. */
static void cut_left(struct buf *name)
{
	while (name->n > NAME_MAX_BYTES) {
		size_t dot = str_find_char(buf_str(name), '.');

		buf_drop_front(name, dot < name->n ? dot + 1 : name->n);
	}
}

void spf_expand(struct spf_eval *e, struct str spec, struct str domain, struct buf *out)
{
	struct macro m;

	buf_clear(out);
	while (spec.n > 0) {
		char c = spec.p[0];

		spec = str_skip(spec, 1);
		if (c != '%' || spec.n == 0) {
			buf_add_char(out, c);
			continue;
		}
		c = spec.p[0];
		spec = str_skip(spec, 1);
		if (c == '{' && read_macro(&spec, &m))
			add_macro(e, &m, domain, out);
		else if (c == '-')
			buf_add_z(out, "%20");
		else
			buf_add_char(out, c == '_' ? ' ' : '%');
	}
	if (out->n > 0 && out->p[out->n - 1] == '.')
		out->n--;
	cut_left(out);
}
