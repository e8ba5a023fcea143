/* SPDX-License-Identifier: MIT */
/* test_probe - the pure parts of a probe: replies, keywords, targets, certificates, and the verdict on outbound port 25. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backends/probe.h"
#include "backends/probe_cert.h"
#include "backends/probe_reply.h"

#include <stdlib.h>
#include <string.h>

#define NOW_MS INT64_C(1795435200000)

/* Every split of the bytes in two gives the same. */
static enum reply_state read_reply(
	struct str all, size_t cut, struct probe_reply *r, size_t *ret_left)
{
	struct str first = str_first(all, cut), second;
	enum reply_state state = probe_reply_take(r, &first);

	*ret_left = first.n + (all.n - cut);
	if (state == REPLY_MORE) {
		second = str_skip(all, cut);
		state = probe_reply_take(r, &second);
		*ret_left = second.n;
	}
	return state;
}

static void replies(void **state)
{
	static const struct {
		struct str bytes;
		enum reply_state want;
		int code;
		const char *text;
		size_t left;
	} cases[] = {
		{STR_INIT("220 mx.example ESMTP\r\n"), REPLY_DONE, 220, "mx.example ESMTP", 0},
		{STR_INIT("220 bare lf\n"), REPLY_DONE, 220, "bare lf", 0},
		{STR_INIT("220\r\n"), REPLY_DONE, 220, "", 0},
		{STR_INIT("250-a\r\n250-b\r\n250 c\r\n"), REPLY_DONE, 250, "a\nb\nc", 0},
		{STR_INIT("220 a\r\n250 next\r\n"), REPLY_DONE, 220, "a", 10},
		{STR_INIT("220-a\r\n"), REPLY_MORE, 220, "a", 0},
		{STR_INIT("220 no end"), REPLY_MORE, 0, "", 0},
		{STR_INIT("250-a\r\n550 b\r\n"), REPLY_BAD, 250, NULL, 0},
		{STR_INIT("hello\r\n"), REPLY_BAD, 0, NULL, 0},
		{STR_INIT("2200 four digits\r\n"), REPLY_BAD, 0, NULL, 0},
		{STR_INIT("100 below\r\n"), REPLY_BAD, 0, NULL, 0},
		{STR_INIT("999 above\r\n"), REPLY_BAD, 0, NULL, 0},
		{STR_INIT("220\tx\r\n"), REPLY_BAD, 0, NULL, 0},
		{STR_INIT("220 a\0b\r\n"), REPLY_BAD, 0, NULL, 7},
		{STR_INIT("\r\n"), REPLY_BAD, 0, NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t cut = 0; cut <= cases[i].bytes.n; cut++) {
			struct probe_reply r;
			size_t left;

			probe_reply_init(&r);
			assert_int_equal(read_reply(cases[i].bytes, cut, &r, &left), cases[i].want);
			assert_int_equal(r.code, cases[i].code);
			if (cases[i].text)
				assert_string_equal(buf_z(&r.text), cases[i].text);
			if (cases[i].want == REPLY_DONE)
				assert_int_equal(left, cases[i].left);
			assert_int_equal(r.bad != NULL, cases[i].want == REPLY_BAD);
			probe_reply_done(&r);
		}
	}
}

static void replies_are_capped(void **state)
{
	struct probe_reply r;
	struct buf b;
	struct str in;

	(void)state;
	probe_reply_init(&r);
	buf_init(&b, 1 << 20);
	buf_add_z(&b, "220 ");
	for (int i = 0; i < REPLY_LINE_MAX_BYTES; i++)
		buf_add_char(&b, 'x');
	in = buf_str(&b);
	assert_int_equal(probe_reply_take(&r, &in), REPLY_BAD);
	probe_reply_clear(&r);
	buf_clear(&b);
	for (int i = 0; i < REPLY_LINES_MAX + 1; i++)
		buf_add_z(&b, "250-x\r\n");
	in = buf_str(&b);
	assert_int_equal(probe_reply_take(&r, &in), REPLY_BAD);
	buf_done(&b);
	probe_reply_done(&r);
}

static void keywords(void **state)
{
	struct reply_keywords k;

	(void)state;
	probe_reply_keywords(STR_LIT("mx.example\nPIPELINING\nstarttls\nAUTH PLAIN LOGIN"), &k);
	assert_true(k.starttls && k.auth && !k.stars);
	probe_reply_keywords(STR_LIT("STARTTLS\nSIZE 1\nAUTH=LOGIN\nSTARTTLSX"), &k);
	assert_true(!k.starttls && k.auth);
	probe_reply_keywords(STR_LIT("mx\nXXXXXXXA\nSIZE 1"), &k);
	assert_true(k.stars && !k.starttls);
	probe_reply_keywords(STR_LIT("mx\nXX\nXCLIENT NAME"), &k);
	assert_false(k.stars || k.auth);
	assert_true(probe_reply_starred(STR_LIT("****************02**0*2")));
	assert_false(probe_reply_starred(STR_LIT("mx *** hello ***")));
	assert_true(
		str_eq(probe_reply_name(STR_LIT("mx.example ESMTP\nb")), STR_LIT("mx.example")));
	assert_false(str_present(probe_reply_name(STR_LIT("\x1b]0;x\a ESMTP"))));
	assert_false(str_present(probe_reply_name(STR_LIT("********"))));
}

static void targets(void **state)
{
	static const struct {
		const char *text, *host;
		int port;
	} cases[] = {{"mx.example", "mx.example", 25}, {"mx.example:587", "mx.example", 587},
		{"192.0.2.1", "192.0.2.1", 25}, {"[2001:db8::1]:465", "2001:db8::1", 465},
		{"2001:db8::1", "2001:db8::1", 25}, {"[::1]", "::1", 25}, {"", NULL, 0},
		{"mx:0", NULL, 0}, {"mx:65536", NULL, 0}, {"mx:x", NULL, 0}, {"mx:", NULL, 0},
		{"a b", NULL, 0}, {"-oProxy", NULL, 0}, {"[::1", NULL, 0}, {"mx/../x", NULL, 0},
		{"u@mx", NULL, 0}, {"[::1]25", NULL, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *host = NULL;
		int port = 0;
		int rc = probe_parse_target(str_of(cases[i].text), 25, &host, &port, NULL);

		assert_int_equal(rc, cases[i].host ? 0 : MT_EINVAL);
		if (rc == 0) {
			assert_string_equal(host, cases[i].host);
			assert_int_equal(port, cases[i].port);
		}
		free(host);
	}
}

/* --- certificates: DER made here --- */

static void tlv(struct buf *out, int tag, const struct buf *body)
{
	buf_add_char(out, (char)tag);
	buf_add_char(out, (char)0x82);
	buf_add_char(out, (char)(body->n >> 8));
	buf_add_char(out, (char)(body->n & 0xff));
	buf_add(out, body->p, body->n);
}

static void put(struct buf *out, int tag, const void *bytes, size_t n)
{
	buf_add_char(out, (char)tag);
	buf_add_char(out, (char)n);
	buf_add(out, bytes, n);
}

static void nest(struct buf *b, int tag)
{
	struct buf all;

	buf_init(&all, 1 << 20);
	tlv(&all, tag, b);
	buf_clear(b);
	buf_add(b, all.p, all.n);
	buf_done(&all);
}

static void name_of(struct buf *out, const char *common)
{
	struct buf b;

	buf_init(&b, 4096);
	put(&b, 0x06, "\x55\x04\x03", 3);
	put(&b, 0x0c, common, strlen(common));
	nest(&b, 0x30);
	nest(&b, 0x31);
	tlv(out, 0x30, &b);
	buf_done(&b);
}

/* A certificate of that subject, with the names given: tag and bytes each. */
struct san {
	int tag;
	struct str name;
};

static void make_cert(struct buf *out, const char *subject, const char *issuer,
	const char *not_before, const char *not_after, const struct san *san, size_t nsan)
{
	struct buf tbs, b, names;

	buf_init(&tbs, 1 << 16);
	buf_init(&b, 1 << 16);
	buf_init(&names, 1 << 16);
	put(&tbs, 0x02, "\x01", 1);
	put(&tbs, 0x30, "", 0);
	name_of(&tbs, issuer);
	put(&b, strlen(not_before) == 13 ? 0x17 : 0x18, not_before, strlen(not_before));
	put(&b, strlen(not_after) == 13 ? 0x17 : 0x18, not_after, strlen(not_after));
	tlv(&tbs, 0x30, &b);
	name_of(&tbs, subject);
	put(&tbs, 0x30, "", 0);
	for (size_t i = 0; i < nsan; i++)
		put(&names, san[i].tag, san[i].name.p, san[i].name.n);
	nest(&names, 0x30);
	nest(&names, 0x04);
	buf_clear(&b);
	put(&b, 0x06, "\x55\x1d\x11", 3);
	buf_add(&b, names.p, names.n);
	nest(&b, 0x30);
	nest(&b, 0x30);
	if (nsan)
		tlv(&tbs, 0xa3, &b);
	nest(&tbs, 0x30);
	tlv(out, 0x30, &tbs);
	buf_done(&names);
	buf_done(&b);
	buf_done(&tbs);
}

static bool names_host(const char *subject, const struct san *san, size_t nsan, const char *host)
{
	struct probe_cert c;
	struct buf der;
	bool yes;

	buf_init(&der, 1 << 16);
	make_cert(&der, subject, "ca", "260101000000Z", "20270101000000Z", san, nsan);
	assert_int_equal(probe_cert_read(&c, buf_str(&der), str_of(host), NULL), 0);
	assert_int_equal(c.nnames, nsan);
	yes = c.names_host;
	probe_cert_done(&c);
	buf_done(&der);
	return yes;
}

static void certificate_names(void **state)
{
	const struct san plain[] = {{0x82, STR_LIT("mx.example.com")}};
	const struct san wild[] = {{0x82, STR_LIT("*.example.com")}};
	const struct san broad[] = {{0x82, STR_LIT("*.com")}, {0x82, STR_LIT("m*.example.com")}};
	const struct san nul[] = {{0x82, STR_LIT("mx.example.com\0.evil.test")}};
	const struct san comma[] = {{0x82, STR_LIT("evil.test, DNS:mx.example.com")}};
	const struct san v4[] = {{0x87, STR_LIT("\xc0\x00\x02\x01")}};
	const struct san word[] = {{0x82, STR_LIT("192.0.2.1")}};

	(void)state;
	assert_true(names_host("x", plain, 1, "MX.example.COM"));
	assert_true(names_host("x", plain, 1, "mx.example.com."));
	assert_false(names_host("mx.other.com", plain, 1, "mx.other.com")); /* CN has no say */
	assert_true(names_host("mx.other.com", NULL, 0, "mx.other.com"));
	assert_true(names_host("x", wild, 1, "mx.example.com"));
	assert_false(names_host("x", wild, 1, "a.mx.example.com"));
	assert_false(names_host("x", wild, 1, "example.com"));
	assert_false(names_host("x", wild, 1, ".example.com"));
	assert_false(names_host("x", broad, 2, "example.com"));
	assert_false(names_host("x", broad, 2, "mx.example.com"));
	assert_false(names_host("x", nul, 1, "mx.example.com"));
	assert_false(names_host("x", comma, 1, "mx.example.com"));
	assert_true(names_host("x", v4, 1, "192.0.2.1"));
	assert_false(names_host("x", v4, 1, "192.0.2.2"));
	assert_false(names_host("x", word, 1, "192.0.2.1"));
}

static void certificate_times(void **state)
{
	struct probe_cert c;
	struct buf der;

	(void)state;
	buf_init(&der, 1 << 16);
	make_cert(&der, "self", "self", "491231235959Z", "99991231235959Z", NULL, 0);
	assert_int_equal(probe_cert_read(&c, buf_str(&der), STR_LIT("a"), NULL), 0);
	assert_int_equal(c.not_before_ms, INT64_C(2524607999000));
	assert_int_equal(c.not_after_ms, INT64_C(253402300799000));
	assert_true(c.self_issued);
	assert_true(str_eq(c.subject, STR_LIT("self")));
	probe_cert_done(&c);
	buf_clear(&der);
	make_cert(&der, "a", "b", "500101000000Z", "261301000000Z", NULL, 0); /* month 13 */
	assert_int_equal(probe_cert_read(&c, buf_str(&der), STR_LIT("a"), NULL), MT_EINVAL);
	probe_cert_done(&c);
	buf_done(&der);
}

/* Cut anywhere, or with any byte changed, it is read or refused, never beyond its end. */
static void certificates_broken(void **state)
{
	const struct san san[] = {{0x82, STR_LIT("mx.example.com")}, {0x87, STR_LIT("\x7f\0\0\1")}};
	struct probe_cert c;
	struct buf der;

	(void)state;
	buf_init(&der, 1 << 16);
	make_cert(&der, "a", "b", "260101000000Z", "270101000000Z", san, 2);
	for (size_t n = 0; n < der.n; n++) {
		char *copy = malloc(n ? n : 1);

		memcpy(copy, der.p, n);
		assert_int_equal(
			probe_cert_read(&c, str_make(copy, n), STR_LIT("a"), NULL), MT_EINVAL);
		probe_cert_done(&c);
		free(copy);
	}
	for (size_t i = 0; i < der.n; i++) {
		der.p[i] = (char)~der.p[i];
		(void)!probe_cert_read(&c, buf_str(&der), STR_LIT("mx.example.com"), NULL);
		probe_cert_done(&c);
		der.p[i] = (char)~der.p[i];
	}
	buf_done(&der);
}

/* --- outbound port 25 --- */

static struct probe_result made(const char *host, int port, const char *address,
	enum probe_outcome outcome, int64_t connect_ms)
{
	struct probe_result r = {.host = str_of(host),
		.port = port,
		.role = port == 25 ? PROBE_MX : PROBE_WITNESS,
		.address = str_of(address),
		.outcome = outcome,
		.t_ms = NOW_MS};

	for (int i = 0; i < PROBE_STEP__COUNT; i++)
		r.took_us[i] = EVENT_UNKNOWN;
	if (connect_ms >= 0)
		r.took_us[PROBE_STEP_CONNECT] = connect_ms * 1000;
	if (outcome == PROBE_OPEN && port == 25)
		r.greeting_name = str_of(host);
	return r;
}

static enum outbound_verdict judged(const struct probe_result *r, size_t n)
{
	struct outbound o;

	outbound_judge(r, n, &o);
	return o.verdict;
}

static void said(const struct probe_result *r, size_t n, const char *want)
{
	struct outbound o;
	struct buf b;

	outbound_judge(r, n, &o);
	buf_init(&b, 512);
	outbound_say(&o, &b);
	assert_string_equal(buf_z(&b), want);
	buf_done(&b);
}

static void verdicts(void **state)
{
	struct probe_result open1 = made("mx.a.test", 25, "192.0.2.1", PROBE_OPEN, 10);
	struct probe_result open2 = made("mx.b.test", 25, "192.0.2.2", PROBE_OPEN, 10);
	struct probe_result lost1 = made("mx.a.test", 25, NULL, PROBE_TIMEOUT, -1);
	struct probe_result lost2 = made("mx.b.test", 25, NULL, PROBE_TIMEOUT, -1);
	struct probe_result no1 = made("mx.a.test", 25, NULL, PROBE_REFUSED, -1);
	struct probe_result icmp = made("mx.b.test", 25, NULL, PROBE_REJECTED, -1);
	struct probe_result web1 = made("mx.a.test", 443, "192.0.2.1", PROBE_OPEN, 10);
	struct probe_result web2 = made("mx.b.test", 443, NULL, PROBE_TIMEOUT, -1);
	struct probe_result own = made("127.0.0.1", 25, "127.0.0.1", PROBE_OPEN, 0);
	struct probe_result slow1 = made("mx.a.test", 25, "192.0.2.1", PROBE_OPEN, 7000);
	struct probe_result slow2 = made("mx.b.test", 25, "192.0.2.2", PROBE_OPEN, 7000);
	struct probe_result gone = made("mx.c.test", 25, NULL, PROBE_NO_NAME, -1);

	(void)state;
	own.role = PROBE_OWN;
	assert_int_equal(judged(NULL, 0), OUTBOUND_UNKNOWN);
#define VERDICT(want, ...)                                                                         \
	assert_int_equal(judged((struct probe_result[]){__VA_ARGS__},                              \
				 sizeof((struct probe_result[]){__VA_ARGS__}) /                    \
					 sizeof(struct probe_result)),                             \
		want)
#define SAYS(want, ...)                                                                            \
	said((struct probe_result[]){__VA_ARGS__},                                                 \
		sizeof((struct probe_result[]){__VA_ARGS__}) / sizeof(struct probe_result), want)
	VERDICT(OUTBOUND_UNKNOWN, own);
	VERDICT(OUTBOUND_UNKNOWN, gone);
	VERDICT(OUTBOUND_OPEN, open1, own);
	VERDICT(OUTBOUND_OPEN, open1, no1, icmp);
	VERDICT(OUTBOUND_OPEN, open1, lost2, web2); /* b is down altogether */
	VERDICT(OUTBOUND_UNKNOWN, lost1, lost2, web2, own); /* no network at all */
	VERDICT(OUTBOUND_BLOCKED, lost1, lost2, web1);
	VERDICT(OUTBOUND_UNKNOWN, lost1, icmp, web1); /* one alone may be down */
	VERDICT(OUTBOUND_REFUSED, no1, icmp, web1);
	VERDICT(OUTBOUND_UNKNOWN, no1, icmp); /* no other port connects: no network at all? */
	VERDICT(OUTBOUND_OPEN, open2, lost1, web1); /* a's 25 is dead; ours is not */
	VERDICT(OUTBOUND_THROTTLED, slow1, slow2, web1);
	VERDICT(OUTBOUND_OPEN, slow1, open2, web1);
	VERDICT(OUTBOUND_OPEN, slow1, slow2); /* nothing fast to compare with */
}

static void one_is_not_enough(void **state)
{
	struct probe_result open1 = made("mx.a.test", 25, "192.0.2.1", PROBE_OPEN, 10);
	struct probe_result mute1 = made("mx.a.test", 25, "192.0.2.1", PROBE_SILENT, 10);
	struct probe_result no1 = made("mx.a.test", 25, NULL, PROBE_REFUSED, -1);
	struct probe_result lost2 = made("mx.b.test", 25, NULL, PROBE_TIMEOUT, -1);
	struct probe_result kin2 = made("mx2.b.test", 25, NULL, PROBE_TIMEOUT, -1);
	struct probe_result lost3 = made("mx.c.test", 25, NULL, PROBE_TIMEOUT, -1);
	struct probe_result ip1 = made("192.0.2.7", 25, NULL, PROBE_TIMEOUT, -1);
	struct probe_result ip2 = made("192.0.2.8", 25, NULL, PROBE_TIMEOUT, -1);
	struct probe_result ip3 = made("198.51.2.8", 25, NULL, PROBE_TIMEOUT, -1);
	struct probe_result web2 = made("mx.b.test", 443, "192.0.2.2", PROBE_OPEN, 10);
	struct probe_result web3 = made("mx.c.test", 443, "192.0.2.3", PROBE_OPEN, 10);
	struct probe_result web4 = made("mx.d.test", 587, "192.0.2.4", PROBE_OPEN, 10);

	(void)state;
	SAYS("can't tell: only one host was tried", lost2, web2, web4);
	SAYS("can't tell: only one host was tried", no1, web4);
	SAYS("can't tell: the 2 hosts tried are related", lost2, kin2, web2);
	SAYS("can't tell: the 2 hosts tried are related", ip1, ip2, web2);
	SAYS("can't tell: no other port connects either", lost2, lost3);
	SAYS("can't tell: 2 timed out, 1 refused", lost2, lost3, no1,
		web4); /* a's no came through */
	SAYS("can't tell: 1 of 3 connect, none greets", lost2, lost3, mute1,
		web4); /* no SYN is dropped */
	SAYS("blocked: 2 unrelated hosts time out on 25, none connects; 1 other port connects",
		lost2, kin2, lost3, web4);
	SAYS("blocked: 2 unrelated hosts time out on 25, none connects; 2 other ports connect", ip1,
		ip3, web2, web4);
	SAYS("open", open1, web2);
	SAYS("open; mx.b.test does not answer", open1, lost2, web2);
	SAYS("open; mx.b.test and 1 more do not answer", open1, lost2, kin2, web2);
	SAYS("open; mx.a.test refuses", made("mx.b.test", 25, "192.0.2.2", PROBE_OPEN, 10), no1);
	SAYS("throttled: 2 unrelated hosts time out on 25 alone, 1 connect", open1, lost2, lost3,
		web2, web3);
	kin2.address = lost3.address = STR_LIT("192.0.2.9"); /* two names of one server */
	SAYS("can't tell: the 2 hosts tried are related", kin2, lost3, web4);
	SAYS("not known", web4);
}

static void interceptions(void **state)
{
	struct probe_result a = made("mx.a.test", 25, "192.0.2.1", PROBE_OPEN, 10);
	struct probe_result b = made("mx.b.test", 25, "192.0.2.2", PROBE_OPEN, 10);
	struct probe_result g = made("gmail-smtp-in.l.google.com", 25, "192.0.2.3", PROBE_OPEN, 10);

	(void)state;
	a.greeting_name = b.greeting_name = STR_LIT("relay.isp.test");
	VERDICT(OUTBOUND_INTERCEPTED, a, b);
	VERDICT(OUTBOUND_OPEN, a); /* one alone may be a vanity name */
	b.address = a.address; /* two names of one server */
	VERDICT(OUTBOUND_OPEN, a, b);
	b.address = STR_LIT("192.0.2.2");
	a.flags = PROBE_F_TLS | PROBE_F_CERT | PROBE_F_NAME; /* proves its name */
	VERDICT(OUTBOUND_OPEN, a, b);
	a.flags |= PROBE_F_UNTRUSTED; /* proves nothing */
	VERDICT(OUTBOUND_INTERCEPTED, a, b);
	VERDICT(OUTBOUND_OPEN, g);
	g.greeting_name = STR_LIT("relay.isp.test");
	VERDICT(OUTBOUND_INTERCEPTED, g);
	a = made("mx.a.test", 25, "192.0.2.1", PROBE_OPEN, 10);
	a.flags = PROBE_F_STARS;
	VERDICT(OUTBOUND_INTERCEPTED, a);
	a = made("mx.a.co.uk", 25, "192.0.2.1", PROBE_OPEN, 10);
	b = made("mx.b.co.uk", 25, "192.0.2.2", PROBE_OPEN, 10);
	a.greeting_name = b.greeting_name = STR_LIT("relay.isp.co.uk");
	VERDICT(OUTBOUND_INTERCEPTED, a, b); /* co.uk is nobody's organisation */
}

static void days(void **state)
{
	struct probe_result r = {.flags = PROBE_F_CERT};
	int64_t n;

	(void)state;
	r.not_after_ms = NOW_MS + 86400000;
	assert_true(probe_cert_days(&r, NOW_MS, &n) && n == 1);
	r.not_after_ms--;
	assert_true(probe_cert_days(&r, NOW_MS, &n) && n == 0);
	r.not_after_ms = NOW_MS - 1;
	assert_true(probe_cert_days(&r, NOW_MS, &n) && n == -1);
	r.flags = 0;
	assert_false(probe_cert_days(&r, NOW_MS, &n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies),
		cmocka_unit_test(replies_are_capped),
		cmocka_unit_test(keywords),
		cmocka_unit_test(targets),
		cmocka_unit_test(certificate_names),
		cmocka_unit_test(certificate_times),
		cmocka_unit_test(certificates_broken),
		cmocka_unit_test(verdicts),
		cmocka_unit_test(one_is_not_enough),
		cmocka_unit_test(interceptions),
		cmocka_unit_test(days),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
