/* SPDX-License-Identifier: MIT */
/* users - who logged in to send (SASL): messages, clients and failures of each; Enter lists the user's messages. */
#include "tui/panes/cells.h"

enum col {
	COL_USER,
	COL_MESSAGES,
	COL_RCPTS,
	COL_SENT,
	COL_DEFERRED,
	COL_BOUNCED,
	COL_CLIENTS,
	COL_NEWEST,
	COL_CLIENT,
	COL__COUNT
};

static const struct column columns[COL__COUNT] = {
	{"user", 30, ALIGN_LEFT, 1, false, "sasl_username of the messages"},
	{"messages", 9, ALIGN_RIGHT, 1, true, "messages received of this user in the window"},
	{"rcpts", 8, ALIGN_RIGHT, 3, true, "recipients of those messages (nrcpt=)"},
	{"sent", 8, ALIGN_RIGHT, 3, true, "of those messages, so far: recipients delivered"},
	{"deferred", 9, ALIGN_RIGHT, 4, true, "of those messages, so far: deferred attempts"},
	{"bounced", 8, ALIGN_RIGHT, 2, true, "of those messages, so far: recipients given up on"},
	{"clients", 8, ALIGN_RIGHT, 2, true,
		"different clients, host[ip], the messages came from: many at once are a stolen "
		"password"},
	{"newest", 11, ALIGN_LEFT, 4, true, "when the newest of the messages came"},
	{"last client", 0, ALIGN_LEFT, 1, false, "where the newest of the messages came from"},
};

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct user_row *rows;
	size_t n = 0;
	int rc = read_users(r, &v->query, &t->arena, &rows, &n, reterr);

	(void)state;
	if (rc == 0)
		rc = cells_begin(t, n);
	for (size_t i = 0; i < n && rc == 0; i++) {
		const struct user_row *u = &rows[i];
		struct cell *c = cells_row(t, COL__COUNT, (uint64_t)u->key,
			u->bounced > u->sent ? STYLE_BAD : STYLE_NORMAL, u);

		if (!c)
			break;
		c[COL_USER] = cell_text(t, u->user);
		c[COL_MESSAGES] = cell_count(t, u->messages);
		c[COL_RCPTS] = cell_count(t, u->nrcpt);
		c[COL_SENT] = cell_count(t, u->sent);
		c[COL_DEFERRED] = cell_count(t, u->deferred);
		c[COL_BOUNCED] = cell_count(t, u->bounced);
		c[COL_CLIENTS] = cell_count(t, u->nclients);
		c[COL_NEWEST] = cell_when(t, u->newest_ms, v->now_ms);
		c[COL_CLIENT] = cell_text(t, u->client);
	}
	cells_empty(t, v, "no message of a logged-in user arrived in this window");
	return rc;
}

static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	const struct user_row *u = selected->ref;

	(void)state;
	(void)v;
	ret->pane = "messages";
	ret->query.user = u->user;
	target_label(ret, "%.*s", STR_ARG(u->user));
	return true;
}

const struct pane_ops pane_users = {
	.name = "users",
	.title = "Users",
	.help = "Messages of the window by the user who logged in to send them (sasl_username). "
		"Red: more bounced than "
		"sent. Counted from message records: where there are very many, the newest 100,000 "
		"are looked at and "
		"the view says so. Failed logins are no messages: see :ports.",
	.columns = columns,
	.ncolumns = COL__COUNT,
	.default_sort = COL_MESSAGES,
	.refresh = refresh,
	.enter = enter,
};
