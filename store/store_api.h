/* SPDX-License-Identifier: MIT */
/*
 * store_api - what a provider behind a web API puts into the cache; included by backends beside store_write.h.
 *
 * Every call puts into the current batch and copies what it keeps; store_commit writes it all, with the cursors, in one
 * transaction. Everything is idempotent: the same answer taken in again after kill -9 changes nothing.
 *
 * Which vendor figure is which metric (one meaning over all providers, or a metric of its own):
 *   METRIC_SENT        Mailgun delivered_count, SendGrid delivered: recipients whose server took the message
 *   METRIC_DEFERRED    Mailgun temporary_failed_count, SendGrid deferred: tries
 *   METRIC_BOUNCED     Mailgun permanent_failed less suppressed_*, SendGrid bounces + blocks: recipients given up on
 *   METRIC_BLOCKED     SendGrid blocks: those of BOUNCED not held against the address
 *   METRIC_HARD_BOUNCES, METRIC_SOFT_BOUNCES  Mailgun's parts of BOUNCED
 *   METRIC_SUPPRESSED  Mailgun suppressed_* together, SendGrid *_drops + invalid_emails ("drops" by mailbox provider)
 *   METRIC_REQUESTS    Mailgun accepted_outgoing_count, SendGrid requests: recipients handed to the vendor
 *   METRIC_PROCESSED   processed_count, processed
 *   METRIC_FIRST_TRY   Mailgun delivered_first_attempt_count
 *   METRIC_OPENS, UNIQUE_OPENS, CLICKS, UNIQUE_CLICKS, UNSUBSCRIBES, COMPLAINTS  as named; COMPLAINTS = spam reports
 * Not to be set: RECEIVED, RECIPIENTS, EXPIRED and what else only a log tells.
 */
#ifndef MT_STORE_API_H
#define MT_STORE_API_H

#include "store/store_write.h"

/* What kind of provider this is; written at once. */
struct api_provider {
	int finest_bucket_s; /* length of its counter slots: 900, 3600 or 86400 */
	const char *time_zone; /* IANA name its days are cut by; NULL or "" UTC */
	bool demo; /* made-up figures: labelled so everywhere */
};
int store_api_provider(struct store *s, int provider, const struct api_provider *p,
	struct mt_error *reterr) MT_MUST_CHECK;

/*
 * Counters of a vendor: absolute figures of a slot of time that get corrected up and down. All slots of a provider have
 * the length finest_bucket_s; a day's slot begins at that midnight (of the account's time zone) and is 23 to 25 h long.
 */
struct api_slot {
	enum bucket_dim
		dim; /* DIM_TOTAL, DIM_SENDER (sending domain), DIM_DOMAIN (recipient domain), DIM_MAILBOX, DIM_IP,
				DIM_TAG, DIM_SUBACCOUNT, DIM_CLASS (bounce classification) */
	struct str
		key; /* absent for DIM_TOTAL; else the name, as the vendor writes it (domains are lower-cased here) */
	int64_t start_s; /* UTC seconds */
	int64_t length_s;
};
struct api_figure {
	enum metric metric;
	int64_t n; /* >= 0; EVENT_UNKNOWN (null, absent) is left as it was */
};
/* store_api_covered - an answer was had for all of [from_s, to_s): what store_api_counts does not set AFTER this call in
 * the same batch is zero there. Call it first, then store_api_counts for each row of the answer. key absent: all keys
 * of the dimension (with key: a query filtered on it). metrics: set of UINT64_C(1) << METRIC_; those asked for. */
struct api_cover {
	enum bucket_dim dim;
	struct str key;
	int64_t from_s,
		to_s; /* the dates of the answer, whole slots; to_s may lie ahead (the slot of now is open) */
	uint64_t metrics;
	int64_t fetched_ms; /* when the answer came */
};
int store_api_covered(struct store *s, int provider, const struct api_cover *c,
	struct mt_error *reterr) MT_MUST_CHECK;
/* store_api_counts - SET, not add. For DIM_TOTAL the store makes the rates from differences between polls by itself:
 * minutes between two answers no more than API_DIFFERENCE_MAX_MS apart, of slots open at the first of them; a fall is a
 * correction and gives no rate. MT_EINVAL: a metric or dimension that no API sets, a length out of range. */
int store_api_counts(struct store *s, int provider, const struct api_slot *slot,
	const struct api_figure *figures, size_t n, struct mt_error *reterr) MT_MUST_CHECK;
#define API_DIFFERENCE_MAX_MS (20 * 60000)

/* One event of a recipient's delivery. Identity is id: the same id again makes no new row; when its kind, time or reply
 * have changed since, the row is changed. They count in no total (counters do), only under their reply codes. */
struct api_event {
	enum api_event_kind kind;
	struct str
		id; /* the vendor's; where it has none or is unique in a day only, what makes it unique */
	struct str
		message; /* the vendor's id of the message, what `detail` asks for; shown as queue id; cut at 128 bytes */
	int64_t t_ms;
	struct str sender, rcpt; /* addresses; absent: not told */
	struct str header_id; /* Message-ID without <> */
	struct str subject; /* kept for the time line */
	struct str reply; /* the remote server's words, or the vendor's */
	int32_t code; /* SMTP 200..599 of the remote server; EVENT_UNKNOWN (also for the vendor's own 605, 498, 680) */
	int32_t dsn; /* DSN_MAKE, 0 none */
	struct str relay; /* MX host or "host[ip]:port" */
	struct str egress; /* sending IP */
	struct str user; /* subaccount, subuser */
	int32_t attempt; /* number of the try, EVENT_UNKNOWN */
	int64_t size_bytes, session_ms; /* EVENT_UNKNOWN */
};
static inline void api_event_init(struct api_event *e)
{
	*e = (struct api_event){.code = EVENT_UNKNOWN,
		.attempt = EVENT_UNKNOWN,
		.size_bytes = EVENT_UNKNOWN,
		.session_ms = EVENT_UNKNOWN};
}
int store_api_event(struct store *s, int provider, const struct api_event *e,
	struct mt_error *reterr) MT_MUST_CHECK;

/*
 * Lists that are replaced by a complete walk. begin; rows (over several batches, even restarts: begin with resume goes
 * on with the walk that was under way); end(complete): rows not seen since begin are gone. Rows put outside a walk are
 * incremental adds. scope: a part of a list that is walked on its own (a domain's suppressions); "" the whole.
 */
int store_api_list_begin(struct store *s, int provider, enum api_list list, struct str scope,
	bool resume, struct mt_error *reterr) MT_MUST_CHECK;
int store_api_list_end(struct store *s, int provider, enum api_list list, struct str scope,
	bool complete, struct mt_error *reterr) MT_MUST_CHECK;

struct api_suppression {
	enum api_list list; /* < API_LIST__SUPPRESSIONS */
	struct str scope; /* domain (Mailgun), subuser; "" the account */
	struct str address; /* an address, for allow also a domain */
	struct str reason;
	struct str code; /* as told: "550", "5.1.1", "" */
	int64_t created_ms; /* EVENT_UNKNOWN */
};
int store_api_suppression(struct store *s, int provider, const struct api_suppression *row,
	struct mt_error *reterr) MT_MUST_CHECK;
/* store_api_suppression_gone - one address was removed. */
int store_api_suppression_gone(struct store *s, int provider, enum api_list list, struct str scope,
	struct str address, struct mt_error *reterr) MT_MUST_CHECK;

/* store_api_unsuppressed_at - the vendor has taken the address off its list (a job's action): take it out of the cache
 * too, through a short-lived connection of its own, as store_action_at does. */
int store_api_unsuppressed_at(const char *path, int provider, enum api_list list, struct str scope,
	struct str address, struct mt_error *reterr) MT_MUST_CHECK;

/* Absent texts and EVENT_UNKNOWN figures keep what an earlier answer told (list and detail come apart). */
struct api_ip {
	struct str ip, rdns, pools; /* pools ", "-joined */
	struct str region;
	int dedicated, enabled; /* 1, 0, EVENT_UNKNOWN */
	int warming; /* 1 in warm-up, 0 not (clears the figures below), EVENT_UNKNOWN */
	int32_t stage, stages,
		day; /* stage n of stages (Mailgun), day n since the start (SendGrid) */
	int64_t limit; /* messages; of what limit_per_s says */
	int64_t limit_per_s; /* 3600 an hour, 86400 a day, 0 the stage */
	int64_t hourly_limit;
	int32_t percent; /* of the stage's volume sent, 0..100 as told */
	int64_t started_ms, stage_started_ms;
};
static inline void api_ip_init(struct api_ip *row)
{
	*row = (struct api_ip){.dedicated = EVENT_UNKNOWN,
		.enabled = EVENT_UNKNOWN,
		.warming = EVENT_UNKNOWN,
		.stage = EVENT_UNKNOWN,
		.stages = EVENT_UNKNOWN,
		.day = EVENT_UNKNOWN,
		.limit = EVENT_UNKNOWN,
		.limit_per_s = EVENT_UNKNOWN,
		.hourly_limit = EVENT_UNKNOWN,
		.percent = EVENT_UNKNOWN,
		.started_ms = EVENT_UNKNOWN,
		.stage_started_ms = EVENT_UNKNOWN};
}
int store_api_ip(struct store *s, int provider, const struct api_ip *row,
	struct mt_error *reterr) MT_MUST_CHECK;

struct api_domain {
	struct str name, state; /* state in the vendor's word: "active" */
	struct str subaccount;
	struct str disabled; /* why, when disabled; "" not disabled */
	int32_t dns_valid, dns_invalid,
		dns_unknown; /* sending DNS records by state; EVENT_UNKNOWN not asked */
	struct str
		dns_wrong; /* the first records that are not valid: "TXT pic._domainkey.example.com" ... */
	int queue_disabled; /* 1, 0, EVENT_UNKNOWN: the vendor's sending queue of this domain is stopped */
	int64_t queue_until_ms; /* EVENT_UNKNOWN */
	struct str queue_reason;
};
static inline void api_domain_init(struct api_domain *row)
{
	*row = (struct api_domain){.dns_valid = EVENT_UNKNOWN,
		.dns_invalid = EVENT_UNKNOWN,
		.dns_unknown = EVENT_UNKNOWN,
		.queue_disabled = EVENT_UNKNOWN,
		.queue_until_ms = EVENT_UNKNOWN};
}
int store_api_domain(struct store *s, int provider, const struct api_domain *row,
	struct mt_error *reterr) MT_MUST_CHECK;

/* store_api_account - one figure or word of the account; the value of the same name before it is replaced. Names are
 * shown as they are: "reputation", "credits left", "monthly limit", "sent this month", "plan", "time zone". value: text;
 * absent removes it. */
int store_api_account(struct store *s, int provider, struct str name, struct str value,
	struct mt_error *reterr) MT_MUST_CHECK;

/* One endpoint and its budget; replaced by the next of the same name. */
struct api_budget {
	struct str endpoint; /* "metrics", "logs", "bounces": a short word of ours */
	struct str source; /* name of the source that asks it */
	int64_t used; /* requests of ours in the vendor's window, EVENT_UNKNOWN */
	int64_t limit, remaining; /* as the vendor's headers say, EVENT_UNKNOWN */
	int64_t window_s; /* of limit, EVENT_UNKNOWN */
	int64_t reset_ms, last_ms,
		next_ms; /* reset of the window, last and next request; EVENT_UNKNOWN */
	int64_t requests; /* sent since the start, in all */
	enum health health; /* FRESH, LATE, FAILING, STOPPED (no permission) */
	struct str
		missing; /* scope or role to grant when it may not be asked: "stats.read"; absent: nothing missing */
	struct str detail; /* one sentence, "" none */
};
int store_api_budget(struct store *s, int provider, const struct api_budget *row,
	struct mt_error *reterr) MT_MUST_CHECK;

#endif
