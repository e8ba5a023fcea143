/* SPDX-License-Identifier: MIT */
/* postscreen - the zombie blocker in front of smtpd: who came, who was let through, who was refused. */
#include "backends/postfix/parse.h"
#include "store/base/scan.h"

static bool verdict(struct event *e, struct str rest, struct str word)
{
	size_t open = str_find_char(rest, '[');

	e->kind = EVENT_POSTSCREEN;
	e->action_text = word;
	e->text = rest;
	rest = str_skip(rest, open);
	if (!rest.n || !postfix_take_client(e, &rest))
		return true;
	e->client_host = (struct str){NULL, 0};
	if (scan_lit(&rest, STR_LIT(" after "))) {
		size_t colon = str_find_char(rest, ':');

		postfix_set_stage(e, str_first(rest, colon ? colon : 1));
	}
	return true;
}

bool postfix_postscreen(struct event *e, struct str rest)
{
	static const struct str words[] = {STR_INIT("PASS NEW"), STR_INIT("PASS OLD"),
		STR_INIT("WHITELISTED"), STR_INIT("ALLOWLISTED"), STR_INIT("BLACKLISTED"),
		STR_INIT("DENYLISTED"), STR_INIT("WHITELIST VETO"), STR_INIT("ALLOWLIST VETO"),
		STR_INIT("PREGREET"), STR_INIT("HANGUP"), STR_INIT("DNSBL"),
		STR_INIT("COMMAND PIPELINING"), STR_INIT("COMMAND TIME LIMIT"),
		STR_INIT("COMMAND COUNT LIMIT"), STR_INIT("COMMAND LENGTH LIMIT"),
		STR_INIT("NON-SMTP COMMAND"), STR_INIT("BARE NEWLINE"), STR_INIT("FAIL"),
		STR_INIT("DISCONNECT"), STR_INIT("DATA without "), STR_INIT("UNKNOWN COMMAND"),
		STR_INIT("BDAT without "), STR_INIT("DROP"), STR_INIT("ENFORCE"), STR_INIT("SKIP"),
		STR_INIT("UNPASS"), STR_INIT("UNFAIL")};
	struct str in = rest;

	if (scan_lit(&in, STR_LIT("CONNECT from "))) {
		e->kind = EVENT_CONNECT;
		e->client_host = (struct str){NULL, 0};
		return postfix_take_client(e, &in);
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (str_starts(rest, words[i]))
			return verdict(e, rest, words[i]);
	return postfix_access(e, rest) || postfix_quiet(e, rest) || postfix_peer(e, rest);
}

/*
 * tlsproxy does the TLS of postscreen's clients and, since 3.4, of smtp(8)'s servers: both kinds of session are
 * told again by those, so only TLS itself counts here.
 */
bool postfix_tlsproxy(struct event *e, struct str rest)
{
	return postfix_quiet(e, rest) || postfix_smtpd(e, rest) || postfix_client(e, rest) ||
	       postfix_any(e, rest);
}
