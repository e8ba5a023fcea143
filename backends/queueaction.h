/* SPDX-License-Identifier: MIT */
/*
 * queueaction - what actions on any mail server's queue share: whose entries are still the ones that were shown, the
 * words of the outcome, the log of actions.
 *
 * Queue ids come back: the message meant a minute ago may be another one now. So right before an action the queue is
 * looked at again, and only ids whose arrival time (to the second) and sender are the same are acted on.
 */
#ifndef MT_BACKENDS_QUEUEACTION_H
#define MT_BACKENDS_QUEUEACTION_H

#include "backends/backend.h"
#include "store/base/map.h"

/* What became of the ids of an action. */
struct act_result {
	int64_t asked;
	int64_t malformed; /* not the shape of a queue id */
	int64_t gone; /* no longer in the queue */
	int64_t changed; /* another message by now: arrival or sender differ */
	int64_t passed; /* given to the server's tool */
	int64_t done; /* by that tool's own words */
};

enum act_fate { FATE_GONE, FATE_MALFORMED, FATE_REPEATED, FATE_CHANGED, FATE_SAME };

/* act_verb - the word of the log of actions ("hold"), or NULL for a job that is none. */
const char *act_verb(enum job_kind kind);
/* act_summary - "3 of 4 frozen, 1 no longer in the queue" and asked, done into out. left: words for passed and not done. */
void act_summary(struct job_output *out, const char *done_word, const char *left,
	const struct act_result *r, const char *error);
/* act_log - the action of out's figures and summary into the cache. As store_action_at. */
int act_log(const struct job_request *request, struct job_output *out,
	struct mt_error *reterr) MT_MUST_CHECK;

/* The ids of a request on their way to FATE_SAME. */
struct act_check {
	const struct job_request *request;
	const struct job_output *out;
	struct map index; /* queue id -> place in request->ids */
	unsigned char *fate; /* owned; enum act_fate */
};
/* act_check_init - malformed and repeated ids are told, the others are gone until seen. End with act_check_done. */
void act_check_init(struct act_check *c, const struct job_request *request,
	const struct job_output *out, bool (*id_ok)(struct str id));
void act_check_done(struct act_check *c);
/* act_check_row - a message of the queue as it is now. ctx: the struct act_check. MT_ECANCELED. */
int act_check_row(void *ctx, struct queue_row *row, struct mt_error *reterr);
/* act_check_count - the fates into *ret, a line to out for each id that is dropped; keep (may be NULL) gets the others. */
int act_check_count(const struct act_check *c, struct act_result *ret,
	int (*keep)(void *ctx, struct str id), void *ctx) MT_MUST_CHECK;
/* act_give_lines - text line by line to out, each with its offset in text. 0, or what out returned. */
int act_give_lines(struct str text, struct job_output *out);
/* act_canceled - has the person who asked gone? */
bool act_canceled(const struct job_output *out);

#endif
