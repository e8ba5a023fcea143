/* SPDX-License-Identifier: MIT */
/* peers - who is connected now, by address, of all mail ports or of one: from the kernel. */
#include "tui/panes/portrow.h"

enum col { COL_PEER, COL_DIR, COL_PORT, COL_OPEN, COL_IN, COL_OUT, COL_RTT, COL__COUNT };

static const struct column columns[COL__COUNT] = {
	{"peer", 0, ALIGN_LEFT, 1, false, "address of the other end"},
	{"", 3, ALIGN_LEFT, 1, false, "in: it came to us; out: we went to it"},
	{"port", 6, ALIGN_LEFT, 1, false, "ours for in, its own for out"},
	{"open", 7, ALIGN_RIGHT, 1, true, "connections established now"},
	{"in", 8, ALIGN_RIGHT, 2, true, "payload received since the sample before"},
	{"out", 8, ALIGN_RIGHT, 2, true, "payload sent since the sample before"},
	{"rtt", 8, ALIGN_RIGHT, 2, true, "the longest round-trip time among its connections"},
};

static void fill(struct table *t, const struct socket_peer_row *p, uint64_t id)
{
	struct port_row named = {.port = p->port, .outbound = p->outbound};
	struct cell *c = cells_row(t, COL__COUNT, id, STYLE_NORMAL, p);

	if (!c)
		return;
	c[COL_PEER] = cell_text(t, p->peer);
	c[COL_DIR] = (struct cell){
		.text = p->outbound ? STR_LIT("out") : STR_LIT("in"), .sort = p->outbound};
	c[COL_PORT] = (struct cell){.text = port_name(t, &named), .sort = p->port};
	c[COL_OPEN] = cell_count(t, p->connections);
	c[COL_IN] = cell_bytes(t, p->bytes_in);
	c[COL_OUT] = cell_bytes(t, p->bytes_out);
	c[COL_RTT] = cell_rtt(t, p->rtt_us, p->connections);
}

static uint64_t identity(const struct socket_peer_row *p)
{
	uint64_t h = UINT64_C(1469598103934665603) ^ (uint64_t)(p->port * 2 + p->outbound);

	for (size_t i = 0; i < p->peer.n; i++)
		h = (h ^ (unsigned char)p->peer.p[i]) * UINT64_C(1099511628211);
	return h;
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct query q = v->query;
	struct socket_peer_row *rows;
	size_t n = 0;
	int rc;

	(void)state;
	q.provider = 0;
	rc = read_socket_peers(r, &q, &t->arena, &rows, &n, reterr);
	if (rc == 0)
		rc = cells_begin(t, n);
	for (size_t i = 0; i < n && rc == 0; i++)
		fill(t, &rows[i], identity(&rows[i]));
	t->total = (int64_t)t->nrows;
	cells_empty(t, v, "nobody is connected to a mail port");
	return rc;
}

/* Who came in: what the log has of the address. Where mail went: the attempts there. */
static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	const struct socket_peer_row *p = selected->ref;

	(void)state;
	(void)v;
	ret->pane = p->outbound ? "deliveries" : "log";
	ret->query.text = p->peer;
	target_label(ret, "%.*s", STR_ARG(selected->cells[COL_PEER].text));
	return true;
}

const struct pane_ops pane_peers = {
	.name = "peers",
	.title = "Peers",
	.help = "Addresses with a connection to or from a mail port at the newest sample of the "
		"kernel's "
		"sockets, the 50 with most of each port. Enter: the log's lines of who came in, "
		"the attempts where mail went.",
	.columns = columns,
	.ncolumns = COL__COUNT,
	.default_sort = COL_OPEN,
	.refresh = refresh,
	.enter = enter,
};
