/* SPDX-License-Identifier: MIT */
/* codes - meaning, side and rule of codes: registry, overlay by relay host, reply words, own rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tui/codes.h"

#include <string.h>

#define GMAIL STR_LIT("gmail-smtp-in.l.google.com[142.250.1.27]:25")
#define MICROSOFT STR_LIT("x-com.mail.protection.outlook.com[52.101.1.1]:25")
#define YAHOO STR_LIT("mta7.am0.yahoodns.net[67.195.204.77]:25")
#define OTHER STR_LIT("mx.example.net[192.0.2.1]:25")
#define NO_TEXT ((struct str){NULL, 0})

static struct code_info look(int cls, int subject, int detail, struct str relay, struct str reply)
{
	return codes_lookup(NULL, DSN_MAKE(cls, subject, detail), relay, reply);
}

/* The table of field/errors.md 5.3: the same code, registry and Gmail. */
static void test_same_code_two_meanings(void **state)
{
	static const struct {
		int cls, detail;
		const char *registry, *gmail;
		enum code_side registry_side, gmail_side;
	} cases[] = {
		{4, 23, "SPF validation failed", "PTR", SIDE_AUTH, SIDE_AUTH},
		{5, 24, "SPF record in error", "suspicious", SIDE_AUTH, SIDE_AUTH},
		{5, 25, "reverse DNS", "PTR", SIDE_AUTH, SIDE_AUTH},
		{5, 26, "several authentication", "neither SPF nor DKIM", SIDE_AUTH, SIDE_AUTH},
		{5, 27, "null MX", "SPF did not pass", SIDE_ADDRESS, SIDE_AUTH},
		{4, 28, "mail flood", "unusual rate", SIDE_RATE, SIDE_RATE},
		{5, 29, "ARC", "TLS", SIDE_AUTH, SIDE_ACCESS},
		{5, 30, "REQUIRETLS", "DKIM did not pass", SIDE_ACCESS, SIDE_AUTH},
		{5, 31, "not in the registry", "DMARC policy", SIDE_ACCESS, SIDE_AUTH},
		{5, 32, "not in the registry", "not aligned", SIDE_ACCESS, SIDE_AUTH},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct code_info other = look(cases[i].cls, 7, cases[i].detail, OTHER, NO_TEXT);
		struct code_info gmail = look(cases[i].cls, 7, cases[i].detail, GMAIL, NO_TEXT);

		assert_non_null(strstr(other.meaning, cases[i].registry));
		assert_int_equal(other.side, cases[i].registry_side);
		assert_string_equal(other.provider, "");
		assert_non_null(strstr(gmail.meaning, cases[i].gmail));
		assert_int_equal(gmail.side, cases[i].gmail_side);
		assert_int_equal(gmail.source, CODE_PROVIDER);
		assert_string_equal(gmail.provider, "Gmail");
	}
}

static void test_provider_by_host_and_reply(void **state)
{
	(void)state;
	assert_string_equal(codes_provider(GMAIL), "Gmail");
	assert_string_equal(codes_provider(STR_LIT("google.com")), "Gmail");
	assert_string_equal(codes_provider(STR_LIT("GMAIL-SMTP-IN.L.GOOGLE.COM")), "Gmail");
	assert_string_equal(codes_provider(STR_LIT("notgoogle.com")), "");
	assert_string_equal(codes_provider(STR_LIT("mx.google.com.evil.example")), "");
	assert_string_equal(codes_provider(MICROSOFT), "Microsoft");
	assert_string_equal(codes_provider(YAHOO), "Yahoo");
	assert_string_equal(codes_provider(STR_LIT("")), "");
	assert_string_equal(codes_provider(NO_TEXT), "");
	/* relay=none: the host is in the words. */
	assert_string_equal(look(4, 7, 28, STR_LIT("none"),
				    STR_LIT("host gmail-smtp-in.l.google.com[1.2.3.4] said: 421"))
				    .provider,
		"Gmail");
}

static void test_words_and_private_codes(void **state)
{
	struct code_info i;

	(void)state;
	i = look(4, 7, 0, YAHOO,
		STR_LIT("421 4.7.0 [TSS04] Messages from 1.2.3.4 temporarily deferred"));
	assert_int_equal(i.side, SIDE_RATE);
	assert_int_equal(i.source, CODE_PROVIDER);
	i = look(4, 7, 650, MICROSOFT, NO_TEXT);
	assert_int_equal(i.side, SIDE_REPUTATION);
	i = look(4, 7, 650, OTHER, NO_TEXT);
	assert_int_equal(i.source, CODE_NOWHERE);
	assert_int_equal(i.side, SIDE_ACCESS);
	i = look(5, 1, 10, MICROSOFT, NO_TEXT);
	assert_non_null(strstr(i.meaning, "no such mailbox"));
	i = look(5, 1, 10, OTHER, NO_TEXT);
	assert_non_null(strstr(i.meaning, "null MX"));
	i = look(4, 7, 1, OTHER, STR_LIT("450 4.7.1 Greylisted for 60 seconds"));
	assert_int_equal(i.side, SIDE_RATE);
	assert_int_equal(i.source, CODE_WORDS);
	i = look(5, 7, 1, OTHER, STR_LIT("554 5.7.1 blocked using zen.spamhaus.org"));
	assert_int_equal(i.side, SIDE_REPUTATION);
}

static void test_basic_unknown_and_accepted(void **state)
{
	struct code_info i = codes_lookup(NULL, 552, OTHER, NO_TEXT);

	(void)state;
	assert_int_equal(i.source, CODE_BASIC);
	assert_int_equal(i.side, SIDE_MAILBOX);
	i = codes_lookup(NULL, 0, NO_TEXT, NO_TEXT);
	assert_int_equal(i.source, CODE_NOWHERE);
	assert_string_equal(i.meaning, "no code in the log");
	i = codes_lookup(NULL, 599, NO_TEXT, NO_TEXT);
	assert_int_equal(i.source, CODE_NOWHERE);
	/* A success is not explained by words of failures in it. */
	i = look(2, 0, 0, OTHER, STR_LIT("250 2.0.0 Ok: greylisting passed"));
	assert_string_equal(i.meaning, "accepted");
	assert_int_equal(i.side, SIDE_UNKNOWN);
	i = look(5, 99, 99, OTHER, NO_TEXT);
	assert_string_equal(i.meaning, "refused for good");
	/* 4xx and 5xx of a registered code are on the same side. */
	for (int subject = 0; subject <= 7; subject++)
		for (int detail = 0; detail <= 30; detail++)
			assert_int_equal(look(4, subject, detail, OTHER, NO_TEXT).side,
				look(5, subject, detail, OTHER, NO_TEXT).side);
}

static void test_own_rules(void **state)
{
	static const char rules[] =
		"# ours\n"
		"x.7.28 | .example.net | * | local | our own gateway is full | call Eve\n"
		"550 | * | over quota | mailbox | full, says this one | wait\n"
		"* | Gmail | gsmtp | reputation | Gmail spoke | -\n";
	struct codes *own = NULL;
	struct code_info i;

	(void)state;
	assert_int_equal(codes_parse(str_of(rules), &own, NULL), 0);
	i = codes_lookup(own, DSN_MAKE(4, 7, 28), OTHER, NO_TEXT);
	assert_int_equal(i.source, CODE_OWN);
	assert_int_equal(i.side, SIDE_LOCAL);
	assert_string_equal(i.todo, "call Eve");
	i = codes_lookup(own, DSN_MAKE(4, 7, 28), GMAIL, NO_TEXT);
	assert_int_equal(i.source, CODE_PROVIDER);
	i = codes_lookup(own, DSN_MAKE(4, 7, 28), GMAIL, STR_LIT("x - gsmtp"));
	assert_int_equal(i.source, CODE_OWN);
	assert_string_equal(i.provider, "Gmail");
	i = codes_lookup(own, 550, OTHER, STR_LIT("550 Over Quota"));
	assert_string_equal(i.meaning, "full, says this one");
	i = codes_lookup(own, 550, OTHER, STR_LIT("550 no"));
	assert_int_equal(i.source, CODE_BASIC);
	codes_free(own);
	codes_free(NULL);
}

static void test_wrong_rules_are_refused(void **state)
{
	static const char *const wrong[] = {
		"x.7.28 | * | * | rate | four fields are too few",
		"6.7.28 | * | * | rate | class | .",
		"4.7 | * | * | rate | short | .",
		"4.7.28.1 | * | * | rate | long | .",
		"0 | * | * | rate | zero | .",
		"x.7.28 | * | * | nobody | side | .",
		"x.7.28 | * | * | rate | | no meaning",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct codes *own = NULL;
		struct mt_error error = {0};

		assert_int_equal(codes_parse(str_of(wrong[i]), &own, &error), MT_EINVAL);
		assert_null(own);
		assert_non_null(strstr(error.text, "line 1:"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_code_two_meanings),
		cmocka_unit_test(test_provider_by_host_and_reply),
		cmocka_unit_test(test_words_and_private_codes),
		cmocka_unit_test(test_basic_unknown_and_accepted),
		cmocka_unit_test(test_own_rules),
		cmocka_unit_test(test_wrong_rules_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
