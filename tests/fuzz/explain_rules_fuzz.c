/* SPDX-License-Identifier: MIT */
/* explain_rules_fuzz - any bytes as a person's rules: taken, and then they answer, or refused with a sentence. */
#include "store/explain/rules.h"
#include "tests/fuzz/fuzz.h"

/* A few rules of every kind in place of the 400 built in, which take 100 ms to read with the sanitizers. */
static const char base_rules[] =
	"[provider google]\nname = Gmail\nhosts = .google.com .gmail.com\nmarks = gsmtp | "
	"support.google.com\n"
	"[gmail-rate]\nhost = google\ncode = x.7.28 421\ncategory = rate_limited\nsay = too "
	"much\ndo = slow down\n"
	"link = https://support.google.com/mail/answer/81126\nexample = 421-4.7.28 too much\n"
	"[full]\ntext = over quota | mailbox * full\nnot = disk\ncategory = mailbox_full\nsay = "
	"full\ndo = wait\n"
	"example = 452 the mailbox of anna is full\n"
	"[stage]\nstage = connect ehlo\nhost = .example\ncode = 554\ncategory = policy_reject\nsay "
	"= no\ndo = ask\n"
	"example = host mx.example[192.0.2.1] refused to talk to me: 554 no\n"
	"[x.1.1]\ncode = x.1.1\ncategory = user_unknown\nsay = none\ndo = remove\nexample = 550 "
	"5.1.1 x\n"
	"[4xx]\ncode = 4xx\ncategory = server_error\nsay = later\ndo = wait\nexample = 450 y\n";
static const char *const base[] = {base_rules, NULL};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make((const char *)data, size);
	struct explain_query q = {.text = in};
	struct explain_rules *rules = NULL;
	struct mt_error error = {0};
	struct explain_result r;
	int rc = explain_new_over(base, in, "own", &rules, &error);

	if (size == 0) /* what the base itself is worth */
		FUZZ_CHECK(rc == 0);
	FUZZ_CHECK((rc == 0) == (rules != NULL));
	FUZZ_CHECK(rc == 0 || error.text[0] != '\0');
	if (rc < 0)
		return 0;
	explain(rules, &q, &r);
	FUZZ_CHECK(r.rule < explain_rule_count(rules) && r.category < CATEGORY__COUNT);
	explain_free(rules);
	return 0;
}
