/* SPDX-License-Identifier: MIT */
/* test_utf8 - hostile bytes (field/reliability.md 1.1, 1.4) come out visible, bounded and harmless. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/base/utf8.h"

#include <stdio.h>

#define BYTES(lit) lit, sizeof(lit) - 1

static void shows_hostile_bytes(void **state)
{
	static const struct {
		const char *in;
		size_t n;
		const char *want;
		size_t width;
	} cases[] = {
		{BYTES("plain text, 100%"), "plain text, 100%", 16},
		{BYTES("\033[31mred"), "^[[31mred", 9},
		{BYTES("\033]0;title\a"), "^[]0;title^G", 12},
		{BYTES("\033]8;;http://x\033\\y"), "^[]8;;http://x^[\\y", 18},
		{BYTES("\033P$q\"p\033\\"), "^[P$q\"p^[\\", 10},
		{BYTES("a\0b"), "a^@b", 4},
		{BYTES("a\177b"), "a^?b", 4},
		{BYTES("a\r\nb\bc"), "a^M^Jb^Hc", 9},
		{BYTES("a\tb"), "a b", 3},
		{BYTES("\xC2\x9B"
		       "31m"),
			"<U+009B>31m", 11},
		{BYTES("\xC2\x85"), "<U+0085>", 8},
		{BYTES("\x9B"), "\\x9B", 4},
		{BYTES("\xFF\xFE"), "\\xFF\\xFE", 8},
		{BYTES("\xC0\x80"), "\\xC0\\x80", 8},
		{BYTES("\xE0\x80\xAF"), "\\xE0\\x80\\xAF", 12},
		{BYTES("\xF0\x80\x80\x80"), "\\xF0\\x80\\x80\\x80", 16},
		{BYTES("\xED\xA0\x80"), "\\xED\\xA0\\x80", 12},
		{BYTES("\xF4\x90\x80\x80"), "\\xF4\\x90\\x80\\x80", 16},
		{BYTES("\xF8\x88\x80\x80\x80"), "\\xF8\\x88\\x80\\x80\\x80", 20},
		{BYTES("x\xE2\x82"), "x\\xE2\\x82", 9},
		{BYTES("a\xE2\x80\xAE"
		       "b"),
			"a<U+202E>b", 10},
		{BYTES("\xE2\x81\xA6"), "<U+2066>", 8},
		{BYTES("\xE2\x80\x8B"), "<U+200B>", 8},
		{BYTES("\xE2\x80\x8D"), "<U+200D>", 8},
		{BYTES("\xE2\x80\xA8\xE2\x80\xA9"), "<U+2028><U+2029>", 16},
		{BYTES("\xD8\x9C"), "<U+061C>", 8},
		{BYTES("\xEF\xBB\xBF"), "<U+FEFF>", 8},
		{BYTES("\xC2\xAD"), "<U+00AD>", 8},
		{BYTES("\xF3\xA0\x81\x81"), "<U+E0041>", 9},
		{BYTES("\xEF\xBF\xBE"), "<U+FFFE>", 8},
		{BYTES("\xEF\xB7\x90"), "<U+FDD0>", 8},
		{BYTES("\xEE\x80\x80"), "<U+E000>", 8},
		{BYTES("\xF4\x8F\xBF\xBF"), "<U+10FFFF>", 10},
		{BYTES("\xCD\xB8"), "<U+0378>", 8},
		{BYTES("\xE3\x85\xA4"), "<U+3164>", 8},
		{BYTES("e\xCC\x81\xCC\x82\xCC\x83\xCC\x84"), "e\xCC\x81\xCC\x82<U+0303><U+0304>",
			17},
		{BYTES("\xCC\x81z"), "<U+0301>z", 9},
		{BYTES("\033\xCC\x81"), "^[<U+0301>", 10},
		{BYTES("M\xC3\xBCller"), "M\xC3\xBCller", 6},
		{BYTES("\xE6\x97\xA5\xE6\x9C\xAC"), "\xE6\x97\xA5\xE6\x9C\xAC", 4},
		{BYTES("\xF0\x9F\x98\x80"), "\xF0\x9F\x98\x80", 2},
		{BYTES(""), "", 0},
	};
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct str in = str_make(cases[i].in, cases[i].n);

		buf_clear(&out);
		assert_int_equal(utf8_show_text(&out, in, false), 0);
		assert_string_equal(buf_z(&out), cases[i].want);
		assert_int_equal(utf8_show_width(in, false), cases[i].width);
	}
	buf_clear(&out);
	assert_int_equal(utf8_show_text(&out, STR_LIT("M\xC3\xBCller e\xCC\x81"), true), 0);
	assert_string_equal(buf_z(&out), "M<U+00FC>ller e<U+0301>");
	buf_done(&out);
}

/* The rule itself over all code points and all byte pairs: what comes out needs no second pass. */
static bool is_safe(struct str shown)
{
	while (shown.n > 0) {
		int32_t cp = utf8_decode(&shown);

		if (cp < 0x20 || (cp >= 0x7F && cp < 0xA0) || utf8_width(cp) < 0)
			return false;
	}
	return true;
}

static void output_is_always_safe(void **state)
{
	struct buf in, out;

	(void)state;
	buf_init(&in, 100);
	buf_init(&out, 1000);
	for (int32_t cp = 0; cp <= 0x10FFFF; cp++) {
		if (cp >= 0xD800 && cp <= 0xDFFF)
			continue;
		buf_clear(&in);
		buf_clear(&out);
		utf8_encode(&in, cp);
		utf8_show_text(&out, buf_str(&in), false);
		assert_true(is_safe(buf_str(&out)));
	}
	for (unsigned pair = 0; pair < 65536; pair++) {
		char bytes[3] = {(char)(pair >> 8), (char)(pair & 255), 'x'};

		buf_clear(&out);
		utf8_show_text(&out, str_make(bytes, 3), false);
		assert_true(is_safe(buf_str(&out)));
		assert_true(out.n > 0 && out.p[out.n - 1] == 'x');
	}
	buf_done(&in);
	buf_done(&out);
}

static void decodes_and_encodes(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	for (int32_t cp = 0; cp <= 0x10FFFF; cp++) {
		struct str in;

		buf_clear(&b);
		utf8_encode(&b, cp);
		in = buf_str(&b);
		if (cp >= 0xD800 && cp <= 0xDFFF) {
			assert_int_equal(utf8_decode(&in), -1);
			assert_int_equal(in.n, 2);
			continue;
		}
		assert_int_equal(utf8_decode(&in), cp);
		assert_int_equal(in.n, 0);
	}
	buf_done(&b);
}

static void marks_escapes(void **state)
{
	struct utf8_show s;
	struct utf8_glyph g;

	(void)state;
	utf8_show_init(&s, STR_LIT("^\033"), false);
	assert_true(utf8_next_glyph(&s, &g) && !g.escaped && g.bytes[0] == '^');
	assert_true(utf8_next_glyph(&s, &g) && g.escaped && g.bytes[0] == '^' && g.width == 1);
	assert_true(utf8_next_glyph(&s, &g) && g.escaped && g.bytes[0] == '[');
	assert_false(utf8_next_glyph(&s, &g));
}

static void writes_json_and_csv(void **state)
{
	static const struct {
		const char *in;
		size_t n;
		const char *json, *csv;
	} cases[] = {
		{BYTES("a b"), "\"a b\"", "\"a b\""},
		{BYTES("ab"), "\"ab\"", "ab"},
		{BYTES("\"\\\n"), "\"\\\"\\\\\\u000a\"", "\"\"\"\\^J\""},
		{BYTES("a\0"), "\"a\\u0000\"", "a^@"},
		{BYTES("\xFFz"), "\"\xEF\xBF\xBDz\"", "\\xFFz"},
		{BYTES("\177\xC2\x9B\xE2\x80\xAE"), "\"\\u007f\\u009b\\u202e\"",
			"^?<U+009B><U+202E>"},
		{BYTES("\xF3\xA0\x81\x81"), "\"\\udb40\\udc41\"", "<U+E0041>"},
		{BYTES("=1+1"), "\"=1+1\"", "\"'=1+1\""},
		{BYTES("+1"), "\"+1\"", "\"'+1\""},
		{BYTES("-1"), "\"-1\"", "\"'-1\""},
		{BYTES("@x"), "\"@x\"", "\"'@x\""},
		{BYTES("\tx"), "\"\\u0009x\"", "\"' x\""},
		{BYTES("\rx"), "\"\\u000dx\"", "\"'^Mx\""},
		{BYTES("a,b"), "\"a,b\"", "\"a,b\""},
		{BYTES(""), "\"\"", ""},
	};
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		buf_clear(&out);
		assert_int_equal(utf8_json(&out, str_make(cases[i].in, cases[i].n)), 0);
		assert_string_equal(buf_z(&out), cases[i].json);
		buf_clear(&out);
		assert_int_equal(utf8_csv(&out, str_make(cases[i].in, cases[i].n)), 0);
		assert_string_equal(buf_z(&out), cases[i].csv);
	}
	buf_done(&out);
	buf_init(&out, 4);
	assert_int_equal(utf8_json(&out, STR_LIT("too long")), MT_ELIMIT);
	assert_int_equal(utf8_show_text(&out, STR_LIT("\033\033\033"), false), MT_ELIMIT);
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shows_hostile_bytes),
		cmocka_unit_test(output_is_always_safe),
		cmocka_unit_test(decodes_and_encodes),
		cmocka_unit_test(marks_escapes),
		cmocka_unit_test(writes_json_and_csv),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
