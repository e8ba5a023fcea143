/* SPDX-License-Identifier: MIT */
/* test_dns - DNS messages and SPF with no network: the bytes of a question, names, and the macros of RFC 7208 7.4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backends/spf_private.h"

#define ARENA_BYTES (1u << 20)

static void a_question_in_bytes(void **state)
{
	static const char want[] = "\x12\x34\x01\x20\0\1\0\0\0\0\0\1\1a\4b "
				   "c\\\0\0\x10\0\1\0\0\x29\x04\xd0\0\0\0\0\0\0";
	struct buf out;

	(void)state;
	buf_init(&out, 512);
	assert_int_equal(dnsmsg_question(&out, STR_LIT("a.b c\\092."), DNS_TXT, 0x1234), 0);
	assert_int_equal(out.n, sizeof(want) - 1);
	assert_memory_equal(out.p, want, out.n);
	buf_done(&out);
}

static void names_that_are_none(void **state)
{
	static const char *const bad[] = {"", ".", "..", "a..b", ".a", "a..", "a\\", "a\\1",
		"a\\999", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct buf out;

		buf_init(&out, 512);
		assert_int_equal(dnsmsg_question(&out, str_of(bad[i]), DNS_A, 1), MT_EINVAL);
		buf_done(&out);
	}
	assert_true(dns_name_within(STR_LIT("a.B.c."), STR_LIT("b.C")));
	assert_true(dns_name_within(STR_LIT("b.c"), STR_LIT("b.c.")));
	assert_false(dns_name_within(STR_LIT("ab.c"), STR_LIT("b.c")));
	assert_false(dns_name_within(STR_LIT("c"), STR_LIT("b.c")));
}

static void every_cut_of_an_answer(void **state)
{
	static const char whole[] = "\0\1\x81\x80\0\1\0\2\0\0\0\0\1x\4test\0\0\1\0\1\xc0\x0c\0\5\0"
				    "\1\0\0\0\x3c\0\4\1y\xc0\x0e"
				    "\xc0\x24\0\1\0\1\0\0\0\x1e\0\4\xc0\0\2\1";
	struct arena a;

	(void)state;
	arena_init(&a, ARENA_BYTES);
	for (size_t n = 0; n < sizeof(whole); n++) {
		struct dns_answer out;
		struct str alias;

		arena_reset(&a);
		dnsmsg_read(str_make(whole, n), STR_LIT("X.test"), DNS_A, &a, &out, &alias);
		assert_int_equal(out.status, n == sizeof(whole) - 1 ? DNS_ANSWER : DNS_BAD);
		assert_false(str_present(alias));
		if (out.status == DNS_ANSWER) {
			assert_int_equal(out.n, 1);
			assert_int_equal(out.ttl_s, 30);
			assert_memory_equal(out.rr[0].data.p, "\xc0\0\2\1", 4);
		}
	}
	arena_done(&a);
}

static const struct dns_answer *nothing(void *ctx, struct str name, enum dns_type type)
{
	(void)name;
	(void)type;
	return ctx;
}

static void macros_of_the_RFC(void **state)
{
	static const struct {
		const char *ip, *spec, *want;
	} cases[] = {
		{"192.0.2.3", "%{s}.x", "strong-bad@email.example.com.x"},
		{"192.0.2.3", "%{o}", "email.example.com"},
		{"192.0.2.3", "%{d4}", "email.example.com"},
		{"192.0.2.3", "%{d3}", "email.example.com"},
		{"192.0.2.3", "%{d2}", "example.com"},
		{"192.0.2.3", "%{d1}", "com"},
		{"192.0.2.3", "%{dr}", "com.example.email"},
		{"192.0.2.3", "%{d2r}", "example.email"},
		{"192.0.2.3", "%{l}", "strong-bad"},
		{"192.0.2.3", "%{l-}", "strong.bad"},
		{"192.0.2.3", "%{lr}", "strong-bad"},
		{"192.0.2.3", "%{lr-}", "bad.strong"},
		{"192.0.2.3", "%{l1r-}", "strong"},
		{"192.0.2.3", "%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"},
		{"192.0.2.3", "%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"},
		{"192.0.2.3", "%{lr-}.lp.%{ir}.%{v}._spf.%{d2}",
			"bad.strong.lp.3.2.0.192.in-addr._spf.example.com"},
		{"192.0.2.3", "%{d2}.trusted-domains.example.net",
			"example.com.trusted-domains.example.net"},
		{"2001:db8::cb01", "%{ir}.%{v}._spf.%{d2}",
			"1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf."
			"example."
			"com"},
		{"192.0.2.3", "%{S}%%%_%-.x", "strong-bad%40email.example.com% %20.x"},
		{"192.0.2.3", "%{p}.x", "unknown.x"},
	};
	struct dns_answer none = {.status = DNS_NXDOMAIN};
	struct spf_request q = {.domain = STR_LIT("email.example.com"),
		.sender_domain = STR_LIT("email.example.com"),
		.local = STR_LIT("strong-bad"),
		.helo = STR_LIT("mx.example.org")};
	struct spf_result r = {0};
	struct spf_eval e = {.view = {nothing, &none}, .q = &q, .out = &r};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct buf out;

		assert_true(ip_read(str_of(cases[i].ip), &q.ip));
		buf_init(&out, 4096);
		spf_expand(&e, str_of(cases[i].spec), q.domain, &out);
		assert_string_equal(buf_z(&out), cases[i].want);
		buf_done(&out);
	}
}

static void addresses(void **state)
{
	static const struct {
		const char *in, *reversed;
		bool public;
	} cases[] = {
		{"192.0.2.1", "1.2.0.192", false},
		{"8.8.4.4", "4.4.8.8", true},
		{"::ffff:8.8.4.4", "4.4.8.8", true},
		{"10.1.2.3", "3.2.1.10", false},
		{"100.64.0.1", "1.0.64.100", false},
		{"100.128.0.1", "1.0.128.100", true},
		{"224.0.0.1", "1.0.0.224", false},
		{"2001:db8::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2",
			false},
		{"2a00::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.a.2",
			true},
		{"fe80::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.e.f",
			false},
	};
	struct ip_address ip;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct buf out;

		buf_init(&out, 256);
		assert_true(ip_read(str_of(cases[i].in), &ip));
		ip_reversed(&out, &ip);
		assert_string_equal(buf_z(&out), cases[i].reversed);
		assert_int_equal(ip_public(&ip), cases[i].public);
		buf_done(&out);
	}
	assert_false(ip_read(STR_LIT("1.2.3"), &ip));
	assert_false(ip_read(STR_LIT("1.2.3.4\0"), &ip));
	assert_false(ip_read(STR_LIT(""), &ip));
}

/* A walk of a view that answers nothing but waits is told to come again, and asks for the record. */
static void a_view_that_waits(void **state)
{
	struct spf_result r;
	struct dns_view view = {nothing, NULL};

	(void)state;
	assert_false(spf_walk(view, STR_LIT("example.com"), &r));
	assert_true(spf_walk(view, STR_LIT("com"), &r)); /* no domain: nothing to ask */
	assert_int_equal(r.code, SPF_NONE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_in_bytes),
		cmocka_unit_test(names_that_are_none),
		cmocka_unit_test(every_cut_of_an_answer),
		cmocka_unit_test(macros_of_the_RFC),
		cmocka_unit_test(addresses),
		cmocka_unit_test(a_view_that_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
