/* SPDX-License-Identifier: MIT */
/* ports - traffic by port: who comes in by 25, 465 and 587, and by which port mail goes out. Enter opens a port. */
#include "tui/panes/portrow.h"
#include "tui/panes/rawlog.h"
#include "tui/panes/vendor.h"

#define MS_PER_MIN 60000
#define TENTHS 10

enum col {
	COL_DIR,
	COL_PORT,
	COL_ROLE,
	COL_OPEN,
	COL_CONN,
	COL_RATE,
	COL_ACCEPTED,
	COL_REJECTED,
	COL_DEFERRED,
	COL_AUTH_OK,
	COL_AUTH_FAILED,
	COL_TLS,
	COL_SERVICE,
	COL__COUNT
};

static const struct column columns[COL__COUNT] = {
	{"", 3, ALIGN_LEFT, 1, false, "in: clients of ours; out: relays of ours"},
	{"port", 6, ALIGN_LEFT, 1, false, "? where the log's service name does not tell the port"},
	{"role", 11, ALIGN_LEFT, 4, false,
		"25 relay between servers, 465 submissions (TLS at once), 587 submission "
		"(STARTTLS); out: to MX "
		"hosts, to a smarthost, without a relay (local, pipe, or none was reached)"},
	{"open", 6, ALIGN_RIGHT, 4, true,
		"connections established now, from the kernel (:sockets has more); - where it is "
		"not one "
		"port's, or another provider's server"},
	{"connects", 9, ALIGN_RIGHT, 2, true,
		"client connections (smtpd connect from, postscreen CONNECT)"},
	{"a minute", 8, ALIGN_RIGHT, 6, true, "connections over the minutes of the window"},
	{"accepted", 9, ALIGN_RIGHT, 1, true, "in: messages accepted; out: records sent"},
	{"refused", 9, ALIGN_RIGHT, 1, true, "in: refusals, 4xx and 5xx; out: records bounced"},
	{"deferred", 9, ALIGN_RIGHT, 3, true, "out: deferred attempts"},
	{"auth ok", 8, ALIGN_RIGHT, 3, true, "AUTH commands that succeeded"},
	{"auth bad", 9, ALIGN_RIGHT, 3, true, "AUTH commands refused"},
	{"TLS", 7, ALIGN_RIGHT, 2, true,
		"share with TLS: in of client sessions, out of records sent; ? when the log can't "
		"tell"},
	{"services", 0, ALIGN_LEFT, 5, false,
		"why the port is not known, logins without TLS, service names behind the port; "
		"out: whose "
		"deliveries, where there are several providers"},
};

struct ports {
	struct delay_figures delays[DELAY__COUNT];
	struct outbound outbound;
};

static struct cell cell_rate(struct table *t, const struct view *v, int64_t n)
{
	int64_t minutes = (v->query.t1_ms - v->query.t0_ms) / MS_PER_MIN;
	struct buf b;
	struct cell cell = {.text = STR_LIT("?"), .sort = -1};

	if (n == EVENT_UNKNOWN || minutes <= 0)
		return cell;
	buf_init(&b, 64);
	fmt_count(&b, n / minutes);
	if (n < 100 * minutes)
		buf_printf(&b, ".%lld", (long long)(n * TENTHS / minutes % TENTHS));
	cell = (struct cell){.text = arena_str(&t->arena, buf_str(&b)), .sort = n};
	buf_done(&b);
	return cell;
}

static struct cell cell_tls(struct table *t, const struct port_row *p)
{
	int64_t whole = p->outbound ? p->sent : p->connections;

	if (p->port == 0)
		return cell_words("-");
	if (p->tls == EVENT_UNKNOWN || whole == EVENT_UNKNOWN)
		return (struct cell){.text = STR_LIT("?"), .sort = -1};
	return cell_pct(t, p->tls, whole);
}

static struct cell cell_service(struct table *t, const struct view *v, const struct port_row *p)
{
	struct cell cell;
	struct buf b;

	buf_init(&b, 4096);
	port_remark(&b, p);
	if (!p->outbound) {
		if (b.n > 0)
			buf_add_z(&b, "  ");
		buf_add_str(&b, p->service);
	} else if (v->query.provider == 0 && v->nproviders > 1) {
		buf_add_str(&b, view_provider_name(v, p->provider));
	}
	cell = cell_text(t, b.n ? buf_str(&b) : STR_LIT(""));
	buf_done(&b);
	return cell;
}

struct live { /* what the kernel says of this machine's ports */
	struct socket_row *rows;
	size_t n;
};

/* cell_open - in: the port is one server's of this machine; out: which server of several went there is not told. */
static struct cell cell_open(struct table *t, const struct live *live, const struct port_row *p)
{
	for (size_t i = 0; i < live->n; i++)
		if (live->rows[i].port == p->port && live->rows[i].outbound == p->outbound &&
			(!p->outbound || live->rows[i].provider == p->provider))
			return cell_count(t, live->rows[i].established);
	return p->port > 0 && live->n == 0 ? cell_count(t, EVENT_UNKNOWN) : cell_words("-");
}

static void fill(struct table *t, const struct view *v, const struct live *live,
	const struct port_row *p, uint64_t id)
{
	enum style style = port_plain_logins(p) > 0      ? STYLE_BAD
			   : p->source == PORT_AMBIGUOUS ? STYLE_WARN
							 : STYLE_NORMAL;
	struct cell *c = cells_row(t, COL__COUNT, id, style, p);
	struct cell none = cell_words("-");

	if (!c)
		return;
	c[COL_DIR] = (struct cell){
		.text = p->outbound ? STR_LIT("out") : STR_LIT("in"), .sort = (int64_t)id};
	c[COL_PORT] = (struct cell){.text = port_name(t, p), .sort = p->port};
	c[COL_ROLE] = cell_words(port_role(p));
	c[COL_OPEN] = cell_open(t, live, p);
	c[COL_CONN] = p->outbound ? none : cell_count(t, p->connections);
	c[COL_RATE] = p->outbound ? none : cell_rate(t, v, p->connections);
	c[COL_ACCEPTED] = cell_count(t, p->outbound ? p->sent : p->accepted);
	c[COL_REJECTED] = cell_count(t, p->outbound ? p->bounced : p->rejected);
	c[COL_DEFERRED] = p->outbound ? cell_count(t, p->deferred) : none;
	c[COL_AUTH_OK] = p->outbound ? none : cell_count(t, p->auth_ok);
	c[COL_AUTH_FAILED] = p->outbound ? none : cell_count(t, p->auth_failed);
	c[COL_TLS] = cell_tls(t, p);
	c[COL_SERVICE] = cell_service(t, v, p);
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct ports *s = state;
	struct query all = v->query;
	struct live live = {NULL, 0};
	struct port_row *rows;
	struct probe_result *probes;
	size_t n = 0, nprobes = 0;
	int rc = read_ports(r, &v->query, &t->arena, &rows, &n, reterr);

	all.provider = 0;
	if (rc == 0)
		rc = read_sockets(r, &all, &t->arena, &live.rows, &live.n, reterr);

	if (rc == 0)
		rc = read_probes(r, &t->arena, &probes, &nprobes, reterr);
	if (rc == 0)
		outbound_judge(probes, nprobes, &s->outbound);
	if (rc == 0)
		rc = read_delays(r, &v->query, s->delays, reterr);
	if (rc == 0)
		rc = cells_begin(t, n);
	for (size_t i = 0; i < n && rc == 0; i++)
		fill(t, v, &live, &rows[i], i + 1);
	t->total = (int64_t)t->nrows;
	cells_empty(t, v, "no connection and no delivery in this window");
	if (t->nrows == 0 && vendor_is(v, v->query.provider))
		t->empty = STR_LIT("a vendor's account has no ports of its own");
	return rc;
}

/* draw_outbound - can mail go out by port 25? Where nobody looked, nothing is said. */
static int draw_outbound(
	const struct ports *s, const struct view *v, struct canvas *c, struct rect area)
{
	const struct outbound *o = &s->outbound;
	bool bad = o->verdict != OUTBOUND_OPEN && o->verdict != OUTBOUND_UNKNOWN;
	static const char more[] = "  (:probes)";
	struct buf b;

	if (o->tried == 0)
		return 0;
	buf_init(&b, 512);
	buf_printf(
		&b, "outbound 25 (%lld of %lld answer, ", (long long)o->open, (long long)o->tried);
	timefmt_age(&b, v->now_ms - o->oldest_ms);
	buf_add_z(&b, " ago): ");
	outbound_say(o, &b);
	if (b.n + sizeof(more) - 1 < (size_t)area.w)
		buf_add_z(&b, more);
	canvas_text(c, area.x + 1, area.y, area.w - 1, bad ? STYLE_BAD : STYLE_DIM, buf_str(&b));
	buf_done(&b);
	return 1;
}

static int draw(const void *state, const struct view *v, const struct table *t, struct canvas *c,
	struct rect area)
{
	const struct ports *s = state;
	const struct delay_figures *f = &s->delays[DELAY_C];
	struct buf b;

	(void)t;
	if (area.h < 12) /* a tile, or too small for more than the list and what is wrong */
		return s->outbound.verdict > OUTBOUND_OPEN && area.h > 3
			       ? draw_outbound(s, v, c, area)
			       : 0;
	buf_init(&b, 256);
	buf_add_z(&b, "out, all ports: set-up (c of delays=) p50 ");
	fmt_cs(&b, f->p50_cs);
	buf_add_z(&b, "  p90 ");
	fmt_cs(&b, f->p90_cs);
	buf_add_z(&b, "  p99 ");
	fmt_cs(&b, f->p99_cs);
	buf_add_z(&b, "  (:delays has all parts)");
	canvas_text(c, area.x + 1, area.y, area.w - 1, STYLE_DIM, buf_str(&b));
	buf_done(&b);
	return 1 + draw_outbound(s, v, c, (struct rect){area.x, area.y + 1, area.w, area.h - 1});
}

static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	const struct port_row *p = selected->ref;

	(void)state;
	(void)v;
	ret->pane = "port";
	port_narrow(&ret->query, p);
	target_label(ret, "%s %.*s", p->outbound ? "out" : "in",
		STR_ARG(selected->cells[COL_PORT].text));
	return true;
}

const struct pane_ops pane_ports = {
	.name = "ports",
	.title = "Ports",
	.help = "Inbound ports first, then outbound by the relay's port. Postfix does not log the "
		"port a client came to: it is told by the service's name, from postconf -M and -P "
		"or the stock "
		"names; where two services share a name the row says so instead of guessing.\n"
		"Logins without TLS: at least so many, as more logins succeeded than sessions had "
		"TLS (a session "
		"logs in once).\n"
		"Connection set-up times are not kept by port: the line above the list is of all "
		"deliveries.",
	.number = 4,
	.columns = columns,
	.ncolumns = COL__COUNT,
	.default_sort = COL_DIR,
	.state_bytes = sizeof(struct ports),
	.tile_hint = {.priority = 5, .min_w = 50, .min_h = 5, .want_w = 80, .want_h = 8},
	.refresh = refresh,
	.draw = draw,
	.enter = enter,
};
