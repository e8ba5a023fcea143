/* SPDX-License-Identifier: MIT */
/*
 * message - one message: envelope, how it came in, every recipient with its attempts in order of time and the
 * remote servers' own words in full, its family, and below the raw log lines, which a job looks for meanwhile.
 */
#include "tui/panes/lines.h"
#include "tui/panes/rawlog.h"
#include "tui/panes/vendor.h"

#include <inttypes.h>
#include <stdlib.h>

#define TEXT_MAX_BYTES 4096
#define DAY_MS INT64_C(86400000)
#define MINUTE_MS 60000
#define MS_PER_CS 10
#define JOB_IDS_MAX 64

/* Sections of the page; attempts and members of the family have their own row ids behind these. */
enum { SECTION_ENVELOPE = 1, SECTION_LOG = 2, SECTION_NOTES = 3 };
#define SECTION_RECIPIENT UINT64_C(0x10000000000)
#define SECTION_ATTEMPT UINT64_C(0x20000000000)
#define SECTION_FAMILY UINT64_C(0x40000000000)

struct message {
	int64_t id;
	struct rawlog log;
	size_t nattempts; /* when the log was asked last */
};

static void when(struct buf *b, const char *before, int64_t utc_ms)
{
	buf_add_z(b, before);
	if (utc_ms == EVENT_UNKNOWN)
		buf_add_char(b, '?');
	else
		timefmt_date_clock(b, utc_ms);
}

/* " (in 5m)" or " (5m ago)" */
static void from_now(struct buf *b, int64_t utc_ms, int64_t now_ms)
{
	if (utc_ms == EVENT_UNKNOWN)
		return;
	buf_add_z(b, utc_ms > now_ms ? " (in " : " (");
	timefmt_age(b, utc_ms > now_ms ? utc_ms - now_ms : now_ms - utc_ms);
	buf_add_z(b, utc_ms > now_ms ? ")" : " ago)");
}

static void add_size(struct buf *b, int64_t bytes)
{
	if (bytes == EVENT_UNKNOWN)
		buf_add_z(b, "size ?");
	else
		buf_printf(b, "%" PRId64 " bytes", bytes);
}

static void state_line(struct lines *l, struct buf *b, const struct message_detail *d)
{
	const struct message_row *m = &d->message;
	bool open = m->end_ms == EVENT_UNKNOWN;

	if (vendor_is(l->v, m->provider))
		return; /* it was never in a queue here */
	buf_clear(b);
	if (open) {
		buf_printf(b, "in the queue%s%s", d->queue >= 0 ? ": " : "",
			d->queue >= 0 ? queue_word(d->queue) : "");
	} else {
		when(b, "left the queue ", m->end_ms);
		buf_add_z(b, " after ");
		timefmt_age(b, m->end_ms - m->t_ms);
	}
	buf_add_z(b, m->flags & MESSAGE_EXPIRED ? ", expired: given up" : "");
	buf_add_z(b, m->flags & MESSAGE_HELD ? ", was put on hold" : "");
	buf_add_z(b, m->flags & MESSAGE_DELETED ? ", deleted by postsuper" : "");
	lines_wrap(l, m->flags & (MESSAGE_EXPIRED | MESSAGE_DELETED) ? STYLE_BAD : STYLE_NORMAL,
		"state", buf_str(b));
	if (!open)
		return;
	buf_clear(b);
	when(b, "", d->queue_next_retry_ms);
	from_now(b, d->queue_next_retry_ms, l->v->now_ms);
	when(b, ", expires ", d->queue_expires_ms);
	from_now(b, d->queue_expires_ms, l->v->now_ms);
	if (d->queue == EVENT_UNKNOWN)
		buf_add_z(b, "  (not in the newest queue listing)");
	lines_wrap(l, STYLE_NORMAL, "next try", buf_str(b));
	if (str_present(d->queue_reason) && d->queue_reason.n)
		lines_wrap(l, STYLE_WARN, "queued for", d->queue_reason);
}

/* Which port that service is, as the ports view tells it. */
static int came_in_by(struct lines *l, struct buf *b, struct reader *r, const struct message_row *m,
	struct mt_error *reterr)
{
	struct pane_target target = lines_target(l, "ports", "ports");
	struct query q = {.provider = m->provider,
		.service = m->service,
		.t0_ms = m->t_ms,
		.t1_ms = m->t_ms + MINUTE_MS};
	struct port_row *rows = NULL;
	size_t n = 0, first = l->t->nrows;
	int rc = str_present(m->service) ? read_ports(r, &q, &l->t->arena, &rows, &n, reterr) : 0;

	if (rc < 0)
		return rc;
	buf_clear(b);
	buf_add_str(b, str_present(m->service)           ? m->service
		       : m->flags & MESSAGE_LOCAL        ? STR_LIT("this machine (pickup)")
		       : m->flags & MESSAGE_NOTIFICATION ? STR_LIT("made here (bounce)")
							 : STR_LIT("?"));
	if (n > 0 && rows[0].port > 0)
		buf_printf(b, ", port %d", (int)rows[0].port);
	else if (n > 0 && str_present(rows[0].note) && rows[0].note.n)
		buf_printf(b, ", port ? (%.*s)", STR_ARG(rows[0].note));
	lines_wrap(l, STYLE_NORMAL, "came in by", buf_str(b));
	lines_link(l, first, &target);
	return 0;
}

static int envelope(
	struct lines *l, struct reader *r, const struct message_detail *d, struct mt_error *reterr)
{
	const struct message_row *m = &d->message;
	struct pane_target from = lines_target(l, "domain", "sender"),
			   of_user = lines_target(l, "messages", "user");
	size_t first, at = str_rfind_char(m->sender, '@');
	struct buf b;
	int rc;

	lines_section(l, SECTION_ENVELOPE);
	buf_init(&b, TEXT_MAX_BYTES);
	buf_add_str(&b, m->qid);
	when(&b, "   arrived ", m->t_ms);
	from_now(&b, m->t_ms, l->v->now_ms);
	buf_add_z(&b, m->flags & MESSAGE_NO_START ? "  (the log begins after its arrival)" : "");
	buf_add_z(&b, m->flags & MESSAGE_NOTIFICATION ? "  a notification" : "");
	buf_add_z(&b, m->flags & MESSAGE_PROBE ? "  an address probe" : "");
	lines_wrap(l, STYLE_BOLD, "message", buf_str(&b));
	first = l->t->nrows;
	lines_address(&b, m->sender_known ? m->sender : (struct str){NULL, 0});
	lines_wrap(l, STYLE_NORMAL, "from", buf_str(&b));
	if (m->sender_known && at < m->sender.n) {
		from.query.sender_domain = str_skip(m->sender, at + 1);
		lines_link(l, first, &from);
	}
	lines_wrap(l, STYLE_NORMAL, "message-id", m->message_id);
	rc = vendor_is(l->v, m->provider) ? 0 : came_in_by(l, &b, r, m, reterr);
	if (str_present(m->client))
		lines_wrap(l, STYLE_NORMAL, "client", m->client);
	first = l->t->nrows;
	if (str_present(m->user)) {
		lines_wrap(l, STYLE_NORMAL, "user", m->user);
		of_user.query.user = m->user;
		lines_link(l, first, &of_user);
	}
	buf_clear(&b);
	fmt_count(&b, m->nrcpt);
	buf_printf(&b, "%s: %" PRId64 " sent, %" PRId64 " bounced, %" PRId64 " deferred attempts; ",
		m->nrcpt == 1 ? " recipient" : " recipients", m->nsent, m->nbounced, m->ndeferred);
	add_size(&b, m->size_bytes);
	lines_wrap(l, STYLE_NORMAL, "delivery", buf_str(&b));
	state_line(l, &b, d);
	buf_done(&b);
	return rc;
}

static void delay_line(struct lines *l, struct buf *b, const struct attempt_row *a)
{
	enum delay_part worst = longest_delay(a);
	bool told = false;

	for (int i = 0; i < DELAY__COUNT; i++)
		told |= a->delay_cs[i] != EVENT_UNKNOWN;
	if (!told && vendor_is(l->v, l->v->query.provider))
		return; /* a vendor tells none */

	buf_clear(b);
	fmt_cs(b, a->delay_cs[DELAY_TOTAL]);
	for (int i = DELAY_A; i < DELAY__COUNT; i++) {
		buf_printf(
			b, "%s%s ", i == DELAY_A ? " = " : " + ", delay_word((enum delay_part)i));
		fmt_cs(b, a->delay_cs[i]);
	}
	if (worst != DELAY_TOTAL)
		buf_printf(b, "; longest: %s", delay_word(worst));
	lines_wrap(l, STYLE_NORMAL, "  delay", buf_str(b));
}

static void relay_line(struct lines *l, struct buf *b, const struct attempt_row *a)
{
	struct pane_target to = lines_target(l, "domain", "relay");
	size_t first = l->t->nrows;
	const struct explain_rules *rules = l->v->rules;
	const char *provider = explain_provider_name(rules, explain_provider(rules, a->relay));

	buf_clear(b);
	buf_add_str(b, str_present(a->relay) ? a->relay : STR_LIT("?"));
	if (provider[0])
		buf_printf(b, "  (%s)", provider);
	if (str_find_char(a->relay, '[') < a->relay.n) { /* over the network */
		buf_add_z(b, "  TLS ");
		buf_add_str(b, str_present(a->tls) ? a->tls : STR_LIT("? (the log does not say)"));
	}
	lines_wrap(l, STYLE_NORMAL, "  relay", buf_str(b));
	to.query.relay_host = str_first(a->relay, str_find_char(a->relay, '['));
	if (a->relay.n > 0 && to.query.relay_host.n < a->relay.n)
		lines_link(l, first, &to);
}

static void explain_attempt(struct lines *l, const struct attempt_row *a)
{
	struct explain_query q = {.text = a->reply,
		.host = a->relay,
		.key = code_key(a->dsn, a->code),
		.stage = a->stage,
		.status = a->status};

	lines_explain(l, &q);
	if (a->status != STATUS_SENT)
		lines_blocklist(l, a->reply);
}

static void attempt(
	struct lines *l, struct buf *b, const struct message_row *m, const struct attempt_row *a)
{
	int64_t key = code_key(a->dsn, a->code);
	enum style style = status_style(a->status);

	lines_section(l, SECTION_ATTEMPT + (uint64_t)attempt_key(a));
	buf_clear(b);
	when(b, "", a->t_ms);
	if (a->t_ms >= m->t_ms && !(m->flags & MESSAGE_NO_START)) {
		buf_add_z(b, "  +");
		timefmt_age(b, a->t_ms - m->t_ms);
	}
	buf_printf(b, "  %s ",
		a->handed_over ? "handed over to another queue id" : status_word(a->status));
	fmt_code_key(b, key);
	if (!a->handed_over && status_outcome(a->status)[0])
		buf_printf(b, "  (%s)", status_outcome(a->status));
	if (a->stage != STAGE_NONE)
		buf_printf(b, "  in reply to %s", stage_word(a->stage));
	lines_wrap(l, style, "attempt", buf_str(b));
	relay_line(l, b, a);
	delay_line(l, b, a);
	lines_wrap(l, style, "  reply", a->reply);
	if (a->status != STATUS_SENT)
		explain_attempt(l, a);
}

static int by_recipient(const void *left, const void *right)
{
	const struct attempt_row *a = *(const struct attempt_row *const *)left,
				 *b = *(const struct attempt_row *const *)right;
	size_t n = a->rcpt.n < b->rcpt.n ? a->rcpt.n : b->rcpt.n;
	int d = n ? memcmp(a->rcpt.p, b->rcpt.p, n) : 0;

	if (d == 0)
		d = (a->rcpt.n > b->rcpt.n) - (a->rcpt.n < b->rcpt.n);
	if (d == 0)
		d = (a->t_ms > b->t_ms) - (a->t_ms < b->t_ms);
	return d ? d : (a > b) - (a < b);
}

static void recipient(struct lines *l, struct buf *b, const struct attempt_row *a)
{
	struct pane_target to = lines_target(l, "domain", "recipient");
	size_t first = l->t->nrows;

	lines_section(l, SECTION_RECIPIENT + (uint64_t)attempt_key(a));
	lines_address(b, a->rcpt);
	if (str_present(a->orig) && a->orig.n)
		buf_printf(b, "  (written to %.*s)", STR_ARG(a->orig));
	lines_wrap(l, STYLE_TITLE, "recipient", buf_str(b));
	if (a->domain.n) {
		to.query.domain = a->domain;
		lines_link(l, first, &to);
	}
}

/* Each recipient with its attempts on a time line. */
static int recipients(struct lines *l, const struct message_detail *d)
{
	const struct attempt_row **order =
		arena_alloc(&l->t->arena, (d->nattempts + 1) * sizeof(const struct attempt_row *));
	struct buf b;

	if (!order)
		return MT_ELIMIT;
	for (size_t i = 0; i < d->nattempts; i++)
		order[i] = &d->attempts[i];
	if (d->nattempts)
		qsort((void *)order, d->nattempts, sizeof(const struct attempt_row *),
			by_recipient);
	buf_init(&b, TEXT_MAX_BYTES);
	for (size_t i = 0; i < d->nattempts; i++) {
		if (i == 0 || !str_eq(order[i - 1]->rcpt, order[i]->rcpt))
			recipient(l, &b, order[i]);
		attempt(l, &b, &d->message, order[i]);
	}
	buf_done(&b);
	if (d->nattempts == 0)
		lines_say(l, STYLE_DIM, "attempts", "none is in the cache");
	return 0;
}

static void family(struct lines *l, const struct message_detail *d)
{
	struct buf b;

	buf_init(&b, TEXT_MAX_BYTES);
	for (size_t i = 0; i < d->nfamily; i++) {
		const struct message_row *m = &d->family[i];
		struct pane_target to = lines_target(l, "message", "");
		size_t first = l->t->nrows;

		lines_section(l, SECTION_FAMILY + (uint64_t)m->id);
		target_message(&to, m->id, m->qid);
		buf_clear(&b);
		buf_add_str(&b, m->qid);
		when(&b, "  ", m->t_ms);
		buf_printf(&b, "  %s, to ",
			m->flags & MESSAGE_NOTIFICATION ? "the notification"
			: m->flags & MESSAGE_FORWARDED  ? "a forwarded copy"
			: m->flags & MESSAGE_REINJECTED ? "given back by the content filter"
							: "the first of them");
		buf_add_str(&b, str_present(m->first_rcpt) ? m->first_rcpt : STR_LIT("?"));
		lines_wrap(l, STYLE_KEY, "related", buf_str(&b));
		lines_link(l, first, &to);
	}
	buf_done(&b);
}

/* What befell it at a vendor beside the attempts: accepted, opened, complained ... */
static int notes(struct lines *l, struct reader *r, int64_t message, struct mt_error *reterr)
{
	struct note_row *rows = NULL;
	struct buf b;
	size_t n = 0;
	int rc = read_notes(r, message, &l->t->arena, &rows, &n, reterr);

	if (rc < 0)
		return rc;
	buf_init(&b, TEXT_MAX_BYTES);
	lines_section(l, SECTION_NOTES);
	for (size_t i = 0; i < n; i++) {
		buf_clear(&b);
		timefmt_date_clock(&b, rows[i].t_ms);
		buf_printf(&b, "  %s",
			rows[i].kind == API_EVENT_OTHER ? "" : vendor_event_word(rows[i].kind));
		if (rows[i].text.n) {
			buf_add_z(&b, rows[i].kind == API_EVENT_OTHER ? "" : ": ");
			buf_add_str(&b, rows[i].text);
		}
		lines_wrap(l, rows[i].kind == API_EVENT_COMPLAINED ? STYLE_BAD : STYLE_NORMAL,
			rows[i].kind == API_EVENT_OTHER ? "subject" : "event", buf_str(&b));
	}
	buf_done(&b);
	return 0;
}

/* All queue ids it was known by; asked again when there were more attempts since. */
static void ask_log(struct message *s, const struct view *v, const struct message_detail *d)
{
	struct job_id ids[JOB_IDS_MAX];
	size_t n = 0;
	struct job_request request = {
		.kind = vendor_is(v, d->message.provider) ? JOB_DETAIL : JOB_LOG_FIND,
		.provider = d->message.provider,
		.t0_ms = d->message.t_ms - DAY_MS,
		.t1_ms = d->message.end_ms == EVENT_UNKNOWN ? v->now_ms
							    : d->message.end_ms + DAY_MS};

	ids[n++] = (struct job_id){
		.qid = d->message.qid, .sender = d->message.sender, .arrival_ms = d->message.t_ms};
	for (size_t i = 0; i < d->nfamily && n < JOB_IDS_MAX && request.kind == JOB_LOG_FIND; i++)
		ids[n++] = (struct job_id){.qid = d->family[i].qid,
			.sender = d->family[i].sender,
			.arrival_ms = d->family[i].t_ms};
	request.ids = ids;
	request.nids = n;
	if (rawlog_asked(&s->log) && s->nattempts == d->nattempts)
		return;
	s->nattempts = d->nattempts;
	rawlog_ask(&s->log, v, &request);
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
	struct lines l;
	int rc = 0;

	lines_begin(&l, t, v);
	t->empty = STR_LIT("choose a message in :messages, :failures or :deliveries");
	if (!s->id && str_present(v->query.qid)) {
		rc = read_message_by_qid(r, v->query.provider, v->query.qid, &s->id, reterr);
		t->empty = STR_LIT("no message with this queue id is in the cache");
		if (rc == MT_ENOENT)
			return 0;
	}
	if (rc == 0 && s->id)
		rc = read_message(r, s->id, &t->arena, &d, reterr);
	if (rc == MT_ENOENT) {
		t->empty = STR_LIT("this message is no longer in the cache: it is older than what "
				   "the configuration keeps");
		return 0;
	}
	if (rc < 0 || !s->id)
		return rc;
	rc = envelope(&l, r, &d, reterr);
	if (rc == 0)
		rc = recipients(&l, &d);
	if (rc == 0)
		rc = notes(&l, r, s->id, reterr);
	if (rc < 0)
		return rc;
	family(&l, &d);
	ask_log(s, v, &d);
	lines_section(&l, SECTION_LOG);
	if (vendor_is(v, d.message.provider))
		rawlog_detail(&s->log, &l);
	else
		rawlog_lines(&s->log, &l);
	return 0;
}

static bool tick(void *state, const struct view *v)
{
	struct message *s = state;

	(void)v;
	return rawlog_tick(&s->log);
}

static void close_message(void *state)
{
	struct message *s = state;

	rawlog_done(&s->log);
}

const struct pane_ops pane_message = {
	.name = "message",
	.title = "Message",
	.help = "Everything known of one message. Each recipient has its attempts in order of "
		"time: when, "
		"to which relay host[ip]:port, over which TLS, how long it took, the full reply, "
		"what "
		"its code means there, whose side it is on and what to do.\n"
		"delay: delay= of the record, and its parts: before (before the queue manager), "
		"queue (in "
		"it), connect (connection set-up with DNS and TLS), transmit.\n"
		"next try, expires: by the queue manager's rule, from the newest queue listing.\n"
		"related: queue ids of the same message (content filter, forwarding) and its "
		"notifications. Enter on a line opens what it names. Below are the raw log lines.\n"
		"Of a message sent by a vendor: event: what befell it beside attempts (accepted, "
		"opened, complained ...); at vendor: what the vendor itself says of the message, "
		"asked for when this view opens.",
	.columns = lines_columns,
	.ncolumns = LINES_COLUMNS,
	.state_bytes = sizeof(struct message),
	.open = open_message,
	.refresh = refresh,
	.enter = lines_enter,
	.tick = tick,
	.close = close_message,
};
