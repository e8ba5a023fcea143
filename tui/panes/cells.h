/* SPDX-License-Identifier: MIT */
/*
 * cells - what list panes share: text and figures into a table's arena, and the words of the vocabulary.
 *
 * Past the arena's cap texts come out empty; the row stays.
 */
#ifndef MT_TUI_PANES_CELLS_H
#define MT_TUI_PANES_CELLS_H

#include "store/base/fmt.h"
#include "store/base/timefmt.h"
#include "tui/pane.h"

/* cells_begin - room for nrows rows in t, none filled. MT_ELIMIT. */
int cells_begin(struct table *t, size_t nrows) MT_MUST_CHECK;
/* cells_row - the next row with ncolumns zeroed cells, or NULL past the cap. */
struct cell *cells_row(
	struct table *t, size_t ncolumns, uint64_t id, enum style style, const void *ref);
/* Text, time of day, count (unknown: "?"), delay, code. */
struct cell cell_text(struct table *t, struct str text);
struct cell cell_words(const char *text);
struct cell cell_when(struct table *t, int64_t utc_ms, int64_t now_ms);
struct cell cell_count(struct table *t, int64_t n);
struct cell cell_delay(struct table *t, int64_t cs);
/* cell_rtt - a round-trip time: "0.3ms", "31ms", "1.2s"; "-" when nobody is connected, "?" unknown. */
struct cell cell_rtt(struct table *t, int64_t us, int64_t connections);
struct cell cell_age(struct table *t, int64_t ms);
struct cell cell_bytes(struct table *t, int64_t bytes);
struct cell cell_code(struct table *t, int64_t key);
/* cell_pct - part of whole; sorted by the share. */
struct cell cell_pct(struct table *t, int64_t part, int64_t whole);

/* cell_reply - a reply, or its wording, for a line of a list: without Postfix's "host NAME[address] said: " before it,
 * so that the remote server's own words come first. The message view has it whole. */
struct cell cell_reply(struct table *t, struct str reply);
/* cell_reason - why a message waits: as the queue tells it, without Exim's words on the stage before the reply. */
struct cell cell_reason(struct table *t, struct str reason);
/* cell_wording - the wording many replies share, its holes shown; of one that has none, the example. */
struct cell cell_wording(
	struct table *t, const struct view *v, struct str reply_template, struct str example);
/* cell_meaning - what a reply means there, with the provider whose list says so. Copied. */
struct cell cell_meaning(
	struct table *t, const struct view *v, const struct explain_result *explained);
/* cell_delta - n less what was before: an arrow and by how much, "new" when there was none, "?" when not known. */
struct cell cell_delta(struct table *t, const struct view *v, int64_t n, int64_t before);
/* cells_page - the page read has n rows and ends with this one: older ones may follow when it is full. */
void cells_page(struct table *t, const struct view *v, size_t n, int64_t last_ms, int64_t last_id);
/* cells_empty - t->empty: what there is none of, and the filter or narrowing that may be why. */
void cells_empty(struct table *t, const struct view *v, const char *what);

/* target_message - Enter leads to this message. target_label - what the way back calls it. */
bool target_message(struct pane_target *ret, int64_t message, struct str qid);
void target_label(struct pane_target *ret, const char *fmt, ...) MT_PRINTF(2, 3);

const char *status_word(enum event_status status);
/* status_outcome - what becomes of it: "will retry", "gave up" ... "" for others. */
const char *status_outcome(enum event_status status);
const char *stage_word(enum smtp_stage stage);
const char *queue_word(int queue);
/* provider_kind - the family of a provider ("exim"); absent: not among them. */
struct str provider_kind(const struct provider_row *all, size_t n, int id);
/* longest_delay - the longest of the parts a to d of an attempt's delay; DELAY_TOTAL: not known or all 0.
 * delay_word - a part in a word: before, queue, connect, transmit; DELAY_TOTAL: "". */
enum delay_part longest_delay(const struct attempt_row *a);
const char *delay_word(enum delay_part part);
enum style status_style(enum event_status status);
/* metric_help - the one definition of a figure, from store/vocab.h. */
const char *metric_help(enum metric metric);

#endif
