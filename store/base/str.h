/* SPDX-License-Identifier: MIT */
/*
 * str - a borrowed view of bytes: pointer and length, not NUL-terminated, any byte value.
 *
 * A view never owns; it lives as long as the buffer it points into. {NULL, 0} is "absent",
 * {non-NULL, 0} is "present and empty" (an empty envelope sender, for one).
 */
#ifndef MT_BASE_STR_H
#define MT_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct str {
	const char *p;
	size_t n; /* bytes */
};

/* STR_LIT - view of a string literal. */
#define STR_LIT(lit) ((struct str){(lit), sizeof(lit) - 1})

/* STR_INIT - the same as an initializer of a static object. */
#define STR_INIT(lit)                                                                              \
	{                                                                                          \
		(lit), sizeof(lit) - 1                                                             \
	}

/* STR_ARG - the two arguments of a "%.*s". Only for bytes known to be clean. */
#define STR_ARG(s) ((int)(s).n), ((s).p ? (s).p : "")

static inline struct str str_of(const char *z)
{
	return (struct str){z, z ? strlen(z) : 0};
}

static inline struct str str_make(const char *p, size_t n)
{
	return (struct str){p, n};
}

static inline bool str_present(struct str s)
{
	return s.p != NULL;
}

static inline bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

static inline bool str_ends(struct str s, struct str suffix)
{
	return s.n >= suffix.n && memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0;
}

/* str_skip - the view without its first n bytes; n is clamped to the length. */
static inline struct str str_skip(struct str s, size_t n)
{
	n = n > s.n ? s.n : n;
	/* NULL + 0 is undefined in C. */
	return n == 0 ? s : (struct str){s.p + n, s.n - n};
}

/* str_first - at most the first n bytes. */
static inline struct str str_first(struct str s, size_t n)
{
	return (struct str){s.p, n > s.n ? s.n : n};
}

/* str_find_char - index of the first byte c, or s.n when there is none. */
static inline size_t str_find_char(struct str s, char c)
{
	const char *hit = s.n ? memchr(s.p, c, s.n) : NULL;

	return hit ? (size_t)(hit - s.p) : s.n;
}

/* str_rfind_char - index of the last byte c, or s.n when there is none. */
size_t str_rfind_char(struct str s, char c);

/* str_find - index of the first occurrence of needle, or s.n when there is none. */
size_t str_find(struct str s, struct str needle);

/* str_rfind - index of the last occurrence of needle, or s.n when there is none. */
size_t str_rfind(struct str s, struct str needle);

/* str_ieq - equal, ASCII letters compared without case. */
bool str_ieq(struct str a, struct str b);

/* str_trim - without leading and trailing ASCII white space. */
struct str str_trim(struct str s);

#endif
