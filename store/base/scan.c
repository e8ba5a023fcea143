/* SPDX-License-Identifier: MIT */
/* scan - bounded token readers; see scan.h. Every reader works on a copy and hands it back on success. */
#include "store/base/scan.h"

#define CENTIS_PER_UNIT 100
#define ROUND_UP_FROM 5 /* the thousandths digit from which hundredths are rounded up */

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool scan_is_alnum(char c)
{
	return scan_is_digit(c) || is_letter(c);
}

bool scan_u64(struct str *in, unsigned max_digits, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;
	size_t i = 0;

	for (; i < in->n && scan_is_digit(in->p[i]); i++) {
		uint64_t digit = (uint64_t)(in->p[i] - '0');

		if (i >= max_digits || digit > max || value > (max - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	if (i == 0)
		return false;
	*in = str_skip(*in, i);
	*ret = value;
	return true;
}

bool scan_i64(struct str *in, unsigned max_digits, int64_t min, int64_t max, int64_t *ret)
{
	struct str rest = *in;
	bool negative = scan_lit(&rest, STR_LIT("-"));
	uint64_t size;
	int64_t value;

	if (!scan_u64(&rest, max_digits, (uint64_t)INT64_MAX + negative, &size))
		return false;
	if (negative)
		value = size > (uint64_t)INT64_MAX ? INT64_MIN : -(int64_t)size;
	else
		value = (int64_t)size;
	if (value < min || value > max)
		return false;
	*in = rest;
	*ret = value;
	return true;
}

bool scan_until(struct str *in, char stop, struct str *ret)
{
	size_t at = str_find_char(*in, stop);

	if (at == in->n)
		return false;
	*ret = str_first(*in, at);
	*in = str_skip(*in, at);
	return true;
}

bool scan_word(struct str *in, struct str *ret)
{
	size_t at = str_find_char(*in, ' ');

	if (at == 0)
		return false;
	*ret = str_first(*in, at);
	*in = str_skip(*in, at);
	return true;
}

struct str scan_while(struct str *in, bool (*keep)(char))
{
	struct str taken = *in;
	size_t i = 0;

	while (i < in->n && keep(in->p[i]))
		i++;
	taken.n = i;
	*in = str_skip(*in, i);
	return taken;
}

/* The digits behind the dot as rounded hundredths, 0..100; *at is advanced past them. */
static int64_t fraction_centis(struct str in, size_t *at)
{
	int64_t centis = 0;
	size_t first = *at;

	for (; *at < in.n && scan_is_digit(in.p[*at]); ++*at) {
		int digit = in.p[*at] - '0';

		if (*at - first == 0)
			centis = digit * 10;
		else if (*at - first == 1)
			centis += digit;
		else if (*at - first == 2)
			centis += digit >= ROUND_UP_FROM;
	}
	return centis;
}

bool scan_centis(struct str *in, int64_t max, int64_t *ret)
{
	int64_t value = 0;
	size_t at = 0;

	for (; at < in->n && scan_is_digit(in->p[at]); at++) {
		if (value > max / CENTIS_PER_UNIT)
			return false;
		value = value * 10 + (in->p[at] - '0');
	}
	if (at == 0 || value > max / CENTIS_PER_UNIT)
		return false;
	value *= CENTIS_PER_UNIT;
	if (at + 1 < in->n && in->p[at] == '.' && scan_is_digit(in->p[at + 1])) {
		at++;
		value += fraction_centis(*in, &at);
	}
	if (value > max || (at < in->n && (in->p[at] == '.' || is_letter(in->p[at]))))
		return false;
	*in = str_skip(*in, at);
	*ret = value;
	return true;
}

bool scan_all_u64(struct str s, uint64_t max, uint64_t *ret)
{
	uint64_t value;

	if (!scan_u64(&s, (unsigned)-1, max, &value) || s.n != 0)
		return false;
	*ret = value;
	return true;
}
