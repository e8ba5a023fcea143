/* SPDX-License-Identifier: MIT */
/*
 * message - one message: envelope, every attempt with the remote server's own words in full, its family, and
 * the raw log lines, which are looked for in a thread while the rest is already shown.
 */
#include "tui/panes/cells.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define WRAP_COLUMNS 96
#define ROWS_MAX 4096
#define FAMILY_ID UINT64_C(0x100000000)
#define DAY_MS INT64_C(86400000)

enum col { COL_WHAT, COL_TEXT, COL__COUNT };

static const struct column columns[COL__COUNT] = {
	{"", 16, ALIGN_LEFT, 1, false, "what the line tells"},
	{"", 0, ALIGN_LEFT, 1, false, "its text; replies are shown in full, as received"},
};

struct message {
	int64_t id;
	struct job *job;
	bool asked, told;
	const struct services *services;
};

static void line(struct table *t, enum style style, const char *what, struct str text,
	const void *ref, uint64_t id)
{
	struct cell *c = t->nrows < ROWS_MAX
				 ? cells_row(t, COL__COUNT, id ? id : t->nrows + 1, style, ref)
				 : NULL;

	if (!c)
		return;
	c[COL_WHAT] = cell_words(what);
	c[COL_TEXT] = cell_text(t, text);
}

static void wrapped(struct table *t, enum style style, const char *what, struct str text)
{
	do {
		size_t n = text.n > WRAP_COLUMNS ? WRAP_COLUMNS : text.n;

		while (n && n < text.n && n > WRAP_COLUMNS / 2 && text.p[n] != ' ')
			n--;
		line(t, style, what, str_first(text, n), NULL, 0);
		text = str_skip(text, n);
		while (text.n && text.p[0] == ' ')
			text = str_skip(text, 1);
		what = "";
	} while (text.n);
}

MT_PRINTF(4, 5)
static void said(struct table *t, enum style style, const char *what, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	line(t, style, what, str_of(text), NULL, 0);
}

static void envelope(struct table *t, const struct message_row *m)
{
	struct buf b;

	buf_init(&b, 256);
	timefmt_date_clock(&b, m->t_ms);
	said(t, STYLE_BOLD, "message", "%.*s   arrived %s%s", STR_ARG(m->qid), buf_z(&b),
		m->flags & MESSAGE_NO_START ? " (the log begins after its arrival)" : "");
	buf_done(&b);
	line(t, STYLE_NORMAL, "from",
		m->sender_known ? (m->sender.n ? m->sender : STR_LIT("<>")) : STR_LIT("?"), NULL,
		0);
	line(t, STYLE_NORMAL, "message-id", m->message_id, NULL, 0);
	line(t, STYLE_NORMAL, "client", m->client, NULL, 0);
	line(t, STYLE_NORMAL, "service", m->service, NULL, 0);
	if (str_present(m->user))
		line(t, STYLE_NORMAL, "user", m->user, NULL, 0);
	said(t, STYLE_NORMAL, "recipients",
		"%" PRId64 ", %" PRId64 " sent, %" PRId64 " bounced, %" PRId64 " deferred attempts",
		m->nrcpt, m->nsent, m->nbounced, m->ndeferred);
	said(t, STYLE_NORMAL, "state", "%s%s%s",
		m->end_ms == EVENT_UNKNOWN ? "in the queue" : "left the queue",
		m->flags & MESSAGE_EXPIRED ? ", expired" : "",
		m->flags & MESSAGE_DELETED ? ", deleted by postsuper" : "");
}

static const char *longest(const struct attempt_row *a)
{
	static const char *const parts[DELAY__COUNT] = {"", "before the queue manager",
		"in the queue manager", "in the connection set-up", "in the transmission"};
	int best = DELAY_A;

	for (int i = DELAY_B; i < DELAY__COUNT; i++)
		if (a->delay_cs[i] > a->delay_cs[best])
			best = i;
	return a->delay_cs[best] > 0 ? parts[best] : "";
}

static void attempt(struct table *t, const struct attempt_row *a)
{
	struct buf b;
	enum style style = status_style(a->status);

	buf_init(&b, 1024);
	timefmt_date_clock(&b, a->t_ms);
	buf_printf(&b, "  %s", status_word(a->status));
	if (a->dsn) {
		buf_add_char(&b, ' ');
		fmt_dsn(&b, a->dsn);
	}
	buf_add_z(&b, a->handed_over ? "  handed over to another queue id" : "");
	line(t, style, "attempt", buf_str(&b), NULL, 0);
	line(t, style, "  to", a->rcpt, NULL, 0);
	line(t, STYLE_NORMAL, "  relay", a->relay, NULL, 0);
	buf_clear(&b);
	for (int i = 0; i < DELAY__COUNT; i++) {
		buf_add_z(&b, i == 0 ? "" : i == 1 ? "  a/b/c/d " : "/");
		fmt_cs(&b, a->delay_cs[i]);
	}
	if (longest(a)[0])
		buf_printf(&b, "  longest %s", longest(a));
	line(t, STYLE_NORMAL, "  delay", buf_str(&b), NULL, 0);
	wrapped(t, style, "  reply", str_present(a->reply) ? a->reply : STR_LIT("?"));
	buf_done(&b);
}

static void family(struct table *t, const struct message_detail *d)
{
	for (size_t i = 0; i < d->nfamily; i++) {
		const struct message_row *m = &d->family[i];
		struct buf b;

		buf_init(&b, 512);
		buf_printf(&b, "%.*s  %s", STR_ARG(m->qid),
			m->flags & MESSAGE_NOTIFICATION ? "notification"
			: m->flags & MESSAGE_FORWARDED  ? "forwarded"
			: m->flags & MESSAGE_REINJECTED ? "given back by the content filter"
							: "the first one");
		line(t, STYLE_KEY, "family (Enter)", buf_str(&b), m, FAMILY_ID + (uint64_t)m->id);
		buf_done(&b);
	}
}

static void log_lines(struct message *s, struct table *t)
{
	const struct job_line *lines;
	size_t n = 0;

	if (!s->job)
		return;
	if (s->services->state(s->job, NULL) == JOB_RUNNING) {
		line(t, STYLE_DIM, "log", STR_LIT("reading the log ..."), NULL, 0);
		return;
	}
	if (s->services->state(s->job, NULL) == JOB_FAILED) {
		line(t, STYLE_DIM, "log", STR_LIT("the log can't be read"), NULL, 0);
		return;
	}
	lines = s->services->lines(s->job, &n);
	for (size_t i = 0; i < n; i++)
		line(t, STYLE_DIM, i ? "" : "log", lines[i].text, NULL, 0);
}

static struct str provider_name(const struct view *v, int provider)
{
	for (size_t i = 0; i < v->nproviders; i++)
		if (v->providers[i].id == provider)
			return v->providers[i].name;
	return (struct str){NULL, 0};
}

static void ask_log(struct message *s, const struct view *v, const struct message_row *m)
{
	struct job_id id = {.qid = m->qid, .sender = m->sender, .arrival_ms = m->t_ms};
	struct job_request request = {.kind = JOB_LOG_FIND,
		.provider = m->provider,
		.provider_name = provider_name(v, m->provider),
		.t0_ms = m->t_ms - DAY_MS,
		.t1_ms = m->end_ms == EVENT_UNKNOWN ? v->now_ms : m->end_ms + DAY_MS,
		.ids = &id,
		.nids = 1};

	if (s->asked || !v->services)
		return;
	s->asked = true;
	s->services = v->services;
	if (v->services->start(v->services->ctx, &request, &s->job, NULL) < 0)
		s->job = NULL;
}

static int open_message(void *state, const struct view *v, int64_t object)
{
	struct message *s = state;

	(void)v;
	s->id = object;
	return 0;
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct message *s = state;
	struct message_detail d;
	int rc = cells_begin(t, ROWS_MAX);

	t->presorted = true;
	t->total = EVENT_UNKNOWN;
	t->empty = STR_LIT("choose a message in :messages or :failures");
	if (rc == 0 && s->id)
		rc = read_message(r, s->id, &t->arena, &d, reterr);
	if (rc < 0 || !s->id)
		return rc;
	envelope(t, &d.message);
	if (d.queue_next_retry_ms != EVENT_UNKNOWN) {
		struct buf b;

		buf_init(&b, 64);
		timefmt_date_clock(&b, d.queue_next_retry_ms);
		said(t, STYLE_NORMAL, "next retry", "%s", buf_z(&b));
		buf_done(&b);
	}
	for (size_t i = 0; i < d.nattempts; i++)
		attempt(t, &d.attempts[i]);
	family(t, &d);
	ask_log(s, v, &d.message);
	log_lines(s, t);
	return 0;
}

static bool tick(void *state, const struct view *v)
{
	struct message *s = state;

	(void)v;
	if (!s->job || s->told || s->services->state(s->job, NULL) == JOB_RUNNING)
		return false;
	s->told = true;
	return true;
}

static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	const struct message_row *m = selected->ref;

	(void)state;
	(void)v;
	if (!m)
		return false;
	ret->pane = "message";
	ret->object = m->id;
	snprintf(ret->label, sizeof(ret->label), "%.*s", STR_ARG(m->qid));
	return true;
}

static void close_message(void *state)
{
	struct message *s = state;

	if (s->job)
		s->services->drop(s->job);
}

const struct pane_ops pane_message = {
	.name = "message",
	.title = "Message",
	.help = "Everything known of one message. delay is delay= of the record, a/b/c/d its "
		"parts: before the queue "
		"manager, in it, connection set-up, transmission.",
	.columns = columns,
	.ncolumns = COL__COUNT,
	.state_bytes = sizeof(struct message),
	.open = open_message,
	.refresh = refresh,
	.enter = enter,
	.tick = tick,
	.close = close_message,
};
