/* SPDX-License-Identifier: MIT */
/* test_egress - from which IP a transport sends (master.cf), and what of a log counts for a warm-up plan. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backends/postfix/master.h"
#include "store/store_api.h"
#include "store/store_read.h"
#include "store/warmup_conf.h"
#include "tests/unit/store_fixture.h"

#define HOUR_MS 3600000

static void is_row(
	const struct postfix_egress *e, size_t i, const char *tag, const char *ip, const char *note)
{
	assert_true(i < e->n);
	assert_true(str_eq(e->rows[i].tag, str_of(tag)));
	assert_true(str_eq(e->rows[i].ip, str_of(ip)) && str_present(e->rows[i].ip) == !!ip);
	if (note)
		assert_true(str_find(e->rows[i].note, str_of(note)) < e->rows[i].note.n);
	else
		assert_int_equal(e->rows[i].note.n, 0);
}

static void parse(
	const char *services, const char *params, const char *main_cf, struct postfix_egress *e)
{
	struct postfix_config c;

	postfix_config_init(&c, "/etc/postfix");
	postfix_config_parse(&c, str_of(main_cf));
	postfix_egress_parse(str_of(services), str_of(params), &c, e);
	postfix_config_done(&c);
}

#define MASTER                                                                                     \
	"smtp inet n - y - - smtpd\n"                                                              \
	"smtp unix - - y - - smtp\n"                                                               \
	"relay unix - - y - - smtp -o syslog_name=postfix/$service_name\n"                         \
	"ip7 unix - - n - - smtp -o smtp_bind_address=203.0.113.7 -o syslog_name=postfix-ip7\n"    \
	"ip8 unix - - n - - smtp\n"                                                                \
	"lmtp unix - - y - - lmtp\n"

static void addresses_of_transports(void **state)
{
	static struct postfix_egress e;

	(void)state;
	parse(MASTER,
		"ip8/unix/smtp_bind_address = 203.0.113.8\nip8/unix/syslog_name = postfix-ip8\n"
		"ip8/unix/smtp_bind_address6 = 2001:db8::8\n",
		"syslog_name = postfix\ninet_interfaces = all\n", &e);
	assert_int_equal(e.n, 4);
	is_row(&e, 0, "postfix/smtp", NULL, "the system chooses");
	is_row(&e, 1, "postfix/relay/smtp", NULL, "the system chooses");
	is_row(&e, 2, "postfix-ip7/smtp", "203.0.113.7", NULL);
	is_row(&e, 3, "postfix-ip8/smtp", "203.0.113.8 2001:db8::8", "counted together");
	postfix_egress_done(&e);
	/* of main.cf; two services of one tag and different addresses are none */
	parse("smtp unix - - y - - smtp\nslow unix - - y - - smtp -o "
	      "smtp_bind_address=203.0.113.9\n",
		"", "syslog_name = postfix\nsmtp_bind_address = 203.0.113.1\n", &e);
	assert_int_equal(e.n, 1);
	is_row(&e, 0, "postfix/smtp", NULL, "share this tag");
	postfix_egress_done(&e);
	/* the one address of inet_interfaces, not loopback's, not one of several */
	parse("smtp unix - - y - - smtp\n", "",
		"syslog_name = mx2\ninet_interfaces = 203.0.113.2, ::1\n", &e);
	is_row(&e, 0, "mx2/smtp", "203.0.113.2", NULL);
	postfix_egress_done(&e);
	parse("smtp unix - - y - - smtp\n", "",
		"syslog_name = mx2\ninet_interfaces = 203.0.113.2 203.0.113.3\n", &e);
	is_row(&e, 0, "mx2/smtp", NULL, "the system chooses");
	postfix_egress_done(&e);
	parse("smtp unix - - y - - smtp\n", "", "syslog_name = mx2\ninet_interfaces = 127.0.0.1\n",
		&e);
	is_row(&e, 0, "mx2/smtp", NULL, "the system chooses");
	postfix_egress_done(&e);
}

static void try_once(struct fixture *f, const char *tag, const char *host, enum event_status status,
	const char *reply, int32_t code, int32_t dsn)
{
	static int n;
	char qid[16];
	struct event e;

	snprintf(qid, sizeof(qid), "4E%06d", ++n);
	put_client(f, qid, "192.0.2.9");
	put_queued(f, qid, "a@sender.example", 1);
	e = attempt_of(qid, "b@there.example", status);
	e.service = str_of(tag);
	e.process = str_skip(str_of(tag), str_rfind_char(str_of(tag), '/') + 1);
	e.relay_host = str_of(host);
	e.relay = str_of(host);
	e.code = code;
	e.dsn = dsn;
	e.reply = str_of(reply);
	put(f, &e);
	f->t_ms += 1000;
}

static const char *const words_ip7[] = {"203.0.113.7"}, *const words_tag[] = {"postfix/smtp"},
			 *const words_provider[] = {"postfix"},
			 *const words_none[] = {"203.0.113.99"};

static struct warmup_counts counted(struct fixture *f, const char *const *egress, size_t n,
	struct warmup_day *days, bool *ret_known)
{
	struct warmup_plan p = {
		.year = 2026, .month = 11, .day = 21, .egress = egress, .negress = n};
	struct reader *r = NULL;
	struct mt_error error = {0};
	struct warmup_counts c = {0};
	size_t ndays = warmup_days(&p, T0_MS + 30 * (int64_t)HOUR_MS, days, 10);

	assert_int_equal(ndays, 3);
	must(reader_open(f->path, &r, &error), &error, "reader");
	must(reader_begin(r, &error), &error, "snapshot");
	must(read_warmup(r, &p, days, ndays, ret_known, &error), &error, "read_warmup");
	reader_end(r);
	reader_close(r);
	for (size_t i = 0; i < ndays; i++) {
		c.sent += days[i].all.sent;
		c.bounced += days[i].all.bounced;
		c.deferred += days[i].all.deferred;
	}
	return c;
}

static void set_ip(struct fixture *f, const char *tag, const char *ip)
{
	struct egress_row row = {.tag = str_of(tag), .ip = str_of(ip)};
	struct mt_error error = {0};

	must(store_egress(f->store, f->provider, &row, 1, &error), &error, "store_egress");
}

#define GMAIL "gmail-smtp-in.l.google.com"
static void of_the_log(void **state)
{
	static struct warmup_day days[10];
	struct fixture f;
	struct warmup_counts c;
	bool known;

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	f.clock.fake_utc_ms = T0_MS;
	set_ip(&f, "postfix-ip7/smtp", "203.0.113.7");
	try_once(&f, "postfix-ip7/smtp", GMAIL, STATUS_SENT, "250 ok", 250, DSN_MAKE(2, 0, 0));
	try_once(&f, "postfix-ip7/smtp", GMAIL, STATUS_DEFERRED, "421-4.7.28 unusual", 421,
		DSN_MAKE(4, 7, 28));
	try_once(&f, "postfix-ip7/smtp", GMAIL, STATUS_BOUNCED, "550 none", 550, DSN_MAKE(5, 1, 1));
	try_once(&f, "postfix/smtp", "mx.other.example", STATUS_SENT, "250", 250, 2000000);
	try_once(&f, "postfix/local", "", STATUS_SENT, "delivered", 0, 2000000);
	/* the next day at noon the IP is another */
	f.t_ms = T0_MS + 36 * HOUR_MS / 3 * 2;
	try_once(&f, "postfix-ip7/smtp", GMAIL, STATUS_SENT, "250 ok", 250, 2000000);
	fixture_commit(&f);
	assert_int_equal(total(&f, DIM_EGRESS_MAILBOX, METRIC_SENT), 3);
	assert_int_equal(total(&f, DIM_EGRESS_MAILBOX, METRIC_DEFERRED), 1);
	assert_int_equal(total(&f, DIM_EGRESS_MAILBOX, METRIC_BOUNCED), 1);
	assert_int_equal(total(&f, DIM_GATE, METRIC_DEFERRED), 1);
	assert_int_equal(total(&f, DIM_GATE, METRIC_BOUNCED), 0);
	c = counted(&f, words_ip7, 1, days, &known);
	assert_true(known);
	assert_int_equal(c.sent, 2);
	assert_int_equal(c.bounced, 1);
	assert_int_equal(c.deferred, 1);
	assert_int_equal(days[1].box[MAILBOX_GMAIL].sent, 1);
	assert_int_equal(days[1].box[MAILBOX_OTHER].sent, 0);
	assert_int_equal(days[1].signal[GATE_GMAIL_RATE], 1);
	assert_int_equal(days[1].peak_hour, 2);
	assert_int_equal(days[2].all.sent, 1);
	assert_false(days[0].known); /* the cache begins on the 22nd */
	assert_true(days[1].known);
	c = counted(&f, words_tag, 1, days, &known);
	assert_int_equal(c.sent, 1);
	c = counted(&f, words_provider, 1, days, &known);
	assert_int_equal(c.sent, 3);
	c = counted(&f, words_none, 1, days, &known);
	assert_false(known);
	assert_int_equal(c.sent, 0);
	/* another address from noon of the 22nd on: what was before keeps its own; said again nothing changes */
	f.clock.fake_utc_ms = T0_MS + 12 * HOUR_MS;
	set_ip(&f, "postfix-ip7/smtp", "203.0.113.77");
	f.clock.fake_utc_ms = T0_MS + 40 * (int64_t)HOUR_MS;
	set_ip(&f, "postfix-ip7/smtp", "203.0.113.77");
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM egress"), 2);
	c = counted(&f, words_ip7, 1, days, &known);
	assert_int_equal(c.sent, 1);
	assert_int_equal(days[2].all.sent, 0);
	fixture_end(&f);
}

/* --- the failures behind a gate --- */
static size_t listed(struct fixture *f, const struct query *q)
{
	struct arena arena;
	struct attempt_row *rows;
	struct reader *r = NULL;
	struct mt_error error = {0};
	size_t n = 0;

	arena_init(&arena, 1u << 20);
	must(reader_open(f->path, &r, &error), &error, "reader");
	must(reader_begin(r, &error), &error, "snapshot");
	must(read_attempts(r, q, 0, 0, &arena, &rows, &n, &error), &error, "read_attempts");
	reader_end(r);
	reader_close(r);
	arena_done(&arena);
	return n;
}

static void records_of_many(struct fixture *f)
{
	static const char *const hosts[] = {GMAIL, "mta7.am0.yahoodns.net", "mx.other.example"};
	static const char *const tags[] = {
		"postfix-ip7/smtp", "postfix/smtp", "postfix-ip7/lmtp", "postfix-ip7/relay/smtp"};
	static const struct {
		const char *text;
		int32_t code, dsn;
	} replies[] = {{"421-4.7.28 too much of 203.0.113.7", 421, DSN_MAKE(4, 7, 28)},
		{"421 4.7.0 [TSS04] not now", 421, DSN_MAKE(4, 7, 0)},
		{"550 5.1.1 no such user", 550, DSN_MAKE(5, 1, 1)},
		{"450 4.2.1 has .7.28 and TSS04x in it", 450, DSN_MAKE(4, 2, 1)}};

	for (int i = 0; i < 480; i++) {
		int how = i / 12 % 4;

		try_once(f, tags[i % 4], hosts[i % 3],
			how == 2 ? STATUS_BOUNCED
			: i % 5  ? STATUS_DEFERRED
				 : STATUS_SENT,
			replies[how].text, replies[how].code, replies[how].dsn);
		f->t_ms += 200000;
	}
}

/* What a gate counts and what Enter on it lists are the same records: by day, mailbox provider, signal and outcome. */
static void failures_behind_a_gate(void **state)
{
	static struct warmup_day days[10];
	struct warmup_plan p = {.egress = words_ip7, .negress = 1};
	struct fixture f;
	size_t all = 0;
	bool known;

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	f.clock.fake_utc_ms = T0_MS;
	set_ip(&f, "postfix-ip7/smtp", "203.0.113.7");
	set_ip(&f, "postfix-ip7/lmtp", "203.0.113.7");
	records_of_many(&f);
	fixture_commit(&f);
	/* from within an hour of the 22nd on another */
	f.clock.fake_utc_ms = T0_MS + 7 * HOUR_MS + 1234567;
	set_ip(&f, "postfix-ip7/smtp", "203.0.113.77");
	fixture_commit(&f);
	(void)counted(&f, words_ip7, 1, days, &known);
	for (int d = 0; d < 3; d++) {
		struct query q = {.plan = &p,
			.t0_ms = days[d].start_ms,
			.t1_ms = days[d].end_ms,
			.limit = 5000};

		assert_int_equal(listed(&f, &q), days[d].all.bounced + days[d].all.deferred);
		all += listed(&f, &q);
		for (int box = 0; box < MAILBOX__COUNT; box++) {
			q.gate_box = box + 1;
			q.status = STATUS_BOUNCED;
			assert_int_equal(listed(&f, &q), days[d].box[box].bounced);
			q.status = STATUS_DEFERRED;
			assert_int_equal(listed(&f, &q), days[d].box[box].deferred);
		}
		q.status = STATUS_NONE;
		for (int signal = 0; signal < GATE__COUNT; signal++) {
			q.gate_box = (int)gate_mailbox((enum warmup_gate)signal) + 1;
			q.gate_signal = signal + 1;
			assert_int_equal(listed(&f, &q), days[d].signal[signal]);
		}
	}
	assert_true(all > 20 && all < 60); /* a quarter of 480, until the eighth of 27 hours */
	assert_true(days[1].signal[GATE_GMAIL_RATE] > 0 && days[1].signal[GATE_YAHOO_TSS04] > 0);
	/* one mailbox provider's plan */
	p.has_only = true;
	p.only = MAILBOX_GMAIL;
	assert_int_equal(listed(&f, &(struct query){.plan = &p,
					    .t0_ms = days[1].start_ms,
					    .t1_ms = days[1].end_ms,
					    .limit = 5000}),
		days[1].box[MAILBOX_GMAIL].bounced + days[1].box[MAILBOX_GMAIL].deferred);
	fixture_end(&f);
}

/* --- vendors --- */
#define H 3600
#define S (T0_MS / 1000)
#define DAY (24 * H)

static int vendor(struct fixture *f, const char *name, int finest_s)
{
	struct api_provider p = {.finest_bucket_s = finest_s};
	struct mt_error error = {0};
	int id;

	must(store_provider(f->store, name, name, NULL, &id, &error), &error, "provider");
	must(store_api_provider(f->store, id, &p, &error), &error, "api");
	return id;
}

static void vendor_covers(
	struct fixture *f, int provider, enum bucket_dim dim, int64_t to_s, uint64_t metrics)
{
	struct api_cover c = {.dim = dim,
		.from_s = S,
		.to_s = to_s,
		.metrics = metrics,
		.fetched_ms = to_s * 1000};
	struct mt_error error = {0};

	must(store_api_covered(f->store, provider, &c, &error), &error, "cover");
}

static void vendor_counts(struct fixture *f, int provider, enum bucket_dim dim, const char *key,
	int64_t start_s, int64_t length_s, int64_t sent, int64_t complaints)
{
	struct api_slot slot = {
		.dim = dim, .key = str_of(key), .start_s = start_s, .length_s = length_s};
	struct api_figure figures[] = {
		{METRIC_SENT, sent}, {METRIC_BOUNCED, 1}, {METRIC_COMPLAINTS, complaints}};
	struct mt_error error = {0};

	must(store_api_counts(f->store, provider, &slot, figures, complaints < 0 ? 2 : 3, &error),
		&error, "counts");
}

/* Mailgun counts by the hour and IP; SendGrid by the day and the whole account, here without complaints. */
static void of_vendors(void **state)
{
	static const char *const ip[] = {"198.51.100.1"}, *const account[] = {"sendgrid"},
				 *const both[] = {"mailgun", "198.51.100.1"};
	const uint64_t asked = UINT64_C(1) << METRIC_SENT | UINT64_C(1) << METRIC_BOUNCED;
	static struct warmup_day days[10];
	struct fixture f;
	int mailgun, sendgrid;
	bool known;

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	mailgun = vendor(&f, "mailgun", H);
	vendor_covers(&f, mailgun, DIM_IP, S + 30 * H, asked | UINT64_C(1) << METRIC_COMPLAINTS);
	vendor_covers(&f, mailgun, DIM_TOTAL, S + 30 * H, asked | UINT64_C(1) << METRIC_COMPLAINTS);
	for (int i = 0; i < 10; i++) {
		vendor_counts(&f, mailgun, DIM_IP, ip[0], S + i * H, H, 100 + i, i == 3);
		vendor_counts(&f, mailgun, DIM_IP, "198.51.100.2", S + i * H, H, 7, 0);
		vendor_counts(&f, mailgun, DIM_TOTAL, NULL, S + i * H, H, 107 + i, i == 3);
	}
	sendgrid = vendor(&f, "sendgrid", DAY);
	vendor_covers(&f, sendgrid, DIM_TOTAL, S + 2 * DAY, asked);
	vendor_counts(&f, sendgrid, DIM_TOTAL, NULL, S, DAY, 1000, -1);
	vendor_counts(&f, sendgrid, DIM_TOTAL, NULL, S + DAY, DAY, 30, -1);
	fixture_commit(&f);
	assert_int_equal(counted(&f, ip, 1, days, &known).sent, 1045);
	assert_true(known);
	assert_false(days[0].known); /* the 21st: before the first answer */
	assert_true(days[1].known && days[2].known);
	assert_int_equal(days[1].all.sent, 1045);
	assert_int_equal(days[1].all.bounced, 10);
	assert_int_equal(days[1].peak_hour, 110);
	assert_true(days[1].complaints_known);
	assert_int_equal(days[1].complaints, 1);
	assert_int_equal(days[1].complaints_of, 1045);
	assert_int_equal(days[2].all.sent, 0);
	assert_int_equal(counted(&f, account, 1, days, &known).sent, 1030);
	assert_true(known && days[1].known);
	assert_false(days[0].known || days[1].complaints_known);
	assert_int_equal(days[2].all.sent, 30);
	assert_int_equal(days[2].peak_hour, 0); /* of no hour anything is known */
	/* named twice, counted once */
	assert_int_equal(counted(&f, both, 2, days, &known).sent, 1115);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_of_transports),
		cmocka_unit_test(of_the_log),
		cmocka_unit_test(failures_behind_a_gate),
		cmocka_unit_test(of_vendors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
