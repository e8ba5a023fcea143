/* SPDX-License-Identifier: MIT */
/*
 * domain - the page of one destination or sender: share delivered, delays, the most frequent failures, and its
 * attempts newest first. Which one is in the query: a recipient domain, a relay host or a sender domain.
 */
#include "tui/panes/groups.h"
#include "tui/panes/mxrow.h"

#include <stdlib.h>

#define CODES_SHOWN 3
#define CODES_SEEN 64
#define SHARE_LOW_PCT 90
#define SHARE_MIN_N 10
#define PCT 100
#define TEXT_MAX_BYTES 512

enum col { COL_TIME, COL_QID, COL_RCPT, COL_STATUS, COL_CODE, COL_DELAY, COL_REPLY, COL__COUNT };

static const struct column columns[COL__COUNT] = {
	{"time", 11, ALIGN_LEFT, 1, true, "when the attempt was logged"},
	{"queue id", 16, ALIGN_LEFT, 5, false, "the message's id in the queue"},
	{"recipient", 28, ALIGN_LEFT, 2, false, "the envelope recipient of the attempt"},
	{"status", 9, ALIGN_LEFT, 1, false,
		"sent: the next server took it; deferred: will be tried again; bounced, expired: "
		"given up"},
	{"code", 7, ALIGN_LEFT, 2, false, "enhanced status code, else the basic reply code"},
	{"delay", 7, ALIGN_RIGHT, 4, true, "delay= of the record, from the message's arrival on"},
	{"reply", 0, ALIGN_LEFT, 1, false,
		"the remote server's words, or the reason found here; whole in the message view"},
};

struct domain {
	struct totals totals;
	struct code_row codes[CODES_SHOWN]; /* strings in the table's arena */
	size_t ncodes, nsent;
	bool of_rows; /* the codes are those of the attempts listed, not of the whole window */
	int64_t p50_cs, p90_cs, p99_cs; /* of the attempts listed that were sent */
	int64_t longest[DELAY__COUNT]; /* how often a part was the longest */
	struct mx_row mx; /* of a recipient domain: how its hosts were reached; key 0 not known */
};

static int by_size(const void *left, const void *right)
{
	int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

	return (a > b) - (a < b);
}

/* Nearest rank of sorted values. */
static int64_t rank(const int64_t *sorted, size_t n, size_t pct)
{
	return n ? sorted[(n * pct + PCT - 1) / PCT - 1] : EVENT_UNKNOWN;
}

static int measure(struct domain *s, const struct attempt_row *rows, size_t n, struct arena *a)
{
	int64_t *sorted = arena_alloc(a, (n + 1) * sizeof(*sorted));

	if (!sorted)
		return MT_ELIMIT;
	s->nsent = 0;
	memset(s->longest, 0, sizeof(s->longest));
	for (size_t i = 0; i < n; i++) {
		if (rows[i].status != STATUS_SENT || rows[i].handed_over ||
			rows[i].delay_cs[DELAY_TOTAL] < 0)
			continue;
		sorted[s->nsent++] = rows[i].delay_cs[DELAY_TOTAL];
		s->longest[longest_delay(&rows[i])]++;
	}
	if (s->nsent)
		qsort(sorted, s->nsent, sizeof(*sorted), by_size);
	s->p50_cs = rank(sorted, s->nsent, 50);
	s->p90_cs = rank(sorted, s->nsent, 90);
	s->p99_cs = rank(sorted, s->nsent, 99);
	return 0;
}

static void fill(struct table *t, const struct view *v, const struct attempt_row *a)
{
	struct cell *c =
		cells_row(t, COL__COUNT, (uint64_t)attempt_key(a), status_style(a->status), a);

	if (!c)
		return;
	c[COL_TIME] = cell_when(t, a->t_ms, v->now_ms);
	c[COL_QID] = cell_text(t, a->qid);
	c[COL_RCPT] = cell_text(t, a->rcpt);
	c[COL_STATUS] = cell_words(a->handed_over ? "handed on" : status_word(a->status));
	c[COL_CODE] = cell_code(t, code_key(a->dsn, a->code));
	c[COL_DELAY] = cell_delay(t, a->delay_cs[DELAY_TOTAL]);
	c[COL_REPLY] = cell_reply(t, a->reply);
}

/* A failure among the attempts listed, into the codes seen so far; those past CODES_SEEN are not told apart. */
static size_t count_code(struct code_row *codes, size_t n, const struct attempt_row *a)
{
	int64_t key = code_key(a->dsn, a->code);
	size_t i = 0;

	while (i < n && (codes[i].key != key || codes[i].status != a->status))
		i++;
	if (i == CODES_SEEN)
		return n;
	if (i == n)
		codes[i] = (struct code_row){
			.key = key, .status = a->status, .reply = a->reply, .relay = a->relay};
	codes[i].n++;
	return i == n ? n + 1 : n;
}

static int most_first(const void *left, const void *right)
{
	const struct code_row *a = left, *b = right;

	return (a->n < b->n) - (a->n > b->n);
}

/* Of a relay or a sender the whole window's failures would have to be looked through: those listed tell enough. */
static void codes_of_rows(struct domain *s, const struct attempt_row *rows, size_t n)
{
	struct code_row seen[CODES_SEEN];
	size_t nseen = 0;

	for (size_t i = 0; i < n; i++)
		if (rows[i].status == STATUS_DEFERRED || rows[i].status == STATUS_BOUNCED)
			nseen = count_code(seen, nseen, &rows[i]);
	if (nseen > 0)
		qsort(seen, nseen, sizeof(seen[0]), most_first);
	s->ncodes = nseen < CODES_SHOWN ? nseen : CODES_SHOWN;
	memcpy(s->codes, seen, s->ncodes * sizeof(seen[0]));
}

static int read_top_codes(struct domain *s, struct reader *r, const struct query *q,
	struct table *t, struct mt_error *reterr)
{
	struct code_row *codes;
	size_t n = 0;
	int rc = read_codes(r, q, &t->arena, &codes, &n, reterr);

	s->ncodes = 0;
	for (size_t i = 0; i < n && rc == 0 && s->ncodes < CODES_SHOWN; i++)
		if (codes[i].status == STATUS_DEFERRED || codes[i].status == STATUS_BOUNCED)
			s->codes[s->ncodes++] = codes[i];
	return rc;
}

/* How the hosts of a recipient domain were reached; a relay has a page of its own for that. */
static int read_reach(struct domain *s, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct mx_row *rows = NULL;
	int64_t since_ms;
	bool possible;
	size_t n = 0;
	int rc = 0;

	s->mx = (struct mx_row){0};
	if (str_present(v->query.domain))
		rc = read_mx(
			r, &v->query, true, &t->arena, &rows, &n, &possible, &since_ms, reterr);
	if (rc == 0 && n == 1)
		s->mx = rows[0];
	return rc;
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct domain *s = state;
	struct attempt_row *rows = NULL;
	size_t n = 0;
	int rc = read_totals(r, &v->query, &s->totals, reterr);

	s->of_rows = !str_present(v->query.domain);
	if (rc == 0 && !s->of_rows)
		rc = read_top_codes(s, r, &v->query, t, reterr);
	if (rc == 0)
		rc = read_attempts(
			r, &v->query, v->page_ms, v->page_id, &t->arena, &rows, &n, reterr);
	if (rc == 0 && s->of_rows)
		codes_of_rows(s, rows, n);
	if (rc == 0)
		rc = measure(s, rows, n, &t->arena);
	if (rc == 0)
		rc = read_reach(s, r, v, t, reterr);
	if (rc == 0)
		rc = cells_begin(t, n);
	for (size_t i = 0; i < n && rc == 0; i++)
		fill(t, v, &rows[i]);
	if (rc == 0 && n > 0)
		cells_page(t, v, n, rows[n - 1].t_ms, attempt_key(&rows[n - 1]));
	cells_empty(t, v, "no delivery was tried in this window");
	return rc;
}

static void figures_line(const struct domain *s, struct canvas *c, struct rect area)
{
	const int64_t *n = s->totals.n;
	bool known = n[METRIC_SENT] != EVENT_UNKNOWN && n[METRIC_BOUNCED] != EVENT_UNKNOWN;
	int64_t final = known ? n[METRIC_SENT] + n[METRIC_BOUNCED] : EVENT_UNKNOWN;
	bool low = final >= SHARE_MIN_N && n[METRIC_SENT] * PCT < final * SHARE_LOW_PCT;
	struct buf b;
	int x;

	buf_init(&b, TEXT_MAX_BYTES);
	buf_add_z(&b, "delivered ");
	fmt_pct(&b, n[METRIC_SENT], final);
	x = canvas_printf(c, area.x + 1, area.y, area.w - 1, low ? STYLE_BAD : STYLE_BOLD, "%s%s",
		buf_z(&b), low ? " (under 90%)" : "");
	buf_clear(&b);
	buf_add_z(&b, "  sent ");
	fmt_count(&b, n[METRIC_SENT]);
	buf_add_z(&b, "  bounced ");
	fmt_count(&b, n[METRIC_BOUNCED]);
	buf_add_z(&b, "  deferred attempts ");
	fmt_count(&b, n[METRIC_DEFERRED]);
	canvas_text(c, area.x + 1 + x, area.y, area.w - 1 - x, STYLE_NORMAL, buf_str(&b));
	buf_done(&b);
}

static void delays_line(const struct domain *s, struct canvas *c, struct rect area)
{
	int worst = DELAY_A;
	struct buf b;

	buf_init(&b, TEXT_MAX_BYTES);
	for (int i = DELAY_B; i < DELAY__COUNT; i++)
		worst = s->longest[i] > s->longest[worst] ? i : worst;
	buf_printf(&b, "delay of the %zu sent below: p50 ", s->nsent);
	fmt_cs(&b, s->p50_cs);
	buf_add_z(&b, "  p90 ");
	fmt_cs(&b, s->p90_cs);
	buf_add_z(&b, "  p99 ");
	fmt_cs(&b, s->p99_cs);
	if (s->longest[worst] > 0) {
		buf_printf(&b, "  mostly %s (", delay_word((enum delay_part)worst));
		fmt_pct(&b, s->longest[worst], (int64_t)s->nsent);
		buf_add_char(&b, ')');
	}
	canvas_text(c, area.x + 1, area.y, area.w - 1, STYLE_NORMAL, buf_str(&b));
	buf_done(&b);
}

static int reach_lines(const struct mx_row *m, struct canvas *c, struct rect area)
{
	enum style style = mx_failed(m) > 0 ? STYLE_WARN : STYLE_NORMAL;
	struct buf b;
	int x;

	buf_init(&b, TEXT_MAX_BYTES);
	buf_add_z(&b, "connection p50 ");
	fmt_cs(&b, m->p50_cs);
	buf_add_z(&b, "  p90 ");
	fmt_cs(&b, m->p90_cs);
	buf_add_z(&b, "  TLS ");
	if (m->tls_told > 0)
		fmt_pct(&b, m->tls_used, m->tls_told);
	else
		buf_add_char(&b, '?');
	x = area.x + 1 + canvas_text(c, area.x + 1, area.y, area.w - 1, style, buf_str(&b));
	buf_done(&b);
	return mx_kinds(c, area, x, m, MX_FIGURE__COUNT, style);
}

static void code_line(const struct code_row *row, bool of_rows, const struct view *v,
	struct canvas *c, struct rect area)
{
	struct explain_query q = {.text = row->reply,
		.host = row->relay,
		.key = row->key,
		.stage = row->stage,
		.status = row->status};
	struct explain_result info;
	struct buf b;

	explain(v->rules, &q, &info);
	buf_init(&b, TEXT_MAX_BYTES);
	fmt_code_key(&b, row->key);
	buf_printf(&b, " %s ", status_word(row->status));
	fmt_count(&b, row->n);
	buf_add_z(&b, of_rows ? " below" : "");
	buf_printf(&b, "  %s; %s side", info.meaning, explain_side_word(info.side));
	if (info.todo[0])
		buf_printf(&b, ": %s", info.todo);
	canvas_text(c, area.x + 1, area.y, area.w - 1, status_style(row->status), buf_str(&b));
	buf_done(&b);
}

static int draw(const void *state, const struct view *v, const struct table *t, struct canvas *c,
	struct rect area)
{
	const struct domain *s = state;
	int top = area.y;

	(void)t;
	figures_line(s, c, area);
	area.y++;
	delays_line(s, c, area);
	area.y++;
	if (s->mx.key)
		area.y += reach_lines(&s->mx, c, area);
	for (size_t i = 0; i < s->ncodes; i++, area.y++)
		code_line(&s->codes[i], s->of_rows, v, c, area);
	return area.y - top;
}

static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	const struct attempt_row *a = selected->ref;

	(void)state;
	(void)v;
	return target_message(ret, a->message, a->qid);
}

const struct pane_ops pane_domain = {
	.name = "domain",
	.title = "Domain",
	.help = "The page of one recipient domain, relay host or sender domain.\n"
		"delivered: " GROUP_SHARE_HELP ".\n"
		"delay: delay= of the sent records listed here, nearest rank; mostly: the part "
		"that was the "
		"longest most often (before the queue manager, in the queue, connect, transmit).\n"
		"connection, of a recipient domain: how its hosts were reached, as in :mx.\n"
		"Below: its most frequent codes with what they mean there and what to do (of a "
		"relay or a sender: "
		"counted in the attempts listed), then "
		"every attempt, "
		"newest first. Enter shows the message.",
	.columns = columns,
	.ncolumns = COL__COUNT,
	.default_sort = COL_TIME,
	.state_bytes = sizeof(struct domain),
	.refresh = refresh,
	.draw = draw,
	.enter = enter,
};
