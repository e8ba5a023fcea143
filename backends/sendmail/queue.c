/* SPDX-License-Identifier: MIT */
/* sendmail/queue - how Sendmail's queues are listed: their folders' files, or `mailq -v` and `mailq -v -Ac` instead. */
#include "backends/sendmail/queue.h"

#include "backends/queuesource.h"
#include "backends/sendmail/file.h"
#include "backends/sendmail/folders.h"
#include "backends/sendmail/hoststat.h"
#include "backends/sendmail/listing.h"
#include "backends/spawn.h"
#include "store/base/mem.h"

#include <stdlib.h>

#define SLICE_ENTRIES 400 /* ~10 ms */
#define LIST_TIMEOUT_MS 300000
#define OUTPUT_MAX_BYTES ((size_t)1 << 30)
#define LINE_MAX_BYTES (64u << 10)
#define PID_MAX_BYTES 4096

struct listing {
	bool open, by_text, submission; /* submission: the second of the two runs of mailq */
	struct sendmail_config server, client;
	struct sendmail_folders folders;
	struct sendmail_listing text;
	struct spawn *spawn;
	struct buf line; /* of mailq, being received */
	char *program;
	struct queue_pass *pass; /* of the step under way, with its reterr */
	struct mt_error *reterr;
};

static int start_mailq(struct listing *l, struct mt_error *reterr)
{
	const char *argv[] = {l->program, "-v", l->submission ? "-Ac" : NULL, NULL};
	struct spawn_request request = {
		.argv = argv, .timeout_ms = LIST_TIMEOUT_MS, .max_bytes = OUTPUT_MAX_BYTES};

	return spawn_open(&request, &l->spawn, reterr);
}

static int begin_text(
	struct listing *l, const struct conf *conf, struct queue_pass *p, struct mt_error *reterr)
{
	const char *given = conf_text(conf, "sendmail", NULL, "mailq");

	l->by_text = true;
	l->program = given[0] == '/' ? xstrdup(given) : spawn_find_tool("mailq");
	p->depth.source = QUEUE_SOURCE_LISTING;
	p->depth.n[QUEUE_HOLD] = p->depth.n[QUEUE_CORRUPT] = EVENT_UNKNOWN; /* not listed */
	if (!l->program)
		return mt_error_set(reterr, MT_ENOENT, "no mailq program on this machine");
	return start_mailq(l, reterr);
}

/* The pid file has the daemon's command line, and that its -q. */
static void read_interval(struct listing *l)
{
	struct buf text;

	buf_init(&text, PID_MAX_BYTES);
	if (l->server.pid_file[0] && sendmail_file_read(-1, l->server.pid_file, &text, NULL) == 0)
		l->folders.run_interval_ms = sendmail_run_interval_ms(buf_str(&text));
	buf_done(&text);
}

static int begin_folders(
	struct listing *l, const struct conf *conf, struct queue_pass *p, struct mt_error *reterr)
{
	int rc = sendmail_config_load(
		&l->server, conf_text(conf, "sendmail", NULL, "config"), reterr);

	if (rc == 0 && l->server.nqueues == 0)
		rc = mt_error_set(reterr, MT_ENOENT, "sendmail.cf names no QueueDirectory");
	if (rc == 0)
		rc = sendmail_folders_add(&l->folders, &l->server, false, reterr);
	if (rc < 0)
		return rc;
	if (sendmail_config_load(
		    &l->client, conf_text(conf, "sendmail", NULL, "submit_config"), NULL) < 0 ||
		l->client.nqueues == 0 ||
		sendmail_folders_add(&l->folders, &l->client, true, NULL) < 0)
		p->depth.n[QUEUE_MAILDROP] = EVENT_UNKNOWN;
	if (!sendmail_locks_read(&l->folders.locks))
		p->depth.n[QUEUE_ACTIVE] = EVENT_UNKNOWN;
	read_interval(l);
	return 0;
}

static int begin(void *state, const struct instance_def *def, const struct conf *conf,
	struct queue_pass *p, struct mt_error *reterr)
{
	struct listing *l = state;
	struct clock now = clock_real();

	(void)def;
	*l = (struct listing){.open = true};
	sendmail_folders_init(&l->folders);
	l->folders.config = &l->server;
	l->folders.now_ms = clock_utc_ms(&now);
	sendmail_listing_init(&l->text, l->folders.now_ms);
	buf_init(&l->line, LINE_MAX_BYTES);
	p->depth.source = QUEUE_SOURCE_SPOOL;
	if (begin_folders(l, conf, p, reterr) < 0)
		return begin_text(l, conf, p, reterr);
	return 0;
}

static int folders_step(struct listing *l, struct queue_pass *p, struct mt_error *reterr)
{
	struct queue_row row;
	int rc;

	for (int i = 0; i < SLICE_ENTRIES; i++) {
		switch (sendmail_folders_next(&l->folders, &row)) {
		case SENDMAIL_ROW:
			rc = queue_pass_row(p, &row, reterr);
			if (rc < 0)
				return rc;
			break;
		case SENDMAIL_BAD:
			p->bad++;
			p->depth.n[QUEUE_CORRUPT]++;
			break;
		case SENDMAIL_NONE:
			break;
		case SENDMAIL_END:
			(void)buf_printf(&p->detail, "from %zu folders, %s", l->folders.n,
				l->folders.run_interval_ms > 0
					? "next try by the daemon's -q"
					: "next try not known (no -q in its pid file)");
			sendmail_hoststat_describe(l->server.host_status, &p->detail);
			return 0;
		}
	}
	return STEP_AGAIN;
}

static int on_row(void *ctx, struct queue_row *row)
{
	struct listing *l = ctx;

	if (l->submission)
		row->queue = QUEUE_MAILDROP;
	return queue_pass_row(l->pass, row, l->reterr);
}

static int on_listing(void *ctx, struct str bytes)
{
	struct listing *l = ctx;
	int rc = 0;

	while (bytes.n && rc == 0) {
		struct str part = str_first(bytes, str_find_char(bytes, '\n'));
		size_t room = l->line.n < LINE_MAX_BYTES ? LINE_MAX_BYTES - l->line.n : 0;

		(void)buf_add_str(&l->line, str_first(part, room));
		if (part.n < bytes.n) {
			rc = sendmail_listing_line(&l->text, buf_str(&l->line), on_row, l);
			buf_clear(&l->line);
		}
		bytes = str_skip(bytes, part.n + 1);
	}
	return rc;
}

static int listing_failed(const struct listing *l, struct mt_error *reterr)
{
	struct str why = postfix_complaint(spawn_stderr(l->spawn));

	if (str_find(why, STR_LIT("ermission")) < why.n ||
		str_find(why, STR_LIT("permitted")) < why.n ||
		str_find(why, STR_LIT("special privileges")) < why.n)
		return mt_error_set(reterr, MT_EPERM,
			"Sendmail shows its queue to root and the group of its queue folder alone");
	return mt_error_set(
		reterr, MT_EIO, "mailq: exit %d: %.*s", spawn_exit_code(l->spawn), STR_ARG(why));
}

/* The submissions' queue may be another group's: unknown then. */
static int end_of_run(struct listing *l, struct queue_pass *p, struct mt_error *reterr)
{
	bool failed = spawn_exit_code(l->spawn) != 0;
	int rc = sendmail_listing_end(&l->text, on_row, l);

	if (rc < 0)
		return rc;
	if (failed && !l->submission)
		return listing_failed(l, reterr);
	if (failed)
		p->depth.n[QUEUE_MAILDROP] = EVENT_UNKNOWN;
	spawn_close(l->spawn);
	l->spawn = NULL;
	if (!l->submission) {
		l->submission = true;
		rc = start_mailq(l, reterr);
		return rc < 0 ? rc : STEP_AGAIN;
	}
	p->bad += l->text.bad;
	(void)buf_add_z(&p->detail, "by mailq: the queue's files are not readable, next try and "
				    "quarantined messages are not known");
	return 0;
}

static int step(void *state, struct queue_pass *p, struct mt_error *reterr)
{
	struct listing *l = state;
	int rc;

	if (!l->by_text)
		return folders_step(l, p, reterr);
	l->pass = p;
	l->reterr = reterr;
	rc = spawn_step(l->spawn, on_listing, l, reterr);
	if (rc != 0)
		return rc > 0 ? STEP_WAIT : rc;
	return end_of_run(l, p, reterr);
}

static size_t fds(const void *state, struct pollfd *out, size_t max)
{
	const struct listing *l = state;

	return l->spawn ? spawn_fds(l->spawn, out, max) : 0;
}

static void end(void *state)
{
	struct listing *l = state;

	if (!l->open)
		return;
	spawn_close(l->spawn);
	sendmail_folders_done(&l->folders);
	sendmail_listing_done(&l->text);
	buf_done(&l->line);
	free(l->program);
	l->open = false;
}

const struct queue_lister sendmail_lister = {.state_bytes = sizeof(struct listing),
	.begin = begin,
	.step = step,
	.fds = fds,
	.end = end};
