/* SPDX-License-Identifier: MIT */
/* confkeys - the master copy of the [mtatop] keys; see confkeys.h. */
#include "backends/confkeys.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define MEBIBYTE (INT64_C(1) << 20)

#define MINUTE_MS INT64_C(60000)

static const struct conf_key keys[] = {
	{.section = "mtatop",
		.name = "cache",
		.type = CONF_PATH,
		.fallback = "",
		.help = "The cache database; empty: /var/lib/mtatop/cache.db for root, the user's "
			"cache folder for "
			"others"},
	{.section = "mtatop",
		.name = "cache_size",
		.type = CONF_SIZE,
		.fallback = "4G",
		.min = 16 * MEBIBYTE,
		.max = 1024 * 1024 * MEBIBYTE,
		.help = "The cache never grows past this; the oldest rows go first"},
	{.section = "mtatop",
		.name = "keep_attempts",
		.type = CONF_DURATION,
		.fallback = "30d",
		.min = HOUR_MS,
		.max = 3660 * DAY_MS,
		.help = "How long messages, attempts and figures by the minute are kept"},
	{.section = "mtatop",
		.name = "keep_buckets",
		.type = CONF_DURATION,
		.fallback = "400d",
		.min = DAY_MS,
		.max = 36600 * DAY_MS,
		.help = "How long figures by the hour and day are kept"},
	{.section = "mtatop",
		.name = "read_back",
		.type = CONF_DURATION,
		.fallback = "7d",
		.min = 0,
		.max = 3660 * DAY_MS,
		.help = "At the first start, read what the logs and their rotated siblings hold of "
			"this time back; --log and collect --until-caught-up read all there is "
			"unless this is set"},
	{.section = "mtatop",
		.name = "timezone",
		.type = CONF_TEXT,
		.fallback = "",
		.help = "Zone of log stamps without one, such as UTC or +01:00; empty: this "
			"machine's"},
	{.section = "dns",
		.name = "addresses",
		.type = CONF_LIST,
		.fallback = "",
		.help = "Addresses mail leaves from, as the world sees them; looked at beside "
			"those "
			"the mail server's configuration names. With neither, the public addresses "
			"of this machine"},
	{.section = "dns",
		.name = "blocklists",
		.type = CONF_LIST,
		.fallback =
			"zen.spamhaus.org bl.spamcop.net b.barracudacentral.org psbl.surriel.com",
		.help = "DNS block lists the addresses are looked up in. Each has terms of use: "
			"Spamhaus is free for small, non-commercial use and answers no public "
			"resolver, Barracuda wants the resolver registered, SpamCop and PSBL are "
			"free"},
	{.section = "dns",
		.name = "domains",
		.type = CONF_LIST,
		.fallback = "",
		.help = "Own domains, beside those the mail server's configuration names"},
	{.section = "dns",
		.name = "enabled",
		.type = CONF_BOOL,
		.fallback = "yes",
		.help = "Check own addresses and domains in the DNS; no: nothing is asked"},
	{.section = "dns",
		.name = "helo",
		.type = CONF_TEXT,
		.fallback = "",
		.help = "The name the server greets others with; empty: as the mail server's "
			"configuration has it"},
	{.section = "dns",
		.name = "interval",
		.type = CONF_DURATION,
		.fallback = "30m",
		.min = MINUTE_MS,
		.max = HOUR_MS,
		.help = "Time between two rounds; what is asked again is only what its TTL has run "
			"out for"},
	{.section = "dns",
		.name = "selectors",
		.type = CONF_LIST,
		.fallback = "",
		.help = "DKIM selectors in use: SELECTOR for every own domain, or "
			"SELECTOR._domainkey.DOMAIN for one"},
	{.section = "dns",
		.name = "servers",
		.type = CONF_TEXT,
		.fallback = "",
		.help = "Resolvers to ask, as 192.0.2.1,192.0.2.2:5353; empty: the system's"},
};

struct conf_table collector_conf_table(void)
{
	return (struct conf_table){keys, sizeof(keys) / sizeof(keys[0])};
}
