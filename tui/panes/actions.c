/* SPDX-License-Identifier: MIT */
/* actions - the log of what was done to queues from mtatop: when, by whom, to which messages, with what result. */
#include "tui/panes/cells.h"

enum col { COL_TIME, COL_USER, COL_VERB, COL_ASKED, COL_DONE, COL_RESULT, COL_QIDS, COL__COUNT };

static const struct column columns[COL__COUNT] = {
	{"time", 11, ALIGN_LEFT, 1, true, "when it was done"},
	{"user", 16, ALIGN_LEFT, 2, false, "who asked: the login, behind sudo too"},
	{"action", 8, ALIGN_LEFT, 1, false, "hold, release, requeue, delete, expire, flush"},
	{"asked", 6, ALIGN_RIGHT, 3, true, "messages it was asked for"},
	{"done", 6, ALIGN_RIGHT, 1, true, "messages postsuper changed, by its own count"},
	{"result", 44, ALIGN_LEFT, 2, false, "what came of it, as told on the screen then"},
	{"queue ids", 0, ALIGN_LEFT, 4, false, "the messages it was asked for"},
};

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct action_log_row *rows = NULL;
	size_t n = 0;
	int rc = read_actions(r, &v->query, &t->arena, &rows, &n, reterr);

	(void)state;
	if (rc == 0)
		rc = cells_begin(t, n);
	for (size_t i = 0; i < n && rc == 0; i++) {
		const struct action_log_row *a = &rows[i];
		struct cell *c = cells_row(t, COL__COUNT, (uint64_t)a->id,
			a->done < a->asked ? STYLE_WARN : STYLE_NORMAL, a);

		if (!c)
			break;
		c[COL_TIME] = cell_when(t, a->t_ms, v->now_ms);
		c[COL_USER] = cell_text(t, a->user);
		c[COL_VERB] = cell_text(t, a->verb);
		c[COL_ASKED] = cell_count(t, a->asked);
		c[COL_DONE] = cell_count(t, a->done);
		c[COL_RESULT] = cell_text(t, a->result);
		c[COL_QIDS] = cell_text(t, a->qids);
	}
	t->empty = STR_LIT("nothing was done to a queue from mtatop yet");
	return rc;
}

/* The first of its messages, by queue id; a flush names none. */
static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	const struct action_log_row *a = selected->ref;
	struct str qid = str_first(a->qids, str_find_char(a->qids, ' '));

	(void)state;
	(void)v;
	if (qid.n == 0)
		return false;
	ret->pane = "message";
	ret->query.qid = qid;
	ret->query.provider = a->provider;
	target_label(ret, "%.*s", STR_ARG(qid));
	return true;
}

const struct pane_ops pane_actions = {
	.name = "actions",
	.title = "Actions",
	.help = "Every action taken on a queue from mtatop (with --read-write), logged in the "
		"cache "
		"with who asked and what came of it. What was done by postsuper on the command "
		"line is not here, but in the log. Enter opens the (first) message.",
	.columns = columns,
	.ncolumns = COL__COUNT,
	.default_sort = COL_TIME,
	.refresh = refresh,
	.enter = enter,
};
