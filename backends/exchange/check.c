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

/* add_kind - false: it was there. */
static bool add_kind(struct seen *s, struct str prefix)
{
	if (s->n == KINDS_MAX || prefix.n > SERIES_PREFIX_MAX_BYTES)
		return false;
	for (size_t i = 0; i < s->n; i++)
		if (str_ieq(str_of(s->kind[i]), prefix))
			return false;
	memcpy(s->kind[s->n], prefix.p, prefix.n);
	s->kind[s->n++][prefix.n] = '\0';
	return true;
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

struct checking {
	const struct check_report *report;
	struct seen here, all;
	char *folder; /* owned; whose kinds are in here */
	size_t nfolders; /* with logs in them */
	int problems;
};

/* tell_folder - the line of a folder whose kinds are all known. */
static void tell_folder(struct checking *c)
{
	struct mt_error error = {0};
	char text[TEXT_MAX_BYTES];
	size_t at;

	if (!c->folder)
		return;
	at = (size_t)snprintf(text, sizeof(text), "%.300s:", c->folder);
	for (size_t i = 0; i < c->here.n; i++) {
		if (!readable(c->folder, c->here.kind[i], &error)) {
			c->problems += c->report->bad(
				"log", error.text, "let this user read the files of the share");
			goto out;
		}
		at += (size_t)snprintf(
			text + at, sizeof(text) - at, "%s %s", i ? "," : "", c->here.kind[i]);
		at = at < sizeof(text) ? at : sizeof(text) - 1;
	}
	c->report->good("log", text);
out:
	c->nfolders++;
	c->here.n = 0;
	free(c->folder);
	c->folder = NULL;
}

static int see(void *ctx, const char *folder, struct str prefix)
{
	struct checking *c = ctx;

	if (!exchange_reads(prefix))
		return 0;
	if (c->folder && strcmp(c->folder, folder) != 0)
		tell_folder(c);
	if (!c->folder)
		c->folder = xstrdup(folder);
	add_kind(&c->here, prefix);
	add_kind(&c->all, prefix);
	return 0;
}

static void check_folder(struct checking *c, const char *top)
{
	struct mt_error error = {0};
	char text[TEXT_MAX_BYTES];
	size_t before = c->nfolders;

	if (series_each(top, see, c, &error) < 0) {
		c->problems += c->report->bad("log", error.text,
			"mount the share, let this user list it, or correct folder in [exchange]");
		return;
	}
	tell_folder(c);
	snprintf(text, sizeof(text), "%.300s: no MSGTRK*, RECV*, SEND* or CONNECTLOG*.LOG in it",
		top);
	if (c->nfolders == before)
		c->report->note("log", text);
}

int exchange_check(
	const struct conf *conf, const struct instance_def *def, const struct check_report *report)
{
	struct checking c = {.report = report};

	(void)conf;
	for (size_t i = 0; i < def->nlogs; i++)
		check_folder(&c, def->logs[i]);
	if (c.problems)
		return c.problems;
	if (!has(&c.all, "MSGTRK"))
		report->note("messages", "unknown: no MSGTRK*.LOG (Set-TransportService "
					 "-MessageTrackingLogEnabled $true)");
	else if (!has(&c.all, "MSGTRKMD"))
		report->note("deliveries to mailboxes",
			"of Exchange 2013 and later are in MSGTRKMD*.LOG, which is not there: they "
			"are "
			"counted as handed over");
	if (!has(&c.all, "RECV"))
		report->note("ports, logins, TLS, refusals",
			"unknown: no RECV*.LOG (Set-ReceiveConnector -ProtocolLoggingLevel "
			"Verbose)");
	if (!has(&c.all, "CONNECTLOG") && !has(&c.all, "SEND"))
		report->note("servers that can't be reached",
			"unknown: no CONNECTLOG*.LOG and no SEND*.LOG");
	return 0;
}
