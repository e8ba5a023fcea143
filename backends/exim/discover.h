/* SPDX-License-Identifier: MIT */
/* exim/discover - the Exim of this machine, where it logs and where it spools; and the [exim] section. */
#ifndef MT_BACKENDS_EXIM_DISCOVER_H
#define MT_BACKENDS_EXIM_DISCOVER_H

#include "backends/backend.h"

/* exim_keys - the [exim] section, alphabetized; for backend_ops.keys. */
#define EXIM_NKEYS 5
extern const struct conf_key exim_keys[EXIM_NKEYS];

/*
 * exim_main_log - the file of the main log that a log_file_path names (Exim Specification 53.1): of its colon-separated
 * items the first with a "%s", which stands for "main"; other %-items (dates) are left as they are.
 * Returns false, *ret empty, when it has none ("syslog"), or one that changes with the date.
 */
bool exim_main_log(struct str log_file_path, char *ret, size_t max);

/* exim_program - path of the exim program: the configuration's, else the system's; NULL if there is none. Gives. */
char *exim_program(const struct conf *conf);

/* exim_dump_program - path of exim_dumpdb: beside the exim program, else the system's; NULL if there is none. Gives. */
char *exim_dump_program(const struct conf *conf);

/* exim_frozen_timeout_ms - timeout_frozen_after: how old a frozen message gets; 0: it stays; EVENT_UNKNOWN. Runs exim. */
int64_t exim_frozen_timeout_ms(const struct conf *conf);

/* exim_discover - backend_ops.discover. */
int exim_discover(const struct conf *conf, int (*found)(void *ctx, const struct instance_def *def),
	void *ctx, struct mt_error *reterr);

#endif
