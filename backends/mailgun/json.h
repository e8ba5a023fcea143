/* SPDX-License-Identifier: MIT */
/*
 * json - fields of a body read as the type wanted, whatever type they have: absent, null or absurd is unknown.
 */
#ifndef MT_BACKENDS_MAILGUN_JSON_H
#define MT_BACKENDS_MAILGUN_JSON_H

#include "store/base/err.h"
#include "store/base/str.h"

#include <jansson.h>
#include <stdint.h>

/* json_body - a whole body; MT_EPROTO when it is none (jansson refuses depths over 2048). Gives. */
int json_body(struct str body, json_t **ret, struct mt_error *reterr) MT_MUST_CHECK;
/* json_text - a string member; absent when it is none. */
struct str json_text(const json_t *object, const char *name);
/* json_first - the first of these members that is a string with something in it. names end with NULL. */
struct str json_first(const json_t *object, const char *const *names);
/* json_count - a number >= 0, also as 12.0, "12" or "12.5" (cut); EVENT_UNKNOWN else, and over 2^53. */
int64_t json_count(const json_t *object, const char *name);
/* json_seconds_ms - a number of seconds with fraction as ms, rounded down; EVENT_UNKNOWN. */
int64_t json_seconds_ms(const json_t *object, const char *name);
/* json_flag - 1, 0, EVENT_UNKNOWN. */
int json_flag(const json_t *object, const char *name);
/* json_date_ms - RFC 2822, ISO 8601 or epoch seconds; EVENT_UNKNOWN, also for the year 1 (never). */
int64_t json_date_ms(const json_t *object, const char *name);

#endif
