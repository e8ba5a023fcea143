/* SPDX-License-Identifier: MIT */
/*
 * sendmail/discover - the Sendmail of this machine: where mailstats(8) and sendmail.cf both are, or a log was named.
 *
 * Every mail server brings a program called sendmail; none but Sendmail brings mailstats.
 */
#include "backends/sendmail/discover.h"
#include "backends/spawn.h"

#include "backends/sendmail/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOGS_MAX 8

const struct conf_key sendmail_keys[SENDMAIL_NKEYS] = {
	{.section = "sendmail",
		.name = "config",
		.type = CONF_PATH,
		.fallback = "/etc/mail/sendmail.cf",
		.help = "The server's configuration, which names its queue"},
	{.section = "sendmail",
		.name = "enabled",
		.type = CONF_BOOL,
		.fallback = "yes",
		.help = "Watch the Sendmail of this machine"},
	{.section = "sendmail",
		.name = "log",
		.type = CONF_LIST,
		.fallback = "",
		.help = "Log files in order of preference; empty: the usual ones in /var/log"},
	{.section = "sendmail",
		.name = "mailq",
		.type = CONF_PATH,
		.fallback = "",
		.help = "The mailq program, for a queue whose files can't be read; empty: in the "
			"system's folders"},
	{.section = "sendmail",
		.name = "queue",
		.type = CONF_BOOL,
		.fallback = "yes",
		.help = "Read the mail queue, and that of submissions"},
	{.section = "sendmail",
		.name = "queue_interval",
		.type = CONF_DURATION,
		.fallback = "10s",
		.min = 1000,
		.max = 86400000,
		.help = "Least time between listings of the queue; made longer so that listing "
			"costs at most 2 % of a core"},
	{.section = "sendmail",
		.name = "submit_config",
		.type = CONF_PATH,
		.fallback = "/etc/mail/submit.cf",
		.help = "The configuration of submissions, which names their queue"},
};

static bool is_here(const struct conf *conf)
{
	static const char *const programs[] = {"/usr/libexec/sendmail/sendmail",
		"/usr/libexec/sendmail/mailstats", "/usr/lib/sm.bin/mailstats"};
	char *tool = spawn_find_tool("mailstats");
	bool program = tool != NULL;

	free(tool);
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		program |= access(programs[i], X_OK) == 0;
	return program && access(conf_text(conf, "sendmail", NULL, "config"), F_OK) == 0;
}

/* What the sandbox is to leave open: the queue, and the folders of pid file and host status. */
static void set_paths(
	struct instance_def *def, struct sendmail_config *c, const struct conf *conf, char *spool)
{
	if (sendmail_config_load(c, conf_text(conf, "sendmail", NULL, "config"), NULL) < 0)
		return;
	if (c->nqueues) {
		snprintf(spool, SENDMAIL_PATH_BYTES, "%s", c->queue[0]);
		if (spool[strlen(spool) - 1] == '*')
			*strrchr(spool, '/') = '\0';
	}
	def->spool_dir = spool[0] ? spool : NULL;
	def->key_path = c->pid_file[0] ? c->pid_file : NULL;
	def->ca_path = c->host_status[0] ? c->host_status : NULL;
}

int sendmail_discover(const struct conf *conf,
	int (*found)(void *ctx, const struct instance_def *def), void *ctx, struct mt_error *reterr)
{
	static const char *const usual[] = {
		"/var/log/mail.log", "/var/log/maillog", "/var/log/syslog", "/var/log/messages"};
	struct instance_def def = {.family = "sendmail", .name = "sendmail"};
	char spool[SENDMAIL_PATH_BYTES] = "";
	struct sendmail_config config;

	(void)reterr;
	if (!conf_bool(conf, "sendmail", NULL, "enabled"))
		return 0;
	def.logs = conf_list(conf, "sendmail", NULL, "log", &def.nlogs);
	def.nlogs = def.nlogs > LOGS_MAX ? LOGS_MAX : def.nlogs;
	if (def.nlogs == 0) {
		if (!is_here(conf))
			return 0;
		def.logs = usual;
		def.nlogs = sizeof(usual) / sizeof(usual[0]);
	}
	set_paths(&def, &config, conf, spool);
	return found(ctx, &def) < 0 ? MT_ECANCELED : 1;
}
