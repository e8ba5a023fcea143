/* SPDX-License-Identifier: MIT */
/*
 * store_read - read-only views of the cache for screens and reports.
 *
 * Every function works on one snapshot (reader_begin .. reader_end), so that all figures of one
 * frame agree. Strings are raw bytes from strangers, copied into the caller's arena; only the
 * canvas and the report writers make them fit to be seen.
 * Unknown is EVENT_UNKNOWN (-1) for figures, {NULL,0} for strings; never 0.
 */
#ifndef MT_STORE_READ_H
#define MT_STORE_READ_H

#include "store/base/arena.h"
#include "store/base/err.h"
#include "store/explain/explain.h"
#include "store/vocab.h"

struct reader;

/* store_setup - once at the program's start, before threads: SQLite then takes no lock at every allocation. Not needed. */
void store_setup(void);

/* reader_open - open the cache read-only. MT_ENOENT, MT_ENEWER, MT_ECORRUPT, MT_EPERM. Gives *ret. */
int reader_open(const char *path, struct reader **ret, struct mt_error *reterr) MT_MUST_CHECK;
void reader_close(struct reader *r);
/* reader_changed - has anything been committed since the last call (PRAGMA data_version, file replaced)? */
bool reader_changed(struct reader *r);
/* reader_begin / reader_end - one snapshot. Nothing else may be called outside it but the above. */
int reader_begin(struct reader *r, struct mt_error *reterr) MT_MUST_CHECK;
void reader_end(struct reader *r);
/* reader_truncated - did a list of this snapshot stop at its scan limit before the window's start? Then older rows
 * that match may exist; say so on the screen. Filters that no index serves look at the newest 25,000 rows (counts: 40,000; attempts by what only their message
 * tells, as a text, or of one domain: 10,000). */
bool reader_truncated(const struct reader *r);
/* reader_stop_when - while stop(ctx) says so, what is being read in a snapshot fails with MT_ECANCELED: asked now and
 * then by the thread that reads, so it must be quick. NULL: read to the end whatever comes. Holds until the next call.
 * reader_stopped - has that happened in the snapshot that is open? Then nothing read in it is whole. */
void reader_stop_when(struct reader *r, bool (*stop)(void *ctx), void *ctx);
bool reader_stopped(const struct reader *r);

#define QUERY_PORT_NONE (-1)
struct warmup_plan;
struct warmup_day;

/* What to look at. All panes share one. Zero-initialise and set what narrows. */
struct query {
	/* window [t0, t1); the reader aligns both to whole minutes (t0 down, t1 up); both 0: all the cache holds */
	int64_t t0_ms, t1_ms;
	int provider; /* 0 = all */
	struct str
		text; /* substring, ASCII case-insensitive, over what the rows show; absent = none */
	bool text_invert;
	struct str
		qid; /* a view's own: the message it shows, by queue id; no list is narrowed by it */
	struct str domain; /* recipient domain, exact */
	struct str queue_id; /* of the queue's listing alone: exact */
	struct str relay_host;
	struct str service; /* exact tag, or several as port_row has them: ", "-joined */
	struct str sender_domain;
	struct str user; /* sasl_username of the message, exact */
	struct str reply_template; /* exact DICT_REPLY text */
	int64_t code_key; /* see code_key(); 0 = any */
	struct str egress; /* attempts: delivering service tag, exact */
	const struct warmup_plan *plan; /* attempts: of smtp(8) for this plan; borrowed; NULL any */
	int gate_box; /* with plan: enum mailbox + 1, by MX host; 0 = any */
	int gate_signal; /* with plan: enum warmup_gate + 1 that the reply opens; 0 = any */
	int errors_by; /* read_clusters: enum cluster_by + 1 of a group to stay in; 0 = all */
	int64_t errors_key; /* key of that group */
	enum event_status status; /* STATUS_NONE = any */
	int32_t port; /* relay or service port; 0 = any */
	int32_t relay_port; /* attempts: the relay's port; 0 = any, QUERY_PORT_NONE = no network relay */
	unsigned message_flags; /* messages with any of these MESSAGE_ flags; 0 = any */
	unsigned reject_actions; /* rejects: set of 1 << enum reject_action; 0 = any */
	int reply_class; /* rejects: 4 or 5, first digit of the reply; 0 = any */
	int limit; /* rows at most; 0 = 1000 */
	int sort; /* column number of the pane that asks, see each function */
	bool descending;
};

/* The totals of report.totals and of the delivery pane. */
struct totals {
	int64_t n[METRIC__COUNT];
	int64_t first_ms,
		newest_ms; /* of what the cache holds at all for the provider(s); EVENT_UNKNOWN nothing */
	int64_t from_ms, to_ms; /* the window as aligned */
	int window_res_s; /* 60; 3600 when the window's edges were widened to hours, the minutes being pruned; more when
			     they were widened to whole slots of a vendor's counters */
	int slot_s; /* length of the longest slots looked at (the last may still be open: no comparison with the
		       window before); 0: all is counted by the minute */
	int left_out_s; /* 0, or: providers whose slots are this long or longer are not in the figures, for the window is
			   shorter than a slot, or, beside providers counted by the minute, than six */
	bool differences; /* the figures are differences between polls of a vendor's counters */
};
/* totals_outcomes - final outcomes: sent, bounced and expired recipients; a vendor knows no expired ones, what it gives
 * up on is bounced. EVENT_UNKNOWN without the first two. */
static inline int64_t totals_outcomes(const int64_t n[METRIC__COUNT])
{
	if (n[METRIC_SENT] < 0 || n[METRIC_BOUNCED] < 0)
		return EVENT_UNKNOWN;
	return n[METRIC_SENT] + n[METRIC_BOUNCED] +
	       (n[METRIC_EXPIRED_RECIPIENTS] > 0 ? n[METRIC_EXPIRED_RECIPIENTS] : 0);
}
/* All n are EVENT_UNKNOWN when the cache holds nothing of the window (before the first record, after the last look). */
/* read_totals - one of domain, relay_host, service, sender_domain, code_key in the query narrows the totals to it: then
 * metrics that are not counted by it are EVENT_UNKNOWN; all are when text or more than one of them is given. */
int read_totals(struct reader *r, const struct query *q, struct totals *out,
	struct mt_error *reterr) MT_MUST_CHECK;

#define EVER_COLUMNS 8
struct ever_row {
	int provider;
	int64_t key; /* of the dimension */
	struct str text; /* DIM_SERVICE: the tag; else absent */
	int32_t port; /* DIM_SERVICE: its TCP port, EVENT_UNKNOWN when not known */
	int64_t n[EVER_COLUMNS];
};
/* read_ever - all that was ever counted, days that retention took included, by provider and key, both ascending. dim:
 * one of bucket_kept_for_ever(). At most EVER_COLUMNS metrics. Never falls while the cache file lives, but
 * where a vendor corrected its own counts. */
int read_ever(struct reader *r, enum bucket_dim dim, const enum metric *metrics, size_t nmetrics,
	struct arena *a, struct ever_row **ret, size_t *ret_n,
	struct mt_error *reterr) MT_MUST_CHECK;

/* read_slot_ms - length of a slot of a series: the window's nslots-th part rounded up to whole minutes, or to whole
 * hours when it is longer than one. q must have a window (not 0, 0). */
int64_t read_slot_ms(const struct query *q, size_t nslots);
/* read_series - n of a metric of DIM_TOTAL in nslots equal slots; the last one ends at the window's end (rounded up
 * to the hour when slots are hours), so the first may begin before its start. Of one vendor: its counters where its slots
 * fit into these, else the differences between polls, unknown where there was no poll; of all providers: vendors only
 * where theirs fit. Slots before the first record and
 * after the last look at the source are EVENT_UNKNOWN. */
int read_series(struct reader *r, const struct query *q, enum metric metric, int64_t *out,
	size_t nslots, struct mt_error *reterr) MT_MUST_CHECK;
/* read_series_key - the same for one key of another dimension (a code, domain, port ...). */
int read_series_key(struct reader *r, const struct query *q, enum bucket_dim dim, int64_t key,
	enum metric metric, int64_t *out, size_t nslots, struct mt_error *reterr) MT_MUST_CHECK;

struct code_row {
	int64_t key; /* code_key */
	enum event_status status; /* DEFERRED, BOUNCED, SENT; STATUS_NONE for rejects */
	int64_t n, before; /* in this window, in the one before it (EVENT_UNKNOWN if not covered) */
	int64_t dict_reply; /* most frequent template among its failures, 0 none */
	struct str reply; /* that template */
	int64_t dict_relay; /* a relay that said it, 0 none */
	struct str relay; /* its relay= value */
	enum smtp_stage stage;
	int64_t newest_ms;
};
/* read_codes - by code and status, most frequent first. With domain/relay/text filters: from attempt rows. */
int read_codes(struct reader *r, const struct query *q, struct arena *a, struct code_row **ret,
	size_t *ret_n, struct mt_error *reterr) MT_MUST_CHECK;

/* How failures and refusals are grouped. */
enum cluster_by {
	CLUSTER_SIGNATURE,
	CLUSTER_CLASS,
	CLUSTER_CAUSE,
	CLUSTER_SIDE,
	CLUSTER_STAGE,
	CLUSTER_MAILBOX, /* mailbox provider by its MX host; key by name */
	CLUSTER_DESTINATION, /* recipient domain; from here on attempts alone, key by name, no reason known */
	CLUSTER_EGRESS, /* delivering service tag, its IP in ip */
	CLUSTER_SENDER, /* domain of the envelope sender */
	CLUSTER__COUNT
};

#define CLUSTER_SLOTS 12
#define CLUSTER_OWN_DOOR (-1) /* key of CLUSTER_MAILBOX: refusals, which no mailbox provider said */
struct cluster_row {
	int64_t key; /* of the group: dict id, or value of the enum */
	struct str
		name; /* signature: the reply's template; mailbox, destination, egress, sender: the word */
	int64_t n, deferred, bounced, rejected; /* in the window; n: all three */
	int64_t before; /* n of the window before; EVENT_UNKNOWN if not covered */
	int64_t first_ms, last_ms; /* ever met; EVENT_UNKNOWN where not known */
	int64_t ndomains,
		negress; /* recipient domains and sending IPs hit in the window, where an IP is not known
			    the service tag; EVENT_UNKNOWN not counted */
	int is_new; /* 1: first met within the last 24 hours of the window, 0: not, EVENT_UNKNOWN: not known */
	bool at_least; /* ndomains, negress: of the newest records only */
	bool has_trend;
	int64_t trend[CLUSTER_SLOTS]; /* n over the window, oldest first */
	/* of the most frequent of the group */
	int64_t code;
	enum smtp_stage stage;
	enum explain_category category;
	enum explain_cause cause;
	enum explain_side side;
	bool refusal, suppressed;
	struct str rule, reply_template, example, relay;
	struct str ip; /* egress: the one IP its tag sent from all the window; absent not known */
	size_t nclusters; /* signatures in it */
};
/* read_clusters - failed attempts and refusals in groups, most frequent first. Without a filter from buckets, exact;
 * with one counted from rows (see reader_truncated), their reasons by rules, which may be NULL. */
int read_clusters(struct reader *r, const struct query *q, enum cluster_by by,
	const struct explain_rules *rules, struct arena *a, struct cluster_row **ret, size_t *ret_n,
	struct mt_error *reterr) MT_MUST_CHECK;

struct reply_row { /* failures, or refusals, of one wording */
	int64_t key; /* dict id of the template; 0: records without a reply */
	int64_t n, newest_ms;
	struct str reply_template; /* holes as in reply.h */
	struct str example, where; /* whole text of the newest, and the relay or the client of it */
	enum event_status status; /* of the newest; STATUS_NONE for refusals */
	enum smtp_stage stage;
	int32_t dsn, code;
};
/* read_replies - failed attempts (rejects: refusals) by the wording of their reply, most frequent first. Counted from
 * rows: see reader_truncated. */
int read_replies(struct reader *r, const struct query *q, bool rejects, struct arena *a,
	struct reply_row **ret, size_t *ret_n, struct mt_error *reterr) MT_MUST_CHECK;

struct domain_row {
	struct str domain;
	int64_t key; /* dict id */
	int64_t sent, deferred, bounced, before_sent;
	int64_t delay_p50_cs, delay_p90_cs; /* EVENT_UNKNOWN unless cheap to know */
};
/* read_domains - by recipient domain, most traffic (sent+deferred+bounced) first. */
int read_domains(struct reader *r, const struct query *q, struct arena *a, struct domain_row **ret,
	size_t *ret_n, struct mt_error *reterr) MT_MUST_CHECK;
/* read_relays - the same by relay host (domain holds the host). */
int read_relays(struct reader *r, const struct query *q, struct arena *a, struct domain_row **ret,
	size_t *ret_n, struct mt_error *reterr) MT_MUST_CHECK;
/* read_senders - by sender domain; sent etc. are of their messages' recipients; RECEIVED in before_sent. */
int read_senders(struct reader *r, const struct query *q, struct arena *a, struct domain_row **ret,
	size_t *ret_n, struct mt_error *reterr) MT_MUST_CHECK;

struct user_row { /* who logged in to send */
	int64_t key; /* dict id */
	struct str user, client; /* client: of the newest message */
	int64_t messages, sent, deferred, bounced, newest_ms;
	int64_t nrcpt; /* recipients of the messages whose number the log told; EVENT_UNKNOWN: of none */
	int64_t nclients; /* different clients, host[ip] */
};
/* read_users - messages of the window by sasl_username, most messages first; those without one are left out. Counted
 * from rows: see reader_truncated. */
int read_users(struct reader *r, const struct query *q, struct arena *a, struct user_row **ret,
	size_t *ret_n, struct mt_error *reterr) MT_MUST_CHECK;

struct port_row {
	int provider;
	int32_t port; /* EVENT_UNKNOWN if unknown */
	bool outbound;
	struct str service; /* inbound: tag(s), ", "-joined when several share a port */
	enum port_source source;
	struct str note;
	int64_t connections, accepted, rejected, auth_ok, auth_failed, tls,
		lost; /* EVENT_UNKNOWN where unknowable */
	int64_t sent, deferred, bounced; /* outbound */
};
/* read_ports - inbound rows first (by port), then outbound by relay port (0 = no network relay is left out
 * of by_port but kept as port 0 here). One definition each: see METRIC_LIST. tls of a service is unknown
 * when neither TLS lines nor session counters were seen and it is not implicit TLS. */
int read_ports(struct reader *r, const struct query *q, struct arena *a, struct port_row **ret,
	size_t *ret_n, struct mt_error *reterr) MT_MUST_CHECK;

struct socket_row { /* TCP sockets of a port and direction, from the kernel; EVENT_UNKNOWN where it can't be told */
	int provider;
	int32_t port;
	bool outbound;
	/* of the newest sample; all unknown when the window ends before it (SOCKET_LIVE_MS) or there is none */
	int64_t t_ms;
	enum socket_source source;
	int64_t established, opening, closing;
	int64_t opened_per_min, in_per_s, out_per_s,
		retransmits_per_min; /* over the time since the sample before */
	int64_t rtt_p50_us, rtt_p95_us;
	/* of the window; unknown where no minute of it was sampled */
	int64_t covered_ms, opened, bytes_in, bytes_out, retransmits, established_max;
};
#define SOCKET_LIVE_MS 60000
/* read_sockets - in by port, then out by port. Short connections between two samples are not in it: the log has them. */
int read_sockets(struct reader *r, const struct query *q, struct arena *a, struct socket_row **ret,
	size_t *ret_n, struct mt_error *reterr) MT_MUST_CHECK;
struct socket_peer_row {
	int provider;
	int32_t port;
	bool outbound;
	struct str peer;
	int64_t connections, bytes_in, bytes_out, rtt_us; /* bytes since the sample before */
};
/* read_socket_peers - who is connected by the newest sample, most connections first; q->port and q->relay_port narrow
 * to in or out. */
int read_socket_peers(struct reader *r, const struct query *q, struct arena *a,
	struct socket_peer_row **ret, size_t *ret_n, struct mt_error *reterr) MT_MUST_CHECK;

struct host_figures { /* by enum host_gauge; EVENT_UNKNOWN */
	int64_t t_ms; /* of now; EVENT_UNKNOWN: there is none within HOST_LIVE_MS of the window's end */
	int64_t now[HOST__COUNT];
	int64_t worst[HOST__COUNT]; /* of the window: least of what is free, most of the others */
};
#define HOST_LIVE_MS 180000
/* read_host - how the machine fares, whichever provider looked. */
int read_host(struct reader *r, const struct query *q, struct host_figures *out,
	struct mt_error *reterr) MT_MUST_CHECK;

struct delay_figures {
	int64_t n, p50_cs, p90_cs, p99_cs, max_cs;
}; /* nearest-rank percentiles of sent records */
int read_delays(struct reader *r, const struct query *q, struct delay_figures out[DELAY__COUNT],
	struct mt_error *reterr) MT_MUST_CHECK;

struct attempt_row {
	int64_t id, message, t_ms; /* id 0: the attempt inside the message row (see attempt_key) */
	int provider;
	enum event_status status;
	struct str qid, rcpt, domain, orig, relay, egress, reply /* whole text */, reply_template,
		tls;
	struct str sender;
	int64_t delay_cs[DELAY__COUNT];
	int32_t dsn, code;
	enum smtp_stage stage;
	int run;
	bool handed_over;
};
/* attempt_key - identity of a row among attempts: its id, or the message's id made negative for the one inside it. */
static inline int64_t attempt_key(const struct attempt_row *row)
{
	return row->id ? row->id : -row->message;
}
/* read_attempts - newest first; status NONE = all, DEFERRED/BOUNCED/EXPIRED = that, q->status == STATUS__COUNT
 * = every failure (deferred, bounced, expired). before_ms, before_id: t_ms and attempt_key of the last row of the
 * page before, 0 for the first. rcpt is the whole address. */
int read_attempts(struct reader *r, const struct query *q, int64_t before_ms, int64_t before_id,
	struct arena *a, struct attempt_row **ret, size_t *ret_n,
	struct mt_error *reterr) MT_MUST_CHECK;

struct message_row {
	int64_t id, t_ms, end_ms; /* end EVENT_UNKNOWN while open */
	int provider;
	unsigned flags; /* enum message_flag */
	struct str qid, host, service, client, user, sender, message_id;
	bool sender_known; /* false: the log did not say; sender present and empty is <> */
	int64_t size_bytes, nrcpt, runs, nsent, nbounced, ndeferred;
	int64_t parent; /* 0 none */
	struct str first_rcpt;
};
/* read_messages - newest first; text matches qid, sender, first recipient, message-id. Keyset as above. */
int read_messages(struct reader *r, const struct query *q, int64_t before_id, struct arena *a,
	struct message_row **ret, size_t *ret_n, struct mt_error *reterr) MT_MUST_CHECK;

struct message_detail {
	struct message_row message;
	struct attempt_row *attempts;
	size_t nattempts; /* in time order, the inline one included */
	struct message_row *family;
	size_t nfamily; /* parent, children, siblings by re-injection or notification */
	int64_t queue_next_retry_ms, queue_expires_ms; /* from the queue listing; EVENT_UNKNOWN */
	int queue; /* enum queue_name or EVENT_UNKNOWN */
	struct str queue_reason;
};
int read_message(struct reader *r, int64_t id, struct arena *a, struct message_detail *out,
	struct mt_error *reterr) MT_MUST_CHECK;
/* read_message_by_qid - newest message with this queue id; MT_ENOENT. */
int read_message_by_qid(struct reader *r, int provider, struct str qid, int64_t *ret_id,
	struct mt_error *reterr) MT_MUST_CHECK;

struct reject_row {
	int64_t id, t_ms;
	int provider;
	enum reject_action action;
	struct str word, service, client, qid, from, rcpt, helo, reply, reply_template;
	enum smtp_stage stage;
	int32_t code, dsn;
};
int read_rejects(struct reader *r, const struct query *q, int64_t before_id, struct arena *a,
	struct reject_row **ret, size_t *ret_n, struct mt_error *reterr) MT_MUST_CHECK;

struct queue_figures {
	int64_t n[QUEUE__COUNT]; /* newest sample; summed over providers only if all know it */
	int64_t oldest_ms, t_ms; /* t_ms of the sample; EVENT_UNKNOWN if none */
	enum queue_source source;
	int64_t deferred_per_min; /* change over the last minutes, signed; INT64_MIN unknown */
	int64_t active_limit; /* of the active queue, as configured now; summed as n; EVENT_UNKNOWN */
	int active_pm; /* of all providers whose limit is known, the fullest active queue in 1/1000 of it; EVENT_UNKNOWN */
};
#define ACTIVE_NEAR_PM 900 /* an active queue so full is about to keep mail waiting in incoming */
int read_queue(struct reader *r, const struct query *q, struct queue_figures *out,
	struct mt_error *reterr) MT_MUST_CHECK;
/* read_queue_series - depth of one queue in nslots slots (last sample in each; EVENT_UNKNOWN without one). */
int read_queue_series(struct reader *r, const struct query *q, enum queue_name queue, int64_t *out,
	size_t nslots, struct mt_error *reterr) MT_MUST_CHECK;

struct queue_entry {
	int provider;
	int64_t message; /* what the log knows of it, for read_message; 0 nothing */
	struct str qid, sender, rcpt, domain, reason;
	enum queue_name queue;
	int64_t arrival_ms, size_bytes, nrcpt, next_retry_ms, expires_ms;
	bool forced_expire;
};
enum queue_sort {
	QSORT_AGE,
	QSORT_QID,
	QSORT_SENDER,
	QSORT_DOMAIN,
	QSORT_SIZE,
	QSORT_NEXT,
	QSORT_QUEUE
};
/* read_queue_list - the newest listing, q->sort an enum queue_sort. *ret_total counts all that match. */
int read_queue_list(struct reader *r, const struct query *q, struct arena *a,
	struct queue_entry **ret, size_t *ret_n, int64_t *ret_total,
	struct mt_error *reterr) MT_MUST_CHECK;

/* read_queue_recipients - of a listed message, with why each was deferred (absent: not told); at most 50 are kept. */
struct queue_rcpt_row {
	struct str rcpt, reason;
};
int read_queue_recipients(struct reader *r, int provider, struct str qid, struct arena *a,
	struct queue_rcpt_row **ret, size_t *ret_n, struct mt_error *reterr) MT_MUST_CHECK;

#define QSHAPE_BUCKETS 10 /* <5 <10 <20 <40 <80 <160 <320 <640 <1280 >=1280 minutes */
struct shape_row {
	struct str domain;
	int64_t total, n[QSHAPE_BUCKETS];
};
int read_queue_shape(struct reader *r, const struct query *q, bool by_sender, struct arena *a,
	struct shape_row **ret, size_t *ret_n, struct mt_error *reterr) MT_MUST_CHECK;

struct source_row {
	int id;
	struct str name, detail;
	enum health health;
	int64_t last_ok_ms, last_try_ms, next_due_ms, interval_ms, newest_ms, done_bytes,
		total_bytes, errors;
};
struct provider_row {
	int id;
	struct str name, kind, host, time_zone; /* time_zone: of a vendor's days */
	bool demo; /* made-up figures */
	int finest_bucket_s;
	enum health health; /* the worst of its sources */
	int64_t last_ok_ms; /* the oldest of its sources; EVENT_UNKNOWN if never */
	struct source_row *sources;
	size_t nsources;
};
int read_providers(struct reader *r, struct arena *a, struct provider_row **ret, size_t *ret_n,
	struct mt_error *reterr) MT_MUST_CHECK;

struct sample_row {
	int64_t id, t_ms;
	int provider;
	enum event_kind kind;
	enum event_severity severity;
	struct str service, text;
};
int read_samples(struct reader *r, const struct query *q, enum event_kind kind, struct arena *a,
	struct sample_row **ret, size_t *ret_n, struct mt_error *reterr) MT_MUST_CHECK;

struct action_log_row {
	int64_t id, t_ms;
	int provider;
	struct str user, verb, qids, result;
	int64_t asked, done;
};
int read_actions(struct reader *r, const struct query *q, struct arena *a,
	struct action_log_row **ret, size_t *ret_n, struct mt_error *reterr) MT_MUST_CHECK;

/* read_log_position - where in which log (cursor key) the lines of this minute begin; MT_ENOENT. */
int read_log_position(struct reader *r, int provider, int64_t t_ms, struct arena *a,
	struct str *ret_key, int64_t *ret_offset, struct mt_error *reterr) MT_MUST_CHECK;

#include "store/store_read_api.h"
#include "store/store_read_mx.h"
#include "store/store_read_probe.h"
/* A rule and what it is at, or a line of the history of alerts (id > 0). Enums: store/alert.h. */
struct alert_row {
	int64_t id; /* of history; 0 a rule */
	struct str name, text; /* text: what was found; of an acknowledgment: by whom */
	int phase; /* of a rule: enum alert_phase */
	int event; /* of history: enum alert_event */
	int severity;
	int64_t since_ms, t_ms; /* firing since; when written */
	bool known; /* value is */
	double value;
	int64_t n; /* of a rate; EVENT_UNKNOWN */
	struct str condition; /* the rule as a person reads it */
	int64_t ack_ms; /* EVENT_UNKNOWN: not acknowledged */
	struct str ack_user;
};
/* read_alerts - every rule, firing ones first, of them those nobody acknowledged, the worst, the newest first. read_alert_log - newest first. */
int read_alerts(struct reader *r, struct arena *a, struct alert_row **ret, size_t *ret_n,
	struct mt_error *reterr) MT_MUST_CHECK;
int read_alert_log(struct reader *r, int limit, struct arena *a, struct alert_row **ret,
	size_t *ret_n, struct mt_error *reterr) MT_MUST_CHECK;

/*
 * read_warmup - counts of a plan's egress into days (as warmup_days made them): of the log's hours, which belong to the
 * local day their UTC hour begins in, and of a vendor's counters by sending IP. Sets known false before the first record.
 * *ret_known: the egress was met at all, or is known from the configuration of a mail server.
 */
int read_warmup(struct reader *r, const struct warmup_plan *p, struct warmup_day *days, size_t n,
	bool *ret_known, struct mt_error *reterr) MT_MUST_CHECK;

#endif
