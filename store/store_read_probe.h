/* SPDX-License-Identifier: MIT */
/* store_read_probe - what looks at SMTP ports found, for screens and checks; included by store_read.h. */
#ifndef MT_STORE_STORE_READ_PROBE_H
#define MT_STORE_STORE_READ_PROBE_H

#include "store/probe.h"
#include "store/store_read.h"

/* read_probes - the newest look at each target, whichever window: t_ms tells its age. Own listeners first. */
int read_probes(struct reader *r, struct arena *a, struct probe_result **ret, size_t *ret_n,
	struct mt_error *reterr) MT_MUST_CHECK;
struct probe_change_row {
	int64_t id, t_ms;
	struct str host;
	int port;
	enum probe_change what;
	int64_t before,
		after; /* of outcomes: enum probe_outcome; of certificates: their end, UTC ms */
	struct str detail;
};
/* read_probe_changes - what changed between two looks, newest first. limit 0: 1000. */
int read_probe_changes(struct reader *r, int limit, struct arena *a, struct probe_change_row **ret,
	size_t *ret_n, struct mt_error *reterr) MT_MUST_CHECK;

#endif
