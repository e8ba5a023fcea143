/* SPDX-License-Identifier: MIT */
/*
 * api_members - see api_members.h. One pass and no stack: a string with a colon behind it is a name, and the last byte
 * written tells whether a comma goes with the member.
 */
#include "backends/api_members.h"

#include <stdint.h>
#include <string.h>

#define SLOTS (2 * API_MEMBERS_MAX)

struct wanted {
	struct str name[API_MEMBERS_MAX];
	uint8_t slot[SLOTS]; /* 1 + index of a name; 0 none */
};

struct scan {
	const char *at, *end;
	char *out; /* where the next byte goes; what is before it is written */
	const char *first; /* of out */
};

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static unsigned slot_of(struct str name)
{
	const unsigned char *p = (const unsigned char *)name.p;

	return name.n ? (unsigned)(name.n * 7 + p[0] * 3u + p[name.n - 1]) % SLOTS : 0;
}

static void want(struct wanted *w, const char *const *names)
{
	memset(w->slot, 0, sizeof(w->slot));
	for (size_t i = 0; names[i] && i < API_MEMBERS_MAX; i++) {
		unsigned at = slot_of(w->name[i] = str_of(names[i]));

		while (w->slot[at])
			at = (at + 1) % SLOTS;
		w->slot[at] = (uint8_t)(i + 1);
	}
}

static bool is_wanted(const struct wanted *w, struct str name)
{
	for (unsigned at = slot_of(name); w->slot[at]; at = (at + 1) % SLOTS)
		if (str_eq(name, w->name[w->slot[at] - 1]))
			return true;
	return memchr(name.p, '\\', name.n) != NULL;
}

/* string_end - behind the closing quote of the string that opens at p; NULL: it does not close. */
static const char *string_end(const char *p, const char *end)
{
	for (p++; (p = memchr(p, '"', (size_t)(end - p))); p++) {
		const char *back = p;

		while (back[-1] == '\\')
			back--;
		if ((p - back) % 2 == 0)
			return p + 1;
	}
	return NULL;
}

static void skip_space(struct scan *s)
{
	while (s->at < s->end && is_space(*s->at))
		s->at++;
}

/* skip_value - false: the body ends within it. */
static bool skip_value(struct scan *s)
{
	size_t depth = 0;

	while (s->at < s->end) {
		char c = *s->at;

		if (depth == 0 && (c == ',' || c == '}' || c == ']'))
			return true;
		if (c == '"') {
			s->at = string_end(s->at, s->end);
			if (!s->at)
				return false;
			continue;
		}
		depth += c == '{' || c == '[';
		depth -= depth && (c == '}' || c == ']');
		s->at++;
	}
	return false;
}

/* space - what would join two numbers or words is kept. */
static void space(struct scan *s)
{
	skip_space(s);
	if (s->at < s->end && s->out > s->first && !strchr("{}[],:\"", s->out[-1]) &&
		!strchr("{}[],:\"", *s->at))
		*s->out++ = ' ';
}

static void copy(struct scan *s, const char *end)
{
	size_t n = (size_t)(end - s->at);

	memcpy(s->out, s->at, n);
	s->out += n;
	s->at = end;
}

/* leave_out - the member whose value is next, and one comma. False: it has no end. */
static bool leave_out(struct scan *s)
{
	if (!skip_value(s))
		return false;
	if (s->out[-1] == ',')
		s->out--;
	else if (*s->at == ',')
		s->at++;
	return true;
}

/* string - copied, or left out with its value. False: all that is left is none. */
static bool string(struct scan *s, const struct wanted *w)
{
	const char *from = s->at, *end = string_end(s->at, s->end);
	struct scan behind = *s;

	if (!end)
		return false;
	behind.at = end;
	skip_space(&behind);
	if (behind.at == s->end || *behind.at != ':' || s->out == s->first ||
		(s->out[-1] != '{' && s->out[-1] != ',') ||
		is_wanted(w, str_make(from + 1, (size_t)(end - from) - 2))) {
		copy(s, end);
		return true;
	}
	s->at = behind.at + 1;
	if (leave_out(s))
		return true;
	s->at = from;
	return false;
}

int api_members(struct str body, const char *const *names, struct buf *out)
{
	struct wanted w;
	struct scan s = {.at = body.p, .end = body.p + body.n};

	s.first = s.out = buf_reserve(out, body.n);
	if (!s.out)
		return (int)out->err;
	want(&w, names);
	while (s.at < s.end) {
		if (is_space(*s.at))
			space(&s);
		else if (*s.at != '"')
			*s.out++ = *s.at++;
		else if (!string(&s, &w))
			copy(&s, s.end);
	}
	buf_grow(out, (size_t)(s.out - s.first));
	return 0;
}
