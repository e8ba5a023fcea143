/* SPDX-License-Identifier: MIT */
/* http_base - see http_base.h. */
#include "backends/http_base.h"

#include "store/base/mem.h"
#include "store/base/scan.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#define QUOTED_MAX_BYTES 100
#define LOOKED_AT_MAX_BYTES 8192

static bool is_loopback(struct str host)
{
	struct in_addr v4;
	char text[64];

	if (host.n >= sizeof(text))
		return false;
	memcpy(text, host.p, host.n);
	text[host.n] = '\0';
	if (inet_pton(AF_INET, text, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	return str_eq(host, STR_LIT("[::1]")) || str_ieq(host, STR_LIT("localhost"));
}

static bool is_host_char(char c)
{
	return scan_is_alnum(c) || c == '.' || c == '-';
}

/* is_v6 - an IPv6 address between brackets (RFC 3986 3.2.2). */
static bool is_v6(struct str host)
{
	struct in6_addr v6;
	char text[INET6_ADDRSTRLEN];

	if (host.n < 2 || host.n - 2 >= sizeof(text) || host.p[host.n - 1] != ']')
		return false;
	memcpy(text, host.p + 1, host.n - 2);
	text[host.n - 2] = '\0';
	return inet_pton(AF_INET6, text, &v6) == 1;
}

/* split - "host", "host:443", "[::1]:8080". */
static bool split(struct str authority, struct str *ret_host)
{
	struct str rest = authority;
	uint64_t port;

	if (rest.n && rest.p[0] == '[') {
		size_t end = str_find_char(rest, ']');

		if (end == rest.n || !is_v6(str_first(rest, end + 1)))
			return false;
		*ret_host = str_first(rest, end + 1);
		rest = str_skip(rest, end + 1);
	} else {
		*ret_host = scan_while(&rest, is_host_char);
	}
	if (ret_host->n == 0)
		return false;
	return rest.n == 0 || (rest.p[0] == ':' && scan_all_u64(str_skip(rest, 1), 65535, &port));
}

int http_base_parse(const char *url, struct http_base *ret, struct mt_error *reterr)
{
	struct str rest = str_of(url ? url : ""), authority, path, host;
	struct buf clean;
	int rc = 0;

	*ret = (struct http_base){.tls = true};
	if (!scan_lit(&rest, STR_LIT("https://"))) {
		if (!scan_lit(&rest, STR_LIT("http://")))
			return mt_error_set(
				reterr, MT_ECONFIG, "base_url must begin with https://");
		ret->tls = false;
	}
	authority = str_first(rest, str_find_char(rest, '/'));
	path = str_skip(rest, authority.n);
	while (path.n && path.p[path.n - 1] == '/')
		path.n--;
	if (!split(authority, &host))
		return mt_error_set(reterr, MT_ECONFIG,
			"base_url must be https://HOST[:PORT][/PATH], without user and password");
	if (!ret->tls && !is_loopback(host))
		return mt_error_set(reterr, MT_ECONFIG,
			"base_url must begin with https://: a key is never sent in plain");
	buf_init(&clean, HTTP_PATH_MAX_BYTES);
	if (path.n)
		rc = http_reroot(path, STR_LIT("/"), &clean, reterr);
	buf_done(&clean);
	if (rc < 0 || str_find_char(path, '?') < path.n)
		return mt_error_set(reterr, MT_ECONFIG, "base_url: its path is not a plain one");
	ret->origin = xasprintf("%s%.*s", ret->tls ? "https://" : "http://", STR_ARG(authority));
	ret->path = xmemdup(path.n ? path.p : "", path.n);
	ret->host = xmemdup(authority.p, authority.n);
	return 0;
}

void http_base_done(struct http_base *b)
{
	free(b->origin);
	free(b->path);
	free(b->host);
	*b = (struct http_base){NULL, NULL, NULL, false};
}

/* quoted - the text of the first member of that name, read without a JSON parser: error bodies may be broken. */
static struct str quoted(struct str body, struct str name)
{
	size_t at = str_find(body, name);
	struct str rest = str_skip(body, at + name.n);
	size_t end = 0;

	if (at == body.n)
		return (struct str){NULL, 0};
	rest = str_trim(rest);
	if (!scan_lit(&rest, STR_LIT(":")))
		return (struct str){NULL, 0};
	rest = str_trim(rest);
	if (!scan_lit(&rest, STR_LIT("\"")))
		return (struct str){NULL, 0};
	while (end < rest.n && rest.p[end] != '"')
		end += rest.p[end] == '\\' && end + 1 < rest.n ? 2 : 1;
	return str_first(rest, end);
}

static struct str words(const struct http_reply *r)
{
	static const struct str names[] = {STR_INIT("\"message\""), STR_INIT("\"Message\""),
		STR_INIT("\"Reason\""), STR_INIT("\"error\""), STR_INIT("\"detail\"")};
	struct str body = str_trim(str_first(r->body, LOOKED_AT_MAX_BYTES));

	if (body.n == 0 || body.p[0] == '<')
		return (struct str){NULL, 0};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct str found = quoted(body, names[i]);

		if (found.n)
			return str_first(found, QUOTED_MAX_BYTES);
	}
	if (body.p[0] == '{' || body.p[0] == '[')
		return (struct str){NULL, 0};
	body = str_first(body, str_find_char(body, '\n'));
	return str_first(body, QUOTED_MAX_BYTES);
}

void http_base_refused(struct http_reply *r, const char *shown)
{
	struct str said = words(r);

	if (r->rc == MT_EPROTO)
		mt_error_set(&r->error, MT_EPROTO, "%s: answers %d, a redirect is not followed",
			shown, r->status);
	else if (said.n)
		mt_error_set(&r->error, (enum mt_err)r->rc, "%s: %d: %.*s", shown, r->status,
			STR_ARG(said));
	else
		mt_error_set(&r->error, (enum mt_err)r->rc, "%s: answers %d", shown, r->status);
}

/* base64 - RFC 4648; out gets (n + 2) / 3 * 4 bytes and a NUL. */
static void base64(const char *in, size_t n, char *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		uint32_t group = (uint32_t)(unsigned char)in[i] << 16;

		group |= i + 1 < n ? (uint32_t)(unsigned char)in[i + 1] << 8 : 0;
		group |= i + 2 < n ? (unsigned char)in[i + 2] : 0;
		*out++ = digits[group >> 18];
		*out++ = digits[group >> 12 & 63];
		*out++ = i + 1 < n ? digits[group >> 6 & 63] : '=';
		*out++ = i + 2 < n ? digits[group & 63] : '=';
	}
	*out = '\0';
}

void http_auth_line(char *out, size_t max, const struct http_auth *auth)
{
	char pair[SECRET_MAX_BYTES + 102], coded[(sizeof(pair) + 2) / 3 * 4 + 1];

	if (auth->kind == HTTP_AUTH_BEARER) {
		snprintf(out, max, "Authorization: Bearer %s", secret_z(auth->key));
	} else if (auth->kind == HTTP_AUTH_BASIC) {
		snprintf(pair, sizeof(pair), "%.100s:%s", auth->name, secret_z(auth->key));
		base64(pair, strlen(pair), coded);
		snprintf(out, max, "Authorization: Basic %s", coded);
		explicit_bzero(pair, sizeof(pair));
		explicit_bzero(coded, sizeof(coded));
	} else {
		snprintf(out, max, "%.100s: %s", auth->name, secret_z(auth->key));
	}
}
