/* SPDX-License-Identifier: MIT */
/* fmt - figures for people; see fmt.h. Shortened figures are cut, never rounded up: 999,999 is 999k. */
#include "store/base/fmt.h"

#define DSN_CLASS 1000000 /* of DSN_MAKE (store/event.h), which base may not include */
#define DSN_SUBJECT 1000
#define BASIC_CODE_MIN 200
#define BASIC_CODE_MAX 599
#define PLAIN_BYTES_MAX 9999 /* four digits say more than two and a unit */
#define CS_PER_S 100

void fmt_count(struct buf *out, int64_t n)
{
	char digits[32];
	size_t at = sizeof(digits);
	int group = 0;

	if (n < 0) {
		buf_add_char(out, '?');
		return;
	}
	do {
		if (group++ == 3) {
			digits[--at] = ',';
			group = 1;
		}
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	buf_add(out, digits + at, sizeof(digits) - at);
}

/* Three digits and a unit: whole is 1..base-1 units, rest the part of a unit left, below unit. */
static void add_scaled(struct buf *out, int64_t whole, int64_t rest, int64_t unit, char name)
{
	/* unit / 100 is exact enough: units are powers of 1000 or over 1000. */
	int64_t hundredths = unit >= CS_PER_S * 1000 ? rest / (unit / 100) : rest * 100 / unit;

	if (hundredths > 99)
		hundredths = 99;
	if (whole >= 100)
		buf_printf(out, "%lld%c", (long long)whole, name);
	else if (whole >= 10)
		buf_printf(
			out, "%lld.%lld%c", (long long)whole, (long long)(hundredths / 10), name);
	else
		buf_printf(out, "%lld.%02lld%c", (long long)whole, (long long)hundredths, name);
}

void fmt_count_short(struct buf *out, int64_t n)
{
	static const char names[] = "kMGTPE";
	int64_t unit = 1000;
	size_t i = 0;

	if (n < 0) {
		buf_add_char(out, '?');
		return;
	}
	if (n < 1000) {
		buf_printf(out, "%lld", (long long)n);
		return;
	}
	while (n / unit >= 1000 && names[i + 1]) {
		unit *= 1000;
		i++;
	}
	add_scaled(out, n / unit, n % unit, unit, names[i]);
}

void fmt_signed(struct buf *out, int64_t n)
{
	buf_printf(out, n == 0 ? "%lld" : "%+lld", (long long)n);
}

void fmt_pct(struct buf *out, int64_t part, int64_t whole)
{
	int64_t permille;

	if (part < 0 || whole <= 0) {
		buf_add_char(out, '-');
		return;
	}
	while (part > INT64_MAX / 2001 || whole > INT64_MAX / 2001) {
		part /= 2;
		whole /= 2;
	}
	if (whole == 0) {
		buf_add_char(out, '-');
		return;
	}
	permille = (part * 2000 + whole) / (whole * 2);
	/* "All" and "none" are said only when it is so. */
	if (permille >= 1000 && part < whole)
		permille = 999;
	if (permille == 0 && part > 0)
		buf_add_z(out, "<0.1%");
	else
		buf_printf(
			out, "%lld.%lld%%", (long long)(permille / 10), (long long)(permille % 10));
}

void fmt_bytes(struct buf *out, int64_t bytes)
{
	static const char names[] = "kMGTPE";
	int64_t unit = 1024;
	int64_t tenths;
	size_t i = 0;

	if (bytes < 0) {
		buf_add_char(out, '?');
		return;
	}
	if (bytes <= PLAIN_BYTES_MAX) {
		buf_printf(out, "%lld", (long long)bytes);
		return;
	}
	while (bytes / unit >= 1000 && names[i + 1]) {
		unit *= 1024;
		i++;
	}
	tenths = bytes % unit / (unit / 10);
	if (bytes / unit >= 100)
		buf_printf(out, "%lld%c", (long long)(bytes / unit), names[i]);
	else
		buf_printf(out, "%lld.%lld%c", (long long)(bytes / unit),
			(long long)(tenths > 9 ? 9 : tenths), names[i]);
}

void fmt_cs(struct buf *out, int64_t cs)
{
	long long s = (long long)(cs / CS_PER_S);

	if (cs < 0)
		buf_add_char(out, '?');
	else if (s < 1)
		buf_printf(out, "0.%02llds", (long long)cs);
	else if (s < 10)
		buf_printf(out, "%lld.%llds", s, (long long)(cs % CS_PER_S / 10));
	else if (s < 60)
		buf_printf(out, "%llds", s);
	else if (s < 3600)
		buf_printf(out, "%lldm", s / 60);
	else if (s < 86400)
		buf_printf(out, "%lldh%02lldm", s / 3600, s / 60 % 60);
	else
		buf_printf(out, "%lldd%02lldh", s / 86400, s / 3600 % 24);
}

void fmt_dsn(struct buf *out, int64_t dsn)
{
	if (dsn <= 0)
		return;
	buf_printf(out, "%lld.%lld.%lld", (long long)(dsn / DSN_CLASS),
		(long long)(dsn % DSN_CLASS / DSN_SUBJECT), (long long)(dsn % DSN_SUBJECT));
}

void fmt_code_key(struct buf *out, int64_t key)
{
	if (key >= DSN_CLASS)
		fmt_dsn(out, key);
	else if (key >= BASIC_CODE_MIN && key <= BASIC_CODE_MAX)
		buf_printf(out, "%lld", (long long)key);
	else
		buf_add_z(out, key == 0 ? "none" : "?");
}
