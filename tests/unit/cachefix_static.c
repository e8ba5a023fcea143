/* SPDX-License-Identifier: MIT */
/* cachefix_static - the parts of the known cache that are no log records: providers, sources, services, queue, samples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/cachefix.h"

#include <stdio.h>

/* Times are written as offsets from FIX_NOW_MS. */
#define T(offset_ms) "(1795435200000" #offset_ms ")"

static const char rows
	[] = "INSERT INTO provider(id, name, kind, host, finest_bucket_s) "
	     "VALUES(1,'postfix','postfix','mx1.example.com',60),"
	     " (2,'postfix-out','postfix','mx1.example.com',60);"
	     "INSERT INTO source(id, provider, name, health, detail, last_ok_ms, last_try_ms, "
	     "next_due_ms, interval_ms, newest_ms,"
	     " done_bytes, total_bytes, errors) VALUES"
	     " (1,1,'log',1,'/var/log/mail.log'," T(-1000) "," T(-1000) "," T(+1000) ",1000," T(
		     -2000) ",5000000,5000000,0),"
			    " (2,1,'queue',1,'postqueue -j'," T(-30000) "," T(-30000) "," T(
				    +30000) ",60000,NULL,NULL,NULL,0),"
					    " (3,2,'log',2,'/var/log/mail-out.log'," T(-600000) "," T(-1000) "," T(+1000) ",1000," T(
						    -2400000) ",100,200,3);"
							      "INSERT INTO queue_message(provider, "
							      "qid, arrival_ms, queue, sender, "
							      "from_dom, size, nrcpt, rcpt, dom, "
							      "reason,"
							      " next_retry_ms, expires_ms, gen) "
							      "VALUES"
							      " (1,'4FD0D0'," T(
								      -3000000) ",3,'info@corp."
										"example',(SELECT "
										"id FROM dict "
										"WHERE kind=0 AND "
										"text='corp."
										"example'),7000,1,"
										" 'user@outlook."
										"com',(SELECT id "
										"FROM dict WHERE "
										"kind=0 AND "
										"text='outlook.com'"
										"),"
										" 'host "
										"outlook-com.olc."
										"protection."
										"outlook.com[52."
										"101.1.1] said: "
										"451 4.7.650 rate "
										"limited'," T(
											+300000) ","
												 " " T(
													 +429000000) ",7),"
														     " (1,'4FD1D1'," T(
															     -300000) ",3,'info@corp.example',(SELECT id FROM dict WHERE kind=0 AND text='corp.example'),800,1,"
																      " 'old@legacy.example',(SELECT id FROM dict WHERE kind=0 AND text='legacy.example'),'451 try again later',"
																      " " T(+60000) "," T(
																	      +431700000) ",7),"
																			  " (1,'4FD2D2'," T(
																				  -240000) ",3,'info@corp.example',(SELECT id FROM dict WHERE kind=0 AND text='corp.example'),800,1,"
																					   " 'x@dead.example',(SELECT id FROM dict WHERE kind=0 AND text='dead.example'),'Connection timed out',"
																					   " " T(+90000) "," T(
																						   +431760000) ",7),"
																							       " (1,'4FH0H0'," T(-7200000) ",4,'news@shop.example.com',(SELECT id FROM dict WHERE kind=0 AND text='shop.example.com'),"
																											   " 99000,2,'user@outlook.com',(SELECT id FROM dict WHERE kind=0 AND text='outlook.com'),NULL,NULL,NULL,7),"
																											   " (1,'4FA9A9'," T(
																												   -2000) ",2,'',NULL,5100,1,'who@example.org',"
																													  " (SELECT id FROM dict WHERE kind=0 AND text='example.org'),NULL,NULL," T(
																														  +431998000) ",7);"
																															      "INSERT INTO queue_recipient VALUES(1,'4FH0H0',0,'user@outlook.com',NULL,7),(1,'4FH0H0',1,'two@example.org',NULL,7);"
																															      "INSERT INTO queue_shape(provider, by_sender, dom, bucket, n)"
																															      " SELECT 1,0,id,4,1 FROM dict WHERE kind=0 AND text='outlook.com' UNION ALL"
																															      " SELECT 1,0,id,5,1 FROM dict WHERE kind=0 AND text='outlook.com' UNION ALL"
																															      " SELECT 1,0,id,1,1 FROM dict WHERE kind=0 AND text='legacy.example' UNION ALL"
																															      " SELECT 1,0,id,0,1 FROM dict WHERE kind=0 AND text='dead.example' UNION ALL"
																															      " SELECT 1,0,id,5,1 FROM dict WHERE kind=0 AND text='example.org' UNION ALL"
																															      " SELECT 1,0,id,0,1 FROM dict WHERE kind=0 AND text='example.org' UNION ALL"
																															      " SELECT 1,1,id,4,3 FROM dict WHERE kind=0 AND text='corp.example';"
																															      "INSERT INTO sample(provider, kind, t_ms, severity, service, text) VALUES"
																															      " (1,1," T(
																																      -60000) ",0,(SELECT id FROM dict WHERE kind=1 AND text='postfix/smtpd'),'a line nobody knows'),"
																																	      " (1,1," T(-50000) ",0,(SELECT id FROM dict WHERE kind=1 AND text='postfix/smtpd'),CAST(x'681b5b324aff' AS TEXT)),"
																																				 " (1,19," T(-40000) ",1,(SELECT id FROM dict WHERE kind=1 AND text='postfix/smtpd'),"
																																						     " 'warning: hostname x.example does not resolve to address 198.51.100.66'),"
																																						     " (1,19," T(-30000) ",3,(SELECT id FROM dict WHERE kind=1 AND text='postfix/smtpd'),'fatal: no SASL authentication mechanisms');"
																																									 "INSERT INTO action(provider, t_ms, user, verb, qids, asked, done, result) VALUES"
																																									 " (1," T(
																																										 -3600000) ",'admin','hold','4FH0H0',1,1,'1 message put on hold');"
																																											   "INSERT INTO queue_sample VALUES(2," T(
																																												   -600000) ",3,NULL,NULL,NULL,0,NULL,NULL,NULL);";

static void queue_samples(struct fix *f)
{
	for (int i = 0; i < 60; i++) {
		char sql[256];

		snprintf(sql, sizeof(sql),
			"INSERT INTO queue_sample VALUES(1,%lld,2,0,0,1,%d,1,0,%lld)",
			(long long)(FIX_NOW_MS - FIX_HOUR_MS + i * FIX_MINUTE_MS + 30000),
			i / 20 + 1, (long long)(FIX_NOW_MS - 2 * FIX_HOUR_MS));
		fix_exec(f, sql);
	}
}

/* Two minutes of samples up to five seconds ago; port 465 listens and nobody is there; out 25 in the kernel's words. */
static void sockets(struct fix *f)
{
	char sql[1024];
	long long now_ms = FIX_NOW_MS - 5000, minute_s = (FIX_NOW_MS - FIX_MINUTE_MS) / 1000;

	snprintf(sql, sizeof(sql),
		"INSERT INTO socket_port "
		"VALUES(1,25,0,%lld,1,5000,4,51200,2048,1,37,2,5,31200,184000),"
		"(1,465,0,%lld,1,5000,0,0,0,0,0,0,0,NULL,NULL),(1,587,0,%lld,1,5000,1,900,400,0,9,"
		"0,1,64000,88000),"
		"(1,25,1,%lld,1,5000,7,4000,9437184,12,88,3,40,120300,2100000)",
		now_ms, now_ms, now_ms, now_ms);
	fix_exec(f, sql);
	snprintf(sql, sizeof(sql),
		"INSERT INTO socket_minute "
		"VALUES(1,%lld,25,0,60000,41,614400,24576,9,41,31200,184000),"
		"(1,%lld,587,0,60000,12,9000,4000,0,10,64000,88000),(1,%lld,25,1,60000,80,48000,"
		"113246208,130,91,120300,2100000)",
		minute_s, minute_s, minute_s);
	fix_exec(f, sql);
	fix_exec(f,
		"INSERT INTO socket_peer VALUES(1,25,0,'198.51.100.7',30,40000,1800,31200),"
		"(1,25,0,'2001:db8::19',7,11200,248,NULL),(1,587,0,'203.0.113.80',9,900,400,88000),"
		"(1,25,1,'142.250.1.27',61,3000,9000000,2100000),(1,25,1,'52.101.1.1',27,1000,"
		"437184,120300)");
}

/* Own names as checked ten minutes ago; kinds and verdicts are those of store/names.h; one text has a stranger's bytes. */
static void names(struct fix *f)
{
	static const char *const values[] = {
		"1,'192.0.2.25',0,'zen.spamhaus.org',4,4,'listed (127.0.0.2)',"
		"'https://check.spamhaus.example/q?ip=192.0.2.25',60",
		"2,'192.0.2.25',0,'bl.spamcop.net',1,1,'not listed','',900",
		"3,'192.0.2.25',0,'b.barracudacentral.org',5,1,'dead, or does not answer us "
		"(its test entry 127.0.0.2 is missing)','',-1",
		"4,'192.0.2.25',1,'',1,1,'mx1.example.net leads back to the address',"
		"'mx1.example.net',3600",
		"5,'192.0.2.25',2,'mx1.example.net',1,1,'leads to the address','',3600",
		"6,'example.net',3,'',3,3,'valid, 9 of 10 DNS lookups',"
		"'v=spf1 include:_spf.google.com include:mailgun.org mx -all',300",
		"7,'example.net',4,'192.0.2.25',1,1,'pass: mx','',300",
		"8,'example.net',5,'s2024',4,4,'the key is revoked (empty p=): signatures with "
		"this "
		"selector fail','v=DKIM1; p=',300",
		"9,'example.net',6,'',1,1,'p=none, with reports',"
		"'v=DMARC1; p=none; rua=mailto:d@example.net',300",
		"10,'example.net',7,'',1,1,'2 MX hosts','',3600",
		"11,'example.net',7,'mx1.example.net',1,1,'preference 10, has an address','',3600",
		"12,'example.net',7,'mx2.example.net',4,4,'preference 20, has no address','',3600",
		"13,'example.net',8,'',2,2,'not published','',60",
		"14,'example.net',9,'',4,4,'has no rua='"
		",'v=TLSRPTv1; '||char(27)||'[31mred'||char(0)||'.',300",
		"15,'example.net',10,'mx1.example.net',2,2,'no TLSA record','',60"};
	char sql[512];

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		snprintf(sql, sizeof(sql),
			"INSERT INTO name_check(id, subject, kind, detail, verdict, known, text, "
			"record, ttl_s, t_ms, since_ms) VALUES(%s,%lld,%lld)",
			values[i], (long long)(FIX_NOW_MS - 10 * FIX_MINUTE_MS),
			(long long)(FIX_NOW_MS - 3 * FIX_HOUR_MS));
		fix_exec(f, sql);
	}
	snprintf(sql, sizeof(sql),
		"INSERT INTO name_change VALUES(1,%lld,'192.0.2.25',0,'zen.spamhaus.org',1,4,"
		"'listed (127.0.0.2)','https://check.spamhaus.example/q?ip=192.0.2.25','')",
		(long long)(FIX_NOW_MS - 3 * FIX_HOUR_MS));
	fix_exec(f, sql);
}

void cachefix_static(struct fix *f)
{
	static const char *const domains[] = {"corp.example", "shop.example.com", "outlook.com",
		"legacy.example", "dead.example", "example.org"};
	int64_t submission = fix_dict(f, DICT_SERVICE, "postfix/submission/smtpd");
	int64_t submissions = fix_dict(f, DICT_SERVICE, "postfix/submissions/smtpd");
	int64_t out = fix_dict(f, DICT_SERVICE, "postfix-out/smtpd");
	char sql[512];

	fix_dict(f, DICT_SERVICE, "postfix/smtpd");
	for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++)
		fix_dict(f, DICT_DOMAIN, domains[i]);
	snprintf(sql, sizeof(sql),
		"INSERT INTO service VALUES(1,%lld,587,1,0,NULL),(1,%lld,465,1,1,NULL),"
		"(2,%lld,NULL,3,0,'25 and 10025 share the name postfix-out/smtpd')",
		(long long)submission, (long long)submissions, (long long)out);
	fix_exec(f, sql);
	fix_exec(f, rows);
	fix_exec(f, "UPDATE provider SET active_limit=20000 WHERE id=1");
	queue_samples(f);
	sockets(f);
	names(f);
	snprintf(sql, sizeof(sql),
		"INSERT INTO host_minute VALUES(1,%lld,%lld,934,21,0,612,4,8000000000,3100000000,0,"
		"40000000000,1600000000,2600000,1900000,310,2400,184000,920000,640,NULL,85,310)",
		(long long)(FIX_NOW_MS - FIX_MINUTE_MS) / 1000, (long long)(FIX_NOW_MS - 25000));
	fix_exec(f, sql);
	fix_exec(f,
		"INSERT INTO alert(name, phase, severity, since_ms, pending_ms, below_ms, mark, "
		"value, text, condition, t_ms, hook_due) VALUES"
		" ('queue-age',0,0,0,0,0,0,7200000,'oldest message in the queue 2h 00m',"
		"'queue-age > 4d 00h for 5m',1795435190000,0)");
	fix_exec(f, "INSERT INTO alert_log(id, t_ms, name, event, severity, value, text) VALUES"
		    " (1,1795431600000,'queue-age',2,0,7200000,'oldest message in the queue 1h')");
	cachefix_probe(f);
}
