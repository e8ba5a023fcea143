/* SPDX-License-Identifier: MIT */
/* replay - events as JSON; `mtatop --replay` itself is replay_run of collector.h. */
#ifndef MT_BACKENDS_REPLAY_H
#define MT_BACKENDS_REPLAY_H

#include "store/base/buf.h"
#include "store/event.h"

/*
 * replay_event - append an event of any kind as one JSON object and a newline; keys as in the man page's REPLAY.
 * line   1-based number of its line.
 * Returns 0, MT_ENOMEM or MT_ELIMIT (out is at its cap).
 */
int replay_event(struct buf *out, int64_t line, const struct event *e);

#endif
