/* SPDX-License-Identifier: MIT */
/*
 * exchange/parse - what the files of the Exchange log parser share: columns by name, the state, one function a kind of log.
 *
 * Of the message tracking log only DELIVER, SEND, SENDEXTERNAL, FAIL and DEFER are outcomes; what shadow redundancy and
 * agents write (HA..., AGENTINFO ...) is told again by others. A SEND to another Exchange server of the organisation is a
 * hand-over: the DELIVER or the SEND there is the delivery. A message is known by its network-message-id, which it keeps
 * on every server, or where there is none (2010) by the internal-message-id of one server.
 * Source of the columns and words: Microsoft's "Message tracking", "Protocol logging" and "Connectivity logging".
 */
#ifndef MT_BACKENDS_EXCHANGE_PARSE_H
#define MT_BACKENDS_EXCHANGE_PARSE_H

#include "backends/backend.h"
#include "backends/exchange/csv.h"

enum exchange_column {
	COL_NONE, /* one that nothing is read from */
	COL_TIME,
	COL_CLIENT_IP,
	COL_CLIENT_HOST,
	COL_SERVER_IP,
	COL_SERVER_HOST,
	COL_SOURCE_CONTEXT,
	COL_CONNECTOR,
	COL_SOURCE,
	COL_EVENT_ID,
	COL_INTERNAL_ID,
	COL_MESSAGE_ID,
	COL_NETWORK_ID,
	COL_RCPT,
	COL_RCPT_STATUS,
	COL_BYTES,
	COL_RCPT_COUNT,
	COL_RELATED,
	COL_SENDER,
	COL_RETURN_PATH,
	COL_INFO,
	COL_ORIG_CLIENT_IP,
	COL_CUSTOM,
	COL_SESSION_ID,
	COL_SEQUENCE,
	COL_LOCAL,
	COL_REMOTE,
	COL_EVENT,
	COL_DATA,
	COL_CONTEXT,
	COL_SESSION,
	COL_DESTINATION,
	COL_DIRECTION,
	COL_DESCRIPTION,
	COL__COUNT
};

enum exchange_kind {
	EXCHANGE_UNKNOWN, /* no header yet: told by the number of fields */
	EXCHANGE_TRACKING,
	EXCHANGE_RECEIVE,
	EXCHANGE_SEND,
	EXCHANGE_CONNECTIVITY,
	EXCHANGE_OTHER /* another of Exchange's many logs */
};

struct exchange_layout { /* which column stands where */
	enum exchange_kind kind;
	uint8_t column[CSV_FIELDS_MAX];
	size_t n;
};

#define EXCHANGE_COMMAND_BYTES 160 /* of a command kept until its reply comes */
#define EXCHANGE_HELO_BYTES 64
struct exchange_session { /* of a protocol log */
	uint64_t id; /* hash of its session-id; 0 free */
	uint32_t used; /* when, to find the oldest */
	uint8_t stage; /* enum smtp_stage of the last command */
	bool proxied; /* of another Exchange server, in whose logs refusals are told of themselves */
	bool quit;
	uint8_t ncommand, nhelo;
	char command[EXCHANGE_COMMAND_BYTES], helo[EXCHANGE_HELO_BYTES];
};
#define EXCHANGE_SETS 128
#define EXCHANGE_WAYS 4

struct exchange_state { /* parse state */
	int64_t last_utc_ms;
	enum exchange_kind log_type; /* of the last #Log-type */
	struct exchange_layout layout;
	size_t nscratch;
	uint32_t clock; /* records so far */
	struct exchange_session sessions[EXCHANGE_SETS][EXCHANGE_WAYS];
	char scratch[CSV_RECORD_MAX_BYTES]; /* fields unescaped */
};

/* A record: its fields by column, absent {NULL, 0}. Views into the bytes parsed or the state. */
struct exchange_record {
	struct str col[COL__COUNT];
	struct str whole;
};

/* exchange_fields - "#Fields: a,b,..." into a layout. log_type: of the file's #Log-type, EXCHANGE_UNKNOWN if none. */
void exchange_fields(struct exchange_layout *out, struct str names, enum exchange_kind log_type);
/* exchange_log_type - the value of "#Log-type:". */
enum exchange_kind exchange_log_type(struct str value);
/* exchange_guess - the layout of a record of so many fields in a file whose header was not seen; false: none has so many. */
bool exchange_guess(struct exchange_layout *out, size_t nfields);
/* exchange_get - the fields of a record by column. false: it has fewer than the layout (torn). */
bool exchange_get(struct exchange_state *p, const struct exchange_layout *layout, struct str record,
	struct exchange_record *out);

/*
 * exchange_stamp - "2026-01-01T00:00:00.123Z" (the fraction of up to 9 digits optional) at the start of *in, which is advanced
 * past it, into UTC ms. false: there is none, or it is no time. Without timefmt.h's memory of zones, for it has none.
 */
bool exchange_stamp(struct str *in, int64_t *ret_utc_ms);
/* exchange_endpoint - "192.0.2.1:25", "[2001:db8::1]:25" into address and port; what is neither: address alone. */
void exchange_endpoint(struct str s, struct str *ret_ip, struct str *ret_port);
int32_t exchange_port(struct str s);
/* exchange_reply - code and enhanced code at the start of text into the event; nothing when there are none. */
void exchange_reply(struct event *e, struct str text);

/*
 * The kinds: emit what a record tells. e is blank but for its head. Return 0 or what the sink returned; *ret_known
 * false, nothing emitted: not understood.
 */
int exchange_tracking(struct event *e, const struct exchange_record *r,
	const struct event_sink *sink, bool *ret_known);
int exchange_smtp(struct exchange_state *p, struct event *e, const struct exchange_record *r,
	bool receive, const struct event_sink *sink, bool *ret_known);
int exchange_connectivity(struct event *e, const struct exchange_record *r,
	const struct event_sink *sink, bool *ret_known);

#endif
