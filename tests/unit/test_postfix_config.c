/* SPDX-License-Identifier: MIT */
/* postconf's words: parameters, time values, instances, services and their ports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backends/postfix/master.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)

static void test_time_values(void **state)
{
	static const struct {
		const char *text;
		char unit;
		int64_t want;
	} cases[] = {{"300s", 's', 300000}, {"5d", 'd', 5 * DAY_MS}, {"5", 'd', 5 * DAY_MS},
		{"300", 's', 300000}, {"1h", 's', HOUR_MS}, {"2m", 's', 120000},
		{"1w", 's', 7 * DAY_MS}, {" 0 ", 's', 0}, {"", 's', -1}, {"d", 's', -1},
		{"5x", 's', -1}, {"5 d", 's', -1}, {"-1s", 's', -1}, {"99999999999999", 's', -1},
		{"9999999999w", 's', -1}, {"1h30m", 's', -1}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t got = -1;
		int rc = postfix_time_ms(str_of(cases[i].text), cases[i].unit, &got);

		assert_int_equal(got, cases[i].want);
		assert_int_equal(rc, cases[i].want < 0 ? MT_EINVAL : 0);
	}
}

static void test_parameters(void **state)
{
	struct postfix_config c;

	(void)state;
	postfix_config_init(&c, "/etc/postfix");
	postfix_config_parse(
		&c, STR_LIT("maillog_file =\nsyslog_name = postfix-out\nminimal_backoff_time = 5m\n"
			    "maximal_queue_lifetime = 5\nbounce_queue_lifetime = "
			    "forever\nmyhostname = a = b\n"
			    "unknown_one = 7\nno equals sign\nhash_queue_depth = "
			    "2\nsmtpd_tls_wrappermode = no\n"
			    "mail_version = 3.10.2-dev\nqueue_directory = /var/spool/postfix"));
	assert_string_equal(c.maillog_file, "");
	assert_string_equal(c.syslog_name, "postfix-out");
	assert_string_equal(c.myhostname, "a = b");
	assert_string_equal(c.queue_directory, "/var/spool/postfix");
	assert_string_equal(c.command_directory, "");
	assert_int_equal(c.minimal_backoff_ms, 300000);
	assert_int_equal(c.maximal_queue_lifetime_ms, 5 * DAY_MS);
	assert_int_equal(c.bounce_queue_lifetime_ms, EVENT_UNKNOWN);
	assert_int_equal(c.maximal_backoff_ms, EVENT_UNKNOWN);
	assert_int_equal(c.hash_queue_depth, 2);
	assert_int_equal(c.smtpd_tls_wrappermode, 0);
	assert_false(postfix_config_older(&c, 3, 1));
	assert_true(postfix_config_older(&c, 3, 11));
	assert_true(postfix_config_older(&c, 4, 0));
	postfix_config_done(&c);
}

static void test_version_unknown(void **state)
{
	struct postfix_config c;

	(void)state;
	postfix_config_init(&c, "/x");
	assert_false(postfix_config_older(&c, 3, 1)); /* unknown is not old: -j is tried */
	postfix_config_done(&c);
}

static void collect(void *ctx, struct str dir)
{
	(void)buf_add_str(ctx, dir);
	(void)buf_add_char(ctx, '|');
}

static void test_instances(void **state)
{
	struct buf got;

	(void)state;
	buf_init(&got, 1000);
	assert_int_equal(
		postfix_multi_parse(
			STR_LIT("-               -               y         /etc/postfix\n"
				"postfix-out     mta             n         /etc/postfix out \n\n"),
			collect, &got),
		2);
	assert_string_equal(buf_z(&got), "/etc/postfix|/etc/postfix out|");
	buf_done(&got);
}

static void test_complaint(void **state)
{
	(void)state;
	assert_true(
		str_eq(postfix_complaint(STR_LIT("x: warning: a\nx: fatal: b\nx: warning: c\n")),
			STR_LIT("x: fatal: b")));
	assert_true(str_eq(
		postfix_complaint(STR_LIT("\n x: warning: a\nmore")), STR_LIT("x: warning: a")));
	assert_int_equal(postfix_complaint((struct str){0}).n, 0);
}

static void test_ports(void **state)
{
	static const struct {
		const char *text;
		int32_t want;
	} cases[] = {{"25", 25}, {"smtp", 25}, {"smtps", 465}, {"submission", 587},
		{"submissions", 465}, {"127.0.0.1:10025", 10025}, {"[::1]:submission", 587},
		{"localhost:smtp", 25}, {"0", -1}, {"65536", -1}, {"", -1}, {":", -1},
		{"no-such-service-name", -1}, {"999999999999999999999", -1}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(postfix_port(str_of(cases[i].text)), cases[i].want);
}

struct want_row {
	const char *tag;
	int32_t port;
	enum port_source source;
	int wrapper;
	const char *note;
};

static void check(const char *services, const char *params, const struct want_row *want, size_t n)
{
	struct postfix_config c;
	struct postfix_services s;

	postfix_config_init(&c, "/etc/postfix");
	postfix_config_parse(&c, STR_LIT("syslog_name = postfix\nsmtpd_tls_wrappermode = "
					 "no\nsmtpd_service_name = smtpd\n"));
	postfix_master_parse(str_of(services), str_of(params), &c, &s);
	assert_int_equal(s.n, n);
	for (size_t i = 0; i < n; i++) {
		assert_true(str_eq(s.rows[i].tag, str_of(want[i].tag)));
		assert_int_equal(s.rows[i].port, want[i].port);
		assert_int_equal(s.rows[i].source, want[i].source);
		assert_int_equal(s.rows[i].wrapper, want[i].wrapper);
		assert_true(str_eq(s.rows[i].note, str_of(want[i].note)));
	}
	postfix_services_done(&s);
	postfix_config_done(&c);
}

#define STOCK                                                                                      \
	"smtp       inet  n       -       y       -       -       smtpd\n"                         \
	"submission inet n - y - - smtpd -o syslog_name=postfix/submission -o "                    \
	"smtpd_tls_security_level=encrypt\n"                                                       \
	"submissions inet n - y - - smtpd -o syslog_name=postfix/submissions -o "                  \
	"smtpd_tls_wrappermode=yes\n"                                                              \
	"pickup     unix  n       -       y       60      1       pickup\n"                        \
	"relay      unix  -       -       y       -       -       smtp -o "                        \
	"syslog_name=postfix/relay\n"

static void test_stock_master(void **state)
{
	const struct want_row want[] = {{"postfix/smtpd", 25, PORT_FROM_MASTER, 0, NULL},
		{"postfix/submission/smtpd", 587, PORT_FROM_MASTER, 0, NULL},
		{"postfix/submissions/smtpd", 465, PORT_FROM_MASTER, 1, NULL}};

	(void)state;
	check(STOCK, "", want, 3);
	check(STOCK,
		"relay/unix/syslog_name = postfix/relay\nsubmission/inet/syslog_name = "
		"postfix/submission\n"
		"submissions/inet/smtpd_tls_wrappermode = yes\nsubmissions/inet/syslog_name = "
		"postfix/submissions\n",
		want, 3);
}

static void test_shared_name(void **state)
{
	const struct want_row two[] = {{"postfix/smtpd", -1, PORT_AMBIGUOUS, 0,
		"25 and 10025 share the name postfix/smtpd"}};
	const struct want_row three[] = {{"postfix/smtpd", -1, PORT_AMBIGUOUS, -1,
		"25 and 10025, 465 share the name postfix/smtpd"}};
	const struct want_row same[] = {{"postfix/smtpd", 25, PORT_FROM_MASTER, 0, NULL}};

	(void)state;
	check("smtp inet n - y - - smtpd\n127.0.0.1:10025 inet n - y - - smtpd\n", "", two, 1);
	check("smtp inet n - y - - smtpd\n127.0.0.1:10025 inet n - y - - smtpd\n[::1]:10025 inet n "
	      "- y - - smtpd\n"
	      "465 inet n - y - - smtpd\n25 inet n - y - - smtpd\n",
		"465/inet/smtpd_tls_wrappermode = yes\n", three, 1);
	check("1.2.3.4:smtp inet n - y - - smtpd\n[::1]:25 inet n - y - - smtpd\n", "", same, 1);
}

static void test_postscreen(void **state)
{
	const struct want_row want[] = {{"postfix/postscreen", 25, PORT_FROM_MASTER, 0, NULL},
		{"postfix/smtpd", 25, PORT_FROM_MASTER, 0, NULL}};
	const struct want_row other[] = {{"postfix/postscreen", 25, PORT_FROM_MASTER, 0, NULL},
		{"mx/smtpd", 25, PORT_FROM_MASTER, 0, NULL}};

	(void)state;
	check("smtp inet n - y - 1 postscreen\nsmtpd pass - - y - - smtpd\ntlsproxy unix - - y - 0 "
	      "tlsproxy\n",
		"", want, 2);
	check("smtp inet n - y - 1 postscreen -o { smtpd_service_name = inner }\ninner pass - - y "
	      "- - smtpd\n"
	      "smtpd pass - - y - - smtpd\n",
		"inner/pass/syslog_name = mx\n", other, 2);
}

static void test_hostile_master(void **state)
{
	const struct want_row unknown[] = {{"postfix/smtpd", -1, PORT_UNKNOWN, 0, NULL}};

	(void)state;
	check("\n\n inet\nsmtp inet n\nsmtp inet n - y - -\n\t\t\nx", "=\n/ = \n===", NULL, 0);
	check("nosuchname inet n - y - - smtpd\nsmtp inet n - y - - smtpd -o\n", "/inet/=", unknown,
		1);
	check("smtp inet n - y - - /usr/sbin/smtpd -o { syslog_name = x\n",
		"smtp/inet/syslog_name =\n",
		(const struct want_row[]){{"/smtpd", 25, PORT_FROM_MASTER, 0, NULL}}, 1);
}

/* What `postconf -x -M` makes of syslog_name=postfix/$service_name, and of a list of listeners. */
static void test_named_after_service(void **state)
{
	const struct want_row want[] = {
		{"postfix/127.0.0.1:10025/smtpd", 10025, PORT_FROM_MASTER, 0, NULL},
		{"mx/x-[::1]:10026/smtpd", 10026, PORT_FROM_MASTER, 0, NULL},
		{"postfix/qmqpd", 628, PORT_FROM_MASTER, 0, NULL},
		{"postfix/smtps/smtpd", 465, PORT_FROM_MASTER, 1, NULL},
		{"postfix/mx-a/smtpd", 25, PORT_FROM_MASTER, 0, NULL},
		{"postfix/mx-b/smtpd", 25, PORT_FROM_MASTER, 0, NULL}};

	(void)state;
	check("127.0.0.1:10025 inet n - n - - smtpd -o syslog_name=postfix/127.0.0.1:10025\n"
	      "[::1]:10026 inet n - n - - smtpd -o { syslog_name = mx/x-[::1]:10026 }\n"
	      "628        inet  n       -       n       -       -       qmqpd\n"
	      "smtps inet n - n - - smtpd -o syslog_name=postfix/smtps -o "
	      "smtpd_tls_wrappermode=yes -o smtpd_sasl_auth_enable=yes\n"
	      "192.0.2.1:smtp inet n - n - - smtpd -o syslog_name=postfix/mx-a\n"
	      "192.0.2.2:25 inet n - n - - smtpd -o syslog_name=postfix/mx-b\n"
	      "127.0.0.1:10024 inet n - n - - spawn user=nobody argv=/usr/bin/filter -o "
	      "syslog_name=no\n",
		"", want, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_time_values),
		cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_version_unknown),
		cmocka_unit_test(test_instances),
		cmocka_unit_test(test_complaint),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_stock_master),
		cmocka_unit_test(test_shared_name),
		cmocka_unit_test(test_postscreen),
		cmocka_unit_test(test_hostile_master),
		cmocka_unit_test(test_named_after_service),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
