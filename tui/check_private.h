/* SPDX-License-Identifier: MIT */
/* check_private - what check.c and the files with its larger checks share. */
#ifndef MT_TUI_CHECK_PRIVATE_H
#define MT_TUI_CHECK_PRIVATE_H

#include "store/base/arena.h"
#include "store/base/buf.h"
#include "store/store_read.h"
#include "tui/check.h"

/* What a check found. value is compared with the ranges. */
struct found {
	double value; /* NAN: unknown */
	const char *reason; /* why it is unknown, or why an alert is not raised */
	bool bad; /* CRITICAL whatever the value */
	bool quiet; /* known, but of too few to say anything: OK whatever the value */
	const char *of; /* what was looked at: "queue", "log"; NULL: its age is the figure itself */
	int64_t looked_ms; /* when that was; EVENT_UNKNOWN: never */
	int64_t max_age_ms; /* when that is too old, if nobody says else; 0: CHECK_MAX_AGE_MS */
	struct buf text; /* the sentence behind the status */
	struct buf more; /* perfdata behind the first */
};

struct check {
	const struct check_options *o;
	const struct what *what;
	struct reader *reader;
	struct arena arena;
	struct query query;
	int64_t now_ms;
	struct provider_row *providers;
	size_t nproviders;
	struct mt_error error;
};

struct what {
	const char *name, *label, *unit, *warning, *critical;
	double min, max; /* of perfdata; NAN: none */
	int arg;
	int (*look)(struct check *c, struct found *f);
};

/* check_dnsbl - own addresses on block lists. */
int check_dnsbl(struct check *c, struct found *f);
/* check_port - the slowest greeting of the targets; one that is not open is CRITICAL. check_certificate - the fewest days
 * left. Of --host, else of listeners of this machine, [probe] targets and relays. */
int check_port(struct check *c, struct found *f);
int check_certificate(struct check *c, struct found *f);

#endif
