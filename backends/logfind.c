/* SPDX-License-Identifier: MIT */
/* logfind - see logfind.h. Reads in blocks, keeps nothing but what it gives out. */
#include "backends/logfind.h"

#include "backends/journal.h"
#include "backends/logfile.h"
#include "backends/logtail.h"
#include "backends/rotated.h"
#include "backends/series.h"
#include "store/base/buf.h"
#include "store/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BLOCK_BYTES (1u << 20)
#define LINE_MAX_BYTES (1u << 20)
#define FOLDER_KINDS_MAX 16

static bool holds_one(struct str line, const struct job_request *request)
{
	for (size_t i = 0; i < request->nids; i++)
		if (str_find(line, request->ids[i].qid) < line.n)
			return true;
	return false;
}

/* each_line - the lines of a file that hold one of the ids. */
static int each_line(struct logfile *f, const struct job_request *request, struct job_output *out,
	struct mt_error *reterr)
{
	struct buf b;
	int rc = 0;

	buf_init(&b, BLOCK_BYTES + LINE_MAX_BYTES);
	while (rc == 0) {
		char *at = buf_reserve(&b, BLOCK_BYTES);
		ssize_t n = at ? logfile_read(f, at, BLOCK_BYTES, reterr) : MT_ELIMIT;
		size_t nl;

		if (n <= 0) {
			rc = (int)n;
			break;
		}
		buf_grow(&b, (size_t)n);
		while (rc == 0 && (nl = str_find_char(buf_str(&b), '\n')) < b.n) {
			struct str line = str_first(buf_str(&b), nl);

			if (line.n && line.p[line.n - 1] == '\r')
				line.n--;
			if (holds_one(line, request))
				rc = out->add(out->ctx, line, f->at - (int64_t)b.n);
			buf_drop_front(&b, nl + 1);
		}
		if (b.n > LINE_MAX_BYTES)
			buf_clear(&b);
		if (out->canceled(out->ctx))
			rc = mt_error_set(reterr, MT_ECANCELED, "canceled");
	}
	buf_done(&b);
	return rc;
}

static const char *first_log(const struct instance_def *def)
{
	for (size_t i = 0; i < def->nlogs; i++) {
		struct stat st;

		if (stat(def->logs[i], &st) == 0)
			return def->logs[i];
	}
	return def->nlogs ? def->logs[0] : NULL;
}

static int find_in(const char *path, const struct job_request *request, struct job_output *out,
	struct mt_error *reterr)
{
	struct logfile f;
	int rc = logfile_open(&f, path, reterr);

	if (rc < 0)
		return rc;
	rc = each_line(&f, request, out, reterr);
	logfile_close(&f);
	return rc;
}

static int find(const struct instance_def *def, const char *path, const struct job_request *request,
	struct job_output *out, struct mt_error *reterr)
{
	struct rotated siblings = {NULL, 0};
	int rc = def->all_logs ? 0 : rotated_list(path, &siblings, reterr);

	for (size_t i = 0; rc == 0 && i < siblings.n; i++) {
		int one = siblings.files[i].mtime_ms < request->t0_ms
				  ? 0
				  : find_in(siblings.files[i].path, request, out, reterr);

		rc = one == MT_ECANCELED || one == MT_ELIMIT
			     ? one
			     : 0; /* a damaged sibling hides nothing else */
	}
	rotated_done(&siblings);
	for (size_t i = 0; rc == 0 && def->all_logs && i + 1 < def->nlogs; i++)
		rc = find_in(def->logs[i], request, out, reterr);
	return rc < 0 ? rc
		      : find_in(def->all_logs ? def->logs[def->nlogs - 1] : path, request, out,
				reterr);
}

struct in_folder { /* a walk over the logs in one of a provider's folders */
	char *folder; /* owned; whose kinds were seen */
	const struct job_request *request;
	struct job_output *out;
	struct mt_error *reterr;
	struct str done[FOLDER_KINDS_MAX]; /* kinds seen; owned */
	size_t ndone;
	char *followed; /* owned; JOB_LOG_TAIL: the last file of the kind with the shortest name, NULL none yet */
	size_t nfollowed;
};

/* begin_folder - the kinds seen are those of the one before. */
static void begin_folder(struct in_folder *w, const char *folder)
{
	while (w->ndone)
		free((char *)(uintptr_t)w->done[--w->ndone].p);
	free(w->folder);
	w->folder = folder ? xstrdup(folder) : NULL;
}

/* of_kind - JOB_LOG_FIND: look into the files of one kind; JOB_LOG_TAIL: is it the one to show? */
static int of_kind(void *ctx, const char *folder, struct str prefix)
{
	struct in_folder *w = ctx;
	char kind[SERIES_PREFIX_MAX_BYTES + 1];
	struct rotated files;
	int rc;

	if (!w->folder || strcmp(folder, w->folder) != 0)
		begin_folder(w, folder);
	for (size_t i = 0; i < w->ndone; i++)
		if (str_ieq(w->done[i], prefix))
			return 0;
	if (w->ndone == FOLDER_KINDS_MAX)
		return 0;
	memcpy(kind, prefix.p, prefix.n);
	kind[prefix.n] = '\0';
	w->done[w->ndone++] = str_of(xstrdup(kind));
	rc = series_list(folder, kind, &files, w->reterr);
	for (size_t i = 0; rc == 0 && i < files.n; i++) {
		struct rotated_file *f = &files.files[i];

		if (w->request->kind == JOB_LOG_FIND && f->mtime_ms >= w->request->t0_ms) {
			rc = find_in(f->path, w->request, w->out, w->reterr);
			rc = rc == MT_ECANCELED || rc == MT_ELIMIT ? rc : 0;
		} else if (w->request->kind != JOB_LOG_FIND && i + 1 == files.n &&
			   (!w->followed || prefix.n < w->nfollowed)) {
			free(w->followed);
			w->followed = xstrdup(f->path);
			w->nfollowed = prefix.n;
		}
	}
	rotated_done(&files);
	return rc;
}

static int in_folders(const struct instance_def *def, const struct job_request *request,
	struct job_output *out, struct mt_error *reterr)
{
	struct in_folder w = {.request = request, .out = out, .reterr = reterr};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < def->nlogs && !w.followed; i++) {
		rc = series_each(def->logs[i], of_kind, &w, reterr);
		if (rc < 0 && rc != MT_ECANCELED && rc != MT_ELIMIT && i + 1 < def->nlogs)
			rc = 0; /* a folder that can't be read hides no other */
	}
	begin_folder(&w, NULL);
	if (rc == 0 && w.followed)
		rc = logtail_run(w.followed, false, request, out, reterr);
	snprintf(out->summary, sizeof(out->summary), "%.150s",
		w.followed   ? w.followed
		: def->nlogs ? def->logs[0]
			     : "");
	free(w.followed);
	return rc == MT_ELIMIT ? 0 : rc;
}

int logfind_run(const struct backend_ops *family, const struct instance_def *def,
	const struct job_request *request, struct job_output *out, struct mt_error *reterr)
{
	const char *path = first_log(def);
	int rc;

	(void)family;
	if (def->folders)
		return in_folders(def, request, out, reterr);
	if (journal_wanted(def))
		return journal_find(def, request, out, reterr);
	if (!path)
		return mt_error_set(reterr, MT_ENOENT, "this provider has no log file");
	if (request->kind == JOB_LOG_TAIL)
		rc = logtail_run(path, !def->all_logs, request, out, reterr);
	else
		rc = find(def, path, request, out, reterr);
	if (rc == MT_ENOENT && def->journal && !journal_built_in())
		return journal_find(def, request, out, reterr); /* says why that can't be read */
	snprintf(out->summary, sizeof(out->summary), "%.150s", path);
	return rc == MT_ELIMIT ? 0 : rc;
}
