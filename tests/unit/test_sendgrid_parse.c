/* SPDX-License-Identifier: MIT */
/*
 * test_sendgrid_parse - every SendGrid body of ../shared/api-bodies parses to checked values (skipped where that folder
 * is missing), and bodies of our own: the odd, the absurd and the hostile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/apirows.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER "../shared/api-bodies/sendgrid/openapi"
#define NOW_MS                                                                                     \
	INT64_C(1410048123000) /* five days and an hour after the start_date of the vendor's example */

static struct buf out, body;

static int set_up(void **state)
{
	(void)state;
	buf_init(&out, 8u << 20);
	buf_init(&body, 8u << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	buf_done(&out);
	buf_done(&body);
	return 0;
}

static int parse(enum sendgrid_endpoint endpoint, struct str text, struct sendgrid_result *ret)
{
	struct sendgrid_ask ask = {.endpoint = endpoint, .fetched_ms = NOW_MS};
	struct sendgrid_sink sink = apirows_sink(&out);
	struct mt_error error = {0};

	buf_clear(&out);
	return sendgrid_parse(&ask, text, &sink, ret, &error);
}

static bool read_file(const char *path)
{
	FILE *f = fopen(path, "re");
	char bytes[4096];
	size_t n;

	buf_clear(&body);
	if (!f)
		return false;
	while ((n = fread(bytes, 1, sizeof(bytes), f)) > 0)
		assert_int_equal(buf_add(&body, bytes, n), 0);
	fclose(f);
	return true;
}

static void must_hold(const char *file, const char *needle)
{
	if (needle && !strstr(buf_z(&out), needle))
		fail_msg("%s: no \"%s\" in:\n%.2000s", file, needle, buf_z(&out));
}

#define ZEROS                                                                                      \
	" REQUESTS=0 PROCESSED=0 SENT=0 DEFERRED=0 BOUNCED=0 BLOCKED=0 SUPPRESSED=0 OPENS=0 "      \
	"UNIQUE_OPENS=0 CLICKS=0 UNIQUE_CLICKS=0 "

/* Answers that are no errors: file (without ".200.response.json"), endpoint, rows, two things that must come out. */
static const struct known {
	const char *file;
	enum sendgrid_endpoint endpoint;
	size_t rows;
	const char *one, *other;
} knowns[] = {
	{"get_v3_scopes", SENDGRID_SCOPES, 3, "scope mail.send\n", "scope alerts.read\n"},
	{"get_v3_stats", SENDGRID_STATS, 0,
		"counts total 2015-11-03" ZEROS "UNSUBSCRIBES=0 COMPLAINTS=0\n",
		"counts total 2015-11-06"},
	{"get_v3_mailbox_providers_stats", SENDGRID_MAILBOXES, 0,
		"counts mailbox [Gmail] 2015-10-11" ZEROS "COMPLAINTS=0\n",
		"counts mailbox [Gmail] 2015-10-14"},
	{"get_v3_categories_stats", SENDGRID_CATEGORIES, 0,
		"counts tag [docs] 2015-10-01" ZEROS "UNSUBSCRIBES=0 COMPLAINTS=0\n",
		"counts tag [mattscategory] 2015-11-01"},
	{"get_v3_categories_stats_sums", SENDGRID_CATEGORIES, 0,
		"counts tag [cat1] 1970-01-01 REQUESTS=20 PROCESSED=0 SENT=20 DEFERRED=0 BOUNCED=0 "
		"BLOCKED=0 SUPPRESSED=0 OPENS=20 UNIQUE_OPENS=20 CLICKS=20 UNIQUE_CLICKS=20 "
		"UNSUBSCRIBES=20 COMPLAINTS=0\n",
		"counts tag [cat2] 1970-01-01 REQUESTS=20 PROCESSED=0 SENT=19 DEFERRED=0 BOUNCED=1 "
		"BLOCKED=1"},
	{"get_v3_subusers_stats", SENDGRID_STATS, 0,
		"counts subaccount [Matt_subuser] 2015-10-01" ZEROS, NULL},
	{"get_v3_suppression_bounces", SENDGRID_BOUNCES, 2,
		"suppression 0 [] example@example.com code=5.1.1 created=1250337600000 reason=550 "
		"5.1.1 The email account that you tried to reach does not exist.",
		"Recipient address rejected: User unknown in virtual alias table"},
	{"get_v3_suppression_bounces_email_", SENDGRID_BOUNCES, 1,
		"suppression 0 [] bounce1@test.com code=5.1.1 created=1443651125000", NULL},
	{"get_v3_suppression_blocks", SENDGRID_BLOCKS, 2,
		"suppression 4 [] example@example.com code=4.0.0 created=1443651154000 "
		"reason=error "
		"dialing remote address",
		"example1@example.com code=4.0.0 created=1443651155000"},
	{"get_v3_suppression_invalid_emails", SENDGRID_INVALID, 2,
		"suppression 5 [] user1@example.com code= created=1449953655000 reason=Mail domain "
		"mentioned in email address is unknown\n",
		"user2@example.com code= created=1449939373000"},
	{"get_v3_suppression_spam_reports", SENDGRID_SPAM, 2,
		"suppression 1 [] user1@example.com code= created=1443651141000 reason=\n", NULL},
	{"get_v3_suppression_unsubscribes", SENDGRID_UNSUBSCRIBES, 2,
		"suppression 2 [] user2@example.com code= created=1443651154000", NULL},
	{"get_v3_suppression_bounces_classifications", SENDGRID_CLASSES, 2,
		"counts class [Unclassified] 2022-01-01 BOUNCED=35\n",
		"counts class [Content] 2022-01-02 BOUNCED=4\n"},
	{"get_v3_suppression_bounces_classifications_classification_", SENDGRID_CLASSES, 2, "",
		NULL},
	{"get_v3_messages", SENDGRID_MESSAGES, 3,
		"event 2 id=321befe/nah@test.com/delivered from=yeah@test.com to=nah@test.com "
		"t=1507920981000",
		"event 4 id=434512dfg/reject@test.com/not_delivered from=sad@test.com"},
	{"get_v3_ips", SENDGRID_IPS, 2,
		"ip 192.168.1.1 warming=0 started=-1 day=-1 limit=-1 rdns= pools=pool1, pool2\n",
		"ip 208.115.214.22 warming=0 started=-1 day=-1 limit=-1 rdns=o1.email.example.com "
		"pools=\n"},
	{"get_v3_ips_assigned", SENDGRID_IPS, 1,
		"ip 167.89.21.3 warming=1 started=1409616000000 day=5 limit=108 rdns= "
		"pools=new_test5\n",
		NULL},
	{"get_v3_ips_pools", SENDGRID_POOLS, 2, "account IP pools=2\n", NULL},
	{"get_v3_ips_warmup", SENDGRID_WARMUP, 1,
		"ip 0.0.0.0 warming=1 started=1409616000000 day=5 limit=108", NULL},
	{"get_v3_ips_warmup_ip_address_", SENDGRID_WARMUP, 1,
		"ip 0.0.0.0 warming=1 started=1409616000000 day=5 limit=108", NULL},
	{"get_v3_user_account", SENDGRID_ACCOUNT, 1, "account plan=paid\n",
		"account reputation=100\n"},
	{"get_v3_user_credits", SENDGRID_CREDITS, 1, "account credits left=200\n",
		"account credits reset=2013-02-01\n"},
	{"get_v3_user_username", SENDGRID_USERNAME, 1, "account username=test_username\n", NULL},
	{"get_v3_subusers", SENDGRID_SUBUSERS, 2, "subuser example_subuser 1234\n",
		"subuser example_subuser2 1234\n"},
	{"get_v3_subusers_reputations", SENDGRID_REPUTATIONS, 2,
		"account reputation of example_subuser=99\n",
		"account reputation of example_subuser2=95.2\n"},
	{"get_v3_messages_msg_id_", SENDGRID_LOG, 0, "status", "line 1507920981000 unsubscribe"},
	{"get_v3_send_ips_ips", SENDGRID_IPS, 1,
		"ip 127.0.0.1 warming=1 started=-1 day=-1 limit=-1 rdns= pools=marketing_pool\n",
		NULL},
	/* Answers nobody asks for here: they must not be taken for what they are not. */
	{"get_v3_alerts", SENDGRID__ENDPOINTS, 0, NULL, NULL},
	{"get_v3_asm_groups", SENDGRID__ENDPOINTS, 0, NULL, NULL},
	{"get_v3_asm_suppressions", SENDGRID__ENDPOINTS, 0, NULL, NULL},
	{"get_v3_categories", SENDGRID__ENDPOINTS, 0, NULL, NULL},
	{"get_v3_ips_ip_address_", SENDGRID__ENDPOINTS, 0, NULL, NULL},
	{"get_v3_ips_pools_pool_name_", SENDGRID__ENDPOINTS, 0, NULL, NULL},
	{"get_v3_ips_remaining", SENDGRID__ENDPOINTS, 0, NULL, NULL},
	{"get_v3_send_ips_ips_ip_", SENDGRID__ENDPOINTS, 0, NULL, NULL},
	{"get_v3_send_ips_pools", SENDGRID__ENDPOINTS, 0, NULL, NULL},
	{"get_v3_user_email", SENDGRID__ENDPOINTS, 0, NULL, NULL},
	{"get_v3_user_profile", SENDGRID__ENDPOINTS, 0, NULL, NULL},
};

static const struct known *find_known(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(knowns) / sizeof(knowns[0]); i++)
		if (strlen(knowns[i].file) == len && memcmp(knowns[i].file, name, len) == 0)
			return &knowns[i];
	return NULL;
}

/* any_endpoint - a body that is none of ours, as every one of them: refused or odd rows, never a crash. */
static void any_endpoint(struct str text)
{
	for (int e = 0; e < SENDGRID__ENDPOINTS; e++) {
		struct sendgrid_result r;
		int rc = parse((enum sendgrid_endpoint)e, text, &r);

		assert_true(rc == 0 || rc == MT_EPROTO);
	}
}

static void check_good(const char *file, const char *stem_end)
{
	const struct known *k = find_known(file, (size_t)(stem_end - file));
	struct sendgrid_result r;

	if (!k)
		fail_msg("%s: a body nobody checks", file);
	any_endpoint(buf_str(&body));
	if (k->endpoint == SENDGRID__ENDPOINTS)
		return;
	if (parse(k->endpoint, buf_str(&body), &r) != 0)
		fail_msg("%s is refused", file);
	if (r.odd || (k->rows && r.rows != k->rows))
		fail_msg("%s: %zu rows, %zu odd", file, r.rows, r.odd);
	must_hold(file, k->one);
	must_hold(file, k->other);
}

/* Error bodies: their words come out, and no endpoint takes them for rows. */
static void check_refusal(const char *file)
{
	char text[120];

	sendgrid_refusal(buf_str(&body), text, sizeof(text));
	if (!text[0])
		fail_msg("%s: no words", file);
	any_endpoint(buf_str(&body));
	assert_int_equal(buf_str(&out).n, 0);
}

static void every_body_of_the_vendor(void **state)
{
	DIR *d = opendir(FOLDER);
	struct dirent *e;
	int n = 0;

	(void)state;
	if (!d) {
		print_message("skipped: no " FOLDER " here\n");
		return; /* meson takes cmocka's skip() for a failure */
	}
	while ((e = readdir(d))) {
		char path[400];
		const char *ok = strstr(e->d_name, ".200.");

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), FOLDER "/%s", e->d_name);
		assert_true(read_file(path));
		if (ok)
			check_good(e->d_name, ok);
		else
			check_refusal(e->d_name);
		n++;
	}
	closedir(d);
	assert_true(n >= 60);
}

static void check(
	enum sendgrid_endpoint endpoint, const char *text, size_t odd_rows, const char *wanted)
{
	struct sendgrid_result r;

	assert_int_equal(parse(endpoint, str_of(text), &r), 0);
	assert_string_equal(buf_z(&out), wanted);
	assert_int_equal(r.odd, odd_rows);
}

/* Trap 7: null and absent counts stay unknown, and what is made of them too. */
static void null_and_absurd_counts_are_unknown(void **state)
{
	(void)state;
	check(SENDGRID_STATS,
		"[{\"date\":\"2026-01-02\",\"stats\":[{\"metrics\":{\"requests\":null,"
		"\"processed\":-3,"
		"\"delivered\":12.0,\"deferred\":1.5,\"bounces\":2,\"opens\":\"7\",\"clicks\":"
		"1e300,"
		"\"spam_reports\":[]}}]}]",
		0, "counts total 2026-01-02 SENT=12 OPENS=7\n");
	check(SENDGRID_STATS, "[{\"date\":\"yesterday\",\"stats\":[]},7,{\"date\":\"2026-01-02\"}]",
		3, "");
	check(SENDGRID_STATS, "[]", 0, "");
}

/* The days an answer tells of are those whose absent keys are zero: nothing before, nothing after. */
static void days_told(void **state)
{
	struct sendgrid_result r;

	(void)state;
	parse(SENDGRID_MAILBOXES,
		str_of("[{\"date\":\"1970-01-03\",\"stats\":[]},{\"date\":\"1970-01-05\",\"stats\":"
		       "[]}]"),
		&r);
	assert_true(r.first_day == 2 && r.last_day == 4);
	parse(SENDGRID_STATS, str_of("[]"), &r);
	assert_true(r.last_day < r.first_day);
}

static void drops_are_counted_once(void **state)
{
	(void)state;
	check(SENDGRID_MAILBOXES,
		"[{\"date\":\"2026-01-02\",\"stats\":[{\"type\":\"mailbox_provider\",\"name\":"
		"\"Gmail\","
		"\"metrics\":{\"drops\":4,\"blocks\":1,\"bounces\":2}}]}]",
		0, "counts mailbox [Gmail] 2026-01-02 BOUNCED=3 BLOCKED=1 SUPPRESSED=4\n");
	check(SENDGRID_STATS,
		"[{\"date\":\"2026-01-02\",\"stats\":[{\"metrics\":{\"bounce_drops\":1,"
		"\"spam_report_drops\":2,\"unsubscribe_drops\":3,\"invalid_emails\":4}}]}]",
		0, "counts total 2026-01-02 SUPPRESSED=10\n");
}

/* Trap 15, 22: created as a float or text, an empty status, a reason of many lines with control characters. */
static void suppressions_of_all_kinds(void **state)
{
	(void)state;
	check(SENDGRID_BOUNCES,
		"[{\"created\":1250337600.5,\"email\":\"a@x\",\"status\":\"\",\"reason\":"
		"\"two\\nlines\"},"
		"{\"created\":\"1250337601\",\"email\":\"b@x\"},{\"created\":0,\"email\":\"c@x\"},"
		"{\"created\":9e99,\"email\":\"d@x\"},{\"created\":1,\"email\":\"\"},{\"created\":"
		"1}]",
		2,
		"suppression 0 [] a@x code= created=1250337600500 reason=two\nlines\n"
		"suppression 0 [] b@x code= created=1250337601000 reason=\n"
		"suppression 0 [] c@x code= created=-1 reason=\n"
		"suppression 0 [] d@x code= created=-1 reason=\n");
}

/* Trap 13: codes at the head of the reason, as SMTP has them, or nowhere. */
static void codes_of_reasons(void **state)
{
	static const struct {
		const char *reason, *status;
		int32_t code, dsn;
	} cases[] = {{"550 5.1.1 no such user", "", 550, DSN_MAKE(5, 1, 1)},
		{"550-5.7.26 unauthenticated", "", 550, DSN_MAKE(5, 7, 26)},
		{"554", "5.0.0", 554, DSN_MAKE(5, 0, 0)},
		{"  450 4.2.0 wait", "", 450, DSN_MAKE(4, 2, 0)},
		{"unable to resolve MX", "4.0.0", EVENT_UNKNOWN, DSN_MAKE(4, 0, 0)},
		{"5.1.1 said so", "", EVENT_UNKNOWN, DSN_MAKE(5, 1, 1)},
		{"605 not ours", "", EVENT_UNKNOWN, 0}, {"5501 no", "", EVENT_UNKNOWN, 0},
		{"550 3.1.1.4 x", "", 550, 0}, {"", "", EVENT_UNKNOWN, 0},
		{"192.0.2.1 is listed", "", EVENT_UNKNOWN, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int32_t code, dsn;

		sendgrid_code(str_of(cases[i].reason), str_of(cases[i].status), &code, &dsn);
		if (code != cases[i].code || dsn != cases[i].dsn)
			fail_msg("%s: %d %d", cases[i].reason, code, dsn);
	}
}

static void messages_and_their_states(void **state)
{
	(void)state;
	check(SENDGRID_LOGS,
		"{\"messages\":[{\"from_email\":\"f@x\",\"sg_message_id\":\"i1\",\"subject\":\"s\","
		"\"to_email\":\"t@x\",\"status\":\"deferred\",\"reason\":\"451 4.3.0 later\","
		"\"sg_message_id_created_at\":\"2026-01-02T03:04:05.123456789Z\"},"
		"{\"sg_message_id\":\"i2\",\"to_email\":\"t@x\",\"status\":\"teleported\","
		"\"sg_message_id_created_at\":\"2026-01-02T03:04:05Z\"},"
		"{\"sg_message_id\":\"i3\",\"to_email\":\"t@x\",\"status\":\"bounced\","
		"\"sg_message_id_created_at\":\"0001-01-01T00:00:00Z\"},{\"to_email\":\"t@x\"}]}",
		2,
		"event 3 id=i1/t@x/deferred from=f@x to=t@x t=1767323045123 code=451 dsn=4003000 "
		"reply=451 4.3.0 later\n"
		"event 0 id=i2/t@x/teleported from= to=t@x t=1767323045000 code=-1 dsn=0 "
		"reply=teleported\n");
	check(SENDGRID_LOGS, "{\"messages\":[]}", 0, "");
}

/* The detail counts its tries from "0"; a bounce may be a block. */
static void detail_of_a_message(void **state)
{
	(void)state;
	check(SENDGRID_LOG,
		"{\"from_email\":\"f@x\",\"to_email\":\"t@x\",\"status\":\"blocked\",\"outbound_"
		"ip\":\"192.0.2."
		"1\",\"events\":[{\"event\":\"processed\",\"timestamp\":\"2026-01-02T03:04:05Z\"},"
		"{\"event\":\"deferred\",\"response\":\"451 wait\",\"attempt\":\"0\",\"timestamp\":"
		"\"2026-01-02T03:04:06Z\"},{\"event\":\"bounce\",\"type\":\"blocked\",\"reason\":"
		"\"554 no\","
		"\"bounce_classification\":\"Reputation\",\"ip\":\"192.0.2.1\",\"timestamp\":"
		"1767323047},"
		"{\"timestamp\":1}]}",
		1,
		"line -1 status try=-1 ip= class= blocked\nline -1 from try=-1 ip= class= f@x\n"
		"line -1 to try=-1 ip= class= t@x\nline -1 sent from try=-1 ip= class= 192.0.2.1\n"
		"line 1767323045000 processed try=-1 ip= class= \n"
		"line 1767323046000 deferred try=1 ip= class= 451 wait\n"
		"line 1767323047000 blocked try=-1 ip=192.0.2.1 class=Reputation 554 no\n");
}

/* Trap 18: one warming address is a list or the object itself. Trap 16: day n of 42, and past it. */
static void warmup_as_list_and_object(void **state)
{
	static const char *const object = "{\"ip\":\"192.0.2.1\",\"start_date\":1410048000}";
	static const char *const wanted =
		"ip 192.0.2.1 warming=1 started=1410048000000 day=0 limit=20 rdns= pools=\n";
	char list[100];

	(void)state;
	snprintf(list, sizeof(list), "[%s]", object);
	check(SENDGRID_WARMUP, object, 0, wanted);
	check(SENDGRID_WARMUP, list, 0, wanted);
	check(SENDGRID_WARMUP, "[{\"ip\":\"192.0.2.1\",\"start_date\":1406419200}]", 0,
		"ip 192.0.2.1 warming=1 started=1406419200000 day=42 limit=-1 rdns= pools=\n");
	check(SENDGRID_WARMUP,
		"[{\"ip\":\"192.0.2.1\",\"start_date\":null},{\"ip\":\"\\u001b[31m\"}]", 1,
		"ip 192.0.2.1 warming=1 started=-1 day=-1 limit=-1 rdns= pools=\n");
	assert_int_equal(sendgrid_day_limit(41), 19601056);
	assert_int_equal(sendgrid_day_limit(12), 1000);
	assert_int_equal(sendgrid_day_limit(13), 1587);
	assert_int_equal(sendgrid_day_limit(42), EVENT_UNKNOWN);
	assert_int_equal(sendgrid_day_limit(-1), EVENT_UNKNOWN);
}

/* Trap 21: error bodies that are HTML, empty, cut, or JSON with a comma too many. */
static void refusals_of_any_shape(void **state)
{
	static const char *const none[] = {"", "<html>502</html>", "{", "null", "[]", "\xff\xfe",
		"{\"errors\":{}}", "{\"errors\":[{\"message\":7}]}",
		"{\"errors\":[{\"field\":null,\"message\":\"too many requests\"},]}"};
	char text[12];

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		sendgrid_refusal(str_of(none[i]), text, sizeof(text));
		assert_string_equal(text, "");
		any_endpoint(str_of(none[i]));
	}
	sendgrid_refusal(
		str_of("{\"errors\":[{\"message\":\"access forbidden\"}]}"), text, sizeof(text));
	assert_string_equal(text, "access forb");
}

static void endpoints_are_guessed(void **state)
{
	(void)state;
	assert_int_equal(sendgrid_guess(str_of("{\"scopes\":[]}")), SENDGRID_SCOPES);
	assert_int_equal(
		sendgrid_guess(str_of("[{\"date\":\"2026-01-02\",\"stats\":[{\"metrics\":{}}]}]")),
		SENDGRID_STATS);
	assert_int_equal(
		sendgrid_guess(str_of("[{\"created\":1,\"email\":\"a@x\",\"ip\":\"1.2.3.4\"}]")),
		SENDGRID_SPAM);
	assert_int_equal(sendgrid_guess(str_of("{\"messages\":[]}")), SENDGRID_LOGS);
	assert_int_equal(sendgrid_guess(str_of("7")), SENDGRID__ENDPOINTS);
	assert_int_equal(sendgrid_guess(str_of("")), SENDGRID__ENDPOINTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_body_of_the_vendor),
		cmocka_unit_test(null_and_absurd_counts_are_unknown),
		cmocka_unit_test(days_told),
		cmocka_unit_test(drops_are_counted_once),
		cmocka_unit_test(suppressions_of_all_kinds),
		cmocka_unit_test(codes_of_reasons),
		cmocka_unit_test(messages_and_their_states),
		cmocka_unit_test(detail_of_a_message),
		cmocka_unit_test(warmup_as_list_and_object),
		cmocka_unit_test(refusals_of_any_shape),
		cmocka_unit_test(endpoints_are_guessed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
