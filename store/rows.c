/* SPDX-License-Identifier: MIT */
/* rows - messages into their blocks; attempts and rejects bound to their statements, column order as in sql.def. */
#include "store/writer.h"

#include "store/base/mem.h"

#include <assert.h>
#include <stdlib.h>

static void set_inline(struct cell *row, const struct message *m, const struct attempt *a)
{
	cell_set_number(&row[CELL_A_MS], a->t_ms - m->t_ms);
	cell_set_text(&row[CELL_A_RCPT], a->rcpt);
	cell_set_id(&row[CELL_A_DOM], a->dom);
	cell_set_text(&row[CELL_A_ORIG], a->orig);
	cell_set_id(&row[CELL_A_RELAY], a->relay);
	cell_set_id(&row[CELL_A_EGRESS], a->egress);
	for (int i = 0; i < DELAY__COUNT; i++)
		cell_set_known(&row[CELL_A_DELAY + i], a->delay_cs[i]);
	cell_set_id(&row[CELL_A_DSN], a->dsn);
	cell_set_known(&row[CELL_A_CODE], a->code);
	cell_set_id(&row[CELL_A_REPLY], a->reply);
	cell_set_text(&row[CELL_A_ARGS], a->args);
	cell_set_id(&row[CELL_A_TLS], a->tls);
	cell_set_id(&row[CELL_A_FLAGS], a->flags);
}

/* What is not known now stays as the row has it. */
static void keep_id(struct cell *c, int64_t id)
{
	if (id > 0)
		cell_set_id(c, id);
}

static void keep_known(struct cell *c, int64_t number)
{
	if (number >= 0)
		cell_set_known(c, number);
}

static void keep_text(struct cell *c, struct str text)
{
	if (str_present(text))
		cell_set_text(c, text);
}

static void set_message(struct cell *row, const struct message *m)
{
	cell_set_number(&row[CELL_T], m->t_ms);
	cell_set_id(&row[CELL_END], m->end_ms);
	cell_set_number(&row[CELL_FLAGS], m->flags);
	keep_id(&row[CELL_SERVICE], m->service);
	keep_id(&row[CELL_CLIENT], m->client);
	keep_id(&row[CELL_USER], m->user);
	keep_id(&row[CELL_FROM_DOM], m->from_dom);
	keep_known(&row[CELL_SIZE], m->size_bytes);
	keep_known(&row[CELL_NRCPT], m->nrcpt);
	keep_id(&row[CELL_RUNS], m->runs);
	cell_set_number(&row[CELL_NSENT], m->nsent);
	cell_set_number(&row[CELL_NBOUNCED], m->nbounced);
	cell_set_number(&row[CELL_NDEFERRED], m->ndeferred);
	keep_id(&row[CELL_MID_DOM], m->mid_dom);
	keep_id(&row[CELL_PARENT], m->parent);
	if (!m->text)
		return;
	keep_text(&row[CELL_FROM_LOCAL], m->text->from_local);
	keep_text(&row[CELL_MID_LOCAL], m->text->mid_local);
	if (m->text->first)
		set_inline(row, m, m->text->first);
}

/* One message into its block: a new row, or over the one that is there. */
static int put_message(
	struct message_blocks *blocks, struct message_block *block, const struct message *m)
{
	const int at = (int)(m->id % MESSAGE_BLOCK_IDS);
	struct cell *row = block->row[at], before[CELL__COUNT];
	bool old = block->present >> at & 1;

	if (old)
		memcpy(before, row, sizeof(before));
	else
		memset(row, 0, sizeof(before));
	cell_set_number(&row[CELL_ID], m->id);
	if (!old) {
		cell_set_number(&row[CELL_PROVIDER], m->provider);
		cell_set_text(&row[CELL_QID], message_qid(m));
		cell_set_id(&row[CELL_HOST], m->host);
	}
	set_message(row, m);
	block->present |= UINT32_C(1) << at;
	return message_blocks_index(blocks, old ? before : NULL, row);
}

int rows_messages(struct store *s, struct message *const *sorted, size_t n, struct mt_error *reterr)
{
	struct message_blocks *blocks = &s->db.blocks;
	struct message_block *block = xmalloc(sizeof(*block));
	int rc = SQLITE_OK;

	block->id = -1;
	for (size_t i = 0; rc == SQLITE_OK && i < n; i++) {
		int64_t id = sorted[i]->id / MESSAGE_BLOCK_IDS;

		assert(i == 0 || sorted[i - 1]->id < sorted[i]->id);
		if (id != block->id && i > 0)
			rc = message_blocks_put(blocks, block);
		if (rc == SQLITE_OK && id != block->id)
			rc = message_blocks_get(blocks, id, block);
		if (rc == SQLITE_OK)
			rc = put_message(blocks, block, sorted[i]);
	}
	if (rc == SQLITE_OK && n > 0)
		rc = message_blocks_put(blocks, block);
	free(block);
	if (rc == SQLITE_CORRUPT_VTAB)
		return mt_error_set(reterr, MT_ECORRUPT, "cache: messages that are not ours");
	if (rc == SQLITE_NOMEM || rc == SQLITE_CONSTRAINT_VTAB)
		return mt_error_set(reterr, MT_ENOMEM, "cache: a message that cannot be packed");
	return rc == SQLITE_OK ? 0 : db_error(s->db.handle, "write failed", reterr);
}

int row_attempt(struct store *s, const struct attempt *a, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_ATTEMPT_INSERT, reterr);

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, a->id);
	bind_int(stmt, 2, a->message);
	bind_int(stmt, 3, a->provider);
	bind_int(stmt, 4, a->t_ms);
	bind_int(stmt, 5, a->status);
	bind_str(stmt, 6, str_present(a->rcpt) ? a->rcpt : (struct str){"", 0});
	bind_id(stmt, 7, a->dom);
	bind_str(stmt, 8, a->orig);
	bind_id(stmt, 9, a->relay);
	bind_id(stmt, 10, a->egress);
	for (int i = 0; i < DELAY__COUNT; i++)
		bind_known(stmt, 11 + i, a->delay_cs[i]);
	bind_id(stmt, 16, a->dsn);
	bind_known(stmt, 17, a->code);
	bind_id(stmt, 18, a->stage);
	bind_id(stmt, 19, a->reply);
	bind_str(stmt, 20, a->args);
	bind_id(stmt, 21, a->tls);
	bind_id(stmt, 22, a->run);
	bind_int(stmt, 23, a->flags);
	return db_run(&s->db, stmt, reterr);
}

int row_reject(struct store *s, const struct reject *r, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_REJECT_INSERT, reterr);

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, r->id);
	bind_int(stmt, 2, r->provider);
	bind_int(stmt, 3, r->t_ms);
	bind_int(stmt, 4, r->action);
	bind_str(stmt, 5, r->word);
	bind_id(stmt, 6, r->service);
	bind_id(stmt, 7, r->client);
	bind_str(stmt, 8, r->qid);
	bind_id(stmt, 9, r->stage);
	bind_known(stmt, 10, r->code);
	bind_id(stmt, 11, r->dsn);
	bind_str(stmt, 12, r->from);
	bind_str(stmt, 13, r->rcpt);
	bind_id(stmt, 14, r->dom);
	bind_str(stmt, 15, r->helo);
	bind_id(stmt, 16, r->reply);
	bind_str(stmt, 17, r->args);
	return db_run(&s->db, stmt, reterr);
}
