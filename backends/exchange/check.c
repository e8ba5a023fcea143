/* SPDX-License-Identifier: MIT */
/* exchange/check - doctor's lines: which logs are in the folders named, which figures stay unknown without the others. */
#include "backends/exchange/discover.h"
#include "backends/logfile.h"
#include "backends/series.h"
#include "store/base/buf.h"
#include "store/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX_BYTES 512
#define KINDS_MAX 16

struct seen { /* the kinds of log in one folder, and in all */
	char kind[KINDS_MAX][SERIES_PREFIX_MAX_BYTES + 1];
	size_t n;
};

static int see(void *ctx, struct str prefix)
{
	struct seen *s = ctx;

	for (size_t i = 0; i < s->n; i++)
		if (str_ieq(str_of(s->kind[i]), prefix))
			return 0;
	if (s->n == KINDS_MAX || prefix.n > SERIES_PREFIX_MAX_BYTES || !exchange_reads(prefix))
		return 0;
	memcpy(s->kind[s->n], prefix.p, prefix.n);
	s->kind[s->n++][prefix.n] = '\0';
	return 0;
}

static bool has(const struct seen *s, const char *kind)
{
	for (size_t i = 0; i < s->n; i++)
		if (str_ieq(str_of(s->kind[i]), str_of(kind)))
			return true;
	return false;
}

/* readable - is the newest file of a kind? */
static bool readable(const char *folder, const char *kind, struct mt_error *reterr)
{
	struct rotated files;
	struct logfile f;
	int rc = series_list(folder, kind, &files, reterr);

	if (rc == 0 && files.n) {
		rc = logfile_open(&f, files.files[files.n - 1].path, reterr);
		if (rc == 0)
			logfile_close(&f);
	}
	rotated_done(&files);
	return rc == 0;
}

static int check_folder(const char *folder, struct seen *all, const struct check_report *report)
{
	struct seen here = {.n = 0};
	struct mt_error error = {0};
	char text[TEXT_MAX_BYTES];
	size_t at;

	if (series_prefixes(folder, see, &here, &error) < 0)
		return report->bad("log", error.text,
			"mount the share, let this user list it, or correct folder in [exchange]");
	at = (size_t)snprintf(text, sizeof(text), "%.300s:", folder);
	for (size_t i = 0; i < here.n; i++) {
		if (!readable(folder, here.kind[i], &error))
			return report->bad(
				"log", error.text, "let this user read the files of the share");
		see(all, str_of(here.kind[i]));
		at += (size_t)snprintf(
			text + at, sizeof(text) - at, "%s %s", i ? "," : "", here.kind[i]);
		at = at < sizeof(text) ? at : sizeof(text) - 1;
	}
	if (here.n) {
		report->good("log", text);
	} else {
		snprintf(text, sizeof(text),
			"%.300s: no MSGTRK*, RECV*, SEND* or CONNECTLOG*.LOG in it", folder);
		report->note("log", text);
	}
	return 0;
}

int exchange_check(
	const struct conf *conf, const struct instance_def *def, const struct check_report *report)
{
	struct seen all = {.n = 0};
	int problems = 0;

	(void)conf;
	for (size_t i = 0; i < def->nlogs; i++)
		problems += check_folder(def->logs[i], &all, report);
	if (problems)
		return problems;
	if (!has(&all, "MSGTRK"))
		report->note("messages", "unknown: no MSGTRK*.LOG (Set-TransportService "
					 "-MessageTrackingLogEnabled $true)");
	else if (!has(&all, "MSGTRKMD"))
		report->note("deliveries to mailboxes",
			"of Exchange 2013 and later are in MSGTRKMD*.LOG, which is not there: they "
			"are "
			"counted as handed over");
	if (!has(&all, "RECV"))
		report->note("ports, logins, TLS, refusals",
			"unknown: no RECV*.LOG (Set-ReceiveConnector -ProtocolLoggingLevel "
			"Verbose)");
	if (!has(&all, "CONNECTLOG") && !has(&all, "SEND"))
		report->note("servers that can't be reached",
			"unknown: no CONNECTLOG*.LOG and no SEND*.LOG");
	return problems;
}
