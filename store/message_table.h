/* SPDX-License-Identifier: MIT */
/*
 * message_table - SQL table `message` (columns: MESSAGE_COLUMN_LIST) over the packed blocks of table message_block.
 *
 * A virtual table of every connection that registers it, readers' and the writer's: rows by id, ranges of ids in
 * either direction; INSERT, UPDATE and DELETE for what is rare. The writer's batches go through message_blocks.
 * Beside the blocks two tables are kept: message_open (queue ids of open messages), message_child (by parent).
 */
#ifndef MT_STORE_MESSAGE_TABLE_H
#define MT_STORE_MESSAGE_TABLE_H

#include "store/message_block.h"

#include <sqlite3.h>

/* message_table_register - make table `message` known to a connection. */
int message_table_register(sqlite3 *db, struct mt_error *reterr) MT_MUST_CHECK;

/* Blocks of a connection; zero but for db. */
enum {
	BLOCKS_GET,
	BLOCKS_PUT,
	BLOCKS_DROP,
	BLOCKS_OPENED,
	BLOCKS_CLOSED,
	BLOCKS_CHILD,
	BLOCKS_ORPHAN,
	BLOCKS__COUNT
};
struct message_blocks {
	sqlite3 *db; /* borrowed */
	sqlite3_stmt *stmt[BLOCKS__COUNT]; /* owned */
	struct buf body, packed, text; /* scratch */
};

void message_blocks_init(struct message_blocks *b, sqlite3 *db);
void message_blocks_done(struct message_blocks *b);
/* message_blocks_get - the block of that id; empty (present = 0) when there is none. Its texts are valid until the
 * next get or put. Returns SQLITE_OK or SQLite's error. */
int message_blocks_get(
	struct message_blocks *b, int64_t id, struct message_block *out) MT_MUST_CHECK;
/* message_blocks_put - store it, or drop it when it is empty. */
int message_blocks_put(struct message_blocks *b, const struct message_block *block) MT_MUST_CHECK;
/* message_blocks_index - keep message_open and message_child: before, after a change of a row; NULL = no row. */
int message_blocks_index(struct message_blocks *b, const struct cell *before,
	const struct cell *after) MT_MUST_CHECK;

#endif
