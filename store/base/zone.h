/* SPDX-License-Identifier: MIT */
/*
 * zone - days of a time zone other than the system's: the account's at a vendor, by which its counters are cut.
 *
 * Reads compiled zones (TZif, RFC 8536) by itself: TZ and tzset(3) are one for the whole process, and the screen's
 * thread shows local times meanwhile.
 */
#ifndef MT_BASE_ZONE_H
#define MT_BASE_ZONE_H

#include "store/base/err.h"
#include "store/base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* One of the two changes a year a POSIX TZ rule tells: Mm.w.d/time. */
struct zone_rule {
	int month, week, day; /* 1..12, 1..5 (5 the last), 0..6 (0 Sunday) */
	int32_t time_s; /* local time of the change */
};

struct zone {
	int64_t *at; /* owned; UTC seconds of the changes, ascending */
	int32_t *offset; /* owned; seconds east of UTC from at[i] on */
	size_t n;
	int32_t before_s; /* before the first change */
	int32_t std_s, dst_s; /* after the last: by rule if has_rule, else std_s */
	bool has_rule, has_tail;
	struct zone_rule begin, end; /* of daylight saving time */
};

/*
 * zone_load - name: an IANA name ("America/Denver"), a fixed offset ("+05:30", "-07:00:30"), or "UTC", "" or NULL.
 * MT_ECONFIG: not known on this machine, or damaged. *z is usable (as UTC) after a failure too. End with zone_done.
 */
int zone_load(struct zone *z, const char *name, struct mt_error *reterr) MT_MUST_CHECK;
/* zone_read - the same from the bytes of a compiled zone file. MT_EINVAL. */
int zone_read(struct zone *z, struct str bytes, struct mt_error *reterr) MT_MUST_CHECK;
void zone_done(struct zone *z);

/* zone_offset - seconds east of UTC at an instant. */
int32_t zone_offset(const struct zone *z, int64_t utc_s);
/* zone_day - day number (since 1970-01-01, civil) of an instant in the zone. */
int64_t zone_day(const struct zone *z, int64_t utc_s);
/* zone_midnight - UTC seconds at which a civil day begins: its 00:00, or the first instant of it where a change skips
 * that; where 00:00 comes twice, one of them. The next day's is 23 to 25 hours later. */
int64_t zone_midnight(const struct zone *z, int64_t day);

/* zone_date - "2026-11-25" of a day number into text (11 bytes at least). zone_parse_date - the way back; false: no date. */
void zone_date(int64_t day, char *text, size_t size);
bool zone_parse_date(struct str text, int64_t *ret_day);

#endif
