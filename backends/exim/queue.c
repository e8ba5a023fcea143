/* SPDX-License-Identifier: MIT */
/* exim/queue - how an Exim's queue is listed: the retry database, then the spool's files, or `exim -bpru` instead. */
#include "backends/exim/queue.h"

#include "backends/exim/discover.h"
#include "backends/exim/listing.h"
#include "backends/exim/spool.h"
#include "backends/queuesource.h"
#include "backends/spawn.h"
#include "backends/spawnlines.h"
#include "store/base/mem.h"

#include <stdlib.h>

#define SLICE_ENTRIES 400 /* ~10 ms */
#define DUMP_TIMEOUT_MS 60000
#define LIST_TIMEOUT_MS 300000
#define DUMP_MAX_BYTES (64u << 20)
#define OUTPUT_MAX_BYTES ((size_t)1 << 30)
#define LINE_MAX_BYTES (64u << 10)

enum phase { PHASE_DUMP, PHASE_SPOOL, PHASE_LISTING };

struct listing {
	bool open;
	enum phase phase;
	struct exim_retry retry;
	struct exim_spool spool;
	struct exim_listing text;
	struct spawn *spawn; /* exim_dumpdb or exim -bpru */
	struct buf output; /* of exim_dumpdb */
	struct spawn_lines lines; /* of exim */
	char *folder;
	bool asked; /* frozen_timeout_ms was; kept from one listing to the next */
	int64_t frozen_timeout_ms;
	struct queue_pass *pass; /* of the step under way, with its reterr */
	struct mt_error *reterr;
};

static int take_line(void *ctx, struct str line)
{
	struct listing *l = ctx;
	int rc = exim_listing_line(&l->text, line);

	if (rc > 0)
		return queue_pass_row(l->pass, &l->text.row, l->reterr);
	return rc < 0 ? mt_error_set(l->reterr, rc, "no room for a queued message") : 0;
}

static int start(struct listing *l, const char *const *argv, int64_t timeout_ms, size_t max_bytes,
	struct mt_error *reterr)
{
	struct spawn_request request = {
		.argv = argv, .timeout_ms = timeout_ms, .max_bytes = max_bytes};

	return spawn_open(&request, &l->spawn, reterr);
}

/* The retry database, if there is a program to read it; without, the next try is not known. */
static void start_dump(struct listing *l, const struct conf *conf)
{
	char *tool = exim_dump_program(conf);
	const char *argv[] = {tool, "-z", l->folder, "retry", NULL};

	l->phase = PHASE_DUMP;
	if (!tool || start(l, argv, DUMP_TIMEOUT_MS, DUMP_MAX_BYTES, NULL) < 0)
		l->phase = PHASE_SPOOL;
	free(tool);
}

static int start_listing(
	struct listing *l, const struct conf *conf, struct queue_pass *p, struct mt_error *reterr)
{
	char *tool = exim_program(conf);
	const char *argv[] = {tool, "-bpru", NULL};
	int rc = tool ? start(l, argv, LIST_TIMEOUT_MS, OUTPUT_MAX_BYTES, reterr)
		      : mt_error_set(reterr, MT_ENOENT, "no exim program on this machine");

	free(tool);
	l->phase = PHASE_LISTING;
	p->depth.source = QUEUE_SOURCE_LISTING;
	p->depth.n[QUEUE_INCOMING] = p->depth.n[QUEUE_ACTIVE] = p->depth.n[QUEUE_CORRUPT] =
		EVENT_UNKNOWN;
	return rc;
}

static int begin(void *state, const struct instance_def *def, const struct conf *conf,
	struct queue_pass *p, struct mt_error *reterr)
{
	struct listing *l = state;
	int64_t frozen_ms = l->asked ? l->frozen_timeout_ms : exim_frozen_timeout_ms(conf);
	int rc = MT_ENOENT;

	*l = (struct listing){
		.open = true, .spool = {.fd = -1}, .asked = true, .frozen_timeout_ms = frozen_ms};
	exim_retry_init(&l->retry);
	exim_listing_init(&l->text);
	buf_init(&l->output, DUMP_MAX_BYTES);
	spawn_lines_init(&l->lines, LINE_MAX_BYTES, take_line, l);
	p->depth.n[QUEUE_MAILDROP] = EVENT_UNKNOWN; /* Exim has none */
	if (def->spool_dir)
		rc = exim_spool_open(&l->spool, def->spool_dir, reterr);
	if (rc < 0)
		return start_listing(l, conf, p, reterr);
	p->depth.source = QUEUE_SOURCE_SPOOL;
	l->folder = xstrdup(def->spool_dir);
	l->spool.retry = &l->retry;
	l->spool.frozen_timeout_ms = frozen_ms;
	start_dump(l, conf);
	return 0;
}

static int on_dump(void *ctx, struct str bytes)
{
	struct listing *l = ctx;

	return buf_add_str(&l->output, bytes);
}

static int dump_step(struct listing *l)
{
	int rc = spawn_step(l->spawn, on_dump, l, NULL);

	if (rc > 0)
		return STEP_WAIT;
	if (rc == 0 && spawn_exit_code(l->spawn) == 0)
		exim_retry_parse(&l->retry, buf_str(&l->output));
	spawn_close(l->spawn);
	l->spawn = NULL;
	buf_done(&l->output);
	l->phase = PHASE_SPOOL;
	return STEP_AGAIN;
}

static int spool_step(struct listing *l, struct queue_pass *p, struct mt_error *reterr)
{
	struct queue_row row;
	int rc;

	for (int i = 0; i < SLICE_ENTRIES; i++) {
		switch (exim_spool_next(&l->spool, &row)) {
		case EXIM_SPOOL_ROW:
			rc = queue_pass_row(p, &row, reterr);
			if (rc < 0)
				return rc;
			break;
		case EXIM_SPOOL_BAD:
			p->bad++;
			p->depth.n[QUEUE_CORRUPT]++;
			break;
		case EXIM_SPOOL_NONE:
			break;
		case EXIM_SPOOL_END:
			(void)buf_printf(&p->detail, "from %s, %s", l->folder,
				l->retry.known ? "next try by the retry database"
					       : "next try not known (no exim_dumpdb)");
			return 0;
		}
	}
	return STEP_AGAIN;
}

static int listing_failed(const struct listing *l, struct mt_error *reterr)
{
	struct str why = postfix_complaint(spawn_stderr(l->spawn));

	if (str_find(why, STR_LIT("permission denied")) < why.n)
		return mt_error_set(reterr, MT_EPERM,
			"Exim shows its queue to its admins alone: add this user to the group of "
			"its spool");
	return mt_error_set(reterr, MT_EIO, "exim -bpru: exit %d: %.*s", spawn_exit_code(l->spawn),
		STR_ARG(why));
}

static int listing_step(struct listing *l, struct queue_pass *p, struct mt_error *reterr)
{
	int rc;

	l->pass = p;
	l->reterr = reterr;
	rc = spawn_step(l->spawn, spawn_lines_take, &l->lines, reterr);
	if (rc == 0 && spawn_exit_code(l->spawn) != 0)
		return listing_failed(l, reterr);
	if (rc != 0)
		return rc > 0 ? STEP_WAIT : rc;
	p->bad += l->text.bad;
	(void)buf_add_z(&p->detail,
		"by exim -bp: the spool is not readable, next try and reasons are not known");
	return l->text.open ? take_line(l, STR_LIT("")) : 0;
}

static int step(void *state, struct queue_pass *p, struct mt_error *reterr)
{
	struct listing *l = state;

	switch (l->phase) {
	case PHASE_DUMP:
		return dump_step(l);
	case PHASE_SPOOL:
		return spool_step(l, p, reterr);
	case PHASE_LISTING:
		break;
	}
	return listing_step(l, p, reterr);
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
	exim_spool_close(&l->spool);
	exim_retry_done(&l->retry);
	exim_listing_done(&l->text);
	buf_done(&l->output);
	buf_done(&l->lines.line);
	free(l->folder);
	l->open = false;
}

const struct queue_lister exim_lister = {.state_bytes = sizeof(struct listing),
	.begin = begin,
	.step = step,
	.fds = fds,
	.end = end};
