/* SPDX-License-Identifier: MIT */
/*
 * groups - traffic by where it goes to or comes from: what the views destinations, relays and senders share.
 *
 * Delivered is the share of final outcomes (sent of sent + bounced); deferrals stand beside it and are no failures.
 */
#ifndef MT_TUI_PANES_GROUPS_H
#define MT_TUI_PANES_GROUPS_H

#include "tui/panes/cells.h"

enum group_kind {
	GROUP_DOMAIN, /* recipient domain */
	GROUP_PROVIDER, /* mailbox provider: relay hosts of one operator together */
	GROUP_RELAY, /* relay host */
	GROUP_MAILBOX, /* mailbox provider as vendors tell it */
	GROUP_SENDER, /* sender domain */
	GROUP_IP, /* sending IP of a vendor */
	GROUP_TAG, /* tag or category */
	GROUP_SUBACCOUNT, /* subaccount or subuser */
	GROUP_CLASS, /* bounce classification of a vendor */
	GROUP__COUNT
};

enum group_column {
	GCOL_NAME,
	GCOL_SENT,
	GCOL_OTHER, /* change of sent; of senders: messages */
	GCOL_DEFERRED,
	GCOL_BOUNCED,
	GCOL_SHARE,
	GCOL__COUNT
};

#define GROUP_SENT_HELP "delivery records with status=sent"
#define GROUP_DEFERRED_HELP "deferred attempts: tries, not failures"
#define GROUP_BOUNCED_HELP "recipients given up on"
#define GROUP_SHARE_HELP                                                                           \
	"sent of sent + bounced; red under 90% from 10 outcomes on. Deferrals are not in it: a "   \
	"destination that only defers has no share yet"

/* groups_refresh - rows of the view's window. only_provider: of GROUP_RELAY, hosts of this mailbox provider
 * (explain_provider) alone; 0 all. Errors as the reader's. */
int groups_refresh(enum group_kind kind, int only_provider, struct reader *r, const struct view *v,
	struct table *t, struct mt_error *reterr) MT_MUST_CHECK;
/* groups_enter - where Enter on a row of that kind leads. */
bool groups_enter(enum group_kind kind, const struct row *selected, struct pane_target *ret);
/* groups_word - "recipient domain" ... */
const char *groups_word(enum group_kind kind);

#endif
