/* SPDX-License-Identifier: MIT */
/*
 * timefmt - time stamps of logs into UTC ms, and UTC ms into text for people.
 *
 * Reading is a state machine because two stamps need memory: a stamp without a year (the newest year
 * that puts it no more than a day past `now`, never going back more than the file's own disorder) and
 * local time (zone offset cached a quarter of an hour; the hour that happens twice is resolved by order).
 */
#ifndef MT_BASE_TIMEFMT_H
#define MT_BASE_TIMEFMT_H

#include "store/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct timefmt {
	int64_t now_utc_ms; /* reference for year-less stamps; a follower keeps it current */
	int64_t newest_utc_ms; /* newest stamp given out; far below 0 at first */
	bool has_zone; /* offset_s is fixed, else the system zone (TZ) is used */
	int32_t offset_s; /* seconds east of UTC */
	int64_t cached_quarter; /* local quarter hour (local seconds / 900) the cached offset holds for */
	int32_t cached_offset_s;
	/* last second read, so that lines of one second cost a compare */
	char last_text[24];
	size_t last_len; /* 0 = none */
	uint8_t last_form; /* private */
	bool last_resolved; /* last_ms is known (a stamp with a zone never needs it) */
	int64_t last_local_s; /* the text as if it were UTC; of forms with a year */
	int64_t last_ms; /* the text without zone and fraction as UTC ms */
};

/*
 * timefmt_init - now_utc_ms: reference (the clock, or the mtime of a file read to its end);
 * zone_name: "UTC", "Z", "+01:00", "-0500", or NULL or "" = the system's zone.
 * Returns false, with the system's zone taken, when zone_name is none of these.
 */
bool timefmt_init(struct timefmt *t, int64_t now_utc_ms, const char *zone_name);

/*
 * timefmt_read - a stamp at the start of *in, which is advanced past it (not past the space behind).
 * Forms: RFC 3164 (space-padded, zero-padded or unpadded day, optional fraction), RFC 3339 / ISO 8601
 * (fraction and zone optional, zone with or without colon, Z), "YYYY Mon dd hh:mm:ss[.fff]",
 * "YYYY-MM-DD hh:mm:ss[.fff] [+ZZZZ]". Second 60 counts as 59; Feb 29 in a year without one is refused
 * (and, without a year, is put into the newest leap year). A local time that a DST change skips is read
 * with the offset before it; one that happens twice is the first unless that goes back over 5 minutes.
 * Returns false (nothing taken) when there is no stamp. *ret_utc_ms is UTC ms, >= 0, cut to the ms.
 */
bool timefmt_read(struct timefmt *t, struct str *in, int64_t *ret_utc_ms);

/* timefmt_civil_utc_ms - days-from-civil arithmetic; month 1..12; values must be valid. */
int64_t timefmt_civil_utc_ms(int year, int month, int day, int hour, int minute, int second);

/* Writers, local zone of the viewer: "12:04:31", "2026-11-23 12:04:31", and RFC 3339 UTC "…Z" with ms. */
void timefmt_clock(struct buf *out, int64_t utc_ms);
void timefmt_date_clock(struct buf *out, int64_t utc_ms);
void timefmt_rfc3339(struct buf *out, int64_t utc_ms);
/* timefmt_when - short: "12:04:31" today, "Mon 12:04" in the 6 days before, "2026-11-02" before. */
void timefmt_when(struct buf *out, int64_t utc_ms, int64_t now_utc_ms);
/* timefmt_age - "0s" "59s" "12m" "3h 04m" "3d 04h"; negative: "-" prefix. */
void timefmt_age(struct buf *out, int64_t ms);
/*
 * timefmt_parse_when - what a person types: RFC 3339, "YYYY-MM-DD[ hh:mm[:ss]]" local, "-2h" before now,
 * unix seconds (9 to 11 digits). MT_EINVAL.
 */
int timefmt_parse_when(struct str s, int64_t now_utc_ms, int64_t *ret_utc_ms) MT_MUST_CHECK;

#endif
