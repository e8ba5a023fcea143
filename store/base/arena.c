/* SPDX-License-Identifier: MIT */
/* arena - bump allocation in reusable blocks; see arena.h. */
#include "store/base/arena.h"

#include <stdint.h>
#include <stdlib.h>

#define ARENA_BLOCK_BYTES                                                                          \
	(64u << 10) /* a batch of some hundred rows; larger requests get their own */
#define ARENA_ALIGN_BYTES 8u

struct arena_block {
	struct arena_block *next;
	size_t cap;
	size_t n;
	uint64_t data[]; /* aligned */
};

void arena_init(struct arena *a, size_t max_bytes)
{
	*a = (struct arena){.max_bytes = max_bytes};
}

void arena_done(struct arena *a)
{
	for (struct arena_block *b = a->first, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	arena_init(a, a->max_bytes);
}

void arena_reset(struct arena *a)
{
	for (struct arena_block *b = a->first; b; b = b->next)
		b->n = 0;
	a->current = a->first;
	a->used_bytes = 0;
}

static struct arena_block *add_block(struct arena *a, size_t nbytes)
{
	size_t cap = nbytes > ARENA_BLOCK_BYTES ? nbytes : ARENA_BLOCK_BYTES;
	struct arena_block *b = malloc(sizeof(*b) + cap);

	if (!b)
		return NULL;
	*b = (struct arena_block){.cap = cap};
	if (a->current) {
		b->next = a->current->next;
		a->current->next = b;
	} else {
		b->next = a->first;
		a->first = b;
	}
	a->current = b;
	return b;
}

static struct arena_block *block_with_room(struct arena *a, size_t nbytes)
{
	struct arena_block *b = a->current;

	while (b && b->cap - b->n < nbytes) {
		if (!b->next || b->next->n)
			break;
		b = b->next;
		a->current = b;
	}
	if (b && b->cap - b->n >= nbytes)
		return b;
	return add_block(a, nbytes);
}

void *arena_alloc(struct arena *a, size_t nbytes)
{
	struct arena_block *b;
	void *memory;

	if (nbytes > a->max_bytes || a->used_bytes > a->max_bytes - nbytes)
		return NULL;
	nbytes = (nbytes + ARENA_ALIGN_BYTES - 1) & ~(size_t)(ARENA_ALIGN_BYTES - 1);
	b = block_with_room(a, nbytes);
	if (!b)
		return NULL;
	memory = (char *)b->data + b->n;
	b->n += nbytes;
	a->used_bytes += nbytes;
	return memory;
}

struct str arena_str(struct arena *a, struct str s)
{
	char *copy;

	if (!str_present(s))
		return s;
	copy = arena_alloc(a, s.n + 1);
	if (!copy)
		return (struct str){NULL, 0};
	if (s.n)
		memcpy(copy, s.p, s.n);
	copy[s.n] = '\0';
	return str_make(copy, s.n);
}

const char *arena_z(struct arena *a, struct str s)
{
	struct str copy = arena_str(a, s);

	return copy.p ? copy.p : "";
}
