/* SPDX-License-Identifier: MIT */
/* db - statements, bindings and error classes of SQLite; see db.h. Holds no policy. */
#include "store/db.h"

#include <errno.h>

#define BUSY_TIMEOUT_MS 5000 /* a commit of the collector takes less */

static const char *const sql_texts[] = {
#define SQL(id, text) [SQL_##id] = text,
#include "store/sql.def"
#undef SQL
};

const char *sql_text(enum sql_id id)
{
	return sql_texts[id];
}

static enum mt_err class_of(sqlite3 *handle)
{
	int code = sqlite3_errcode(handle);
	int sys = sqlite3_system_errno(handle);

	switch (code & 0xff) {
	case SQLITE_FULL:
		return MT_EFULL;
	case SQLITE_IOERR:
		return sys == ENOSPC || sys == EDQUOT || sys == EFBIG ? MT_EFULL : MT_EIO;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return MT_ECORRUPT;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return MT_EBUSY;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_CANTOPEN:
	case SQLITE_AUTH:
		return MT_EPERM;
	case SQLITE_NOMEM:
		return MT_ENOMEM;
	case SQLITE_TOOBIG:
		return MT_ELIMIT;
	default:
		return MT_EIO;
	}
}

int db_error(sqlite3 *handle, const char *what, struct mt_error *reterr)
{
	return mt_error_set(
		reterr, class_of(handle), "cache: %s: %s", what, sqlite3_errmsg(handle));
}

int db_exec(sqlite3 *handle, const char *sql, struct mt_error *reterr)
{
	if (sqlite3_exec(handle, sql, NULL, NULL, NULL) != SQLITE_OK)
		return db_error(handle, "statement failed", reterr);
	return 0;
}

sqlite3_stmt *db_stmt(struct db *db, enum sql_id id, struct mt_error *reterr)
{
	if (!db->stmt[id]) {
		if (sqlite3_prepare_v3(db->handle, sql_texts[id], -1, SQLITE_PREPARE_PERSISTENT,
			    &db->stmt[id], NULL) != SQLITE_OK) {
			db_error(db->handle, "prepare failed", reterr);
			return NULL;
		}
		return db->stmt[id];
	}
	sqlite3_clear_bindings(db->stmt[id]);
	return db->stmt[id];
}

int db_run(struct db *db, sqlite3_stmt *stmt, struct mt_error *reterr)
{
	int rc = sqlite3_step(stmt);
	int result = 0;

	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		result = db_error(db->handle, "write failed", reterr);
	sqlite3_reset(stmt);
	return result;
}

int db_row(struct db *db, sqlite3_stmt *stmt, struct mt_error *reterr)
{
	int rc = sqlite3_step(stmt);
	int result = 0;

	if (rc == SQLITE_ROW)
		return 1;
	if (rc != SQLITE_DONE)
		result = db_error(db->handle, "read failed", reterr);
	sqlite3_reset(stmt);
	return result;
}

int db_int(
	struct db *db, sqlite3_stmt *stmt, int64_t fallback, int64_t *ret, struct mt_error *reterr)
{
	int rc = db_row(db, stmt, reterr);

	if (rc < 0)
		return rc;
	*ret = fallback;
	if (rc > 0) {
		if (sqlite3_column_type(stmt, 0) != SQLITE_NULL)
			*ret = sqlite3_column_int64(stmt, 0);
		sqlite3_reset(stmt);
	}
	return 0;
}

void db_done(struct db *db)
{
	for (int i = 0; i < SQL__COUNT; i++) {
		sqlite3_finalize(db->stmt[i]);
		db->stmt[i] = NULL;
	}
	message_blocks_done(&db->blocks);
	sqlite3_close(db->handle);
	db->handle = NULL;
}

void bind_int(sqlite3_stmt *stmt, int at, int64_t value)
{
	sqlite3_bind_int64(stmt, at, value);
}

void bind_known(sqlite3_stmt *stmt, int at, int64_t value)
{
	if (value >= 0)
		sqlite3_bind_int64(stmt, at, value);
}

void bind_id(sqlite3_stmt *stmt, int at, int64_t value)
{
	if (value > 0)
		sqlite3_bind_int64(stmt, at, value);
}

void bind_str(sqlite3_stmt *stmt, int at, struct str s)
{
	if (str_present(s))
		sqlite3_bind_text64(stmt, at, s.p, s.n, SQLITE_STATIC, SQLITE_UTF8);
}

void bind_blob(sqlite3_stmt *stmt, int at, struct str s)
{
	if (str_present(s))
		sqlite3_bind_blob64(stmt, at, s.p, s.n, SQLITE_STATIC);
}

struct str column_str(sqlite3_stmt *stmt, int at)
{
	const char *p = sqlite3_column_blob(stmt, at);
	int n = sqlite3_column_bytes(stmt, at);

	if (sqlite3_column_type(stmt, at) == SQLITE_NULL)
		return (struct str){NULL, 0};
	return (struct str){p ? p : "", (size_t)n};
}

int db_open_at(struct db *db, const char *path, struct mt_error *reterr)
{
	if (sqlite3_open_v2(path, &db->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
		SQLITE_OK)
		return db_error(db->handle, "cannot be opened", reterr);
	sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	return 0;
}
