/* SPDX-License-Identifier: MIT */
/* ports - traffic by port: who comes in by 25, 465 and 587, and by which port mail goes out. */
#include "tui/panes/cells.h"

#include <stdio.h>

enum col {
	COL_DIR,
	COL_PORT,
	COL_CONN,
	COL_ACCEPTED,
	COL_REJECTED,
	COL_AUTH_OK,
	COL_AUTH_FAILED,
	COL_TLS,
	COL_DEFERRED,
	COL_SERVICE,
	COL__COUNT
};

static const struct column columns[COL__COUNT] = {
	{"", 3, ALIGN_LEFT, 1, false, "in: clients of ours; out: relays of ours"},
	{"port", 6, ALIGN_LEFT, 1, false, "? where the log's service name does not tell the port"},
	{"connects", 9, ALIGN_RIGHT, 2, true, "client connections"},
	{"accepted", 9, ALIGN_RIGHT, 1, true, "in: messages accepted; out: records sent"},
	{"refused", 9, ALIGN_RIGHT, 1, true, "in: refusals, 4xx and 5xx; out: records bounced"},
	{"auth ok", 8, ALIGN_RIGHT, 3, true, "AUTH commands that succeeded"},
	{"auth bad", 9, ALIGN_RIGHT, 3, true, "AUTH commands refused"},
	{"TLS", 8, ALIGN_RIGHT, 3, true,
		"client sessions that used TLS; ? when the log can't tell"},
	{"deferred", 9, ALIGN_RIGHT, 4, true, "out: deferred attempts"},
	{"service", 0, ALIGN_LEFT, 4, false,
		"service names behind the port, or why it is not known"},
};

static struct cell cell_port(struct table *t, int32_t port)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", (int)port);
	return (struct cell){.text = arena_str(&t->arena, str_of(text)), .sort = port};
}

static void fill(struct table *t, const struct port_row *p, uint64_t id)
{
	struct cell *c = cells_row(t, COL__COUNT, id, STYLE_NORMAL, p);

	if (!c)
		return;
	c[COL_DIR] = cell_words(p->outbound ? "out" : "in");
	c[COL_PORT] = p->port == EVENT_UNKNOWN ? cell_words("?")
		      : p->port == 0           ? cell_words("local")
					       : cell_port(t, p->port);
	c[COL_CONN] = cell_count(t, p->connections);
	c[COL_ACCEPTED] = cell_count(t, p->outbound ? p->sent : p->accepted);
	c[COL_REJECTED] = cell_count(t, p->outbound ? p->bounced : p->rejected);
	c[COL_AUTH_OK] = p->outbound ? cell_words("-") : cell_count(t, p->auth_ok);
	c[COL_AUTH_FAILED] = p->outbound ? cell_words("-") : cell_count(t, p->auth_failed);
	c[COL_TLS] = cell_count(t, p->tls);
	c[COL_DEFERRED] = p->outbound ? cell_count(t, p->deferred) : cell_words("-");
	c[COL_SERVICE] = cell_text(t, str_present(p->note) && p->note.n ? p->note
				      : p->outbound                     ? STR_LIT("")
									: p->service);
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct port_row *rows;
	size_t n = 0;
	int rc = read_ports(r, &v->query, &t->arena, &rows, &n, reterr);

	(void)state;
	if (rc == 0)
		rc = cells_begin(t, n);
	for (size_t i = 0; i < n && rc == 0; i++)
		fill(t, &rows[i], i + 1);
	t->total = EVENT_UNKNOWN;
	t->presorted = true;
	cells_empty(t, v, "no connection and no delivery in this window");
	return rc;
}

static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	const struct port_row *p = selected->ref;

	(void)state;
	(void)v;
	if (p->outbound) {
		ret->pane = "failures";
		ret->query.port = p->port;
	} else {
		ret->pane = "rejects";
		ret->query.service = p->service;
	}
	snprintf(ret->label, sizeof(ret->label), "%s %d", p->outbound ? "out" : "in", p->port);
	return true;
}

const struct pane_ops pane_ports = {
	.name = "ports",
	.title = "Ports",
	.help = "Inbound ports first, then outbound by the relay's port. Postfix does not log the "
		"port a client came to: it "
		"is told by the service's name, from postconf -M and -P or the stock names.",
	.number = 4,
	.columns = columns,
	.ncolumns = COL__COUNT,
	.default_sort = COL_DIR,
	.tile_hint = {.priority = 5, .min_w = 50, .min_h = 5, .want_w = 80, .want_h = 9},
	.refresh = refresh,
	.enter = enter,
};
