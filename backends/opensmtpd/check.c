/* SPDX-License-Identifier: MIT */
/* opensmtpd/check - what doctor tells of an OpenSMTPD beside its log: is it up, by `smtpctl show stats`, and its queue. */
#include "backends/opensmtpd/queue.h"
#include "backends/postfix/config.h"
#include "backends/spawn.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define STATS_MAX_BYTES 65536
#define TEXT_MAX_BYTES 256
#define SHOWN_BYTES 32

/* The value of "name=value". */
static struct str value_of(struct str lines, struct str name)
{
	while (lines.n) {
		struct str line = str_first(lines, str_find_char(lines, '\n'));

		lines = str_skip(lines, line.n + 1);
		if (str_starts(line, name) && line.n > name.n && line.p[name.n] == '=')
			return str_first(str_skip(line, name.n + 1), SHOWN_BYTES);
	}
	return STR_LIT("?");
}

int opensmtpd_check(
	const struct conf *conf, const struct instance_def *def, const struct check_report *report)
{
	char *tool = spawn_find_tool("smtpctl");
	const char *argv[] = {tool, "show", "stats", NULL};
	struct mt_error error = {0};
	char text[TEXT_MAX_BYTES];
	struct str up, envelopes;
	struct buf out;
	int rc;

	(void)conf;
	(void)def;
	buf_init(&out, STATS_MAX_BYTES);
	rc = tool ? postfix_run_text(argv, (struct str){0}, &out, NULL, &error) : MT_ENOENT;
	up = value_of(buf_str(&out), STR_LIT("uptime.human"));
	envelopes = value_of(buf_str(&out), STR_LIT("scheduler.envelope"));
	if (!tool) {
		report->note("OpenSMTPD", "no smtpctl: only its log is read");
	} else if (rc == 0) {
		snprintf(text, sizeof(text), "up for %.*s, %.*s envelopes in its queue, by smtpctl",
			STR_ARG(up), STR_ARG(envelopes));
		report->good("OpenSMTPD", text);
	} else if (geteuid() != 0) {
		report->note("queue", "by the log: smtpctl shows the queue to root alone");
	} else {
		report->note("OpenSMTPD", rc < 0 ? error.text : "smtpd does not run");
	}
	buf_done(&out);
	free(tool);
	return 0;
}
