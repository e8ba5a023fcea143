/* SPDX-License-Identifier: MIT */
/* api_private - what api.c (the source) and api_plan.c (when an endpoint may be asked) share. */
#ifndef MT_BACKENDS_API_PRIVATE_H
#define MT_BACKENDS_API_PRIVATE_H

#include "backends/api.h"

void plan_init(struct api *a, int64_t requests_per_minute);
/* plan_due - should a round of e begin now? plan_may_ask - may its next request be sent now? */
bool plan_due(const struct api *a, size_t e);
bool plan_may_ask(struct api *a, size_t e);
/* plan_asked - a request of e was sent. */
void plan_asked(struct api *a, size_t e);
/* plan_well - it was answered well. plan_ended - its round is over: the next one an interval later. */
void plan_well(struct api *a, size_t e);
void plan_ended(struct api *a, size_t e, bool complete);
/* plan_failed - not answered, or not well: when it may be asked again, by the class of the error. */
void plan_failed(
	struct api *a, size_t e, const struct mt_error *error, const struct http_limit *limit);
/* plan_next_ms - time until something is due or may go on; at least 1. */
int64_t plan_next_ms(const struct api *a);
/* plan_store - the budgets that changed, into the batch. */
int plan_store(struct api *a, struct mt_error *reterr);
void plan_health(const struct api *a, struct source_health *out);
/* plan_settled - each endpoint had a round to its end, or failed: a single pass is over. */
bool plan_settled(const struct api *a);
/* plan_in_vain - nothing is under way, something failed, and others wait for what it was to tell; with its words. */
bool plan_in_vain(const struct api *a, struct mt_error *reterr);

#endif
