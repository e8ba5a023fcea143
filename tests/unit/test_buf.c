/* SPDX-License-Identifier: MIT */
/* test_buf - growth, cap, sticky error and arena reuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/base/arena.h"
#include "store/base/buf.h"

static void grows_and_terminates(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	for (int i = 0; i < 100; i++)
		assert_int_equal(buf_add_z(&b, "abcdefg"), 0);
	assert_int_equal(b.n, 700);
	assert_int_equal(strlen(buf_z(&b)), 700);
	assert_int_equal(buf_printf(&b, "%d", 42), 0);
	assert_string_equal(buf_z(&b) + 700, "42");
	buf_drop_front(&b, 700);
	assert_string_equal(buf_z(&b), "42");
	buf_done(&b);
}

static void cap_drops_the_append_whole(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	assert_int_equal(buf_add_z(&b, "12345678"), 0);
	assert_int_equal(buf_add_z(&b, "abc"), MT_ELIMIT);
	assert_string_equal(buf_z(&b), "12345678");
	assert_int_equal(b.err, MT_ELIMIT);
	assert_int_equal(buf_add_z(&b, "ab"), 0);
	buf_clear(&b);
	assert_int_equal(b.err, MT_OK);
	buf_done(&b);
}

static void arena_reuses_its_blocks(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 1u << 20);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 1000; i++) {
			struct str s = arena_str(&a, STR_LIT("some bytes to keep for a while"));

			assert_true(str_eq(s, STR_LIT("some bytes to keep for a while")));
		}
		arena_reset(&a);
	}
	assert_null(arena_alloc(&a, 2u << 20));
	assert_false(str_present(arena_str(&a, (struct str){NULL, 0})));
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_and_terminates),
		cmocka_unit_test(cap_drops_the_append_whole),
		cmocka_unit_test(arena_reuses_its_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
