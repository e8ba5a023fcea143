/* SPDX-License-Identifier: MIT */
/* sendmail/other - notifications, orders of the operator, the daemon itself, and what needs no counting. */
#include "backends/sendmail/parse.h"
#include "store/base/scan.h"

/* "QID2: DSN: User unknown", "QID2: clone: owner=..." behind "QID: ": a message that came of this one. */
static enum sendmail_line of_child(struct event *e, struct str rest)
{
	static const struct str kinds[] = {STR_INIT("DSN: "), STR_INIT("return to sender: "),
		STR_INIT("sender notify: "), STR_INIT("postmaster notify: "),
		STR_INIT("return receipt: ")};
	struct str child;
	uint64_t part;

	sendmail_take_id(&rest, &child, &part);
	if (!str_present(child) || part)
		return SENDMAIL_UNKNOWN;
	if (scan_lit(&rest, STR_LIT("clone: owner="))) { /* the same message for a list's members */
		e->kind = EVENT_RECEIVED;
		e->orig_queue_id = e->queue_id;
		e->queue_id = child;
		e->process = STR_LIT("smtpd");
		return SENDMAIL_EVENT;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!scan_lit(&rest, kinds[i]))
			continue;
		e->kind = EVENT_NOTIFICATION;
		e->process = STR_LIT("bounce");
		e->child_queue_id = child;
		e->reply = rest;
		/* dropenvelope(): Timeout.queuereturn is over, or a DELIVERBY */
		return str_starts(rest, STR_LIT("Cannot send message for ")) ||
				       str_starts(rest, STR_LIT("delivery time expired "))
			       ? SENDMAIL_RETURNED
			       : SENDMAIL_NOTICE;
	}
	return SENDMAIL_UNKNOWN;
}

/* What a person or the queue did with the whole message. */
static enum sendmail_line of_message(struct event *e, struct str rest)
{
	if (str_starts(rest, STR_LIT("done; delay="))) {
		e->kind = EVENT_REMOVED;
		return SENDMAIL_EVENT;
	}
	if (str_eq(rest, STR_LIT("discarded"))) {
		e->kind = EVENT_REMOVED;
		return SENDMAIL_EVENT;
	}
	if (str_starts(rest, STR_LIT("quarantine="))) {
		e->kind = EVENT_HOLD;
		e->action = REJECT_HOLD;
		e->action_text = STR_LIT("quarantine");
		e->reply = str_skip(rest, 11);
		return SENDMAIL_EVENT;
	}
	if (str_eq(rest, STR_LIT("unquarantine"))) {
		e->kind = EVENT_HOLD;
		e->action = REJECT_OTHER;
		e->action_text = rest;
		return SENDMAIL_EVENT;
	}
	if (str_starts(rest, STR_LIT("collect: "))) {
		size_t at = str_find(rest, STR_LIT(" on connection from "));

		if (at == rest.n)
			return SENDMAIL_UNKNOWN;
		e->kind = EVENT_LOST;
		e->process = STR_LIT("smtpd");
		e->action_text = str_skip(str_first(rest, at), 9);
		e->client_host = str_skip(rest, at + 20);
		e->client_host =
			str_first(e->client_host, str_find(e->client_host, STR_LIT(", sender=")));
		return SENDMAIL_EVENT;
	}
	return SENDMAIL_UNKNOWN;
}

struct start {
	struct str word;
	enum event_kind kind;
	enum event_severity severity;
};

/* How lines begin that tell of the server, of trouble, or of nothing. The first that fits counts. */
static const struct start starts[] = {{STR_INIT("starting daemon ("), EVENT_SERVER, SEVERITY_INFO},
	{STR_INIT("stopping daemon"), EVENT_SERVER, SEVERITY_INFO},
	{STR_INIT("restarting "), EVENT_SERVER, SEVERITY_INFO},
	{STR_INIT("started as: "), EVENT_SERVER, SEVERITY_INFO},
	{STR_INIT("alias database "), EVENT_SERVER, SEVERITY_INFO},
	{STR_INIT("accepting connections again"), EVENT_SERVER, SEVERITY_INFO},
	{STR_INIT("accepting new messages"), EVENT_SERVER, SEVERITY_INFO},
	{STR_INIT("SYSERR"), EVENT_WARNING, SEVERITY_ERROR},
	{STR_INIT("Losing "), EVENT_WARNING, SEVERITY_ERROR},
	{STR_INIT("ERROR"), EVENT_WARNING, SEVERITY_ERROR},
	{STR_INIT("could not "), EVENT_WARNING, SEVERITY_ERROR},
	{STR_INIT("daemon "), EVENT_WARNING, SEVERITY_ERROR},
	{STR_INIT("queue directory "), EVENT_WARNING, SEVERITY_ERROR},
	{STR_INIT("bogus queue file"), EVENT_WARNING, SEVERITY_ERROR},
	{STR_INIT("queueup: "), EVENT_WARNING, SEVERITY_ERROR},
	{STR_INIT("unable to "), EVENT_WARNING, SEVERITY_ERROR},
	{STR_INIT("can't "), EVENT_WARNING, SEVERITY_ERROR},
	{STR_INIT("rejecting new messages"), EVENT_WARNING, SEVERITY_WARNING},
	{STR_INIT("rejecting connections"), EVENT_WARNING, SEVERITY_WARNING},
	{STR_INIT("low on space"), EVENT_WARNING, SEVERITY_WARNING},
	{STR_INIT("POSSIBLE ATTACK"), EVENT_WARNING, SEVERITY_WARNING},
	{STR_INIT("Warning: "), EVENT_WARNING, SEVERITY_WARNING},
	{STR_INIT("WARNING: "), EVENT_WARNING, SEVERITY_WARNING},
	{STR_INIT("My unqualified host name"), EVENT_WARNING, SEVERITY_WARNING},
	{STR_INIT("unable to qualify"), EVENT_WARNING, SEVERITY_WARNING},
	{STR_INIT("message size ("), EVENT_WARNING, SEVERITY_WARNING},
	{STR_INIT("header"), EVENT_WARNING, SEVERITY_WARNING},
	{STR_INIT("aliasing/forwarding loop"), EVENT_WARNING, SEVERITY_WARNING},
	{STR_INIT("forward "), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("Authentication-Warning: "), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("gethostbyaddr("), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("alias "), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("expand "), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("Milter"), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("milter"), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("STARTTLS"), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("Null connection from "), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("AUTH"), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("error: safesasl("), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("runqueue"), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("rqe: "), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("split: "), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("SMTP outgoing connect"), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("makeconnection"), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("--- "), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("<-- "), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("*** "), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("engine="), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("tls_"), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("TLSA="), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("invalid domain name"), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("unauthorized PIPELINING"), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("Dropped invalid comments"), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("Truncated "), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("Fixed "), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("dns "), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("ldap"), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("grew WorkList"), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("smtpquit: "), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("Saved message in "), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("deliver: "), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("delaying="), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("persistent queue runner"), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("VRFY"), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("Postmaster warning"), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("stat=occ_exceeded"), EVENT_NONE, SEVERITY_INFO},
	/* LogLevel over 11 */
	{STR_INIT("queueup"), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("dropenvelope"), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("assigned id"), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("unlock"), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("finis, pid="), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("in background"), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("disconnect level"), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("dowork"), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("mci_"), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("mci@"), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("sendenvelope"), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("smtp: "), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("unlink "), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("changed"), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("too young"), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("main: where="), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("x-connect"), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("CurChildren"), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("NextMacroId"), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("interrupt"), EVENT_NONE, SEVERITY_INFO}};

/* What a line has in it, behind a host's name or a file's. */
static const struct start holds[] = {
	{STR_INIT(": possible SMTP attack: "), EVENT_WARNING, SEVERITY_WARNING},
	{STR_INIT(": Possible SMTP RCPT flood, "), EVENT_WARNING, SEVERITY_WARNING},
	{STR_INIT(": probable open proxy: "), EVENT_WARNING, SEVERITY_WARNING},
	{STR_INIT(": SMTP violation, "), EVENT_WARNING, SEVERITY_WARNING},
	{STR_INIT(": Not safe: "), EVENT_WARNING, SEVERITY_ERROR},
	{STR_INIT("WARNING: "), EVENT_WARNING, SEVERITY_WARNING},
	{STR_INIT(", marked "), EVENT_WARNING, SEVERITY_WARNING},
	{STR_INIT(" protocol error: "), EVENT_WARNING, SEVERITY_WARNING},
	{STR_INIT(" rejection"), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT(" [rejected]"), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT(": ETRN "), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT(": VRFY "), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT(": EXPN "), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT(": vrfy "), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT(": expn "), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("\" command from "), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT(" aliases, longest "), EVENT_NONE, SEVERITY_INFO},
	{STR_INIT("possible spam from <>"), EVENT_NONE, SEVERITY_INFO}};

/* A filter that can't be asked: mail is let through, refused or put off, as the configuration says. */
static bool filter_trouble(struct str text)
{
	static const struct str words[] = {STR_INIT("error"), STR_INIT("timeout"),
		STR_INIT("failed"), STR_INIT("closed"), STR_INIT("unsafe")};

	if (!str_starts(text, STR_LIT("Milter (")) && !str_starts(text, STR_LIT("milter_")))
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (str_find(text, words[i]) < text.n)
			return true;
	return false;
}

enum sendmail_line sendmail_other(struct event *e, struct str text)
{
	enum sendmail_line what = str_present(e->queue_id) ? of_child(e, text) : SENDMAIL_UNKNOWN;

	e->text = text;
	if (what == SENDMAIL_UNKNOWN)
		what = of_message(e, text);
	if (what != SENDMAIL_UNKNOWN)
		return what;
	if (filter_trouble(text)) {
		e->kind = EVENT_WARNING;
		e->severity = SEVERITY_WARNING;
		return SENDMAIL_EVENT;
	}
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (str_starts(text, starts[i].word)) {
			e->kind = starts[i].kind;
			e->severity = starts[i].severity;
			return SENDMAIL_EVENT;
		}
	for (size_t i = 0; i < sizeof(holds) / sizeof(holds[0]); i++)
		if (str_find(text, holds[i].word) < text.n) {
			e->kind = holds[i].kind;
			e->severity = holds[i].severity;
			return SENDMAIL_EVENT;
		}
	return SENDMAIL_UNKNOWN;
}
