/* SPDX-License-Identifier: MIT */
/*
 * event - the vocabulary of what backends report: one struct event per understood record.
 *
 * Views point into the backend's read buffer and live only during emit; the sink copies what it
 * keeps. Absent fields are {NULL,0} or the named "unknown" value, never 0 when 0 has a meaning.
 * Words are Postfix's and RFC 5321's; other MTAs and the vendors' APIs map onto them.
 */
#ifndef MT_STORE_EVENT_H
#define MT_STORE_EVENT_H

#include "store/base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define EVENT_UNKNOWN (-1) /* of every int field below */

enum event_kind {
	EVENT_NONE, /* understood, nothing to count (scache statistics, ...) */
	EVENT_UNPARSED, /* a line of this MTA that no rule understood; text */
	EVENT_FOREIGN, /* a line of another program; counted apart, never "unparsed" */
	EVENT_OVERSIZE, /* a line over the cap, skipped; size_bytes */
	EVENT_RECEIVED, /* queue id assigned: client=, or pickup uid= */
	EVENT_MESSAGE_ID, /* cleanup message-id= */
	EVENT_QUEUED, /* qmgr from=, size=, nrcpt= (queue active) */
	EVENT_ATTEMPT, /* one delivery try for one recipient: to=, relay=, ..., status= */
	EVENT_EXPIRED, /* qmgr status=expired or force-expired: all pending recipients given up */
	EVENT_REMOVED, /* the message left the queue (qmgr or postsuper) */
	EVENT_NOTIFICATION, /* bounce: a notification message; queue_id parent, child_queue_id child */
	EVENT_REJECT, /* a refusal or other access(5) action before or at acceptance */
	EVENT_CONNECT, /* a client connected (smtpd, postscreen) */
	EVENT_DISCONNECT, /* it left; session counters if the MTA logs them */
	EVENT_LOST, /* lost connection / timeout / too many errors after STAGE */
	EVENT_AUTH_FAILED, /* SASL authentication failed */
	EVENT_TLS, /* TLS established (in or out), or failed: tls_ok */
	EVENT_HOST_FAILURE, /* outbound, host level, no recipient: connect to ..., host ... said, lost connection with */
	EVENT_HOLD, /* put on hold / released: postsuper, access HOLD; action */
	EVENT_WARNING, /* a "warning:", "error:", "fatal:", "panic:" line; severity, text */
	EVENT_SERVER, /* the MTA itself: started, reload, stopped, process died; text */
	EVENT_POSTSCREEN, /* PASS NEW/OLD, PREGREET, HANGUP, DNSBL, ALLOWLISTED ...; action */
	EVENT_STATISTICS, /* anvil, scache, verify figures */
	EVENT_AUTH_OK, /* a client logged in; of MTAs that say so in a line of its own */
	EVENT_ACCEPTED, /* a session handed a message in; of MTAs whose log of messages does not tell by which listener */
	EVENT__COUNT
};

enum event_status {
	STATUS_NONE,
	STATUS_SENT,
	STATUS_DEFERRED,
	STATUS_BOUNCED,
	STATUS_EXPIRED,
	STATUS_DELIVERABLE, /* address probe: never in a total */
	STATUS_UNDELIVERABLE, /* address probe: never in a total */
	STATUS_OTHER, /* a status= word we do not know; status_text has it */
	STATUS_SUPPRESSED, /* a vendor did not try: the address is on a suppression list, or invalid */
	STATUS__COUNT
};

/* SMTP stage of a reply or refusal, RFC 5321 command names. */
enum smtp_stage {
	STAGE_NONE,
	STAGE_CONNECT,
	STAGE_EHLO,
	STAGE_STARTTLS,
	STAGE_AUTH,
	STAGE_MAIL,
	STAGE_RCPT,
	STAGE_DATA,
	STAGE_END_OF_DATA,
	STAGE_OTHER,
	STAGE__COUNT
};

/* What was done to a client, recipient or message by EVENT_REJECT. Only REJECT_REJECT refuses. */
enum reject_action {
	REJECT_REJECT, /* reject, milter-reject, proxy-reject: refused; 4xx = temporary */
	REJECT_WARN, /* reject_warning, warn: let through */
	REJECT_HOLD,
	REJECT_DISCARD, /* accepted and thrown away */
	REJECT_FILTER,
	REJECT_REDIRECT,
	REJECT_OTHER, /* info, prepend, replace, bcc, accept ... */
	REJECT__COUNT
};

enum event_severity {
	SEVERITY_INFO,
	SEVERITY_WARNING,
	SEVERITY_ERROR,
	SEVERITY_FATAL,
	SEVERITY_PANIC
};

/* Delays of one attempt in centiseconds as logged (Postfix prints two significant digits up to 100 s, whole
 * seconds above, 0.01 s at best): total, a before qmgr, b in qmgr, c connection set-up, d transmission.
 * EVENT_UNKNOWN if absent or not a number within 0..DELAY_MAX_CS. */
#define DELAY_MAX_CS 1000000000 /* 115 days; a queue lifetime is 5 days by default, 100 at most */
enum delay_part { DELAY_TOTAL, DELAY_A, DELAY_B, DELAY_C, DELAY_D, DELAY__COUNT };

/* An enhanced status code x.y.z as one integer: class * 1000000 + subject * 1000 + detail; 0 = none. */
#define DSN_MAKE(class_digit, subject, detail) ((class_digit)*1000000 + (subject)*1000 + (detail))

struct session_counters { /* smtpd "disconnect ... ehlo=1 auth=0/1 ... commands=5/6", Postfix 3.0+ */
	bool present;
	int32_t starttls_ok, auth_ok, auth_total, mail_ok, rcpt_ok, rcpt_total, data_ok, commands;
};

struct event {
	enum event_kind kind;
	int64_t t_utc_ms; /* time of the record */
	struct str host; /* host field of the line */
	struct str service; /* full tag: "postfix/submission/smtpd" */
	struct str process; /* last component: "smtpd" */
	int32_t pid; /* EVENT_UNKNOWN if none */
	struct str queue_id; /* absent for NOQUEUE and lines without one */
	struct str child_queue_id; /* "queued as", "forwarded as", notification, 3.11 bounce */
	struct str orig_queue_id; /* smtpd client=..., orig_queue_id= after a filter */
	/* who */
	struct str client_host, client_ip;
	int32_t client_port;
	struct str orig_client;
	struct str sasl_method, sasl_user, sasl_sender;
	struct str helo, proto;
	int32_t uid;
	struct str from; /* envelope sender, without <> ; present and empty for <> */
	struct str to, orig_to;
	struct str message_id; /* with its <> stripped when it has them */
	int64_t size_bytes;
	int32_t nrcpt;
	int32_t more_rcpt; /* EVENT_QUEUED of a message known before: so many recipients were added to it */
	/* where to */
	struct str relay; /* the whole value as logged */
	struct str relay_host, relay_ip, relay_socket;
	int32_t relay_port;
	int32_t conn_use;
	/* how it went */
	int32_t delay_cs[DELAY__COUNT];
	enum event_status status;
	struct str status_text; /* the word as logged */
	int32_t dsn; /* dsn= of the record, or of the reject */
	int32_t code; /* basic reply code 200..599 in the reply text; EVENT_UNKNOWN if none */
	enum smtp_stage stage;
	struct str stage_text; /* the stage in the log's words: "RCPT TO", "end of DATA", "VRFY" */
	bool forced; /* EVENT_EXPIRED: force-expired; EVENT_REMOVED: taken out by a person */
	bool settles; /* the MTA logs no removal: a message is gone when all its recipients are settled */
	bool runless; /* the MTA logs neither queue runs nor, as it comes, delays, sessions and counts of recipients */
	bool hop; /* EVENT_ATTEMPT sent: to another server of the same organisation, which delivers it; nrcpt: so many at once */
	bool lasting_id; /* the queue id is the message's on every server and never used again: a later arrival is its next hop */
	struct str reply; /* inside the outermost ( ) of a delivery; the text of a reject */
	struct str reject_subject; /* who or what a reject is about: the <...> after its code */
	struct str reject_reason; /* the text of a reject without code and subject */
	enum reject_action action;
	struct str action_text; /* the word as logged: "milter-reject", "PASS NEW", ... */
	/* TLS */
	bool tls_ok;
	bool outbound; /* EVENT_TLS, EVENT_HOST_FAILURE */
	struct str tls; /* 3.11 tls= value of a delivery */
	struct str tls_trust, tls_version, tls_cipher;
	struct str tls_bits; /* "256/256": used, and of the cipher */
	struct session_counters session;
	enum event_severity severity;
	struct str text; /* free text: warning, unparsed line, server message */
	uint64_t line_offset; /* byte offset of the line in its file; set by the caller of parse */
};

/* event_blank - an event with every unknown marked so; padding is zero. event_init - make one so. */
static inline const struct event *event_blank(void)
{
	static const struct event blank = {.pid = EVENT_UNKNOWN,
		.client_port = EVENT_UNKNOWN,
		.uid = EVENT_UNKNOWN,
		.size_bytes = EVENT_UNKNOWN,
		.nrcpt = EVENT_UNKNOWN,
		.relay_port = EVENT_UNKNOWN,
		.conn_use = EVENT_UNKNOWN,
		.delay_cs = {EVENT_UNKNOWN, EVENT_UNKNOWN, EVENT_UNKNOWN, EVENT_UNKNOWN,
			EVENT_UNKNOWN},
		.code = EVENT_UNKNOWN};

	return &blank;
}

static inline void event_init(struct event *e)
{
	memcpy(e, event_blank(), sizeof(*e));
}

/* Where events go. emit must copy what it keeps; a negative return stops the parse (MT_ENOMEM ...). */
struct event_sink {
	int (*emit)(void *ctx, const struct event *e);
	void *ctx;
};

#endif
