/* SPDX-License-Identifier: MIT */
/*
 * scan - bounded token readers over a view: no NUL needed, no locale, no overflow.
 *
 * Each reader advances *in past what it took and returns true, or leaves *in alone and returns false.
 */
#ifndef MT_BASE_SCAN_H
#define MT_BASE_SCAN_H

#include "store/base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* scan_lit - exactly these bytes. Here, so that the comparison with a literal is a few instructions. */
static inline bool scan_lit(struct str *in, struct str lit)
{
	if (!str_starts(*in, lit))
		return false;
	*in = str_skip(*in, lit.n);
	return true;
}
/* scan_u64 - a run of 1..max_digits decimal digits, value <= max; a longer run is refused, never cut. */
bool scan_u64(struct str *in, unsigned max_digits, uint64_t max, uint64_t *ret);
/* scan_i64 - the same with an optional '-'. */
bool scan_i64(struct str *in, unsigned max_digits, int64_t min, int64_t max, int64_t *ret);
/* scan_until - all bytes before stop (not taken); false if stop is not there. */
bool scan_until(struct str *in, char stop, struct str *ret);
/* scan_word - one or more bytes up to a space or the end. */
bool scan_word(struct str *in, struct str *ret);
/* scan_while - zero or more bytes of which keep(byte) is true. */
struct str scan_while(struct str *in, bool (*keep)(char));
static inline bool scan_is_digit(char c)
{
	return c >= '0' && c <= '9';
}
bool scan_is_alnum(char c);
/*
 * scan_centis - a decimal number ("3", "0.04", "18910") as hundredths, rounded half up, 0..max. No sign;
 * refused when a letter or '.' follows ("1e309", "1.2.3"), so that a part is never taken for the whole.
 */
bool scan_centis(struct str *in, int64_t max, int64_t *ret);
/* scan_all_u64 - the whole view is one number in 0..max. */
bool scan_all_u64(struct str s, uint64_t max, uint64_t *ret);

#endif
