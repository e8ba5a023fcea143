/* SPDX-License-Identifier: MIT */
/*
 * export_serve - where the figures go: standard output, a file that appears whole, HTTP on loopback.
 *
 * The server answers one request a connection, one connection after the other: who is slow is cut off after
 * REQUEST_MAX_MS. It speaks as much HTTP/1.1 as a scrape needs, and to loopback addresses alone.
 */
#include "store/base/log.h"
#include "store/base/scan.h"
#include "tui/export.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUT_MAX_BYTES (16u << 20)
#define FILE_MODE 0644 /* the textfile collector runs as another user */
#define REQUEST_MAX_BYTES 8192
#define REQUEST_MAX_MS 2000
#define LISTEN_BACKLOG 16
#define PATH_MAX_BYTES 4096

static int write_all(int fd, const struct buf *out)
{
	for (size_t at = 0; at < out->n;) {
		ssize_t n = write(fd, out->p + at, out->n - at);

		if (n < 0 && errno != EINTR)
			return -1;
		at += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* write_file - beside its place first, then renamed over it: a reader sees the old figures or the new, never half. */
static int write_file(const char *path, const struct buf *out, struct mt_error *reterr)
{
	char temporary[PATH_MAX_BYTES];
	int n = snprintf(temporary, sizeof(temporary), "%s.%d.tmp", path, (int)getpid());
	int rc = 0;
	int fd;

	if (n < 0 || (size_t)n >= sizeof(temporary))
		return mt_error_set(reterr, MT_ECONFIG, "--output: the path is too long");
	unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return mt_error_sys(reterr, errno, "can't write %s", temporary);
	if (write_all(fd, out) < 0 || fchmod(fd, FILE_MODE) < 0 || fsync(fd) < 0)
		rc = mt_error_sys(reterr, errno, "can't write %s", temporary);
	if (close(fd) < 0 && rc == 0)
		rc = mt_error_sys(reterr, errno, "can't write %s", temporary);
	if (rc == 0 && rename(temporary, path) < 0)
		rc = mt_error_sys(reterr, errno, "can't rename to %s", path);
	if (rc < 0)
		unlink(temporary);
	return rc;
}

int export_once(const struct export_options *o, struct mt_error *reterr)
{
	struct buf out;
	int rc;

	buf_init(&out, OUT_MAX_BYTES);
	rc = export_text(o->cache_path, clock_utc_ms(o->clock), &out, reterr);
	if (rc == 0 && o->output)
		rc = write_file(o->output, &out, reterr);
	else if (rc == 0 && fwrite(out.p, 1, out.n, stdout) != out.n)
		rc = mt_error_sys(reterr, errno, "can't write to standard output");
	buf_done(&out);
	return rc;
}

int export_loop(const struct export_options *o, const volatile int *stop, struct mt_error *reterr)
{
	struct log_repeat fault = {0};

	while (!*stop) {
		int rc = export_once(o, reterr);

		if (rc < 0)
			log_repeated(&fault, "%s", reterr->text);
		else
			log_recovered(&fault, "%s is written again", o->output);
		if (poll(NULL, 0, (int)o->interval_ms) < 0 && errno != EINTR)
			return mt_error_sys(reterr, errno, "poll");
	}
	return 0;
}

/* address - [ADDRESS:]PORT, ADDRESS 127.x.y.z or [::1]. */
static int address(const char *where, struct sockaddr_storage *out, socklen_t *ret_n)
{
	struct sockaddr_in *in = (void *)out;
	struct sockaddr_in6 *in6 = (void *)out;
	const char *colon = strrchr(where, ':');
	const char *digits = colon ? colon + 1 : where;
	size_t n = colon ? (size_t)(colon - where) : 0;
	char host[64] = "127.0.0.1";
	uint64_t port;

	memset(out, 0, sizeof(*out));
	if (!scan_all_u64(str_of(digits), UINT16_MAX, &port) || n >= sizeof(host))
		return MT_EINVAL;
	if (colon) {
		memcpy(host, where, n);
		host[n] = '\0';
	}
	if (strcmp(host, "[::1]") == 0) {
		in6->sin6_family = AF_INET6;
		in6->sin6_addr = in6addr_loopback;
		in6->sin6_port = htons((uint16_t)port);
		*ret_n = sizeof(*in6);
		return 0;
	}
	in->sin_family = AF_INET;
	in->sin_port = htons((uint16_t)port);
	*ret_n = sizeof(*in);
	return inet_pton(AF_INET, host, &in->sin_addr) == 1 &&
			       ntohl(in->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET
		       ? 0
		       : MT_EINVAL;
}

int export_listen(const char *where, int *ret_fd, struct mt_error *reterr)
{
	struct sockaddr_storage a;
	socklen_t n;
	int fd, on = 1;

	if (address(where, &a, &n) < 0)
		return mt_error_set(reterr, MT_ECONFIG,
			"--listen takes a port, or an address of loopback with one: 127.0.0.1:9154 "
			"or [::1]:9154");
	fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return mt_error_sys(reterr, errno, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&a, n) < 0 || listen(fd, LISTEN_BACKLOG) < 0) {
		mt_error_sys(reterr, errno, "can't listen on %.64s", where);
		close(fd);
		return (int)(reterr ? reterr->code : MT_EIO);
	}
	*ret_fd = fd;
	return 0;
}

/* read_request - up to the empty line; false: too long, too slow, gone. */
static bool read_request(int fd, const struct clock *clock, char *out, size_t size)
{
	int64_t until_ms = clock_mono_ms(clock) + REQUEST_MAX_MS;
	size_t n = 0;

	while (n + 1 < size) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left_ms = until_ms - clock_mono_ms(clock);
		ssize_t got;

		if (left_ms <= 0 || poll(&p, 1, (int)left_ms) <= 0)
			return false;
		got = recv(fd, out + n, size - 1 - n, 0);
		if (got <= 0)
			return false;
		n += (size_t)got;
		out[n] = '\0';
		if (strstr(out, "\r\n\r\n") || strstr(out, "\n\n"))
			return true;
	}
	return false;
}

static void send_all(int fd, const struct buf *b)
{
	struct timeval limit = {.tv_sec = REQUEST_MAX_MS / 1000};

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	for (size_t at = 0; at < b->n;) {
		ssize_t n = send(fd, b->p + at, b->n - at, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		at += (size_t)n;
	}
}

static void answer(int fd, const char *status, const char *type, const struct buf *body)
{
	struct buf out;

	buf_init(&out, OUT_MAX_BYTES * 2);
	buf_printf(&out,
		"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: "
		"close\r\n\r\n",
		status, type, body->n);
	buf_add(&out, body->p, body->n);
	send_all(fd, &out);
	buf_done(&out);
}

static bool asks_for(const char *request, const char *path)
{
	size_t n = strlen(path);

	return strncmp(request, "GET ", 4) == 0 && strncmp(request + 4, path, n) == 0 &&
	       (request[4 + n] == ' ' || request[4 + n] == '?');
}

static void serve_one(const struct export_options *o, int fd)
{
	char request[REQUEST_MAX_BYTES];
	struct mt_error error = {0};
	struct buf body;

	buf_init(&body, OUT_MAX_BYTES);
	if (!read_request(fd, o->clock, request, sizeof(request))) {
		buf_done(&body);
		return;
	}
	if (!asks_for(request, "/metrics")) {
		buf_add_z(&body, "the figures are at /metrics\n");
		answer(fd, "404 Not Found", "text/plain", &body);
	} else if (export_text(o->cache_path, clock_utc_ms(o->clock), &body, &error) < 0) {
		log_write(LOG_LEVEL_WARNING, "%s", error.text);
		buf_clear(&body);
		buf_add_z(&body, "the cache can't be read\n");
		answer(fd, "503 Service Unavailable", "text/plain", &body);
	} else {
		answer(fd, "200 OK", "text/plain; version=0.0.4; charset=utf-8", &body);
	}
	buf_done(&body);
}

int export_serve(
	const struct export_options *o, int fd, const volatile int *stop, struct mt_error *reterr)
{
	int rc = 0;

	while (rc == 0 && !*stop) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int n = poll(&p, 1, -1);
		int peer;

		if (n < 0 && errno != EINTR)
			rc = mt_error_sys(reterr, errno, "poll");
		if (n <= 0)
			continue;
		peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		if (peer < 0)
			continue;
		serve_one(o, peer);
		close(peer);
	}
	close(fd);
	return rc;
}
