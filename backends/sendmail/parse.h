/* SPDX-License-Identifier: MIT */
/*
 * sendmail/parse - what the files of the Sendmail log parser share.
 *
 * A line is "[QID: ]text". A function gets the event with stamp, host, pid and queue id filled and the text behind
 * them; it sets kind and fields and returns what the line stands for. Views only, into the line, the state or a constant.
 * Source of the forms: the sm_syslog() calls of sendmail 8.9 to 8.18; Sendmail Installation and Operation Guide, 2.1.1.
 */
#ifndef MT_BACKENDS_SENDMAIL_PARSE_H
#define MT_BACKENDS_SENDMAIL_PARSE_H

#include "backends/loglines.h"

#define SENDMAIL_NOTED 64 /* the newest of each kind are kept */
#define SENDMAIL_PEER_BYTES 64
#define SENDMAIL_TEXT_BYTES 128 /* as sendmail cuts authid= */

/* A line that later ones of the same process and peer are to be read with. */
struct sendmail_noted {
	int32_t pid; /* 0 unused */
	int64_t t_utc_ms;
	uint8_t npeer, ntext;
	char peer[SENDMAIL_PEER_BYTES], text[SENDMAIL_TEXT_BYTES];
};

struct sendmail_state {
	struct log_lines lines; /* first: log_lines_init is given the state */
	struct sendmail_noted logins[SENDMAIL_NOTED]; /* AUTH=server: relay, authid */
	struct sendmail_noted
		shakes[SENDMAIL_NOTED]; /* STARTTLS=client: relay, version and cipher */
	size_t next_login, next_shake;
	int32_t timed_out_pid; /* its "timeout waiting" was told: "lost input channel" is about the same client */
};

/* What a line stands for. */
enum sendmail_line {
	SENDMAIL_UNKNOWN, /* no form of ours */
	SENDMAIL_EVENT, /* one event */
	SENDMAIL_ARRIVAL, /* received, message-id, queued */
	SENDMAIL_RECIPIENTS, /* one event for each address of the to= list */
	SENDMAIL_NOTICE, /* a notification and its arrival */
	SENDMAIL_RETURNED, /* a notification, all that waited is given up, and the message is gone */
	SENDMAIL_THROWN /* a refusal of the whole message, which is gone */
};

struct sendmail_more { /* what an event has no place for */
	struct str recipients; /* the list of a to=, without the end that tells of more lines */
	bool gone; /* the message was refused whole, discarded or aborted */
};

/* sendmail_take_id - "t5288U8x003159: ", "SAA15929: ", "NOQUEUE: ", with "[2]" the later part of a long line.
 * *ret absent for NOQUEUE and lines without one; *ret_part 0, or the number in brackets. */
void sendmail_take_id(struct str *in, struct str *ret, uint64_t *ret_part);
/* sendmail_take_address - an address of a list, up to a comma that is in no <> and no quotes. Brackets stay on. */
struct str sendmail_take_address(struct str *in);
/* sendmail_bare - an address without its <>. */
struct str sendmail_bare(struct str address);
/* sendmail_codes - "550 5.1.1 text" into code and, with dsn, the enhanced code if it is of that class. */
void sendmail_codes(struct event *e, struct str text, bool dsn);
/* sendmail_set_client - "user@name [ip] (may be forged)" as the client. Returns false: it was no network. */
bool sendmail_set_client(struct event *e, struct str relay);

/* The records: from=..., to=... */
enum sendmail_line sendmail_record(
	struct sendmail_state *p, struct event *e, struct str text, struct sendmail_more *more);
/* Refusals: ruleset=, Milter:, "<a@b>... User unknown". */
enum sendmail_line sendmail_refusal(struct event *e, struct str text);
/* Sessions: connect, STARTTLS=, AUTH=, lost. */
enum sendmail_line sendmail_session(struct sendmail_state *p, struct event *e, struct str text);
/* All others: notifications, the daemon itself, what needs no counting. */
enum sendmail_line sendmail_other(struct event *e, struct str text);

#endif
