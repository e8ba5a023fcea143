/* SPDX-License-Identifier: MIT */
/* senders - whose mail it is: by domain of the envelope sender; Enter opens its page. */
#include "tui/panes/groups.h"

static const struct column columns[GCOL__COUNT] = {
	{"sender domain", 0, ALIGN_LEFT, 1, false,
		"domain of the envelope sender; <> are notifications"},
	{"sent", 10, ALIGN_RIGHT, 1, true, "delivery records with status=sent of its messages"},
	{"messages", 10, ALIGN_RIGHT, 2, true, "messages received of it"},
	{"deferred", 10, ALIGN_RIGHT, 2, true, GROUP_DEFERRED_HELP},
	{"bounced", 10, ALIGN_RIGHT, 1, true, GROUP_BOUNCED_HELP},
	{"delivered", 9, ALIGN_RIGHT, 3, false, GROUP_SHARE_HELP},
};

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	(void)state;
	return groups_refresh(GROUP_SENDER, 0, r, v, t, reterr);
}

static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	(void)state;
	(void)v;
	return groups_enter(GROUP_SENDER, selected, ret);
}

const struct pane_ops pane_senders = {
	.name = "senders",
	.title = "Senders",
	.help = "Sender domains by traffic: a domain that suddenly sends much, or bounces much, is "
		"a hijacked account or "
		"a bad list.",
	.columns = columns,
	.ncolumns = GCOL__COUNT,
	.default_sort = GCOL_SENT,
	.refresh = refresh,
	.enter = enter,
};
