/* SPDX-License-Identifier: MIT */
/*
 * providers - every source of every provider: how it fares, how old its figures are, what is wrong
 * and the fix. Enter looks at that provider alone.
 */
#include "store/base/fmt.h"
#include "store/base/timefmt.h"
#include "tui/panes/vendor.h"

#include <stdio.h>

#define TEXT_MAX_BYTES 4096
#define SOURCES_A_PROVIDER 1024 /* room in a row id: provider * this + source */

enum col {
	COL_PROVIDER,
	COL_SOURCE,
	COL_HEALTH,
	COL_AGE,
	COL_NEWEST,
	COL_ERRORS,
	COL_UNPARSED,
	COL_DETAIL,
	COL__COUNT
};

static const struct column columns[COL__COUNT] = {
	{"provider", 16, ALIGN_LEFT, 1, false,
		"what you switch between: a Postfix instance, an account"},
	{"source", 12, ALIGN_LEFT, 1, false,
		"its log, its queue: each is read on its own; of a vendor's account its endpoints"},
	{"health", 12, ALIGN_LEFT, 1, false,
		"fresh: read within its interval; late, stale: over it; FAILING, STOPPED: see "
		"detail"},
	{"age", 8, ALIGN_RIGHT, 2, true, "time since it was last read with success"},
	{"newest", 20, ALIGN_LEFT, 4, true, "time stamp of the newest record read"},
	{"errors", 8, ALIGN_RIGHT, 3, true, "failed rounds since the cache was made"},
	{"unparsed", 9, ALIGN_RIGHT, 5, true,
		"lines of the window that mtatop does not understand; they are in no other figure"},
	{"detail", 0, ALIGN_LEFT, 2, false, "the path read, or what is wrong and how to mend it"},
};

static const char *const health_words[HEALTH__COUNT] = {
	"no data yet", "fresh", "late", "stale", "FAILING", "STOPPED", "reading back"};

static enum style health_style(enum health health)
{
	if (health == HEALTH_FAILING || health == HEALTH_STOPPED)
		return STYLE_BAD;
	return health == HEALTH_FRESH || health == HEALTH_UNKNOWN ? STYLE_NORMAL : STYLE_WARN;
}

static struct cell text_cell(struct arena *a, struct str text)
{
	return (struct cell){.text = arena_str(a, text), .text_sort = true};
}

static bool is_queue(const struct source_row *s)
{
	return str_eq(s->name, STR_LIT("queue"));
}

static void fill_row(struct table *t, struct row *row, const struct provider_row *p,
	const struct source_row *s, int64_t unparsed, int64_t now_ms)
{
	struct cell *cells = arena_alloc(&t->arena, COL__COUNT * sizeof(*cells));
	bool slots = p->finest_bucket_s > 60; /* a vendor's account has no lines */
	struct buf text;

	if (!cells)
		return;
	buf_init(&text, TEXT_MAX_BYTES);
	cells[COL_PROVIDER] = text_cell(&t->arena, p->name);
	cells[COL_SOURCE] = text_cell(&t->arena, s->name);
	cells[COL_HEALTH] = text_cell(&t->arena, str_of(health_words[s->health]));
	cells[COL_AGE] = (struct cell){.text = STR_LIT("?"), .sort = INT64_MAX};
	if (s->last_ok_ms != EVENT_UNKNOWN) {
		timefmt_age(&text, now_ms > s->last_ok_ms ? now_ms - s->last_ok_ms : 0);
		cells[COL_AGE] = (struct cell){.text = arena_str(&t->arena, buf_str(&text)),
			.sort = now_ms - s->last_ok_ms};
	}
	buf_clear(&text);
	if (s->newest_ms != EVENT_UNKNOWN)
		timefmt_date_clock(&text, s->newest_ms);
	cells[COL_NEWEST] =
		(struct cell){.text = arena_str(&t->arena, buf_str(&text)), .sort = s->newest_ms};
	buf_clear(&text);
	fmt_count(&text, s->errors);
	cells[COL_ERRORS] =
		(struct cell){.text = arena_str(&t->arena, buf_str(&text)), .sort = s->errors};
	buf_clear(&text);
	fmt_count(&text, unparsed);
	cells[COL_UNPARSED] = is_queue(s) || slots
				      ? text_cell(&t->arena, STR_LIT("-"))
				      : (struct cell){.text = arena_str(&t->arena, buf_str(&text)),
						.sort = unparsed};
	cells[COL_DETAIL] = text_cell(&t->arena, s->detail);
	row->id = (uint64_t)p->id * SOURCES_A_PROVIDER + (uint64_t)s->id;
	row->cells = cells;
	row->style = health_style(s->health);
	row->ref = p;
	t->nrows++;
	buf_done(&text);
}

/* "next in 40s, 3 of 500 used; resets in 7s", or what to grant. */
static void endpoint_text(struct buf *out, const struct budget_row *b, int64_t now_ms)
{
	if (b->missing.n) {
		buf_add_z(out, "NO PERMISSION: grant ");
		buf_add_str(out, b->missing);
		buf_add_z(out, " to the key");
		return;
	}
	buf_add_z(out, "next ");
	if (b->next_ms == EVENT_UNKNOWN) {
		buf_add_char(out, '?');
	} else if (b->next_ms <= now_ms) {
		buf_add_z(out, "now");
	} else {
		buf_add_z(out, "in ");
		timefmt_age(out, b->next_ms - now_ms);
	}
	if (b->used != EVENT_UNKNOWN || b->limit != EVENT_UNKNOWN) {
		buf_add_z(out, ", ");
		fmt_count(out, b->used);
		buf_add_z(out, " of ");
		fmt_count(out, b->limit);
		buf_add_z(out, " requests used");
	}
	if (b->detail.n) {
		buf_add_z(out, "; ");
		buf_add_str(out, b->detail);
	}
}

static void fill_endpoint(
	struct table *t, const struct provider_row *p, const struct budget_row *b, int64_t now_ms)
{
	struct row *row = &t->rows[t->nrows];
	struct cell *cells = arena_alloc(&t->arena, COL__COUNT * sizeof(*cells));
	struct buf text;

	if (!cells)
		return;
	buf_init(&text, TEXT_MAX_BYTES);
	for (int i = 0; i < COL__COUNT; i++)
		cells[i] = text_cell(&t->arena, STR_LIT("-"));
	cells[COL_PROVIDER] = text_cell(&t->arena, p->name);
	cells[COL_SOURCE] = text_cell(&t->arena, b->endpoint);
	cells[COL_HEALTH] =
		text_cell(&t->arena, str_of(b->missing.n ? "not asked" : health_words[b->health]));
	if (b->last_ms != EVENT_UNKNOWN) {
		timefmt_age(&text, now_ms > b->last_ms ? now_ms - b->last_ms : 0);
		cells[COL_AGE] = (struct cell){
			.text = arena_str(&t->arena, buf_str(&text)), .sort = now_ms - b->last_ms};
	}
	buf_clear(&text);
	endpoint_text(&text, b, now_ms);
	cells[COL_DETAIL] = text_cell(&t->arena, buf_str(&text));
	row->id = ((uint64_t)p->id << 32 | (uint32_t)t->nrows) + (UINT64_C(1) << 60);
	row->cells = cells;
	row->style = b->missing.n ? STYLE_WARN : health_style(b->health);
	row->ref = p;
	t->nrows++;
	buf_done(&text);
}

static int count_unparsed(
	struct reader *r, const struct view *v, int provider, int64_t *ret, struct mt_error *reterr)
{
	struct query q = {.t0_ms = v->query.t0_ms, .t1_ms = v->query.t1_ms, .provider = provider};
	struct totals totals;
	int rc = read_totals(r, &q, &totals, reterr);

	*ret = rc == 0 ? totals.n[METRIC_UNPARSED] : EVENT_UNKNOWN;
	return rc;
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct provider_row *providers;
	size_t n, total = 0;
	int64_t *unparsed;
	struct budget_row *budgets = NULL;
	size_t nbudgets = 0;
	struct query of_all = {.provider = v->query.provider};
	int err = read_providers(r, &t->arena, &providers, &n, reterr);

	(void)state;
	if (err == 0)
		err = read_budgets(r, &of_all, &t->arena, &budgets, &nbudgets, reterr);
	if (err < 0)
		return err;
	total = nbudgets;
	for (size_t i = 0; i < n; i++)
		total += providers[i].nsources;
	unparsed = arena_alloc(&t->arena, (n + 1) * sizeof(*unparsed));
	for (size_t i = 0; i < n && err == 0; i++)
		err = unparsed ? count_unparsed(r, v, providers[i].id, &unparsed[i], reterr)
			       : MT_ELIMIT;
	if (err < 0)
		return err;
	t->rows = arena_alloc(&t->arena, (total ? total : 1) * sizeof(*t->rows));
	for (size_t i = 0; i < n && t->rows; i++) {
		for (size_t k = 0; k < providers[i].nsources; k++)
			fill_row(t, &t->rows[t->nrows], &providers[i], &providers[i].sources[k],
				unparsed[i], v->now_ms);
		for (size_t k = 0; k < nbudgets; k++)
			if (budgets[k].provider == providers[i].id)
				fill_endpoint(t, &providers[i], &budgets[k], v->now_ms);
	}
	t->total = (int64_t)t->nrows;
	t->empty = STR_LIT("no source has reported yet");
	return 0;
}

static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	const struct provider_row *p = selected->ref;

	(void)state;
	/* A queue leads to the queue; a log to all that was counted from it; what is asked of a vendor to the requests. */
	ret->pane = vendor_is(v, p->id)                                          ? "requests"
		    : str_eq(selected->cells[COL_SOURCE].text, STR_LIT("queue")) ? "queue"
										 : "figures";
	ret->query.provider = p->id;
	snprintf(ret->label, sizeof(ret->label), "provider %.*s", STR_ARG(p->name));
	return true;
}

const struct pane_ops pane_providers = {
	.name = "providers",
	.title = "Providers",
	.help = "Each source of figures with its health and age: a figure is as true as its source "
		"is fresh. "
		"A provider's badge on line 2 is that of the worst of its sources. Enter: a log's "
		"figures, "
		"unparsed lines among them; a queue's messages; of a vendor's account its "
		"requests.\n"
		"Under a vendor's account stand the endpoints that are asked: when next, how many "
		"requests of the vendor's limit are used, and what to grant to the key where it "
		"may "
		"not ask.",
	.number = 9,
	.columns = columns,
	.ncolumns = COL__COUNT,
	.default_sort = COL_PROVIDER,
	.refresh = refresh,
	.enter = enter,
};
