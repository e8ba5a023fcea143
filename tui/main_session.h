/* SPDX-License-Identifier: MIT */
/*
 * main_session - what main sets up for every command: configuration, cache path, and (for screens) the
 * collector in a thread of its own, or the discovery that another process collects already.
 */
#ifndef MT_TUI_MAIN_SESSION_H
#define MT_TUI_MAIN_SESSION_H

#include "backends/collector.h"
#include "backends/demo.h"
#include "store/alert.h"
#include "store/warmup_conf.h"
#include "store/explain/explain.h"
#include "tui/args.h"

#include <pthread.h>

struct session {
	const struct args *args;
	struct conf_table tables[16]; /* borrowed by conf */
	struct conf *conf; /* owned */
	struct warmup_plans warmups; /* owned */
	struct alert_rules alerts;
	const char *hooks[ALERTS_MAX + 1]; /* of the alerts, NULL-terminated */
	char *conf_path; /* owned; the file it was read from, NULL when there is none */
	struct clock clock;
	char *cache_path; /* owned */
	char *rules_path; /* owned; a person's explain.conf, there or not */
	const char **logs; /* borrowed from args, or demo_logs */
	size_t nlogs;
	const char *demo_logs[2];
	struct demo *demo; /* owned; NULL without */
	struct collector
		*collector; /* owned; NULL when attached. Under lock once the thread has started */
	struct services *services; /* owned */
	char *notice; /* owned; NULL none */
	bool attached; /* another process collects; the screen's thread alone asks */
	struct store_lock
		*left; /* owned; the place of a collector that ended, on its way to the thread */
	int64_t next_look_mono_ms, free_mono_ms; /* for it; free_mono_ms: first found free, 0 not */
	int notify[2]; /* pipe: the collector writes, the screen reads */
	pthread_t thread;
	bool thread_started;
	pthread_mutex_t lock; /* over collector, closing, failed, error */
	bool closing, failed;
	struct mt_error error;
};

/* session_open - defaults, configuration file, cache path. MT_ECONFIG, MT_EPERM, MT_ENOENT (a --config that is not there). */
int session_open(struct session *s, const struct args *args, struct mt_error *reterr) MT_MUST_CHECK;
/* session_demo - make the demo's log and point cache and logs at it. live: keep it moving. */
int session_demo(struct session *s, bool live, struct mt_error *reterr) MT_MUST_CHECK;
/* session_collect - open the collector; until_caught_up: run it here to its end. Else start its thread.
 * When another process collects on this cache: attached, 0. MT_ENOENT: no mail system and no log found. */
int session_collect(struct session *s, bool until_caught_up, struct mt_error *reterr) MT_MUST_CHECK;
/* session_confine - give up what is no longer needed (backends/sandbox.h); before the first thread. */
void session_confine(struct session *s);
/* session_failed - has the collector thread given up? Fills *ret_error. ctx is the session. */
bool session_failed(void *ctx, struct mt_error *ret_error);
/*
 * session_takes_over - attached: has the collector ended, and this process begun to collect in its place? Asked by the
 * screen each round, it looks every few seconds. Returns what to tell the person, once; NULL no. ctx is the session.
 */
const char *session_takes_over(void *ctx);
void session_close(struct session *s);

/* main_alerts - `mtatop alerts`. */
int main_alerts(struct session *s, struct mt_error *reterr) MT_MUST_CHECK;
/* main_dns - `mtatop dns`. */
int main_dns(struct session *s, struct mt_error *reterr) MT_MUST_CHECK;
/* main_probe - `mtatop probe`. *ret_up: all targets are. */
int main_probe(struct session *s, bool *ret_up, struct mt_error *reterr) MT_MUST_CHECK;
/* main_warmup - `mtatop warmup`. */
int main_warmup(struct session *s, struct mt_error *reterr) MT_MUST_CHECK;

/* main_conf_tables - every key table of the program; returns how many. */
size_t main_conf_tables(struct conf_table *out, size_t max);
/* main_dump_config - the configuration in force as a commented file, on standard output. */
void main_dump_config(const struct conf *conf);
/* main_cache_path - where the cache is: --cache, [mtatop] cache, STATE_DIRECTORY, root's or the user's own. Gives. */
char *main_cache_path(const struct args *args, const struct conf *conf);

#endif
