/* SPDX-License-Identifier: MIT */
/*
 * parse - what the files of the Postfix log parser share: one file a daemon family, one function a line.
 *
 * A daemon's function gets the event with stamp, host, service, process, pid and queue id filled and the message
 * behind the queue id; it sets kind and fields and returns true, or returns false when it doesn't know the
 * line. Nothing is copied, allocated or remembered from line to line.
 */
#ifndef MT_BACKENDS_POSTFIX_PARSE_H
#define MT_BACKENDS_POSTFIX_PARSE_H

#include "store/event.h"

/* postfix_delivery - "to=<..>, ..., status=.. (..)", whichever daemon wrote it. */
bool postfix_delivery(struct event *e, struct str rest);
/* postfix_reply_facts - code, stage and child queue id out of e->reply. */
void postfix_reply_facts(struct event *e);
/* postfix_host_reply - e->reply ("host H[ip] said: 450 ... (in reply to ...)") cut down to the server's words. */
void postfix_host_reply(struct event *e);
/* postfix_stage - the stage behind a command name or Postfix's description of a moment. */
enum smtp_stage postfix_stage(struct str text);
/* postfix_set_stage - the event's stage from the log's words, which it keeps too. */
void postfix_set_stage(struct event *e, struct str words);

bool postfix_smtpd(struct event *e, struct str rest);
bool postfix_cleanup(struct event *e, struct str rest);
bool postfix_qmgr(struct event *e, struct str rest);
bool postfix_client(
	struct event *e, struct str rest); /* smtp, lmtp and the other delivery agents */
bool postfix_bounce(struct event *e, struct str rest);
bool postfix_postscreen(struct event *e, struct str rest);
bool postfix_pickup(struct event *e, struct str rest);
bool postfix_postsuper(struct event *e, struct str rest);
bool postfix_master(struct event *e, struct str rest);
bool postfix_quiet(struct event *e,
	struct str rest); /* anvil, scache, verify, tlsmgr ...: statistics, nothing to count */
bool postfix_tlsproxy(struct event *e, struct str rest);
/* postfix_any - programs of which no line counts, but warnings: what they say is understood. */
bool postfix_any(struct event *e, struct str rest);
/* postfix_warning - a message that begins with a severity word; also SASL failures. */
bool postfix_warning(struct event *e, struct str message);
/* postfix_access - "reject: RCPT from H[ip]: ...; from=<> to=<> ..." of smtpd, cleanup and postscreen. */
bool postfix_access(struct event *e, struct str rest);
/* postfix_tls - "Anonymous TLS connection established from H[ip]: TLSv1.3 with cipher ...". */
bool postfix_tls(struct event *e, struct str rest);
/* postfix_peer - "H[ip]: ..." or "H[ip]:port: ...": what TLS says of a peer's certificate; nothing to count. */
bool postfix_peer(struct event *e, struct str rest);
/* postfix_debug - lines of a daemon run with -v. */
bool postfix_debug(struct str message);

/* postfix_take_client - "host[ip]" or "host[ip]:port" or "[ip]:port" into e; advances *in. */
bool postfix_take_client(struct event *e, struct str *in);
/* postfix_as_relay - what was read as the client is the server we went to; "[/path]" is a socket. */
void postfix_as_relay(struct event *e);
/* postfix_take_address - "<...>" (quoted local parts may hold '>'), without the brackets; or a bare word to
 * the next comma, semicolon or space. */
bool postfix_take_address(struct str *in, struct str *ret);
/* postfix_queue_id - a short or long queue id at the start, followed by ':'; taken with the ": ". */
bool postfix_queue_id(struct str *in, struct str *ret);
/* postfix_is_queue_id - the whole view has the shape of a queue id. */
bool postfix_is_queue_id(struct str s);
/* postfix_dsn - "x.y.z" at the start; 0 if none. */
int32_t postfix_dsn(struct str *in);

#endif
