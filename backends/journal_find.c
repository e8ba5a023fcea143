/* SPDX-License-Identifier: MIT */
/* journal_find - what a person asks of the journal beside following it: can it be read, its last lines, those of some ids. */
#include "backends/journal.h"
#include "backends/journal_read.h"

#include <stdio.h>

#define LINE_MAX_BYTES (2u << 20)
#define LINES_DEFAULT 500
#define US_PER_MS 1000

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

static int seek(sd_journal *j, const struct job_request *request)
{
	size_t want = request->max_lines ? request->max_lines : LINES_DEFAULT;
	int rc;

	if (request->kind != JOB_LOG_TAIL)
		return request->t0_ms > 0 ? sd_journal_seek_realtime_usec(
						    j, (uint64_t)request->t0_ms * US_PER_MS)
					  : sd_journal_seek_head(j);
	rc = sd_journal_seek_tail(j);
	if (rc >= 0)
		rc = sd_journal_previous_skip(j, want + 1);
	if (rc >= 0 && (size_t)rc <= want) /* fewer: from the first */
		rc = sd_journal_seek_head(j);
	return rc;
}

int journal_find(const struct instance_def *def, const struct job_request *request,
	struct job_output *out, struct mt_error *reterr)
{
	bool all = request->kind == JOB_LOG_TAIL;
	sd_journal *j = NULL;
	struct buf line;
	int rc = journal_open(def, &j, reterr);

	if (rc < 0)
		return rc;
	buf_init(&line, LINE_MAX_BYTES);
	rc = seek(j, request);
	while (rc >= 0 && (rc = sd_journal_next(j)) > 0) {
		uint64_t us;

		if (out->canceled(out->ctx))
			rc = MT_ECANCELED;
		else if (journal_line(j, &line, &us) > 0 &&
			 (all || holds_one(buf_str(&line), request)))
			rc = out->add(out->ctx, buf_str(&line), (int64_t)us);
		if (rc < 0)
			break;
	}
	buf_done(&line);
	sd_journal_close(j);
	snprintf(out->summary, sizeof(out->summary), "systemd journal");
	return rc < 0 && rc != MT_ELIMIT ? mt_error_set(reterr, rc, "the journal can't be read on")
					 : 0;
}
