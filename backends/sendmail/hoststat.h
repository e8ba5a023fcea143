/* SPDX-License-Identifier: MIT */
/*
 * sendmail/hoststat - the persistent host status: how the last connection to each host went, as hoststat(8) prints it.
 *
 * A file a host below HostStatusDirectory, in a folder a label of its name, the last label first. Source: mci_store_persistent().
 */
#ifndef MT_BACKENDS_SENDMAIL_HOSTSTAT_H
#define MT_BACKENDS_SENDMAIL_HOSTSTAT_H

#include "store/base/buf.h"
#include "store/base/str.h"

#include <stdint.h>

struct sendmail_host {
	int64_t exit_status; /* sysexits(3); 0 well */
	int64_t updated_ms; /* EVENT_UNKNOWN */
	struct str text; /* the last reply, or why not; a view */
};

/* sendmail_host_parse - the bytes of one file. False: it is none. */
bool sendmail_host_parse(struct str bytes, struct sendmail_host *ret);
/* sendmail_hoststat_describe - "; hoststat: 12 hosts, 2 failing" behind what out has; nothing when there is none to read. */
void sendmail_hoststat_describe(const char *folder, struct buf *out);

#endif
