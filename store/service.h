/* SPDX-License-Identifier: MIT */
/*
 * service - what a screen may ask of the backends beyond the cache: jobs that run in a thread of
 * their own and give back lines of text. tui/main.c hands the table to the screens, so tui needs
 * no header of backends/.
 */
#ifndef MT_STORE_SERVICE_H
#define MT_STORE_SERVICE_H

#include "store/base/err.h"
#include "store/base/str.h"

#include <stdint.h>

enum job_kind {
	JOB_LOG_TAIL, /* about the last max_lines lines of the provider's log, before t1_ms if that is not 0 */
	JOB_LOG_FIND, /* lines of t0..t1 that hold one of the queue ids */
	JOB_QUEUE_FILE, /* headers of a queued message (postcat -h) */
	JOB_HOLD,
	JOB_RELEASE,
	JOB_REQUEUE,
	JOB_DELETE,
	JOB_EXPIRE, /* actions on ids */
	JOB_FLUSH, /* the whole queue */
	JOB_UNSUPPRESS, /* take addresses off a vendor's suppression list; of ids: qid the address, sender the list's
			   scope (store_api.h) */
	JOB_DETAIL, /* what the vendor knows of the message ids[0].qid; as lines; no action */
	JOB_PROBE /* look at SMTP ports now, results into the cache; of ids: qid the host, arrival_ms the port, sender the
		     role (probe_role_word); none: listeners of this machine and [probe] targets, relays; no action */
};

struct job_id { /* identity of a queue entry, re-checked right before an action */
	struct str qid, sender;
	int64_t arrival_ms;
};

struct job_request { /* copied by start */
	enum job_kind kind;
	int provider;
	struct str provider_name; /* which instance on this machine; absent: the only one */
	int64_t t0_ms, t1_ms;
	size_t max_lines;
	int64_t after_offset; /* JOB_LOG_TAIL to the end: only what came after this offset; 0 none */
	int64_t last_offset; /* the same for a log whose offsets are no bytes (journal): that of the last line had */
	const struct job_id *ids;
	size_t nids;
	int list; /* JOB_UNSUPPRESS: enum api_list */
};

struct job_line {
	struct str text;
	int64_t offset;
};

enum job_state { JOB_RUNNING, JOB_DONE, JOB_FAILED };

struct job; /* owned by who started it */

struct services {
	void *ctx;
	bool read_write; /* actions allowed */
	/* start - begin a job. Gives *ret (end with drop). MT_EPERM: an action without --read-write. */
	int (*start)(void *ctx, const struct job_request *request, struct job **ret,
		struct mt_error *reterr);
	/* state - where it stands; when not RUNNING, *ret_error (may be NULL) has the failure. Never blocks. */
	enum job_state (*state)(struct job *job, struct mt_error *ret_error);
	/* lines - result lines of a DONE job, borrowed until drop; summary: one sentence for the status line. */
	const struct job_line *(*lines)(struct job *job, size_t *ret_n);
	const char *(*summary)(struct job *job);
	/* acknowledge - the alert of this name was seen by who runs this. MT_ENOENT: it does not fire; MT_EBUSY. May be NULL. */
	int (*acknowledge)(void *ctx, struct str name, struct mt_error *reterr);
	/* drop - cancel if running, free. NULL accepted. */
	void (*drop)(struct job *job);
};

#endif
