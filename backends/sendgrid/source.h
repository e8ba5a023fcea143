/* SPDX-License-Identifier: MIT */
/* source - the `api` source of a SendGrid account, and where its API is. */
#ifndef MT_BACKENDS_SENDGRID_SOURCE_H
#define MT_BACKENDS_SENDGRID_SOURCE_H

#include "backends/backend.h"

extern const struct source_ops sendgrid_source;

/* sendgrid_base - base URL by region, or as configured. section: NULL plain. */
const char *sendgrid_base(const struct conf *conf, const char *section);

#endif
