/* SPDX-License-Identifier: MIT */
/* cachefix_warmup - a cache with three sending IPs that are warmed up, and the plans of it; see cachefix.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/mailbox.h"
#include "store/warmup_conf.h"
#include "tests/unit/cachefix.h"

#include <stdio.h>

#define DAY_MS INT64_C(86400000)
#define DAYS 20 /* the last is today, until FIX_NOW_MS */
#define TODAY_MS (FIX_NOW_MS - FIX_NOW_MS % DAY_MS)
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const char config[] = "[warmup ip7]\n"
			     "egress = 203.0.113.7\n"
			     "plan = sparkpost\n"
			     "start = 2026-11-14\n"
			     "target = 75000\n"
			     "mailbox_caps = gmail=20000\n"
			     "[warmup ip8]\n"
			     "egress = 203.0.113.8\n"
			     "plan = sendgrid-manual\n"
			     "start = 2026-11-18\n"
			     "[warmup new-range]\n"
			     "egress = postfix-new\n"
			     "plan = responsys\n"
			     "start = 2026-12-01\n";

/* n recipients of a day by a tag to a mailbox provider, spread over its hours until now. */
static void add(
	struct fix *f, const char *tag, int day, enum mailbox box, enum metric metric, int64_t n)
{
	int64_t key = egress_key((int32_t)fix_dict(f, DICT_SERVICE, tag), (int)box);
	int64_t start = TODAY_MS - (DAYS - 1 - day) * DAY_MS;
	int hours = day == DAYS - 1 ? 12 : 24;

	for (int h = 0; h < hours; h++) {
		int64_t part = n * (h + 1) / hours - n * h / hours;

		if (part == 0)
			continue;
		fix_bucket(f, start + h * FIX_HOUR_MS, 1, DIM_EGRESS_MAILBOX, key, metric, part);
		fix_total(f, start + h * FIX_HOUR_MS, 1, metric, part);
	}
}

static void mails(struct fix *f, const char *tag, int day, int64_t n)
{
	add(f, tag, day, MAILBOX_GMAIL, METRIC_SENT, n * 4 / 10);
	add(f, tag, day, MAILBOX_OUTLOOK, METRIC_SENT, n * 2 / 10);
	add(f, tag, day, MAILBOX_YAHOO, METRIC_SENT, n / 10);
	add(f, tag, day, MAILBOX_OTHER, METRIC_SENT, n * 3 / 10);
	add(f, tag, day, MAILBOX_OTHER, METRIC_BOUNCED, n / 200);
	add(f, tag, day, MAILBOX_YAHOO, METRIC_DEFERRED, n / 100);
}

/* The failures of ip8's gate: one message to 90 recipients of Gmail within the hour before now. */
static void turned_away(struct fix *f)
{
	struct fix_message m = {.provider = 1,
		.t_ms = FIX_NOW_MS - FIX_HOUR_MS,
		.qid = "4FW8TbX1Y2z3",
		.service = "postfix/smtpd",
		.client = "mail.client.example[203.0.113.5]",
		.from = "news@client.example",
		.size = 4321,
		.nrcpt = 90,
		.ndeferred = 90};
	int64_t message = fix_message(f, &m);

	for (int i = 0; i < 90; i++) {
		char rcpt[64];
		struct fix_attempt a = {.message = message,
			.provider = 1,
			.t_ms = FIX_NOW_MS - FIX_HOUR_MS + i * 1000 + 5000,
			.status = STATUS_DEFERRED,
			.rcpt = rcpt,
			.relay = "gmail-smtp-in.l.google.com[192.0.2.27]:25",
			.relay_host = "gmail-smtp-in.l.google.com",
			.relay_port = 25,
			.egress = "postfix-ip8/smtp",
			.reply = "421-4.7.28 Gmail has detected an unusual rate of mail",
			.dsn = DSN_MAKE(4, 7, 28),
			.code = 421,
			.stage = STAGE_MAIL,
			.cs = {200, 10, 2, 80, 108},
			.run = 1};

		snprintf(rcpt, sizeof(rcpt), "reader%02d@gmail.example", i);
		fix_attempt(f, &a);
	}
}

/* Two that fire, one of them seen; one pending, one quiet, one not known; and what happened. */
static void alerts(struct fix *f)
{
	fix_exec(f,
		"INSERT INTO alert(name, phase, severity, since_ms, pending_ms, below_ms, mark, "
		"value, n, text, condition, t_ms, ack_ms, ack_user, hook_due) VALUES"
		" ('gate',2,0,1795433400000,0,0,0,2,NULL,"
		"'warm-up ip8 BACK OFF: Gmail 4.7.28 rate limited, 90 times','gate > 0',"
		"1795435190000,NULL,NULL,0),"
		" ('guesses',2,1,1795428000000,0,0,0,1412,NULL,'1,412 auth-failed',"
		"'auth-failed > 1000',1795435190000,1795428600000,'anna',0),"
		" ('bounce-rate',1,0,0,1795435080000,0,0,5.6,1612,'bounce rate 5.6% of 1,612',"
		"'bounce-rate > 5% for 5m, clears at 3%',1795435190000,NULL,NULL,0),"
		" ('silence',0,1,0,0,0,0,2000,NULL,'no log line of postfix for 2s',"
		"'silence > 12h 00m, clears at 1h 00m',1795435190000,NULL,NULL,0),"
		" ('queue-age',0,0,0,0,0,0,NULL,NULL,'','queue-age > 4d 00h for 5m',"
		"1795435190000,NULL,NULL,0)");
	fix_exec(f, "INSERT INTO alert_log(id, t_ms, name, event, severity, value, text) VALUES"
		    " (1,1795428000000,'guesses',1,1,1012,'1,012 auth-failed'),"
		    " (2,1795428001000,'guesses',4,1,NULL,'the hook ended with status 1'),"
		    " (3,1795428600000,'guesses',3,0,NULL,'anna'),"
		    " (4,1795431600000,'bounce-rate',2,0,2.9,'bounce rate 2.9% of \x1b[31m800'),"
		    " (5,1795433400000,'gate',1,0,2,'warm-up ip8 BACK OFF')");
}

void cachefix_warmup(const char *path)
{
	static const int64_t ip7[] = {
		0, 200, 500, 1000, 2000, 4900, 5000, 9800, 20000, 16600}; /* 14th to today */
	static const int64_t ip8[] = {50, 100, 500, 1000, 5000, 2600}; /* 18th */
	struct fix f;

	fix_open(&f, path);
	fix_exec(&f, "INSERT INTO provider(id, name, kind, host, finest_bucket_s)"
		     " VALUES(1,'postfix','postfix','mx1.example.com',60)");
	fix_exec(&f, "INSERT INTO source(id, provider, name, health, detail, last_ok_ms, newest_ms)"
		     " VALUES(1,1,'log',1,'/var/log/mail.log',1795435199000,1795435198000)");
	fix_exec(&f,
		"INSERT INTO egress(provider, tag, since_ms, ip) VALUES"
		" (1,'postfix-ip7/smtp',0,'203.0.113.7'),(1,'postfix-ip8/smtp',0,'203.0.113.8')");
	fix_total(&f, TODAY_MS - (DAYS - 1) * DAY_MS, 1, METRIC_LINES, 1);
	for (size_t i = 0; i < COUNT(ip7); i++)
		mails(&f, "postfix-ip7/smtp", DAYS - (int)COUNT(ip7) + (int)i, ip7[i]);
	for (size_t i = 0; i < COUNT(ip8); i++)
		mails(&f, "postfix-ip8/smtp", DAYS - (int)COUNT(ip8) + (int)i, ip8[i]);
	add(&f, "postfix-ip8/smtp", DAYS - 1, MAILBOX_GMAIL, METRIC_DEFERRED, 96);
	fix_bucket(&f, FIX_NOW_MS - FIX_HOUR_MS, 1, DIM_GATE,
		egress_key(
			(int32_t)fix_dict(&f, DICT_SERVICE, "postfix-ip8/smtp"), GATE_GMAIL_RATE),
		METRIC_DEFERRED, 90);
	turned_away(&f);
	alerts(&f);
	fix_close(&f);
}

struct conf *cachefix_warmup_plans(struct warmup_plans *out)
{
	static struct conf_table table;
	struct mt_error error = {0};
	struct conf *conf;

	table = warmup_conf_table();
	conf = conf_new(&table, 1);
	if (conf_load_text(conf, "golden.conf", str_of(config), false, &error) < 0 ||
		warmup_plans_load(conf, out, &error) < 0)
		fail_msg("%s", error.text);
	return conf;
}
