/* SPDX-License-Identifier: MIT */
/*
 * page - lists longer than what is read at once: the next older rows come when the cursor goes past the last
 * row, the newer ones when it goes above the first; and the line that says where in the list one is.
 *
 * A page is anchored by the last row of the page before (keyset), so it neither moves nor repeats rows while new
 * ones come in. Sorting sorts the page.
 */
#include "tui/app.h"

#include "store/base/fmt.h"

#define LINE_MAX_BYTES 256

void page_reset(struct app *a)
{
	for (size_t i = 0; i < a->depth; i++)
		a->stack[i].npages = 0;
}

void page_view(const struct frame *f, struct view *out)
{
	if (f->npages == 0)
		return;
	out->page_ms = f->pages[f->npages - 1].ms;
	out->page_id = f->pages[f->npages - 1].id;
}

static bool goes_down(enum request req)
{
	return req == REQ_DOWN || req == REQ_PAGE_DOWN || req == REQ_HALF_DOWN || req == REQ_BOTTOM;
}

static bool goes_up(enum request req)
{
	return req == REQ_UP || req == REQ_PAGE_UP || req == REQ_HALF_UP || req == REQ_TOP;
}

bool page_turn(struct app *a, struct frame *f, enum request req)
{
	struct list *l = &f->list;
	bool at_end = l->norder == 0 || l->cursor + 1 >= l->norder, at_start = l->cursor == 0;

	if (goes_down(req) && at_end && f->table.next_ms && f->npages < PAGES_MAX) {
		f->pages[f->npages].ms = f->table.next_ms;
		f->pages[f->npages++].id = f->table.next_id;
	} else if (goes_up(req) && (at_start || req == REQ_TOP) && f->npages > 0) {
		f->npages = req == REQ_TOP ? 0 : f->npages - 1;
		f->land_bottom = req != REQ_TOP;
	} else {
		return false;
	}
	l->pinned = false; /* the first row of the page, or as land_bottom says the last */
	l->cursor = l->top = 0;
	app_touch(a);
	return true;
}

void page_arrived(struct frame *f)
{
	if (f->land_bottom)
		list_request(&f->list, &f->table, REQ_BOTTOM);
	f->land_bottom = false;
}

static void add_end(const struct frame *f, struct buf *b)
{
	if (f->npages > 0)
		buf_printf(b, ", page %d", f->npages + 1);
	if (f->table.next_ms)
		buf_add_z(b, f->npages < PAGES_MAX ? "; older ones below the last row"
						   : "; narrow the window for older ones");
	else if (f->npages > 0)
		buf_add_z(b, "; the last");
	if (f->truncated)
		buf_add_z(b, "; looked through the newest records alone: older ones may match");
}

int page_draw(const struct frame *f, struct canvas *c, struct rect r)
{
	size_t n = f->table.nrows, rows = r.h > 1 ? (size_t)(r.h - 1) : 0, last;
	int64_t total = f->table.total;
	struct buf b;

	if (n == 0 || r.h < 4 ||
		(n <= rows && total <= (int64_t)n && !f->table.next_ms && f->npages == 0 &&
			!f->truncated))
		return 0;
	last = f->list.top + rows - 1 < n ? f->list.top + rows - 1 : n;
	buf_init(&b, LINE_MAX_BYTES);
	fmt_count(&b, (int64_t)f->list.top + 1);
	buf_add_char(&b, '-');
	fmt_count(&b, (int64_t)last);
	buf_add_z(&b, " of ");
	fmt_count(&b, (int64_t)n);
	if (total > (int64_t)n) {
		buf_add_z(&b, " of ");
		fmt_count(&b, total);
	}
	add_end(f, &b);
	canvas_text(c, r.x + 1, r.y + r.h - 1, r.w - 1, STYLE_DIM, buf_str(&b));
	buf_done(&b);
	return 1;
}
