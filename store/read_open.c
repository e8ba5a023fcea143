/* SPDX-License-Identifier: MIT */
/*
 * read_open - the read-only connection: open, notice changes, one snapshot at a time, statements.
 *
 * Never writes to the cache and never waits for the writer longer than BUSY_TIMEOUT_MS.
 */
#include "store/plan_egress.h"
#include "store/base/mem.h"
#include "store/message_table.h"
#include "store/read_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#define SCHEMA_KNOWN 13 /* of store/schema */
#define APPLICATION_ID 0x6d746174 /* "mtat" */
#define BUSY_TIMEOUT_MS 2000 /* a checkpoint or recovery by the writer is over long before */
#define STOP_STEPS 16 /* rows given between two questions whether to stop: some ten us each */
#define STOP_OPCODES 2000 /* the same within one step, of SQLite's virtual machine */

static const char *const sql_texts[] = {
#define SQL(id, text) [READ_##id] = text,
#include "store/read_sql.def"
#undef SQL
};

const char *read_sql_text(enum read_sql id)
{
	return sql_texts[id];
}

static enum mt_err class_of(int sqlite_code)
{
	switch (sqlite_code & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return MT_ECORRUPT;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return MT_EBUSY;
	case SQLITE_PERM:
	case SQLITE_AUTH:
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
		return MT_EPERM;
	case SQLITE_NOMEM:
		return MT_ENOMEM;
	case SQLITE_INTERRUPT:
		return MT_ECANCELED;
	default:
		return MT_EIO;
	}
}

static int fail(struct reader *r, const char *what, struct mt_error *reterr)
{
	enum mt_err code = class_of(sqlite3_extended_errcode(r->db));

	return mt_error_set(reterr, code, "cache %s: %s: %s", r->path, what, sqlite3_errmsg(r->db));
}

int rd_prepare(struct reader *r, enum read_sql id, sqlite3_stmt **ret, struct mt_error *reterr)
{
	if (r->stmt[id]) {
		sqlite3_reset(r->stmt[id]);
		sqlite3_clear_bindings(r->stmt[id]);
	} else if (sqlite3_prepare_v3(r->db, sql_texts[id], -1, SQLITE_PREPARE_PERSISTENT,
			   &r->stmt[id], NULL) != SQLITE_OK) {
		return fail(r, "query", reterr);
	}
	*ret = r->stmt[id];
	return 0;
}

/* Once it has stopped a snapshot stays stopped: nobody must take what comes after the gap for the whole. */
static bool must_stop(struct reader *r)
{
	if (r->in_snapshot && r->stop && !r->stopped)
		r->stopped = r->stop(r->stop_ctx);
	return r->in_snapshot && r->stopped;
}

static int on_progress(void *ctx)
{
	return must_stop(ctx);
}

int rd_step(struct reader *r, sqlite3_stmt *stmt, struct mt_error *reterr)
{
	int code, rc = 0;

	if (r->stopped || ++r->steps % STOP_STEPS == 0) {
		if (must_stop(r)) {
			sqlite3_reset(stmt);
			return mt_error_set(reterr, MT_ECANCELED, "reading was stopped");
		}
	}
	code = sqlite3_step(stmt);
	if (code == SQLITE_ROW)
		return 1;
	if (code != SQLITE_DONE)
		rc = fail(r, "read", reterr);
	sqlite3_reset(stmt);
	return rc;
}

int rd_int(struct reader *r, sqlite3_stmt *stmt, int64_t fallback, int64_t *ret,
	struct mt_error *reterr)
{
	int rc = rd_step(r, stmt, reterr);

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

void rd_bind(sqlite3_stmt *stmt, int at, int64_t value)
{
	sqlite3_bind_int64(stmt, at, value);
}

void rd_bind_str(sqlite3_stmt *stmt, int at, struct str s)
{
	if (str_present(s))
		sqlite3_bind_text64(stmt, at, s.p, s.n, SQLITE_STATIC, SQLITE_UTF8);
}

int64_t rd_num(sqlite3_stmt *stmt, int at)
{
	return sqlite3_column_type(stmt, at) == SQLITE_NULL ? EVENT_UNKNOWN
							    : sqlite3_column_int64(stmt, at);
}

int64_t rd_id(sqlite3_stmt *stmt, int at)
{
	return sqlite3_column_int64(stmt, at); /* NULL reads as 0 */
}

struct str rd_str(sqlite3_stmt *stmt, int at)
{
	const char *p = sqlite3_column_blob(stmt, at);

	if (sqlite3_column_type(stmt, at) == SQLITE_NULL)
		return (struct str){NULL, 0};
	return (struct str){p ? p : "", (size_t)sqlite3_column_bytes(stmt, at)};
}

static int pragma_int(struct reader *r, enum read_sql id, int64_t *ret, struct mt_error *reterr)
{
	sqlite3_stmt *stmt;
	int rc = rd_prepare(r, id, &stmt, reterr);

	return rc < 0 ? rc : rd_int(r, stmt, 0, ret, reterr);
}

static int check_schema(struct reader *r, struct mt_error *reterr)
{
	int64_t version = 0, application = 0;
	int rc = pragma_int(r, READ_SCHEMA_VERSION, &version, reterr);

	if (rc == 0)
		rc = pragma_int(r, READ_APPLICATION_ID, &application, reterr);
	if (rc < 0)
		return rc;
	if (application != 0 && application != APPLICATION_ID)
		return mt_error_set(
			reterr, MT_ECORRUPT, "cache %s: is a database of another program", r->path);
	if (version > SCHEMA_KNOWN)
		return mt_error_set(reterr, MT_ENEWER,
			"cache %s: was made by a newer mtatop (schema %lld, this one "
			"knows %d)",
			r->path, (long long)version, SCHEMA_KNOWN);
	if (version > 0 && version < SCHEMA_KNOWN)
		return mt_error_set(reterr, MT_ENOENT,
			"cache %s: was made by an older mtatop; run mtatop or mtatop collect to "
			"bring it "
			"up to date",
			r->path);
	if (version == 0)
		return mt_error_set(
			reterr, MT_ENOENT, "cache %s: nothing has been collected yet", r->path);
	return 0;
}

static void close_db(struct reader *r)
{
	for (int i = 0; i < READ__COUNT; i++) {
		sqlite3_finalize(r->stmt[i]);
		r->stmt[i] = NULL;
	}
	sqlite3_close(r->db);
	r->db = NULL;
	r->in_snapshot = false;
}

/* mt_has(needle, text...) - is the needle in any of the texts? For lists that SQLite sorts and limits. */
static void sql_has(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	struct str needle = {sqlite3_value_blob(argv[0]), (size_t)sqlite3_value_bytes(argv[0])};

	for (int i = 1; i < argc; i++) {
		const char *p = sqlite3_value_blob(argv[i]);

		if (p && text_has(str_make(p, (size_t)sqlite3_value_bytes(argv[i])), needle)) {
			sqlite3_result_int(context, 1);
			return;
		}
	}
	sqlite3_result_int(context, 0);
}

/* distrust - the file may be another's or damaged: no view or trigger of it runs, no cell is believed, no page mapped. */
static int distrust(sqlite3 *db)
{
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	return sqlite3_exec(db, "PRAGMA cell_size_check=ON; PRAGMA mmap_size=0", NULL, NULL, NULL);
}

static int open_db(struct reader *r, struct mt_error *reterr)
{
	struct stat st;
	int rc;

	if (stat(r->path, &st) < 0)
		return mt_error_sys(reterr, errno, "cache %s", r->path);
	if (!S_ISREG(st.st_mode))
		return mt_error_set(reterr, MT_EINVAL, "cache %s: is not a file", r->path);
	r->dev = st.st_dev;
	r->ino = st.st_ino;
	if (sqlite3_open_v2(r->path, &r->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) !=
		SQLITE_OK)
		return r->db ? fail(r, "open", reterr)
			     : mt_error_set(reterr, MT_ENOMEM, "cache: out of memory");
	sqlite3_busy_timeout(r->db, BUSY_TIMEOUT_MS);
	sqlite3_progress_handler(r->db, STOP_OPCODES, on_progress, r);
	sqlite3_extended_result_codes(r->db, 1);
	sqlite3_limit(r->db, SQLITE_LIMIT_ATTACHED, 0);
	if (distrust(r->db) != SQLITE_OK)
		return fail(r, "open", reterr);
	if (sqlite3_create_function(r->db, "mt_has", -1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL,
		    sql_has, NULL, NULL) != SQLITE_OK)
		return fail(r, "open", reterr);
	rc = message_table_register(r->db, reterr);
	if (rc == 0)
		rc = check_schema(r, reterr);
	if (rc == 0)
		rc = pragma_int(r, READ_DATA_VERSION, &r->data_version, reterr);
	return rc;
}

void store_setup(void)
{
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

int reader_open(const char *path, struct reader **ret, struct mt_error *reterr)
{
	struct reader *r = xcalloc(1, sizeof(*r));
	int rc;

	r->path = xstrdup(path);
	buf_init(&r->text, 4 * REPLY_TEXT_MAX_BYTES);
	buf_init(&r->needle, REPLY_TEXT_MAX_BYTES);
	rc = open_db(r, reterr);
	if (rc < 0) {
		reader_close(r);
		return rc;
	}
	*ret = r;
	return 0;
}

void reader_close(struct reader *r)
{
	if (!r)
		return;
	close_db(r);
	dict_done(&r->dict);
	blocks_done(r);
	plan_attempts_done(r);
	buf_done(&r->text);
	buf_done(&r->needle);
	free(r->spare[0]);
	free(r->spare[1]);
	free(r->path);
	free(r);
}

/* The collector moves a damaged cache aside and begins a new file of the same name. */
static bool replaced(const struct reader *r)
{
	struct stat st;

	return stat(r->path, &st) == 0 && (st.st_dev != r->dev || st.st_ino != r->ino);
}

bool reader_changed(struct reader *r)
{
	int64_t version = 0;

	if (!r->in_snapshot && (!r->db || replaced(r)))
		return true; /* reader_begin opens the new file */
	if (pragma_int(r, READ_DATA_VERSION, &version, NULL) < 0)
		return true; /* the failure shows at the next query */
	if (version == r->data_version)
		return false;
	r->data_version = version;
	return true;
}

int reader_begin(struct reader *r, struct mt_error *reterr)
{
	int64_t ignored;
	int rc = 0;

	r->stopped = false;
	if (r->in_snapshot)
		reader_end(r);
	if (!r->db || replaced(r)) {
		close_db(r);
		dict_done(&r->dict);
		blocks_forget(r);
		rc = open_db(r, reterr);
		if (rc < 0) {
			close_db(r);
			return rc;
		}
	}
	if (sqlite3_exec(r->db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
		return fail(r, "begin", reterr);
	r->in_snapshot = true;
	r->truncated = false;
	r->floors.known = r->api_known = false;
	memset(r->lows, 0, sizeof(r->lows));
	rc = pragma_int(
		r, READ_TOUCH, &ignored, reterr); /* BEGIN alone does not fix the snapshot */
	if (rc == 0)
		rc = pragma_int(r, READ_DATA_VERSION, &ignored, reterr);
	if (rc == 0 && ignored != r->dict_version) {
		dict_done(&r->dict); /* pruned ids may be given out again */
		blocks_forget(r);
		r->dict_version = ignored;
	}
	if (rc < 0)
		reader_end(r);
	return rc;
}

void reader_end(struct reader *r)
{
	if (!r->in_snapshot)
		return;
	for (int i = 0; i < READ__COUNT; i++)
		sqlite3_reset(r->stmt[i]);
	r->in_snapshot = false; /* what ends it is not stopped */
	sqlite3_exec(r->db, "ROLLBACK", NULL, NULL, NULL);
}

bool reader_truncated(const struct reader *r)
{
	return r->truncated;
}

void reader_stop_when(struct reader *r, bool (*stop)(void *ctx), void *ctx)
{
	r->stop = stop;
	r->stop_ctx = ctx;
}

bool reader_stopped(const struct reader *r)
{
	return r->stopped;
}
