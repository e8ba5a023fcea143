/* SPDX-License-Identifier: MIT */
/*
 * api - what every provider behind a web API shares: the table of its endpoints, the poll plan with one budget of
 * requests an endpoint, and the source that follows the plan.
 *
 * A vendor says what to ask next and takes in what comes; this file decides when. Each endpoint has rounds: begin, then
 * next/took as often as next has a request, then end. Requests of one endpoint follow each other, those of several run
 * at once. A request that a rate limit or the network refused is asked again later; the round goes on where it was.
 *
 *   struct acme { struct api api; ... };               // state of the source; api must be the first member
 *   const struct source_ops acme_source = {.name = "api", .state_bytes = sizeof(struct acme), .init = acme_init,
 *       .interval_ms = API_INTERVAL_MS, API_SOURCE_OPS};
 *   acme_init: fill struct api_options, return api_open(&a->api, &options, reterr)
 */
#ifndef MT_BACKENDS_API_H
#define MT_BACKENDS_API_H

#include "backends/backend.h"
#include "backends/http.h"
#include "store/base/arena.h"
#include "store/base/log.h"
#include "store/store_api.h"

#define API_INTERVAL_MS 60000 /* of the source: its own plan says when in truth */
#define API_ENDPOINTS_MAX 32
#define API_PAGES_MAX 100000 /* of one list: ten million addresses */
#define API_UNAUTHORIZED_ROW 5 /* so many 401 without a good answer between stop the source */
#define API_RETRY_FIRST_MS 5000 /* after a failure; doubled up to BACKOFF_MAX_MS */
#define API_RATE_WAIT_MS                                                                           \
	60000 /* after a 429 that does not say for how long; doubled to HTTP_WAIT_MAX_MS */
#define API_OFF_RETRY_MS                                                                           \
	3600000 /* rights are given later: an endpoint that was refused is asked once an hour */

struct api_endpoint { /* one row of a vendor's table */
	const char *name; /* "metrics": the budget's name in the providers view */
	int64_t interval_ms; /* between rounds */
	int per_minute; /* requests at most, well below what the vendor allows */
	const char *needs; /* scope or role to grant, NULL none in particular */
	bool minor; /* when it fails, the source still is well */
};

struct api_request { /* filled by next; buffers are the api's, empty at call */
	enum http_method method;
	struct buf *path, *body;
	const char *const *headers; /* NULL-terminated, borrowed until took; NULL none */
};

struct api_line { /* an endpoint at run time */
	int64_t interval_ms;
	int64_t due_ms, blocked_ms, refilled_ms; /* mono */
	double tokens;
	int64_t minute_ms, used; /* requests since minute_ms */
	unsigned failures;
	bool running, flying, dirty;
	bool waits; /* begin had nothing to ask yet */
	bool off; /* refused for lack of rights */
	bool never; /* see api_switch_off */
	bool settled; /* a round came to an end, or failed */
	int last_rc;
	struct http_limit limit;
	int64_t requests, last_utc_ms, ok_utc_ms;
	char detail[MT_ERROR_TEXT_MAX_BYTES];
};

struct api;
struct api_vendor {
	const struct api_endpoint *endpoints;
	size_t n;
	/* begin - a round of endpoint e is due. Negative: this endpoint has nothing to ask (yet); asked again in a second. */
	int (*begin)(struct api *a, size_t e);
	/* next - the round's next request: 1 with *r filled, 0 the round is over, negative: failed (reterr). Called again
	 * without took between, it gives the same request again. */
	int (*next)(struct api *a, size_t e, struct api_request *r, struct mt_error *reterr);
	/*
	 * took - a 2xx, or another answer that is final (404, 403, 400; not 429, 5xx, nor a lost connection): put rows into
	 * the store. 0: go on; 1: the answer was final for the vendor too (404 "not warming"): no failure; negative: the
	 * class of the failure, in reterr: the round ends. With reply->rc < 0, returning it is the usual thing.
	 */
	int (*took)(
		struct api *a, size_t e, const struct http_reply *reply, struct mt_error *reterr);
	/* end - the round is over; complete: every request was answered well. May put rows. May be NULL. */
	int (*end)(struct api *a, size_t e, bool complete, struct mt_error *reterr);
	/* close - free what the vendor's state owns. May be NULL. */
	void (*close)(struct api *a);
	bool sees_401; /* took has a say in these too: a 401 may be about one of several accounts, not the key */
};

struct api_at { /* whose reply */
	struct api *api;
	size_t e;
};

struct api {
	const struct api_vendor *vendor;
	const struct backend_env *env;
	struct http *http; /* owned */
	struct secret *key; /* owned */
	struct http_auth auth;
	struct api_line line[API_ENDPOINTS_MAX];
	struct api_at at[API_ENDPOINTS_MAX];
	struct buf path, body;
	struct arena trees; /* of the answer under way, see api_json_arena */
	int64_t requests_per_minute, told_ms;
	unsigned refused_row;
	bool news, stopped;
	struct log_repeat fault;
	struct mt_error error; /* the newest failure of an endpoint that matters */
	struct mt_error store_error; /* of the store, from within a reply */
};

struct api_options { /* borrowed during api_open */
	const struct api_vendor *vendor;
	const struct backend_env *env;
	const char *base, *ca_file;
	struct secret *key; /* moves to the api, also on failure */
	enum http_auth_kind auth;
	const char *auth_name; /* see http_auth.name; must outlive the api */
	int64_t requests_per_minute; /* 0: as the endpoints say; else of each, from the configuration */
};
/* api_open - a is zeroed. MT_ECONFIG, MT_EAUTH. End with api_close also after a failure. */
int api_open(struct api *a, const struct api_options *o, struct mt_error *reterr) MT_MUST_CHECK;
void api_close(struct api *a);

/* The slots of a source over an api. */
int api_step(void *state, struct mt_error *reterr);
size_t api_fds(const void *state, struct pollfd *out, size_t max);
int64_t api_interval(const void *state);
int64_t api_wait(const void *state);
void api_health(const void *state, struct source_health *out);
void api_done(void *state);
#define API_SOURCE_OPS                                                                             \
	.step = api_step, .fds = api_fds, .interval = api_interval, .wait = api_wait,              \
	.health = api_health, .done = api_done

/* api_now_ms - UTC of the collector's clock. api_store - the store; api_provider - its id there. */
int64_t api_now_ms(const struct api *a);
struct store *api_store(struct api *a);
int api_provider(const struct api *a);
/* api_soon - let a round of e be due now (what it asks about was just heard of). */
void api_soon(struct api *a, size_t e);
/* api_switch_off - e is not for this account: never asked again, shown with why. "" with no words: not shown as a fault. */
void api_switch_off(struct api *a, size_t e, const char *why);
/* api_switch_on - and e is, after all. */
void api_switch_on(struct api *a, size_t e);
bool api_is_off(const struct api *a, size_t e);

/* Rows into the store (store_api.h); api is the struct api. One that the store can't take is left out. */
int api_put_event(void *api, const struct api_event *e);
int api_put_suppression(void *api, const struct api_suppression *row);
int api_put_ip(void *api, const struct api_ip *row);
int api_put_account(void *api, struct str name, struct str value);

/*
 * A pager ends whatever the vendor answers: by an empty page, a page equal to the one before, a place that was had
 * before, or the cap on pages.
 */
struct api_pager {
	unsigned pages;
	uint64_t last_rows; /* hash of the last page's rows */
	uint64_t
		brent; /* hash of a place remembered, moved forward at powers of two: any circle is met */
	unsigned brent_at;
	bool stuck; /* ended because it went round, not because the list was at its end */
};
void api_pager_init(struct api_pager *p);
/* api_pager_next - after a page of nrows whose bytes are rows (of the items, or the whole body): go on at place (token,
 * URL, offset as text)? place absent or empty: the end. */
bool api_pager_next(struct api_pager *p, size_t nrows, struct str rows, struct str place);

#endif
