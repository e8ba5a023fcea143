/* SPDX-License-Identifier: MIT */
/*
 * exim/spool - the messages in an Exim spool, by its files: input/ID-H, -D, -J and msglog/ID; split or not.
 *
 * Reads, never writes, takes no lock (it asks whether -D is locked: then a delivery is under way). Queues by name
 * (SPOOL/NAME/input) are not looked at. Source: The Exim Specification, chapter 57.
 */
#ifndef MT_BACKENDS_EXIM_SPOOL_H
#define MT_BACKENDS_EXIM_SPOOL_H

#include "backends/exim/header.h"
#include "backends/exim/retry.h"
#include "store/base/timefmt.h"

#include <dirent.h>

#define EXIM_SPOOL_DEPTH 2 /* input and a folder of one letter */

struct exim_spool {
	int fd; /* of the spool; -1 */
	DIR *open[EXIM_SPOOL_DEPTH];
	int depth;
	char letter; /* of the folder being read; 0: input itself */
	struct buf header, journal, log;
	struct exim_header h;
	struct timefmt stamps;
	struct str *keys; /* of h.left: the address as the log has it, host, ip; owned */
	size_t keys_cap;
	const struct exim_retry *retry; /* may be NULL; borrowed */
	int64_t frozen_timeout_ms; /* timeout_frozen_after; 0: none; EVENT_UNKNOWN */
};

enum exim_spool_found { EXIM_SPOOL_END, EXIM_SPOOL_ROW, EXIM_SPOOL_BAD, EXIM_SPOOL_NONE };

/* exim_spool_open - to walk over it. MT_EPERM, MT_ENOENT, MT_EIO. End with exim_spool_close, also after a failure. */
int exim_spool_open(
	struct exim_spool *s, const char *folder, struct mt_error *reterr) MT_MUST_CHECK;
/*
 * exim_spool_next - the next entry: END, ROW (*ret, valid until the next call), BAD (a header that is none), NONE (not a
 * message's header, or gone meanwhile).
 */
enum exim_spool_found exim_spool_next(struct exim_spool *s, struct queue_row *ret);
/* exim_spool_find - the one of this id: ROW, BAD, NONE. */
enum exim_spool_found exim_spool_find(struct exim_spool *s, struct str id, struct queue_row *ret);
void exim_spool_close(struct exim_spool *s);

#endif
