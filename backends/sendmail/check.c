/* SPDX-License-Identifier: MIT */
/* sendmail/check - see check.h. */
#include "backends/sendmail/check.h"

#include "backends/sendmail/file.h"
#include "backends/sendmail/folders.h"

#include <stdio.h>
#include <unistd.h>

#define TEXT_MAX_BYTES 512
#define PID_MAX_BYTES 4096
#define LOG_DELIVERIES 9 /* deferrals, who logged in, how it was encrypted */
#define LOG_CONNECTIONS 12

static void check_log_level(const struct sendmail_config *c, const struct check_report *report)
{
	if (c->log_level < LOG_DELIVERIES)
		report->note("LogLevel",
			"below 9: deferrals, log-ins and TLS are not logged, and unknown here; O "
			"LogLevel=9");
	else if (c->log_level < LOG_CONNECTIONS)
		report->note("LogLevel",
			"connections are not logged below 12, and unknown here; all else is");
	else
		report->good("LogLevel", "connections are logged, too");
}

static void check_runs(const struct sendmail_config *c, const struct check_report *report)
{
	struct buf text;
	bool known = false;

	buf_init(&text, PID_MAX_BYTES);
	if (c->pid_file[0] && sendmail_file_read(-1, c->pid_file, &text, NULL) == 0)
		known = sendmail_run_interval_ms(buf_str(&text)) > 0;
	buf_done(&text);
	if (known)
		report->good("next try", "by the -q of the daemon, from its pid file");
	else
		report->note("next try", "not known: no pid file with the -q of a running daemon");
}

static void check_hosts(const struct sendmail_config *c, const struct check_report *report)
{
	if (c->host_status[0] && access(c->host_status, R_OK | X_OK) == 0)
		report->good("hoststat", c->host_status);
	else if (c->host_status[0])
		report->note("hoststat", "HostStatusDirectory is not readable by this user");
}

/* Its queue, by the files, or how else; false: neither. */
static void check_folders(const struct sendmail_config *c, const char *what, bool submission,
	const struct check_report *report)
{
	struct sendmail_folders f;
	struct mt_error error = {0};
	char text[TEXT_MAX_BYTES];

	sendmail_folders_init(&f);
	if (c->nqueues > 0 && sendmail_folders_add(&f, c, submission, &error) == 0) {
		snprintf(text, sizeof(text), "from its files, %.400s",
			f.n ? f.all[0].path : "no folder");
		report->good(what, text);
	} else {
		snprintf(text, sizeof(text), "%.300s; by mailq instead, if that lets this user",
			c->nqueues ? error.text : "no QueueDirectory");
		report->note(what, text);
	}
	sendmail_folders_done(&f);
}

int sendmail_check(
	const struct conf *conf, const struct instance_def *def, const struct check_report *report)
{
	const char *path = conf_text(conf, "sendmail", NULL, "config");
	struct sendmail_config c;
	struct mt_error error = {0};

	(void)def;
	if (!conf_bool(conf, "sendmail", NULL, "queue"))
		return 0;
	if (sendmail_config_load(&c, path, &error) < 0)
		return report->bad("sendmail.cf", error.text,
			"name it: config = /path/sendmail.cf in [sendmail] of mtatop.conf");
	report->good("sendmail.cf", path);
	check_log_level(&c, report);
	check_folders(&c, "queue", false, report);
	check_runs(&c, report);
	check_hosts(&c, report);
	if (sendmail_config_load(&c, conf_text(conf, "sendmail", NULL, "submit_config"), &error) <
		0)
		report->note("submissions", "no submit.cf: their queue is unknown");
	else
		check_folders(&c, "submissions", true, report);
	return 0;
}
