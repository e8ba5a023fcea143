/* SPDX-License-Identifier: MIT */
/*
 * http - requests to a vendor's API over one base URL, inside somebody's poll loop (libcurl's multi interface).
 *
 * A request is started, http_step moves all that are under way without blocking, and each ends in one call of its done
 * function. https alone, verified; plain http for loopback addresses (tests). No redirect is followed, nothing is ever
 * sent to another host than the base's; the environment's proxies are used as curl(1) does. Every reply is capped: body
 * after decompression, headers, time in all, time without progress.
 * Keys: see http_auth. All memory libcurl frees is overwritten first; its verbose output is never on.
 */
#ifndef MT_BACKENDS_HTTP_H
#define MT_BACKENDS_HTTP_H

#include "store/base/buf.h"
#include "store/base/clock.h"
#include "store/base/err.h"
#include "store/base/secret.h"

#include <poll.h>

#define HTTP_BODY_MAX_BYTES (32u << 20) /* after decompression */
#define HTTP_HEADERS_MAX_BYTES (64u << 10)
#define HTTP_PATH_MAX_BYTES 8192 /* Mailgun's paging URLs hold a token of some hundred */
#define HTTP_CONNECT_MS 10000
#define HTTP_TOTAL_MS 60000
#define HTTP_SLOW_BYTES_PER_S 64 /* slower than this for HTTP_SLOW_S is given up */
#define HTTP_SLOW_S 15
#define HTTP_WAIT_MAX_MS (15 * 60000) /* longer waits a vendor asks for are cut to this */
#define HTTP_UNKNOWN (-1)

struct http;

struct http_options { /* all borrowed during http_new */
	const char *
		base; /* "https://api.mailgun.net"; a path behind the host comes before that of every request */
	const char *ca_file; /* certificates to trust; NULL or "": the system's */
	const struct clock *clock; /* borrowed for life; NULL = real */
	unsigned connections; /* at a time; 0 = 4 */
	int64_t total_ms; /* of a request; 0 = HTTP_TOTAL_MS */
};
/* http_new - gives *ret. MT_ECONFIG: the base is no https URL, has user:password@, a query, or is http:// to another
 * host than loopback; the CA file can't be read. */
int http_new(
	const struct http_options *o, struct http **ret, struct mt_error *reterr) MT_MUST_CHECK;
/* http_free - drops what is under way (its done is not called). NULL accepted. */
void http_free(struct http *h);

enum http_method { HTTP_GET, HTTP_POST, HTTP_DELETE };
enum http_auth_kind { HTTP_AUTH_NONE, HTTP_AUTH_BASIC, HTTP_AUTH_BEARER, HTTP_AUTH_HEADER };
struct http_auth {
	enum http_auth_kind kind;
	const char
		*name; /* BASIC: the user; HEADER: the header's name ("X-Postmark-Server-Token") */
	const struct secret *key;
};

/* What the headers of a reply say of a limit on requests; HTTP_UNKNOWN where they say nothing. */
struct http_limit {
	int64_t limit, remaining;
	int64_t reset_ms; /* UTC ms */
	int64_t wait_ms; /* 0..HTTP_WAIT_MAX_MS: Retry-After if there is one, else until reset */
};
void http_limit_init(struct http_limit *l);
/*
 * http_limit_header - take one header line in, if it is of X-RateLimit-*, X-Request-* (Limit, Remaining, Reset) or
 * Retry-After, in any case. A reset over 1e11 is in ms, else in s, of the epoch. Pure.
 */
void http_limit_header(struct http_limit *l, struct str line, int64_t now_utc_ms);

struct http_reply { /* all borrowed during done */
	int rc; /* 0: 2xx; else the class, see http_class; error has its words */
	int status; /* 0: there was no answer */
	struct str body; /* also of an error; present and empty when there was none */
	struct str content_type; /* without parameters, "" none */
	struct str link; /* the Link header, absent none */
	struct http_limit limit;
	struct mt_error
		error; /* for people: host, path without query, what happened. Never a key */
	int64_t took_ms;
};

struct http_request { /* all borrowed during http_start, but ctx */
	enum http_method method;
	const char *path; /* with query; begins with '/' */
	struct str body; /* POST */
	const char *content_type; /* of body; NULL = application/json */
	const struct http_auth *auth; /* NULL none */
	const char *const *headers; /* "Name: value", NULL-terminated; may be NULL */
	size_t body_max_bytes; /* 0 = HTTP_BODY_MAX_BYTES */
	/* done - called once, from http_step; may start requests. */
	void (*done)(void *ctx, const struct http_reply *reply);
	void *ctx;
};
/* http_start - MT_EINVAL: a path that does not begin with '/' or holds a control character, a space or "..". */
int http_start(struct http *h, const struct http_request *r, struct mt_error *reterr) MT_MUST_CHECK;
/* http_step - what can be done without waiting. Returns how many requests ended. */
size_t http_step(struct http *h);
size_t http_pending(const struct http *h);
/* http_fds - what to poll, at most max. http_wait_ms - and how long at most: -1 nothing is under way. */
size_t http_fds(const struct http *h, struct pollfd *out, size_t max);
int64_t http_wait_ms(const struct http *h);
/* http_finish - wait for all that is under way: for jobs and doctor, never for the collector. canceled may be NULL;
 * asked 10 times a second. MT_ECANCELED. */
int http_finish(struct http *h, bool (*canceled)(void *ctx), void *ctx,
	struct mt_error *reterr) MT_MUST_CHECK;

/*
 * http_class - of a status: 0 (2xx), MT_EAUTH (401), MT_EPERM (403, 451), MT_ENOENT (404, 410), MT_ERATE (429),
 * MT_ENET (408, 5xx), MT_EPROTO (3xx: redirects are not followed; 1xx), MT_EINVAL (other 4xx).
 */
int http_class(int status);
/*
 * http_reroot - path and query of a URL that came in a body, to be asked of the base instead: path is "/v3/..." and
 * starts with prefix. MT_EPROTO: no absolute URL or path, user information, "..", control characters, too long,
 * another path. Pure.
 */
int http_reroot(struct str url, struct str prefix, struct buf *ret_path,
	struct mt_error *reterr) MT_MUST_CHECK;
/* http_escape - append s percent-encoded for a path segment or query value (unreserved characters stay). */
int http_escape(struct buf *out, struct str s);
/* http_date_ms - an HTTP or RFC 2822 date ("Mon, 17 Feb 2025 00:00:00 GMT|UTC|+0100|MST") as UTC ms, whatever the
 * locale; unknown zone names are UTC. The year 1 is 0001's own value (negative). false: none. Pure. */
bool http_date_ms(struct str s, int64_t *ret_ms);
/* http_date - append UTC ms as "Mon, 17 Feb 2025 00:00:00 +0000", English whatever the locale. */
int http_date(struct buf *out, int64_t utc_ms);

#endif
