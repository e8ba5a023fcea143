/* SPDX-License-Identifier: MIT */
/* exim/retry - see retry.h. */
#include "backends/exim/retry.h"

#include "store/base/buf.h"
#include "store/base/scan.h"
#include "store/base/timefmt.h"
#include "store/event.h"

#define KEYS_MAX 1000000
#define KEY_MAX_BYTES 2048
#define ERRNO_DIGITS 10
#define STAMP_BYTES 20 /* "25-Nov-2026 19:37:07" */
#define YEAR_MIN 1970

void exim_retry_init(struct exim_retry *r)
{
	*r = (struct exim_retry){.known = false};
	map_init(&r->next);
}

void exim_retry_done(struct exim_retry *r)
{
	map_done(&r->next);
}

static int month_of(struct str s)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; i < 12; i++)
		if (memcmp(s.p, names + i * 3, 3) == 0)
			return i + 1;
	return 0;
}

/* part - two or four digits at `at`, at most max. */
static bool part(struct str s, size_t at, size_t digits, uint64_t max, int *ret)
{
	uint64_t n;

	if (!scan_all_u64(str_first(str_skip(s, at), digits), max, &n))
		return false;
	*ret = (int)n;
	return true;
}

static bool take_stamp(struct str *in, int64_t *ret_ms)
{
	struct str s = str_first(*in, STAMP_BYTES);
	int day, month, year, hour, minute, second;

	if (s.n < STAMP_BYTES || s.p[2] != '-' || s.p[6] != '-' || s.p[11] != ' ' ||
		s.p[14] != ':' || s.p[17] != ':')
		return false;
	month = month_of(str_skip(s, 3));
	if (month == 0 || !part(s, 0, 2, 31, &day) || !part(s, 7, 4, 9999, &year) ||
		!part(s, 12, 2, 23, &hour) || !part(s, 15, 2, 59, &minute) ||
		!part(s, 18, 2, 60, &second) || day == 0 || year < YEAR_MIN)
		return false;
	*ret_ms = timefmt_civil_utc_ms(year, month, day, hour, minute, second == 60 ? 59 : second);
	*in = str_skip(*in, STAMP_BYTES);
	return true;
}

/* "first  last  next": the third is meant. */
static bool next_of(struct str line, int64_t *ret_ms)
{
	for (int i = 0; i < 3; i++) {
		while (line.n && line.p[0] == ' ')
			line = str_skip(line, 1);
		if (!take_stamp(&line, ret_ms))
			return false;
	}
	return true;
}

/* "  KEY errno more text": a key may have spaces in it, and then ends at the first two numbers. */
static bool key_of(struct str line, struct str *ret)
{
	size_t at = 2;

	if (!str_starts(line, STR_LIT("  ")) || line.n < 4 || line.p[3] != ':')
		return false;
	for (;;) {
		struct str rest = str_skip(line, at);
		size_t space = str_find_char(rest, ' ');
		int64_t n;

		if (space == rest.n)
			return false;
		at += space;
		rest = str_skip(rest, space + 1);
		if (scan_i64(&rest, ERRNO_DIGITS, INT32_MIN, INT32_MAX, &n) &&
			scan_lit(&rest, STR_LIT(" ")) &&
			scan_i64(&rest, ERRNO_DIGITS, INT32_MIN, INT32_MAX, &n) &&
			(rest.n == 0 || rest.p[0] == ' ')) {
			*ret = str_first(str_skip(line, 2), at - 2);
			return true;
		}
		at++;
	}
}

size_t exim_retry_parse(struct exim_retry *r, struct str text)
{
	struct str key = {NULL, 0};
	size_t n = 0;

	r->known = true;
	while (text.n) {
		size_t end = str_find_char(text, '\n');
		struct str line = str_first(text, end);
		int64_t next_ms;

		text = str_skip(text, end + 1);
		if (key_of(line, &key))
			continue;
		if (str_present(key) && next_of(line, &next_ms) && map_count(&r->next) < KEYS_MAX) {
			map_set(&r->next, key, (uint64_t)next_ms);
			n++;
		}
		if (next_of(line, &next_ms))
			key = (struct str){NULL, 0};
	}
	return n;
}

/* A key of up to five parts, as they stand. */
static int64_t look(const struct exim_retry *r, struct buf *key, const struct str *parts, size_t n)
{
	uint64_t ms;

	buf_clear(key);
	for (size_t i = 0; i < n; i++)
		if (buf_add_str(key, parts[i]) < 0)
			return EVENT_UNKNOWN;
	return map_get(&r->next, buf_str(key), &ms) ? (int64_t)ms : EVENT_UNKNOWN;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b; /* EVENT_UNKNOWN is below all */
}

/* Both the host's own and the message's at this host hold it back. */
static int64_t of_host(const struct exim_retry *r, const struct exim_retry_of *of, struct buf *key)
{
	const struct str parts[] = {
		STR_INIT("T:"), of->host, STR_INIT(":"), of->ip, STR_INIT(":"), of->id};

	if (of->host.n == 0 || of->ip.n == 0)
		return EVENT_UNKNOWN;
	return later(look(r, key, parts, 4), look(r, key, parts, 6));
}

/* T or R, with the address; and with the sender, as address_retry_include_sender has it. */
static int64_t of_address(const struct exim_retry *r, const struct exim_retry_of *of,
	struct str letter, struct buf *key)
{
	const struct str parts[] = {letter, of->rcpt, STR_INIT(":<"), of->sender, STR_INIT(">")};

	return later(look(r, key, parts, 2), look(r, key, parts, 5));
}

static int64_t of_recipient(
	const struct exim_retry *r, const struct exim_retry_of *of, struct buf *key)
{
	struct str domain = str_skip(of->rcpt, str_rfind_char(of->rcpt, '@') + 1);
	const struct str by_domain[] = {STR_INIT("R:"), domain};
	int64_t next_ms =
		later(of_address(r, of, STR_LIT("R:"), key), of_address(r, of, STR_LIT("T:"), key));

	return domain.n ? later(next_ms, look(r, key, by_domain, 2)) : next_ms;
}

int64_t exim_retry_next(const struct exim_retry *r, const struct exim_retry_of *of)
{
	struct exim_retry_of lower = *of;
	int64_t next_ms;
	struct buf key, folded;

	buf_init(&key, KEY_MAX_BYTES);
	buf_init(&folded, KEY_MAX_BYTES);
	next_ms = later(of_recipient(r, of, &key), of_host(r, of, &key));
	/* Most routers take a local part without its case (caseful_local_part), every one a domain. */
	if (next_ms < 0) {
		for (size_t i = 0; i < of->rcpt.n && folded.err == MT_OK; i++) {
			char c = of->rcpt.p[i];

			(void)buf_add_char(
				&folded, c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
		}
		lower.rcpt = buf_str(&folded);
		next_ms = of_recipient(r, &lower, &key);
	}
	buf_done(&key);
	buf_done(&folded);
	return next_ms;
}
