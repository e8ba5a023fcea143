/* SPDX-License-Identifier: MIT */
/*
 * postfix/act - hold, release, requeue, delete, expire, flush: by postsuper(1) and postqueue(1).
 *
 * Queue ids come back: the message meant a minute ago may be another one now. So right before
 * postsuper runs, the queue is listed again and only ids whose arrival time and sender are still the
 * same are passed on, by stdin, never as arguments. What it does not do: decide whether actions are
 * allowed (services does), or become root.
 */
#ifndef MT_BACKENDS_POSTFIX_ACT_H
#define MT_BACKENDS_POSTFIX_ACT_H

#include "backends/backend.h"
#include "backends/postfix/config.h"
#include "backends/queueaction.h"

/* act_done_count - the figure of postsuper's summary line ("postsuper: Deleted: 3 messages"); EVENT_UNKNOWN if it is
 * another line. */
int64_t act_done_count(struct str line);

/*
 * act_on_ids - re-check and run postsuper for JOB_HOLD .. JOB_EXPIRE.
 * out   gets a line for each id that was dropped and for each of postsuper's; may say canceled.
 * Returns 0 with *ret filled (also when nothing was left to do), or as queue_list_step and spawn_run, MT_EIO with
 * postsuper's words when it refused.
 */
int act_on_ids(const struct postfix_config *c, const struct job_request *request,
	struct job_output *out, struct act_result *ret, struct mt_error *reterr) MT_MUST_CHECK;

#endif
