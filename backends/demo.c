/* SPDX-License-Identifier: MIT */
/*
 * demo - the scratch folder and the writer thread of the made-up server; the traffic is demo_model.c's.
 *
 * Invariant: everything is inside the one folder made here, and demo_stop removes it. What a killed demo left is
 * known by its log that nobody holds locked, and removed by the next one.
 */
#include "backends/demo.h"
#include "store/base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HISTORY_MS 3600000 /* an hour: the default window is full from the start */
#define TICK_MS 250 /* several writes a second, so that the board is seen to move */
#define NAME_START "mtatop-demo-"
#define LOG_NAME "mail.log"
#define STALE_S 60 /* a live demo writes its log several times a second */
#define WRITE_MAX_BYTES (8u << 20) /* an hour of lines is about 2 MiB */

struct demo {
	char *folder, *log, *cache; /* owned */
	struct demo_model *model; /* owned */
	int fd;
	bool live;
	int64_t written_ms;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop;
	sigset_t old_mask;
};

static int64_t utc_ms_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int write_all(int fd, struct str bytes)
{
	while (bytes.n) {
		ssize_t n = write(fd, bytes.p, bytes.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return MT_EIO;
		bytes = str_skip(bytes, (size_t)n);
	}
	return 0;
}

static int write_until(struct demo *d, int64_t until_utc_ms)
{
	struct buf b;
	int rc;

	buf_init(&b, WRITE_MAX_BYTES);
	rc = demo_model_until(d->model, until_utc_ms, &b);
	if (rc == 0)
		rc = write_all(d->fd, buf_str(&b));
	buf_done(&b);
	return rc;
}

static struct timespec tick_from_now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_REALTIME, &at);
	at.tv_nsec += TICK_MS * 1000000L;
	at.tv_sec += at.tv_nsec / 1000000000L;
	at.tv_nsec %= 1000000000L;
	return at;
}

static void *writer(void *ctx)
{
	struct demo *d = ctx;

	pthread_mutex_lock(&d->lock);
	while (!d->stop) {
		struct timespec at = tick_from_now();

		pthread_cond_timedwait(&d->wake, &d->lock, &at);
		if (d->stop || write_until(d, utc_ms_now()) < 0)
			break;
	}
	pthread_mutex_unlock(&d->lock);
	return NULL;
}

/* Removes the folder with all in it; at may be AT_FDCWD. */
static void remove_folder(int at, const char *folder)
{
	int fd = openat(at, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			unlinkat(fd, entry->d_name, 0);
	closedir(dir);
	unlinkat(at, folder, AT_REMOVEDIR);
}

/* A folder of ours, its log long not written and locked by nobody: its demo was killed. */
static bool is_left_behind(int base, const char *name)
{
	int folder = openat(base, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int log = folder < 0 ? -1
			     : openat(folder, LOG_NAME,
				       O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat of_folder, of_log;
	bool left = log >= 0 && fstat(folder, &of_folder) == 0 && fstat(log, &of_log) == 0 &&
		    of_folder.st_uid == geteuid() && S_ISREG(of_log.st_mode) &&
		    of_log.st_mtime < time(NULL) - STALE_S && flock(log, LOCK_EX | LOCK_NB) == 0;

	if (log >= 0)
		close(log);
	if (folder >= 0)
		close(folder);
	return left;
}

static void remove_left_behind(const char *base)
{
	DIR *dir = opendir(base);
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir)) != NULL)
		if (str_starts(str_of(entry->d_name), STR_LIT(NAME_START)) &&
			is_left_behind(dirfd(dir), entry->d_name))
			remove_folder(dirfd(dir), entry->d_name);
	closedir(dir);
}

static int make_folder(struct demo *d, struct mt_error *reterr)
{
	const char *base = getenv("TMPDIR");

	base = base && base[0] == '/' ? base : "/tmp";
	remove_left_behind(base);
	d->folder = xasprintf("%s/" NAME_START "XXXXXX", base);
	if (!mkdtemp(d->folder)) {
		free(d->folder);
		d->folder = NULL;
		return mt_error_sys(reterr, errno, "can't make a scratch folder for the demo");
	}
	d->log = xasprintf("%s/" LOG_NAME, d->folder);
	d->cache = xasprintf("%s/cache.db", d->folder);
	d->fd = open(d->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (d->fd < 0)
		return mt_error_sys(reterr, errno, "can't write %s", d->log);
	(void)flock(
		d->fd, LOCK_EX | LOCK_NB); /* where locks fail, its age tells that it is alive */
	return 0;
}

/* What ends the program waits until the folder is gone; the screen's loop lets them through to its handlers. */
static void hold_signals(sigset_t *ret_old)
{
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGHUP);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGQUIT);
	sigaddset(&ends, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &ends, ret_old);
}

int demo_start(int64_t now_utc_ms, bool live, struct demo **ret, struct mt_error *reterr)
{
	struct demo *d = xcalloc(1, sizeof(*d));
	int rc;

	hold_signals(&d->old_mask);
	d->fd = -1;
	d->model = demo_model_new(now_utc_ms - HISTORY_MS);
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->wake, NULL);
	rc = make_folder(d, reterr);
	if (rc == 0 && write_until(d, now_utc_ms) < 0)
		rc = mt_error_set(reterr, MT_EIO, "can't write the demo's log %s", d->log);
	if (rc == 0 && live && pthread_create(&d->thread, NULL, writer, d) != 0)
		rc = mt_error_set(reterr, MT_EIO, "can't start the demo's thread");
	if (rc < 0) {
		demo_stop(d);
		return rc;
	}
	d->live = live;
	*ret = d;
	return 0;
}

const char *demo_log(const struct demo *d)
{
	return d->log;
}

const char *demo_cache(const struct demo *d)
{
	return d->cache;
}

void demo_stop(struct demo *d)
{
	sigset_t old_mask;

	if (!d)
		return;
	if (d->live) {
		pthread_mutex_lock(&d->lock);
		d->stop = true;
		pthread_cond_signal(&d->wake);
		pthread_mutex_unlock(&d->lock);
		pthread_join(d->thread, NULL);
	}
	if (d->fd >= 0)
		close(d->fd);
	if (d->folder)
		remove_folder(AT_FDCWD, d->folder);
	pthread_cond_destroy(&d->wake);
	pthread_mutex_destroy(&d->lock);
	demo_model_free(d->model);
	free(d->folder);
	free(d->log);
	free(d->cache);
	old_mask = d->old_mask;
	free(d);
	pthread_sigmask(SIG_SETMASK, &old_mask, NULL);
}
