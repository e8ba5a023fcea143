/* SPDX-License-Identifier: MIT */
/* test_names - results of checks in the cache: what changes, what is kept while it can't be checked, what is gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backends/names_plan.h"
#include "backends/confkeys.h"
#include "store/alert.h"
#include "store/alert_eval.h"
#include "store/store_read.h"
#include "tests/unit/store_fixture.h"

#define MINUTE_MS INT64_C(60000)
#define ARENA_BYTES (1u << 20)

static struct name_result result(enum name_check check, enum name_verdict verdict,
	const char *subject, const char *detail, const char *record)
{
	return (struct name_result){.check = check,
		.verdict = verdict,
		.subject = str_of(subject),
		.detail = str_of(detail),
		.text = STR_LIT("found"),
		.record = str_of(record),
		.ttl_s = 60};
}

static void put_rows(struct fixture *f, const struct name_result *rows, size_t n)
{
	struct mt_error error = {0};

	f->clock.fake_utc_ms += MINUTE_MS;
	must(store_names(f->store, rows, n, &error), &error, "store_names");
}

struct seen {
	struct reader *r;
	struct arena arena;
	struct name_row *rows;
	size_t n;
};

static void look(struct fixture *f, struct seen *s)
{
	struct mt_error error = {0};

	*s = (struct seen){0};
	arena_init(&s->arena, ARENA_BYTES);
	must(reader_open(f->path, &s->r, &error), &error, "reader_open");
	must(reader_begin(s->r, &error), &error, "reader_begin");
	must(read_names(s->r, &(struct query){0}, &s->arena, &s->rows, &s->n, &error), &error,
		"read_names");
}

static void end(struct seen *s)
{
	reader_end(s->r);
	reader_close(s->r);
	arena_done(&s->arena);
}

static struct alert_value listing(struct seen *s, int64_t now_ms)
{
	const struct alert_rule rule = {
		.figure = ALERT_FIGURE_LISTING, .word = "listing", .provider = ""};
	struct alert_value v;
	struct mt_error error = {0};
	int64_t mark = 0;

	must(alert_read(s->r, &rule, NULL, now_ms, &mark, &v, &error), &error, "alert_read");
	return v;
}

static void changes_are_kept(void **state)
{
	struct name_result rows[] = {
		result(NAME_CHECK_DNSBL, NAME_OK, "192.0.2.1", "l.test", ""),
		result(NAME_CHECK_SPF, NAME_OK, "x.test", "", "v=spf1 -all"),
	};
	const struct str before = rows[1].record;
	struct name_row *changes;
	struct mt_error error = {0};
	struct fixture f;
	struct seen s;
	size_t n;

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	put_rows(&f, rows, 2);
	put_rows(&f, rows, 2);
	rows[0].verdict = NAME_BAD;
	rows[1].record = STR_LIT("v=spf1 +all\0\x1b");
	put_rows(&f, rows, 2);
	look(&f, &s);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.rows[0].verdict, NAME_BAD);
	assert_int_equal(s.rows[0].since_ms, s.rows[0].t_ms);
	assert_int_equal(s.rows[1].since_ms, s.rows[1].t_ms - 2 * MINUTE_MS);
	assert_true(str_eq(s.rows[1].record, STR_LIT("v=spf1 +all\0\x1b")));
	must(read_name_changes(s.r, s.rows[0].id, 10, &s.arena, &changes, &n, &error), &error,
		"read_name_changes");
	assert_int_equal(n, 1);
	assert_int_equal(changes[0].known, NAME_OK);
	assert_int_equal(changes[0].verdict, NAME_BAD);
	assert_true(str_eq(changes[0].record_before, rows[0].record));
	must(read_name_changes(s.r, s.rows[1].id, 10, &s.arena, &changes, &n, &error), &error,
		"read_name_changes");
	assert_int_equal(n, 1);
	assert_int_equal(changes[0].known, changes[0].verdict);
	assert_true(str_eq(changes[0].record_before, before));
	assert_true(str_eq(changes[0].record, rows[1].record));
	end(&s);
	for (int i = 0; i < 2; i++) {
		rows[1].verdict = i ? NAME_OK : NAME_CANT;
		put_rows(&f, rows, 2);
	}
	look(&f, &s);
	must(read_name_changes(s.r, s.rows[1].id, 10, &s.arena, &changes, &n, &error), &error,
		"read_name_changes");
	assert_int_equal(n, 3);
	assert_int_equal(changes[0].known, NAME_CANT);
	assert_false(str_present(changes[0].record_before)); /* nobody knew it */
	assert_true(str_eq(changes[1].record_before, rows[1].record));
	end(&s);
	fixture_end(&f);
}

/* A listed address stays listed while the list can't be asked, and a row of a check that failed is not gone. */
static void what_cannot_be_checked(void **state)
{
	struct name_result rows[] = {
		result(NAME_CHECK_DNSBL, NAME_BAD, "192.0.2.1", "l.test", ""),
		result(NAME_CHECK_DNSBL, NAME_CANT, "192.0.2.1", "m.test", ""),
		result(NAME_CHECK_MX, NAME_OK, "x.test", "", ""),
		result(NAME_CHECK_MX, NAME_OK, "x.test", "mx.x.test", ""),
		result(NAME_CHECK_MX, NAME_OK, "y.test", "mx.y.test", ""),
	};
	struct alert_value v;
	struct fixture f;
	struct seen s;

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	look(&f, &s);
	assert_false(listing(&s, f.clock.fake_utc_ms).known);
	end(&s);
	put_rows(&f, rows + 1, 1);
	look(&f, &s);
	assert_false(listing(&s, f.clock.fake_utc_ms).known); /* nothing could be checked */
	end(&s);
	put_rows(&f, rows, 5);
	rows[0].verdict = NAME_CANT;
	rows[2].verdict = NAME_CANT;
	put_rows(&f, rows, 3);
	look(&f, &s);
	assert_int_equal(s.n, 4); /* that of y.test is gone */
	assert_int_equal(s.rows[0].verdict, NAME_CANT);
	assert_int_equal(s.rows[0].known, NAME_BAD);
	assert_int_equal(s.rows[1].known, NAME_UNKNOWN);
	v = listing(&s, f.clock.fake_utc_ms);
	assert_true(v.known);
	assert_int_equal((int)v.value, 1);
	assert_string_equal(v.text, "192.0.2.1 is listed at l.test");
	assert_false(listing(&s, f.clock.fake_utc_ms + NAME_STALE_MS + MINUTE_MS).known);
	end(&s);
	rows[0].verdict = NAME_OK;
	put_rows(&f, rows, 1);
	look(&f, &s);
	assert_int_equal(s.n, 1);
	assert_int_equal((int)listing(&s, f.clock.fake_utc_ms).value, 0);
	end(&s);
	fixture_end(&f);
}

static struct conf *conf_of(const char *text)
{
	static struct conf_table table; /* borrowed as long as the configuration lives */
	struct mt_error error = {0};
	struct conf *c;

	table = collector_conf_table();
	c = conf_new(&table, 1);
	must(conf_load_text(c, "test", str_of(text), false, &error), &error, "conf_load_text");
	return c;
}

static size_t count(const struct names_plan *p, enum name_check check)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		n += p->items[i].check == check;
	return n;
}

/* From the configuration, the mail server's own names and its egress; each thing once, private addresses not. */
static void what_is_ours(void **state)
{
	static const struct str domains[] = {STR_INIT("X.test."), STR_INIT("mail.x.test"),
		STR_INIT("b\x1b.x"), STR_INIT("nodots")};
	static const struct str helo = STR_INIT("Mail.x.test");
	static const struct egress_row egress[] = {
		{.tag = STR_INIT("postfix/smtp"), .ip = STR_INIT("8.8.4.4 2a00::1")},
		{.tag = STR_INIT("postfix/lan/smtp"), .ip = STR_INIT("10.0.0.1")}};
	struct conf *c = conf_of(
		"[dns]\naddresses = 192.0.2.1, ::ffff:8.8.4.4, junk\ndomains = x.test y.test\n"
		"blocklists = l.test\nselectors = s t._domainkey.y.test\n");
	struct mt_error error = {0};
	struct names_plan p;
	struct fixture f;

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	must(store_own(f.store, f.provider, OWN_DOMAIN, domains, 4, &error), &error, "store_own");
	must(store_own(f.store, f.provider, OWN_HELO, &helo, 1, &error), &error, "store_own");
	must(store_egress(f.store, f.provider, egress, 2, &error), &error, "store_egress");
	names_plan_init(&p);
	names_plan_own(&p, c, f.store);
	assert_int_equal(p.naddresses, 3);
	assert_int_equal(p.ndomains, 3);
	assert_true(str_eq(p.helo, STR_LIT("mail.x.test")));
	assert_int_equal(count(&p, NAME_CHECK_DNSBL), 3);
	assert_int_equal(count(&p, NAME_CHECK_HELO), 3);
	assert_int_equal(count(&p, NAME_CHECK_SPF_RESULT), 9);
	assert_int_equal(count(&p, NAME_CHECK_DKIM), 4);
	assert_int_equal(count(&p, NAME_CHECK_DANE), 3);
	names_plan_done(&p);
	conf_free(c);
	fixture_end(&f);
}

static void lists_named_in_replies(void **state)
{
	(void)state;
	assert_string_equal(name_list_named(STR_LIT(
				    "host x said: 550 5.7.1 blocked using Zen.SpamHaus.org; see")),
		"spamhaus");
	assert_string_equal(name_list_named(STR_LIT("b.barracudacentral.org")), "barracuda");
	assert_null(name_list_named(STR_LIT("550 5.1.1 user unknown")));
	assert_null(name_list_named(STR_LIT("spamhau")));
	assert_null(name_list_named((struct str){NULL, 0}));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_are_kept),
		cmocka_unit_test(what_cannot_be_checked),
		cmocka_unit_test(what_is_ours),
		cmocka_unit_test(lists_named_in_replies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
