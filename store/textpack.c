/* SPDX-License-Identifier: MIT */
/* textpack - see textpack.h. A form is possible when every character has its bit in forms_of. */
#include "store/textpack.h"

#define SIX_MASK 0x3f

/* clang-format off */
/* Bit 0 upper-case hex, 1 lower-case hex, 2 decimal, 3 six bits. */
static const uint8_t forms_of[256] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 4, 12, 0,
	15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 4, 0, 0, 0, 0, 0,
	0, 9, 9, 9, 9, 9, 9, 8, 8, 8, 8, 8, 8, 8, 8, 8,
	8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 0, 0, 0, 0, 4,
	0, 10, 10, 10, 10, 10, 10, 8, 8, 8, 8, 8, 8, 8, 8, 8,
	8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
};

/* Character to number in its alphabet. */
static const uint8_t decimal_of[256] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 15, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 13, 0, 11, 10, 0,
	0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 14,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
};
static const uint8_t six_of[256] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 63, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 62, 0,
	0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 0, 0, 0, 0,
	0, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
	25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 0, 0, 0, 0, 0,
	0, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50,
	51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
};
/* clang-format on */

static const char alphabet[TEXT_FORM__COUNT][65] = {
	[TEXT_HEX_UPPER] = "0123456789ABCDEF",
	[TEXT_HEX_LOWER] = "0123456789abcdef",
	[TEXT_DECIMAL] = "0123456789.-:+_\x1a",
	[TEXT_SIX_BITS] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.\x1a",
};

enum text_form textpack_form(struct str text)
{
	unsigned possible = 15;

	for (size_t i = 0; i < text.n && possible; i++)
		possible &= forms_of[(unsigned char)text.p[i]];
	if (text.n < 2)
		return TEXT_PLAIN;
	if (possible & 1)
		return TEXT_HEX_UPPER;
	if (possible & 2)
		return TEXT_HEX_LOWER;
	if (possible & 4)
		return TEXT_DECIMAL;
	return possible & 8 ? TEXT_SIX_BITS : TEXT_PLAIN;
}

size_t textpack_bytes(enum text_form form, size_t n)
{
	if (form == TEXT_PLAIN)
		return n;
	return form == TEXT_SIX_BITS ? n - n / 4 : n - n / 2;
}

static unsigned number_of(enum text_form form, char c)
{
	unsigned char byte = (unsigned char)c;

	if (form == TEXT_DECIMAL)
		return decimal_of[byte];
	return byte <= '9' ? byte & 15u : (byte & 7u) + 9; /* A is 0x41, a is 0x61 */
}

/* Four characters in three bytes; of what is left one takes one byte, two two, three three. */
static void put_six(struct str text, unsigned char *to)
{
	uint32_t held = 0;
	unsigned bits = 0;

	for (size_t i = 0; i < text.n; i++) {
		held |= (uint32_t)six_of[(unsigned char)text.p[i]] << bits;
		bits += 6;
		if (bits >= 8) {
			*to++ = (unsigned char)held;
			held >>= 8;
			bits -= 8;
		}
	}
	if (bits)
		*to = (unsigned char)held;
}

static void get_six(const unsigned char *packed, size_t n, char *to)
{
	uint32_t held = 0;
	unsigned bits = 0;

	for (size_t i = 0; i < n; i++) {
		if (bits < 6) {
			held |= (uint32_t)*packed++ << bits;
			bits += 8;
		}
		to[i] = alphabet[TEXT_SIX_BITS][held & SIX_MASK];
		held >>= 6;
		bits -= 6;
	}
}

void textpack_put(enum text_form form, struct str text, unsigned char *to)
{
	if (form == TEXT_PLAIN) {
		if (text.n)
			memcpy(to, text.p, text.n);
	} else if (form == TEXT_SIX_BITS) {
		put_six(text, to);
	} else {
		for (size_t i = 0; i < text.n; i += 2)
			*to++ = (unsigned char)(number_of(form, text.p[i]) |
						(i + 1 < text.n ? number_of(form, text.p[i + 1])
								: 0)
							<< 4);
	}
}

void textpack_get(enum text_form form, const unsigned char *packed, size_t n, char *to)
{
	if (form == TEXT_PLAIN) {
		if (n)
			memcpy(to, packed, n);
	} else if (form == TEXT_SIX_BITS) {
		get_six(packed, n, to);
	} else {
		for (size_t i = 0; i < n; i++)
			to[i] = alphabet[form][packed[i / 2] >> (i % 2 ? 4 : 0) & 15];
	}
}
