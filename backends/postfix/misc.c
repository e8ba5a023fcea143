/* SPDX-License-Identifier: MIT */
/* misc - severities, SASL failures, the master daemon, statistics, and the chatter of daemons run with -v. */
#include "backends/postfix/parse.h"
#include "store/base/scan.h"

#include <arpa/inet.h>

static bool starts_with_one(struct str s, const struct str *starts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_starts(s, starts[i]))
			return true;
	return false;
}

/* sasl_failure - "H[ip]: SASL PLAIN authentication failed: reason, sasl_username=u". */
static bool sasl_failure(struct event *e, struct str rest)
{
	static const struct str mark = STR_INIT(" authentication failed:");
	static const struct str user = STR_INIT(", sasl_username=");
	struct str in = rest;
	size_t at;

	if (!postfix_take_client(e, &in) || !scan_lit(&in, STR_LIT(": SASL "))) {
		e->client_host = e->client_ip = (struct str){NULL, 0};
		e->client_port = EVENT_UNKNOWN;
		return false;
	}
	at = str_find(in, mark);
	e->sasl_method = str_first(in, str_find_char(in, ' '));
	e->reply = str_trim(str_skip(in, at + mark.n));
	at = str_find(in, user);
	if (at < in.n) {
		e->sasl_user = str_skip(in, at + user.n);
		e->reply = str_trim(str_first(e->reply, str_find(e->reply, user)));
	}
	e->kind = EVENT_AUTH_FAILED;
	e->stage = STAGE_AUTH;
	return true;
}

/* strange_command - "non-SMTP command from H[ip]: GET / HTTP/1.1": the client, beside the text. */
static bool strange_command(struct event *e, struct str rest)
{
	struct str in = rest;

	if (!scan_lit(&in, STR_LIT("non-SMTP command from ")) || !postfix_take_client(e, &in))
		return false;
	e->kind = EVENT_WARNING;
	return true;
}

bool postfix_warning(struct event *e, struct str message)
{
	static const struct {
		struct str word;
		enum event_severity severity;
	} words[] = {{STR_INIT("warning: "), SEVERITY_WARNING},
		{STR_INIT("error: "), SEVERITY_ERROR}, {STR_INIT("fatal: "), SEVERITY_FATAL},
		{STR_INIT("panic: "), SEVERITY_PANIC}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct str rest = message;

		if (!scan_lit(&rest, words[i].word))
			continue;
		e->severity = words[i].severity;
		if (!str_present(e->queue_id))
			postfix_queue_id(&rest, &e->queue_id);
		e->text = rest;
		if (i == 0 && (sasl_failure(e, rest) || strange_command(e, rest)))
			return true;
		e->kind = EVENT_WARNING;
		return true;
	}
	return false;
}

bool postfix_master(struct event *e, struct str rest)
{
	static const struct str starts[] = {STR_INIT("daemon started"), STR_INIT("reload"),
		STR_INIT("terminating on signal"), STR_INIT("starting the Postfix"),
		STR_INIT("stopping the Postfix"), STR_INIT("refreshing the Postfix"),
		STR_INIT("the Postfix mail system"), STR_INIT("Postfix is "),
		STR_INIT("waiting for the Postfix"), STR_INIT("aborting the Postfix"),
		STR_INIT("not owned by"), STR_INIT("rotating "), STR_INIT("successfully rotated")};
	static const struct str quiet[] = {STR_INIT("See "), STR_INIT("see "), STR_INIT("To "),
		STR_INIT("to "), STR_INIT("throttl"), STR_INIT("process "), STR_INIT("ignoring "),
		STR_INIT("old value: "), STR_INIT("service ")};

	if (starts_with_one(rest, quiet, sizeof(quiet) / sizeof(quiet[0])))
		return postfix_any(e, rest);
	if (!starts_with_one(rest, starts, sizeof(starts) / sizeof(starts[0])))
		return postfix_quiet(e, rest);
	e->kind = EVENT_SERVER;
	e->text = rest;
	return true;
}

static bool is_ip(struct str s)
{
	char text[INET6_ADDRSTRLEN];
	unsigned char bytes[16];

	if (s.n == 0 || s.n >= sizeof(text))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

/* anvil_client - "(smtpd:2001:db8::1)", "(127.0.0.1:2525:192.0.2.1)": the service has colons too. */
static void anvil_client(struct event *e, struct str rest)
{
	static const struct str mark = STR_INIT(" for (");
	struct str who = str_skip(rest, str_find(rest, mark) + mark.n);

	who = str_first(who, str_find_char(who, ')'));
	for (size_t n = str_find_char(who, ':'); n < who.n; n = str_find_char(who, ':')) {
		who = str_skip(who, n + 1);
		if (is_ip(who)) {
			e->client_ip = who;
			return;
		}
	}
}

/* quiet_client - the client of dnsblog's "addr IP listed by ..." and of tlsproxy's lines. */
static void quiet_client(struct event *e, struct str rest)
{
	struct str word;

	if (scan_lit(&rest, STR_LIT("addr ")) && scan_word(&rest, &word))
		e->client_ip = word;
	if ((scan_lit(&rest, STR_LIT("CONNECT from ")) ||
		    scan_lit(&rest, STR_LIT("DISCONNECT "))) &&
		postfix_take_client(e, &rest))
		e->client_host = (struct str){NULL, 0};
}

bool postfix_any(struct event *e, struct str rest)
{
	if (postfix_quiet(e, rest))
		return true;
	e->kind = EVENT_NONE;
	e->text = rest;
	return true;
}

bool postfix_quiet(struct event *e, struct str rest)
{
	static const struct str starts[] = {STR_INIT("cache "), STR_INIT("close database"),
		STR_INIT("addr "), STR_INIT("CONNECT "), STR_INIT("DISCONNECT "),
		STR_INIT("table "), STR_INIT("skipped, still being delivered"),
		STR_INIT("last message repeated"), STR_INIT("--- last message repeated"),
		STR_INIT("message repeated"), STR_INIT("Deleted: "), STR_INIT("Requeued: "),
		STR_INIT("Placed on hold: "), STR_INIT("Released from hold: "),
		STR_INIT("Force-expired: "), STR_INIT("Renamed to match inode"),
		STR_INIT("Warning: "), STR_INIT("defer "), STR_INIT("flush "), STR_INIT("open "),
		STR_INIT("connect "), STR_INIT("initializing "), STR_INIT("removing "),
		STR_INIT("using "), STR_INIT("dict_"), STR_INIT("closing "),
		STR_INIT("entering STRESS"), STR_INIT("leaving STRESS"), STR_INIT("seed"),
		STR_INIT("rescan"), STR_INIT("max cache size"), STR_INIT("message has been "),
		STR_INIT("message dated ")};

	if (str_starts(rest, STR_LIT("statistics: "))) {
		e->kind = EVENT_STATISTICS;
		e->text = str_skip(rest, 12);
		anvil_client(e, rest);
		return true;
	}
	if (!starts_with_one(rest, starts, sizeof(starts) / sizeof(starts[0])))
		return false;
	e->kind = EVENT_NONE;
	e->text = rest;
	quiet_client(e, rest);
	return true;
}

/* is_function - "name:" or "name_with_underscores: " as Postfix's own functions announce themselves. */
static bool is_function(struct str s)
{
	size_t n = 0;
	bool underscore = false;

	while (n < s.n && ((s.p[n] >= 'a' && s.p[n] <= 'z') || s.p[n] == '_' ||
				  (n && s.p[n] >= '0' && s.p[n] <= '9'))) {
		underscore |= s.p[n] == '_';
		n++;
	}
	return underscore && n > 3 && n < s.n && (s.p[n] == ':' || s.p[n] == ' ' || s.p[n] == '(');
}

/* is_dump - "0010 a3 77 ..." of TLS log level 4. */
static bool is_dump(struct str s)
{
	size_t n = 0;

	while (n < s.n && (scan_is_digit(s.p[n]) || (s.p[n] >= 'a' && s.p[n] <= 'f')))
		n++;
	return n == 4 && s.n > 4 && (s.p[4] == ' ' || s.p[4] == '-');
}

bool postfix_debug(struct str message)
{
	static const struct str starts[] = {STR_INIT("> "), STR_INIT("< "), STR_INIT("+++ "),
		STR_INIT("--- "), STR_INIT("<<< "), STR_INIT(">>> "), STR_INIT("send attr "),
		STR_INIT("input attribute "), STR_INIT("private/"), STR_INIT("public/"),
		STR_INIT("match_"), STR_INIT("connection established"), STR_INIT("name_mask: "),
		STR_INIT("watchdog_"), STR_INIT("before input_"), STR_INIT("trying... "),
		STR_INIT("wanted attribute"), STR_INIT("inet_addr_local"), STR_INIT("been_here"),
		STR_INIT("maps_find"), STR_INIT("mynetworks"), STR_INIT("relay_domains"),
		STR_INIT("report "), STR_INIT("master_notify"), STR_INIT("idle timeout"),
		STR_INIT("rewrite stream"), STR_INIT("process generation"), STR_INIT("lookup "),
		STR_INIT("xsasl_"), STR_INIT("vstream"), STR_INIT("fsspace"), STR_INIT("cleanup_"),
		STR_INIT("smtpd_"), STR_INIT("local_"), STR_INIT("begin "), STR_INIT("end "),
		STR_INIT("pref "), STR_INIT("proxymap stream"), STR_INIT("read from "),
		STR_INIT("write to "), STR_INIT("last message repeated ")};

	return is_dump(message) ||
	       starts_with_one(message, starts, sizeof(starts) / sizeof(starts[0])) ||
	       is_function(message);
}
