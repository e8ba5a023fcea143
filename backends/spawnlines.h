/* SPDX-License-Identifier: MIT */
/* spawnlines - the output of a program cut into lines, as it comes; for spawn_step. */
#ifndef MT_BACKENDS_SPAWNLINES_H
#define MT_BACKENDS_SPAWNLINES_H

#include "store/base/buf.h"

struct spawn_lines {
	struct buf line; /* being received; one over its cap is cut */
	int (*each)(void *ctx, struct str line); /* without its newline; not 0 ends it */
	void *ctx;
};

/* spawn_lines_init - lines of at most max_bytes. End with buf_done(&l->line). */
void spawn_lines_init(struct spawn_lines *l, size_t max_bytes,
	int (*each)(void *ctx, struct str line), void *ctx);
/* spawn_lines_take - a spawn_bytes_fn; lines is a struct spawn_lines. Returns 0 or what each returned. */
int spawn_lines_take(void *lines, struct str bytes);
/* spawn_lines_end - the last line, where it has no newline. As spawn_lines_take. */
int spawn_lines_end(struct spawn_lines *l);

#endif
