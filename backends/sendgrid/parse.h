/* SPDX-License-Identifier: MIT */
/*
 * parse - bodies of SendGrid's Web API v3 into rows. Pure: what it needs beyond the bytes is in struct sendgrid_ask.
 *
 * Every field of an answer may be absent, null, of another type or absurd: what can't be read is left unknown, a row
 * without what identifies it is counted as odd and skipped. Views handed to the sink die with the call.
 */
#ifndef MT_BACKENDS_SENDGRID_PARSE_H
#define MT_BACKENDS_SENDGRID_PARSE_H

#include "store/base/err.h"
#include "store/store_api.h"

/* The endpoints, each with its budget, its scope and its shape of answer. */
enum sendgrid_endpoint {
	SENDGRID_SCOPES, /* GET /v3/scopes */
	SENDGRID_STATS, /* /v3/stats */
	SENDGRID_MAILBOXES, /* /v3/mailbox_providers/stats */
	SENDGRID_CATEGORIES, /* /v3/categories/stats/sums, and /v3/categories/stats */
	SENDGRID_CLASSES, /* /v3/suppression/bounces/classifications */
	SENDGRID_BOUNCES, /* /v3/suppression/bounces ... */
	SENDGRID_BLOCKS,
	SENDGRID_INVALID,
	SENDGRID_SPAM,
	SENDGRID_UNSUBSCRIBES,
	SENDGRID_LOGS, /* POST /v3/logs */
	SENDGRID_LOG, /* /v3/logs/{id}, and /v3/messages/{id}: one message */
	SENDGRID_MESSAGES, /* /v3/messages: the add-on */
	SENDGRID_IPS, /* /v3/ips */
	SENDGRID_POOLS, /* /v3/ips/pools */
	SENDGRID_WARMUP, /* /v3/ips/warmup, and /v3/ips/warmup/{ip} */
	SENDGRID_ACCOUNT, /* /v3/user/account */
	SENDGRID_CREDITS, /* /v3/user/credits */
	SENDGRID_USERNAME, /* /v3/user/username */
	SENDGRID_SUBUSERS, /* /v3/subusers */
	SENDGRID_REPUTATIONS, /* /v3/subusers/reputations */
	SENDGRID__ENDPOINTS
};

struct sendgrid_ask { /* what was asked, as far as the answer does not say it */
	enum sendgrid_endpoint endpoint;
	struct str subuser; /* on whose behalf; "" the account's own */
	int64_t fetched_ms; /* when the answer came: the day of a warm-up depends on it */
	int64_t day; /* SENDGRID_CATEGORIES: the day the sums are of, where the answer has another date */
};

#define SENDGRID_FIGURES_MAX 16

struct sendgrid_counts { /* a day's figures of one key */
	enum bucket_dim dim; /* DIM_TOTAL, DIM_MAILBOX, DIM_TAG, DIM_SUBACCOUNT, DIM_CLASS */
	struct str key; /* absent for DIM_TOTAL */
	int64_t day; /* civil day number of the account's time zone */
	struct api_figure figures[SENDGRID_FIGURES_MAX];
	size_t n;
};

struct sendgrid_event { /* one event of the time line of a message (detail), for people */
	int64_t t_ms; /* EVENT_UNKNOWN */
	struct str what, text, ip, class_name;
	int32_t attempt; /* number of the try, from 1; EVENT_UNKNOWN */
};

/* Where rows go; a slot may be NULL. A negative return ends the parse and is handed back. */
struct sendgrid_sink {
	int (*scope)(void *ctx, struct str name);
	int (*counts)(void *ctx, const struct sendgrid_counts *c);
	int (*event)(void *ctx, const struct api_event *e);
	int (*suppression)(void *ctx, const struct api_suppression *row);
	int (*ip)(void *ctx, const struct api_ip *row);
	int (*account)(void *ctx, struct str name, struct str value);
	int (*subuser)(void *ctx, struct str name, int64_t id);
	int (*line)(void *ctx, const struct sendgrid_event *e);
	void *ctx;
};

struct sendgrid_result {
	size_t rows; /* of the answer's list, odd ones included: a page is full when it is the limit */
	size_t odd; /* rows that could not be read */
	int64_t newest_ms; /* of `created` or created_at; EVENT_UNKNOWN */
	int64_t oldest_ms;
	int64_t first_day,
		last_day; /* statistics: the days the answer tells of; last < first: none */
};

/*
 * sendgrid_parse - one body. Returns 0; MT_EPROTO when it is no JSON or not of the endpoint's shape (a lone row odd in
 * itself is no failure); or what the sink returned. *ret may be NULL.
 */
int sendgrid_parse(const struct sendgrid_ask *ask, struct str body,
	const struct sendgrid_sink *sink, struct sendgrid_result *ret,
	struct mt_error *reterr) MT_MUST_CHECK;

/* sendgrid_guess - which endpoint's body this looks like, for --replay; SENDGRID__ENDPOINTS: none. */
enum sendgrid_endpoint sendgrid_guess(struct str body);

/* sendgrid_refusal - the words of an error body into text ("" when it has none; it may be HTML, cut or no JSON). */
void sendgrid_refusal(struct str body, char *text, size_t size);

/* sendgrid_day_limit - messages an hour a warming IP may send on day n (0..41) by the vendor's schedule; EVENT_UNKNOWN
 * outside (the IP has left warm-up). https://www.twilio.com/docs/sendgrid/concepts/reputation/warm-up-ip-addresses */
int64_t sendgrid_day_limit(int64_t day);
#define SENDGRID_WARMUP_DAYS 42

/* sendgrid_code - the reply code and enhanced code a reason begins with ("550 5.1.1 ..."); *code EVENT_UNKNOWN, *dsn 0. */
void sendgrid_code(struct str reason, struct str status, int32_t *code, int32_t *dsn);

const char *sendgrid_endpoint_name(
	enum sendgrid_endpoint endpoint); /* "stats": as the budget is called */
const char *sendgrid_endpoint_scope(
	enum sendgrid_endpoint endpoint); /* "stats.read"; NULL none is needed */

#endif
