/* SPDX-License-Identifier: MIT */
/* exchange/csv - see csv.h. */
#include "backends/exchange/csv.h"

/* Where a quoted field ends: the offset behind its closing quote; s.n + 1 when it is never closed. from: behind the opening one. */
static size_t quoted_end(struct str s, size_t from, bool *ret_escaped)
{
	while (from < s.n) {
		from += str_find_char(str_skip(s, from), '"') + 1;
		if (from > s.n)
			break;
		if (from == s.n || s.p[from] != '"')
			return from;
		*ret_escaped = true;
		from++;
	}
	return s.n + 1;
}

static bool ends_field(struct str s, size_t at)
{
	return at >= s.n || s.p[at] == ',' || s.p[at] == '\r' || s.p[at] == '\n';
}

static size_t line_bytes(struct str in)
{
	size_t n = str_find_char(in, '\n');

	return n < in.n ? n + 1 : n;
}

static bool too_many_lines(struct str s)
{
	size_t lines = 0;

	while (s.n && lines <= CSV_RECORD_MAX_LINES) {
		s = str_skip(s, str_find_char(s, '\n') + 1);
		lines++;
	}
	return lines > CSV_RECORD_MAX_LINES;
}

/* over_lines - the record's first line is left within a quoted field. */
static size_t over_lines(struct str in, bool final, size_t first_line)
{
	struct str bounded = str_first(in, CSV_RECORD_MAX_BYTES);
	size_t at = 0;

	for (;;) {
		bool escaped = false;
		size_t end;

		if (at < bounded.n && bounded.p[at] == '"') {
			end = quoted_end(bounded, at + 1, &escaped);
			if (end >= bounded.n && !final && in.n < CSV_RECORD_MAX_BYTES)
				return 0; /* what is behind the quote decides */
			if (end > bounded.n || !ends_field(bounded, end))
				return first_line;
			at = end;
		} else {
			while (at < bounded.n && bounded.p[at] != ',' && bounded.p[at] != '\n')
				at++;
		}
		if (at < bounded.n && bounded.p[at] == ',') {
			at++;
			continue;
		}
		at += str_find_char(str_skip(bounded, at), '\n');
		if (at >= bounded.n && !final && in.n < CSV_RECORD_MAX_BYTES)
			return 0;
		at = at < bounded.n ? at + 1 : at;
		return too_many_lines(str_first(bounded, at)) ? first_line : at;
	}
}

/* leaves_open - does the line end within a quoted field that began in it properly? */
static bool leaves_open(struct str line)
{
	size_t at = 0;

	while (at < line.n) {
		bool escaped = false;

		if (line.p[at] == '"') {
			at = quoted_end(line, at + 1, &escaped);
			if (at > line.n)
				return true;
		}
		at += str_find_char(str_skip(line, at), ',') + 1;
	}
	return false;
}

size_t csv_record(struct str in, bool final)
{
	size_t n = line_bytes(in);
	bool whole = n > 0 && in.p[n - 1] == '\n';
	struct str line = str_first(in, n);

	if (!whole && !final)
		return 0;
	if (!whole || n > CSV_RECORD_MAX_BYTES || in.p[0] == '#' ||
		str_find_char(line, '"') == line.n || !leaves_open(line))
		return n;
	return over_lines(in, final, n);
}

void csv_split(struct str record, struct csv_fields *out)
{
	size_t at = 0;

	out->n = 0;
	out->escaped = 0;
	while (record.n && (record.p[record.n - 1] == '\n' || record.p[record.n - 1] == '\r'))
		record.n--;
	for (;;) {
		struct str rest = str_skip(record, at);
		bool escaped = false;
		size_t end = rest.n + 1;

		if (rest.n && rest.p[0] == '"')
			end = quoted_end(rest, 1, &escaped);
		if (end <= rest.n && ends_field(rest, end)) {
			rest = str_make(rest.p + 1, end - 2);
			at += end;
		} else {
			escaped = false;
			rest = str_first(rest, str_find_char(rest, ','));
			at += rest.n;
		}
		if (out->n < CSV_FIELDS_MAX) {
			out->field[out->n] = rest;
			out->escaped |= (uint64_t)escaped << out->n;
		}
		out->n++;
		if (at >= record.n)
			return;
		at++; /* the comma */
	}
}

struct str csv_unescape(struct str field, char *scratch, size_t max, size_t *ret_at)
{
	size_t begin = *ret_at, at = begin;

	for (size_t i = 0; i < field.n && at < max; i++) {
		scratch[at++] = field.p[i];
		if (field.p[i] == '"' && i + 1 < field.n && field.p[i + 1] == '"')
			i++;
	}
	*ret_at = at;
	return str_make(scratch + begin, at - begin);
}
