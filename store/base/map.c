/* SPDX-License-Identifier: MIT */
/* map - open addressing with linear probes and deletion by shifting back; see map.h. */
#include "store/base/map.h"

#include "store/base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#define MAP_FIRST_SLOTS 16
#define MAP_KEEP_SLOTS 4096 /* map_clear keeps a table up to here: 128 KiB, cheap to wipe */
#define MAP_INLINE_BYTES 16 /* long queue ids are 10 to 16 bytes */

/* 32 bytes, two to a cache line. A zeroed slot is free. */
struct map_slot {
	uint64_t value;
	uint32_t tag; /* low half of the hash; its low bits are the home index */
	uint32_t len_plus; /* key bytes + 1; 0 = free */
	union {
		char in[MAP_INLINE_BYTES];
		char *out; /* owned */
	} key;
};

/* Odd constants with well spread bits, from the wyhash family. */
#define HASH_STEP UINT64_C(0xa0761d6478bd642f)
#define HASH_LAST UINT64_C(0xe7037ed1a0b428db)

__extension__ typedef unsigned __int128 wide;

static uint64_t mix(uint64_t a, uint64_t b)
{
	wide product = (wide)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t load(const char *p, size_t nbytes)
{
	uint64_t word = 0;

	memcpy(&word, p, nbytes);
	return word;
}

uint64_t map_hash(struct str key, uint64_t seed)
{
	uint64_t h = seed ^ HASH_STEP;
	size_t left = key.n;
	const char *p = key.p;

	for (; left > sizeof(uint64_t); left -= sizeof(uint64_t), p += sizeof(uint64_t))
		h = mix(h ^ load(p, sizeof(uint64_t)), HASH_STEP);
	if (key.n >= sizeof(uint64_t))
		h ^= load(key.p + key.n - sizeof(uint64_t), sizeof(uint64_t));
	else if (left > 0)
		h ^= load(p, left);
	return mix(mix(h, HASH_LAST ^ key.n), HASH_STEP);
}

static uint64_t random_seed(void)
{
	uint64_t seed;
	struct timespec now = {0};

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) == (ssize_t)sizeof(seed))
		return seed;
	/* Early boot without entropy: address layout and clock are what there is. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	return mix((uint64_t)now.tv_nsec ^ HASH_STEP, (uint64_t)(uintptr_t)&seed);
}

void map_init(struct map *m)
{
	*m = (struct map){.seed = random_seed()};
}

static bool is_inline(const struct map_slot *slot)
{
	return slot->len_plus <= MAP_INLINE_BYTES + 1;
}

static struct str slot_key(const struct map_slot *slot)
{
	return str_make(is_inline(slot) ? slot->key.in : slot->key.out, slot->len_plus - 1);
}

static void free_key(struct map *m, struct map_slot *slot)
{
	if (is_inline(slot))
		return;
	m->key_bytes -= slot->len_plus - 1;
	free(slot->key.out);
}

static void free_keys(struct map *m)
{
	for (size_t i = 0; i < m->cap && m->n > 0; i++) {
		if (m->slots[i].len_plus == 0)
			continue;
		free_key(m, &m->slots[i]);
		m->n--;
	}
}

void map_done(struct map *m)
{
	free_keys(m);
	free(m->slots);
	*m = (struct map){0};
}

void map_clear(struct map *m)
{
	free_keys(m);
	if (m->cap > MAP_KEEP_SLOTS) {
		free(m->slots);
		m->slots = NULL;
		m->cap = 0;
	} else if (m->cap > 0) {
		memset(m->slots, 0, m->cap * sizeof(*m->slots));
	}
}

/* The slot of the key, or the free slot where it belongs. The table has at least one free slot. */
static struct map_slot *find(const struct map *m, struct str key, uint32_t tag)
{
	size_t mask = m->cap - 1;

	for (size_t i = tag & mask;; i = (i + 1) & mask) {
		struct map_slot *slot = &m->slots[i];

		if (slot->len_plus == 0)
			return slot;
		if (slot->tag == tag && str_eq(slot_key(slot), key))
			return slot;
	}
}

bool map_get(const struct map *m, struct str key, uint64_t *ret)
{
	const struct map_slot *slot;

	if (m->n == 0)
		return false;
	slot = find(m, key, (uint32_t)map_hash(key, m->seed));
	if (slot->len_plus == 0)
		return false;
	*ret = slot->value;
	return true;
}

static void grow(struct map *m)
{
	size_t cap = m->cap ? m->cap * 2 : MAP_FIRST_SLOTS;
	struct map_slot *slots = xcalloc(cap, sizeof(*slots));

	for (size_t i = 0; i < m->cap; i++) {
		size_t at = m->slots[i].tag & (cap - 1);

		if (m->slots[i].len_plus == 0)
			continue;
		while (slots[at].len_plus != 0)
			at = (at + 1) & (cap - 1);
		slots[at] = m->slots[i];
	}
	free(m->slots);
	m->slots = slots;
	m->cap = cap;
}

uint64_t *map_ref(struct map *m, struct str key, bool *ret_new)
{
	uint32_t tag = (uint32_t)map_hash(key, m->seed);
	struct map_slot *slot;

	assert(key.n < UINT32_MAX);
	if (m->n + 1 > m->cap / 4 * 3)
		grow(m);
	slot = find(m, key, tag);
	if (ret_new)
		*ret_new = slot->len_plus == 0;
	if (slot->len_plus != 0)
		return &slot->value;
	slot->value = 0;
	slot->tag = tag;
	slot->len_plus = (uint32_t)key.n + 1;
	if (!is_inline(slot)) {
		slot->key.out = xmemdup(key.p, key.n);
		m->key_bytes += key.n;
	} else if (key.n > 0) {
		memcpy(slot->key.in, key.p, key.n);
	}
	m->n++;
	return &slot->value;
}

void map_set(struct map *m, struct str key, uint64_t value)
{
	*map_ref(m, key, NULL) = value;
}

/* Close the hole: each follower of the run moves back if that doesn't put it before its home. */
static void shift_back(struct map *m, size_t hole)
{
	size_t mask = m->cap - 1;

	for (size_t i = (hole + 1) & mask; m->slots[i].len_plus != 0; i = (i + 1) & mask) {
		size_t home = m->slots[i].tag & mask;

		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		m->slots[hole] = m->slots[i];
		hole = i;
	}
	m->slots[hole] = (struct map_slot){0};
}

bool map_delete(struct map *m, struct str key)
{
	struct map_slot *slot;

	if (m->n == 0)
		return false;
	slot = find(m, key, (uint32_t)map_hash(key, m->seed));
	if (slot->len_plus == 0)
		return false;
	free_key(m, slot);
	shift_back(m, (size_t)(slot - m->slots));
	m->n--;
	return true;
}

size_t map_count(const struct map *m)
{
	return m->n;
}

void map_each(const struct map *m, void (*fn)(void *ctx, struct str key, uint64_t value), void *ctx)
{
	for (size_t i = 0; i < m->cap; i++)
		if (m->slots[i].len_plus != 0)
			fn(ctx, slot_key(&m->slots[i]), m->slots[i].value);
}
