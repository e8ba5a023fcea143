/* SPDX-License-Identifier: MIT */
/* alert_eval - the figure of a rule from the cache. */
#ifndef MT_STORE_ALERT_EVAL_H
#define MT_STORE_ALERT_EVAL_H

#include "store/alert.h"
#include "store/store_read.h"
#include "store/warmup_conf.h"

/*
 * alert_read - the figure of a rule at now. Inside a snapshot.
 * plans   of warm-ups, for gate; may be NULL.
 * mark    of the rule's state; moved on by NEW_SIGNATURE.
 * A figure of a source that still reads back, or was never looked at, is not known. Errors: the reader's.
 */
int alert_read(struct reader *r, const struct alert_rule *rule, const struct warmup_plans *plans,
	int64_t now_ms, int64_t *mark, struct alert_value *out,
	struct mt_error *reterr) MT_MUST_CHECK;

#endif
