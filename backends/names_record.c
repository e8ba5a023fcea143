/* SPDX-License-Identifier: MIT */
/* names_record - what DKIM and DMARC records say. Pure; the bytes are strangers'. See names.h. */
#include "backends/names.h"

#include "store/base/scan.h"

#include <string.h>

#define KEY_MAX_BYTES 2200 /* RSA of 16384 bits */
#define RSA_BAD_BITS 1024 /* RFC 8301 3.2: verifiers take no fewer */
#define RSA_GOOD_BITS 2048
#define DER_SEQUENCE 0x30
#define DER_INTEGER 0x02
#define DER_BITS 0x03
#define ED25519_BYTES 32

bool names_tag(struct str record, const char *name, struct str *ret)
{
	while (record.n > 0) {
		struct str part = str_first(record, str_find_char(record, ';'));
		size_t eq = str_find_char(part, '=');

		record = str_skip(record, part.n + 1);
		if (eq == part.n || !str_ieq(str_trim(str_first(part, eq)), str_of(name)))
			continue;
		*ret = str_trim(str_skip(part, eq + 1));
		return true;
	}
	return false;
}

static int base64_value(char c)
{
	return c >= 'A' && c <= 'Z'   ? c - 'A'
	       : c >= 'a' && c <= 'z' ? c - 'a' + 26
	       : c >= '0' && c <= '9' ? c - '0' + 52
	       : c == '+'             ? 62
	       : c == '/'             ? 63
				      : -1;
}

/* base64 - blanks within are allowed (RFC 6376 2.10). Returns how many bytes, 0 on an error. */
static size_t base64(struct str in, unsigned char out[KEY_MAX_BYTES])
{
	unsigned bits = 0, held = 0;
	size_t n = 0;

	for (size_t i = 0; i < in.n; i++) {
		int v = base64_value(in.p[i]);

		if (in.p[i] == ' ' || in.p[i] == '\t' || in.p[i] == '\r' || in.p[i] == '\n')
			continue;
		if (in.p[i] == '=')
			break;
		if (v < 0 || n == KEY_MAX_BYTES)
			return 0;
		held = (held << 6 | (unsigned)v) & 0xfffff;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[n++] = (unsigned char)(held >> bits & 0xff);
		}
	}
	return n;
}

/* der - a value of that tag at the front: its content; *in goes behind it. */
static bool der(struct str *in, unsigned char tag, struct str *ret)
{
	const unsigned char *p = (const unsigned char *)in->p;
	size_t n, head = 2;

	if (in->n < 2 || p[0] != tag)
		return false;
	n = p[1];
	if (n & 0x80) {
		size_t count = n & 0x7f;

		if (count == 0 || count > 2 || in->n < 2 + count)
			return false;
		n = count == 1 ? p[2] : (size_t)p[2] << 8 | p[3];
		head += count;
	}
	if (in->n - head < n)
		return false;
	*ret = str_make(in->p + head, n);
	*in = str_skip(*in, head + n);
	return true;
}

/* modulus - of an RSAPublicKey: SEQUENCE { INTEGER n, INTEGER e }. */
static unsigned modulus(struct str in)
{
	struct str body, n;
	unsigned char top;
	unsigned bits;

	if (!der(&in, DER_SEQUENCE, &body) || !der(&body, DER_INTEGER, &n))
		return 0;
	while (n.n > 0 && n.p[0] == '\0')
		n = str_skip(n, 1);
	if (n.n == 0)
		return 0;
	bits = (unsigned)n.n * 8;
	for (top = (unsigned char)n.p[0]; !(top & 0x80); top = (unsigned char)(top << 1))
		bits--;
	return bits;
}

unsigned names_rsa_bits(struct str text)
{
	unsigned char key[KEY_MAX_BYTES];
	struct str all = {(const char *)key, base64(text, key)}, body, algorithm, bits;

	if (modulus(all))
		return modulus(all);
	if (!der(&all, DER_SEQUENCE, &body) || !der(&body, DER_SEQUENCE, &algorithm) ||
		!der(&body, DER_BITS, &bits))
		return 0;
	return modulus(str_skip(bits, 1)); /* behind the number of unused bits */
}

static enum name_verdict read_rsa(struct str p, bool testing, struct buf *words)
{
	unsigned bits = names_rsa_bits(p);

	if (bits == 0) {
		buf_add_z(words, "p= holds no RSA key: signatures with this selector fail");
		return NAME_BAD;
	}
	buf_printf(words, "RSA, %u bits", bits);
	if (bits < RSA_BAD_BITS) {
		buf_add_z(words, ": fewer than the 1024 receivers ask for");
		return NAME_BAD;
	}
	if (bits < RSA_GOOD_BITS)
		buf_add_z(words, ": 2048 are wanted today");
	return bits < RSA_GOOD_BITS || testing ? NAME_WARN : NAME_OK;
}

enum name_verdict names_read_dkim(struct str record, struct buf *words)
{
	struct str v = {NULL, 0}, k = STR_LIT("rsa"), p, t = {NULL, 0};
	unsigned char key[KEY_MAX_BYTES];
	bool testing;
	enum name_verdict verdict;

	if (names_tag(record, "v", &v) && !str_eq(v, STR_LIT("DKIM1"))) {
		buf_add_z(words, "not a DKIM key (v= is not DKIM1)");
		return NAME_BAD;
	}
	if (!names_tag(record, "p", &p)) {
		buf_add_z(words, "not a DKIM key (no p=)");
		return NAME_BAD;
	}
	if (p.n == 0) {
		buf_add_z(
			words, "the key is revoked (empty p=): signatures with this selector fail");
		return NAME_BAD;
	}
	(void)names_tag(record, "k", &k);
	testing = names_tag(record, "t", &t) && str_find_char(t, 'y') < t.n;
	if (str_ieq(k, STR_LIT("ed25519"))) {
		bool good = base64(p, key) == ED25519_BYTES;

		buf_add_z(words, good ? "Ed25519" : "p= holds no Ed25519 key");
		verdict = !good ? NAME_BAD : testing ? NAME_WARN : NAME_OK;
	} else if (str_ieq(k, STR_LIT("rsa"))) {
		verdict = read_rsa(p, testing, words);
	} else {
		buf_add_z(words, "a kind of key receivers do not know (k=)");
		return NAME_BAD;
	}
	if (testing)
		buf_add_z(words, "; t=y: receivers treat it as a test");
	return verdict;
}

static bool is_policy(struct str s)
{
	return str_ieq(s, STR_LIT("none")) || str_ieq(s, STR_LIT("quarantine")) ||
	       str_ieq(s, STR_LIT("reject"));
}

enum name_verdict names_read_dmarc(struct str record, struct buf *words)
{
	struct str p = {NULL, 0}, sp, pct, rua = {NULL, 0};
	uint64_t n;
	bool reports = names_tag(record, "rua", &rua) && rua.n > 0;

	if (!names_tag(record, "p", &p) || !is_policy(p)) {
		buf_printf(words, "p= must be none, quarantine or reject%s",
			reports ? ": taken as none" : ": the record does not count");
		return reports ? NAME_WARN : NAME_BAD; /* RFC 7489 6.6.3 */
	}
	buf_printf(words, "p=%.*s", (int)p.n, p.p);
	if (names_tag(record, "sp", &sp) && sp.n < 40)
		buf_printf(words, ", subdomains %.*s", (int)sp.n, sp.p);
	if (names_tag(record, "pct", &pct)) {
		if (!scan_all_u64(pct, 100, &n)) {
			buf_add_z(words, "; pct= is no number of 0 to 100");
			return NAME_WARN;
		}
		if (n < 100)
			buf_printf(words, ", for %u%% of the mail", (unsigned)n);
	}
	buf_add_z(words, reports ? ", with reports" : ", without reports (rua=)");
	return NAME_OK;
}
