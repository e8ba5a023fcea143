/* SPDX-License-Identifier: MIT */
/* source - the `api` source of a SendGrid account: its endpoints with their intervals and budgets, begun and ended. */
#include "backends/sendgrid/source.h"

#include "backends/keys.h"
#include "backends/sendgrid/sendgrid.h"

#define BASE_GLOBAL "https://api.sendgrid.com"
#define BASE_EU "https://api.eu.sendgrid.com"
#define DAY_S 86400

/*
 * Requests a minute. The vendor publishes none but for /v3/messages (6 a minute since 2025-12-09); 600 a minute and
 * endpoint were usual before. /v3/logs asks to lower concurrency when it is short of capacity.
 */
static const struct {
	const char *interval_key;
	int per_minute;
	bool minor; /* the account's figures are well without it */
} plan[SENDGRID__ENDPOINTS] = {
	[SENDGRID_SCOPES] = {"account_interval", 10, false},
	[SENDGRID_STATS] = {"counters_interval", 120, false},
	[SENDGRID_MAILBOXES] = {"breakdown_interval", 120, true},
	[SENDGRID_CATEGORIES] = {"breakdown_interval", 120, true},
	[SENDGRID_CLASSES] = {"breakdown_interval", 60, true},
	[SENDGRID_BOUNCES] = {"suppressions_interval", 120, true},
	[SENDGRID_BLOCKS] = {"suppressions_interval", 120, true},
	[SENDGRID_INVALID] = {"suppressions_interval", 120, true},
	[SENDGRID_SPAM] = {"suppressions_interval", 120, true},
	[SENDGRID_UNSUBSCRIBES] = {"suppressions_interval", 120, true},
	[SENDGRID_LOGS] = {"failures_interval", 60, true},
	[SENDGRID_LOG] = {"account_interval", 1, true}, /* by jobs only */
	[SENDGRID_MESSAGES] = {"failures_interval", 4, true},
	[SENDGRID_IPS] = {"inventory_interval", 60, true},
	[SENDGRID_POOLS] = {"inventory_interval", 60, true},
	[SENDGRID_WARMUP] = {"inventory_interval", 60, true},
	[SENDGRID_ACCOUNT] = {"account_interval", 10, true},
	[SENDGRID_CREDITS] = {"account_interval", 10, true},
	[SENDGRID_USERNAME] = {"account_interval", 10, true},
	[SENDGRID_SUBUSERS] = {"account_interval", 60, true},
	[SENDGRID_REPUTATIONS] = {"account_interval", 10, true},
};

static void close_source(struct api *a)
{
	struct sendgrid *s = (struct sendgrid *)a;

	for (size_t e = 0; e < SENDGRID__ENDPOINTS; e++)
		daily_done(&s->walk[e].sums);
	sendgrid_accounts_close(s);
	zone_done(&s->zone);
}

static void make_endpoints(struct sendgrid *s, const struct conf *conf, const char *section)
{
	for (size_t e = 0; e < SENDGRID__ENDPOINTS; e++) {
		s->endpoints[e] = (struct api_endpoint){
			.name = sendgrid_endpoint_name((enum sendgrid_endpoint)e),
			.interval_ms =
				conf_int(conf, SENDGRID_SECTION, section, plan[e].interval_key),
			.per_minute = plan[e].per_minute,
			.needs = sendgrid_endpoint_scope((enum sendgrid_endpoint)e),
			.minor = plan[e].minor};
		daily_init(&s->walk[e].sums);
	}
	s->vendor = (struct api_vendor){.endpoints = s->endpoints,
		.n = SENDGRID__ENDPOINTS,
		.begin = sendgrid_begin,
		.next = sendgrid_next,
		.took = sendgrid_took,
		.end = sendgrid_end,
		.close = close_source,
		.sees_401 = true};
}

/* leave_out - endpoints this configuration has no use for: never asked, and no fault. */
static void leave_out(struct sendgrid *s, const struct conf *conf, const char *section)
{
	bool none = conf_text(conf, SENDGRID_SECTION, section, "messages")[0] == 'n';
	bool activity = conf_bool(conf, SENDGRID_SECTION, section, "activity");

	api_switch_off(&s->api, SENDGRID_LOG, "");
	if (none || activity)
		api_switch_off(&s->api, SENDGRID_LOGS, "");
	if (none || !activity)
		api_switch_off(&s->api, SENDGRID_MESSAGES, "");
	if (s->subusers_known) {
		api_switch_off(&s->api, SENDGRID_SUBUSERS, "");
		api_switch_off(&s->api, SENDGRID_REPUTATIONS, "");
	}
}

/* tell_zone - in which zone its days are: a figure of a wrong day is a wrong figure, so it is said where it comes from. */
static int tell_zone(struct sendgrid *s, const char *zone, struct mt_error *reterr)
{
	struct api_provider p = {.finest_bucket_s = DAY_S, .time_zone = zone};
	int rc = store_api_provider(api_store(&s->api), api_provider(&s->api), &p, reterr);

	if (rc == 0)
		rc = store_api_account(api_store(&s->api), api_provider(&s->api),
			STR_LIT("time zone"), str_of(zone[0] ? zone : "UTC (time_zone is not set)"),
			reterr);
	return rc;
}

const char *sendgrid_base(const struct conf *conf, const char *section)
{
	const char *base = conf_text(conf, SENDGRID_SECTION, section, "base_url");

	if (base[0])
		return base;
	return conf_text(conf, SENDGRID_SECTION, section, "region")[0] == 'e' ? BASE_EU
									      : BASE_GLOBAL;
}

static int init(void *state, const struct backend_env *env, struct mt_error *reterr)
{
	struct sendgrid *s = state;
	const struct conf *conf = env->conf;
	const char *section = env->def->section;
	const char *zone = conf_text(conf, SENDGRID_SECTION, section, "time_zone");
	struct api_options o = {.vendor = &s->vendor,
		.env = env,
		.base = sendgrid_base(conf, section),
		.ca_file = conf_text(conf, SENDGRID_SECTION, section, "ca_file"),
		.auth = HTTP_AUTH_BEARER,
		.requests_per_minute =
			conf_int(conf, SENDGRID_SECTION, section, "requests_per_minute")};
	int rc;

	s->history_ms = conf_int(conf, SENDGRID_SECTION, section, "history");
	s->full_walk_ms = conf_int(conf, SENDGRID_SECTION, section, "full_walk_interval");
	s->all_states = conf_text(conf, SENDGRID_SECTION, section, "messages")[0] == 'a';
	make_endpoints(s, conf, section);
	rc = key_find(conf, SENDGRID_SECTION, section, &o.key, NULL, reterr);
	if (rc == 0)
		rc = api_open(&s->api, &o, reterr);
	if (rc == 0)
		rc = zone_load(&s->zone, zone, reterr);
	if (rc == 0)
		rc = sendgrid_accounts_open(s, section, reterr);
	if (rc == 0)
		rc = tell_zone(s, zone, reterr);
	if (rc == 0)
		leave_out(s, conf, section);
	return rc;
}

const struct source_ops sendgrid_source = {.name = "api",
	.interval_ms = API_INTERVAL_MS,
	.state_bytes = sizeof(struct sendgrid),
	.init = init,
	API_SOURCE_OPS};
