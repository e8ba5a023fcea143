/* SPDX-License-Identifier: MIT */
/* timefmt_write - times as text for people and machines, and what a person types; see timefmt.h. */
#include "store/base/conf.h"
#include "store/base/scan.h"
#include "store/base/timefmt.h"

#include <time.h>

#define MS_PER_S INT64_C(1000)
#define MS_PER_DAY (86400 * MS_PER_S)
#define UNIX_DIGITS_MIN 9 /* fewer digits are likely a date like 20261123 */
#define UNIX_DIGITS_MAX 11
#define DAYS_BY_NAME 6 /* further back a week day's name would mean two days */

static struct tm local_tm(int64_t utc_ms)
{
	time_t when = (time_t)(utc_ms / MS_PER_S - (utc_ms % MS_PER_S < 0));
	struct tm tm = {0};

	if (!localtime_r(&when, &tm))
		return (struct tm){.tm_mday = 1};
	return tm;
}

void timefmt_clock(struct buf *out, int64_t utc_ms)
{
	struct tm tm = local_tm(utc_ms);

	buf_printf(out, "%02d:%02d:%02d", tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void add_date(struct buf *out, const struct tm *tm)
{
	buf_printf(out, "%04d-%02d-%02d", tm->tm_year + 1900, tm->tm_mon + 1, tm->tm_mday);
}

void timefmt_date_clock(struct buf *out, int64_t utc_ms)
{
	struct tm tm = local_tm(utc_ms);

	add_date(out, &tm);
	buf_add_char(out, ' ');
	timefmt_clock(out, utc_ms);
}

void timefmt_rfc3339(struct buf *out, int64_t utc_ms)
{
	int ms = (int)((utc_ms % MS_PER_S + MS_PER_S) % MS_PER_S);
	time_t when = (time_t)((utc_ms - ms) / MS_PER_S);
	struct tm tm = {.tm_mday = 1};

	gmtime_r(&when, &tm);
	add_date(out, &tm);
	buf_printf(out, "T%02d:%02d:%02d.%03dZ", tm.tm_hour, tm.tm_min, tm.tm_sec, ms);
}

void timefmt_when(struct buf *out, int64_t utc_ms, int64_t now_utc_ms)
{
	static const char names[] = "SunMonTueWedThuFriSat";
	struct tm tm = local_tm(utc_ms);
	struct tm now = local_tm(now_utc_ms);
	int64_t day = timefmt_civil_utc_ms(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, 0, 0, 0);
	int64_t today =
		timefmt_civil_utc_ms(now.tm_year + 1900, now.tm_mon + 1, now.tm_mday, 0, 0, 0);
	int64_t days_ago = (today - day) / MS_PER_DAY;

	if (days_ago == 0)
		timefmt_clock(out, utc_ms);
	else if (days_ago > 0 && days_ago <= DAYS_BY_NAME)
		buf_printf(out, "%.3s %02d:%02d", names + tm.tm_wday * 3, tm.tm_hour, tm.tm_min);
	else
		add_date(out, &tm);
}

void timefmt_age(struct buf *out, int64_t ms)
{
	uint64_t s = (ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms) / 1000;
	unsigned long long days = s / 86400;
	unsigned hours = (unsigned)(s / 3600 % 24), minutes = (unsigned)(s / 60 % 60);

	if (ms < 0 && s > 0)
		buf_add_char(out, '-');
	if (s < 60)
		buf_printf(out, "%us", (unsigned)s);
	else if (s < 3600)
		buf_printf(out, "%um", minutes);
	else if (days == 0)
		buf_printf(out, "%uh %02um", hours, minutes);
	else
		buf_printf(out, "%llud %02uh", days, hours);
}

static int parse_ago(struct str s, int64_t now_utc_ms, int64_t *ret_utc_ms)
{
	int64_t ago_ms;

	if (conf_parse_duration_ms(s, &ago_ms) < 0 || ago_ms > now_utc_ms)
		return MT_EINVAL;
	*ret_utc_ms = now_utc_ms - ago_ms;
	return 0;
}

int timefmt_parse_when(struct str s, int64_t now_utc_ms, int64_t *ret_utc_ms)
{
	struct timefmt t;
	struct buf text;
	struct str in;
	uint64_t unix_s;
	int64_t ms;
	bool ok;

	s = str_trim(s);
	if (scan_all_u64(s, UINT64_MAX, &unix_s)) {
		if (s.n < UNIX_DIGITS_MIN || s.n > UNIX_DIGITS_MAX)
			return MT_EINVAL;
		*ret_utc_ms = (int64_t)unix_s * MS_PER_S;
		return 0;
	}
	if (str_starts(s, STR_LIT("-")))
		return parse_ago(str_skip(s, 1), now_utc_ms, ret_utc_ms);
	if (s.n < sizeof("YYYY-MM-DD") - 1 || s.n > 64 || s.p[4] != '-')
		return MT_EINVAL;
	/* A date and a date with hh:mm are completed to the form the reader knows. */
	buf_init(&text, 128);
	buf_add_str(&text, s);
	if (s.n == sizeof("YYYY-MM-DD") - 1)
		buf_add_z(&text, " 00:00:00");
	else if (s.n == sizeof("YYYY-MM-DD hh:mm") - 1)
		buf_add_z(&text, ":00");
	timefmt_init(&t, now_utc_ms, NULL);
	in = buf_str(&text);
	ok = timefmt_read(&t, &in, &ms) && in.n == 0;
	buf_done(&text);
	if (!ok)
		return MT_EINVAL;
	*ret_utc_ms = ms;
	return 0;
}
