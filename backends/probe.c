/* SPDX-License-Identifier: MIT */
/* probe - many probes at once; see probe.h. */
#include "backends/probe_private.h"

#include "store/base/mem.h"
#include "store/base/scan.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_US 1000
#define US_PER_S 1000000
#define MS_PER_S 1000
#define PORT_MAX 65535
#define HOST_MAX_BYTES 256
#define GREETING_MAX_BYTES 600
#define DETAIL_MAX_BYTES 300
#define OUT_MAX_BYTES 2048
#define CANCEL_LOOK_MS 100
#define CONNECTIONS 64 /* kept by libcurl: two of each probe, none is closed to make room */

int64_t probe_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / NS_PER_US;
}

static char *helo_name(const char *asked)
{
	char host[HOST_MAX_BYTES] = "";

	if (asked && probe_host_valid(str_of(asked)))
		return xstrdup(asked);
	if (gethostname(host, sizeof(host) - 1) == 0 && probe_host_valid(str_of(host)))
		return xstrdup(host);
	return xstrdup("localhost");
}

int probe_set_new(const struct probe_options *o, struct probe_set **ret, struct mt_error *reterr)
{
	struct probe_set *s = xcalloc(1, sizeof(*s));
	int rc = multi_init(&s->multi, o->clock, CONNECTIONS, reterr);

	s->clock = o->clock;
	s->timeout_ms = o->timeout_ms > 0 ? o->timeout_ms : PROBE_TIMEOUT_MS;
	s->helo = helo_name(o->helo);
	s->ca_file = o->ca_file && o->ca_file[0] ? xstrdup(o->ca_file) : NULL;
	s->relay_to = xstrdup(o->relay_to && o->relay_to[0] ? o->relay_to : "check@example.com");
	s->done = o->done;
	s->ctx = o->ctx;
	if (rc == 0 && s->ca_file && access(s->ca_file, R_OK) < 0)
		rc = mt_error_set(reterr, MT_ECONFIG, "can't read the CA file %.120s", s->ca_file);
	if (rc < 0) {
		probe_set_free(s);
		return rc;
	}
	*ret = s;
	return 0;
}

static void free_talk(struct talk *t)
{
	probe_curl_free(t);
	probe_reply_done(&t->reply);
	probe_cert_done(&t->cert);
	buf_done(&t->out);
	buf_done(&t->transcript);
	buf_done(&t->greeting);
	buf_done(&t->detail);
	free(t->host);
	free(t->name);
	free(t->from);
	free(t);
}

void probe_set_free(struct probe_set *s)
{
	if (!s)
		return;
	while (s->all) {
		struct talk *t = s->all;

		s->all = t->next;
		free_talk(t);
	}
	multi_done(&s->multi);
	free(s->helo);
	free(s->ca_file);
	free(s->relay_to);
	free(s);
}

static void blank(struct talk *t)
{
	struct probe_result *r = &t->result;

	*r = (struct probe_result){.host = str_of(t->host),
		.port = t->port,
		.role = t->role,
		.total_us = EVENT_UNKNOWN,
		.nnames = EVENT_UNKNOWN,
		.chain = EVENT_UNKNOWN,
		.not_before_ms = EVENT_UNKNOWN,
		.not_after_ms = EVENT_UNKNOWN};
	for (int i = 0; i < PROBE_STEP__COUNT; i++)
		r->took_us[i] = EVENT_UNKNOWN;
}

int probe_set_add(struct probe_set *s, const struct probe_ask *ask, struct mt_error *reterr)
{
	struct talk *t, **at = &s->all;

	if (!probe_host_valid(str_of(ask->host)) || ask->port < 1 || ask->port > PORT_MAX)
		return mt_error_set(
			reterr, MT_EINVAL, "not a host and port: %.60s:%d", ask->host, ask->port);
	t = xcalloc(1, sizeof(*t));
	t->set = s;
	t->host = xstrdup(ask->host);
	t->name = ask->name && probe_host_valid(str_of(ask->name)) ? xstrdup(ask->name) : NULL;
	t->from = ask->from_address && ask->from_address[0] ? xstrdup(ask->from_address) : NULL;
	t->port = ask->port;
	t->role = ask->role;
	t->implicit = ask->implicit;
	t->lenient = ask->lenient;
	t->relay_check = ask->relay_check && ask->role == PROBE_OWN;
	t->fd = t->tls_fd = -1;
	probe_reply_init(&t->reply);
	buf_init(&t->out, OUT_MAX_BYTES);
	buf_init(&t->transcript, PROBE_TRANSCRIPT_MAX_BYTES);
	buf_init(&t->greeting, REPLY_LINE_MAX_BYTES);
	buf_init(&t->detail, DETAIL_MAX_BYTES);
	blank(t);
	while (*at)
		at = &(*at)->next;
	*at = t;
	s->left++;
	return 0;
}

static void start(struct talk *t)
{
	struct probe_set *s = t->set;

	t->started = true;
	s->running++;
	t->result.t_ms = clock_utc_ms(s->clock);
	t->end_ms = clock_mono_ms(s->clock) + PROBE_STEPS_MAX * s->timeout_ms;
	talk_start(t);
}

static void start_some(struct probe_set *s)
{
	for (struct talk *t = s->all; t && s->running < PROBE_PARALLEL; t = t->next)
		if (!t->started)
			start(t);
}

static void overdue(struct talk *t)
{
	if (t->state == TALK_QUIT)
		talk_end(t, PROBE_OPEN, NULL);
	else if (t->state == TALK_CONNECT)
		talk_end(t, PROBE_TIMEOUT, "no answer to connecting in %lld s",
			(long long)(t->set->timeout_ms / MS_PER_S));
	else
		talk_end(t, PROBE_SILENT, "no %s in %lld s", probe_step_word(t->result.step),
			(long long)((probe_now_us() - t->step_us) / US_PER_S));
}

/* give - the result of an ended one, its strings put in order. */
static void give(struct talk *t)
{
	struct probe_result *r = &t->result;

	r->names = t->cert.names.n ? buf_str(&t->cert.names) : (struct str){NULL, 0};
	r->tls = t->version[0] ? str_of(t->version) : (struct str){NULL, 0};
	r->cipher = t->cipher[0] ? str_of(t->cipher) : (struct str){NULL, 0};
	r->detail = t->detail.n ? buf_str(&t->detail) : (struct str){NULL, 0};
	r->transcript = t->transcript.n ? buf_str(&t->transcript) : (struct str){NULL, 0};
	t->set->done(t->set->ctx, r);
}

static void reap(struct probe_set *s)
{
	struct talk **at = &s->all;

	while (*at) {
		struct talk *t = *at;

		if (t->state != TALK_ENDED) {
			at = &t->next;
			continue;
		}
		*at = t->next;
		s->left--;
		s->running--;
		give(t);
		free_talk(t);
	}
}

static void take_messages(struct probe_set *s)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(s->multi.handle, &left))) {
		CURL *easy = msg->easy_handle;
		CURLcode code = msg->data.result;
		struct talk *t = NULL;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&t);
		probe_curl_done(t, easy, code);
	}
}

size_t probe_set_step(struct probe_set *s)
{
	int64_t now_ms;

	start_some(s);
	multi_step(&s->multi);
	take_messages(s);
	now_ms = clock_mono_ms(s->clock);
	for (struct talk *t = s->all; t; t = t->next) {
		if (!t->started)
			continue;
		talk_work(t);
		if (t->state != TALK_ENDED && now_ms >= t->deadline_ms)
			overdue(t);
	}
	reap(s);
	start_some(s);
	return s->left;
}

static bool talks(const struct talk *t)
{
	return t->started && t->fd >= 0 && t->state != TALK_CONNECT && t->state != TALK_TLS &&
	       t->state != TALK_ENDED;
}

size_t probe_set_fds(const struct probe_set *s, struct pollfd *out, size_t max)
{
	size_t n = multi_fds(&s->multi, out, max);

	for (const struct talk *t = s->all; t && n < max; t = t->next)
		if (talks(t))
			out[n++] = (struct pollfd){.fd = t->fd,
				.events = (short)(POLLIN | (talk_wants_write(t) ? POLLOUT : 0))};
	return n;
}

int64_t probe_set_wait_ms(const struct probe_set *s)
{
	int64_t now_ms = clock_mono_ms(s->clock);
	int64_t wait_ms = multi_wait_ms(&s->multi);

	wait_ms = wait_ms < 0 ? s->timeout_ms : wait_ms;
	for (const struct talk *t = s->all; t; t = t->next)
		if (t->started && t->deadline_ms - now_ms < wait_ms)
			wait_ms = t->deadline_ms - now_ms;
	return wait_ms < 0 ? 0 : wait_ms;
}

int probe_set_finish(
	struct probe_set *s, bool (*canceled)(void *ctx), void *ctx, struct mt_error *reterr)
{
	while (probe_set_step(s) > 0) {
		struct pollfd fds[PROBE_FDS_MAX];
		size_t n = probe_set_fds(s, fds, PROBE_FDS_MAX);
		int64_t wait_ms = probe_set_wait_ms(s);

		if (canceled && canceled(ctx))
			return mt_error_set(reterr, MT_ECANCELED, "canceled");
		(void)poll(fds, n, wait_ms > CANCEL_LOOK_MS ? CANCEL_LOOK_MS : (int)wait_ms);
	}
	return 0;
}

int probe_parse_target(
	struct str text, int default_port, char **ret_host, int *ret_port, struct mt_error *reterr)
{
	struct str host = text, rest = {NULL, 0};
	uint64_t port = (uint64_t)default_port;
	size_t colon;

	if (scan_lit(&host, STR_LIT("["))) {
		size_t end = str_find_char(host, ']');

		rest = str_skip(host, end + 1);
		host = end < host.n ? str_first(host, end) : (struct str){NULL, 0};
	} else {
		colon = str_find_char(host, ':');
		/* Two colons: an IPv6 address as it is. */
		if (colon == str_rfind_char(host, ':')) {
			rest = str_skip(host, colon);
			host = str_first(host, colon);
		}
	}
	if (!probe_host_valid(host) ||
		(rest.n && (!scan_lit(&rest, STR_LIT(":")) ||
				   !scan_all_u64(rest, PORT_MAX, &port) || port == 0)))
		return mt_error_set(reterr, MT_EINVAL,
			"%.*s: not a target; write HOST, HOST:PORT or [ADDRESS]:PORT",
			(int)(text.n < 80 ? text.n : 80), text.p);
	*ret_host = xmemdup(host.p, host.n);
	*ret_port = (int)port;
	return 0;
}
