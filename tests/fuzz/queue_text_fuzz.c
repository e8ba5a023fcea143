/* SPDX-License-Identifier: MIT */
/* queue_text_fuzz - any text as the output of `postqueue -p`, and of postconf -M: no byte past the end is read. */
#include "backends/postfix/master.h"
#include "backends/postfix/queue_row.h"
#include "tests/fuzz/fuzz.h"

#define NOW_UTC_MS INT64_C(1795392000000) /* 2026-11-23 */

static void check_row(const struct queue_text *t)
{
	FUZZ_CHECK(queue_id_ok(t->row.qid) && str_present(t->row.sender));
	FUZZ_CHECK((unsigned)t->row.queue < QUEUE__COUNT && t->row.size_bytes >= 0);
	FUZZ_CHECK(t->row.nrcpt == t->rcpts.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = str_make((const char *)data, size);
	struct postfix_services services;
	struct postfix_config c;
	struct queue_text t;

	postfix_config_init(&c, "/etc/postfix");
	postfix_config_parse(&c, rest);
	postfix_master_parse(rest, rest, &c, &services);
	FUZZ_CHECK(services.n <= MASTER_ROWS_MAX);
	postfix_services_done(&services);
	postfix_config_done(&c);
	queue_text_init(&t, NOW_UTC_MS, "+01:00");
	while (rest.n > 0) {
		struct str line = str_first(rest, str_find_char(rest, '\n'));
		int rc = queue_text_line(&t, line);

		rest = str_skip(rest, line.n + 1);
		FUZZ_CHECK(rc == 0 || rc == 1);
		if (rc == 1)
			check_row(&t);
	}
	queue_text_done(&t);
	return 0;
}
