/* SPDX-License-Identifier: MIT */
/* export - the figures as Prometheus text, and the file; see export.h. */
#include "tui/export.h"

#include "store/base/utf8.h"
#include "tui/report.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define OUT_MAX_BYTES (16u << 20)
#define ARENA_MAX_BYTES (64u << 20)
#define MS_PER_S 1000
#define CS_PER_S 100
#define DSN_CLASS 1000000
#define DSN_SUBJECT 1000
#define DSN_SUBJECT_MAX 7 /* RFC 3463 */

struct exporter {
	struct reader *reader;
	struct arena arena;
	struct provider_row *providers;
	size_t nproviders;
	int64_t now_ms;
	struct buf *out;
	struct mt_error *reterr;
};

/* label - name="value", what a label may not hold shown or escaped. */
static void label(struct exporter *x, const char *comma, const char *name, struct str value)
{
	struct buf shown;

	buf_init(&shown, OUT_MAX_BYTES);
	if (utf8_show_text(&shown, str_present(value) ? value : STR_LIT(""), false) < 0)
		x->out->err = MT_ELIMIT;
	buf_printf(x->out, "%s%s=\"", comma, name);
	for (size_t i = 0; i < shown.n; i++) {
		if (shown.p[i] == '\\' || shown.p[i] == '"')
			buf_add_char(x->out, '\\');
		buf_add_char(x->out, shown.p[i]);
	}
	buf_add_char(x->out, '"');
	buf_done(&shown);
}

static void head(struct exporter *x, const char *name, const char *type, const char *help)
{
	buf_printf(x->out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* begin - "name{provider="...""; the caller adds labels and ends it with value. */
static void begin(struct exporter *x, const char *name, int provider)
{
	struct str text = {NULL, 0};

	for (size_t i = 0; i < x->nproviders; i++)
		if (x->providers[i].id == provider)
			text = x->providers[i].name;
	buf_printf(x->out, "%s{", name);
	label(x, "", "provider", text);
}

static void value(struct exporter *x, int64_t n)
{
	buf_printf(x->out, "} %" PRId64 "\n", n);
}

/* --- counters --- */

static const char *const metric_names[METRIC__COUNT] = {
#define NAME(id, name, help) #id,
	METRIC_LIST(NAME)
#undef NAME
};
static const char *const metric_help[METRIC__COUNT] = {
#define HELP(id, name, help) help,
	METRIC_LIST(HELP)
#undef HELP
};

static int totals_of(struct exporter *x, enum metric metric)
{
	struct ever_row *rows;
	char name[80] = "mtatop_";
	size_t n, at = strlen(name);
	int rc = read_ever(x->reader, DIM_TOTAL, &metric, 1, &x->arena, &rows, &n, x->reterr);

	if (rc < 0)
		return rc;
	for (const char *p = metric_names[metric]; *p && at < sizeof(name) - sizeof("_total"); p++)
		name[at++] = (char)tolower((unsigned char)*p);
	snprintf(name + at, sizeof(name) - at, "_total");
	head(x, name, "counter", metric_help[metric]);
	for (size_t i = 0; i < n; i++) {
		begin(x, name, rows[i].provider);
		value(x, rows[i].n[0]);
	}
	return 0;
}

static const enum metric outcomes[] = {
	METRIC_SENT, METRIC_DEFERRED, METRIC_BOUNCED, METRIC_REJECTED};
#define NOUTCOMES (sizeof(outcomes) / sizeof(outcomes[0]))
static const char *const outcome_words[NOUTCOMES] = {"sent", "deferred", "bounced", "rejected"};

/* code_group - which of few groups a code_key falls into: "4.7", "5yz" for a basic code alone (RFC 5321), "none". */
static void code_group(int64_t key, char *out, size_t size)
{
	int64_t digit = key / DSN_CLASS, subject = key / DSN_SUBJECT % DSN_SUBJECT;

	if (key <= 0)
		snprintf(out, size, "none");
	else if (key < DSN_CLASS)
		snprintf(out, size, "%dyz", (int)(key / 100 % 10));
	else if (subject > DSN_SUBJECT_MAX)
		snprintf(out, size, "%d.other", (int)(digit % 10));
	else
		snprintf(out, size, "%d.%d", (int)(digit % 10), (int)subject);
}

static void give_code(struct exporter *x, const char *name, int provider, const char *group,
	const int64_t n[NOUTCOMES])
{
	for (size_t i = 0; i < NOUTCOMES; i++) {
		if (n[i] == 0)
			continue;
		begin(x, name, provider);
		label(x, ",", "code", str_of(group));
		label(x, ",", "status", str_of(outcome_words[i]));
		value(x, n[i]);
	}
}

/* Rows ascend by provider and key, so the codes of a group stand together. */
static int by_code(struct exporter *x)
{
	static const char name[] = "mtatop_deliveries_by_code_total";
	int64_t sum[NOUTCOMES] = {0};
	char group[16] = "", next[16];
	struct ever_row *rows;
	size_t n;
	int rc = read_ever(
		x->reader, DIM_CODE, outcomes, NOUTCOMES, &x->arena, &rows, &n, x->reterr);

	if (rc < 0)
		return rc;
	head(x, name, "counter",
		"Attempts and refusals by class and subject of their enhanced code (RFC 3463), "
		"or first digit of the basic code (RFC 5321) where there is no other.");
	for (size_t i = 0; i < n; i++) {
		code_group(rows[i].key, next, sizeof(next));
		if (i && (rows[i].provider != rows[i - 1].provider || strcmp(group, next) != 0)) {
			give_code(x, name, rows[i - 1].provider, group, sum);
			memset(sum, 0, sizeof(sum));
		}
		memcpy(group, next, sizeof(group));
		for (size_t k = 0; k < NOUTCOMES; k++)
			sum[k] += rows[i].n[k];
	}
	if (n)
		give_code(x, name, rows[n - 1].provider, group, sum);
	return 0;
}

static const enum metric session_metrics[] = {METRIC_CONNECTIONS, METRIC_RECEIVED, METRIC_REJECTED,
	METRIC_AUTH_OK, METRIC_AUTH_FAILED, METRIC_TLS, METRIC_LOST};
#define NSESSION (sizeof(session_metrics) / sizeof(session_metrics[0]))

static void give_service(
	struct exporter *x, const char *name, const struct ever_row *row, bool other, int64_t n)
{
	begin(x, name, row->provider);
	label(x, ",", "service", other ? STR_LIT("other") : row->text);
	buf_printf(x->out, ",port=\"");
	if (!other && row->port > 0)
		buf_printf(x->out, "%d", (int)row->port);
	buf_add_char(x->out, '"');
	value(x, n);
}

/* one_session_metric - the first EXPORT_SERVICES_MAX services of a provider (ids of texts: the oldest), the rest as one. */
static void one_session_metric(
	struct exporter *x, const struct ever_row *rows, size_t n, size_t column)
{
	static const char *const words[NSESSION] = {"connections", "messages", "rejected",
		"auth_ok", "auth_failed", "tls_sessions", "lost_connections"};
	int64_t rest = 0;
	size_t services = 0;
	char name[64];

	snprintf(name, sizeof(name), "mtatop_service_%s_total", words[column]);
	head(x, name, "counter", metric_help[session_metrics[column]]);
	for (size_t i = 0; i < n; i++) {
		bool known = str_present(rows[i].text) && services < EXPORT_SERVICES_MAX;

		if (known)
			give_service(x, name, &rows[i], false, rows[i].n[column]);
		else
			rest += rows[i].n[column];
		services += known;
		if (i + 1 < n && rows[i + 1].provider == rows[i].provider)
			continue;
		if (rest)
			give_service(x, name, &rows[i], true, rest);
		rest = 0;
		services = 0;
	}
}

static int by_service(struct exporter *x)
{
	struct ever_row *rows;
	size_t n;
	int rc = read_ever(
		x->reader, DIM_SERVICE, session_metrics, NSESSION, &x->arena, &rows, &n, x->reterr);

	for (size_t i = 0; rc == 0 && i < NSESSION; i++)
		one_session_metric(x, rows, n, i);
	return rc;
}

static bool well_known(int64_t port)
{
	return port == 25 || port == 465 || port == 587 || port == 2525 || port == 24;
}

static int by_relay_port(struct exporter *x)
{
	static const char name[] = "mtatop_deliveries_by_relay_port_total";
	int64_t rest[NOUTCOMES - 1] = {0};
	struct ever_row *rows;
	size_t n;
	int rc = read_ever(x->reader, DIM_RELAY_PORT, outcomes, NOUTCOMES - 1, &x->arena, &rows, &n,
		x->reterr);

	if (rc < 0)
		return rc;
	head(x, name, "counter",
		"Attempts by TCP port of the server they went to; port=\"none\": local, pipe, or "
		"no server was reached.");
	for (size_t i = 0; i < n; i++) {
		char port[16];
		bool own = rows[i].key == 0 || well_known(rows[i].key);
		bool last = i + 1 == n || rows[i + 1].provider != rows[i].provider;

		snprintf(port, sizeof(port), "%" PRId64, rows[i].key);
		for (size_t k = 0; k < NOUTCOMES - 1; k++) {
			int64_t count = own ? rows[i].n[k] : 0;

			rest[k] += own ? 0 : rows[i].n[k];
			for (int other = 0; other < 2; other++) {
				int64_t shown = other ? (last ? rest[k] : 0) : count;

				if (shown == 0)
					continue;
				begin(x, name, rows[i].provider);
				label(x, ",", "port",
					str_of(other          ? "other"
						: rows[i].key ? port
							      : "none"));
				label(x, ",", "status", str_of(outcome_words[k]));
				value(x, shown);
			}
			if (last)
				rest[k] = 0;
		}
	}
	return 0;
}

/* --- gauges --- */

static int queues(struct exporter *x)
{
	struct queue_figures *f = arena_alloc(&x->arena, (x->nproviders + 1) * sizeof(f[0]));
	int rc = f ? 0 : MT_ELIMIT;

	for (size_t i = 0; rc == 0 && i < x->nproviders; i++) {
		struct query q = {.provider = x->providers[i].id};

		rc = read_queue(x->reader, &q, &f[i], x->reterr);
	}
	if (rc < 0)
		return rc;
	head(x, "mtatop_queue_messages", "gauge",
		"Messages in a queue; a queue that can't be read is left out.");
	for (size_t i = 0; i < x->nproviders; i++) {
		for (int k = 0; k < QUEUE__COUNT; k++) {
			if (f[i].n[k] < 0)
				continue;
			begin(x, "mtatop_queue_messages", x->providers[i].id);
			label(x, ",", "queue", str_of(report_queue_names[k]));
			value(x, f[i].n[k]);
		}
	}
	head(x, "mtatop_queue_oldest_timestamp_seconds", "gauge",
		"Arrival of the oldest message queued.");
	for (size_t i = 0; i < x->nproviders; i++) {
		if (f[i].oldest_ms <= 0)
			continue;
		begin(x, "mtatop_queue_oldest_timestamp_seconds", x->providers[i].id);
		value(x, f[i].oldest_ms / MS_PER_S);
	}
	head(x, "mtatop_queue_sample_timestamp_seconds", "gauge",
		"When the queue was last counted.");
	for (size_t i = 0; i < x->nproviders; i++) {
		if (f[i].t_ms <= 0)
			continue;
		begin(x, "mtatop_queue_sample_timestamp_seconds", x->providers[i].id);
		value(x, f[i].t_ms / MS_PER_S);
	}
	return 0;
}

static void quantile(
	struct exporter *x, int provider, enum delay_part part, const char *q, int64_t cs)
{
	begin(x, "mtatop_delivery_delay_seconds", provider);
	label(x, ",", "part", str_of(report_delay_names[part]));
	label(x, ",", "percentile", str_of(q));
	buf_printf(x->out, "} %" PRId64 ".%02d\n", cs / CS_PER_S, (int)(cs % CS_PER_S));
}

static int delays(struct exporter *x)
{
	head(x, "mtatop_delivery_delay_seconds", "gauge",
		"Delay of sent recipients over the last hour, nearest-rank percentile: total, a "
		"before the queue manager, "
		"b in it, c connection set-up, d transmission.");
	for (size_t i = 0; i < x->nproviders; i++) {
		struct query q = {.provider = x->providers[i].id,
			.t0_ms = x->now_ms - EXPORT_DELAY_WINDOW_MS,
			.t1_ms = x->now_ms + 1};
		struct delay_figures d[DELAY__COUNT];
		int rc = read_delays(x->reader, &q, d, x->reterr);

		if (rc < 0)
			return rc;
		for (int part = 0; part < DELAY__COUNT; part++) {
			if (d[part].n <= 0)
				continue;
			quantile(x, q.provider, (enum delay_part)part, "50", d[part].p50_cs);
			quantile(x, q.provider, (enum delay_part)part, "90", d[part].p90_cs);
			quantile(x, q.provider, (enum delay_part)part, "99", d[part].p99_cs);
		}
	}
	return 0;
}

struct source_gauge {
	const char *name, *type, *help;
	int64_t (*get)(const struct source_row *s); /* negative: left out */
};

static int64_t source_read(const struct source_row *s)
{
	return s->last_ok_ms > 0 ? s->last_ok_ms / MS_PER_S : EVENT_UNKNOWN;
}
static int64_t source_newest(const struct source_row *s)
{
	return s->newest_ms > 0 ? s->newest_ms / MS_PER_S : EVENT_UNKNOWN;
}
static int64_t source_working(const struct source_row *s)
{
	return s->health == HEALTH_FRESH || s->health == HEALTH_LATE ||
	       s->health == HEALTH_CATCHING_UP;
}
static int64_t source_behind(const struct source_row *s)
{
	return s->total_bytes > s->done_bytes && s->done_bytes >= 0 ? s->total_bytes - s->done_bytes
								    : 0;
}
static int64_t source_errors(const struct source_row *s)
{
	return s->errors;
}

static void sources(struct exporter *x)
{
	static const struct source_gauge gauges[] = {
		{"mtatop_source_read_timestamp_seconds", "gauge",
			"When a source was last read well.", source_read},
		{"mtatop_source_newest_timestamp_seconds", "gauge",
			"Time stamp of the newest record read.", source_newest},
		{"mtatop_source_working", "gauge",
			"1: the source is read in time; 0: stale, failing, stopped or not read "
			"yet.",
			source_working},
		{"mtatop_source_behind_bytes", "gauge", "Bytes of a log still to read.",
			source_behind},
		{"mtatop_source_errors_total", "counter", "Rounds of a source that failed.",
			source_errors},
	};

	for (size_t g = 0; g < sizeof(gauges) / sizeof(gauges[0]); g++) {
		head(x, gauges[g].name, gauges[g].type, gauges[g].help);
		for (size_t i = 0; i < x->nproviders; i++) {
			for (size_t k = 0; k < x->providers[i].nsources; k++) {
				int64_t n = gauges[g].get(&x->providers[i].sources[k]);

				if (n < 0)
					continue;
				begin(x, gauges[g].name, x->providers[i].id);
				label(x, ",", "source", x->providers[i].sources[k].name);
				value(x, n);
			}
		}
	}
}

static int all(struct exporter *x)
{
	int rc = read_providers(x->reader, &x->arena, &x->providers, &x->nproviders, x->reterr);

	if (rc < 0)
		return rc;
	head(x, "mtatop_build_info", "gauge", "The version of mtatop, always 1.");
	buf_printf(x->out, "mtatop_build_info{version=\"%s\"} 1\n", MTATOP_VERSION);
	for (int m = 0; rc == 0 && m < METRIC__COUNT; m++)
		rc = totals_of(x, (enum metric)m);
	if (rc == 0)
		rc = by_code(x);
	if (rc == 0)
		rc = by_service(x);
	if (rc == 0)
		rc = by_relay_port(x);
	if (rc == 0)
		rc = queues(x);
	if (rc == 0)
		rc = delays(x);
	if (rc == 0)
		sources(x);
	return rc;
}

int export_text(const char *cache_path, int64_t now_ms, struct buf *out, struct mt_error *reterr)
{
	struct exporter x = {.now_ms = now_ms, .out = out, .reterr = reterr};
	int rc = reader_open(cache_path, &x.reader, reterr);

	if (rc < 0)
		return rc;
	arena_init(&x.arena, ARENA_MAX_BYTES);
	rc = reader_begin(x.reader, reterr);
	if (rc == 0) {
		rc = all(&x);
		reader_end(x.reader);
	}
	if (rc == 0 && out->err != MT_OK)
		rc = mt_error_set(reterr, MT_ELIMIT, "the figures are too many");
	arena_done(&x.arena);
	reader_close(x.reader);
	return rc;
}
