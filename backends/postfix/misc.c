/* SPDX-License-Identifier: MIT */
/* misc - severities, SASL failures, the master daemon, statistics, and the chatter of daemons run with -v. */
#include "backends/postfix/parse.h"
#include "store/base/scan.h"

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
	static const struct str mark = STR_LIT(" authentication failed:");
	static const struct str user = STR_LIT(", sasl_username=");
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

bool postfix_warning(struct event *e, struct str message)
{
	static const struct {
		struct str word;
		enum event_severity severity;
	} words[] = {{STR_LIT("warning: "), SEVERITY_WARNING}, {STR_LIT("error: "), SEVERITY_ERROR},
		{STR_LIT("fatal: "), SEVERITY_FATAL}, {STR_LIT("panic: "), SEVERITY_PANIC}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct str rest = message;

		if (!scan_lit(&rest, words[i].word))
			continue;
		e->severity = words[i].severity;
		e->text = rest;
		if (i == 0 && sasl_failure(e, rest))
			return true;
		e->kind = EVENT_WARNING;
		return true;
	}
	return false;
}

bool postfix_master(struct event *e, struct str rest)
{
	static const struct str starts[] = {STR_LIT("daemon started"), STR_LIT("reload"), STR_LIT("terminating on signal"),
		STR_LIT("starting the Postfix"), STR_LIT("stopping the Postfix"), STR_LIT("refreshing the Postfix"),
		STR_LIT("the Postfix mail system"), STR_LIT("Postfix is "), STR_LIT("waiting for the Postfix"),
		STR_LIT("aborting the Postfix"), STR_LIT("not owned by"), STR_LIT("rotating "), STR_LIT("successfully rotated")};

	if (!starts_with_one(rest, starts, sizeof(starts) / sizeof(starts[0])))
		return postfix_quiet(e, rest);
	e->kind = EVENT_SERVER;
	e->text = rest;
	return true;
}

static bool anvil_client(struct event *e, struct str rest)
{
	static const struct str mark = STR_LIT(" for (");
	size_t at = str_find(rest, mark);
	size_t colon, close;

	if (at == rest.n)
		return false;
	rest = str_skip(rest, at + mark.n);
	colon = str_find_char(rest, ':');
	close = str_find_char(rest, ')');
	if (colon >= close || close == rest.n)
		return false;
	e->client_ip = str_make(rest.p + colon + 1, close - colon - 1);
	return true;
}

bool postfix_quiet(struct event *e, struct str rest)
{
	static const struct str starts[] = {STR_LIT("cache "), STR_LIT("close database"), STR_LIT("addr "), STR_LIT("CONNECT "),
		STR_LIT("DISCONNECT "), STR_LIT("Anonymous TLS"), STR_LIT("Untrusted TLS"), STR_LIT("Trusted TLS"), STR_LIT("Verified TLS"),
		STR_LIT("SSL_accept error from "), STR_LIT("table "), STR_LIT("skipped, still being delivered"), STR_LIT("last message repeated"),
		STR_LIT("--- last message repeated"), STR_LIT("message repeated"), STR_LIT("Deleted: "), STR_LIT("Requeued: "),
		STR_LIT("Placed on hold: "), STR_LIT("Released from hold: "), STR_LIT("Force-expired: "), STR_LIT("Renamed to match inode"),
		STR_LIT("Warning: "), STR_LIT("defer "), STR_LIT("flush "), STR_LIT("open "), STR_LIT("connect "), STR_LIT("initializing "),
		STR_LIT("removing "), STR_LIT("using "), STR_LIT("dict_"), STR_LIT("closing "), STR_LIT("entering STRESS"),
		STR_LIT("leaving STRESS"), STR_LIT("seed"), STR_LIT("rescan"), STR_LIT("max cache size")};

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
	return true;
}

/* is_function - "name:" or "name_with_underscores: " as Postfix's own functions announce themselves. */
static bool is_function(struct str s)
{
	size_t n = 0;
	bool underscore = false;

	while (n < s.n && ((s.p[n] >= 'a' && s.p[n] <= 'z') || s.p[n] == '_' || (n && s.p[n] >= '0' && s.p[n] <= '9'))) {
		underscore |= s.p[n] == '_';
		n++;
	}
	return underscore && n > 3 && n < s.n && (s.p[n] == ':' || s.p[n] == ' ' || s.p[n] == '(');
}

bool postfix_debug(struct str message)
{
	static const struct str starts[] = {STR_LIT("> "), STR_LIT("< "), STR_LIT("+++ "), STR_LIT("--- "), STR_LIT("<<< "),
		STR_LIT(">>> "), STR_LIT("send attr "), STR_LIT("input attribute "), STR_LIT("private/"), STR_LIT("public/"),
		STR_LIT("match_"), STR_LIT("connection established"), STR_LIT("name_mask: "), STR_LIT("watchdog_"), STR_LIT("before input_"),
		STR_LIT("trying... "), STR_LIT("wanted attribute"), STR_LIT("inet_addr_local"), STR_LIT("been_here"), STR_LIT("maps_find"),
		STR_LIT("mynetworks"), STR_LIT("relay_domains"), STR_LIT("report "), STR_LIT("master_notify"), STR_LIT("idle timeout"),
		STR_LIT("rewrite stream"), STR_LIT("process generation"), STR_LIT("lookup "), STR_LIT("xsasl_"), STR_LIT("vstream"),
		STR_LIT("fsspace"), STR_LIT("cleanup_"), STR_LIT("smtpd_"), STR_LIT("local_")};

	return starts_with_one(message, starts, sizeof(starts) / sizeof(starts[0])) || is_function(message);
}
