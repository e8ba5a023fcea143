/* SPDX-License-Identifier: MIT */
/* probe_conf - see probe_conf.h. */
#include "backends/probe_conf.h"

#include <stdlib.h>

#define SECTION "probe"
#define SECOND_MS 1000
#define MINUTE_MS 60000
#define DAY_MS 86400000

static const struct conf_key keys[] = {
	{.section = SECTION,
		.name = "ca_file",
		.type = CONF_PATH,
		.fallback = "",
		.help = "Certificates of CAs (PEM) to check servers against; empty: the system's"},
	{.section = SECTION,
		.name = "enabled",
		.type = CONF_BOOL,
		.fallback = "yes",
		.help = "no: the collector probes nothing by itself; mtatop probe and the key on "
			"the probes view still do"},
	{.section = SECTION,
		.name = "helo",
		.type = CONF_TEXT,
		.fallback = "",
		.help = "The name to say in EHLO; empty: this host's"},
	{.section = SECTION,
		.name = "interval",
		.type = CONF_DURATION,
		.fallback = "5m",
		.min = MINUTE_MS,
		.max = DAY_MS,
		.help = "How often listeners of this machine, targets and relays are probed"},
	{.section = SECTION,
		.name = "listeners",
		.type = CONF_LIST,
		.fallback = "",
		.help = "Listeners of this machine, HOST:PORT; empty: 127.0.0.1 on those of 25, "
			"465 "
			"and 587 that its mail server has"},
	{.section = SECTION,
		.name = "mx",
		.type = CONF_INT,
		.fallback = "3",
		.min = 0,
		.max = 20,
		.help = "How many hosts to probe on port 25, those most mail went to by the log in "
			"the last 24 hours: is the way out open? 0: none"},
	{.section = SECTION,
		.name = "mx_interval",
		.type = CONF_DURATION,
		.fallback = "1h",
		.min = 10 * MINUTE_MS,
		.max = DAY_MS,
		.help = "How often those hosts are probed; they are other people's, so seldom"},
	{.section = SECTION,
		.name = "relays",
		.type = CONF_LIST,
		.fallback = "",
		.help = "Smart hosts mail is handed to, HOST[:PORT] (port 25 without one)"},
	{.section = SECTION,
		.name = "self_check",
		.type = CONF_BOOL,
		.fallback = "no",
		.help = "Ask listeners of this machine, and no other, whether they would relay for "
			"a stranger: MAIL and RCPT, then RSET; no message is sent. Each check is "
			"a line in the server's log"},
	{.section = SECTION,
		.name = "self_check_from",
		.type = CONF_TEXT,
		.fallback = "",
		.help = "An address of this machine outside of the server's mynetworks to check "
			"from; without it the server may trust this machine, and a recipient it "
			"takes proves nothing"},
	{.section = SECTION,
		.name = "self_check_to",
		.type = CONF_TEXT,
		.fallback = "check@example.com",
		.help = "The recipient of the self-check, in a domain the server is not for"},
	{.section = SECTION,
		.name = "targets",
		.type = CONF_LIST,
		.fallback = "",
		.help = "More servers to probe, HOST[:PORT] (port 25 without one)"},
	{.section = SECTION,
		.name = "timeout",
		.type = CONF_DURATION,
		.fallback = "20s",
		.min = SECOND_MS,
		.max = 5 * MINUTE_MS,
		.help = "The longest a step (connecting, greeting, an answer, the TLS handshake) "
			"may "
			"take; a whole probe three times this"},
};

struct conf_table probe_conf_table(void)
{
	return (struct conf_table){keys, sizeof(keys) / sizeof(keys[0])};
}

void probe_conf_options(const struct conf *conf, struct probe_options *out)
{
	out->timeout_ms = conf_int(conf, SECTION, NULL, "timeout");
	out->helo = conf_text(conf, SECTION, NULL, "helo");
	out->ca_file = conf_text(conf, SECTION, NULL, "ca_file");
	out->relay_to = conf_text(conf, SECTION, NULL, "self_check_to");
}

int probe_conf_check(const struct conf *conf, struct mt_error *reterr)
{
	static const char *const lists[] = {"listeners", "relays", "targets"};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		size_t n;
		const char *const *items = conf_list(conf, SECTION, NULL, lists[i], &n);

		for (size_t k = 0; k < n; k++) {
			struct mt_error why;
			char *host;
			int port;

			if (probe_parse_target(
				    str_of(items[k]), OUTBOUND_PORT, &host, &port, &why) < 0)
				return mt_error_set(reterr, MT_ECONFIG, "[" SECTION "] %s: %s",
					lists[i], why.text);
			free(host);
		}
	}
	return 0;
}
