/* SPDX-License-Identifier: MIT */
/* test_http_text - headers about limits, dates, URLs of bodies: every form met, and what must be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backends/api.h"
#include "backends/http.h"
#include "backends/http_base.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

#define NOW_MS INT64_C(1774529969637) /* 2026-03-26T12:59:29.637Z */

static struct http_limit limit_of(const char *const *lines)
{
	struct http_limit l;

	http_limit_init(&l);
	for (; *lines; lines++)
		http_limit_header(&l, str_of(*lines), NOW_MS);
	return l;
}

/* Reset in ms or s, in the past, absent; Retry-After before all. */
static void trap_04_reset_in_ms_or_seconds(void **state)
{
	const char *ms[] = {"X-RateLimit-Reset: 1774529979637\r\n", NULL};
	const char *s[] = {"X-RateLimit-Reset: 1774529979\r\n", NULL};
	const char *past[] = {"X-RateLimit-Reset: 1\r\n", NULL};
	const char *none[] = {"Content-Type: text/plain\r\n", NULL};
	const char *after[] = {"X-RateLimit-Reset: 1774529979\r\n", "Retry-After: 7\r\n", NULL};
	const char *before[] = {"Retry-After: 7\r\n", "X-RateLimit-Reset: 1774529979\r\n", NULL};
	const char *date[] = {"Retry-After: Thu, 26 Mar 2026 13:00:29 GMT\r\n", NULL};
	const char *huge[] = {"Retry-After: 1000000000\r\n", NULL};
	const char *longer[] = {"Retry-After: 99999999999999999999\r\n", NULL};
	const char *gone[] = {"Retry-After: Thu, 26 Mar 2020 13:00:29 GMT\r\n", NULL};
	const char *bad[] = {"Retry-After: soon\r\n", "X-RateLimit-Reset: -5\r\n",
		"X-RateLimit-Reset: 99999999999999999999\r\n", NULL};

	(void)state;
	assert_int_equal(limit_of(ms).reset_ms, INT64_C(1774529979637));
	assert_int_equal(limit_of(s).reset_ms, INT64_C(1774529979000));
	assert_int_equal(limit_of(past).reset_ms, 1000);
	assert_int_equal(limit_of(none).reset_ms, HTTP_UNKNOWN);
	assert_int_equal(limit_of(none).wait_ms, HTTP_UNKNOWN);
	assert_int_equal(limit_of(after).wait_ms, 7000);
	assert_int_equal(limit_of(before).wait_ms, 7000);
	assert_int_equal(limit_of(date).wait_ms, 59363);
	assert_int_equal(limit_of(huge).wait_ms, HTTP_WAIT_MAX_MS);
	assert_int_equal(limit_of(longer).wait_ms, HTTP_WAIT_MAX_MS);
	assert_int_equal(limit_of(gone).wait_ms, 0);
	assert_int_equal(limit_of(bad).wait_ms, HTTP_UNKNOWN);
	assert_int_equal(limit_of(bad).reset_ms, HTTP_UNKNOWN);
}

static void trap_05_both_header_families_in_any_case(void **state)
{
	const char *lines[][4] = {{"X-RateLimit-Limit: 600", "X-RateLimit-Remaining: 12",
					  "X-RateLimit-Reset: 1774529979", NULL},
		{"x-ratelimit-limit:600", "X-RATELIMIT-REMAINING:  12",
			"x-rateLIMIT-reset: 1774529979", NULL},
		{"X-Request-Limit: 600\r\n", "X-Request-Remaining: 12\r\n",
			"X-Request-Reset: 1774529979000\r\n", NULL},
		{"x-request-limit: 600, 600;w=1", "x-request-remaining: 12.0",
			"x-request-reset: 1774529979.5", NULL}};
	const char *other[] = {
		"X-Request-Id: 7", "X-RateLimit-: 7", "X-RateLimit-Limit 7", "Limit: 7", NULL};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct http_limit l = limit_of(lines[i]);

		assert_int_equal(l.limit, 600);
		assert_int_equal(l.remaining, 12);
		assert_int_equal(l.reset_ms, INT64_C(1774529979000));
	}
	assert_int_equal(limit_of(other).limit, HTTP_UNKNOWN);
}

static void trap_15_dates_in_every_zone(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {{"Mon, 17 Feb 2025 00:00:00 UTC", INT64_C(1739750400000)},
		{"Mon, 17 Feb 2025 00:00:00 GMT", INT64_C(1739750400000)},
		{"Mon, 17 Feb 2025 00:00:00 +0000", INT64_C(1739750400000)},
		{"Mon, 17 Feb 2025 00:00:00 -0000", INT64_C(1739750400000)},
		{"Mon, 17 Feb 2025 00:00:00 MST", INT64_C(1739750400000)},
		{"Mon, 17 Feb 2025 00:00:00", INT64_C(1739750400000)},
		{"17 feb 2025 02:30:00 +0230", INT64_C(1739750400000)},
		{" Sun, 16 Feb 2025 18:00:00 -0600 ", INT64_C(1739750400000)},
		{"Thu, 29 Feb 2024 23:59:60 UTC", INT64_C(1709251199000)},
		{"Mon, 01 Jan 0001 00:00:00 UTC", INT64_C(-62135596800000)}};
	static const char *const bad[] = {"", "Mon, 17 Feb 2025", "Mon, 30 Feb 2025 00:00:00 UTC",
		"Mon, 17 Foo 2025 00:00:00 UTC", "Mon, 17 Feb 2025 24:00:00 UTC",
		"Mon, 17 Feb 2025 00:00:00Z", "2025-02-17T00:00:00Z",
		"Mon, 17 Feb 20250 00:00:00 UTC", "Mon, 17 Feb 2025 00:00:00 +9999",
		"Mon, 0 Feb 2025 00:00:00 UTC", "Mon, 29 Feb 2025 00:00:00 UTC"};
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(http_date_ms(str_of(good[i].text), &ms));
		assert_int_equal(ms, good[i].ms);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(http_date_ms(str_of(bad[i]), &ms));
}

/* English names, whatever the locale; a date written is read back. */
static void trap_23_locale_does_not_matter(void **state)
{
	static const int64_t times[] = {0, INT64_C(1739750400000), INT64_C(1709251199000),
		INT64_C(951782400000), INT64_C(4102444799000)};
	const char *have = setlocale(LC_ALL, "de_DE.UTF-8");
	struct buf out;
	int64_t ms;

	(void)state;
	if (!have)
		print_message("# no locale de_DE.UTF-8 here: tried in %s\n", setlocale(LC_ALL, ""));
	buf_init(&out, 100);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		buf_clear(&out);
		assert_int_equal(http_date(&out, times[i]), 0);
		assert_true(http_date_ms(buf_str(&out), &ms));
		assert_int_equal(ms, times[i]);
	}
	buf_clear(&out);
	assert_int_equal(http_date(&out, INT64_C(1739750400000)), 0);
	assert_string_equal(buf_z(&out), "Mon, 17 Feb 2025 00:00:00 +0000");
	setlocale(LC_ALL, "C");
	buf_done(&out);
}

static void trap_12_a_page_elsewhere_is_asked_of_our_host_or_not_at_all(void **state)
{
	static const struct {
		const char *url, *path; /* NULL refused */
	} cases[] = {{"https://api.mailgun.net/v3/example.com/events/W3sf",
			     "/v3/example.com/events/W3sf"},
		{"https://evil.example:8443/v3/example.com/bounces?page=next&address=a%40b",
			"/v3/example.com/bounces?page=next&address=a%40b"},
		{"http://api.mailgun.net/v3/example.com/events/x", "/v3/example.com/events/x"},
		{"/v3/example.com/events/x", "/v3/example.com/events/x"},
		{"https://api.mailgun.net@evil.example/v3/example.com/events/x", NULL},
		{"https://api.mailgun.net/v3/example.com/../../v9/x", NULL},
		{"https://api.mailgun.net/v3/example.com/%2e%2E/x", NULL},
		{"https://api.mailgun.net/v3/example.com/.%2e/x", NULL},
		{"https://api.mailgun.net/v5/keys?x=1", NULL}, {"<next page url>", NULL},
		{"next", NULL}, {"", NULL}, {"https://", NULL}, {"https:///v3/example.com/x", NULL},
		{"//evil.example/v3/example.com/x", NULL}, {"https://h/v3/example.com/a b", NULL},
		{"https://h/v3/example.com/a\r\nX: y", NULL},
		{"https://h/v3/example.com/a#b", NULL}, {"https://h/v3/example.com\\@evil", NULL},
		{"file:///v3/example.com/x", NULL}};
	struct buf path;

	(void)state;
	buf_init(&path, HTTP_PATH_MAX_BYTES);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mt_error error = {0};
		int rc = http_reroot(
			str_of(cases[i].url), STR_LIT("/v3/example.com/"), &path, &error);

		if (cases[i].path) {
			assert_int_equal(rc, 0);
			assert_string_equal(buf_z(&path), cases[i].path);
		} else {
			assert_int_equal(rc, MT_EPROTO);
		}
	}
	buf_done(&path);
}

static void a_base_is_https_or_loopback(void **state)
{
	static const struct {
		const char *url, *origin, *path;
	} cases[] = {{"https://api.mailgun.net", "https://api.mailgun.net", ""},
		{"https://api.mailgun.net/", "https://api.mailgun.net", ""},
		{"https://h:8443/a/b/", "https://h:8443", "/a/b"},
		{"http://127.0.0.1:4010", "http://127.0.0.1:4010", ""},
		{"http://[::1]:4010", "http://[::1]:4010", ""},
		{"http://localhost:1", "http://localhost:1", ""},
		{"http://api.mailgun.net", NULL, NULL},
		{"http://127.0.0.1.evil.example", NULL, NULL}, {"https://a:b@h", NULL, NULL},
		{"https://h?x", NULL, NULL}, {"https://h/x?y", NULL, NULL},
		{"https://h:99999", NULL, NULL}, {"https://", NULL, NULL}, {"ftp://h", NULL, NULL},
		{"", NULL, NULL}, {"https://h/../x", NULL, NULL}, {"http://0x7f.1", NULL, NULL},
		{"https://h\r\nX: y", NULL, NULL}, {"https://[::1", NULL, NULL},
		{"https://[", NULL, NULL}, {"https://[]", NULL, NULL},
		{"https://[a@b]", NULL, NULL}, {"https://[::1]x", NULL, NULL},
		{"https://[2001:db8::1]/v3", "https://[2001:db8::1]", "/v3"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mt_error error = {0};
		struct http_base b;
		int rc = http_base_parse(cases[i].url, &b, &error);

		assert_int_equal(rc, cases[i].origin ? 0 : MT_ECONFIG);
		if (rc == 0) {
			assert_string_equal(b.origin, cases[i].origin);
			assert_string_equal(b.path, cases[i].path);
		}
		http_base_done(&b);
	}
}

/* HTML, nothing, text, JSON with a comma too many: the status is kept, the words are had where there are any. */
static void trap_21_error_bodies_of_any_kind(void **state)
{
	static const struct {
		int status;
		const char *body, *want;
	} cases[] = {{401, "Forbidden", "h/p: 401: Forbidden"},
		{404, "{\"message\":\"Domain not found: x\"}", "h/p: 404: Domain not found: x"},
		{502, "<html><head><title>502</title>", "h/p: answers 502"},
		{500, "", "h/p: answers 500"},
		{429, "{\"errors\":[{\"field\":null,\"message\":\"too many requests\",}]}",
			"h/p: 429: too many requests"},
		{400, "{\"Reason\" : \"a \\\"b\\\"\"", "h/p: 400: a \\\"b\\\""},
		{400, "{\"message\":7}", "h/p: answers 400"},
		{302, "", "h/p: answers 302, a redirect is not followed"},
		{400, "{\"message\":\"", "h/p: answers 400"},
		{400, "[[[[[[[[[[", "h/p: answers 400"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_reply r = {.status = cases[i].status,
			.rc = http_class(cases[i].status),
			.body = str_of(cases[i].body)};

		http_base_refused(&r, "h/p");
		assert_string_equal(r.error.text, cases[i].want);
		assert_int_equal(r.error.code, r.rc);
	}
}

static void classes_of_statuses(void **state)
{
	static const int cases[][2] = {{200, 0}, {204, 0}, {301, MT_EPROTO}, {400, MT_EINVAL},
		{401, MT_EAUTH}, {403, MT_EPERM}, {404, MT_ENOENT}, {408, MT_ENET},
		{422, MT_EINVAL}, {429, MT_ERATE}, {451, MT_EPERM}, {500, MT_ENET}, {503, MT_ENET}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(http_class(cases[i][0]), cases[i][1]);
}

/* walk - pages asked for when page i is rows(i) and leads to place(i). */
static unsigned walk(int place_of, int rows_of)
{
	struct api_pager p;
	unsigned n = 0;
	char place[32], rows[32];

	api_pager_init(&p);
	do {
		snprintf(place, sizeof(place), "%u", place_of ? n % (unsigned)place_of : n + 1);
		snprintf(rows, sizeof(rows), "%u", rows_of ? n / (unsigned)rows_of : n);
		n++;
	} while (
		n < 200000 && api_pager_next(&p, n == 1000 ? 0 : 100, str_of(rows), str_of(place)));
	assert_true(n == 1000 || p.stuck);
	return n;
}

static void trap_11_every_walk_ends(void **state)
{
	(void)state;
	assert_int_equal(walk(0, 0), 1000); /* the empty page */
	assert_int_equal(walk(1, 0), 2); /* next is itself */
	assert_in_range(walk(7, 0), 7, 30); /* a circle */
	assert_in_range(walk(300, 0), 300, 1000);
	assert_int_equal(walk(0, 2), 2); /* the same rows again */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trap_04_reset_in_ms_or_seconds),
		cmocka_unit_test(trap_05_both_header_families_in_any_case),
		cmocka_unit_test(trap_11_every_walk_ends),
		cmocka_unit_test(trap_12_a_page_elsewhere_is_asked_of_our_host_or_not_at_all),
		cmocka_unit_test(trap_15_dates_in_every_zone),
		cmocka_unit_test(trap_21_error_bodies_of_any_kind),
		cmocka_unit_test(trap_23_locale_does_not_matter),
		cmocka_unit_test(a_base_is_https_or_loopback),
		cmocka_unit_test(classes_of_statuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
