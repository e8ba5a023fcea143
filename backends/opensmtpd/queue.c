/* SPDX-License-Identifier: MIT */
/* opensmtpd/queue - the queue by `smtpctl show queue`. */
#include "backends/opensmtpd/queue.h"

#include "backends/opensmtpd/listing.h"
#include "backends/queuesource.h"
#include "backends/spawn.h"
#include "backends/spawnlines.h"

#include <stdlib.h>
#include <unistd.h>

#define LIST_TIMEOUT_MS 300000
#define OUTPUT_MAX_BYTES ((size_t)1 << 30)
#define LINE_MAX_BYTES (64u << 10)

struct listing {
	bool open;
	struct opensmtpd_listing text;
	struct spawn_lines lines;
	struct spawn *spawn;
	struct queue_pass *pass; /* of the step under way, with its reterr */
	struct mt_error *reterr;
};

static int take_line(void *ctx, struct str line)
{
	struct listing *l = ctx;
	struct queue_row row;
	int rc = opensmtpd_listing_line(&l->text, line, &row);

	if (rc == 1) {
		rc = queue_pass_row(l->pass, &row, l->reterr);
		if (rc == 0)
			rc = opensmtpd_listing_line(&l->text, line, &row);
		return rc;
	}
	return rc < 0 ? mt_error_set(l->reterr, rc, "no room for a queued message") : 0;
}

static int begin(void *state, const struct instance_def *def, const struct conf *conf,
	struct queue_pass *p, struct mt_error *reterr)
{
	char *tool = spawn_find_tool("smtpctl");
	const char *argv[] = {tool, "show", "queue", NULL};
	struct spawn_request request = {
		.argv = argv, .timeout_ms = LIST_TIMEOUT_MS, .max_bytes = OUTPUT_MAX_BYTES};
	struct clock clock = clock_real();
	struct listing *l = state;
	int rc;

	(void)def;
	(void)conf;
	*l = (struct listing){.open = true};
	opensmtpd_listing_init(&l->text, clock_utc_ms(&clock));
	spawn_lines_init(&l->lines, LINE_MAX_BYTES, take_line, l);
	p->depth.n[QUEUE_MAILDROP] = p->depth.n[QUEUE_CORRUPT] =
		EVENT_UNKNOWN; /* OpenSMTPD tells of none */
	rc = tool ? spawn_open(&request, &l->spawn, reterr)
		  : mt_error_set(reterr, MT_ENOENT, "no smtpctl on this machine");
	free(tool);
	return rc;
}

static int failed(const struct listing *l, struct mt_error *reterr)
{
	struct str why = postfix_complaint(spawn_stderr(l->spawn));

	if (str_find(why, STR_LIT("root privileges")) < why.n || geteuid() != 0)
		return mt_error_set(reterr, MT_EPERM, "smtpctl shows the queue to root alone");
	return mt_error_set(reterr, MT_EIO, "smtpctl show queue: exit %d: %.*s",
		spawn_exit_code(l->spawn), STR_ARG(why));
}

static int step(void *state, struct queue_pass *p, struct mt_error *reterr)
{
	struct listing *l = state;
	struct queue_row row;
	int rc;

	l->pass = p;
	l->reterr = reterr;
	rc = spawn_step(l->spawn, spawn_lines_take, &l->lines, reterr);
	if (rc == 0 && spawn_exit_code(l->spawn) != 0)
		return failed(l, reterr);
	if (rc != 0)
		return rc > 0 ? STEP_WAIT : rc;
	rc = spawn_lines_end(&l->lines);
	if (rc == 0 && opensmtpd_listing_end(&l->text, &row))
		rc = queue_pass_row(l->pass, &row, l->reterr);
	p->bad += l->text.bad;
	(void)buf_add_z(&p->detail, l->text.offline
					    ? "by smtpctl, smtpd is down: next try not known"
					    : "by smtpctl, sizes are not told");
	return rc;
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
	opensmtpd_listing_done(&l->text);
	buf_done(&l->lines.line);
	*l = (struct listing){.open = false};
}

const struct queue_lister opensmtpd_lister = {.state_bytes = sizeof(struct listing),
	.begin = begin,
	.step = step,
	.fds = fds,
	.end = end};
