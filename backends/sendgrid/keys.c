/* SPDX-License-Identifier: MIT */
/* keys - the [sendgrid NAME] section of mtatop.conf. */
#include "backends/sendgrid/keys.h"

#define SECOND_MS INT64_C(1000)
#define DAY_MS (86400 * SECOND_MS)

/* How often something is asked: min 1 s for tests; below the defaults the vendor's limits are near. */
#define INTERVAL(key, usual, text)                                                                 \
	{                                                                                          \
		.section = "sendgrid", .name = (key), .type = CONF_DURATION, .fallback = (usual),  \
		.min = SECOND_MS, .max = 7 * DAY_MS, .help = (text)                                \
	}

const struct conf_key sendgrid_keys[SENDGRID_NKEYS] = {
	INTERVAL("account_interval", "1h",
		"Time between questions for what the key may do, subusers, credits and reputation"),
	{.section = "sendgrid",
		.name = "activity",
		.type = CONF_BOOL,
		.fallback = "no",
		.help = "Read messages from /v3/messages, which needs the add-on \"additional "
			"email "
			"activity history\", instead of /v3/logs"},
	{.section = "sendgrid",
		.name = "base_url",
		.type = CONF_TEXT,
		.fallback = "",
		.help = "Where the API is, for a proxy or a test: https://HOST, or http:// to this "
			"machine; empty: by region"},
	INTERVAL("breakdown_interval", "15m",
		"Time between questions for figures by mailbox provider, category and bounce "
		"classification"),
	{.section = "sendgrid",
		.name = "ca_file",
		.type = CONF_PATH,
		.fallback = "",
		.help = "Certificates to trust instead of the system's"},
	INTERVAL("counters_interval", "5m", "Time between questions for the day's counters"),
	INTERVAL("failures_interval", "2m",
		"Time between questions for bounced and deferred messages"),
	INTERVAL("full_walk_interval", "1d",
		"Time between walks over whole suppression lists, which find removed addresses"),
	{.section = "sendgrid",
		.name = "history",
		.type = CONF_DURATION,
		.fallback = "30d",
		.min = DAY_MS,
		.max = 400 * DAY_MS,
		.help = "How far back to ask at the first start; messages are kept 30 days by "
			"SendGrid"},
	INTERVAL("inventory_interval", "15m", "Time between questions for IPs, pools and warm-up"),
	{.section = "sendgrid",
		.name = "key_file",
		.type = CONF_PATH,
		.fallback = "",
		.help = "File with the API key, readable by nobody else (chmod 600); a systemd "
			"credential sendgrid-NAME comes first, the environment's "
			"MTATOP_SENDGRID_NAME_KEY last"},
	{.section = "sendgrid",
		.name = "messages",
		.type = CONF_CHOICE,
		.fallback = "failures",
		.choices = "failures|all|none",
		.help = "Which messages to read: those not delivered, all, or none"},
	{.section = "sendgrid",
		.name = "region",
		.type = CONF_CHOICE,
		.fallback = "global",
		.choices = "global|eu",
		.help = "eu for subusers whose data stays in the EU; they have keys of their own"},
	{.section = "sendgrid",
		.name = "requests_per_minute",
		.type = CONF_INT,
		.fallback = "0",
		.max = 1000000,
		.help = "Requests to one endpoint a minute at most; 0: as mtatop knows SendGrid's "
			"limits"},
	{.section = "sendgrid",
		.name = "subusers",
		.type = CONF_LIST,
		.fallback = "",
		.help = "Subusers to watch with the account, by name; *: all. Their mail is not in "
			"the "
			"account's own figures"},
	INTERVAL("suppressions_interval", "5m",
		"Time between questions for new addresses on the suppression lists"),
	{.section = "sendgrid",
		.name = "time_zone",
		.type = CONF_TEXT,
		.fallback = "",
		.help = "Time zone of the account, by which its days are counted and which the API "
			"does "
			"not tell: a name such as America/Denver, or an offset such as -07:00; "
			"empty: UTC"},
};
