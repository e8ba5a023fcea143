/* SPDX-License-Identifier: MIT */
/* test_reply - templates of replies: what varies is taken out, and nothing is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/reply.h"

static void templates(void **state)
{
	static const struct {
		const char *text, *signature;
	} cases[] = {
		{"250 2.0.0 Ok: queued as 4F3A2B1C", "250 2.0.0 Ok: queued as ..."},
		{"host mx1.far.example[192.0.2.7] said: 550 5.1.1 <bob@far.example>: no such user "
		 "(in reply to "
		 "RCPT TO command)",
			"host ...[...] said: 550 5.1.1 <...>: no such user (in reply to RCPT TO "
			"command)"},
		{"550-5.7.1 one 550 5.7.1 two", "550-5.7.1 one 550 5.7.1 two"},
		{"connect to mx.far.example[2001:db8::1]:25: Connection timed out",
			"connect to ...[...]:...: Connection timed out"},
		{"delivered to mailbox", "delivered to mailbox"},
		{"", ""},
		{"<>", "<>"},
		{"a < b", "a < b"},
		{"The end. Really.", "The end. Really."},
		{"see https://far.example/x?y=17 now", "see ...=... now"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf tmpl, args, out;

		buf_init(&tmpl, 4096);
		buf_init(&args, 4096);
		buf_init(&out, 4096);
		assert_int_equal(reply_split(str_of(cases[i].text), &tmpl, &args), 0);
		assert_int_equal(reply_signature(buf_str(&tmpl), false, &out), 0);
		if (strcmp(buf_z(&out), cases[i].signature) != 0)
			fail_msg("%s\n gave %s", cases[i].text, buf_z(&out));
		buf_done(&tmpl);
		buf_done(&args);
		buf_done(&out);
	}
}

/* join(split(x)) == x for any bytes, drawn from an alphabet that is rich in what the splitter looks at. */
static void nothing_is_lost(void **state)
{
	static const char alphabet[] = "ab 12<>@.:-()[]{}\"',;=|\t\x1a\xff\xc3";
	uint64_t seed = 42;

	(void)state;
	for (int round = 0; round < 200000; round++) {
		char text[48];
		size_t n;
		struct buf tmpl, args, out;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		n = (size_t)(seed >> 40) % sizeof(text);
		for (size_t i = 0; i < n; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			text[i] = round % 2 ? alphabet[(seed >> 40) % (sizeof(alphabet) - 1)]
					    : (char)(seed >> 40);
		}
		buf_init(&tmpl, 256);
		buf_init(&args, 256);
		buf_init(&out, 256);
		assert_int_equal(reply_split((struct str){text, n}, &tmpl, &args), 0);
		assert_int_equal(reply_join(buf_str(&tmpl), buf_str(&args), &out), 0);
		assert_int_equal(out.n, n);
		if (n)
			assert_memory_equal(out.p, text, n);
		buf_done(&tmpl);
		buf_done(&args);
		buf_done(&out);
	}
}

static void too_long_is_an_error(void **state)
{
	struct buf tmpl, args;

	(void)state;
	buf_init(&tmpl, 4);
	buf_init(&args, 4);
	assert_int_equal(reply_split(STR_LIT("a long text"), &tmpl, &args), MT_ELIMIT);
	buf_done(&tmpl);
	buf_done(&args);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(templates),
		cmocka_unit_test(nothing_is_lost),
		cmocka_unit_test(too_long_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
