/* SPDX-License-Identifier: MIT */
/* syslogline_fuzz - any line's head: its parts lie in the line or the scratch, a second reading finds the same. */
#include "backends/syslogline.h"
#include "store/base/mem.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#define NOW_UTC_MS INT64_C(1795435200000) /* 2026-11-23 12:00 */

static bool inside(struct str part, const char *p, size_t n)
{
	return part.p >= p && part.p <= p + n && part.n <= (size_t)(p + n - part.p);
}

static bool placed(struct str part, struct str line, const char *scratch)
{
	return !str_present(part) || inside(part, line.p, line.n) || inside(part, scratch, line.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str line = {(const char *)data, size};
	char *scratch = xcalloc(1, size + 1);
	struct syslogline one, two;
	struct timefmt stamps;

	timefmt_init(&stamps, NOW_UTC_MS, "+01:00");
	if (syslogline_read(&stamps, line, scratch, &one)) {
		FUZZ_CHECK(placed(one.host, line, scratch) && placed(one.tag, line, scratch) &&
			   placed(one.message, line, scratch));
		FUZZ_CHECK(one.tag.n > 0 && one.pid >= -1);
		FUZZ_CHECK(syslogline_read(&stamps, line, scratch, &two));
		FUZZ_CHECK(str_eq(one.tag, two.tag) && str_eq(one.host, two.host) &&
			   str_eq(one.message, two.message) && one.pid == two.pid);
	}
	free(scratch);
	return 0;
}
