/* SPDX-License-Identifier: MIT */
/*
 * sendmail/qfile - a queue control file (qfID): envelope, tries, who is still to be delivered to and why not yet.
 *
 * Pure. Source of the format: Sendmail Installation and Operation Guide, appendix B; readqf() of queue.c. Takes any bytes.
 */
#ifndef MT_BACKENDS_SENDMAIL_QFILE_H
#define MT_BACKENDS_SENDMAIL_QFILE_H

#include "backends/postfix/queue_row.h"

struct sendmail_qfile {
	struct str sender; /* without its angle brackets */
	struct str quarantine; /* why; absent: it is not */
	int64_t arrival_ms; /* T, UTC */
	int64_t tried_ms; /* K: the last try; EVENT_UNKNOWN before the first */
	int64_t tries; /* N; EVENT_UNKNOWN */
	struct queue_rcpts rcpts;
};

/*
 * sendmail_qfile_parse - the whole file. *q is overwritten except rcpts, whose memory is used again; views into bytes.
 * Returns 0, MT_EINVAL (not such a file, or not whole), MT_ELIMIT, MT_ENOMEM. End with sendmail_qfile_done.
 */
int sendmail_qfile_parse(struct str bytes, struct sendmail_qfile *q) MT_MUST_CHECK;
void sendmail_qfile_done(struct sendmail_qfile *q);

/* sendmail_id_time_ms - when a queue id of 8.12 and later was given out, by its first six characters; the century that
 * is nearest to now_ms. EVENT_UNKNOWN if it is none. */
int64_t sendmail_id_time_ms(struct str id, int64_t now_ms);

#endif
