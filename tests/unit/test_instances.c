/* SPDX-License-Identifier: MIT */
/* test_instances - whose a line is in a log that several write into; which family a given file is of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backends/confkeys.h"
#include "backends/instances.h"
#include "store/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const of_main[] = {"postfix-out", "postfix-out/in"};
static const char *const of_out[] = {"postfix", "postfix-out/in"};
static const char *const of_in[] = {"postfix", "postfix-out"};

static const struct instance_def defs[] = {
	{.name = "postfix",
		.syslog_name = "postfix",
		.others = of_main,
		.nothers = 2,
		.rest = true},
	{.name = "out", .syslog_name = "postfix-out", .others = of_out, .nothers = 2},
	{.name = "in", .syslog_name = "postfix-out/in", .others = of_in, .nothers = 2},
};

static void every_line_is_of_exactly_one(void **state)
{
	static const struct {
		enum event_kind kind;
		const char *service;
		int owner;
	} cases[] = {{EVENT_ATTEMPT, "postfix/smtp", 0},
		{EVENT_ATTEMPT, "postfix/submission/smtpd", 0},
		{EVENT_ATTEMPT, "postfix-out/smtp", 1},
		{EVENT_ATTEMPT, "postfix-out/relay/smtp", 1},
		{EVENT_ATTEMPT, "postfix-out/in/smtp", 2},
		{EVENT_ATTEMPT, "postfix-out/inner/smtp", 1},
		{EVENT_ATTEMPT, "postfix-outer/smtp", 0}, {EVENT_ATTEMPT, "postfix-bulk/smtp", 0},
		{EVENT_ATTEMPT, "postfix", 0}, {EVENT_ATTEMPT, "postfix-out", 0},
		{EVENT_UNPARSED, "postfix-out/smtp", 1}, {EVENT_FOREIGN, "CRON", 0},
		{EVENT_FOREIGN, NULL, 0}, {EVENT_OVERSIZE, NULL, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct event e;

		event_init(&e);
		e.kind = cases[i].kind;
		if (cases[i].service)
			e.service = str_of(cases[i].service);
		for (int d = 0; d < 3; d++)
			if (instance_owns(&defs[d], &e) != (d == cases[i].owner))
				fail_msg("%s and %s", defs[d].name,
					cases[i].service ? cases[i].service : "no service");
	}
}

static void alone_it_takes_all(void **state)
{
	const struct instance_def alone = {.syslog_name = "postfix"};
	struct event e;

	(void)state;
	event_init(&e);
	e.kind = EVENT_ATTEMPT;
	e.service = STR_LIT("postfix-203.0.113.7/smtp");
	assert_true(instance_owns(&alone, &e));
}

/* find - the instances for a given file with this content. */
static int find(const char *content, size_t n, struct mt_error *error, char *ret_family, size_t max)
{
	char path[] = "/tmp/mtatop-instances-XXXXXX";
	const char *logs[] = {path};
	struct conf_table table = collector_conf_table();
	struct conf *conf = conf_new(&table, 1);
	struct instances list;
	int fd = mkstemp(path), rc;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, n), n);
	close(fd);
	rc = instances_find(conf, logs, 1, &list, error);
	snprintf(ret_family, max, "%s", list.n ? list.all[0]->family->name : "");
	if (rc == 0) {
		assert_int_equal(list.n, 1);
		assert_true(list.all[0]->def.all_logs && list.all[0]->def.rest);
		assert_string_equal(list.all[0]->def.logs[0], path);
	}
	instances_done(&list);
	conf_free(conf);
	unlink(path);
	return rc;
}

static void a_given_file_is_known_by_its_lines(void **state)
{
	static const char mail[] = "Nov 25 12:00:00 mx1 cron[1]: x\nNov 25 12:00:00 mx1 "
				   "postfix/qmgr[7]: 1A2B3C4D5E: removed\n";
	static const char other[] = "\033]0;owned\007not a mail log\n";
	struct mt_error error = {0};
	char family[32];

	(void)state;
	assert_int_equal(find(mail, sizeof(mail) - 1, &error, family, sizeof(family)), 0);
	assert_string_equal(family, "postfix");
	assert_int_equal(find("", 0, &error, family, sizeof(family)), 0); /* may become anything */
	assert_int_equal(find(other, sizeof(other) - 1, &error, family, sizeof(family)), MT_EINVAL);
	assert_null(strchr(error.text, '\033'));
	assert_null(strchr(error.text, '\007'));
	assert_non_null(strstr(error.text, "not a mail log"));
}

static void a_file_that_is_not_there_is_refused(void **state)
{
	const char *logs[] = {"/nowhere/mail.log"};
	struct conf_table table = collector_conf_table();
	struct conf *conf = conf_new(&table, 1);
	struct mt_error error = {0};
	struct instances list;

	(void)state;
	assert_int_equal(instances_find(conf, logs, 1, &list, &error), MT_ENOENT);
	instances_done(&list);
	conf_free(conf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_line_is_of_exactly_one),
		cmocka_unit_test(alone_it_takes_all),
		cmocka_unit_test(a_given_file_is_known_by_its_lines),
		cmocka_unit_test(a_file_that_is_not_there_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
