/* SPDX-License-Identifier: MIT */
/*
 * modelfix - a made-up cache and beside it, in plain arrays, the records it was made of: what the reader
 * must say is counted from the arrays by loops that know no bucket, id range or index.
 *
 * The same records every time (a fixed seed): two providers, 50 hours up to FIX_NOW_MS.
 */
#ifndef MT_TESTS_MODELFIX_H
#define MT_TESTS_MODELFIX_H

#include "tests/unit/cachefix.h"

#define MODEL_MESSAGES 400
#define MODEL_ATTEMPTS_MAX 3000
#define MODEL_REJECTS 150
#define MODEL_SESSIONS 120
#define MODEL_HOURS 50

struct model_message {
	struct fix_message row;
	const char *sender_domain; /* NULL none or unknown */
	int64_t id;
	char qid[16], from[64], message_id[64];
};

struct model_attempt {
	struct fix_attempt row;
	const struct model_message *message;
	const char *domain; /* NULL none */
	int64_t key; /* attempt_key of its row */
	char rcpt[64];
};

struct model_reject {
	struct fix_reject row;
	const char *domain; /* of the recipient */
	int64_t id;
};

struct model_session { /* a figure of DIM_SERVICE */
	int provider;
	int64_t t_ms, n;
	const char *service;
	enum metric metric;
};

struct model {
	struct model_message message[MODEL_MESSAGES];
	struct model_attempt attempt[MODEL_ATTEMPTS_MAX]; /* by time */
	struct model_reject reject[MODEL_REJECTS]; /* by time */
	struct model_session session[MODEL_SESSIONS];
	size_t nattempts;
	int64_t first_ms
		[3]; /* start of the first minute with a counted record: of all, of provider 1, 2 */
};

/* model_make - make the records and the cache at path (must not exist). End with free(). */
struct model *model_make(const char *path);

/* The window of a query as [*from_ms, *to_ms), whole minutes; both 0: everything. */
void model_window(const struct query *q, int64_t *from_ms, int64_t *to_ms);
/* model_wants - does the attempt, message, reject pass the query (window, provider and every filter)? */
bool model_wants_attempt(const struct query *q, const struct model_attempt *a);
bool model_wants_message(
	const struct model *m, const struct query *q, const struct model_message *x);
bool model_wants_reject(const struct query *q, const struct model_reject *x);
/* model_key - code_key of an attempt. */
int64_t model_key(const struct model_attempt *a);
/* model_random - the next of a fixed sequence, 0 .. below-1. */
uint32_t model_random(uint64_t *seed, uint32_t below);

#endif
