/* SPDX-License-Identifier: MIT */
/* job - on demand: the time line of one message, and addresses off a suppression list. */
#include "backends/sendgrid/job.h"

#include "backends/api_job.h"
#include "backends/sendgrid/request.h"
#include "backends/sendgrid/source.h"
#include "store/base/mem.h"
#include "store/base/timefmt.h"

#include <stdio.h>
#include <stdlib.h>

#define TARGET_MAX_BYTES 4096
#define LINE_MAX_BYTES 16384
#define WORDS_MAX_BYTES 4096
#define SUBUSER_MAX_BYTES 200

static int open_job(struct api_job *j, const struct instance_def *def, const struct job_output *out,
	struct mt_error *reterr)
{
	struct api_access access = {.family = "sendgrid",
		.base = sendgrid_base(out->conf, def->section),
		.auth = HTTP_AUTH_BEARER};

	return api_job_open(j, &access, def, out, reterr);
}

/* refusal - the class of an answer that is none, with the vendor's words. */
static int refusal(const struct api_job *j, struct mt_error *reterr)
{
	char words[WORDS_MAX_BYTES];

	sendgrid_refusal(buf_str(&j->body), words, sizeof(words));
	secret_scrub(j->key, words); /* before it is cut */
	return mt_error_set(reterr, (enum mt_err)j->rc, "%.120s%s%.120s", j->error.text,
		words[0] ? ": " : "", words);
}

/* line - "2026-11-25 12:04:31  deferred (try 1)  451 4.3.0 later  [192.0.2.1]  Reputation" */
static int line(void *ctx, const struct sendgrid_event *e)
{
	const struct job_output *out = ctx;
	struct buf b;
	int rc;

	buf_init(&b, LINE_MAX_BYTES);
	if (e->t_ms != EVENT_UNKNOWN) {
		timefmt_date_clock(&b, e->t_ms);
		buf_add_z(&b, "  ");
	}
	buf_add_str(&b, e->what);
	if (e->t_ms == EVENT_UNKNOWN)
		buf_add_char(&b, ':');
	if (e->attempt != EVENT_UNKNOWN)
		buf_printf(&b, " (try %d)", e->attempt);
	if (e->text.n) {
		buf_add_z(&b, e->t_ms == EVENT_UNKNOWN ? " " : "  ");
		buf_add_str(&b, e->text);
	}
	if (e->ip.n) {
		buf_add_z(&b, "  [");
		buf_add_str(&b, e->ip);
		buf_add_char(&b, ']');
	}
	if (e->class_name.n) {
		buf_add_z(&b, "  ");
		buf_add_str(&b, e->class_name);
	}
	rc = out->add(out->ctx, buf_str(&b), 0);
	buf_done(&b);
	return rc;
}

static int detail(const struct instance_def *def, const struct job_request *request,
	struct job_output *out, struct mt_error *reterr)
{
	struct sendgrid_ask ask = {.endpoint = SENDGRID_LOG};
	const struct sendgrid_sink sink = {.line = line, .ctx = out};
	struct sendgrid_want want = {.endpoint = SENDGRID_LOG, .subuser_id = EVENT_UNKNOWN};
	struct buf target, none;
	struct api_job j;
	int rc = open_job(&j, def, out, reterr);

	if (request->nids != 1)
		rc = mt_error_set(reterr, MT_EINVAL, "one message at a time");
	buf_init(&target, TARGET_MAX_BYTES);
	buf_init(&none, TARGET_MAX_BYTES);
	if (rc == 0) {
		want.id = request->ids[0].qid;
		(void)sendgrid_request(&want, &target, &none);
		rc = api_job_ask(&j, HTTP_GET, buf_z(&target), NULL, reterr);
	}
	if (rc == 0 && j.rc == MT_ENOENT)
		rc = mt_error_set(reterr, MT_ENOENT,
			"SendGrid does not know this message (any more: it keeps 30 days)");
	else if (rc == 0 && j.rc < 0)
		rc = refusal(&j, reterr);
	else if (rc == 0)
		rc = sendgrid_parse(&ask, buf_str(&j.body), &sink, NULL, reterr);
	snprintf(out->summary, sizeof(out->summary), "what SendGrid says of the message");
	api_job_close(&j);
	buf_done(&target);
	buf_done(&none);
	return rc;
}

static int remove_one(struct api_job *j, const struct job_request *request, const struct job_id *id,
	struct mt_error *reterr)
{
	char behalf[SUBUSER_MAX_BYTES + 20];
	const char *headers[] = {NULL, NULL};
	struct buf target;
	int rc = 0;

	buf_init(&target, TARGET_MAX_BYTES);
	if (!sendgrid_removal((enum api_list)request->list, id->qid, &target))
		rc = mt_error_set(reterr, MT_ENOTSUP, "addresses of this list can't be removed");
	if (rc == 0 && id->sender.n > SUBUSER_MAX_BYTES)
		rc = mt_error_set(reterr, MT_EINVAL, "no name of a subuser");
	if (rc == 0 && id->sender.n) {
		snprintf(behalf, sizeof(behalf), "on-behalf-of: %.*s", STR_ARG(id->sender));
		headers[0] = behalf;
	}
	if (rc == 0)
		rc = api_job_ask(j, HTTP_DELETE, buf_z(&target), headers, reterr);
	buf_done(&target);
	if (rc < 0 || j->rc == 0)
		return rc;
	return j->rc == MT_ENOENT ? MT_ENOENT : refusal(j, reterr);
}

static int unsuppress(const struct instance_def *def, const struct job_request *request,
	struct job_output *out, struct mt_error *reterr)
{
	struct api_job j;
	int rc = open_job(&j, def, out, reterr);

	if (rc == 0)
		rc = api_job_remove(&j, request, out, remove_one, reterr);
	api_job_close(&j);
	return rc;
}

int sendgrid_job(const struct instance_def *def, const struct job_request *request,
	struct job_output *out, struct mt_error *reterr)
{
	if (request->kind == JOB_DETAIL)
		return detail(def, request, out, reterr);
	if (request->kind == JOB_UNSUPPRESS)
		return unsuppress(def, request, out, reterr);
	return mt_error_set(reterr, MT_ENOTSUP, "SendGrid can't do that");
}
