/* SPDX-License-Identifier: MIT */
/* doctor - what was found on this machine, what can't be read, and the exact fix; one line each. */
#include "backends/collector.h"
#include "backends/instances.h"
#include "backends/logfile.h"
#include "backends/postfix/config.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void good(const char *what, const char *value)
{
	printf("ok  %s: %s\n", what, value);
}

static int bad(const char *what, const char *why, const char *fix)
{
	printf("!!  %s: %s\n      fix: %s\n", what, why, fix);
	return 1;
}

static const char *user_name(void)
{
	const struct passwd *pw = getpwuid(geteuid());

	return pw ? pw->pw_name : "USER";
}

static int check_log(const struct instance_def *def)
{
	struct mt_error error = {0};
	struct logfile f;
	char fix[256];
	const char *path = def->nlogs ? def->logs[0] : NULL;
	struct stat st;

	for (size_t i = 0; i < def->nlogs; i++) {
		if (stat(def->logs[i], &st) == 0) {
			path = def->logs[i];
			break;
		}
	}
	if (!path)
		return bad("log", "no log file is known",
			"postconf -e maillog_file=/var/log/mail.log && postfix reload");
	if (logfile_open(&f, path, &error) == 0) {
		good("log", path);
		logfile_close(&f);
		return 0;
	}
	snprintf(fix, sizeof(fix), "usermod -aG adm %s   (then log in again)", user_name());
	if (error.code == MT_ENOENT)
		snprintf(fix, sizeof(fix), "postconf -e maillog_file=%.150s && postfix reload",
			path);
	return bad("log", error.text, fix);
}

static int check_queue(const struct instance_def *def)
{
	struct postfix_config config;
	struct mt_error error = {0};
	char path[512];
	int problems = 0;

	if (!def->config_dir)
		return 0;
	if (postfix_config_load(&config, def->config_dir, &error) < 0) {
		problems = bad("postconf", error.text,
			"install Postfix's tools in /usr/sbin, or check config_directory");
		postfix_config_done(&config);
		return problems;
	}
	good("Postfix", config.mail_version[0] ? config.mail_version : "version unknown");
	snprintf(path, sizeof(path), "%.400s/deferred", config.queue_directory);
	if (access(path, R_OK | X_OK) == 0)
		good("queue depth", "from the spool");
	else
		good("queue depth", "from postqueue (the spool is not readable; maildrop and "
				    "corrupt stay unknown)");
	snprintf(path, sizeof(path), "%.400s/postqueue", config.command_directory);
	if (access(path, X_OK) != 0)
		problems += bad("postqueue", "can't be run",
			"check command_directory and the file's mode (setgid postdrop)");
	else
		good("postqueue", path);
	if (config.smtpd_tls_loglevel == 0)
		printf("--  TLS in: smtpd_tls_loglevel=0: known by STARTTLS counts alone; postconf "
		       "-e smtpd_tls_loglevel=1\n");
	postfix_config_done(&config);
	return problems;
}

static int check_cache(const char *path)
{
	struct stat st;
	char fix[256];

	if (stat(path, &st) < 0) {
		printf("--  cache: %s is not there yet\n", path);
		return 0;
	}
	if (st.st_mode & 077) {
		snprintf(fix, sizeof(fix), "chmod 600 %.200s", path);
		return bad("cache", "others can read it, and it holds addresses", fix);
	}
	good("cache", path);
	return 0;
}

int doctor_run(const struct conf *conf, const char *cache_path)
{
	struct instances list;
	struct mt_error error = {0};
	int problems = check_cache(cache_path);

#ifdef HAVE_LIBSYSTEMD
	good("journal", "built in");
#else
	printf("--  journal: reading the systemd journal is not built in\n");
#endif
	if (instances_find(conf, NULL, 0, &list, &error) < 0)
		problems += bad("mail system", error.text,
			"install and start Postfix, or name its config_directory in mtatop.conf");
	for (size_t i = 0; i < list.n; i++) {
		good("provider", list.all[i]->def.name);
		problems += check_log(&list.all[i]->def);
		problems += check_queue(&list.all[i]->def);
	}
	instances_done(&list);
	return problems;
}
