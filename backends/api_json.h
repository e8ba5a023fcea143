/* SPDX-License-Identifier: MIT */
/*
 * api_json - fields of a vendor's body read as the type wanted, whatever type they have: absent, null or absurd is unknown.
 */
#ifndef MT_BACKENDS_API_JSON_H
#define MT_BACKENDS_API_JSON_H

#include "store/base/arena.h"
#include "store/base/err.h"
#include "store/base/str.h"

#include <jansson.h>
#include <stdint.h>

/* api_json_init - what api_json_arena needs. Before the first thread; again does nothing. */
void api_json_init(void);
/*
 * api_json_arena - until the call with NULL every tree the calling thread makes lives in a and dies with that call, which
 * resets a: a page of events is some ten thousand small allocations. Nothing made before may be freed in between. Without
 * api_json_init it has no effect.
 */
void api_json_arena(struct arena *a);
/* api_json_body - a whole body; MT_EPROTO when it is none (jansson refuses depths over 2048). Gives; end it with
 * api_json_done. */
int api_json_body(struct str body, json_t **ret, struct mt_error *reterr) MT_MUST_CHECK;
/* api_json_done - NULL accepted. */
void api_json_done(json_t *root);
/* api_json_hash - of a value, whatever the order of its members: equal values have equal ones. NULL accepted. */
uint64_t api_json_hash(const json_t *v, uint64_t seed);
/* api_json_text - a string member; absent when it is none. */
struct str api_json_text(const json_t *object, const char *name);
/* api_json_first - the first of these members that is a string with something in it. names end with NULL. */
struct str api_json_first(const json_t *object, const char *const *names);
/* api_json_number - a whole number >= 0, also as 12.0 or "12"; EVENT_UNKNOWN else: null, absent, negative, with a fraction, over
 * 2^53. */
int64_t api_json_number(const json_t *object, const char *name);
/* api_json_seconds_ms - seconds since 1970 with fraction, also as a string, as ms; EVENT_UNKNOWN, also for 0. */
int64_t api_json_seconds_ms(const json_t *object, const char *name);
/* api_json_flag - 1, 0, EVENT_UNKNOWN. */
int api_json_flag(const json_t *object, const char *name);
/* api_json_date_ms - seconds since 1970, RFC 2822 or ISO 8601; EVENT_UNKNOWN, also for the year 1 (never). */
int64_t api_json_date_ms(const json_t *object, const char *name);

#endif
