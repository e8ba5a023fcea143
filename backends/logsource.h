/* SPDX-License-Identifier: MIT */
/* logsource - the generic `log` source: a followed log, through the family's parser, into the store. */
#ifndef MT_BACKENDS_LOGSOURCE_H
#define MT_BACKENDS_LOGSOURCE_H

#include "backends/backend.h"

extern const struct source_ops logsource;

#endif
