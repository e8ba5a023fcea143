/* SPDX-License-Identifier: MIT */
/* test_canvas - clip, wide cells, cut texts, figures never cut, graphs, hostile bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/base/utf8.h"
#include "store/event.h"
#include "tui/canvas.h"
#include "tui/screen_text.h"

static void expect(const struct canvas *c, const char *want)
{
	struct buf out;

	buf_init(&out, 1 << 20);
	assert_int_equal(screen_text_write(c, &out), 0);
	assert_string_equal(buf_z(&out), want);
	buf_done(&out);
}

static void test_text_cut_and_number(void **state)
{
	struct canvas c;

	(void)state;
	canvas_init(&c, 12, 4, true);
	assert_int_equal(canvas_text(&c, 0, 0, 5, STYLE_NORMAL, STR_LIT("abcdefgh")), 5);
	assert_int_equal(canvas_number(&c, 0, 1, 5, STYLE_NORMAL, STR_LIT("1,234,567")), 5);
	canvas_number(&c, 0, 2, 9, STYLE_NORMAL, STR_LIT("1,234"));
	canvas_text(&c, 10, 3, 9, STYLE_NORMAL, STR_LIT("xyz")); /* over the edge: dropped */
	expect(&c, "abcd\xe2\x80\xa6\n#####\n    1,234\n          xy\n");
	canvas_done(&c);
}

static void test_ascii(void **state)
{
	struct canvas c;

	(void)state;
	canvas_init(&c, 16, 3, false);
	canvas_text(&c, 0, 0, 5, STYLE_NORMAL, STR_LIT("abcdefgh"));
	canvas_printf(&c, 0, 1, 16, STYLE_NORMAL, "a \xc2\xb7 b \xe2\x96\xb2");
	canvas_text(&c, 0, 2, 16, STYLE_NORMAL, STR_LIT("\xc3\xa9"));
	expect(&c, "abcd~\na . b ^\n<U+00E9>\n");
	canvas_done(&c);
}

static void test_wide_pairs(void **state)
{
	struct canvas c;

	(void)state;
	canvas_init(&c, 6, 1, true);
	canvas_text(&c, 0, 0, 6, STYLE_NORMAL, STR_LIT("\xe6\xbc\xa2\xe5\xad\x97z"));
	assert_int_equal(c.cells[0].width, 2);
	assert_int_equal(c.cells[1].width, 0);
	canvas_text(
		&c, 1, 0, 1, STYLE_NORMAL, STR_LIT("x")); /* the right half: the left goes too */
	assert_int_equal(c.cells[0].width, 1);
	assert_int_equal(c.cells[0].bytes[0], ' ');
	canvas_text(&c, 2, 0, 1, STYLE_NORMAL, STR_LIT("y"));
	assert_int_equal(c.cells[3].bytes[0], ' ');
	expect(&c, " xy z\n");
	canvas_done(&c);
}

static void test_hostile(void **state)
{
	static const char *const samples[] = {"\x1b[31mred", "a\nb\rc\td",
		"\xc2\x9b"
		"31m",
		"\xe2\x80\xae"
		"evil",
		"\xff\xfe", "e\xcc\x81\xcc\x82\xcc\x83\xcc\x84\xcc\x85", "\xf3\xa0\x81\x81",
		"\x7f\x01"};
	struct canvas c;
	struct buf out;

	(void)state;
	buf_init(&out, 1 << 16);
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		canvas_init(&c, 60, 1, true);
		canvas_text(&c, 0, 0, 60, STYLE_NORMAL, str_of(samples[i]));
		buf_clear(&out);
		assert_int_equal(screen_text_write(&c, &out), 0);
		out.n--; /* our own newline */
		for (struct str rest = buf_str(&out); rest.n > 0;) {
			int32_t cp = utf8_decode(&rest);

			assert_true(cp >= 0x20 && cp != 0x7f && !(cp >= 0x80 && cp < 0xa0));
			assert_true(utf8_width(cp) >= 0);
		}
		canvas_done(&c);
	}
	buf_done(&out);
}

static void test_graph_levels(void **state)
{
	const int64_t v[] = {EVENT_UNKNOWN, 0, 1, 50, 100};
	struct canvas c;

	(void)state;
	canvas_init(&c, 5, 2, false);
	assert_int_equal(canvas_graph(&c, (struct rect){0, 0, 5, 2}, STYLE_GRAPH, v, 5), 100);
	/* unknown is a gap, zero the base line, little is over it, the most fills it */
	assert_int_equal(c.cells[5].bytes[0], ' ');
	assert_int_equal(c.cells[6].bytes[0], '.');
	assert_int_equal(c.cells[7].bytes[0], ':');
	assert_int_equal(c.cells[9].bytes[0], '#');
	assert_int_equal(c.cells[4].bytes[0], '#');
	canvas_clear(&c);
	canvas_spark(&c, 0, 0, 5, STYLE_GRAPH, v, 5, 0);
	expect(&c, " _.:#\n\n");
	canvas_done(&c);
}

static void test_box_and_bar(void **state)
{
	struct canvas c;
	struct rect in;

	(void)state;
	canvas_init(&c, 20, 4, false);
	in = canvas_box(&c, (struct rect){0, 0, 20, 3}, false, STR_LIT("Queue"), STR_LIT("5,437"));
	assert_int_equal(in.w, 18);
	canvas_bar(&c, in.x, in.y, 8, STYLE_GRAPH, 4, 8);
	canvas_bar(&c, in.x + 9, in.y, 4, STYLE_GRAPH, 4, EVENT_UNKNOWN);
	expect(&c, "+ Queue ---- 5,437 +\n|####.... ????     |\n+------------------+\n\n");
	canvas_clear(&c);
	canvas_box(&c, (struct rect){0, 0, 14, 2}, false, STR_LIT("Queue"), STR_LIT("5,437"));
	expect(&c,
		"+ Queue -----+\n+------------+\n\n\n"); /* a note that does not fit is left out whole */
	canvas_done(&c);
}

static void test_any_rectangle(void **state)
{
	static const int at[] = {INT32_MIN, -5, 0, 3, 9, 500, INT32_MAX};
	struct canvas c;
	const int64_t v[] = {1, 2, 3};

	(void)state;
	canvas_init(&c, 10, 5, true);
	for (size_t i = 0; i < 7; i++) {
		for (size_t k = 0; k < 7; k++) {
			struct rect r = {at[i] / 2, at[k] / 2, at[k] / 2, at[i] / 2};

			canvas_clip(&c, r);
			canvas_fill(&c, r, STYLE_BAD);
			canvas_text(&c, r.x, r.y, 5, STYLE_NORMAL, STR_LIT("hello"));
			if (r.w < 1000 && r.h < 1000)
				canvas_graph(&c, r, STYLE_GRAPH, v, 3);
		}
	}
	canvas_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_cut_and_number),
		cmocka_unit_test(test_ascii),
		cmocka_unit_test(test_wide_pairs),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_graph_levels),
		cmocka_unit_test(test_box_and_bar),
		cmocka_unit_test(test_any_rectangle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
