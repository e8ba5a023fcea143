/* SPDX-License-Identifier: MIT */
/* postfix/master_private - the services of a master.cf, for master.c (ports) and egress.c (sending IPs) only. */
#ifndef MT_BACKENDS_POSTFIX_MASTER_PRIVATE_H
#define MT_BACKENDS_POSTFIX_MASTER_PRIVATE_H

#include "backends/postfix/master.h"

#define ENTRIES_MAX 256 /* services of a master.cf that are looked at */

struct entry {
	struct str service, type, command;
	struct str syslog_name, smtpd_service, bind, bind6; /* as overridden; absent if not */
	int wrapper; /* EVENT_UNKNOWN: as main.cf */
};

struct entries {
	struct entry e[ENTRIES_MAX];
	size_t n;
};

/* master_read - services `keep` wants, with their overrides. Views into the texts. */
void master_read(struct str services, struct str params, bool (*keep)(const struct entry *e),
	struct entries *all);

#endif
