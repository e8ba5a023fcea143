/* SPDX-License-Identifier: MIT */
/*
 * exchange/stream - see stream.h.
 *
 * A parser that begins in the middle of a file is first told all that lies before, for nothing: which columns there are
 * (#Fields may have come again) and what the sessions under way have said. Files are of 10 MB as Exchange comes.
 */
#include "backends/exchange/stream.h"

#include "backends/exchange/log.h"
#include "store/base/mem.h"

#include <stdlib.h>
#include <string.h>

#define WARM_BYTES (256u << 10) /* told at once */
#define WARM_MAX_BYTES (2u << 20) /* a record is shorter */

struct exchange_stream *exchange_stream_new(
	const char *folder, const char *prefix, struct tail *tail)
{
	struct exchange_stream *s = xcalloc(1, sizeof(*s));

	s->folder = folder ? xstrdup(folder) : NULL;
	s->prefix = xstrdup(prefix);
	s->tail = tail;
	s->parsed_to = -1;
	s->warm.fd = -1;
	buf_init(&s->warm_buf, WARM_MAX_BYTES);
	return s;
}

static void end_warming(struct exchange_stream *s)
{
	s->warm_to = 0;
	logfile_close(&s->warm);
	buf_done(&s->warm_buf);
	buf_init(&s->warm_buf, WARM_MAX_BYTES);
}

void exchange_stream_free(struct exchange_stream *s)
{
	if (!s)
		return;
	end_warming(s);
	buf_done(&s->warm_buf);
	parser_done(&s->parser);
	tail_free(s->tail);
	free(s->folder);
	free(s->prefix);
	free(s);
}

static int nothing(void *ctx, const struct event *e)
{
	(void)ctx;
	(void)e;
	return 0;
}

/* warm_on - tell the parser the next part of what was read before. */
static int warm_on(
	struct exchange_stream *s, const struct backend_ops *family, struct mt_error *reterr)
{
	const struct event_sink sink = {nothing, NULL};
	int64_t left = s->warm_to - s->warm.at;
	char *at = buf_reserve(&s->warm_buf, WARM_BYTES);
	ssize_t n = at ? logfile_read(&s->warm, at, left < WARM_BYTES ? (size_t)left : WARM_BYTES,
				 reterr)
		       : mt_error_set(reterr, MT_ENOMEM, "no memory for reading the log");
	size_t consumed = 0;

	if (n <= 0) { /* shorter than it was: what follows will be seen to be another file */
		end_warming(s);
		return n < 0 ? (int)n : TAIL_CHUNK;
	}
	buf_grow(&s->warm_buf, (size_t)n);
	(void)!family->parse(
		s->parser.state, buf_str(&s->warm_buf), s->warm.at >= s->warm_to, &sink, &consumed);
	buf_drop_front(&s->warm_buf, consumed);
	if (s->warm.at >= s->warm_to)
		end_warming(s);
	return TAIL_CHUNK;
}

/* first_time - of the first stamped line. */
static int64_t first_time(struct str bytes)
{
	while (bytes.n) {
		size_t n = str_find_char(bytes, '\n');
		int64_t t_ms = exchange_line_time(str_first(bytes, n));

		if (t_ms >= 0)
			return t_ms;
		bytes = str_skip(bytes, n + 1);
	}
	return INT64_MIN;
}

/* begin_file - a parser for the file of a chunk that does not go on where the last one ended. */
static int begin_file(struct exchange_stream *s, const struct backend_ops *family,
	const struct tail_chunk *c, struct mt_error *reterr)
{
	const struct parse_options options = {.now_utc_ms = 0, .timezone = "UTC"};

	parser_ready(&s->parser, family, true, &options);
	memcpy(s->key, c->key, strlen(c->key) + 1);
	s->parsed_to = c->offset;
	end_warming(s);
	if (c->offset == 0 || strcmp(c->path, "-") == 0 ||
		logfile_open(&s->warm, c->path, reterr) < 0)
		return 0;
	s->warm_to = c->offset;
	return 0;
}

int exchange_stream_fill(struct exchange_stream *s, const struct backend_ops *family,
	int64_t now_mono_ms, struct mt_error *reterr)
{
	struct tail_chunk c;
	int rc;

	if (s->warm_to) {
		rc = warm_on(s, family, reterr);
		s->has = rc >= 0 && !s->warm_to && tail_unread(s->tail).n > 0;
		return rc;
	}
	if (s->has)
		return TAIL_CHUNK;
	rc = tail_next(s->tail, now_mono_ms, &c, reterr);
	if (rc != TAIL_CHUNK)
		return rc;
	s->final = c.final;
	s->offset = c.offset;
	s->first_ms = first_time(c.bytes);
	if (!s->parser.state || strcmp(s->key, c.key) != 0 || s->parsed_to != c.offset)
		rc = begin_file(s, family, &c, reterr);
	s->has = !s->warm_to;
	return rc < 0 ? rc : TAIL_CHUNK;
}

/* cut_at - bytes before the first record later than the limit. */
static size_t cut_at(struct str bytes, int64_t limit_ms)
{
	size_t at = 0, last;

	if (limit_ms == INT64_MAX)
		return bytes.n;
	last = str_rfind_char(str_first(bytes, str_rfind_char(bytes, '\n')), '\n');
	if (last < bytes.n) {
		int64_t t_ms = exchange_line_time(str_skip(bytes, last + 1));

		if (t_ms >= 0 && t_ms <= limit_ms)
			return bytes.n;
	}
	while (at < bytes.n) {
		struct str rest = str_skip(bytes, at);

		if (exchange_line_time(str_first(rest, str_find_char(rest, '\n'))) > limit_ms)
			return at;
		at += str_find_char(rest, '\n') + 1;
	}
	return bytes.n;
}

int exchange_stream_parse(struct exchange_stream *s, const struct backend_ops *family,
	int64_t limit_ms, const struct event_sink *sink)
{
	struct str bytes = tail_unread(s->tail);
	size_t cut = cut_at(bytes, limit_ms), consumed = 0;
	int rc = 0;

	if (cut > 0 && cut < bytes.n)
		rc = family->parse(s->parser.state, str_first(bytes, cut), false, sink, &consumed);
	if (rc == 0 && consumed == 0) { /* what looks like a later record stands within a field */
		cut = bytes.n;
		rc = family->parse(s->parser.state, bytes, s->final, sink, &consumed);
	}
	if (rc < 0)
		return rc;
	s->has = cut < bytes.n && consumed > 0;
	tail_consumed(s->tail, consumed);
	s->offset += (int64_t)consumed;
	s->parsed_to = s->offset;
	if (s->has)
		s->first_ms = first_time(tail_unread(s->tail));
	return 0;
}
