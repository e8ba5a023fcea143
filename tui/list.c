/* SPDX-License-Identifier: MIT */
/*
 * list - order, selection, search and tags. Drawing is in list_draw.c.
 *
 * Invariant: norder <= t->nrows of the last list_update; cursor < norder unless the list is empty.
 * Never queries: a presorted table that must change its order is reported as REQRES_REFRESH.
 */
#include "tui/list.h"

#include "store/base/mem.h"

#include <stdlib.h>

void list_init(struct list *l, const struct column *columns, size_t ncolumns, int default_sort)
{
	*l = (struct list){.columns = columns, .ncolumns = ncolumns, .page_rows = 1};
	l->sort = default_sort >= 0 && (size_t)default_sort < ncolumns ? default_sort : 0;
	l->descending = ncolumns > 0 && columns[l->sort].descending;
}

void list_done(struct list *l)
{
	free(l->order);
	free(l->tags.ids);
	*l = (struct list){0};
}

/* --- order --- */

struct order_key {
	const struct row *rows;
	size_t column;
	bool descending;
};

static int compare_text(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;

	for (size_t i = 0; i < n; i++) {
		unsigned char x = (unsigned char)a.p[i], y = (unsigned char)b.p[i];

		x = x >= 'A' && x <= 'Z' ? (unsigned char)(x + 32) : x;
		y = y >= 'A' && y <= 'Z' ? (unsigned char)(y + 32) : y;
		if (x != y)
			return x < y ? -1 : 1;
	}
	return a.n == b.n ? 0 : a.n < b.n ? -1 : 1;
}

static int compare_rows(const void *pa, const void *pb, void *ctx)
{
	const struct order_key *key = ctx;
	size_t ia = *(const size_t *)pa, ib = *(const size_t *)pb;
	const struct cell *a = &key->rows[ia].cells[key->column],
			  *b = &key->rows[ib].cells[key->column];
	int d;

	if (a->text_sort || b->text_sort)
		d = compare_text(a->text, b->text);
	else
		d = a->sort < b->sort ? -1 : a->sort > b->sort;
	if (d == 0) /* the pane's own order decides: stable over refreshes */
		return ia < ib ? -1 : ia > ib;
	return key->descending ? -d : d;
}

static void order_rows(struct list *l, const struct table *t)
{
	struct order_key key = {t->rows, (size_t)l->sort, l->descending};

	if (t->nrows > l->order_cap) {
		l->order = xrealloc(l->order, t->nrows * sizeof(*l->order));
		l->order_cap = t->nrows;
	}
	l->norder = t->nrows;
	for (size_t i = 0; i < t->nrows; i++)
		l->order[i] = i;
	if (!t->presorted && l->ncolumns > 0 && t->nrows > 1)
		qsort_r(l->order, l->norder, sizeof(*l->order), compare_rows, &key);
}

/* --- selection --- */

static void clamp_view(struct list *l)
{
	size_t page = l->page_rows > 0 ? (size_t)l->page_rows : 1;

	if (l->norder == 0) {
		l->cursor = l->top = 0;
		return;
	}
	if (l->cursor >= l->norder)
		l->cursor = l->norder - 1;
	if (l->cursor < l->top)
		l->top = l->cursor;
	if (l->cursor >= l->top + page)
		l->top = l->cursor - page + 1;
	if (l->norder <= page)
		l->top = 0;
	else if (l->top > l->norder - page)
		l->top = l->norder - page;
}

static bool find_id(const struct list *l, const struct table *t, uint64_t id, size_t *ret)
{
	for (size_t i = 0; i < l->norder; i++) {
		if (t->rows[l->order[i]].id == id) {
			*ret = i;
			return true;
		}
	}
	return false;
}

static void pin(struct list *l, const struct table *t)
{
	clamp_view(l);
	if (l->norder == 0)
		return;
	l->pinned = true;
	l->selected = t->rows[l->order[l->cursor]].id;
}

void list_update(struct list *l, const struct table *t)
{
	size_t line = l->cursor >= l->top ? l->cursor - l->top : 0, at;

	order_rows(l, t);
	if (!l->pinned) {
		l->cursor = l->top = 0;
		return;
	}
	if (find_id(l, t, l->selected, &at)) {
		/* Scrolled: the row keeps its line. At the top: new rows show above it while it fits. */
		if (l->top > 0)
			l->top = at >= line ? at - line : 0;
		l->cursor = at;
	} else if (!l->follow && l->norder > 0) {
		clamp_view(l); /* gone: the row that took its line is next */
		l->selected = t->rows[l->order[l->cursor]].id;
	}
	clamp_view(l);
}

const struct row *list_selected(const struct list *l, const struct table *t)
{
	if (l->cursor >= l->norder || l->norder > t->nrows)
		return NULL;
	if (l->pinned && t->rows[l->order[l->cursor]].id != l->selected)
		return NULL; /* followed row is away: nothing is selected rather than its neighbour */
	return &t->rows[l->order[l->cursor]];
}

bool list_select_id(struct list *l, const struct table *t, uint64_t id)
{
	size_t at;

	if (!find_id(l, t, id, &at))
		return false;
	l->cursor = at;
	pin(l, t);
	return true;
}

static void move_to(struct list *l, const struct table *t, int64_t index)
{
	int64_t last = (int64_t)l->norder - 1;

	index = index > last ? last : index;
	l->cursor = index < 0 ? 0 : (size_t)index;
	l->tag_missed = false;
	pin(l, t);
}

void list_scroll(struct list *l, const struct table *t, int rows)
{
	move_to(l, t, (int64_t)l->cursor + rows);
}

/* --- tags --- */

static size_t tag_place(const struct list_tags *tags, uint64_t id)
{
	size_t lo = 0, hi = tags->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (tags->ids[mid] < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool is_tagged(const struct list_tags *tags, uint64_t id)
{
	size_t at = tag_place(tags, id);

	return at < tags->n && tags->ids[at] == id;
}

static void tag_set(struct list_tags *tags, uint64_t id, bool on)
{
	size_t at = tag_place(tags, id);
	bool there = at < tags->n && tags->ids[at] == id;

	if (there == on)
		return;
	if (!on) {
		memmove(tags->ids + at, tags->ids + at + 1,
			(tags->n - at - 1) * sizeof(*tags->ids));
		tags->n--;
		return;
	}
	if (tags->n == tags->cap) {
		tags->cap = tags->cap ? tags->cap * 2 : 16;
		tags->ids = xrealloc(tags->ids, tags->cap * sizeof(*tags->ids));
	}
	memmove(tags->ids + at + 1, tags->ids + at, (tags->n - at) * sizeof(*tags->ids));
	tags->ids[at] = id;
	tags->n++;
}

bool list_is_tagged(const struct list *l, uint64_t id)
{
	return l->tags.n > 0 && is_tagged(&l->tags, id);
}

size_t list_tagged(const struct list *l, const struct table *t, const struct row **out)
{
	size_t n = 0;

	for (size_t i = 0; i < l->norder && i < t->nrows && l->tags.n > 0; i++) {
		const struct row *row = &t->rows[l->order[i]];

		if (is_tagged(&l->tags, row->id))
			out[n++] = row;
	}
	return n;
}

/* --- search --- */

static bool holds(struct str hay, struct str needle)
{
	if (needle.n == 0)
		return true;
	for (size_t i = 0; i + needle.n <= hay.n; i++)
		if (compare_text(str_make(hay.p + i, needle.n), needle) == 0)
			return true;
	return false;
}

bool list_matches(const struct row *row, size_t ncolumns, struct str text)
{
	for (size_t i = 0; i < ncolumns; i++)
		if (holds(row->cells[i].text, text))
			return true;
	return false;
}

size_t list_tag_matching(struct list *l, const struct table *t, struct str text)
{
	for (size_t i = 0; i < l->norder && text.n > 0; i++)
		if (list_matches(&t->rows[i], l->ncolumns, text))
			tag_set(&l->tags, t->rows[i].id, true);
	l->tag_missed = l->tags.n == 0;
	return l->tags.n;
}

static bool wanted(const struct list *l, const struct row *row, bool errors)
{
	if (errors)
		return row->style == STYLE_BAD || row->style == STYLE_WARN;
	return list_matches(row, l->ncolumns, str_of(l->search));
}

/* Next row that is wanted, from `start` steps away, round the end. */
static bool go_to_next(struct list *l, const struct table *t, bool errors, bool back, size_t start)
{
	for (size_t k = start; k <= l->norder && l->norder > 0; k++) {
		size_t i = back ? (l->cursor + l->norder - k % l->norder) % l->norder
				: (l->cursor + k) % l->norder;

		if (wanted(l, &t->rows[l->order[i]], errors)) {
			move_to(l, t, (int64_t)i);
			return true;
		}
	}
	return false;
}

bool list_search(struct list *l, const struct table *t, struct str text)
{
	text = str_first(text, sizeof(l->search) - 1);
	memcpy(l->search, text.n ? text.p : "", text.n);
	l->search[text.n] = '\0';
	l->search_shown = text.n > 0;
	return text.n > 0 && go_to_next(l, t, false, false, 0);
}

/* --- requests --- */

static unsigned sort_by(struct list *l, const struct table *t, int column, bool descending)
{
	l->sort = column;
	l->descending = descending;
	if (t->presorted)
		return REQRES_HANDLED | REQRES_REFRESH;
	list_update(l, t);
	return REQRES_HANDLED | REQRES_REDRAW;
}

static unsigned sort_step(struct list *l, const struct table *t, int step)
{
	int n = (int)l->ncolumns, column = n ? (l->sort + step + n) % n : 0;

	if (n == 0)
		return REQRES_HANDLED;
	return sort_by(l, t, column, l->columns[column].descending);
}

/* Rows to move for a movement request; 0 if it is none. */
static int64_t move_rows(const struct list *l, enum request req)
{
	int64_t page = l->page_rows > 1 ? l->page_rows - 1 : 1;
	const int64_t all = (int64_t)l->norder;
	const struct {
		enum request req;
		int64_t rows;
	} moves[] = {
		{REQ_UP, -1},
		{REQ_DOWN, 1},
		{REQ_PAGE_UP, -page},
		{REQ_PAGE_DOWN, page},
		{REQ_HALF_UP, -(page + 1) / 2},
		{REQ_HALF_DOWN, (page + 1) / 2},
		{REQ_BOTTOM, all},
	};

	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++)
		if (moves[i].req == req)
			return moves[i].rows;
	return 0;
}

static unsigned request_tag(struct list *l, const struct table *t)
{
	const struct row *row = list_selected(l, t);

	if (row)
		tag_set(&l->tags, row->id, !is_tagged(&l->tags, row->id));
	list_scroll(l, t, 1);
	return REQRES_HANDLED | REQRES_REDRAW;
}

#define XSCROLL_COLUMNS 8
#define XSCROLL_MAX 4000 /* longer replies are read in the message view, which wraps */

static unsigned request_move(struct list *l, const struct table *t, enum request req)
{
	int64_t rows = move_rows(l, req);

	if (req == REQ_TOP) {
		l->pinned = l->follow; /* at home: show what is newest until the cursor is moved */
		l->cursor = l->top = 0;
		if (l->follow)
			pin(l, t);
	} else if (req == REQ_LEFT) {
		l->xscroll = l->xscroll > XSCROLL_COLUMNS ? l->xscroll - XSCROLL_COLUMNS : 0;
	} else if (req == REQ_RIGHT) {
		l->xscroll += l->xscroll < XSCROLL_MAX ? XSCROLL_COLUMNS : 0;
	} else if (rows != 0) {
		move_to(l, t, (int64_t)l->cursor + rows);
	} else {
		return REQRES_NONE;
	}
	return REQRES_HANDLED | REQRES_REDRAW;
}

unsigned list_request(struct list *l, const struct table *t, enum request req)
{
	if (req == REQ_SORT || req == REQ_SORT_RIGHT)
		return sort_step(l, t, 1);
	if (req == REQ_SORT_LEFT)
		return sort_step(l, t, -1);
	if (req == REQ_SORT_INVERT)
		return sort_by(l, t, l->sort, !l->descending);
	if (req == REQ_TAG)
		return request_tag(l, t);
	if (req == REQ_UNTAG_ALL) {
		l->tags.n = 0;
		l->tag_missed = false;
	} else if (req == REQ_FOLLOW) {
		l->follow = !l->follow;
		pin(l, t);
	} else if (req == REQ_SEARCH_NEXT || req == REQ_SEARCH_PREVIOUS) {
		l->search_shown = l->search[0] != '\0';
		if (!l->search_shown || !go_to_next(l, t, false, req == REQ_SEARCH_PREVIOUS, 1))
			return REQRES_NONE;
	} else if (req == REQ_NEXT_ERROR || req == REQ_PREVIOUS_ERROR) {
		if (!go_to_next(l, t, true, req == REQ_PREVIOUS_ERROR, 1))
			return REQRES_NONE;
	} else {
		return request_move(l, t, req);
	}
	return REQRES_HANDLED | REQRES_REDRAW;
}

unsigned list_click(struct list *l, const struct table *t, int x, int y)
{
	int widths[LIST_COLUMNS_MAX], at = l->head.x;
	size_t n = l->ncolumns < LIST_COLUMNS_MAX ? l->ncolumns : LIST_COLUMNS_MAX, index;

	if (y == l->head.y && l->head.h > 0) {
		list_layout(l->columns, n, l->head.w, widths);
		for (size_t i = 0; i < n; i++) {
			if (widths[i] > 0 && x >= at && x <= at + widths[i])
				return sort_by(l, t, (int)i,
					(int)i == l->sort ? !l->descending
							  : l->columns[i].descending);
			at += widths[i] > 0 ? widths[i] + 1 : 0;
		}
		return REQRES_HANDLED;
	}
	if (y < l->body.y || y >= l->body.y + l->body.h || x < l->body.x ||
		x >= l->body.x + l->body.w)
		return REQRES_NONE;
	index = l->top + (size_t)(y - l->body.y);
	if (index >= l->norder)
		return REQRES_HANDLED;
	if (l->pinned && index == l->cursor)
		return REQRES_OPEN;
	move_to(l, t, (int64_t)index);
	return REQRES_HANDLED | REQRES_REDRAW;
}
