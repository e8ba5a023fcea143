/* SPDX-License-Identifier: MIT */
/* exim/header - see header.h. */
#include "backends/exim/header.h"

#include "backends/exim/parse.h"
#include "store/base/map.h"
#include "store/base/scan.h"

#define MS_PER_S 1000
#define TIME_DIGITS 12
#define TIME_MAX_S 253402300799 /* 9999-12-31T23:59:59Z */
#define COUNT_DIGITS 7
#define LENGTH_DIGITS 9
#define LENGTH_MAX 100000000
#define ID_TIME_DIGITS 6

static struct str take_line(struct str *in)
{
	size_t n = str_find_char(*in, '\n');
	struct str line = str_first(*in, n);

	*in = str_skip(*in, n + 1);
	return line;
}

static int base62(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'Z')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'z' ? c - 'a' + 36 : -1;
}

int64_t exim_id_time_ms(struct str id)
{
	int64_t s = 0;

	if (!exim_is_id(id))
		return EVENT_UNKNOWN;
	for (size_t i = 0; i < ID_TIME_DIGITS; i++)
		s = s * 62 + base62(id.p[i]);
	return s * MS_PER_S;
}

/* "-acl... N": a value of N bytes and a newline follow. */
static void skip_value(struct str line, struct str *in)
{
	struct str last = str_skip(line, str_rfind_char(line, ' ') + 1);
	uint64_t n;

	if (scan_u64(&last, LENGTH_DIGITS, LENGTH_MAX, &n) && last.n == 0)
		*in = str_skip(*in, (size_t)n + 1);
}

/* option - a line "-name value"; a second dash, perhaps with a lookup in parentheses, marks it as a stranger's text. */
static void option(struct exim_header *h, struct str line, struct str *in)
{
	struct str name = str_skip(line, 1), word;
	uint64_t s;

	if (scan_lit(&name, STR_LIT("-")) && name.n && name.p[0] == '(')
		name = str_skip(name, str_find_char(name, ')') + 1);
	word = str_first(name, str_find_char(name, ' '));
	if (str_starts(word, STR_LIT("acl"))) {
		skip_value(line, in);
	} else if (str_eq(word, STR_LIT("frozen"))) {
		struct str when = str_skip(name, word.n + 1);

		h->frozen = true;
		if (scan_u64(&when, TIME_DIGITS, TIME_MAX_S, &s))
			h->frozen_ms = (int64_t)s * MS_PER_S;
	} else if (str_eq(word, STR_LIT("deliver_firsttime"))) {
		h->first_try = true;
	}
}

/* The tree of recipients done: "XX" when there is none, else a node a line, "YN address": does it have a left, a right. */
static bool read_done(struct str *in, struct map *done)
{
	size_t due = 1;

	if (scan_lit(in, STR_LIT("XX\n")))
		return true;
	while (due > 0) {
		struct str line = take_line(in);

		if (line.n < 4 || line.p[2] != ' ')
			return false;
		for (size_t i = 0; i < 2; i++) {
			if (line.p[i] != 'Y' && line.p[i] != 'N')
				return false;
			due += line.p[i] == 'Y';
		}
		map_set(done, str_skip(line, 3), 1);
		due--;
	}
	return true;
}

/* The last word of *s and the space before it, taken off. */
static struct str last_word(struct str *s)
{
	size_t space = str_rfind_char(*s, ' ');
	struct str word = space == s->n ? *s : str_skip(*s, space + 1);

	*s = space == s->n ? str_first(*s, 0) : str_first(*s, space);
	return word;
}

/* "text N,M" at the end of *s: text has N bytes. */
static bool drop_counted(struct str *s)
{
	struct str word = last_word(s);
	uint64_t n;

	if (!scan_u64(&word, LENGTH_DIGITS, LENGTH_MAX, &n) || !scan_lit(&word, STR_LIT(",")) ||
		n + 1 > s->n)
		return false;
	*s = str_first(*s, s->n - (size_t)n - 1);
	return true;
}

/* recipient - the address of a recipient's line: alone, or with "errors-to N,parent#1", "orcpt N,dsn errors-to N,parent#3". */
static struct str recipient(struct str line)
{
	struct str whole = line, s = line;
	size_t hash = str_rfind_char(line, '#');
	unsigned flags;

	if (hash + 2 != line.n || line.p[hash + 1] < '0' || line.p[hash + 1] > '3')
		return line;
	flags = (unsigned)(line.p[hash + 1] - '0');
	s = str_first(s, hash);
	if ((flags & 1) && !drop_counted(&s))
		return whole;
	if ((flags & 2) && !drop_counted(&s))
		return whole;
	return s.n ? s : whole;
}

static int read_recipients(struct exim_header *h, struct str *in, const struct map *done)
{
	struct str line = take_line(in);
	uint64_t n, ignored;
	int rc = 0;

	if (!scan_all_u64(line, QUEUE_RCPTS_MAX, &n) || line.n > COUNT_DIGITS)
		return MT_EINVAL;
	h->nrcpt = (size_t)n;
	for (size_t i = 0; i < n && rc == 0; i++) {
		struct str address;

		if (in->n == 0)
			return MT_EINVAL;
		address = recipient(take_line(in));
		if (!map_get(done, address, &ignored))
			rc = queue_rcpts_add(&h->left, address, (struct str){NULL, 0});
	}
	return rc;
}

/* "NNNT text": NNN bytes of text; a type of '*' is kept but not sent. */
static int64_t add_headers(struct str in)
{
	int64_t total = 0;

	while (in.n) {
		uint64_t n;
		char type;

		if (!scan_u64(&in, LENGTH_DIGITS, LENGTH_MAX, &n) || in.n < 2 || in.p[1] != ' ')
			return EVENT_UNKNOWN;
		type = in.p[0];
		in = str_skip(in, 2);
		if (n > in.n)
			return EVENT_UNKNOWN;
		total += type == '*' ? 0 : (int64_t)n;
		in = str_skip(in, (size_t)n);
	}
	return total;
}

/* "ID-H", the login, "<sender>", "SECONDS warnings". */
static bool read_envelope(struct exim_header *h, struct str *in)
{
	struct str line = take_line(in);
	uint64_t s;

	if (!str_ends(line, STR_LIT("-H")))
		return false;
	h->id = str_first(line, line.n - 2);
	if (!exim_is_id(h->id))
		return false;
	(void)take_line(in);
	line = take_line(in);
	if (line.n < 2 || line.p[0] != '<' || line.p[line.n - 1] != '>')
		return false;
	h->sender = str_make(line.p + 1, line.n - 2);
	line = take_line(in);
	if (!scan_u64(&line, TIME_DIGITS, TIME_MAX_S, &s) || !scan_lit(&line, STR_LIT(" ")))
		return false;
	h->received_ms = (int64_t)s * MS_PER_S;
	return true;
}

int exim_header_parse(struct str bytes, struct str journal, struct exim_header *h)
{
	struct queue_rcpts left = h->left;
	struct map done;
	int rc = MT_EINVAL;

	left.n = 0;
	*h = (struct exim_header){
		.frozen_ms = EVENT_UNKNOWN, .header_bytes = EVENT_UNKNOWN, .left = left};
	map_init(&done);
	if (!read_envelope(h, &bytes))
		goto out;
	while (bytes.n && bytes.p[0] == '-') {
		struct str line = take_line(&bytes);

		option(h, line, &bytes);
	}
	if (!read_done(&bytes, &done))
		goto out;
	while (journal.n)
		map_set(&done, take_line(&journal), 1);
	rc = read_recipients(h, &bytes, &done);
	if (rc == 0 && scan_lit(&bytes, STR_LIT("\n")))
		h->header_bytes = add_headers(bytes);
out:
	map_done(&done);
	return rc;
}

void exim_header_done(struct exim_header *h)
{
	queue_rcpts_done(&h->left);
}
