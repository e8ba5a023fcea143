/* SPDX-License-Identifier: MIT */
/* probe_cert - see probe_cert.h. */
#include "backends/probe_cert.h"

#include "backends/probe_reply.h"
#include "store/base/scan.h"
#include "store/base/timefmt.h"

#include <arpa/inet.h>

/* DER tags, X.690 8.1.2 and RFC 5280 A.2. */
#define TAG_INTEGER 0x02
#define TAG_OCTETS 0x04
#define TAG_OID 0x06
#define TAG_UTC_TIME 0x17
#define TAG_TIME 0x18
#define TAG_SEQUENCE 0x30
#define TAG_SET 0x31
#define TAG_VERSION 0xa0
#define TAG_EXTENSIONS 0xa3
#define TAG_DNS_NAME 0x82
#define TAG_IP_ADDRESS 0x87
#define LONG_LENGTH 0x80
#define LENGTH_BYTES_MAX 4
#define NAMES_MAX 20000 /* looked at */
#define WILDCARD_DOTS 2 /* "*.example.com", never "*.com" */
#define CENTURY_PIVOT 50 /* RFC 5280 4.1.2.5.1 */

/* der_take - one value: its tag and its content; *in advances past it. */
static bool der_take(struct str *in, int *ret_tag, struct str *ret)
{
	size_t length, at = 2;

	if (in->n < 2 || (in->p[0] & 0x1f) == 0x1f) /* long tags: none in certificates */
		return false;
	length = (unsigned char)in->p[1];
	if (length & LONG_LENGTH) {
		size_t n = length & ~(size_t)LONG_LENGTH;

		if (n == 0 || n > LENGTH_BYTES_MAX || in->n < at + n)
			return false;
		for (length = 0; n; n--)
			length = length << 8 | (unsigned char)in->p[at++];
	}
	if (length > in->n - at)
		return false;
	*ret_tag = (unsigned char)in->p[0];
	*ret = str_make(in->p + at, length);
	*in = str_skip(*in, at + length);
	return true;
}

static bool der_want(struct str *in, int tag, struct str *ret)
{
	struct str rest = *in;
	int found;

	if (!der_take(&rest, &found, ret) || found != tag)
		return false;
	*in = rest;
	return true;
}

static bool digits(struct str *in, unsigned n, int min, int max, int *ret)
{
	struct str part = str_first(*in, n);
	uint64_t value;

	if (part.n < n || !scan_all_u64(part, (uint64_t)max, &value) || (int)value < min)
		return false;
	*in = str_skip(*in, n);
	*ret = (int)value;
	return true;
}

static bool read_time(struct str *in, int64_t *ret_ms)
{
	int tag, year, month, day, hour, minute, second;
	struct str t;

	if (!der_take(in, &tag, &t) || (tag != TAG_UTC_TIME && tag != TAG_TIME) ||
		!digits(&t, tag == TAG_TIME ? 4 : 2, 0, 9999, &year))
		return false;
	if (tag == TAG_UTC_TIME)
		year += year < CENTURY_PIVOT ? 2000 : 1900;
	if (!digits(&t, 2, 1, 12, &month) || !digits(&t, 2, 1, 31, &day) ||
		!digits(&t, 2, 0, 23, &hour) || !digits(&t, 2, 0, 59, &minute) ||
		!digits(&t, 2, 0, 59, &second) || !str_eq(t, STR_LIT("Z")))
		return false;
	*ret_ms = timefmt_civil_utc_ms(year, month, day, hour, minute, second);
	return true;
}

/* name_text - the common name of a Name, else its organisation. */
static struct str name_text(struct str name)
{
	struct str set, pair, oid, value, common = {NULL, 0}, organisation = {NULL, 0};
	int tag;

	while (der_want(&name, TAG_SET, &set)) {
		while (der_want(&set, TAG_SEQUENCE, &pair)) {
			if (!der_want(&pair, TAG_OID, &oid) || !der_take(&pair, &tag, &value))
				continue;
			if (str_eq(oid, STR_LIT("\x55\x04\x03")))
				common = value;
			else if (str_eq(oid, STR_LIT("\x55\x04\x0a")))
				organisation = value;
		}
	}
	return str_present(common) ? common : organisation;
}

static bool is_host_name(struct str s)
{
	struct str plain = s.n && s.p[0] == '*' ? str_skip(s, 1) : s;

	return probe_host_valid(plain) && str_find_char(plain, ':') == plain.n;
}

static bool matches(struct str pattern, struct str host)
{
	size_t dots = 0;

	if (host.n && host.p[host.n - 1] == '.')
		host.n--;
	if (!is_host_name(pattern))
		return false;
	if (pattern.p[0] != '*')
		return str_ieq(pattern, host);
	for (size_t i = 0; i < pattern.n; i++)
		dots += pattern.p[i] == '.';
	if (pattern.n < 2 || pattern.p[1] != '.' || dots < WILDCARD_DOTS)
		return false;
	return str_find_char(host, '.') > 0 &&
	       str_ieq(str_skip(pattern, 1), str_skip(host, str_find_char(host, '.')));
}

/* address_of - the bytes of an IP address; 0: it is none. */
static size_t address_of(struct str host, unsigned char *out)
{
	char text[INET6_ADDRSTRLEN + 1];

	if (host.n >= sizeof(text))
		return 0;
	memcpy(text, host.p, host.n);
	text[host.n] = '\0';
	if (inet_pton(AF_INET, text, out) == 1)
		return sizeof(struct in_addr);
	return inet_pton(AF_INET6, text, out) == 1 ? sizeof(struct in6_addr) : 0;
}

static void show_name(struct probe_cert *c, int tag, struct str name)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (c->names.n + name.n + 1 >= CERT_NAMES_SHOWN_BYTES)
		return;
	if (c->names.n)
		(void)buf_add_char(&c->names, ' ');
	if (tag == TAG_IP_ADDRESS) {
		(void)inet_ntop(name.n == sizeof(struct in_addr) ? AF_INET : AF_INET6, name.p, text,
			sizeof(text));
		(void)buf_add_z(&c->names, text);
		return;
	}
	for (size_t i = 0; i < name.n; i++) /* a space or NUL would make two of it */
		(void)buf_add_char(
			&c->names, name.p[i] > ' ' && name.p[i] < 0x7f ? name.p[i] : '?');
}

static bool is_address(struct str name)
{
	return name.n == sizeof(struct in_addr) || name.n == sizeof(struct in6_addr);
}

/* read_names - subjectAltName; returns whether there was a dNSName. */
static bool read_names(struct probe_cert *c, struct str value, struct str host)
{
	unsigned char address[sizeof(struct in6_addr)];
	size_t naddress = address_of(host, address);
	struct str names, name;
	bool dns = false;
	int tag;

	if (!der_want(&value, TAG_SEQUENCE, &names))
		return false;
	while (c->nnames < NAMES_MAX && der_take(&names, &tag, &name)) {
		if (tag != TAG_DNS_NAME && !(tag == TAG_IP_ADDRESS && is_address(name)))
			continue;
		c->nnames++;
		show_name(c, tag, name);
		dns = dns || tag == TAG_DNS_NAME;
		if (tag == TAG_DNS_NAME
				? !naddress && matches(name, host)
				: naddress == name.n && memcmp(address, name.p, name.n) == 0)
			c->names_host = true;
	}
	return dns;
}

static bool read_extensions(struct probe_cert *c, struct str all, struct str host)
{
	struct str list, extension, oid, value;
	bool dns = false;
	int tag;

	if (!der_want(&all, TAG_SEQUENCE, &list))
		return false;
	while (der_want(&list, TAG_SEQUENCE, &extension)) {
		if (!der_want(&extension, TAG_OID, &oid) || !str_eq(oid, STR_LIT("\x55\x1d\x11")))
			continue;
		while (der_take(&extension, &tag, &value))
			if (tag == TAG_OCTETS)
				dns = read_names(c, value, host);
	}
	return dns;
}

static bool read_der(struct probe_cert *c, struct str host)
{
	struct str all = buf_str(&c->der), cert, tbs, part, issuer, subject, validity, key;
	bool dns = false;
	int tag;

	if (!der_want(&all, TAG_SEQUENCE, &cert) || !der_want(&cert, TAG_SEQUENCE, &tbs))
		return false;
	(void)der_want(&tbs, TAG_VERSION, &part);
	if (!der_want(&tbs, TAG_INTEGER, &part) || !der_want(&tbs, TAG_SEQUENCE, &part) ||
		!der_want(&tbs, TAG_SEQUENCE, &issuer) ||
		!der_want(&tbs, TAG_SEQUENCE, &validity) ||
		!der_want(&tbs, TAG_SEQUENCE, &subject) || !der_want(&tbs, TAG_SEQUENCE, &key) ||
		!read_time(&validity, &c->not_before_ms) || !read_time(&validity, &c->not_after_ms))
		return false;
	c->subject = name_text(subject);
	c->issuer = name_text(issuer);
	c->self_issued = str_eq(issuer, subject);
	while (der_take(&tbs, &tag, &part))
		if (tag == TAG_EXTENSIONS)
			dns = read_extensions(c, part, host);
	if (!dns && matches(c->subject, host))
		c->names_host = true;
	return true;
}

static int digit_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* unpack - base64 between the marks of RFC 7468; whatever is no digit of it is passed over. */
static int unpack(struct buf *out, struct str body)
{
	uint32_t group = 0;
	unsigned bits = 0;

	for (size_t i = 0; i < body.n && body.p[i] != '='; i++) {
		int digit = digit_of(body.p[i]);

		if (digit < 0)
			continue;
		group = group << 6 | (uint32_t)digit;
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		if (buf_add_char(out, (char)(group >> bits & 0xff)) < 0)
			return out->err;
	}
	return 0;
}

int probe_cert_read(
	struct probe_cert *c, struct str bytes, struct str host, struct mt_error *reterr)
{
	static const struct str begin = STR_INIT("-----BEGIN CERTIFICATE-----");
	size_t at = str_find(bytes, begin), end;
	int rc;

	*c = (struct probe_cert){.nnames = 0};
	buf_init(&c->der, CERT_MAX_BYTES);
	buf_init(&c->names, CERT_NAMES_SHOWN_BYTES);
	if (at < bytes.n) {
		bytes = str_skip(bytes, at + begin.n);
		end = str_find(bytes, STR_LIT("-----END"));
		rc = unpack(&c->der, str_first(bytes, end));
	} else {
		rc = buf_add_str(&c->der, bytes);
	}
	if (rc < 0)
		return mt_error_set(reterr, MT_ELIMIT, "the certificate is too large");
	return read_der(c, host) ? 0
				 : mt_error_set(reterr, MT_EINVAL,
					   "the certificate is not one that can be read");
}

void probe_cert_done(struct probe_cert *c)
{
	buf_done(&c->der);
	buf_done(&c->names);
}
