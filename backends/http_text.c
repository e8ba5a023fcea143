/* SPDX-License-Identifier: MIT */
/* http_text - the pure part of http.h: headers about limits, dates, URLs of bodies, classes of statuses. */
#include "backends/http.h"

#include "store/base/scan.h"
#include "store/base/timefmt.h"

#define RESET_MS_FROM                                                                              \
	INT64_C(100000000000) /* a reset above is in ms: seconds get there in the year 5138 */
#define RESET_DIGITS 15
#define WAIT_DIGITS 9
#define MS_PER_S 1000
#define STATUS_MOVED_FROM 300
#define STATUS_CLIENT_FROM 400
#define STATUS_SERVER_FROM 500

static const char months[12][4] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char days[7][4] = {
	"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"}; /* from 1970-01-01 */

void http_limit_init(struct http_limit *l)
{
	*l = (struct http_limit){HTTP_UNKNOWN, HTTP_UNKNOWN, HTTP_UNKNOWN, HTTP_UNKNOWN};
}

static int64_t clamp_wait(int64_t ms)
{
	return ms < 0 ? 0 : ms > HTTP_WAIT_MAX_MS ? HTTP_WAIT_MAX_MS : ms;
}

/* number - digits, of which a fraction is dropped; HTTP_UNKNOWN for what is none. */
static int64_t number(struct str s, unsigned digits)
{
	uint64_t n;

	if (!scan_u64(&s, digits, INT64_MAX / MS_PER_S, &n) ||
		(s.n && s.p[0] != '.' && s.p[0] != ','))
		return HTTP_UNKNOWN;
	return (int64_t)n;
}

/* skip_family - past "X-RateLimit-" or "X-Request-". */
static bool skip_family(struct str *name)
{
	static const struct str families[] = {STR_INIT("x-ratelimit-"), STR_INIT("x-request-")};

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		if (name->n > families[i].n &&
			str_ieq(str_first(*name, families[i].n), families[i])) {
			*name = str_skip(*name, families[i].n);
			return true;
		}
	}
	return false;
}

static void retry_after(struct http_limit *l, struct str value, int64_t now_utc_ms)
{
	int64_t n = number(value, WAIT_DIGITS), at_ms;

	if (n >= 0)
		l->wait_ms = clamp_wait(n * MS_PER_S);
	else if (http_date_ms(value, &at_ms))
		l->wait_ms = clamp_wait(at_ms - now_utc_ms);
	else if (value.n && scan_is_digit(value.p[0]))
		l->wait_ms = HTTP_WAIT_MAX_MS; /* more digits than any wait has */
	else
		return;
	l->reset_ms = l->reset_ms == HTTP_UNKNOWN ? now_utc_ms + l->wait_ms : l->reset_ms;
}

void http_limit_header(struct http_limit *l, struct str line, int64_t now_utc_ms)
{
	size_t colon = str_find_char(line, ':');
	struct str name = str_trim(str_first(line, colon));
	struct str value = str_trim(str_skip(line, colon + 1));
	int64_t n;

	if (colon == line.n)
		return;
	if (str_ieq(name, STR_LIT("retry-after"))) {
		retry_after(l, value, now_utc_ms);
		return;
	}
	if (!skip_family(&name))
		return;
	n = number(value, RESET_DIGITS);
	if (n < 0)
		return;
	if (str_ieq(name, STR_LIT("limit")))
		l->limit = n;
	else if (str_ieq(name, STR_LIT("remaining")))
		l->remaining = n;
	else if (str_ieq(name, STR_LIT("reset")))
		l->reset_ms = n > RESET_MS_FROM ? n : n * MS_PER_S;
}

int http_class(int status)
{
	switch (status) {
	case 401:
		return MT_EAUTH;
	case 403:
	case 451:
		return MT_EPERM;
	case 404:
	case 410:
		return MT_ENOENT;
	case 408:
		return MT_ENET;
	case 429:
		return MT_ERATE;
	default:
		break;
	}
	if (status >= STATUS_SERVER_FROM)
		return MT_ENET;
	if (status >= STATUS_CLIENT_FROM)
		return MT_EINVAL;
	return status >= 200 && status < STATUS_MOVED_FROM ? 0 : MT_EPROTO;
}

static bool is_clean(struct str path)
{
	for (size_t i = 0; i < path.n; i++)
		if ((unsigned char)path.p[i] <= ' ' || (unsigned char)path.p[i] >= 0x7f ||
			path.p[i] == '\\' || path.p[i] == '#')
			return false;
	return true;
}

/* climbs - has a segment ".." or "." in its path, plain or percent-encoded. */
static bool climbs(struct str path)
{
	struct str rest = str_first(path, str_find_char(path, '?'));

	while (rest.n) {
		size_t end = str_find_char(rest, '/');
		unsigned dots = 0;
		size_t i = 0;

		while (i < end && dots <= 2) {
			bool dot = rest.p[i] == '.';

			if (!dot && !(i + 2 < end && rest.p[i] == '%' && rest.p[i + 1] == '2' &&
					    (rest.p[i + 2] | 0x20) == 'e'))
				break;
			i += dot ? 1 : 3;
			dots++;
		}
		if (dots && i == end)
			return true;
		rest = str_skip(rest, end + 1);
	}
	return false;
}

int http_reroot(struct str url, struct str prefix, struct buf *ret_path, struct mt_error *reterr)
{
	struct str path = url;

	if (scan_lit(&path, STR_LIT("https://")) || scan_lit(&path, STR_LIT("http://"))) {
		size_t slash = str_find_char(path, '/');
		struct str host = str_first(path, slash);

		if (host.n == 0 || str_find_char(host, '@') < host.n)
			return mt_error_set(
				reterr, MT_EPROTO, "the address of the next page names a user");
		path = str_skip(path, slash);
	}
	if (path.n == 0 || path.p[0] != '/' || path.n > HTTP_PATH_MAX_BYTES || !is_clean(path) ||
		climbs(path) || str_starts(path, STR_LIT("//")) || !str_starts(path, prefix))
		return mt_error_set(
			reterr, MT_EPROTO, "the address of the next page is none of this list");
	buf_clear(ret_path);
	return buf_add_str(ret_path, path);
}

int http_escape(struct buf *out, struct str s)
{
	static const char hex[] = "0123456789ABCDEF";
	int rc = 0;

	for (size_t i = 0; i < s.n && rc == 0; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (scan_is_alnum(s.p[i]) || c == '-' || c == '_' || c == '.' || c == '~') {
			rc = buf_add_char(out, s.p[i]);
		} else {
			char code[3] = {'%', hex[c >> 4], hex[c & 15]};

			rc = buf_add(out, code, sizeof(code));
		}
	}
	return rc;
}

static bool month_of(struct str *in, int *ret)
{
	for (int i = 0; i < 12; i++) {
		if (in->n >= 3 && str_ieq(str_first(*in, 3), str_make(months[i], 3))) {
			*in = str_skip(*in, 3);
			*ret = i + 1;
			return true;
		}
	}
	return false;
}

static int month_days(int year, int month)
{
	static const unsigned char length[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return length[month - 1] + (month == 2 && leap);
}

/* zone_of - offset in minutes east; names but the numeric ones are UTC (RFC 5322 section 4.3). */
static bool zone_of(struct str in, int *ret_minutes)
{
	bool west = in.n && in.p[0] == '-';
	uint64_t n;

	*ret_minutes = 0;
	if (in.n == 0 || (in.p[0] != '-' && in.p[0] != '+'))
		return true;
	in = str_skip(in, 1);
	if (in.n != 4 || !scan_all_u64(in, 9999, &n) || n / 100 > 14 || n % 100 > 59)
		return false;
	*ret_minutes = (int)(n / 100 * 60 + n % 100) * (west ? -1 : 1);
	return true;
}

static bool part(struct str *in, unsigned digits, uint64_t max, char stop, int *ret)
{
	uint64_t n;

	if (!scan_u64(in, digits, max, &n) || (stop && (in->n == 0 || in->p[0] != stop)))
		return false;
	*in = str_skip(*in, stop != '\0');
	*ret = (int)n;
	return true;
}

bool http_date_ms(struct str s, int64_t *ret_ms)
{
	struct str in = str_trim(s);
	int day, month, year, hour, minute, second, zone;
	size_t comma = str_find_char(in, ',');

	if (comma < in.n)
		in = str_trim(str_skip(in, comma + 1)); /* the day of the week says nothing new */
	if (!part(&in, 2, 31, ' ', &day) || !month_of(&in, &month) ||
		!scan_lit(&in, STR_LIT(" ")) || !part(&in, 4, 9999, ' ', &year) ||
		!part(&in, 2, 23, ':', &hour) || !part(&in, 2, 59, ':', &minute) ||
		!part(&in, 2, 60, '\0', &second))
		return false;
	if (in.n && in.p[0] != ' ')
		return false;
	if (day < 1 || year < 1 || day > month_days(year, month) || !zone_of(str_trim(in), &zone))
		return false;
	*ret_ms = timefmt_civil_utc_ms(year, month, day, hour, minute, second > 59 ? 59 : second) -
		  (int64_t)zone * 60000;
	return true;
}

int http_date(struct buf *out, int64_t utc_ms)
{
	int64_t second = utc_ms / MS_PER_S - (utc_ms % MS_PER_S < 0), day = second / 86400;
	int rest, year = 1970, month = 1;
	int64_t left;

	if (second % 86400 < 0)
		day--;
	rest = (int)(second - day * 86400);
	left = day;
	/* Years and months by walking: dates sent are of now. */
	while (left < 0)
		left += 365 + (month_days(--year, 2) == 29);
	while (left >= 365 + (month_days(year, 2) == 29))
		left -= 365 + (month_days(year++, 2) == 29);
	while (left >= month_days(year, month))
		left -= month_days(year, month++);
	return buf_printf(out, "%s, %02d %s %04d %02d:%02d:%02d +0000", days[(day % 7 + 7) % 7],
		(int)left + 1, months[month - 1], year, rest / 3600, rest / 60 % 60, rest % 60);
}
