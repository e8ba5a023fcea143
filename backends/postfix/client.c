/* SPDX-License-Identifier: MIT */
/* client - the delivery agents: their delivery records, and what the SMTP client says of hosts on the way. */
#include "backends/postfix/parse.h"
#include "store/base/scan.h"

#define PORT_MAX 65535

void postfix_as_relay(struct event *e)
{
	e->relay_host = e->client_host;
	if (str_find_char(e->client_ip, '/') < e->client_ip.n)
		e->relay_socket = e->client_ip;
	else
		e->relay_ip = e->client_ip;
	e->relay_port = e->client_port;
	e->client_host = e->client_ip = (struct str){NULL, 0};
	e->client_port = EVENT_UNKNOWN;
}

static void take_host(struct event *e, struct str *rest)
{
	if (postfix_take_client(e, rest))
		postfix_as_relay(e);
}

static bool host_failure(struct event *e, struct str rest, struct str whole, enum smtp_stage stage)
{
	take_host(e, &rest);
	e->kind = EVENT_HOST_FAILURE;
	e->outbound = true;
	e->reply = whole;
	e->text = whole;
	postfix_reply_facts(e);
	postfix_host_reply(e);
	if (e->stage == STAGE_NONE)
		e->stage = stage;
	return true;
}

static bool tls_failure(struct event *e, struct str rest, struct str whole)
{
	take_host(e, &rest);
	e->kind = EVENT_TLS;
	e->outbound = true;
	e->tls_ok = false;
	e->text = whole;
	return true;
}

/* workaround - "enabling PIX workarounds: disable_esmtp delay_dotcrlf for H[ip]:25". */
static bool workaround(struct event *e, struct str rest, struct str whole)
{
	size_t at = str_find(rest, STR_LIT(" for "));
	struct str who = str_skip(rest, at + 5);

	take_host(e, &who);
	e->kind = EVENT_NONE;
	e->text = whole;
	return true;
}

static bool known_quiet(struct event *e, struct str rest)
{
	static const struct str starts[] = {STR_INIT("setting up TLS connection to "),
		STR_INIT("initializing the client-side TLS engine"), STR_INIT("breaking line "),
		STR_INIT("replace: "), STR_INIT("Verified TLS"),
		STR_INIT("certificate peer name verification failed"),
		STR_INIT("Verification failed for "),
		STR_INIT("server certificate verification failed for "), STR_INIT("Used TLS for "),
		STR_INIT("using "), STR_INIT("looking up "), STR_INIT("address "),
		STR_INIT("SSL_connect:"), STR_INIT("save session "), STR_INIT("TLS policy"),
		STR_INIT("Host offered STARTTLS"), STR_INIT("smtp_"), STR_INIT("no "),
		STR_INIT("mail for "), STR_INIT("discarding EHLO keywords: "),
		STR_INIT("status=deferred ("), STR_INIT("Using "), STR_INIT("DNSSEC "),
		STR_INIT("unable to "), STR_INIT("replacing server reply ")};

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		if (str_starts(rest, starts[i])) {
			e->kind = EVENT_NONE;
			e->text = rest;
			return true;
		}
	}
	return false;
}

bool postfix_client(struct event *e, struct str rest)
{
	static const struct {
		struct str start;
		enum smtp_stage stage;
	} failures[] = {{STR_INIT("connect to "), STAGE_CONNECT}, {STR_INIT("host "), STAGE_OTHER},
		{STR_INIT("lost connection with "), STAGE_OTHER},
		{STR_INIT("conversation with "), STAGE_OTHER},
		{STR_INIT("Cannot start TLS: "), STAGE_STARTTLS},
		{STR_INIT("TLS is required, but was not offered by host "), STAGE_STARTTLS},
		{STR_INIT("TLS is required, but host "), STAGE_STARTTLS},
		{STR_INIT("TLS is required, "), STAGE_STARTTLS},
		{STR_INIT("Server certificate not "), STAGE_STARTTLS},
		{STR_INIT("SMTPUTF8 is required, but was not offered by host "), STAGE_EHLO},
		{STR_INIT("SASL authentication failed; server "), STAGE_AUTH},
		{STR_INIT("SASL [CACHED] authentication failed; server "), STAGE_AUTH},
		{STR_INIT("SASL authentication failed; cannot authenticate to server "),
			STAGE_AUTH}};
	struct str in = rest;

	if (postfix_delivery(e, rest))
		return true;
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
		if (scan_lit(&in, failures[i].start))
			return host_failure(e, in, rest, failures[i].stage);
	if (scan_lit(&in, STR_LIT("SSL_connect error to ")) ||
		scan_lit(&in, STR_LIT("certificate verification failed for ")))
		return tls_failure(e, in, rest);
	if (scan_lit(&in, STR_LIT("enabling PIX workarounds: ")))
		return workaround(e, in, rest);
	if (postfix_tls(e, rest) || known_quiet(e, rest) || postfix_quiet(e, rest))
		return true;
	if (!postfix_peer(e, rest))
		return false;
	postfix_as_relay(e);
	return true;
}
