/* SPDX-License-Identifier: MIT */
/* doctor - what was found on this machine, what can't be read, and the exact fix; one line each. */
#include "backends/collector.h"
#include "backends/instances.h"
#include "backends/journal.h"
#include "backends/logfile.h"
#include "backends/helper.h"
#include "backends/postfix/config.h"
#include "backends/sandbox.h"
#include "store/base/mem.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIX_MAX_BYTES 512 /* a command with a path of usual length in it, twice */
#define GROUP_LIST_MAX 128

static void good(const char *what, const char *value)
{
	printf("ok  %s: %s\n", what, value);
}

static int bad(const char *what, const char *why, const char *fix)
{
	printf("!!  %s: %s\n      fix: %s\n", what, why, fix);
	return 1;
}

static void note(const char *what, const char *text)
{
	printf("--  %s: %s\n", what, text);
}

static const char *user_name(void)
{
	const struct passwd *pw = getpwuid(geteuid());

	return pw ? pw->pw_name : "USER";
}

static bool is_postfix(const struct instance_def *def)
{
	return strcmp(def->family, "postfix") == 0;
}

/* log_fix - what lets this user read it: the file's group where that may read, else an entry of its own. */
static void log_fix(const struct instance_def *def, const char *path, char *fix, size_t max)
{
	const struct group *gr;
	struct stat st;

	if (stat(path, &st) < 0 && errno == ENOENT) {
		if (is_postfix(def))
			snprintf(fix, max, "postconf -e maillog_file=%.150s && postfix reload",
				path);
		else
			snprintf(fix, max,
				"start it and send something, or name its log in mtatop.conf: [%s] "
				"log = FILE",
				def->family);
		return;
	}
	gr = stat(path, &st) == 0 && (st.st_mode & S_IRGRP) ? getgrgid(st.st_gid) : NULL;
	if (gr && st.st_gid != 0)
		snprintf(fix, max, "usermod -aG %s %s   (then log in again)", gr->gr_name,
			user_name());
	else
		snprintf(fix, max, "chgrp adm '%.150s' && chmod 640 '%.150s' && usermod -aG adm %s",
			path, path, user_name());
}

static int check_journal(const struct instance_def *def)
{
	const char *why = def->nlogs ? "the systemd journal, as there is no log file"
				     : "the systemd journal, as configured";
	struct mt_error error = {0};
	char fix[256];
	bool entries = false;

	snprintf(fix, sizeof(fix), "usermod -aG systemd-journal %s   (then log in again)",
		user_name());
	if (journal_check(def, &entries, &error) < 0)
		return bad("log", error.text,
			journal_built_in() ? fix : "build it with -Djournal=enabled");
	good("log", why);
	if (!entries)
		printf("--  journal: nothing of the mail facility is in it yet\n");
	return 0;
}

static int check_log(const struct instance_def *def)
{
	struct mt_error error = {0};
	struct logfile f;
	char fix[FIX_MAX_BYTES];
	const char *path = def->nlogs ? def->logs[0] : NULL;
	struct stat st;

	for (size_t i = 0; i < def->nlogs; i++) {
		if (stat(def->logs[i], &st) == 0) {
			path = def->logs[i];
			break;
		}
	}
	if (journal_wanted(def))
		return check_journal(def);
	if (!path)
		return bad("log", "no log file is known",
			is_postfix(def)
				? "postconf -e maillog_file=/var/log/mail.log && postfix reload"
				: "name it in mtatop.conf (log = FILE)");
	if (logfile_open(&f, path, &error) == 0) {
		good("log", path);
		logfile_close(&f);
		return 0;
	}
	log_fix(def, path, fix, sizeof(fix));
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

static int check_folder(const char *path)
{
	char *folder = xstrdup(path), *slash = strrchr(folder, '/');
	char fix[FIX_MAX_BYTES];
	struct stat st;
	int problems = 0;

	if (slash && slash != folder) {
		*slash = '\0';
		snprintf(fix, sizeof(fix), "chmod go-w '%.200s'", folder);
		if (stat(folder, &st) == 0 && (st.st_mode & 022) && !(st.st_mode & S_ISVTX))
			problems = bad("cache", "others can write its folder", fix);
	}
	free(folder);
	return problems;
}

static int check_cache(const char *path)
{
	struct stat st;
	char fix[FIX_MAX_BYTES];

	if (stat(path, &st) < 0) {
		printf("--  cache: %s is not there yet\n", path);
		return 0;
	}
	if (st.st_mode & 077) {
		snprintf(fix, sizeof(fix), "chmod 600 %.200s", path);
		return bad("cache", "others can read it, and it holds addresses", fix);
	}
	good("cache", path);
	return check_folder(path);
}

static bool in_group(const char *name)
{
	const struct group *gr = getgrnam(name);
	gid_t all[GROUP_LIST_MAX];
	int n = getgroups(GROUP_LIST_MAX, all);

	if (!gr)
		return false;
	for (int i = 0; i < n; i++)
		if (all[i] == gr->gr_gid)
			return true;
	return getegid() == gr->gr_gid;
}

/* check_privileges - what of README "Security" is in force here, each seen, not assumed. */
static int check_privileges(const char *cache_path)
{
	struct sandbox_state sandbox;
	struct rlimit core = {1, 1};
	char fix[FIX_MAX_BYTES], text[FIX_MAX_BYTES];
	int problems = 0;

	if (geteuid() == 0)
		printf("--  user: root is not needed; a user in group adm is enough\n");
	else
		good("user", user_name());
	snprintf(fix, sizeof(fix), "gpasswd -d %s postdrop   (then log in again)", user_name());
	if (geteuid() != 0 && in_group("postdrop"))
		problems += bad("group postdrop", "who is in it can put mail into the queue", fix);
	if (helper_running())
		good("helper", "one process alone starts Postfix's tools");
	(void)getrlimit(RLIMIT_CORE, &core);
	if (core.rlim_max == 0 && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0)
		good("core files", "none, and no other process of this user can look in");
	else
		printf("--  core files: not shut off in this build\n");
	sandbox_probe(cache_path, &sandbox);
	if (sandbox.no_new_privs)
		good("NO_NEW_PRIVS", "set; no setuid program lends this process its rights");
	else
		printf("--  NO_NEW_PRIVS: this kernel refuses it\n");
	snprintf(text, sizeof(text),
		"Landlock ABI %d: no program is started, only the cache's folder is written",
		sandbox.landlock_abi);
	if (sandbox.landlock_abi)
		good("sandbox", text);
	else
		printf("--  sandbox: this kernel has no Landlock (Linux 5.13, lsm=landlock,... on "
		       "its "
		       "command line)\n");
	return problems;
}

int doctor_run(const struct conf *conf, const char *cache_path)
{
	static const struct check_report report = {good, note, bad};
	struct instances list;
	struct mt_error error = {0};
	int problems = check_cache(cache_path) + check_privileges(cache_path);

	if (!journal_built_in())
		printf("--  journal: reading the systemd journal is not built in\n");
	if (instances_find(conf, NULL, 0, &list, &error) < 0)
		problems += bad("mail system", error.text,
			"install and start a mail server, or name its log or folder in "
			"mtatop.conf");
	for (size_t i = 0; i < list.n; i++) {
		const struct backend_ops *family = list.all[i]->family;

		good("provider", list.all[i]->def.name);
		if (family->check)
			problems += family->check(conf, &list.all[i]->def, &report);
		if (!family->parse || list.all[i]->def.folders)
			continue;
		problems += check_log(&list.all[i]->def);
		problems += check_queue(&list.all[i]->def);
	}
	instances_done(&list);
	return problems;
}
