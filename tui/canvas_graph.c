/* SPDX-License-Identifier: MIT */
/*
 * canvas_graph - sparklines, area graphs, bars and heat cells.
 *
 * Values below 0 are unknown and leave a gap; 0 is drawn as the base line and anything above 0 stands
 * at least one step over it, so nothing, no news and little are three different pictures.
 */
#include "store/base/fmt.h"
#include "store/base/utf8.h"
#include "tui/canvas_priv.h"

#define BRAILLE_BASE 0x2800
#define DOTS_DOWN 4 /* of one braille cell; an ASCII cell has four fill levels too */
#define SPARK_LEVELS 8
#define BAR_EIGHTHS 8
#define SHADE_MAX 4
#define MS_PER_MIN 60000
#define MIN_PER_H 60
#define MIN_PER_DAY 1440
#define MIDDLE_MIN_COLUMNS 24 /* of a time axis that has a mark in its middle */

/* Mean of the known values that fall into column i of columns; -1 if none is known. */
static int64_t column_value(const int64_t *v, size_t n, size_t i, size_t columns)
{
	size_t from = i * n / columns, to = (i + 1) * n / columns;
	int64_t sum = 0, known = 0;

	if (to <= from)
		to = from + 1;
	for (size_t k = from; k < to && k < n; k++) {
		if (v[k] < 0)
			continue;
		known++;
		if (sum > INT64_MAX - v[k])
			sum = INT64_MAX;
		else
			sum += v[k];
	}
	if (known == 0)
		return -1;
	return sum == 0 ? 0 : sum / known > 0 ? sum / known : 1;
}

static int64_t columns_max(const int64_t *v, size_t n, size_t columns)
{
	int64_t max = 0;

	for (size_t i = 0; i < columns; i++) {
		int64_t value = column_value(v, n, i, columns);

		max = value > max ? value : max;
	}
	return max;
}

/* 0 for unknown, 1 for zero, 2..levels for what is above. */
static int level_of(int64_t value, int64_t max, int levels)
{
	double part;

	if (value < 0)
		return 0;
	if (value == 0 || max <= 0)
		return 1;
	part = value >= max ? 1.0 : (double)value / (double)max;
	return levels < 2 ? 1 : 2 + (int)(part * (levels - 2) + 0.5);
}

void canvas_spark(struct canvas *c, int x, int y, int width, enum style style, const int64_t *v,
	size_t n, int64_t max)
{
	static const char *const blocks[SPARK_LEVELS] = {"\xe2\x96\x81", "\xe2\x96\x82",
		"\xe2\x96\x83", "\xe2\x96\x84", "\xe2\x96\x85", "\xe2\x96\x86", "\xe2\x96\x87",
		"\xe2\x96\x88"};
	static const char ascii[SPARK_LEVELS + 1] = "_..::||#";

	if (width <= 0 || n == 0)
		return;
	if (max <= 0)
		max = columns_max(v, n, (size_t)width);
	for (int i = 0; i < width; i++) {
		int level =
			level_of(column_value(v, n, (size_t)i, (size_t)width), max, SPARK_LEVELS);

		if (level == 0)
			canvas_put_z(c, x + i, y, STYLE_DIM, "\xc2\xb7", ' ');
		else
			canvas_put_z(c, x + i, y, style, blocks[level - 1], ascii[level - 1]);
	}
}

/* Dots of the left or right half of a braille cell filled from below to height 0..4. */
static unsigned braille_dots(int height, bool right)
{
	static const unsigned left_bits[DOTS_DOWN] = {0x40, 0x04, 0x02, 0x01};
	static const unsigned right_bits[DOTS_DOWN] = {0x80, 0x20, 0x10, 0x08};
	unsigned dots = 0;

	for (int i = 0; i < height && i < DOTS_DOWN; i++)
		dots |= right ? right_bits[i] : left_bits[i];
	return dots;
}

static void put_braille(struct canvas *c, int x, int y, enum style style, unsigned dots)
{
	unsigned cp = BRAILLE_BASE + dots;
	char bytes[3] = {(char)(0xe0 | (cp >> 12)), (char)(0x80 | ((cp >> 6) & 0x3f)),
		(char)(0x80 | (cp & 0x3f))};

	if (dots)
		canvas_put(c, x, y, style, bytes, sizeof(bytes), 1);
	else
		canvas_put(c, x, y, style, " ", 1, 1);
}

/* Height of one column within the cell row that is `row` cells above the bottom. */
static int cell_height(int level, int row)
{
	int height = level - row * DOTS_DOWN;

	return height < 0 ? 0 : height > DOTS_DOWN ? DOTS_DOWN : height;
}

int64_t canvas_graph(struct canvas *c, struct rect r, enum style style, const int64_t *v, size_t n)
{
	static const char ascii[DOTS_DOWN + 1] = " .:|#";
	int across = c->utf8 ? 2 : 1;
	int64_t max;
	size_t columns;

	if (r.w <= 0 || r.h <= 0 || n == 0 || r.w > CANVAS_MAX_COLUMNS || r.h > CANVAS_MAX_ROWS)
		return 0;
	columns = (size_t)r.w * (size_t)across;
	max = columns_max(v, n, columns);
	for (int x = 0; x < r.w; x++) {
		int level[2] = {0, 0};

		for (int k = 0; k < across; k++)
			level[k] = level_of(column_value(v, n, (size_t)(x * across + k), columns),
				max, r.h * DOTS_DOWN);
		for (int row = 0; row < r.h; row++) {
			int left = cell_height(level[0], row), y = r.y + r.h - 1 - row;

			if (c->utf8)
				put_braille(c, r.x + x, y, style,
					braille_dots(left, false) |
						braille_dots(cell_height(level[1], row), true));
			else
				canvas_put(c, r.x + x, y, style, &ascii[left], 1, 1);
		}
	}
	return max;
}

/* One mark of the scale, at the left of row y. */
static bool any_known(const int64_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] >= 0)
			return true;
	return false;
}

static void scale_mark(struct canvas *c, int x, int y, int64_t value)
{
	struct buf text;

	buf_init(&text, 32);
	fmt_count_short(&text, value);
	canvas_number(c, x, y, CHART_SCALE - 1, STYLE_DIM, buf_str(&text));
	canvas_put_z(c, x + CHART_SCALE - 1, y, STYLE_BORDER, "\xe2\x94\xa4", '+');
	buf_done(&text);
}

void canvas_chart(struct canvas *c, struct rect r, enum style style, const int64_t *v, size_t n)
{
	int64_t max;

	if (r.w < 2 * CHART_SCALE) {
		canvas_graph(c, r, style, v, n);
		return;
	}
	max = canvas_graph(
		c, (struct rect){r.x + CHART_SCALE, r.y, r.w - CHART_SCALE, r.h}, style, v, n);
	for (int y = 0; y < r.h; y++)
		canvas_put_z(c, r.x + CHART_SCALE - 1, r.y + y, STYLE_BORDER, "\xe2\x94\x82", '|');
	if (r.h > 1 && max > 0)
		scale_mark(c, r.x, r.y + r.h - 1, 0);
	if (r.h > 0) /* a maximum of 0 stands at the bottom, where the line is */
		scale_mark(c, r.x, max > 0 ? r.y : r.y + r.h - 1, any_known(v, n) ? max : -1);
}

/* "-1h", "-30m", "-90m", "-12h", "-15d": the largest unit that is whole; half days of long spans too ("-12.5d"). */
static void ago(struct buf *out, int64_t ms)
{
	int64_t minutes = ms / MS_PER_MIN;

	if (minutes % MIN_PER_DAY == 0 && minutes > 0)
		buf_printf(out, "-%lldd", (long long)(minutes / MIN_PER_DAY));
	else if (minutes % (MIN_PER_DAY / 2) == 0 && minutes > 2 * MIN_PER_DAY)
		buf_printf(out, "-%lld.5d", (long long)(minutes / MIN_PER_DAY));
	else if (minutes % MIN_PER_H == 0 && minutes > 0)
		buf_printf(out, "-%lldh", (long long)(minutes / MIN_PER_H));
	else if (ms % MS_PER_MIN == 0)
		buf_printf(out, "-%lldm", (long long)minutes);
	else
		buf_printf(out, "-%llds", (long long)(ms / 1000));
}

void canvas_time_axis(struct canvas *c, int x, int y, int width, int64_t span_ms, const char *end)
{
	struct buf text;
	int columns = (int)utf8_show_width(str_of(end), !c->utf8), right;

	buf_init(&text, 64);
	if (columns <= width)
		canvas_text(c, x + width - columns, y, columns, STYLE_DIM, str_of(end));
	right = x + width - columns - 1;
	for (int i = 1; i <= 2; i++) { /* the left end first: it matters more than the middle */
		int at = i == 1 ? x : x + width / 2;

		buf_clear(&text);
		ago(&text, span_ms / i);
		if (at + (int)text.n <= right && (i == 1 || width >= MIDDLE_MIN_COLUMNS))
			canvas_text(c, at, y, (int)text.n, STYLE_DIM, buf_str(&text));
	}
	buf_done(&text);
}

void canvas_bar(
	struct canvas *c, int x, int y, int width, enum style style, int64_t part, int64_t whole)
{
	static const char *const parts[BAR_EIGHTHS] = {" ", "\xe2\x96\x8f", "\xe2\x96\x8e",
		"\xe2\x96\x8d", "\xe2\x96\x8c", "\xe2\x96\x8b", "\xe2\x96\x8a", "\xe2\x96\x89"};
	bool known = part >= 0 && whole > 0;
	int eighths = 0;

	if (width <= 0)
		return;
	if (known)
		eighths = part >= whole ? width * BAR_EIGHTHS
					: (int)((double)part / (double)whole * width * BAR_EIGHTHS);
	for (int i = 0; i < width; i++) {
		int fill = eighths - i * BAR_EIGHTHS;

		if (!known)
			canvas_put(c, x + i, y, STYLE_DIM, "?", 1, 1);
		else if (fill >= BAR_EIGHTHS)
			canvas_put_z(c, x + i, y, style, "\xe2\x96\x88", '#');
		else if (fill > 0)
			canvas_put_z(c, x + i, y, style, parts[fill],
				fill >= BAR_EIGHTHS / 2 ? '|' : '.');
		else
			canvas_put_z(c, x + i, y, STYLE_DIM, "\xe2\x96\x91", '.');
	}
}

void canvas_shade(struct canvas *c, int x, int y, int width, int level)
{
	static const char *const shades[SHADE_MAX + 1] = {
		"\xc2\xb7", "\xe2\x96\x91", "\xe2\x96\x92", "\xe2\x96\x93", "\xe2\x96\x88"};
	static const char ascii[SHADE_MAX + 2] = ".:+*#";

	level = level < 0 ? 0 : level > SHADE_MAX ? SHADE_MAX : level;
	for (int i = 0; i < width; i++)
		canvas_put_z(c, x + i, y,
			level == 0               ? STYLE_DIM
			: level >= SHADE_MAX - 1 ? STYLE_WARN
						 : STYLE_GRAPH,
			shades[level], ascii[level]);
}
