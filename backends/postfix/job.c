/* SPDX-License-Identifier: MIT */
/*
 * postfix/job - the jobs a screen may ask for on a queue: its part of backend_ops.job.
 *
 * Words the outcome for a person and logs each action in the cache, with who did it. Without a cache
 * to log to no action is taken. The id check and postsuper are act.c's.
 */
#include "backends/postfix/act.h"
#include "backends/postfix/queue.h"
#include "backends/postfix/queue_row.h"
#include "store/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FILE_MAX_BYTES (1u << 20) /* headers of one message; Postfix's own limit is 100 kB each */
#define COMPLAINT_MAX_BYTES 1024
#define EX_NOPERM_CODE 77 /* sysexits: not in authorized_flush_users */
#define IDS_SHOWN_MAX 3 /* in the command line for a person to type */

static const char *done_word(enum job_kind kind)
{
	switch (kind) {
	case JOB_HOLD:
		return "put on hold";
	case JOB_RELEASE:
		return "released";
	case JOB_REQUEUE:
		return "requeued";
	case JOB_DELETE:
		return "deleted";
	case JOB_EXPIRE:
		return "expired";
	case JOB_FLUSH:
	case JOB_LOG_TAIL:
	case JOB_LOG_FIND:
	case JOB_QUEUE_FILE:
	case JOB_UNSUPPRESS:
	case JOB_DETAIL:
	case JOB_PROBE:
		break;
	}
	return "done";
}

/* "sudo postsuper -c DIR -d ID ..." for an ordinary user. */
static int needs_root(
	const struct postfix_config *c, const struct job_request *request, struct mt_error *reterr)
{
	static const char *const options[] = {[JOB_HOLD] = "-h",
		[JOB_RELEASE] = "-H",
		[JOB_REQUEUE] = "-r",
		[JOB_DELETE] = "-d",
		[JOB_EXPIRE] = "-e"};
	struct buf b;
	int rc;

	buf_init(&b, MT_ERROR_TEXT_MAX_BYTES);
	(void)buf_printf(
		&b, "needs root: sudo mtatop --read-write, or sudo postsuper -c %s", c->dir);
	for (size_t i = 0; i < request->nids && i < IDS_SHOWN_MAX; i++)
		if (queue_id_ok(request->ids[i].qid))
			(void)buf_printf(&b, " %s %.*s", options[request->kind],
				STR_ARG(request->ids[i].qid));
	rc = mt_error_set(reterr, MT_EPERM, "%s", buf_z(&b));
	buf_done(&b);
	return rc;
}

static int act(const struct postfix_config *c, const struct job_request *request,
	struct job_output *out, struct mt_error *reterr)
{
	struct act_result result;
	struct mt_error log_error;
	int rc, logged;

	if (geteuid() != 0)
		return needs_root(c, request, reterr);
	rc = act_on_ids(c, request, out, &result, reterr);
	act_summary(out, done_word(request->kind), "left alone by postsuper", &result,
		rc < 0 && reterr ? reterr->text : NULL);
	logged = act_log(request, out, &log_error);
	if (rc == 0 && logged < 0)
		rc = mt_error_set(
			reterr, logged, "%s, but not logged: %.100s", out->summary, log_error.text);
	return rc;
}

static int flush(const struct postfix_config *c, const struct job_request *request,
	struct job_output *out, struct mt_error *reterr)
{
	char *tool = postfix_tool(c, "postqueue");
	const char *argv[] = {tool, "-c", c->dir, "-f", NULL};
	struct buf text, complaint;
	struct mt_error log_error;
	int rc, logged;

	buf_init(&text, FILE_MAX_BYTES);
	buf_init(&complaint, COMPLAINT_MAX_BYTES);
	rc = postfix_run_text(argv, (struct str){0}, &text, &complaint, reterr);
	if (rc > 0)
		rc = mt_error_set(reterr, rc == EX_NOPERM_CODE ? MT_EPERM : MT_EIO,
			"postqueue: exit %d: %s", rc, buf_z(&complaint));
	out->asked = 0;
	out->done = 0;
	snprintf(out->summary, sizeof(out->summary), "%s",
		rc == 0 ? "every deferred message is tried now" : "the queue was not flushed");
	logged = act_log(request, out, &log_error);
	if (rc == 0 && logged < 0)
		rc = mt_error_set(
			reterr, logged, "flushed, but not logged: %.150s", log_error.text);
	buf_done(&text);
	buf_done(&complaint);
	free(tool);
	return rc;
}

/* Headers of the first id. postcat is not setgid: an ordinary user can't. */
static int queue_file(const struct postfix_config *c, const struct job_request *request,
	struct job_output *out, struct mt_error *reterr)
{
	char *tool, *id;
	const char *argv[] = {NULL, "-c", c->dir, "-qh", NULL, NULL};
	struct buf text, complaint;
	int rc;

	if (request->nids != 1 || !queue_id_ok(request->ids[0].qid))
		return mt_error_set(reterr, MT_EINVAL, "not a queue id");
	tool = postfix_tool(c, "postcat");
	id = xmemdup(request->ids[0].qid.p, request->ids[0].qid.n);
	argv[0] = tool;
	argv[4] = id;
	buf_init(&text, FILE_MAX_BYTES);
	buf_init(&complaint, COMPLAINT_MAX_BYTES);
	rc = postfix_run_text(argv, (struct str){0}, &text, &complaint, reterr);
	if (rc > 0 && geteuid() != 0)
		rc = mt_error_set(reterr, MT_EPERM,
			"reading a queue file needs root: sudo postcat -c %s -qh %s", c->dir, id);
	else if (rc > 0 && str_find(buf_str(&complaint), STR_LIT("No such file")) < complaint.n)
		rc = mt_error_set(reterr, MT_ENOENT, "%s is no longer in the queue", id);
	else if (rc > 0)
		rc = mt_error_set(reterr, MT_EIO, "postcat: exit %d: %s", rc, buf_z(&complaint));
	if (rc == 0)
		rc = act_give_lines(buf_str(&text), out);
	if (rc == 0)
		snprintf(out->summary, sizeof(out->summary), "headers of %s", id);
	buf_done(&text);
	buf_done(&complaint);
	free(tool);
	free(id);
	return rc;
}

int postfix_queue_job(const struct instance_def *def, const struct job_request *request,
	struct job_output *out, struct mt_error *reterr)
{
	struct postfix_config c;
	int rc;

	if (!act_verb(request->kind) && request->kind != JOB_QUEUE_FILE)
		return mt_error_set(reterr, MT_ENOTSUP, "not a job of the queue");
	if (!def->config_dir)
		return mt_error_set(
			reterr, MT_ENOTSUP, "%s: only its log is known, not its queue", def->name);
	if (request->kind != JOB_QUEUE_FILE && !out->cache_path)
		return mt_error_set(
			reterr, MT_EINVAL, "no cache to log the action in: nothing was done");
	rc = postfix_config_load(&c, def->config_dir, reterr);
	if (rc == 0 && request->kind == JOB_QUEUE_FILE)
		rc = queue_file(&c, request, out, reterr);
	else if (rc == 0 && request->kind == JOB_FLUSH)
		rc = flush(&c, request, out, reterr);
	else if (rc == 0)
		rc = act(&c, request, out, reterr);
	postfix_config_done(&c);
	return rc;
}
