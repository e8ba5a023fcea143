/* SPDX-License-Identifier: MIT */
/* Sendmail's configuration, queue control files, mailq's text, host status and queue ids; hostile ones too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backends/sendmail/config.h"
#include "backends/sendmail/folders.h"
#include "backends/sendmail/hoststat.h"
#include "backends/sendmail/listing.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define NOW_MS INT64_C(1795636800000) /* 2026-11-25 20:00 UTC */
#define ARRIVAL_MS INT64_C(1795636109000)

static const char qfile[] =
	"V8\nT1795636109\nK1795636111\nN2\nP180057\nI254/0/1073879\nMDeferred: all\nFs\n"
	"$_mail.example [192.0.2.1]\nS<a@example.org>\nMDeferred: 451 4.7.1 try again\n"
	"rRFC822; b@example.com\nRPFD:<b@example.com>\nrRFC822; c@example.com\n"
	"RPFD:<c:d@example.com>\nH?P?Return-Path: <g>\nH??Received: from x\n"
	"\tRPFD:<not@a.recipient>\nH??Subject: hi\n.\nRPFD:<behind@the.end>\n";

static void is(struct str got, const char *want)
{
	assert_int_equal(got.n, strlen(want));
	assert_memory_equal(got.p, want, got.n);
}

/* Parses a copy on the heap of exactly the text's size, so that ASan sees a byte read past it; give it back with free. */
static int parse(const char *text, size_t n, struct sendmail_qfile *q, char **ret_copy)
{
	*ret_copy = malloc(n + !n);
	assert_non_null(*ret_copy);
	memcpy(*ret_copy, text, n);
	return sendmail_qfile_parse(str_make(*ret_copy, n), q);
}

static void test_qfile(void **state)
{
	struct sendmail_qfile q = {.tries = 0};
	char *copy;

	(void)state;
	assert_int_equal(parse(qfile, sizeof(qfile) - 1, &q, &copy), 0);
	is(q.sender, "a@example.org");
	assert_int_equal(q.arrival_ms, ARRIVAL_MS);
	assert_int_equal(q.tried_ms, ARRIVAL_MS + 2000);
	assert_int_equal(q.tries, 2);
	assert_false(str_present(q.quarantine));
	assert_int_equal(q.rcpts.n, 2);
	is(q.rcpts.addr[0], "b@example.com");
	is(q.rcpts.reason[0], "Deferred: 451 4.7.1 try again");
	is(q.rcpts.addr[1], "c:d@example.com");
	is(q.rcpts.reason[1], "Deferred: all");
	free(copy);
	sendmail_qfile_done(&q);
}

static void test_qfile_untried(void **state)
{
	static const char text[] = "V8\nT1795636109\nK0\nN0\nP1\nqlocked up\nS<>\nRPFD:root\n.\n";
	struct sendmail_qfile q = {.tries = 0};
	char *copy;

	(void)state;
	assert_int_equal(parse(text, sizeof(text) - 1, &q, &copy), 0);
	assert_true(str_present(q.sender) && q.sender.n == 0);
	assert_int_equal(q.tried_ms, EVENT_UNKNOWN);
	is(q.quarantine, "locked up");
	is(q.rcpts.addr[0], "root");
	assert_false(q.rcpts.reason[0].n);
	free(copy);
	sendmail_qfile_done(&q);
}

/* Cut anywhere before its end it is no message; nothing is read past it. */
static void test_qfile_cut(void **state)
{
	struct sendmail_qfile q = {.tries = 0};
	size_t end = (size_t)(strstr(qfile, "\n.\n") - qfile) + 2;
	char *copy;

	(void)state;
	for (size_t n = 0; n <= sizeof(qfile) - 1; n++) {
		int rc = parse(qfile, n, &q, &copy);

		assert_int_equal(rc, n < end ? MT_EINVAL : 0);
		free(copy);
	}
	sendmail_qfile_done(&q);
}

static void test_id_time(void **state)
{
	(void)state;
	assert_int_equal(sendmail_id_time_ms(STR_LIT("6APJmTEn031015"), NOW_MS), ARRIVAL_MS);
	assert_int_equal(
		sendmail_id_time_ms(STR_LIT("6APJmTEn031015"), NOW_MS + INT64_C(1700000000000)),
		ARRIVAL_MS + INT64_C(21915) * 86400000); /* 60 years */
	assert_int_equal(sendmail_id_time_ms(STR_LIT("SAA15929"), NOW_MS), EVENT_UNKNOWN);
	assert_int_equal(sendmail_id_time_ms(STR_LIT("6ZPJmTEn031015"), NOW_MS), EVENT_UNKNOWN);
	assert_int_equal(sendmail_id_time_ms(STR_LIT("6A0JmTEn031015"), NOW_MS), EVENT_UNKNOWN);
}

static void test_config(void **state)
{
	static const struct str text = STR_INIT(
		"# O QueueDirectory=/no\nO QueueDirectory=/var/spool/mqueue/q*\n"
		"O  PidFile = /run/sm.pid\nO HostStatusDirectory=relative\n"
		"O Timeout.queuereturn=5d\nO Timeout.queuereturn.dsn=1d12h\nO MinQueueAge=10m\n"
		"O LogLevel=14\nQgroup, P=/var/spool/group, F=f\nO QueueDirectory=\nMlocal, "
		"P=/bin/mail\n");
	struct sendmail_config c;

	(void)state;
	sendmail_config_parse(&c, text);
	assert_int_equal(c.nqueues, 2);
	assert_string_equal(c.queue[0], "/var/spool/mqueue/q*");
	assert_string_equal(c.queue[1], "/var/spool/group");
	assert_string_equal(c.pid_file, "/run/sm.pid");
	assert_string_equal(c.host_status, "");
	assert_int_equal(c.return_ms, 5 * INT64_C(86400000));
	assert_int_equal(c.bounce_return_ms, 36 * INT64_C(3600000));
	assert_int_equal(c.min_age_ms, 600000);
	assert_int_equal(c.log_level, 14);
	sendmail_config_parse(&c, STR_LIT("O Timeout.queuereturn=5d\nO "
					  "Timeout.queuereturn.urgent=2d\n"));
	assert_int_equal(c.return_ms, EVENT_UNKNOWN); /* by Precedence: */
	for (size_t n = 0; n < text.n; n++)
		sendmail_config_parse(&c, str_first(text, n));
}

static void test_intervals(void **state)
{
	(void)state;
	assert_int_equal(sendmail_interval_ms(STR_LIT("1h30m")), 5400000);
	assert_int_equal(sendmail_interval_ms(STR_LIT("1h30")), EVENT_UNKNOWN);
	assert_int_equal(sendmail_interval_ms(STR_LIT("")), EVENT_UNKNOWN);
	assert_int_equal(
		sendmail_run_interval_ms(STR_LIT("17\n/usr/sbin/sendmail -bd -q10m\n")), 600000);
	assert_int_equal(sendmail_run_interval_ms(STR_LIT("17\nsendmail -bD -qp1m")), 60000);
	assert_int_equal(sendmail_run_interval_ms(STR_LIT("17\nsendmail -bd\n")), EVENT_UNKNOWN);
	assert_int_equal(sendmail_run_interval_ms(STR_LIT("17")), EVENT_UNKNOWN);
}

struct seen {
	size_t n;
	char text[1024];
};

static int note(void *ctx, struct queue_row *row)
{
	struct seen *s = ctx;
	size_t at = strlen(s->text);

	s->n++;
	snprintf(s->text + at, sizeof(s->text) - at, "%.*s q%d %lld %.*s", STR_ARG(row->qid),
		(int)row->queue, (long long)row->size_bytes, STR_ARG(row->sender));
	for (size_t i = 0; i < row->nrcpt; i++) {
		at = strlen(s->text);
		snprintf(s->text + at, sizeof(s->text) - at, " [%.*s|%.*s]", STR_ARG(row->rcpt[i]),
			STR_ARG(row->reason[i]));
	}
	at = strlen(s->text);
	snprintf(s->text + at, sizeof(s->text) - at, "\n");
	return 0;
}

static const char mailq[] =
	"\t\t/var/spool/mqueue (4 requests)\n"
	"-----Q-ID----- --Size-- -Priority- ---Q-Time--- --------Sender/Recipient--------\n"
	"6APJmTUd031024*       3      30288 Nov 25 19:48 <a@example.org>\n"
	"\t\t\t\t\t\t<root@mx.here.example>\n"
	"6APJmTEn031015        3     180057+Nov 25 19:48 <>\n"
	"      8BITMIME   (Deferred: Connection refused by mx.)\n"
	"\t\t\t\t\t\t(---<list@here.example>---)\n"
	"\t\t\t\t\t\t<b@example.com>\n"
	"\t\t (Deferred: 451 4.7.1 try again)\n"
	"\t\t\t\t\t\t<c@example.com>\n"
	"6APJmTEo031016 (job completed)\n"
	"6APJmTEp031017       12      -1234 Nov 25 19:48 d@example.org\n"
	"      8BITMIME\n"
	"\t\t\t\t\t\te@example.com\n"
	"/var/spool/other is empty\n"
	"\t\tTotal requests: 4\n";

static void list(struct str text, struct seen *seen, size_t *ret_bad)
{
	struct sendmail_listing l;

	sendmail_listing_init(&l, NOW_MS);
	while (text.n) {
		struct str line = str_first(text, str_find_char(text, '\n'));

		text = str_skip(text, line.n + 1);
		assert_int_equal(sendmail_listing_line(&l, line, note, seen), 0);
	}
	assert_int_equal(sendmail_listing_end(&l, note, seen), 0);
	*ret_bad = l.bad;
	sendmail_listing_done(&l);
}

static void test_listing(void **state)
{
	struct seen seen = {.n = 0};
	size_t bad;

	(void)state;
	list(STR_LIT(mailq), &seen, &bad);
	assert_int_equal(bad, 0);
	assert_string_equal(seen.text,
		"6APJmTUd031024 q2 3 a@example.org [root@mx.here.example|]\n"
		"6APJmTEn031015 q3 3  [b@example.com|Deferred: 451 4.7.1 try again] "
		"[c@example.com|Deferred: Connection refused by mx.]\n"
		"6APJmTEp031017 q1 12 d@example.org [e@example.com|]\n");
}

static void test_listing_cut(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof(mailq) - 1; n++) {
		struct seen seen = {.n = 0};
		char *copy = malloc(n + !n);
		size_t bad;

		assert_non_null(copy);
		memcpy(copy, mailq, n);
		list(str_make(copy, n), &seen, &bad);
		assert_true(seen.n <= 3);
		free(copy);
	}
}

static void test_host(void **state)
{
	struct sendmail_host h;

	(void)state;
	assert_true(sendmail_host_parse(
		STR_LIT("V0\nE75\nR0\nSDeferred: Connection refused\nU1795636109\n.\n"), &h));
	assert_int_equal(h.exit_status, 75);
	assert_int_equal(h.updated_ms, ARRIVAL_MS);
	is(h.text, "Deferred: Connection refused");
	assert_false(sendmail_host_parse(STR_LIT("V0\nE75\n"), &h));
	assert_false(sendmail_host_parse(STR_LIT(""), &h));
}

static void test_locks(void **state)
{
	static const struct str text =
		STR_INIT("1: FLOCK  ADVISORY  WRITE 2719 08:01:1835100 0 EOF\n"
			 "2: POSIX  ADVISORY  READ 31 00:2a:77 0 9223372036854775807\n"
			 "2: -> POSIX  ADVISORY  WRITE 32 00:2a:78 0 0\n3: torn 08:01:5\n");
	struct sendmail_locks l;

	(void)state;
	sendmail_locks_parse(&l, text);
	assert_int_equal(l.n, 2);
	assert_true(sendmail_locks_has(&l, makedev(8, 1), 1835100));
	assert_false(sendmail_locks_has(&l, makedev(8, 2), 1835100));
	assert_true(
		sendmail_locks_has(&l, makedev(0, 99), 77)); /* a btrfs has numbers of its own */
	assert_false(sendmail_locks_has(&l, makedev(0, 0x2a), 78));
	sendmail_locks_done(&l);
	for (size_t n = 0; n < text.n; n++) {
		sendmail_locks_parse(&l, str_first(text, n));
		sendmail_locks_done(&l);
	}
}

static void put(const char *folder, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fputs(text, f) >= 0, 1);
	assert_int_equal(fclose(f), 0);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

/* Two folders of a pattern, one with its control files apart; quarantined, lost, torn and foreign files. */
static void make_folders(const char *top)
{
	char path[128];
	static const char *const below[] = {"q1", "q2", "q2/qf", "q2/df", "x"};

	for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", top, below[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	put(top, "q1/qf6APJmTEn031015", qfile);
	put(top, "q1/df6APJmTEn031015", "hello\n");
	put(top, "q1/hf6APJmTEn031016", "V8\nT1795636109\nK0\nN0\nqlook\nS<b@x>\nRPFD:<c@x>\n.\n");
	put(top, "q1/Qf6APJmTEn031017", "");
	put(top, "q1/qf6APJmTEn031018", "V8\nT17");
	put(top, "q1/tf6APJmTEn031019", "V8\n");
	put(top, "q2/qf/qf6APJmTEn031020", "V8\nT1795636109\nK0\nN0\nS<>\nRPFD:<c@x>\n.\n");
	put(top, "q2/df/df6APJmTEn031020", "four");
	put(top, "x/qf6APJmTEn031021", qfile);
}

static void test_folders(void **state)
{
	char top[] = "/tmp/mtatop-sendmail-XXXXXX";
	struct sendmail_config c = {
		.return_ms = 432000000, .bounce_return_ms = EVENT_UNKNOWN, .nqueues = 1};
	struct sendmail_folders f;
	enum sendmail_found found;
	struct queue_row row;
	size_t rows = 0, bad = 0;

	(void)state;
	assert_non_null(mkdtemp(top));
	make_folders(top);
	snprintf(c.queue[0], sizeof(c.queue[0]), "%s/q*", top);
	sendmail_folders_init(&f);
	f.config = &c;
	f.run_interval_ms = 3600000;
	f.now_ms = NOW_MS;
	assert_int_equal(sendmail_folders_add(&f, &c, false, NULL), 0);
	while ((found = sendmail_folders_next(&f, &row)) != SENDMAIL_END) {
		bad += found == SENDMAIL_BAD;
		if (found != SENDMAIL_ROW)
			continue;
		rows++;
		if (str_eq(row.qid, STR_LIT("6APJmTEn031015"))) {
			assert_int_equal(row.queue, QUEUE_DEFERRED);
			assert_int_equal(row.size_bytes, 6);
			assert_int_equal(row.next_retry_ms, ARRIVAL_MS + 2000 + 3600000);
			assert_int_equal(row.expires_ms, ARRIVAL_MS + 432000000);
		} else if (str_eq(row.qid, STR_LIT("6APJmTEn031016"))) {
			assert_int_equal(row.queue, QUEUE_HOLD);
			assert_int_equal(row.size_bytes, EVENT_UNKNOWN);
			assert_int_equal(row.expires_ms, EVENT_UNKNOWN);
			is(row.reason[0], "look");
		} else {
			is(row.qid, "6APJmTEn031020");
			assert_int_equal(row.queue, QUEUE_INCOMING);
			assert_int_equal(row.size_bytes, 4);
			assert_int_equal(row.expires_ms, EVENT_UNKNOWN);
		}
	}
	assert_int_equal(rows, 3);
	assert_int_equal(bad, 2); /* the lost one and the torn one */
	sendmail_folders_done(&f);
	sendmail_folders_init(&f);
	snprintf(c.queue[0], sizeof(c.queue[0]), "%s/gone", top);
	assert_int_equal(sendmail_folders_add(&f, &c, false, NULL), MT_ENOENT);
	sendmail_folders_done(&f);
	assert_int_equal(nftw(top, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_qfile),
		cmocka_unit_test(test_qfile_untried),
		cmocka_unit_test(test_qfile_cut),
		cmocka_unit_test(test_id_time),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_intervals),
		cmocka_unit_test(test_listing),
		cmocka_unit_test(test_listing_cut),
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_locks),
		cmocka_unit_test(test_folders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
