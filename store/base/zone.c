/* SPDX-License-Identifier: MIT */
/* zone - see zone.h. TZif files by RFC 8536, their closing TZ rule by POSIX (the M form, which is all that tzdata writes). */
#include "store/base/zone.h"

#include "store/base/mem.h"
#include "store/base/scan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_S 3600
#define DAY_S 86400
#define OFFSET_MAX_S (26 * HOUR_S) /* RFC 8536 section 3.2 */
#define FILE_MAX_BYTES (256u << 10) /* the largest is 4 KiB */
#define CHANGES_MAX 10000
#define HEAD_BYTES 44

static const char *const folders[] = {"/usr/share/zoneinfo", "/usr/lib/zoneinfo",
	"/usr/share/lib/zoneinfo", "/var/db/timezone/zoneinfo"};

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* civil_day - days since 1970-01-01 of a date (proleptic Gregorian); month 1..12. */
static int64_t civil_day(int64_t year, int month, int day)
{
	int64_t y = year - (month <= 2), era = floor_div(y, 400), of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void civil_date(int64_t day_number, int64_t *ret_year, int *ret_month, int *ret_day)
{
	int64_t z = day_number + 719468, era = floor_div(z, 146097), of_era = z - era * 146097;
	int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * y + y / 4 - y / 100), m = (5 * of_year + 2) / 153;

	*ret_day = (int)(of_year - (153 * m + 2) / 5 + 1);
	*ret_month = (int)(m < 10 ? m + 3 : m - 9);
	*ret_year = y + era * 400 + (*ret_month <= 2);
}

static int days_in_month(int64_t year, int month)
{
	int64_t next = month == 12 ? civil_day(year + 1, 1, 1) : civil_day(year, month + 1, 1);

	return (int)(next - civil_day(year, month, 1));
}

void zone_date(int64_t day, char *text, size_t size)
{
	int64_t year;
	int month, of_month;

	civil_date(day, &year, &month, &of_month);
	snprintf(text, size, "%04d-%02d-%02d", (int)(year % 10000), month, of_month);
}

bool zone_parse_date(struct str text, int64_t *ret_day)
{
	uint64_t year, month, day;

	if (text.n < 10 || text.p[4] != '-' || text.p[7] != '-' ||
		!scan_all_u64(str_first(text, 4), 9999, &year) ||
		!scan_all_u64(str_make(text.p + 5, 2), 12, &month) ||
		!scan_all_u64(str_make(text.p + 8, 2), 31, &day))
		return false;
	if (text.n > 10 && scan_is_digit(text.p[10]))
		return false;
	if (year < 1 || month < 1 || day < 1 || (int)day > days_in_month((int64_t)year, (int)month))
		return false;
	*ret_day = civil_day((int64_t)year, (int)month, (int)day);
	return true;
}

/* read_clock - "h", "hh:mm", "hh:mm:ss" with an optional sign, in seconds. */
static bool read_clock(struct str *in, int32_t *ret_s)
{
	bool minus = in->n && in->p[0] == '-';
	int32_t total = 0, unit = HOUR_S;
	uint64_t n;

	if (in->n && (in->p[0] == '-' || in->p[0] == '+'))
		*in = str_skip(*in, 1);
	for (int i = 0; i < 3; i++, unit /= 60) {
		if (!scan_u64(in, 3, i ? 59 : 167, &n))
			return false;
		total += (int32_t)n * unit;
		if (in->n == 0 || in->p[0] != ':')
			break;
		*in = str_skip(*in, 1);
	}
	*ret_s = minus ? -total : total;
	return true;
}

static bool is_name_byte(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool skip_abbreviation(struct str *in)
{
	struct str word;

	if (in->n && in->p[0] == '<') {
		*in = str_skip(*in, 1);
		if (!scan_until(in, '>', &word))
			return false;
		*in = str_skip(*in, 1);
		return true;
	}
	return scan_while(in, is_name_byte).n >= 3;
}

static bool read_rule(struct str *in, struct zone_rule *r)
{
	uint64_t month, week, day;

	if (!scan_lit(in, STR_LIT(",M")) || !scan_u64(in, 2, 12, &month) ||
		!scan_lit(in, STR_LIT(".")) || !scan_u64(in, 1, 5, &week) ||
		!scan_lit(in, STR_LIT(".")) || !scan_u64(in, 1, 6, &day) || !month || !week)
		return false;
	*r = (struct zone_rule){(int)month, (int)week, (int)day, 2 * HOUR_S};
	return !scan_lit(in, STR_LIT("/")) || read_clock(in, &r->time_s);
}

/* read_tail - the TZ string behind the changes: "MST7MDT,M3.2.0,M11.1.0", "<+0530>-5:30". POSIX counts west. */
static bool read_tail(struct zone *z, struct str tail)
{
	if (tail.n == 0)
		return true; /* RFC 8536 section 3.3: none may be told */
	if (!skip_abbreviation(&tail) || !read_clock(&tail, &z->std_s))
		return false;
	z->std_s = -z->std_s;
	z->has_tail = true;
	if (tail.n == 0)
		return true;
	if (!skip_abbreviation(&tail))
		return false;
	z->dst_s = z->std_s + HOUR_S;
	if (tail.n && tail.p[0] != ',') {
		if (!read_clock(&tail, &z->dst_s))
			return false;
		z->dst_s = -z->dst_s;
	}
	z->has_rule = true;
	return read_rule(&tail, &z->begin) && read_rule(&tail, &z->end) && tail.n == 0;
}

static uint32_t be32(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;

	return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

static int64_t be64(const char *p)
{
	return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

struct head { /* counts of RFC 8536 section 3.1 */
	uint32_t isutc, isstd, leap, times, types, chars;
};

/* read_head - take a header; *ret_bytes: length of the data block behind it with times of width bytes. */
static bool read_head(struct str *in, struct head *h, size_t width, size_t *ret_bytes)
{
	if (in->n < HEAD_BYTES || memcmp(in->p, "TZif", 4) != 0)
		return false;
	*h = (struct head){be32(in->p + 20), be32(in->p + 24), be32(in->p + 28), be32(in->p + 32),
		be32(in->p + 36), be32(in->p + 40)};
	*in = str_skip(*in, HEAD_BYTES);
	if (h->isutc > 256 || h->isstd > 256 || h->leap > 1000 || h->times > CHANGES_MAX ||
		h->types == 0 || h->types > 256 || h->chars > 65536)
		return false;
	*ret_bytes = h->times * (width + 1) + h->types * 6 + h->chars + h->leap * (width + 4) +
		     h->isstd + h->isutc;
	return *ret_bytes <= in->n;
}

static bool read_changes(struct zone *z, struct str data, const struct head *h, size_t width)
{
	const char *index = data.p + h->times * width, *types = index + h->times;

	z->at = xcalloc(h->times + 1, sizeof(z->at[0]));
	z->offset = xcalloc(h->times + 1, sizeof(z->offset[0]));
	z->before_s = z->std_s = (int32_t)be32(types);
	for (size_t i = 0; i < h->times; i++) {
		unsigned type = (unsigned char)index[i];
		const char *t = data.p + i * width;

		z->at[i] = width == 8 ? be64(t) : (int32_t)be32(t);
		if (type >= h->types || (i && z->at[i] <= z->at[i - 1]))
			return false;
		z->offset[i] = (int32_t)be32(types + type * 6);
		if (z->offset[i] > OFFSET_MAX_S || z->offset[i] < -OFFSET_MAX_S)
			return false;
		z->std_s = z->offset[i];
		z->n = i + 1;
	}
	return z->before_s <= OFFSET_MAX_S && z->before_s >= -OFFSET_MAX_S;
}

static bool read_bytes(struct zone *z, struct str in)
{
	struct head h;
	size_t size;
	bool second = in.n > 4 && in.p[4] >= '2'; /* a block with 64-bit times follows */

	if (!read_head(&in, &h, 4, &size))
		return false;
	if (!second)
		return read_changes(z, str_first(in, size), &h, 4);
	in = str_skip(in, size);
	if (!read_head(&in, &h, 8, &size) || !read_changes(z, str_first(in, size), &h, 8))
		return false;
	in = str_skip(in, size);
	if (in.n < 2 || in.p[0] != '\n')
		return false;
	in = str_skip(in, 1);
	return read_tail(z, str_first(in, str_find_char(in, '\n')));
}

int zone_read(struct zone *z, struct str bytes, struct mt_error *reterr)
{
	memset(z, 0, sizeof(*z));
	if (read_bytes(z, bytes))
		return 0;
	zone_done(z);
	return mt_error_set(reterr, MT_EINVAL, "no compiled time zone (TZif), or damaged");
}

void zone_done(struct zone *z)
{
	free(z->at);
	free(z->offset);
	memset(z, 0, sizeof(*z));
}

static bool fixed(struct zone *z, const char *name)
{
	struct str in = str_of(name);

	if (in.n == 0 || strcmp(name, "UTC") == 0 || strcmp(name, "Z") == 0)
		return true;
	if (name[0] != '+' && name[0] != '-')
		return false;
	if (!read_clock(&in, &z->std_s) || in.n || z->std_s > OFFSET_MAX_S ||
		z->std_s < -OFFSET_MAX_S) {
		z->std_s = 0;
		return false;
	}
	z->before_s = z->std_s;
	return true;
}

/* safe_name - letters, digits, "_+-" and "/" inside: never out of the folder. */
static bool safe_name(const char *name)
{
	struct str s = str_of(name);

	for (size_t i = 0; i < s.n; i++)
		if (!scan_is_alnum(s.p[i]) && !strchr("_+-/", s.p[i]))
			return false;
	return s.n && s.n < 100 && s.p[0] != '/';
}

static FILE *open_file(const char *name)
{
	FILE *f = NULL;

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]) && !f; i++) {
		char *path = xasprintf("%s/%s", folders[i], name);

		f = fopen(path, "re");
		free(path);
	}
	return f;
}

int zone_load(struct zone *z, const char *name, struct mt_error *reterr)
{
	char *bytes;
	FILE *f;
	size_t n;
	int rc;

	memset(z, 0, sizeof(*z));
	if (!name || fixed(z, name))
		return 0;
	f = safe_name(name) ? open_file(name) : NULL;
	if (!f)
		return mt_error_set(reterr, MT_ECONFIG,
			"time zone %.60s is not known on this machine: a name as in "
			"/usr/share/zoneinfo (package tzdata) or an offset such as -07:00",
			name);
	bytes = xmalloc(FILE_MAX_BYTES);
	n = fread(bytes, 1, FILE_MAX_BYTES, f);
	fclose(f);
	rc = zone_read(z, str_make(bytes, n), reterr);
	free(bytes);
	return rc < 0 ? mt_error_set(
				reterr, MT_ECONFIG, "the file of time zone %.60s is damaged", name)
		      : 0;
}

/* rule_s - UTC second of a change in a year; from: offset in force before it. */
static int64_t rule_s(const struct zone_rule *r, int64_t year, int32_t from)
{
	int64_t first = civil_day(year, r->month, 1), weekday = (first % 7 + 7 + 4) % 7;
	int64_t day = first + (r->day - weekday + 7) % 7 + (r->week - 1) * 7;

	while (day >= first + days_in_month(year, r->month))
		day -= 7;
	return day * DAY_S + r->time_s - from;
}

static int32_t by_rule(const struct zone *z, int64_t utc_s)
{
	int64_t year, begin, end;
	int month, day;

	civil_date(floor_div(utc_s + z->std_s, DAY_S), &year, &month, &day);
	begin = rule_s(&z->begin, year, z->std_s);
	end = rule_s(&z->end, year, z->dst_s);
	if (begin < end)
		return utc_s >= begin && utc_s < end ? z->dst_s : z->std_s;
	return utc_s >= begin || utc_s < end ? z->dst_s : z->std_s;
}

int32_t zone_offset(const struct zone *z, int64_t utc_s)
{
	size_t lo = 0, hi = z->n;

	if (z->n == 0 || utc_s < z->at[0])
		return z->n || !z->has_rule ? (z->n || !z->has_tail ? z->before_s : z->std_s)
					    : by_rule(z, utc_s);
	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (z->at[mid] <= utc_s)
			lo = mid;
		else
			hi = mid;
	}
	if (lo + 1 < z->n || !z->has_tail)
		return z->offset[lo];
	return z->has_rule ? by_rule(z, utc_s) : z->std_s;
}

int64_t zone_day(const struct zone *z, int64_t utc_s)
{
	return floor_div(utc_s + zone_offset(z, utc_s), DAY_S);
}

int64_t zone_midnight(const struct zone *z, int64_t day)
{
	int64_t lo = day * DAY_S - OFFSET_MAX_S, hi = day * DAY_S + OFFSET_MAX_S;

	while (hi - lo > 1) { /* the first second that is of that day */
		int64_t mid = lo + (hi - lo) / 2;

		if (zone_day(z, mid) >= day)
			hi = mid;
		else
			lo = mid;
	}
	return hi;
}
