/* SPDX-License-Identifier: MIT */
/* check - what doctor asks of a Mailgun account: one small request an endpoint. */
#include "backends/mailgun/mailgun.h"

#include "backends/api_check.h"
#include "backends/mailgun/source.h"

#include <stdio.h>

#define HOUR_MS INT64_C(3600000)
#define BODY_BYTES 400

int mailgun_check(
	const struct conf *conf, const struct instance_def *def, const struct check_report *report)
{
	struct clock clock = clock_real();
	char from[64], to[64], metrics[BODY_BYTES], logs[BODY_BYTES], behalf[200];
	const char *account = conf_text(conf, "mailgun", def->section, "subaccount");
	const char *const headers[] = {account[0] ? behalf : NULL, NULL};
	const struct api_probe probes[] = {
		{"Mailgun", HTTP_GET, "/v4/domains?limit=1", NULL, "role analyst", NULL},
		{"counters", HTTP_POST, "/v1/analytics/metrics", metrics, "role analyst",
			"the older v3 stats are read instead"},
		{"failures", HTTP_POST, "/v1/analytics/logs", logs, "role analyst",
			"the older events are read instead"},
		{"IPs", HTTP_GET, "/v3/ips", NULL, "role analyst", NULL},
	};
	const struct api_checked api = {.family = "mailgun",
		.base = mailgun_base(conf, def->section),
		.auth = HTTP_AUTH_BASIC,
		.auth_name = "api",
		.headers = headers,
		.probes = probes,
		.n = sizeof(probes) / sizeof(probes[0])};
	int64_t now = clock_utc_ms(&clock) / HOUR_MS * HOUR_MS;

	mailgun_date(from, now);
	mailgun_date(to, now + HOUR_MS);
	snprintf(behalf, sizeof(behalf), "X-Mailgun-On-Behalf-Of: %.150s", account);
	snprintf(metrics, sizeof(metrics),
		"{\"start\":\"%s\",\"end\":\"%s\",\"resolution\":\"hour\",\"dimensions\":[\"time\"]"
		","
		"\"metrics\":[\"delivered_count\"]}",
		from, to);
	snprintf(logs, sizeof(logs),
		"{\"start\":\"%s\",\"end\":\"%s\",\"events\":[\"failed\"],\"pagination\":{"
		"\"limit\":1}}",
		from, to);
	return api_check(conf, def, &api, report);
}
