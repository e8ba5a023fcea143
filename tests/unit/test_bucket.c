/* SPDX-License-Identifier: MIT */
/* The packing of counts: what goes in comes out, sums are sums, bad bytes are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/bucket.h"

#include <stdlib.h>
#include <string.h>

#define KEYS 40
#define ROUNDS 2000

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static int64_t key_at(int i)
{
	static const int64_t far[] = {1000, 70000, INT32_MAX, BUCKET_KEY_MAX - 1, BUCKET_KEY_MAX};

	return i < KEYS - 5 ? i * (i % 7) * 40 + i
			    : far[i - (KEYS - 5)] + (i == KEYS - 5 ? 500000 : 0);
}

static int by_value(const void *left, const void *right)
{
	const int64_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

struct model { /* n by key and metric */
	int64_t key[KEYS];
	int64_t n[KEYS][METRIC__COUNT];
};

static void model_init(struct model *m)
{
	memset(m, 0, sizeof(*m));
	for (int i = 0; i < KEYS; i++)
		m->key[i] = key_at(i);
	qsort(m->key, KEYS, sizeof(m->key[0]), by_value);
	for (int i = 1; i < KEYS; i++)
		assert_true(m->key[i] > m->key[i - 1]);
}

static struct str pack(const struct model *m, unsigned char *room)
{
	unsigned char *to = room;
	int64_t key = 0;

	for (int i = 0; i < KEYS; i++)
		for (int metric = 0; metric < METRIC__COUNT; metric++)
			if (m->n[i][metric])
				to = bucket_put(to, &key,
					&(struct bucket_entry){m->key[i], m->n[i][metric], metric});
	return (struct str){(const char *)room, (size_t)(to - room)};
}

static void fill(struct model *m, uint64_t *state)
{
	size_t n = next_random(state) % 60;

	for (size_t i = 0; i < n; i++) {
		unsigned bits = (unsigned)(next_random(state) % 50);
		int64_t value = (int64_t)(next_random(state) & ((UINT64_C(1) << bits) - 1));

		m->n[next_random(state) % KEYS][next_random(state) % METRIC__COUNT] =
			next_random(state) % 3 ? value : -value;
	}
}

static void packs_and_merges(void **state)
{
	unsigned char *room[4];
	uint64_t random = 20261125;

	(void)state;
	for (int i = 0; i < 4; i++)
		room[i] = malloc(KEYS * METRIC__COUNT * BUCKET_ENTRY_MAX_BYTES);
	for (int round = 0; round < ROUNDS; round++) {
		struct model a, b, sum;
		struct str left, right, want;
		size_t n = 0;
		int64_t found;

		model_init(&a);
		model_init(&b);
		model_init(&sum);
		fill(&a, &random);
		fill(&b, &random);
		for (int i = 0; i < KEYS; i++)
			for (int metric = 0; metric < METRIC__COUNT; metric++) {
				if (round % 4 == 0 && metric % 2)
					b.n[i][metric] = -a.n[i][metric];
				sum.n[i][metric] = a.n[i][metric] + b.n[i][metric];
			}
		left = pack(&a, room[0]);
		right = pack(&b, room[1]);
		want = pack(&sum, room[2]);
		assert_int_equal(bucket_merge(left, right, room[3], &n), 0);
		assert_true(n <= left.n + right.n);
		assert_true(str_eq(want, (struct str){(const char *)room[3], n}));
		for (int i = 0; i < KEYS; i++)
			for (int metric = 0; metric < METRIC__COUNT; metric++) {
				assert_int_equal(bucket_find(want, sum.key[i], metric, &found), 0);
				assert_int_equal(found, sum.n[i][metric]);
			}
	}
	for (int i = 0; i < 4; i++)
		free(room[i]);
}

static void refuses_bad_bytes(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} cases[] = {
		{"\x80", 1}, /* a varint without its end */
		{"\x02", 1}, /* an entry without its n */
		{"\x02\x80", 2},
		{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x02", 13}, /* over 64 bits */
		{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x02\x40\x02",
			13}, /* a key past the last */
	};
	static const char good[] = "\x02\x02";
	unsigned char room[64];
	int64_t n;
	size_t used;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct str bad = {cases[i].bytes, cases[i].n}, ok = {good, 2};

		assert_int_equal(bucket_find(bad, BUCKET_KEY_MAX, 63, &n), MT_ECORRUPT);
		assert_int_equal(bucket_merge(bad, ok, room, &used), MT_ECORRUPT);
		assert_int_equal(bucket_merge(ok, bad, room, &used), MT_ECORRUPT);
	}
	assert_int_equal(bucket_find((struct str){NULL, 0}, 0, 2, &n), 0);
	assert_int_equal(n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packs_and_merges),
		cmocka_unit_test(refuses_bad_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
