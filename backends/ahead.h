/* SPDX-License-Identifier: MIT */
/*
 * ahead - a log parsed ahead of its writer: a thread of its own turns chunks of whole lines into batches of
 * events, while the caller stores the batches before. One way, in order, both queues bounded.
 *
 * The thread touches its jobs, the parser and batches nobody else has; never the store, a file or a clock.
 * Only for catching up: a live line is parsed by the caller, without a hand-over.
 */
#ifndef MT_BACKENDS_AHEAD_H
#define MT_BACKENDS_AHEAD_H

#include "backends/backend.h"
#include "store/base/arena.h"

/* A family's parser and its state; zeroed = none yet. */
struct parser {
	const struct backend_ops *family;
	void *state; /* owned */
};

/* parser_ready - begin anew for another file (restart), or tell the parser what time it is. parser_done - also on one that was never started. */
void parser_ready(struct parser *p, const struct backend_ops *family, bool restart,
	const struct parse_options *options);
void parser_done(struct parser *p);

/* A chunk to parse. The caller's own until ahead_give, then the thread's until its last batch is taken. */
struct ahead_job {
	char *bytes; /* owned; whole lines, but for the last one of a final job */
	size_t n;
	int64_t offset; /* of bytes in the file */
	bool final;
	bool restart; /* begin with a fresh parser */
	struct parse_options options; /* timezone borrowed for the life of the job */
};

/* Events packed: of the 700 bytes of one, only the words that differ from a fresh event. */
struct ahead_batch {
	uint64_t *word; /* owned */
	size_t n, cap, at; /* words used, had, read */
	struct arena text; /* what the parser had to write itself (a line that was a JSON string) */
	bool last; /* of its job */
};

struct ahead;

/* ahead_new - start the thread. parser is borrowed and the thread's while a job is under way. NULL: no thread to be had. */
struct ahead *ahead_new(struct parser *parser);
/* ahead_free - end the thread in the middle of what it does. Jobs stay the caller's to free. NULL is accepted. */
void ahead_free(struct ahead *a);
/* ahead_room - may another job be given? ahead_give - queue it; it must stay where it is until its last batch. */
bool ahead_room(const struct ahead *a);
void ahead_give(struct ahead *a, const struct ahead_job *job);
/* ahead_take - the next batch, waited for; a job must be under way. Valid until ahead_return. */
struct ahead_batch *ahead_take(struct ahead *a);
void ahead_return(struct ahead *a, struct ahead_batch *batch);
/* ahead_event - the next event of a batch, its strings in the job's bytes or the batch's own, line_offset from the file's beginning;
 * false at the end. */
bool ahead_event(struct ahead_batch *batch, struct event *out);

#endif
