/* SPDX-License-Identifier: MIT */
/*
 * list_draw - columns, header and rows of a list on a canvas.
 *
 * Columns hide by priority when the width is short; figures are never cut (canvas_number). Marks
 * besides colour: ">" selected, "*" tagged. Does not change what is selected.
 */
#include "tui/list.h"

#include "store/base/utf8.h"

#define MARK_COLUMNS 1 /* the leftmost column: cursor and tag marks */
#define WIDE_MIN_COLUMNS 18 /* what a column of width 0 needs at least to be of use */

static int wanted_width(const struct column *column)
{
	if (column->width != 0)
		return column->width > 0 ? column->width : -column->width;
	return WIDE_MIN_COLUMNS;
}

static int total_width(const struct column *columns, size_t n, const int *widths)
{
	int total = 0;

	for (size_t i = 0; i < n; i++)
		total += widths[i] > 0 ? wanted_width(&columns[i]) + 1 : 0;
	return total > 0 ? total - 1 : 0;
}

/* The shown column that goes first: highest priority number, of equals the rightmost. ncolumns if only one is left. */
static size_t least_needed(const struct column *columns, size_t n, const int *widths)
{
	size_t worst = n, shown = 0;

	for (size_t i = 0; i < n; i++) {
		if (widths[i] == 0)
			continue;
		shown++;
		if (worst == n || columns[i].priority >= columns[worst].priority)
			worst = i;
	}
	return shown > 1 ? worst : n;
}

void list_layout(const struct column *columns, size_t ncolumns, int width, int *widths)
{
	size_t worst;
	int left;

	for (size_t i = 0; i < ncolumns; i++)
		widths[i] = wanted_width(&columns[i]);
	while (total_width(columns, ncolumns, widths) > width &&
		(worst = least_needed(columns, ncolumns, widths)) < ncolumns)
		widths[worst] = 0;
	left = width - total_width(columns, ncolumns, widths);
	for (size_t i = 0; i < ncolumns; i++) {
		if (widths[i] > 0 && (columns[i].width <= 0 || left < 0)) {
			widths[i] = widths[i] + left > 0 ? widths[i] + left : 1;
			left = 0;
		}
	}
}

static void draw_head(
	const struct list *l, struct canvas *c, struct rect r, const int *widths, size_t n)
{
	int x = r.x + MARK_COLUMNS;

	canvas_fill(c, (struct rect){r.x, r.y, r.w, 1}, STYLE_HEADER);
	for (size_t i = 0; i < n; i++) {
		struct str name = str_of(l->columns[i].name);
		int used = (int)utf8_show_width(name, !c->utf8), at;
		bool right = l->columns[i].align == ALIGN_RIGHT;

		if (widths[i] == 0)
			continue;
		used = used > widths[i] ? widths[i] : used;
		canvas_text(c, right ? x + widths[i] - used : x, r.y, used, STYLE_HEADER, name);
		/* The mark stands where the heading's own column has room: before figures, behind words. */
		at = !right             ? x + used
		     : used < widths[i] ? x + widths[i] - used - 1
					: x + widths[i];
		if ((int)i == l->sort && name.n > 0) /* pages have no headings */
			canvas_text(c, at, r.y, 1, STYLE_KEY,
				c->utf8 ? (l->descending ? STR_LIT("\xe2\x96\xbc")
							 : STR_LIT("\xe2\x96\xb2"))
					: (l->descending ? STR_LIT("v") : STR_LIT("^")));
		x += widths[i] + 1;
	}
}

/* Mark every match of the search text in what has been drawn at (x,y). Compares shown cells, so a match that
 * an escape has changed is simply not marked. */
static void mark_matches(const struct list *l, struct canvas *c, int x, int y, int width)
{
	size_t n = strlen(l->search);

	if (!l->search_shown || n == 0 || y < 0 || y >= c->h || x < 0)
		return;
	for (int at = x; at + (int)n <= x + width && at + (int)n <= c->w; at++) {
		const struct canvas_cell *cell = &c->cells[(size_t)y * (size_t)c->w + (size_t)at];
		size_t k;

		for (k = 0; k < n; k++) {
			char a = l->search[k], b = cell[k].bytes[0];

			a = a >= 'A' && a <= 'Z' ? (char)(a + 32) : a;
			b = b >= 'A' && b <= 'Z' ? (char)(b + 32) : b;
			if (cell[k].len != 1 || a != b)
				break;
		}
		if (k == n)
			canvas_restyle(c, (struct rect){at, y, (int)n, 1}, STYLE_MATCH);
	}
}

static void draw_cell(const struct list *l, struct canvas *c, size_t column,
	const struct cell *cell, int x, int y, int width, enum style style)
{
	struct rect old;
	int shift;

	if (cell->spark) {
		canvas_spark(c, x, y, width, style == STYLE_SELECTED ? style : STYLE_GRAPH,
			cell->spark, cell->nspark, 0);
		return;
	}
	if (cell->shade > 0) {
		canvas_shade(c, x, y, cell->text.n ? 1 : width, cell->shade - 1);
		if (cell->text.n && width > 1)
			canvas_number(c, x + 1, y, width - 1, style, cell->text);
		return;
	}
	if (l->columns[column].align == ALIGN_RIGHT) {
		canvas_number(c, x, y, width, style, cell->text);
	} else {
		shift = l->columns[column].width <= 0 ? l->xscroll : 0;
		old = canvas_clip(c, (struct rect){x, y, width, 1});
		canvas_text(c, x - shift, y, width + shift, style, cell->text);
		c->clip = old;
	}
	mark_matches(l, c, x, y, width);
}

static void draw_row(const struct list *l, struct canvas *c, const struct row *row, struct rect r,
	const int *widths, size_t n, bool cursor)
{
	bool tagged = list_is_tagged(l, row->id);
	enum style style = cursor ? STYLE_SELECTED : tagged ? STYLE_TAGGED : row->style;
	int x = r.x + MARK_COLUMNS;

	canvas_fill(c, r, cursor ? STYLE_SELECTED : STYLE_NORMAL);
	canvas_text(c, r.x, r.y, MARK_COLUMNS, style,
		tagged   ? STR_LIT("*")
		: cursor ? STR_LIT(">")
			 : STR_LIT(" "));
	for (size_t i = 0; i < n; i++) {
		const struct cell *cell = &row->cells[i];

		if (widths[i] == 0)
			continue;
		draw_cell(l, c, i, cell, x, r.y, widths[i],
			cursor || tagged || cell->style == STYLE_NORMAL ? style : cell->style);
		x += widths[i] + 1;
	}
}

/* The reason why there is nothing, wrapped at spaces. */
static void draw_empty(struct canvas *c, struct rect r, struct str text)
{
	if (text.n == 0)
		text = STR_LIT("nothing in this window");
	for (int y = 1; y < r.h && text.n > 0; y++) {
		size_t n = r.w > 3 ? (size_t)(r.w - 2) : 1;
		struct str line = str_first(text, n);

		if (line.n < text.n) {
			size_t cut = str_rfind_char(line, ' ');

			line.n = cut < line.n && cut > 0 ? cut : line.n;
		}
		canvas_text(c, r.x + 1, r.y + y, r.w - 1, STYLE_DIM, line);
		text = str_trim(str_skip(text, line.n));
	}
}

void list_draw(struct list *l, const struct table *t, struct canvas *c, struct rect r, bool focused)
{
	int widths[LIST_COLUMNS_MAX];
	size_t n = l->ncolumns < LIST_COLUMNS_MAX ? l->ncolumns : LIST_COLUMNS_MAX, page;

	if (r.w <= MARK_COLUMNS || r.h < 1 || n == 0)
		return;
	list_layout(l->columns, n, r.w - MARK_COLUMNS, widths);
	l->head = (struct rect){r.x + MARK_COLUMNS, r.y, r.w - MARK_COLUMNS, 1};
	l->body = (struct rect){r.x, r.y + 1, r.w, r.h - 1};
	draw_head(l, c, r, widths, n);
	if (t->nrows == 0) {
		draw_empty(c, l->body, t->empty);
		return;
	}
	l->page_rows = r.h > 1 ? r.h - 1 : 1;
	page = (size_t)(r.h - 1);
	/* The height may be another than at the last move. */
	if (l->cursor >= l->top + page && page > 0)
		l->top = l->cursor - page + 1;
	if (l->norder > page && l->top > l->norder - page)
		l->top = l->norder - page;
	else if (l->norder <= page)
		l->top = 0;
	for (size_t i = 0; i < page && l->top + i < l->norder; i++) {
		const struct row *row = &t->rows[l->order[l->top + i]];
		bool cursor = focused && l->top + i == l->cursor &&
			      (!l->pinned || row->id == l->selected);

		draw_row(
			l, c, row, (struct rect){r.x, r.y + 1 + (int)i, r.w, 1}, widths, n, cursor);
	}
}
