/* SPDX-License-Identifier: MIT */
/*
 * sockets - the source that samples this machine's TCP sockets on the mail ports (sockdiag.h, sockstat.h). One a
 * machine: the first provider found here has it, for all of them. Generic: no family's own.
 *
 * A walk costs what there are sockets; the interval is stretched so that it stays within a hundredth of a core.
 */
#ifndef MT_BACKENDS_SOCKETS_H
#define MT_BACKENDS_SOCKETS_H

#include "backends/backend.h"

extern const struct source_ops socketsource;
/* hostsource - how the machine fares (host.c); has its place beside it. */
extern const struct source_ops hostsource;

#endif
