/* SPDX-License-Identifier: MIT */
/*
 * read_blocks - messages for the reader straight from their blocks: by id, and newest first. See read_rows.h.
 *
 * Through SQL table `message` each of 38 columns is a call and each look-up unpacks the whole block; here a block is
 * unpacked once and as far as needed. Blocks are kept while the cache does not change.
 */
#include "store/base/mem.h"
#include "store/message_block.h"
#include "store/read_rows.h"

#include <stdlib.h>

#define BODY_MAX_BYTES (64u << 20)
#define TEXT_MAX_BYTES (1u << 20)
#define BLOCKS_KEPT                                                                                \
	64 /* 20 kB each: failures come from a few times of arrival at once, by age of the retry */

struct kept_block {
	bool used;
	struct buf body;
	struct message_block block; /* its texts lie in body */
};

struct block_cache {
	struct kept_block *kept[BLOCKS_KEPT]; /* by block id; owned, made when first needed */
	struct message_block walked; /* of the walk that is under way */
};

void blocks_forget(struct reader *r)
{
	for (size_t i = 0; r->blocks && i < BLOCKS_KEPT; i++)
		if (r->blocks->kept[i])
			r->blocks->kept[i]->used = false;
}

void blocks_done(struct reader *r)
{
	for (size_t i = 0; r->blocks && i < BLOCKS_KEPT; i++) {
		if (r->blocks->kept[i])
			buf_done(&r->blocks->kept[i]->body);
		free(r->blocks->kept[i]);
	}
	free(r->blocks);
	r->blocks = NULL;
	for (int i = 0; i < MESSAGE_TEXTS; i++) {
		buf_done(&r->got_texts[i]);
		buf_done(&r->walk_texts[i]);
	}
}

static struct block_cache *cache_of(struct reader *r)
{
	if (!r->blocks)
		r->blocks = xcalloc(1, sizeof(*r->blocks));
	return r->blocks;
}

static int damaged(struct mt_error *reterr)
{
	return mt_error_set(reterr, MT_ECORRUPT, "cache: a block of messages is damaged");
}

/* --- cells into a raw message --- */

static int64_t num(const struct cell *c)
{
	return c->form == CELL_FORM_NUMBER ? c->number : EVENT_UNKNOWN;
}

static int64_t id_of(const struct cell *c)
{
	return c->form == CELL_FORM_NUMBER ? c->number : 0;
}

static void cells_inline(
	const struct cell *row, const struct raw_message *m, struct raw_attempt *out)
{
	*out = (struct raw_attempt){.message = m->id,
		.provider = m->provider,
		.t_ms = m->t_ms + id_of(&row[CELL_A_MS]),
		.status = STATUS_SENT,
		.dom = id_of(&row[CELL_A_DOM]),
		.relay = id_of(&row[CELL_A_RELAY]),
		.egress = id_of(&row[CELL_A_EGRESS]),
		.dsn = (int32_t)id_of(&row[CELL_A_DSN]),
		.code = (int32_t)num(&row[CELL_A_CODE]),
		.reply = id_of(&row[CELL_A_REPLY]),
		.tls = id_of(&row[CELL_A_TLS]),
		.run = 1,
		.handed_over = id_of(&row[CELL_A_FLAGS]) & 1};
	for (int i = 0; i < DELAY__COUNT; i++)
		out->delay_cs[i] = num(&row[CELL_A_DELAY + i]);
}

/* All but the texts. */
static void cells_message(const struct cell *row, struct raw_message *out)
{
	*out = (struct raw_message){.id = id_of(&row[CELL_ID]),
		.provider = (int)id_of(&row[CELL_PROVIDER]),
		.t_ms = id_of(&row[CELL_T]),
		.end_ms = num(&row[CELL_END]),
		.flags = (unsigned)id_of(&row[CELL_FLAGS]),
		.host = id_of(&row[CELL_HOST]),
		.service = id_of(&row[CELL_SERVICE]),
		.client = id_of(&row[CELL_CLIENT]),
		.user = id_of(&row[CELL_USER]),
		.from_dom = id_of(&row[CELL_FROM_DOM]),
		.size_bytes = num(&row[CELL_SIZE]),
		.nrcpt = num(&row[CELL_NRCPT]),
		.runs = num(&row[CELL_RUNS]),
		.nsent = id_of(&row[CELL_NSENT]),
		.nbounced = id_of(&row[CELL_NBOUNCED]),
		.ndeferred = id_of(&row[CELL_NDEFERRED]),
		.mid_dom = id_of(&row[CELL_MID_DOM]),
		.parent = id_of(&row[CELL_PARENT]),
		.has_inline = row[CELL_A_MS].form == CELL_FORM_NUMBER};
	if (out->has_inline)
		cells_inline(row, out, &out->first);
}

static int text_of(struct buf *b, const struct cell *c, struct str *ret, struct mt_error *reterr)
{
	*ret = (struct str){NULL, 0};
	if (c->form != CELL_FORM_TEXT && c->form != CELL_FORM_PACKED)
		return 0;
	if (b->max == 0) /* zeroed with the reader */
		buf_init(b, TEXT_MAX_BYTES);
	if (cell_read_text(c, b) < 0)
		return mt_error_set(reterr, MT_ELIMIT, "cache: a text of a message is too long");
	*ret = str_make(b->p ? b->p : "", b->n);
	return 0;
}

static int cells_texts(struct buf texts[MESSAGE_TEXTS], const struct cell *row,
	struct raw_message *out, struct mt_error *reterr)
{
	int rc = text_of(&texts[0], &row[CELL_QID], &out->qid, reterr);

	if (rc == 0)
		rc = text_of(&texts[1], &row[CELL_FROM_LOCAL], &out->from_local, reterr);
	if (rc == 0)
		rc = text_of(&texts[2], &row[CELL_MID_LOCAL], &out->mid_local, reterr);
	if (rc == 0 && out->has_inline)
		rc = text_of(&texts[3], &row[CELL_A_RCPT], &out->first.rcpt, reterr);
	if (rc == 0 && out->has_inline)
		rc = text_of(&texts[4], &row[CELL_A_ORIG], &out->first.orig, reterr);
	if (rc == 0 && out->has_inline)
		rc = text_of(&texts[5], &row[CELL_A_ARGS], &out->first.args, reterr);
	return rc;
}

/* --- by id --- */

static struct kept_block *place_of(struct reader *r, int64_t block)
{
	struct kept_block **place =
		&cache_of(r)->kept[((uint64_t)block * 0x9e3779b97f4a7c15u >> 32) % BLOCKS_KEPT];

	if (!*place) {
		*place = xcalloc(1, sizeof(**place));
		buf_init(&(*place)->body, BODY_MAX_BYTES);
	}
	return *place;
}

/* *ret NULL: there is no such block. */
static int block_get(
	struct reader *r, int64_t block, struct message_block **ret, struct mt_error *reterr)
{
	struct kept_block *k = place_of(r, block);
	sqlite3_stmt *stmt;
	int rc;

	*ret = &k->block;
	if (k->used && k->block.id == block)
		return 0;
	k->used = false;
	rc = rd_prepare(r, READ_MESSAGE_BLOCK, &stmt, reterr);
	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, block);
	rc = rd_step(r, stmt, reterr);
	if (rc <= 0) {
		*ret = NULL;
		return rc;
	}
	buf_clear(&k->body);
	rc = buf_add_str(&k->body, rd_str(stmt, 0)) < 0
		     ? mt_error_set(reterr, MT_ENOMEM, "out of memory")
		     : 0;
	sqlite3_reset(stmt);
	if (rc == 0 && message_block_begin(buf_str(&k->body), block, &k->block) < 0)
		rc = damaged(reterr);
	k->used = rc == 0;
	return rc;
}

int raw_message_get(
	struct reader *r, int64_t id, bool texts, struct raw_message *out, struct mt_error *reterr)
{
	const int at = (int)(id & (MESSAGE_BLOCK_IDS - 1));
	struct message_block *b = NULL;
	int rc = id >= 0 ? block_get(r, id / MESSAGE_BLOCK_IDS, &b, reterr) : 0;

	if (rc < 0)
		return rc;
	if (!b || !(b->present >> at & 1))
		return mt_error_set(reterr, MT_ENOENT, "message %lld is not in the cache any more",
			(long long)id);
	if (message_block_reach(b, at) < 0)
		return damaged(reterr);
	cells_message(b->row[at], out);
	return texts ? cells_texts(r->got_texts, b->row[at], out, reterr) : 0;
}

/* --- newest first --- */

int message_walk_begin(struct reader *r, const struct id_range *ids, struct message_walk *w,
	struct mt_error *reterr)
{
	int rc;

	*w = (struct message_walk){.low = ids->low > 0 ? ids->low : 0, .high = ids->high, .at = -1};
	rc = rd_prepare(r, READ_MESSAGE_BLOCKS_DOWN, &w->stmt, reterr);
	if (rc < 0)
		return rc;
	cache_of(r);
	rd_bind(w->stmt, 1, w->low / MESSAGE_BLOCK_IDS);
	rd_bind(w->stmt, 2, w->high < 0 ? -1 : w->high / MESSAGE_BLOCK_IDS);
	return 0;
}

static bool walk_here(const struct message_walk *w, const struct message_block *b)
{
	int64_t id = b->id * MESSAGE_BLOCK_IDS + w->at;

	return b->present >> w->at & 1 && id >= w->low && id <= w->high;
}

int message_walk_next(
	struct reader *r, struct message_walk *w, struct raw_message *out, struct mt_error *reterr)
{
	struct message_block *b = &r->blocks->walked;

	for (;;) {
		int rc;

		while (w->at >= 0 && !walk_here(w, b))
			w->at--;
		if (w->at >= 0) {
			cells_message(b->row[w->at], out);
			w->row = b->row[w->at--];
			return 1;
		}
		rc = rd_step(r, w->stmt, reterr);
		if (rc <= 0)
			return rc;
		if (message_block_decode(rd_str(w->stmt, 1), rd_id(w->stmt, 0), b) < 0)
			return damaged(reterr);
		w->at = MESSAGE_BLOCK_IDS - 1;
	}
}

int message_walk_texts(struct reader *r, const struct message_walk *w, struct raw_message *out,
	struct mt_error *reterr)
{
	return cells_texts(r->walk_texts, w->row, out, reterr);
}

void message_walk_end(struct message_walk *w)
{
	sqlite3_reset(w->stmt);
}
