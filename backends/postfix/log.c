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

#define REPEATED_DIGITS 6
#define REPEATED_MAX                                                                               \
	1000 /* so often at most one line counts; rsyslog writes one every few minutes */

static const struct daemon {
	struct str process;
	bool (*parse)(struct event *e, struct str rest);
} daemons[] = {
	{STR_INIT("anvil"), postfix_quiet},
	{STR_INIT("bounce"), postfix_bounce},
	{STR_INIT("cleanup"), postfix_cleanup},
	{STR_INIT("defer"), postfix_bounce},
	{STR_INIT("discard"), postfix_client},
	{STR_INIT("dnsblog"), postfix_quiet},
	{STR_INIT("error"), postfix_client},
	{STR_INIT("flush"), postfix_any},
	{STR_INIT("lmtp"), postfix_client},
	{STR_INIT("local"), postfix_client},
	{STR_INIT("master"), postfix_master},
	{STR_INIT("nqmgr"), postfix_qmgr},
	{STR_INIT("oqmgr"), postfix_qmgr},
	{STR_INIT("pickup"), postfix_pickup},
	{STR_INIT("pipe"), postfix_client},
	{STR_INIT("postalias"), postfix_any},
	{STR_INIT("postdrop"), postfix_any},
	{STR_INIT("postfix"), postfix_master},
	{STR_INIT("postfix-script"), postfix_master},
	{STR_INIT("postfix-tls-script"), postfix_any},
	{STR_INIT("postlog"), postfix_any},
	{STR_INIT("postlogd"), postfix_any},
	{STR_INIT("postmap"), postfix_any},
	{STR_INIT("postmulti"), postfix_any},
	{STR_INIT("postqueue"), postfix_any},
	{STR_INIT("postscreen"), postfix_postscreen},
	{STR_INIT("postsuper"), postfix_postsuper},
	{STR_INIT("proxymap"), postfix_any},
	{STR_INIT("qmgr"), postfix_qmgr},
	{STR_INIT("qmqpd"), postfix_smtpd},
	{STR_INIT("retry"), postfix_client},
	{STR_INIT("scache"), postfix_any},
	{STR_INIT("sendmail"), postfix_any},
	{STR_INIT("showq"), postfix_any},
	{STR_INIT("smtp"), postfix_client},
	{STR_INIT("smtpd"), postfix_smtpd},
	{STR_INIT("spawn"), postfix_any},
	{STR_INIT("tlsmgr"), postfix_any},
	{STR_INIT("tlsproxy"), postfix_tlsproxy},
	{STR_INIT("trace"), postfix_bounce},
	{STR_INIT("trivial-rewrite"), postfix_any},
	{STR_INIT("verify"), postfix_any},
	{STR_INIT("virtual"), postfix_client},
};

/* daemon_of - "smtpd.local" is an smtpd under another name. */
static struct str daemon_of(struct str process)
{
	return str_first(process, str_find_char(process, '.'));
}

static const struct daemon *find_daemon(struct str process)
{
	struct str name = daemon_of(process);

	for (size_t i = 0; i < sizeof(daemons) / sizeof(daemons[0]); i++)
		if (name.n && daemons[i].process.p[0] == name.p[0] &&
			str_eq(daemons[i].process, name))
			return &daemons[i];
	return NULL;
}

/* by_daemon - what is none of Postfix's programs runs under its name: a policy server, a filter. */
static bool by_daemon(struct event *e, struct str rest, const struct daemon *daemon)
{
	if (daemon)
		return daemon->parse(e, rest);
	if (postfix_client(e, rest) || postfix_access(e, rest))
		return true;
	e->kind = EVENT_FOREIGN;
	return true;
}

/*
 * is_postfix - "postfix/smtpd", "postfix-out/smtpd", "postfix-203.0.113.7/smtpd"; also a bare "postfix".
 * With a syslog_name of its own, an instance is known by its daemons: "mail-out/smtpd".
 */
static bool is_postfix(struct str tag, const struct daemon *daemon)
{
	if (daemon && str_find_char(tag, '/') < tag.n)
		return true;
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

/* repeated - rsyslog's "message repeated 3 times: [ MESSAGE]": how often MESSAGE came again, 0 if it is none. */
static unsigned repeated(struct str *message)
{
	struct str rest = *message;
	uint64_t times;

	if (!scan_lit(&rest, STR_LIT("message repeated ")) ||
		!scan_u64(&rest, REPEATED_DIGITS, REPEATED_MAX, &times) ||
		!scan_lit(&rest, STR_LIT(" times: [ ")) || !str_ends(rest, STR_LIT("]")))
		return 0;
	*message = str_first(rest, rest.n - 1);
	return (unsigned)times;
}

static bool message_event(struct event *e, struct str message, const struct daemon *daemon)
{
	struct str rest = message;

	if (postfix_warning(e, message))
		return true;
	if (postfix_queue_id(&rest, &e->queue_id)) {
		if (by_daemon(e, rest, daemon) || postfix_warning(e, rest))
			return true;
		if (postfix_debug(rest)) {
			e->kind = EVENT_NONE;
			return true;
		}
		return false;
	}
	scan_lit(&rest, STR_LIT("NOQUEUE: "));
	if (by_daemon(e, rest, daemon))
		return true;
	e->kind = EVENT_NONE;
	return postfix_debug(message);
}

/* headless - of a line whose stamp or tag can't be read: Postfix's, as far as one can tell, or another's. */
static enum event_kind headless(struct str line)
{
	while (line.n && line.p[0] == '\0')
		line = str_skip(line, 1);
	if (str_trim(line).n == 0)
		return EVENT_NONE;
	return str_find(line, STR_LIT(" postfix/")) < line.n ? EVENT_UNPARSED : EVENT_FOREIGN;
}

/* Returns how many events the line stands for: more than one when it says that its message was repeated. */
static unsigned read_line(struct log_lines *p, struct str line, struct event *e)
{
	struct syslogline head;
	const struct daemon *daemon;
	unsigned times;
	size_t slash;

	if (!syslogline_read(&p->stamps, line, p->scratch, &head)) {
		e->t_utc_ms = p->last_utc_ms;
		e->kind = headless(line);
		e->text = line;
		return 1;
	}
	if (head.has_time)
		p->last_utc_ms = head.t_utc_ms;
	e->t_utc_ms = p->last_utc_ms;
	e->host = head.host;
	e->service = head.tag;
	e->pid = head.pid;
	slash = str_rfind_char(head.tag, '/');
	e->process = slash < head.tag.n ? str_skip(head.tag, slash + 1) : head.tag;
	daemon = find_daemon(e->process);
	if (!is_postfix(head.tag, daemon)) {
		e->kind = EVENT_FOREIGN;
		e->text = line;
		return 1;
	}
	times = repeated(&head.message);
	e->text = head.message;
	if (message_event(e, head.message, daemon))
		return times ? times : 1;
	clear_fields(e);
	e->kind = EVENT_UNPARSED;
	e->text = line;
	return 1;
}

static int emit_line(
	struct log_lines *p, struct str line, size_t offset, const struct event_sink *sink)
{
	unsigned times = 1;
	struct event e;
	int rc = 0;

	event_init(&e);
	e.line_offset = offset;
	if (!log_line_oversize(p, line, &e))
		times = read_line(p, line, &e);
	for (; times > 0 && rc == 0; times--)
		rc = sink->emit(sink->ctx, &e);
	return rc;
}

int postfix_log_parse(void *state, struct str bytes, bool final, const struct event_sink *sink,
	size_t *ret_consumed)
{
	return log_lines_parse(state, bytes, final, sink, ret_consumed, emit_line);
}

int postfix_log_looks_like(struct str head)
{
	static const struct {
		struct str mark;
		int sure;
	} marks[] = {{STR_INIT(" postfix/"), 90}, {STR_INIT(" postfix-"), 60},
		/* an instance with a syslog_name of its own */
		{STR_INIT("/qmgr["), 50}, {STR_INIT("/smtpd["), 50}, {STR_INIT("/cleanup["), 50}};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (str_find(head, marks[i].mark) < head.n)
			return marks[i].sure;
	return 0;
}
