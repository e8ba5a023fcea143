/* SPDX-License-Identifier: MIT */
/*
 * jsonout - members of a JSON object as text, for what is printed; jansson reads and builds trees, and lives in backends/.
 *
 * Every member begins with its comma: the first one of an object is the writer's own. Unknown is null, never 0. Strings go
 * through utf8_json. What fails is in out->err.
 */
#ifndef MT_BASE_JSONOUT_H
#define MT_BASE_JSONOUT_H

#include "store/base/buf.h"

#include <stdint.h>

/* jsonout_value - a string alone; absent: null. */
void jsonout_value(struct buf *out, struct str value);
/* jsonout_text, jsonout_words - ,"name":"value"; absent or NULL: null. */
void jsonout_text(struct buf *out, const char *name, struct str value);
void jsonout_words(struct buf *out, const char *name, const char *value);
/* jsonout_number - ,"name":n; negative: null. jsonout_truth - true, false; negative: null. */
void jsonout_number(struct buf *out, const char *name, int64_t n);
void jsonout_truth(struct buf *out, const char *name, int64_t value);
/* jsonout_time - ,"name":"2026-11-25T10:00:00.000Z" (RFC 3339); 0 or negative: null. */
void jsonout_time(struct buf *out, const char *name, int64_t utc_ms);

#endif
