/* SPDX-License-Identifier: MIT */
/* rejects - what was refused or acted on at the door, newest first, with the words the client got. */
#include "tui/panes/cells.h"

enum col { COL_TIME, COL_WHAT, COL_CLIENT, COL_FROM, COL_RCPT, COL_REPLY, COL__COUNT };

static const struct column columns[COL__COUNT] = {
	{"time", 11, ALIGN_LEFT, 1, true, "when"},
	{"action", 14, ALIGN_LEFT, 3, false, "reject, milter-reject, hold ... as logged"},
	{"client", 26, ALIGN_LEFT, 2, false, "who came, host[ip]"},
	{"from", 22, ALIGN_LEFT, 4, false, "envelope sender"},
	{"to", 24, ALIGN_LEFT, 2, false, "envelope recipient"},
	{"reply", 0, ALIGN_LEFT, 1, false, "what the client was told"},
};

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct query q = v->query;
	struct reject_row *rows;
	size_t n = 0;
	int rc;

	(void)state;
	q.status = STATUS_NONE;
	rc = read_rejects(r, &q, v->page_id, &t->arena, &rows, &n, reterr);
	if (rc == 0)
		rc = cells_begin(t, n);
	for (size_t i = 0; i < n && rc == 0; i++) {
		struct cell *c = cells_row(t, COL__COUNT, (uint64_t)rows[i].id,
			rows[i].action == REJECT_REJECT ? STYLE_BAD : STYLE_WARN, &rows[i]);

		if (!c)
			break;
		c[COL_TIME] = cell_when(t, rows[i].t_ms, v->now_ms);
		c[COL_WHAT] = cell_text(t, rows[i].word);
		c[COL_CLIENT] = cell_text(t, rows[i].client);
		c[COL_FROM] = cell_text(t, rows[i].from);
		c[COL_RCPT] = cell_text(t, rows[i].rcpt);
		c[COL_REPLY] = cell_text(t, rows[i].reply);
	}
	if (rc == 0 && n > 0)
		cells_page(t, v, n, rows[n - 1].t_ms, rows[n - 1].id);
	cells_empty(t, v, "nothing was refused in this window");
	return rc;
}

static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	const struct reject_row *x = selected->ref;

	(void)state;
	(void)v;
	ret->pane = "reject";
	ret->object = x->id;
	target_label(ret, "%.*s", STR_ARG(x->word));
	return true;
}

const struct pane_ops pane_rejects = {
	.name = "rejects",
	.title = "Rejects",
	.help = "Refusals (4xx and 5xx) and other access actions before or at acceptance, newest "
		"first. Enter shows one in full.",
	.columns = columns,
	.ncolumns = COL__COUNT,
	.default_sort = COL_TIME,
	.refresh = refresh,
	.enter = enter,
};
