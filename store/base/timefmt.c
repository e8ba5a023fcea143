/* SPDX-License-Identifier: MIT */
/*
 * timefmt - reading of log time stamps; see timefmt.h.
 *
 * A stamp is a head (down to the second) and a tail (fraction, zone). Lines of one second share their
 * head, so the head is compared with the last one before it is taken apart. Local time is turned into
 * UTC with an offset that is looked up once a quarter of an hour: zones change only on these.
 */
#include "store/base/timefmt.h"

#include "store/base/scan.h"

#include <assert.h>
#include <time.h>

#define MS_PER_S INT64_C(1000)
#define S_PER_MINUTE 60
#define S_PER_HOUR 3600
#define S_PER_DAY INT64_C(86400)
#define S_PER_QUARTER 900
#define MS_PER_DAY (S_PER_DAY * MS_PER_S)

#define AHEAD_MS MS_PER_DAY /* a year-less stamp may be so far past now: clocks differ */
#define JUMP_AHEAD_MS (7 * MS_PER_DAY) /* or so far, if it would else fall back by a year */
#define DISORDER_MS (30 * MS_PER_DAY) /* falling back more than this is not disorder of a file */
#define FOLD_DISORDER_MS                                                                           \
	(5 * 60 * MS_PER_S) /* lines of several writers are out of order by seconds */
#define ZONE_MOST_EAST_S (14 * S_PER_HOUR) /* Kiritimati */
#define YEARS_BACK 9 /* 1896 to 1904 is the longest way between leap years */
#define YEAR_MIN 1970
#define YEAR_MAX 9999

/* What may follow the head. */
enum form {
	FORM_YEARLESS, /* Mon dd hh:mm:ss: fraction */
	FORM_YEAR, /* YYYY Mon dd hh:mm:ss: fraction */
	FORM_ISO, /* YYYY-MM-DDThh:mm:ss: fraction, zone */
	FORM_ISO_SPACE /* YYYY-MM-DD hh:mm:ss: fraction, zone also behind a space */
};

struct civil {
	int year; /* 0 = not given */
	int month, day, hour, minute, second;
};

static int64_t days_from_civil(int year, int month, int day)
{
	/* Howard Hinnant's algorithm: years begin in March, so the leap day is the last. */
	int64_t y = year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

static int64_t civil_s(const struct civil *c, int year)
{
	return days_from_civil(year, c->month, c->day) * S_PER_DAY + (int64_t)c->hour * S_PER_HOUR +
	       c->minute * S_PER_MINUTE + c->second;
}

int64_t timefmt_civil_utc_ms(int year, int month, int day, int hour, int minute, int second)
{
	struct civil c = {year, month, day, hour, minute, second};

	return civil_s(&c, year) * MS_PER_S;
}

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* ---- local time ---- */

static int32_t offset_at(int64_t utc_s)
{
	time_t when = (time_t)utc_s;
	struct tm tm;

	return localtime_r(&when, &tm) ? (int32_t)tm.tm_gmtoff : 0;
}

/*
 * The offsets that hold a day before and after tell whether a change is near; if so, an offset is
 * possible when looking it up at the instant it leads to gives it back.
 */
static int32_t system_offset(struct timefmt *t, int64_t local_s)
{
	int64_t quarter = local_s / S_PER_QUARTER;
	int32_t before, after;
	bool first, second;
	int64_t second_ms;

	if (quarter == t->cached_quarter)
		return t->cached_offset_s;
	before = offset_at(local_s - S_PER_DAY);
	after = offset_at(local_s + S_PER_DAY);
	first = offset_at(local_s - before) == before;
	second = before != after && offset_at(local_s - after) == after;
	if (first && second) {
		/* The hour that happens twice: not cached, the order decides line by line. */
		second_ms = (local_s - after) * MS_PER_S;
		if ((local_s - before) * MS_PER_S < t->newest_utc_ms - FOLD_DISORDER_MS &&
			t->newest_utc_ms <= second_ms + FOLD_DISORDER_MS)
			return after;
		return before;
	}
	t->cached_quarter = quarter;
	t->cached_offset_s = second ? after : before;
	return t->cached_offset_s;
}

static int64_t local_to_utc_ms(struct timefmt *t, int64_t local_s)
{
	int32_t offset_s = t->has_zone ? t->offset_s : system_offset(t, local_s);

	return (local_s - offset_s) * MS_PER_S;
}

/* ---- the year ---- */

static bool in_year(
	struct timefmt *t, const struct civil *c, int year, int64_t latest_ms, int64_t *ret_ms)
{
	int64_t local_s, ms;

	if (c->day > days_in_month(year, c->month))
		return false;
	local_s = civil_s(c, year);
	/* Far off years are told without the zone, which would spoil the cached offset. */
	if ((local_s - ZONE_MOST_EAST_S) * MS_PER_S > latest_ms)
		return false;
	ms = local_to_utc_ms(t, local_s);
	if (ms > latest_ms)
		return false;
	*ret_ms = ms;
	return true;
}

static bool resolve_yearless(struct timefmt *t, const struct civil *c, int64_t *ret_ms)
{
	int64_t now_ms = t->now_utc_ms;
	time_t soon_s = (time_t)((now_ms + AHEAD_MS) / MS_PER_S + ZONE_MOST_EAST_S);
	struct tm soon;
	int year, newest_year;
	int64_t ms = 0, later_ms;

	if (!gmtime_r(&soon_s, &soon))
		return false;
	newest_year = soon.tm_year + 1900;
	for (year = newest_year; !in_year(t, c, year, now_ms + AHEAD_MS, &ms); year--)
		if (year <= newest_year - YEARS_BACK)
			return false;
	if (t->newest_utc_ms <= now_ms + JUMP_AHEAD_MS && ms < t->newest_utc_ms - DISORDER_MS &&
		in_year(t, c, year + 1, now_ms + JUMP_AHEAD_MS, &later_ms))
		ms = later_ms;
	*ret_ms = ms;
	return true;
}

/* ---- heads ---- */

static bool two_digits(struct str *in, int min, int max, int *ret)
{
	int value;

	if (in->n < 2 || !scan_is_digit(in->p[0]) || !scan_is_digit(in->p[1]))
		return false;
	value = (in->p[0] - '0') * 10 + (in->p[1] - '0');
	if (value < min || value > max)
		return false;
	*in = str_skip(*in, 2);
	*ret = value;
	return true;
}

static bool take_char(struct str *in, char c)
{
	if (in->n == 0 || in->p[0] != c)
		return false;
	*in = str_skip(*in, 1);
	return true;
}

static bool read_clock(struct str *in, struct civil *c)
{
	if (!two_digits(in, 0, 23, &c->hour) || !take_char(in, ':') ||
		!two_digits(in, 0, 59, &c->minute) || !take_char(in, ':') ||
		!two_digits(in, 0, 60, &c->second))
		return false;
	/* A leap second has no UTC ms of its own. */
	if (c->second == 60)
		c->second = 59;
	return true;
}

static bool read_year(struct str *in, int *ret)
{
	int year = 0;

	if (in->n < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		if (!scan_is_digit(in->p[i]))
			return false;
		year = year * 10 + (in->p[i] - '0');
	}
	if (year < YEAR_MIN || year > YEAR_MAX)
		return false;
	*in = str_skip(*in, 4);
	*ret = year;
	return true;
}

/* "Oct  1 11:47:51", "Mar 02 ...", "Jul 2 ..." */
static bool read_month_form(struct str *in, struct civil *c)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	uint64_t day;

	if (in->n < 3)
		return false;
	for (c->month = 1; c->month <= 12; c->month++)
		if (memcmp(in->p, names + (c->month - 1) * 3, 3) == 0)
			break;
	if (c->month > 12)
		return false;
	*in = str_skip(*in, 3);
	if (!take_char(in, ' '))
		return false;
	take_char(in, ' ');
	if (!scan_u64(in, 2, 31, &day) || day == 0)
		return false;
	c->day = (int)day;
	return take_char(in, ' ') && read_clock(in, c);
}

static bool read_iso_form(struct str *in, struct civil *c, enum form *ret_form)
{
	if (!take_char(in, '-') || !two_digits(in, 1, 12, &c->month) || !take_char(in, '-') ||
		!two_digits(in, 1, 31, &c->day))
		return false;
	if (take_char(in, ' '))
		*ret_form = FORM_ISO_SPACE;
	else if (take_char(in, 'T') || take_char(in, 't'))
		*ret_form = FORM_ISO;
	else
		return false;
	return read_clock(in, c);
}

static bool read_head_civil(struct str *in, struct civil *c, enum form *ret_form)
{
	*ret_form = FORM_YEARLESS;
	if (!read_year(in, &c->year)) {
		if (!read_month_form(in, c))
			return false;
		/* Feb 29 is left to the choice of the year. */
		return c->day <= days_in_month(2000, c->month);
	}
	if (take_char(in, ' ')) {
		*ret_form = FORM_YEAR;
		if (!read_month_form(in, c))
			return false;
	} else if (!read_iso_form(in, c, ret_form)) {
		return false;
	}
	return c->day <= days_in_month(c->year, c->month);
}

/* Takes the head and makes it the last one; on failure the last one stays. */
static bool read_head(struct timefmt *t, struct str *in)
{
	struct str rest = *in;
	struct civil c = {0};
	enum form form;
	int64_t ms;
	size_t len;

	if (!read_head_civil(&rest, &c, &form))
		return false;
	if (form == FORM_YEARLESS) {
		if (!resolve_yearless(t, &c, &ms))
			return false;
		t->last_ms = ms;
	} else {
		t->last_local_s = civil_s(&c, c.year);
	}
	len = in->n - rest.n;
	assert(len <= sizeof(t->last_text));
	memcpy(t->last_text, in->p, len);
	t->last_len = len;
	t->last_form = (uint8_t)form;
	t->last_resolved = form == FORM_YEARLESS;
	*in = rest;
	return true;
}

/* ---- tails ---- */

static int64_t read_fraction_ms(struct str *in, enum form form)
{
	int64_t ms = 0;
	size_t i = 1;

	if (in->n < 2 || !scan_is_digit(in->p[1]))
		return 0;
	if (in->p[0] != '.' && !(in->p[0] == ',' && form >= FORM_ISO))
		return 0;
	for (; i < in->n && scan_is_digit(in->p[i]); i++)
		if (i <= 3)
			ms = ms * 10 + (in->p[i] - '0');
	if (i == 2)
		ms *= 100;
	else if (i == 3)
		ms *= 10;
	*in = str_skip(*in, i);
	return ms;
}

/* "+01:00", "+0100", "+01" */
static bool read_offset(struct str *in, int32_t *ret_offset_s)
{
	struct str rest = *in;
	int hours, minutes = 0;
	int sign;

	if (take_char(&rest, '+'))
		sign = 1;
	else if (take_char(&rest, '-'))
		sign = -1;
	else
		return false;
	if (!two_digits(&rest, 0, 23, &hours))
		return false;
	if (take_char(&rest, ':')) {
		if (!two_digits(&rest, 0, 59, &minutes))
			return false;
	} else {
		two_digits(&rest, 0, 59, &minutes);
	}
	*in = rest;
	*ret_offset_s = sign * (hours * S_PER_HOUR + minutes * S_PER_MINUTE);
	return true;
}

static bool read_zone(struct str *in, enum form form, int32_t *ret_offset_s)
{
	struct str rest = *in;

	if (form < FORM_ISO || in->n == 0)
		return false;
	if (take_char(in, 'Z') || take_char(in, 'z')) {
		*ret_offset_s = 0;
		return true;
	}
	if (read_offset(in, ret_offset_s))
		return true;
	/* Behind a space only the four digit form is a zone for certain. */
	if (form != FORM_ISO_SPACE || !take_char(&rest, ' ') || rest.n < 5 || rest.p[3] == ':' ||
		!read_offset(&rest, ret_offset_s) || in->n - rest.n != 6)
		return false;
	if (rest.n > 0 && rest.p[0] != ' ')
		return false;
	*in = rest;
	return true;
}

bool timefmt_init(struct timefmt *t, int64_t now_utc_ms, const char *zone_name)
{
	struct str zone = str_of(zone_name);

	*t = (struct timefmt){
		.now_utc_ms = now_utc_ms,
		.newest_utc_ms = INT64_MIN / 2,
		.cached_quarter = INT64_MIN,
	};
	tzset();
	if (zone.n == 0)
		return true;
	if (str_ieq(zone, STR_LIT("UTC")) || str_ieq(zone, STR_LIT("Z")))
		t->has_zone = true;
	else
		t->has_zone = read_offset(&zone, &t->offset_s) && zone.n == 0;
	return t->has_zone;
}

/* A stamp is not cut out of a longer word, nor a zone that can't be read left out. */
static bool ends_well(struct str rest, enum form form)
{
	if (rest.n == 0)
		return true;
	if (scan_is_alnum(rest.p[0]))
		return false;
	return form < FORM_ISO || rest.n < 2 || (rest.p[0] != '+' && rest.p[0] != '-') ||
	       !scan_is_digit(rest.p[1]);
}

bool timefmt_read(struct timefmt *t, struct str *in, int64_t *ret_utc_ms)
{
	struct str rest = *in;
	enum form form;
	int32_t offset_s;
	int64_t fraction_ms, ms;

	if (t->last_len > 0 && rest.n >= t->last_len &&
		memcmp(rest.p, t->last_text, t->last_len) == 0)
		rest = str_skip(rest, t->last_len);
	else if (!read_head(t, &rest))
		return false;
	form = (enum form)t->last_form;
	fraction_ms = read_fraction_ms(&rest, form);
	if (read_zone(&rest, form, &offset_s)) {
		ms = (t->last_local_s - offset_s) * MS_PER_S;
	} else {
		if (!t->last_resolved)
			t->last_ms = local_to_utc_ms(t, t->last_local_s);
		t->last_resolved = true;
		ms = t->last_ms;
	}
	ms += fraction_ms;
	if (ms < 0 || !ends_well(rest, form))
		return false;
	if (ms > t->newest_utc_ms)
		t->newest_utc_ms = ms;
	*in = rest;
	*ret_utc_ms = ms;
	return true;
}
