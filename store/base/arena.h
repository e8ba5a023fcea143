/* SPDX-License-Identifier: MIT */
/*
 * arena - bytes that all die together: a batch's copies, a pane's model.
 *
 * Blocks are kept on reset, so a steady load allocates nothing. Capped: past the cap alloc
 * returns NULL and the caller treats it as MT_ELIMIT.
 */
#ifndef MT_BASE_ARENA_H
#define MT_BASE_ARENA_H

#include "store/base/str.h"

struct arena_block;

struct arena {
	struct arena_block *first; /* owned */
	struct arena_block *current; /* within the list */
	size_t used_bytes; /* over all blocks, since reset */
	size_t max_bytes;
};

/* arena_init - empty; allocates nothing. */
void arena_init(struct arena *a, size_t max_bytes);
/* arena_done - free all; accepts a zeroed arena. */
void arena_done(struct arena *a);
/* arena_reset - forget all allocations, keep the blocks. */
void arena_reset(struct arena *a);
/* arena_alloc - nbytes, 8-aligned, not zeroed. NULL past the cap. Borrowed until reset/done. */
void *arena_alloc(struct arena *a, size_t nbytes);
/* arena_str - copy of a view, NUL-terminated; absent stays absent. Past the cap: absent. */
struct str arena_str(struct arena *a, struct str s);
/* arena_z - copy as a C string; never NULL ("" past the cap). */
const char *arena_z(struct arena *a, struct str s);

#endif
