/* SPDX-License-Identifier: MIT */
/* migrate - apply the numbered schema steps; see migrate.h. */
#include "store/migrate.h"

#include "store/db.h"

#include <stdio.h>

static int pragma_int(sqlite3 *db, const char *sql, int64_t *ret, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = NULL;
	int rc = 0;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK ||
		sqlite3_step(stmt) != SQLITE_ROW)
		rc = db_error(db, "cannot read its header", reterr);
	else
		*ret = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return rc;
}

/* One step and its version number are one transaction: killed in between, the step is done again whole. */
static int apply(sqlite3 *db, int version, struct mt_error *reterr)
{
	char pragma[96];
	int rc;

	snprintf(pragma, sizeof(pragma), "PRAGMA user_version=%d; PRAGMA application_id=%d; COMMIT",
		version, SCHEMA_APPLICATION_ID);
	rc = db_exec(db, "BEGIN IMMEDIATE", reterr);
	if (rc < 0)
		return rc;
	rc = db_exec(db, schema_sql[version - 1], reterr);
	if (rc == 0)
		rc = db_exec(db, pragma, reterr);
	if (rc < 0)
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

int migrate_run(sqlite3 *db, const char *path, struct mt_error *reterr)
{
	int64_t version = 0, application = 0, objects = 0;
	int rc = pragma_int(db, "PRAGMA user_version", &version, reterr);

	if (rc == 0)
		rc = pragma_int(db, "PRAGMA application_id", &application, reterr);
	if (rc == 0)
		rc = pragma_int(db, "SELECT count(*) FROM sqlite_schema", &objects, reterr);
	if (rc < 0)
		return rc;
	if (objects > 0 && application != SCHEMA_APPLICATION_ID)
		return mt_error_set(reterr, MT_EINVAL,
			"%s is the database of another program; name another file with --cache",
			path);
	if (version > schema_version)
		return mt_error_set(reterr, MT_ENEWER,
			"%s was written by a newer mtatop (schema %lld, this one knows %d); use "
			"that one, or "
			"another file with --cache",
			path, (long long)version, schema_version);
	if (version < 0 || (objects == 0 && version > 0) || (objects > 0 && version == 0))
		return mt_error_set(
			reterr, MT_ECORRUPT, "%s: its schema does not match its version", path);
	for (int next = (int)version + 1; rc == 0 && next <= schema_version; next++)
		rc = apply(db, next, reterr);
	return rc;
}
