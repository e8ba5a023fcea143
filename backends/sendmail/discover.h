/* SPDX-License-Identifier: MIT */
/* sendmail/discover - the Sendmail of this machine; and the [sendmail] section. */
#ifndef MT_BACKENDS_SENDMAIL_DISCOVER_H
#define MT_BACKENDS_SENDMAIL_DISCOVER_H

#include "backends/backend.h"

/* sendmail_keys - the [sendmail] section, alphabetized; for backend_ops.keys. */
#define SENDMAIL_NKEYS 7
extern const struct conf_key sendmail_keys[SENDMAIL_NKEYS];

/* sendmail_discover - backend_ops.discover. */
int sendmail_discover(const struct conf *conf,
	int (*found)(void *ctx, const struct instance_def *def), void *ctx,
	struct mt_error *reterr);

#endif
