/* SPDX-License-Identifier: MIT */
/* sockets - who is connected now: TCP sockets by mail port from the kernel, their bytes and round trips. Enter: by peer. */
#include "tui/panes/portrow.h"

enum col {
	COL_DIR,
	COL_PORT,
	COL_ROLE,
	COL_OPEN,
	COL_OPENING,
	COL_CLOSING,
	COL_NEW,
	COL_IN,
	COL_OUT,
	COL_RTT50,
	COL_RTT95,
	COL_RESENT,
	COL_MOST,
	COL_WIN_IN,
	COL_WIN_OUT,
	COL__COUNT
};

static const struct column columns[COL__COUNT] = {
	{"", 3, ALIGN_LEFT, 1, false, "in: a port of ours that listens; out: a server's port"},
	{"port", 6, ALIGN_LEFT, 1, false,
		"in: ports of this machine's services, out: 25, 465, 587, 2525"},
	{"role", 11, ALIGN_LEFT, 3, false, "what the port is for"},
	{"open", 7, ALIGN_RIGHT, 1, true, "connections established now"},
	{"opening", 7, ALIGN_RIGHT, 3, true,
		"SYN sent or received: many that stay are a port that is blocked, or a flood"},
	{"closing", 7, ALIGN_RIGHT, 5, true, "half closed, and TIME_WAIT"},
	{"new/min", 8, ALIGN_RIGHT, 2, true,
		"connections not there at the sample before; those shorter than the time between "
		"two "
		"samples are not seen: the ports view counts them from the log"},
	{"in/s", 7, ALIGN_RIGHT, 1, true, "payload received a second"},
	{"out/s", 7, ALIGN_RIGHT, 1, true,
		"payload sent a second, what was sent again not counted"},
	{"rtt 50%", 8, ALIGN_RIGHT, 2, true,
		"round-trip time as TCP has smoothed it, median of the open connections"},
	{"rtt 95%", 8, ALIGN_RIGHT, 3, true, "the same, of 95 in a hundred"},
	{"resent", 7, ALIGN_RIGHT, 4, true, "segments sent again, a minute"},
	{"most", 7, ALIGN_RIGHT, 6, true, "most open connections of any sample in the window"},
	{"in", 8, ALIGN_RIGHT, 6, true, "payload received in the window"},
	{"out", 8, ALIGN_RIGHT, 6, true, "payload sent in the window"},
};

static void fill(struct table *t, const struct socket_row *p, uint64_t id)
{
	struct port_row named = {.port = p->port, .outbound = p->outbound};
	struct cell *c = cells_row(t, COL__COUNT, id, STYLE_NORMAL, p);

	if (!c)
		return;
	c[COL_DIR] = (struct cell){
		.text = p->outbound ? STR_LIT("out") : STR_LIT("in"), .sort = (int64_t)id};
	c[COL_PORT] = (struct cell){.text = port_name(t, &named), .sort = p->port};
	c[COL_ROLE] = cell_words(port_role(&named));
	c[COL_OPEN] = cell_count(t, p->established);
	c[COL_OPENING] = cell_count(t, p->opening);
	c[COL_CLOSING] = cell_count(t, p->closing);
	c[COL_NEW] = cell_count(t, p->opened_per_min);
	c[COL_IN] = cell_bytes(t, p->in_per_s);
	c[COL_OUT] = cell_bytes(t, p->out_per_s);
	c[COL_RTT50] = cell_rtt(t, p->rtt_p50_us, p->established);
	c[COL_RTT95] = cell_rtt(t, p->rtt_p95_us, p->established);
	c[COL_RESENT] = cell_count(t, p->retransmits_per_min);
	c[COL_MOST] = cell_count(t, p->established_max);
	c[COL_WIN_IN] = cell_bytes(t, p->bytes_in);
	c[COL_WIN_OUT] = cell_bytes(t, p->bytes_out);
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct query q = v->query;
	struct socket_row *rows;
	size_t n = 0;
	int rc;

	(void)state;
	q.provider = 0; /* sockets are the machine's, whichever provider is looked at */
	rc = read_sockets(r, &q, &t->arena, &rows, &n, reterr);
	if (rc == 0)
		rc = cells_begin(t, n);
	for (size_t i = 0; i < n && rc == 0; i++)
		fill(t, &rows[i], i + 1);
	t->total = (int64_t)t->nrows;
	cells_empty(t, v, "no sample of this machine's sockets");
	return rc;
}

static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	const struct socket_row *p = selected->ref;

	(void)state;
	(void)v;
	ret->pane = "peers";
	if (p->outbound)
		ret->query.relay_port = p->port;
	else
		ret->query.port = p->port;
	target_label(ret, "%s %d", p->outbound ? "out" : "in", (int)p->port);
	return true;
}

const struct pane_ops pane_sockets = {
	.name = "sockets",
	.title = "Sockets",
	.help = "TCP connections of the mail ports, asked of the kernel every 5 seconds (seldomer "
		"with "
		"many): all of this machine, whichever provider is chosen. Bytes and times are not "
		"known where "
		"the kernel has no sock_diag; the providers view says so.\n"
		"A connection shorter than the time between two samples is not in it. The ports "
		"view counts "
		"every one, from the log.",
	.columns = columns,
	.ncolumns = COL__COUNT,
	.default_sort = COL_DIR,
	.refresh = refresh,
	.enter = enter,
};
