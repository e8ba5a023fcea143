/* SPDX-License-Identifier: MIT */
/* token - the small readers of the Postfix log: queue ids, addresses, host[ip]:port, enhanced codes. */
#include "backends/postfix/parse.h"
#include "store/base/scan.h"

#define SHORT_ID_MIN_BYTES 5 /* inode and microseconds in hex: five digits at least */
#define LONG_ID_MIN_BYTES 10
#define ID_MAX_BYTES 24
#define PORT_MAX 65535
#define DSN_DETAIL_MAX 999

/* What a byte can be in a queue id: 1 upper-case hex digit, 2 of the long alphabet (no vowels). An 'X' is both:
 * logs that are passed on have short ids with their ends made unreadable, "7E1AEC2C388XXXX". */
/* clang-format off */
static const uint8_t id_class[256] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 0, 0, 0, 0, 0, 0,
	0, 1, 3, 3, 3, 1, 3, 2, 2, 0, 2, 2, 2, 2, 2, 0, 2, 2, 2, 2, 2, 0, 2, 2, 3, 2, 2, 0, 0, 0, 0, 0,
	0, 0, 2, 2, 2, 0, 2, 2, 2, 0, 2, 2, 2, 2, 2, 0, 2, 2, 2, 2, 2, 0, 2, 2, 2, 2, 2, 0, 0, 0, 0, 0,
};
/* clang-format on */

static bool id_shape(const char *p, size_t n, unsigned common)
{
	(void)p;
	return n <= ID_MAX_BYTES && (((common & 1) && n >= SHORT_ID_MIN_BYTES) ||
					    ((common & 2) && n >= LONG_ID_MIN_BYTES));
}

bool postfix_is_queue_id(struct str s)
{
	unsigned common = 3;

	for (size_t i = 0; i < s.n && common; i++)
		common &= id_class[(unsigned char)s.p[i]];
	return id_shape(s.p, s.n, common);
}

bool postfix_queue_id(struct str *in, struct str *ret)
{
	unsigned common = 3;
	size_t n = 0;

	while (n < in->n && n <= ID_MAX_BYTES && in->p[n] != ':') {
		common &= id_class[(unsigned char)in->p[n]];
		if (!common)
			return false;
		n++;
	}
	if (n + 1 >= in->n || in->p[n + 1] != ' ' || !id_shape(in->p, n, common))
		return false;
	*ret = str_first(*in, n);
	*in = str_skip(*in, n + 2);
	return true;
}

/* quoted_end - index behind a quoted string that begins at 0, or n if it does not end. */
static size_t quoted_end(struct str s)
{
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			return i + 1;
	}
	return s.n;
}

/*
 * address_end - at the '>' that something of the record follows, else at the first: before 3.5 an address was
 * logged without its quotes and may hold a '>'.
 */
static size_t address_end(struct str s, size_t from)
{
	size_t first = from + str_find_char(str_skip(s, from), '>');

	for (size_t end = first; end < s.n; end += 1 + str_find_char(str_skip(s, end + 1), '>')) {
		if (end + 1 == s.n || s.p[end + 1] == ',' || s.p[end + 1] == ' ' ||
			s.p[end + 1] == ';' || s.p[end + 1] == ':')
			return end;
	}
	return first;
}

bool postfix_take_address(struct str *in, struct str *ret)
{
	struct str rest = *in;
	size_t from = 0, end;

	if (!scan_lit(&rest, STR_LIT("<"))) {
		for (end = 0; end < rest.n && rest.p[end] != ',' && rest.p[end] != ';' &&
			      rest.p[end] != ' ';
			end++)
			;
		*ret = str_first(rest, end);
		*in = str_skip(rest, end);
		return end > 0;
	}
	if (rest.n && rest.p[0] == '"')
		from = quoted_end(rest);
	if (from >= rest.n)
		from = 0;
	end = address_end(rest, from);
	*ret = str_first(rest, end);
	*in = str_skip(rest, end + 1);
	return true;
}

bool postfix_take_client(struct event *e, struct str *in)
{
	struct str rest = *in;
	size_t open = str_find_char(rest, '[');
	size_t close;
	uint64_t port;

	if (open == rest.n)
		return false;
	close = open + str_find_char(str_skip(rest, open), ']');
	if (close == rest.n)
		return false;
	e->client_host = str_first(rest, open);
	e->client_ip = str_make(rest.p + open + 1, close - open - 1);
	rest = str_skip(rest, close + 1);
	*in = rest;
	if (scan_lit(&rest, STR_LIT(":")) && scan_u64(&rest, 5, PORT_MAX, &port)) {
		e->client_port = (int32_t)port;
		*in = rest;
	}
	return true;
}

int32_t postfix_dsn(struct str *in)
{
	struct str rest = *in;
	uint64_t class_digit, subject, detail;

	if (!scan_u64(&rest, 1, 9, &class_digit) || !scan_lit(&rest, STR_LIT(".")) ||
		!scan_u64(&rest, 3, DSN_DETAIL_MAX, &subject) || !scan_lit(&rest, STR_LIT(".")) ||
		!scan_u64(&rest, 3, DSN_DETAIL_MAX, &detail))
		return 0;
	*in = rest;
	return (int32_t)DSN_MAKE(class_digit, subject, detail);
}
