/* SPDX-License-Identifier: MIT */
/*
 * utf8 - decode, measure and make safe to show. Every byte of a stranger that reaches a terminal, a
 * CSV or a JSON text goes through one of the show/escape functions here; there is no other way out.
 *
 * show: strict UTF-8 (no overlong, surrogate, > 10FFFF). Bad byte -> \xHH; C0 and DEL -> ^X; TAB -> space;
 * C1, U+2028/9, Cf (bidi, zero width, tags, soft hyphen ...), noncharacters, unassigned and private use
 * -> <U+XXXX>; at most 2 combining marks a cell, further ones escaped.
 */
#ifndef MT_BASE_UTF8_H
#define MT_BASE_UTF8_H

#include "store/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* utf8_decode - one code point at *in; advances. Returns -1 for one bad byte (advanced by 1). *in not empty. */
int32_t utf8_decode(struct str *in);
/* utf8_encode - append; cp must be a scalar value. */
int utf8_encode(struct buf *out, int32_t cp);
/* utf8_width - columns of a code point on a terminal: 0 (combining), 1, 2; -1 = must not be shown. Locale-free. */
int utf8_width(int32_t cp);

/* One shown cell. */
struct utf8_glyph {
	char bytes
		[20]; /* base and up to 2 combining marks, or ASCII of an escape; NUL-terminated */
	uint8_t len;
	uint8_t width; /* columns: 1 or 2 */
	bool escaped; /* part of an escape: the canvas marks it */
};
/* utf8_next_glyph - the next cell of shown text. state zeroed before the first call. false at the end.
 * ascii_only: code points over 7F are escaped too (a terminal without UTF-8). */
struct utf8_show {
	struct str rest;
	char pending[12];
	uint8_t npending, at;
	bool ascii_only;
};
void utf8_show_init(struct utf8_show *s, struct str bytes, bool ascii_only);
bool utf8_next_glyph(struct utf8_show *s, struct utf8_glyph *out);
/* utf8_show_text - the whole shown text into out. utf8_show_width - its columns. */
int utf8_show_text(struct buf *out, struct str bytes, bool ascii_only);
size_t utf8_show_width(struct str bytes, bool ascii_only);

/*
 * utf8_json - append as a JSON string with quotes: " and \ escaped, all that show would escape (< 20, 7F-9F,
 * Cf, unassigned ...) as \uXXXX; bad bytes become U+FFFD.
 */
int utf8_json(struct buf *out, struct str bytes);
/*
 * utf8_csv - append as one CSV field of shown text: quoted when needed; = + - @ TAB CR in front get a '
 * (formula injection), so figures of our own are written without it.
 */
int utf8_csv(struct buf *out, struct str bytes);

#endif
