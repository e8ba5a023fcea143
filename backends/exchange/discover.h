/* SPDX-License-Identifier: MIT */
/* exchange/discover - the Exchange servers whose log folders were named; and the [exchange] section. */
#ifndef MT_BACKENDS_EXCHANGE_DISCOVER_H
#define MT_BACKENDS_EXCHANGE_DISCOVER_H

#include "backends/backend.h"

/* exchange_keys - the [exchange] section, alphabetized; for backend_ops.keys. */
#define EXCHANGE_NKEYS 2
extern const struct conf_key exchange_keys[EXCHANGE_NKEYS];

/* exchange_discover - backend_ops.discover: one provider a section that names a folder. */
int exchange_discover(const struct conf *conf,
	int (*found)(void *ctx, const struct instance_def *def), void *ctx,
	struct mt_error *reterr);

/* exchange_reads - of the logs that Exchange keeps in series of files (series.h), those that are read: by their prefix. */
bool exchange_reads(struct str prefix);

/* exchange_check - backend_ops.check. */
int exchange_check(
	const struct conf *conf, const struct instance_def *def, const struct check_report *report);

#endif
