/* SPDX-License-Identifier: MIT */
/*
 * spawn - run a program without a shell and stream its output.
 *
 * argv[0] is an absolute path; the environment is reduced to PATH, LANG=C, MAIL_CONFIG (if given);
 * stderr is kept apart and capped. Works from the collector's loop (fds + step) and, blocking,
 * from a job thread (spawn_run).
 */
#ifndef MT_BACKENDS_SPAWN_H
#define MT_BACKENDS_SPAWN_H

#include "store/base/buf.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

struct spawn_request {
	const char *const *argv; /* NULL-terminated, argv[0] absolute */
	const char *mail_config; /* value of MAIL_CONFIG for the child, or NULL */
	struct str input; /* given on stdin, then closed; copied */
	int64_t timeout_ms; /* killed after that (SIGTERM, then SIGKILL) */
	size_t max_bytes; /* of stdout; more is MT_ELIMIT and ends the child */
	bool leave; /* spawn_close lets it go on: a program that must not be ended half-way */
	bool merge_stderr; /* stderr goes the way of stdout; spawn_stderr stays empty */
};

struct spawn;
#define SPAWN_FDS_MAX 3 /* stdout, stderr, a timer for the time-out */
typedef int (*spawn_bytes_fn)(void *ctx, struct str bytes);

/* spawn_open - start the child. MT_ENOENT / MT_EPERM / MT_EIO. Gives *ret; end with spawn_close. */
int spawn_open(const struct spawn_request *request, struct spawn **ret,
	struct mt_error *reterr) MT_MUST_CHECK;
/* spawn_fds - what to poll; returns the number filled (at most 3). */
size_t spawn_fds(const struct spawn *s, struct pollfd *out, size_t max);
/* spawn_step - move what is ready, non-blocking; out gets stdout bytes. 1 = still running, 0 = ended and
 * reaped (see spawn_exit_code), negative: MT_ELIMIT, MT_EIO, MT_ECANCELED after the time-out, or what out returned. */
int spawn_step(
	struct spawn *s, spawn_bytes_fn out, void *ctx, struct mt_error *reterr) MT_MUST_CHECK;
/* spawn_wait - blocking: step until the end. Returns the exit code (>= 0) or a negative mt_err, as spawn_step.
 * The child is still to be closed with spawn_close. */
int spawn_wait(
	struct spawn *s, spawn_bytes_fn out, void *ctx, struct mt_error *reterr) MT_MUST_CHECK;
/* spawn_exit_code - 0..255, or 128 + signal. Only after spawn_step returned 0. */
int spawn_exit_code(const struct spawn *s);
/* spawn_stderr - the first 4 KiB of stderr, raw bytes. Borrowed. */
struct str spawn_stderr(const struct spawn *s);
/* spawn_close - kill if running (or let it go on, with leave), reap, free. NULL accepted. */
void spawn_close(struct spawn *s);
/* spawn_run - blocking: run to the end, stdout into out. Returns the exit code (>= 0) or a negative mt_err. */
int spawn_run(const struct spawn_request *request, struct buf *out,
	struct mt_error *reterr) MT_MUST_CHECK;
/* spawn_find_tool - absolute path of an executable program of a mail server in the system's folders, or NULL. Gives. */
char *spawn_find_tool(const char *name);

#endif
