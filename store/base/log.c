/* SPDX-License-Identifier: MIT */
/*
 * log - one line of diagnostics per write(2), so that threads and processes never mix within a line.
 *
 * The target is the one mutable state of this file, under one mutex. A line that can't be written is
 * lost: there is nowhere to complain.
 */
#include "store/base/log.h"

#include "store/base/clock.h"
#include "store/base/timefmt.h"
#include "store/base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_TEXT_MAX_BYTES 4096 /* of one message before it is made safe */
#define LOG_LINE_MAX_BYTES 45056 /* the same with every byte escaped */
#define LOG_REPEAT_MAX 64 /* a lasting fault is told every so many times */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	int fd; /* 0 = nowhere */
	bool owned;
	enum log_level least;
} sink;

static int open_file(const char *path, struct mt_error *reterr)
{
	int fd = open(path,
		O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
		0600);
	struct stat st;

	if (fd < 0)
		return mt_error_sys(reterr, errno, "can't open the log %s", path);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	return mt_error_set(reterr, MT_EINVAL, "the log %s is not a regular file", path);
}

static void replace_sink(int fd, bool owned, enum log_level least)
{
	pthread_mutex_lock(&lock);
	if (sink.owned)
		close(sink.fd);
	sink.fd = fd;
	sink.owned = owned;
	sink.least = least;
	pthread_mutex_unlock(&lock);
}

int log_open(
	enum log_target target, const char *path, enum log_level least, struct mt_error *reterr)
{
	int fd = 0;

	if (target == LOG_TARGET_STDERR)
		fd = STDERR_FILENO;
	else if (target == LOG_TARGET_FILE)
		fd = open_file(path, reterr);
	if (fd < 0)
		return fd;
	replace_sink(fd, target == LOG_TARGET_FILE, least);
	return 0;
}

void log_close(void)
{
	replace_sink(0, false, LOG_LEVEL_DEBUG);
}

static void put_line(enum log_level level, const char *text, size_t nbytes)
{
	static const char *const names[] = {"debug", "info", "warning", "error"};
	struct clock clock = clock_real();
	struct buf line;
	ssize_t n;

	buf_init(&line, LOG_LINE_MAX_BYTES);
	timefmt_rfc3339(&line, clock_utc_ms(&clock));
	buf_printf(&line, " mtatop[%ld] %s: ", (long)getpid(), names[level]);
	utf8_show_text(&line, str_make(text, nbytes), false);
	buf_add_char(&line, '\n');
	do
		n = write(sink.fd, line.p, line.n);
	while (n < 0 && errno == EINTR);
	buf_done(&line);
}

static void write_args(enum log_level level, const char *fmt, va_list ap, unsigned times)
	MT_PRINTF(2, 0);

static void write_args(enum log_level level, const char *fmt, va_list ap, unsigned times)
{
	int saved_errno = errno;
	char text
		[LOG_TEXT_MAX_BYTES]; /* longer messages are cut: ours are short, quoted data may be not */
	int n;

	pthread_mutex_lock(&lock);
	if (sink.fd > 0 && level >= sink.least) {
		n = vsnprintf(text, sizeof(text), fmt, ap);
		if (n < 0)
			n = 0;
		else if ((size_t)n >= sizeof(text))
			n = (int)sizeof(text) - 1;
		if (times > 1)
			n += snprintf(text + n, sizeof(text) - (size_t)n, " (%u times)", times);
		if ((size_t)n >= sizeof(text))
			n = (int)sizeof(text) - 1;
		put_line(level, text, (size_t)n);
	}
	pthread_mutex_unlock(&lock);
	errno = saved_errno;
}

void log_write(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_args(level, fmt, ap, 0);
	va_end(ap);
}

void log_repeated(struct log_repeat *r, const char *fmt, ...)
{
	va_list ap;

	if (r->count++ == 0)
		r->next = 1;
	if (r->count != r->next)
		return;
	r->next += r->next < LOG_REPEAT_MAX ? r->next : LOG_REPEAT_MAX;
	va_start(ap, fmt);
	write_args(LOG_LEVEL_WARNING, fmt, ap, r->count);
	va_end(ap);
}

void log_recovered(struct log_repeat *r, const char *fmt, ...)
{
	va_list ap;

	if (r->count == 0)
		return;
	va_start(ap, fmt);
	write_args(LOG_LEVEL_INFO, fmt, ap, r->count);
	va_end(ap);
	*r = (struct log_repeat){0};
}
