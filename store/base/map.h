/* SPDX-License-Identifier: MIT */
/*
 * map - open-addressing hash table from byte strings to a 64-bit value. Keys are copied. Seeded per
 * map at random so that chosen keys can't make it slow. Capped by the caller through map_count.
 */
#ifndef MT_BASE_MAP_H
#define MT_BASE_MAP_H

#include "store/base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct map_slot;
struct map { struct map_slot *slots; size_t cap, n, tombs; uint64_t seed; size_t key_bytes; };

void map_init(struct map *m);
void map_done(struct map *m);
void map_clear(struct map *m);
/* map_get - true and *ret if the key is there. */
bool map_get(const struct map *m, struct str key, uint64_t *ret);
/* map_set - add or replace. */
void map_set(struct map *m, struct str key, uint64_t value);
bool map_delete(struct map *m, struct str key);
size_t map_count(const struct map *m);
/* map_each - any order; the map must not change meanwhile. */
void map_each(const struct map *m, void (*fn)(void *ctx, struct str key, uint64_t value), void *ctx);
/* map_hash - seeded hash of bytes, for own tables. */
uint64_t map_hash(struct str key, uint64_t seed);

#endif
