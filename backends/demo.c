/* SPDX-License-Identifier: MIT */
/*
 * demo - the scratch folder and the writer thread of the made-up server; the traffic is demo_model.c's.
 *
 * Invariant: everything is inside the one folder made here, and demo_stop removes it.
 */
#include "backends/demo.h"
#include "store/base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define HISTORY_MS 3600000 /* an hour: the default window is full from the start */
#define TICK_MS 250 /* several writes a second, so that the board is seen to move */
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

static int make_folder(struct demo *d, struct mt_error *reterr)
{
	const char *base = getenv("TMPDIR");

	d->folder = xasprintf("%s/mtatop-demo-XXXXXX", base && base[0] == '/' ? base : "/tmp");
	if (!mkdtemp(d->folder)) {
		free(d->folder);
		d->folder = NULL;
		return mt_error_sys(reterr, errno, "can't make a scratch folder for the demo");
	}
	d->log = xasprintf("%s/mail.log", d->folder);
	d->cache = xasprintf("%s/cache.db", d->folder);
	d->fd = open(d->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (d->fd < 0)
		return mt_error_sys(reterr, errno, "can't write %s", d->log);
	return 0;
}

int demo_start(int64_t now_utc_ms, bool live, struct demo **ret, struct mt_error *reterr)
{
	struct demo *d = xcalloc(1, sizeof(*d));
	int rc;

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

static void remove_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	rmdir(folder);
}

void demo_stop(struct demo *d)
{
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
		remove_folder(d->folder);
	pthread_cond_destroy(&d->wake);
	pthread_mutex_destroy(&d->lock);
	demo_model_free(d->model);
	free(d->folder);
	free(d->log);
	free(d->cache);
	free(d);
}
