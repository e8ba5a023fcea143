/* SPDX-License-Identifier: MIT */
/* queueaction - see queueaction.h. */
#include "backends/queueaction.h"

#include "backends/actor.h"
#include "store/base/mem.h"

#include <stdio.h>
#include <stdlib.h>

#define QIDS_MAX_BYTES 65536 /* what the log of actions keeps */
#define LINE_MAX_BYTES 1024
#define MS_PER_S 1000

const char *act_verb(enum job_kind kind)
{
	switch (kind) {
	case JOB_HOLD:
		return "hold";
	case JOB_RELEASE:
		return "release";
	case JOB_REQUEUE:
		return "requeue";
	case JOB_DELETE:
		return "delete";
	case JOB_EXPIRE:
		return "expire";
	case JOB_FLUSH:
		return "flush";
	case JOB_LOG_TAIL:
	case JOB_LOG_FIND:
	case JOB_QUEUE_FILE:
	case JOB_UNSUPPRESS:
	case JOB_DETAIL:
	case JOB_PROBE:
		break;
	}
	return NULL;
}

/* The summary grows by ", N words" for what is not 0. */
static void add_count(struct buf *b, int64_t n, const char *words)
{
	if (n > 0)
		(void)buf_printf(b, ", %lld %s", (long long)n, words);
}

void act_summary(struct job_output *out, const char *done_word, const char *left,
	const struct act_result *r, const char *error)
{
	struct buf b;

	buf_init(&b, sizeof(out->summary) - 1);
	(void)buf_printf(&b, "%lld of %lld %s", (long long)r->done, (long long)r->asked, done_word);
	add_count(&b, r->gone, "no longer in the queue");
	add_count(&b, r->changed, "other messages now");
	add_count(&b, r->malformed, "no queue ids");
	add_count(&b, r->passed - r->done, left);
	if (error)
		(void)buf_printf(&b, "; %.60s", error);
	snprintf(out->summary, sizeof(out->summary), "%s", buf_z(&b));
	buf_done(&b);
	out->asked = r->asked;
	out->done = r->done;
}

int act_log(const struct job_request *request, struct job_output *out, struct mt_error *reterr)
{
	char user[ACTOR_MAX_BYTES];
	struct action_row row = {.user = user,
		.verb = act_verb(request->kind),
		.asked = out->asked,
		.done = out->done,
		.result = out->summary};
	struct buf qids;
	int rc;

	actor_name(user, sizeof(user));
	buf_init(&qids, QIDS_MAX_BYTES);
	for (size_t i = 0; i < request->nids && qids.err == MT_OK; i++) {
		if (i > 0)
			(void)buf_add_char(&qids, ' ');
		(void)buf_add_str(&qids, request->ids[i].qid);
	}
	row.qids = buf_str(&qids);
	rc = store_action_at(out->cache_path, request->provider, &row, reterr);
	buf_done(&qids);
	return rc;
}

bool act_canceled(const struct job_output *out)
{
	return out->canceled && out->canceled(out->ctx);
}

void act_check_init(struct act_check *c, const struct job_request *request,
	const struct job_output *out, bool (*id_ok)(struct str id))
{
	*c = (struct act_check){.request = request, .out = out};
	map_init(&c->index);
	c->fate = xcalloc(request->nids + 1, 1);
	for (size_t i = 0; i < request->nids; i++) {
		uint64_t ignored;

		if (!id_ok(request->ids[i].qid))
			c->fate[i] = FATE_MALFORMED;
		else if (map_get(&c->index, request->ids[i].qid, &ignored))
			c->fate[i] = FATE_REPEATED;
		else
			map_set(&c->index, request->ids[i].qid, i);
	}
}

void act_check_done(struct act_check *c)
{
	map_done(&c->index);
	free(c->fate);
}

int act_check_row(void *ctx, struct queue_row *row, struct mt_error *reterr)
{
	struct act_check *c = ctx;
	const struct job_id *id;
	uint64_t at;

	if (act_canceled(c->out))
		return mt_error_set(reterr, MT_ECANCELED, "canceled");
	if (!map_get(&c->index, row->qid, &at))
		return 0;
	id = &c->request->ids[at];
	if (row->arrival_ms / MS_PER_S == id->arrival_ms / MS_PER_S && str_present(row->sender) &&
		str_eq(row->sender, id->sender))
		c->fate[at] = FATE_SAME;
	else
		c->fate[at] = FATE_CHANGED;
	return 0;
}

static void tell(const struct job_output *out, struct str id, const char *what)
{
	struct buf line;

	buf_init(&line, LINE_MAX_BYTES);
	(void)buf_printf(&line, "%.*s: %s", STR_ARG(str_first(id, LINE_MAX_BYTES / 2)), what);
	/* Only a report: without room for it the action goes on. */
	if (out->add && out->add(out->ctx, buf_str(&line), 0) < 0)
		line.n = 0;
	buf_done(&line);
}

int act_check_count(const struct act_check *c, struct act_result *ret,
	int (*keep)(void *ctx, struct str id), void *ctx)
{
	int rc = 0;

	*ret = (struct act_result){.asked = (int64_t)c->request->nids};
	for (size_t i = 0; i < c->request->nids && rc == 0; i++) {
		struct str id = c->request->ids[i].qid;

		switch ((enum act_fate)c->fate[i]) {
		case FATE_MALFORMED:
			ret->malformed++;
			tell(c->out, id, "not a queue id");
			break;
		case FATE_REPEATED:
			ret->asked--;
			break;
		case FATE_GONE:
			ret->gone++;
			tell(c->out, id, "no longer in the queue");
			break;
		case FATE_CHANGED:
			ret->changed++;
			tell(c->out, id, "is another message now");
			break;
		case FATE_SAME:
			ret->passed++;
			rc = keep ? keep(ctx, id) : 0;
			break;
		}
	}
	return rc;
}

int act_give_lines(struct str text, struct job_output *out)
{
	int64_t offset = 0;
	int rc = 0;

	while (text.n > 0 && rc >= 0) {
		struct str line = str_first(text, str_find_char(text, '\n'));

		rc = out->add(out->ctx, line, offset);
		text = str_skip(text, line.n + 1);
		offset += (int64_t)line.n + 1;
	}
	return rc < 0 ? rc : 0;
}
