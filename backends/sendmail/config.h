/* SPDX-License-Identifier: MIT */
/*
 * sendmail/config - what sendmail.cf and submit.cf say of the queue: where it is, how long a message may stay.
 *
 * Source of the form: Sendmail Installation and Operation Guide, 5. Lines that are not asked for are passed over.
 */
#ifndef MT_BACKENDS_SENDMAIL_CONFIG_H
#define MT_BACKENDS_SENDMAIL_CONFIG_H

#include "store/base/err.h"
#include "store/base/str.h"

#include <stdint.h>

#define SENDMAIL_QUEUES_MAX 16 /* folders of queue groups */
#define SENDMAIL_PATH_BYTES 512

struct sendmail_config {
	char queue[SENDMAIL_QUEUES_MAX]
		  [SENDMAIL_PATH_BYTES]; /* a '*' at the end: every folder that begins so */
	size_t nqueues;
	char host_status[SENDMAIL_PATH_BYTES], pid_file[SENDMAIL_PATH_BYTES]; /* "" if not given */
	int64_t return_ms,
		bounce_return_ms; /* Timeout.queuereturn; EVENT_UNKNOWN where it goes by class */
	int64_t log_level; /* 9 if not given */
	int64_t min_age_ms; /* MinQueueAge; 0 if not given */
};

/* sendmail_config_parse - the options of a configuration file. Paths that are none or too long are left out. */
void sendmail_config_parse(struct sendmail_config *c, struct str text);
/* sendmail_config_load - from a file. Fills *c also on failure. MT_ENOENT, MT_EPERM, MT_EIO, MT_ELIMIT. */
int sendmail_config_load(
	struct sendmail_config *c, const char *path, struct mt_error *reterr) MT_MUST_CHECK;
/* sendmail_interval_ms - "5d", "1h30m": a time with its units; EVENT_UNKNOWN if it is none. */
int64_t sendmail_interval_ms(struct str s);
/* sendmail_run_interval_ms - of the command line in a pid file ("PID\nsendmail -bd -q10m"): the time between queue runs.
 * EVENT_UNKNOWN where it tells none. */
int64_t sendmail_run_interval_ms(struct str pid_file_text);

#endif
