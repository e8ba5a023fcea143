/* SPDX-License-Identifier: MIT */
/*
 * syslogwrap - what transports put around a log line: <PRI>, docker compose's name, kubernetes' stream mark,
 * docker's JSON, the columns of the BGL data set.
 */
#ifndef MT_BACKENDS_SYSLOGWRAP_H
#define MT_BACKENDS_SYSLOGWRAP_H

#include "store/base/str.h"

#include <stdbool.h>

/*
 * syslogwrap_take - take one wrapper off the line.
 * scratch   as many bytes as the line has; a JSON string's bytes go there, and the line then points into it.
 * Returns false, the line left alone, when there is none.
 */
bool syslogwrap_take(struct str *line, char *scratch);

#endif
