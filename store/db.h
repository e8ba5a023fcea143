/* SPDX-License-Identifier: MIT */
/*
 * db - what the writer needs of SQLite: error classes, statements prepared once and kept, binding.
 *
 * Every statement of the writer is a line of sql.def; nothing else in the writer holds SQL but the
 * schema, pragmas and the recovery check.
 */
#ifndef MT_STORE_DB_H
#define MT_STORE_DB_H

#include "store/base/err.h"
#include "store/base/str.h"
#include "store/message_table.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

enum sql_id {
#define SQL(id, text) SQL_##id,
#include "store/sql.def"
#undef SQL
	SQL__COUNT
};

struct db {
	sqlite3 *handle; /* owned */
	sqlite3_stmt *stmt[SQL__COUNT]; /* owned; NULL until first used */
	struct message_blocks blocks;
};

/* sql_text - the SQL of a statement, for the tests that look at its query plan. */
const char *sql_text(enum sql_id id);

/* db_error - class and text of the handle's last failure. what: the thing attempted. Returns the class. */
int db_error(sqlite3 *handle, const char *what, struct mt_error *reterr);

/* db_exec - constant SQL without results. */
int db_exec(sqlite3 *handle, const char *sql, struct mt_error *reterr) MT_MUST_CHECK;

/* db_stmt - the statement, reset and with no bindings; NULL when it can't be prepared (reterr filled). */
sqlite3_stmt *db_stmt(struct db *db, enum sql_id id, struct mt_error *reterr);

/* db_run - step a statement that gives no rows, then reset it. */
int db_run(struct db *db, sqlite3_stmt *stmt, struct mt_error *reterr) MT_MUST_CHECK;

/* db_int - first column of the first row, or fallback without a row or with NULL in it. */
int db_int(struct db *db, sqlite3_stmt *stmt, int64_t fallback, int64_t *ret,
	struct mt_error *reterr) MT_MUST_CHECK;

/* db_row - step a query: 1 row, 0 end (reset), negative error (reset). */
int db_row(struct db *db, sqlite3_stmt *stmt, struct mt_error *reterr) MT_MUST_CHECK;

/* db_open_at - a connection of its own to the cache at path, for a statement or two of another thread or process. End with
 * db_done, also after a failure. */
int db_open_at(struct db *db, const char *path, struct mt_error *reterr) MT_MUST_CHECK;

/* db_done - finalise the statements and close. */
void db_done(struct db *db);

/* Binding; what is unknown stays NULL (statements come with no bindings). Views must outlive the step. */
void bind_int(sqlite3_stmt *stmt, int at, int64_t value);
/* bind_known - only when value >= 0 (EVENT_UNKNOWN stays NULL). bind_id - only when value > 0. */
void bind_known(sqlite3_stmt *stmt, int at, int64_t value);
void bind_id(sqlite3_stmt *stmt, int at, int64_t value);
/* bind_str - as TEXT, any bytes; absent stays NULL. */
void bind_str(sqlite3_stmt *stmt, int at, struct str s);
void bind_blob(sqlite3_stmt *stmt, int at, struct str s);

/* column_str - bytes of a TEXT or BLOB column, valid until the next step; absent for NULL. */
struct str column_str(sqlite3_stmt *stmt, int at);

#endif
