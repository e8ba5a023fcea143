/* SPDX-License-Identifier: MIT */
/* test_recover - caches that are damaged, foreign, newer, read-only, deleted, full, or held by another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/migrate.h"
#include "store/recover.h"
#include "store/store_read.h"
#include "tests/unit/store_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

static int try_open(struct fixture *f, struct mt_error *error)
{
	struct store_options options = {.path = f->path, .clock = &f->clock};

	return store_open(&options, &f->store, error);
}

static void fill(struct fixture *f)
{
	fixture_open(f);
	for (int i = 0; i < 300; i++) {
		char qid[16];

		snprintf(qid, sizeof(qid), "A%d", i);
		put_client(f, qid, "203.0.113.5");
		put_queued(f, qid, "me@here.example", 1);
		put_attempt(f, qid, "you@there.example", i % 3 ? STATUS_SENT : STATUS_DEFERRED);
		f->t_ms += 20000;
	}
	fixture_commit(f);
}

static void overwrite(const char *path, off_t at, const void *bytes, size_t n)
{
	int fd = open(path, O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, n, at), n);
	close(fd);
}

static int count_files(const struct fixture *f, const char *holding)
{
	DIR *dir = opendir(f->folder);
	struct dirent *entry;
	int n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		n += strstr(entry->d_name, holding) != NULL;
	closedir(dir);
	return n;
}

static void private_files(void **state)
{
	struct fixture f;
	struct stat st;
	mode_t before = umask(0);

	(void)state;
	fixture_begin(&f);
	snprintf(f.path, sizeof(f.path), "%s/a/b/cache.db", f.folder);
	fill(&f);
	for (int i = 0; i < 4; i++) {
		static const char *const names[] = {"", "-wal", "-shm", ".lock"};
		char *name = xasprintf("%s%s", f.path, names[i]);

		assert_int_equal(stat(name, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
		free(name);
	}
	store_close(f.store);
	f.store = NULL;
	assert_int_equal(chmod(f.path, 0644), 0);
	fixture_open(&f);
	assert_int_equal(stat(f.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	snprintf(f.path, sizeof(f.path), "%s/a", f.folder);
	assert_int_equal(stat(f.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	fixture_end(&f);
	umask(before);
}

static void damaged_is_moved_aside(void **state)
{
	static const char garbage[] =
		"this is not a database, and was never meant to be one at all .......";
	struct fixture f;

	(void)state;
	for (int kind = 0; kind < 4; kind++) {
		fixture_begin(&f);
		fill(&f);
		store_close(f.store);
		f.store = NULL;
		if (kind == 0)
			overwrite(f.path, 0, garbage, sizeof(garbage));
		else if (kind == 1)
			assert_int_equal(truncate(f.path, 16384 * 3 + 100), 0);
		else if (kind == 2)
			overwrite(f.path, 16384, garbage, sizeof(garbage));
		else
			recover_flag(f.path);
		fixture_open(&f);
		assert_non_null(store_notice(f.store));
		assert_non_null(strstr(store_notice(f.store), ".corrupt-20261123T000000Z"));
		assert_true(count_files(&f, ".corrupt-") >= 1);
		assert_int_equal(count_files(&f, ".damaged"), 0);
		put_client(&f, "B1", "203.0.113.5");
		fixture_commit(&f);
		assert_int_equal(sql_int(&f, "SELECT count(*) FROM message"), 1);
		fixture_reopen(&f);
		assert_null(store_notice(f.store));
		fixture_end(&f);
	}
}

/* Every kind of damage ends in a working cache or a clean refusal, and never in a wrong total. */
static void random_damage(void **state)
{
	struct fixture f;
	uint64_t seed = 7;
	int recovered = 0, refused = 0, unharmed = 0;
	char *copy;
	struct stat st;
	int fd;

	(void)state;
	fixture_begin(&f);
	fill(&f);
	store_close(f.store);
	f.store = NULL;
	assert_int_equal(stat(f.path, &st), 0);
	copy = xmalloc((size_t)st.st_size);
	fd = open(f.path, O_RDONLY);
	assert_int_equal(read(fd, copy, (size_t)st.st_size), st.st_size);
	close(fd);
	for (int round = 0; round < 150; round++) {
		struct mt_error error = {0};
		off_t size = st.st_size;
		int rc;

		assert_int_equal(nftw(f.folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
		assert_int_equal(mkdir(f.folder, 0700), 0);
		fd = open(f.path, O_WRONLY | O_CREAT, 0600);
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		if (round % 3 == 0)
			size = (off_t)((seed >> 33) % (uint64_t)st.st_size);
		assert_int_equal(write(fd, copy, (size_t)size), size);
		close(fd);
		for (int flips = 0; round % 3 && flips < 4; flips++) {
			char byte;

			seed = seed * 6364136223846793005u + 1442695040888963407u;
			byte = (char)(seed >> 20);
			overwrite(f.path,
				(off_t)((seed >> 33) %
					(uint64_t)(round % 3 == 1 ? 16384 : st.st_size)),
				&byte, 1);
		}
		rc = try_open(&f, &error);
		if (rc < 0) {
			assert_true(rc == MT_ENEWER || rc == MT_EINVAL || rc == MT_ENOTSUP ||
				    rc == MT_EPERM);
			assert_true(error.text[0] != '\0');
			refused++;
			continue;
		}
		if (store_notice(f.store)) {
			recovered++;
			assert_int_equal(sql_int(&f, "SELECT count(*) FROM message"), 0);
		} else {
			unharmed++;
		}
		store_close(f.store);
		f.store = NULL;
	}
	free(copy);
	print_message("recovered %d, refused %d, opened %d\n", recovered, refused, unharmed);
	assert_true(recovered > 20);
	fixture_end(&f);
}

static void foreign_and_newer_are_refused(void **state)
{
	struct fixture f;
	struct mt_error error = {0};
	sqlite3 *db;

	(void)state;
	fixture_begin(&f);
	assert_int_equal(sqlite3_open(f.path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE t(a)", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(try_open(&f, &error), MT_EINVAL);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM t"), 0); /* and left alone */
	unlink(f.path);
	fill(&f);
	store_close(f.store);
	f.store = NULL;
	assert_int_equal(sqlite3_open(f.path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version=999", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(try_open(&f, &error), MT_ENEWER);
	assert_non_null(strstr(error.text, "newer"));
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM message"), 300);
	fixture_end(&f);
}

/* A cache of every earlier version: a reader says so, the writer brings it up to date and keeps what is in it. */
static void older_is_brought_up(void **state)
{
	(void)state;
	for (int version = 1; version < schema_version; version++) {
		struct fixture f;
		struct mt_error error = {0};
		struct reader *reader = NULL;
		char sql[192];
		sqlite3 *db;

		fixture_begin(&f);
		assert_int_equal(sqlite3_open(f.path, &db), SQLITE_OK);
		for (int step = 0; step < version; step++)
			assert_int_equal(
				sqlite3_exec(db, schema_sql[step], NULL, NULL, NULL), SQLITE_OK);
		snprintf(sql, sizeof(sql),
			"INSERT INTO provider(id, name, kind) VALUES(7,'kept','postfix'); PRAGMA "
			"user_version=%d; "
			"PRAGMA application_id=%d",
			version, SCHEMA_APPLICATION_ID);
		assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
		assert_int_equal(
			sqlite3_exec(db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL), SQLITE_OK);
		sqlite3_close(db);
		assert_int_equal(reader_open(f.path, &reader, &error), MT_ENOENT);
		assert_non_null(strstr(error.text, "older"));
		fill(&f);
		assert_int_equal(sql_int(&f, "PRAGMA user_version"), schema_version);
		assert_int_equal(sql_int(&f, "SELECT id FROM provider WHERE name='kept'"), 7);
		assert_int_equal(sql_int(&f, "SELECT count(*) FROM message"), 300);
		assert_int_equal(count_files(&f, ".corrupt-"), 0);
		fixture_end(&f);
	}
}

static void hostile_schema_is_moved_aside(void **state)
{
	struct fixture f;
	sqlite3 *db;

	(void)state;
	fixture_begin(&f);
	fill(&f);
	store_close(f.store);
	f.store = NULL;
	assert_int_equal(sqlite3_open(f.path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db,
			"CREATE TRIGGER t AFTER INSERT ON attempt BEGIN DELETE FROM bucket; END",
			NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	fixture_open(&f);
	assert_non_null(store_notice(f.store));
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM sqlite_schema WHERE type='trigger'"), 0);
	fixture_end(&f);
}

static void second_collector_is_refused(void **state)
{
	struct fixture f;
	struct mt_error error = {0};
	struct store *first;

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	first = f.store;
	assert_int_equal(try_open(&f, &error), MT_EBUSY);
	{
		char pid[32];

		snprintf(pid, sizeof(pid), "process %ld", (long)getpid());
		assert_non_null(strstr(error.text, pid));
	}
	f.store = first;
	fixture_end(&f);
}

#define SQLITE_SHARED_FIRST                                                                        \
	0x40000002 /* where SQLite locks a file in use (os.h, SHARED_FIRST, SHARED_SIZE) */
#define SQLITE_SHARED_BYTES 510

/* locked_by_us - asked by another process: does this one hold SQLite's lock on the file? */
static bool locked_by_us(const char *path)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		struct flock lock = {.l_type = F_WRLCK,
			.l_whence = SEEK_SET,
			.l_start = SQLITE_SHARED_FIRST,
			.l_len = SQLITE_SHARED_BYTES};
		int fd = open(path, O_RDWR | O_CLOEXEC);

		_exit(fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type == F_RDLCK ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status == 0;
}

static void place_of_a_collector_that_ended(void **state)
{
	struct store_options options = {0};
	struct mt_error error = {0};
	struct reader *reader = NULL;
	struct store *second = NULL;
	struct fixture f;

	(void)state;
	fixture_begin(&f);
	options = (struct store_options){.path = f.path, .clock = &f.clock};
	assert_int_equal(store_lock_left(f.path, &options.lock, &error), MT_ENOENT);
	fill(&f);
	assert_int_equal(store_lock_left(f.path, &options.lock, &error), MT_EBUSY);
	assert_int_equal(reader_open(f.path, &reader, &error), 0);
	store_close(f.store);
	f.store = NULL;
	assert_true(locked_by_us(f.path));

	assert_int_equal(store_lock_left(f.path, &options.lock, &error), 0);
	assert_int_equal(try_open(&f, &error), MT_EBUSY);
	f.store = NULL;
	assert_int_equal(store_open(&options, &second, &error), 0);
	assert_true(locked_by_us(f.path)); /* the reader's, too: nobody may take its WAL away */
	assert_int_equal(try_open(&f, &error), MT_EBUSY);
	store_close(second);
	reader_close(reader);
	assert_false(locked_by_us(f.path));
	f.store = NULL;
	fixture_open(&f);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM message"), 300);
	fixture_end(&f);
}

static void deleted_while_open_is_noticed(void **state)
{
	struct fixture f;
	struct mt_error error = {0};

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	unlink(f.path);
	put_client(&f, "A1", "203.0.113.5");
	assert_int_equal(store_commit(f.store, &error), MT_ENOENT);
	assert_non_null(strstr(error.text, "deleted"));
	fixture_end(&f);
}

/* A file size limit (SQLite calls it an I/O error): the commit fails whole, and the same batch goes in later. */
static void size_limit_keeps_the_batch(void **state)
{
	struct fixture f;
	struct mt_error error = {0};
	struct rlimit before, tight;
	struct sigaction ignore = {0};
	struct stat st;
	char *wal;
	int64_t rows;

	(void)state;
	fixture_begin(&f);
	fill(&f);
	rows = sql_int(&f, "SELECT count(*) FROM message");
	wal = xasprintf("%s-wal", f.path);
	assert_int_equal(stat(wal, &st), 0);
	ignore.sa_handler = SIG_IGN;
	sigemptyset(&ignore.sa_mask);
	assert_int_equal(sigaction(SIGXFSZ, &ignore, NULL), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	tight = before;
	tight.rlim_cur = (rlim_t)st.st_size + 100;
	for (int i = 0; i < 500; i++) {
		char qid[16];

		snprintf(qid, sizeof(qid), "B%d", i);
		put_client(&f, qid, "203.0.113.5");
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	assert_true(store_commit(f.store, &error) < 0);
	assert_true(error.code == MT_EFULL || error.code == MT_EIO);
	assert_true(store_commit(f.store, &error) < 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM message"), rows);
	assert_int_equal(store_batch_rows(f.store), 500);
	fixture_commit(&f);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM message"), rows + 500);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_RECEIVED), rows + 500);
	free(wal);
	fixture_end(&f);
}

static void full_disk_keeps_the_batch(void **state)
{
	struct fixture f;
	struct mt_error error = {0};
	char *ballast;
	int64_t rows;
	int fd, n = 0;

	(void)state;
	fixture_begin(&f);
	if (mount("mtatop-test", f.folder, "tmpfs", 0, "size=2m,mode=0700") < 0) {
		print_message("skipped: a small tmpfs can't be mounted here\n");
		fixture_end(&f);
		return; /* meson takes cmocka's skip() for a failure */
	}
	fill(&f);
	rows = sql_int(&f, "SELECT count(*) FROM message");
	for (n = 0; n < 500; n++) {
		char qid[16];

		snprintf(qid, sizeof(qid), "B%d", n);
		put_client(&f, qid, "203.0.113.5");
	}
	ballast = xasprintf("%s/ballast", f.folder);
	fd = open(ballast, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	for (char block[4096] = {0}; write(fd, block, sizeof(block)) > 0;)
		;
	assert_int_equal(store_commit(f.store, &error), MT_EFULL);
	assert_int_equal(store_commit(f.store, &error), MT_EFULL);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM message"), rows);
	assert_int_equal(store_batch_rows(f.store), 500);
	close(fd);
	unlink(ballast);
	fixture_commit(&f);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM message"), rows + 500);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_RECEIVED), rows + 500);
	free(ballast);
	store_close(f.store);
	f.store = NULL;
	assert_int_equal(umount2(f.folder, MNT_DETACH), 0);
	fixture_end(&f);
}

/* Killed between commits, again and again: what was committed is there, and nothing twice. */
static void killed_and_started_again(void **state)
{
	struct fixture f;

	(void)state;
	fixture_begin(&f);
	for (int round = 0; round < 10; round++) {
		pid_t child = fork();
		int status;

		assert_true(child >= 0);
		if (child == 0) {
			fixture_open(&f);
			put_client(&f, "A1", "203.0.113.5");
			fixture_commit(&f);
			put_client(&f, "A2", "203.0.113.5");
			kill(getpid(), SIGKILL);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		f.t_ms += 3600000;
	}
	fixture_open(&f);
	assert_null(store_notice(f.store));
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM message"), 10);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_RECEIVED), 10);
	fixture_end(&f);
}

static void read_only_names_the_fix(void **state)
{
	struct fixture f;
	int status;
	pid_t child;

	(void)state;
	fixture_begin(&f);
	fill(&f);
	store_close(f.store);
	f.store = NULL;
	chmod(f.path, 0400);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct mt_error error = {0};
		char *lock = xasprintf("%s.lock", f.path);

		if (chmod(f.folder, 0777) < 0 || chmod(lock, 0666) < 0)
			_exit(2);
		if (getuid() == 0 && setuid(65534) < 0)
			_exit(3);
		_exit(try_open(&f, &error) == MT_EPERM && strstr(error.text, "chmod") ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(private_files),
		cmocka_unit_test(damaged_is_moved_aside),
		cmocka_unit_test(random_damage),
		cmocka_unit_test(foreign_and_newer_are_refused),
		cmocka_unit_test(older_is_brought_up),
		cmocka_unit_test(hostile_schema_is_moved_aside),
		cmocka_unit_test(second_collector_is_refused),
		cmocka_unit_test(place_of_a_collector_that_ended),
		cmocka_unit_test(deleted_while_open_is_noticed),
		cmocka_unit_test(size_limit_keeps_the_batch),
		cmocka_unit_test(full_disk_keeps_the_batch),
		cmocka_unit_test(killed_and_started_again),
		cmocka_unit_test(read_only_names_the_fix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
