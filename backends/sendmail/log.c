/* SPDX-License-Identifier: MIT */
/*
 * sendmail/log - the Sendmail log parser: cut lines, read syslog's head, emit what the line tells. Pure.
 *
 * An arrival is told by one line and so gives several events; a to= line gives one a recipient.
 */
#include "backends/sendmail/log.h"

#include "backends/syslogline.h"

#define ANY_TIME_MS INT64_C(4102444800000) /* 2100: what time it was matters not */

void sendmail_log_init(void *state, const struct parse_options *options)
{
	struct sendmail_state *p = state;

	log_lines_init(state, options);
	for (size_t i = 0; i < SENDMAIL_NOTED; i++)
		p->logins[i].pid = p->shakes[i].pid = 0;
	p->next_login = p->next_shake = 0;
	p->timed_out_pid = 0;
}

static void begin(const struct log_lines *p, struct event *e, size_t offset)
{
	event_init(e);
	e->t_utc_ms = p->last_utc_ms;
	e->line_offset = offset;
	e->service = e->process = STR_LIT("sendmail");
	e->runless = e->settles = true;
}

/* Names that sendmail goes by (-L tag). sm-notify is NFS's. */
static bool is_sendmail(struct str tag)
{
	static const struct str names[] = {STR_INIT("sendmail"), STR_INIT("sm-mta"),
		STR_INIT("sm-msp"), STR_INIT("sm-que"), STR_INIT("sm-client"), STR_INIT("sm-acc")};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_starts(tag, names[i]))
			return true;
	return false;
}

static int emit_arrival(struct event *e, const struct event_sink *sink)
{
	int rc = sink->emit(sink->ctx, e);

	if (rc == 0 && str_present(e->message_id)) {
		e->kind = EVENT_MESSAGE_ID;
		rc = sink->emit(sink->ctx, e);
	}
	e->kind = EVENT_QUEUED;
	return rc == 0 ? sink->emit(sink->ctx, e) : rc;
}

static int emit_recipients(
	struct event *e, const struct sendmail_more *more, const struct event_sink *sink)
{
	struct str list = more->recipients;
	int rc = 0;

	do {
		e->to = sendmail_bare(sendmail_take_address(&list));
		rc = sink->emit(sink->ctx, e);
	} while (rc == 0 && list.n && list.p[0] != ',');
	if (rc == 0 && more->gone) {
		e->kind = EVENT_REMOVED;
		rc = sink->emit(sink->ctx, e);
	}
	return rc;
}

static int emit_both(struct event *e, enum event_kind second, const struct event_sink *sink)
{
	int rc = sink->emit(sink->ctx, e);

	e->kind = second;
	return rc == 0 ? sink->emit(sink->ctx, e) : rc;
}

/* A notification has no from= line: this one stands for it. */
static int emit_notice(const struct event *e, const struct event_sink *sink)
{
	struct event child = *e;
	int rc;

	child.kind = EVENT_RECEIVED;
	child.process = STR_LIT("pickup"); /* of nobody's listener */
	child.queue_id = e->child_queue_id;
	child.child_queue_id = child.reply = (struct str){NULL, 0};
	child.from = STR_LIT("");
	rc = emit_both(&child, EVENT_QUEUED, sink);
	return rc == 0 ? sink->emit(sink->ctx, e) : rc;
}

/* text - a line behind its head. */
static int emit_text(struct sendmail_state *p, struct event *e, struct str line, struct str text,
	const struct event_sink *sink)
{
	const struct event head = *e;
	struct sendmail_more more = {0};
	enum sendmail_line what;
	uint64_t part = 0;
	int rc;

	sendmail_take_id(&text, &e->queue_id, &part);
	if (part > 1) { /* the rest of a line that syslog would not take whole */
		e->kind = EVENT_NONE;
		e->text = text;
		return sink->emit(sink->ctx, e);
	}
	if (part == 1 && str_ends(text, STR_LIT(" ...")))
		text.n -= 4;
	what = sendmail_record(p, e, text, &more);
	if (what == SENDMAIL_UNKNOWN)
		what = sendmail_refusal(e, text);
	if (what == SENDMAIL_UNKNOWN)
		what = sendmail_session(p, e, text);
	if (what == SENDMAIL_UNKNOWN)
		what = sendmail_other(e, text);
	switch (what) {
	case SENDMAIL_EVENT:
		return sink->emit(sink->ctx, e);
	case SENDMAIL_ARRIVAL:
		return emit_arrival(e, sink);
	case SENDMAIL_RECIPIENTS:
		return emit_recipients(e, &more, sink);
	case SENDMAIL_NOTICE:
		return emit_notice(e, sink);
	case SENDMAIL_RETURNED:
		rc = emit_notice(e, sink);
		e->kind = EVENT_EXPIRED;
		return rc == 0 ? emit_both(e, EVENT_REMOVED, sink) : rc;
	case SENDMAIL_THROWN:
		return emit_both(e, EVENT_REMOVED, sink);
	case SENDMAIL_UNKNOWN:
	default:
		*e = head;
		e->kind = EVENT_UNPARSED;
		e->text = line;
		return sink->emit(sink->ctx, e);
	}
}

static int emit_line(
	struct log_lines *lines, struct str line, size_t offset, const struct event_sink *sink)
{
	struct sendmail_state *p = (struct sendmail_state *)lines;
	struct syslogline head;
	struct event e;

	begin(lines, &e, offset);
	if (log_line_oversize(lines, line, &e))
		return sink->emit(sink->ctx, &e);
	while (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	e.text = line;
	e.kind = str_trim(line).n ? EVENT_FOREIGN : EVENT_NONE;
	if (!syslogline_read(&lines->stamps, line, lines->scratch, &head))
		return sink->emit(sink->ctx, &e);
	if (head.has_time)
		lines->last_utc_ms = head.t_utc_ms;
	e.t_utc_ms = lines->last_utc_ms;
	e.host = head.host;
	e.pid = head.pid;
	if (!is_sendmail(head.tag))
		return sink->emit(sink->ctx, &e);
	return emit_text(p, &e, line, head.message, sink);
}

int sendmail_log_parse(void *state, struct str bytes, bool final, const struct event_sink *sink,
	size_t *ret_consumed)
{
	return log_lines_parse(state, bytes, final, sink, ret_consumed, emit_line);
}

/* How sure one line makes: a record of ours; only the name: there are programs that pass for sendmail. */
static int sure_of(struct timefmt *stamps, struct str line, char *scratch)
{
	struct syslogline head;
	struct str id;
	uint64_t part;

	if (!syslogline_read(stamps, line, scratch, &head) || !is_sendmail(head.tag))
		return 0;
	sendmail_take_id(&head.message, &id, &part);
	if (str_present(id) && (str_starts(head.message, STR_LIT("from=")) ||
				       str_starts(head.message, STR_LIT("to="))))
		return 90;
	return str_present(id) || str_find(head.message, STR_LIT("daemon")) < head.message.n ? 70
											     : 40;
}

int sendmail_log_looks_like(struct str head)
{
	static const struct str names[] = {STR_INIT("sendmail"), STR_INIT("sm-m")};
	char scratch[8192];
	struct timefmt stamps;
	int best = 0;

	if (str_find(head, names[0]) == head.n && str_find(head, names[1]) == head.n)
		return 0;
	timefmt_init(&stamps, ANY_TIME_MS, NULL);
	while (head.n && best < 90) {
		size_t n = str_find_char(head, '\n');
		struct str line = str_first(head, n);
		int sure = line.n <= sizeof(scratch) ? sure_of(&stamps, line, scratch) : 0;

		best = sure > best ? sure : best;
		head = str_skip(head, n + 1);
	}
	return best;
}
