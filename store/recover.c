/* SPDX-License-Identifier: MIT */
/*
 * recover - damaged caches: found, moved aside with their WAL, and told of. Nothing is ever deleted;
 * what the logs still hold is read again into the new cache.
 */
#include "store/recover.h"

#include "store/base/mem.h"
#include "store/db.h"
#include "store/migrate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SMALL_CACHE_BYTES (16LL << 20) /* checked at every open: ~20 ms */
#define CHECK_LIMIT_MS 3000 /* a check that takes longer is given up; reads check pages anyway */
#define CHECK_STEPS 10000 /* SQLite instructions between looks at the clock */
#define SUFFIX_MAX_BYTES 40
#define READ_BLOCK_BYTES (1u << 20)
#define MS_PER_S 1000

struct deadline {
	struct clock clock;
	int64_t mono_ms;
};

static int past_deadline(void *ctx)
{
	const struct deadline *d = ctx;

	return clock_mono_ms(&d->clock) > d->mono_ms;
}

static bool closed_cleanly(sqlite3 *db)
{
	sqlite3_stmt *stmt = NULL;
	bool clean = false;

	if (sqlite3_prepare_v2(db, "SELECT value FROM meta WHERE key='clean'", -1, &stmt, NULL) ==
			SQLITE_OK &&
		sqlite3_step(stmt) == SQLITE_ROW)
		clean = sqlite3_column_int(stmt, 0) == 1;
	sqlite3_finalize(stmt);
	return clean;
}

/* The schema as our steps make it, in memory. */
static int fresh_schema(sqlite3 **ret, struct mt_error *reterr)
{
	int rc = sqlite3_open(":memory:", ret) == SQLITE_OK
			 ? 0
			 : db_error(*ret, "cannot be compared", reterr);

	for (int i = 0; rc == 0 && i < schema_version; i++) {
		rc = db_exec(*ret, "BEGIN", reterr);
		if (rc == 0)
			rc = db_exec(*ret, schema_sql[i], reterr);
		if (rc == 0)
			rc = db_exec(*ret, "COMMIT", reterr);
	}
	return rc;
}

/* Statistics are SQLite's own and may be there or not. */
static const char schema_query[] = "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE "
				   "'sqlite_stat%' ORDER BY type, name";

static bool same_row(sqlite3_stmt *a, sqlite3_stmt *b)
{
	for (int i = 0; i < 3; i++) {
		struct str x = column_str(a, i), y = column_str(b, i);

		if (str_present(x) != str_present(y) || !str_eq(x, y))
			return false;
	}
	return true;
}

/* same_schema - 1 equal, 0 not; MT_ENOMEM, MT_EIO, MT_ECORRUPT. */
static int same_schema(sqlite3 *db, sqlite3 *fresh, struct mt_error *reterr)
{
	sqlite3_stmt *ours = NULL, *theirs = NULL;
	int equal = 1, a, b;

	if (sqlite3_prepare_v2(fresh, schema_query, -1, &ours, NULL) != SQLITE_OK ||
		sqlite3_prepare_v2(db, schema_query, -1, &theirs, NULL) != SQLITE_OK) {
		equal = db_error(db, "cannot read its schema", reterr);
	} else {
		do {
			a = sqlite3_step(ours);
			b = sqlite3_step(theirs);
			if (a == SQLITE_ROW && b == SQLITE_ROW)
				equal = same_row(ours, theirs);
			else if (b != SQLITE_ROW && b != SQLITE_DONE)
				equal = db_error(db, "cannot read its schema", reterr);
			else
				equal = a == b;
		} while (equal == 1 && a == SQLITE_ROW);
	}
	sqlite3_finalize(ours);
	sqlite3_finalize(theirs);
	return equal;
}

/* What is missing makes every write fail; what is added (triggers, views) wants code to run at our writes. */
static int check_schema(sqlite3 *db, const char *path, struct mt_error *reterr)
{
	sqlite3 *fresh = NULL;
	int rc = fresh_schema(&fresh, reterr);

	if (rc == 0)
		rc = same_schema(db, fresh, reterr);
	sqlite3_close(fresh);
	if (rc == 0)
		return mt_error_set(
			reterr, MT_ECORRUPT, "%s: its tables are not those of its version", path);
	return rc < 0 ? rc : 0;
}

static int quick_check(sqlite3 *db, const char *path, struct mt_error *reterr)
{
	struct deadline deadline = {.clock = clock_real()};
	sqlite3_stmt *stmt = NULL;
	int step, rc = 0;

	deadline.mono_ms = clock_mono_ms(&deadline.clock) + CHECK_LIMIT_MS;
	if (sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &stmt, NULL) != SQLITE_OK)
		return db_error(db, "cannot be checked", reterr);
	sqlite3_progress_handler(db, CHECK_STEPS, past_deadline, &deadline);
	step = sqlite3_step(stmt);
	if (step == SQLITE_ROW) {
		struct str verdict = column_str(stmt, 0);

		if (!str_eq(verdict, STR_LIT("ok")))
			rc = mt_error_set(reterr, MT_ECORRUPT, "%s: %.*s", path,
				(int)(verdict.n > 120 ? 120 : verdict.n), verdict.p);
	} else if (step != SQLITE_INTERRUPT) {
		rc = db_error(db, "check failed", reterr);
	}
	sqlite3_progress_handler(db, 0, NULL, NULL);
	sqlite3_finalize(stmt);
	return rc;
}

int recover_check(sqlite3 *db, const char *path, struct mt_error *reterr)
{
	struct stat st;
	int rc = check_schema(db, path, reterr);

	if (rc < 0)
		return rc;
	if (stat(path, &st) == 0 && st.st_size > SMALL_CACHE_BYTES && closed_cleanly(db))
		return 0;
	return quick_check(db, path, reterr);
}

static int read_through(const char *path, struct mt_error *reterr)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *block;
	ssize_t n;
	int rc = 0;

	if (fd < 0)
		return errno == ENOENT ? 0 : mt_error_sys(reterr, errno, "cannot open %s", path);
	block = xmalloc(READ_BLOCK_BYTES);
	do {
		n = read(fd, block, READ_BLOCK_BYTES);
	} while (n > 0);
	if (n < 0)
		rc = mt_error_sys(
			reterr, errno, "the disk cannot read the cache %s; look at dmesg", path);
	free(block);
	close(fd);
	return rc;
}

int recover_readable(const char *path, struct mt_error *reterr)
{
	char *wal = xasprintf("%s-wal", path);
	int rc = read_through(path, reterr);

	if (rc == 0)
		rc = read_through(wal, reterr);
	free(wal);
	return rc;
}

static int move_one(
	const char *path, const char *ending, const char *suffix, struct mt_error *reterr)
{
	char *from = xasprintf("%s%s", path, ending),
	     *to = xasprintf("%s%s%s", path, suffix, ending);
	int rc = 0;

	if (rename(from, to) < 0 && errno != ENOENT)
		rc = mt_error_sys(reterr, errno, "cannot move the damaged %s aside", from);
	free(from);
	free(to);
	return rc;
}

/* A name that is not taken: a second damage within a second must not overwrite the first file. */
static void free_suffix(const char *path, const struct clock *clock, char suffix[SUFFIX_MAX_BYTES])
{
	time_t now_s = (time_t)(clock_utc_ms(clock) / MS_PER_S);
	struct tm tm;
	char stamp[20];

	gmtime_r(&now_s, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	for (int i = 0; i < 100; i++) {
		char *name;
		bool taken;

		if (i == 0)
			snprintf(suffix, SUFFIX_MAX_BYTES, ".corrupt-%s", stamp);
		else
			snprintf(suffix, SUFFIX_MAX_BYTES, ".corrupt-%s-%d", stamp, i);
		name = xasprintf("%s%s", path, suffix);
		taken = access(name, F_OK) == 0;
		free(name);
		if (!taken)
			break;
	}
}

int recover_move_aside(const char *path, const struct clock *clock, const char *why,
	char **ret_notice, struct mt_error *reterr)
{
	char suffix[SUFFIX_MAX_BYTES];
	int rc;

	free_suffix(path, clock, suffix);
	rc = move_one(path, "", suffix, reterr);
	if (rc == 0)
		rc = move_one(path, "-wal", suffix, reterr);
	if (rc == 0)
		rc = move_one(path, "-shm", suffix, reterr);
	if (rc == 0) {
		free(*ret_notice);
		*ret_notice = xasprintf("The cache was damaged (%s). It was moved to %s%s and is "
					"being rebuilt from the logs.",
			why, path, suffix);
	}
	return rc;
}

void recover_flag(const char *path)
{
	char *name = xasprintf("%s.damaged", path);
	int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd >= 0)
		close(fd);
	free(name);
}

bool recover_flagged(const char *path)
{
	char *name = xasprintf("%s.damaged", path);
	bool there = access(name, F_OK) == 0;

	free(name);
	return there;
}

void recover_unflag(const char *path)
{
	char *name = xasprintf("%s.damaged", path);

	unlink(name);
	free(name);
}
