/* SPDX-License-Identifier: MIT */
/* figures - see figures.h; the view :figures is the list alone. */
#include "tui/panes/figures.h"

#define MS_PER_MIN 60000
#define PER_MIN_TENTHS 10

enum col { COL_NAME, COL_N, COL_CHANGE, COL_RATE, COL_SHARE, COL_DEFINITION };

const struct column figures_columns[FIGURES_COLUMNS] = {
	{"figure", 18, ALIGN_LEFT, 1, false, "what is counted; each has one definition"},
	{"n", 12, ALIGN_RIGHT, 1, true, "how many in the window; ? where the log does not tell"},
	{"change", 9, ALIGN_RIGHT, 3, true,
		"against the window before; new: none then; ? not covered by the cache"},
	{"a minute", 9, ALIGN_RIGHT, 4, true, "n over the minutes of the window"},
	{"share", 7, ALIGN_RIGHT, 2, true,
		"sent, bounced and expired recipients: of these three together (the final "
		"outcomes); first "
		"try: of sent; rejected 4xx: of rejected; auth: of all AUTH commands; TLS: of "
		"connections"},
	{"definition", 0, ALIGN_LEFT, 5, false, "what counts, as the store counts it"},
};

/* Where a figure leads and what its share is of. */
struct figure {
	enum metric metric;
	const char *pane;
	enum event_status status;
	unsigned message_flags, reject_actions;
	int reply_class;
	enum event_kind sample; /* object of the samples view */
};

static const struct figure figures[] = {
	{.metric = METRIC_SENT, .pane = "deliveries", .status = STATUS_SENT},
	{.metric = METRIC_DEFERRED, .pane = "replies", .status = STATUS_DEFERRED},
	{.metric = METRIC_BOUNCED, .pane = "replies", .status = STATUS_BOUNCED},
	{.metric = METRIC_EXPIRED, .pane = "messages", .message_flags = MESSAGE_EXPIRED},
	{.metric = METRIC_EXPIRED_RECIPIENTS, .pane = "messages", .message_flags = MESSAGE_EXPIRED},
	{.metric = METRIC_REJECTED, .pane = "rejects", .reject_actions = 1u << REJECT_REJECT},
	{.metric = METRIC_REJECTED_TEMPORARY,
		.pane = "rejects",
		.reject_actions = 1u << REJECT_REJECT,
		.reply_class = 4},
	{.metric = METRIC_REJECT_WARNINGS, .pane = "rejects", .reject_actions = 1u << REJECT_WARN},
	{.metric = METRIC_RECEIVED, .pane = "messages"},
	{.metric = METRIC_RECIPIENTS, .pane = "messages"},
	{.metric = METRIC_FIRST_TRY, .pane = "deliveries", .status = STATUS_SENT},
	{.metric = METRIC_HANDED_OVER,
		.pane = "messages",
		.message_flags = MESSAGE_REINJECTED | MESSAGE_FORWARDED},
	{.metric = METRIC_NOTIFICATIONS, .pane = "messages", .message_flags = MESSAGE_NOTIFICATION},
	{.metric = METRIC_HELD, .pane = "messages", .message_flags = MESSAGE_HELD},
	{.metric = METRIC_DISCARDED, .pane = "rejects", .reject_actions = 1u << REJECT_DISCARD},
	{.metric = METRIC_CONNECTIONS, .pane = "ports"},
	{.metric = METRIC_LOST, .pane = "ports"},
	{.metric = METRIC_AUTH_OK, .pane = "ports"},
	{.metric = METRIC_AUTH_FAILED, .pane = "ports"},
	{.metric = METRIC_TLS, .pane = "ports"},
	{.metric = METRIC_COUNTED_SESSIONS, .pane = "ports"},
	{.metric = METRIC_TLS_OUT, .pane = "deliveries", .status = STATUS_SENT},
	{.metric = METRIC_HOST_FAILURES, .pane = "samples", .sample = EVENT_HOST_FAILURE},
	{.metric = METRIC_WARNINGS, .pane = "samples", .sample = EVENT_WARNING},
	{.metric = METRIC_UNPARSED, .pane = "samples", .sample = EVENT_UNPARSED},
	{.metric = METRIC_OVERSIZE, .pane = "samples", .sample = EVENT_OVERSIZE},
	{.metric = METRIC_FOREIGN, .pane = "log"},
	{.metric = METRIC_LINES, .pane = "log"},
	{.metric = METRIC_REQUESTS, .pane = "messages"},
	{.metric = METRIC_PROCESSED, .pane = "messages"},
	{.metric = METRIC_SUPPRESSED, .pane = "failures", .status = STATUS_SUPPRESSED},
	{.metric = METRIC_BLOCKED, .pane = "replies", .status = STATUS_BOUNCED},
	{.metric = METRIC_HARD_BOUNCES, .pane = "replies", .status = STATUS_BOUNCED},
	{.metric = METRIC_SOFT_BOUNCES, .pane = "replies", .status = STATUS_BOUNCED},
	{.metric = METRIC_COMPLAINTS, .pane = "suppressions"},
	{.metric = METRIC_UNSUBSCRIBES, .pane = "suppressions"},
	{.metric = METRIC_OPENS, .pane = "messages"},
	{.metric = METRIC_UNIQUE_OPENS, .pane = "messages"},
	{.metric = METRIC_CLICKS, .pane = "messages"},
	{.metric = METRIC_UNIQUE_CLICKS, .pane = "messages"},
};
#define FIGURES (sizeof(figures) / sizeof(figures[0]))

/* Figures of vendors take no rows where there is none, those of a log none where only a vendor is shown. */
static bool is_shown(const struct view *v, enum metric metric, int64_t n)
{
	bool vendor = false, all = v->query.provider == 0;

	for (size_t i = 0; i < v->nproviders; i++)
		vendor |= (all || v->providers[i].id == v->query.provider) &&
			  v->providers[i].finest_bucket_s > 60;
	if (metric >= METRIC_REQUESTS)
		return vendor && (n != EVENT_UNKNOWN || all);
	return all || !vendor || n != EVENT_UNKNOWN;
}

static const char *metric_name(enum metric metric)
{
	static const char *const names[METRIC__COUNT] = {
#define METRIC_NAME(id, name, help) [METRIC_##id] = name,
		METRIC_LIST(METRIC_NAME)
#undef METRIC_NAME
	};

	return names[metric];
}

static int64_t sum(int64_t a, int64_t b)
{
	return a == EVENT_UNKNOWN || b == EVENT_UNKNOWN ? EVENT_UNKNOWN : a + b;
}

/* What a figure is a part of; EVENT_UNKNOWN: of nothing. */
static int64_t whole_of(enum metric metric, const int64_t *n)
{
	if (metric == METRIC_SENT || metric == METRIC_BOUNCED ||
		metric == METRIC_EXPIRED_RECIPIENTS)
		return totals_outcomes(n);
	if (metric == METRIC_FIRST_TRY || metric == METRIC_COMPLAINTS)
		return n[METRIC_SENT];
	if (metric == METRIC_REJECTED_TEMPORARY)
		return n[METRIC_REJECTED];
	if (metric == METRIC_AUTH_OK || metric == METRIC_AUTH_FAILED)
		return sum(n[METRIC_AUTH_OK], n[METRIC_AUTH_FAILED]);
	return metric == METRIC_TLS ? n[METRIC_CONNECTIONS] : EVENT_UNKNOWN;
}

static struct cell cell_rate(struct table *t, int64_t n, const struct totals *now)
{
	int64_t minutes = (now->to_ms - now->from_ms) / MS_PER_MIN, tenths;
	struct cell cell = {.text = STR_LIT("?"), .sort = -1};
	struct buf b;

	if (n == EVENT_UNKNOWN || minutes <= 0)
		return cell;
	tenths = n * PER_MIN_TENTHS / minutes;
	buf_init(&b, 64);
	fmt_count(&b, tenths / PER_MIN_TENTHS);
	if (tenths < 100 * PER_MIN_TENTHS)
		buf_printf(&b, ".%lld", (long long)(tenths % PER_MIN_TENTHS));
	cell = (struct cell){.text = arena_str(&t->arena, buf_str(&b)), .sort = tenths};
	buf_done(&b);
	return cell;
}

static struct cell cell_share(struct table *t, enum metric metric, const int64_t *n)
{
	int64_t whole = whole_of(metric, n);

	return whole == EVENT_UNKNOWN ? (struct cell){.text = STR_LIT(""), .sort = -1}
				      : cell_pct(t, n[metric], whole);
}

/* The window before counts only where the cache covers it whole. */
static int64_t before_of(const struct totals *before, enum metric metric)
{
	if (before->first_ms == EVENT_UNKNOWN || before->first_ms > before->from_ms ||
		before->slot_s ||
		before->differences) /* a slot that is still open compares with nothing */
		return EVENT_UNKNOWN;
	return before->n[metric];
}

static enum style row_style(enum metric metric, int64_t n)
{
	if (n <= 0)
		return STYLE_NORMAL;
	if (metric == METRIC_BOUNCED || metric == METRIC_EXPIRED ||
		metric == METRIC_EXPIRED_RECIPIENTS)
		return STYLE_BAD;
	if (metric == METRIC_DEFERRED || metric == METRIC_WARNINGS || metric == METRIC_UNPARSED ||
		metric == METRIC_OVERSIZE || metric == METRIC_HOST_FAILURES)
		return STYLE_WARN;
	return STYLE_NORMAL;
}

int figures_fill(struct table *t, const struct view *v, const struct totals *now,
	const struct totals *before)
{
	int rc = cells_begin(t, FIGURES);

	for (size_t i = 0; i < FIGURES && rc == 0; i++) {
		enum metric metric = figures[i].metric;
		int64_t n = now->n[metric];
		struct cell *c;

		if (!is_shown(v, metric, n))
			continue;
		c = cells_row(t, FIGURES_COLUMNS, metric + 1, row_style(metric, n), &figures[i]);
		if (!c)
			return MT_ELIMIT;
		c[COL_NAME] =
			(struct cell){.text = str_of(metric_name(metric)), .sort = (int64_t)i};
		c[COL_N] = cell_count(t, n);
		c[COL_CHANGE] = cell_delta(t, v, n, before_of(before, metric));
		c[COL_RATE] = cell_rate(t, n, now);
		c[COL_SHARE] = cell_share(t, metric, now->n);
		c[COL_DEFINITION] = cell_words(metric_help(metric));
	}
	t->total = (int64_t)t->nrows;
	return rc;
}

bool figures_enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	const struct figure *f = selected->ref;

	(void)state;
	(void)v;
	ret->pane = f->pane;
	ret->query.status = f->status;
	ret->query.message_flags = f->message_flags;
	ret->query.reject_actions = f->reject_actions;
	ret->query.reply_class = f->reply_class;
	ret->object = f->sample;
	target_label(ret, "%s", metric_name(f->metric));
	return true;
}

struct figures {
	struct totals now, before;
};

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct figures *s = state;
	struct query before = v->query;
	int rc = read_totals(r, &v->query, &s->now, reterr);

	before.t1_ms = v->query.t0_ms;
	before.t0_ms = v->query.t0_ms - (v->query.t1_ms - v->query.t0_ms);
	if (rc == 0)
		rc = read_totals(r, &before, &s->before, reterr);
	return rc == 0 ? figures_fill(t, v, &s->now, &s->before) : rc;
}

const struct pane_ops pane_figures = {
	.name = "figures",
	.title = "Figures",
	.help = "Every figure that is counted, with its definition. Enter opens what is behind it.",
	.columns = figures_columns,
	.ncolumns = FIGURES_COLUMNS,
	.default_sort = COL_NAME,
	.state_bytes = sizeof(struct figures),
	.refresh = refresh,
	.enter = figures_enter,
};
