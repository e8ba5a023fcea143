/* SPDX-License-Identifier: MIT */
/* api_json - see api_json.h. */
#include "backends/api_json.h"

#include "backends/http.h"
#include "store/base/map.h"
#include "store/base/proc.h"
#include "store/base/scan.h"
#include "store/base/timefmt.h"
#include "store/event.h"

#include <stdlib.h>
#include <string.h>

#define EXACT_MAX 9007199254740992.0 /* 2^53: a double beyond does not hold every integer */
#define NUMBER_DIGITS 15
#define YEAR_10000_S INT64_C(253402300800)
#define MS_PER_S 1000
#define KEPT_BYTES (4u << 20) /* of an arena, for the next page */

/* jansson asks for memory by these; see api_json_arena. */
static void *get_memory(size_t n)
{
	struct arena *a = proc_arena();

	return a ? arena_alloc(a, n) : malloc(n);
}

static void give_memory(void *p)
{
	if (!proc_arena())
		free(p);
}

static bool ready(void)
{
	json_malloc_t get;
	json_free_t give;

	json_get_alloc_funcs(&get, &give);
	return get == get_memory;
}

void api_json_init(void)
{
	if (!ready())
		json_set_alloc_funcs(get_memory, give_memory);
}

void api_json_arena(struct arena *a)
{
	struct arena *before = proc_arena();

	proc_set_arena(ready() ? a : NULL);
	if (!before || a)
		return;
	if (before->used_bytes > KEPT_BYTES)
		arena_done(before);
	else
		arena_reset(before);
}

int api_json_body(struct str body, json_t **ret, struct mt_error *reterr)
{
	json_error_t error;

	*ret = json_loadb(body.p ? body.p : "", body.n, JSON_ALLOW_NUL, &error);
	if (*ret)
		return 0;
	return mt_error_set(reterr, MT_EPROTO, "the answer is no JSON: %.60s at byte %d",
		error.text, error.position);
}

void api_json_done(json_t *root)
{
	if (!proc_arena()) /* which forgets the whole tree at once */
		json_decref(root);
}

static uint64_t hash_number(const void *bytes, size_t n, uint64_t seed)
{
	return map_hash(str_make(bytes, n), seed);
}

uint64_t api_json_hash(const json_t *v, uint64_t seed)
{
	uint64_t hash = seed + (v ? 1 + (uint64_t)json_typeof(v) : 0), members = 0;
	json_int_t whole = json_integer_value(v);
	double real = json_real_value(v);
	json_t *item, *list = (json_t *)(uintptr_t)v; /* jansson's loops take no const */
	const char *name;
	size_t i, n;

	if (json_is_string(v))
		return map_hash(str_make(json_string_value(v), json_string_length(v)), hash);
	if (json_is_integer(v))
		return hash_number(&whole, sizeof(whole), hash);
	if (json_is_real(v))
		return hash_number(&real, sizeof(real), hash);
	json_array_foreach(list, i, item) hash =
		api_json_hash(item, hash_number(&i, sizeof(i), hash));
	json_object_keylen_foreach(list, name, n, item) members +=
		api_json_hash(item, map_hash(str_make(name, n), hash));
	return members ? hash_number(&members, sizeof(members), hash) : hash;
}

struct str api_json_text(const json_t *object, const char *name)
{
	const json_t *v = json_object_get(object, name);

	return json_is_string(v) ? str_make(json_string_value(v), json_string_length(v))
				 : (struct str){NULL, 0};
}

struct str api_json_first(const json_t *object, const char *const *names)
{
	for (; *names; names++) {
		struct str s = api_json_text(object, *names);

		if (s.n)
			return s;
	}
	return (struct str){NULL, 0};
}

/* decimal - "12", "12.5": false for anything else. */
static bool decimal(struct str s, double *ret)
{
	uint64_t whole, part = 0;
	double scale = 1;

	if (!scan_u64(&s, NUMBER_DIGITS, UINT64_MAX, &whole))
		return false;
	if (s.n && s.p[0] == '.') {
		s = str_skip(s, 1);
		for (size_t i = 0; i < s.n && i < NUMBER_DIGITS; i++)
			scale *= 10;
		if (!scan_u64(&s, NUMBER_DIGITS, UINT64_MAX, &part))
			return false;
	}
	*ret = (double)whole + (double)part / scale;
	return s.n == 0;
}

static bool real(const json_t *object, const char *name, double *ret)
{
	const json_t *v = json_object_get(object, name);

	if (json_is_integer(v) && json_integer_value(v) > (json_int_t)EXACT_MAX)
		return false;
	if (json_is_number(v)) {
		*ret = json_number_value(v);
		return *ret >= 0 && *ret <= EXACT_MAX;
	}
	return json_is_string(v) &&
	       decimal(str_make(json_string_value(v), json_string_length(v)), ret);
}

int64_t api_json_number(const json_t *object, const char *name)
{
	double d;

	return real(object, name, &d) && d == (double)(int64_t)d ? (int64_t)d : EVENT_UNKNOWN;
}

int64_t api_json_seconds_ms(const json_t *object, const char *name)
{
	double d;

	return real(object, name, &d) && d > 0 && d < YEAR_10000_S
		       ? (int64_t)(d * MS_PER_S + 0.0005)
		       : EVENT_UNKNOWN;
}

int api_json_flag(const json_t *object, const char *name)
{
	const json_t *v = json_object_get(object, name);

	return json_is_boolean(v) ? json_is_true(v) : EVENT_UNKNOWN;
}

int64_t api_json_date_ms(const json_t *object, const char *name)
{
	struct str text = api_json_text(object, name);
	struct timefmt t;
	int64_t ms = api_json_seconds_ms(object, name);

	if (ms != EVENT_UNKNOWN || !str_present(text))
		return ms;
	if (http_date_ms(text, &ms))
		return ms > 0 ? ms : EVENT_UNKNOWN;
	(void)timefmt_init(&t, 0, "UTC");
	if (!timefmt_read(&t, &text, &ms) || text.n || ms <= 0 || ms >= YEAR_10000_S * MS_PER_S)
		return EVENT_UNKNOWN;
	return ms;
}
