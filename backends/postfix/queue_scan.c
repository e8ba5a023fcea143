/* SPDX-License-Identifier: MIT */
/* postfix/queue_scan - counting by readdir; see queue_scan.h. */
#include "backends/postfix/queue_scan.h"

#include "backends/postfix/queue_row.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEP_NAMES 20000 /* about 6 ms */

void queue_scan_begin(struct queue_scan *s, const char *queue_directory)
{
	*s = (struct queue_scan){.queue = 0};
	s->spool_fd = open(queue_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->spool_fd < 0) {
		for (int i = 0; i < QUEUE__COUNT; i++)
			s->n[i] = EVENT_UNKNOWN;
		s->queue = QUEUE__COUNT;
	}
}

static void close_top(struct queue_scan *s)
{
	closedir(s->open[--s->depth]);
}

static void next_queue(struct queue_scan *s)
{
	while (s->depth > 0)
		close_top(s);
	s->queue++;
}

static void forget_queue(struct queue_scan *s)
{
	s->n[s->queue] = EVENT_UNKNOWN;
	next_queue(s);
}

/* Open a folder on top of the stack. One that went away meanwhile is empty; one that can't be read makes
 * the whole queue unknown. */
static void open_folder(struct queue_scan *s, int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), err = errno;
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (dir) {
		s->open[s->depth++] = dir;
	} else if (fd >= 0) {
		close(fd);
		forget_queue(s);
	} else if (err != ENOENT) {
		forget_queue(s);
	} else if (s->depth == 0) {
		next_queue(s);
	}
}

static bool is_folder(DIR *parent, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(dirfd(parent), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(st.st_mode);
}

static bool is_hash_name(const char *name)
{
	return name[0] && name[0] != '.' && name[1] == '\0';
}

static void take_entry(struct queue_scan *s, DIR *dir, const struct dirent *entry)
{
	if (is_hash_name(entry->d_name)) {
		if (s->depth < QUEUE_SCAN_DEPTH_MAX && is_folder(dir, entry))
			open_folder(s, dirfd(dir), entry->d_name);
	} else if (queue_id_ok(str_of(entry->d_name))) {
		s->n[s->queue]++;
	}
}

static void read_name(struct queue_scan *s)
{
	DIR *dir = s->open[s->depth - 1];
	const struct dirent *entry;

	errno = 0;
	entry = readdir(dir);
	if (entry)
		take_entry(s, dir, entry);
	else if (errno != 0 && errno != ENOENT)
		forget_queue(s);
	else if (s->depth == 1)
		next_queue(s);
	else
		close_top(s);
}

bool queue_scan_step(struct queue_scan *s)
{
	for (int i = 0; i < STEP_NAMES && s->queue < QUEUE__COUNT; i++) {
		if (s->depth == 0)
			open_folder(s, s->spool_fd, queue_name_text((enum queue_name)s->queue));
		else
			read_name(s);
	}
	return s->queue < QUEUE__COUNT;
}

bool queue_scan_complete(const struct queue_scan *s)
{
	return s->queue == QUEUE__COUNT && s->n[QUEUE_INCOMING] >= 0 && s->n[QUEUE_ACTIVE] >= 0 &&
	       s->n[QUEUE_DEFERRED] >= 0 && s->n[QUEUE_HOLD] >= 0;
}

void queue_scan_done(struct queue_scan *s)
{
	while (s->depth > 0)
		close_top(s);
	if (s->spool_fd > 0)
		close(s->spool_fd);
	s->spool_fd = -1;
}
