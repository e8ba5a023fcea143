/* SPDX-License-Identifier: MIT */
/*
 * exim/header - an Exim spool header file (ID-H): envelope, state, and who is still to be delivered to.
 *
 * Pure. Source of the format: The Exim Specification, chapter 57 "Format of spool files". Takes any bytes.
 */
#ifndef MT_BACKENDS_EXIM_HEADER_H
#define MT_BACKENDS_EXIM_HEADER_H

#include "backends/postfix/queue_row.h"

struct exim_header {
	struct str id, sender; /* sender without its angle brackets */
	int64_t received_ms; /* UTC ms; seconds of precision */
	bool frozen;
	int64_t frozen_ms; /* since when; EVENT_UNKNOWN */
	bool first_try; /* no delivery was tried yet */
	int64_t header_bytes; /* of the headers that are sent; EVENT_UNKNOWN if they can't be added up */
	struct queue_rcpts left; /* not delivered to yet, by header and journal; addr alone */
	size_t nrcpt; /* of all */
};

/*
 * exim_header_parse - bytes is the whole file, journal that of ID-J (addresses done since the header was written), or
 * empty. *h is overwritten except left, whose memory is used again; its views point into bytes.
 * Returns 0, MT_EINVAL (not such a file), MT_ELIMIT, MT_ENOMEM. End with exim_header_done.
 */
int exim_header_parse(struct str bytes, struct str journal, struct exim_header *h) MT_MUST_CHECK;
void exim_header_done(struct exim_header *h);

/* exim_id_time_ms - when the message arrived, by its id: seconds since 1970 in base 62. EVENT_UNKNOWN if it is none. */
int64_t exim_id_time_ms(struct str id);

#endif
