/* SPDX-License-Identifier: MIT */
/*
 * store_write - the one writer of the cache.
 *
 * Events are joined into messages in memory (queue id -> open message), counted into buckets and
 * written a batch at a time: rows, buckets, joiner state and cursors in ONE transaction, so after
 * kill -9 anywhere the counts are those of an undisturbed run.
 */
#ifndef MT_STORE_WRITE_H
#define MT_STORE_WRITE_H

#include "store/base/clock.h"
#include "store/base/err.h"
#include "store/names.h"
#include "store/vocab.h"

struct store;
struct store_lock;

struct store_options {
	const char *path; /* of the database file; its folder is made 0700, the file 0600 */
	const struct clock *clock; /* borrowed; NULL = real */
	int64_t keep_attempts_ms; /* retention of message, attempt, reject, minute buckets; 0 = default 30 days */
	int64_t keep_buckets_ms; /* retention of hour and day buckets; 0 = default 400 days */
	int64_t max_bytes; /* size cap of the cache; 0 = default 4 GiB */
	bool bulk; /* catching up: fewer, larger checkpoints */
	const char *rules_path; /* a person's explain.conf; NULL: the built-in rules alone */
	struct store_lock *
		lock; /* from store_lock_left, given to the store whatever store_open returns; NULL: take it */
};

/* store_lock_make - take the collector's lock of the cache at path, whose folder is there. MT_EBUSY (another has it),
 * MT_EPERM, MT_EFULL. Gives *ret; end with store_lock_free or hand it to store_open. */
int store_lock_make(
	const char *path, struct store_lock **ret, struct mt_error *reterr) MT_MUST_CHECK;
/* store_lock_left - the same of a cache that has been collected into: MT_ENOENT when its lock file is gone. For who
 * watches a collector and goes on in its place; its own reader may be open on the cache. */
int store_lock_left(
	const char *path, struct store_lock **ret, struct mt_error *reterr) MT_MUST_CHECK;
/* store_lock_free - let go of it. NULL is accepted. */
void store_lock_free(struct store_lock *lock);

/*
 * store_open - open or make the cache, take the collector lock, migrate, recover.
 * A damaged file is moved aside to PATH.corrupt-YYYYMMDDTHHMMSSZ and a new one is begun (see
 * store_notice). Refused with a clear text: MT_EBUSY (another collector holds it), MT_ENEWER (schema
 * of a newer mtatop), MT_EPERM (read-only file or folder), MT_EFULL, MT_ENOTSUP (no WAL here: NFS).
 * Gives *ret; end with store_close.
 */
int store_open(const struct store_options *options, struct store **ret,
	struct mt_error *reterr) MT_MUST_CHECK;

/* store_close - abandons an uncommitted batch, checkpoints, unlocks, frees. NULL is accepted. */
void store_close(struct store *s);

/* store_notice - what a person must be told about the open ("damaged cache moved to ..."), or NULL. Borrowed. */
const char *store_notice(const struct store *s);

/* store_distrust - what is stored makes no sense: the next store_open moves the file aside. */
void store_distrust(struct store *s);

/* store_provider - id of the provider with this name, made if new. host may be NULL. */
int store_provider(struct store *s, const char *name, const char *kind, const char *host,
	int *ret_id, struct mt_error *reterr) MT_MUST_CHECK;

/* store_source - id of the source (backend instance) of a provider, made if new. */
int store_source(struct store *s, int provider, const char *name, int *ret_id,
	struct mt_error *reterr) MT_MUST_CHECK;

/*
 * store_event - take one event into the current batch (join, count, queue rows). Copies what it keeps.
 * Returns 0, or MT_ENOMEM / MT_EFULL ... ; the batch is then undone by store_rollback.
 */
int store_event(struct store *s, int provider, const struct event *e,
	struct mt_error *reterr) MT_MUST_CHECK;

/* store_log_position - where the following events are in their log: remembered per minute (table mark). */
void store_log_position(struct store *s, int provider, struct str log_key);

/* store_cursor_set - put a cursor into the current batch. value is copied. value.p NULL deletes it. */
int store_cursor_set(struct store *s, int source, struct str key, struct str value,
	struct mt_error *reterr) MT_MUST_CHECK;

/* store_cursors - call each(ctx, key, value, updated_ms) for every committed cursor of a source. */
int store_cursors(struct store *s, int source,
	int (*each)(void *ctx, struct str key, struct str value, int64_t updated_ms), void *ctx,
	struct mt_error *reterr) MT_MUST_CHECK;

/* store_batch_rows - events taken since the last commit: the caller commits at BATCH_EVENTS_MAX or on a timer. */
size_t store_batch_rows(const struct store *s);
#define BATCH_EVENTS_MAX 100000

/* store_commit - write the batch and all that goes with it in one transaction. On failure nothing of it
 * is in the cache and the batch is still in memory: call again later (MT_EFULL, MT_EBUSY) or roll back.
 * In bulk mode another thread writes it, and a failure is that of the next call, or of store_bulk(false). */
int store_commit(struct store *s, struct mt_error *reterr) MT_MUST_CHECK;

/* store_durable - the next commit, and with it all before, is on the disk when it returns: what it was made from may
 * be deleted by others (a rotated log). Commits are else safe over a crash of the program, not of the machine. */
void store_durable(struct store *s);

/* store_rollback - forget the batch and reload the joiner's state from the cache. */
int store_rollback(struct store *s, struct mt_error *reterr) MT_MUST_CHECK;

/* store_rules_look - read the person's rules anew when their file has changed. An error tells what is wrong with it and
 * where; the rules before go on to hold. */
int store_rules_look(struct store *s, bool *ret_changed, struct mt_error *reterr) MT_MUST_CHECK;
/* store_explain_again - after the rules changed: what signatures of the past mean by the new ones, max_rows at a time, in
 * a transaction of its own. Nothing to do: 0, *ret_more false. */
int store_explain_again(
	struct store *s, int max_rows, bool *ret_more, struct mt_error *reterr) MT_MUST_CHECK;

/* store_bulk - bulk mode on or off (see store_options.bulk); off, all that was committed is in the cache. */
int store_bulk(struct store *s, bool bulk, struct mt_error *reterr) MT_MUST_CHECK;

struct source_health {
	enum health health;
	const char *detail; /* NULL keeps the old text, "" clears it */
	int64_t last_try_ms, last_ok_ms, next_due_ms, interval_ms, newest_ms; /* 0 = keep */
	int64_t done_bytes, total_bytes; /* catch-up progress; -1 = keep */
	int64_t errors_added;
};
/* store_health - how a source fares; written at once in a transaction of its own if no batch is open, else with it. */
int store_health(struct store *s, int source, const struct source_health *h,
	struct mt_error *reterr) MT_MUST_CHECK;

struct service_row {
	struct str tag; /* "postfix/submission/smtpd" */
	int32_t port; /* EVENT_UNKNOWN when unknown or ambiguous */
	enum port_source source;
	int wrapper; /* 1 implicit TLS, 0 not, EVENT_UNKNOWN */
	struct str note;
};
/* store_services - replace the service -> port map of a provider. Tags not in it get stock ports by name. */
int store_services(struct store *s, int provider, const struct service_row *rows, size_t n,
	struct mt_error *reterr) MT_MUST_CHECK;

/* store_active_limit - how many messages the provider's active queue takes, or EVENT_UNKNOWN (anything below 1). Source:
 * postconf(5), qmgr_message_active_limit. */
int store_active_limit(
	struct store *s, int provider, int64_t limit, struct mt_error *reterr) MT_MUST_CHECK;

struct egress_row {
	struct str tag; /* of a transport of smtp(8): "postfix/relay/smtp" */
	struct str ip; /* it sends from; absent: not known */
	struct str note; /* why that, or why not known; absent none */
};
/* store_egress - from which IPs the provider's transports send from now on. */
int store_egress(struct store *s, int provider, const struct egress_row *rows, size_t n,
	struct mt_error *reterr) MT_MUST_CHECK;

struct queue_depth {
	enum queue_source source;
	int64_t n[QUEUE__COUNT]; /* EVENT_UNKNOWN where it cannot be read */
	int64_t oldest_ms; /* EVENT_UNKNOWN */
};
/* store_queue_depth - one sample, at the clock's now. An unchanged one is kept twice a minute only. */
int store_queue_depth(struct store *s, int provider, const struct queue_depth *d,
	struct mt_error *reterr) MT_MUST_CHECK;
/* store_queue_by_log - the provider's queue can't be read (any more): samples, one a minute of the log, are made of the
 * messages open by it, until store_queue_depth is called with another source. That is how every provider begins. */
void store_queue_by_log(struct store *s, int provider);

struct queue_row {
	struct str qid, sender;
	int64_t arrival_ms;
	enum queue_name queue;
	int64_t size_bytes;
	int64_t next_retry_ms, expires_ms; /* EVENT_UNKNOWN */
	bool forced_expire;
	size_t nrcpt;
	const struct str *rcpt; /* nrcpt addresses, at most QUEUE_RCPT_KEPT stored */
	const struct str *reason; /* their delay reasons; absent entries allowed */
};
#define QUEUE_RCPT_KEPT 50
/*
 * store_queue_begin / _row / _end - a listing of a queue, streamed; rows not seen again are gone after
 * _end(complete = true), which also makes the age x domain matrix. Slices commit on their own, so the
 * screen stays live during a listing of 100,000.
 */
int store_queue_begin(struct store *s, int provider, struct mt_error *reterr) MT_MUST_CHECK;
int store_queue_row(struct store *s, int provider, const struct queue_row *row,
	struct mt_error *reterr) MT_MUST_CHECK;
int store_queue_end(
	struct store *s, int provider, bool complete, struct mt_error *reterr) MT_MUST_CHECK;

/* Where a walk over the open messages stands; zeroed to begin. */
struct store_open_at {
	char qid[128];
	int64_t id;
};
/* Views of the row die with the call; sender absent where no line told it, no recipient where none was deferred. */
typedef int (*store_open_fn)(void *ctx, struct queue_row *row, struct mt_error *reterr);
/*
 * store_open_messages - the next (at most max) messages in the queue by the log, as committed. give may call
 * store_queue_row. Returns 1 when there may be more, 0 at the end, or what give returned.
 */
int store_open_messages(struct store *s, int provider, struct store_open_at *at, size_t max,
	store_open_fn give, void *ctx, struct mt_error *reterr) MT_MUST_CHECK;
/* store_log_offset - where the newest line counted of the provider's log begins; moves when there is something new.
 * EVENT_UNKNOWN before the first. */
int64_t store_log_offset(const struct store *s, int provider);

struct socket_port { /* the TCP sockets of a port and direction; EVENT_UNKNOWN: not told */
	int32_t port;
	bool outbound;
	int64_t established, opening, closing; /* now; closing with TIME_WAIT */
	int64_t opened; /* since the sample before: not seen then */
	int64_t bytes_in, bytes_out, retransmits; /* payload, segments; since the sample before */
	int64_t rtt_p50_us, rtt_p95_us; /* of those established now */
};
struct socket_peer { /* those of a port and direction with most connections */
	int32_t port;
	bool outbound;
	struct str peer; /* address as text */
	int64_t connections, bytes_in, bytes_out, rtt_us; /* rtt: the longest */
};
struct socket_sample {
	enum socket_source source;
	int64_t interval_ms; /* since the sample before; EVENT_UNKNOWN: it is the first */
	const struct socket_port *ports;
	size_t nports;
	const struct socket_peer *peers;
	size_t npeers;
};
/* store_sockets - a sample of the sockets, at the clock's now, in a transaction of its own; one in which nothing moved is
 * kept twice a minute only. What moved is added to its minute. */
int store_sockets(struct store *s, int provider, const struct socket_sample *sample,
	struct mt_error *reterr) MT_MUST_CHECK;
/* store_ports - TCP ports of all providers' services that are known. Returns how many of them were put into out. */
size_t store_ports(struct store *s, int32_t *out, size_t max);

/* store_host - how the machine fares now (enum host_gauge; EVENT_UNKNOWN), in a transaction of its own: the newest
 * of each minute is kept. */
int store_host(struct store *s, int provider, const int64_t gauge[HOST__COUNT],
	struct mt_error *reterr) MT_MUST_CHECK;

/*
 * store_names - the results of a round of checks, at the clock's now, in a transaction of its own: what changed goes into
 * the history, what is no longer checked is gone.
 */
int store_names(struct store *s, const struct name_result *rows, size_t n,
	struct mt_error *reterr) MT_MUST_CHECK;
enum own_kind { OWN_DOMAIN, OWN_HELO }; /* on disk */
/* store_own - what a provider's mail server calls its own; replaces what was known of the kind. */
int store_own(struct store *s, int provider, enum own_kind kind, const struct str *names, size_t n,
	struct mt_error *reterr) MT_MUST_CHECK;
/* store_own_each - the names of all providers, at most max. store_egress_each - the addresses mail leaves from as known
 * now; a text may hold several, space separated. The views die with the call. */
void store_own_each(struct store *s, enum own_kind kind, size_t max,
	void (*each)(void *ctx, struct str name), void *ctx);
void store_egress_each(
	struct store *s, size_t max, void (*each)(void *ctx, struct str ips), void *ctx);

struct action_row {
	const char *user, *verb;
	struct str qids; /* space separated, cut at 64 KiB */
	int64_t asked, done;
	const char *result;
};
/* store_action - log an action. The only write allowed from outside the collector: see store_action_at. */
int store_action(struct store *s, int provider, const struct action_row *row,
	struct mt_error *reterr) MT_MUST_CHECK;
/* store_action_at - the same through a short-lived connection of its own to the cache at path. */
int store_action_at(const char *path, int provider, const struct action_row *row,
	struct mt_error *reterr) MT_MUST_CHECK;

/* store_prune - delete at most max_rows rows past retention. *ret_more tells whether to call again. */
int store_prune(
	struct store *s, int max_rows, bool *ret_more, struct mt_error *reterr) MT_MUST_CHECK;

#endif
