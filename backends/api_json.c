/* SPDX-License-Identifier: MIT */
/* api_json - see api_json.h. */
#include "backends/api_json.h"

#include "backends/http.h"
#include "store/base/scan.h"
#include "store/base/timefmt.h"
#include "store/event.h"

#define EXACT_MAX 9007199254740992.0 /* 2^53: a double beyond does not hold every integer */
#define NUMBER_DIGITS 15
#define YEAR_10000_S INT64_C(253402300800)
#define MS_PER_S 1000

int api_json_body(struct str body, json_t **ret, struct mt_error *reterr)
{
	json_error_t error;

	*ret = json_loadb(body.p ? body.p : "", body.n, JSON_ALLOW_NUL, &error);
	if (*ret)
		return 0;
	return mt_error_set(reterr, MT_EPROTO, "the answer is no JSON: %.60s at byte %d",
		error.text, error.position);
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
