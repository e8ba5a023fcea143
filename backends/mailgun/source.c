/* SPDX-License-Identifier: MIT */
/* source - see source.h: the table of endpoints, set-up, and which file serves which endpoint. */
#include "backends/mailgun/source.h"

#include "backends/keys.h"
#include "backends/mailgun/mailgun.h"
#include "store/base/mem.h"
#include "store/base/scan.h"

#include <stdio.h>
#include <stdlib.h>

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)

/* Intervals: the poll plan. Published limits: metrics 500 in 10 s; the others are not published. */
static const struct api_endpoint endpoints[EP__COUNT] = {
	[EP_METRICS] = {"metrics", MINUTE, 60, "role analyst", false},
	[EP_LOGS] = {"logs", MINUTE, 120, "role analyst", false},
	[EP_DOMAINS] = {"domains", 15 * MINUTE, 30, "role analyst", true},
	[EP_STATS] = {"v3 stats", 5 * MINUTE, 120, "role analyst", false},
	[EP_EVENTS] = {"v3 events", 2 * MINUTE, 120, "role analyst", false},
	[EP_PROVIDERS] = {"by mailbox provider", 15 * MINUTE, 30, "role analyst", true},
	[EP_IP_COUNTS] = {"by sending IP", 15 * MINUTE, 30, "role analyst", true},
	[EP_SUPPRESSIONS] = {"suppressions", 6 * HOUR, 120, "role support", true},
	[EP_QUEUES] = {"sending queues", 15 * MINUTE, 120, "role analyst", true},
	[EP_DNS] = {"DNS records", HOUR, 120, "role analyst", true},
	[EP_IPS] = {"IPs", 15 * MINUTE, 30, "role analyst", true},
	[EP_ACCOUNT] = {"account", HOUR, 10, "role analyst", true},
};

struct str mailgun_date(char at[64], int64_t utc_ms)
{
	struct buf out;
	size_t n;

	buf_init(&out, 63);
	(void)http_date(&out, utc_ms);
	n = out.n;
	memcpy(at, buf_z(&out), n + 1);
	buf_done(&out);
	return str_make(at, n);
}

int mailgun_refused(const struct http_reply *reply, const char *instead, struct mt_error *reterr)
{
	return mt_error_set(reterr, (enum mt_err)reply->rc, "%.180s%s", reply->error.text, instead);
}

int mailgun_cursor(struct mailgun *m, const char *name, int64_t value, struct mt_error *reterr)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%lld", (long long)value);

	return store_cursor_set(api_store(&m->api), m->api.env->source, str_of(name),
		str_make(text, (size_t)n), reterr);
}

/* put_or_skip - a row the store can't take (a date no cache holds) is odd, not the end of the page. */
static int put_or_skip(int rc)
{
	return rc == MT_EINVAL ? 0 : rc;
}

static int put_event(void *ctx, const struct api_event *e)
{
	struct mailgun *m = ctx;

	return put_or_skip(store_api_event(api_store(&m->api), api_provider(&m->api), e, NULL));
}

static int put_suppression(void *ctx, const struct api_suppression *row)
{
	struct mailgun *m = ctx;

	return put_or_skip(
		store_api_suppression(api_store(&m->api), api_provider(&m->api), row, NULL));
}

static int put_domain(void *ctx, const struct api_domain *row)
{
	struct mailgun *m = ctx;

	return put_or_skip(store_api_domain(api_store(&m->api), api_provider(&m->api), row, NULL));
}

static int put_ip(void *ctx, const struct api_ip *row)
{
	struct mailgun *m = ctx;

	return put_or_skip(store_api_ip(api_store(&m->api), api_provider(&m->api), row, NULL));
}

static int put_account(void *ctx, struct str name, struct str value)
{
	struct mailgun *m = ctx;

	return store_api_account(api_store(&m->api), api_provider(&m->api), name, value, NULL);
}

struct mailgun_sink mailgun_rows(struct mailgun *m)
{
	return (struct mailgun_sink){.event = put_event,
		.suppression = put_suppression,
		.domain = put_domain,
		.ip = put_ip,
		.account = put_account,
		.ctx = m};
}

static int begin(struct api *a, size_t e)
{
	struct mailgun *m = (struct mailgun *)a;

	switch ((enum mailgun_endpoint)e) {
	case EP_METRICS:
	case EP_PROVIDERS:
	case EP_IP_COUNTS:
		return counts_begin(m, e);
	case EP_STATS:
		return stats_begin(m);
	case EP_LOGS: /* these two share their state */
		return a->line[EP_EVENTS].running ? -1 : logs_begin(m, e);
	case EP_EVENTS:
		return a->line[EP_LOGS].running ? -1 : logs_begin(m, e);
	case EP_SUPPRESSIONS:
		return suppressions_begin(m);
	case EP_QUEUES:
	case EP_DNS:
		m->at[e] = 0;
		return m->domains_known ? 0 : -1;
	case EP_IPS:
		buf_clear(&m->ips);
		api_pager_init(&m->ip_pager);
		m->at[e] = 0;
		return 0;
	case EP_DOMAINS:
	case EP_ACCOUNT:
		m->at[e] = 0;
		return 0;
	case EP__COUNT:
		break;
	}
	return -1;
}

static int next(struct api *a, size_t e, struct api_request *r, struct mt_error *reterr)
{
	struct mailgun *m = (struct mailgun *)a;

	switch ((enum mailgun_endpoint)e) {
	case EP_METRICS:
	case EP_PROVIDERS:
	case EP_IP_COUNTS:
		return counts_next(m, e, r, reterr);
	case EP_STATS:
		return stats_next(m, r);
	case EP_LOGS:
	case EP_EVENTS:
		return logs_next(m, e, r, reterr);
	case EP_SUPPRESSIONS:
		return suppressions_next(m, r, reterr);
	case EP_QUEUES:
	case EP_DNS:
		return per_domain_next(m, e, r);
	case EP_DOMAINS:
		return domains_next(m, r);
	case EP_IPS:
		return ips_next(m, r);
	case EP_ACCOUNT:
		return account_next(m, r);
	case EP__COUNT:
		break;
	}
	return 0;
}

static int took(struct api *a, size_t e, const struct http_reply *reply, struct mt_error *reterr)
{
	struct mailgun *m = (struct mailgun *)a;

	switch ((enum mailgun_endpoint)e) {
	case EP_METRICS:
	case EP_PROVIDERS:
	case EP_IP_COUNTS:
		return counts_took(m, e, reply, reterr);
	case EP_STATS:
		return stats_took(m, reply, reterr);
	case EP_LOGS:
	case EP_EVENTS:
		return logs_took(m, e, reply, reterr);
	case EP_SUPPRESSIONS:
		return suppressions_took(m, reply, reterr);
	case EP_QUEUES:
	case EP_DNS:
		return per_domain_took(m, e, reply, reterr);
	case EP_DOMAINS:
		return domains_took(m, reply, reterr);
	case EP_IPS:
		return ips_took(m, reply, reterr);
	case EP_ACCOUNT:
		return account_took(m, reply, reterr);
	case EP__COUNT:
		break;
	}
	return 0;
}

static int end(struct api *a, size_t e, bool complete, struct mt_error *reterr)
{
	struct mailgun *m = (struct mailgun *)a;

	if (e == EP_STATS)
		return stats_end(m, complete, reterr);
	if (e == EP_LOGS && complete)
		api_switch_off(a, EP_EVENTS, ""); /* not needed (any more) */
	if (e == EP_LOGS || e == EP_EVENTS)
		return logs_end(m, complete, reterr);
	if (e == EP_SUPPRESSIONS)
		return suppressions_end(m, complete, reterr);
	if (e == EP_DOMAINS)
		return domains_end(m, complete, reterr);
	return e == EP_IPS ? ips_end(m, complete, reterr) : 0;
}

static void close_all(struct api *a)
{
	struct mailgun *m = (struct mailgun *)a;

	counts_close(m);
	free_names(m->domains, m->ndomains);
	free_names(m->found, m->nfound);
	m->domains = m->found = NULL;
	m->ndomains = m->nfound = 0;
	buf_done(&m->log_place);
	buf_done(&m->supp_path);
	buf_done(&m->ips);
}

static const struct api_vendor vendor = {.endpoints = endpoints,
	.n = EP__COUNT,
	.begin = begin,
	.next = next,
	.took = took,
	.end = end,
	.close = close_all};

static int on_cursor(void *ctx, struct str key, struct str value, int64_t updated_ms)
{
	struct mailgun *m = ctx;
	const struct {
		const char *name;
		int64_t *at;
	} known[] = {{"metrics", &m->counted_ms[0]}, {"metrics_wide", &m->recounted_ms[0]},
		{"providers", &m->counted_ms[1]}, {"providers_wide", &m->recounted_ms[1]},
		{"ip_metrics", &m->counted_ms[2]}, {"ip_metrics_wide", &m->recounted_ms[2]},
		{"stats", &m->stats_counted_ms}, {"logs", &m->log_seen_ms},
		{"walked", &m->walked_ms}};
	uint64_t n;

	(void)updated_ms;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (str_eq(key, str_of(known[i].name)) && scan_all_u64(value, INT64_MAX, &n))
			*known[i].at = (int64_t)n;
	return 0;
}

/* A walk of all suppressions that ended not long ago is not begun anew by a restart. */
static void rest_after_walk(struct mailgun *m)
{
	int64_t left = m->walked_ms + endpoints[EP_SUPPRESSIONS].interval_ms - api_now_ms(&m->api);

	if (m->walked_ms && left > 0 && left <= endpoints[EP_SUPPRESSIONS].interval_ms) {
		m->api.line[EP_SUPPRESSIONS].due_ms += left;
		m->api.line[EP_SUPPRESSIONS].settled = true;
		m->api.line[EP_SUPPRESSIONS].ok_utc_ms = m->walked_ms;
	}
}

static void read_conf(struct mailgun *m, const struct backend_env *env)
{
	const char *section = env->def->section;
	const char *account = conf_text(env->conf, "mailgun", section, "subaccount");

	m->only.names = conf_list(env->conf, "mailgun", section, "domains", &m->only.n);
	m->log_events.names = conf_list(env->conf, "mailgun", section, "events", &m->log_events.n);
	m->subaccounts = conf_bool(env->conf, "mailgun", section, "subaccounts");
	if (account[0]) {
		snprintf(m->on_behalf_of, sizeof(m->on_behalf_of), "X-Mailgun-On-Behalf-Of: %.150s",
			account);
		m->headers[0] = m->on_behalf_of;
	}
}

static int init(void *state, const struct backend_env *env, struct mt_error *reterr)
{
	struct mailgun *m = state;
	struct api_options o = {.vendor = &vendor,
		.env = env,
		.base = mailgun_base(env->conf, env->def->section),
		.ca_file = conf_text(env->conf, "mailgun", env->def->section, "ca_file"),
		.auth = HTTP_AUTH_BASIC,
		.auth_name = "api",
		.requests_per_minute =
			conf_int(env->conf, "mailgun", env->def->section, "requests_per_minute")};
	const struct api_provider provider = {.finest_bucket_s = RES_HOUR, .time_zone = "UTC"};
	int rc;

	read_conf(m, env);
	buf_init(&m->log_place, HTTP_PATH_MAX_BYTES);
	buf_init(&m->supp_path, HTTP_PATH_MAX_BYTES);
	buf_init(&m->ips, 64u << 10);
	rc = key_find(env->conf, "mailgun", env->def->section, &o.key, NULL, reterr);
	if (rc < 0)
		return rc;
	rc = api_open(&m->api, &o, reterr);
	if (rc == 0)
		rc = store_api_provider(env->store, env->provider, &provider, reterr);
	if (rc == 0)
		rc = store_cursors(env->store, env->source, on_cursor, m, reterr);
	if (rc < 0)
		return rc;
	api_switch_off(&m->api, EP_STATS, "");
	api_switch_off(&m->api, EP_EVENTS, "");
	rest_after_walk(m);
	return 0;
}

const struct source_ops mailgun_source = {.name = "api",
	.interval_ms = API_INTERVAL_MS,
	.state_bytes = sizeof(struct mailgun),
	.init = init,
	API_SOURCE_OPS};
