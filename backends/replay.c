/* SPDX-License-Identifier: MIT */
/*
 * replay - `mtatop --replay NAME FILE`: a file through a family's parser, one JSON object a recognised line.
 *
 * Keys are those of the man page's REPLAY section; absent ones are left out. Nothing is stored.
 */
#include "backends/replay.h"

#include "backends/collector.h"
#include "backends/registry.h"
#include "store/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BYTES (1u << 20)
#define CHUNK_MAX_BYTES                                                                            \
	(80u << 20) /* a line of 64 MB without an end, and what was read behind it */
#define OUT_MAX_BYTES (4u << 20)
#define SHOW_MAX_BYTES (256u << 20) /* of one answer, all its rows */
#define DAY_MS 86400000

struct replay {
	struct buf out;
	struct str chunk; /* being parsed, to number its lines */
	size_t counted; /* bytes of the chunk whose lines are in line */
	int64_t line;
	bool broken; /* standard output is gone */
};

static int flush_out(struct replay *r)
{
	struct str rest = buf_str(&r->out);

	while (rest.n) {
		ssize_t n = write(STDOUT_FILENO, rest.p, rest.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			r->broken = true;
			return MT_EIO;
		}
		rest = str_skip(rest, (size_t)n);
	}
	buf_clear(&r->out);
	return 0;
}

static int emit(void *ctx, const struct event *e)
{
	struct replay *r = ctx;
	int rc;

	while (r->counted < e->line_offset) {
		size_t n = str_find_char(
			str_make(r->chunk.p + r->counted, e->line_offset - r->counted), '\n');

		r->counted += n + 1;
		r->line++;
	}
	if (e->kind == EVENT_UNPARSED || e->kind == EVENT_FOREIGN || e->kind == EVENT_OVERSIZE)
		return 0;
	if (!str_present(e->service)) /* an empty line */
		return 0;
	rc = replay_event(&r->out, r->line, e);
	return rc == 0 && r->out.n > READ_BYTES ? flush_out(r) : rc;
}

/* parse_chunk - parse what is in in, count its lines, keep the rest. */
static int parse_chunk(
	struct replay *r, const struct backend_ops *family, void *state, struct buf *in, bool final)
{
	struct event_sink sink = {emit, r};
	size_t consumed = 0;
	int rc;

	r->chunk = buf_str(in);
	r->counted = 0;
	rc = family->parse(state, r->chunk, final, &sink, &consumed);
	while (r->counted < consumed) {
		r->counted +=
			str_find_char(
				str_make(r->chunk.p + r->counted, consumed - r->counted), '\n') +
			1;
		r->line++;
	}
	buf_drop_front(in, consumed);
	return rc;
}

static int read_all(struct replay *r, const struct backend_ops *family, void *state, int fd,
	struct mt_error *reterr)
{
	struct buf in;
	int rc = 0;

	buf_init(&in, CHUNK_MAX_BYTES);
	while (rc == 0) {
		char *at = buf_reserve(&in, READ_BYTES);
		ssize_t n = at ? read(fd, at, READ_BYTES) : -1;

		if (!at) {
			rc = mt_error_set(reterr, MT_ELIMIT, "a line is longer than %u MB",
				CHUNK_MAX_BYTES >> 20);
			break;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			rc = mt_error_sys(reterr, errno, "can't read");
			break;
		}
		if (n)
			buf_grow(&in, (size_t)n);
		rc = parse_chunk(r, family, state, &in, n == 0);
		if (n == 0)
			break;
	}
	buf_done(&in);
	return rc;
}

static int64_t reference_ms(int fd)
{
	struct clock clock = clock_real();
	int64_t now_ms = clock_utc_ms(&clock);
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return now_ms;
	return (int64_t)st.st_mtime * 1000 + DAY_MS < now_ms ? (int64_t)st.st_mtime * 1000 + DAY_MS
							     : now_ms;
}

/* show_all - a file that holds one answer of a vendor's API. */
static int show_all(
	struct replay *r, const struct backend_ops *family, int fd, struct mt_error *reterr)
{
	struct buf in;
	ssize_t n = 1;
	int rc = 0;

	buf_init(&in, CHUNK_MAX_BYTES);
	while (rc == 0 && n > 0) {
		char *at = buf_reserve(&in, READ_BYTES);

		n = at ? read(fd, at, READ_BYTES) : 0;
		if (!at)
			rc = mt_error_set(reterr, MT_ELIMIT, "the file is longer than %u MB",
				CHUNK_MAX_BYTES >> 20);
		else if (n > 0)
			buf_grow(&in, (size_t)n);
		else if (n < 0 && errno == EINTR)
			n = 1;
		else if (n < 0)
			rc = mt_error_sys(reterr, errno, "can't read");
	}
	if (rc == 0)
		rc = family->replay_body(buf_str(&in), &r->out, reterr);
	buf_done(&in);
	return rc;
}

int replay_run(const char *family_name, const char *path, struct mt_error *reterr)
{
	const struct backend_ops *family = backend_find(family_name);
	struct replay r = {.line = 1};
	bool in = path[0] == '-' && path[1] == '\0';
	struct parse_options options;
	void *state;
	int fd, rc;

	if (!family || !(family->parse || family->replay_body))
		return mt_error_set(reterr, MT_ENOENT, "there is no parser of that name");
	fd = in ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return mt_error_sys(reterr, errno, "can't open %.120s", path);
	options = (struct parse_options){.now_utc_ms = reference_ms(fd)};
	state = xcalloc(1, family->parse_state_bytes + 1);
	buf_init(&r.out, family->parse ? OUT_MAX_BYTES : SHOW_MAX_BYTES);
	if (family->parse) {
		family->parse_init(state, &options);
		rc = read_all(&r, family, state, fd, reterr);
	} else {
		rc = show_all(&r, family, fd, reterr);
	}
	if (rc == 0)
		rc = flush_out(&r);
	if (r.broken)
		rc = 0; /* the reader had enough */
	if (family->parse_done)
		family->parse_done(state);
	free(state);
	buf_done(&r.out);
	if (!in)
		close(fd);
	return rc;
}
