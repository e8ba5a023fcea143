/* SPDX-License-Identifier: MIT */
/* journal_find - what a person asks of the journal beside following it: can it be read, its last lines, those of some ids. */
#include "backends/journal.h"
#include "backends/journal_read.h"

#include <stdio.h>

#define LINE_MAX_BYTES (2u << 20)
#define LINES_DEFAULT 500
#define US_PER_MS 1000
#define OFFSETS_PER_US 1024 /* entries of one microsecond count up from it */

struct walk { /* through the journal, oldest entry first */
	sd_journal *j; /* owned */
	struct buf line;
	int64_t offset; /* of the entry: its time, made to grow; the same whenever a walk begins before its microsecond */
};

int journal_check(const struct instance_def *def, bool *ret_entries, struct mt_error *reterr)
{
	sd_journal *j = NULL;
	uint64_t bytes = 0;
	int rc = journal_open(def, &j, reterr);

	if (rc < 0)
		return rc;
	/* Files that may not be read are passed over in silence: then there are none. */
	if (sd_journal_get_usage(j, &bytes) < 0 || bytes == 0)
		rc = mt_error_set(reterr, MT_EPERM,
			"no file of the systemd journal can be read (group systemd-journal or "
			"adm)");
	else if ((rc = sd_journal_seek_head(j)) < 0 || (rc = sd_journal_next(j)) < 0)
		rc = journal_failed(rc, "can't read it", reterr);
	if (rc >= 0)
		*ret_entries = rc > 0;
	sd_journal_close(j);
	return rc < 0 ? rc : 0;
}

static bool holds_one(struct str line, const struct job_request *request)
{
	for (size_t i = 0; i < request->nids; i++)
		if (str_find(line, request->ids[i].qid) < line.n)
			return true;
	return false;
}

/* seek - before the first entry of interest. Of a tail that is want entries before its end. */
static int seek(sd_journal *j, const struct job_request *request)
{
	size_t want = request->max_lines ? request->max_lines : LINES_DEFAULT;
	int rc;

	if (request->kind != JOB_LOG_TAIL)
		return request->t0_ms > 0 ? sd_journal_seek_realtime_usec(
						    j, (uint64_t)request->t0_ms * US_PER_MS)
					  : sd_journal_seek_head(j);
	if (request->last_offset > 0 && !request->t1_ms)
		return sd_journal_seek_realtime_usec(
			j, (uint64_t)request->last_offset / OFFSETS_PER_US);
	rc = request->t1_ms > 0
		     ? sd_journal_seek_realtime_usec(j, ((uint64_t)request->t1_ms + 1) * US_PER_MS)
		     : sd_journal_seek_tail(j);
	if (rc >= 0)
		rc = sd_journal_previous_skip(j, want + 1);
	if (rc >= 0 && (size_t)rc <= want) /* fewer: from the first */
		rc = sd_journal_seek_head(j);
	return rc;
}

/* give_entry - the current entry, if it is wanted. 1 go on, 0 past the last one, or negative. */
static int give_entry(struct walk *w, const struct job_request *request, struct job_output *out,
	struct mt_error *reterr)
{
	uint64_t us, source_us;
	int64_t offset;
	int rc = sd_journal_get_realtime_usec(w->j, &us);

	if (rc < 0)
		return journal_failed(rc, "an entry has no time", reterr);
	if (request->t1_ms > 0 && us / US_PER_MS > (uint64_t)request->t1_ms)
		return 0;
	offset = (int64_t)us * OFFSETS_PER_US;
	w->offset = offset > w->offset ? offset : w->offset + 1;
	if (request->kind == JOB_LOG_TAIL && !request->t1_ms && w->offset <= request->last_offset)
		return 1;
	if (journal_line(w->j, &w->line, &source_us) <= 0 ||
		(request->kind != JOB_LOG_TAIL && !holds_one(buf_str(&w->line), request)))
		return 1;
	rc = out->add(out->ctx, buf_str(&w->line), w->offset);
	return rc < 0 ? rc : 1;
}

int journal_find(const struct instance_def *def, const struct job_request *request,
	struct job_output *out, struct mt_error *reterr)
{
	struct walk w = {.j = NULL};
	bool entries;
	int rc = journal_check(def, &entries, reterr);

	if (rc == 0)
		rc = journal_open(def, &w.j, reterr);
	if (rc < 0)
		return rc;
	buf_init(&w.line, LINE_MAX_BYTES);
	rc = seek(w.j, request);
	rc = rc < 0 ? journal_failed(rc, "can't find the place to read from", reterr) : 1;
	while (rc > 0) {
		int more = sd_journal_next(w.j);

		if (more <= 0)
			rc = more < 0 ? journal_failed(more, "can't read on", reterr) : 0;
		else if (out->canceled(out->ctx))
			rc = mt_error_set(reterr, MT_ECANCELED, "canceled");
		else
			rc = give_entry(&w, request, out, reterr);
	}
	buf_done(&w.line);
	sd_journal_close(w.j);
	snprintf(out->summary, sizeof(out->summary), "systemd journal");
	return rc == MT_ELIMIT ? 0 : rc;
}
