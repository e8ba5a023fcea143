/* SPDX-License-Identifier: MIT */
/*
 * hook - programs a person has run at an alert: which may be, what they are told, and those that run.
 *
 * A hook gets one JSON object on standard input and nothing else: no arguments, no shell, PATH and LANG alone. It is
 * ended after HOOK_TIMEOUT_MS or when it writes more than HOOK_OUTPUT_MAX_BYTES, which nobody reads.
 */
#ifndef MT_BACKENDS_HOOK_H
#define MT_BACKENDS_HOOK_H

#include "store/store_alert.h"

#include <poll.h>

#define HOOK_TIMEOUT_MS 30000
#define HOOK_OUTPUT_MAX_BYTES 65536
#define HOOKS_RUNNING_MAX 4
#define HOOKS_PER_MINUTE 20 /* of all rules together */

/* hook_trusted - is it a program that only root or this user can change, it and every folder on the way? *ret_why: the
 * fix, static. */
bool hook_trusted(const char *path, const char **ret_why);

/* hook_json - what a hook is told of an alert. host: of this machine. */
int hook_json(struct buf *out, const struct alert_entry *e, enum alert_event event, int64_t now_ms,
	const char *host);

struct hooks; /* those that run */
struct hooks *hooks_new(int64_t timeout_ms); /* 0: HOOK_TIMEOUT_MS. Gives. */
/* hooks_free - those that run are killed. */
void hooks_free(struct hooks *h);
/* hooks_may_start - is there room, now and in this minute. */
bool hooks_may_start(struct hooks *h, int64_t now_mono_ms);
/* hooks_start - MT_EPERM (not trusted, or the helper refuses), MT_ENOENT, MT_EIO. name: of the rule, copied. */
int hooks_start(struct hooks *h, const char *path, const char *name, struct str input,
	int64_t now_mono_ms, struct mt_error *reterr) MT_MUST_CHECK;
size_t hooks_fds(const struct hooks *h, struct pollfd *out, size_t max);
/* hooks_step - move on; calls ended(ctx, rule's name, why) for each that ended; why NULL: with exit status 0. */
void hooks_step(
	struct hooks *h, void (*ended)(void *ctx, const char *name, const char *why), void *ctx);
size_t hooks_running(const struct hooks *h);

#endif
