/* SPDX-License-Identifier: MIT */
/*
 * opensmtpd/act - pause, resume, schedule and remove messages, schedule all: by smtpctl(8), a run a message.
 *
 * smtpd itself delivers, so nothing under way hangs on a program of ours. What it does not do: decide whether actions
 * are allowed (services does), or become root.
 */
#include "backends/opensmtpd/listing.h"
#include "backends/opensmtpd/queue.h"
#include "backends/postfix/config.h"
#include "backends/queueaction.h"
#include "backends/spawn.h"
#include "store/base/scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define OUTPUT_MAX_BYTES 65536
#define COUNT_DIGITS 9
#define WORDS 2

static const struct verb {
	enum job_kind kind;
	const char *words[WORDS + 1]; /* of smtpctl, NULL-terminated */
	const char *done_word;
} verbs[] = {
	{JOB_HOLD, {"pause", "envelope", NULL}, "paused"},
	{JOB_RELEASE, {"resume", "envelope", NULL}, "resumed"},
	{JOB_REQUEUE, {"schedule", NULL, NULL}, "scheduled now"},
	{JOB_DELETE, {"remove", NULL, NULL}, "removed"},
	{JOB_FLUSH, {"schedule", NULL, NULL}, "scheduled now"},
};

struct acting {
	const struct job_request *request;
	struct job_output *out;
	const struct verb *verb;
	char *tool;
	int64_t done;
	struct mt_error *reterr;
};

static const struct verb *verb_of(enum job_kind kind)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (verbs[i].kind == kind)
			return &verbs[i];
	return NULL;
}

/* One run on what ("all" or a message); *ret_n envelopes it told of. */
static int run(struct acting *a, const char *what, int64_t *ret_n)
{
	const char *argv[WORDS + 3] = {a->tool};
	struct buf said, complaint;
	struct str line;
	uint64_t n = 0;
	size_t words = 1;
	int rc;

	for (size_t i = 0; a->verb->words[i]; i++)
		argv[words++] = a->verb->words[i];
	argv[words] = what;
	buf_init(&said, OUTPUT_MAX_BYTES);
	buf_init(&complaint, MT_ERROR_TEXT_MAX_BYTES);
	rc = postfix_run_text(argv, (struct str){0}, &said, &complaint, a->reterr);
	if (rc > 0)
		rc = mt_error_set(
			a->reterr, MT_EIO, "smtpctl: exit %d: %.150s", rc, buf_z(&complaint));
	line = buf_str(&said);
	*ret_n = rc == 0 && scan_u64(&line, COUNT_DIGITS, INT32_MAX, &n) ? (int64_t)n : 0;
	buf_done(&said);
	buf_done(&complaint);
	return rc;
}

static int act_one(void *ctx, struct str id)
{
	char msgid[OPENSMTPD_MSGID_BYTES + 1];
	struct acting *a = ctx;
	int64_t envelopes = 0;
	int rc;

	if (act_canceled(a->out))
		return mt_error_set(a->reterr, MT_ECANCELED, "canceled");
	snprintf(msgid, sizeof(msgid), "%.*s", STR_ARG(id));
	rc = run(a, msgid, &envelopes);
	a->done += envelopes > 0;
	return rc;
}

static int act(struct acting *a, const struct instance_def *def)
{
	struct act_result counted = {.asked = 0};
	struct act_check check;
	int rc;

	act_check_init(&check, a->request, a->out, opensmtpd_is_msgid);
	rc = queue_list_now(&opensmtpd_lister, def, a->out->conf, act_check_row, &check, a->reterr);
	if (rc == 0)
		rc = act_check_count(&check, &counted, act_one, a);
	counted.done = a->done;
	act_check_done(&check);
	act_summary(a->out, a->verb->done_word, "left alone by smtpctl", &counted,
		rc < 0 && a->reterr ? a->reterr->text : NULL);
	return rc;
}

static int flush(struct acting *a)
{
	int64_t envelopes = 0;
	int rc = run(a, "all", &envelopes);

	a->out->asked = a->out->done = 0;
	snprintf(a->out->summary, sizeof(a->out->summary), "%s",
		rc < 0 ? "the queue was not scheduled"
		       : "every message that is not paused is tried now");
	return rc;
}

static int needs_root(const struct acting *a)
{
	struct str id = a->request->nids ? a->request->ids[0].qid : STR_LIT("all");

	if (a->request->nids && !opensmtpd_is_msgid(id))
		id = STR_LIT("");
	return mt_error_set(a->reterr, MT_EPERM,
		"needs root: sudo mtatop --read-write, or sudo smtpctl %s %s%s%.*s",
		a->verb->words[0], a->verb->words[1] ? a->verb->words[1] : "",
		a->verb->words[1] ? " " : "", STR_ARG(id));
}

int opensmtpd_job(const struct instance_def *def, const struct job_request *request,
	struct job_output *out, struct mt_error *reterr)
{
	struct acting a = {
		.request = request, .out = out, .verb = verb_of(request->kind), .reterr = reterr};
	struct mt_error log_error;
	int rc, logged;

	if (!a.verb)
		return mt_error_set(reterr, MT_ENOTSUP,
			request->kind == JOB_EXPIRE
				? "OpenSMTPD can't give a message up: remove it instead"
				: "OpenSMTPD can't do that");
	if (def->all_logs)
		return mt_error_set(
			reterr, MT_ENOTSUP, "%s: only its log is known, not its queue", def->name);
	if (!out->cache_path)
		return mt_error_set(
			reterr, MT_EINVAL, "no cache to log the action in: nothing was done");
	if (geteuid() != 0)
		return needs_root(&a);
	a.tool = spawn_find_tool("smtpctl");
	if (!a.tool)
		return mt_error_set(reterr, MT_ENOENT, "no smtpctl on this machine");
	rc = request->kind == JOB_FLUSH ? flush(&a) : act(&a, def);
	logged = act_log(request, out, &log_error);
	if (rc == 0 && logged < 0)
		rc = mt_error_set(
			reterr, logged, "%s, but not logged: %.100s", out->summary, log_error.text);
	free(a.tool);
	return rc;
}
