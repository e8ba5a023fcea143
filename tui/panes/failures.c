/* SPDX-License-Identifier: MIT */
/* failures - attempts that did not deliver, newest first; Enter shows the message and the remote server's words. */
#include "tui/panes/cells.h"

#include <stdio.h>

enum col {
	COL_TIME,
	COL_QID,
	COL_RCPT,
	COL_STATUS,
	COL_CODE,
	COL_SIDE,
	COL_MEANING,
	COL_REPLY,
	COL__COUNT
};

#define MEANING_MIN_COLUMNS                                                                        \
	100 /* the columns are hidden on a narrower screen: then nothing is asked */

static const struct column columns[COL__COUNT] = {
	{"time", 11, ALIGN_LEFT, 1, true, "when the attempt was made"},
	{"queue id", 16, ALIGN_LEFT, 4, false, "the message's id in the queue"},
	{"recipient", 28, ALIGN_LEFT, 1, false, "the envelope recipient of the attempt"},
	{"status", 9, ALIGN_LEFT, 2, false,
		"deferred: will be tried again; bounced, expired: given up"},
	{"code", 7, ALIGN_LEFT, 1, false, "enhanced status code, else the basic reply code"},
	{"side", 9, ALIGN_LEFT, 5, false, "who can mend it: sender, recipient, remote, network"},
	{"meaning", 34, ALIGN_LEFT, 6, false,
		"what the reply means there; with the next step in the message view"},
	{"reply", -17, ALIGN_LEFT, 1, false,
		"the remote server's words, or the reason found here; whole in the message view"},
};

static void why(struct cell *c, struct table *t, const struct view *v, const struct attempt_row *a)
{
	struct explain_query q = {.text = a->reply,
		.host = a->relay,
		.key = code_key(a->dsn, a->code),
		.stage = a->stage,
		.status = a->status};
	struct explain_result r;

	explain(v->rules, &q, &r);
	c[COL_SIDE] = cell_words(explain_side_word(r.side));
	c[COL_MEANING] = cell_meaning(t, v, &r);
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct query q = v->query;
	struct attempt_row *rows;
	size_t n = 0;
	int rc;

	(void)state;
	if (q.status == STATUS_NONE)
		q.status = STATUS__COUNT;
	rc = read_attempts(r, &q, v->page_ms, v->page_id, &t->arena, &rows, &n, reterr);
	if (rc == 0)
		rc = cells_begin(t, n);
	for (size_t i = 0; i < n && rc == 0; i++) {
		struct cell *c = cells_row(t, COL__COUNT, (uint64_t)attempt_key(&rows[i]),
			status_style(rows[i].status), &rows[i]);

		if (!c)
			break;
		c[COL_TIME] = cell_when(t, rows[i].t_ms, v->now_ms);
		c[COL_QID] = cell_text(t, rows[i].qid);
		c[COL_RCPT] = cell_text(t, rows[i].rcpt);
		c[COL_STATUS] = cell_words(status_word(rows[i].status));
		c[COL_CODE] = cell_code(t, code_key(rows[i].dsn, rows[i].code));
		c[COL_SIDE] = c[COL_MEANING] = cell_words("?");
		if (v->width >= MEANING_MIN_COLUMNS)
			why(c, t, v, &rows[i]);
		c[COL_REPLY] = cell_reply(t, rows[i].reply);
	}
	if (rc == 0 && n > 0)
		cells_page(t, v, n, rows[n - 1].t_ms, attempt_key(&rows[n - 1]));
	cells_empty(t, v, "nothing failed in this window");
	return rc;
}

static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	const struct attempt_row *a = selected->ref;

	(void)state;
	(void)v;
	ret->pane = "message";
	ret->object = a->message;
	snprintf(ret->label, sizeof(ret->label), "%.*s", STR_ARG(a->qid));
	return true;
}

const struct pane_ops pane_failures = {
	.name = "failures",
	.title = "Failures",
	.help = "Attempts that were deferred, bounced or expired, newest first. A message deferred "
		"five times is five "
		"lines here and no failure in the rates.",
	.number = 5,
	.columns = columns,
	.ncolumns = COL__COUNT,
	.default_sort = COL_TIME,
	.tile_hint = {.priority = 2,
		.min_w = 60,
		.min_h = 5,
		.want_w = 120,
		.want_h = 10,
		.grows = true},
	.refresh = refresh,
	.enter = enter,
};
