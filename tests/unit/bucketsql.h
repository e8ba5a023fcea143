/* SPDX-License-Identifier: MIT */
/* bucketsql - the packed counts of table bucket as rows, and table message, for tests that ask in SQL. */
#ifndef MT_TESTS_BUCKETSQL_H
#define MT_TESTS_BUCKETSQL_H

#include "store/base/buf.h"
#include "store/bucket.h"
#include "store/message_table.h"

/* Stands for a table (res, dim, t_s, provider, key, metric, n) after bucketsql_register. */
#define BUCKET_ROWS                                                                                \
	"(SELECT res, dim, t_s, provider, json_extract(e.value,'$[0]') AS key,"                    \
	" json_extract(e.value,'$[1]') AS metric, json_extract(e.value,'$[2]') AS n"               \
	" FROM bucket, json_each(bucket_json(counts)) AS e)"

static inline void bucketsql_json(sqlite3_context *context, int nargs, sqlite3_value **args)
{
	struct str counts = {sqlite3_value_blob(args[0]), (size_t)sqlite3_value_bytes(args[0])};
	struct bucket_iter it = bucket_iter(counts);
	struct bucket_entry e;
	struct buf out;
	int rc;

	(void)nargs;
	buf_init(&out, 64u << 20);
	buf_add_char(&out, '[');
	while ((rc = bucket_next(&it, &e)) > 0)
		buf_printf(&out, "%s[%lld,%d,%lld]", out.n > 1 ? "," : "", (long long)e.key,
			e.metric, (long long)e.n);
	buf_add_char(&out, ']');
	if (rc < 0)
		sqlite3_result_error(context, "counts that are not ours", -1);
	else
		sqlite3_result_text(context, buf_z(&out), (int)out.n, SQLITE_TRANSIENT);
	buf_done(&out);
}

static inline int bucketsql_register(sqlite3 *db)
{
	if (message_table_register(db, NULL) < 0)
		return SQLITE_ERROR;
	return sqlite3_create_function_v2(db, "bucket_json", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
		NULL, bucketsql_json, NULL, NULL, NULL);
}

#endif
