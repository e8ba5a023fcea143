/* SPDX-License-Identifier: MIT */
/* store_read_mx - how relay hosts were reached, for screens and reports: connection times, TLS, failures, siblings. */
#ifndef MT_STORE_READ_MX_H
#define MT_STORE_READ_MX_H

#include "store/store_read.h"

/* How a relay host, or the hosts of a recipient domain, were reached: MX_FIGURE_LIST (vocab.h) and of sent records by network
 * relays the connection times and TLS. A connection's time is delay c, name look-up and handshakes in it, rounded up
 * to a step (MX_STEPS); of records for which no connection was made anew it is not told, nor is a host's where another try had
 * failed before, whose time is in it too. */
struct mx_row {
	struct str name;
	int64_t key; /* dict id */
	int64_t sent;
	int64_t connects; /* records with a connection time */
	int64_t p50_cs, p90_cs, p99_cs, max_cs; /* nearest rank; EVENT_UNKNOWN of none */
	int64_t tls[MX_TLS__COUNT];
	int64_t tls_told, tls_used; /* EVENT_UNKNOWN: the log tells nothing of TLS */
	int64_t n[MX_FIGURE__COUNT];
};
/* read_mx - by relay host, or by recipient domain, most records and failures first. Only provider, window, text (of the
 * name) and relay_host or domain narrow it; with another filter there are no rows and *ret_possible is false.
 * *ret_since_ms: the part of the window before it was counted by an mtatop that did not count this; EVENT_UNKNOWN: none. */
int read_mx(struct reader *r, const struct query *q, bool by_domain, struct arena *a,
	struct mx_row **ret, size_t *ret_n, bool *ret_possible, int64_t *ret_since_ms,
	struct mt_error *reterr) MT_MUST_CHECK;
struct fallback_row { /* mail that one host failed to take and another one took */
	struct str failed, took;
	int64_t n; /* sent records */
};
/* read_fallbacks - most first; with q->relay_host only those it is part of. */
int read_fallbacks(struct reader *r, const struct query *q, struct arena *a,
	struct fallback_row **ret, size_t *ret_n, struct mt_error *reterr) MT_MUST_CHECK;
struct sibling_row { /* a relay host that had mail of destinations in common with q->relay_host */
	struct str host;
	int64_t key, ndomains;
};
/* read_siblings - by the newest attempts of the window (SIBLING_ROWS_MAX) and its fallbacks, most common destinations first;
 * not the host itself. */
#define SIBLING_ROWS_MAX 10000
#define SIBLINGS_MAX 32
int read_siblings(struct reader *r, const struct query *q, struct arena *a,
	struct sibling_row **ret, size_t *ret_n, struct mt_error *reterr) MT_MUST_CHECK;

#endif
