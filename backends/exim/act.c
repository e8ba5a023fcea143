/* SPDX-License-Identifier: MIT */
/*
 * exim/act - freeze, thaw, deliver now, remove, give up, run the queue: by exim(8) -Mf -Mt -M -Mrm -Mg -qf.
 *
 * Ids are arguments, since Exim reads none from its input; each has the shape of an id and was looked up again before.
 * A delivery under way is never ended from here, mail could be sent twice: it is left to itself after a while. What it
 * does not do: decide whether actions are allowed (services does), or become an admin of Exim.
 */
#include "backends/exim/discover.h"
#include "backends/exim/parse.h"
#include "backends/exim/queue.h"
#include "backends/exim/spool.h"
#include "backends/postfix/config.h"
#include "backends/queueaction.h"
#include "backends/spawn.h"
#include "store/base/mem.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#define BATCH_IDS 50 /* the helper takes 64 words */
#define LEFT_MAX 8 /* batches of deliveries left to themselves */
#define ACT_TIMEOUT_MS 120000
#define DELIVER_TIMEOUT_MS 86400000
#define DELIVER_WAIT_MS 5000 /* most deliveries are over by then */
#define TICK_MS 100
#define OUTPUT_MAX_BYTES (1u << 20)
#define FILE_MAX_BYTES (8u << 20)
#define ID_MAX_BYTES 24
#define IDS_SHOWN_MAX 3 /* in the command line for a person to type */

static const struct verb {
	enum job_kind kind;
	const char *option, *done_word;
	const char *said; /* Exim's own words of a message done; NULL: it says nothing */
	bool lasting; /* delivers */
} verbs[] = {
	{JOB_HOLD, "-Mf", "frozen", " is now frozen", false},
	{JOB_RELEASE, "-Mt", "thawed", " is no longer frozen", false},
	{JOB_REQUEUE, "-M", "given to delivery", NULL, true},
	{JOB_DELETE, "-Mrm", "removed", " has been removed", false},
	{JOB_EXPIRE, "-Mg", "given up", NULL, true},
};

static const struct verb *verb_of(enum job_kind kind)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (verbs[i].kind == kind)
			return &verbs[i];
	return NULL;
}

struct acting {
	const struct instance_def *def;
	const struct job_request *request;
	struct job_output *out;
	const struct verb *verb;
	char *tool;
	char ids[BATCH_IDS][ID_MAX_BYTES];
	size_t n; /* of ids */
	size_t left; /* batches still running */
	struct act_result *result;
	struct buf said; /* of the batch */
	struct mt_error *reterr;
};

static int denied(const struct acting *a)
{
	struct buf b;
	int rc;

	buf_init(&b, MT_ERROR_TEXT_MAX_BYTES);
	(void)buf_printf(&b, "Exim obeys its admins alone: sudo mtatop --read-write, or sudo %s %s",
		a->tool, a->verb ? a->verb->option : "-qf");
	for (size_t i = 0; i < a->n && i < IDS_SHOWN_MAX; i++)
		(void)buf_printf(&b, " %s", a->ids[i]);
	rc = mt_error_set(a->reterr, MT_EPERM, "%s", buf_z(&b));
	buf_done(&b);
	return rc;
}

static int64_t now_ms(void)
{
	struct clock clock = clock_real();

	return clock_mono_ms(&clock);
}

static int on_output(void *ctx, struct str bytes)
{
	struct acting *a = ctx;
	size_t room = a->said.max - a->said.n;

	(void)buf_add_str(&a->said, str_first(bytes, room));
	return 0;
}

/* Returns the exit code or a negative mt_err; *ret_runs: it was left running, and the code is 0. */
static int run(struct acting *a, const char *const *argv, bool lasting, bool *ret_runs)
{
	struct spawn_request request = {.argv = argv,
		.timeout_ms = lasting ? DELIVER_TIMEOUT_MS : ACT_TIMEOUT_MS,
		.max_bytes = OUTPUT_MAX_BYTES,
		.merge_stderr = true,
		.leave = lasting};
	int64_t until_ms = now_ms() + DELIVER_WAIT_MS;
	struct spawn *child = NULL;
	int rc = spawn_open(&request, &child, a->reterr);

	*ret_runs = false;
	buf_clear(&a->said);
	while (rc >= 0) {
		struct pollfd fds[SPAWN_FDS_MAX];

		(void)poll(
			fds, (nfds_t)spawn_fds(child, fds, SPAWN_FDS_MAX), lasting ? TICK_MS : -1);
		rc = spawn_step(child, on_output, a, a->reterr);
		if (rc <= 0)
			break;
		*ret_runs = lasting && (now_ms() >= until_ms || act_canceled(a->out));
		if (*ret_runs)
			break;
	}
	if (rc == 0)
		rc = spawn_exit_code(child);
	else if (*ret_runs)
		rc = 0;
	spawn_close(child);
	if (rc > 0 && str_find(buf_str(&a->said), STR_LIT("permission denied")) < a->said.n)
		return denied(a);
	return rc;
}

/* Lines of Exim's: to the person; and how many tell of a message done. */
static int64_t count_said(struct acting *a)
{
	struct str text = buf_str(&a->said);
	int64_t n = 0;

	while (text.n) {
		struct str line = str_first(text, str_find_char(text, '\n'));

		text = str_skip(text, line.n + 1);
		if (a->verb->said && str_ends(line, str_of(a->verb->said)))
			n++;
		/* Only a report: without room for it the action goes on. */
		else if (line.n && a->out->add)
			(void)!a->out->add(a->out->ctx, line, 0);
	}
	return n;
}

/* The ids gathered, in one run. */
static int act_batch(struct acting *a)
{
	const char *argv[BATCH_IDS + 3] = {a->tool, a->verb->option};
	bool runs;
	int rc;

	if (a->n == 0)
		return 0;
	if (a->left >= LEFT_MAX) {
		a->n = 0;
		return 0;
	}
	if (act_canceled(a->out))
		return mt_error_set(a->reterr, MT_ECANCELED, "canceled");
	for (size_t i = 0; i < a->n; i++)
		argv[i + 2] = a->ids[i];
	rc = run(a, argv, a->verb->lasting, &runs);
	if (rc < 0)
		return rc;
	a->left += runs;
	if (a->verb->said)
		a->result->done += count_said(a);
	else if (rc == 0)
		a->result->done += (int64_t)a->n;
	a->n = 0;
	return 0;
}

static int keep_id(void *ctx, struct str id)
{
	struct acting *a = ctx;

	snprintf(a->ids[a->n++], ID_MAX_BYTES, "%.*s", STR_ARG(id));
	return a->n == BATCH_IDS ? act_batch(a) : 0;
}

/* Look each id up in the spool; where that may not be read, in a listing. */
static int look_again(struct acting *a, struct act_check *check)
{
	struct exim_spool spool;
	struct queue_row row;
	int rc = MT_EPERM;

	if (a->def->spool_dir)
		rc = exim_spool_open(&spool, a->def->spool_dir, NULL);
	if (rc < 0) {
		if (a->def->spool_dir)
			exim_spool_close(&spool);
		return queue_list_now(
			&exim_lister, a->def, a->out->conf, act_check_row, check, a->reterr);
	}
	for (size_t i = 0; i < a->request->nids && rc == 0; i++)
		if (exim_spool_find(&spool, a->request->ids[i].qid, &row) == EXIM_SPOOL_ROW)
			rc = act_check_row(check, &row, a->reterr);
	exim_spool_close(&spool);
	return rc;
}

static int act(struct acting *a)
{
	struct act_result result = {.asked = 0};
	struct act_check check;
	struct act_result counted = {.asked = 0};
	int rc;

	a->result = &result;
	act_check_init(&check, a->request, a->out, exim_is_id);
	rc = look_again(a, &check);
	if (rc == 0)
		rc = act_check_count(&check, &counted, keep_id, a);
	if (rc == 0)
		rc = act_batch(a);
	counted.done = result.done;
	act_check_done(&check);
	act_summary(a->out, a->verb->done_word,
		a->left >= LEFT_MAX ? "not begun, others are under way" : "left alone by Exim",
		&counted, rc < 0 && a->reterr ? a->reterr->text : NULL);
	return rc;
}

static int flush(struct acting *a)
{
	const char *argv[] = {a->tool, "-qf", NULL};
	bool runs;
	int rc = run(a, argv, true, &runs);

	if (rc > 0)
		rc = mt_error_set(
			a->reterr, MT_EIO, "exim -qf: exit %d: %.150s", rc, buf_z(&a->said));
	a->out->asked = a->out->done = 0;
	snprintf(a->out->summary, sizeof(a->out->summary), "%s",
		rc < 0 ? "the queue was not run"
		: runs ? "a queue run is under way: every message that is not frozen is tried"
		       : "every message that is not frozen was tried");
	return rc;
}

/* The header file of the first id, by -Mvh, which shows it to admins. */
static int queue_file(struct acting *a)
{
	const char *argv[] = {a->tool, "-Mvh", a->ids[0], NULL};
	struct buf text, complaint;
	int rc;

	if (a->request->nids != 1 || !exim_is_id(a->request->ids[0].qid))
		return mt_error_set(a->reterr, MT_EINVAL, "not a queue id");
	snprintf(a->ids[0], ID_MAX_BYTES, "%.*s", STR_ARG(a->request->ids[0].qid));
	buf_init(&text, FILE_MAX_BYTES);
	buf_init(&complaint, MT_ERROR_TEXT_MAX_BYTES);
	rc = postfix_run_text(argv, (struct str){0}, &text, &complaint, a->reterr);
	if (rc > 0 && str_find(buf_str(&complaint), STR_LIT("ermission denied")) < complaint.n)
		rc = mt_error_set(a->reterr, MT_EPERM,
			"reading a queued message needs an admin of Exim: sudo %s -Mvh %s", a->tool,
			a->ids[0]);
	else if (rc > 0 || (rc == 0 && text.n == 0))
		rc = mt_error_set(a->reterr, MT_ENOENT, "%s is no longer in the queue", a->ids[0]);
	if (rc == 0)
		rc = act_give_lines(buf_str(&text), a->out);
	if (rc == 0)
		snprintf(a->out->summary, sizeof(a->out->summary), "headers of %s", a->ids[0]);
	buf_done(&text);
	buf_done(&complaint);
	return rc;
}

static int logged(struct acting *a, int rc)
{
	struct mt_error log_error;
	int log_rc = act_log(a->request, a->out, &log_error);

	if (rc == 0 && log_rc < 0)
		rc = mt_error_set(a->reterr, log_rc, "%s, but not logged: %.100s", a->out->summary,
			log_error.text);
	return rc;
}

int exim_job(const struct instance_def *def, const struct job_request *request,
	struct job_output *out, struct mt_error *reterr)
{
	struct acting a = {.def = def,
		.request = request,
		.out = out,
		.verb = verb_of(request->kind),
		.reterr = reterr};
	int rc;

	if (!act_verb(request->kind) && request->kind != JOB_QUEUE_FILE)
		return mt_error_set(reterr, MT_ENOTSUP, "not a job of the queue");
	if (def->all_logs)
		return mt_error_set(
			reterr, MT_ENOTSUP, "%s: only its log is known, not its queue", def->name);
	if (request->kind != JOB_QUEUE_FILE && !out->cache_path)
		return mt_error_set(
			reterr, MT_EINVAL, "no cache to log the action in: nothing was done");
	a.tool = exim_program(out->conf);
	if (!a.tool)
		return mt_error_set(reterr, MT_ENOENT, "no exim program on this machine");
	buf_init(&a.said, OUTPUT_MAX_BYTES);
	if (request->kind == JOB_QUEUE_FILE)
		rc = queue_file(&a);
	else
		rc = logged(&a, request->kind == JOB_FLUSH ? flush(&a) : act(&a));
	buf_done(&a.said);
	free(a.tool);
	return rc;
}
