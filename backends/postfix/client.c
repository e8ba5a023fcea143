/* SPDX-License-Identifier: MIT */
/* client - the delivery agents: their delivery records, and what the SMTP client says of hosts on the way. */
#include "backends/postfix/parse.h"
#include "store/base/scan.h"

#define PORT_MAX 65535

static void take_host(struct event *e, struct str *rest)
{
	struct event peer = {.client_port = EVENT_UNKNOWN};

	if (!postfix_take_client(&peer, rest))
		return;
	e->relay_host = peer.client_host;
	e->relay_ip = peer.client_ip;
	e->relay_port = peer.client_port;
}

static bool host_failure(struct event *e, struct str rest, struct str whole, enum smtp_stage stage)
{
	take_host(e, &rest);
	e->kind = EVENT_HOST_FAILURE;
	e->outbound = true;
	e->reply = whole;
	e->text = whole;
	postfix_reply_facts(e);
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

static bool known_quiet(struct event *e, struct str rest)
{
	static const struct str starts[] = {STR_LIT("enabling PIX workarounds"), STR_LIT("setting up TLS connection to "),
		STR_LIT("initializing the client-side TLS engine"), STR_LIT("breaking line "), STR_LIT("replace: "),
		STR_LIT("Verified TLS"), STR_LIT("certificate peer name verification failed"), STR_LIT("Verification failed for "),
		STR_LIT("server certificate verification failed for "), STR_LIT("Used TLS for "), STR_LIT("using "),
		STR_LIT("looking up "), STR_LIT("address "), STR_LIT("SSL_connect:"), STR_LIT("save session "),
		STR_LIT("TLS policy"), STR_LIT("Host offered STARTTLS"), STR_LIT("smtp_"), STR_LIT("no "), STR_LIT("mail for ")};

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		if (str_starts(rest, starts[i])) {
			e->kind = EVENT_NONE;
			e->text = rest;
			return true;
		}
	}
	return str_starts(rest, STR_LIT("Host offered STARTTLS:"));
}

bool postfix_client(struct event *e, struct str rest)
{
	static const struct {
		struct str start;
		enum smtp_stage stage;
	} failures[] = {{STR_LIT("connect to "), STAGE_CONNECT}, {STR_LIT("host "), STAGE_OTHER},
		{STR_LIT("lost connection with "), STAGE_OTHER}, {STR_LIT("conversation with "), STAGE_OTHER},
		{STR_LIT("Cannot start TLS: "), STAGE_STARTTLS}, {STR_LIT("TLS is required, "), STAGE_STARTTLS},
		{STR_LIT("Server certificate not "), STAGE_STARTTLS}};
	struct str in = rest;

	if (postfix_delivery(e, rest))
		return true;
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
		if (scan_lit(&in, failures[i].start))
			return host_failure(e, in, rest, failures[i].stage);
	if (scan_lit(&in, STR_LIT("SSL_connect error to ")) || scan_lit(&in, STR_LIT("certificate verification failed for ")))
		return tls_failure(e, in, rest);
	if (postfix_tls(e, rest)) {
		e->relay_host = e->client_host;
		e->relay_ip = e->client_ip;
		e->relay_port = e->client_port;
		e->client_host = e->client_ip = (struct str){NULL, 0};
		e->client_port = EVENT_UNKNOWN;
		return true;
	}
	return known_quiet(e, rest) || postfix_quiet(e, rest);
}
