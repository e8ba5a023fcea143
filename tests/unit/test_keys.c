/* SPDX-License-Identifier: MIT */
/* test_keys - every name in request.def is a key, none is given twice, names and codes agree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tui/keys.h"

static bool next(struct str *list, struct str *ret)
{
	*list = str_trim(*list);
	*ret = str_first(*list, str_find_char(*list, ' '));
	*list = str_skip(*list, ret->n);
	return ret->n > 0;
}

static void test_table(void **state)
{
	(void)state;
	for (int req = REQ_NONE + 1; req < REQ__COUNT; req++) {
		const struct request_info *info = request_info((enum request)req);
		struct str list = str_of(info->keys), name;

		assert_true(info->keys[0] && info->group[0] && info->help[0]);
		while (next(&list, &name)) {
			int32_t key = key_by_name(name);
			char back[KEY_NAME_MAX_BYTES];

			if (key == KEYCODE_NONE)
				fail_msg("%s: no key %.*s", info->id, STR_ARG(name));
			/* the first request that lists a key gets it: so a second one would show here */
			if (key_request(key) != (enum request)req)
				fail_msg("%s: %.*s is taken by %s", info->id, STR_ARG(name),
					request_info(key_request(key))->id);
			keycode_name(key, back);
			assert_true(str_eq(str_of(back), name));
			if (name.n == 1)
				assert_false(name.p[0] >= '0' &&
					     name.p[0] <= '9'); /* digits open views */
		}
	}
}

static void test_names(void **state)
{
	(void)state;
	assert_int_equal(key_by_name(STR_LIT("F12")), KEYCODE_F12);
	assert_int_equal(key_by_name(STR_LIT("F13")), KEYCODE_NONE);
	assert_int_equal(key_by_name(STR_LIT("F")), 'F');
	assert_int_equal(key_by_name(STR_LIT("^L")), 12);
	assert_int_equal(key_by_name(STR_LIT("^")), '^');
	assert_int_equal(key_by_name(STR_LIT("Space")), ' ');
	assert_int_equal(key_by_name(STR_LIT("nonsense")), KEYCODE_NONE);
	assert_int_equal(key_by_name(STR_LIT("")), KEYCODE_NONE);
	assert_int_equal(key_by_name(STR_LIT("\xc3\xa9")), 0xe9);
	assert_int_equal(key_request(KEYCODE_NONE), REQ_NONE);
	assert_int_equal(
		key_request('d' - 'a' + 1), REQ_HALF_DOWN); /* Ctrl-D pages; it never deletes */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table), cmocka_unit_test(test_names)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
