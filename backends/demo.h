/* SPDX-License-Identifier: MIT */
/*
 * demo - a made-up mail server: writes a Postfix log of its own into a scratch folder, an hour of
 * history at once and then live, for --demo. Everything shown goes through the real parser and store.
 *
 * Deterministic: the same start time gives the same lines.
 */
#ifndef MT_BACKENDS_DEMO_H
#define MT_BACKENDS_DEMO_H

#include "store/base/buf.h"

#include <stdint.h>

struct demo;

/*
 * demo_start - make the folder (0700), write the history, start the writer thread.
 * live   false: only the history (for --once and tests).
 * Folders that killed demos of this user left are removed. From here to demo_stop SIGHUP, SIGINT, SIGQUIT and SIGTERM
 * are blocked in the calling thread, so that none ends the program with the folder left; demo_stop, to be called by
 * the same thread, lets them come.
 * Gives *ret; end with demo_stop. Errors: MT_EIO, MT_EFULL, MT_EPERM.
 */
int demo_start(
	int64_t now_utc_ms, bool live, struct demo **ret, struct mt_error *reterr) MT_MUST_CHECK;
/* demo_log, demo_cache - absolute paths within the folder; borrowed. */
const char *demo_log(const struct demo *d);
const char *demo_cache(const struct demo *d);
/* demo_stop - end the thread, remove the folder with all in it, free. NULL accepted. */
void demo_stop(struct demo *d);

struct demo_model;
/* demo_model_new / _free - the traffic generator alone; lines begin at from_utc_ms. Gives. */
struct demo_model *demo_model_new(int64_t from_utc_ms);
void demo_model_free(struct demo_model *m);
/* demo_model_until - append all lines stamped before until_utc_ms, in order of time, each with its newline. */
int demo_model_until(struct demo_model *m, int64_t until_utc_ms, struct buf *out) MT_MUST_CHECK;

#endif
