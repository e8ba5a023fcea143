/* SPDX-License-Identifier: MIT */
/*
 * sendmail/listing - the text of `mailq -v`, a line at a time: the queue of folders that may not be read.
 *
 * Addresses and reasons are cut as mailq cuts them; the arrival is read out of the id, since the time has no year. Pure.
 */
#ifndef MT_BACKENDS_SENDMAIL_LISTING_H
#define MT_BACKENDS_SENDMAIL_LISTING_H

#include "backends/postfix/queue_row.h"

struct sendmail_listing {
	struct arena arena; /* texts of the two messages below */
	struct queue_rcpts rcpts;
	struct queue_row row;
	struct str general; /* the message's reason */
	bool open, locked;
	int64_t now_ms; /* to find the century of ids */
	size_t bad; /* lines not understood */
};

/* sendmail_listing_init - as of now_ms. End with sendmail_listing_done. */
void sendmail_listing_init(struct sendmail_listing *l, int64_t now_ms);
void sendmail_listing_done(struct sendmail_listing *l);
/*
 * sendmail_listing_line - one line without its newline.
 * give is called with each message that ended by it; its views die with the call. Returns 0, what give returned,
 * MT_ELIMIT or MT_ENOMEM.
 */
int sendmail_listing_line(struct sendmail_listing *l, struct str line,
	int (*give)(void *ctx, struct queue_row *row), void *ctx) MT_MUST_CHECK;
/* sendmail_listing_end - the last message. */
int sendmail_listing_end(struct sendmail_listing *l, int (*give)(void *ctx, struct queue_row *row),
	void *ctx) MT_MUST_CHECK;

#endif
