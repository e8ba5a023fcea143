/* SPDX-License-Identifier: MIT */
/*
 * exim/retry - when Exim tries a recipient again, by its retry database as exim_dumpdb(8) prints it.
 *
 * Keys: "R:domain", "R:address", "R:address:<sender>" of routing and of refused recipients, "T:host:ip" of hosts,
 * "T:address" of local deliveries, each also with ":ID" for one message. Source: The Exim Specification, chapter 32.
 */
#ifndef MT_BACKENDS_EXIM_RETRY_H
#define MT_BACKENDS_EXIM_RETRY_H

#include "store/base/map.h"
#include "store/base/str.h"

#include <stdint.h>

struct exim_retry {
	struct map next; /* key -> UTC ms */
	bool known; /* the database was read */
};

/* Who is to be tried: views; absent what is not known. */
struct exim_retry_of {
	struct str id, sender, rcpt;
	struct str host, ip; /* tried last */
};

void exim_retry_init(struct exim_retry *r);
void exim_retry_done(struct exim_retry *r);
/* exim_retry_parse - the whole output of `exim_dumpdb -z SPOOL retry` (times in UTC). Takes any bytes; more than a
 * million keys are not kept. Returns the number of records. */
size_t exim_retry_parse(struct exim_retry *r, struct str text);
/* exim_retry_next - no try of this recipient before that; UTC ms, or EVENT_UNKNOWN: nothing is noted. */
int64_t exim_retry_next(const struct exim_retry *r, const struct exim_retry_of *of);

#endif
