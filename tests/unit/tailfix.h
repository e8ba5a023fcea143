/* SPDX-License-Identifier: MIT */
/*
 * tailfix - a log and its siblings in a folder of their own, a tail over them, and what it gave: for test_tail.c.
 * Included after cmocka.h; end() takes it all away.
 */
#ifndef MT_TESTS_TAILFIX_H
#define MT_TESTS_TAILFIX_H

#include "backends/tail.h"
#include "store/base/mem.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MARKS_KEPT 64

struct kept_mark {
	char key[32];
	char value[256];
	size_t n;
};

struct fix {
	char dir[64], path[96];
	const char *paths[1];
	struct tail *tail;
	int64_t now_mono_ms;
	struct buf got; /* all lines consumed, in order */
	struct kept_mark marks[MARKS_KEPT]; /* as a store would keep them */
	size_t nmarks;
	struct tail_options options;
};

static void write_at(const char *path, const char *text, int flags)
{
	int fd = open(path, O_WRONLY | O_CREAT | flags, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void append(struct fix *f, const char *text)
{
	write_at(f->path, text, O_APPEND);
}

static char *sibling(const struct fix *f, const char *suffix)
{
	return xasprintf("%s%s", f->path, suffix);
}

static void move(const struct fix *f, const char *from, const char *to)
{
	char *a = sibling(f, from), *b = sibling(f, to);

	assert_int_equal(rename(a, b), 0);
	free(a);
	free(b);
}

/* compress - FROM becomes FROM.gz, its time of change kept, as gzip does. */
static void compress_file(const struct fix *f, const char *from)
{
	char *plain = sibling(f, from), *packed = xasprintf("%s.gz", plain);
	struct archive *a = archive_write_new();
	struct archive_entry *e = archive_entry_new();
	char bytes[65536];
	struct stat st;
	int fd = open(plain, O_RDONLY);
	ssize_t n;

	assert_int_equal(fstat(fd, &st), 0);
	archive_write_add_filter_gzip(a);
	archive_write_set_format_raw(a);
	assert_int_equal(archive_write_open_filename(a, packed), ARCHIVE_OK);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_size(e, st.st_size);
	assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		archive_write_data(a, bytes, (size_t)n);
	archive_write_close(a);
	archive_write_free(a);
	archive_entry_free(e);
	close(fd);
	utimensat(AT_FDCWD, packed, (struct timespec[]){st.st_mtim, st.st_mtim}, 0);
	unlink(plain);
	free(plain);
	free(packed);
}

static void begin_tail(struct fix *f)
{
	f->options.paths = f->paths;
	f->options.npaths = 1;
	f->tail = tail_new(&f->options);
	for (size_t i = 0; i < f->nmarks; i++)
		assert_int_equal(tail_restore(f->tail, str_of(f->marks[i].key),
					 str_make(f->marks[i].value, f->marks[i].n)),
			0);
}

static void begin(struct fix *f, bool follow)
{
	*f = (struct fix){
		.now_mono_ms = 1000, .options = {.follow = follow, .oldest_ms = INT64_MIN}};
	snprintf(f->dir, sizeof(f->dir), "/tmp/mtatop-tail-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/mail.log", f->dir);
	f->paths[0] = f->path;
	buf_init(&f->got, 64 << 20);
	begin_tail(f);
}

static int keep(void *ctx, struct str key, struct str value)
{
	struct fix *f = ctx;
	struct kept_mark *m = NULL;

	for (size_t i = 0; i < f->nmarks; i++)
		if (str_eq(str_of(f->marks[i].key), key))
			m = &f->marks[i];
	if (!m)
		m = &f->marks[f->nmarks++];
	assert_true(f->nmarks <= MARKS_KEPT && value.n <= sizeof(m->value));
	snprintf(m->key, sizeof(m->key), "%.*s", STR_ARG(key));
	memcpy(m->value, value.p, value.n);
	m->n = value.n;
	return 0;
}

/* take - whole lines of a chunk (all of a final one), as a parser would. */
static void take(struct fix *f, const struct tail_chunk *c)
{
	size_t n = c->final ? c->bytes.n : str_rfind_char(c->bytes, '\n') + 1;

	if (n > c->bytes.n)
		return;
	buf_add(&f->got, c->bytes.p, n);
	if (c->final && n && c->bytes.p[n - 1] != '\n')
		buf_add_char(&f->got, '\n');
	tail_consumed(f->tail, n);
}

/* run - read until nothing more comes now. Returns the last state; marks are "committed". */
static int run(struct fix *f)
{
	struct mt_error error = {0};
	struct tail_chunk c;
	int state;

	while ((state = tail_next(f->tail, f->now_mono_ms, &c, &error)) == TAIL_CHUNK)
		take(f, &c);
	assert_int_equal(tail_each_changed(f->tail, keep, f), 0);
	tail_stored(f->tail);
	return state;
}

static void restart(struct fix *f)
{
	tail_free(f->tail);
	begin_tail(f);
}

static void got(struct fix *f, const char *want)
{
	assert_string_equal(buf_z(&f->got), want);
	buf_clear(&f->got);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static void end(struct fix *f)
{
	tail_free(f->tail);
	buf_done(&f->got);
	nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
