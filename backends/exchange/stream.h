/* SPDX-License-Identifier: MIT */
/*
 * exchange/stream - the files of one kind in one folder (or those given on the command line) as records in order, parsed
 * piece by piece, so that several streams can be read side by side in the order of time.
 */
#ifndef MT_BACKENDS_EXCHANGE_STREAM_H
#define MT_BACKENDS_EXCHANGE_STREAM_H

#include "backends/ahead.h"
#include "backends/tail.h"

struct exchange_stream {
	char *folder, *prefix; /* owned; folder NULL: files were given */
	struct tail *tail; /* owned */
	struct parser parser;
	bool has; /* there are bytes to parse */
	bool final; /* no more will follow them in their file */
	int64_t first_ms; /* time of the first record of them; INT64_MIN: it has none */
	int64_t offset; /* of them in the file */
	char key[sizeof(((struct tail_mark *)0)->key)]; /* of the file parsed */
	int64_t parsed_to; /* what the parser has seen of it */
	int64_t warm_to; /* it is being told what was read before, up to here; 0 no */
	struct logfile warm; /* that file once more */
	struct buf warm_buf;
};

/* exchange_stream_new - folder and prefix as of tail_options; takes tail. Gives. */
struct exchange_stream *exchange_stream_new(
	const char *folder, const char *prefix, struct tail *tail);
void exchange_stream_free(struct exchange_stream *s);

/*
 * exchange_stream_fill - have bytes to parse, if there are any.
 * Returns enum tail_state: TAIL_CHUNK when there are, also when the parser has still to be told what was read before (has
 * is false then: call again); or a negative mt_err.
 */
int exchange_stream_fill(struct exchange_stream *s, const struct backend_ops *family,
	int64_t now_mono_ms, struct mt_error *reterr) MT_MUST_CHECK;

/* exchange_stream_parse - its records up to the first one later than limit_ms; has is cleared when all were. */
int exchange_stream_parse(struct exchange_stream *s, const struct backend_ops *family,
	int64_t limit_ms, const struct event_sink *sink) MT_MUST_CHECK;

#endif
