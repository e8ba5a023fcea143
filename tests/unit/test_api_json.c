/* SPDX-License-Identifier: MIT */
/* test_api_json - bodies without the members nobody reads, trees in an arena, and what makes two rows equal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backends/api_json.h"
#include "backends/api_members.h"

static const char *const wanted[] = {"id", "items", "who", "@t", NULL};

static void left(const char *body, const char *expected)
{
	struct buf out;

	buf_init(&out, 4096);
	assert_int_equal(api_members(str_of(body), wanted, &out), 0);
	assert_string_equal(buf_z(&out), expected);
	assert_true(out.n <= str_of(body).n);
	buf_done(&out);
}

static void test_members(void **state)
{
	(void)state;
	left("", "");
	left("{}", "{}");
	left("{ \"id\" : 1 ,\n\t\"x\" : 2 }", "{\"id\":1}");
	left("{\"x\":1,\"id\":2}", "{\"id\":2}");
	left("{\"x\":1}", "{}");
	left("{\"x\":1,\"y\":2,\"id\":3,\"z\":4}", "{\"id\":3}");
	left("{\"items\":[{\"x\":[1,{\"id\":2}],\"id\":\"a\"},{\"who\":{\"y\":{}}}]}",
		"{\"items\":[{\"id\":\"a\"},{\"who\":{}}]}");
	left("{\"x\":\"},]\\\"\",\"id\":\"\\\\\"}", "{\"id\":\"\\\\\"}");
	left("{\"x\":{\"a\":\"}\"},\"@t\":true}", "{\"@t\":true}");
	/* a value is no name, whatever it says */
	left("{\"id\":\"x\",\"who\":[\"x\",\"y\"]}", "{\"id\":\"x\",\"who\":[\"x\",\"y\"]}");
	/* a name with an escape may be one that is wanted */
	left("{\"\\u0069d\":1,\"x\":1}", "{\"\\u0069d\":1}");
	left("{\"id\":1,\"id\":2,\"\":3}", "{\"id\":1,\"id\":2}");
	left("[ 1 , 2.5e1 , null ]", "[1,2.5e1,null]");
}

/* What is no JSON must not become some. */
static void test_no_json(void **state)
{
	static const char *const bodies[] = {"{\"id\":1 2}", "[tru e]", "[1 2]", "{\"id\":1,}",
		"{\"x\":1,", "{\"x\":", "{\"x\"", "{\"x", "{\"x\":[1,2}", "{\"x\":\"abc}",
		"\"x\":1", "[\"x\":1]", "{\"id\":1}}", "{\"id\" 1}", "{,\"id\":1}",
		"{\"id\":1,,\"x\":1}", ":", ",", "\\", "{\"id\":\"\\\"}", "<html>\"x\": y</html>"};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct buf out;
		json_t *root = NULL;

		buf_init(&out, 4096);
		assert_int_equal(api_members(str_of(bodies[i]), wanted, &out), 0);
		assert_int_equal(api_json_body(buf_str(&out), &root, NULL), MT_EPROTO);
		buf_done(&out);
	}
}

static void test_no_room(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 4);
	assert_int_equal(api_members(STR_LIT("{\"id\":1}"), wanted, &out), MT_ELIMIT);
	buf_done(&out);
}

static uint64_t hash_of(const char *body)
{
	json_t *root = NULL;
	uint64_t hash;

	assert_int_equal(api_json_body(str_of(body), &root, NULL), 0);
	hash = api_json_hash(root, 7);
	api_json_done(root);
	return hash;
}

static void test_hash(void **state)
{
	static const char *const others[] = {"{}", "[]", "[1]", "[2,1]", "[1,2]", "[[1],2]",
		"{\"a\":1}", "{\"a\":\"1\"}", "{\"a\":1.0}", "{\"a\":null}", "{\"a\":true}",
		"{\"a\":false}", "{\"b\":1}", "{\"a\":1,\"b\":2}", "{\"a\":2,\"b\":1}",
		"{\"a\":{\"b\":2}}", "{\"a\":[]}", "{\"a\":{}}", "{\"a\":\"\"}"};
	const size_t n = sizeof(others) / sizeof(others[0]);

	(void)state;
	assert_true(hash_of("{\"a\":1,\"b\":[2]}") == hash_of(" {\"b\": [2], \"a\": 1} "));
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			assert_true(hash_of(others[i]) != hash_of(others[k]));
	assert_true(api_json_hash(NULL, 1) != api_json_hash(NULL, 2));
}

/* In an arena and out of one: the same tree; what was made outside is freed outside. */
static void test_arena(void **state)
{
	static const char body[] = "{\"a\":[1,2,{\"b\":\"text\"}],\"c\":{\"d\":null}}";
	json_t *outside = NULL, *root = NULL;
	struct arena a;

	(void)state;
	arena_init(&a, 1u << 20);
	assert_int_equal(api_json_body(STR_LIT(body), &outside, NULL), 0);
	api_json_arena(&a); /* without init: no effect */
	assert_int_equal(api_json_body(STR_LIT(body), &root, NULL), 0);
	api_json_done(root);
	api_json_arena(NULL);
	assert_true(a.used_bytes == 0);
	api_json_init();
	for (int again = 0; again < 3; again++) {
		api_json_arena(&a);
		assert_int_equal(api_json_body(STR_LIT(body), &root, NULL), 0);
		assert_true(json_equal(root, outside) && a.used_bytes > 0);
		assert_int_equal(api_json_body(STR_LIT("[1,"), &root, NULL), MT_EPROTO);
		api_json_arena(NULL);
		assert_true(a.used_bytes == 0);
	}
	api_json_done(outside);
	arena_done(&a);
}

/* A body that wants more than the arena gives is refused, not half read. */
static void test_arena_full(void **state)
{
	struct mt_error error = {0};
	json_t *root = NULL;
	struct arena a;

	(void)state;
	api_json_init();
	arena_init(&a, 300);
	api_json_arena(&a);
	assert_int_equal(
		api_json_body(STR_LIT("[[],[],[],[],[],[],[],[]]"), &root, &error), MT_EPROTO);
	api_json_arena(NULL);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_no_json),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_arena),
		cmocka_unit_test(test_arena_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
