/* SPDX-License-Identifier: MIT */
/*
 * list - how a struct table is shown and walked: columns, order, selection, tags, search.
 *
 * The cursor belongs to a row's identity, not to a line: when rows come, go or move, the row under
 * it stays the selected one and, where the list is scrolled, on the same line of the screen.
 */
#ifndef MT_TUI_LIST_H
#define MT_TUI_LIST_H

#include "tui/pane.h"

#define LIST_COLUMNS_MAX 32

struct list_tags {
	uint64_t *ids;
	size_t n, cap;
}; /* sorted */

struct list {
	const struct column *columns; /* borrowed, of the pane */
	size_t ncolumns;
	int sort; /* column */
	bool descending;
	bool pinned; /* false: the cursor rests on the first row, whichever that is */
	bool follow; /* keep looking for the selected row even if it goes away */
	uint64_t selected; /* row id; meaningful while pinned */
	size_t cursor, top; /* indexes into order */
	int xscroll; /* columns the wide column is scrolled to the left */
	int page_rows; /* rows that fitted at the last draw */
	struct rect head, body; /* where header and rows were drawn, for the mouse */
	size_t *order; /* owned: row indexes in shown order */
	size_t norder, order_cap;
	struct list_tags tags; /* owned */
	bool tag_missed; /* the last tagging by text matched no row, and no row was chosen since */
	bool search_shown; /* matches are marked; Esc ends that */
	char search[128]; /* "" none */
};

void list_init(struct list *l, const struct column *columns, size_t ncolumns, int default_sort);
void list_done(struct list *l);
/* list_update - a new table: order it and find the selected row again. Call after each refresh or sort. */
void list_update(struct list *l, const struct table *t);
/* list_draw - header and rows into r; focused: show the cursor. */
void list_draw(
	struct list *l, const struct table *t, struct canvas *c, struct rect r, bool focused);
/* list_request - movement, sort, tag, search, follow. REQRES_*; REFRESH when the order must be queried anew. */
unsigned list_request(struct list *l, const struct table *t, enum request req);
/* list_search - set the text (cut to the field) and go to the first match at or after the cursor. true if found. */
bool list_search(struct list *l, const struct table *t, struct str text);
/* list_tag_matching - tag all rows that hold text; returns how many are tagged now. */
size_t list_tag_matching(struct list *l, const struct table *t, struct str text);
/* list_selected - row under the cursor, NULL if none. Borrowed from t. */
const struct row *list_selected(const struct list *l, const struct table *t);
/* list_tagged - rows with a tag, in shown order, into out (room for t->nrows); returns their number. */
size_t list_tagged(const struct list *l, const struct table *t, const struct row **out);
/* list_is_tagged - has this row a tag? */
bool list_is_tagged(const struct list *l, uint64_t id);
/* list_select_id - put the cursor on a row; false if it is not there. */
bool list_select_id(struct list *l, const struct table *t, uint64_t id);
/* list_click - mouse at (x,y): a row is selected, a column head sorts. REQRES_*; OPEN for a row already selected. */
unsigned list_click(struct list *l, const struct table *t, int x, int y);
/* list_scroll - wheel: move the cursor by rows, negative up. */
void list_scroll(struct list *l, const struct table *t, int rows);
/* list_layout - widths of the columns for a total width; 0 = hidden. widths has ncolumns entries. Pure. */
void list_layout(const struct column *columns, size_t ncolumns, int width, int *widths);
/* list_matches - does a row hold text (ASCII case-insensitive) in any cell? */
bool list_matches(const struct row *row, size_t ncolumns, struct str text);

#endif
