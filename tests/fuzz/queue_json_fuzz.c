/* SPDX-License-Identifier: MIT */
/* queue_json_fuzz - any line as one of `postqueue -j`: refused or whole, every view inside the line. */
#include "backends/postfix/queue_row.h"
#include "tests/fuzz/fuzz.h"

static void check_inside(struct str s, const char *line, size_t size)
{
	FUZZ_CHECK(!s.p || (s.p >= line && s.p + s.n <= line + size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct queue_rcpts rcpts = {0};
	struct queue_row row = {0};
	char *line = malloc(size + !size);

	if (!line)
		return 0;
	if (size)
		memcpy(line, data, size);
	if (queue_json_row(line, size, &rcpts, &row) == 0) {
		FUZZ_CHECK(queue_id_ok(row.qid) && row.arrival_ms >= 0 && row.nrcpt == rcpts.n);
		FUZZ_CHECK((unsigned)row.queue < QUEUE__COUNT);
		check_inside(row.qid, line, size);
		check_inside(row.sender, line, size);
		for (size_t i = 0; i < row.nrcpt; i++) {
			FUZZ_CHECK(str_present(row.rcpt[i]));
			check_inside(row.rcpt[i], line, size);
			check_inside(row.reason[i], line, size);
		}
	}
	queue_rcpts_done(&rcpts);
	free(line);
	return 0;
}
