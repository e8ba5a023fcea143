/* SPDX-License-Identifier: MIT */
/*
 * layout - tiles in shelves, shelf under shelf. A shelf holds columns side by side; beside a tall tile a
 * column may hold several tiles, one under the other.
 *
 * Widths are tried in steps from what the tiles want down to the least they can do with; of the plans
 * that fit, the one that gives the tiles the most of what they want is taken. If none fits, the tile of
 * the highest priority number is left out and all is tried again. Knows no panes.
 */
#include "tui/layout.h"

#define WIDTH_STEPS 4 /* 4: the widths wanted ... 0: the least */
#define GROWN_ROWS 24 /* rows up to which a growing tile is the better for each more */

struct stack {
	size_t first, end; /* of kept */
	int min_w, want_w, min_h, want_h;
	bool grows;
};

struct shelf {
	size_t first, end; /* of columns */
	int w, h, want_h;
	bool grows;
};

struct plan {
	const struct tile_hint *hints;
	struct rect area;
	int step;
	size_t kept[LAYOUT_TILES_MAX], nkept;
	struct stack stacks[LAYOUT_TILES_MAX];
	size_t nstacks;
	struct shelf shelves[LAYOUT_TILES_MAX];
	size_t nshelves;
};

static int max_int(int a, int b)
{
	return a > b ? a : b;
}

static int min_int(int a, int b)
{
	return a < b ? a : b;
}

static int least_width(const struct tile_hint *hint)
{
	return max_int(1, hint->min_w);
}

static int least_height(const struct tile_hint *hint)
{
	return max_int(1, hint->min_h);
}

static int wanted_height(const struct tile_hint *hint)
{
	return max_int(least_height(hint), hint->want_h);
}

/* The width of a tile at the plan's step; never more than there is. */
static int width_of(const struct plan *p, const struct tile_hint *hint)
{
	int least = least_width(hint), wanted = max_int(least, hint->want_w);

	return max_int(least, min_int(p->area.w, least + (wanted - least) * p->step / WIDTH_STEPS));
}

static void add_to_stack(struct plan *p, struct stack *stack, const struct tile_hint *hint)
{
	stack->end++;
	stack->min_w = max_int(stack->min_w, width_of(p, hint));
	stack->want_w = max_int(stack->want_w, max_int(hint->min_w, hint->want_w));
	stack->min_h += least_height(hint);
	stack->want_h += wanted_height(hint);
	stack->grows = stack->grows || hint->grows;
}

/* Under the last column's tiles: where it is wide enough and the tile beside it is tall enough for all. */
static bool may_stack(const struct plan *p, const struct shelf *shelf, const struct tile_hint *hint)
{
	const struct stack *last = &p->stacks[shelf->end - 1];
	int beside = 0;

	for (size_t i = shelf->first; i + 1 < shelf->end; i++)
		beside = max_int(beside, p->stacks[i].want_h);
	return last->min_h + least_height(hint) <= beside &&
	       p->area.w - (shelf->w - last->min_w) >= width_of(p, hint);
}

static void measure_shelf(struct plan *p, struct shelf *shelf)
{
	shelf->w = shelf->h = shelf->want_h = 0;
	shelf->grows = false;
	for (size_t i = shelf->first; i < shelf->end; i++) {
		const struct stack *stack = &p->stacks[i];

		shelf->w += stack->min_w;
		shelf->h = max_int(shelf->h, stack->min_h);
		shelf->want_h = max_int(shelf->want_h, stack->want_h);
		shelf->grows = shelf->grows || stack->grows;
	}
}

/* Fill the shelves at the plan's step; does it all fit into the area? */
static bool fill(struct plan *p)
{
	int height = 0;

	p->nshelves = p->nstacks = 0;
	for (size_t i = 0; i < p->nkept; i++) {
		const struct tile_hint *hint = &p->hints[p->kept[i]];
		struct shelf *shelf = p->nshelves ? &p->shelves[p->nshelves - 1] : NULL;

		if (width_of(p, hint) > p->area.w)
			return false;
		if (!shelf || shelf->w + width_of(p, hint) > p->area.w) {
			if (!shelf || !may_stack(p, shelf, hint)) {
				shelf = &p->shelves[p->nshelves++];
				*shelf = (struct shelf){.first = p->nstacks, .end = p->nstacks};
				shelf->end++;
				p->stacks[p->nstacks++] = (struct stack){.first = i, .end = i};
			}
		} else {
			shelf->end++;
			p->stacks[p->nstacks++] = (struct stack){.first = i, .end = i};
		}
		add_to_stack(p, &p->stacks[p->nstacks - 1], hint);
		measure_shelf(p, shelf);
	}
	for (size_t i = 0; i < p->nshelves; i++)
		height += p->shelves[i].h;
	return height <= p->area.h;
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

/* --- rows --- */

struct part { /* something that takes rows: a shelf, or a tile of a column */
	int h, want_h;
	bool grows;
};

/* Spare rows one at a time to each part still under its wish, then to those that grow, then to the last. */
static void share_rows(struct part *parts, size_t n, int spare)
{
	for (bool again = true; again && spare > 0;) {
		again = false;
		for (size_t i = 0; i < n && spare > 0; i++) {
			if (parts[i].h < parts[i].want_h) {
				parts[i].h++;
				spare--;
				again = true;
			}
		}
	}
	for (bool again = true; again && spare > 0;) {
		again = false;
		for (size_t i = n; i-- > 0 && spare > 0;) {
			if (parts[i].grows) {
				parts[i].h++;
				spare--;
				again = true;
			}
		}
	}
	if (n > 0)
		parts[n - 1].h += spare;
}

/* The tiles of a column over its height. */
static void place_stack(
	const struct plan *p, const struct stack *stack, struct rect r, struct rect *out)
{
	struct part parts[LAYOUT_TILES_MAX];
	size_t n = stack->end - stack->first;
	int y = r.y;

	for (size_t i = 0; i < n; i++) {
		const struct tile_hint *hint = &p->hints[p->kept[stack->first + i]];

		parts[i] = (struct part){least_height(hint), wanted_height(hint), hint->grows};
	}
	share_rows(parts, n, r.h - stack->min_h);
	for (size_t i = 0; i < n; i++) {
		out[p->kept[stack->first + i]] = (struct rect){r.x, y, r.w, parts[i].h};
		y += parts[i].h;
	}
}

/* Spare width: first up to what the columns want, then by what they want; the last takes the rounding. */
static void place_shelf(
	const struct plan *p, const struct shelf *shelf, struct rect row, struct rect *out)
{
	int lack = 0, wanted = 0, spare = row.w - shelf->w, over, x = row.x;

	for (size_t i = shelf->first; i < shelf->end; i++) {
		lack += max_int(0, p->stacks[i].want_w - p->stacks[i].min_w);
		wanted += p->stacks[i].want_w;
	}
	over = max_int(0, spare - lack);
	for (size_t i = shelf->first; i < shelf->end; i++) {
		const struct stack *stack = &p->stacks[i];
		int under = max_int(0, stack->want_w - stack->min_w);
		int w = stack->min_w;

		w += spare >= lack ? under : lack ? spare * under / lack : 0;
		w += wanted ? over * stack->want_w / wanted : 0;
		if (i + 1 == shelf->end)
			w = row.x + row.w - x;
		place_stack(p, stack, (struct rect){x, row.y, w, row.h}, out);
		x += w;
	}
}

static void place(const struct plan *p, struct rect *out)
{
	struct part parts[LAYOUT_TILES_MAX];
	int y = p->area.y, height = 0;

	for (size_t i = 0; i < p->nshelves; i++) {
		parts[i] =
			(struct part){p->shelves[i].h, p->shelves[i].want_h, p->shelves[i].grows};
		height += parts[i].h;
	}
	share_rows(parts, p->nshelves, p->area.h - height);
	for (size_t i = 0; i < p->nshelves; i++) {
		struct rect row = {p->area.x, y, p->area.w, parts[i].h};

		place_shelf(p, &p->shelves[i], row, out);
		y += parts[i].h;
	}
}

/* Of what the tiles want, how much a placement gives: cells, a tile's own width and height at most. */
static int64_t worth(const struct plan *p, const struct rect *out)
{
	int64_t cells = 0;

	for (size_t i = 0; i < p->nkept; i++) {
		const struct tile_hint *hint = &p->hints[p->kept[i]];
		const struct rect *r = &out[p->kept[i]];
		int rows = hint->grows ? max_int(hint->want_h, GROWN_ROWS) : wanted_height(hint);

		cells += (int64_t)min_int(r->w, max_int(hint->min_w, hint->want_w)) *
			 min_int(r->h, rows);
	}
	return cells;
}

/* The best of the steps that fit, placed; false if none does. */
static bool try_steps(struct plan *p, struct rect *out)
{
	struct rect placed[LAYOUT_TILES_MAX];
	int64_t best = -1;

	for (p->step = WIDTH_STEPS; p->step >= 0; p->step--) {
		int64_t cells;

		if (!fill(p))
			continue;
		place(p, placed);
		cells = worth(p, placed);
		if (cells <= best)
			continue;
		best = cells;
		for (size_t i = 0; i < p->nkept; i++)
			out[p->kept[i]] = placed[p->kept[i]];
	}
	return best >= 0;
}

size_t layout_tiles(struct rect area, const struct tile_hint *hints, size_t n, struct rect *out)
{
	struct plan p = {.hints = hints, .area = area};

	n = n > LAYOUT_TILES_MAX ? LAYOUT_TILES_MAX : n;
	for (size_t i = 0; i < n; i++) {
		out[i] = (struct rect){area.x, area.y, 0, 0};
		if (hints[i].priority > 0)
			p.kept[p.nkept++] = i;
	}
	if (area.w <= 0 || area.h <= 0 || p.nkept == 0)
		return 0;
	while (p.nkept > 1 && !try_steps(&p, out))
		drop_least(&p);
	if (p.nkept == 1) /* the last one takes what there is, be it too small */
		out[p.kept[0]] = area;
	return p.nkept;
}
