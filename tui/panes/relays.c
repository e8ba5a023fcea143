/* SPDX-License-Identifier: MIT */
/* relays - where mail goes by relay host, all of them or those of one mailbox provider; Enter opens its page. */
#include "tui/panes/groups.h"

static const struct column columns[GCOL__COUNT] = {
	{"relay host", 0, ALIGN_LEFT, 1, false, "host name of relay=, without address and port"},
	{"sent", 10, ALIGN_RIGHT, 1, true, GROUP_SENT_HELP},
	{"change", 9, ALIGN_RIGHT, 4, true,
		"of sent, against the window before; new: none then; ? not covered by the cache"},
	{"deferred", 10, ALIGN_RIGHT, 2, true, GROUP_DEFERRED_HELP},
	{"bounced", 10, ALIGN_RIGHT, 1, true, GROUP_BOUNCED_HELP},
	{"delivered", 9, ALIGN_RIGHT, 3, false, GROUP_SHARE_HELP},
};

struct relays {
	int provider; /* explain_provider; 0 all */
};

static int open_relays(void *state, const struct view *v, int64_t object)
{
	struct relays *s = state;

	(void)v;
	s->provider = (int)object;
	return 0;
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	const struct relays *s = state;

	return groups_refresh(GROUP_RELAY, s->provider, r, v, t, reterr);
}

static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	(void)state;
	(void)v;
	return groups_enter(GROUP_RELAY, selected, ret);
}

const struct pane_ops pane_relays = {
	.name = "relays",
	.title = "Relays",
	.help = "Relay hosts by traffic: the MX hosts and smarthosts mail was handed to. (no "
		"relay) is mail that "
		"never got to one: its domain has no MX, or no host answered. How hosts are "
		"reached, connection times, TLS and "
		"failures by kind, is in :mx; Enter shows it of one host.",
	.columns = columns,
	.ncolumns = GCOL__COUNT,
	.default_sort = GCOL_SENT,
	.state_bytes = sizeof(struct relays),
	.open = open_relays,
	.refresh = refresh,
	.enter = enter,
};
