/* SPDX-License-Identifier: MIT */
/* messages - messages by arrival, newest first; "deliveries" is the same list. */
#include "tui/panes/cells.h"

#include <stdio.h>

enum col {
	COL_TIME,
	COL_QID,
	COL_FROM,
	COL_TO,
	COL_SIZE,
	COL_NRCPT,
	COL_SENT,
	COL_DEFERRED,
	COL_BOUNCED,
	COL_SERVICE,
	COL__COUNT
};

static const struct column columns[COL__COUNT] = {
	{"arrived", 11, ALIGN_LEFT, 1, true, "when its first line was logged"},
	{"queue id", 16, ALIGN_LEFT, 2, false, "the id it came in with"},
	{"from", 26, ALIGN_LEFT, 1, false, "envelope sender; <> is a notification"},
	{"to", 0, ALIGN_LEFT, 1, false, "first recipient tried"},
	{"size", 7, ALIGN_RIGHT, 5, true, "bytes in the queue"},
	{"rcpts", 6, ALIGN_RIGHT, 4, true, "recipients (nrcpt=)"},
	{"sent", 5, ALIGN_RIGHT, 2, true, "recipients delivered"},
	{"defer", 6, ALIGN_RIGHT, 3, true, "deferred attempts"},
	{"bounce", 7, ALIGN_RIGHT, 2, true, "recipients bounced"},
	{"service", 24, ALIGN_LEFT, 6, false, "the service it came in by"},
};

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct message_row *rows;
	size_t n = 0;
	int rc = read_messages(r, &v->query, v->page_id, &t->arena, &rows, &n, reterr);

	(void)state;
	if (rc == 0)
		rc = cells_begin(t, n);
	for (size_t i = 0; i < n && rc == 0; i++) {
		const struct message_row *m = &rows[i];
		struct cell *c = cells_row(t, COL__COUNT, (uint64_t)m->id,
			m->nbounced                 ? STYLE_BAD
			: m->ndeferred && !m->nsent ? STYLE_WARN
						    : STYLE_NORMAL,
			m);

		if (!c)
			break;
		c[COL_TIME] = cell_when(t, m->t_ms, v->now_ms);
		c[COL_QID] = cell_text(t, m->qid);
		c[COL_FROM] = !m->sender_known ? cell_words("?")
			      : m->sender.n    ? cell_text(t, m->sender)
					       : cell_words("<>");
		c[COL_TO] = cell_text(t, m->first_rcpt);
		c[COL_SIZE] = cell_bytes(t, m->size_bytes);
		c[COL_NRCPT] = cell_count(t, m->nrcpt);
		c[COL_SENT] = cell_count(t, m->nsent);
		c[COL_DEFERRED] = cell_count(t, m->ndeferred);
		c[COL_BOUNCED] = cell_count(t, m->nbounced);
		c[COL_SERVICE] = cell_text(t, m->service);
	}
	if (rc == 0 && n > 0)
		cells_page(t, v, n, rows[n - 1].t_ms, rows[n - 1].id);
	cells_empty(t, v, "no message arrived in this window");
	return rc;
}

static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	const struct message_row *m = selected->ref;

	(void)state;
	(void)v;
	ret->pane = "message";
	ret->object = m->id;
	snprintf(ret->label, sizeof(ret->label), "%.*s", STR_ARG(m->qid));
	return true;
}

const struct pane_ops pane_messages = {
	.name = "messages",
	.title = "Messages",
	.help = "Every message by its arrival. One that a content filter gave back under a new "
		"queue id is one message here "
		"and a member of the first one's family.",
	.number = 7,
	.columns = columns,
	.ncolumns = COL__COUNT,
	.default_sort = COL_TIME,
	.refresh = refresh,
	.enter = enter,
};
