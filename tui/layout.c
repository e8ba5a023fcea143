/* SPDX-License-Identifier: MIT */
/*
 * layout - tiles in shelves: as many tiles side by side as their widths allow, shelf under shelf.
 *
 * Tried first with the widths they want; then with the least they can do with; then without the tile
 * of the highest priority number, and so on. Spare rows and columns are shared out. Knows no panes.
 */
#include "tui/layout.h"

struct shelf {
	size_t first, end;
	int h, want_h;
	bool grows;
}; /* tiles kept[first..end) */

struct plan {
	const struct tile_hint *hints;
	size_t kept[LAYOUT_TILES_MAX], nkept;
	struct shelf shelves[LAYOUT_TILES_MAX];
	size_t nshelves;
};

static int max_int(int a, int b)
{
	return a > b ? a : b;
}

static int width_of(const struct tile_hint *hint, bool wanted)
{
	return max_int(1, wanted ? max_int(hint->want_w, hint->min_w) : hint->min_w);
}

/* Fill shelves; returns their height in all. */
static int fill_shelves(struct plan *p, int area_w, bool wanted)
{
	int used = 0, height = 0;

	p->nshelves = 0;
	for (size_t i = 0; i < p->nkept; i++) {
		const struct tile_hint *hint = &p->hints[p->kept[i]];
		int w = width_of(hint, wanted);
		struct shelf *shelf = p->nshelves ? &p->shelves[p->nshelves - 1] : NULL;

		if (!shelf || used + w > area_w) {
			shelf = &p->shelves[p->nshelves++];
			*shelf = (struct shelf){.first = i};
			used = 0;
		}
		used += w;
		shelf->end = i + 1;
		shelf->h = max_int(shelf->h, max_int(1, hint->min_h));
		shelf->want_h = max_int(shelf->want_h, hint->want_h);
		shelf->grows = shelf->grows || hint->grows;
	}
	for (size_t i = 0; i < p->nshelves; i++)
		height += p->shelves[i].h;
	return height;
}

static bool fits(struct plan *p, struct rect area, bool wanted)
{
	for (size_t i = 0; i < p->nkept; i++)
		if (width_of(&p->hints[p->kept[i]], wanted) > area.w)
			return false;
	return fill_shelves(p, area.w, wanted) <= area.h;
}

static void drop_least(struct plan *p)
{
	size_t worst = 0;

	for (size_t i = 1; i < p->nkept; i++)
		if (p->hints[p->kept[i]].priority >= p->hints[p->kept[worst]].priority)
			worst = i;
	for (size_t i = worst; i + 1 < p->nkept; i++)
		p->kept[i] = p->kept[i + 1];
	p->nkept--;
}

/* One row at a time to each shelf still under its wish, then to those that grow, then to the last. */
static void share_rows(struct plan *p, int spare)
{
	for (bool again = true; again && spare > 0;) {
		again = false;
		for (size_t i = 0; i < p->nshelves && spare > 0; i++) {
			if (p->shelves[i].h < p->shelves[i].want_h) {
				p->shelves[i].h++;
				spare--;
				again = true;
			}
		}
	}
	for (bool again = true; again && spare > 0;) {
		again = false;
		for (size_t i = p->nshelves; i-- > 0 && spare > 0;) {
			if (p->shelves[i].grows) {
				p->shelves[i].h++;
				spare--;
				again = true;
			}
		}
	}
	p->shelves[p->nshelves - 1].h += spare;
}

/* Columns by the widths wanted, the last tile takes the rounding. */
static void place_shelf(
	const struct plan *p, const struct shelf *s, struct rect row, bool wanted, struct rect *out)
{
	int base = 0, weight = 0, x = row.x, spare;

	for (size_t i = s->first; i < s->end; i++) {
		base += width_of(&p->hints[p->kept[i]], wanted);
		weight += width_of(&p->hints[p->kept[i]], true);
	}
	spare = row.w - base;
	for (size_t i = s->first; i < s->end; i++) {
		const struct tile_hint *hint = &p->hints[p->kept[i]];
		int w = width_of(hint, wanted) + spare * width_of(hint, true) / weight;

		if (i + 1 == s->end)
			w = row.x + row.w - x;
		out[p->kept[i]] = (struct rect){x, row.y, w, row.h};
		x += w;
	}
}

size_t layout_tiles(struct rect area, const struct tile_hint *hints, size_t n, struct rect *out)
{
	struct plan p = {.hints = hints};
	bool wanted = true;
	int y = area.y, height;

	n = n > LAYOUT_TILES_MAX ? LAYOUT_TILES_MAX : n;
	for (size_t i = 0; i < n; i++) {
		out[i] = (struct rect){area.x, area.y, 0, 0};
		if (hints[i].priority > 0)
			p.kept[p.nkept++] = i;
	}
	if (area.w <= 0 || area.h <= 0 || p.nkept == 0)
		return 0;
	while (!(wanted = fits(&p, area, true)) && !fits(&p, area, false) && p.nkept > 1)
		drop_least(&p);
	if (p.nkept == 1) { /* the last one takes what there is, be it too small */
		out[p.kept[0]] = area;
		return 1;
	}
	height = fill_shelves(&p, area.w, wanted);
	share_rows(&p, area.h - height);
	for (size_t i = 0; i < p.nshelves; i++) {
		struct rect row = {area.x, y, area.w, p.shelves[i].h};

		place_shelf(&p, &p.shelves[i], row, wanted, out);
		y += p.shelves[i].h;
	}
	return p.nkept;
}
