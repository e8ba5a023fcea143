/* SPDX-License-Identifier: MIT */
/*
 * open - the cache file: folder, permissions, pragmas, recovery, and the store around it.
 *
 * No descriptor of a file that is there is opened and closed here: a screen of this process may be reading it, and
 * close(2) would drop SQLite's POSIX locks with it (sqlite.org, How To Corrupt, 2.2).
 */
#include "store/writer.h"

#include "store/base/mem.h"
#include "store/bucket.h"
#include "store/migrate.h"
#include "store/recover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MODE 0600 /* it holds addresses of people */
#define FOLDER_MODE 0700
#define BUSY_TIMEOUT_MS 5000 /* another writer is a one-row action log entry */
#define KEEP_ATTEMPTS_DEFAULT_MS (30LL * MS_PER_DAY)
#define KEEP_BUCKETS_DEFAULT_MS (400LL * MS_PER_DAY)
#define MAX_BYTES_DEFAULT (4LL << 30)
#define REPLY_MAX_BYTES (4 * DICT_TEXT_MAX_BYTES)

static const char pragmas_new[] = "PRAGMA page_size=16384;";
static const char pragmas[] =
	"PRAGMA synchronous=NORMAL; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;"
	"PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-12288;"
	"PRAGMA foreign_keys=OFF; PRAGMA journal_size_limit=67108864;";
static const char pragma_live[] = "PRAGMA wal_autocheckpoint=1000;"; /* 16 MiB of 16 KiB pages */
static const char pragma_bulk[] =
	"PRAGMA wal_autocheckpoint=4000;"; /* 64 MiB: a page is moved once for many changes */

static int make_folder(const char *path, struct mt_error *reterr)
{
	char *folder = xstrdup(path);
	int rc = 0;

	for (char *p = folder + 1; *p && rc == 0; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(folder, FOLDER_MODE) < 0 && errno != EEXIST && access(folder, F_OK) < 0)
			rc = mt_error_sys(reterr, errno, "cannot make the folder %s", folder);
		*p = '/';
	}
	free(folder);
	return rc;
}

static int no_permission(const struct store *s, struct mt_error *reterr)
{
	return mt_error_set(reterr, MT_EPERM,
		"no permission to write the cache %s; run: chmod u+w '%s' (or name another "
		"with --cache)",
		s->path, s->path);
}

static bool is_refusal(int err)
{
	return err == EACCES || err == EROFS || err == EPERM;
}

/* The file is made by us, so that no umask makes it readable; SQLite gives -wal and -shm the same mode. */
static int make_missing(const struct store *s, struct mt_error *reterr)
{
	int fd = open(s->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, FILE_MODE);

	if (fd < 0 && is_refusal(errno))
		return no_permission(s, reterr);
	if (fd < 0)
		return mt_error_sys(reterr, errno, "cannot open the cache %s", s->path);
	close(fd);
	return 0;
}

static int make_file(struct store *s, bool *ret_empty, struct mt_error *reterr)
{
	struct stat st;
	int rc = 0;

	if (stat(s->path, &st) < 0 && errno == ENOENT)
		rc = make_missing(s, reterr);
	if (rc < 0)
		return rc;
	if (stat(s->path, &st) < 0)
		return is_refusal(errno)
			       ? no_permission(s, reterr)
			       : mt_error_sys(reterr, errno, "cannot open the cache %s", s->path);
	if (!S_ISREG(st.st_mode))
		return mt_error_set(
			reterr, MT_EINVAL, "the cache %s is not a regular file", s->path);
	if (access(s->path, R_OK | W_OK) < 0)
		return no_permission(s, reterr);
	if ((st.st_mode & 077) && st.st_uid == geteuid() && chmod(s->path, FILE_MODE) < 0)
		return mt_error_sys(reterr, errno, "cannot make the cache %s private", s->path);
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	*ret_empty = st.st_size == 0;
	return 0;
}

static int set_wal(struct store *s, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = NULL;
	bool wal = false;
	int rc = 0;

	if (sqlite3_prepare_v2(s->db.handle, "PRAGMA journal_mode=WAL", -1, &stmt, NULL) !=
			SQLITE_OK ||
		sqlite3_step(stmt) != SQLITE_ROW)
		rc = db_error(s->db.handle, "cannot be put into WAL mode", reterr);
	else
		wal = str_eq(column_str(stmt, 0), STR_LIT("wal"));
	sqlite3_finalize(stmt);
	if (rc == 0 && !wal)
		rc = mt_error_set(reterr, MT_ENOTSUP,
			"the file system of %s cannot hold the cache (no shared memory: NFS?); "
			"name a local "
			"file with --cache",
			s->path);
	return rc;
}

static int connect_file(struct store *s, struct mt_error *reterr)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
	int rc;

	if (sqlite3_open_v2(s->path, &s->db.handle, flags, NULL) != SQLITE_OK)
		return db_error(s->db.handle, "cannot be opened", reterr);
	sqlite3_extended_result_codes(s->db.handle, 1);
	sqlite3_busy_timeout(s->db.handle, BUSY_TIMEOUT_MS);
	sqlite3_db_config(s->db.handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(s->db.handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(s->db.handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(s->db.handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	message_blocks_init(&s->db.blocks, s->db.handle);
	rc = bucket_register(s->db.handle, reterr);
	return rc == 0 ? message_table_register(s->db.handle, reterr) : rc;
}

int store_connect(struct store *s, struct mt_error *reterr)
{
	int rc = connect_file(s, reterr);

	if (rc == 0)
		rc = db_exec(s->db.handle, pragmas, reterr);
	return rc == 0 ? db_exec(s->db.handle, pragma_bulk, reterr) : rc;
}

static int open_file(struct store *s, bool empty, struct mt_error *reterr)
{
	int rc = connect_file(s, reterr);

	if (rc == 0 && empty)
		rc = db_exec(s->db.handle, pragmas_new, reterr);
	if (rc == 0)
		rc = db_exec(s->db.handle, pragmas, reterr);
	if (rc == 0)
		rc = set_wal(s, reterr);
	if (rc == 0)
		rc = migrate_run(s->db.handle, s->path, reterr);
	if (rc == 0 && !empty)
		rc = recover_check(s->db.handle, s->path, reterr);
	if (rc == 0)
		rc = meta_set_int(s, "clean", 0, reterr);
	if (rc == 0)
		rc = intern_load(&s->dict, &s->db, DICT_CACHE_ENTRIES, reterr);
	if (rc == 0)
		rc = reload(s, reterr);
	if (rc == 0 && !s->rules)
		rc = rules_open(s, reterr);
	return rc == 0 ? store_bulk(s, s->options.bulk, reterr) : rc;
}

/* A read that fails looks like damage to SQLite: only what the disk gives, and gives damaged twice, is damaged. */
static int open_sound(struct store *s, bool empty, struct mt_error *reterr)
{
	int rc = open_file(s, empty, reterr);

	if (rc != MT_ECORRUPT)
		return rc;
	db_done(&s->db);
	rc = s->taken_over ? 0 : recover_readable(s->path, reterr);
	return rc == 0 ? open_file(s, empty, reterr) : rc;
}

/* At most once more, with an empty file, after a damaged one was moved aside. */
static int open_or_recover(struct store *s, struct mt_error *reterr)
{
	bool empty = false, flagged;
	int rc = make_file(s, &empty, reterr);

	if (rc < 0)
		return rc;
	flagged = recover_flagged(s->path);
	if (flagged)
		rc = mt_error_set(reterr, MT_ECORRUPT, "damage was met while it was in use");
	else
		rc = open_sound(s, empty, reterr);
	/* Whether it is the disk could not be told (recover_readable): the next start finds out. */
	if (rc != MT_ECORRUPT || (s->taken_over && !flagged))
		return rc;
	db_done(&s->db);
	rc = recover_move_aside(s->path, s->clock, reterr->text, &s->notice, reterr);
	if (rc == 0) {
		recover_unflag(s->path);
		rc = make_file(s, &empty, reterr);
	}
	return rc == 0 ? open_file(s, empty, reterr) : rc;
}

int store_open(const struct store_options *options, struct store **ret, struct mt_error *reterr)
{
	struct mt_error local;
	struct store *s = xcalloc(1, sizeof(*s));
	int rc;

	reterr = reterr ? reterr : &local;
	s->own_clock = clock_real();
	s->clock = options->clock ? options->clock : &s->own_clock;
	s->options = *options;
	s->options.keep_attempts_ms =
		options->keep_attempts_ms ? options->keep_attempts_ms : KEEP_ATTEMPTS_DEFAULT_MS;
	s->options.keep_buckets_ms =
		options->keep_buckets_ms ? options->keep_buckets_ms : KEEP_BUCKETS_DEFAULT_MS;
	s->options.max_bytes = options->max_bytes ? options->max_bytes : MAX_BYTES_DEFAULT;
	s->path = xstrdup(options->path);
	s->options.path = s->path;
	s->rules_path = options->rules_path ? xstrdup(options->rules_path) : NULL;
	s->options.rules_path = s->rules_path;
	s->lock = options->lock;
	s->taken_over = options->lock != NULL;
	buf_init(&s->template_buf, REPLY_MAX_BYTES);
	buf_init(&s->args_buf, REPLY_MAX_BYTES);
	batch_init(&s->batch);
	rc = make_folder(s->path, reterr);
	if (rc == 0 && !s->lock)
		rc = store_lock_make(s->path, &s->lock, reterr);
	if (rc == 0)
		rc = open_or_recover(s, reterr);
	if (rc < 0) {
		s->damaged = false;
		store_close(s);
		return rc;
	}
	*ret = s;
	return 0;
}

static void close_cleanly(struct store *s)
{
	struct mt_error ignored;

	behind_done(s);
	if (!sqlite3_get_autocommit(s->db.handle))
		sqlite3_exec(s->db.handle, "ROLLBACK", NULL, NULL, NULL);
	if (s->damaged)
		recover_flag(s->path);
	else if (s->batch.dirty.p || s->next_message) /* fully opened */
		(void)!meta_set_int(s, "clean", 1, &ignored);
	sqlite3_wal_checkpoint_v2(s->db.handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

void store_close(struct store *s)
{
	if (!s)
		return;
	if (s->db.handle)
		close_cleanly(s);
	listings_free(s);
	db_done(&s->db);
	batch_done(&s->batch);
	messages_done(&s->messages);
	sessions_done(&s->sessions);
	intern_done(&s->dict);
	count_done(&s->counts);
	for (size_t i = 0; i < s->nproviders; i++) {
		free(s->providers[i].log_key);
		free(s->providers[i].services);
	}
	free(s->providers);
	buf_done(&s->template_buf);
	buf_done(&s->args_buf);
	store_lock_free(s->lock);
	free(s->path);
	free(s->notice);
	free(s->rules_path);
	explain_free(s->rules);
	free(s);
}

void store_distrust(struct store *s)
{
	s->damaged = true;
}

const char *store_notice(const struct store *s)
{
	return s->notice;
}

int store_bulk(struct store *s, bool bulk, struct mt_error *reterr)
{
	struct mt_error local;
	int rc;

	reterr = reterr ? reterr : &local;
	rc = behind_wait(s, reterr);
	if (rc == 0)
		rc = db_exec(s->db.handle, bulk ? pragma_bulk : pragma_live, reterr);
	if (rc == 0)
		s->bulk = bulk;
	if (rc == 0 && !bulk)
		behind_done(s);
	return rc;
}
