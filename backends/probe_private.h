/* SPDX-License-Identifier: MIT */
/* probe_private - one probe under way, shared by probe.c (many), probe_talk.c (the dialogue) and probe_tls.c (libcurl). */
#ifndef MT_BACKENDS_PROBE_PRIVATE_H
#define MT_BACKENDS_PROBE_PRIVATE_H

#include "backends/multi.h"
#include "backends/probe.h"
#include "backends/probe_cert.h"
#include "backends/probe_reply.h"

#define PROBE_ADDRESS_MAX_BYTES 64
#define PROBE_TLS_WORDS_MAX_BYTES 64

enum talk_state {
	TALK_CONNECT,
	TALK_GREETING,
	TALK_EHLO,
	TALK_HELO,
	TALK_STARTTLS,
	TALK_TLS,
	TALK_EHLO_TLS,
	TALK_MAIL,
	TALK_RCPT,
	TALK_RSET,
	TALK_QUIT,
	TALK_ENDED
};

struct talk {
	struct probe_set *set;
	struct talk *next;
	char *host, *name, *from; /* owned; name, from: NULL */
	int port;
	enum probe_role role;
	bool implicit, relay_check, started;
	bool secure; /* bytes go through tls */
	bool lenient; /* the second time: the chain was found to lead nowhere */
	enum talk_state state;
	CURL *plain, *tls; /* owned; plain made the connection, tls a handshake over a copy of it */
	struct curl_slist *resolve; /* owned; the address for tls */
	int fd; /* of the connection; libcurl's; -1 none */
	int tls_fd; /* ours until libcurl has it; -1 */
	int64_t begun_us, step_us, deadline_ms, end_ms; /* mono */
	struct probe_reply reply;
	struct buf out, transcript, greeting, detail;
	size_t had_bytes;
	char address[PROBE_ADDRESS_MAX_BYTES];
	char version[PROBE_TLS_WORDS_MAX_BYTES], cipher[PROBE_TLS_WORDS_MAX_BYTES];
	char plain_error[CURL_ERROR_SIZE], tls_error[CURL_ERROR_SIZE];
	struct probe_cert cert;
	struct probe_result result;
};

struct probe_set {
	struct multi multi;
	const struct clock *clock;
	char *helo, *ca_file, *relay_to; /* owned; ca_file: NULL */
	int64_t timeout_ms;
	void (*done)(void *ctx, const struct probe_result *result);
	void *ctx;
	struct talk *all; /* in order of their coming */
	size_t left, running;
};

/* probe_now_us - monotonic, finer than the clock's milliseconds: steps on loopback take microseconds. */
int64_t probe_now_us(void);

/* talk_start - from the connection on. */
void talk_start(struct talk *t);
/* talk_begin - a step begins: its time runs from now. talk_took - it ended well. */
void talk_begin(struct talk *t, enum talk_state state, enum probe_step step);
void talk_took(struct talk *t, enum probe_step step);
/* talk_end - the probe is over; detail: one sentence or NULL. */
void talk_end(struct talk *t, enum probe_outcome outcome, const char *fmt, ...) MT_PRINTF(3, 4);
/* talk_again - the same anew, without checking the chain; why: what was wrong with it. */
void talk_again(struct talk *t, const char *why);
/* talk_connected, talk_secured - libcurl has done its part. talk_work - whatever can be sent or read now. */
void talk_connected(struct talk *t);
void talk_secured(struct talk *t);
void talk_work(struct talk *t);
bool talk_wants_write(const struct talk *t);

/* probe_connect - let libcurl find the address and connect. probe_tls - a handshake over the connection. */
int probe_connect(struct talk *t);
int probe_tls(struct talk *t);
/* probe_curl_done - a transfer of libcurl ended. probe_curl_free - give everything back. */
void probe_curl_done(struct talk *t, CURL *easy, CURLcode code);
void probe_curl_free(struct talk *t);
/* probe_send, probe_recv - bytes sent or had; 0: nothing now; -1: closed or broken, detail in *ret_why. */
ssize_t probe_send(struct talk *t, const char *bytes, size_t n, const char **ret_why);
ssize_t probe_recv(struct talk *t, char *bytes, size_t n, const char **ret_why);

#endif
