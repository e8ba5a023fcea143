/* SPDX-License-Identifier: MIT */
/*
 * sendmail/locks - which files are locked, by the kernel's own list: to ask by a lock of ours could make Sendmail pass over
 * the message.
 *
 * Source: proc(5), /proc/locks. fcntl(2) locks and flock(2)s alike; Sendmail is built for the one or the other.
 */
#ifndef MT_BACKENDS_SENDMAIL_LOCKS_H
#define MT_BACKENDS_SENDMAIL_LOCKS_H

#include "store/base/str.h"

#include <stdint.h>

struct sendmail_lock {
	uint32_t major, minor;
	uint64_t inode;
};

struct sendmail_locks {
	struct sendmail_lock *all; /* by inode; owned */
	size_t n;
};

/* sendmail_locks_parse - the text of /proc/locks. End with sendmail_locks_done. */
void sendmail_locks_parse(struct sendmail_locks *l, struct str text);
/* sendmail_locks_read - that of this machine. False: it can't be read. */
bool sendmail_locks_read(struct sendmail_locks *l);
/* sendmail_locks_has - is a file of this device and inode locked? Devices without a number of their own (btrfs, overlay),
 * which the list and stat(2) name otherwise, are told by the inode alone. */
bool sendmail_locks_has(const struct sendmail_locks *l, uint64_t dev, uint64_t inode);
void sendmail_locks_done(struct sendmail_locks *l);

#endif
