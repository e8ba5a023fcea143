/* SPDX-License-Identifier: MIT */
/* exim/check - what doctor tells of an Exim beside its log: its program, whether its queue can be read, and how. */
#include "backends/exim/discover.h"
#include "backends/exim/queue.h"
#include "backends/exim/spool.h"
#include "backends/queuesource.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_MAX_BYTES 512

/* The spool's group is that of Exim's admins. */
static void queue_fix(const char *spool, char *fix, size_t max)
{
	const struct passwd *pw = getpwuid(geteuid());
	const struct group *gr;
	struct stat st;

	gr = spool && stat(spool, &st) == 0 ? getgrgid(st.st_gid) : NULL;
	snprintf(fix, max, "usermod -aG %s %s   (then log in again)",
		gr ? gr->gr_name : "GROUP-OF-THE-SPOOL", pw ? pw->pw_name : "USER");
}

static int count_row(void *ctx, struct queue_row *row, struct mt_error *reterr)
{
	(void)row;
	(void)reterr;
	++*(size_t *)ctx;
	return 0;
}

/* By exim -bp, where that is shown to everybody. */
static int check_listing(const struct conf *conf, const struct instance_def *def, const char *why,
	const struct check_report *report)
{
	char text[TEXT_MAX_BYTES], fix[TEXT_MAX_BYTES];
	struct mt_error error = {0};
	size_t n = 0;

	queue_fix(def->spool_dir, fix, sizeof(fix));
	if (queue_list_now(&exim_lister, def, conf, count_row, &n, &error) < 0)
		return report->bad("queue", why ? why : error.text, fix);
	snprintf(text, sizeof(text),
		"by exim -bp, %zu messages; reasons and next tries are in the spool alone", n);
	report->good("queue", text);
	return 0;
}

int exim_check(
	const struct conf *conf, const struct instance_def *def, const struct check_report *report)
{
	char *program = exim_program(conf), *dump = exim_dump_program(conf);
	struct mt_error error = {0};
	char text[TEXT_MAX_BYTES];
	struct exim_spool spool;
	int problems = 0;

	if (!program) {
		report->note("Exim", "no program: only its log is read");
	} else if (!def->spool_dir) {
		problems = check_listing(conf, def, NULL, report);
	} else if (exim_spool_open(&spool, def->spool_dir, &error) < 0) {
		exim_spool_close(&spool);
		problems = check_listing(conf, def, error.text, report);
	} else {
		exim_spool_close(&spool);
		snprintf(text, sizeof(text), "from %.400s", def->spool_dir);
		report->good("queue", text);
		if (dump)
			report->good("next tries", dump);
		else
			report->note(
				"next tries", "not known: no exim_dumpdb (Debian: exim4-base)");
	}
	free(program);
	free(dump);
	return problems;
}
