/* SPDX-License-Identifier: MIT */
/* probe_plan - whom to probe: listeners of this machine, those the configuration names, hosts of the busiest destinations. */
#ifndef MT_BACKENDS_PROBE_PLAN_H
#define MT_BACKENDS_PROBE_PLAN_H

#include "backends/probe_round.h"
#include "store/base/conf.h"
#include "store/store_probe.h"

struct probe_plan { /* all borrowed */
	const struct conf *conf;
	struct store *store; /* what is known of a target, ports of services; NULL: neither */
	bool strict; /* check also chains that are known to lead nowhere */
};

/* probe_plan_near - listeners, targets and relays into round. */
int probe_plan_near(const struct probe_plan *p, struct probe_round *round,
	struct mt_error *reterr) MT_MUST_CHECK;
/* probe_plan_far - hosts most mail went to by the log. */
int probe_plan_far(const struct probe_plan *p, int64_t now_ms, struct probe_round *round,
	struct mt_error *reterr) MT_MUST_CHECK;
/* probe_plan_one - a target as it was probed before. */
int probe_plan_one(const struct probe_plan *p, const char *host, int port, enum probe_role role,
	struct probe_round *round, struct mt_error *reterr) MT_MUST_CHECK;

#endif
