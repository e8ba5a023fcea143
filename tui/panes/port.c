/* SPDX-License-Identifier: MIT */
/*
 * port - one port, or service name: each of its figures with what is behind it. Which one is in the query: a
 * service (in) or a relay port (out).
 */
#include "tui/panes/portrow.h"

enum col { COL_NAME, COL_N, COL_SHARE, COL_WHAT, COL__COUNT };

static const struct column columns[COL__COUNT] = {
	{"figure", 14, ALIGN_LEFT, 1, false, "what is counted at this port"},
	{"n", 12, ALIGN_RIGHT, 1, true, "how many in the window; ? where the log does not tell"},
	{"share", 7, ALIGN_RIGHT, 2, true,
		"TLS: of sessions, out of records sent; auth: of all AUTH commands; out: of final "
		"outcomes"},
	{"definition", 0, ALIGN_LEFT, 3, false, "what counts, as the store counts it"},
};

struct port {
	struct port_row row;
	bool found;
	char note[256]; /* why the port is not known, logins without TLS */
};

struct figure {
	enum metric metric;
	const char *name;
	const char *pane; /* where Enter leads */
	enum event_status status;
	bool refusals; /* pane replies: of refusals */
};

static const struct figure inbound[] = {
	{METRIC_CONNECTIONS, "connections", "log", STATUS_NONE, false},
	{METRIC_RECEIVED, "accepted", "messages", STATUS_NONE, false},
	{METRIC_REJECTED, "refused", "replies", STATUS_NONE, true},
	{METRIC_AUTH_OK, "auth ok", "messages", STATUS_NONE, false},
	{METRIC_AUTH_FAILED, "auth failed", "log", STATUS_NONE, false},
	{METRIC_TLS, "TLS", "messages", STATUS_NONE, false},
	{METRIC_LOST, "lost", "log", STATUS_NONE, false},
};
static const struct figure outbound[] = {
	{METRIC_SENT, "sent", "deliveries", STATUS_SENT, false},
	{METRIC_DEFERRED, "deferred", "replies", STATUS_DEFERRED, false},
	{METRIC_BOUNCED, "bounced", "replies", STATUS_BOUNCED, false},
	{METRIC_TLS_OUT, "TLS", "deliveries", STATUS_SENT, false},
};
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static int64_t value(const struct port_row *p, enum metric metric)
{
	switch ((int)metric) {
	case METRIC_CONNECTIONS:
		return p->connections;
	case METRIC_RECEIVED:
		return p->accepted;
	case METRIC_REJECTED:
		return p->rejected;
	case METRIC_AUTH_OK:
		return p->auth_ok;
	case METRIC_AUTH_FAILED:
		return p->auth_failed;
	case METRIC_LOST:
		return p->lost;
	case METRIC_SENT:
		return p->sent;
	case METRIC_DEFERRED:
		return p->deferred;
	case METRIC_BOUNCED:
		return p->bounced;
	default:
		return p->tls;
	}
}

static int64_t sum(int64_t a, int64_t b)
{
	return a == EVENT_UNKNOWN || b == EVENT_UNKNOWN ? EVENT_UNKNOWN : a + b;
}

static int64_t whole_of(const struct port_row *p, enum metric metric)
{
	if (metric == METRIC_AUTH_OK || metric == METRIC_AUTH_FAILED)
		return sum(p->auth_ok, p->auth_failed);
	if (metric == METRIC_TLS)
		return p->connections;
	if (metric == METRIC_TLS_OUT)
		return p->sent;
	return metric == METRIC_SENT || metric == METRIC_BOUNCED ? sum(p->sent, p->bounced)
								 : EVENT_UNKNOWN;
}

static int fill(struct table *t, const struct port_row *p)
{
	const struct figure *figures = p->outbound ? outbound : inbound;
	size_t n = p->outbound ? COUNT(outbound) : COUNT(inbound);
	int rc = cells_begin(t, n);

	for (size_t i = 0; i < n && rc == 0; i++) {
		enum metric metric = figures[i].metric;
		int64_t whole = whole_of(p, metric);
		struct cell *c = cells_row(t, COL__COUNT, i + 1, STYLE_NORMAL, &figures[i]);

		if (!c)
			return MT_ELIMIT;
		c[COL_NAME] = (struct cell){.text = str_of(figures[i].name), .sort = (int64_t)i};
		c[COL_N] = cell_count(t, value(p, metric));
		c[COL_SHARE] = whole == EVENT_UNKNOWN
				       ? (struct cell){.text = STR_LIT(""), .sort = -1}
				       : cell_pct(t, value(p, metric), whole);
		c[COL_WHAT] = cell_words(metric_help(metric));
	}
	t->total = (int64_t)t->nrows;
	return rc;
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct port *s = state;
	struct query q = {
		.t0_ms = v->query.t0_ms, .t1_ms = v->query.t1_ms, .provider = v->query.provider};
	const struct port_row *row;
	struct port_row *rows;
	struct buf b;
	size_t n = 0;
	int rc = read_ports(r, &q, &t->arena, &rows, &n, reterr);

	if (rc < 0)
		return rc;
	row = port_find(rows, n, &v->query);
	s->found = row != NULL;
	t->empty =
		STR_LIT("choose a port in :ports; nothing came or went by this one in the window");
	if (!row)
		return 0;
	s->row = *row;
	buf_init(&b, sizeof(s->note) - 1);
	port_remark(&b, row);
	memcpy(s->note, buf_z(&b), b.n + 1);
	buf_done(&b);
	return fill(t, row);
}

static int draw(const void *state, const struct view *v, const struct table *t, struct canvas *c,
	struct rect area)
{
	const struct port *s = state;

	(void)t;
	if (!s->found)
		return 0;
	canvas_printf(c, area.x + 1, area.y, area.w - 1, STYLE_DIM, "%s%s%.*s", port_role(&s->row),
		s->row.outbound ? "" : ", by ", STR_ARG(v->query.service));
	if (!s->note[0])
		return 1;
	canvas_text(c, area.x + 1, area.y + 1, area.w - 1,
		port_plain_logins(&s->row) > 0 ? STYLE_BAD : STYLE_WARN, str_of(s->note));
	return 2;
}

static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	const struct figure *f = selected->ref;

	(void)state;
	(void)v;
	ret->pane = f->pane;
	ret->query.status = f->status;
	ret->object = f->refusals;
	target_label(ret, "%s", f->name);
	return true;
}

const struct pane_ops pane_port = {
	.name = "port",
	.title = "Port",
	.help = "The figures of one port. Enter opens what is behind one: messages that came in "
		"there, the wordings of "
		"its refusals, deliveries by it. Connections that brought no message leave no "
		"record but in the log.",
	.columns = columns,
	.ncolumns = COL__COUNT,
	.default_sort = COL_NAME,
	.state_bytes = sizeof(struct port),
	.refresh = refresh,
	.draw = draw,
	.enter = enter,
};
