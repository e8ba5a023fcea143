/* SPDX-License-Identifier: MIT */
/* deliveries - every attempt, newest first: what was tried, where, how long it took and what was answered. */
#include "tui/panes/cells.h"

enum col {
	COL_TIME,
	COL_QID,
	COL_RCPT,
	COL_STATUS,
	COL_CODE,
	COL_RELAY,
	COL_DELAY,
	COL_LONGEST,
	COL_REPLY,
	COL__COUNT
};

static const struct column columns[COL__COUNT] = {
	{"time", 11, ALIGN_LEFT, 1, true, "when the attempt was logged"},
	{"queue id", 16, ALIGN_LEFT, 6, false, "the message's id in the queue"},
	{"recipient", 28, ALIGN_LEFT, 1, false, "the envelope recipient of the attempt"},
	{"status", 9, ALIGN_LEFT, 1, false,
		"sent: the next server took it; deferred: will be tried again; bounced, expired: "
		"given up"},
	{"code", 7, ALIGN_LEFT, 2, false, "enhanced status code, else the basic reply code"},
	{"relay", 30, ALIGN_LEFT, 5, false, "who was asked: host[ip]:port, or a transport"},
	{"delay", 7, ALIGN_RIGHT, 3, true,
		"delay= of the record: from the message's arrival to this attempt's end"},
	{"longest", 9, ALIGN_LEFT, 4, false,
		"longest part of the delay: before (before the queue manager), queue (in it), "
		"connect "
		"(set-up, with DNS and TLS), transmit"},
	{"reply", 0, ALIGN_LEFT, 2, false,
		"the remote server's words, or the reason found here; whole in the message view"},
};

static void fill(struct table *t, const struct view *v, const struct attempt_row *a)
{
	struct cell *c =
		cells_row(t, COL__COUNT, (uint64_t)attempt_key(a), status_style(a->status), a);

	if (!c)
		return;
	c[COL_TIME] = cell_when(t, a->t_ms, v->now_ms);
	c[COL_QID] = cell_text(t, a->qid);
	c[COL_RCPT] = cell_text(t, a->rcpt);
	c[COL_STATUS] = cell_words(a->handed_over ? "handed on" : status_word(a->status));
	c[COL_CODE] = cell_code(t, code_key(a->dsn, a->code));
	c[COL_RELAY] = cell_text(t, a->relay);
	c[COL_DELAY] = cell_delay(t, a->delay_cs[DELAY_TOTAL]);
	c[COL_LONGEST] = cell_words(delay_word(longest_delay(a)));
	c[COL_REPLY] = cell_reply(t, a->reply);
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct attempt_row *rows;
	size_t n = 0;
	int rc = read_attempts(r, &v->query, v->page_ms, v->page_id, &t->arena, &rows, &n, reterr);

	(void)state;
	if (rc == 0)
		rc = cells_begin(t, n);
	for (size_t i = 0; i < n && rc == 0; i++)
		fill(t, v, &rows[i]);
	if (rc == 0 && n > 0)
		cells_page(t, v, n, rows[n - 1].t_ms, attempt_key(&rows[n - 1]));
	cells_empty(t, v, "no delivery was tried in this window");
	return rc;
}

static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	const struct attempt_row *a = selected->ref;

	(void)state;
	(void)v;
	return target_message(ret, a->message, a->qid);
}

const struct pane_ops pane_deliveries = {
	.name = "deliveries",
	.title = "Deliveries",
	.help = "Every delivery record of the log, newest first, also those that only handed a "
		"message "
		"over to another queue id of this server (handed on). Enter shows the message with "
		"the "
		"whole reply.",
	.columns = columns,
	.ncolumns = COL__COUNT,
	.default_sort = COL_TIME,
	.refresh = refresh,
	.enter = enter,
};
