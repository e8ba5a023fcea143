/* SPDX-License-Identifier: MIT */
/* senders - whose mail it is: by domain of the envelope sender; Enter opens its page. */
#include "tui/panes/groups.h"

static const struct column columns[GCOL__COUNT] = {
	{"sender", 0, ALIGN_LEFT, 1, false,
		"domain of the envelope sender; <> are notifications. By key b: sending IP, tag or "
		"subaccount as vendors tell them"},
	{"sent", 10, ALIGN_RIGHT, 1, true, "delivery records with status=sent of its messages"},
	{"messages", 10, ALIGN_RIGHT, 2, true, "messages received of it"},
	{"deferred", 10, ALIGN_RIGHT, 2, true, GROUP_DEFERRED_HELP},
	{"bounced", 10, ALIGN_RIGHT, 1, true, GROUP_BOUNCED_HELP},
	{"delivered", 9, ALIGN_RIGHT, 3, false, GROUP_SHARE_HELP},
};

static const enum request requests[] = {REQ_BY_SENDER, REQ_NONE};

struct senders {
	int turns; /* of b: 0 sender domain, then what vendors tell */
};

static enum group_kind kind_of(const void *state)
{
	static const enum group_kind kinds[] = {
		GROUP_SENDER, GROUP_IP, GROUP_TAG, GROUP_SUBACCOUNT};

	return kinds[((const struct senders *)state)->turns %
		     (int)(sizeof(kinds) / sizeof(kinds[0]))];
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	return groups_refresh(kind_of(state), 0, r, v, t, reterr);
}

static int draw(const void *state, const struct view *v, const struct table *t, struct canvas *c,
	struct rect area)
{
	(void)v;
	(void)t;
	if (kind_of(state) == GROUP_SENDER)
		return 0;
	canvas_printf(c, area.x + 1, area.y, area.w - 1, STYLE_DIM, "by %s (b: the next grouping)",
		groups_word(kind_of(state)));
	return 1;
}

static void turn(void *state, const struct view *v)
{
	struct senders *s = state;

	(void)v;
	s->turns++;
}

static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	(void)v;
	return groups_enter(kind_of(state), selected, ret);
}

const struct pane_ops pane_senders = {
	.name = "senders",
	.title = "Senders",
	.help = "Sender domains by traffic: a domain that suddenly sends much, or bounces much, is "
		"a hijacked account or "
		"a bad list. b groups by what vendors (Mailgun, SendGrid) tell: sending IP, tag or "
		"category, subaccount.",
	.columns = columns,
	.ncolumns = GCOL__COUNT,
	.default_sort = GCOL_SENT,
	.requests = requests,
	.state_bytes = sizeof(struct senders),
	.refresh = refresh,
	.draw = draw,
	.turn = turn,
	.enter = enter,
};
