/* SPDX-License-Identifier: MIT */
/* sendmail/folders - see folders.h. */
#include "backends/sendmail/folders.h"

#include "backends/sendmail/file.h"
#include "backends/sendmail/parse.h"
#include "store/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define QFILE_MAX_BYTES (8u << 20)
#define FOLDERS_MAX 4096
#define NAME_MAX_BYTES 64 /* "../df/df" and an id */
#define ID_MAX_BYTES 40
#define KIND_BYTES 2 /* "qf" */

void sendmail_folders_init(struct sendmail_folders *f)
{
	*f = (struct sendmail_folders){.run_interval_ms = EVENT_UNKNOWN};
	buf_init(&f->text, QFILE_MAX_BYTES);
}

void sendmail_folders_done(struct sendmail_folders *f)
{
	if (f->open)
		closedir(f->open);
	for (size_t i = 0; i < f->n; i++)
		free(f->all[i].path);
	free(f->all);
	buf_done(&f->text);
	sendmail_locks_done(&f->locks);
	sendmail_qfile_done(&f->q);
	*f = (struct sendmail_folders){.n = 0};
}

static int fail(const char *path, struct mt_error *reterr)
{
	int err = errno;

	return mt_error_set(reterr,
		err == ENOENT                   ? MT_ENOENT
		: err == EACCES || err == EPERM ? MT_EPERM
						: MT_EIO,
		"can't read %.150s", path);
}

/* Can it be listed, and a file in it be opened? */
static int add(
	struct sendmail_folders *f, const char *path, bool submission, struct mt_error *reterr)
{
	if (access(path, R_OK | X_OK) < 0)
		return fail(path, reterr);
	if (f->n >= FOLDERS_MAX)
		return mt_error_set(reterr, MT_ELIMIT, "more than %d queue folders", FOLDERS_MAX);
	f->all = xrealloc(f->all, (f->n + 1) * sizeof(f->all[0]));
	f->all[f->n++] = (struct sendmail_folder){xstrdup(path), submission};
	return 0;
}

/* "/var/spool/mqueue/q*": each folder of /var/spool/mqueue whose name begins with q. */
static int add_matching(
	struct sendmail_folders *f, const char *pattern, bool submission, struct mt_error *reterr)
{
	const char *slash = strrchr(pattern, '/');
	struct str prefix = str_first(str_of(slash + 1), strlen(slash + 1) - 1);
	char *parent = xasprintf("%.*s", (int)(slash - pattern), pattern);
	DIR *dir = opendir(parent[0] ? parent : "/");
	const struct dirent *entry;
	int rc = dir ? 0 : fail(parent, reterr);

	while (rc == 0 && (entry = readdir(dir))) {
		char *path;
		struct stat st;

		if (entry->d_name[0] == '.' || !str_starts(str_of(entry->d_name), prefix))
			continue;
		path = xasprintf("%s/%s", parent, entry->d_name);
		if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
			rc = add(f, path, submission, reterr);
		free(path);
	}
	if (dir)
		closedir(dir);
	free(parent);
	return rc;
}

int sendmail_folders_add(struct sendmail_folders *f, const struct sendmail_config *config,
	bool submission, struct mt_error *reterr)
{
	const size_t before = f->n;
	int rc = 0;

	for (size_t i = 0; i < config->nqueues && rc == 0; i++) {
		const char *path = config->queue[i];

		rc = path[strlen(path) - 1] == '*' ? add_matching(f, path, submission, reterr)
						   : add(f, path, submission, reterr);
	}
	while (rc < 0 && f->n > before)
		free(f->all[--f->n].path);
	return rc;
}

static bool open_next(struct sendmail_folders *f)
{
	char *below;

	if (f->at >= f->n)
		return false;
	below = xasprintf("%s/qf", f->all[f->at].path);
	f->open = opendir(below);
	f->apart = f->open != NULL;
	if (!f->open)
		f->open = opendir(f->all[f->at].path);
	free(below);
	if (!f->open)
		f->at++; /* gone meanwhile */
	return true;
}

static void close_this(struct sendmail_folders *f)
{
	closedir(f->open);
	f->open = NULL;
	f->at++;
}

/* Sendmail locks the control file of a message it works at. */
static bool locked(const struct sendmail_folders *f, const char *name)
{
	struct stat st;

	return fstatat(dirfd(f->open), name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       sendmail_locks_has(&f->locks, st.st_dev, st.st_ino);
}

/* The body's bytes, which is what mailq shows. */
static int64_t body_bytes(const struct sendmail_folders *f, struct str id)
{
	char name[NAME_MAX_BYTES];
	struct stat st;

	(void)snprintf(name, sizeof(name), "%sdf%.*s", f->apart ? "../df/" : "", STR_ARG(id));
	if (fstatat(dirfd(f->open), name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return EVENT_UNKNOWN;
	return st.st_size;
}

/* A queue run tries all that waits: the next one is an interval after the last. One that is overdue is not known. */
static int64_t next_try(const struct sendmail_folders *f)
{
	int64_t wait_ms = f->run_interval_ms, next_ms;

	if (wait_ms <= 0 || f->q.tried_ms < 0)
		return EVENT_UNKNOWN;
	wait_ms = f->config->min_age_ms > wait_ms ? f->config->min_age_ms : wait_ms;
	next_ms = f->q.tried_ms + wait_ms;
	return next_ms > f->now_ms ? next_ms : EVENT_UNKNOWN;
}

static void fill(
	struct sendmail_folders *f, struct str id, bool held, bool busy, struct queue_row *row)
{
	const struct sendmail_qfile *q = &f->q;
	int64_t lifetime_ms = q->sender.n ? f->config->return_ms : f->config->bounce_return_ms;

	held |= str_present(q->quarantine);
	for (size_t i = 0; held && q->quarantine.n && i < q->rcpts.n; i++)
		if (!q->rcpts.reason[i].n)
			q->rcpts.reason[i] = q->quarantine;
	*row = (struct queue_row){.qid = id,
		.sender = q->sender,
		.arrival_ms = q->arrival_ms,
		.queue = f->all[f->at].submission ? QUEUE_MAILDROP
			 : busy                   ? QUEUE_ACTIVE
			 : held                   ? QUEUE_HOLD
			 : q->tried_ms < 0        ? QUEUE_INCOMING
						  : QUEUE_DEFERRED,
		.size_bytes = body_bytes(f, id),
		.next_retry_ms = EVENT_UNKNOWN,
		.expires_ms = EVENT_UNKNOWN,
		.nrcpt = q->rcpts.n,
		.rcpt = q->rcpts.addr,
		.reason = q->rcpts.reason};
	if (row->queue == QUEUE_DEFERRED)
		row->next_retry_ms = next_try(f);
	if (row->queue != QUEUE_HOLD && row->queue != QUEUE_MAILDROP && lifetime_ms > 0)
		row->expires_ms = q->arrival_ms + lifetime_ms;
}

static enum sendmail_found read_message(
	struct sendmail_folders *f, const char *name, struct queue_row *ret)
{
	struct str id = str_skip(str_of(name), KIND_BYTES);
	bool busy = locked(f, name);
	int rc = sendmail_file_read(dirfd(f->open), name, &f->text, NULL);

	if (rc == MT_ENOENT)
		return SENDMAIL_NONE;
	if (rc < 0 || sendmail_qfile_parse(buf_str(&f->text), &f->q) < 0)
		return busy ? SENDMAIL_NONE : SENDMAIL_BAD;
	fill(f, id, name[0] == 'h', busy, ret);
	return SENDMAIL_ROW;
}

enum sendmail_found sendmail_folders_next(struct sendmail_folders *f, struct queue_row *ret)
{
	const struct dirent *entry;
	struct str name;
	char kind;

	if (!f->open && !open_next(f))
		return SENDMAIL_END;
	if (!f->open)
		return SENDMAIL_NONE;
	entry = readdir(f->open);
	if (!entry) {
		close_this(f);
		return SENDMAIL_NONE;
	}
	name = str_of(entry->d_name);
	kind = name.n > KIND_BYTES && name.p[1] == 'f' ? name.p[0] : 0;
	if ((kind != 'q' && kind != 'h' && kind != 'Q') || name.n > ID_MAX_BYTES)
		return SENDMAIL_NONE;
	return kind == 'Q' ? SENDMAIL_BAD : read_message(f, entry->d_name, ret);
}
