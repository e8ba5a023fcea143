/* SPDX-License-Identifier: MIT */
/*
 * delivery - is mail flowing: sent, deferred and bounced over the window, the totals and their rates.
 *
 * Rates are over final outcomes (sent, bounced, expired recipients); deferrals stand beside them.
 */
#include "tui/panes/cells.h"

#include <stdio.h>

#define SLOTS_MAX 240
#define RATE_MIN_N 100 /* below, a rate is an accident */
#define CONVENTION_PER_MILLE 30 /* 3 %: a convention of senders, no provider publishes it */
#define TEXT_COLUMNS 34

struct delivery {
	int64_t sent[SLOTS_MAX], failed[SLOTS_MAX];
	struct totals totals;
	struct delay_figures delays[DELAY__COUNT];
};

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct delivery *d = state;
	int rc = read_totals(r, &v->query, &d->totals, reterr);

	(void)t;
	if (rc == 0)
		rc = read_series(r, &v->query, METRIC_SENT, d->sent, SLOTS_MAX / 4, reterr);
	if (rc == 0)
		rc = read_series(r, &v->query, METRIC_BOUNCED, d->failed, SLOTS_MAX / 4, reterr);
	if (rc == 0)
		rc = read_delays(r, &v->query, d->delays, reterr);
	return rc;
}

static void count_line(struct canvas *c, struct rect area, int y, enum style style,
	const char *word, int64_t n, int64_t whole, const char *after)
{
	struct buf b;

	if (y >= area.h)
		return;
	buf_init(&b, 256);
	fmt_count(&b, n);
	if (whole != EVENT_UNKNOWN) {
		buf_add_z(&b, "  ");
		fmt_pct(&b, n, whole);
	}
	canvas_printf(c, area.x, area.y + y, area.w, style, "%s %s%s", word, buf_z(&b), after);
	buf_done(&b);
}

static void delays_line(const struct delivery *d, struct canvas *c, struct rect area, int y)
{
	struct buf b;

	buf_init(&b, 256);
	buf_add_z(&b, "p50 ");
	fmt_cs(&b, d->delays[DELAY_TOTAL].p50_cs);
	buf_add_z(&b, " p90 ");
	fmt_cs(&b, d->delays[DELAY_TOTAL].p90_cs);
	buf_add_z(&b, " p99 ");
	fmt_cs(&b, d->delays[DELAY_TOTAL].p99_cs);
	if (y < area.h)
		canvas_text(c, area.x, area.y + y, area.w, STYLE_NORMAL, buf_str(&b));
	buf_done(&b);
}

static void figures(const struct delivery *d, struct canvas *c, struct rect area)
{
	const int64_t *n = d->totals.n;
	int64_t final = n[METRIC_SENT] == EVENT_UNKNOWN
				? EVENT_UNKNOWN
				: n[METRIC_SENT] + n[METRIC_BOUNCED] + n[METRIC_EXPIRED_RECIPIENTS];
	bool high = final >= RATE_MIN_N && n[METRIC_BOUNCED] * 1000 > final * CONVENTION_PER_MILLE;

	count_line(c, area, 0, STYLE_GOOD, "delivered", n[METRIC_SENT], final, "");
	count_line(c, area, 1, STYLE_NORMAL, "deferred", n[METRIC_DEFERRED], EVENT_UNKNOWN,
		" attempts");
	count_line(c, area, 2, high ? STYLE_BAD : STYLE_NORMAL, "bounced", n[METRIC_BOUNCED], final,
		final < RATE_MIN_N ? "  (few)"
		: high             ? "  over 3% (convention)"
				   : "");
	count_line(c, area, 3, STYLE_NORMAL, "rejected", n[METRIC_REJECTED], EVENT_UNKNOWN, "");
	count_line(c, area, 4, STYLE_NORMAL, "expired", n[METRIC_EXPIRED], EVENT_UNKNOWN, "");
	delays_line(d, c, area, 5);
	count_line(c, area, 6, STYLE_NORMAL, "messages", n[METRIC_RECEIVED], EVENT_UNKNOWN, "");
	count_line(c, area, 7, STYLE_NORMAL, "first try", n[METRIC_FIRST_TRY], n[METRIC_SENT],
		" of delivered");
}

static void paint(
	const struct delivery *d, struct canvas *c, struct rect area, char *note, size_t note_bytes)
{
	int text = area.w > TEXT_COLUMNS + 12 ? TEXT_COLUMNS : area.w;
	struct rect graph = {area.x, area.y, area.w - text - 1, area.h};

	figures(d, c, (struct rect){area.x + area.w - text, area.y, text, area.h});
	if (graph.w > 8 && graph.h > 1) {
		struct rect upper = graph, lower = graph;
		int64_t peak;

		upper.h = (graph.h + 1) * 2 / 3;
		lower.y += upper.h;
		lower.h = graph.h - upper.h;
		peak = canvas_graph(c, upper, STYLE_GRAPH, d->sent, SLOTS_MAX / 4);
		canvas_graph(c, lower, STYLE_GRAPH2, d->failed, SLOTS_MAX / 4);
		if (note)
			snprintf(note, note_bytes, "sent over bounced, peak %lld", (long long)peak);
	}
}

static int draw(const void *state, const struct view *v, const struct table *t, struct canvas *c,
	struct rect area)
{
	(void)v;
	(void)t;
	paint(state, c, area, NULL, 0);
	return area.h;
}

static void tile(const void *state, const struct view *v, const struct table *t, struct canvas *c,
	struct rect area, char *note, size_t note_bytes)
{
	(void)v;
	(void)t;
	paint(state, c, area, note, note_bytes);
}

const struct pane_ops pane_delivery = {
	.name = "delivery",
	.title = "Delivery",
	.help = "delivered: "
		"delivery records with status=sent, hand-overs to a content filter left out.\n"
		"deferred: delivery records with status=deferred: tries, not failures, never "
		"summed with them.\n"
		"bounced: delivery records with status=bounced: recipients given up on.\n"
		"expired: messages given up by the queue manager.\n"
		"Percentages are of final outcomes: sent + bounced + expired recipients. 3% "
		"bounced is a convention of "
		"senders that no provider publishes; below 100 outcomes no verdict is given.\n"
		"p50 p90 p99: delay= of sent records, nearest rank.",
	.number = 2,
	.state_bytes = sizeof(struct delivery),
	.tile_hint = {.priority = 1, .min_w = 40, .min_h = 7, .want_w = 82, .want_h = 9},
	.refresh = refresh,
	.draw = draw,
	.tile = tile,
};
