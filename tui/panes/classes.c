/* SPDX-License-Identifier: MIT */
/* classes - bounces by the vendor's own classification: invalid address, reputation, content ...; Enter lists bounces. */
#include "tui/panes/groups.h"

static const struct column columns[GCOL__COUNT] = {
	{"class", 0, ALIGN_LEFT, 1, false, "the vendor's word for why a message bounced"},
	{"sent", 10, ALIGN_RIGHT, 6, true, "not told by class"},
	{"change", 9, ALIGN_RIGHT, 6, true, "not told by class"},
	{"deferred", 10, ALIGN_RIGHT, 4, true, "tries, where the vendor classes those too"},
	{"bounced", 10, ALIGN_RIGHT, 1, true, GROUP_BOUNCED_HELP},
	{"delivered", 9, ALIGN_RIGHT, 6, false, "not told by class"},
};

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	(void)state;
	return groups_refresh(GROUP_CLASS, 0, r, v, t, reterr);
}

static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	(void)state;
	(void)v;
	return groups_enter(GROUP_CLASS, selected, ret);
}

const struct pane_ops pane_classes = {
	.name = "classes",
	.title = "Bounce classes",
	.help = "Bounces by the class a vendor (Mailgun, SendGrid) put them in. The words are the "
		"vendor's; what a reply code means is in :errors.",
	.columns = columns,
	.ncolumns = GCOL__COUNT,
	.default_sort = GCOL_BOUNCED,
	.refresh = refresh,
	.enter = enter,
};
