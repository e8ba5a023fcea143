/* SPDX-License-Identifier: MIT */
/* destinations - where mail goes: by recipient domain, mailbox provider or relay host; Enter opens its page. */
#include "tui/panes/groups.h"
#include "tui/panes/vendor.h"

static const struct column columns[GCOL__COUNT] = {
	{"destination", 0, ALIGN_LEFT, 1, false,
		"recipient domain; by key b mailbox provider (relay hosts of one operator) or "
		"relay host"},
	{"sent", 10, ALIGN_RIGHT, 1, true, GROUP_SENT_HELP},
	{"change", 9, ALIGN_RIGHT, 4, true,
		"of sent, against the window before; new: none then; ? not covered by the cache"},
	{"deferred", 10, ALIGN_RIGHT, 2, true, GROUP_DEFERRED_HELP},
	{"bounced", 10, ALIGN_RIGHT, 1, true, GROUP_BOUNCED_HELP},
	{"delivered", 9, ALIGN_RIGHT, 3, false, GROUP_SHARE_HELP},
};

static const enum request requests[] = {REQ_BY_SENDER, REQ_NONE};

struct destinations {
	enum group_kind kind;
	bool chosen; /* by b; else what the provider shown has */
};

static enum group_kind shown_kind(const struct destinations *s, const struct view *v)
{
	bool vendor = v->query.provider && vendor_is(v, v->query.provider);

	return s->chosen || !vendor ? s->kind : GROUP_MAILBOX;
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	const struct destinations *s = state;

	return groups_refresh(shown_kind(s, v), 0, r, v, t, reterr);
}

/* Are all providers shown, vendors among them? */
static bool vendors_beside(const struct view *v)
{
	bool any = false;

	for (size_t i = 0; i < v->nproviders && v->query.provider == 0; i++)
		any |= vendor_is(v, v->providers[i].id);
	return any;
}

static int draw(const void *state, const struct view *v, const struct table *t, struct canvas *c,
	struct rect area)
{
	const struct destinations *s = state;

	(void)t;
	if (shown_kind(s, v) == GROUP_DOMAIN && !vendors_beside(v))
		return 0;
	if (shown_kind(s, v) == GROUP_DOMAIN) {
		canvas_printf(c, area.x + 1, area.y, area.w - 1, STYLE_DIM,
			"of vendors only those that tell recipient domains (b: other groupings)");
		return 1;
	}
	canvas_printf(c, area.x + 1, area.y, area.w - 1, STYLE_DIM, "by %s (b: the next grouping)",
		groups_word(shown_kind(s, v)));
	return 1;
}

static void turn(void *state, const struct view *v)
{
	struct destinations *s = state;

	s->kind = shown_kind(s, v);
	s->chosen = true;
	s->kind = s->kind == GROUP_MAILBOX ? GROUP_DOMAIN : (enum group_kind)(s->kind + 1);
}

static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	const struct destinations *s = state;

	return groups_enter(shown_kind(s, v), selected, ret);
}

const struct pane_ops pane_destinations = {
	.name = "destinations",
	.title = "Destinations",
	.help = "Where mail goes, by recipient domain; b groups by mailbox provider (Google, "
		"Microsoft ... by the "
		"relay's host name, other relays by themselves), by relay host, and by "
		"mailbox provider as vendors (Mailgun, SendGrid) tell it. Enter opens the "
		"destination's page: share delivered, delays, codes and its attempts. How hosts "
		"are reached "
		"is in :mx.",
	.number = 6,
	.columns = columns,
	.ncolumns = GCOL__COUNT,
	.default_sort = GCOL_SENT,
	.requests = requests,
	.state_bytes = sizeof(struct destinations),
	.tile_hint = {.priority = 6, .min_w = 44, .min_h = 5, .want_w = 60, .want_h = 14},
	.refresh = refresh,
	.draw = draw,
	.turn = turn,
	.enter = enter,
};
