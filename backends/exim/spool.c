/* SPDX-License-Identifier: MIT */
/* exim/spool - see spool.h. */
#include "backends/exim/spool.h"

#include "backends/exim/parse.h"
#include "store/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER_MAX_BYTES (8u << 20) /* header_maxsize is 1 MiB as it comes */
#define LOG_MAX_BYTES (32u << 10) /* the end of a message's log: its last tries */
#define NAME_MAX_BYTES 64 /* "msglog/x/" and an id */
#define KEYS_PER_RCPT 3 /* address, host, ip */
#define LETTER_AT 5 /* split_spool_directory: the folder is the id's sixth character */
#define ID_ON_FIRST_LINE 3 /* "-D" and a newline behind the id */

static int fail(const char *folder, int err, struct mt_error *reterr)
{
	if (err == EACCES || err == EPERM)
		return mt_error_set(reterr, MT_EPERM, "no permission to read %.150s", folder);
	return mt_error_sys(reterr, err, "can't read Exim's spool");
}

static DIR *open_folder(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (fd >= 0 && !dir)
		close(fd);
	return dir;
}

int exim_spool_open(struct exim_spool *s, const char *folder, struct mt_error *reterr)
{
	*s = (struct exim_spool){.fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
		.frozen_timeout_ms = EVENT_UNKNOWN};
	buf_init(&s->header, HEADER_MAX_BYTES);
	buf_init(&s->journal, HEADER_MAX_BYTES);
	buf_init(&s->log, LOG_MAX_BYTES);
	timefmt_init(&s->stamps, 0, "UTC");
	if (s->fd < 0)
		return fail(folder, errno, reterr);
	s->open[0] = open_folder(s->fd, "input");
	if (!s->open[0])
		return fail(folder, errno, reterr);
	s->depth = 1;
	return 0;
}

void exim_spool_close(struct exim_spool *s)
{
	while (s->depth > 0)
		closedir(s->open[--s->depth]);
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	buf_done(&s->header);
	buf_done(&s->journal);
	buf_done(&s->log);
	exim_header_done(&s->h);
	free(s->keys);
	s->keys = NULL;
	s->keys_cap = 0;
}

/* "input/x/ID-H" below the spool. */
static int open_file(const struct exim_spool *s, const char *folder, struct str id, const char *end)
{
	char name[NAME_MAX_BYTES];
	int n = s->letter ? snprintf(name, sizeof(name), "%s/%c/%.*s%s", folder, s->letter,
				    STR_ARG(id), end)
			  : snprintf(name, sizeof(name), "%s/%.*s%s", folder, STR_ARG(id), end);

	if (n < 0 || n >= (int)sizeof(name))
		return -1;
	return openat(s->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

/* The file's bytes from `from` on (below 0: that many at its end) into b. False: not a file, too large, unreadable. */
static bool read_file(int fd, int64_t from, struct buf *b)
{
	struct stat st;
	off_t at;

	buf_clear(b);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	at = from >= 0 ? from : st.st_size + from > 0 ? st.st_size + from : 0;
	if (st.st_size - at > (off_t)b->max)
		return false;
	while (at < st.st_size) {
		size_t want = (size_t)(st.st_size - at);
		char *room = buf_reserve(b, want);
		ssize_t n = room ? pread(fd, room, want, at) : -1;

		if (n < 0 && room && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0;
		buf_grow(b, (size_t)n);
		at += n;
	}
	return true;
}

/* Exim locks the first line of -D while it works at the message. */
static bool locked(int fd)
{
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};

	return fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* data_facts - size as `exim -bp` has it: headers, the blank line, the body behind the first line of -D. */
static void data_facts(const struct exim_spool *s, struct queue_row *row, bool *ret_busy)
{
	int fd = open_file(s, "input", row->qid, "-D");
	struct stat st;

	*ret_busy = false;
	row->size_bytes = EVENT_UNKNOWN;
	if (fd < 0)
		return;
	*ret_busy = locked(fd);
	if (s->h.header_bytes >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		row->size_bytes = s->h.header_bytes + (int64_t)st.st_size -
				  (int64_t)(row->qid.n + ID_ON_FIRST_LINE) + 1;
	close(fd);
	if (row->size_bytes < 0)
		row->size_bytes = EVENT_UNKNOWN;
}

/* A line of the message's log: "STAMP address R=... defer (n) H=...: text" holds for the recipients it names. */
static void take_reason(struct exim_spool *s, size_t n, struct str line)
{
	struct event e;
	int64_t t_ms;

	if (!timefmt_read(&s->stamps, &line, &t_ms))
		return;
	line = str_skip(line, 1);
	if (str_find(line, STR_LIT(" defer (")) == line.n)
		return;
	event_init(&e);
	if (!exim_attempt(&e, STR_LIT("=="), line))
		return;
	for (size_t i = 0; i < n; i++) {
		struct str rcpt = s->h.left.addr[i];

		if (!str_eq(rcpt, e.to) && !str_eq(rcpt, e.orig_to))
			continue;
		s->h.left.reason[i] = e.reply;
		s->keys[i * KEYS_PER_RCPT] = e.to;
		s->keys[i * KEYS_PER_RCPT + 1] = e.relay_host;
		s->keys[i * KEYS_PER_RCPT + 2] = e.relay_ip;
	}
}

static void take_reasons(struct exim_spool *s, size_t n)
{
	int fd = open_file(s, "msglog", s->h.id, "");
	struct str text;

	if (fd < 0)
		return;
	if (read_file(fd, -(int64_t)LOG_MAX_BYTES, &s->log)) {
		text = buf_str(&s->log);
		while (text.n) {
			struct str line = str_first(text, str_find_char(text, '\n'));

			text = str_skip(text, line.n + 1);
			take_reason(s, n, line);
		}
	}
	close(fd);
}

static void blank_keys(struct exim_spool *s, size_t n)
{
	if (s->keys_cap < n * KEYS_PER_RCPT) {
		s->keys_cap = n * KEYS_PER_RCPT;
		s->keys = xrealloc(s->keys, s->keys_cap * sizeof(s->keys[0]));
	}
	for (size_t i = 0; i < n; i++) {
		s->keys[i * KEYS_PER_RCPT] = s->h.left.addr[i];
		s->keys[i * KEYS_PER_RCPT + 1] = s->keys[i * KEYS_PER_RCPT + 2] =
			(struct str){NULL, 0};
	}
}

/* The soonest of its recipients; unknown when one of them is, or when not all were looked at. */
static int64_t next_try(const struct exim_spool *s, size_t n)
{
	int64_t soonest_ms = EVENT_UNKNOWN;

	if (!s->retry || !s->retry->known || n < s->h.left.n)
		return EVENT_UNKNOWN;
	for (size_t i = 0; i < n; i++) {
		const struct exim_retry_of of = {.id = s->h.id,
			.sender = s->h.sender,
			.rcpt = s->keys[i * KEYS_PER_RCPT],
			.host = s->keys[i * KEYS_PER_RCPT + 1],
			.ip = s->keys[i * KEYS_PER_RCPT + 2]};
		int64_t next_ms = exim_retry_next(s->retry, &of);

		if (next_ms < 0)
			return EVENT_UNKNOWN;
		if (soonest_ms < 0 || next_ms < soonest_ms)
			soonest_ms = next_ms;
	}
	return soonest_ms;
}

static void fill(struct exim_spool *s, struct queue_row *row)
{
	const struct exim_header *h = &s->h;
	size_t looked_at = h->left.n < QUEUE_RCPT_KEPT ? h->left.n : QUEUE_RCPT_KEPT;
	bool busy;

	*row = (struct queue_row){.qid = h->id,
		.sender = h->sender,
		.arrival_ms = h->received_ms,
		.next_retry_ms = EVENT_UNKNOWN,
		.expires_ms = EVENT_UNKNOWN};
	data_facts(s, row, &busy);
	row->queue = busy           ? QUEUE_ACTIVE
		     : h->frozen    ? QUEUE_HOLD
		     : h->first_try ? QUEUE_INCOMING
				    : QUEUE_DEFERRED;
	blank_keys(s, looked_at);
	if (!h->first_try)
		take_reasons(s, looked_at);
	if (row->queue == QUEUE_DEFERRED)
		row->next_retry_ms = next_try(s, looked_at);
	if (h->frozen && s->frozen_timeout_ms > 0)
		row->expires_ms = h->received_ms + s->frozen_timeout_ms;
	row->nrcpt = h->left.n;
	row->rcpt = h->left.addr;
	row->reason = h->left.reason;
}

static enum exim_spool_found read_message(
	struct exim_spool *s, struct str id, struct queue_row *ret)
{
	int fd = open_file(s, "input", id, "-H"), journal;
	bool ok;

	if (fd < 0)
		return errno == ENOENT ? EXIM_SPOOL_NONE : EXIM_SPOOL_BAD;
	ok = read_file(fd, 0, &s->header);
	close(fd);
	buf_clear(&s->journal);
	journal = ok ? open_file(s, "input", id, "-J") : -1;
	if (journal >= 0) {
		ok = read_file(journal, 0, &s->journal);
		close(journal);
	}
	if (!ok || exim_header_parse(buf_str(&s->header), buf_str(&s->journal), &s->h) < 0 ||
		!str_eq(s->h.id, id))
		return EXIM_SPOOL_BAD;
	fill(s, ret);
	return EXIM_SPOOL_ROW;
}

static void close_top(struct exim_spool *s)
{
	closedir(s->open[--s->depth]);
	s->letter = 0;
}

static bool is_letter(const char *name)
{
	return name[0] && name[0] != '.' && name[1] == '\0';
}

enum exim_spool_found exim_spool_next(struct exim_spool *s, struct queue_row *ret)
{
	const struct dirent *entry;
	struct str name;

	if (s->depth == 0)
		return EXIM_SPOOL_END;
	entry = readdir(s->open[s->depth - 1]);
	if (!entry) {
		close_top(s);
		return s->depth == 0 ? EXIM_SPOOL_END : EXIM_SPOOL_NONE;
	}
	name = str_of(entry->d_name);
	if (s->depth < EXIM_SPOOL_DEPTH && is_letter(entry->d_name)) {
		s->open[s->depth] = open_folder(dirfd(s->open[0]), entry->d_name);
		if (!s->open[s->depth])
			return errno == ENOENT ? EXIM_SPOOL_NONE : EXIM_SPOOL_BAD;
		s->depth++;
		s->letter = entry->d_name[0];
		return EXIM_SPOOL_NONE;
	}
	if (!str_ends(name, STR_LIT("-H")) || !exim_is_id(str_first(name, name.n - 2)))
		return EXIM_SPOOL_NONE;
	return read_message(s, str_first(name, name.n - 2), ret);
}

enum exim_spool_found exim_spool_find(struct exim_spool *s, struct str id, struct queue_row *ret)
{
	enum exim_spool_found found = EXIM_SPOOL_NONE;

	if (!exim_is_id(id))
		return found;
	for (int split = 0; split < 2 && found == EXIM_SPOOL_NONE; split++) {
		s->letter = split ? id.p[LETTER_AT] : 0;
		found = read_message(s, id, ret);
	}
	return found;
}
