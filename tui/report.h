/* SPDX-License-Identifier: MIT */
/*
 * report - all figures of the cache for machines and mail: text, JSON, CSV. The JSON is a contract: members
 * are only added, REPORT_SCHEMA is raised when the meaning of one changes, unknown is null and never 0.
 *
 * report-doc:
 * schema  version of this contract, an integer
 * generated  when the report was made
 * window{}  since, until: what the figures are of: the window asked for, or all the cache holds, with its edges moved
 *   out to whole units of resolution_s (60; 3600 where the minutes are pruned; 900, 3600 or 86400 where vendors count by
 *   slots of that length, then told by slot_s, and days begin at the account's midnight); differences: the figures are
 *   those between polls of a vendor's counters; left_out: providers that are in no figure, their slots being too long
 * providers[]  name, kind, health, age_s, finest_bucket_s, time_zone, demo
 * totals{}  messages, recipients, sent, deferred_attempts, bounced, expired, rejected (4xx and 5xx),
 *   rejected_temporary (the 4xx of them), warnings, unparsed_lines; and handed_over, expired_recipients,
 *   notifications, first_try, held, discarded, reject_warnings, lines, foreign_lines, oversize_lines; and what vendors
 *   alone count: requests, processed, suppressed, blocked, hard_bounces, soft_bounces, complaints, unsubscribes, opens,
 *   unique_opens, clicks, unique_clicks. A figure not every provider looked at has is null
 * by_code[]  dsn (or code, for a basic code alone; null without one), status (sent, deferred, bounced, rejected), n
 * by_domain[]  domain (of the recipient), sent, deferred, bounced
 * by_port[]  port (null where several share the service's name), direction (in, out), service, connections, accepted,
 *   rejected, auth_ok, auth_failed, tls, deferred, provider; out: accepted = sent, rejected = bounced. Deliveries
 *   without a port (local, pipe, none) are not in it
 * queue{}  maildrop, incoming, active, deferred, hold, corrupt, oldest_s, source (spool, postqueue, log, listing), age_s of these
 * delays{}  a, b, c, d, total: p50, p90, p99 in seconds, of sent records
 * by_mx_host[]  how relay hosts were reached: host, sent (records by network relays), connects (of them, those a
 *   connection was made for), connect_p50, connect_p90, connect_p99, connect_max (seconds, delay c rounded up to a step),
 *   tls_told (sent records of which the log tells it), tls, tls_1_3, tls_1_2, tls_older, refused, timed_out, no_route,
 *   lost, tls_failed, dns_failed, stepped_in (sent after another host had failed)
 * by_mx_domain[]  domain, and the same of the hosts of each recipient domain
 * fallbacks[]  failed, took: hosts; n: records the second sent after the first had failed
 * mx_since  what came before was counted by an mtatop that did not count these three; null: nothing of the window
 * failures[]  the latest: time, queue_id, recipient, status, dsn, relay, reply
 * by_mailbox_provider[]  name, sent, deferred, bounced, as vendors tell it
 * suppressions{}  addresses on vendors' lists: bounces, complaints, unsubscribes, allowed, blocks, invalid; age_s since
 *   all were read whole
 * sending_ips[]  provider, ip, rdns, pools, dedicated, warming, stage, stages, day, limit (messages in limit_per_s
 *   seconds; 0: in the stage), percent (of the stage sent), started
 * sending_domains[]  provider, domain, state, disabled (why), dns_valid, dns_invalid, dns_unknown, queue_disabled,
 *   queue_until, queue_reason
 * account[]  provider, name, value (the vendor's words), age_s
 * requests[]  provider, endpoint, health, used, limit, remaining, window_s, reset, next, sent, missing (permission)
 * :report-doc
 */
#ifndef MT_TUI_REPORT_H
#define MT_TUI_REPORT_H

#include "store/base/buf.h"
#include "store/base/clock.h"
#include "store/store_read.h"

#include <stdio.h>

#define REPORT_SCHEMA 1
#define REPORT_UNSET INT64_MIN

enum report_format { REPORT_TEXT, REPORT_JSON, REPORT_CSV };

struct report_options {
	const char *cache_path;
	enum report_format format;
	const char *provider; /* name; NULL = all */
	int64_t since_ms, until_ms; /* REPORT_UNSET: what the cache holds */
	const struct clock *clock;
	FILE *out;
	bool demo;
};

/* All that a report shows, read in one snapshot. Lives in arena. */
struct report {
	struct arena arena;
	struct query query;
	int64_t now_ms;
	bool demo;
	struct totals totals;
	struct provider_row *providers;
	struct code_row *codes;
	struct domain_row *domains;
	struct port_row *ports;
	struct attempt_row *failures;
	size_t nproviders, ncodes, ndomains, nports, nfailures;
	struct queue_figures queue;
	struct delay_figures delays[DELAY__COUNT];
	struct mx_row *mx, *mx_domains;
	struct fallback_row *fallbacks;
	size_t nmx, nmx_domains, nfallbacks;
	int64_t mx_since_ms; /* EVENT_UNKNOWN: all of the window has them */
	/* of accounts at vendors */
	struct suppression_counts suppressions;
	struct domain_row *mailboxes;
	struct sending_ip_row *ips;
	struct sending_domain_row *sending_domains;
	struct account_row *account;
	struct budget_row *budgets;
	size_t nmailboxes, nips, nsending_domains, naccount, nbudgets;
};

/* report_run - read and print. MT_ENOENT: no cache there, or no provider of that name. */
int report_run(const struct report_options *o, struct mt_error *reterr) MT_MUST_CHECK;

/* report_json, report_text, report_csv - append one form of it. */
int report_json(const struct report *r, struct buf *out);
int report_text(const struct report *r, struct buf *out);
int report_csv(const struct report *r, struct buf *out);

/* report_vendor.c: what vendors tell: read it; its sections; its members of window. */
int report_read_vendor(
	struct report *r, struct reader *reader, struct mt_error *reterr) MT_MUST_CHECK;
void report_json_vendor(const struct report *r, struct buf *out);
void report_json_window(const struct report *r, struct buf *out);

/* report_mx.c: how hosts were reached: read it; its sections. */
int report_read_mx(struct report *r, struct reader *reader, struct mt_error *reterr) MT_MUST_CHECK;
void report_json_mx(const struct report *r, struct buf *out);

/* Words shared by the forms. */
const char *report_health(enum health health);
const char *report_status(enum event_status status);
const char *report_queue_source(enum queue_source source);
extern const char *const report_queue_names[QUEUE__COUNT];
extern const char *const report_delay_names[DELAY__COUNT];
/* report_age_s - seconds since t_ms, 0 when that is ahead of the clock; EVENT_UNKNOWN for no time. */
int64_t report_age_s(const struct report *r, int64_t t_ms);
/* report_provider - name of a provider; absent when it is not in the report. */
struct str report_provider(const struct report *r, int id);
struct report_total {
	const char *name;
	enum metric metric;
};
extern const struct report_total report_totals[];
extern const size_t report_ntotals;

#endif
