/* SPDX-License-Identifier: MIT */
/*
 * vendor - what views say of providers behind a web API: which times and providers their figures are of, and the words
 * for lists, events and requests.
 */
#ifndef MT_TUI_PANES_VENDOR_H
#define MT_TUI_PANES_VENDOR_H

#include "tui/panes/cells.h"

/* vendor_scope - one line: "whole hours since 15:00; without sendgrid (by the day)". Nothing is added when the figures
 * are of the window as asked and of all providers shown. */
void vendor_scope(struct buf *out, const struct view *v, const struct totals *t);
/* vendor_slot_word - "hour", "day", "15 min" of a slot length in seconds. */
const char *vendor_slot_word(int64_t slot_s);
/* vendor_is - is it a provider behind a web API? */
bool vendor_is(const struct view *v, int provider);
/* vendor_list_word - "bounces" ...; vendor_list_help - what being on it means. */
const char *vendor_list_word(enum api_list list);
const char *vendor_list_help(enum api_list list);
const char *vendor_event_word(enum api_event_kind kind);
/* cell_provider - a provider's name by its id. */
struct cell cell_provider(struct table *t, const struct view *v, int provider);
/* cell_known - "yes", "no", "?" of 1, 0, EVENT_UNKNOWN. */
struct cell cell_known(int64_t value);
/* vendor_empty - t->empty where no vendor has told any such row. */
void vendor_empty(struct table *t, const struct view *v, const char *what);

#endif
