/* SPDX-License-Identifier: MIT */
/*
 * screen_text - canvas to text. The style dump has one letter a column, so a golden file shows what
 * a theme would colour without naming a colour. Writes nothing itself; the caller owns the stream.
 */
#include "tui/screen_text.h"

static const char style_letters[STYLE__COUNT + 1] = {
	[STYLE_NORMAL] = '.',
	[STYLE_DIM] = 'd',
	[STYLE_BOLD] = 'b',
	[STYLE_TITLE] = 't',
	[STYLE_BORDER] = '-',
	[STYLE_HEADER] = 'h',
	[STYLE_KEY] = 'k',
	[STYLE_GOOD] = 'g',
	[STYLE_WARN] = 'w',
	[STYLE_BAD] = 'R',
	[STYLE_SELECTED] = 'S',
	[STYLE_TAGGED] = 'T',
	[STYLE_MATCH] = 'M',
	[STYLE_ESCAPED] = 'E',
	[STYLE_GRAPH] = '1',
	[STYLE_GRAPH2] = '2',
	[STYLE_TAB] = 'p',
	[STYLE_TAB_ACTIVE] = 'P',
	[STYLE_STATUS] = 's',
};

static void strip_row(struct buf *out, size_t start, char pad)
{
	while (out->n > start && out->p[out->n - 1] == pad)
		out->p[--out->n] = '\0';
	buf_add_char(out, '\n');
}

int screen_text_write(const struct canvas *c, struct buf *out)
{
	for (int y = 0; y < c->h; y++) {
		size_t start = out->n;

		for (int x = 0; x < c->w; x++) {
			const struct canvas_cell *cell =
				&c->cells[(size_t)y * (size_t)c->w + (size_t)x];

			if (cell->width > 0)
				buf_add(out, cell->bytes, cell->len);
		}
		strip_row(out, start, ' ');
	}
	return out->err;
}

int screen_text_styles(const struct canvas *c, struct buf *out)
{
	for (int y = 0; y < c->h; y++) {
		size_t start = out->n;

		for (int x = 0; x < c->w; x++)
			buf_add_char(
				out, style_letters[c->cells[(size_t)y * (size_t)c->w + (size_t)x]
							   .style]);
		strip_row(out, start, '.');
	}
	return out->err;
}
