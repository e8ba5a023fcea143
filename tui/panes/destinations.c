/* SPDX-License-Identifier: MIT */
/* destinations - traffic by recipient domain; Enter lists what failed there. */
#include "tui/panes/cells.h"

#include <stdio.h>

enum col { COL_DOMAIN, COL_SENT, COL_DEFERRED, COL_BOUNCED, COL_SHARE, COL__COUNT };

static const struct column columns[COL__COUNT] = {
	{"domain", 0, ALIGN_LEFT, 1, false, "recipient domain"},
	{"sent", 10, ALIGN_RIGHT, 1, true, "delivery records with status=sent"},
	{"deferred", 10, ALIGN_RIGHT, 2, true, "deferred attempts: tries, not failures"},
	{"bounced", 10, ALIGN_RIGHT, 1, true, "recipients given up on"},
	{"bounce%", 8, ALIGN_RIGHT, 3, true, "bounced of sent + bounced"},
};

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct domain_row *rows;
	size_t n = 0;
	int rc = read_domains(r, &v->query, &t->arena, &rows, &n, reterr);

	(void)state;
	if (rc == 0)
		rc = cells_begin(t, n);
	for (size_t i = 0; i < n && rc == 0; i++) {
		struct cell *c = cells_row(t, COL__COUNT, (uint64_t)rows[i].key,
			rows[i].bounced    ? STYLE_BAD
			: rows[i].deferred ? STYLE_WARN
					   : STYLE_NORMAL,
			&rows[i]);

		if (!c)
			break;
		c[COL_DOMAIN] =
			rows[i].domain.n ? cell_text(t, rows[i].domain) : cell_words("(no domain)");
		c[COL_SENT] = cell_count(t, rows[i].sent);
		c[COL_DEFERRED] = cell_count(t, rows[i].deferred);
		c[COL_BOUNCED] = cell_count(t, rows[i].bounced);
		c[COL_SHARE] = cell_pct(t, rows[i].bounced, rows[i].sent + rows[i].bounced);
	}
	t->total = EVENT_UNKNOWN;
	cells_empty(t, v, "no delivery was tried in this window");
	return rc;
}

static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	const struct domain_row *d = selected->ref;

	(void)state;
	(void)v;
	ret->pane = "failures";
	ret->query.domain = d->domain;
	snprintf(ret->label, sizeof(ret->label), "%.*s", STR_ARG(d->domain));
	return true;
}

const struct pane_ops pane_destinations = {
	.name = "destinations",
	.title = "Destinations",
	.help = "Recipient domains by traffic. Enter lists the failures of the domain.",
	.number = 6,
	.columns = columns,
	.ncolumns = COL__COUNT,
	.default_sort = COL_SENT,
	.tile_hint = {.priority = 6, .min_w = 40, .min_h = 5, .want_w = 60, .want_h = 9},
	.refresh = refresh,
	.enter = enter,
};
