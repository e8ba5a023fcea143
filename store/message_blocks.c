/* SPDX-License-Identifier: MIT */
/* message_blocks - blocks in their table, with what stands for its indexes; see message_table.h. */
#include "store/message_table.h"

#include "store/db.h"

#define TEXT_MAX_BYTES (1u << 20)
#define BODY_MAX_BYTES (64u << 20)

static const char *const blocks_sql[BLOCKS__COUNT] = {
	[BLOCKS_GET] = "SELECT body FROM message_block WHERE id=?1",
	[BLOCKS_PUT] = "INSERT OR REPLACE INTO message_block(id, body) VALUES(?1,?2)",
	[BLOCKS_DROP] = "DELETE FROM message_block WHERE id=?1",
	[BLOCKS_OPENED] = "INSERT OR IGNORE INTO message_open(provider, qid, id) VALUES(?1,?2,?3)",
	[BLOCKS_CLOSED] = "DELETE FROM message_open WHERE provider=?1 AND qid=?2 AND id=?3",
	[BLOCKS_CHILD] = "INSERT OR IGNORE INTO message_child(parent, id) VALUES(?1,?2)",
	[BLOCKS_ORPHAN] = "DELETE FROM message_child WHERE parent=?1 AND id=?2",
};

void message_blocks_init(struct message_blocks *b, sqlite3 *db)
{
	*b = (struct message_blocks){.db = db};
	buf_init(&b->body, BODY_MAX_BYTES);
	buf_init(&b->packed, BODY_MAX_BYTES);
	buf_init(&b->text, TEXT_MAX_BYTES);
}

void message_blocks_done(struct message_blocks *b)
{
	for (int i = 0; i < BLOCKS__COUNT; i++)
		sqlite3_finalize(b->stmt[i]);
	buf_done(&b->body);
	buf_done(&b->packed);
	buf_done(&b->text);
	*b = (struct message_blocks){0};
}

/* Begun anew; an error of the last run is not this one's. */
static int begin(struct message_blocks *b, int what, sqlite3_stmt **ret)
{
	int rc = SQLITE_OK;

	if (b->stmt[what])
		sqlite3_reset(b->stmt[what]);
	else
		rc = sqlite3_prepare_v3(b->db, blocks_sql[what], -1, SQLITE_PREPARE_PERSISTENT,
			&b->stmt[what], NULL);
	*ret = b->stmt[what];
	return rc;
}

static int run(sqlite3_stmt *stmt)
{
	sqlite3_step(stmt);
	return sqlite3_reset(stmt);
}

int message_blocks_get(struct message_blocks *b, int64_t id, struct message_block *out)
{
	sqlite3_stmt *stmt;
	int rc = begin(b, BLOCKS_GET, &stmt);

	out->id = id;
	out->present = 0;
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_int64(stmt, 1, id);
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		struct str body = column_str(stmt, 0);

		buf_clear(&b->body);
		if (buf_add_str(&b->body, body) < 0)
			rc = SQLITE_NOMEM;
		else if (message_block_decode(buf_str(&b->body), id, out) < 0)
			rc = SQLITE_CORRUPT_VTAB;
		else
			rc = SQLITE_OK;
		sqlite3_reset(stmt);
		return rc;
	}
	return sqlite3_reset(stmt);
}

int message_blocks_put(struct message_blocks *b, const struct message_block *block)
{
	sqlite3_stmt *stmt;
	int rc = begin(b, block->present ? BLOCKS_PUT : BLOCKS_DROP, &stmt);

	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_int64(stmt, 1, block->id);
	if (!block->present)
		return run(stmt);
	buf_clear(&b->packed);
	rc = message_block_encode(block, &b->packed);
	if (rc < 0)
		return rc == MT_EINVAL ? SQLITE_CONSTRAINT_VTAB : SQLITE_NOMEM;
	sqlite3_bind_blob64(stmt, 2, b->packed.p, b->packed.n, SQLITE_STATIC);
	return run(stmt);
}

static int64_t number_of(const struct cell *c)
{
	return c->form == CELL_FORM_NUMBER ? c->number : 0;
}

static int index_open(struct message_blocks *b, int what, const struct cell *row)
{
	sqlite3_stmt *stmt;
	int rc = begin(b, what, &stmt);

	if (rc != SQLITE_OK)
		return rc;
	if (cell_read_text(&row[CELL_QID], &b->text) < 0)
		return SQLITE_NOMEM;
	sqlite3_bind_int64(stmt, 1, number_of(&row[CELL_PROVIDER]));
	sqlite3_bind_text64(stmt, 2, buf_z(&b->text), b->text.n, SQLITE_STATIC, SQLITE_UTF8);
	sqlite3_bind_int64(stmt, 3, number_of(&row[CELL_ID]));
	return run(stmt);
}

static int index_child(struct message_blocks *b, int what, int64_t parent, int64_t id)
{
	sqlite3_stmt *stmt;
	int rc = begin(b, what, &stmt);

	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_int64(stmt, 1, parent);
	sqlite3_bind_int64(stmt, 2, id);
	return run(stmt);
}

static bool is_open(const struct cell *row)
{
	return row && row[CELL_END].form == CELL_FORM_ABSENT;
}

int message_blocks_index(
	struct message_blocks *b, const struct cell *before, const struct cell *after)
{
	int64_t parent_before = before ? number_of(&before[CELL_PARENT]) : 0,
		parent_after = after ? number_of(&after[CELL_PARENT]) : 0;
	int rc = SQLITE_OK;

	if (is_open(before) && !is_open(after))
		rc = index_open(b, BLOCKS_CLOSED, before);
	else if (is_open(after) && !is_open(before))
		rc = index_open(b, BLOCKS_OPENED, after);
	if (rc == SQLITE_OK && parent_before && parent_before != parent_after)
		rc = index_child(b, BLOCKS_ORPHAN, parent_before, number_of(&before[CELL_ID]));
	if (rc == SQLITE_OK && parent_after && parent_before != parent_after)
		rc = index_child(b, BLOCKS_CHILD, parent_after, number_of(&after[CELL_ID]));
	return rc;
}
