/* SPDX-License-Identifier: MIT */
/* http - see http.h. */
#include "backends/http.h"

#include "backends/http_base.h"
#include "backends/multi.h"
#include "store/base/mem.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONNECTIONS 4
#define CANCEL_LOOK_MS 100
#define LINK_MAX_BYTES 8192
#define AUTH_MAX_BYTES (2 * SECRET_MAX_BYTES + 256) /* base64 of a name and a key */

struct request {
	struct http *owner;
	struct request *next;
	CURL *easy;
	struct curl_slist *headers;
	struct buf body, link, content; /* of the reply; content: what is sent */
	struct http_limit limit;
	size_t header_bytes;
	bool too_big, headers_too_big;
	int64_t started_ms;
	const struct secret *key; /* to scrub texts with; the caller's */
	void (*done)(void *ctx, const struct http_reply *reply);
	void *ctx;
	char shown[160]; /* host and path without query */
	char error[CURL_ERROR_SIZE];
};

struct http {
	struct multi multi;
	struct http_base base;
	char *ca_file;
	struct clock own_clock;
	const struct clock *clock;
	struct request *all; /* under way */
	size_t pending;
	unsigned connections;
	int64_t total_ms;
};

static size_t on_body(char *bytes, size_t size, size_t n, void *ctx)
{
	struct request *r = ctx;

	if (buf_add(&r->body, bytes, size * n) == 0)
		return size * n;
	r->too_big = true;
	return 0;
}

static size_t on_header(char *bytes, size_t size, size_t n, void *ctx)
{
	struct request *r = ctx;
	struct str line = {bytes, size * n};
	static const struct str link = STR_INIT("link:");

	r->header_bytes += line.n;
	if (r->header_bytes > HTTP_HEADERS_MAX_BYTES) {
		r->headers_too_big = true;
		return 0;
	}
	http_limit_header(&r->limit, line, clock_utc_ms(r->owner->clock));
	if (line.n > link.n && str_ieq(str_first(line, link.n), link)) {
		buf_clear(&r->link);
		(void)buf_add_str(&r->link, str_trim(str_skip(line, link.n)));
	}
	return line.n;
}

static void free_request(struct request *r)
{
	curl_easy_cleanup(r->easy);
	curl_slist_free_all(r->headers);
	buf_done(&r->body);
	buf_done(&r->link);
	buf_done(&r->content);
	free(r);
}

int http_new(const struct http_options *o, struct http **ret, struct mt_error *reterr)
{
	struct http *h = xcalloc(1, sizeof(*h));
	int rc = http_base_parse(o->base, &h->base, reterr);

	if (rc == 0 && o->ca_file && o->ca_file[0] && access(o->ca_file, R_OK) < 0)
		rc = mt_error_set(reterr, MT_ECONFIG, "can't read the CA file %.120s", o->ca_file);
	if (rc < 0) {
		http_base_done(&h->base);
		free(h);
		return rc;
	}
	h->own_clock = clock_real();
	h->clock = o->clock ? o->clock : &h->own_clock;
	h->ca_file = o->ca_file && o->ca_file[0] ? xstrdup(o->ca_file) : NULL;
	h->connections = o->connections ? o->connections : CONNECTIONS;
	h->total_ms = o->total_ms > 0 ? o->total_ms : HTTP_TOTAL_MS;
	rc = multi_init(&h->multi, h->clock, h->connections, reterr);
	if (rc < 0) {
		http_free(h);
		return rc;
	}
	*ret = h;
	return 0;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	while (h->all) {
		struct request *r = h->all;

		h->all = r->next;
		curl_multi_remove_handle(h->multi.handle, r->easy);
		free_request(r);
	}
	multi_done(&h->multi);
	http_base_done(&h->base);
	free(h->ca_file);
	free(h);
}

static int add_header(struct request *r, const char *line)
{
	struct curl_slist *more = curl_slist_append(r->headers, line);

	r->headers = more ? more : r->headers;
	return more == NULL;
}

/* set_auth - by a header of our own: what libcurl is told as a user or token stays in its idle connections. */
static int set_auth(struct request *r, const struct http_auth *auth)
{
	char header[AUTH_MAX_BYTES];
	int rc;

	if (!auth || auth->kind == HTTP_AUTH_NONE)
		return 0;
	r->key = auth->key;
	http_auth_line(header, sizeof(header), auth);
	rc = add_header(r, header);
	explicit_bzero(header, sizeof(header));
	return rc;
}

static int set_headers(struct request *r, const struct http_request *ask)
{
	char type[128];
	int rc = add_header(r, "Accept: application/json") | add_header(r, "Expect:");

	for (size_t i = 0; ask->headers && ask->headers[i]; i++)
		rc |= add_header(r, ask->headers[i]);
	if (ask->method == HTTP_POST) {
		snprintf(type, sizeof(type), "Content-Type: %.100s",
			ask->content_type ? ask->content_type : "application/json");
		rc |= add_header(r, type);
	}
	return rc;
}

static void set_limits(const struct http *h, struct request *r)
{
	CURL *e = r->easy;

	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, h->base.tls ? "https" : "http");
	curl_easy_setopt(e, CURLOPT_REDIR_PROTOCOLS_STR, "https");
	curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_ACCEPT_ENCODING, "gzip");
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_CONNECT_MS);
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)h->total_ms);
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, (long)HTTP_SLOW_BYTES_PER_S);
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, (long)HTTP_SLOW_S);
	curl_easy_setopt(e, CURLOPT_USERAGENT, "mtatop/" MTATOP_VERSION);
	if (h->ca_file)
		curl_easy_setopt(e, CURLOPT_CAINFO, h->ca_file);
	if (!h->base.tls)
		curl_easy_setopt(e, CURLOPT_PROXY, ""); /* a key in plain must not go through one */
}

static void set_callbacks(struct request *r)
{
	curl_easy_setopt(r->easy, CURLOPT_PRIVATE, r);
	curl_easy_setopt(r->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(r->easy, CURLOPT_WRITEDATA, r);
	curl_easy_setopt(r->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(r->easy, CURLOPT_HEADERDATA, r);
	curl_easy_setopt(r->easy, CURLOPT_ERRORBUFFER, r->error);
}

static int set_content(struct request *r, const struct http_request *ask)
{
	if (ask->method == HTTP_DELETE)
		return curl_easy_setopt(r->easy, CURLOPT_CUSTOMREQUEST, "DELETE") != CURLE_OK;
	if (ask->method == HTTP_GET)
		return 0;
	if (buf_add_str(&r->content, ask->body) < 0)
		return -1;
	curl_easy_setopt(r->easy, CURLOPT_POST, 1L);
	curl_easy_setopt(r->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->content.n);
	return curl_easy_setopt(r->easy, CURLOPT_POSTFIELDS, buf_z(&r->content)) != CURLE_OK;
}

static int set_url(const struct http *h, struct request *r, const char *path)
{
	char *url = xasprintf("%s%s%s", h->base.origin, h->base.path, path);
	int rc = curl_easy_setopt(r->easy, CURLOPT_URL, url) != CURLE_OK;

	free(url);
	snprintf(r->shown, sizeof(r->shown), "%.60s%.90s", h->base.host, path);
	r->shown[strcspn(r->shown, "?")] = '\0';
	return rc;
}

int http_start(struct http *h, const struct http_request *ask, struct mt_error *reterr)
{
	struct request *r;
	struct buf path;
	int rc;

	buf_init(&path, HTTP_PATH_MAX_BYTES);
	rc = http_reroot(str_of(ask->path), STR_LIT("/"), &path, reterr);
	buf_done(&path);
	if (rc < 0 || ask->path[0] != '/')
		return mt_error_set(reterr, MT_EINVAL, "no path to ask for: %.100s", ask->path);
	r = xcalloc(1, sizeof(*r));
	r->owner = h;
	r->done = ask->done;
	r->ctx = ask->ctx;
	r->started_ms = clock_mono_ms(h->clock);
	buf_init(&r->body, ask->body_max_bytes ? ask->body_max_bytes : HTTP_BODY_MAX_BYTES);
	buf_init(&r->link, LINK_MAX_BYTES);
	buf_init(&r->content, HTTP_BODY_MAX_BYTES);
	http_limit_init(&r->limit);
	r->easy = curl_easy_init();
	rc = r->easy ? 0 : -1;
	if (rc == 0) {
		set_limits(h, r);
		set_callbacks(r);
		rc = set_url(h, r, ask->path) | set_headers(r, ask) | set_content(r, ask) |
		     set_auth(r, ask->auth);
		curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, r->headers);
	}
	if (rc || curl_multi_add_handle(h->multi.handle, r->easy) != CURLM_OK) {
		free_request(r);
		return mt_error_set(reterr, MT_ENOMEM, "no memory for a request");
	}
	r->next = h->all;
	h->all = r;
	h->pending++;
	return 0;
}

/* told - the words of libcurl where they are about the connection; they never quote what was sent. */
static int failed(struct request *r, CURLcode code, struct mt_error *error)
{
	if (r->too_big)
		return mt_error_set(error, MT_ELIMIT, "%s: the answer is larger than %u MB",
			r->shown, (unsigned)(r->body.max >> 20));
	if (r->headers_too_big)
		return mt_error_set(error, MT_ELIMIT,
			"%s: the answer's headers are larger than %u kB", r->shown,
			HTTP_HEADERS_MAX_BYTES >> 10);
	return mt_error_set(error, code == CURLE_OUT_OF_MEMORY ? MT_ENOMEM : MT_ENET, "%s: %.100s",
		r->shown, r->error[0] ? r->error : curl_easy_strerror(code));
}

static void give(struct http *h, struct request *r, CURLcode code)
{
	struct http_reply reply = {.body = str_make(buf_z(&r->body), r->body.n),
		.content_type = STR_LIT(""),
		.limit = r->limit,
		.took_ms = clock_mono_ms(h->clock) - r->started_ms};
	const char *type = NULL;
	long status = 0;

	curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
	if (curl_easy_getinfo(r->easy, CURLINFO_CONTENT_TYPE, &type) == CURLE_OK && type)
		reply.content_type = str_trim(str_make(type, strcspn(type, ";")));
	if (r->link.n)
		reply.link = buf_str(&r->link);
	if (reply.limit.wait_ms == HTTP_UNKNOWN && reply.limit.reset_ms != HTTP_UNKNOWN) {
		int64_t wait_ms = reply.limit.reset_ms - clock_utc_ms(h->clock);

		reply.limit.wait_ms = wait_ms < 0                  ? 0
				      : wait_ms > HTTP_WAIT_MAX_MS ? HTTP_WAIT_MAX_MS
								   : wait_ms;
	}
	if (code != CURLE_OK) {
		reply.rc = failed(r, code, &reply.error);
	} else {
		reply.status = (int)status;
		reply.rc = http_class((int)status);
		if (reply.rc < 0)
			http_base_refused(&reply, r->shown);
	}
	secret_scrub(r->key, reply.error.text);
	r->done(r->ctx, &reply);
}

static void unlink_request(struct http *h, struct request *r)
{
	struct request **at = &h->all;

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	h->pending--;
}

static size_t reap(struct http *h)
{
	CURLMsg *msg;
	size_t n = 0;
	int left;

	while ((msg = curl_multi_info_read(h->multi.handle, &left))) {
		CURLcode code = msg->data.result;
		struct request *r = NULL;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&r);
		curl_multi_remove_handle(h->multi.handle, r->easy);
		unlink_request(h, r);
		give(h, r, code);
		free_request(r);
		n++;
	}
	return n;
}

size_t http_step(struct http *h)
{
	bool working = h->pending > 0;
	size_t n;

	multi_step(&h->multi);
	n = reap(h);
	if (working)
		secret_wipe_stack();
	return n;
}

size_t http_pending(const struct http *h)
{
	return h->pending;
}

size_t http_fds(const struct http *h, struct pollfd *out, size_t max)
{
	return multi_fds(&h->multi, out, max);
}

int64_t http_wait_ms(const struct http *h)
{
	int64_t ms;

	if (h->pending == 0)
		return -1;
	ms = multi_wait_ms(&h->multi);
	return ms < 0 ? HTTP_SLOW_S * 1000 : ms;
}

int http_finish(struct http *h, bool (*canceled)(void *ctx), void *ctx, struct mt_error *reterr)
{
	while (h->pending) {
		struct pollfd fds[MULTI_SOCKETS_MAX];
		size_t n = http_fds(h, fds, MULTI_SOCKETS_MAX);
		int64_t wait_ms = http_wait_ms(h);

		if (canceled && canceled(ctx))
			return mt_error_set(reterr, MT_ECANCELED, "canceled");
		(void)poll(fds, n, wait_ms > CANCEL_LOOK_MS ? CANCEL_LOOK_MS : (int)wait_ms);
		(void)http_step(h);
	}
	return 0;
}
