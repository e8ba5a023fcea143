/* SPDX-License-Identifier: MIT */
/*
 * postfix/queue_json - a line of `postqueue -j` into a queue_row, in place.
 *
 * Not jansson, on purpose: Postfix lets bytes through that are not UTF-8 (overlong and 5-byte forms,
 * surrogates), for which a strict reader throws the whole message away; and a message of 50,000
 * recipients would cost ten times its line in objects. Here a view into the line is all there is.
 */
#include "backends/postfix/queue_row.h"

#include "store/base/scan.h"

#define DEPTH_MAX 32 /* of nested values in unknown members */
#define INT_DIGITS_MAX 18 /* fits int64_t */
#define ARRIVAL_MAX_S 253402300799 /* 9999-12-31T23:59:59Z */
#define MS_PER_S 1000
#define HEX_DIGITS 4
#define SURROGATE_HIGH 0xD800u
#define SURROGATE_LOW 0xDC00u
#define SURROGATE_END 0xE000u

struct json {
	char *p, *end;
};

static void skip_space(struct json *in)
{
	while (in->p < in->end && (*in->p == ' ' || *in->p == '\t' || *in->p == '\r'))
		in->p++;
}

static bool take(struct json *in, char c)
{
	skip_space(in);
	if (in->p >= in->end || *in->p != c)
		return false;
	in->p++;
	return true;
}

static bool at(struct json *in, char c)
{
	skip_space(in);
	return in->p < in->end && *in->p == c;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The four digits of \uXXXX at p. */
static bool read_hex4(const char *p, const char *end, unsigned *ret)
{
	unsigned value = 0;

	if (end - p < HEX_DIGITS)
		return false;
	for (int i = 0; i < HEX_DIGITS; i++) {
		int digit = hex_value(p[i]);

		if (digit < 0)
			return false;
		value = value * 16 + (unsigned)digit;
	}
	*ret = value;
	return true;
}

/* As UTF-8; a lone surrogate becomes its three bytes, which the sink shows as what they are. Never longer
 * than its escape, so in place is safe. */
static char *put_utf8(char *out, unsigned cp)
{
	if (cp < 0x80) {
		*out++ = (char)cp;
	} else if (cp < 0x800) {
		*out++ = (char)(0xC0 | (cp >> 6));
		*out++ = (char)(0x80 | (cp & 0x3F));
	} else if (cp < 0x10000) {
		*out++ = (char)(0xE0 | (cp >> 12));
		*out++ = (char)(0x80 | ((cp >> 6) & 0x3F));
		*out++ = (char)(0x80 | (cp & 0x3F));
	} else {
		*out++ = (char)(0xF0 | (cp >> 18));
		*out++ = (char)(0x80 | ((cp >> 12) & 0x3F));
		*out++ = (char)(0x80 | ((cp >> 6) & 0x3F));
		*out++ = (char)(0x80 | (cp & 0x3F));
	}
	return out;
}

/* in->p stands behind "\u". */
static bool read_unicode(struct json *in, char **out)
{
	unsigned cp, low;

	if (!read_hex4(in->p, in->end, &cp))
		return false;
	in->p += HEX_DIGITS;
	if (cp >= SURROGATE_HIGH && cp < SURROGATE_LOW && in->end - in->p >= HEX_DIGITS + 2 &&
		in->p[0] == '\\' && in->p[1] == 'u' && read_hex4(in->p + 2, in->end, &low) &&
		low >= SURROGATE_LOW && low < SURROGATE_END) {
		in->p += HEX_DIGITS + 2;
		cp = 0x10000 + ((cp - SURROGATE_HIGH) << 10) + (low - SURROGATE_LOW);
	}
	*out = put_utf8(*out, cp);
	return true;
}

static bool read_escape(struct json *in, char **out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *hit;
	char c;

	if (in->p >= in->end)
		return false;
	c = *in->p++;
	if (c == 'u')
		return read_unicode(in, out);
	hit = c ? strchr(from, c) : NULL;
	if (!hit)
		return false;
	*(*out)++ = to[hit - from];
	return true;
}

/* A string, unescaped over its own bytes. Raw control bytes inside are taken as they are. */
static bool read_string(struct json *in, struct str *ret)
{
	char *start, *out;

	if (!take(in, '"'))
		return false;
	start = out = in->p;
	while (in->p < in->end && *in->p != '"') {
		if (*in->p == '\\') {
			in->p++;
			if (!read_escape(in, &out))
				return false;
		} else {
			*out++ = *in->p++;
		}
	}
	if (in->p >= in->end)
		return false;
	in->p++;
	*ret = str_make(start, (size_t)(out - start));
	return true;
}

/* An integer; a fraction or an exponent makes it none. */
static bool read_int(struct json *in, int64_t *ret)
{
	struct str rest;

	skip_space(in);
	rest = str_make(in->p, (size_t)(in->end - in->p));
	if (!scan_i64(&rest, INT_DIGITS_MAX, INT64_MIN, INT64_MAX, ret))
		return false;
	if (rest.n > 0 && strchr(".eE0123456789", rest.p[0]) && rest.p[0])
		return false;
	in->p = in->end - rest.n;
	return true;
}

static bool read_word(struct json *in, struct str *ret)
{
	const char *start;

	skip_space(in);
	start = in->p;
	while (in->p < in->end && *in->p &&
		strchr("+-.0123456789abcdefghijklmnopqrstuvwxyzE", *in->p))
		in->p++;
	*ret = str_make(start, (size_t)(in->p - start));
	return ret->n > 0;
}

/* Any value, passed over. Iterative: the input sets the depth. */
static bool skip_value(struct json *in)
{
	int depth = 0;

	do {
		struct str ignored;

		if (at(in, '{') || at(in, '[')) {
			in->p++;
			if (++depth > DEPTH_MAX)
				return false;
			continue;
		}
		if (at(in, '}') || at(in, ']')) {
			if (depth == 0)
				return false;
			in->p++;
			depth--;
		} else if (at(in, '"')) {
			if (!read_string(in, &ignored))
				return false;
		} else if (depth > 0 && (at(in, ',') || at(in, ':'))) {
			in->p++;
		} else if (!read_word(in, &ignored)) {
			return false;
		}
	} while (depth > 0);
	return true;
}

typedef int (*member_fn)(struct json *in, struct str name, void *ctx);

/* An object: member is called with in behind the colon and must consume the value. */
static int read_object(struct json *in, member_fn member, void *ctx)
{
	struct str name;
	int rc;

	if (!take(in, '{'))
		return MT_EINVAL;
	if (take(in, '}'))
		return 0;
	do {
		if (!read_string(in, &name) || !take(in, ':'))
			return MT_EINVAL;
		rc = member(in, name, ctx);
		if (rc < 0)
			return rc;
	} while (take(in, ','));
	return take(in, '}') ? 0 : MT_EINVAL;
}

struct rcpt {
	struct str addr, reason;
};

static int rcpt_member(struct json *in, struct str name, void *ctx)
{
	struct rcpt *r = ctx;
	bool ok;

	if (str_eq(name, STR_LIT("address")))
		ok = read_string(in, &r->addr);
	else if (str_eq(name, STR_LIT("delay_reason")))
		ok = read_string(in, &r->reason);
	else
		ok = skip_value(in);
	return ok ? 0 : MT_EINVAL;
}

static int read_rcpts(struct json *in, struct queue_rcpts *rcpts)
{
	int rc;

	rcpts->n = 0;
	if (!take(in, '['))
		return MT_EINVAL;
	if (take(in, ']'))
		return 0;
	do {
		struct rcpt r = {.addr = {0}};

		rc = read_object(in, rcpt_member, &r);
		if (rc == 0 && !str_present(r.addr))
			rc = MT_EINVAL;
		if (rc == 0)
			rc = queue_rcpts_add(rcpts, r.addr, r.reason);
		if (rc < 0)
			return rc;
	} while (take(in, ','));
	return take(in, ']') ? 0 : MT_EINVAL;
}

struct reading {
	struct queue_row *row;
	struct queue_rcpts *rcpts;
	bool has_queue, has_arrival;
};

static bool read_queue(struct json *in, struct reading *r)
{
	struct str name;
	int queue;

	if (!read_string(in, &name))
		return false;
	queue = queue_name_of(name);
	r->has_queue = queue >= 0;
	if (r->has_queue)
		r->row->queue = (enum queue_name)queue;
	return r->has_queue;
}

static bool read_arrival(struct json *in, struct reading *r)
{
	int64_t arrival_s;

	if (!read_int(in, &arrival_s) || arrival_s < 0 || arrival_s > ARRIVAL_MAX_S)
		return false;
	r->row->arrival_ms = arrival_s * MS_PER_S;
	r->has_arrival = true;
	return true;
}

static int row_member(struct json *in, struct str name, void *ctx)
{
	struct reading *r = ctx;
	struct str word;
	bool ok;

	if (str_eq(name, STR_LIT("recipients")))
		return read_rcpts(in, r->rcpts);
	if (str_eq(name, STR_LIT("queue_name"))) {
		ok = read_queue(in, r);
	} else if (str_eq(name, STR_LIT("queue_id"))) {
		ok = read_string(in, &r->row->qid);
	} else if (str_eq(name, STR_LIT("arrival_time"))) {
		ok = read_arrival(in, r);
	} else if (str_eq(name, STR_LIT("message_size"))) {
		ok = read_int(in, &r->row->size_bytes) && r->row->size_bytes >= 0;
	} else if (str_eq(name, STR_LIT("sender"))) {
		ok = read_string(in, &r->row->sender);
	} else if (str_eq(name, STR_LIT("forced_expire"))) {
		ok = read_word(in, &word);
		r->row->forced_expire = ok && str_eq(word, STR_LIT("true"));
	} else {
		ok = skip_value(in);
	}
	return ok ? 0 : MT_EINVAL;
}

int queue_json_row(char *line, size_t n, struct queue_rcpts *rcpts, struct queue_row *ret)
{
	struct json in = {line, line + n};
	struct queue_row row = {.size_bytes = EVENT_UNKNOWN,
		.next_retry_ms = EVENT_UNKNOWN,
		.expires_ms = EVENT_UNKNOWN};
	struct reading r = {.row = &row, .rcpts = rcpts};
	int rc;

	rcpts->n = 0;
	rc = read_object(&in, row_member, &r);
	if (rc < 0)
		return rc;
	skip_space(&in);
	if (in.p != in.end || !r.has_queue || !r.has_arrival || !queue_id_ok(row.qid))
		return MT_EINVAL;
	row.nrcpt = rcpts->n;
	row.rcpt = rcpts->addr;
	row.reason = rcpts->reason;
	*ret = row;
	return 0;
}
