/* SPDX-License-Identifier: MIT */
/*
 * utf8 - strict decoding, columns, and the one way out for bytes of strangers; see utf8.h.
 *
 * What may be shown is an allow-list by Unicode class, made by utf8_tables.py. It deliberately knows
 * nothing of the locale: the same bytes look the same everywhere.
 */
#include "store/base/utf8.h"

#include <stdio.h>

#define MARKS_MAX 2 /* combining marks a cell; more climb over the neighbours */
#define REPLACEMENT "\xEF\xBF\xBD"
#define SURROGATE_FIRST 0xD800
#define SURROGATE_LAST 0xDFFF
#define CODE_POINT_MAX 0x10FFFF

struct width_range {
	int32_t first, last;
	int32_t width;
};

#include "store/base/utf8_tables.h"

static bool is_tail(char c)
{
	return ((unsigned char)c & 0xC0) == 0x80;
}

int32_t utf8_decode(struct str *in)
{
	static const int32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char lead = (unsigned char)in->p[0];
	size_t n = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
	int32_t cp = n == 1 ? lead : lead & (0xFF >> (n + 1));

	if ((lead >= 0x80 && lead < 0xC2) || lead > 0xF4 || n > in->n)
		goto bad;
	for (size_t i = 1; i < n; i++) {
		if (!is_tail(in->p[i]))
			goto bad;
		cp = cp << 6 | (in->p[i] & 0x3F);
	}
	if (cp < least[n] || cp > CODE_POINT_MAX || (cp >= SURROGATE_FIRST && cp <= SURROGATE_LAST))
		goto bad;
	*in = str_skip(*in, n);
	return cp;
bad:
	*in = str_skip(*in, 1);
	return -1;
}

/* The bytes of a scalar value; returns how many, at most 4. */
static size_t encode(char *to, int32_t cp)
{
	if (cp < 0x80) {
		to[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		to[0] = (char)(0xC0 | cp >> 6);
		to[1] = (char)(0x80 | (cp & 0x3F));
		return 2;
	}
	if (cp < 0x10000) {
		to[0] = (char)(0xE0 | cp >> 12);
		to[1] = (char)(0x80 | (cp >> 6 & 0x3F));
		to[2] = (char)(0x80 | (cp & 0x3F));
		return 3;
	}
	to[0] = (char)(0xF0 | cp >> 18);
	to[1] = (char)(0x80 | (cp >> 12 & 0x3F));
	to[2] = (char)(0x80 | (cp >> 6 & 0x3F));
	to[3] = (char)(0x80 | (cp & 0x3F));
	return 4;
}

int utf8_encode(struct buf *out, int32_t cp)
{
	char bytes[4];
	size_t n = encode(bytes, cp);

	return buf_add(out, bytes, n);
}

static bool is_plain_ascii(char c)
{
	return c >= ' ' && c < '\177';
}

int utf8_width(int32_t cp)
{
	size_t low = 0, high = sizeof(width_ranges) / sizeof(width_ranges[0]);

	if (cp >= ' ' && cp < 0x7F)
		return 1;
	if (cp < 0 || cp > CODE_POINT_MAX)
		return -1;
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (cp > width_ranges[middle].last)
			low = middle + 1;
		else if (cp < width_ranges[middle].first)
			high = middle;
		else
			return width_ranges[middle].width;
	}
	return 1;
}

void utf8_show_init(struct utf8_show *s, struct str bytes, bool ascii_only)
{
	*s = (struct utf8_show){.rest = bytes, .ascii_only = ascii_only};
}

static void set_ascii(struct utf8_glyph *out, char c, bool escaped)
{
	out->bytes[0] = c;
	out->bytes[1] = '\0';
	out->len = 1;
	out->width = 1;
	out->escaped = escaped;
}

static bool next_pending(struct utf8_show *s, struct utf8_glyph *out)
{
	if (s->at >= s->npending)
		return false;
	set_ascii(out, s->pending[s->at++], true);
	return true;
}

/* Queue the escape of what can't be shown: byte is the raw byte where cp is -1. */
static void escape(struct utf8_show *s, int32_t cp, char byte)
{
	int n;

	if (cp < 0)
		n = snprintf(s->pending, sizeof(s->pending), "\\x%02X", (unsigned char)byte);
	else if (cp < ' ' || cp == 0x7F)
		n = snprintf(s->pending, sizeof(s->pending), "^%c", cp ^ 0x40);
	else
		n = snprintf(s->pending, sizeof(s->pending), "<U+%04X>", (unsigned)cp);
	s->npending = (uint8_t)n;
	s->at = 0;
}

static void add_marks(struct utf8_show *s, struct utf8_glyph *out)
{
	for (int i = 0; i < MARKS_MAX && s->rest.n > 0 && (unsigned char)s->rest.p[0] >= 0x80;
		i++) {
		struct str after = s->rest;
		int32_t cp = utf8_decode(&after);

		if (cp < 0 || utf8_width(cp) != 0)
			break;
		out->len = (uint8_t)(out->len + encode(out->bytes + out->len, cp));
		s->rest = after;
	}
	out->bytes[out->len] = '\0';
}

bool utf8_next_glyph(struct utf8_show *s, struct utf8_glyph *out)
{
	char first;
	int32_t cp;
	int width;

	if (next_pending(s, out))
		return true;
	if (s->rest.n == 0)
		return false;
	first = s->rest.p[0];
	cp = utf8_decode(&s->rest);
	if (cp == '\t')
		cp = ' ';
	width = utf8_width(cp);
	/* A mark at the start, after an escape, or the third of a cell has no base of its own. */
	if (width < 1 || (s->ascii_only && cp >= 0x80)) {
		escape(s, cp, first);
		return next_pending(s, out);
	}
	out->len = (uint8_t)encode(out->bytes, cp);
	out->width = (uint8_t)width;
	out->escaped = false;
	if (s->ascii_only)
		out->bytes[out->len] = '\0';
	else
		add_marks(s, out);
	return true;
}

int utf8_show_text(struct buf *out, struct str bytes, bool ascii_only)
{
	struct utf8_show s;
	struct utf8_glyph glyph;
	size_t plain = 0;
	int rc;

	/* Most text is plain ASCII; the last byte is left out, a mark may follow it. */
	while (plain < bytes.n && is_plain_ascii(bytes.p[plain]))
		plain++;
	if (plain < bytes.n && plain > 0)
		plain--;
	rc = buf_add(out, bytes.p, plain);
	utf8_show_init(&s, str_skip(bytes, plain), ascii_only);
	while (rc == 0 && utf8_next_glyph(&s, &glyph))
		rc = buf_add(out, glyph.bytes, glyph.len);
	return rc;
}

size_t utf8_show_width(struct str bytes, bool ascii_only)
{
	struct utf8_show s;
	struct utf8_glyph glyph;
	size_t columns = 0;

	utf8_show_init(&s, bytes, ascii_only);
	while (utf8_next_glyph(&s, &glyph))
		columns += glyph.width;
	return columns;
}

static int json_code_point(struct buf *out, int32_t cp)
{
	if (cp < 0)
		return buf_add_z(out, REPLACEMENT);
	if (cp == '"' || cp == '\\') {
		buf_add_char(out, '\\');
		return buf_add_char(out, (char)cp);
	}
	if (utf8_width(cp) >= 0)
		return utf8_encode(out, cp);
	if (cp < 0x10000)
		return buf_printf(out, "\\u%04x", (unsigned)cp);
	cp -= 0x10000;
	return buf_printf(out, "\\u%04x\\u%04x", 0xD800 + (unsigned)(cp >> 10),
		0xDC00 + (unsigned)(cp & 0x3FF));
}

int utf8_json(struct buf *out, struct str bytes)
{
	struct str rest = bytes;
	int rc = buf_add_char(out, '"');

	while (rc == 0 && rest.n > 0) {
		size_t plain = 0;

		while (plain < rest.n && is_plain_ascii(rest.p[plain]) && rest.p[plain] != '"' &&
			rest.p[plain] != '\\')
			plain++;
		rc = buf_add(out, rest.p, plain);
		rest = str_skip(rest, plain);
		if (rc == 0 && rest.n > 0)
			rc = json_code_point(out, utf8_decode(&rest));
	}
	return rc < 0 ? rc : buf_add_char(out, '"');
}

int utf8_csv(struct buf *out, struct str bytes)
{
	struct buf shown;
	struct str text;
	bool formula = bytes.n > 0 && memchr("=+-@\t\r", bytes.p[0], 6) != NULL;
	bool quoted = formula;
	int rc;

	buf_init(&shown, bytes.n * 10 + 1); /* the longest escape of a byte: <U+XXXXXX> */
	rc = utf8_show_text(&shown, bytes, false);
	text = buf_str(&shown);
	for (size_t i = 0; i < text.n && !quoted; i++)
		quoted = memchr("\",; ", text.p[i], 4) != NULL;
	if (rc == 0 && quoted)
		rc = buf_add_char(out, '"');
	if (rc == 0 && formula)
		rc = buf_add_char(out, '\'');
	for (size_t i = 0; i < text.n && rc == 0; i++) {
		if (text.p[i] == '"')
			rc = buf_add_char(out, '"');
		if (rc == 0)
			rc = buf_add_char(out, text.p[i]);
	}
	if (rc == 0 && quoted)
		rc = buf_add_char(out, '"');
	buf_done(&shown);
	return rc;
}
