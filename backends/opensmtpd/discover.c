/* SPDX-License-Identifier: MIT */
/* opensmtpd/discover - the OpenSMTPD of this machine: where smtpctl(8) and smtpd.conf(5) both are, or a log was named. */
#include "backends/opensmtpd/discover.h"
#include "backends/spawn.h"

#include <stdlib.h>
#include <unistd.h>

#define LOGS_MAX 8

const struct conf_key opensmtpd_keys[OPENSMTPD_NKEYS] = {
	{.section = "opensmtpd",
		.name = "enabled",
		.type = CONF_BOOL,
		.fallback = "yes",
		.help = "Watch the OpenSMTPD of this machine"},
	{.section = "opensmtpd",
		.name = "log",
		.type = CONF_LIST,
		.fallback = "",
		.help = "Log files in order of preference; empty: the usual ones in /var/log"},
	{.section = "opensmtpd",
		.name = "queue",
		.type = CONF_BOOL,
		.fallback = "yes",
		.help = "Read the mail queue"},
	{.section = "opensmtpd",
		.name = "queue_interval",
		.type = CONF_DURATION,
		.fallback = "10s",
		.min = 1000,
		.max = 86400000,
		.help = "Least time between listings of the queue; made longer so that listing "
			"costs at most 2 % of a core"},
};

static bool is_here(void)
{
	static const char *const configs[] = {"/etc/smtpd.conf", "/etc/mail/smtpd.conf",
		"/etc/opensmtpd/smtpd.conf", "/usr/local/etc/mail/smtpd.conf"};
	char *tool = spawn_find_tool("smtpctl");
	bool found = false;

	for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++)
		found |= access(configs[i], F_OK) == 0;
	free(tool);
	return tool && found;
}

int opensmtpd_discover(const struct conf *conf,
	int (*found)(void *ctx, const struct instance_def *def), void *ctx, struct mt_error *reterr)
{
	static const char *const usual[] = {
		"/var/log/mail.log", "/var/log/maillog", "/var/log/syslog", "/var/log/messages"};
	struct instance_def def = {.family = "opensmtpd", .name = "opensmtpd"};

	(void)reterr;
	if (!conf_bool(conf, "opensmtpd", NULL, "enabled"))
		return 0;
	def.logs = conf_list(conf, "opensmtpd", NULL, "log", &def.nlogs);
	def.nlogs = def.nlogs > LOGS_MAX ? LOGS_MAX : def.nlogs;
	if (def.nlogs == 0) {
		if (!is_here())
			return 0;
		def.logs = usual;
		def.nlogs = sizeof(usual) / sizeof(usual[0]);
	}
	return found(ctx, &def) < 0 ? MT_ECANCELED : 1;
}
