/* SPDX-License-Identifier: MIT */
/* dnsmsg - see dnsmsg.h. */
#include "backends/dnsmsg.h"

#include "store/base/scan.h"

#include <stdio.h>
#include <string.h>

#define HEADER_BYTES 12
#define LABEL_MAX_BYTES 63
#define POINTER_BITS 0xc0
#define CLASS_IN 1
#define BIT_QR 0x80 /* byte 2 */
#define BIT_RD 0x01
#define BIT_AD 0x20 /* byte 3 */
#define RCODE_BITS 0x0f
#define RCODE_NOERROR 0
#define RCODE_SERVFAIL 2
#define RCODE_NXDOMAIN 3
#define RCODE_REFUSED 5
#define NEGATIVE_TTL_S 300 /* of an answer without a SOA: RFC 2308 5 says not to keep it at all */
#define NEGATIVE_TTL_MAX_S 3600
#define RECORDS_READ_MAX 2048 /* of a message, of any kind */
#define TEXT_NAME_BYTES (4 * DNS_NAME_MAX_BYTES + 1)
#define ESCAPED_DIGITS 3

struct cursor {
	struct str all;
	size_t at;
};

struct record {
	char owner[TEXT_NAME_BYTES];
	unsigned type, class;
	uint32_t ttl_s;
	size_t data, end; /* offsets */
};

bool dns_failed(const struct dns_answer *a)
{
	return a->status != DNS_ANSWER && a->status != DNS_NODATA && a->status != DNS_NXDOMAIN;
}

const char *dns_status_words(enum dns_status status)
{
	static const char *const words[DNS_STATUS__COUNT] = {"answered", "no such record",
		"no such name", "the resolver failed (SERVFAIL)", "the resolver refused",
		"no answer in time", "no resolver could be reached", "aliases without end",
		"an answer that is none", "not a name that can be asked", "too many questions"};

	return (unsigned)status < DNS_STATUS__COUNT ? words[status] : "?";
}

static struct str no_dot(struct str name)
{
	return name.n > 0 && name.p[name.n - 1] == '.' ? str_first(name, name.n - 1) : name;
}

bool dns_name_equal(struct str a, struct str b)
{
	return str_ieq(no_dot(a), no_dot(b));
}

bool dns_name_within(struct str name, struct str domain)
{
	name = no_dot(name);
	domain = no_dot(domain);
	if (name.n <= domain.n)
		return str_ieq(name, domain);
	return name.p[name.n - domain.n - 1] == '.' &&
	       str_ieq(str_skip(name, name.n - domain.n), domain);
}

/* take_byte - one byte of a label, \DDD read; -1: none left or none that may be. */
static int take_byte(struct str *in)
{
	uint64_t n;

	if (in->n == 0)
		return -1;
	if (in->p[0] != '\\') {
		int c = (unsigned char)in->p[0];

		*in = str_skip(*in, 1);
		return c;
	}
	if (in->n < 1 + ESCAPED_DIGITS)
		return -1;
	for (size_t i = 1; i <= ESCAPED_DIGITS; i++)
		if (!scan_is_digit(in->p[i]))
			return -1;
	if (!scan_all_u64(str_make(in->p + 1, ESCAPED_DIGITS), UINT8_MAX, &n))
		return -1;
	*in = str_skip(*in, 1 + ESCAPED_DIGITS);
	return (int)n;
}

static void put16(struct buf *out, unsigned n)
{
	buf_add_char(out, (char)(n >> 8));
	buf_add_char(out, (char)(n & 0xff));
}

static int put_name(struct buf *out, struct str name)
{
	size_t wire = 1;

	name = no_dot(name);
	if (name.n == 0)
		return MT_EINVAL;
	while (name.n > 0) {
		char label[LABEL_MAX_BYTES];
		size_t n = 0;

		while (name.n > 0 && name.p[0] != '.') {
			int c = take_byte(&name);

			if (c < 0 || n == LABEL_MAX_BYTES)
				return MT_EINVAL;
			label[n++] = (char)c;
		}
		wire += 1 + n;
		if (n == 0 || wire > DNS_NAME_MAX_BYTES || (name.n == 1 && name.p[0] == '.'))
			return MT_EINVAL;
		buf_add_char(out, (char)n);
		buf_add(out, label, n);
		name = str_skip(name, 1);
	}
	buf_add_char(out, '\0');
	return 0;
}

int dnsmsg_question(struct buf *out, struct str name, enum dns_type type, uint16_t id)
{
	int rc;

	put16(out, id);
	buf_add_char(out, BIT_RD);
	buf_add_char(out, BIT_AD);
	put16(out, 1); /* question */
	put16(out, 0);
	put16(out, 0);
	put16(out, 1); /* additional: OPT, RFC 6891 6.1.2 */
	rc = put_name(out, name);
	if (rc < 0)
		return rc;
	put16(out, type);
	put16(out, CLASS_IN);
	buf_add_char(out, '\0');
	put16(out, DNS_OPT);
	put16(out, DNS_UDP_BYTES);
	put16(out, 0);
	put16(out, 0);
	put16(out, 0);
	return (int)out->err;
}

static bool get16(struct cursor *c, unsigned *ret)
{
	const unsigned char *p = (const unsigned char *)c->all.p + c->at;

	if (c->all.n - c->at < 2)
		return false;
	*ret = (unsigned)p[0] << 8 | p[1];
	c->at += 2;
	return true;
}

static bool get32(struct cursor *c, uint32_t *ret)
{
	unsigned high, low;

	if (!get16(c, &high) || !get16(c, &low))
		return false;
	*ret = (uint32_t)high << 16 | low;
	return true;
}

static size_t label_text(char *out, const unsigned char *label, size_t n)
{
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = label[i];

		if (scan_is_alnum((char)c) || c == '-' || c == '_') {
			out[used++] = (char)c;
		} else {
			out[used++] = '\\';
			out[used++] = (char)('0' + c / 100);
			out[used++] = (char)('0' + c / 10 % 10);
			out[used++] = (char)('0' + c % 10);
		}
	}
	return used;
}

/* get_name - out has TEXT_NAME_BYTES. A pointer leads to what came before it alone, so no chain is endless. */
static bool get_name(struct cursor *c, char *out)
{
	const unsigned char *p = (const unsigned char *)c->all.p;
	size_t at = c->at, lowest = c->at, wire = 1, used = 0;
	bool jumped = false;

	for (;;) {
		unsigned n;

		if (at >= c->all.n)
			return false;
		n = p[at];
		if ((n & POINTER_BITS) == POINTER_BITS) {
			size_t to;

			if (at + 1 >= c->all.n)
				return false;
			to = (size_t)(n & ~(unsigned)POINTER_BITS) << 8 | p[at + 1];
			if (!jumped)
				c->at = at + 2;
			jumped = true;
			if (to >= lowest)
				return false;
			at = lowest = to;
			continue;
		}
		if (n > LABEL_MAX_BYTES || at + 1 + n > c->all.n)
			return false;
		if (n == 0)
			break;
		wire += 1 + n;
		if (wire > DNS_NAME_MAX_BYTES)
			return false;
		if (used > 0)
			out[used++] = '.';
		used += label_text(out + used, p + at + 1, n);
		at += 1 + n;
	}
	if (!jumped)
		c->at = at + 1;
	out[used] = '\0';
	return true;
}

static bool get_record(struct cursor *c, struct record *r)
{
	unsigned length;

	if (!get_name(c, r->owner) || !get16(c, &r->type) || !get16(c, &r->class) ||
		!get32(c, &r->ttl_s) || !get16(c, &length) || c->all.n - c->at < length)
		return false;
	if (r->ttl_s > INT32_MAX) /* RFC 2181 8 */
		r->ttl_s = 0;
	r->data = c->at;
	c->at += length;
	r->end = c->at;
	return true;
}

static bool text_data(struct str all, const struct record *r, struct arena *a, struct str *ret)
{
	char *joined = arena_alloc(a, r->end - r->data + 1);
	size_t at = r->data, used = 0;

	while (joined && at < r->end) {
		size_t n = (unsigned char)all.p[at++];

		if (n > r->end - at)
			return false;
		memcpy(joined + used, all.p + at, n);
		used += n;
		at += n;
	}
	if (joined)
		joined[used] = '\0';
	*ret = (struct str){joined, used};
	return joined != NULL;
}

/* take_data - the record's data as dns_rr has it. false: not of the shape its type has. */
static bool take_data(struct str all, const struct record *r, struct arena *a, struct dns_rr *out)
{
	struct cursor c = {all, r->data};
	size_t length = r->end - r->data;
	char name[TEXT_NAME_BYTES];
	unsigned preference = 0;

	switch ((enum dns_type)r->type) {
	case DNS_A:
	case DNS_AAAA:
		out->data = arena_str(a, str_make(all.p + r->data, length));
		return length == (r->type == DNS_A ? 4u : 16u);
	case DNS_TLSA:
		out->data = arena_str(a, str_make(all.p + r->data, length));
		return length >= 4; /* RFC 6698 2.1: usage, selector, matching type, data */
	case DNS_TXT:
		return text_data(all, r, a, &out->data);
	case DNS_MX:
		if (!get16(&c, &preference))
			return false;
		break;
	case DNS_PTR:
	case DNS_CNAME:
		break;
	case DNS_SOA:
	case DNS_OPT:
		return false;
	}
	if (!get_name(&c, name) || c.at > r->end)
		return false;
	out->preference = (uint16_t)preference;
	out->data = arena_str(a, str_of(name));
	return str_present(out->data);
}

struct reading {
	struct cursor c;
	size_t answers, authority; /* counts */
	size_t first; /* offset of the first answer */
	struct arena *a;
	struct dns_answer *out;
	uint32_t ttl_s;
};

/* alias_of - the target of a CNAME of that name among the answers; false: there is none, or the message is bad. */
static bool alias_of(struct reading *r, struct str name, struct str *ret)
{
	struct cursor c = {r->c.all, r->first};
	struct record rec;

	for (size_t i = 0; i < r->answers && get_record(&c, &rec); i++) {
		struct dns_rr rr = {0};

		if (rec.type != DNS_CNAME || rec.class != CLASS_IN ||
			!dns_name_equal(str_of(rec.owner), name) ||
			!take_data(c.all, &rec, r->a, &rr))
			continue;
		r->ttl_s = rec.ttl_s < r->ttl_s ? rec.ttl_s : r->ttl_s;
		*ret = rr.data;
		return true;
	}
	return false;
}

/* collect - the records of (name, type). false: one of them is bad. */
static bool collect(struct reading *r, struct str name, enum dns_type type)
{
	struct cursor c = {r->c.all, r->first};
	struct dns_rr *rr = arena_alloc(r->a, DNS_RECORDS_MAX * sizeof(*rr));
	size_t n = 0, bytes = 0;
	struct record rec;

	for (size_t i = 0; rr && i < r->answers && get_record(&c, &rec); i++) {
		if (rec.type != (unsigned)type || rec.class != CLASS_IN ||
			!dns_name_equal(str_of(rec.owner), name))
			continue;
		bytes += rec.end - rec.data;
		if (n == DNS_RECORDS_MAX || bytes > DNS_DATA_MAX_BYTES) {
			r->out->cut = true;
			break;
		}
		rr[n] = (struct dns_rr){0};
		if (!take_data(c.all, &rec, r->a, &rr[n]))
			return false;
		n++;
		r->ttl_s = rec.ttl_s < r->ttl_s ? rec.ttl_s : r->ttl_s;
	}
	r->out->rr = rr;
	r->out->n = n;
	return rr != NULL;
}

/* negative_ttl - the cursor stands at the authority section. Returns whether a SOA is there. */
static bool negative_ttl(struct reading *r)
{
	struct record rec;

	for (size_t i = 0; i < r->authority && get_record(&r->c, &rec); i++) {
		struct cursor soa = {r->c.all, rec.data};
		char name[TEXT_NAME_BYTES];
		uint32_t n[5] = {0};

		if (rec.type != DNS_SOA)
			continue;
		if (!get_name(&soa, name) || !get_name(&soa, name))
			return true;
		for (int k = 0; k < 5; k++)
			if (!get32(&soa, &n[k]))
				return true;
		r->ttl_s = n[4] < rec.ttl_s ? n[4] : rec.ttl_s;
		r->ttl_s = r->ttl_s < NEGATIVE_TTL_MAX_S ? r->ttl_s : NEGATIVE_TTL_MAX_S;
		return true;
	}
	r->ttl_s = NEGATIVE_TTL_S;
	return false;
}

/* header - counts, and past the question. false: not an answer to it. */
static bool header(struct reading *r, struct str name, enum dns_type type, unsigned *ret_rcode)
{
	const unsigned char *p = (const unsigned char *)r->c.all.p;
	unsigned questions, answers, authority, more, qtype, class;
	char owner[TEXT_NAME_BYTES];

	if (r->c.all.n < HEADER_BYTES || !(p[2] & BIT_QR))
		return false;
	*ret_rcode = p[3] & RCODE_BITS;
	r->out->authentic = (p[3] & BIT_AD) != 0;
	r->c.at = 4;
	if (!get16(&r->c, &questions) || !get16(&r->c, &answers) || !get16(&r->c, &authority) ||
		!get16(&r->c, &more) || questions != 1)
		return false;
	r->answers = answers < RECORDS_READ_MAX ? answers : RECORDS_READ_MAX;
	r->authority = authority < RECORDS_READ_MAX ? authority : RECORDS_READ_MAX;
	if (!get_name(&r->c, owner) || !get16(&r->c, &qtype) || !get16(&r->c, &class))
		return false;
	r->first = r->c.at;
	return qtype == (unsigned)type && class == CLASS_IN && dns_name_equal(str_of(owner), name);
}

/* whole - every answer can be read; the cursor then stands at the authority section. */
static bool whole(struct reading *r)
{
	struct record rec;

	for (size_t i = 0; i < r->answers; i++)
		if (!get_record(&r->c, &rec))
			return false;
	return true;
}

static enum dns_status read_message(
	struct reading *r, struct str name, enum dns_type type, struct str *ret_alias)
{
	struct str at = name, next;
	unsigned rcode, hops = 0;
	uint32_t chain_ttl_s;
	bool has_soa;

	if (!header(r, name, type, &rcode))
		return DNS_BAD;
	if (rcode != RCODE_NOERROR && rcode != RCODE_NXDOMAIN)
		return rcode == RCODE_SERVFAIL  ? DNS_SERVFAIL
		       : rcode == RCODE_REFUSED ? DNS_REFUSED
						: DNS_BAD;
	if (!whole(r))
		return DNS_BAD;
	while (type != DNS_CNAME && alias_of(r, at, &next)) {
		if (++hops > DNS_HOPS_MAX)
			return DNS_LOOP;
		at = next;
	}
	if (!collect(r, at, type))
		return DNS_BAD;
	if (r->out->n > 0 || r->out->cut)
		return DNS_ANSWER;
	chain_ttl_s = r->ttl_s;
	has_soa = negative_ttl(r);
	r->ttl_s = r->ttl_s < chain_ttl_s ? r->ttl_s : chain_ttl_s;
	if (rcode == RCODE_NXDOMAIN)
		return DNS_NXDOMAIN;
	if (hops > 0 && !has_soa) {
		*ret_alias = at;
		r->ttl_s = chain_ttl_s;
	}
	return DNS_NODATA;
}

/* canonical - the name as get_name would write it; out has TEXT_NAME_BYTES. */
static bool canonical(struct str name, char *out)
{
	struct buf wire;
	struct cursor c = {{NULL, 0}, 0};
	bool ok;

	buf_init(&wire, 2 * DNS_NAME_MAX_BYTES);
	ok = put_name(&wire, name) == 0;
	c.all = buf_str(&wire);
	ok = ok && get_name(&c, out);
	buf_done(&wire);
	return ok;
}

void dnsmsg_read(struct str message, struct str name, enum dns_type type, struct arena *a,
	struct dns_answer *out, struct str *ret_alias)
{
	char asked[TEXT_NAME_BYTES];
	struct reading r = {.c = {message, 0}, .a = a, .out = out, .ttl_s = DNS_TTL_MAX_S};

	*out = (struct dns_answer){0};
	*ret_alias = (struct str){NULL, 0};
	out->status = canonical(name, asked) ? read_message(&r, str_of(asked), type, ret_alias)
					     : DNS_NONAME;
	if (out->status != DNS_ANSWER)
		out->n = 0;
	out->ttl_s = r.ttl_s;
}
