/* SPDX-License-Identifier: MIT */
/* spawnlines - see spawnlines.h. */
#include "backends/spawnlines.h"

void spawn_lines_init(
	struct spawn_lines *l, size_t max_bytes, int (*each)(void *ctx, struct str line), void *ctx)
{
	*l = (struct spawn_lines){.each = each, .ctx = ctx};
	buf_init(&l->line, max_bytes);
}

int spawn_lines_take(void *lines, struct str bytes)
{
	struct spawn_lines *l = lines;
	int rc = 0;

	while (bytes.n && rc == 0) {
		struct str part = str_first(bytes, str_find_char(bytes, '\n'));

		(void)buf_add_str(&l->line, str_first(part, l->line.max - l->line.n));
		if (part.n < bytes.n) {
			rc = l->each(l->ctx, buf_str(&l->line));
			buf_clear(&l->line);
		}
		bytes = str_skip(bytes, part.n + 1);
	}
	return rc;
}

int spawn_lines_end(struct spawn_lines *l)
{
	int rc = l->line.n ? l->each(l->ctx, buf_str(&l->line)) : 0;

	buf_clear(&l->line);
	return rc;
}
