/* SPDX-License-Identifier: MIT */
/*
 * syslogline - the head of a log line, whichever way it came: stamp, host, tag, pid; the rest is the message.
 *
 * Takes off what transports put in front: NULs, <PRI>, RFC 5424's version, docker and kubernetes prefixes, the
 * JSON wrapper of docker's json-file. Pure.
 */
#ifndef MT_BACKENDS_SYSLOGLINE_H
#define MT_BACKENDS_SYSLOGLINE_H

#include "store/base/str.h"
#include "store/base/timefmt.h"

struct syslogline {
	bool has_time; /* false: a template whose stamp was left unexpanded */
	int64_t t_utc_ms;
	struct str host; /* absent if the line has none */
	struct str tag; /* "postfix/smtp"; a leading slash is kept off */
	int32_t pid; /* -1 none */
	struct str message;
};

/*
 * syslogline_read - split one line (without its newline).
 * stamps   the reader of time stamps, with its memory of year and zone.
 * scratch  line.n bytes, the caller's: where a JSON string is turned into its bytes; out points into either.
 * Returns false when the line has no head this can read.
 */
bool syslogline_read(
	struct timefmt *stamps, struct str line, char *scratch, struct syslogline *out);

#endif
