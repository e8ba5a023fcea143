/* SPDX-License-Identifier: MIT */
/* ports - stock service names and their ports; see ports.h. Does not read master.cf. */
#include "store/ports.h"

#include "store/base/scan.h"
#include "store/event.h"

#define PORT_MAX 65535
#define PORT_SMTP 25
#define PORT_SUBMISSIONS 465 /* RFC 8314 3.3 */
#define PORT_SUBMISSION 587 /* RFC 6409 3.1 */

struct stock {
	struct str name;
	int32_t port;
	int wrapper;
};

static struct str last_part(struct str *tag)
{
	size_t slash = str_rfind_char(*tag, '/');
	struct str part = slash < tag->n ? str_skip(*tag, slash + 1) : *tag;

	*tag = slash < tag->n ? str_first(*tag, slash) : str_first(*tag, 0);
	return part;
}

/* A listener known by nothing but its port: Exim's I=[ip]:port. */
static bool is_port(struct str tag)
{
	uint64_t port;

	return tag.n > 0 && scan_is_digit(tag.p[0]) && scan_all_u64(tag, PORT_MAX, &port) &&
	       port > 0;
}

bool ports_listens(struct str tag)
{
	const struct str whole = tag;
	struct str process = last_part(&tag);

	return str_eq(process, STR_LIT("smtpd")) || str_eq(process, STR_LIT("postscreen")) ||
	       str_eq(process, STR_LIT("qmqpd")) || is_port(whole) ||
	       str_eq(whole, STR_LIT("exim")) || str_eq(whole, STR_LIT("opensmtpd")) ||
	       str_eq(whole, STR_LIT("sendmail"));
}

/* The name between instance and process: empty for "postfix/smtpd". */
static struct str middle_name(struct str instance_and_name)
{
	struct str rest = instance_and_name;
	struct str name = last_part(&rest);

	return rest.n ? name : str_first(name, 0);
}

/* named_port - "10025", "127.0.0.1:10025", "[::1]:10025": syslog_name=postfix/$service_name names the port. */
static int32_t named_port(struct str name)
{
	size_t colon = str_rfind_char(name, ':');
	uint64_t port;

	if (colon < name.n)
		name = str_skip(name, colon + 1);
	return scan_all_u64(name, PORT_MAX, &port) && port > 0 ? (int32_t)port : EVENT_UNKNOWN;
}

int32_t ports_stock(struct str tag, int *ret_wrapper)
{
	static const struct stock stock[] = {
		{{"", 0}, PORT_SMTP, 0},
		{{"smtp", 4}, PORT_SMTP, 0},
		{{"smtps", 5}, PORT_SUBMISSIONS, 1},
		{{"submission", 10}, PORT_SUBMISSION, 0},
		{{"submissions", 11}, PORT_SUBMISSIONS, 1},
	};
	struct str rest = tag, process = last_part(&rest), name = middle_name(rest);
	bool smtpd = str_eq(process, STR_LIT("smtpd"));

	if (ret_wrapper)
		*ret_wrapper = EVENT_UNKNOWN;
	if (is_port(tag)) {
		if (ret_wrapper && named_port(tag) == PORT_SUBMISSIONS)
			*ret_wrapper = 1;
		return named_port(tag);
	}
	if (!smtpd && !str_eq(process, STR_LIT("postscreen")))
		return EVENT_UNKNOWN;
	for (size_t i = 0; i < sizeof(stock) / sizeof(stock[0]); i++)
		if (str_eq(name, stock[i].name)) {
			if (ret_wrapper)
				*ret_wrapper = stock[i].wrapper;
			return stock[i].port;
		}
	return named_port(name);
}
