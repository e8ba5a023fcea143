/* SPDX-License-Identifier: MIT */
/* portrow - see portrow.h. */
#include "tui/panes/portrow.h"

#include <inttypes.h>
#include <stdio.h>

#define PORT_SMTP 25
#define PORT_SUBMISSIONS 465
#define PORT_SUBMISSION 587
#define PORT_SUBMISSION_ALT 2525

struct str port_name(struct table *t, const struct port_row *p)
{
	char text[16];

	if (p->port == EVENT_UNKNOWN)
		return STR_LIT("?");
	if (p->port == 0)
		return STR_LIT("none");
	snprintf(text, sizeof(text), "%d", (int)p->port);
	return arena_str(&t->arena, str_of(text));
}

const char *port_role(const struct port_row *p)
{
	if (p->port == PORT_SMTP)
		return p->outbound ? "to MX" : "relay";
	if (p->port == 0)
		return "no relay";
	if (p->port == PORT_SUBMISSION || p->port == PORT_SUBMISSIONS ||
		p->port == PORT_SUBMISSION_ALT)
		return p->outbound                   ? "smarthost"
		       : p->port == PORT_SUBMISSIONS ? "submissions"
						     : "submission";
	return p->port == EVENT_UNKNOWN ? "?" : "other";
}

int64_t port_plain_logins(const struct port_row *p)
{
	if (p->outbound || p->tls == EVENT_UNKNOWN || p->auth_ok == EVENT_UNKNOWN ||
		p->auth_ok <= p->tls)
		return 0;
	return p->auth_ok - p->tls;
}

void port_remark(struct buf *out, const struct port_row *p)
{
	if (port_plain_logins(p) > 0)
		buf_printf(out, "%" PRId64 " logins without TLS! ", port_plain_logins(p));
	if (str_present(p->note))
		buf_add_str(out, p->note);
}

const struct port_row *port_find(const struct port_row *rows, size_t n, const struct query *q)
{
	int32_t port = q->relay_port == QUERY_PORT_NONE ? 0 : q->relay_port;

	for (size_t i = 0; i < n; i++)
		if (q->relay_port ? rows[i].outbound && rows[i].port == port
				  : !rows[i].outbound && str_eq(rows[i].service, q->service))
			return &rows[i];
	return NULL;
}

void port_narrow(struct query *q, const struct port_row *p)
{
	q->provider = p->provider;
	if (p->outbound)
		q->relay_port = p->port > 0 ? p->port : QUERY_PORT_NONE;
	else
		q->service = p->service;
}
