/* SPDX-License-Identifier: MIT */
/* sendmail/token - the pieces of Sendmail's lines: queue ids, addresses, clients, codes. */
#include "backends/sendmail/parse.h"
#include "store/base/scan.h"

#define ID_BYTES_MIN 7 /* SAA1592: a pid of four digits, before 8.10 */
#define ID_BYTES_MAX 20
#define ID_DIGITS_MIN 3 /* it ends in the process' id */
#define PART_DIGITS 3
#define CODE_MIN 200
#define CODE_MAX 599
#define DSN_DETAIL_MAX 999

static bool is_id(struct str s)
{
	size_t digits = 0;

	while (digits < s.n && scan_is_digit(s.p[s.n - 1 - digits]))
		digits++;
	return s.n >= ID_BYTES_MIN && s.n <= ID_BYTES_MAX && digits >= ID_DIGITS_MIN;
}

void sendmail_take_id(struct str *in, struct str *ret, uint64_t *ret_part)
{
	struct str rest = *in, id;
	uint64_t part = 0;
	size_t n = 0;

	*ret = (struct str){NULL, 0};
	*ret_part = 0;
	while (n < rest.n && scan_is_alnum(rest.p[n]))
		n++;
	id = str_first(rest, n);
	rest = str_skip(rest, n);
	if (n == 0 || (!is_id(id) && !str_eq(id, STR_LIT("NOQUEUE"))))
		return;
	if (scan_lit(&rest, STR_LIT("[")) &&
		(!scan_u64(&rest, PART_DIGITS, 999, &part) || !scan_lit(&rest, STR_LIT("]"))))
		return;
	if (!scan_lit(&rest, STR_LIT(": ")))
		return;
	*in = rest;
	*ret_part = part;
	if (is_id(id))
		*ret = id;
}

struct str sendmail_take_address(struct str *in)
{
	struct str whole = *in, address;
	bool quoted = false, inside = false;
	size_t n = 0;

	for (; n < whole.n; n++) {
		char c = whole.p[n];

		if (quoted && c == '\\')
			n++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '<' || c == '>'))
			inside = c == '<';
		else if (c == ',' && !quoted && !inside)
			break;
	}
	if (n > whole.n)
		n = whole.n;
	if (n == whole.n &&
		(quoted || inside)) /* cut, or made to mislead: the first comma ends it */
		n = str_find_char(whole, ',');
	address = str_first(whole, n);
	/* a comma with a space behind it ends the list and stays */
	*in = str_skip(whole, n + (n < whole.n && (n + 1 == whole.n || whole.p[n + 1] != ' ')));
	return address;
}

struct str sendmail_bare(struct str address)
{
	if (address.n > 1 && address.p[0] == '<' && address.p[address.n - 1] == '>')
		return str_make(address.p + 1, address.n - 2);
	return address;
}

void sendmail_codes(struct event *e, struct str text, bool dsn)
{
	uint64_t code, class_digit, subject, detail;

	if (text.n < 4 || (text.p[3] != ' ' && text.p[3] != '-') ||
		!scan_u64(&text, 3, CODE_MAX, &code) || code < CODE_MIN)
		return;
	e->code = (int32_t)code;
	text = str_skip(text, 1);
	if (dsn && scan_u64(&text, 1, 9, &class_digit) && class_digit == code / 100 &&
		scan_lit(&text, STR_LIT(".")) && scan_u64(&text, 3, DSN_DETAIL_MAX, &subject) &&
		scan_lit(&text, STR_LIT(".")) && scan_u64(&text, 3, DSN_DETAIL_MAX, &detail))
		e->dsn = (int32_t)DSN_MAKE(class_digit, subject, detail);
}

bool sendmail_set_client(struct event *e, struct str relay)
{
	size_t open = str_rfind_char(relay, '['), close, at;
	struct str ip = str_skip(relay, open + 1), name;

	close = str_find_char(ip, ']');
	if (open == relay.n || close == ip.n)
		return false;
	ip = str_first(ip, close);
	scan_lit(&ip, STR_LIT("IPv6:"));
	name = str_trim(str_first(relay, open));
	at = str_rfind_char(name, '@'); /* what an ident server said of the user */
	e->client_host = at < name.n ? str_skip(name, at + 1) : name;
	if (e->client_host.n == 0)
		e->client_host = (struct str){NULL, 0};
	e->client_ip = ip;
	return true;
}
