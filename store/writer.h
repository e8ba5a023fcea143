/* SPDX-License-Identifier: MIT */
/*
 * writer - the insides of struct store, shared by the files of the writing half only.
 *
 * A batch lives wholly in memory until store_commit writes it; ids are given out in memory, so that a
 * failed commit can be repeated and rows go in sorted by id. Open messages and the newest closed ones
 * (a window of RECENT_IDS ids) are small structs in one hash; what only the batch needs is in its arena.
 */
#ifndef MT_STORE_WRITER_H
#define MT_STORE_WRITER_H

#include "store/base/arena.h"
#include "store/base/buf.h"
#include "store/base/map.h"
#include "store/count.h"
#include "store/explain/explain.h"
#include "store/intern.h"
#include "store/session.h"
#include "store/store_write.h"

#include <sys/types.h>

#define RECENT_IDS 16384 /* messages whose closed ones can still be linked as re-injected */
#define RECENT_MS (15 * 60000) /* and no longer than that after their arrival */
#define OPEN_MESSAGES_MAX 100000 /* in memory, ~170 bytes each; more stay in the cache alone */
#define DICT_CACHE_ENTRIES 65536 /* texts in memory, 8 MiB at most, beside those of the batch */
#define QID_INLINE_BYTES 22 /* Postfix: at most 20 */
#define QID_MAX_BYTES 128 /* ids of other MTAs; longer ones are cut */
#define TIME_MIN_MS 1
#define TIME_MAX_MS 253402300799999 /* end of the year 9999 */
#define MS_PER_DAY 86400000

/* Bits of an open message that its row does not hold as such. */
enum message_bit {
	BIT_IN_DB = 1,
	BIT_DIRTY = 2, /* in batch.dirty */
	BIT_STARTED = 4, /* had its client= or pickup line */
	BIT_MID = 8,
	BIT_FROM = 16,
	BIT_INLINE = 32, /* has its first attempt in its own row */
	BIT_LOOPBACK = 64, /* client is this host */
	BIT_CANDIDATE = 128, /* in the message-id hash: may be a filter's child */
	BIT_LOST = 256 /* out of the recent window: freed when written */
};

struct attempt {
	int64_t id, message, t_ms;
	int32_t provider, status;
	int32_t dom, relay, egress;
	int32_t delay_cs[DELAY__COUNT];
	int32_t dsn, code, reply, tls, run;
	int32_t cluster; /* it is counted under; 0 none or not known */
	uint8_t stage, flags;
	struct str rcpt, orig, args;
};

struct message_text { /* of the batch */
	struct str from_local, mid_local;
	struct attempt *first; /* the inline one, if of this batch */
};

struct message {
	/* what a look-up reads, in one line of the processor's cache */
	struct message *next;
	uint64_t hash;
	int64_t end_ms; /* 0 while open */
	int32_t provider, host;
	uint8_t qid_len;
	char qid[QID_INLINE_BYTES +
		 1]; /* or, when longer, a pointer to owned bytes (see message_qid) */
	uint8_t depth; /* 1 + enum queue_name it is counted under in p->open; 0 none */
	uint16_t flags, bits;
	/* the rest */
	struct message *mid_next;
	struct message_text *text; /* arena; NULL when the batch brought none */
	int64_t id, t_ms, parent, size_bytes;
	uint64_t ip_hash, mid_hash; /* 0 unknown */
	int32_t service, client, user, from_dom, mid_dom;
	int32_t nrcpt, runs, nsent, nbounced, ndeferred;
	int32_t lead_ms; /* of a lasting id: so much before t_ms it arrived first, as far as was read; not stored */
};

struct reject {
	int64_t id, t_ms;
	int32_t provider, service, client, code, dsn, dom, reply;
	uint8_t action, stage;
	struct str word, qid, from, rcpt, helo, args;
};

#define SAMPLES_KEPT 500 /* of one provider and kind, the newest */
#define SAMPLE_TEXT_MAX_BYTES 2048
struct sample {
	int32_t service;
	uint8_t severity;
	int64_t t_ms;
	size_t n, cap;
	char *text; /* owned */
};
struct sample_ring {
	int32_t provider;
	uint8_t kind;
	size_t n;
	struct sample slot[SAMPLES_KEPT];
};
struct relabel {
	int64_t id;
	bool in_message;
}; /* counted as sent, then found handed over */
struct cursor_change {
	int32_t source;
	struct str key, value;
};
struct mark {
	int32_t provider;
	uint32_t minute;
	int64_t message, attempt, reject, offset;
	struct str log_key;
};
struct service_change {
	int32_t provider, dict, port, source, wrapper;
};
struct health_change {
	int32_t source;
	struct source_health h;
	char *detail; /* owned; h.detail points here */
};

/* A pipe(8) delivery that may turn out to have been a content filter's way back in. All it counted. */
struct piped {
	int64_t parent, attempt, t_ms; /* attempt 0: the inline one */
	uint64_t mid_hash;
	int64_t code;
	int32_t provider, dom, relay_host, egress, sender;
	int32_t relay_port;
	int32_t delay_key[DELAY__COUNT];
	uint8_t first_try, tls, used;
};
#define PIPED_MAX 256

struct vec {
	void *p;
	size_t n, cap, item;
}; /* growing array */

struct batch {
	struct arena arena;
	struct vec dirty; /* struct message * */
	struct vec attempts; /* struct attempt * */
	struct vec rejects; /* struct reject * */
	struct vec samples; /* struct sample_ring *, kept over batches */
	struct vec relabels, cursors, marks, services, health, aged;
	struct vec depths; /* struct depth_sample */
	struct vec clusters; /* signatures met, see cluster.c */
	struct map cluster_index; /* id -> place in clusters */
	struct vec api; /* struct api_op, see api_private.h */
	struct vec api_ids; /* struct api_seen */
	size_t api_rows; /* of them, as the caller is told */
	struct map api_seen; /* events and messages of APIs met in this batch */
	size_t events;
	uint32_t *mark_index; /* hash of marks */
	size_t mark_cap, last_mark;
};

struct aged {
	int32_t provider;
	int64_t before_ms, now_ms;
};

struct depth_sample { /* of a minute of the log */
	int32_t provider;
	int64_t t_ms, n[QUEUE__COUNT];
};

struct service_known {
	int32_t dict, wrapper;
};

struct provider_state {
	int id;
	int64_t newest_ms; /* time of the newest event, never far past the clock */
	int64_t last_age_hour;
	uint64_t last_offset;
	bool has_offset, started;
	bool warned_line; /* the line of last_offset is already among WARNINGS */
	char *log_key; /* owned; NULL none */
	size_t log_key_n;
	int64_t open[QUEUE__COUNT]; /* open messages by the log, see depth.c */
	int64_t depth_minute_ms; /* whose sample is not complete yet; 0 none */
	struct queue_depth told_depth; /* the newest sample of its own */
	int64_t told_depth_ms;
	int64_t told_sockets_ms; /* of the newest sample of sockets */
	bool told_quiet_sockets; /* there was nothing in it */
	bool api_counted; /* its counters are in the transaction under way */
	bool own_depth; /* its queue is read itself: no samples by the log */
	struct str batch_key; /* copy in the batch's arena */
	struct service_known *services;
	size_t nservices;
};

struct messages {
	struct message **bucket;
	size_t nbuckets, n, nopen;
	struct message **mid_bucket; /* MID_BUCKETS heads */
	struct message **recent; /* by id % RECENT_IDS */
	struct message *free; /* slab */
	struct vec slabs;
	int64_t spilled; /* open rows that are in the cache alone */
	uint64_t seed;
};
#define MID_BUCKETS 4096

/* What a delivering process has failed at since its last message; see mx.c. */
#define MX_TRIES 4096 /* processes, by their ids; 256 KiB */
#define MX_TRY_HOSTS 5 /* smtp_mx_address_limit is 5 */
struct mx_try {
	int64_t t_ms; /* of the newest failure */
	uint64_t qid_hash; /* of the message and its queue run, once used */
	int32_t told; /* host whose failure is counted by a delivery record */
	int32_t provider, host, pid; /* pid 0: free */
	int32_t failed[MX_TRY_HOSTS]; /* dict ids of relay hosts, in order of the tries */
	uint16_t n[MX_FIGURE__COUNT];
	uint8_t used; /* a delivery record has come: the failures were of that message */
};
/* What a delivery record tells of how its host was reached. */
struct mx_record {
	enum event_status status;
	int32_t relay_host, dom, pid;
	int32_t connect_cs; /* delay c; EVENT_UNKNOWN */
	uint64_t qid_hash; /* of the message and its queue run */
	enum mx_tls tls;
	bool network; /* the relay has an IP address */
	bool reused; /* a connection made for another message */
};

#define BOXES_KNOWN 2048
struct box_known { /* the mailbox provider of a relay host; see egress.c */
	int32_t relay_host; /* 0 none */
	uint8_t box;
};

struct store {
	struct db db;
	char *path, *rules_path, *notice;
	struct store_lock *lock; /* owned */
	bool taken_over; /* lock was given: a screen of this process has the file open */
	dev_t dev;
	ino_t ino;
	const struct clock *clock;
	struct clock own_clock;
	struct store_options options;
	bool durable; /* the next commit is to be synced */
	bool bulk, damaged, state_dirty;
	bool looking; /* a read transaction is open: look-ups of one batch need no lock each */
	struct intern dict;
	struct counts counts;
	struct sessions sessions;
	struct messages messages;
	struct batch batch;
	struct piped piped[PIPED_MAX];
	uint32_t piped_at;
	struct mx_try tries[MX_TRIES];
	int64_t dict_pruned_ms;
	bool dict_stale; /* rows of dict were deleted: the cache must be read anew */
	int64_t clock_limit_ms; /* a day past the clock, as last asked */
	int64_t next_message, next_attempt, next_reject;
	struct provider_state *providers;
	size_t nproviders;
	struct buf template_buf, args_buf;
	struct listing *listings;
	struct behind *behind; /* owned; NULL while keeping up */
	struct box_known boxes[BOXES_KNOWN];
	struct explain_rules *rules; /* owned */
	uint64_t rules_stamp; /* of the person's file when they were read */
	bool rules_pending; /* rows of table cluster are still by other rules */
	int64_t rules_at; /* the last row asked again */
};

/* A failure or refusal to be counted by its signature. text, relay, args: any bytes, copied where kept. */
struct cluster_record {
	struct str text, relay, args;
	int32_t reply, relay_id;
	int64_t code; /* code_key */
	enum smtp_stage stage;
	bool refusal;
};

/* What the counting of one event needs, worked out once. */
struct at {
	struct provider_state *p;
	int64_t t_ms;
	uint32_t minute;
	int32_t day, host, service;
};

/* vec_add - room for one more item, zeroed. */
void *vec_add(struct vec *v);
void vec_done(struct vec *v);

/* provider_state - of an id; NULL if unknown. */
struct provider_state *provider_state(struct store *s, int provider);
int provider_load(struct store *s, struct mt_error *reterr) MT_MUST_CHECK;
/* service_seen - remember a listening service met in the log. service_wrapper - implicit TLS? */
void service_seen(struct store *s, struct provider_state *p, int32_t dict, struct str tag);
bool service_wrapper(const struct provider_state *p, int32_t dict);

/* egress_count - an attempt that was no hand-over, by egress and mailbox provider; of smtp(8) alone. */
void egress_count(struct store *s, const struct at *at, const struct event *e, int32_t relay_host,
	enum metric metric);

/* messages.c: the table of messages in memory. */
void messages_init(struct messages *m);
void messages_done(struct messages *m);
struct str message_qid(const struct message *m);
/* message_open - the open message of a queue id, from memory or the cache. NULL: none (or failure: *rc). */
struct message *message_open(struct store *s, int provider, int32_t host, struct str qid, int *rc,
	struct mt_error *reterr);
/* message_recent - the newest message of a queue id, open or lately closed. */
struct message *message_recent(struct store *s, int provider, int32_t host, struct str qid);
struct message *message_new(struct store *s, const struct at *at, struct str qid);
/* message_own_qid - a copied message gets a queue id of its own; message_disown_qid gives it back. */
void message_own_qid(struct message *copy);
void message_disown_qid(struct message *copy);
struct message *message_add_loaded(
	struct store *s, int provider, int32_t host, struct str qid, int64_t id);
/* message_new_closed - the same for one that is in no queue of ours. */
struct message *message_new_closed(struct store *s, const struct at *at, struct str qid);
void message_close(struct store *s, struct message *m, int64_t t_ms);
/* message_reopen - it is in the queue again; nothing when it never left. */
void message_reopen(struct store *s, struct message *m);
void message_dirty(struct store *s, struct message *m);
struct message_text *message_text(struct store *s, struct message *m);
void message_candidate(struct store *s, struct message *m);
/* messages_written - after a commit: forget the batch part, free what left the window, spill what is too much. */
void messages_written(struct store *s);
/* messages_age - close what is older than the longest queue lifetime. */
void messages_age(struct store *s, const struct at *at);
/* load.c: messages_load - the table as the cache has it. messages_load_spilled - one that is not in memory. */
int messages_load(struct store *s, struct mt_error *reterr) MT_MUST_CHECK;
int messages_load_spilled(struct store *s, int provider, int32_t host, struct str qid,
	struct message **ret, struct mt_error *reterr) MT_MUST_CHECK;

/* depth.c: depth_touch - after a change of what tells a message's queue; depth_known - the same for one that is
 * counted already. depth_minute - the log has come to t_ms. depth_load - the counts, from the cache. */
void depth_touch(struct store *s, struct message *m);
void depth_known(struct message *m);
void depth_minute(struct store *s, struct provider_state *p, int64_t t_ms);
int depth_load(struct store *s, struct mt_error *reterr) MT_MUST_CHECK;
int depth_write(struct store *s, int provider, int64_t t_ms, const struct queue_depth *d,
	struct mt_error *reterr) MT_MUST_CHECK;
int depth_write_batch(struct store *s, struct mt_error *reterr) MT_MUST_CHECK;

/* join.c, attempt.c, link.c, session.c, reject.c: one event kind each. */
int join_event(struct store *s, struct at *at, const struct event *e,
	struct mt_error *reterr) MT_MUST_CHECK;
/* join_domain - id of the domain of an address, lower-cased; 0 without one. *ret_local: what is before the @. */
int join_domain(struct store *s, const struct at *at, struct str address, struct str *ret_local,
	int32_t *ret, struct mt_error *reterr) MT_MUST_CHECK;
/* join_reply - template id and varying parts (copied into the batch) of a reply text. */
int join_reply(struct store *s, const struct at *at, struct str text, int32_t *ret,
	struct str *ret_args, struct mt_error *reterr) MT_MUST_CHECK;
int join_id(struct store *s, const struct at *at, enum dict_kind kind, struct str text,
	int32_t *ret, struct mt_error *reterr) MT_MUST_CHECK;
/* join_client - id of "host[ip]" of an event's client. */
int join_client(struct store *s, const struct at *at, const struct event *e, int32_t *ret,
	struct mt_error *reterr) MT_MUST_CHECK;
bool join_is_loopback(struct str ip);
int attempt_event(struct store *s, struct at *at, const struct event *e,
	struct mt_error *reterr) MT_MUST_CHECK;
int expired_event(struct store *s, struct at *at, const struct event *e,
	struct mt_error *reterr) MT_MUST_CHECK;
int reject_event(struct store *s, struct at *at, const struct event *e,
	struct mt_error *reterr) MT_MUST_CHECK;
int session_event(struct store *s, struct at *at, const struct event *e,
	struct mt_error *reterr) MT_MUST_CHECK;
void session_received(struct store *s, const struct at *at, const struct event *e);
/* join_find_or_open - the message a line is about; opened as NO_START when unknown. */
int join_find_or_open(struct store *s, struct at *at, struct str qid, struct message **ret,
	struct mt_error *reterr) MT_MUST_CHECK;
void join_count_received(struct store *s, struct message *m, int64_t sign);
void join_count_recipients(struct store *s, struct message *m, int64_t sign);
/* link_sent - is this sent attempt only a hand-over to another queue id here? Links the two if so. */
bool link_sent(struct store *s, const struct at *at, struct message *parent, const struct event *e);
/* link_uncount - the message turned out not to be a new one: give it the flag, take its counts back. */
void link_uncount(struct store *s, struct message *m, enum message_flag flag);
/* link_origin - the child is the message e->orig_queue_id again (smtpd after a filter; pickup after postsuper -r,
 * which ends the old id). Errors: those of loading a message. */
int link_origin(struct store *s, const struct at *at, struct message *child, const struct event *e,
	struct mt_error *reterr) MT_MUST_CHECK;
int link_notification(struct store *s, struct at *at, const struct event *e,
	struct mt_error *reterr) MT_MUST_CHECK;
void link_piped_child(struct store *s, struct message *child);
void link_remember_piped(struct store *s, const struct piped *record);

/* mx.c: mx_failure - a connection or session with a host failed. mx_attempt - a delivery record that is no hand-over.
 * mx_tls_version - of "TLSv1.3", "TLS1.2:cipher" ... mx_save, mx_load - what delivering processes are at, over a restart. */
void mx_failure(struct store *s, const struct at *at, const struct event *e, int32_t relay_host);
int mx_attempt(struct store *s, const struct at *at, const struct event *e,
	const struct mx_record *r, struct mt_error *reterr) MT_MUST_CHECK;
enum mx_tls mx_tls_version(struct str version);
int mx_save(const struct store *s, int64_t now_ms, struct buf *out) MT_MUST_CHECK;
void mx_load(struct store *s, struct str bytes);

/* Copies into the batch; absent stays absent. */
struct str batch_str(struct store *s, struct str text);
void mark_row(struct store *s, int provider, int64_t t_ms, int64_t message, int64_t attempt,
	int64_t reject);
void batch_sample(struct store *s, const struct at *at, const struct event *e, struct str text);
void batch_init(struct batch *b);
void batch_reset(struct store *s);
void batch_done(struct batch *b);

/* cluster.c: cluster_count - one more of a metric, under the signature of the record. cluster_attempt - the same of an
 * attempt that failed, nothing of others; a->cluster is set. cluster_uncount - take that back. clusters_write - the
 * rows of the batch. */
int cluster_count(struct store *s, const struct at *at, const struct cluster_record *record,
	enum metric metric, int32_t *ret_id, struct mt_error *reterr) MT_MUST_CHECK;
int cluster_attempt(struct store *s, const struct at *at, struct attempt *a, struct str text,
	struct str relay, struct mt_error *reterr) MT_MUST_CHECK;
/* cluster_of_row - a->cluster of an attempt that is in the cache, by the rules of now. */
int cluster_of_row(struct store *s, const struct at *at, struct attempt *a,
	struct mt_error *reterr) MT_MUST_CHECK;
void cluster_uncount(struct store *s, const struct attempt *a);
int clusters_write(struct store *s, struct mt_error *reterr) MT_MUST_CHECK;
void clusters_init(struct batch *b);
void clusters_reset(struct batch *b);
void clusters_done(struct batch *b);
/* rules_open - the rules, and whether those of before said the same. */
int rules_open(struct store *s, struct mt_error *reterr) MT_MUST_CHECK;

/* rows.c: one row each; messages sorted by id. */
int rows_messages(struct store *s, struct message *const *sorted, size_t n,
	struct mt_error *reterr) MT_MUST_CHECK;
int row_attempt(struct store *s, const struct attempt *a, struct mt_error *reterr) MT_MUST_CHECK;
int row_reject(struct store *s, const struct reject *r, struct mt_error *reterr) MT_MUST_CHECK;

/* state.c: what is neither a row nor derivable from rows. */
int state_write(struct store *s, struct mt_error *reterr) MT_MUST_CHECK;
int state_load(struct store *s, struct mt_error *reterr) MT_MUST_CHECK;
int meta_get_int(struct store *s, const char *key, int64_t fallback, int64_t *ret,
	struct mt_error *reterr) MT_MUST_CHECK;
int meta_set_int(
	struct store *s, const char *key, int64_t value, struct mt_error *reterr) MT_MUST_CHECK;

/* commit.c */
int txn_begin(struct store *s, struct mt_error *reterr) MT_MUST_CHECK;
/* txn_look - open a read transaction until the next txn_begin, if none is open. */
void txn_look(struct store *s);
/* txn_look_end - end it; before what must not be within one. */
void txn_look_end(struct store *s);
/* txn_end - dictionary rows, then COMMIT if rc is 0; else, or when that fails, ROLLBACK. Returns the first failure. */
int txn_end(struct store *s, int rc, struct mt_error *reterr) MT_MUST_CHECK;
int reload(struct store *s, struct mt_error *reterr) MT_MUST_CHECK;
/* commit_batch - what store_commit does to the cache; the batch stays. Touches nothing but s. */
int commit_batch(struct store *s, struct mt_error *reterr) MT_MUST_CHECK;
/* open.c: store_connect - a further connection to s->path into s->db, for bulk writing. On failure call db_done. */
int store_connect(struct store *s, struct mt_error *reterr) MT_MUST_CHECK;

/* behind.c: behind_commit - have the batch written by a thread; 0 does not say that it is in the cache. behind_wait -
 * it is, or the error that kept it out: then it is kept, and written by the next call. behind_forget - it ends in or
 * out of the cache, the caller reads which. behind_done - the same, and all is freed. */
int behind_commit(struct store *s, struct mt_error *reterr) MT_MUST_CHECK;
int behind_wait(struct store *s, struct mt_error *reterr) MT_MUST_CHECK;
/* behind_batch - the batch on its way, not to be changed; NULL without one. Gone after the next call of these. */
const struct batch *behind_batch(const struct store *s);
void behind_forget(struct store *s);
void behind_done(struct store *s);
int health_write(struct store *s, int source, const struct source_health *h,
	struct mt_error *reterr) MT_MUST_CHECK;
/* listings_flush - commit the slice of a queue listing that is under way, so that another transaction may begin. */
int listings_flush(struct store *s, struct mt_error *reterr) MT_MUST_CHECK;
void listings_free(struct store *s);

#endif
