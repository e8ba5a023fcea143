/* SPDX-License-Identifier: MIT */
/* opensmtpd/log - the OpenSMTPD log parser: cut lines, read syslog's head, emit what the line tells. Pure. */
#include "backends/opensmtpd/log.h"

#include "backends/opensmtpd/parse.h"
#include "backends/syslogline.h"

static void begin(struct log_lines *p, struct event *e, size_t offset)
{
	event_init(e);
	e->t_utc_ms = p->last_utc_ms;
	e->line_offset = offset;
	e->service = STR_LIT("opensmtpd");
	e->process = STR_LIT("smtpd");
	e->runless = e->settles = true;
}

static bool is_opensmtpd(struct str tag)
{
	return str_eq(tag, STR_LIT("smtpd")) || str_eq(tag, STR_LIT("opensmtpd")) ||
	       str_eq(tag, STR_LIT("transfer"));
}

/* Fills the event; true: it stands for an arrival. */
static bool read_line(struct log_lines *p, struct str line, struct event *e)
{
	const size_t offset = e->line_offset;
	struct syslogline head;
	bool accepted = false;

	e->text = line;
	e->kind = EVENT_FOREIGN;
	if (str_trim(line).n == 0)
		e->kind = EVENT_NONE;
	if (!syslogline_read(&p->stamps, line, p->scratch, &head))
		return false;
	if (head.has_time)
		p->last_utc_ms = head.t_utc_ms;
	e->t_utc_ms = p->last_utc_ms;
	e->host = head.host;
	e->pid = head.pid;
	if (!is_opensmtpd(head.tag))
		return false;
	if (opensmtpd_line(e, head.message, &accepted))
		return accepted;
	begin(p, e, offset);
	e->host = head.host;
	e->pid = head.pid;
	e->kind = EVENT_UNPARSED;
	e->text = line;
	return false;
}

static int emit_line(
	struct log_lines *p, struct str line, size_t offset, const struct event_sink *sink)
{
	bool accepted = false;
	struct event e;
	int rc;

	begin(p, &e, offset);
	if (!log_line_oversize(p, line, &e))
		accepted = read_line(p, line, &e);
	rc = sink->emit(sink->ctx, &e);
	if (rc == 0 && accepted) {
		e.kind = EVENT_QUEUED;
		rc = sink->emit(sink->ctx, &e);
	}
	return rc;
}

int opensmtpd_log_parse(void *state, struct str bytes, bool final, const struct event_sink *sink,
	size_t *ret_consumed)
{
	return log_lines_parse(state, bytes, final, sink, ret_consumed, emit_line);
}

int opensmtpd_log_looks_like(struct str head)
{
	static const struct str marks[] = {STR_INIT(" smtp connected "), STR_INIT(" smtp message "),
		STR_INIT(" mta delivery "), STR_INIT(" mda delivery "), STR_INIT(" mta event="),
		STR_INIT(" smtp event="), STR_INIT(": smtp-in: "), STR_INIT(": relay: "),
		STR_INIT(": delivery: "), STR_INIT(" mta connecting "), STR_INIT("OpenSMTPD")};

	if (str_find(head, STR_LIT(" smtpd[")) == head.n)
		return 0;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (str_find(head, marks[i]) < head.n)
			return 85;
	return 0;
}
