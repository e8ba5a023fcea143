/* SPDX-License-Identifier: MIT */
/*
 * replies - failures, or refusals, of one wording each: what differs from case to case is left out, so that a
 * thousand bounces are the three sentences behind them. Enter lists the records of a wording.
 */
#include "tui/panes/cells.h"

#include <string.h>

enum col { COL_N, COL_NEWEST, COL_STATUS, COL_CODE, COL_STAGE, COL_WHERE, COL_REPLY, COL__COUNT };

static const struct column columns[COL__COUNT] = {
	{"n", 8, ALIGN_RIGHT, 1, true, "records with this wording in the window"},
	{"newest", 11, ALIGN_LEFT, 2, true, "when the last one came"},
	{"status", 9, ALIGN_LEFT, 4, false, "of the newest: deferred, bounced, expired, rejected"},
	{"code", 7, ALIGN_LEFT, 3, false, "of the newest: enhanced code, else the basic one"},
	{"stage", 8, ALIGN_LEFT, 5, false, "SMTP command the reply was given to"},
	{"where", 28, ALIGN_LEFT, 6, false,
		"of the newest: the relay that said it; of a refusal: the client that was told"},
	{"wording", 0, ALIGN_LEFT, 1, false,
		"the reply; what varies (ids, addresses, numbers) is shown as an ellipsis"},
};

struct replies {
	bool rejects;
};

static int open_replies(void *state, const struct view *v, int64_t object)
{
	struct replies *s = state;

	(void)v;
	s->rejects = object != 0;
	return 0;
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	const struct replies *s = state;
	struct query q = v->query;
	struct reply_row *rows;
	size_t n = 0;
	int rc;

	if (!s->rejects && q.status == STATUS_NONE)
		q.status = STATUS__COUNT;
	rc = read_replies(r, &q, s->rejects, &t->arena, &rows, &n, reterr);
	if (rc == 0)
		rc = cells_begin(t, n);
	for (size_t i = 0; i < n && rc == 0; i++) {
		const struct reply_row *row = &rows[i];
		struct cell *c = cells_row(
			t, COL__COUNT, (uint64_t)row->key + 1, status_style(row->status), row);

		if (!c)
			break;
		c[COL_N] = cell_count(t, row->n);
		c[COL_NEWEST] = cell_when(t, row->newest_ms, v->now_ms);
		c[COL_STATUS] = cell_words(status_word(row->status));
		c[COL_CODE] = cell_code(t, code_key(row->dsn, row->code));
		c[COL_STAGE] = cell_words(stage_word(row->stage));
		c[COL_WHERE] = cell_text(t, row->where);
		c[COL_REPLY] = cell_wording(t, v, row->reply_template, row->example);
	}
	t->total = rc == 0 ? (int64_t)n : EVENT_UNKNOWN;
	cells_empty(t, v,
		s->rejects ? "nothing was refused in this window"
			   : "nothing failed in this window");
	return rc;
}

static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	const struct replies *s = state;
	const struct reply_row *row = selected->ref;

	(void)v;
	ret->pane = s->rejects ? "rejects" : "failures";
	if (str_present(row->reply_template))
		ret->query.reply_template = row->reply_template;
	target_label(ret, "wording");
	return true;
}

const struct pane_ops pane_replies = {
	.name = "replies",
	.title = "Replies",
	.help = "Failed attempts (or refusals) of the window grouped by the wording of the reply, "
		"most "
		"frequent first. Counted from records; where there are very many, the newest "
		"100,000 "
		"are looked at and the view says so. Enter lists the records.",
	.columns = columns,
	.ncolumns = COL__COUNT,
	.default_sort = COL_N,
	.state_bytes = sizeof(struct replies),
	.open = open_replies,
	.refresh = refresh,
	.enter = enter,
};
