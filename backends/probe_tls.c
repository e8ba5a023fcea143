/* SPDX-License-Identifier: MIT */
/*
 * probe_tls - libcurl's part of a probe: the name, the connection, and TLS over a connection that is there already.
 *
 * libcurl checks a chain only where a bad one ends the connection, and tells of the certificate only where it does not: so
 * whoever is not trusted is asked a second time, without the check. Nothing secret is ever sent.
 */
#include "backends/probe_private.h"

#include "store/base/mem.h"
#include "store/base/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define US_PER_MS 1000

static void set_common(struct talk *t, CURL *e, char *error)
{
	const struct probe_set *s = t->set;

	curl_easy_setopt(e, CURLOPT_PRIVATE, t);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, error);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)s->timeout_ms);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* A resolver that hangs must not hold whoever ends the probe. */
	curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);
#endif
}

static void set_url(const struct talk *t, CURL *e, const char *scheme, const char *host)
{
	bool v6 = str_find_char(str_of(host), ':') < strlen(host);
	char *url =
		xasprintf("%s://%s%s%s:%d/", scheme, v6 ? "[" : "", host, v6 ? "]" : "", t->port);

	curl_easy_setopt(e, CURLOPT_URL, url);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, scheme);
	free(url);
}

int probe_connect(struct talk *t)
{
	CURL *e = curl_easy_init();

	if (!e)
		return MT_ENOMEM;
	t->plain = e;
	set_common(t, e, t->plain_error);
	set_url(t, e, "http", t->host);
	if (t->from) {
		char *host = xasprintf("host!%s", t->from);

		curl_easy_setopt(e, CURLOPT_INTERFACE, host);
		free(host);
	}
	return curl_multi_add_handle(t->set->multi.handle, e) == CURLM_OK ? 0 : MT_ENOMEM;
}

/* --- TLS --- */

static curl_socket_t give_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct talk *t = ctx;
	int fd = t->tls_fd;

	(void)purpose;
	(void)address;
	t->tls_fd = -1;
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static int already_connected(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
	(void)ctx;
	(void)fd;
	(void)purpose;
	return CURL_SOCKOPT_ALREADY_CONNECTED;
}

static void keep_word(char *out, size_t max, struct str word)
{
	word = str_trim(word);
	snprintf(out, max, "%.*s", (int)(word.n < max ? word.n : max - 1), word.p);
}

/* on_debug - "SSL connection using TLSv1.3 / TLS_AES_256_GCM_SHA384 [/ ...]": libcurl tells these nowhere else. */
static int on_debug(CURL *easy, curl_infotype type, char *bytes, size_t n, void *ctx)
{
	static const struct str mark = STR_INIT("SSL connection using ");
	struct talk *t = ctx;
	struct str line = {bytes, n}, rest;
	size_t slash;

	(void)easy;
	if (type != CURLINFO_TEXT || !str_starts(line, mark))
		return 0;
	rest = str_skip(line, mark.n);
	slash = str_find_char(rest, '/');
	keep_word(t->version, sizeof(t->version), str_first(rest, slash));
	rest = str_skip(rest, slash + 1);
	keep_word(t->cipher, sizeof(t->cipher), str_first(rest, str_find_char(rest, '/')));
	return 0;
}

static const char *tls_name(struct talk *t)
{
	struct str greeted = t->result.greeting_name;

	if (!t->name && t->role == PROBE_OWN && str_present(greeted) &&
		str_find_char(greeted, ':') == greeted.n)
		t->name = xmemdup(greeted.p, greeted.n);
	return t->name ? t->name : t->host;
}

static void set_tls(struct talk *t, CURL *e)
{
	const char *name = tls_name(t);
	bool literal = str_find_char(str_of(name), ':') < strlen(name);
	char *at = xasprintf("%s:%d:%s", name, t->port, t->address);

	set_common(t, e, t->tls_error);
	set_url(t, e, "https", name);
	t->resolve = literal ? NULL : curl_slist_append(NULL, at); /* no second look-up */
	free(at);
	curl_easy_setopt(e, CURLOPT_RESOLVE, t->resolve);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, give_socket);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, t);
	curl_easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, already_connected);
	curl_easy_setopt(e, CURLOPT_SSL_ENABLE_ALPN, 0L);
	curl_easy_setopt(e, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_0);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, t->lenient ? 0L : 1L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_easy_setopt(e, CURLOPT_CERTINFO, 1L);
	curl_easy_setopt(e, CURLOPT_VERBOSE, 1L);
	curl_easy_setopt(e, CURLOPT_DEBUGFUNCTION, on_debug);
	curl_easy_setopt(e, CURLOPT_DEBUGDATA, t);
	if (t->set->ca_file)
		curl_easy_setopt(e, CURLOPT_CAINFO, t->set->ca_file);
}

int probe_tls(struct talk *t)
{
	CURL *e = curl_easy_init();

	if (!e)
		return MT_ENOMEM;
	t->tls = e;
	t->tls_fd = fcntl(t->fd, F_DUPFD_CLOEXEC, 0);
	if (t->tls_fd < 0)
		return MT_EIO;
	set_tls(t, e);
	return curl_multi_add_handle(t->set->multi.handle, e) == CURLM_OK ? 0 : MT_ENOMEM;
}

/* pem_of - the PEM of a certificate among its "name:value" lines. */
static struct str pem_of(const struct curl_slist *line)
{
	static const struct str mark = STR_INIT("Cert:");

	for (; line; line = line->next)
		if (str_starts(str_of(line->data), mark))
			return str_skip(str_of(line->data), mark.n);
	return (struct str){NULL, 0};
}

static void take_certificate(struct talk *t)
{
	struct probe_result *r = &t->result;
	struct curl_certinfo *info = NULL;
	struct str pem;

	r->flags |= t->lenient ? PROBE_F_UNTRUSTED : 0;
	if (curl_easy_getinfo(t->tls, CURLINFO_CERTINFO, &info) != CURLE_OK || !info ||
		info->num_of_certs <= 0)
		return;
	r->chain = info->num_of_certs;
	pem = pem_of(info->certinfo[0]);
	if (!str_present(pem) || probe_cert_read(&t->cert, pem, str_of(tls_name(t)), NULL) < 0) {
		(void)buf_add_z(&t->detail, "the certificate can't be read");
		return;
	}
	r->flags |= PROBE_F_CERT;
	r->flags |= t->cert.self_issued ? PROBE_F_SELF_SIGNED : 0;
	r->flags |= t->cert.names_host ? PROBE_F_NAME : 0;
	r->subject = t->cert.subject;
	r->issuer = t->cert.issuer;
	r->nnames = (int64_t)t->cert.nnames;
	r->not_before_ms = t->cert.not_before_ms;
	r->not_after_ms = t->cert.not_after_ms;
}

/* --- what libcurl says --- */

static int64_t time_us(CURL *e, CURLINFO info)
{
	curl_off_t us = 0;

	return curl_easy_getinfo(e, info, &us) == CURLE_OK ? (int64_t)us : 0;
}

static void connect_failed(struct talk *t, CURLcode code)
{
	long number = 0;
	bool named = time_us(t->plain, CURLINFO_NAMELOOKUP_TIME_T) > 0;
	const char *text = t->plain_error[0] ? t->plain_error : curl_easy_strerror(code);

	curl_easy_getinfo(t->plain, CURLINFO_OS_ERRNO, &number);
	if (code == CURLE_COULDNT_RESOLVE_HOST)
		talk_end(t, PROBE_NO_NAME, "%.150s", text);
	else if (code == CURLE_OPERATION_TIMEDOUT && !named)
		talk_end(t, PROBE_NO_NAME, "DNS did not answer in time");
	else if (code == CURLE_OPERATION_TIMEDOUT || number == ETIMEDOUT)
		talk_end(t, PROBE_TIMEOUT, "no answer to connecting in %lld s",
			(long long)(t->set->timeout_ms / 1000));
	else if (number == ECONNREFUSED)
		talk_end(t, PROBE_REFUSED, "connection refused");
	else if (number == EHOSTUNREACH || number == ENETUNREACH || number == EACCES ||
		 number == EPERM)
		talk_end(t, PROBE_REJECTED, "%s", strerror((int)number));
	else if (code == CURLE_COULDNT_CONNECT && number)
		talk_end(t, PROBE_REJECTED, "%s", strerror((int)number));
	else
		talk_end(t, PROBE_HERE, "%.150s", text);
}

static void connect_done(struct talk *t)
{
	struct probe_result *r = &t->result;
	curl_socket_t fd = CURL_SOCKET_BAD;
	const char *address = NULL;

	r->took_us[PROBE_STEP_RESOLVE] = time_us(t->plain, CURLINFO_NAMELOOKUP_TIME_T);
	r->took_us[PROBE_STEP_CONNECT] =
		time_us(t->plain, CURLINFO_CONNECT_TIME_T) - r->took_us[PROBE_STEP_RESOLVE];
	curl_easy_getinfo(t->plain, CURLINFO_ACTIVESOCKET, &fd);
	if (curl_easy_getinfo(t->plain, CURLINFO_PRIMARY_IP, &address) == CURLE_OK && address)
		snprintf(t->address, sizeof(t->address), "%s", address);
	r->address = str_of(t->address);
	t->fd = fd == CURL_SOCKET_BAD ? -1 : fd;
	if (t->fd < 0)
		talk_end(t, PROBE_HERE, "libcurl has no connection");
	else
		talk_connected(t);
}

/* tls_failed - a chain that leads nowhere is asked for again, everything else is the end. */
static void tls_failed(struct talk *t, CURLcode code)
{
	bool untrusted = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE;

	if (untrusted && !t->lenient)
		talk_again(t, t->tls_error[0] ? t->tls_error : curl_easy_strerror(code));
	else if (code == CURLE_OPERATION_TIMEDOUT)
		talk_end(t, PROBE_SILENT, "the TLS handshake did not end in %lld s",
			(long long)(t->set->timeout_ms / 1000));
	else
		talk_end(t, PROBE_TLS_FAILED, "%.150s",
			t->tls_error[0] ? t->tls_error : curl_easy_strerror(code));
}

void probe_curl_done(struct talk *t, CURL *easy, CURLcode code)
{
	if (t->state == TALK_ENDED)
		return;
	if (easy == t->plain) {
		if (code == CURLE_OK)
			connect_done(t);
		else
			connect_failed(t, code);
		return;
	}
	if (code == CURLE_OK) {
		take_certificate(t);
		t->secure = true;
		talk_secured(t);
	} else {
		tls_failed(t, code);
	}
}

static void free_easy(struct talk *t, CURL **easy)
{
	if (*easy) {
		curl_multi_remove_handle(t->set->multi.handle, *easy);
		curl_easy_cleanup(*easy);
	}
	*easy = NULL;
}

void probe_curl_free(struct talk *t)
{
	free_easy(t, &t->tls);
	free_easy(t, &t->plain);
	curl_slist_free_all(t->resolve);
	t->resolve = NULL;
	if (t->tls_fd >= 0)
		close(t->tls_fd);
	t->tls_fd = t->fd = -1;
}

static ssize_t plain_result(ssize_t n, const char **ret_why)
{
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n > 0)
		return n;
	*ret_why = n == 0 ? "closed by the server" : strerror(errno);
	return -1;
}

static ssize_t secure_result(CURLcode code, size_t n, const char **ret_why)
{
	if (code == CURLE_AGAIN)
		return 0;
	if (code == CURLE_OK && n > 0)
		return (ssize_t)n;
	*ret_why = code == CURLE_OK ? "closed by the server" : curl_easy_strerror(code);
	return -1;
}

ssize_t probe_send(struct talk *t, const char *bytes, size_t n, const char **ret_why)
{
	size_t done = 0;
	CURLcode code;

	if (!t->secure)
		return plain_result(send(t->fd, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT), ret_why);
	code = curl_easy_send(t->tls, bytes, n, &done);
	return secure_result(code, done, ret_why);
}

ssize_t probe_recv(struct talk *t, char *bytes, size_t n, const char **ret_why)
{
	size_t had = 0;
	CURLcode code;

	if (!t->secure)
		return plain_result(recv(t->fd, bytes, n, MSG_DONTWAIT), ret_why);
	code = curl_easy_recv(t->tls, bytes, n, &had);
	return secure_result(code, had, ret_why);
}
