/* SPDX-License-Identifier: MIT */
/* counts_tool CACHE - a vendor's counters as stored: provider, dimension, slot, key, metric, n, one a line. For tests/api. */
#include "store/vocab.h"
#include "tests/unit/bucketsql.h"

#include <sqlite3.h>
#include <stdio.h>

#define METRIC_NAME(id, name, help) [METRIC_##id] = #id,
static const char *const names[METRIC__COUNT] = {METRIC_LIST(METRIC_NAME)};

int main(int argc, char **argv)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *stmt = NULL;

	if (argc != 2 || sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
		bucketsql_register(db) != SQLITE_OK ||
		sqlite3_prepare_v2(db,
			"SELECT p.name, b.dim, b.t_s, ifnull(d.text, '-'), b.metric, b.n "
			"FROM " BUCKET_ROWS " AS b "
			"JOIN provider p ON p.id = b.provider LEFT JOIN dict d ON d.id = b.key AND "
			"b.dim <> 0 "
			"WHERE b.res IN (901, 3601, 86401)",
			-1, &stmt, NULL) != SQLITE_OK) {
		fprintf(stderr, "counts_tool: %s\n", db ? sqlite3_errmsg(db) : "CACHE");
		sqlite3_close(db);
		return 1;
	}
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		int metric = sqlite3_column_int(stmt, 4);

		printf("%s\t%d\t%lld\t%s\t%s\t%lld\n", (const char *)sqlite3_column_text(stmt, 0),
			sqlite3_column_int(stmt, 1), (long long)sqlite3_column_int64(stmt, 2),
			(const char *)sqlite3_column_text(stmt, 3),
			metric >= 0 && metric < METRIC__COUNT ? names[metric] : "?",
			(long long)sqlite3_column_int64(stmt, 5));
	}
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return 0;
}
