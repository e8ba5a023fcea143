/* SPDX-License-Identifier: MIT */
/* exim/token - the small readers of the Exim log: message ids, hosts, addresses, fields, intervals. */
#include "backends/exim/parse.h"
#include "store/base/scan.h"

#define PORT_MAX 65535
#define KEY_MAX_BYTES 8
#define CS_PER_S 100
#define INTERVAL_DIGITS 9

static size_t alnum_run(struct str s, size_t from)
{
	size_t at = from;

	while (at < s.n && scan_is_alnum(s.p[at]))
		at++;
	return at - from;
}

/* id_bytes - length of the message id at the start, 0 if there is none. */
static size_t id_bytes(struct str s)
{
	size_t middle;

	if (s.n < 16 || s.p[6] != '-' || alnum_run(str_first(s, 6), 0) != 6)
		return 0;
	middle = alnum_run(s, 7);
	if (middle == 6 && s.p[13] == '-' && alnum_run(s, 14) == 2)
		return 16;
	return middle == 11 && s.n >= 23 && s.p[18] == '-' && alnum_run(s, 19) == 4 ? 23 : 0;
}

bool exim_is_id(struct str s)
{
	return s.n > 0 && id_bytes(s) == s.n;
}

bool exim_take_id(struct str *in, struct str *ret)
{
	size_t n = id_bytes(*in);

	if (n == 0 || (n < in->n && in->p[n] != ' '))
		return false;
	*ret = str_first(*in, n);
	*in = str_skip(*in, n + 1);
	return true;
}

static void take_port(struct str *in, int32_t *ret)
{
	struct str rest = *in;
	uint64_t port;

	if (scan_lit(&rest, STR_LIT(":")) && scan_u64(&rest, 5, PORT_MAX, &port)) {
		*ret = (int32_t)port;
		*in = rest;
	}
}

/* take_ip - "[ip]"; an address may be cut by its closing bracket's loss, then a colon and a space end it. */
static bool take_ip(struct str *in, struct str *ret)
{
	struct str rest = *in;
	size_t n = 0;

	if (!scan_lit(&rest, STR_LIT("[")))
		return false;
	while (n < rest.n && rest.p[n] != ']' && rest.p[n] != ' ')
		n++;
	*ret = str_first(rest, n);
	if (n < rest.n && rest.p[n] == ']')
		n++;
	else if (ret->n && ret->p[ret->n - 1] == ':')
		*ret = str_first(*ret, --n);
	*in = str_skip(rest, n);
	return true;
}

static struct str take_helo(struct str *in)
{
	struct str rest = str_skip(*in, 1);
	size_t n = str_find(rest, STR_LIT(") ["));

	if (n == rest.n)
		n = str_find_char(rest, ')');
	*in = str_skip(rest, n + 1);
	return str_first(rest, n);
}

static bool follows(struct str s, char c)
{
	return s.n > 1 && s.p[0] == ' ' && s.p[1] == c;
}

bool exim_take_host(struct str *in, struct exim_host *ret)
{
	struct str rest = *in;

	*ret = (struct exim_host){.port = EVENT_UNKNOWN};
	if (rest.n == 0 || rest.p[0] == ' ')
		return false;
	if (rest.p[0] != '[' && rest.p[0] != '(') {
		size_t n = str_find_char(rest, ' ');

		ret->name = str_first(rest, n);
		rest = str_skip(rest, n);
	}
	if (rest.n && rest.p[0] == '(')
		ret->helo = take_helo(&rest);
	else if (follows(rest, '(')) {
		rest = str_skip(rest, 1);
		ret->helo = take_helo(&rest);
	}
	if (follows(rest, '['))
		rest = str_skip(rest, 1);
	if (take_ip(&rest, &ret->ip))
		take_port(&rest, &ret->port);
	ret->whole = str_first(*in, in->n - rest.n);
	ret->reused = scan_lit(&rest, STR_LIT("*"));
	*in = rest;
	return true;
}

bool exim_take_quoted(struct str *in, struct str *ret)
{
	size_t n = 1;

	if (in->n == 0 || in->p[0] != '"')
		return false;
	while (n < in->n && in->p[n] != '"')
		n += in->p[n] == '\\' ? 2 : 1;
	n = n > in->n ? in->n : n;
	*ret = str_make(in->p + 1, n - 1);
	*in = str_skip(*in, n + 1);
	return true;
}

/* end_of_command - where a |command, a file name or the like ends: at what can only come behind an address. */
static size_t end_of_command(struct str s)
{
	static const struct str marks[] = {STR_INIT(" <"), STR_INIT(" R="), STR_INIT(" F=<"),
		STR_INIT(" T="), STR_INIT(" P=<"), STR_INIT(": ")};
	size_t end = s.n;

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		size_t at = str_find(str_first(s, end), marks[i]);

		end = at < end ? at : end;
	}
	return end;
}

struct str exim_take_address(struct str *in)
{
	struct str address;
	size_t n = 0;

	if (in->n && (in->p[0] == '|' || in->p[0] == '/' || in->p[0] == '>')) {
		n = end_of_command(*in);
	} else {
		bool quoted = false;

		for (; n < in->n && (quoted || in->p[n] != ' '); n++) {
			if (in->p[n] == '\\' && quoted)
				n++;
			else if (in->p[n] == '"')
				quoted = !quoted;
		}
		n = n > in->n ? in->n : n;
		if (quoted) /* never closed: a local part with a quote in it */
			n = str_find_char(*in, ' ');
	}
	address = str_first(*in, n);
	*in = str_skip(*in, n);
	return address;
}

/* take_value - what is behind "K=". */
static void take_value(
	struct str *rest, struct str key, struct str *ret_value, struct exim_host *host)
{
	size_t n;

	if (key.n == 1 && key.p[0] == 'H' && exim_take_host(rest, host)) {
		*ret_value = host->whole;
		return;
	}
	if (exim_take_quoted(rest, ret_value))
		return;
	n = str_find_char(*rest, ' ');
	if (rest->n && rest->p[0] == '<' && str_find_char(*rest, '>') < rest->n) {
		size_t close = str_find(*rest, STR_LIT("> "));

		n = close < rest->n ? close + 1 : n;
	} else if (n > 0 && n < rest->n && rest->p[n - 1] == ':') {
		n--; /* the error text follows */
	}
	*ret_value = str_first(*rest, n);
	*rest = str_skip(*rest, n);
}

bool exim_take_field(
	struct str *in, struct str *ret_key, struct str *ret_value, struct exim_host *host)
{
	struct str rest = *in;
	size_t n = 0;

	if (!scan_lit(&rest, STR_LIT(" ")))
		return false;
	while (n < rest.n && n <= KEY_MAX_BYTES && scan_is_alnum(rest.p[n]))
		n++;
	if (n == 0 || n >= rest.n || rest.p[n] != '=')
		return false;
	*ret_key = str_first(rest, n);
	rest = str_skip(rest, n + 1);
	take_value(&rest, *ret_key, ret_value, host);
	*in = rest;
	return true;
}

static int64_t unit_s(char c)
{
	switch (c) {
	case 's':
		return 1;
	case 'm':
		return 60;
	case 'h':
		return 3600;
	case 'd':
		return 86400;
	case 'w':
		return 604800;
	default:
		return 0;
	}
}

int32_t exim_cs(struct str s)
{
	int64_t total = 0;
	struct str seconds = str_first(s, s.n ? s.n - 1 : 0);

	if (s.n && s.p[s.n - 1] == 's' && scan_centis(&seconds, DELAY_MAX_CS, &total) &&
		seconds.n == 0)
		return (int32_t)total;
	total = 0;
	if (s.n == 0)
		return EVENT_UNKNOWN;
	while (s.n) {
		uint64_t n;
		int64_t unit;

		if (!scan_u64(&s, INTERVAL_DIGITS, DELAY_MAX_CS, &n) || s.n == 0)
			return EVENT_UNKNOWN;
		unit = unit_s(s.p[0]);
		total += (int64_t)n * unit * CS_PER_S;
		if (unit == 0 || total > DELAY_MAX_CS)
			return EVENT_UNKNOWN;
		s = str_skip(s, 1);
	}
	return (int32_t)total;
}
