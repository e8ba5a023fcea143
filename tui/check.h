/* SPDX-License-Identifier: MIT */
/*
 * check - `mtatop check WHAT`: one figure of the cache as a monitoring plugin tells it (Nagios, Icinga): one line with
 * perfdata, exit status 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN. Thresholds are ranges (range.h).
 *
 * A figure whose source was not looked at lately is UNKNOWN, never OK: CHECK_MAX_AGE_MS or --max-age.
 */
#ifndef MT_TUI_CHECK_H
#define MT_TUI_CHECK_H

#include "store/base/clock.h"
#include "store/base/err.h"

#include <stdio.h>

enum check_status { CHECK_OK, CHECK_WARNING, CHECK_CRITICAL, CHECK_UNKNOWN };

#define CHECK_MAX_AGE_MS 300000 /* five minutes: longer than any interval of a healthy source */
#define CHECK_MIN_N 100 /* final outcomes below which a rate says nothing */
#define CHECK_WINDOW_MS 3600000

struct check_options {
	const char *host; /* of port and certificate: HOST[:PORT]; NULL all */
	const char *cache_path;
	const char *
		what; /* a name of the table in check.c, told by CHECK in mtatop(1); NULL: UNKNOWN, with their names */
	const char *warning, *critical; /* ranges; NULL: the check's own defaults */
	const char *provider; /* name; NULL or "ALL": all together */
	int64_t window_ms; /* of rates; 0: CHECK_WINDOW_MS */
	int64_t max_age_ms; /* 0: CHECK_MAX_AGE_MS */
	int64_t min_n; /* negative: CHECK_MIN_N */
	const struct clock *clock;
	FILE *out;
};

/* check_run - print the one line. Never fails: what goes wrong is UNKNOWN with the reason. */
enum check_status check_run(const struct check_options *o);

#endif
