/* SPDX-License-Identifier: MIT */
/* explain - which rule fits a reply: every rule's example, layers, hosts, codes, words, a person's rules, refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/base/mem.h"
#include "store/base/scan.h"
#include "store/explain/explain.h"
#include "store/explain/facts.h"
#include "store/mailbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GMAIL STR_LIT("gmail-smtp-in.l.google.com[142.250.1.27]:25")
#define MICROSOFT STR_LIT("x-com.mail.protection.outlook.com[52.101.1.1]:25")
#define YAHOO STR_LIT("mta7.am0.yahoodns.net[67.195.204.77]:25")
#define OTHER STR_LIT("mx.example.net[192.0.2.1]:25")
#define NO_TEXT ((struct str){NULL, 0})
#define LONG_BYTES (1u << 20)

static struct explain_rules *rules_of(const char *own)
{
	struct explain_rules *r = NULL;
	struct mt_error error = {0};

	if (explain_new(own ? str_of(own) : NO_TEXT, "own", &r, &error) < 0)
		fail_msg("%s", error.text);
	return r;
}

static int setup(void **state)
{
	*state = rules_of(NULL);
	return 0;
}

static int teardown(void **state)
{
	explain_free(*state);
	return 0;
}

static struct explain_result look(
	const struct explain_rules *r, int64_t key, struct str host, struct str text)
{
	struct explain_query q = {.text = text, .host = host, .key = key};
	struct explain_result out;

	explain(r, &q, &out);
	return out;
}

static struct explain_result say(const struct explain_rules *r, const char *text)
{
	return look(r, 0, NO_TEXT, str_of(text));
}

struct examples {
	const struct explain_rules *r;
	int *seen;
	int wrong;
};

static void one_example(void *ctx, int rule, const char *host, const char *text)
{
	struct examples *x = ctx;
	struct explain_result want, got = look(x->r, 0, str_of(host), str_of(text));

	explain_rule_texts(x->r, rule, &want);
	x->seen[rule]++;
	if (got.rule == rule)
		return;
	print_error("[%s] is not what its example gets, but [%s]: %s\n", want.rule_name,
		got.rule_name, text);
	x->wrong++;
}

static void test_every_rule_has_an_example_it_explains(void **state)
{
	struct examples x = {.r = *state};
	struct explain_result rule;
	int n = explain_rule_count(x.r);

	x.seen = xcalloc((size_t)n, sizeof(int));
	explain_examples(x.r, one_example, &x);
	for (int i = 0; i < n; i++) {
		explain_rule_texts(x.r, i, &rule);
		if (x.seen[i] == 0)
			print_error("[%s] has no example\n", rule.rule_name);
		x.wrong += x.seen[i] == 0;
		x.wrong += rule.todo[0] == '\0';
	}
	free(x.seen);
	assert_true(n > 250);
	assert_int_equal(x.wrong, 0);
}

/* The table of field/errors.md 5.3: the same code, registry and Gmail. */
static void test_same_code_two_meanings(void **state)
{
	static const struct {
		int cls, detail;
		const char *registry, *gmail;
		enum explain_cause registry_cause, gmail_cause;
	} cases[] = {
		{4, 23, "SPF validation failed", "PTR", CAUSE_AUTH, CAUSE_AUTH},
		{5, 24, "SPF record in error", "suspicious", CAUSE_AUTH, CAUSE_AUTH},
		{5, 25, "reverse DNS", "PTR", CAUSE_AUTH, CAUSE_AUTH},
		{5, 26, "several authentication", "neither SPF nor DKIM", CAUSE_AUTH, CAUSE_AUTH},
		{5, 27, "null MX", "SPF did not pass", CAUSE_ADDRESS, CAUSE_AUTH},
		{4, 28, "mail flood", "unusual rate", CAUSE_RATE, CAUSE_RATE},
		{5, 29, "ARC", "TLS", CAUSE_AUTH, CAUSE_ACCESS},
		{5, 30, "REQUIRETLS", "DKIM did not pass", CAUSE_ACCESS, CAUSE_AUTH},
		{5, 31, "a code of their own", "DMARC policy", CAUSE_ACCESS, CAUSE_AUTH},
		{5, 32, "a code of their own", "not aligned", CAUSE_ACCESS, CAUSE_AUTH},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t key = DSN_MAKE(cases[i].cls, 7, cases[i].detail);
		struct explain_result other = look(*state, key, OTHER, NO_TEXT);
		struct explain_result gmail = look(*state, key, GMAIL, NO_TEXT);

		assert_non_null(strstr(other.meaning, cases[i].registry));
		assert_int_equal(other.cause, cases[i].registry_cause);
		assert_int_equal(other.provider, 0);
		assert_non_null(strstr(gmail.meaning, cases[i].gmail));
		assert_int_equal(gmail.cause, cases[i].gmail_cause);
		assert_int_equal(gmail.layer, LAYER_PROVIDER);
		assert_string_equal(explain_provider_name(*state, gmail.provider), "Gmail");
		assert_int_equal(gmail.action, cases[i].cls == 4 ? ACTION_RETRYING : ACTION_FINAL);
	}
}

static const char *provider(const struct explain_rules *r, struct str host)
{
	return explain_provider_name(r, explain_provider(r, host));
}

static void test_provider_by_host_and_reply(void **state)
{
	struct explain_result r;

	assert_string_equal(provider(*state, GMAIL), "Gmail");
	assert_string_equal(provider(*state, STR_LIT("google.com")), "Gmail");
	assert_string_equal(provider(*state, STR_LIT("GMAIL-SMTP-IN.L.GOOGLE.COM")), "Gmail");
	assert_string_equal(provider(*state, STR_LIT("notgoogle.com")), "");
	assert_string_equal(provider(*state, STR_LIT("mx.google.com.evil.example")), "");
	assert_string_equal(provider(*state, MICROSOFT), "Microsoft");
	assert_string_equal(provider(*state, YAHOO), "Yahoo");
	assert_string_equal(provider(*state, STR_LIT("")), "");
	assert_string_equal(provider(*state, NO_TEXT), "");
	/* relay=none: the host is in the words. */
	r = look(*state, DSN_MAKE(4, 7, 28), STR_LIT("none"),
		STR_LIT("host gmail-smtp-in.l.google.com[1.2.3.4] said: 421"));
	assert_string_equal(explain_provider_name(*state, r.provider), "Gmail");
	/* A pasted one is known by its signature; a known host is believed before it. */
	r = say(*state, "550-5.7.26 qwx 550 5.7.26 - gsmtp");
	assert_string_equal(r.rule_name, "gmail-no-auth");
	r = look(*state, 0, OTHER, STR_LIT("550 5.7.26 qwx - gsmtp"));
	assert_string_equal(r.rule_name, "x.7.26");
}

static void test_facts(void **state)
{
	struct reply_facts f;

	(void)state;
	facts_of(STR_LIT("host mx.example.net[192.0.2.1] said: 550-5.1.1 first 550 5.1.1 second "
			 "(in reply to RCPT TO command)"),
		&f);
	assert_int_equal(f.dsn, DSN_MAKE(5, 1, 1));
	assert_int_equal(f.code, 550);
	assert_int_equal(f.stage, STAGE_RCPT);
	assert_true(str_eq(f.host, STR_LIT("mx.example.net")));
	assert_true(str_starts(f.words, STR_LIT("550-5.1.1 first")));
	facts_of(STR_LIT("connect to mx.example.net[2001:db8::1]:25: Connection refused"), &f);
	assert_true(str_eq(f.host, STR_LIT("mx.example.net")));
	assert_int_equal(f.dsn, 0);
	assert_int_equal(f.code, 0);
	facts_of(STR_LIT("SMTP error from remote mail server after MAIL FROM:<a@b.example> "
			 "SIZE=550: "
			 "host mx.example.net [192.0.2.1]: 421 4.7.0 wait"),
		&f);
	assert_int_equal(f.code, 421);
	assert_int_equal(f.stage, STAGE_MAIL);
	assert_true(str_eq(f.host, STR_LIT("mx.example.net")));
	/* Neither addresses nor versions nor numbers are codes. */
	facts_of(STR_LIT("4.7.0.1 5.1.1234 9.1.1 6.5.4 1.550 at 5500"), &f);
	assert_int_equal(f.dsn, 0);
	assert_int_equal(f.code, 0);
	facts_of(NO_TEXT, &f);
	assert_int_equal(f.dsn + f.code, 0);
}

static void test_order_of_layers(void **state)
{
	struct explain_result r;

	r = say(*state, "450 4.7.1 Greylisted for 60 seconds");
	assert_int_equal(r.layer, LAYER_WORDS);
	assert_int_equal(r.category, CATEGORY_GREYLISTED);
	r = say(*state, "554 5.7.1 blocked using zen.spamhaus.org");
	assert_string_equal(r.rule_name, "list-spamhaus");
	assert_string_equal(r.link, "https://check.spamhaus.org");
	assert_int_equal(r.side, SIDE_SENDER);
	/* A code that says something is not overruled by words that say little. */
	r = say(*state, "550 5.1.1 rejected");
	assert_string_equal(r.rule_name, "x.1.1");
	assert_int_equal(r.layer, LAYER_ENHANCED);
	r = say(*state, "550 5.0.0 rejected by a rule");
	assert_int_equal(r.category, CATEGORY_POLICY_REJECT);
	r = say(*state, "552");
	assert_int_equal(r.layer, LAYER_BASIC);
	assert_int_equal(r.cause, CAUSE_MAILBOX);
	r = say(*state, "");
	assert_int_equal(r.layer, LAYER_NONE);
	assert_int_equal(r.category, CATEGORY_UNKNOWN);
	assert_int_equal(r.action, ACTION_UNKNOWN);
	r = look(*state, DSN_MAKE(5, 99, 99), OTHER, NO_TEXT);
	assert_string_equal(r.meaning, "refused for good");
	/* A success is not explained by words of failures in it. */
	r = say(*state, "250 2.0.0 Ok: greylisting passed");
	assert_int_equal(r.action, ACTION_ACCEPTED);
	assert_int_equal(r.cause, CAUSE_UNKNOWN);
	/* The record's code counts, unless it says nothing and the text says more. */
	assert_int_equal(look(*state, DSN_MAKE(5, 2, 2), OTHER, STR_LIT("550 5.1.1 x")).key,
		DSN_MAKE(5, 2, 2));
	assert_int_equal(look(*state, DSN_MAKE(5, 0, 0), OTHER, STR_LIT("550 5.1.1 x")).key,
		DSN_MAKE(5, 1, 1));
}

static void test_action_and_class(void **state)
{
	struct explain_query q = {.text = STR_LIT("550 5.1.1 x"), .status = STATUS_DEFERRED};
	struct explain_result r;

	explain(*state, &q, &r); /* soft_bounce=yes */
	assert_int_equal(r.action, ACTION_RETRYING);
	q = (struct explain_query){.text = STR_LIT("421 4.7.0 x"), .status = STATUS_EXPIRED};
	explain(*state, &q, &r);
	assert_int_equal(r.action, ACTION_FINAL);
	q.status = STATUS_SENT;
	explain(*state, &q, &r);
	assert_int_equal(r.action, ACTION_ACCEPTED);
	r = say(*state, "605 Not delivering to previously bounced address");
	assert_int_equal(r.action, ACTION_SUPPRESSED);
	/* 4xx and 5xx of a registered code have one cause and one side. */
	for (int subject = 0; subject <= 7; subject++)
		for (int detail = 0; detail <= 30; detail++) {
			struct explain_result soft =
				look(*state, DSN_MAKE(4, subject, detail), OTHER, NO_TEXT);
			struct explain_result hard =
				look(*state, DSN_MAKE(5, subject, detail), OTHER, NO_TEXT);

			assert_int_equal(soft.cause, hard.cause);
			assert_int_equal(soft.side, hard.side);
		}
}

static void test_names_are_no_reasons(void **state)
{
	struct explain_result r;

	/* Words in addresses and in the name of the host are nobody's reason. */
	r = say(*state, "550 5.1.1 <spam@virus.example>: qwx");
	assert_string_equal(r.rule_name, "x.1.1");
	r = say(*state, "550 5.1.1 for greylist.spam.example[192.0.2.1] qwx");
	assert_string_equal(r.rule_name, "x.1.1");
	r = say(*state, "host greylist.example.net[192.0.2.1] said: 552 5.2.2 qwx");
	assert_string_equal(r.rule_name, "x.2.2");
}

static void test_own_rules(void **state)
{
	static const char own[] = "# ours\n"
				  "[gateway]\n"
				  "host = .example.net\n"
				  "code = x.7.28\n"
				  "category = rate_limited\n"
				  "cause = local\n"
				  "say = our own gateway is full\n"
				  "do = call Eve\n"
				  "example = 421 4.7.28 qwx\n"
				  "[list-spamhaus]\n"
				  "text = blargh | flumm*xy\n"
				  "or = one more\n"
				  "not = but not\n"
				  "category = policy_reject\n"
				  "say = ours instead\n"
				  "[list-spamcop]\n"
				  "off = yes\n"
				  "[provider house]\n"
				  "name = Our house\n"
				  "hosts = .house.example .home.example\n";
	struct explain_rules *r = rules_of(own);
	struct explain_result x;

	x = look(r, DSN_MAKE(4, 7, 28), OTHER, NO_TEXT);
	assert_int_equal(x.layer, LAYER_OWN);
	assert_int_equal(x.cause, CAUSE_LOCAL);
	assert_int_equal(x.side, SIDE_SENDER);
	assert_string_equal(x.todo, "call Eve");
	x = look(r, DSN_MAKE(4, 7, 28), GMAIL, NO_TEXT);
	assert_int_equal(x.layer, LAYER_PROVIDER);
	assert_string_equal(say(r, "599 in zen.spamhaus.org").rule_name, "");
	assert_string_equal(say(r, "599 a Blargh!").rule_name, "list-spamhaus");
	assert_string_equal(say(r, "599 FLUMM and more xy").rule_name, "list-spamhaus");
	assert_string_equal(say(r, "599 flummery").rule_name, "");
	assert_string_equal(say(r, "599 one-more").rule_name, "list-spamhaus");
	assert_string_equal(say(r, "599 one more, but not").rule_name, "");
	assert_string_equal(say(r, "599 blarghs").rule_name, "");
	assert_string_not_equal(say(r, "554 see bl.spamcop.net").rule_name, "list-spamcop");
	assert_string_equal(provider(r, STR_LIT("mx.home.example")), "Our house");
	assert_true(explain_hash(r) != explain_hash(*state));
	explain_free(r);
	explain_free(NULL);
}

static void test_wrong_rules_are_refused(void **state)
{
	static const struct {
		const char *text, *where;
	} wrong[] = {
		{"code = 550\n", "line 1:"},
		{"[a]\ncode = 6.7.28\n", "line 2:"},
		{"[a]\ncode = 4.7\n", "line 2:"},
		{"[a]\ncode = 4.7.28.1\n", "line 2:"},
		{"[a]\ncode = x.*.1\n", "line 2:"},
		{"[a]\ncode = 0\n", "line 2:"},
		{"[a]\nstage = lunch\n", "line 2:"},
		{"[a]\n\n\ncategory = nonsense\n", "line 4:"},
		{"[a]\ncause = nobody\n", "line 2:"},
		{"[a]\nside = nobody\n", "line 2:"},
		{"[a]\naction = dance\n", "line 2:"},
		{"[a]\ntext = \n", "line 2:"},
		{"[a]\ntext = x\n", "line 2:"},
		{"[a]\ntext = fine | ***\n", "line 2:"},
		{"[a]\nor = alone\n", "line 2:"},
		{"[a]\nwhat = ever\n", "line 2:"},
		{"[a]\nno sign\n", "line 2:"},
		{"[a\n", "line 1:"},
		{"[]\n", "line 1:"},
		{"[a]\ncategory = spam\nsay = x\n", "line 3:"},
		{"[a]\ntext = abc\nsay = x\n", "line 3:"},
		{"[a]\ntext = abc\ncategory = spam\n[b]\n", "line 4:"},
		{"[a]\noff = yes\n[a]\n", "line 3:"},
		{"[provider p]\nhosts = .x\n", "line 2:"},
		{"[provider p]\nname = P\n[provider p]\n", "line 3:"},
		{"[provider p]\ncode = 550\n", "line 2:"},
		{"[a]\nhost = nowhere\ncategory = spam\nsay = x\n", "line 1:"},
		{"[a]\ntext = abc\ncategory = spam\nsay = x\nexample = 550 def\n", "line 1:"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct explain_rules *r = NULL;
		struct mt_error error = {0};

		assert_int_equal(explain_new(str_of(wrong[i].text), "own", &r, &error), MT_EINVAL);
		assert_null(r);
		if (!strstr(error.text, wrong[i].where) || !strstr(error.text, "own: "))
			fail_msg("%s\ngave: %s", wrong[i].text, error.text);
	}
}

/* Time in proportion to the length whatever is in it: here only that nothing is read or written past its end. */
static void test_long_and_strange_texts(void **state)
{
	char *text = xmalloc(LONG_BYTES);

	for (int fill = 0; fill < 256; fill += 5) {
		memset(text, fill, LONG_BYTES);
		look(*state, 0, NO_TEXT, str_make(text, LONG_BYTES));
	}
	for (size_t i = 0; i < LONG_BYTES; i++)
		text[i] = "mail mailbox full "[i % 18];
	assert_int_equal(look(*state, 0, NO_TEXT, str_make(text, LONG_BYTES)).category,
		CATEGORY_MAILBOX_FULL);
	free(text);
}

/* in_box - is this suffix of that provider's hosts counted in its mailbox (mailboxes.def)? Those without one are OTHER. */
static bool in_box(const char *provider, enum mailbox box)
{
	static const struct {
		const char *provider, *words;
	} own[] = {{"google", "gmail"}, {"microsoft", "outlook microsoft365"}, {"apple", "icloud"},
		{"tencent", "qq"}};
	const char *word = mailbox_word(box);

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (strcmp(provider, own[i].provider) == 0)
			return strstr(own[i].words, word) != NULL;
	for (int i = 1; i < MAILBOX__COUNT; i++)
		if (strcmp(provider, mailbox_word((enum mailbox)i)) == 0)
			return strcmp(provider, word) == 0;
	return box == MAILBOX_OTHER;
}

/* A host is of one provider, whether a reply is explained or a warm-up counted. */
static void test_mailboxes_are_the_providers(void **state)
{
	static const char *const suffixes[] = {
#define MAILBOX(id, word, name, suffixes) suffixes,
#include "assets/mailboxes.def"
#undef MAILBOX
	};
	FILE *f =
		fopen("assets/explain/10-providers.rules", "re"); /* tests run in the source root */
	char line[512], provider[64] = "", host[128];
	size_t hosts = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		struct str rest = str_of(line), one;

		if (scan_lit(&rest, STR_LIT("[provider ")) && scan_until(&rest, ']', &one))
			snprintf(provider, sizeof(provider), "%.*s", (int)one.n, one.p);
		if (!scan_lit(&rest, STR_LIT("hosts = ")))
			continue;
		for (; scan_word(&rest, &one); hosts++) {
			snprintf(host, sizeof(host), "mx%.*s", (int)str_trim(one).n, one.p);
			if (!in_box(provider, mailbox_of(str_of(host))))
				fail_msg("%s of [provider %s] is counted as %s", host, provider,
					mailbox_word(mailbox_of(str_of(host))));
			(void)scan_lit(&rest, STR_LIT(" "));
		}
	}
	fclose(f);
	assert_true(hosts > 40);
	for (size_t i = 1; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		for (struct str rest = str_of(suffixes[i]); rest.n;) {
			struct str one = str_first(rest, str_find_char(rest, ' '));

			snprintf(host, sizeof(host), "mx%.*s", (int)one.n, one.p);
			if (explain_provider(*state, str_of(host)) <= 0)
				fail_msg("%s is of no [provider]", host);
			rest = str_skip(rest, one.n < rest.n ? one.n + 1 : one.n);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mailboxes_are_the_providers),
		cmocka_unit_test(test_every_rule_has_an_example_it_explains),
		cmocka_unit_test(test_same_code_two_meanings),
		cmocka_unit_test(test_provider_by_host_and_reply),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_order_of_layers),
		cmocka_unit_test(test_action_and_class),
		cmocka_unit_test(test_names_are_no_reasons),
		cmocka_unit_test(test_own_rules),
		cmocka_unit_test(test_wrong_rules_are_refused),
		cmocka_unit_test(test_long_and_strange_texts),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
