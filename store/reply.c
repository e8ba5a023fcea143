/* SPDX-License-Identifier: MIT */
/*
 * reply - template and varying parts of a reply text; see reply.h.
 *
 * Invariant: reply_join(reply_split(x)) == x for any bytes. Nothing here knows SMTP beyond the two
 * shapes of codes that must stay readable in a template: 550 and 5.1.1 (also as 550-5.1.1).
 */
#include "store/reply.h"

#define ADDRESS_MAX_BYTES 512 /* a longer <...> is text, not an address (RFC 5321 path: 256) */
#define ELLIPSIS_UTF8 "\xe2\x80\xa6"

enum { SEPARATOR = 1, DIGIT = 2, LETTER = 4, INNER = 8 };

static const unsigned char class_of[256] = {
	[' '] = SEPARATOR,
	['\t'] = SEPARATOR,
	['('] = SEPARATOR,
	[')'] = SEPARATOR,
	['['] = SEPARATOR,
	[']'] = SEPARATOR,
	['{'] = SEPARATOR,
	['}'] = SEPARATOR,
	['<'] = SEPARATOR,
	['>'] = SEPARATOR,
	['"'] = SEPARATOR,
	['\''] = SEPARATOR,
	[','] = SEPARATOR,
	[';'] = SEPARATOR,
	['='] = SEPARATOR,
	['|'] = SEPARATOR,
	['.'] = INNER,
	['@'] = INNER,
	['0'] = DIGIT,
	['1'] = DIGIT,
	['2'] = DIGIT,
	['3'] = DIGIT,
	['4'] = DIGIT,
	['5'] = DIGIT,
	['6'] = DIGIT,
	['7'] = DIGIT,
	['8'] = DIGIT,
	['9'] = DIGIT,
	['A'] = LETTER,
	['B'] = LETTER,
	['C'] = LETTER,
	['D'] = LETTER,
	['E'] = LETTER,
	['F'] = LETTER,
	['G'] = LETTER,
	['H'] = LETTER,
	['I'] = LETTER,
	['J'] = LETTER,
	['K'] = LETTER,
	['L'] = LETTER,
	['M'] = LETTER,
	['N'] = LETTER,
	['O'] = LETTER,
	['P'] = LETTER,
	['Q'] = LETTER,
	['R'] = LETTER,
	['S'] = LETTER,
	['T'] = LETTER,
	['U'] = LETTER,
	['V'] = LETTER,
	['W'] = LETTER,
	['X'] = LETTER,
	['Y'] = LETTER,
	['Z'] = LETTER,
	['a'] = LETTER,
	['b'] = LETTER,
	['c'] = LETTER,
	['d'] = LETTER,
	['e'] = LETTER,
	['f'] = LETTER,
	['g'] = LETTER,
	['h'] = LETTER,
	['i'] = LETTER,
	['j'] = LETTER,
	['k'] = LETTER,
	['l'] = LETTER,
	['m'] = LETTER,
	['n'] = LETTER,
	['o'] = LETTER,
	['p'] = LETTER,
	['q'] = LETTER,
	['r'] = LETTER,
	['s'] = LETTER,
	['t'] = LETTER,
	['u'] = LETTER,
	['v'] = LETTER,
	['w'] = LETTER,
	['x'] = LETTER,
	['y'] = LETTER,
	['z'] = LETTER,
};

static unsigned classify(char c)
{
	return class_of[(unsigned char)c];
}

static size_t digits(struct str s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	return n;
}

static bool class_digit(char c)
{
	return c == '2' || c == '4' || c == '5';
}

/* 5.1.1, each further part 1 to 3 digits (RFC 3463). */
static bool is_enhanced_code(struct str s)
{
	size_t n;

	if (s.n < 5 || !class_digit(s.p[0]) || s.p[1] != '.')
		return false;
	s = str_skip(s, 2);
	n = digits(s);
	if (n < 1 || n > 3 || n + 1 >= s.n || s.p[n] != '.')
		return false;
	s = str_skip(s, n + 1);
	n = digits(s);
	return n == s.n && n >= 1 && n <= 3;
}

/* 550, 550-, 550-5.1.1, 5.1.1; a trailing colon is not part of the code. */
static bool is_code(struct str word)
{
	if (word.n && word.p[word.n - 1] == ':')
		word.n--;
	if (is_enhanced_code(word))
		return true;
	if (word.n < 3 || digits(word) != 3 || word.p[0] < '2' || word.p[0] > '5')
		return false;
	if (word.n == 3)
		return true;
	return word.p[3] == '-' && (word.n == 4 || is_enhanced_code(str_skip(word, 4)));
}

/* Digits vary (ids, addresses, times), and so does what has a dot or @ inside (names of hosts, URLs). */
static bool varies(struct str word)
{
	unsigned seen = 0;

	for (size_t i = 0; i < word.n; i++) {
		unsigned class = classify(word.p[i]);

		if (class != INNER ||
			(i > 0 && i + 1 < word.n && (classify(word.p[i + 1]) & (DIGIT | LETTER))))
			seen |= class;
	}
	return (seen & (DIGIT | INNER)) && !is_code(word);
}

/* Where a split is written: room for the whole text, and for its parts with a byte between two. */
struct split {
	char *template_out, *args_out;
	size_t ntemplate, nargs;
	bool has_args;
};

static void put_text(struct split *s, struct str text)
{
	memcpy(s->template_out + s->ntemplate, text.p, text.n);
	s->ntemplate += text.n;
}

static void put_hole(struct split *s, struct str arg)
{
	s->template_out[s->ntemplate++] = REPLY_HOLE;
	if (s->has_args)
		s->args_out[s->nargs++] = REPLY_HOLE;
	s->has_args = true;
	memcpy(s->args_out + s->nargs, arg.p, arg.n);
	s->nargs += arg.n;
}

/* Length of the text inside <...> at the start of s (behind the '<'), or 0 when it is no address. */
static size_t address_length(struct str s)
{
	for (size_t i = 0; i < s.n && i < ADDRESS_MAX_BYTES; i++) {
		if (s.p[i] == '>')
			return i;
		if (s.p[i] == ' ' || s.p[i] == '<')
			return 0;
	}
	return 0;
}

static struct str take_word(struct str *in)
{
	size_t n = 0;
	struct str word;

	while (n < in->n && !(classify(in->p[n]) & SEPARATOR))
		n++;
	word = str_first(*in, n);
	*in = str_skip(*in, n);
	/* punctuation behind a word is prose, not part of what varies */
	while (word.n > 1 && (word.p[word.n - 1] == ':' || word.p[word.n - 1] == '.')) {
		word.n--;
		*in = (struct str){in->p - 1, in->n + 1};
	}
	return word;
}

static void split(struct str text, struct split *s)
{
	while (text.n > 0) {
		if ((classify(text.p[0]) & SEPARATOR) || text.p[0] == ':' || text.p[0] == '.') {
			size_t n = text.p[0] == '<' ? address_length(str_skip(text, 1)) : 0;

			s->template_out[s->ntemplate++] = text.p[0];
			text = str_skip(text, 1);
			if (n > 0) {
				put_hole(s, str_first(text, n));
				text = str_skip(text, n);
			}
		} else {
			struct str word = take_word(&text);

			if (varies(word))
				put_hole(s, word);
			else
				put_text(s, word);
		}
	}
}

int reply_split(struct str text, struct buf *template_out, struct buf *args_out)
{
	struct split s = {0};

	buf_clear(template_out);
	buf_clear(args_out);
	if (str_find_char(text, REPLY_HOLE) < text.n)
		return buf_add_str(template_out, text);
	s.template_out = buf_reserve(template_out, text.n);
	s.args_out = buf_reserve(args_out, 2 * text.n);
	if (!s.template_out || !s.args_out)
		return template_out->err ? (int)template_out->err : (int)args_out->err;
	split(text, &s);
	buf_grow(template_out, s.ntemplate);
	buf_grow(args_out, s.nargs);
	return 0;
}

int reply_join(struct str tmpl, struct str args, struct buf *out)
{
	if (args.n == 0)
		return buf_add_str(out, tmpl);
	while (tmpl.n > 0) {
		size_t n = str_find_char(tmpl, REPLY_HOLE);

		buf_add_str(out, str_first(tmpl, n));
		tmpl = str_skip(tmpl, n);
		if (tmpl.n > 0) {
			size_t end = str_find_char(args, REPLY_HOLE);

			buf_add_str(out, str_first(args, end));
			args = str_skip(args, end + 1);
			tmpl = str_skip(tmpl, 1);
		}
	}
	return (int)out->err;
}

int reply_signature(struct str tmpl, bool utf8, struct buf *out)
{
	while (tmpl.n > 0) {
		size_t n = str_find_char(tmpl, REPLY_HOLE);

		buf_add_str(out, str_first(tmpl, n));
		tmpl = str_skip(tmpl, n);
		if (tmpl.n > 0) {
			buf_add_z(out, utf8 ? ELLIPSIS_UTF8 : "...");
			tmpl = str_skip(tmpl, 1);
		}
	}
	return (int)out->err;
}
