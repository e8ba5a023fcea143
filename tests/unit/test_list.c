/* SPDX-License-Identifier: MIT */
/* test_list - selection by identity, sort, tags, search, over tables that change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tui/list.h"

#define ROWS_MAX 200

static const struct column columns[] = {
	{"name", 8, ALIGN_LEFT, 1, false, "a name"},
	{"n", 6, ALIGN_RIGHT, 1, true, "a number"},
	{"text", 0, ALIGN_LEFT, 2, false, "a text"},
};

struct fix {
	struct table t;
	struct row rows[ROWS_MAX];
	struct cell cells[ROWS_MAX][3];
	char names[ROWS_MAX][16];
	struct canvas c;
	struct list l;
};

static void put(struct fix *f, uint64_t id, int64_t n, const char *text)
{
	size_t i = f->t.nrows++;

	snprintf(f->names[i], sizeof(f->names[i]), "row%llu", (unsigned long long)id);
	f->cells[i][0] = (struct cell){.text = str_of(f->names[i]), .text_sort = true};
	f->cells[i][1] = (struct cell){.text = STR_LIT("1"), .sort = n};
	f->cells[i][2] = (struct cell){.text = str_of(text), .text_sort = true};
	f->rows[i] = (struct row){.id = id, .cells = f->cells[i]};
	f->t.rows = f->rows;
}

static void fill(struct fix *f, uint64_t first, size_t n)
{
	f->t.nrows = 0;
	for (size_t i = 0; i < n; i++)
		put(f, first + i, (int64_t)i, "hello");
	list_update(&f->l, &f->t);
	list_draw(&f->l, &f->t, &f->c, (struct rect){0, 0, 40, 11}, true);
}

static int setup(void **state)
{
	static struct fix f;

	f = (struct fix){0};
	f.t.presorted = true;
	canvas_init(&f.c, 40, 12, false);
	list_init(&f.l, columns, 3, 1);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fix *f = *state;

	list_done(&f->l);
	canvas_done(&f->c);
	return 0;
}

static uint64_t selected(struct fix *f)
{
	const struct row *row = list_selected(&f->l, &f->t);

	return row ? row->id : 0;
}

static void test_identity_at_top(void **state)
{
	struct fix *f = *state;

	fill(f, 100, 50);
	assert_int_equal(selected(f), 100);
	fill(f, 98, 50); /* not moved yet: the newest is shown and under the cursor */
	assert_int_equal(selected(f), 98);
	list_request(&f->l, &f->t, REQ_DOWN);
	assert_int_equal(selected(f), 99);
	fill(f, 95, 50); /* three came in above: same row, and they are to be seen */
	assert_int_equal(selected(f), 99);
	assert_int_equal(f->l.top, 0);
	assert_int_equal(f->l.cursor, 4);
	list_request(&f->l, &f->t, REQ_TOP);
	fill(f, 90, 50);
	assert_int_equal(selected(f), 90);
}

static void test_line_kept_when_scrolled(void **state)
{
	struct fix *f = *state;
	size_t line;

	fill(f, 100, 50);
	for (int i = 0; i < 30; i++)
		list_request(&f->l, &f->t, REQ_DOWN);
	assert_int_equal(selected(f), 130);
	line = f->l.cursor - f->l.top;
	fill(f, 93, 80);
	assert_int_equal(selected(f), 130);
	assert_int_equal(f->l.cursor - f->l.top, line);
	fill(f, 120, 80); /* rows above went */
	assert_int_equal(selected(f), 130);
	fill(f, 140, 50); /* it is gone: its line has another row, which is then the selected one */
	assert_true(selected(f) >= 140);
}

static void test_follow_remembers(void **state)
{
	struct fix *f = *state;

	fill(f, 100, 20);
	list_request(&f->l, &f->t, REQ_DOWN);
	list_request(&f->l, &f->t, REQ_FOLLOW);
	fill(f, 200, 20);
	assert_null(list_selected(&f->l, &f->t)); /* rather none than a neighbour */
	fill(f, 95, 20);
	assert_int_equal(selected(f), 101);
}

static void test_sort(void **state)
{
	struct fix *f = *state;

	f->t.presorted = false;
	put(f, 1, 5, "b");
	put(f, 2, 9, "a");
	put(f, 3, 5, "C");
	list_update(&f->l, &f->t);
	assert_int_equal(f->rows[f->l.order[0]].id, 2);
	assert_int_equal(f->rows[f->l.order[1]].id, 1); /* equal: the pane's order */
	assert_int_equal(f->rows[f->l.order[2]].id, 3);
	list_request(&f->l, &f->t, REQ_SORT_INVERT);
	assert_int_equal(f->rows[f->l.order[0]].id, 1);
	assert_int_equal(f->rows[f->l.order[2]].id, 2);
	list_request(&f->l, &f->t, REQ_SORT); /* by text, without regard to case */
	assert_int_equal(f->l.sort, 2);
	assert_int_equal(f->rows[f->l.order[0]].id, 2);
	assert_int_equal(f->rows[f->l.order[2]].id, 3);
	f->t.presorted = true;
	assert_true(list_request(&f->l, &f->t, REQ_SORT_LEFT) & REQRES_REFRESH);
}

static void test_tags(void **state)
{
	struct fix *f = *state;
	const struct row *tagged[ROWS_MAX];

	fill(f, 100, 20);
	list_request(&f->l, &f->t, REQ_TAG);
	list_request(&f->l, &f->t, REQ_TAG);
	fill(f, 95, 20); /* tags stay with their rows */
	assert_int_equal(list_tagged(&f->l, &f->t, tagged), 2);
	assert_int_equal(tagged[0]->id, 100);
	assert_int_equal(tagged[1]->id, 101);
	assert_int_equal(list_tag_matching(&f->l, &f->t, STR_LIT("ROW11")), 2 + 5); /* 110..114 */
	list_request(&f->l, &f->t, REQ_UNTAG_ALL);
	assert_int_equal(list_tagged(&f->l, &f->t, tagged), 0);
}

static void test_search_and_errors(void **state)
{
	struct fix *f = *state;

	fill(f, 100, 20);
	assert_true(list_search(&f->l, &f->t, STR_LIT("Row107")));
	assert_int_equal(selected(f), 107);
	assert_false(list_search(&f->l, &f->t, STR_LIT("nowhere")));
	assert_int_equal(list_request(&f->l, &f->t, REQ_SEARCH_NEXT), REQRES_NONE);
	assert_int_equal(list_request(&f->l, &f->t, REQ_NEXT_ERROR), REQRES_NONE);
	f->rows[3].style = STYLE_BAD;
	f->rows[9].style = STYLE_WARN;
	list_request(&f->l, &f->t, REQ_NEXT_ERROR);
	assert_int_equal(selected(f), 109);
	list_request(&f->l, &f->t, REQ_NEXT_ERROR); /* round the end */
	assert_int_equal(selected(f), 103);
	list_request(&f->l, &f->t, REQ_PREVIOUS_ERROR);
	assert_int_equal(selected(f), 109);
}

static void test_draw_and_click(void **state)
{
	struct fix *f = *state;

	fill(f, 100, 50);
	canvas_clear(&f->c);
	list_draw(&f->l, &f->t, &f->c, (struct rect){0, 0, 40, 11}, true);
	assert_int_equal(f->c.cells[0].bytes[0], ' ');
	assert_int_equal(
		f->c.cells[40].bytes[0], '>'); /* the cursor is a mark too, not only a colour */
	assert_int_equal(list_click(&f->l, &f->t, 5, 4), REQRES_HANDLED | REQRES_REDRAW);
	assert_int_equal(selected(f), 103);
	assert_int_equal(list_click(&f->l, &f->t, 5, 4), REQRES_OPEN);
	assert_true(list_click(&f->l, &f->t, 2, 0) & REQRES_REFRESH); /* head of "name" */
	assert_int_equal(f->l.sort, 0);
	fill(f, 1, 0);
	assert_null(list_selected(&f->l, &f->t));
	list_request(&f->l, &f->t, REQ_DOWN);
	list_request(&f->l, &f->t, REQ_TAG);
	list_request(&f->l, &f->t, REQ_NEXT_ERROR);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_identity_at_top),
		T(test_line_kept_when_scrolled),
		T(test_follow_remembers),
		T(test_sort),
		T(test_tags),
		T(test_search_and_errors),
		T(test_draw_and_click),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
