/* SPDX-License-Identifier: MIT */
/*
 * api_private - what a batch holds of providers behind a web API, shared by the files api*.c and commit.c only.
 *
 * Calls of store_api.h leave operations; api_write carries them out in order within the transaction of a commit,
 * so that a failed commit can be repeated.
 */
#ifndef MT_STORE_API_PRIVATE_H
#define MT_STORE_API_PRIVATE_H

#include "store/store_api.h"
#include "store/writer.h"

enum api_op_kind {
	OP_COVER,
	OP_COUNTS,
	OP_LIST_BEGIN,
	OP_LIST_END,
	OP_SUPPRESSION,
	OP_SUPPRESSION_GONE,
	OP_IP,
	OP_DOMAIN,
	OP_ACCOUNT,
	OP_BUDGET,
	OP_ATTEMPT_CHANGED,
	OP_TALLY,
	OP_NOTE
};
struct api_op {
	enum api_op_kind kind;
	int32_t provider;
	void *row; /* of the batch's arena; a struct of its kind */
};

#define KEY_ALL (-1)
struct cover_op {
	enum bucket_dim dim;
	int res;
	int64_t key; /* KEY_ALL or a key */
	int64_t from_s, to_s, fetched_ms;
	uint64_t metrics;
};
struct counts_op {
	enum bucket_dim dim;
	int res;
	int64_t key, start_s, length_s;
	size_t n;
	struct api_figure figure[]; /* n */
};
struct list_op {
	enum api_list list;
	struct str scope, address;
	bool resume, complete;
};
struct account_op {
	struct str name, value;
};
struct tally_op { /* what came to a message that is no longer in memory */
	int64_t message, end_ms;
	int32_t nsent, nbounced, ndeferred;
};
struct note_op {
	int64_t message, t_ms;
	uint64_t hash;
	enum api_event_kind kind;
	struct str text;
};
struct api_seen { /* a row of table api_id */
	uint64_t hash;
	int64_t id;
	int32_t provider, day;
};

/* api_op - a new operation with room for its row, zeroed; NULL: the batch is too large (reterr filled). */
void *api_op(struct store *s, int provider, enum api_op_kind kind, size_t row_bytes,
	struct mt_error *reterr);
/* api_write - carry out what the batch holds, within the caller's transaction. */
int api_write(struct store *s, struct mt_error *reterr) MT_MUST_CHECK;

/* api_count.c: the counters of one provider, of all its operations in the batch. */
int api_write_counts(struct store *s, int provider, struct mt_error *reterr) MT_MUST_CHECK;
/* api_cover.c: [from_s, to_s) is known of a dimension (-1: of differences). */
int api_cover_add(struct store *s, int provider, int dim, int64_t from_s, int64_t to_s,
	struct mt_error *reterr) MT_MUST_CHECK;
/* api_difference - a total grew by n from prev_ms to now_ms: into minutes, none before since_s. */
int api_difference(struct store *s, int provider, enum metric metric, int64_t n, int64_t prev_ms,
	int64_t now_ms, int64_t since_s, struct mt_error *reterr) MT_MUST_CHECK;
/* api_poll_swap - remember when these metrics were had; *ret_prev: the time before, 0 none. */
int api_poll_swap(struct store *s, int provider, uint64_t metrics, int64_t now_ms,
	int64_t *ret_prev, struct mt_error *reterr) MT_MUST_CHECK;
/* api_event.c, api_list.c: one operation each. */
int api_write_event(
	struct store *s, const struct api_op *op, struct mt_error *reterr) MT_MUST_CHECK;
int api_write_ids(struct store *s, struct mt_error *reterr) MT_MUST_CHECK;
int api_write_list(struct store *s, const struct api_op *op, struct mt_error *reterr) MT_MUST_CHECK;
/* api_write_sizes - how long the suppression lists are that the batch changed. */
int api_write_sizes(struct store *s, struct mt_error *reterr) MT_MUST_CHECK;

#endif
