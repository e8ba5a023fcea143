/* SPDX-License-Identifier: MIT */
/*
 * report - all figures of the cache for machines and mail: text, JSON, CSV. The JSON is a contract: members
 * are only added, REPORT_SCHEMA is raised when the meaning of one changes, unknown is null and never 0.
 *
 * report-doc:
 * schema  version of this contract, an integer
 * generated  when the report was made
 * window  since, until: the window asked for, or what the cache holds
 * providers[]  name, kind, health, age_s, finest_bucket_s
 * totals{}  messages, recipients, sent, deferred_attempts, bounced, expired, rejected (4xx and 5xx),
 *   rejected_temporary (the 4xx of them), warnings, unparsed_lines; and handed_over, expired_recipients,
 *   notifications, first_try, held, discarded, reject_warnings, lines, foreign_lines, oversize_lines
 * by_code[]  dsn (or code, for a basic code alone), status (sent, deferred, bounced, rejected), n
 * by_domain[]  domain (of the recipient), sent, deferred, bounced
 * by_port[]  port, direction (in, out), service, connections, accepted, rejected, auth_ok, auth_failed, tls; out:
 *   accepted = sent, rejected = bounced, and deferred
 * queue{}  maildrop, incoming, active, deferred, hold, corrupt, oldest_s, source (spool, postqueue, log)
 * delays{}  a, b, c, d, total: p50, p90, p99 in seconds, of sent records
 * failures[]  the latest: time, queue_id, recipient, status, dsn, relay, reply
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
};

/* report_run - read and print. MT_ENOENT: no cache there, or no provider of that name. */
int report_run(const struct report_options *o, struct mt_error *reterr) MT_MUST_CHECK;

/* report_json, report_text, report_csv - append one form of it. */
int report_json(const struct report *r, struct buf *out);
int report_text(const struct report *r, struct buf *out);
int report_csv(const struct report *r, struct buf *out);

/* Words shared by the forms. */
const char *report_health(enum health health);
const char *report_status(enum event_status status);
const char *report_queue_source(enum queue_source source);
extern const char *const report_queue_names[QUEUE__COUNT];
struct report_total {
	const char *name;
	enum metric metric;
};
extern const struct report_total report_totals[];
extern const size_t report_ntotals;

#endif
