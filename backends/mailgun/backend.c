/* SPDX-License-Identifier: MIT */
/* backend - the mailgun family: its configuration keys and its line of registration. */
#include "backends/mailgun/mailgun.h"

#include "backends/keys.h"
#include "backends/mailgun/source.h"

extern const struct backend_ops mailgun_backend;

static const struct conf_key keys[] = {
	{.section = "mailgun",
		.name = "base_url",
		.type = CONF_TEXT,
		.fallback = "",
		.help = "Address of the API, https://HOST[:PORT]; empty: by region. http:// is "
			"taken for loopback "
			"addresses alone"},
	{.section = "mailgun",
		.name = "ca_file",
		.type = CONF_PATH,
		.fallback = "",
		.help = "Certificates to trust instead of the system's, as PEM"},
	{.section = "mailgun",
		.name = "domains",
		.type = CONF_LIST,
		.fallback = "",
		.help = "Sending domains to watch; empty: all the key may see"},
	{.section = "mailgun",
		.name = "events",
		.type = CONF_LIST,
		.fallback = "failed, rejected",
		.help = "Events that are read as messages: accepted delivered failed rejected "
			"opened clicked "
			"unsubscribed complained; each costs requests by the hundred"},
	{.section = "mailgun",
		.name = "key_file",
		.type = CONF_PATH,
		.fallback = "",
		.help = "File with the API key in one line, mode 0600. The systemd credential "
			"mailgun (mailgun-NAME for "
			"[mailgun NAME]) comes before it, the environment's MTATOP_MAILGUN_KEY "
			"(MTATOP_MAILGUN_NAME_KEY) "
			"behind it. A key with the role Analyst is enough"},
	{.section = "mailgun",
		.name = "region",
		.type = CONF_CHOICE,
		.fallback = "us",
		.choices = "us|eu",
		.help = "Where the domains are"},
	{.section = "mailgun",
		.name = "requests_per_minute",
		.type = CONF_INT,
		.fallback = "0",
		.min = 0,
		.max = 100000,
		.help = "Requests each endpoint may get in a minute at most; 0: 10 to 120, well "
			"below the vendor's limits"},
	{.section = "mailgun",
		.name = "subaccount",
		.type = CONF_TEXT,
		.fallback = "",
		.help = "Id of the subaccount to act for; empty: the account itself"},
	{.section = "mailgun",
		.name = "subaccounts",
		.type = CONF_BOOL,
		.fallback = "no",
		.help = "Count the mail of all subaccounts in"},
};

const char *mailgun_base(const struct conf *conf, const char *section)
{
	const char *base = conf_text(conf, "mailgun", section, "base_url");

	if (base[0])
		return base;
	return strcmp(conf_text(conf, "mailgun", section, "region"), "eu") == 0
		       ? "https://api.eu.mailgun.net"
		       : "https://api.mailgun.net";
}

static int discover(const struct conf *conf,
	int (*found)(void *ctx, const struct instance_def *def), void *ctx, struct mt_error *reterr)
{
	return key_providers(conf, "mailgun", found, ctx, reterr);
}

static const struct source_ops *const sources[] = {&mailgun_source, NULL};

const struct backend_ops mailgun_backend = {
	.name = "mailgun",
	.summary = "Mailgun: counters, failures, suppressions, IPs of an account",
	.keys = keys,
	.nkeys = sizeof(keys) / sizeof(keys[0]),
	.caps = BACKEND_CAP_DETAIL,
	.discover = discover,
	.sources = sources,
	.check = mailgun_check,
	.job = mailgun_job,
	.replay_body = mailgun_replay,
};
