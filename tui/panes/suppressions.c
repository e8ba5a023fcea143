/* SPDX-License-Identifier: MIT */
/*
 * suppressions - addresses a vendor does not send to (or always does), in order of address: searched by the filter, one
 * list or all; Enter shows one, Del takes addresses off their list (with --read-write).
 */
#include "tui/panes/vendor.h"

#define TEXT_MAX_BYTES 1024

enum col {
	COL_ADDRESS,
	COL_LIST,
	COL_SINCE,
	COL_CODE,
	COL_PROVIDER,
	COL_SCOPE,
	COL_REASON,
	COL__COUNT
};

static const struct column columns[COL__COUNT] = {
	{"address", 32, ALIGN_LEFT, 1, false, "who is on the list; of allowed also a whole domain"},
	{"list", 12, ALIGN_LEFT, 1, false,
		"bounces, complaints, unsubscribes, blocks, invalid: see Enter for what each does; "
		"b shows one of them"},
	{"since", 11, ALIGN_LEFT, 2, true, "when the vendor put it there"},
	{"code", 8, ALIGN_LEFT, 3, false, "reply code that put it there, as the vendor has it"},
	{"provider", 12, ALIGN_LEFT, 5, false, "whose list it is"},
	{"for", 18, ALIGN_LEFT, 6, false,
		"sending domain or subaccount the list is of; empty: the whole account"},
	{"reason", 0, ALIGN_LEFT, 4, false, "the reply or the vendor's words"},
};

static const enum request requests[] = {REQ_BY_SENDER, REQ_DELETE, REQ_NONE};

struct suppressions {
	int shown; /* 0 all, else 1 + enum api_list */
	struct suppression_counts counts;
};

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct suppressions *s = state;
	struct suppression_row *rows = NULL;
	size_t n = 0;
	int rc = read_suppressions(
		r, &v->query, s->shown - 1, v->page_id, &t->arena, &rows, &n, reterr);

	if (rc == 0)
		rc = read_suppression_counts(r, v->query.provider, &s->counts, reterr);
	if (rc == 0)
		rc = cells_begin(t, n);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct cell *c =
			cells_row(t, COL__COUNT, (uint64_t)rows[i].id, STYLE_NORMAL, &rows[i]);

		if (!c)
			break;
		c[COL_ADDRESS] = cell_text(t, rows[i].address);
		c[COL_LIST] = cell_words(vendor_list_word(rows[i].list));
		c[COL_SINCE] = rows[i].created_ms == EVENT_UNKNOWN
				       ? cell_words("?")
				       : cell_when(t, rows[i].created_ms, v->now_ms);
		c[COL_CODE] = cell_text(t, rows[i].code);
		c[COL_PROVIDER] = cell_provider(t, v, rows[i].provider);
		c[COL_SCOPE] = cell_text(t, rows[i].scope);
		c[COL_REASON] = cell_text(t, rows[i].reason);
	}
	t->presorted = true; /* a page of a million: the order is the index's */
	t->total = EVENT_UNKNOWN;
	if (n > 0)
		cells_page(t, v, n, 1, rows[n - 1].id);
	vendor_empty(t, v, "no address is on this list");
	return rc;
}

/* How long each list is, and how old that knowledge. */
static int draw(const void *state, const struct view *v, const struct table *t, struct canvas *c,
	struct rect area)
{
	const struct suppressions *s = state;
	struct buf b;

	(void)t;
	buf_init(&b, TEXT_MAX_BYTES);
	for (int i = 0; i < API_LIST__SUPPRESSIONS; i++) {
		if (s->counts.n[i] == EVENT_UNKNOWN)
			continue;
		buf_printf(&b, "%s%s ", b.n ? "  " : "", vendor_list_word((enum api_list)i));
		fmt_count(&b, s->counts.n[i]);
	}
	if (b.n && s->counts.walked_ms == EVENT_UNKNOWN)
		buf_add_z(&b, "  (not all read yet)");
	if (b.n && s->counts.walked_ms > 0) {
		buf_add_z(&b, "  read whole ");
		timefmt_age(
			&b, v->now_ms > s->counts.walked_ms ? v->now_ms - s->counts.walked_ms : 0);
		buf_add_z(&b, " ago");
	}
	if (b.n)
		canvas_text(c, area.x + 1, area.y, area.w - 1, STYLE_DIM, buf_str(&b));
	buf_clear(&b);
	buf_printf(&b, "shown: %s (b: the next list)",
		s->shown ? vendor_list_word((enum api_list)(s->shown - 1)) : "all lists");
	canvas_text(c, area.x + 1, area.y + 1, area.w - 1, STYLE_DIM, buf_str(&b));
	buf_done(&b);
	return 2;
}

static void turn(void *state, const struct view *v)
{
	struct suppressions *s = state;

	(void)v;
	for (int i = 0; i <= API_LIST__SUPPRESSIONS; i++) { /* the next that any vendor has */
		s->shown = (s->shown + 1) % (API_LIST__SUPPRESSIONS + 1);
		if (s->shown == 0 || s->counts.n[s->shown - 1] != EVENT_UNKNOWN)
			break;
	}
}

static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	const struct suppression_row *row = selected->ref;

	(void)state;
	(void)v;
	ret->pane = "suppressed";
	ret->object = row->id;
	target_label(ret, "%.*s", STR_ARG(row->address));
	return true;
}

/* For Del: the address, its list and what the list is of. */
static bool identify(const void *state, const struct view *v, const struct row *row,
	struct job_id *ret, int *ret_provider)
{
	const struct suppression_row *s = row->ref;

	(void)state;
	(void)v;
	*ret = (struct job_id){.qid = s->address, .sender = s->scope, .arrival_ms = s->list};
	*ret_provider = s->provider;
	return true;
}

const struct pane_ops pane_suppressions = {
	.name = "suppressions",
	.title = "Suppressions",
	.help = "Addresses on the lists of Mailgun, SendGrid and their like, in order of address. "
		"The "
		"filter (\\) finds, among all of them, those that begin with the text and those of "
		"a domain (gmail.com or @gmail.com); those that hold it elsewhere, or in the "
		"reason, "
		"among the first 25,000 from there. b shows one list after the other. The figures "
		"above are how many addresses each list has in the cache; the vendor's own list "
		"may "
		"have changed since it was read whole.\nDel takes addresses off their list at the "
		"vendor (with --read-write, asked first, logged in :actions).",
	.columns = columns,
	.ncolumns = COL__COUNT,
	.default_sort = COL_ADDRESS,
	.requests = requests,
	.state_bytes = sizeof(struct suppressions),
	.unsuppresses = true,
	.refresh = refresh,
	.draw = draw,
	.turn = turn,
	.enter = enter,
	.identify = identify,
};
