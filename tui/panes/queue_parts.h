/* SPDX-License-Identifier: MIT */
/* queue_parts - what the queue's panes share: the depth of each queue, and the age x domain matrix in small. */
#ifndef MT_TUI_PANES_QUEUE_PARTS_H
#define MT_TUI_PANES_QUEUE_PARTS_H

#include "tui/panes/cells.h"

#define QUEUE_SLOTS 16 /* of the trends */

struct queue_depths {
	struct queue_figures figures;
	int64_t deferred[QUEUE_SLOTS], active[QUEUE_SLOTS];
	int64_t next_retry_ms; /* of all deferred messages the soonest; EVENT_UNKNOWN, which _read sets */
};

/* queue_depths_read - figures at the view's instant and their trends over its window. */
int queue_depths_read(struct queue_depths *d, struct reader *r, const struct view *v,
	struct mt_error *reterr) MT_MUST_CHECK;
/* queue_depths_draw - a line a queue and the oldest message; returns the lines used. */
int queue_depths_draw(
	const struct queue_depths *d, const struct view *v, struct canvas *c, struct rect area);
/* queue_depths_line - the same in one line, above a list. */
void queue_depths_line(
	const struct queue_depths *d, const struct view *v, struct canvas *c, struct rect area);
/* queue_source_words - where the figures are from, for a person; of a vendor's account: that it shows no queue. */
const char *queue_source_words(const struct view *v, enum queue_source source);

/* matrix_level - how dark a cell of n is beside the fullest: 0 (none) .. 4. */
int matrix_level(int64_t n, int64_t most);
/* matrix_most - the fullest cell. */
int64_t matrix_most(const struct shape_row *rows, size_t n);
/* matrix_draw - the matrix as shades under a line of ages, as many rows as there is room for. */
void matrix_draw(const struct shape_row *rows, size_t n, struct canvas *c, struct rect area);

/* queue_word_at - queue_word in the words of the provider: Exim's "frozen". */
const char *queue_word_at(const struct view *v, int provider, enum queue_name queue);

#endif
