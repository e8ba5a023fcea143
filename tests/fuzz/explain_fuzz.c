/* SPDX-License-Identifier: MIT */
/* explain_fuzz - any bytes as a reply, from any host: one of the enums' values, texts that are there, the same again. */
#include "store/explain/explain.h"
#include "tests/fuzz/fuzz.h"

static struct explain_rules *rules;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make((const char *)data, size);
	struct str host = str_first(in, str_find_char(in, '\n'));
	struct explain_query q = {.text = str_skip(in, host.n + 1), .host = host};
	struct explain_result a, b;

	if (!rules)
		FUZZ_CHECK(explain_new((struct str){NULL, 0}, "", &rules, NULL) == 0);
	explain(rules, &q, &a);
	explain(rules, &q, &b);
	FUZZ_CHECK(a.rule == b.rule && a.rule >= -1 && a.rule < explain_rule_count(rules));
	FUZZ_CHECK(a.category < CATEGORY__COUNT && a.cause < CAUSE__COUNT && a.side < SIDE__COUNT);
	FUZZ_CHECK(a.action < ACTION__COUNT && a.stage < STAGE__COUNT && a.layer <= LAYER_NONE);
	FUZZ_CHECK(a.rule_name && a.meaning && a.todo && a.link);
	FUZZ_CHECK((a.rule >= 0) == (a.layer != LAYER_NONE));
	return 0;
}
