/* SPDX-License-Identifier: MIT */
/* migrate - the numbered schema steps, embedded at build, and applying them. */
#ifndef MT_STORE_MIGRATE_H
#define MT_STORE_MIGRATE_H

#include "store/base/err.h"

struct sqlite3;

#define SCHEMA_APPLICATION_ID 0x6d746174 /* "mtat" in the database header */

extern const char *const schema_sql[]; /* [0] makes version 1 */
extern const int schema_version;

/* migrate_run - bring an open database to schema_version, one transaction a step. MT_ENEWER when it is
 * beyond it, MT_EINVAL when it is some other program's database, MT_ECORRUPT, MT_EFULL, MT_EIO. */
int migrate_run(struct sqlite3 *db, const char *path, struct mt_error *reterr) MT_MUST_CHECK;

#endif
