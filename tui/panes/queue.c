/* SPDX-License-Identifier: MIT */
/* queue - how deep it is, and the messages in it with their reason, next retry and expiry; the place for actions. */
#include "tui/panes/cells.h"

#include <stdio.h>

#define SLOTS 16

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
		"next retry by the queue manager's rule, or the spool's own time; ? unknown"},
	{"expires", 9, ALIGN_RIGHT, 4, false, "time left until it is returned; - never (on hold)"},
	{"reason", 0, ALIGN_LEFT, 1, false, "why the first recipient was deferred last"},
};

static const enum request requests[] = {
	REQ_HOLD, REQ_RELEASE, REQ_REQUEUE, REQ_DELETE, REQ_EXPIRE, REQ_FLUSH, REQ_NONE};

struct queue {
	struct queue_figures figures;
	int64_t deferred[SLOTS], active[SLOTS];
};

static void fill(struct table *t, const struct queue_entry *e, const struct view *v, uint64_t id)
{
	struct cell *c =
		cells_row(t, COL__COUNT, id, e->queue == QUEUE_HOLD ? STYLE_DIM : STYLE_NORMAL, e);

	if (!c)
		return;
	c[COL_AGE] = cell_age(t, v->now_ms - e->arrival_ms);
	c[COL_QID] = cell_text(t, e->qid);
	c[COL_QUEUE] = cell_words(queue_word((int)e->queue));
	c[COL_FROM] = e->sender.n ? cell_text(t, e->sender) : cell_words("<>");
	c[COL_TO] = cell_text(t, e->rcpt);
	c[COL_N] = cell_count(t, e->nrcpt);
	c[COL_SIZE] = cell_bytes(t, e->size_bytes);
	c[COL_NEXT] = e->queue != QUEUE_DEFERRED          ? cell_words("-")
		      : e->next_retry_ms == EVENT_UNKNOWN ? cell_words("?")
		      : e->next_retry_ms <= v->now_ms     ? cell_words("now")
						      : cell_age(t, e->next_retry_ms - v->now_ms);
	c[COL_EXPIRES] = e->expires_ms == EVENT_UNKNOWN ? cell_words("-")
			 : e->expires_ms <= v->now_ms   ? cell_words("now")
							: cell_age(t, e->expires_ms - v->now_ms);
	c[COL_REASON] = cell_text(t, str_present(e->reason) ? e->reason : STR_LIT(""));
}

static uint64_t identity(const struct queue_entry *e)
{
	uint64_t h = UINT64_C(1469598103934665603) ^ (uint64_t)e->arrival_ms;

	for (size_t i = 0; i < e->qid.n; i++)
		h = (h ^ (unsigned char)e->qid.p[i]) * UINT64_C(1099511628211);
	return h ^ (uint64_t)e->provider;
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
	int rc = read_queue(r, &q, &s->figures, reterr);

	if (rc == 0)
		rc = read_queue_series(r, &q, QUEUE_DEFERRED, s->deferred, SLOTS, reterr);
	if (rc == 0)
		rc = read_queue_series(r, &q, QUEUE_ACTIVE, s->active, SLOTS, reterr);
	q.sort = q.sort >= 0 && q.sort < COL__COUNT ? (int)sorts[q.sort] : QSORT_AGE;
	if (rc == 0)
		rc = read_queue_list(r, &q, &t->arena, &rows, &n, &t->total, reterr);
	if (rc == 0)
		rc = cells_begin(t, n);
	for (size_t i = 0; i < n && rc == 0; i++)
		fill(t, &rows[i], v, identity(&rows[i]));
	t->empty = STR_LIT(
		"no message is listed: the queue is empty, or it can't be read (see :providers)");
	return rc;
}

static const char *source_words(enum queue_source source)
{
	return source == QUEUE_SOURCE_SPOOL       ? "spool"
	       : source == QUEUE_SOURCE_POSTQUEUE ? "postqueue"
	       : source == QUEUE_SOURCE_LOG       ? "from the log alone"
						  : "not known yet";
}

static void depth(const struct queue *s, struct canvas *c, struct rect area, const struct view *v)
{
	for (int i = 0; i < QUEUE__COUNT && i < area.h; i++) {
		struct buf b;

		buf_init(&b, 64);
		fmt_count(&b, s->figures.n[i]);
		canvas_printf(c, area.x, area.y + i, 9, STYLE_NORMAL, "%s", queue_word(i));
		canvas_number(c, area.x + 9, area.y + i, 10,
			i == QUEUE_CORRUPT && s->figures.n[i] > 0 ? STYLE_BAD : STYLE_NORMAL,
			buf_str(&b));
		buf_done(&b);
		if (i == QUEUE_DEFERRED && area.w >= 20 + SLOTS)
			canvas_spark(c, area.x + 20, area.y + i, SLOTS, STYLE_GRAPH, s->deferred,
				SLOTS, 0);
		if (i == QUEUE_ACTIVE && area.w >= 20 + SLOTS)
			canvas_spark(c, area.x + 20, area.y + i, SLOTS, STYLE_GRAPH, s->active,
				SLOTS, 0);
	}
	if (area.h > QUEUE__COUNT) {
		struct buf b;

		buf_init(&b, 128);
		if (s->figures.oldest_ms != EVENT_UNKNOWN)
			timefmt_age(&b, v->now_ms - s->figures.oldest_ms);
		else
			buf_add_char(&b, '-');
		canvas_printf(c, area.x, area.y + QUEUE__COUNT, area.w, STYLE_DIM, "oldest %s",
			buf_z(&b));
		buf_done(&b);
	}
}

static void tile(const void *state, const struct view *v, const struct table *t, struct canvas *c,
	struct rect area, char *note, size_t note_bytes)
{
	const struct queue *s = state;

	(void)t;
	depth(s, c, area, v);
	snprintf(note, note_bytes, "%s", source_words(s->figures.source));
}

static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	const struct queue_entry *e = selected->ref;

	(void)state;
	(void)v;
	ret->pane = "message";
	ret->query.qid = e->qid;
	ret->query.provider = e->provider;
	snprintf(ret->label, sizeof(ret->label), "%.*s", STR_ARG(e->qid));
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
		"else from postqueue's "
		"listing (then maildrop and corrupt are unknown), else from the log alone.\n"
		"Hold, release, requeue, delete, expire and flush act on the tagged or the "
		"selected rows, with --read-write.",
	.number = 1,
	.columns = columns,
	.ncolumns = COL__COUNT,
	.default_sort = COL_AGE,
	.requests = requests,
	.state_bytes = sizeof(struct queue),
	.tile_hint = {.priority = 4, .min_w = 26, .min_h = 9, .want_w = 38, .want_h = 12},
	.refresh = refresh,
	.tile = tile,
	.enter = enter,
	.identify = identify,
};
