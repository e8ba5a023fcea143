/* SPDX-License-Identifier: MIT */
/* test_map - against a plain array as the model: same answers after any mix of sets and deletes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/base/map.h"

#include <stdio.h>

#define KEYS 5000
#define STEPS 200000

static struct str key_of(char *room, size_t size, unsigned i)
{
	/* Lengths 1 to 40: on both sides of the in-slot limit. */
	int n = snprintf(room, size, "%0*u", (int)(i % 40 + 4), i);

	return str_make(room, (size_t)n);
}

static unsigned next(unsigned *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

struct sum {
	size_t n;
	uint64_t values;
};

static void add_up(void *ctx, struct str key, uint64_t value)
{
	struct sum *sum = ctx;

	assert_true(key.n >= 4);
	sum->n++;
	sum->values += value;
}

static void agrees_with_a_model(void **state)
{
	static uint64_t model[KEYS]; /* 0 = absent, else value */
	struct map m;
	unsigned seed = 1;
	struct sum want = {0}, got = {0};

	(void)state;
	map_init(&m);
	for (unsigned step = 1; step <= STEPS; step++) {
		char room[64];
		unsigned i = next(&seed) % KEYS;
		struct str key = key_of(room, sizeof(room), i);

		if (next(&seed) % 3 == 0) {
			assert_int_equal(map_delete(&m, key), model[i] != 0);
			model[i] = 0;
		} else {
			map_set(&m, key, step);
			model[i] = step;
		}
	}
	for (unsigned i = 0; i < KEYS; i++) {
		char room[64];
		uint64_t value = 0;

		assert_int_equal(map_get(&m, key_of(room, sizeof(room), i), &value), model[i] != 0);
		assert_true(value == model[i]);
		want.n += model[i] != 0;
		want.values += model[i];
	}
	map_each(&m, add_up, &got);
	assert_int_equal(got.n, want.n);
	assert_int_equal(map_count(&m), want.n);
	assert_true(got.values == want.values);
	map_clear(&m);
	assert_int_equal(map_count(&m), 0);
	assert_int_equal(m.key_bytes, 0);
	map_set(&m, STR_LIT("again"), 1);
	assert_int_equal(map_count(&m), 1);
	map_done(&m);
	map_done(&m);
}

static void keys_are_bytes(void **state)
{
	struct map m;
	uint64_t value = 0;
	bool fresh = false;

	(void)state;
	map_init(&m);
	assert_false(map_get(&m, STR_LIT(""), &value));
	assert_false(map_delete(&m, STR_LIT("x")));
	map_set(&m, (struct str){NULL, 0}, 1);
	map_set(&m, STR_LIT("\0"), 2);
	map_set(&m, STR_LIT("\0\0"), 3);
	map_set(&m, STR_LIT("a\0b"), 4);
	assert_true(map_get(&m, STR_LIT(""), &value) && value == 1);
	assert_true(map_get(&m, STR_LIT("\0"), &value) && value == 2);
	assert_true(map_get(&m, STR_LIT("\0\0"), &value) && value == 3);
	assert_false(map_get(&m, STR_LIT("a"), &value));
	*map_ref(&m, STR_LIT("n"), &fresh) += 5;
	assert_true(fresh);
	*map_ref(&m, STR_LIT("n"), &fresh) += 5;
	assert_false(fresh);
	assert_true(map_get(&m, STR_LIT("n"), &value) && value == 10);
	map_done(&m);
}

/* Near-equal keys must spread: chi-square over 256 cells stays near its mean, for low and high bits. */
static void hash_spreads(void **state)
{
	unsigned low[256] = {0}, high[256] = {0};
	double chi_low = 0, chi_high = 0;
	const unsigned n = 256 * 200;

	(void)state;
	for (unsigned i = 0; i < n; i++) {
		char room[32];
		int len = snprintf(room, sizeof(room), "4XyZ%08X", i);
		uint64_t h = map_hash(str_make(room, (size_t)len), 42);

		low[h & 255]++;
		high[h >> 56]++;
	}
	for (int i = 0; i < 256; i++) {
		chi_low += ((double)low[i] - 200) * ((double)low[i] - 200) / 200;
		chi_high += ((double)high[i] - 200) * ((double)high[i] - 200) / 200;
	}
	assert_true(chi_low < 400 && chi_high < 400); /* 255 +- 23; 400 is over six deviations */
	assert_true(map_hash(STR_LIT("abc"), 1) != map_hash(STR_LIT("abc"), 2));
	assert_true(map_hash(STR_LIT(""), 1) != map_hash(STR_LIT("\0"), 1));
	assert_true(map_hash(STR_LIT("12345678"), 1) != map_hash(STR_LIT("12345678\0"), 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_a_model),
		cmocka_unit_test(keys_are_bytes),
		cmocka_unit_test(hash_spreads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
