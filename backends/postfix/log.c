/* SPDX-License-Identifier: MIT */
/*
 * log - the Postfix log parser: cut lines, read heads, find the daemon's function, emit one event a line.
 *
 * Pure: what it knows is the reader of time stamps. A line of another program is EVENT_FOREIGN; a Postfix line
 * that no function knows is EVENT_UNPARSED with its whole text, so that it is counted and can be looked at.
 */
#include "backends/postfix/log.h"

#include "backends/postfix/parse.h"
#include "backends/syslogline.h"
#include "store/base/scan.h"

#define LOG_LINE_MAX_BYTES                                                                         \
	(64u << 10) /* syslog cuts at 8 KiB at the latest; the journal at 48 KiB */

static const struct {
	struct str process;
	bool (*parse)(struct event *e, struct str rest);
} daemons[] = {
	{STR_INIT("anvil"), postfix_quiet},
	{STR_INIT("bounce"), postfix_bounce},
	{STR_INIT("cleanup"), postfix_cleanup},
	{STR_INIT("defer"), postfix_bounce},
	{STR_INIT("discard"), postfix_client},
	{STR_INIT("error"), postfix_client},
	{STR_INIT("lmtp"), postfix_client},
	{STR_INIT("local"), postfix_client},
	{STR_INIT("master"), postfix_master},
	{STR_INIT("nqmgr"), postfix_qmgr},
	{STR_INIT("oqmgr"), postfix_qmgr},
	{STR_INIT("pickup"), postfix_pickup},
	{STR_INIT("pipe"), postfix_client},
	{STR_INIT("postfix-script"), postfix_master},
	{STR_INIT("postscreen"), postfix_postscreen},
	{STR_INIT("postsuper"), postfix_postsuper},
	{STR_INIT("qmgr"), postfix_qmgr},
	{STR_INIT("retry"), postfix_client},
	{STR_INIT("smtp"), postfix_client},
	{STR_INIT("smtpd"), postfix_smtpd},
	{STR_INIT("trace"), postfix_bounce},
	{STR_INIT("virtual"), postfix_client},
};

/* daemon_of - "smtpd.local" is an smtpd under another name. */
static struct str daemon_of(struct str process)
{
	return str_first(process, str_find_char(process, '.'));
}

static bool by_daemon(struct event *e, struct str rest)
{
	struct str name = daemon_of(e->process);

	for (size_t i = 0; i < sizeof(daemons) / sizeof(daemons[0]); i++)
		if (str_eq(daemons[i].process, name))
			return daemons[i].parse(e, rest);
	return postfix_client(e, rest) || postfix_master(e, rest) || postfix_access(e, rest);
}

/* is_postfix - "postfix/smtpd", "postfix-out/smtpd", "postfix-203.0.113.7/smtpd"; also a bare "postfix". */
static bool is_postfix(struct str tag)
{
	return str_starts(tag, STR_LIT("postfix")) &&
	       (tag.n == 7 || tag.p[7] == '/' || tag.p[7] == '-' || tag.p[7] == '.' ||
		       tag.p[7] == '_');
}

static void clear_fields(struct event *e)
{
	struct event fresh;

	event_init(&fresh);
	fresh.t_utc_ms = e->t_utc_ms;
	fresh.host = e->host;
	fresh.service = e->service;
	fresh.process = e->process;
	fresh.pid = e->pid;
	fresh.line_offset = e->line_offset;
	*e = fresh;
}

static bool message_event(struct event *e, struct str message)
{
	struct str rest = message;

	if (postfix_warning(e, message))
		return true;
	if (postfix_queue_id(&rest, &e->queue_id)) {
		if (by_daemon(e, rest) || postfix_warning(e, rest))
			return true;
		if (postfix_debug(rest)) {
			e->kind = EVENT_NONE;
			return true;
		}
		return false;
	}
	scan_lit(&rest, STR_LIT("NOQUEUE: "));
	if (by_daemon(e, rest))
		return true;
	e->kind = EVENT_NONE;
	return postfix_debug(message);
}

static void read_line(struct postfix_log *p, struct str line, struct event *e)
{
	struct syslogline head;
	size_t slash;

	if (!syslogline_read(&p->stamps, line, &head)) {
		e->t_utc_ms = p->last_utc_ms;
		e->kind = str_trim(line).n ? EVENT_FOREIGN : EVENT_NONE;
		e->text = line;
		return;
	}
	e->t_utc_ms = p->last_utc_ms = head.t_utc_ms;
	e->host = head.host;
	e->service = head.tag;
	e->pid = head.pid;
	slash = str_rfind_char(head.tag, '/');
	e->process = slash < head.tag.n ? str_skip(head.tag, slash + 1) : head.tag;
	e->text = line;
	if (!is_postfix(head.tag)) {
		e->kind = EVENT_FOREIGN;
		return;
	}
	if (message_event(e, head.message))
		return;
	clear_fields(e);
	e->kind = EVENT_UNPARSED;
	e->text = line;
}

static int emit_line(
	struct postfix_log *p, struct str line, size_t offset, const struct event_sink *sink)
{
	struct event e;

	event_init(&e);
	e.line_offset = offset;
	if (line.n > LOG_LINE_MAX_BYTES) {
		e.kind = EVENT_OVERSIZE;
		e.t_utc_ms = p->last_utc_ms;
		e.size_bytes = (int64_t)line.n;
		e.text = str_first(line, 256);
	} else {
		read_line(p, line, &e);
	}
	return sink->emit(sink->ctx, &e);
}

int postfix_log_parse(void *state, struct str bytes, bool final, const struct event_sink *sink,
	size_t *ret_consumed)
{
	struct postfix_log *p = state;
	size_t at = 0;
	int rc = 0;

	while (at < bytes.n && rc == 0) {
		struct str rest = str_skip(bytes, at);
		size_t n = str_find_char(rest, '\n');

		if (n == rest.n && !final)
			break;
		rc = emit_line(p, str_first(rest, n), at, sink);
		at += n == rest.n ? n : n + 1;
	}
	*ret_consumed = at;
	return rc;
}

void postfix_log_init(void *state, const struct parse_options *options)
{
	struct postfix_log *p = state;

	timefmt_init(&p->stamps, options->now_utc_ms, options->timezone);
	p->last_utc_ms = options->now_utc_ms;
}

int postfix_log_looks_like(struct str head)
{
	return str_find(head, STR_LIT(" postfix/")) < head.n   ? 90
	       : str_find(head, STR_LIT(" postfix-")) < head.n ? 60
							       : 0;
}
