/* SPDX-License-Identifier: MIT */
/* exim/discover - the Exim of this machine, where it logs and where it spools; and the [exim] section. */
#ifndef MT_BACKENDS_EXIM_DISCOVER_H
#define MT_BACKENDS_EXIM_DISCOVER_H

#include "backends/backend.h"

/* exim_keys - the [exim] section, alphabetized; for backend_ops.keys. */
#define EXIM_NKEYS 2
extern const struct conf_key exim_keys[EXIM_NKEYS];

/*
 * exim_main_log - the file of the main log that a log_file_path names (Exim Specification 53.1): of its colon-separated
 * items the first with a "%s", which stands for "main"; other %-items (dates) are left as they are.
 * Returns false, *ret empty, when it has none ("syslog"), or one that changes with the date.
 */
bool exim_main_log(struct str log_file_path, char *ret, size_t max);

/* exim_discover - backend_ops.discover. */
int exim_discover(const struct conf *conf, int (*found)(void *ctx, const struct instance_def *def),
	void *ctx, struct mt_error *reterr);

#endif
