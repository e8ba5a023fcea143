/* SPDX-License-Identifier: MIT */
/*
 * queue - how deep it is, and the messages in it with their reason, next retry and expiry; the place for
 * actions. Its tile has the matrix below the depths where there is room.
 */
#include "tui/panes/queue_parts.h"

#include <stdio.h>

#define MATRIX_ROWS 20 /* of the tile */
#define HOUR_MS 3600000
#define DEPTH_ROWS 7 /* of the tile: six queues and the oldest message */

enum col {
	COL_AGE,
	COL_QID,
	COL_QUEUE,
	COL_FROM,
	COL_TO,
	COL_N,
	COL_SIZE,
	COL_NEXT,
	COL_EXPIRES,
	COL_REASON,
	COL__COUNT
};

static const struct column columns[COL__COUNT] = {
	{"age", 8, ALIGN_RIGHT, 1, true, "time since arrival"},
	{"queue id", 16, ALIGN_LEFT, 1, false, "id in the queue"},
	{"queue", 9, ALIGN_LEFT, 3, false, "active, deferred, hold ..."},
	{"from", 22, ALIGN_LEFT, 3, false, "envelope sender; <> is a notification"},
	{"to", 26, ALIGN_LEFT, 1, false, "first recipient"},
	{"rcpts", 6, ALIGN_RIGHT, 4, true, "recipients still in the queue"},
	{"size", 7, ALIGN_RIGHT, 5, true, "bytes"},
	{"retry in", 9, ALIGN_RIGHT, 2, false,
		"next retry by the queue manager's rule, the spool's or retry database's time; ? "
		"unknown"},
	{"expires", 9, ALIGN_RIGHT, 4, false,
		"time left until it is given up; - never (on hold), ? not known"},
	{"reason", 0, ALIGN_LEFT, 1, false, "why the first recipient was deferred last"},
};

static const enum request requests[] = {REQ_MATRIX, REQ_HOLD, REQ_RELEASE, REQ_REQUEUE, REQ_DELETE,
	REQ_EXPIRE, REQ_FLUSH, REQ_NONE};

struct queue {
	struct queue_depths depths;
	struct shape_row *shape; /* in the table's arena */
	size_t nshape;
};

static void fill(struct table *t, const struct queue_entry *e, const struct view *v, uint64_t id)
{
	struct cell *c =
		cells_row(t, COL__COUNT, id, e->queue == QUEUE_HOLD ? STYLE_DIM : STYLE_NORMAL, e);

	if (!c)
		return;
	c[COL_AGE] = cell_age(t, v->now_ms - e->arrival_ms);
	c[COL_QID] = cell_text(t, e->qid);
	c[COL_QUEUE] = cell_words(queue_word_at(v, e->provider, e->queue));
	c[COL_FROM] = e->sender.n ? cell_text(t, e->sender) : cell_words("<>");
	c[COL_TO] = cell_text(t, e->rcpt);
	c[COL_N] = cell_count(t, e->nrcpt);
	c[COL_SIZE] = cell_bytes(t, e->size_bytes);
	c[COL_NEXT] = e->queue != QUEUE_DEFERRED          ? cell_words("-")
		      : e->next_retry_ms == EVENT_UNKNOWN ? cell_words("?")
		      : e->next_retry_ms <= v->now_ms     ? cell_words("now")
						      : cell_age(t, e->next_retry_ms - v->now_ms);
	c[COL_EXPIRES] = e->expires_ms == EVENT_UNKNOWN
				 ? cell_words(e->queue == QUEUE_HOLD ? "-" : "?")
			 : e->expires_ms <= v->now_ms ? cell_words("now")
						      : cell_age(t, e->expires_ms - v->now_ms);
	c[COL_REASON] = cell_reason(t, str_present(e->reason) ? e->reason : STR_LIT(""));
}

static uint64_t identity(const struct queue_entry *e)
{
	uint64_t h = UINT64_C(1469598103934665603) ^ (uint64_t)e->arrival_ms;

	for (size_t i = 0; i < e->qid.n; i++)
		h = (h ^ (unsigned char)e->qid.p[i]) * UINT64_C(1099511628211);
	return h ^ (uint64_t)e->provider;
}

/* Known only if all deferred messages are in the rows and each one's retry is known. */
static int64_t soonest_retry_ms(
	const struct view *v, const struct queue_entry *rows, size_t n, int64_t total)
{
	int64_t soonest = EVENT_UNKNOWN;

	if (!v->live || v->query.text.n > 0 || total != (int64_t)n)
		return EVENT_UNKNOWN;
	for (size_t i = 0; i < n; i++) {
		if (rows[i].queue != QUEUE_DEFERRED)
			continue;
		if (rows[i].next_retry_ms == EVENT_UNKNOWN)
			return EVENT_UNKNOWN;
		if (soonest == EVENT_UNKNOWN || rows[i].next_retry_ms < soonest)
			soonest = rows[i].next_retry_ms;
	}
	return soonest;
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	static const enum queue_sort sorts[COL__COUNT] = {QSORT_AGE, QSORT_QID, QSORT_QUEUE,
		QSORT_SENDER, QSORT_DOMAIN, QSORT_SIZE, QSORT_SIZE, QSORT_NEXT, QSORT_AGE,
		QSORT_AGE};
	struct queue *s = state;
	struct query q = v->query;
	struct queue_entry *rows;
	size_t n = 0;
	struct query shape = {.provider = q.provider, .limit = MATRIX_ROWS};
	int rc = queue_depths_read(&s->depths, r, v, reterr);

	s->nshape = 0;
	if (rc == 0)
		rc = read_queue_shape(r, &shape, false, &t->arena, &s->shape, &s->nshape, reterr);
	q.sort = q.sort >= 0 && q.sort < COL__COUNT ? (int)sorts[q.sort] : QSORT_AGE;
	if (rc == 0)
		rc = read_queue_list(r, &q, &t->arena, &rows, &n, &t->total, reterr);
	if (rc == 0)
		s->depths.next_retry_ms = soonest_retry_ms(v, rows, n, t->total);
	if (rc == 0)
		rc = cells_begin(t, n);
	for (size_t i = 0; i < n && rc == 0; i++)
		fill(t, &rows[i], v, identity(&rows[i]));
	t->empty = STR_LIT(
		"no message is listed: the queue is empty, or it can't be read (see :providers)");
	return rc;
}

static int draw(const void *state, const struct view *v, const struct table *t, struct canvas *c,
	struct rect area)
{
	const struct queue *s = state;

	(void)t;
	queue_depths_line(&s->depths, v, c, (struct rect){area.x + 1, area.y, area.w - 1, 1});
	if (v->live)
		return 1;
	canvas_printf(c, area.x + 1, area.y + 1, area.w - 1, STYLE_WARN,
		"the figures are of that instant, the list is of now");
	return 2;
}

static void tile(const void *state, const struct view *v, const struct table *t, struct canvas *c,
	struct rect area, char *note, size_t note_bytes)
{
	const struct queue *s = state;
	int used = queue_depths_draw(&s->depths, v, c, area);

	(void)t;
	if (area.h >= DEPTH_ROWS + 3 && v->live)
		matrix_draw(s->shape, s->nshape, c,
			(struct rect){area.x, area.y + used + 1, area.w, area.h - used - 1});
	snprintf(note, note_bytes, "%s", queue_source_words(v, s->depths.figures.source));
}

static unsigned request(void *state, enum request req, const struct view *v,
	const struct row *selected, const struct row *const *tagged, size_t ntagged,
	struct pane_target *ret)
{
	(void)state;
	(void)v;
	(void)selected;
	(void)tagged;
	(void)ntagged;
	if (req != REQ_MATRIX)
		return REQRES_NONE;
	ret->pane = "matrix";
	return REQRES_HANDLED | REQRES_OPEN;
}

/* What the log knows of it; of what the log does not know, what the queue says. */
static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	const struct queue_entry *e = selected->ref;

	(void)state;
	(void)v;
	ret->query.provider = e->provider;
	if (e->message)
		return target_message(ret, e->message, e->qid);
	ret->pane = "queued";
	ret->object = e->arrival_ms;
	ret->query.qid = e->qid;
	target_label(ret, "%.*s", STR_ARG(e->qid));
	return true;
}

static bool identify(const void *state, const struct view *v, const struct row *row,
	struct job_id *ret, int *ret_provider)
{
	const struct queue_entry *e = row->ref;

	(void)state;
	(void)v;
	*ret = (struct job_id){.qid = e->qid, .sender = e->sender, .arrival_ms = e->arrival_ms};
	*ret_provider = e->provider;
	return true;
}

const struct pane_ops pane_queue = {
	.name = "queue",
	.title = "Queue",
	.help = "Messages in each of Postfix's queues, counted in the spool where it can be read, "
		"else from postqueue's listing (then corrupt is unknown), else from the log: "
		"messages whose lines were read and that have not left, deferred ones by a "
		"deferred delivery, without the mail that was queued before the log begins.\n"
		"Of Exim: from its spool's files, else by exim -bp. Incoming was not tried yet, "
		"active is being delivered, hold is frozen; release thaws, requeue delivers now, "
		"expire gives up and returns it. Of OpenSMTPD: by smtpctl, as root.\n"
		"Of is qmgr_message_active_limit: from 90% of it on, mail soon waits in incoming.\n"
		"/min is the change of the deferred queue over the last 10 minutes. m shows the "
		"matrix of age and domain. Enter opens the message.\n"
		"Hold, release, requeue, delete, expire and flush act on the tagged or the "
		"selected rows, with --read-write.",
	.number = 1,
	.columns = columns,
	.ncolumns = COL__COUNT,
	.default_sort = COL_AGE,
	.requests = requests,
	.state_bytes = sizeof(struct queue),
	.draw = draw,
	.request = request,
	.tile_hint = {.priority = 4, .min_w = 26, .min_h = 9, .want_w = 38, .want_h = 12},
	.refresh = refresh,
	.tile = tile,
	.enter = enter,
	.identify = identify,
};
