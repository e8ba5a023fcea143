/* SPDX-License-Identifier: MIT */
/* explain_rules_fuzz - any bytes as a person's rules: taken, and then they answer, or refused with a sentence. */
#include "store/explain/explain.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make((const char *)data, size);
	struct explain_query q = {.text = in};
	struct explain_rules *rules = NULL;
	struct mt_error error = {0};
	struct explain_result r;
	int rc = explain_new(in, "own", &rules, &error);

	FUZZ_CHECK((rc == 0) == (rules != NULL));
	FUZZ_CHECK(rc == 0 || error.text[0] != '\0');
	if (rc < 0)
		return 0;
	explain(rules, &q, &r);
	FUZZ_CHECK(r.rule < explain_rule_count(rules) && r.category < CATEGORY__COUNT);
	explain_free(rules);
	return 0;
}
