/* SPDX-License-Identifier: MIT */
/* messages_tool CACHE - queue id, time (ms) and host of every message, one a line: their table is readable to mtatop's
 * own SQLite alone. For tests/follow. */
#include "store/message_table.h"

#include <stdio.h>

int main(int argc, char **argv)
{
	struct mt_error error = {0};
	sqlite3 *db = NULL;
	sqlite3_stmt *stmt = NULL;

	if (argc != 2 || sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
		message_table_register(db, &error) < 0 ||
		sqlite3_prepare_v2(db,
			"SELECT m.qid, m.t_ms, ifnull(d.text, '-') FROM message m "
			"LEFT JOIN dict d ON d.id = m.host",
			-1, &stmt, NULL) != SQLITE_OK) {
		fprintf(stderr, "messages_tool: %s\n", db ? sqlite3_errmsg(db) : "CACHE");
		sqlite3_close(db);
		return 1;
	}
	while (sqlite3_step(stmt) == SQLITE_ROW)
		printf("%s %lld %s\n", (const char *)sqlite3_column_text(stmt, 0),
			(long long)sqlite3_column_int64(stmt, 1),
			(const char *)sqlite3_column_text(stmt, 2));
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return 0;
}
