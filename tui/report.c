/* SPDX-License-Identifier: MIT */
/* report - reading what a report shows, and the words its forms share; see report.h. */
#include "tui/report.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_MAX_BYTES (256u << 20)
#define OUT_MAX_BYTES (256u << 20)
#define ROWS_MAX 1000000 /* every code and domain; the arena is the real cap */
#define FAILURES_SHOWN 100
#define MINUTE_MS 60000
#define MS_PER_S 1000

const char *const report_queue_names[QUEUE__COUNT] = {
	"maildrop", "incoming", "active", "deferred", "hold", "corrupt"};

const char *const report_delay_names[DELAY__COUNT] = {"total", "a", "b", "c", "d"};

const struct report_total report_totals[] = {
	{"messages", METRIC_RECEIVED},
	{"recipients", METRIC_RECIPIENTS},
	{"sent", METRIC_SENT},
	{"deferred_attempts", METRIC_DEFERRED},
	{"bounced", METRIC_BOUNCED},
	{"expired", METRIC_EXPIRED},
	{"rejected", METRIC_REJECTED},
	{"rejected_temporary", METRIC_REJECTED_TEMPORARY},
	{"warnings", METRIC_WARNINGS},
	{"unparsed_lines", METRIC_UNPARSED},
	{"handed_over", METRIC_HANDED_OVER},
	{"expired_recipients", METRIC_EXPIRED_RECIPIENTS},
	{"notifications", METRIC_NOTIFICATIONS},
	{"first_try", METRIC_FIRST_TRY},
	{"held", METRIC_HELD},
	{"discarded", METRIC_DISCARDED},
	{"reject_warnings", METRIC_REJECT_WARNINGS},
	{"lines", METRIC_LINES},
	{"foreign_lines", METRIC_FOREIGN},
	{"oversize_lines", METRIC_OVERSIZE},
	{"requests", METRIC_REQUESTS},
	{"processed", METRIC_PROCESSED},
	{"suppressed", METRIC_SUPPRESSED},
	{"blocked", METRIC_BLOCKED},
	{"hard_bounces", METRIC_HARD_BOUNCES},
	{"soft_bounces", METRIC_SOFT_BOUNCES},
	{"complaints", METRIC_COMPLAINTS},
	{"unsubscribes", METRIC_UNSUBSCRIBES},
	{"opens", METRIC_OPENS},
	{"unique_opens", METRIC_UNIQUE_OPENS},
	{"clicks", METRIC_CLICKS},
	{"unique_clicks", METRIC_UNIQUE_CLICKS},
};
const size_t report_ntotals = sizeof(report_totals) / sizeof(report_totals[0]);

const char *report_health(enum health health)
{
	static const char *const words[HEALTH__COUNT] = {
		"unknown", "fresh", "late", "stale", "failing", "stopped", "catching_up"};

	return words[health];
}

const char *report_status(enum event_status status)
{
	static const char *const words[STATUS__COUNT] = {"rejected", "sent", "deferred", "bounced",
		"expired", "deliverable", "undeliverable", "other", "suppressed"};

	return words[status];
}

const char *report_queue_source(enum queue_source source)
{
	static const char *const words[] = {NULL, "spool", "postqueue", "log", "listing"};

	return source <= QUEUE_SOURCE_LISTING ? words[source] : NULL;
}

int64_t report_age_s(const struct report *r, int64_t t_ms)
{
	if (t_ms <= 0)
		return EVENT_UNKNOWN;
	return t_ms < r->now_ms ? (r->now_ms - t_ms) / MS_PER_S : 0;
}

struct str report_provider(const struct report *r, int id)
{
	for (size_t i = 0; i < r->nproviders; i++)
		if (r->providers[i].id == id)
			return r->providers[i].name;
	return (struct str){NULL, 0};
}

/* Local delivery has no port: it is in the totals, by code and by domain. */
static void drop_portless(struct report *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->nports; i++)
		if (!r->ports[i].outbound || r->ports[i].port != 0)
			r->ports[kept++] = r->ports[i];
	r->nports = kept;
}

/* pick_provider - narrow the query to the one asked for. */
static int pick_provider(struct report *r, const char *name, struct mt_error *reterr)
{
	if (!name || strcmp(name, "ALL") == 0)
		return 0;
	for (size_t i = 0; i < r->nproviders; i++) {
		if (!str_eq(r->providers[i].name, str_of(name)))
			continue;
		r->query.provider = r->providers[i].id;
		r->providers += i;
		r->nproviders = 1;
		return 0;
	}
	return mt_error_set(reterr, MT_ENOENT, "there is no provider of that name in the cache");
}

/* set_window - what was asked for, else all there is. */
static int set_window(struct report *r, struct reader *reader, const struct report_options *o,
	struct mt_error *reterr)
{
	int rc;

	r->query.t0_ms = r->now_ms - MINUTE_MS;
	r->query.t1_ms = r->now_ms;
	rc = read_totals(reader, &r->query, &r->totals, reterr);
	if (rc < 0)
		return rc;
	if (r->totals.first_ms > 0)
		r->query.t0_ms = r->totals.first_ms;
	if (r->totals.newest_ms >= r->query.t1_ms)
		r->query.t1_ms = r->totals.newest_ms + 1;
	if (o->since_ms != REPORT_UNSET)
		r->query.t0_ms = o->since_ms;
	if (o->until_ms != REPORT_UNSET)
		r->query.t1_ms = o->until_ms;
	if (r->query.t1_ms <= r->query.t0_ms)
		return mt_error_set(reterr, MT_ECONFIG, "the window ends before it begins");
	return 0;
}

static int read_all(struct report *r, struct reader *reader, const struct report_options *o,
	struct mt_error *reterr)
{
	struct query failures;
	int rc = read_providers(reader, &r->arena, &r->providers, &r->nproviders, reterr);

	if (rc == 0)
		rc = pick_provider(r, o->provider, reterr);
	if (rc == 0)
		rc = set_window(r, reader, o, reterr);
	if (rc == 0)
		rc = read_totals(reader, &r->query, &r->totals, reterr);
	if (rc == 0)
		rc = read_codes(reader, &r->query, &r->arena, &r->codes, &r->ncodes, reterr);
	if (rc == 0)
		rc = read_domains(reader, &r->query, &r->arena, &r->domains, &r->ndomains, reterr);
	if (rc == 0)
		rc = read_ports(reader, &r->query, &r->arena, &r->ports, &r->nports, reterr);
	if (rc == 0)
		drop_portless(r);
	if (rc == 0)
		rc = read_queue(reader, &r->query, &r->queue, reterr);
	if (rc == 0)
		rc = read_delays(reader, &r->query, r->delays, reterr);
	if (rc == 0)
		rc = report_read_mx(r, reader, reterr);
	if (rc == 0)
		rc = report_read_vendor(r, reader, reterr);
	failures = r->query;
	failures.status = STATUS__COUNT;
	failures.limit = FAILURES_SHOWN;
	if (rc == 0)
		rc = read_attempts(
			reader, &failures, 0, 0, &r->arena, &r->failures, &r->nfailures, reterr);
	return rc;
}

static int print(const struct report *r, const struct report_options *o, struct mt_error *reterr)
{
	struct buf out;
	int rc;

	buf_init(&out, OUT_MAX_BYTES);
	if (o->format == REPORT_JSON)
		rc = report_json(r, &out);
	else if (o->format == REPORT_CSV)
		rc = report_csv(r, &out);
	else
		rc = report_text(r, &out);
	if (rc < 0 || out.err != MT_OK)
		rc = mt_error_set(reterr, MT_ELIMIT, "the report is too large");
	else
		fwrite(out.p, 1, out.n, o->out);
	buf_done(&out);
	return rc;
}

int report_run(const struct report_options *o, struct mt_error *reterr)
{
	struct report r = {
		.now_ms = clock_utc_ms(o->clock), .query = {.limit = ROWS_MAX}, .demo = o->demo};
	struct reader *reader = NULL;
	int rc = reader_open(o->cache_path, &reader, reterr);

	if (rc < 0)
		return rc;
	arena_init(&r.arena, ARENA_MAX_BYTES);
	rc = reader_begin(reader, reterr);
	if (rc == 0) {
		rc = read_all(&r, reader, o, reterr);
		reader_end(reader);
	}
	if (rc == 0)
		rc = print(&r, o, reterr);
	arena_done(&r.arena);
	reader_close(reader);
	return rc;
}
