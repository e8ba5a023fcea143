/* SPDX-License-Identifier: MIT */
/*
 * parse - bodies of Mailgun's API into rows. Pure: what it needs beyond the bytes is in struct mailgun_ask.
 *
 * Any field may be absent, null, of another type or absurd: what can't be read is left unknown; a row without what
 * identifies it is odd, counted and skipped. Views handed to the sink die with the call.
 */
#ifndef MT_BACKENDS_MAILGUN_PARSE_H
#define MT_BACKENDS_MAILGUN_PARSE_H

#include "store/base/err.h"
#include "store/store_api.h"

enum mailgun_shape {
	MAILGUN_METRICS, /* POST /v1/analytics/metrics */
	MAILGUN_STATS, /* GET /v3/{domain}/stats/total (deprecated) */
	MAILGUN_LOGS, /* POST /v1/analytics/logs */
	MAILGUN_EVENTS, /* GET /v3/{domain}/events (deprecated) */
	MAILGUN_BOUNCES, /* GET /v3/{domain}/bounces ... */
	MAILGUN_COMPLAINTS,
	MAILGUN_UNSUBSCRIBES,
	MAILGUN_ALLOW, /* whitelists */
	MAILGUN_DOMAINS, /* GET /v4/domains */
	MAILGUN_DOMAIN, /* GET /v4/domains/{name}: with DNS records */
	MAILGUN_QUEUES, /* GET /v3/domains/{name}/sending_queues */
	MAILGUN_IPS, /* GET /v3/ips */
	MAILGUN_IP, /* GET /v3/ips/{ip} */
	MAILGUN_POOLS, /* GET /v3/ip_pools */
	MAILGUN_WARMUPS, /* GET /v3/ip_warmups */
	MAILGUN_WARMUP, /* GET /v3/ip_warmups/{ip} */
	MAILGUN_LIMIT, /* GET /v5/accounts/limit/custom/monthly */
	MAILGUN_ME, /* GET /v5/users/me */
	MAILGUN__SHAPES
};

struct mailgun_ask { /* what was asked, as far as the answer does not say it; "" and zeros where it does not matter */
	enum mailgun_shape shape;
	struct str domain; /* of the path: events, stats, suppressions, queues */
	struct str ip; /* of the path */
};

#define MAILGUN_FIGURES_MAX 20

struct mailgun_counts { /* the figures of one hour and key */
	enum bucket_dim dim; /* DIM_TOTAL (by time alone), DIM_SENDER, DIM_MAILBOX, DIM_IP ... */
	struct str key;
	int64_t start_ms; /* EVENT_UNKNOWN: not by time */
	struct api_figure figures[MAILGUN_FIGURES_MAX];
	size_t n;
};

struct mailgun_range { /* the dates of the answer */
	int64_t from_ms, to_ms; /* EVENT_UNKNOWN when it has none; to_ms is no part of it */
	int64_t step_ms; /* an hour, a day; 0 another */
};

/* Where rows go; a slot may be NULL. A negative return ends the parse and is handed back. */
struct mailgun_sink {
	int (*range)(void *ctx,
		const struct mailgun_range *r); /* metrics, stats: once, before the counts */
	int (*counts)(void *ctx, const struct mailgun_counts *c);
	int (*event)(void *ctx, const struct api_event *e);
	int (*suppression)(void *ctx, const struct api_suppression *row);
	int (*domain)(void *ctx, const struct api_domain *row);
	int (*ip)(void *ctx, const struct api_ip *row);
	int (*account)(void *ctx, struct str name, struct str value);
	/* next - where the page after this one is: token or URL as told. */
	int (*next)(void *ctx, struct str place);
	void *ctx;
};

struct mailgun_result {
	size_t rows; /* of the answer's list, odd ones included */
	size_t odd; /* rows that could not be read */
	int64_t total; /* rows of all pages, as told; never trusted alone. EVENT_UNKNOWN */
	int64_t newest_ms; /* of events; EVENT_UNKNOWN */
	uint64_t mark; /* of the rows' bytes: a page equal to the one before stands still */
};

/*
 * mailgun_parse - one body. Returns 0; MT_EPROTO when it is no JSON or not of that shape (a row odd in itself is no
 * failure); or what the sink returned. *ret may be NULL.
 */
int mailgun_parse(const struct mailgun_ask *ask, struct str body, const struct mailgun_sink *sink,
	struct mailgun_result *ret, struct mt_error *reterr) MT_MUST_CHECK;

/* mailgun_shape_name - "metrics". mailgun_shape_of - by that name; MAILGUN__SHAPES none. */
const char *mailgun_shape_name(enum mailgun_shape shape);
enum mailgun_shape mailgun_shape_of(struct str name);
/* mailgun_guess - whose body this looks like; MAILGUN__SHAPES: none known. */
enum mailgun_shape mailgun_guess(struct str body);

/* The metrics asked for: at most ten a request. Set 0 and 1, each ended by NULL. */
#define MAILGUN_METRIC_SETS 2
const char *const *mailgun_metric_set(int set);
/* mailgun_metrics_of - what METRIC_ a set fills, as a set of UINT64_C(1) << METRIC_. */
uint64_t mailgun_metrics_of(int set);

#endif
