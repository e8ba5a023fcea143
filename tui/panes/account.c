/* SPDX-License-Identifier: MIT */
/* account - figures of an account at a vendor: plan, limits, credits, reputation, each in the vendor's words. */
#include "tui/panes/vendor.h"

enum col { COL_PROVIDER, COL_NAME, COL_VALUE, COL_AGE, COL__COUNT };

static const struct column columns[COL__COUNT] = {
	{"provider", 16, ALIGN_LEFT, 1, false, "the account"},
	{"figure", 20, ALIGN_LEFT, 1, false, "what is told: plan, limit, credits, reputation ..."},
	{"value", 0, ALIGN_LEFT, 1, false, "as the vendor tells it"},
	{"told", 10, ALIGN_RIGHT, 2, false, "how long ago"},
};

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct account_row *rows = NULL;
	size_t n = 0;
	int rc = read_account(r, &v->query, &t->arena, &rows, &n, reterr);

	(void)state;
	if (rc == 0)
		rc = cells_begin(t, n);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct cell *c = cells_row(t, COL__COUNT, i + 1, STYLE_NORMAL, &rows[i]);
		int64_t age_ms = v->now_ms - rows[i].t_ms;

		if (!c)
			break;
		c[COL_PROVIDER] = cell_provider(t, v, rows[i].provider);
		c[COL_NAME] = cell_text(t, rows[i].name);
		c[COL_VALUE] = cell_text(t, rows[i].value);
		c[COL_AGE] = cell_age(t, age_ms < 0 ? 0 : age_ms);
	}
	t->total = (int64_t)t->nrows;
	vendor_empty(t, v, "nothing of the account is told yet");
	return rc;
}

const struct pane_ops pane_account = {
	.name = "account",
	.title = "Account",
	.help = "What a vendor tells of the account itself. Each figure is the vendor's own and in "
		"its "
		"words; mtatop works none of them out.",
	.columns = columns,
	.ncolumns = COL__COUNT,
	.default_sort = COL_PROVIDER,
	.refresh = refresh,
};
