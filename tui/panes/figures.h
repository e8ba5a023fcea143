/* SPDX-License-Identifier: MIT */
/*
 * figures - every counted figure of the window as a list: how many, how many a minute, against the window before, its
 * one definition (METRIC_LIST) and where Enter leads. The delivery view shows it below its graphs.
 */
#ifndef MT_TUI_PANES_FIGURES_H
#define MT_TUI_PANES_FIGURES_H

#include "tui/panes/cells.h"

#define FIGURES_COLUMNS 6
extern const struct column figures_columns[FIGURES_COLUMNS];

/* figures_fill - a row a metric. before: the totals of the window before. MT_ELIMIT. */
int figures_fill(struct table *t, const struct view *v, const struct totals *now,
	const struct totals *before) MT_MUST_CHECK;
/* figures_enter - a pane's enter. */
bool figures_enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret);

#endif
