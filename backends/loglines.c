/* SPDX-License-Identifier: MIT */
/* loglines - see loglines.h. */
#include "backends/loglines.h"

#define SHOWN_BYTES 256 /* of a line that is too long */

void log_lines_init(void *state, const struct parse_options *options)
{
	struct log_lines *p = state;

	timefmt_init(&p->stamps, options->now_utc_ms, options->timezone);
	p->last_utc_ms = options->now_utc_ms;
}

void log_lines_now(void *state, int64_t now_utc_ms)
{
	struct log_lines *p = state;

	p->stamps.now_utc_ms = now_utc_ms;
}

bool log_line_oversize(const struct log_lines *p, struct str line, struct event *e)
{
	if (line.n <= LOG_LINE_MAX_BYTES)
		return false;
	e->kind = EVENT_OVERSIZE;
	e->t_utc_ms = p->last_utc_ms;
	e->size_bytes = (int64_t)line.n;
	e->text = str_first(line, SHOWN_BYTES);
	return true;
}
