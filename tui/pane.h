/* SPDX-License-Identifier: MIT */
/*
 * pane - the interface of a view. One file in tui/panes/ and one line in its meson list; the
 * registry is generated from that list.
 *
 * refresh queries and never draws; draw never queries. A list pane fills a struct table in refresh;
 * scrolling, sorting, searching, tagging, selection by row identity, zoom and drill-down come from
 * list.c and app.c. A pane that is not a list sets .draw and keeps its own model.
 */
#ifndef MT_TUI_PANE_H
#define MT_TUI_PANE_H

#include "store/service.h"
#include "store/store_read.h"
#include "tui/canvas.h"
#include "store/explain/explain.h"
#include "tui/request.h"

enum align { ALIGN_LEFT, ALIGN_RIGHT };

struct column {
	const char *name; /* heading */
	int width; /* columns wanted; 0 = takes what is left (one such column a pane), -N = and others hide before it
		      has less than N */
	enum align align; /* RIGHT columns are figures: never cut, see canvas_number */
	int priority; /* 1 stays longest; columns of the highest number are hidden first when narrow */
	bool descending; /* first direction when sorted by it */
	const char *help; /* the definition of the figure, shown in ? help and the man page */
};

struct cell {
	struct str text; /* raw bytes; the canvas makes them safe */
	int64_t sort; /* sort key if text_sort is false */
	bool text_sort; /* sort by text */
	enum style style; /* STYLE_NORMAL = the row's */
	const int64_t *spark; /* non-NULL: draw a sparkline of nspark values instead of text */
	size_t nspark;
	int shade; /* 1..5: draw as heat cell of intensity shade-1, before text if there is any; 0 = text */
};

struct warmup_plans;

struct row {
	uint64_t id; /* identity: selection and tags follow it over refreshes and sorts */
	const struct cell *cells; /* one a column */
	enum style style;
	const void *ref; /* pane's own record behind the row, in the table's arena */
};

struct table {
	struct arena arena; /* everything the rows point to; reset before each refresh */
	struct row *rows;
	size_t nrows;
	int64_t total; /* rows there are in all (list shows "1,000 of N"); EVENT_UNKNOWN */
	int64_t next_ms,
		next_id; /* key of the last row when older ones may follow (view.page_*); 0 = none do */
	bool presorted; /* rows come in the order of view.sort: list.c must not sort (limited queries) */
	struct str empty; /* what to say when there are no rows and why */
};

/* What all panes share at one moment. Borrowed. */
struct view {
	struct query query; /* window, provider, filter; limit and sort set by list.c */
	int64_t page_ms, page_id; /* keyset: rows before this one; 0, 0 = the newest */
	int64_t now_ms; /* end of the window: the wall clock when LIVE, else the instant looked at */
	bool live;
	bool utf8;
	int width; /* columns of the screen: refresh wraps long texts to it */
	const struct provider_row *providers;
	size_t nproviders;
	const struct services *services; /* may be NULL (--once, golden) */
	const struct explain_rules *rules; /* why replies are given; NULL: none can be told */
	const struct warmup_plans *warmups; /* plans of the configuration; NULL: none */
	bool read_write;
};

/* Where Enter leads: another pane, the query narrowed. label is the breadcrumb part ("errors 4.7.28"). */
struct pane_target {
	const char *pane; /* name */
	struct query query; /* strings in the arena of the opener are copied */
	int64_t object; /* message id ...; 0 none */
	char label[80];
	char filter[64]; /* set as the text filter until one comes back; "" leaves it */
};

struct pane_ops {
	const char *name; /* "queue": what :queue and the man page say */
	const char *title; /* "Queue" */
	const char *
		help; /* what it shows and the definition of each figure that is not a column; several lines */
	int number; /* 1..9 opens it by number key; 0 none */
	const struct column *columns; /* NULL: not a list */
	size_t ncolumns;
	int default_sort; /* column */
	const enum request *
		requests; /* requests it handles itself (shown in hints and help), REQ_NONE-terminated */
	size_t state_bytes;
	/* Place on the overview: priority 1 stays longest, 0 = no tile. Sizes include the border. A tile that
	 * grows takes the rows that are left over (lists); others stop at want. */
	struct tile_hint {
		int priority, min_w, min_h, want_w, want_h;
		bool grows;
	} tile_hint;
	/* wants_tile - asked once at the start; NULL: always. */
	bool (*wants_tile)(const struct warmup_plans *plans);
	/* open - object and query as in pane_target; state is zeroed before. */
	int (*open)(void *state, const struct view *v, int64_t object);
	/* refresh - query into table (list panes) and/or the state. Inside one reader snapshot. */
	int (*refresh)(void *state, struct reader *r, const struct view *v, struct table *t,
		struct mt_error *reterr);
	/* draw - the pane's whole area when it is not a list, or the part above the list (returns lines used). */
	int (*draw)(const void *state, const struct view *v, const struct table *t,
		struct canvas *c, struct rect area);
	/* tile - its box on the overview; inside of the border. note (may stay empty) goes to the top border. */
	void (*tile)(const void *state, const struct view *v, const struct table *t,
		struct canvas *c, struct rect area, char *note, size_t note_bytes);
	/* turn - REQ_BY_SENDER, where it is among requests: show the next grouping. The pane is read anew. May be NULL. */
	void (*turn)(void *state, const struct view *v);
	/* request - any other key of the pane's own on the selected row (NULL if none). REQRES_* flags. */
	unsigned (*request)(void *state, enum request req, const struct view *v,
		const struct row *selected, const struct row *const *tagged, size_t ntagged,
		struct pane_target *ret_target);
	/* enter - where Enter on the row leads; false: nowhere. */
	bool (*enter)(void *state, const struct view *v, const struct row *selected,
		struct pane_target *ret);
	/* identify - the queue entry behind a row, for hold, release, requeue, delete, expire: the app collects the
	 * tagged or selected rows, asks for confirmation and runs the job. false: no such entry. May be NULL. */
	bool (*identify)(const void *state, const struct view *v, const struct row *row,
		struct job_id *ret, int *ret_provider);
	bool unsuppresses; /* its rows are addresses on vendors' lists (identify: qid the address, sender the list's
			      scope, arrival_ms the enum api_list): Del takes them off, no other action */
	/* tick - called some times a second while shown, for jobs; true: refresh/draw again. May be NULL. */
	bool (*tick)(void *state, const struct view *v);
	void (*close)(void *state);
};

extern const struct pane_ops *const pane_table[]; /* generated, NULL-terminated */

#endif
