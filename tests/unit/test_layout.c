/* SPDX-License-Identifier: MIT */
/* test_layout - tiles: no overlap, none outside, never empty, over every size; columns of lists the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tui/layout.h"
#include "tui/list.h"

#define MAX_W 300
#define MAX_H 200

/* As the panes' own, and the two that later issues bring. */
enum { QUEUE, DELIVERY, ERRORS, PORTS, DESTINATIONS, WARMUP, REPUTATION, FAILURES };

static const struct tile_hint hints[] = {
	[QUEUE] = {.priority = 4, .min_w = 26, .min_h = 9, .want_w = 38, .want_h = 12},
	[DELIVERY] = {.priority = 1, .min_w = 40, .min_h = 7, .want_w = 82, .want_h = 9},
	[ERRORS] = {.priority = 3, .min_w = 60, .min_h = 5, .want_w = 82, .want_h = 14},
	[PORTS] = {.priority = 5, .min_w = 50, .min_h = 5, .want_w = 80, .want_h = 9},
	[DESTINATIONS] = {.priority = 6, .min_w = 40, .min_h = 5, .want_w = 60, .want_h = 14},
	[WARMUP] = {.priority = 7, .min_w = 30, .min_h = 5, .want_w = 32, .want_h = 8},
	[REPUTATION] = {.priority = 8, .min_w = 30, .min_h = 5, .want_w = 50, .want_h = 6},
	[FAILURES] = {.priority = 2,
		.min_w = 60,
		.min_h = 5,
		.want_w = 120,
		.want_h = 10,
		.grows = true},
};
#define TILES (sizeof(hints) / sizeof(hints[0]))

static void check(
	struct rect area, const struct tile_hint *h, size_t n, unsigned char grid[MAX_H][MAX_W])
{
	struct rect out[LAYOUT_TILES_MAX];
	size_t placed = layout_tiles(area, h, n, out), seen = 0;
	long covered = 0;

	assert_true(placed >= 1);
	memset(grid, 0, sizeof(unsigned char[MAX_H][MAX_W]));
	for (size_t i = 0; i < n; i++) {
		if (out[i].w == 0)
			continue;
		seen++;
		assert_true(out[i].w > 0 && out[i].h > 0);
		assert_true(out[i].x >= area.x && out[i].y >= area.y);
		assert_true(out[i].x + out[i].w <= area.x + area.w &&
			    out[i].y + out[i].h <= area.y + area.h);
		if (placed > 1) { /* a tile is given what it needs, or left out */
			assert_true(out[i].w >= h[i].min_w);
			assert_true(out[i].h >= h[i].min_h);
		}
		for (int y = out[i].y; y < out[i].y + out[i].h; y++) {
			for (int x = out[i].x; x < out[i].x + out[i].w; x++) {
				assert_int_equal(grid[y][x], 0);
				grid[y][x] = 1;
				covered++;
			}
		}
	}
	assert_int_equal(seen, placed);
	assert_int_equal(covered, (long)area.w * area.h);
}

static void test_every_size(void **state)
{
	static unsigned char grid[MAX_H][MAX_W];

	(void)state;
	for (int h = 1; h <= MAX_H - 2; h += h < 60 ? 1 : 7)
		for (int w = 1; w <= MAX_W; w += w < 140 ? 1 : 5)
			check((struct rect){0, 2, w, h}, hints, TILES, grid);
}

static void test_priority(void **state)
{
	struct rect out[LAYOUT_TILES_MAX];

	(void)state;
	for (int h = 1; h < 60; h++) {
		for (int w = 20; w < 200; w += 3) {
			layout_tiles((struct rect){0, 0, w, h}, hints, TILES, out);
			/* what is shown is a prefix by priority */
			for (size_t i = 0; i < TILES; i++)
				for (size_t k = 0; k < TILES; k++)
					if (hints[i].priority < hints[k].priority && out[k].w > 0)
						assert_true(out[i].w > 0);
		}
	}
	assert_int_equal(layout_tiles((struct rect){0, 0, 200, 57}, hints, TILES, out), TILES);
	assert_true(layout_tiles((struct rect){0, 0, 80, 21}, hints, TILES, out) >= 4);
	assert_int_equal(layout_tiles((struct rect){0, 0, 0, 0}, hints, TILES, out), 0);
}

static bool below(struct rect upper, struct rect lower)
{
	return lower.w > 0 && upper.w > 0 && lower.y >= upper.y + upper.h;
}

/* The board one is used to: queue at the left, delivery over errors beside it, failures over the whole width. */
static void test_board(void **state)
{
	struct rect out[LAYOUT_TILES_MAX], area = {0, 2, 120, 37};
	struct tile_hint now[TILES];

	(void)state;
	assert_int_equal(layout_tiles(area, hints, TILES, out), TILES); /* there is room for all */
	memcpy(now, hints, sizeof(now));
	now[WARMUP].priority = now[REPUTATION].priority =
		0; /* and none is kept for what is not there */
	assert_int_equal(layout_tiles(area, now, TILES, out), TILES - 2);
	assert_int_equal(out[WARMUP].w, 0);
	assert_int_equal(out[QUEUE].y, out[DELIVERY].y);
	assert_int_equal(out[ERRORS].x, out[DELIVERY].x);
	assert_int_equal(out[ERRORS].w, out[DELIVERY].w);
	assert_true(below(out[DELIVERY], out[ERRORS]));
	assert_int_equal(out[QUEUE].h, out[DELIVERY].h + out[ERRORS].h);
	assert_true(out[DELIVERY].w >= hints[DELIVERY].want_w);
	assert_int_equal(out[PORTS].y, out[DESTINATIONS].y);
	assert_int_equal(out[FAILURES].w, 120);
	assert_true(below(out[ERRORS], out[PORTS]) && below(out[PORTS], out[FAILURES]));
	/* rows that come are the list's */
	area.h = 60;
	assert_int_equal(layout_tiles(area, now, TILES, out), TILES - 2);
	assert_true(out[QUEUE].h <= hints[DELIVERY].want_h + hints[ERRORS].want_h);
	assert_true(out[FAILURES].h > 15);
	/* the four that matter, on the smallest terminal in use */
	area = (struct rect){0, 2, 80, 21};
	assert_int_equal(layout_tiles(area, hints, TILES, out), 4);
	assert_true(out[QUEUE].w > 0 && out[DELIVERY].w > 0 && out[ERRORS].w > 0 &&
		    out[FAILURES].w > 0);
}

static void test_columns(void **state)
{
	static const struct column columns[] = {
		{"code", 8, ALIGN_LEFT, 1, false, ""},
		{"n", 7, ALIGN_RIGHT, 1, true, ""},
		{"meaning", 0, ALIGN_LEFT, 2, false, ""},
		{"where", 6, ALIGN_LEFT, 3, false, ""},
		{"trend", 12, ALIGN_LEFT, 4, false, ""},
	};
	int widths[5];

	(void)state;
	for (int w = 1; w <= 300; w++) {
		int total = 0, shown = 0;

		list_layout(columns, 5, w, widths);
		for (size_t i = 0; i < 5; i++) {
			assert_true(widths[i] >= 0);
			total += widths[i] ? widths[i] + 1 : 0;
			shown += widths[i] > 0;
		}
		assert_true(shown >= 1);
		assert_true(total - 1 <= w);
	}
	list_layout(columns, 5, 300, widths);
	assert_int_equal(widths[2], 300 - 8 - 7 - 6 - 12 - 4);
	list_layout(columns, 5, 40, widths);
	assert_int_equal(widths[4], 0); /* the trend goes first */
	assert_int_equal(widths[0], 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_size),
		cmocka_unit_test(test_priority),
		cmocka_unit_test(test_board),
		cmocka_unit_test(test_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
