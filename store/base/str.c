/* SPDX-License-Identifier: MIT */
/* str - the searches of a byte view that are too long to be inline; see str.h. */
#include "store/base/str.h"

#include <stdint.h>

size_t str_rfind_char(struct str s, char c)
{
	const char *hit = s.n ? memrchr(s.p, c, s.n) : NULL;

	return hit ? (size_t)(hit - s.p) : s.n;
}

static size_t find_pair(struct str s, struct str pair)
{
	const char *p = s.p, *last = s.p + s.n - 1;

	while (p < last && (p = memchr(p, pair.p[0], (size_t)(last - p))) != NULL) {
		if (p[1] == pair.p[1])
			return (size_t)(p - s.p);
		p++;
	}
	return s.n;
}

size_t str_find(struct str s, struct str needle)
{
	const char *hit;

	if (s.n < needle.n || s.n == 0)
		return s.n;
	if (needle.n == 0) /* p may be NULL, which memmem() must not get */
		return 0;
	if (needle.n == 2) /* ", " and the like: their first byte is rare */
		return find_pair(s, needle);
	hit = memmem(s.p, s.n, needle.p, needle.n);
	return hit ? (size_t)(hit - s.p) : s.n;
}

size_t str_rfind(struct str s, struct str needle)
{
	if (s.n < needle.n || needle.n == 0)
		return s.n;
	for (size_t i = s.n - needle.n + 1; i-- > 0;)
		if (s.p[i] == needle.p[0] && memcmp(s.p + i, needle.p, needle.n) == 0)
			return i;
	return s.n;
}

static unsigned char fold(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool str_ieq(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (fold(a.p[i]) != fold(b.p[i]))
			return false;
	return true;
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
	while (s.n && is_space(s.p[0]))
		s = str_skip(s, 1);
	while (s.n && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}
