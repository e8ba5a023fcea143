/* SPDX-License-Identifier: MIT */
/*
 * probe_round - some probes and, where one fails on port 25 of a server elsewhere, connections to 587 and 443 of the same host
 * to compare with; all results kept to the end.
 */
#ifndef MT_BACKENDS_PROBE_ROUND_H
#define MT_BACKENDS_PROBE_ROUND_H

#include "backends/probe.h"

struct probe_round;

/* probe_round_new - o: its done and ctx are not used. */
int probe_round_new(const struct probe_options *o, struct probe_round **ret,
	struct mt_error *reterr) MT_MUST_CHECK;
void probe_round_free(struct probe_round *r);
/* probe_round_add - as probe_set_add; one that is there already (host and port) is not added again. */
int probe_round_add(
	struct probe_round *r, const struct probe_ask *ask, struct mt_error *reterr) MT_MUST_CHECK;
/* probe_round_set - the set under it, to step, poll or finish. */
struct probe_set *probe_round_set(struct probe_round *r);
/* probe_round_results - those that ended so far, in that order; borrowed. */
const struct probe_result *probe_round_results(const struct probe_round *r, size_t *ret_n);

#endif
