/* SPDX-License-Identifier: MIT */
/*
 * queued - one message of the queue by what the queue itself says: for messages that no line of the log names.
 * Its identity is the queue id and the arrival time: when the id comes back for another message, this one is gone.
 */
#include "tui/panes/lines.h"
#include "tui/panes/queue_parts.h"
#include "tui/panes/rawlog.h"

#include <inttypes.h>

#define TEXT_MAX_BYTES 4096

struct queued {
	int64_t arrival_ms;
	struct rawlog headers; /* of the queue file */
	bool found;
	struct queue_entry entry; /* texts in the table's arena */
};

static int open_queued(void *state, const struct view *v, int64_t object)
{
	struct queued *s = state;

	(void)v;
	s->arrival_ms = object;
	return 0;
}

static void add_time(struct buf *b, int64_t utc_ms, int64_t now_ms)
{
	if (utc_ms == EVENT_UNKNOWN) {
		(void)buf_add_char(b, '?');
		return;
	}
	timefmt_date_clock(b, utc_ms);
	(void)buf_add_z(b, utc_ms > now_ms ? " (in " : " (");
	timefmt_age(b, utc_ms > now_ms ? utc_ms - now_ms : now_ms - utc_ms);
	(void)buf_add_z(b, utc_ms > now_ms ? ")" : " ago)");
}

static void time_line(struct lines *l, struct buf *b, const char *what, int64_t utc_ms)
{
	buf_clear(b);
	add_time(b, utc_ms, l->v->now_ms);
	lines_wrap(l, STYLE_NORMAL, what, buf_str(b));
}

static void facts(struct lines *l, const struct queue_entry *e)
{
	struct buf b;

	buf_init(&b, TEXT_MAX_BYTES);
	lines_say(l, STYLE_BOLD, "message", "%.*s   %s", STR_ARG(e->qid),
		queue_word_at(l->v, e->provider, e->queue));
	lines_say(l, STYLE_DIM, "",
		"the log that was read names it nowhere; this is what the queue says");
	time_line(l, &b, "arrived", e->arrival_ms);
	lines_address(&b, e->sender);
	lines_wrap(l, STYLE_NORMAL, "from", e->sender.n ? buf_str(&b) : STR_LIT("<>"));
	if (e->size_bytes == EVENT_UNKNOWN)
		lines_say(l, STYLE_NORMAL, "size", "?");
	else
		lines_say(l, STYLE_NORMAL, "size", "%" PRId64 " bytes", e->size_bytes);
	if (e->queue == QUEUE_DEFERRED)
		time_line(l, &b, "next try", e->next_retry_ms);
	if (e->queue == QUEUE_HOLD && e->expires_ms == EVENT_UNKNOWN)
		lines_say(l, STYLE_NORMAL, "expires", "never while on hold");
	else
		time_line(l, &b, e->forced_expire ? "expires (forced)" : "expires", e->expires_ms);
	buf_done(&b);
}

static int recipients(
	struct lines *l, struct reader *r, const struct queue_entry *e, struct mt_error *reterr)
{
	struct queue_rcpt_row *rows = NULL;
	size_t n = 0;
	int rc = read_queue_recipients(r, e->provider, e->qid, &l->t->arena, &rows, &n, reterr);

	if (rc == 0)
		lines_say(l, STYLE_BOLD, "recipients", "%" PRId64 "%s", e->nrcpt,
			(int64_t)n < e->nrcpt ? ", the first are shown" : "");
	for (size_t i = 0; rc == 0 && i < n; i++) {
		lines_wrap(l, STYLE_NORMAL, "  to", rows[i].rcpt);
		if (str_present(rows[i].reason) && rows[i].reason.n)
			lines_wrap(l, STYLE_WARN, "    reason", rows[i].reason);
	}
	return rc;
}

static void headers(struct queued *s, struct lines *l)
{
	const struct job_id id = {
		.qid = s->entry.qid, .sender = s->entry.sender, .arrival_ms = s->entry.arrival_ms};
	struct job_request request = {
		.kind = JOB_QUEUE_FILE, .provider = s->entry.provider, .ids = &id, .nids = 1};
	const struct job_line *lines;
	const char *why = NULL;
	size_t n = 0;

	if (!rawlog_asked(&s->headers))
		rawlog_ask(&s->headers, l->v, &request);
	lines = rawlog_result(&s->headers, &n, &why);
	for (size_t i = 0; lines && i < n; i++)
		lines_wrap(l, STYLE_DIM, i ? "" : "headers", lines[i].text);
	if (!lines && why)
		lines_wrap(l, STYLE_DIM, "headers", str_of(why));
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct queued *s = state;
	struct query q = {.provider = v->query.provider, .queue_id = v->query.qid};
	struct queue_entry *rows = NULL;
	int64_t total = 0;
	size_t n = 0;
	struct lines l;
	int rc = 0;

	lines_begin(&l, t, v);
	s->found = false;
	t->empty = STR_LIT("the message has left the queue");
	if (q.queue_id.n)
		rc = read_queue_list(r, &q, &t->arena, &rows, &n, &total, reterr);
	else
		t->empty = STR_LIT("choose a message in :queue");
	for (size_t i = 0; rc == 0 && i < n && !s->found; i++) {
		if (rows[i].arrival_ms != s->arrival_ms)
			continue;
		s->found = true;
		s->entry = rows[i];
		facts(&l, &s->entry);
		rc = recipients(&l, r, &s->entry, reterr);
		if (rc == 0)
			headers(s, &l);
	}
	return rc;
}

static bool identify(const void *state, const struct view *v, const struct row *row,
	struct job_id *ret, int *ret_provider)
{
	const struct queued *s = state;

	(void)v;
	(void)row;
	if (!s->found)
		return false;
	*ret = (struct job_id){
		.qid = s->entry.qid, .sender = s->entry.sender, .arrival_ms = s->entry.arrival_ms};
	*ret_provider = s->entry.provider;
	return true;
}

static bool tick(void *state, const struct view *v)
{
	struct queued *s = state;

	(void)v;
	return rawlog_tick(&s->headers);
}

static void close_queued(void *state)
{
	struct queued *s = state;

	rawlog_done(&s->headers);
}

const struct pane_ops pane_queued = {
	.name = "queued",
	.title = "Queued message",
	.help = "A message that the queue lists and the log that was read does not name: what the "
		"queue says of it, and the headers of its queue file where this user may read it.",
	.columns = lines_columns,
	.ncolumns = LINES_COLUMNS,
	.state_bytes = sizeof(struct queued),
	.open = open_queued,
	.refresh = refresh,
	.identify = identify,
	.tick = tick,
	.close = close_queued,
};
