/* SPDX-License-Identifier: MIT */
/*
 * session - open client sessions and the TLS state of delivering processes, by process id.
 *
 * Counters, not flags: two sessions that one log interleaves under the same process and client never
 * count a thing twice.
 */
#ifndef MT_STORE_SESSION_H
#define MT_STORE_SESSION_H

#include "store/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

#define SESSIONS_MAX 16384 /* open at a time; the oldest go when an attack needs more */
#define TLS_OUT_MAX 4096
#define SESSION_IDLE_MS 86400000 /* a day: no smtpd session lasts longer */
#define TLS_OUT_MS                                                                                 \
	1200000 /* a hand-shake belongs to a delivery within 20 minutes: smtp_data_done_timeout alone is 10 */

struct session_key {
	int32_t provider, host, pid, service;
	uint64_t ip_hash;
};

struct session {
	struct session_key key;
	int64_t last_ms;
	int32_t nest; /* connects seen less disconnects; at least 1 */
	int32_t auth_ok; /* already counted for the sessions open under this key */
	int32_t auth_failed;
	int32_t tls;
	int32_t implied; /* made by a line inside a session whose connect was not seen */
	int32_t pad;
};

/* The outbound side: TLS made by a process, waiting for the delivery it was made for. */
struct tls_out {
	struct session_key key; /* ip_hash: of the relay, 0 unknown; service unused */
	int64_t t_ms;
	uint64_t qid_hash; /* the message it was used for; 0 not yet */
	int32_t tls; /* dict id */
	int32_t version; /* enum mx_tls; 0 not known */
};

struct sessions {
	struct session *slot; /* open addressing; nest 0 = free */
	uint32_t cap, n;
	struct tls_out *tls; /* open addressing by provider, host, pid; tls 0 = free */
	uint32_t tls_cap, ntls;
};

void sessions_done(struct sessions *s);
/* session_find - the open session, or NULL. session_get - the same, made when missing. */
struct session *session_find(struct sessions *s, const struct session_key *key);
struct session *session_get(struct sessions *s, const struct session_key *key, int64_t t_ms);
/* session_end - one disconnect: the last one frees it. */
void session_end(struct sessions *s, struct session *gone);
struct tls_out *tls_out_find(struct sessions *s, int32_t provider, int32_t host, int32_t pid);
void tls_out_set(struct sessions *s, const struct tls_out *value);

/* sessions_save / sessions_load - both tables as bytes, in an order that depends on their content alone. */
int sessions_save(const struct sessions *s, int64_t now_ms, struct buf *out);
int sessions_load(struct sessions *s, struct str bytes);

#endif
