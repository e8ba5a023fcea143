/* SPDX-License-Identifier: MIT */
/* opensmtpd/discover - the OpenSMTPD of this machine; and the [opensmtpd] section. */
#ifndef MT_BACKENDS_OPENSMTPD_DISCOVER_H
#define MT_BACKENDS_OPENSMTPD_DISCOVER_H

#include "backends/backend.h"

/* opensmtpd_keys - the [opensmtpd] section, alphabetized; for backend_ops.keys. */
#define OPENSMTPD_NKEYS 4
extern const struct conf_key opensmtpd_keys[OPENSMTPD_NKEYS];

/* opensmtpd_discover - backend_ops.discover. */
int opensmtpd_discover(const struct conf *conf,
	int (*found)(void *ctx, const struct instance_def *def), void *ctx,
	struct mt_error *reterr);

#endif
