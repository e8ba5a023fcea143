/* SPDX-License-Identifier: MIT */
/*
 * vocab - the enums that are stored in the cache, with their meaning. Numbers are on disk:
 * append only, never renumber. Both store_write.h and store_read.h include this.
 */
#ifndef MT_STORE_VOCAB_H
#define MT_STORE_VOCAB_H

#include "store/event.h"

/* Buckets: n per (dim, resolution, provider, time, key, metric). What key means depends on dim. */
enum bucket_dim {
	DIM_TOTAL, /* key 0 */
	DIM_CODE, /* key = code_key(dsn, basic code); metric = a METRIC_ of outcome */
	DIM_DOMAIN, /* key = dict id of the recipient domain (lower case) */
	DIM_SERVICE, /* key = dict id of the smtpd service tag (port is looked up in table service) */
	DIM_RELAY_PORT, /* key = remote TCP port of the relay, 0 = none (local, pipe, socket, no relay) */
	DIM_RELAY, /* key = dict id of the relay host (no ip, no port) */
	DIM_EGRESS, /* key = dict id of the delivering service tag ("postfix/smtp", "postfix/relay/smtp") */
	DIM_SENDER, /* key = dict id of the sender domain; metric RECEIVED, SENT ... */
	DIM_DELAY_TOTAL, /* key = delay in cs, exact up to 10,000 s; metric SENT; n = deliveries */
	DIM_DELAY_A,
	DIM_DELAY_B,
	DIM_DELAY_C,
	DIM_DELAY_D,
	DIM_MAILBOX, /* key = dict id of a mailbox provider in the vendor's word: "Gmail" */
	DIM_IP, /* key = dict id of a sending IP */
	DIM_TAG, /* key = dict id of a tag or category */
	DIM_SUBACCOUNT, /* key = dict id of a subaccount or subuser */
	DIM_CLASS, /* key = dict id of a bounce classification; metric BOUNCED */
	DIM_EGRESS_MAILBOX, /* key = egress_key(service tag, enum mailbox); SENT, BOUNCED, DEFERRED of smtp(8) */
	DIM_GATE, /* key = egress_key(service tag, enum warmup_gate); BOUNCED, DEFERRED whose reply opens that gate */
	DIM_CLUSTER, /* key = id of table cluster; metric DEFERRED, BOUNCED, REJECTED */
	DIM_MX, /* key = mx_key(dict id of a relay host or recipient domain ...); metric: enum mx_tls or MX_FIRST + enum mx_figure */
	DIM_FALLBACK, /* key = fallback_key(host that failed, host that took the mail); metric SENT */
	DIM__COUNT
};

/* The one definition of every counted figure. The help of the panes quotes these lines. */
#define METRIC_LIST(X)                                                                             \
	X(RECEIVED, "messages",                                                                    \
		"messages accepted into the queue (client=, pickup, or a notification made "       \
		"here); a message "                                                                \
		"re-injected by a content filter or forwarded by local(8) counts once, when it "   \
		"first arrived")                                                                   \
	X(RECIPIENTS, "recipients",                                                                \
		"recipients of those messages: nrcpt= of the message's first \"queue active\" "    \
		"line")                                                                            \
	X(SENT, "sent",                                                                            \
		"delivery records with status=sent; hand-overs to a content filter or to a "       \
		"forwarded copy are "                                                              \
		"not counted here but under handed over")                                          \
	X(HANDED_OVER, "handed over",                                                              \
		"status=sent records that only moved the message to another queue id of this "     \
		"server")                                                                          \
	X(DEFERRED, "deferred attempts",                                                           \
		"delivery records with status=deferred: tries, not failures")                      \
	X(BOUNCED, "bounced", "delivery records with status=bounced: recipients given up on")      \
	X(EXPIRED, "expired",                                                                      \
		"messages given up by the queue manager (status=expired or force-expired)")        \
	X(EXPIRED_RECIPIENTS, "expired recipients",                                                \
		"recipients still undelivered when their message expired (nrcpt less sent and "    \
		"bounced)")                                                                        \
	X(REJECTED, "rejected",                                                                    \
		"refusals (reject, milter-reject, proxy-reject) of a client, sender, recipient "   \
		"or message, 4xx and 5xx")                                                         \
	X(REJECTED_TEMPORARY, "rejected 4xx",                                                      \
		"those refusals whose reply was 4xx: the client may try again")                    \
	X(REJECT_WARNINGS, "reject warnings",                                                      \
		"reject_warning records: would have been refused, were let through")               \
	X(CONNECTIONS, "connections",                                                              \
		"client connections (smtpd connect from, postscreen CONNECT)")                     \
	X(AUTH_OK, "auth ok",                                                                      \
		"AUTH commands that succeeded, from the session's counters at disconnect, or "     \
		"messages with sasl_username= where the log has no counters")                      \
	X(AUTH_FAILED, "auth failed",                                                              \
		"AUTH commands refused: the session's counters, or SASL failure warnings "         \
		"where these are more or the counters are missing")                                \
	X(TLS, "TLS", "client sessions that used TLS")                                             \
	X(FIRST_TRY, "first try", "sent records in the message's first queue run")                 \
	X(WARNINGS, "warnings", "warning:, error:, fatal: and panic: lines of the mail server")    \
	X(UNPARSED, "unparsed lines", "lines of the mail server that mtatop does not understand")  \
	X(FOREIGN, "other lines", "lines of other programs in the same log")                       \
	X(LINES, "lines", "lines read")                                                            \
	X(NOTIFICATIONS, "notifications",                                                          \
		"bounce, delay and delivery notices made here (they are messages too)")            \
	X(HELD, "held", "messages put on hold")                                                    \
	X(DISCARDED, "discarded",                                                                  \
		"messages or recipients accepted and thrown away by an access rule")               \
	X(TLS_OUT, "TLS out", "deliveries over TLS, where the log says")                           \
	X(HOST_FAILURES, "host failures",                                                          \
		"outbound connections or sessions that failed before a recipient was tried")       \
	X(LOST, "lost connections",                                                                \
		"client sessions that ended by loss, time-out or too many errors")                 \
	X(OVERSIZE, "oversize lines", "lines over the length cap, skipped")                        \
	X(COUNTED_SESSIONS, "counted sessions",                                                    \
		"client sessions whose disconnect line had counters (Postfix 3.0 on): "            \
		"where there are none and no TLS lines either, TLS is unknown")                    \
	X(REQUESTS, "requests", "recipients handed to the vendor for delivery, as it counts them") \
	X(PROCESSED, "processed",                                                                  \
		"recipients the vendor took up delivery for: requests less those suppressed")      \
	X(SUPPRESSED, "suppressed",                                                                \
		"recipients the vendor did not try, the address being on a suppression list "      \
		"or invalid; not among bounced")                                                   \
	X(BLOCKED, "blocked",                                                                      \
		"those of bounced the vendor does not hold against the address (SendGrid blocks)") \
	X(HARD_BOUNCES, "hard bounces", "those of bounced the vendor calls hard: no such address") \
	X(SOFT_BOUNCES, "soft bounces", "those of bounced the vendor calls soft")                  \
	X(COMPLAINTS, "complaints",                                                                \
		"recipients who said spam, as mailbox providers report them; Gmail reports none")  \
	X(UNSUBSCRIBES, "unsubscribes", "recipients who unsubscribed, as the vendor counts them")  \
	X(OPENS, "opens", "openings the vendor saw (its tracking pixel fetched), repeats too")     \
	X(UNIQUE_OPENS, "unique opens", "recipients who opened at least once, by the vendor")      \
	X(CLICKS, "clicks", "clicks on links the vendor rewrote, repeats too")                     \
	X(UNIQUE_CLICKS, "unique clicks", "recipients who clicked at least once, by the vendor")

enum metric {
#define METRIC_ENUM(id, name, help) METRIC_##id,
	METRIC_LIST(METRIC_ENUM)
#undef METRIC_ENUM
		METRIC__COUNT
};

/*
 * How hosts are reached, beyond outcomes (DIM_MX): of each relay host and each recipient domain. Failures are
 * of connections, not of recipients: one try at a host, however many recipients waited for it. What a record of a
 * delivery tells is counted of smtp(8) and lmtp(8) alone, and of a domain only what the log ties to it: the delivering
 * process's records next to its failures (Postfix).
 */
#define MX_FIGURE_LIST(X)                                                                          \
	X(REFUSED, "refused", "connections the host refused (Connection refused)")                 \
	X(TIMED_OUT, "timed out",                                                                  \
		"connections, and sessions waiting for a reply, that ran into a time-out")         \
	X(NO_ROUTE, "no route",                                                                    \
		"connections without a way to the host (No route to host, Network is "             \
		"unreachable)")                                                                    \
	X(LOST, "lost", "sessions that the host or the network ended (lost connection)")           \
	X(TLS_FAILED, "TLS failed",                                                                \
		"TLS handshakes that failed (SSL_connect error), and sessions given up because "   \
		"TLS was not offered or the certificate not accepted")                             \
	X(DNS_FAILED, "DNS failed",                                                                \
		"delivery records deferred or bounced because a host or domain name was not "      \
		"found; of a host: its address was not")                                           \
	X(STEPPED_IN, "stepped in",                                                                \
		"sent records by a host after another one had failed for the same message: "       \
		"backup use")

enum mx_figure {
#define MX_FIGURE_ENUM(id, name, help) MX_##id,
	MX_FIGURE_LIST(MX_FIGURE_ENUM)
#undef MX_FIGURE_ENUM
		MX_FIGURE__COUNT
};

/* Of a sent record by a network relay: by which TLS. */
enum mx_tls {
	MX_TLS_UNTOLD, /* no line tells: none, if the log tells TLS at all */
	MX_TLS_NONE, /* the record itself says that there was none */
	MX_TLS_1_3,
	MX_TLS_1_2,
	MX_TLS_OLDER,
	MX_TLS_VERSION_UNTOLD,
	MX_TLS_REUSED, /* a connection made before by another process: its handshake is not to be found */
	MX_TLS__COUNT = 8
};

/* The steps connection times are counted by: a time counts under the first step it does not exceed, in centiseconds. */
#define MX_STEPS                                                                                   \
	{                                                                                          \
		0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 120, 150,     \
			200, 250, 300, 400, 500, 600, 800, 1000, 1200, 1500, 2000, 2500, 3000,     \
			4000, 5000, 6000, 8000, 10000, 12000, 15000, 20000, 25000, 30000, 40000,   \
			50000, 60000, 80000, 100000, 200000, 500000, 1000000                       \
	}
#define MX_STEP_BITS 6
#define MX_STEP_NONE                                                                               \
	63 /* no connection was made for the record, or its time is not told; and of figures */
#define MX_STEP__COUNT 64
#define MX_FIRST MX_TLS__COUNT
enum mx_whose { MX_OF_HOST, MX_OF_DOMAIN };

/* mx_key - of a sent record with that step (its metric: by which TLS), or of a figure. */
static inline int64_t mx_key(int32_t id, enum mx_whose whose, int step)
{
	return ((int64_t)id << 1 | (int64_t)whose) << MX_STEP_BITS | step;
}

#define FALLBACK_BITS 28
/* fallback_key - dict ids of two relay hosts; -1 where they are too large to be told apart (over 268 million texts). */
static inline int64_t fallback_key(int32_t failed, int32_t took)
{
	return failed >> FALLBACK_BITS || took >> FALLBACK_BITS
		       ? -1
		       : (int64_t)failed << FALLBACK_BITS | took;
}

enum bucket_resolution {
	RES_EVER =
		0, /* the days that retention took, added up at t_s 0, for counters that must not fall */
	RES_MINUTE = 60,
	RES_HOUR = 3600,
	RES_DAY = 86400, /* days are UTC days */
	/* of a vendor's counters: minutes made of the differences between polls; slots of the vendor's, absolute */
	RES_DIFFERENCE = 61,
	RES_SLOT_QUARTER = 901,
	RES_SLOT_HOUR = 3601,
	RES_SLOT_DAY = 86401 /* t_s is the midnight of the account's time zone */
}; /* seconds, one more for slots */

/* slot_resolution - of counter slots finest_bucket_s long; 0: no slots (a provider that is counted by the minute). */
static inline int slot_resolution(int64_t finest_bucket_s)
{
	return finest_bucket_s <= RES_MINUTE ? 0
	       : finest_bucket_s <= 900      ? RES_SLOT_QUARTER
	       : finest_bucket_s <= RES_HOUR ? RES_SLOT_HOUR
					     : RES_SLOT_DAY;
}

/* bucket_kept_for_ever - dimensions whose keys are few whatever strangers send. */
static inline bool bucket_kept_for_ever(enum bucket_dim dim)
{
	return dim == DIM_TOTAL || dim == DIM_CODE || dim == DIM_SERVICE || dim == DIM_RELAY_PORT;
}

/* An attempt later than this after its message's arrival is never put inside the message row (a_*), so that
 * the inline attempts of a time window lie in the window's message ids and this long before. */
#define INLINE_ATTEMPT_MAX_MS 60000

/* Flags of a message row. */
enum message_flag {
	MESSAGE_OPEN = 1, /* still in the queue as far as the log says */
	MESSAGE_NOTIFICATION = 2, /* a bounce, delay or success notice made here */
	MESSAGE_REINJECTED = 4, /* has a parent: not counted again */
	MESSAGE_FORWARDED = 8, /* child of local(8) "forwarded as" */
	MESSAGE_LOCAL = 16, /* came in by pickup */
	MESSAGE_NO_START = 32, /* the log began after its arrival */
	MESSAGE_EXPIRED = 64,
	MESSAGE_HELD = 128,
	MESSAGE_DELETED = 256, /* removed by postsuper */
	MESSAGE_PROBE = 512 /* an address probe (status=deliverable, undeliverable): in no total */
};

/* A message is counted under RECEIVED and RECIPIENTS unless it has one of these. */
#define MESSAGE_NOT_COUNTED                                                                        \
	(MESSAGE_NO_START | MESSAGE_REINJECTED | MESSAGE_FORWARDED | MESSAGE_PROBE)

/* How deep a provider's queue was, and where the figure is from. */
enum queue_source {
	QUEUE_SOURCE_NONE,
	QUEUE_SOURCE_SPOOL,
	QUEUE_SOURCE_POSTQUEUE,
	QUEUE_SOURCE_LOG,
	QUEUE_SOURCE_LISTING /* the server's own listing, other than postqueue's */
};
enum queue_name {
	QUEUE_MAILDROP,
	QUEUE_INCOMING,
	QUEUE_ACTIVE,
	QUEUE_DEFERRED,
	QUEUE_HOLD,
	QUEUE_CORRUPT,
	QUEUE__COUNT
};

/* Where a sample of sockets is from: with bytes, times and who is new, or states alone. */
enum socket_source { SOCKETS_NONE, SOCKETS_NETLINK, SOCKETS_PROC };

/* How the machine fares: gauge, in the order of the columns of table host_minute; unit. */
enum host_gauge {
	HOST_CPU_BUSY, /* per mille */
	HOST_CPU_WAIT, /* per mille */
	HOST_CPU_STEAL, /* per mille */
	HOST_LOAD, /* hundredths */
	HOST_CPUS,
	HOST_MEM_TOTAL, /* bytes */
	HOST_MEM_AVAILABLE, /* bytes */
	HOST_SWAP_USED, /* bytes */
	HOST_DISK_TOTAL, /* bytes */
	HOST_DISK_FREE, /* bytes */
	HOST_INODES_TOTAL,
	HOST_INODES_FREE,
	HOST_DISK_BUSY, /* per mille */
	HOST_DISK_WAIT, /* microseconds */
	HOST_NET_IN, /* bytes a second */
	HOST_NET_OUT, /* bytes a second */
	HOST_PSI_CPU, /* per mille of the time some task waited for it, as the three below */
	HOST_PSI_MEMORY,
	HOST_PSI_IO,
	HOST_UNDER_BUSY, /* per mille: the busiest disk under the queue's device */
	HOST__COUNT
};

enum health {
	HEALTH_UNKNOWN,
	HEALTH_FRESH,
	HEALTH_LATE,
	HEALTH_STALE,
	HEALTH_FAILING,
	HEALTH_STOPPED,
	HEALTH_CATCHING_UP,
	HEALTH__COUNT
};

/* Why a port is known for a service. */
enum port_source { PORT_UNKNOWN, PORT_FROM_MASTER, PORT_BY_STOCK_NAME, PORT_AMBIGUOUS };

/* Dictionary kinds (table dict). */
enum dict_kind {
	DICT_DOMAIN,
	DICT_SERVICE,
	DICT_CLIENT, /* host[ip] */
	DICT_RELAY, /* the whole relay= value */
	DICT_RELAY_HOST,
	DICT_USER, /* sasl_username */
	DICT_REPLY, /* reply text with its varying parts replaced, see reply.h */
	DICT_TLS,
	DICT_HOST,
	DICT_MAILBOX,
	DICT_IP,
	DICT_TAG,
	DICT_SUBACCOUNT,
	DICT_CLASS,
	DICT_CLUSTER, /* a signature, see cluster.c */
	DICT__COUNT
};

/* What befell a recipient at a vendor (store_api.h). */
enum api_event_kind {
	API_EVENT_OTHER, /* text in reply; time line only */
	API_EVENT_ACCEPTED, /* taken by the vendor, processed */
	API_EVENT_DELIVERED,
	API_EVENT_DEFERRED, /* a try that failed, more follow */
	API_EVENT_BOUNCED, /* given up: permanent failure, blocked, rejected by the vendor */
	API_EVENT_SUPPRESSED, /* not tried: the address is on a suppression list, or invalid */
	API_EVENT_OPENED,
	API_EVENT_CLICKED,
	API_EVENT_UNSUBSCRIBED,
	API_EVENT_COMPLAINED,
	API_EVENT__COUNT
};

/* Lists a vendor keeps. */
enum api_list {
	API_LIST_BOUNCES,
	API_LIST_COMPLAINTS,
	API_LIST_UNSUBSCRIBES,
	API_LIST_ALLOW,
	API_LIST_BLOCKS,
	API_LIST_INVALID,
	API_LIST__SUPPRESSIONS, /* the above are suppression lists */
	API_LIST_IPS = API_LIST__SUPPRESSIONS,
	API_LIST_DOMAINS,
	API_LIST__COUNT
};

/* egress_key - key of DIM_EGRESS_MAILBOX and DIM_GATE: dict id of the delivering service tag, and a number below 256. */
static inline int64_t egress_key(int32_t egress, int part)
{
	return (int64_t)egress << 8 | part;
}

/* code_key - key of DIM_CODE: the enhanced code if there is one, else the basic code (200..599), else 0. */
static inline int64_t code_key(int32_t dsn, int32_t code)
{
	return dsn > 0 ? dsn : code > 0 ? code : 0;
}

#endif
