/* SPDX-License-Identifier: MIT */
/*
 * logtail - see logtail.h. A plain file is bisected by the time stamps of its lines, so that a line of last
 * week costs some twenty small reads; an archive is read from its start. A log is in order of time but for the
 * few lines that daemons write late: what a bisection can miss is those at its very edge.
 */
#include "backends/logtail.h"

#include "backends/logfile.h"
#include "backends/rotated.h"
#include "store/base/buf.h"
#include "store/base/timefmt.h"

#define PROBE_BYTES 16384 /* holds the start of a line almost always */
#define NEAR_BYTES 65536 /* bisection ends here; the rest is read line by line */
#define BLOCK_BYTES (256u << 10)
#define LINE_MAX_BYTES (1u << 20)
#define TAIL_LINE_BYTES 512 /* how far back to look, a line */
#define LINES_DEFAULT 500

struct tail {
	struct logfile file;
	const struct job_request *request;
	struct job_output *out;
	struct mt_error *reterr;
};

/* Time of a line; false when it has no stamp. Years are those that fit the file's own last change. */
static bool time_of(const struct tail *t, struct str line, int64_t *ret_ms)
{
	struct timefmt form;

	timefmt_init(&form, t->file.mtime_ms, NULL);
	return timefmt_read(&form, &line, ret_ms);
}

/* Time of the first stamped line that begins after offset; EVENT_UNKNOWN when none is near. */
static int probe(struct tail *t, int64_t offset, int64_t *ret_ms)
{
	char block[PROBE_BYTES];
	ssize_t n;
	struct str rest;
	int rc = logfile_seek(&t->file, offset, t->reterr);

	*ret_ms = -1;
	if (rc < 0)
		return rc;
	n = logfile_read(&t->file, block, sizeof(block), t->reterr);
	if (n < 0)
		return (int)n;
	rest = str_make(block, (size_t)n);
	while (rest.n > 0) {
		rest = str_skip(rest, str_find_char(rest, '\n') + 1);
		if (time_of(t, rest, ret_ms))
			return 0;
	}
	return 0;
}

/* An offset not far before the first line later than t1. */
static int bisect(struct tail *t, int64_t *ret)
{
	int64_t low = 0, high = t->file.size;

	while (high - low > NEAR_BYTES) {
		int64_t mid = low + (high - low) / 2, at_ms;
		int rc = probe(t, mid, &at_ms);

		if (rc < 0)
			return rc;
		if (at_ms >= 0 && at_ms > t->request->t1_ms)
			high = mid;
		else
			low = mid;
	}
	*ret = low;
	return 0;
}

struct walk { /* which lines are wanted, going forward through the file */
	int64_t from_ms, to_ms; /* 0: no bound */
	bool whole; /* the first line read is whole */
};

/* 1: wanted, 0: not, -1: past the last one. */
static int wanted(const struct tail *t, const struct walk *w, struct str line)
{
	int64_t ms;

	if ((!w->from_ms && !w->to_ms) || !time_of(t, line, &ms))
		return 1;
	if (w->to_ms && ms > w->to_ms)
		return -1;
	return ms >= w->from_ms;
}

/* Gives out the lines from where the file stands; 0 or a negative error. */
static int give_lines(struct tail *t, const struct walk *w)
{
	bool skip = !w->whole;
	struct buf b;
	int rc = 0;

	buf_init(&b, BLOCK_BYTES + LINE_MAX_BYTES);
	while (rc == 0) {
		char *at = buf_reserve(&b, BLOCK_BYTES);
		ssize_t n = at ? logfile_read(&t->file, at, BLOCK_BYTES, t->reterr) : MT_ELIMIT;
		size_t nl, used = 0;

		if (n <= 0) {
			rc = (int)n;
			break;
		}
		buf_grow(&b, (size_t)n);
		while (rc == 0 &&
			(nl = str_find_char(str_skip(buf_str(&b), used), '\n')) < b.n - used) {
			struct str line = str_make(b.p + used, nl);
			int64_t offset = t->file.at - (int64_t)(b.n - used);
			int want = skip ? 0 : wanted(t, w, line);

			skip = false;
			if (want > 0)
				rc = t->out->add(t->out->ctx, line, offset);
			else if (want < 0)
				goto out;
			used += nl + 1;
		}
		buf_drop_front(&b, used);
		if (b.n > LINE_MAX_BYTES)
			buf_clear(&b);
		if (t->out->canceled(t->out->ctx))
			rc = mt_error_set(t->reterr, MT_ECANCELED, "canceled");
	}
out:
	buf_done(&b);
	return rc;
}

static int from_plain(struct tail *t)
{
	const struct job_request *q = t->request;
	size_t want = q->max_lines ? q->max_lines : LINES_DEFAULT;
	struct walk w = {.to_ms = q->t1_ms};
	int64_t end = t->file.size, from;
	int rc = q->t1_ms ? bisect(t, &end) : 0;

	if (rc < 0)
		return rc;
	from = end - (int64_t)want * TAIL_LINE_BYTES;
	if (!q->t1_ms && q->after_offset > 0 && q->after_offset <= t->file.size) {
		from = q->after_offset;
		w.whole = true;
	} else if (from <= 0) {
		from = 0;
		w.whole = true;
	}
	rc = logfile_seek(&t->file, from, t->reterr);
	return rc < 0 ? rc : give_lines(t, &w);
}

static int from_file(struct tail *t, const char *path)
{
	struct walk w = {.from_ms = t->request->t0_ms, .to_ms = t->request->t1_ms, .whole = true};
	int rc = logfile_open(&t->file, path, t->reterr);

	if (rc < 0)
		return rc;
	rc = t->file.archive ? give_lines(t, &w) : from_plain(t);
	logfile_close(&t->file);
	return rc;
}

int logtail_run(const char *path, bool siblings, const struct job_request *request,
	struct job_output *out, struct mt_error *reterr)
{
	struct tail t = {.file = {.fd = -1}, .request = request, .out = out, .reterr = reterr};
	struct rotated old = {NULL, 0};
	const char *chosen = path;
	int rc = siblings && request->t1_ms ? rotated_list(path, &old, reterr) : 0;

	for (size_t i = 0; i < old.n; i++) {
		if (old.files[i].mtime_ms < request->t1_ms)
			continue;
		chosen = old.files[i].path; /* the oldest that was still written to then */
		break;
	}
	if (rc == 0)
		rc = from_file(&t, chosen);
	rotated_done(&old);
	return rc;
}
