/* SPDX-License-Identifier: MIT */
/*
 * loglines - what the parsers of line logs share: where time stands, cutting the bytes into lines, lines that are too
 * long. What a line says is each family's own.
 */
#ifndef MT_BACKENDS_LOGLINES_H
#define MT_BACKENDS_LOGLINES_H

#include "backends/backend.h"
#include "store/base/timefmt.h"

#define LOG_LINE_MAX_BYTES                                                                         \
	(64u << 10) /* syslog cuts at 8 KiB at the latest, Exim at as much; the journal at 48 KiB */

struct log_lines { /* a family's parse state */
	struct timefmt stamps;
	int64_t last_utc_ms; /* of lines whose stamp can't be read */
	char scratch[LOG_LINE_MAX_BYTES]; /* of syslogline_read */
};

/* log_lines_init, log_lines_now - a family's parse_init and parse_now. */
void log_lines_init(void *state, const struct parse_options *options);
void log_lines_now(void *state, int64_t now_utc_ms);
/* log_line_oversize - is the line over the cap? Then e, which is blank, is made its event. */
bool log_line_oversize(const struct log_lines *p, struct str line, struct event *e);

/* Emit what one line tells; offset is where it begins in the bytes. Returns 0 or what the sink returned. */
typedef int (*log_line_fn)(
	struct log_lines *p, struct str line, size_t offset, const struct event_sink *sink);

/* log_lines_parse - a family's parse (backend.h) by its each. Here, so that each is built into the loop. */
static inline int log_lines_parse(struct log_lines *p, struct str bytes, bool final,
	const struct event_sink *sink, size_t *ret_consumed, log_line_fn each)
{
	size_t at = 0;
	int rc = 0;

	while (at < bytes.n && rc == 0) {
		struct str rest = str_skip(bytes, at);
		size_t n = str_find_char(rest, '\n');

		if (n == rest.n && !final)
			break;
		rc = each(p, str_first(rest, n), at, sink);
		at += n == rest.n ? n : n + 1;
	}
	*ret_consumed = at;
	return rc;
}

#endif
