/* SPDX-License-Identifier: MIT */
/*
 * requests - what is asked of a vendor: for each endpoint when next, how much of the vendor's limit is used, and which
 * permission is missing.
 */
#include "tui/panes/vendor.h"

#include <inttypes.h>

enum col {
	COL_ENDPOINT,
	COL_STATE,
	COL_NEXT,
	COL_USED,
	COL_LEFT,
	COL_RESET,
	COL_SENT,
	COL_DETAIL,
	COL__COUNT
};

static const struct column columns[COL__COUNT] = {
	{"endpoint", 22, ALIGN_LEFT, 1, false, "the account, and what is asked for"},
	{"state", 13, ALIGN_LEFT, 1, false,
		"fresh, late, FAILING; NO PERMISSION: the key may not ask for it, see detail"},
	{"next", 7, ALIGN_RIGHT, 1, false, "time to the next request; now: it is due"},
	{"used", 15, ALIGN_RIGHT, 2, true,
		"requests of ours within the vendor's limit, and the limit with its time"},
	{"left", 8, ALIGN_RIGHT, 4, true, "requests the vendor said are left; ? it does not say"},
	{"reset", 8, ALIGN_RIGHT, 4, false, "time to the reset of the limit"},
	{"sent", 9, ALIGN_RIGHT, 5, true, "requests sent since the start"},
	{"detail", -18, ALIGN_LEFT, 1, false, "what to grant to the key, or what is wrong"},
};

static struct cell endpoint(struct table *t, const struct view *v, const struct budget_row *b)
{
	struct cell cell;
	struct buf text;

	buf_init(&text, 4096);
	buf_add_str(&text, cell_provider(t, v, b->provider).text);
	buf_add_char(&text, ' ');
	buf_add_str(&text, b->endpoint);
	cell = cell_text(t, buf_str(&text));
	buf_done(&text);
	return cell;
}

static struct cell until(struct table *t, int64_t at_ms, int64_t now_ms)
{
	if (at_ms == EVENT_UNKNOWN)
		return cell_words("-");
	return at_ms <= now_ms ? cell_words("now") : cell_age(t, at_ms - now_ms);
}

static struct cell used(struct table *t, const struct budget_row *b)
{
	struct cell cell = {.text = STR_LIT("?"), .sort = b->used};
	struct buf text;

	if (b->used == EVENT_UNKNOWN && b->limit == EVENT_UNKNOWN)
		return cell;
	buf_init(&text, 96);
	fmt_count(&text, b->used);
	buf_add_z(&text, " of ");
	fmt_count(&text, b->limit);
	if (b->limit != EVENT_UNKNOWN && b->window_s > 0) {
		buf_add_char(&text, '/');
		timefmt_age(&text, b->window_s * 1000);
	}
	cell.text = arena_str(&t->arena, buf_str(&text));
	buf_done(&text);
	return cell;
}

static struct cell detail(struct table *t, const struct budget_row *b)
{
	struct cell cell;
	struct buf text;

	buf_init(&text, 8192);
	if (b->missing.n) {
		buf_add_z(&text, "grant ");
		buf_add_str(&text, b->missing);
		buf_add_z(&text, " to the key");
		if (b->detail.n)
			buf_add_z(&text, ": ");
	}
	buf_add_str(&text, b->detail);
	cell = cell_text(t, buf_str(&text));
	buf_done(&text);
	return cell;
}

static const char *state_word(const struct budget_row *b)
{
	static const char *const words[HEALTH__COUNT] = {
		"not asked yet", "fresh", "late", "stale", "FAILING", "STOPPED", "reading back"};

	return b->missing.n ? "NO PERMISSION" : words[b->health];
}

static enum style row_style(const struct budget_row *b)
{
	if (b->missing.n || b->health == HEALTH_LATE || b->health == HEALTH_STALE)
		return STYLE_WARN;
	return b->health == HEALTH_FAILING || b->health == HEALTH_STOPPED ? STYLE_BAD
									  : STYLE_NORMAL;
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct budget_row *rows = NULL;
	size_t n = 0;
	int rc = read_budgets(r, &v->query, &t->arena, &rows, &n, reterr);

	(void)state;
	if (rc == 0)
		rc = cells_begin(t, n);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		const struct budget_row *b = &rows[i];
		struct cell *c = cells_row(t, COL__COUNT, i + 1, row_style(b), b);

		if (!c)
			break;
		c[COL_ENDPOINT] = endpoint(t, v, b);
		c[COL_STATE] = cell_words(state_word(b));
		c[COL_NEXT] = until(t, b->next_ms, v->now_ms);
		c[COL_USED] = used(t, b);
		c[COL_LEFT] = cell_count(t, b->remaining);
		c[COL_RESET] = until(t, b->reset_ms, v->now_ms);
		c[COL_SENT] = cell_count(t, b->requests);
		c[COL_DETAIL] = detail(t, b);
	}
	t->total = (int64_t)t->nrows;
	vendor_empty(t, v, "nothing has been asked of a vendor yet");
	return rc;
}

const struct pane_ops pane_requests = {
	.name = "requests",
	.title = "Requests",
	.help = "What mtatop asks of a vendor's API, endpoint by endpoint: when next, how many "
		"requests of the vendor's limit are used, when the limit begins anew. An endpoint "
		"the "
		"key may not ask for is named with what to grant; the views it would fill stay "
		"empty.",
	.columns = columns,
	.ncolumns = COL__COUNT,
	.default_sort = COL_ENDPOINT,
	.refresh = refresh,
};
