/* SPDX-License-Identifier: MIT */
/* api - see api.h: the source that follows the plan, and the pager. */
#include "backends/api.h"

#include "backends/api_json.h"
#include "backends/api_private.h"
#include "store/base/map.h"

#include <string.h>

#define PATH_MAX_BYTES (HTTP_PATH_MAX_BYTES + 1)
#define ASK_MAX_BYTES (1u << 20)
#define TELL_INTERVAL_MS 1000 /* budgets while much is paged in */
#define PENDING_WAIT_MS 1000
#define PAGE_SEED 0x6d746174
#define TREES_MAX_BYTES (512u << 20) /* the largest body of the shortest rows; more is refused */

int64_t api_now_ms(const struct api *a)
{
	return clock_utc_ms(a->env->clock);
}

struct store *api_store(struct api *a)
{
	return a->env->store;
}

int api_provider(const struct api *a)
{
	return a->env->provider;
}

int api_open(struct api *a, const struct api_options *o, struct mt_error *reterr)
{
	struct http_options http = {
		.base = o->base, .ca_file = o->ca_file, .clock = o->env->clock, .connections = 0};

	a->vendor = o->vendor;
	a->env = o->env;
	a->key = o->key;
	a->auth = (struct http_auth){o->auth, o->auth_name, o->key};
	buf_init(&a->path, PATH_MAX_BYTES);
	buf_init(&a->body, ASK_MAX_BYTES);
	arena_init(&a->trees, TREES_MAX_BYTES);
	for (size_t e = 0; e < a->vendor->n; e++) {
		a->at[e].api = a;
		a->at[e].e = e;
	}
	plan_init(a, o->requests_per_minute);
	if (!o->key)
		return mt_error_set(reterr, MT_ECONFIG, "no key");
	return http_new(&http, &a->http, reterr);
}

void api_close(struct api *a)
{
	if (a->vendor && a->vendor->close)
		a->vendor->close(a);
	http_free(a->http);
	a->http = NULL;
	secret_free(a->key);
	a->key = NULL;
	buf_done(&a->path);
	buf_done(&a->body);
	arena_done(&a->trees);
}

void api_done(void *state)
{
	api_close(state);
}

/* of_store - a failure that is the store's: nothing of this batch may be committed. */
static bool of_store(int rc)
{
	return rc == MT_ENOMEM || rc == MT_EFULL || rc == MT_EIO || rc == MT_ECORRUPT ||
	       rc == MT_EBUSY;
}

static void failed(
	struct api *a, size_t e, const struct mt_error *error, const struct http_limit *limit)
{
	if (of_store((int)error->code)) {
		a->store_error = *error;
		return;
	}
	log_repeated(&a->fault, "%s %s: %s", a->env->def->name, a->vendor->endpoints[e].name,
		error->text);
	plan_failed(a, e, error, limit);
}

static void end_round(struct api *a, size_t e, bool complete)
{
	struct mt_error error = {0};
	int rc = a->vendor->end ? a->vendor->end(a, e, complete, &error) : 0;

	a->news = true;
	plan_ended(a, e, complete && rc == 0);
	if (rc < 0)
		failed(a, e, &error, NULL);
}

/* is_final - an answer that asking again would not change. */
static bool is_final(int rc)
{
	return rc == 0 || rc == MT_EPERM || rc == MT_ENOENT || rc == MT_EINVAL || rc == MT_EPROTO;
}

static void take(struct api *a, size_t e, const struct http_reply *reply)
{
	struct mt_error error = {0};
	int rc;

	api_json_arena(&a->trees);
	rc = a->vendor->took(a, e, reply, &error);
	api_json_arena(NULL);
	a->news = true;
	if (rc >= 0) {
		plan_well(a, e);
		return;
	}
	if (error.code != (enum mt_err)rc)
		error = reply->error.code == (enum mt_err)rc ? reply->error : error;
	if (error.code == MT_OK)
		mt_error_set(&error, (enum mt_err)rc, "%s", mt_strerror(rc));
	end_round(a, e, false);
	failed(a, e, &error, NULL);
}

static void refused(struct api *a, size_t e, const struct http_reply *reply)
{
	if (reply->rc == MT_EAUTH) {
		a->refused_row++;
		a->stopped =
			a->refused_row >= API_UNAUTHORIZED_ROW || a->refused_row >= a->vendor->n;
		end_round(a, e, false);
	} else if (reply->rc == MT_ELIMIT || a->env->until_caught_up) {
		end_round(a, e, false);
	}
	failed(a, e, &reply->error, &reply->limit);
}

static void on_reply(void *ctx, const struct http_reply *reply)
{
	struct api *a = ((struct api_at *)ctx)->api;
	size_t e = ((struct api_at *)ctx)->e;

	a->line[e].flying = false;
	if (reply->status) /* what an answer without these headers does not say is not known any more */
		a->line[e].limit = reply->limit;
	if (reply->rc == 0)
		a->refused_row = 0;
	if ((is_final(reply->rc) || (reply->rc == MT_EAUTH && a->vendor->sees_401)) &&
		reply->status)
		take(a, e, reply);
	else
		refused(a, e, reply);
}

/* ask - the next request of a round under way. False: there is none now. */
static bool ask(struct api *a, size_t e)
{
	struct api_request r = {.method = HTTP_GET, .path = &a->path, .body = &a->body};
	struct http_request h = {.auth = &a->auth, .done = on_reply, .ctx = &a->at[e]};
	struct mt_error error = {0};
	int rc;

	buf_clear(&a->path);
	buf_clear(&a->body);
	rc = a->vendor->next(a, e, &r, &error);
	if (rc > 0 && (a->path.err || a->body.err))
		rc = mt_error_set(&error, MT_ELIMIT, "the request is too long");
	if (rc > 0) {
		h.method = r.method;
		h.path = buf_z(&a->path);
		h.body = buf_str(&a->body);
		h.headers = r.headers;
		rc = http_start(a->http, &h, &error) < 0 ? (int)error.code : 1;
	}
	if (rc > 0) {
		a->line[e].flying = true;
		plan_asked(a, e);
		return true;
	}
	end_round(a, e, rc == 0);
	if (rc < 0)
		failed(a, e, &error, NULL);
	return false;
}

static void go_on(struct api *a)
{
	for (size_t e = 0; e < a->vendor->n && !a->stopped && !a->store_error.code; e++) {
		struct api_line *l = &a->line[e];

		if (plan_due(a, e)) {
			l->running = a->vendor->begin(a, e) == 0;
			l->waits = !l->running;
			if (!l->running)
				l->due_ms = clock_mono_ms(a->env->clock) + PENDING_WAIT_MS;
		}
		if (l->running && !l->flying && plan_may_ask(a, e))
			(void)ask(a, e);
	}
}

static int tell(struct api *a, struct mt_error *reterr)
{
	int64_t now = clock_mono_ms(a->env->clock);

	if (http_pending(a->http) && now - a->told_ms < TELL_INTERVAL_MS)
		return 0;
	a->told_ms = now;
	return plan_store(a, reterr);
}

int api_step(void *state, struct mt_error *reterr)
{
	struct api *a = state;
	bool news;
	int rc;

	(void)http_step(a->http);
	go_on(a);
	rc = a->store_error.code ? (int)a->store_error.code : tell(a, reterr);
	if (rc < 0) {
		if (a->store_error.code)
			*reterr = a->store_error;
		*a->env->store_failed = true;
		return rc;
	}
	if (a->stopped)
		return mt_error_set(reterr, MT_EAUTH,
			"the key is refused (401) by every endpoint: give a valid one and start "
			"again");
	news = a->news;
	a->news = false;
	if (http_pending(a->http))
		return news ? STEP_AGAIN : STEP_WAIT;
	if (!a->env->until_caught_up)
		return STEP_DONE;
	if (!plan_settled(a))
		return news ? STEP_AGAIN : STEP_WAIT;
	if (a->error.code == MT_OK)
		(void)plan_in_vain(a, &a->error);
	if (a->error.code) {
		*reterr = a->error;
		return (int)a->error.code;
	}
	return STEP_DONE;
}

size_t api_fds(const void *state, struct pollfd *out, size_t max)
{
	const struct api *a = state;

	return http_fds(a->http, out, max);
}

int64_t api_wait(const void *state)
{
	const struct api *a = state;
	int64_t plan_ms = plan_next_ms(a), http_ms = http_wait_ms(a->http);

	return http_ms >= 0 && http_ms < plan_ms ? http_ms : plan_ms;
}

int64_t api_interval(const void *state)
{
	int64_t ms = api_wait(state);

	return ms < 1 ? 1 : ms;
}

void api_health(const void *state, struct source_health *out)
{
	plan_health(state, out);
}

void api_pager_init(struct api_pager *p)
{
	*p = (struct api_pager){.brent_at = 1};
}

bool api_pager_next(struct api_pager *p, size_t nrows, struct str rows, struct str place)
{
	uint64_t page = map_hash(rows, PAGE_SEED), at = map_hash(place, PAGE_SEED);

	p->pages++;
	if (nrows == 0 || place.n == 0)
		return false;
	p->stuck = (p->pages > 1 && (page == p->last_rows || at == p->brent)) ||
		   p->pages >= API_PAGES_MAX;
	p->last_rows = page;
	if (p->pages == p->brent_at) {
		p->brent = at;
		p->brent_at *= 2;
	}
	return !p->stuck;
}
