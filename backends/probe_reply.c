/* SPDX-License-Identifier: MIT */
/* probe_reply - see probe_reply.h. */
#include "backends/probe_reply.h"

#include "store/base/scan.h"

#define CODE_DIGITS 3
#define CODE_MIN 200
#define CODE_MAX 559 /* RFC 5321 4.2: first digit 2..5, second 0..5 */
#define STARS_MIN 8
#define HOST_MAX_BYTES 253
#define TEXT_MAX_BYTES ((REPLY_LINE_MAX_BYTES + 1) * REPLY_LINES_MAX)

void probe_reply_init(struct probe_reply *r)
{
	*r = (struct probe_reply){.code = 0};
	buf_init(&r->line, REPLY_LINE_MAX_BYTES);
	buf_init(&r->text, TEXT_MAX_BYTES);
}

void probe_reply_done(struct probe_reply *r)
{
	buf_done(&r->line);
	buf_done(&r->text);
}

void probe_reply_clear(struct probe_reply *r)
{
	buf_clear(&r->line);
	buf_clear(&r->text);
	r->code = 0;
	r->nlines = 0;
	r->bad = NULL;
}

static enum reply_state bad(struct probe_reply *r, const char *what)
{
	r->bad = what;
	return REPLY_BAD;
}

/* take_line - one whole line, its end taken off. */
static enum reply_state take_line(struct probe_reply *r)
{
	struct str line = buf_str(&r->line), rest = line;
	uint64_t code;
	bool last;

	if (line.n && line.p[line.n - 1] == '\r')
		rest.n--;
	if (!scan_u64(&rest, CODE_DIGITS, CODE_MAX, &code) || code < CODE_MIN)
		return bad(r, "a line without a reply code");
	if (rest.n && rest.p[0] != ' ' && rest.p[0] != '-')
		return bad(r, "a line without a reply code");
	if (r->code && r->code != (int)code)
		return bad(r, "a reply with two codes");
	last = rest.n == 0 || rest.p[0] == ' ';
	r->code = (int)code;
	if (r->nlines++)
		(void)buf_add_char(&r->text, '\n');
	if (buf_add_str(&r->text, str_skip(rest, 1)) < 0 || r->text.err != MT_OK)
		return bad(r, "a reply that is too long");
	if (last)
		return REPLY_DONE;
	return r->nlines < REPLY_LINES_MAX ? REPLY_MORE : bad(r, "a reply of too many lines");
}

enum reply_state probe_reply_take(struct probe_reply *r, struct str *in)
{
	enum reply_state state = REPLY_MORE;

	while (in->n && state == REPLY_MORE) {
		size_t end = str_find_char(*in, '\n');
		struct str part = str_first(*in, end);
		bool whole = end < in->n;

		if (str_find_char(part, '\0') < part.n)
			return bad(r, "a NUL byte");
		if (buf_add_str(&r->line, part) < 0)
			return bad(r, "a line that is too long");
		*in = str_skip(*in, end + 1);
		if (!whole)
			break;
		state = take_line(r);
		buf_clear(&r->line);
	}
	return state;
}

static bool all_x(struct str word)
{
	size_t n = 0;

	while (n < word.n && word.p[n] == 'X')
		n++;
	/* Cisco's fixup makes STARTTLS into XXXXXXXA. */
	return n >= STARS_MIN - 1 && n + 1 >= word.n;
}

void probe_reply_keywords(struct str text, struct reply_keywords *out)
{
	*out = (struct reply_keywords){.starttls = false};
	text = str_skip(text, str_find_char(text, '\n') + 1); /* the first line is the greeting */
	while (text.n) {
		size_t end = str_find_char(text, '\n'), word_end = 0;
		struct str line = str_first(text, end), word;

		while (word_end < line.n && line.p[word_end] != ' ' && line.p[word_end] != '=')
			word_end++;
		word = str_first(line, word_end);
		out->starttls = out->starttls || str_ieq(word, STR_LIT("STARTTLS"));
		out->auth = out->auth || str_ieq(word, STR_LIT("AUTH"));
		out->stars = out->stars || all_x(word);
		text = str_skip(text, end + 1);
	}
}

bool probe_reply_starred(struct str text)
{
	size_t run = 0;

	for (size_t i = 0; i < text.n && run < STARS_MIN; i++)
		run = text.p[i] == '*' ? run + 1 : 0;
	return run >= STARS_MIN;
}

struct str probe_reply_first(struct str text)
{
	return str_first(text, str_find_char(text, '\n'));
}

struct str probe_reply_name(struct str text)
{
	struct str line = probe_reply_first(text);
	struct str word = str_first(line, str_find_char(line, ' '));

	return probe_host_valid(word) ? word : (struct str){NULL, 0};
}

bool probe_host_valid(struct str host)
{
	for (size_t i = 0; i < host.n; i++)
		if (!scan_is_alnum(host.p[i]) && host.p[i] != '.' && host.p[i] != '-' &&
			host.p[i] != '_' && host.p[i] != ':')
			return false;
	return host.n > 0 && host.n <= HOST_MAX_BYTES && host.p[0] != '-';
}
