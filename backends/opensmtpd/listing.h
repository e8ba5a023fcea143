/* SPDX-License-Identifier: MIT */
/*
 * opensmtpd/listing - the text of `smtpctl show queue`: an envelope a line, those of one message behind each other.
 *
 * A message is known by the first half of its envelopes' ids, as the log names it. Its size is not told.
 */
#ifndef MT_BACKENDS_OPENSMTPD_LISTING_H
#define MT_BACKENDS_OPENSMTPD_LISTING_H

#include "backends/postfix/queue_row.h"

struct opensmtpd_listing {
	struct arena arena; /* texts of the message being read */
	struct queue_rcpts rcpts;
	struct queue_row row;
	bool open; /* a message has begun */
	size_t inflight, suspended, tried,
		unknown; /* of its envelopes; unknown: when they are tried next */
	int64_t now_utc_ms;
	bool offline; /* smtpd does not run: the spool's own list */
	size_t bad;
};

#define OPENSMTPD_MSGID_BYTES 8

void opensmtpd_listing_init(struct opensmtpd_listing *l, int64_t now_utc_ms);
void opensmtpd_listing_done(struct opensmtpd_listing *l);
/*
 * opensmtpd_listing_line - one line without its newline.
 * Returns 1 when *ret is a whole message, the one before this line (valid until the next call), and the line is to be
 * given again; 0 when not; MT_ELIMIT, MT_ENOMEM. Source of the form: smtpctl(8), "show queue".
 */
int opensmtpd_listing_line(
	struct opensmtpd_listing *l, struct str line, struct queue_row *ret) MT_MUST_CHECK;
/* opensmtpd_listing_end - the last message: 1 and *ret, or 0. */
int opensmtpd_listing_end(struct opensmtpd_listing *l, struct queue_row *ret);
/* opensmtpd_is_msgid - 8 small hex digits. */
bool opensmtpd_is_msgid(struct str id);

#endif
