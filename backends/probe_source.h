/* SPDX-License-Identifier: MIT */
/*
 * probe_source - the source that probes by the [probe] section, and the job that does so when a person asks.
 *
 * One a machine, as sockets.h. Listeners, targets and relays every few minutes; other people's hosts once an hour, counted
 * over restarts.
 */
#ifndef MT_BACKENDS_PROBE_SOURCE_H
#define MT_BACKENDS_PROBE_SOURCE_H

#include "backends/backend.h"

extern const struct source_ops probesource;

/* probe_job - JOB_PROBE: those of the request, or all that are near; results into the cache of out, a line for each. */
int probe_job(const struct job_request *request, struct job_output *out,
	struct mt_error *reterr) MT_MUST_CHECK;

#endif
