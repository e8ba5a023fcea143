/* SPDX-License-Identifier: MIT */
/* syslogwrap - the wrappers one by one; see syslogwrap.h. None is taken on a guess: each has its fixed marks. */
#include "backends/syslogwrap.h"

#include "store/base/scan.h"

#define PRI_MAX 191

static bool take_pri(struct str *line)
{
	struct str rest = *line;
	uint64_t pri;

	if (!scan_lit(&rest, STR_LIT("<")) || !scan_u64(&rest, 3, PRI_MAX, &pri) ||
		!scan_lit(&rest, STR_LIT(">")))
		return false;
	*line = rest;
	return true;
}

/* take_compose - docker compose's "name-1  | ". */
static bool take_compose(struct str *line)
{
	size_t bar = str_find(*line, STR_LIT(" | "));

	if (bar == line->n || str_find_char(str_first(*line, bar), '[') != bar)
		return false;
	*line = str_skip(*line, bar + 3);
	return true;
}

/* take_container - kubernetes' "STAMP stdout F " in front of the line's own head. */
static bool take_container(struct str *line)
{
	struct str word;
	struct str rest = *line;

	if (!scan_word(&rest, &word) || !scan_lit(&rest, STR_LIT(" std")))
		return false;
	if (!scan_word(&rest, &word) || !scan_lit(&rest, STR_LIT(" ")))
		return false;
	if (!scan_lit(&rest, STR_LIT("F ")) && !scan_lit(&rest, STR_LIT("P ")))
		return false;
	*line = rest;
	return true;
}

static bool hex4(struct str s, uint32_t *ret)
{
	*ret = 0;
	for (size_t i = 0; i < 4; i++) {
		char c = i < s.n ? s.p[i] : ' ';

		if (scan_is_digit(c))
			*ret = *ret * 16 + (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			*ret = *ret * 16 + (uint32_t)(c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			*ret = *ret * 16 + (uint32_t)(c - 'A' + 10);
		else
			return false;
	}
	return true;
}

/* put_utf8 - 1 to 4 bytes; the escape they come from had 6, or 12. */
static size_t put_utf8(char *out, uint32_t cp)
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xc0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xe0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
		out[2] = (char)(0x80 | (cp & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
	out[3] = (char)(0x80 | (cp & 0x3f));
	return 4;
}

/* unescape - one escape behind its backslash; returns the bytes written, never more than were taken. */
static size_t unescape(struct str *in, char *out)
{
	static const char names[] = "bfnrt", bytes[] = "\b\f\n\r\t";
	const char *name = in->n ? memchr(names, in->p[0], sizeof(names) - 1) : NULL;
	uint32_t high, low;

	if (in->n && in->p[0] == 'u' && hex4(str_skip(*in, 1), &high)) {
		*in = str_skip(*in, 5);
		if (high >= 0xd800 && high < 0xdc00 && str_starts(*in, STR_LIT("\\u")) &&
			hex4(str_skip(*in, 2), &low) && low >= 0xdc00 && low < 0xe000) {
			*in = str_skip(*in, 6);
			high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
		}
		return put_utf8(out, high);
	}
	if (in->n == 0)
		return 0;
	out[0] = name ? bytes[name - names] : in->p[0];
	*in = str_skip(*in, 1);
	return 1;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* json_head - {"log":" with or without blanks between: docker writes none, what passes it on (jq, fluentd) may. */
static bool json_head(struct str *in)
{
	static const char *const tokens[] = {"{", "\"log\"", ":", "\""};

	for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
		if (i)
			scan_while(in, is_blank);
		if (!scan_lit(in, str_of(tokens[i])))
			return false;
	}
	return true;
}

/* take_json - {"log":"...\n","stream":...}: the string's bytes; docker escapes '<', '>' and '&' too. */
static bool take_json(struct str *line, char *scratch)
{
	struct str rest = *line;
	size_t n = 0;

	if (!json_head(&rest))
		return false;
	while (rest.n && rest.p[0] != '"') {
		char c = rest.p[0];

		rest = str_skip(rest, 1);
		if (c == '\\')
			n += unescape(&rest, scratch + n);
		else
			scratch[n++] = c;
	}
	while (n && (scratch[n - 1] == '\n' || scratch[n - 1] == '\r'))
		n--;
	*line = str_make(scratch, n);
	return true;
}

/* take_bgl - "- 1131566461 2005.11.09 aadmin1 " in front of the head. */
static bool take_bgl(struct str *line)
{
	struct str rest = *line;
	struct str word;

	if (!scan_lit(&rest, STR_LIT("- ")))
		return false;
	for (int i = 0; i < 3; i++)
		if (!scan_word(&rest, &word) || !scan_lit(&rest, STR_LIT(" ")))
			return false;
	*line = rest;
	return true;
}

bool syslogwrap_take(struct str *line, char *scratch)
{
	return take_pri(line) || (line->p != scratch && take_json(line, scratch)) ||
	       take_container(line) || take_bgl(line) || take_compose(line);
}
