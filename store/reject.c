/* SPDX-License-Identifier: MIT */
/* reject - refusals and other access(5) actions: their rows and what they count. */
#include "store/writer.h"

#define CODE_TEMPORARY_FIRST 400
#define CODE_TEMPORARY_LAST 499
#define DSN_CLASS 1000000
#define DSN_CLASS_TEMPORARY 4

static bool temporary(const struct event *e)
{
	if (str_starts(e->action_text, STR_LIT("temporarily")))
		return true;
	if (e->code > 0)
		return e->code >= CODE_TEMPORARY_FIRST && e->code <= CODE_TEMPORARY_LAST;
	return e->dsn / DSN_CLASS == DSN_CLASS_TEMPORARY;
}

static void add(struct store *s, const struct at *at, enum metric metric)
{
	count_add(&s->counts, at->p->id, at->minute, DIM_TOTAL, 0, metric, 1);
	if (at->service)
		count_add(&s->counts, at->p->id, at->minute, DIM_SERVICE, at->service, metric, 1);
}

static void count(struct store *s, const struct at *at, const struct event *e)
{
	switch (e->action) {
	case REJECT_REJECT:
		add(s, at, METRIC_REJECTED);
		count_add(&s->counts, at->p->id, at->minute, DIM_CODE, code_key(e->dsn, e->code),
			METRIC_REJECTED, 1);
		if (temporary(e))
			add(s, at, METRIC_REJECTED_TEMPORARY);
		break;
	case REJECT_WARN:
		add(s, at, METRIC_REJECT_WARNINGS);
		break;
	case REJECT_HOLD:
		add(s, at, METRIC_HELD);
		break;
	case REJECT_DISCARD:
		add(s, at, METRIC_DISCARDED);
		break;
	case REJECT_FILTER:
	case REJECT_REDIRECT:
	case REJECT_OTHER:
	case REJECT__COUNT:
	default:
		break;
	}
}

/* cleanup(8) throws the whole message away: it never reaches the queue and no "removed" will come. */
static int end_message(
	struct store *s, const struct at *at, const struct event *e, struct mt_error *reterr)
{
	int rc = 0;
	struct message *m;

	if (e->queue_id.n == 0 || (e->action != REJECT_REJECT && e->action != REJECT_DISCARD &&
					  e->action != REJECT_HOLD))
		return 0;
	m = message_open(s, at->p->id, at->host, e->queue_id, &rc, reterr);
	if (!m)
		return rc;
	if (e->action == REJECT_HOLD) {
		m->flags |= MESSAGE_HELD;
		depth_touch(s, m);
		message_dirty(s, m);
	} else if (m->runs == 0 &&
		   (str_eq(e->process, STR_LIT("cleanup")) || e->stage == STAGE_END_OF_DATA)) {
		message_close(s, m, at->t_ms);
	}
	return 0;
}

static int fill(struct store *s, const struct at *at, const struct event *e, struct reject *r,
	struct mt_error *reterr)
{
	struct str local;
	int rc = join_client(s, at, e, &r->client, reterr);

	if (rc == 0 && e->to.n)
		rc = join_domain(s, at, e->to, &local, &r->dom, reterr);
	if (rc == 0)
		rc = join_reply(s, at, e->reply, &r->reply, &r->args, reterr);
	r->word = batch_str(s, e->action_text);
	r->qid = batch_str(s, str_first(e->queue_id, QID_MAX_BYTES));
	r->from = batch_str(s, e->from);
	r->rcpt = batch_str(s, e->to);
	r->helo = batch_str(s, e->helo);
	return rc;
}

static int cluster_refusal(struct store *s, const struct at *at, const struct reject *r,
	struct str text, struct mt_error *reterr)
{
	struct cluster_record record = {.text = text,
		.args = r->args,
		.reply = r->reply,
		.code = code_key(r->dsn, r->code),
		.stage = (enum smtp_stage)r->stage,
		.refusal = true};
	int32_t id;

	return cluster_count(s, at, &record, METRIC_REJECTED, &id, reterr);
}

int reject_event(struct store *s, struct at *at, const struct event *e, struct mt_error *reterr)
{
	struct reject *r = arena_alloc(&s->batch.arena, sizeof(*r));
	int rc;

	if (!r)
		return mt_error_set(reterr, MT_ENOMEM, "cache: the batch is too large");
	*r = (struct reject){.provider = at->p->id,
		.t_ms = at->t_ms,
		.service = at->service,
		.code = e->code,
		.dsn = e->dsn,
		.action = (uint8_t)e->action,
		.stage = (uint8_t)e->stage};
	rc = fill(s, at, e, r, reterr);
	if (rc < 0)
		return rc;
	r->id = s->next_reject++;
	*(struct reject **)vec_add(&s->batch.rejects) = r;
	mark_row(s, r->provider, r->t_ms, 0, 0, r->id);
	count(s, at, e);
	if (e->action == REJECT_REJECT)
		rc = cluster_refusal(s, at, r, e->reply, reterr);
	if (rc < 0)
		return rc;
	service_seen(s, at->p, at->service, e->service);
	return end_message(s, at, e, reterr);
}
