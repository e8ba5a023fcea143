/* SPDX-License-Identifier: MIT */
/*
 * lines - a page of "what: text" lines as a list, so that it scrolls, is searched and leads on like every list.
 *
 * Long texts are wrapped to the screen, never cut. A line may have a link: where Enter on it leads.
 */
#ifndef MT_TUI_PANES_LINES_H
#define MT_TUI_PANES_LINES_H

#include "tui/panes/cells.h"

#define LINES_COLUMNS 2
extern const struct column lines_columns[LINES_COLUMNS];

struct lines {
	struct table *t;
	const struct view *v;
	size_t cap; /* rows there is room for */
	uint64_t base; /* of the ids of this section's lines */
	size_t nsection;
};

/* lines_begin - an empty page in t. */
void lines_begin(struct lines *l, struct table *t, const struct view *v);
/* lines_section - the lines that follow belong to the thing of this id: they keep their identity when others come. */
void lines_section(struct lines *l, uint64_t id);
/* lines_add - one line, uncut. lines_wrap - as many as the text needs. lines_say - formatted, wrapped. what: static. */
void lines_add(struct lines *l, enum style style, const char *what, struct str text);
void lines_wrap(struct lines *l, enum style style, const char *what, struct str text);
void lines_say(struct lines *l, enum style style, const char *what, const char *fmt, ...)
	MT_PRINTF(4, 5);
/* lines_link - Enter on the lines added since row first (index in the table) leads to target. Copied; its query's
 * strings must live as long as the table. */
void lines_link(struct lines *l, size_t first, const struct pane_target *target);
/* lines_target - a target of the shown window and provider, narrowed by nothing. */
struct pane_target lines_target(const struct lines *l, const char *pane, const char *label);
/* lines_enter - a pane's enter: the link of the row. */
bool lines_enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret);

/* lines_address - an address with a mark when it holds non-ASCII bytes or a domain in IDN's ASCII form. Cleared first. */
void lines_address(struct buf *out, struct str address);
/* lines_blocklist - where a reply names a block list: a line that leads to what it says of own addresses (:dns). */
void lines_blocklist(struct lines *l, struct str reply);
/* lines_explain - what a reply means, who can mend it, the next step, the provider's link, and the rule that says so. */
void lines_explain(struct lines *l, const struct explain_query *q);

#endif
