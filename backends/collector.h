/* SPDX-License-Identifier: MIT */
/*
 * collector - the one loop that runs every source of every provider and commits their batches.
 *
 * One thread, one store writer. `mtatop collect` runs it in the foreground; the dashboard runs it
 * in a thread and hears of commits through notify_fd alone.
 */
#ifndef MT_BACKENDS_COLLECTOR_H
#define MT_BACKENDS_COLLECTOR_H

#include "store/base/clock.h"
#include "store/base/conf.h"
#include "store/base/err.h"
#include "store/service.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct collector;

struct collector_progress {
	int64_t done_bytes, total_bytes;
	const char *what;
};

struct alert_rules;
struct store_lock;
struct warmup_plans;

struct collector_options {
	const struct conf *conf; /* borrowed */
	const struct clock *clock; /* borrowed; NULL = real */
	const char *cache_path;
	const char *rules_path; /* a person's explain.conf, read anew when it changes; NULL: none */
	const char *const *logs; /* --log FILE...; with these nothing is discovered */
	size_t nlogs;
	bool made_up; /* the logs are the demo's */
	bool until_caught_up; /* read everything there is, commit, return */
	const struct alert_rules *alerts; /* borrowed; NULL: none */
	const struct warmup_plans *warmups; /* borrowed; may be NULL */
	int notify_fd; /* one byte is written after each commit; -1 = none; never blocks */
	void (*progress)(void *ctx,
		const struct collector_progress *p); /* at most 5 a second; may be NULL */
	void *progress_ctx;
	struct store_lock *
		lock; /* from collector_lock, given to the collector whatever collector_new returns; NULL: take it */
};

/* collector_lock - the place of a collector that has ended, for who watched it: as store_lock_left. Give it to
 * collector_new, or back by collector_unlock. */
int collector_lock(
	const char *cache_path, struct store_lock **ret, struct mt_error *reterr) MT_MUST_CHECK;
void collector_unlock(struct store_lock *lock);

/* collector_new - open the store, find the providers. Errors as store_open; MT_ENOENT when no mail system
 * and no log was found. Gives *ret. */
int collector_new(const struct collector_options *options, struct collector **ret,
	struct mt_error *reterr) MT_MUST_CHECK;
/* collector_run - until stopped (0) or, with until_caught_up, until done (0). Negative: the store failed for good. */
int collector_run(struct collector *c, struct mt_error *reterr) MT_MUST_CHECK;
/* collector_stop - ask run to return soon; from any thread or a signal handler. */
void collector_stop(struct collector *c);
/* collector_reload - look at once whether the rules changed; from any thread or a signal handler. */
void collector_reload(struct collector *c);
/* collector_notice - store_notice of its store. */
const char *collector_notice(const struct collector *c);
void collector_free(struct collector *c);

/* services_new - the job table for a screen on this cache (own threads). Works with and without a
 * collector in this process. read_write allows actions. Gives; end with services_free. */
struct services *services_new(const struct conf *conf, const char *cache_path,
	const char *const *logs, size_t nlogs, bool read_write);
/* services_demo - the cache is a demo's: its vendor accounts can be asked, too. */
void services_demo(struct services *s);
void services_free(struct services *s);

/* replay - parse a file ("-" = stdin) with the named family and print one JSON object a recognised line.
 * Returns 0, MT_ENOENT (no such family or file), MT_EIO. */
int replay_run(const char *family, const char *path, struct mt_error *reterr) MT_MUST_CHECK;

/* doctor_run - print what was found, what can't be read and the exact fix. Returns the number of problems. */
int doctor_run(const struct conf *conf, const char *cache_path);

#endif
