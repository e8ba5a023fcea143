/* SPDX-License-Identifier: MIT */
/* exchange/source - the `log` source of the exchange family: folders followed, or files given. */
#ifndef MT_BACKENDS_EXCHANGE_SOURCE_H
#define MT_BACKENDS_EXCHANGE_SOURCE_H

#include "backends/backend.h"

extern const struct source_ops exchange_source;

#endif
