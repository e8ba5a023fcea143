/* SPDX-License-Identifier: MIT */
/* collector_private - what collector.c (the loop) and collector_new.c (setting it up) share. */
#ifndef MT_BACKENDS_COLLECTOR_PRIVATE_H
#define MT_BACKENDS_COLLECTOR_PRIVATE_H

#include "backends/alerts.h"
#include "backends/collector.h"
#include "backends/instances.h"
#include "backends/schedule.h"
#include "store/base/log.h"

struct slot { /* one source of one provider */
	const struct source_ops *ops;
	const struct instance *instance;
	void *state; /* owned */
	struct backend_env env;
	struct schedule schedule;
	struct mt_error error;
	struct log_repeat fault;
	bool ready, again, waiting, poked;
	unsigned rounds;
	int64_t stepped_mono_ms, next_health_mono_ms, told_newest_ms;
	enum health told_health;
};

struct collector {
	const struct clock *clock;
	struct clock own_clock;
	struct store_lock *lock; /* owned until the store has it; NULL */
	struct store *store; /* owned */
	struct alerts *alerts; /* owned; NULL: none */
	bool committed; /* since the alerts looked last */
	struct instances instances;
	struct slot *slots; /* owned */
	size_t nslots;
	bool until_caught_up;
	bool store_failed, stalled, uncommitted, bulk, failed_once;
	bool heavy; /* the last commit had much to write */
	struct mt_error first_error;
	struct log_repeat commit_fault;
	int notify_fd;
	int stop_pipe[2];
	int64_t next_commit_mono_ms, next_prune_mono_ms, next_progress_mono_ms, next_rules_mono_ms;
	void (*progress)(void *ctx, const struct collector_progress *p);
	void *progress_ctx;
};

#endif
