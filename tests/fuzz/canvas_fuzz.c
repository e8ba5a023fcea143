/* SPDX-License-Identifier: MIT */
/*
 * canvas_fuzz - anything drawn anywhere: the grid stays a grid (wide glyphs are pairs, every cell is
 * printable) and the text made of it is clean, whatever the bytes, places, sizes and figures.
 */
#include "store/base/utf8.h"
#include "tests/fuzz/fuzz.h"
#include "tui/canvas.h"
#include "tui/screen_text.h"

#include <string.h>

#define OPS_MAX 64
#define VALUES 9

struct input {
	const uint8_t *p;
	size_t n;
};

static uint8_t next(struct input *in)
{
	if (in->n == 0)
		return 0;
	in->n--;
	return *in->p++;
}

/* Mostly near the grid, now and then anywhere at all. */
static int place(struct input *in)
{
	int v = (int8_t)next(in);

	return v == 127 ? 2147483647 : v == -128 ? -2147483647 - 1 : v;
}

static int64_t value(struct input *in)
{
	uint64_t v = next(in);

	v <<= next(in) % 64;
	return (int64_t)(v - (next(in) & 1));
}

static struct str text(struct input *in)
{
	size_t n = next(in);
	struct str s;

	n = n > in->n ? in->n : n;
	s = str_make((const char *)in->p, n);
	in->p += n;
	in->n -= n;
	return s;
}

static void draw_text(struct canvas *c, struct input *in, unsigned op)
{
	int x = place(in), y = place(in), w = place(in);
	enum style style = (enum style)(next(in) % STYLE__COUNT);
	struct str s = text(in);

	if (op == 0)
		canvas_text(c, x, y, w, style, s);
	else if (op == 1)
		canvas_number(c, x, y, w > 300 ? 300 : w, style, s);
	else
		canvas_printf(c, x, y, w, style, "%.*s|", STR_ARG(s));
}

static void draw_graph(struct canvas *c, struct input *in, unsigned op)
{
	int x = (int8_t)next(in), y = (int8_t)next(in), w = (int8_t)next(in), h = (int8_t)next(in);
	int64_t v[VALUES];
	size_t n = next(in) % (VALUES + 1);

	for (size_t i = 0; i < VALUES; i++)
		v[i] = value(in);
	if (op == 3)
		canvas_spark(c, x, y, w, STYLE_GRAPH, v, n, v[0]);
	else if (op == 4)
		canvas_graph(c, (struct rect){x, y, w, h}, STYLE_GRAPH, v, n);
	else if (op == 5)
		canvas_chart(c, (struct rect){x, y, w, h}, STYLE_GRAPH, v, n);
	else if (op == 6)
		canvas_bar(c, x, y, w, STYLE_GRAPH, v[0], v[1]);
	else
		canvas_time_axis(c, x, y, w, v[0], "now");
}

static void draw_area(struct canvas *c, struct input *in, unsigned op)
{
	struct rect r = {place(in), place(in), place(in), place(in)};

	if (op == 8)
		canvas_clip(c, r);
	else if (op == 9)
		canvas_fill(c, r, STYLE_SELECTED);
	else if (op == 10)
		canvas_restyle(c, r, STYLE_MATCH);
	else if (r.w < 1000 && r.h < 1000 && r.x < 1000 && r.y < 1000 && r.x > -1000 && r.y > -1000)
		canvas_box(c, r, op & 1, text(in), text(in));
}

static void check(const struct canvas *c)
{
	struct buf out;

	for (int y = 0; y < c->h; y++) {
		int columns = 0;

		for (int x = 0; x < c->w; x++) {
			const struct canvas_cell *cell =
				&c->cells[(size_t)y * (size_t)c->w + (size_t)x];

			FUZZ_CHECK(cell->style < STYLE__COUNT && cell->width <= 2);
			FUZZ_CHECK(cell->width == 0
					   ? cell->len == 0 && x > 0 && cell[-1].width == 2
					   : cell->len > 0 && cell->len <= sizeof(cell->bytes));
			columns += cell->width;
		}
		FUZZ_CHECK(columns == c->w);
	}
	buf_init(&out, 1u << 20);
	FUZZ_CHECK(screen_text_write(c, &out) == 0);
	for (struct str rest = buf_str(&out); rest.n > 0;) {
		int32_t cp = utf8_decode(&rest);

		FUZZ_CHECK(
			cp == '\n' || (cp >= ' ' && utf8_width(cp) >= 0 && (c->utf8 || cp < 0x7f)));
	}
	buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct canvas c;

	canvas_init(&c, next(&in) % 40, next(&in) % 12, next(&in) & 1);
	for (int i = 0; i < OPS_MAX && in.n > 0; i++) {
		unsigned op = next(&in) % 12;

		if (op < 3)
			draw_text(&c, &in, op);
		else if (op < 8)
			draw_graph(&c, &in, op);
		else
			draw_area(&c, &in, op);
	}
	check(&c);
	canvas_done(&c);
	return 0;
}
