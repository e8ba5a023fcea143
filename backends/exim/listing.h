/* SPDX-License-Identifier: MIT */
/*
 * exim/listing - the text of `exim -bpru`, a line at a time: the queue of a spool that may not be read.
 *
 * It tells neither who was tried already nor why; a message that is not frozen is taken for deferred. Sizes are rounded
 * from 1 KiB on, and unknown then. The arrival is read out of the id, which the age is only a rounding of.
 */
#ifndef MT_BACKENDS_EXIM_LISTING_H
#define MT_BACKENDS_EXIM_LISTING_H

#include "backends/postfix/queue_row.h"

struct exim_listing {
	struct arena arena; /* texts of the message being read */
	struct queue_rcpts rcpts;
	struct queue_row row;
	bool open; /* a message has begun */
	size_t bad; /* messages and lines not understood */
};

void exim_listing_init(struct exim_listing *l);
void exim_listing_done(struct exim_listing *l);
/*
 * exim_listing_line - one line without its newline; a blank one ends a message.
 * Returns 1 when l->row is a whole message (valid until the next call), 0 when not, MT_ELIMIT or MT_ENOMEM.
 */
int exim_listing_line(struct exim_listing *l, struct str line) MT_MUST_CHECK;

#endif
