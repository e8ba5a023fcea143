/* SPDX-License-Identifier: MIT */
/* Exim's spool header files, the text of its listing, its retry database as exim_dumpdb prints it; hostile ones too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backends/exim/header.h"
#include "backends/exim/listing.h"
#include "backends/exim/retry.h"

#include <stdlib.h>

#define ID "1vLaB1-0001Xy-2Z"
#define START ID "-H\nmail 8 8\n<a@here.example>\n1764076800 2\n"

/* Parses a copy on the heap of exactly the text's size, so that ASan sees a byte read past it; give it back with free. */
static int parse(
	const char *text, size_t n, const char *journal, struct exim_header *h, char **ret_copy)
{
	*ret_copy = malloc(n + !n);
	assert_non_null(*ret_copy);
	memcpy(*ret_copy, text, n);
	return exim_header_parse(str_make(*ret_copy, n), str_of(journal), h);
}

static void is(struct str got, const char *want)
{
	assert_int_equal(got.n, strlen(want));
	assert_memory_equal(got.p, want, got.n);
}

static void test_header(void **state)
{
	/* an ACL variable whose value looks like options, a tree of three, recipients of each form, a dropped header */
	static const char text[] = START "-received_time_usec .5\n--helo_name x\n-aclm 0 "
					 "9\n-frozen 1\n--aclc _name 4\nXX\n1\n"
					 "-frozen 1764080400\n-local\n"
					 "YY m@a.example\nNN b@a.example\nNN z@a.example\n"
					 "6\nb@a.example\nc d@a.example\n\"e f\"@a.example\n"
					 "g@a.example err@here.example 16,-1#1\nh@a.example "
					 "rfc822;h@q 10,3 err@here.example 16,-1#3\nz@a.example\n"
					 "\n021P Received: from there\n010* Subject: x005  B: y\n";
	struct exim_header h = {.nrcpt = 0};
	char *copy;

	(void)state;
	assert_int_equal(
		parse(text, sizeof(text) - 1, "g@a.example\nnobody@a.example\n", &h, &copy), 0);
	is(h.id, ID);
	is(h.sender, "a@here.example");
	assert_int_equal(h.received_ms, INT64_C(1764076800000));
	assert_true(h.frozen);
	assert_int_equal(h.frozen_ms, INT64_C(1764080400000));
	assert_false(h.first_try);
	assert_int_equal(h.nrcpt, 6);
	assert_int_equal(h.left.n, 3); /* b and z by the tree, g by the journal */
	is(h.left.addr[0], "c d@a.example");
	is(h.left.addr[1], "\"e f\"@a.example");
	is(h.left.addr[2], "h@a.example");
	assert_int_equal(h.header_bytes, 26); /* 21 and 5, not the dropped 10 */
	free(copy);
	exim_header_done(&h);
}

static void test_header_first(void **state)
{
	static const char text[] =
		ID "-H\nroot 0 0\n<>\n1764076800 0\n-deliver_firsttime\nXX\n1\nb@a.example\n\n";
	struct exim_header h = {.nrcpt = 0};
	char *copy;

	(void)state;
	assert_int_equal(parse(text, sizeof(text) - 1, "", &h, &copy), 0);
	assert_int_equal(h.sender.n, 0);
	assert_true(str_present(h.sender) && h.first_try && !h.frozen);
	assert_int_equal(h.header_bytes, 0);
	free(copy);
	exim_header_done(&h);
}

static void test_header_hostile(void **state)
{
	static const char *const bad[] = {"", "\n", ID "-D\n", ID "-H", ID "-H\n\n", START,
		START "XX", START "XX\n", START "XX\n2\nb@a.example\n", START "XX\n99999999\n",
		START "XX\n-1\n", START "YN b@a.example\n1\n", START "YYb\n",
		START "-acl 0 99999999\nXX\n1\nx\n",
		"1vLaB1-0001Xy-2-H\nmail 8 8\n<a>\n1 1\nXX\n0\n",
		ID "-H\nmail\n<a\n1764076800 0\nXX\n0\n\n",
		ID "-H\nmail\n<a>\n99999999999999 0\nXX\n0\n\n"};
	struct exim_header h = {.nrcpt = 0};
	char *copy;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse(bad[i], strlen(bad[i]), "", &h, &copy), MT_EINVAL);
		free(copy);
	}
	/* counts that lie leave the line as it is; a length that lies, the size unknown */
	assert_int_equal(
		parse(START "XX\n1\nb@a.example x 99,1#1\n\n999P Received: x\n",
			sizeof(START "XX\n1\nb@a.example x 99,1#1\n\n999P Received: x\n") - 1, "",
			&h, &copy),
		0);
	is(h.left.addr[0], "b@a.example x 99,1#1");
	assert_int_equal(h.header_bytes, EVENT_UNKNOWN);
	free(copy);
	exim_header_done(&h);
}

static void test_id_time(void **state)
{
	(void)state;
	/* by a real Exim: 2026-11-25 19:37:07 UTC */
	assert_int_equal(exim_id_time_ms(STR_LIT("1xWInj-0002Tc-1o")), INT64_C(1795635427000));
	assert_int_equal(exim_id_time_ms(STR_LIT("1xWInj")), EVENT_UNKNOWN);
}

static int lines(struct exim_listing *l, const char *text)
{
	struct str rest = str_of(text);
	int rows = 0, rc = 0;

	while (rest.n && rows == 0) {
		size_t n = str_find_char(rest, '\n');

		rc = exim_listing_line(l, str_first(rest, n));
		assert_true(rc >= 0);
		rows += rc;
		rest = str_skip(rest, n + 1);
	}
	return rows;
}

static void test_listing(void **state)
{
	struct exim_listing l;

	(void)state;
	exim_listing_init(&l);
	assert_int_equal(
		lines(&l, "25m   240 1xWInj-0002Tc-1o <a b@here.example> (root) *** frozen ***\n"
			  "        D done@a.example\n          left@a.example\n          \"x "
			  "y\"@a.example\n\n"),
		1);
	is(l.row.qid, "1xWInj-0002Tc-1o");
	is(l.row.sender, "a b@here.example");
	assert_int_equal(l.row.queue, QUEUE_HOLD);
	assert_int_equal(l.row.size_bytes, 240);
	assert_int_equal(l.row.arrival_ms, INT64_C(1795635427000));
	assert_int_equal(l.row.nrcpt, 2);
	is(l.row.rcpt[1], "\"x y\"@a.example");
	/* a rounded size is none; a sender of odd signs is whole */
	assert_int_equal(lines(&l, "99d  2.9K 1xWInj-0002Tc-1o <>\n          b@a.example\n\n"), 1);
	assert_int_equal(l.row.size_bytes, EVENT_UNKNOWN);
	assert_int_equal(l.row.sender.n, 0);
	assert_int_equal(l.row.queue, QUEUE_DEFERRED);
	assert_int_equal(l.bad, 0);
	assert_int_equal(
		lines(&l, " 3h  1xWInj-0002Tc-1o\n\n 3h 1 2 <>\nx\n 0m 1 1xWInj-0002Tc-1o <\n"), 0);
	assert_int_equal(l.bad, 4);
	exim_listing_done(&l);
}

static int64_t next(const struct exim_retry *r, const char *rcpt, const char *host)
{
	const struct exim_retry_of of = {.id = STR_LIT(ID),
		.sender = STR_LIT("a@here.example"),
		.rcpt = str_of(rcpt),
		.host = str_of(host),
		.ip = host ? STR_LIT("192.0.2.1") : STR_LIT("")};
	int64_t ms = exim_retry_next(r, &of);

	return ms < 0 ? ms : (ms - INT64_C(1764028800000)) / 60000; /* minutes of 2025-11-25 */
}

static void test_retry(void **state)
{
	static const char text[] =
		"  R:x y@a.example:<a@here.example> -44 13121 H=mx [192.0.2.1]: 451 4.7.1 later\n"
		"25-Nov-2025 10:00:00  25-Nov-2025 10:00:00  25-Nov-2025 11:00:00 \n"
		"  R:b@a.example:<other@here.example> -44 13121 later\n"
		"25-Nov-2025 10:00:00  25-Nov-2025 10:00:00  25-Nov-2025 12:00:00 \n"
		"  R:dead.example 111 0 host lookup did not complete\n"
		"25-Nov-2025 10:00:00  25-Nov-2025 10:00:00  25-Nov-2025 13:00:00 *\n"
		"  T:mx.example:192.0.2.1 110 65 Connection timed out\n"
		"25-Nov-2025 10:00:00  25-Nov-2025 10:00:00  25-Nov-2025 14:00:00 \n"
		"  T:mx.example:192.0.2.1:" ID " -46 0 421 busy\n"
		"25-Nov-2025 10:00:00  25-Nov-2025 10:00:00  25-Nov-2025 15:00:00 \n"
		"  R:torn.example -1 0 no next line\n"
		"  R:odd.example -1 0 x\n25-Nov-2025 10:00:00  25-Nov-2025 10:00:00  31-Foo-2025 "
		"15:00:00\n"
		"25-Nov-2025 10:00:00  25-Nov-2025 10:00:00  25-Nov-2025 16:00:00\n";
	struct exim_retry r;

	(void)state;
	exim_retry_init(&r);
	assert_false(r.known);
	assert_int_equal(exim_retry_parse(&r, STR_LIT("")), 0);
	assert_true(r.known);
	assert_int_equal(exim_retry_parse(&r, str_make(text, sizeof(text) - 1)), 6);
	assert_int_equal(next(&r, "x y@a.example", NULL), 11 * 60);
	assert_int_equal(next(&r, "X Y@A.example", NULL), 11 * 60); /* without its case */
	assert_int_equal(next(&r, "b@a.example", NULL), EVENT_UNKNOWN); /* another sender's */
	assert_int_equal(next(&r, "c@dead.example", NULL), 13 * 60);
	assert_int_equal(next(&r, "c@a.example", "mx.example"),
		15 * 60); /* the later of host and message at it */
	assert_int_equal(next(&r, "c@dead.example", "mx.example"), 15 * 60);
	assert_int_equal(next(&r, "c@torn.example", NULL), EVENT_UNKNOWN);
	assert_int_equal(next(&r, "", NULL), EVENT_UNKNOWN);
	exim_retry_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_header),
		cmocka_unit_test(test_header_first), cmocka_unit_test(test_header_hostile),
		cmocka_unit_test(test_id_time), cmocka_unit_test(test_listing),
		cmocka_unit_test(test_retry)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
