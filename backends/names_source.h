/* SPDX-License-Identifier: MIT */
/* names_source - the source `dns`: own addresses and domains in the DNS. One a machine, as the sockets (sockets.h). */
#ifndef MT_BACKENDS_NAMES_SOURCE_H
#define MT_BACKENDS_NAMES_SOURCE_H

#include "backends/backend.h"

extern const struct source_ops namesource;

#endif
