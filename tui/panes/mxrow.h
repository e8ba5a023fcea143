/* SPDX-License-Identifier: MIT */
/* mxrow - figures of how a host was reached, shared by the list of hosts and the page of one. */
#ifndef MT_TUI_PANES_MXROW_H
#define MT_TUI_PANES_MXROW_H

#include "tui/panes/cells.h"

#define MX_CONNECT_HELP                                                                            \
	"delay c of sent records, nearest rank: look-up, connection, greeting and TLS together, "  \
	"rounded up to a step (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8); not of reused connections, "   \
	"nor where another try had failed before"
#define MX_TLS_HELP                                                                                \
	"share of the sent records over TLS, of those whose log tells; ? it tells of none"
#define MX_SENT_HELP "records with status=sent by a relay with an address"

/* Compared are hosts with so many connection times; slow is whose median is MX_SLOW_TIMES that of the fastest
 * of them, and MX_SLOW_CS more. */
#define MX_SLOW_MIN_N 20
#define MX_SLOW_TIMES 3
#define MX_SLOW_CS 50
#define MX_SLOW_HELP                                                                               \
	"slow: of hosts with 20 connection times or more, whose p50 is three times that of the "   \
	"fastest and half a second longer"

/* mx_failed - all kinds of failures of connections together (STEPPED_IN is none); EVENT_UNKNOWN. */
int64_t mx_failed(const struct mx_row *row);
/* mx_find - the row of a host or domain; NULL. */
const struct mx_row *mx_find(const struct mx_row *rows, size_t n, int64_t key);
/* mx_is_slow - against the fastest of rows that can be compared. *ret_fastest: that one; NULL: nothing to compare with. */
bool mx_is_slow(const struct mx_row *row, const struct mx_row *rows, size_t n,
	const struct mx_row **ret_fastest);
/* mx_name, mx_help - the word and the one definition of a figure, from store/vocab.h. */
const char *mx_name(enum mx_figure figure);
const char *mx_help(enum mx_figure figure);
struct cell mx_cell_tls(struct table *t, const struct mx_row *row);
/* mx_kinds - the first n figures, those that occurred, behind column x of the area's first line, on as many lines as they
 * need. Returns lines used, the first among them. */
int mx_kinds(struct canvas *c, struct rect area, int x, const struct mx_row *row, int n,
	enum style style);
/* mx_since_line - tells that figures begin at since_ms. Returns lines used: 0 when all is known. */
int mx_since_line(struct canvas *c, struct rect area, const struct view *v, int64_t since_ms);

#endif
