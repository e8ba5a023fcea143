/* SPDX-License-Identifier: MIT */
/* multi - see multi.h. */
#include "backends/multi.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* Memory of libcurl holds keys: what it frees is overwritten. */
static void wipe_free(void *p)
{
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

static void *wipe_realloc(void *p, size_t n)
{
	size_t old = p ? malloc_usable_size(p) : 0;
	void *q = malloc(n);

	if (!q)
		return NULL;
	if (p)
		memcpy(q, p, old < n ? old : n);
	wipe_free(p);
	return q;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *unused)
{
	struct multi *m = ctx;
	size_t i = 0;

	(void)easy;
	(void)unused;
	while (i < m->nsockets && m->sockets[i].fd != fd)
		i++;
	if (what == CURL_POLL_REMOVE) {
		if (i < m->nsockets)
			m->sockets[i] = m->sockets[--m->nsockets];
		return 0;
	}
	if (i == MULTI_SOCKETS_MAX)
		return -1;
	m->nsockets += i == m->nsockets;
	m->sockets[i] = (struct pollfd){.fd = fd,
		.events = (short)((what & CURL_POLL_IN ? POLLIN : 0) |
				  (what & CURL_POLL_OUT ? POLLOUT : 0))};
	return 0;
}

static int on_timer(CURLM *handle, long ms, void *ctx)
{
	struct multi *m = ctx;

	(void)handle;
	m->timer_ms = ms < 0 ? -1 : clock_mono_ms(m->clock) + ms;
	return 0;
}

int multi_init(
	struct multi *m, const struct clock *clock, unsigned connections, struct mt_error *reterr)
{
	*m = (struct multi){.clock = clock, .timer_ms = -1};
	/* Counted by libcurl: the first makes it, the last ends it; safe in threads since 7.84. */
	if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wipe_free, wipe_realloc, strdup,
		    calloc) != CURLE_OK ||
		!(m->handle = curl_multi_init()))
		return mt_error_set(reterr, MT_ENOMEM, "libcurl does not start");
	curl_multi_setopt(m->handle, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(m->handle, CURLMOPT_SOCKETDATA, m);
	curl_multi_setopt(m->handle, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(m->handle, CURLMOPT_TIMERDATA, m);
	curl_multi_setopt(m->handle, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)connections);
	curl_multi_setopt(m->handle, CURLMOPT_MAXCONNECTS, (long)connections);
	return 0;
}

void multi_done(struct multi *m)
{
	curl_multi_cleanup(m->handle);
	curl_global_cleanup();
	m->handle = NULL;
}

void multi_step(struct multi *m)
{
	struct pollfd ready[MULTI_SOCKETS_MAX];
	size_t n = m->nsockets;
	int running;

	memcpy(ready, m->sockets, n * sizeof(ready[0]));
	if (n && poll(ready, n, 0) > 0)
		for (size_t i = 0; i < n; i++)
			if (ready[i].revents)
				curl_multi_socket_action(m->handle, ready[i].fd,
					(ready[i].revents & POLLIN ? CURL_CSELECT_IN : 0) |
						(ready[i].revents & POLLOUT ? CURL_CSELECT_OUT
									    : 0) |
						(ready[i].revents & (POLLERR | POLLHUP)
								? CURL_CSELECT_ERR
								: 0),
					&running);
	if (m->timer_ms >= 0 && m->timer_ms <= clock_mono_ms(m->clock)) {
		m->timer_ms = -1;
		curl_multi_socket_action(m->handle, CURL_SOCKET_TIMEOUT, 0, &running);
	}
}

size_t multi_fds(const struct multi *m, struct pollfd *out, size_t max)
{
	size_t n = m->nsockets < max ? m->nsockets : max;

	memcpy(out, m->sockets, n * sizeof(out[0]));
	return n;
}

int64_t multi_wait_ms(const struct multi *m)
{
	int64_t ms;

	if (m->timer_ms < 0)
		return -1;
	ms = m->timer_ms - clock_mono_ms(m->clock);
	return ms < 0 ? 0 : ms;
}
