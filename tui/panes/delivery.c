/* SPDX-License-Identifier: MIT */
/*
 * delivery - is mail flowing: sent, deferred and bounced over the window, the totals and their rates.
 *
 * Rates are over final outcomes (sent, bounced, expired recipients); deferrals stand beside them.
 */
#include "store/base/utf8.h"
#include "tui/panes/figures.h"
#include "tui/panes/vendor.h"

#include <stdio.h>

#define SLOTS_MAX 96
#define BANDS 3 /* delivered, deferred, bounced */
#define RATE_MIN_N 100 /* below, a rate is an accident */
#define CONVENTION_PER_MILLE 30 /* 3 %: a convention of senders, no provider publishes it */
#define TEXT_WIDE 40
#define TEXT_NARROW 30
#define GRAPH_WIDE 40
#define GRAPH_MIN 16
#define CHANGE_PCT 10 /* less than this more or less than in the window before is no change */
#define GRAPHS_MIN_ROWS 6
#define GRAPHS_MAX_ROWS 20
#define MS_PER_MIN 60000
#define MIN_PER_H 60
#define SCOPE_MAX_BYTES 1024
#define VENDOR_SLOTS_MIN 6 /* as the reader takes to put them beside minutes */

struct delivery {
	int64_t series[BANDS][SLOTS_MAX];
	size_t nslots;
	int64_t slot_ms;
	struct totals totals, before; /* before: the window before this one */
	struct delay_figures delays[DELAY__COUNT];
};

/* The window in slots of a length people count in, not under vendor_ms. The minute that has only begun to leave it is
 * left out. */
static void choose_slots(struct delivery *d, struct query *q, int64_t vendor_ms)
{
	static const int64_t minutes[] = {1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440};
	int64_t span;

	q->t0_ms += MS_PER_MIN - 1 - (q->t0_ms + MS_PER_MIN - 1) % MS_PER_MIN;
	q->t1_ms += MS_PER_MIN - 1 - (q->t1_ms + MS_PER_MIN - 1) % MS_PER_MIN;
	span = q->t1_ms > q->t0_ms ? q->t1_ms - q->t0_ms : MS_PER_MIN;
	for (size_t i = 0; i < sizeof(minutes) / sizeof(minutes[0]); i++) {
		if (minutes[i] * MS_PER_MIN < vendor_ms)
			continue;
		d->slot_ms = minutes[i] * MS_PER_MIN;
		d->nslots = (size_t)((span + d->slot_ms - 1) / d->slot_ms);
		if (d->nslots <= SLOTS_MAX)
			break;
	}
	d->nslots = d->nslots > SLOTS_MAX ? SLOTS_MAX : d->nslots;
	d->slot_ms = read_slot_ms(q, d->nslots);
}

/* A vendor's slots are shown as such where there are some of them; in shorter windows their differences are. */
static int64_t vendor_slot_ms(const struct delivery *d, const struct query *q)
{
	int64_t slot_ms = d->totals.slot_s * INT64_C(1000);

	return slot_ms * VENDOR_SLOTS_MIN <= q->t1_ms - q->t0_ms ? slot_ms : 0;
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	static const enum metric metrics[BANDS] = {METRIC_SENT, METRIC_DEFERRED, METRIC_BOUNCED};
	struct delivery *d = state;
	struct query before = v->query, curve = v->query;
	int rc = read_totals(r, &v->query, &d->totals, reterr);

	before.t1_ms = v->query.t0_ms;
	before.t0_ms = v->query.t0_ms - (v->query.t1_ms - v->query.t0_ms);
	choose_slots(d, &curve, vendor_slot_ms(d, &v->query));
	if (rc == 0)
		rc = read_totals(r, &before, &d->before, reterr);
	for (int i = 0; i < BANDS && rc == 0; i++)
		rc = read_series(r, &curve, metrics[i], d->series[i], d->nslots, reterr);
	if (rc == 0)
		rc = read_delays(r, &v->query, d->delays, reterr);
	if (rc == 0)
		rc = figures_fill(t, v, &d->totals, &d->before);
	return rc;
}

/* More, less or as much as in the window before; nothing where that one is not covered. */
static const char *arrow(const struct delivery *d, enum metric metric)
{
	int64_t now = d->totals.n[metric], before = d->before.n[metric];

	if (now < 0 || before < 0 || d->totals.slot_s || d->totals.differences ||
		d->before.first_ms == EVENT_UNKNOWN || d->before.first_ms > d->before.from_ms)
		return "";
	if (now * 100 > before * (100 + CHANGE_PCT))
		return " \xe2\x86\x91";
	if (now * 100 < before * (100 - CHANGE_PCT))
		return " \xe2\x86\x93";
	return " =";
}

/* --- the figures, one a line, whole or not at all --- */

struct lines {
	const struct delivery *d;
	struct canvas *c;
	struct rect area;
	int y;
	int64_t final; /* outcomes */
};

/* "word 1,234  5.6%" and an arrow, or the number cut short where it is too long; then a remark if it fits. */
static void figure(struct lines *l, enum style style, const char *word, enum metric metric,
	bool share, const char *remark)
{
	const int64_t *n = l->d->totals.n;
	struct buf b;

	if (l->y >= l->area.h)
		return;
	buf_init(&b, 256);
	for (int form = 0; form < 2; form++) {
		buf_clear(&b);
		buf_printf(&b, "%s ", word);
		if (form == 0)
			fmt_count(&b, n[metric]);
		else
			fmt_count_short(&b, n[metric]);
		if (share) {
			buf_add_z(&b, "  ");
			fmt_pct(&b, n[metric], l->final);
		}
		if ((int)b.n + 2 <= l->area.w)
			break;
	}
	buf_add_z(&b, arrow(l->d, metric));
	if ((int)(b.n + strlen(remark)) <= l->area.w)
		buf_add_z(&b, remark);
	canvas_printf(l->c, l->area.x, l->area.y + l->y, l->area.w, style, "%s", buf_z(&b));
	l->y++;
	buf_done(&b);
}

static void words(struct lines *l, enum style style, struct buf *text)
{
	if (l->y < l->area.h && (int)utf8_show_width(buf_str(text), false) <= l->area.w)
		canvas_printf(
			l->c, l->area.x, l->area.y + l->y++, l->area.w, style, "%s", buf_z(text));
	buf_clear(text);
}

static int64_t outcomes(const struct delivery *d)
{
	return totals_outcomes(d->totals.n);
}

static bool over_convention(const struct lines *l)
{
	return l->final >= RATE_MIN_N &&
	       l->d->totals.n[METRIC_BOUNCED] * 1000 > l->final * CONVENTION_PER_MILLE;
}

static void bounced(struct lines *l)
{
	bool high = over_convention(l);

	figure(l, high ? STYLE_BAD : STYLE_NORMAL, "bounced", METRIC_BOUNCED, true,
		high ? " !" : "");
}

/* The 3 % line: a convention, said to be one, with the number of outcomes the rate is of. */
static void convention(struct lines *l, struct buf *text)
{
	bool high = over_convention(l);

	if (l->final < 0) {
		buf_add_z(text, "rate not known");
	} else {
		buf_add_z(text, l->final < RATE_MIN_N ? "too few for a rate, N "
				: high                ? "over 3% convention, N "
						      : "under 3% convention, N ");
		fmt_count(text, l->final);
	}
	words(l, high ? STYLE_BAD : STYLE_DIM, text);
}

static void delays(struct lines *l, struct buf *text)
{
	const struct delay_figures *total = &l->d->delays[DELAY_TOTAL];

	buf_add_z(text, "p50 ");
	fmt_cs(text, total->p50_cs);
	buf_add_z(text, " p90 ");
	fmt_cs(text, total->p90_cs);
	buf_add_z(text, " p99 ");
	fmt_cs(text, total->p99_cs);
	words(l, STYLE_NORMAL, text);
}

static void refused(struct lines *l, struct buf *text)
{
	const int64_t *n = l->d->totals.n;

	buf_add_z(text, "rejected ");
	fmt_count(text, n[METRIC_REJECTED]);
	buf_add_z(text, arrow(l->d, METRIC_REJECTED));
	buf_add_z(text, "  expired ");
	fmt_count(text, n[METRIC_EXPIRED]);
	words(l, STYLE_NORMAL, text);
}

static void first_try(struct lines *l, struct buf *text)
{
	const int64_t *n = l->d->totals.n;

	buf_add_z(text, "first try ");
	if (n[METRIC_FIRST_TRY] == EVENT_UNKNOWN)
		buf_add_char(text, '?');
	else
		fmt_pct(text, n[METRIC_FIRST_TRY], n[METRIC_SENT]);
	if (l->area.w < TEXT_WIDE)
		words(l, STYLE_NORMAL, text);
	else
		buf_add_z(text, "  ");
	buf_add_z(text, "messages ");
	fmt_count(text, n[METRIC_RECEIVED]);
	words(l, STYLE_NORMAL, text);
}

/* --- graphs and the figures beside them --- */

static const enum style band_styles[BANDS] = {STYLE_GRAPH, STYLE_GRAPH2, STYLE_WARN};

/* Rows of the bands and of the line under them. The figures' lines stand beside their own graph. */
static void share_rows(int h, int rows[BANDS], int *axis)
{
	*axis = h > BANDS ? 1 : 0;
	h -= *axis;
	rows[2] = h >= 2 * BANDS ? h / BANDS : h >= BANDS ? 1 : 0;
	rows[1] = h >= 4 * BANDS ? h / 4 : h >= 2 ? 1 : 0;
	rows[0] = h - rows[1] - rows[2];
}

static void band_figures(struct lines *l, int band, struct buf *text)
{
	if (band == 0) {
		figure(l, STYLE_GOOD, "delivered", METRIC_SENT, true, "");
		delays(l, text);
		first_try(l, text);
	} else if (band == 1) {
		figure(l, STYLE_NORMAL, "deferred", METRIC_DEFERRED, false, " attempts");
	} else {
		bounced(l);
		convention(l, text);
	}
}

static void paint(
	const struct delivery *d, const struct view *v, struct canvas *c, struct rect area)
{
	int text_w = area.w >= TEXT_WIDE + GRAPH_WIDE ? TEXT_WIDE : TEXT_NARROW;
	int graph_w = area.w - text_w - 1, rows[BANDS], axis, y = area.y;
	struct lines l = {.d = d, .c = c, .final = outcomes(d)};
	struct buf text;

	if (graph_w < GRAPH_MIN) {
		graph_w = 0;
		text_w = area.w;
	}
	buf_init(&text, 256);
	share_rows(area.h, rows, &axis);
	for (int i = 0; i < BANDS; i++) {
		if (graph_w > 0)
			canvas_chart(c, (struct rect){area.x, y, graph_w, rows[i]}, band_styles[i],
				d->series[i], d->nslots);
		l.area = (struct rect){area.x + area.w - text_w, y, text_w, rows[i]};
		l.y = 0;
		band_figures(&l, i, &text);
		y += rows[i];
	}
	l.area.y = y;
	l.area.h = axis;
	l.y = 0;
	if (rows[2] < 2)
		convention(&l, &text);
	refused(&l, &text);
	if (axis && graph_w > 0)
		canvas_time_axis(c, area.x + CHART_SCALE, y, graph_w - CHART_SCALE,
			d->slot_ms * (int64_t)d->nslots, v->live ? "now" : "");
	buf_done(&text);
}

/* "per minute", "per 12m", "per 3h": what one slot of the graphs is. */
static void unit_text(int64_t slot_ms, char *out, size_t bytes)
{
	int64_t minutes = slot_ms / MS_PER_MIN;

	if (minutes <= 1)
		snprintf(out, bytes, "per minute");
	else if (minutes % MIN_PER_H)
		snprintf(out, bytes, "per %lldm", (long long)minutes);
	else
		snprintf(out, bytes, "per %lldh", (long long)(minutes / MIN_PER_H));
}

/* One vendor is shown, in slots shorter than its own: its graphs are of differences between polls. */
static bool by_differences(const struct delivery *d, const struct view *v)
{
	for (size_t i = 0; i < v->nproviders; i++)
		if (v->providers[i].id == v->query.provider && v->query.provider)
			return vendor_is(v, v->query.provider) &&
			       d->slot_ms < v->providers[i].finest_bucket_s * INT64_C(1000);
	return false;
}

static int draw(const void *state, const struct view *v, const struct table *t, struct canvas *c,
	struct rect area)
{
	const struct delivery *d = state;
	struct buf scope;
	char unit[32];

	(void)t;
	/* The list of figures below takes at least half of the height. */
	area.h = area.h / 2 < GRAPHS_MAX_ROWS ? area.h / 2 : GRAPHS_MAX_ROWS;
	if (area.h < GRAPHS_MIN_ROWS)
		return 0;
	unit_text(d->slot_ms, unit, sizeof(unit));
	buf_init(&scope, SCOPE_MAX_BYTES);
	vendor_scope(&scope, v, &d->totals);
	canvas_printf(c, area.x + CHART_SCALE, area.y, area.w - CHART_SCALE, STYLE_DIM, "%s%s%s%s",
		unit, by_differences(d, v) ? " by differences between polls" : "",
		scope.n ? "; figures: " : "", buf_z(&scope));
	buf_done(&scope);
	paint(d, v, c, (struct rect){area.x, area.y + 1, area.w, area.h - 1});
	return area.h;
}

static void tile(const void *state, const struct view *v, const struct table *t, struct canvas *c,
	struct rect area, char *note, size_t note_bytes)
{
	const struct delivery *d = state;
	char unit[32];

	(void)t;
	paint(d, v, c, area);
	unit_text(d->slot_ms, unit, sizeof(unit));
	snprintf(note, note_bytes, "%s%s", by_differences(d, v) ? "differences " : "", unit);
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
		"p50 p90 p99: delay= of sent records, nearest rank.\n"
		"Arrows: more than 10% more or less than in the window before this one; = about as "
		"much; nothing where that window is not covered.\n"
		"Of a vendor (Mailgun, SendGrid) counters come by the hour or the day: the window "
		"is "
		"widened to whole ones, or, when it is shorter, the figures are the differences "
		"between polls; the line above says so. Graphs in slots shorter than the "
		"vendor's are of differences, too.\n"
		"Below: every counted figure with its definition; Enter opens what is behind it.",
	.number = 2,
	.columns = figures_columns,
	.ncolumns = FIGURES_COLUMNS,
	.state_bytes = sizeof(struct delivery),
	.tile_hint = {.priority = 1, .min_w = 40, .min_h = 7, .want_w = 82, .want_h = 9},
	.refresh = refresh,
	.draw = draw,
	.tile = tile,
	.enter = figures_enter,
};
