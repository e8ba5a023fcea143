/* SPDX-License-Identifier: MIT */
/*
 * exim/log - the Exim log parser: cut lines, read heads (Exim's own, or syslog's), emit what the line tells.
 *
 * Pure. An arrival is told by one line and so gives several events: received, message-id, queued, and a notification
 * when it is a bounce. Main, reject and panic log are read alike; the headers that the reject log keeps below a
 * refusal are nothing to count.
 */
#include "backends/exim/log.h"

#include "backends/exim/parse.h"
#include "backends/syslogline.h"
#include "store/base/scan.h"

#define PID_DIGITS 10

static int emit_arrival(struct event *e, struct str parent, const struct event_sink *sink)
{
	const struct str id = e->queue_id;
	int rc = sink->emit(sink->ctx, e);

	if (rc == 0 && str_present(parent)) {
		struct event notice;

		event_init(&notice);
		notice.kind = EVENT_NOTIFICATION;
		notice.t_utc_ms = e->t_utc_ms;
		notice.host = e->host;
		notice.service = e->service;
		notice.process = STR_LIT("bounce");
		notice.pid = e->pid;
		notice.line_offset = e->line_offset;
		notice.queue_id = parent;
		notice.child_queue_id = id;
		notice.runless = true;
		rc = sink->emit(sink->ctx, &notice);
	}
	if (rc == 0 && str_present(e->message_id)) {
		e->kind = EVENT_MESSAGE_ID;
		rc = sink->emit(sink->ctx, e);
	}
	if (rc == 0) {
		e->kind = EVENT_QUEUED;
		rc = sink->emit(sink->ctx, e);
	}
	return rc;
}

static void clear_fields(struct event *e)
{
	const struct event head = *e;

	event_init(e);
	e->t_utc_ms = head.t_utc_ms;
	e->host = head.host;
	e->service = head.service;
	e->process = head.process;
	e->pid = head.pid;
	e->line_offset = head.line_offset;
	e->runless = true;
}

/* flag_of - the two bytes of "<=", "=>", "->", ">>", "*>", "**", "==", "(=" and the space behind. */
static bool take_flag(struct str *in, struct str *ret)
{
	static const char flags[][3] = {"=>", "<=", "->", "==", "**", ">>", "*>", "(="};

	if (in->n < 3 || in->p[2] != ' ')
		return false;
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (memcmp(in->p, flags[i], 2) == 0) {
			*ret = str_first(*in, 2);
			*in = str_skip(*in, 3);
			return true;
		}
	return false;
}

/* text - a line behind its stamp and pid. */
static int emit_text(
	struct event *e, struct str line, struct str text, const struct event_sink *sink)
{
	struct str parent = {NULL, 0}, flag, rest = text;
	bool known;

	if (!exim_take_id(&rest, &e->queue_id)) {
		known = exim_of_server(e, rest);
	} else if (!take_flag(&rest, &flag)) {
		known = exim_of_message(e, rest);
	} else if (flag.p[1] == '=' && flag.p[0] == '<') {
		if (exim_arrival(e, rest, &parent))
			return emit_arrival(e, parent, sink);
		known = false;
	} else if (flag.p[0] == '(') { /* a fake reject: taken in, the client was told no */
		known = exim_arrival(e, rest, &parent);
		e->kind = known ? EVENT_RECEIVED : EVENT_UNPARSED;
		if (known)
			return emit_arrival(e, parent, sink);
	} else {
		known = exim_attempt(e, flag, rest);
	}
	if (!known) {
		clear_fields(e);
		e->kind = EVENT_UNPARSED;
		e->text = line;
	}
	return sink->emit(sink->ctx, e);
}

static void take_pid(struct str *in, int32_t *pid)
{
	struct str rest = *in;
	uint64_t value;

	if (scan_lit(&rest, STR_LIT("[")) && scan_u64(&rest, PID_DIGITS, INT32_MAX, &value) &&
		scan_lit(&rest, STR_LIT("] "))) {
		*pid = (int32_t)value;
		*in = rest;
	}
}

/* own_stamp - "2026-11-23 12:00:00.123 +0100 "; false: none, nothing taken. */
static bool own_stamp(struct timefmt *stamps, struct str *in, int64_t *ret_utc_ms)
{
	struct str rest = *in;

	if (rest.n < 20 || rest.p[4] != '-' || rest.p[10] != ' ' ||
		!timefmt_read(stamps, &rest, ret_utc_ms) || !scan_lit(&rest, STR_LIT(" ")))
		return false;
	*in = rest;
	return true;
}

/* below_refusal - what the reject log has below its lines: the envelope, headers, a ruler. */
static bool below_refusal(struct str line)
{
	static const struct str starts[] = {
		STR_INIT("Envelope-"), STR_INIT(" "), STR_INIT("\t"), STR_INIT("----")};

	if (str_trim(line).n == 0)
		return true;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (str_starts(line, starts[i]))
			return true;
	return line.n > 2 && line.p[0] >= 'A' && line.p[0] <= 'Z' && line.p[1] == ' ' &&
	       str_find_char(line, ':') < str_find_char(str_skip(line, 2), ' ') + 2;
}

/* syslog_part - "[2\3] rest": the further parts of a line that syslog could not take whole. */
static bool further_part(struct str *text)
{
	struct str rest = *text;
	uint64_t part, of;

	if (!scan_lit(&rest, STR_LIT("[")) || !scan_u64(&rest, 3, 999, &part))
		return false;
	if (scan_lit(&rest, STR_LIT("/")) && scan_u64(&rest, 3, 999, &of) &&
		scan_lit(&rest, STR_LIT("] "))) {
		*text = rest; /* the first: has what there is to know */
		return false;
	}
	return scan_lit(&rest, STR_LIT("\\"));
}

static bool is_exim(struct str tag)
{
	return str_starts(tag, STR_LIT("exim")) || str_ends(tag, STR_LIT("/exim")) ||
	       str_ends(tag, STR_LIT("/exim4"));
}

static int emit_syslog(
	struct log_lines *p, struct str line, struct event *e, const struct event_sink *sink)
{
	struct syslogline head;
	struct str text;

	e->text = line;
	e->t_utc_ms = p->last_utc_ms;
	if (!syslogline_read(&p->stamps, line, p->scratch, &head)) {
		e->kind = below_refusal(line) ? EVENT_NONE : EVENT_FOREIGN;
		return sink->emit(sink->ctx, e);
	}
	if (head.has_time)
		p->last_utc_ms = head.t_utc_ms;
	text = head.message;
	if (!is_exim(head.tag)) {
		e->t_utc_ms = p->last_utc_ms;
		e->host = head.host;
		e->kind = EVENT_FOREIGN;
		return sink->emit(sink->ctx, e);
	}
	e->host = head.host;
	e->pid = head.pid;
	own_stamp(&p->stamps, &text, &p->last_utc_ms);
	e->t_utc_ms = p->last_utc_ms;
	take_pid(&text, &e->pid);
	if (further_part(&text)) {
		e->kind = EVENT_NONE;
		return sink->emit(sink->ctx, e);
	}
	e->text = text;
	return emit_text(e, line, text, sink);
}

static int emit_line(
	struct log_lines *p, struct str line, size_t offset, const struct event_sink *sink)
{
	struct str text;
	struct event e;

	event_init(&e);
	e.line_offset = offset;
	e.service = STR_LIT("exim");
	e.process = e.service;
	e.runless = true;
	if (log_line_oversize(p, line, &e))
		return sink->emit(sink->ctx, &e);
	while (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	while (line.n && line.p[0] == '\0')
		line = str_skip(line, 1);
	text = line;
	if (!own_stamp(&p->stamps, &text, &p->last_utc_ms))
		return emit_syslog(p, line, &e, sink);
	e.t_utc_ms = p->last_utc_ms;
	take_pid(&text, &e.pid);
	return emit_text(&e, line, text, sink);
}

int exim_log_parse(void *state, struct str bytes, bool final, const struct event_sink *sink,
	size_t *ret_consumed)
{
	return log_lines_parse(state, bytes, final, sink, ret_consumed, emit_line);
}

/* How sure one line makes: an id and a flag or "Completed", or words no other mail server writes. */
static int sure_of(struct timefmt *stamps, struct str line)
{
	static const struct str words[] = {STR_INIT(" authenticator failed for "),
		STR_INIT(" rejected RCPT <"), STR_INIT("Start queue run: pid="),
		STR_INIT("End queue run: pid="), STR_INIT(" daemon started: pid="),
		STR_INIT("(TCP/IP connection count = "), STR_INIT(" rejected connection in "),
		STR_INIT("no host name found for IP address ")};
	struct str text = line, id, flag;
	int64_t t_utc_ms;
	int32_t pid;

	if (str_find(line, STR_LIT(" exim[")) < line.n ||
		str_find(line, STR_LIT(" exim4[")) < line.n ||
		str_find(line, STR_LIT(" exim: ")) < line.n)
		return 90;
	if (!own_stamp(stamps, &text, &t_utc_ms))
		return 0;
	take_pid(&text, &pid);
	if (exim_take_id(&text, &id))
		return take_flag(&text, &flag) || str_starts(text, STR_LIT("Completed")) ? 95 : 70;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (str_find(text, words[i]) < text.n)
			return 80;
	return 0;
}

int exim_log_looks_like(struct str head)
{
	struct timefmt stamps;
	int best = 0;

	timefmt_init(&stamps, 0, NULL);
	while (head.n && best < 95) {
		size_t n = str_find_char(head, '\n');
		int sure = sure_of(&stamps, str_first(head, n));

		best = sure > best ? sure : best;
		head = str_skip(head, n + 1);
	}
	return best;
}
