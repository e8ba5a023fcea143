/* SPDX-License-Identifier: MIT */
/*
 * mxhost - one relay host beside its siblings, those that had mail of the same destinations or stood in for one another:
 * connection times side by side, kinds of failures, TLS versions; from here to its attempts and failures.
 */
#include "tui/panes/mxrow.h"

#include <stdio.h>

#define TEXT_MAX_BYTES 512
#define FALLBACKS_SHOWN 2

enum col {
	COL_HOST,
	COL_SENT,
	COL_P50,
	COL_P90,
	COL_P99,
	COL_TLS,
	COL_FAILED,
	COL_STEPPED_IN,
	COL_COMMON,
	COL__COUNT
};

static const struct column columns[COL__COUNT] = {
	{"host", 0, ALIGN_LEFT, 1, false,
		"first the host itself, then its siblings by destinations in common"},
	{"sent", 10, ALIGN_RIGHT, 1, true, MX_SENT_HELP},
	{"p50", 7, ALIGN_RIGHT, 1, true, "connection time: " MX_CONNECT_HELP},
	{"p90", 7, ALIGN_RIGHT, 1, true, "the same, not exceeded by 9 of 10"},
	{"p99", 7, ALIGN_RIGHT, 3, true, "the same, not exceeded by 99 of 100"},
	{"TLS", 7, ALIGN_RIGHT, 2, true, MX_TLS_HELP},
	{"failed", 8, ALIGN_RIGHT, 1, true,
		"connections, sessions and look-ups that failed, of all kinds"},
	{"stepped in", 10, ALIGN_RIGHT, 4, true,
		"sent records by the host after another one had failed for the same message"},
	{"common", 7, ALIGN_RIGHT, 5, true,
		"destinations in common, among the newest 10,000 attempts; 0: stood in for one "
		"another, or did long ago"},
};

enum what { WHAT_HOST, WHAT_SIBLING, WHAT_ATTEMPTS, WHAT_FAILURES };

struct line { /* behind a row */
	enum what what;
	struct str host;
};

struct mxhost {
	struct mx_row own; /* strings in the table's arena */
	struct fallback_row fallbacks[FALLBACKS_SHOWN]; /* that it is part of, likewise */
	size_t nfallbacks;
	bool found, slow;
	struct mx_row fastest; /* key 0: nothing to compare with */
	int64_t since_ms;
};

static int open_mxhost(void *state, const struct view *v, int64_t object)
{
	struct mxhost *s = state;

	(void)v;
	(void)object;
	s->since_ms = EVENT_UNKNOWN;
	return 0;
}

static struct cell connect_time(struct table *t, const struct mx_row *m, int64_t cs)
{
	return m->connects > 0 ? cell_delay(t, cs)
			       : (struct cell){.text = STR_LIT("-"), .sort = -1};
}

static struct cell *add(
	struct table *t, enum what what, struct str host, uint64_t id, enum style style)
{
	struct line *line = arena_alloc(&t->arena, sizeof(*line));
	struct cell *c = line ? cells_row(t, COL__COUNT, id, style, line) : NULL;

	if (!c)
		return NULL;
	*line = (struct line){.what = what, .host = host};
	for (int i = 0; i < COL__COUNT; i++)
		c[i] = (struct cell){.text = STR_LIT(""), .sort = -1};
	c[COL_HOST].text = host;
	c[COL_HOST].sort = (int64_t)t->nrows;
	return c;
}

static void fill(
	struct table *t, const struct mx_row *m, const struct mx_row *all, size_t n, int64_t common)
{
	const struct mx_row *fastest;
	bool own = common == EVENT_UNKNOWN, slow = mx_is_slow(m, all, n, &fastest);
	struct cell *c = add(t, own ? WHAT_HOST : WHAT_SIBLING, m->name, (uint64_t)m->key << 2,
		slow               ? STYLE_BAD
		: mx_failed(m) > 0 ? STYLE_WARN
				   : STYLE_NORMAL);

	if (!c)
		return;
	c[COL_SENT] = cell_count(t, m->sent);
	c[COL_P50] = connect_time(t, m, m->p50_cs);
	c[COL_P90] = connect_time(t, m, m->p90_cs);
	c[COL_P99] = connect_time(t, m, m->p99_cs);
	c[COL_TLS] = mx_cell_tls(t, m);
	c[COL_FAILED] = cell_count(t, mx_failed(m));
	c[COL_STEPPED_IN] = cell_count(t, m->n[MX_STEPPED_IN]);
	if (!own)
		c[COL_COMMON] = cell_count(t, common);
}

static void link_rows(struct table *t, struct str host)
{
	struct cell *c = add(t, WHAT_ATTEMPTS, host, 1, STYLE_NORMAL);

	if (c)
		c[COL_HOST].text = STR_LIT("its attempts");
	c = add(t, WHAT_FAILURES, host, 2, STYLE_NORMAL);
	if (c)
		c[COL_HOST].text = STR_LIT("failures naming it");
}

/* The figures of the host and of each sibling: rows[0] is the host. */
static int read_hosts(struct mxhost *s, struct reader *r, const struct view *v, struct table *t,
	struct mx_row **ret, size_t *ret_n, struct sibling_row **ret_siblings,
	struct mt_error *reterr)
{
	struct query q = {.t0_ms = v->query.t0_ms,
		.t1_ms = v->query.t1_ms,
		.provider = v->query.provider,
		.relay_host = v->query.relay_host};
	struct mx_row *one = NULL;
	size_t nsiblings = 0, n = 0;
	bool possible;
	int rc = read_siblings(r, &q, &t->arena, ret_siblings, &nsiblings, reterr);

	*ret_n = 0;
	*ret = rc == 0 ? arena_alloc(&t->arena, (nsiblings + 1) * sizeof(**ret)) : NULL;
	if (rc == 0 && !*ret)
		return MT_ELIMIT;
	for (size_t i = 0; i <= nsiblings && rc == 0; i++) {
		q.relay_host = i ? (*ret_siblings)[i - 1].host : v->query.relay_host;
		rc = read_mx(r, &q, false, &t->arena, &one, &n, &possible, &s->since_ms, reterr);
		if (rc == 0)
			(*ret)[i] = n ? *one
				      : (struct mx_row){.name = q.relay_host,
						.key = i ? (*ret_siblings)[i - 1].key : 0,
						.tls_told = EVENT_UNKNOWN,
						.tls_used = EVENT_UNKNOWN};
		if (rc == 0 && i == 0)
			s->found = n > 0;
	}
	*ret_n = nsiblings + 1;
	return rc;
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct mxhost *s = state;
	struct sibling_row *siblings = NULL;
	struct fallback_row *fallbacks = NULL;
	const struct mx_row *fastest = NULL;
	struct mx_row *rows = NULL;
	size_t n = 0, nfallbacks = 0;
	int rc = read_hosts(s, r, v, t, &rows, &n, &siblings, reterr);

	if (rc == 0)
		rc = read_fallbacks(r, &v->query, &t->arena, &fallbacks, &nfallbacks, reterr);
	if (rc == 0)
		rc = cells_begin(t, n + 2);
	if (rc < 0)
		return rc;
	s->own = rows[0];
	s->slow = mx_is_slow(&rows[0], rows, n, &fastest);
	s->fastest = fastest ? *fastest : (struct mx_row){0};
	s->nfallbacks = nfallbacks < FALLBACKS_SHOWN ? nfallbacks : FALLBACKS_SHOWN;
	for (size_t i = 0; i < s->nfallbacks; i++)
		s->fallbacks[i] = fallbacks[i];
	for (size_t i = 0; i < n; i++)
		fill(t, &rows[i], rows, n, i ? siblings[i - 1].ndomains : EVENT_UNKNOWN);
	link_rows(t, rows[0].name);
	t->total = (int64_t)t->nrows;
	return 0;
}

static void tls_line(const struct mx_row *m, struct buf *b)
{
	static const struct {
		enum mx_tls tls;
		const char *word;
	} versions[] = {{MX_TLS_1_3, "1.3"}, {MX_TLS_1_2, "1.2"}, {MX_TLS_OLDER, "older"},
		{MX_TLS_VERSION_UNTOLD, "version not told"}};

	buf_add_z(b, "TLS ");
	if (m->tls_told == EVENT_UNKNOWN) {
		buf_add_z(b, "not known: no line tells (smtp_tls_loglevel=1 makes Postfix do)");
		return;
	}
	fmt_count(b, m->tls_used);
	buf_add_z(b, " of ");
	fmt_count(b, m->tls_told);
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		if (m->tls[versions[i].tls] > 0) {
			buf_printf(b, "  %s: ", versions[i].word);
			fmt_count(b, m->tls[versions[i].tls]);
		}
}

static int failures_lines(const struct mx_row *m, struct canvas *c, struct rect area)
{
	enum style style = mx_failed(m) > 0 ? STYLE_WARN : STYLE_NORMAL;
	int x = area.x + 1;

	x += canvas_text(c, x, area.y, area.w - 1, style,
		mx_failed(m) == 0 ? STR_LIT("no try at it failed") : STR_LIT("failed:"));
	return mx_kinds(c, area, x, m, MX_STEPPED_IN, style);
}

static void times_line(const struct mxhost *s, struct buf *b)
{
	const struct mx_row *m = &s->own;

	if (s->fastest.key == 0) {
		buf_printf(b,
			m->connects < MX_SLOW_MIN_N
				? "too few connection times to compare (under %d)"
				: "no sibling has %d connection times to compare with",
			MX_SLOW_MIN_N);
		return;
	}
	buf_add_z(b, s->slow ? "slow: p50 " : "not slow: p50 ");
	fmt_cs(b, m->p50_cs);
	buf_add_z(b, " against ");
	fmt_cs(b, s->fastest.p50_cs);
	buf_add_z(b, " of ");
	buf_add_str(b, s->fastest.name);
}

static void fallback_line(const struct fallback_row *f, struct buf *b)
{
	fmt_count(b, f->n);
	buf_add_z(b, " sent by ");
	buf_add_str(b, f->took);
	buf_add_z(b, " after ");
	buf_add_str(b, f->failed);
	buf_add_z(b, " had failed");
}

static int draw(const void *state, const struct view *v, const struct table *t, struct canvas *c,
	struct rect area)
{
	const struct mxhost *s = state;
	int y = area.y;
	struct buf b;

	(void)t;
	area.y += mx_since_line(c, area, v, s->since_ms);
	if (!s->found) {
		canvas_text(c, area.x + 1, area.y, area.w - 1, STYLE_DIM,
			STR_LIT("nothing is counted of this host in this window"));
		return area.y + 1 - y;
	}
	buf_init(&b, TEXT_MAX_BYTES);
	times_line(s, &b);
	canvas_text(c, area.x + 1, area.y++, area.w - 1, s->slow ? STYLE_BAD : STYLE_NORMAL,
		buf_str(&b));
	area.y += failures_lines(&s->own, c, area);
	buf_clear(&b);
	tls_line(&s->own, &b);
	canvas_text(c, area.x + 1, area.y++, area.w - 1, STYLE_NORMAL, buf_str(&b));
	for (size_t i = 0; i < s->nfallbacks; i++) {
		buf_clear(&b);
		fallback_line(&s->fallbacks[i], &b);
		canvas_text(c, area.x + 1, area.y++, area.w - 1, STYLE_WARN, buf_str(&b));
	}
	buf_done(&b);
	return area.y - y;
}

static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	const struct line *line = selected->ref;

	(void)state;
	(void)v;
	if (line->what == WHAT_FAILURES) {
		ret->pane = "failures";
		ret->query.relay_host =
			(struct str){NULL, 0}; /* where no host took it the relay is none */
		snprintf(ret->filter, sizeof(ret->filter), "%.*s", STR_ARG(line->host));
	} else {
		ret->pane = line->what == WHAT_SIBLING ? "mxhost" : "domain";
		ret->query.relay_host = line->host;
	}
	target_label(ret, "%.*s", STR_ARG(line->host));
	return true;
}

const struct pane_ops pane_mxhost = {
	.name = "mxhost",
	.title = "MX host",
	.help = "One relay host beside its siblings: hosts that mail of the same recipient domains "
		"went to (by the "
		"newest 10,000 attempts), or that failed before it or sent after it had failed. "
		"Which of them DNS "
		"prefers the log does not tell; who stepped in for whom it does.\n" MX_SLOW_HELP
		".\nfailed: tries at the host, by kind. TLS: sent records of which the log tells.\n"
		"Enter on a sibling shows that one, on the host its page with its attempts.",
	.columns = columns,
	.ncolumns = COL__COUNT,
	.default_sort = COL_HOST,
	.state_bytes = sizeof(struct mxhost),
	.open = open_mxhost,
	.refresh = refresh,
	.draw = draw,
	.enter = enter,
};
