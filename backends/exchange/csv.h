/* SPDX-License-Identifier: MIT */
/*
 * exchange/csv - records and fields of RFC 4180 as Exchange writes them: a quoted field may hold commas, "" for a
 * quote, and line ends. Pure, bounded, nothing copied but what must be unescaped.
 */
#ifndef MT_BACKENDS_EXCHANGE_CSV_H
#define MT_BACKENDS_EXCHANGE_CSV_H

#include "store/base/str.h"

#include <stdint.h>

#define CSV_RECORD_MAX_BYTES                                                                       \
	(64u << 10) /* over several lines; a longer one is taken for its first line */
#define CSV_RECORD_MAX_LINES 64
#define CSV_FIELDS_MAX 64 /* Exchange writes 30 at most; what is behind is not looked at */

/*
 * csv_record - length of the record at the start of in, its line end included. A field that is opened and never properly
 * closed (a line torn by a crash) makes the record end with its first line.
 * final   nothing follows: what has no line end is a record too.
 * Returns 0 when more bytes are needed, or there are none.
 */
size_t csv_record(struct str in, bool final);

struct csv_fields {
	struct str field[CSV_FIELDS_MAX]; /* without the outer quotes */
	uint64_t escaped; /* bit i: field i has "" in it that stands for " */
	size_t n; /* all there are, those past CSV_FIELDS_MAX counted too */
};

/* csv_split - the fields of one record, its line end taken off. */
void csv_split(struct str record, struct csv_fields *out);

/*
 * csv_unescape - field with each "" made one ". *ret_at is where to write in scratch (size max) and is advanced; what
 * has no room is cut.
 */
struct str csv_unescape(struct str field, char *scratch, size_t max, size_t *ret_at);

#endif
