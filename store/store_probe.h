/* SPDX-License-Identifier: MIT */
/* store_probe - looks at SMTP ports into the cache, and whom the log says mail goes to; included by backends. */
#ifndef MT_STORE_STORE_PROBE_H
#define MT_STORE_STORE_PROBE_H

#include "store/base/arena.h"
#include "store/probe.h"
#include "store/store_write.h"

/* store_probes - results as the newest of their targets, each change as a row of history, in a transaction of its own. Those of
 * targets not looked at for 7 days leave the cache. */
int store_probes(struct store *s, const struct probe_result *results, size_t n,
	struct mt_error *reterr) MT_MUST_CHECK;
/* store_probes_at - the same from another thread or process. */
int store_probes_at(const char *path, const struct probe_result *results, size_t n, int64_t now_ms,
	struct mt_error *reterr) MT_MUST_CHECK;

struct probe_memory { /* what the cache has of a target */
	unsigned flags; /* enum probe_flag */
	int64_t not_after_ms; /* EVENT_UNKNOWN: no certificate */
};
/* store_probe_memory - false: nothing. */
bool store_probe_memory(struct store *s, struct str host, int port, struct probe_memory *ret);
/* store_probe_newest - when a target of that role was looked at last; 0 never. */
int64_t store_probe_newest(struct store *s, enum probe_role role);
/*
 * store_busy_hosts - hosts that most mail went to in the 24 hours before now_ms, busiest first, max at most; none where
 * nothing went out by port 25. Names that can't be hosts elsewhere are left out. Copied into a.
 */
int store_busy_hosts(struct store *s, int64_t now_ms, size_t max, struct arena *a, struct str **ret,
	size_t *ret_n, struct mt_error *reterr) MT_MUST_CHECK;

#endif
