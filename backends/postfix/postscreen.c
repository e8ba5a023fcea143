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
	if (rest.n && postfix_take_client(e, &rest))
		e->client_host = (struct str){NULL, 0};
	return true;
}

bool postfix_postscreen(struct event *e, struct str rest)
{
	static const struct str words[] = {STR_LIT("PASS NEW"), STR_LIT("PASS OLD"), STR_LIT("WHITELISTED"),
		STR_LIT("ALLOWLISTED"), STR_LIT("BLACKLISTED"), STR_LIT("DENYLISTED"), STR_LIT("WHITELIST VETO"),
		STR_LIT("ALLOWLIST VETO"), STR_LIT("PREGREET"), STR_LIT("HANGUP"), STR_LIT("DNSBL rank"),
		STR_LIT("COMMAND PIPELINING"), STR_LIT("COMMAND TIME LIMIT"), STR_LIT("COMMAND COUNT LIMIT"),
		STR_LIT("COMMAND LENGTH LIMIT"), STR_LIT("NON-SMTP COMMAND"), STR_LIT("BARE NEWLINE"), STR_LIT("FAIL"),
		STR_LIT("DISCONNECT"), STR_LIT("DATA without "), STR_LIT("UNKNOWN COMMAND")};
	struct str in = rest;

	if (scan_lit(&in, STR_LIT("CONNECT from "))) {
		e->kind = EVENT_CONNECT;
		e->client_host = (struct str){NULL, 0};
		return postfix_take_client(e, &in);
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (str_starts(rest, words[i]))
			return verdict(e, rest, words[i]);
	return postfix_access(e, rest) || postfix_quiet(e, rest);
}
