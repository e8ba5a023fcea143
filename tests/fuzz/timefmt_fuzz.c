/* SPDX-License-Identifier: MIT */
/* timefmt_fuzz - any lines through one reader: takes or refuses, never past the end, remembered = fresh. */
#include "store/base/timefmt.h"
#include "tests/fuzz/fuzz.h"

#define NOW_UTC_MS INT64_C(1795392000000) /* 2026-11-23 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = str_make((const char *)data, size);
	struct timefmt t;
	int64_t asked;

	timefmt_init(&t, NOW_UTC_MS, "+01:00");
	(void)!timefmt_parse_when(rest, NOW_UTC_MS, &asked);
	while (rest.n > 0) {
		struct str line = str_first(rest, str_find_char(rest, '\n')), again = line,
			   alone = line;
		int64_t ms = -1, same = -1;
		struct timefmt fresh;

		rest = str_skip(rest, line.n + 1);
		timefmt_init(&fresh, NOW_UTC_MS, "+01:00");
		fresh.newest_utc_ms = t.newest_utc_ms;
		if (timefmt_read(&t, &line, &ms)) {
			FUZZ_CHECK(ms >= 0 && line.n < again.n);
			FUZZ_CHECK(
				timefmt_read(&t, &again, &same) && same == ms && again.n == line.n);
		} else {
			FUZZ_CHECK(line.n == again.n && !timefmt_read(&t, &again, &same));
			FUZZ_CHECK(!timefmt_read(&fresh, &alone, &same));
		}
	}
	return 0;
}
