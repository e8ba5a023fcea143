/* SPDX-License-Identifier: MIT */
/*
 * sendmail/folders - the messages in Sendmail's queue folders, by their control files: qf, hf (quarantined), Qf (lost).
 *
 * Reads, never writes, takes no lock. A control file that is locked is of a message being worked at.
 */
#ifndef MT_BACKENDS_SENDMAIL_FOLDERS_H
#define MT_BACKENDS_SENDMAIL_FOLDERS_H

#include "backends/sendmail/config.h"
#include "backends/sendmail/locks.h"
#include "backends/sendmail/qfile.h"

#include <dirent.h>

struct sendmail_folder {
	char *path;
	bool submission; /* of submit.cf */
};

struct sendmail_folders {
	struct sendmail_folder *all; /* owned */
	size_t n, at;
	DIR *open; /* all[at] */
	bool apart; /* control files in qf/, bodies in df/ */
	struct buf text;
	struct sendmail_qfile q;
	const struct sendmail_config *config; /* of the server; borrowed */
	struct sendmail_locks locks; /* of the machine, when the walk began; filled by the caller */
	int64_t run_interval_ms; /* EVENT_UNKNOWN */
	int64_t now_ms;
};

enum sendmail_found { SENDMAIL_END, SENDMAIL_ROW, SENDMAIL_BAD, SENDMAIL_NONE };

/* sendmail_folders_init - none yet. End with sendmail_folders_done. */
void sendmail_folders_init(struct sendmail_folders *f);
void sendmail_folders_done(struct sendmail_folders *f);
/*
 * sendmail_folders_add - the queue folders of a configuration, those with a '*' looked up.
 * Returns 0; MT_EPERM, MT_ENOENT, MT_EIO when one of them can't be read, and then none of them is added.
 */
int sendmail_folders_add(struct sendmail_folders *f, const struct sendmail_config *config,
	bool submission, struct mt_error *reterr) MT_MUST_CHECK;
/* sendmail_folders_next - the next entry: END, ROW (*ret, valid until the next call), BAD (a file that is none, or lost),
 * NONE (not a control file, or gone meanwhile). */
enum sendmail_found sendmail_folders_next(struct sendmail_folders *f, struct queue_row *ret);

#endif
