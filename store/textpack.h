/* SPDX-License-Identifier: MIT */
/*
 * textpack - short texts of a log in fewer bits: queue ids, message-ids, reply arguments are mostly of 16 or 64
 * different characters. Lossless for any bytes; what fits no alphabet stays as it is.
 */
#ifndef MT_STORE_TEXTPACK_H
#define MT_STORE_TEXTPACK_H

#include "store/base/str.h"

#include <stdint.h>

/* On disk: append only. */
enum text_form {
	TEXT_PLAIN,
	TEXT_HEX_UPPER, /* 0-9A-F, half a byte each */
	TEXT_HEX_LOWER, /* 0-9a-f */
	TEXT_DECIMAL, /* 0-9.-:+_ and REPLY_HOLE */
	TEXT_SIX_BITS, /* 0-9A-Za-z . and REPLY_HOLE */
	TEXT_FORM__COUNT
};

/* textpack_form - the shortest form of a text. textpack_bytes - how long n characters are in a form. */
enum text_form textpack_form(struct str text);
size_t textpack_bytes(enum text_form form, size_t n);
/* textpack_put - text in that form, at to. textpack_get - n characters back, at to. */
void textpack_put(enum text_form form, struct str text, unsigned char *to);
void textpack_get(enum text_form form, const unsigned char *packed, size_t n, char *to);

#endif
