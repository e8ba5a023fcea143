/* SPDX-License-Identifier: MIT */
/*
 * tail_window - where in a plain file the read-back window of a first start begins.
 *
 * Halves the file by the time stamps of its lines, so that of a log of gigabytes some blocks are read. Lines in order
 * within the block size are assumed; where no stamp can be read the earlier half is taken: rather too much is
 * read than too little.
 */
#include "backends/tail_private.h"

#include <unistd.h>

#define BLOCK_BYTES (64 << 10) /* more than the longest line syslog writes */

struct stamped { /* a line whose time is known */
	int64_t offset, t_ms;
};

/* block_at - the bytes from an offset on. */
static struct str block_at(const struct logfile *f, int64_t offset, char *block)
{
	ssize_t n = pread(f->fd, block, BLOCK_BYTES, offset);

	return str_make(block, n > 0 ? (size_t)n : 0);
}

/* first_stamped - the first whole line of a block with a time of at least not_before. false: none. */
static bool first_stamped(const struct tail *t, struct str block, int64_t offset, bool at_line,
	int64_t reference_ms, int64_t not_before_ms, struct stamped *ret)
{
	size_t at = 0;

	if (!at_line)
		at = str_find_char(block, '\n') + 1;
	while (at < block.n) {
		struct str rest = str_skip(block, at);
		size_t n = str_find_char(rest, '\n');
		int64_t t_ms;

		if (n == rest.n)
			return false;
		t_ms = t->line_time(t->line_ctx, str_first(rest, n), reference_ms);
		if (t_ms >= not_before_ms) {
			*ret = (struct stamped){offset + (int64_t)at, t_ms};
			return true;
		}
		at += n + 1;
	}
	return false;
}

/* read_up_to - line by line from a line's beginning to the first one of the window; else behind the last whole line. */
static int64_t read_up_to(const struct tail *t, const struct logfile *f, int64_t from,
	int64_t reference_ms, char *block)
{
	for (;;) {
		struct str bytes = block_at(f, from, block);
		size_t whole = str_rfind_char(bytes, '\n') + 1;
		struct stamped found;

		if (first_stamped(t, bytes, from, true, reference_ms, t->oldest_ms, &found))
			return found.offset;
		if (bytes.n == 0 || whole > bytes.n)
			return from;
		from += (int64_t)whole;
	}
}

int64_t tail_window_start(const struct tail *t, const struct logfile *f)
{
	char block[BLOCK_BYTES];
	int64_t reference_ms = f->mtime_ms + TAIL_DAY_MS;
	int64_t low = 0, high = f->size;
	struct stamped found;

	if (!first_stamped(t, block_at(f, 0, block), 0, true, reference_ms, 0, &found) ||
		found.t_ms >= t->oldest_ms)
		return 0;
	while (high - low > BLOCK_BYTES) {
		int64_t middle = low + (high - low) / 2;
		bool is = first_stamped(
			t, block_at(f, middle, block), middle, false, reference_ms, 0, &found);

		if (is && found.t_ms < t->oldest_ms && found.offset < high)
			low = found.offset;
		else
			high = middle;
	}
	return read_up_to(t, f, low, reference_ms, block);
}
