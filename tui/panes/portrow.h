/* SPDX-License-Identifier: MIT */
/* portrow - words and verdicts about a port, shared by the list of ports and the page of one. Pure. */
#ifndef MT_TUI_PANES_PORTROW_H
#define MT_TUI_PANES_PORTROW_H

#include "tui/panes/cells.h"

/* port_name - "587", "local" (no network relay), "?" (not told by the log). Copied into the table's arena. */
struct str port_name(struct table *t, const struct port_row *p);
/* port_role - what a port is for: 25 relay, 465 submissions, 587 submission (RFC 5321, 8314, 6409); out: to MX ... */
const char *port_role(const struct port_row *p);
/* port_plain_logins - at least so many logins had no TLS; 0: none, or the log does not tell. A session logs in once. */
int64_t port_plain_logins(const struct port_row *p);
/* port_remark - what the row must say besides its figures: why the port is not known, logins without TLS. "" none. */
void port_remark(struct buf *out, const struct port_row *p);
/* port_find - the row a query was narrowed to by port_narrow; NULL when it is not among them. */
const struct port_row *port_find(const struct port_row *rows, size_t n, const struct query *q);
/* port_narrow - narrow a query to the records of this port. */
void port_narrow(struct query *q, const struct port_row *p);

#endif
