/* SPDX-License-Identifier: MIT */
/* utf8_fuzz - whatever goes in, what is shown is valid UTF-8 without anything a terminal would act on. */
#include "store/base/utf8.h"
#include "tests/fuzz/fuzz.h"

static void check_safe(struct str shown, bool ascii_only)
{
	while (shown.n > 0) {
		int32_t cp = utf8_decode(&shown);

		FUZZ_CHECK(cp >= ' ' && utf8_width(cp) >= 0 && (!ascii_only || cp < 0x7F));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make((const char *)data, size);
	struct buf out;

	buf_init(&out, size * 16 + 16);
	for (int ascii_only = 0; ascii_only < 2; ascii_only++) {
		buf_clear(&out);
		FUZZ_CHECK(utf8_show_text(&out, in, ascii_only) == 0);
		check_safe(buf_str(&out), ascii_only);
		FUZZ_CHECK(utf8_show_width(in, ascii_only) <= out.n);
		FUZZ_CHECK(size == 0 || out.n > 0);
	}
	buf_clear(&out);
	FUZZ_CHECK(utf8_json(&out, in) == 0);
	check_safe(buf_str(&out), false);
	buf_clear(&out);
	FUZZ_CHECK(utf8_csv(&out, in) == 0);
	check_safe(buf_str(&out), false);
	FUZZ_CHECK(out.n == 0 || !memchr("=+-@", out.p[0], 4));
	buf_done(&out);
	return 0;
}
