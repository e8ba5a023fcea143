/* SPDX-License-Identifier: MIT */
/*
 * mx - how hosts are reached: connection times, TLS and failures by kind, by relay host or by recipient domain (key b);
 * Enter on a host shows it beside its siblings.
 */
#include "tui/panes/mxrow.h"

enum col {
	COL_NAME,
	COL_SENT,
	COL_P50,
	COL_P90,
	COL_TLS,
	COL_FAILED,
	COL_STEPPED_IN,
	COL_KINDS, /* one a kind of failure */
	COL__COUNT = COL_KINDS + MX_STEPPED_IN
};

static const struct column columns[COL__COUNT] = {
	{"host or domain", 0, ALIGN_LEFT, 1, false,
		"relay host without address; by key b recipient domain"},
	{"sent", 10, ALIGN_RIGHT, 1, true, MX_SENT_HELP},
	{"p50", 7, ALIGN_RIGHT, 1, true, "connection time: " MX_CONNECT_HELP},
	{"p90", 7, ALIGN_RIGHT, 2, true, "the same, not exceeded by 9 of 10"},
	{"TLS", 7, ALIGN_RIGHT, 1, true, MX_TLS_HELP},
	{"failed", 8, ALIGN_RIGHT, 1, true,
		"connections, sessions and look-ups that failed, of all kinds"},
	{"stepped in", 10, ALIGN_RIGHT, 3, true,
		"sent records by a host after another one had failed for the same message: backup "
		"use"},
	{"refused", 8, ALIGN_RIGHT, 4, true, "connections the host refused"},
	{"timed out", 9, ALIGN_RIGHT, 4, true, "connections and sessions that ran into a time-out"},
	{"no route", 8, ALIGN_RIGHT, 5, true, "no way to the host, network unreachable"},
	{"lost", 7, ALIGN_RIGHT, 4, true, "sessions the host or the network ended"},
	{"TLS failed", 10, ALIGN_RIGHT, 5, true,
		"handshakes that failed; TLS not offered, certificate not accepted"},
	{"DNS failed", 10, ALIGN_RIGHT, 5, true,
		"records deferred or bounced because a name was not found"},
};

static const enum request requests[] = {REQ_BY_SENDER, REQ_NONE};

struct mx {
	bool by_domain, possible;
	int64_t since_ms;
};

static int open_mx(void *state, const struct view *v, int64_t object)
{
	struct mx *s = state;

	(void)v;
	(void)object;
	s->possible = true;
	s->since_ms = EVENT_UNKNOWN;
	return 0;
}

static enum style row_style(const struct mx_row *m)
{
	int64_t failed = mx_failed(m);

	if (failed > 0 && m->sent == 0)
		return STYLE_BAD;
	return failed > 0 || m->n[MX_STEPPED_IN] > 0 ? STYLE_WARN : STYLE_NORMAL;
}

static struct cell connect_time(struct table *t, const struct mx_row *m, int64_t cs)
{
	return m->connects > 0 ? cell_delay(t, cs)
			       : (struct cell){.text = STR_LIT("-"), .sort = -1};
}

static void fill(struct table *t, const struct mx *s, const struct mx_row *m)
{
	struct cell *c =
		cells_row(t, COL__COUNT, (uint64_t)m->key * 2 + s->by_domain, row_style(m), m);

	if (!c)
		return;
	c[COL_NAME] = cell_text(t, m->name);
	c[COL_SENT] = cell_count(t, m->sent);
	c[COL_P50] = connect_time(t, m, m->p50_cs);
	c[COL_P90] = connect_time(t, m, m->p90_cs);
	c[COL_TLS] = mx_cell_tls(t, m);
	c[COL_FAILED] = cell_count(t, mx_failed(m));
	c[COL_STEPPED_IN] = cell_count(t, m->n[MX_STEPPED_IN]);
	for (int k = 0; k < MX_STEPPED_IN; k++)
		c[COL_KINDS + k] = cell_count(t, m->n[k]);
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct mx *s = state;
	struct mx_row *rows = NULL;
	size_t n = 0;
	int rc = read_mx(r, &v->query, s->by_domain, &t->arena, &rows, &n, &s->possible,
		&s->since_ms, reterr);

	if (rc == 0)
		rc = cells_begin(t, n);
	for (size_t i = 0; i < n && rc == 0; i++)
		fill(t, s, &rows[i]);
	t->total = (int)n == v->query.limit ? EVENT_UNKNOWN : (int64_t)n;
	cells_empty(t, v,
		s->possible ? "no host was tried in this window"
			    : "how hosts are reached is not counted by what this view is "
			      "narrowed to");
	return rc;
}

static int draw(const void *state, const struct view *v, const struct table *t, struct canvas *c,
	struct rect area)
{
	const struct mx *s = state;

	(void)t;
	canvas_printf(c, area.x + 1, area.y, area.w - 1, STYLE_DIM, "by %s (b: by %s)",
		s->by_domain ? "recipient domain" : "relay host",
		s->by_domain ? "relay host" : "recipient domain");
	area.y++;
	return 1 + mx_since_line(c, area, v, s->since_ms);
}

static void turn(void *state, const struct view *v)
{
	struct mx *s = state;

	(void)v;
	s->by_domain = !s->by_domain;
}

static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	const struct mx *s = state;
	const struct mx_row *m = selected->ref;

	(void)v;
	ret->pane = s->by_domain ? "domain" : "mxhost";
	if (s->by_domain)
		ret->query.domain = m->name;
	else
		ret->query.relay_host = m->name;
	target_label(ret, "%.*s", STR_ARG(m->name));
	return true;
}

const struct pane_ops pane_mx = {
	.name = "mxhosts", /* not "mx": providers are called so, and are chosen by name too */
	.title = "MX hosts",
	.help = "How relay hosts are reached: connection time, TLS, failures of connections by "
		"kind "
		"(one a try, however "
		"many recipients waited), and which host sent what another one had failed to take. "
		"b groups by recipient "
		"domain: there failures are told of Postfix logs alone, whose processes tie them "
		"to "
		"messages. Yellow: something "
		"failed; red: and nothing was sent. Enter on a host shows its siblings beside it.",
	.columns = columns,
	.ncolumns = COL__COUNT,
	.default_sort = COL_SENT,
	.requests = requests,
	.state_bytes = sizeof(struct mx),
	.open = open_mx,
	.refresh = refresh,
	.draw = draw,
	.turn = turn,
	.enter = enter,
};
