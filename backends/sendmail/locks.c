/* SPDX-License-Identifier: MIT */
/* sendmail/locks - see locks.h. */
#include "backends/sendmail/locks.h"

#include "store/base/buf.h"
#include "store/base/mem.h"
#include "store/base/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define TEXT_MAX_BYTES (4u << 20)
#define READ_BYTES 65536
#define WORD_OF_FILE 5 /* "1: FLOCK  ADVISORY  WRITE 2719 08:01:1835100 0 EOF" */
#define LOCKS_MAX 100000

static bool take_hex(struct str *in, uint32_t *ret)
{
	size_t n = 0;

	*ret = 0;
	for (; n < in->n && n < 8; n++) {
		char c = in->p[n];
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
						   : -1;

		if (digit < 0)
			break;
		*ret = *ret * 16 + (uint32_t)digit;
	}
	*in = str_skip(*in, n);
	return n > 0;
}

/* One that waits for another ("1: -> ...") has a word more, and is about the same file. */
static bool take_line(struct str line, struct sendmail_lock *ret)
{
	struct str word = {NULL, 0};

	for (int i = 0; i <= WORD_OF_FILE; i++) {
		while (line.n && line.p[0] == ' ')
			line = str_skip(line, 1);
		if (!scan_word(&line, &word))
			return false;
		if (str_eq(word, STR_LIT("->")))
			return false;
	}
	return take_hex(&word, &ret->major) && scan_lit(&word, STR_LIT(":")) &&
	       take_hex(&word, &ret->minor) && scan_lit(&word, STR_LIT(":")) &&
	       scan_all_u64(word, UINT64_MAX, &ret->inode);
}

static int by_inode(const void *left, const void *right)
{
	const struct sendmail_lock *a = left, *b = right;

	return (a->inode > b->inode) - (a->inode < b->inode);
}

void sendmail_locks_parse(struct sendmail_locks *l, struct str text)
{
	size_t cap = 0;

	*l = (struct sendmail_locks){.n = 0};
	while (text.n && l->n < LOCKS_MAX) {
		struct str line = str_first(text, str_find_char(text, '\n'));
		struct sendmail_lock lock;

		text = str_skip(text, line.n + 1);
		if (!take_line(line, &lock))
			continue;
		if (l->n == cap) {
			cap = cap ? cap * 2 : 64;
			l->all = xrealloc(l->all, cap * sizeof(l->all[0]));
		}
		l->all[l->n++] = lock;
	}
	if (l->n)
		qsort(l->all, l->n, sizeof(l->all[0]), by_inode);
}

bool sendmail_locks_read(struct sendmail_locks *l)
{
	int fd = open("/proc/locks", O_RDONLY | O_CLOEXEC);
	struct buf text;
	ssize_t n = 1;

	*l = (struct sendmail_locks){.n = 0};
	if (fd < 0)
		return false;
	buf_init(&text, TEXT_MAX_BYTES);
	while (n > 0 && text.n + READ_BYTES <= TEXT_MAX_BYTES) {
		char *room = buf_reserve(&text, READ_BYTES);

		n = room ? read(fd, room, READ_BYTES) : -1;
		if (n > 0)
			buf_grow(&text, (size_t)n);
	}
	close(fd);
	if (n == 0)
		sendmail_locks_parse(l, buf_str(&text));
	buf_done(&text);
	return n == 0;
}

bool sendmail_locks_has(const struct sendmail_locks *l, uint64_t dev, uint64_t inode)
{
	size_t low = 0, high = l->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (l->all[middle].inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < l->n && l->all[low].inode == inode; low++) {
		const struct sendmail_lock *lock = &l->all[low];

		if (lock->major == major(dev) && (lock->minor == minor(dev) || lock->major == 0))
			return true;
	}
	return false;
}

void sendmail_locks_done(struct sendmail_locks *l)
{
	free(l->all);
	*l = (struct sendmail_locks){.n = 0};
}
