/* SPDX-License-Identifier: MIT */
/*
 * postfix/queue_scan - how deep each queue is, by reading the folders of the spool.
 *
 * Names only: no file is opened or even looked at, so 100,000 messages take some 30 ms, in slices.
 * Counts what has the shape of a queue id, in the queue's folder and its one-letter hash folders.
 */
#ifndef MT_BACKENDS_POSTFIX_QUEUE_SCAN_H
#define MT_BACKENDS_POSTFIX_QUEUE_SCAN_H

#include "store/store_write.h"

#include <dirent.h>
#include <stdbool.h>

#define QUEUE_SCAN_DEPTH_MAX                                                                       \
	6 /* hash_queue_depth is at most 5 digits in practice, and the queue's own folder */

struct queue_scan {
	int spool_fd;
	int queue; /* enum queue_name being read; QUEUE__COUNT when done */
	DIR *open[QUEUE_SCAN_DEPTH_MAX];
	int depth; /* folders open */
	int64_t n[QUEUE__COUNT]; /* EVENT_UNKNOWN where a folder can't be read */
};

/* queue_scan_begin - start over; end with queue_scan_done. */
void queue_scan_begin(struct queue_scan *s, const char *queue_directory);
/* queue_scan_step - a slice of at most 20,000 names. True while there is more. */
bool queue_scan_step(struct queue_scan *s);
/* queue_scan_complete - all queues could be read, maildrop and corrupt perhaps not. */
bool queue_scan_complete(const struct queue_scan *s);
/* queue_scan_done - close what is open; the counts stay. */
void queue_scan_done(struct queue_scan *s);

#endif
