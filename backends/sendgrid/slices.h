/* SPDX-License-Identifier: MIT */
/*
 * slices - which stretch of time to ask the email logs of next. /v3/logs has no pages: an answer of as many rows as the
 * limit may have left some out, so the stretch is halved and asked again, down to one second.
 *
 * New messages are read up to now, a little of the past each time, since they appear late; and the last 72 hours are
 * gone over again and again, a part a round, because the status of a message changes until its last retry (SendGrid
 * gives up after 72 h). Pure.
 */
#ifndef MT_BACKENDS_SENDGRID_SLICES_H
#define MT_BACKENDS_SENDGRID_SLICES_H

#include <stdbool.h>
#include <stdint.h>

#define SLICES_OVERLAP_S 900
#define SLICES_AGAIN_S (72 * 3600)
#define SLICES_AGAIN_ROUNDS 30 /* in how many rounds the last 72 hours are gone over */

struct slices {
	int64_t done_s; /* all created before this has been read once: the cursor */
	int64_t again_s; /* where the second reading stands */
	int64_t at_s, end_s; /* the stretch under way: [at_s, end_s) is still to be asked */
	int64_t step_s; /* how much at a time: halved when an answer is full, doubled when it is nearly empty */
	bool again; /* the stretch is one of the second reading */
	int64_t truncated; /* seconds of which not all messages could be had */
};

/* slices_init - since_s: nothing earlier is read; done_s: the cursor, or since_s. */
void slices_init(struct slices *s, int64_t since_s, int64_t done_s);
/* slices_begin - a round begins at now_s: the new messages first. */
void slices_begin(struct slices *s, int64_t now_s);
/* slices_next - what to ask; false: the round is over. */
bool slices_next(struct slices *s, int64_t now_s, int64_t *from_s, int64_t *to_s);
/* slices_answered - the answer to what slices_next gave had so many rows. */
void slices_answered(struct slices *s, int64_t to_s, uint64_t rows, uint64_t limit);

#endif
