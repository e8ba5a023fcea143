/* SPDX-License-Identifier: MIT */
/* Failures by signature: counted once each, by what they mean; over restarts, and anew when the rules change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/store_fixture.h"

#include "store/store_read.h"

#include <string.h>

#define HOUR_MS 3600000

static void put_failure(struct fixture *f, const char *qid, const char *to,
	enum event_status status, const char *relay, const char *text)
{
	struct event e = event_of(EVENT_ATTEMPT, "postfix/smtp", qid);

	e.to = str_of(to);
	e.status = status;
	e.relay = str_of(relay);
	e.relay_host = str_first(e.relay, str_find_char(e.relay, '['));
	e.reply = str_of(text);
	e.stage = STAGE_RCPT;
	put(f, &e);
}

static void put_refusal(struct fixture *f, const char *text)
{
	struct event e = event_of(EVENT_REJECT, "postfix/smtpd", "");

	e.action = REJECT_REJECT;
	e.action_text = STR_LIT("reject");
	e.stage = STAGE_RCPT;
	e.code = 554;
	e.reply = str_of(text);
	put(f, &e);
}

struct view {
	struct reader *r;
	struct arena arena;
	struct cluster_row *rows;
	size_t n;
};

static void look(const struct fixture *f, const struct query *q, enum cluster_by by, struct view *v)
{
	struct explain_rules *rules = NULL;
	struct mt_error error = {0};

	arena_init(&v->arena, 1 << 20);
	must(explain_new((struct str){NULL, 0}, "", &rules, &error), &error, "rules");
	must(reader_open(f->path, &v->r, &error), &error, "reader_open");
	must(reader_begin(v->r, &error), &error, "begin");
	must(read_clusters(v->r, q, by, rules, &v->arena, &v->rows, &v->n, &error), &error, "read");
	reader_end(v->r);
	explain_free(rules);
}

static void look_done(struct view *v)
{
	reader_close(v->r);
	arena_done(&v->arena);
}

#define GMAIL "gmail-smtp-in.l.google.com[192.0.2.1]:25"
#define OTHER "mx.other.example[192.0.2.2]:25"

static void put_some(struct fixture *f)
{
	put_failure(f, "A1", "a@x.example", STATUS_DEFERRED, GMAIL,
		"host gmail-smtp-in.l.google.com[192.0.2.1] said: 421-4.7.28 slow 1234 (in reply "
		"to RCPT "
		"TO command)");
	put_failure(f, "A2", "b@y.example", STATUS_DEFERRED, GMAIL,
		"host gmail-smtp-in.l.google.com[192.0.2.1] said: 421-4.7.28 slow 9876 (in reply "
		"to RCPT "
		"TO command)");
	put_failure(f, "A3", "c@z.example", STATUS_BOUNCED, OTHER,
		"host mx.other.example[192.0.2.2] said: 550 5.1.1 <c@z.example>: no such user");
	put_failure(f, "A4", "d@z.example", STATUS_SENT, OTHER, "250 2.0.0 Ok: queued as 1234");
	put_refusal(f, "554 5.7.1 <x@y.example>: Relay access denied");
	fixture_commit(f);
}

static void test_counts_and_reasons(void **state)
{
	struct query q = {.t0_ms = T0_MS - HOUR_MS, .t1_ms = T0_MS + HOUR_MS};
	struct fixture f;
	struct view v;

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	put_some(&f);
	look(&f, &q, CLUSTER_SIGNATURE, &v);
	assert_int_equal(v.n, 3);
	assert_int_equal(v.rows[0].n, 2);
	assert_int_equal(v.rows[0].deferred, 2);
	assert_int_equal(v.rows[0].ndomains, 2);
	assert_int_equal(v.rows[0].negress, 1);
	assert_false(v.rows[0].at_least);
	assert_int_equal(v.rows[0].cause, CAUSE_RATE);
	assert_int_equal(explain_class(v.rows[0].category), CLASS_THROTTLE);
	assert_true(str_eq(v.rows[0].rule, STR_LIT("gmail-rate")));
	assert_true(str_find(v.rows[0].example, STR_LIT("slow 1234")) < v.rows[0].example.n);
	assert_int_equal(v.rows[0].first_ms, T0_MS);
	assert_true(v.rows[0].has_trend);
	look_done(&v);
	look(&f, &q, CLUSTER_MAILBOX, &v);
	assert_int_equal(v.n, 3);
	assert_true(str_eq(v.rows[0].name, STR_LIT("Gmail")));
	assert_int_equal(v.rows[0].n, 2);
	assert_true(v.rows[1].key == CLUSTER_OWN_DOOR || v.rows[2].key == CLUSTER_OWN_DOOR);
	look_done(&v);
	look(&f, &q, CLUSTER_DESTINATION, &v);
	assert_int_equal(v.n, 3); /* x, y, z: what was sent and refused is in none */
	look_done(&v);
	q.errors_by = CLUSTER_CAUSE + 1;
	q.errors_key = CAUSE_ADDRESS;
	look(&f, &q, CLUSTER_SIGNATURE, &v);
	assert_int_equal(v.n, 1);
	assert_int_equal(v.rows[0].bounced, 1);
	look_done(&v);
	fixture_end(&f);
}

/* What buckets say and what rows say is the same. */
static void test_filtered_is_the_same(void **state)
{
	struct fixture f;

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	put_some(&f);
	for (int by = 0; by < CLUSTER_DESTINATION; by++) {
		struct query q = {.t0_ms = T0_MS - HOUR_MS, .t1_ms = T0_MS + HOUR_MS};
		struct view buckets, rows;

		look(&f, &q, (enum cluster_by)by, &buckets);
		q.text = STR_LIT("!no such text anywhere");
		q.text = str_skip(q.text, 1);
		q.text_invert = true;
		look(&f, &q, (enum cluster_by)by, &rows);
		assert_int_equal(buckets.n, rows.n);
		for (size_t i = 0; i < rows.n; i++) {
			assert_int_equal(buckets.rows[i].key, rows.rows[i].key);
			assert_int_equal(buckets.rows[i].n, rows.rows[i].n);
			assert_int_equal(buckets.rows[i].category, rows.rows[i].category);
			assert_true(str_eq(buckets.rows[i].rule, rows.rows[i].rule));
		}
		look_done(&buckets);
		look_done(&rows);
	}
	fixture_end(&f);
}

static void put_by(struct fixture *f, const char *tag, const char *qid, const char *to)
{
	struct event e = event_of(EVENT_ATTEMPT, tag, qid);

	e.to = str_of(to);
	e.status = STATUS_DEFERRED;
	e.relay = str_of(OTHER);
	e.relay_host = STR_LIT("mx.other.example");
	e.reply = STR_LIT("451 4.3.0 later");
	e.stage = STAGE_RCPT;
	put(f, &e);
}

static void set_ip(struct fixture *f, const char *tag, const char *ip)
{
	struct egress_row row = {.tag = str_of(tag), .ip = str_of(ip)};
	struct mt_error error = {0};

	must(store_egress(f->store, f->provider, &row, 1, &error), &error, "store_egress");
}

static const struct cluster_row *named(const struct view *v, const char *name)
{
	size_t i = 0;

	while (i < v->n && !str_eq(v->rows[i].name, str_of(name)))
		i++;
	assert_true(i < v->n);
	return &v->rows[i];
}

/* Two services of one IP are one; a service whose IP is not known is one, too; one that changed its IP is of both. */
static void test_sending_ips(void **state)
{
	struct query q = {.t0_ms = T0_MS, .t1_ms = T0_MS + 4 * HOUR_MS};
	struct fixture f;
	struct view v;

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	f.clock.fake_utc_ms = T0_MS;
	set_ip(&f, "out-a/smtp", "203.0.113.7");
	set_ip(&f, "out-b/smtp", "203.0.113.7");
	set_ip(&f, "out-c/smtp", "203.0.113.8");
	put_by(&f, "out-a/smtp", "B1", "a@x.example");
	put_by(&f, "out-b/smtp", "B2", "a@x.example");
	put_by(&f, "postfix/smtp", "B3", "b@y.example");
	put_by(&f, "out-c/smtp", "B4", "b@y.example");
	f.t_ms = T0_MS + 2 * HOUR_MS;
	put_by(&f, "out-c/smtp", "B5", "b@y.example");
	fixture_commit(&f);
	look(&f, &q, CLUSTER_SIGNATURE, &v);
	assert_int_equal(v.n, 1);
	assert_int_equal(v.rows[0].n, 5);
	assert_int_equal(v.rows[0].ndomains, 2);
	assert_int_equal(v.rows[0].negress, 3); /* .7, .8, postfix/smtp */
	look_done(&v);
	look(&f, &q, CLUSTER_EGRESS, &v);
	assert_int_equal(v.n, 4);
	assert_true(str_eq(named(&v, "out-a/smtp")->ip, STR_LIT("203.0.113.7")));
	assert_true(str_eq(named(&v, "out-c/smtp")->ip, STR_LIT("203.0.113.8")));
	assert_false(str_present(named(&v, "postfix/smtp")->ip));
	look_done(&v);
	f.clock.fake_utc_ms = T0_MS + HOUR_MS;
	set_ip(&f, "out-c/smtp", "203.0.113.9");
	fixture_commit(&f);
	look(&f, &q, CLUSTER_EGRESS, &v);
	assert_false(str_present(named(&v, "out-c/smtp")->ip));
	look_done(&v);
	look(&f, &q, CLUSTER_SIGNATURE, &v);
	assert_int_equal(v.rows[0].negress, 4);
	look_done(&v);
	fixture_end(&f);
}

/* An old wording and one of today; what the hour before had; where in the hour they fell. */
static void test_new_before_and_trend(void **state)
{
	static const char old[] = "host mx said: 450 4.2.1 the old song",
			  *const fresh = "host mx said: 450 4.2.1 a new tune";
	struct query q = {.t0_ms = T0_MS, .t1_ms = T0_MS + HOUR_MS};
	const struct cluster_row *a, *b;
	struct fixture f;
	struct view v;

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	f.t_ms = T0_MS - 30 * HOUR_MS;
	put_failure(&f, "C1", "a@x.example", STATUS_DEFERRED, OTHER, old);
	f.t_ms = T0_MS - HOUR_MS / 2;
	put_failure(&f, "C1", "a@x.example", STATUS_DEFERRED, OTHER, old);
	put_failure(&f, "C2", "b@x.example", STATUS_DEFERRED, OTHER, old);
	f.t_ms = T0_MS + 7 * 60000;
	put_failure(&f, "C1", "a@x.example", STATUS_DEFERRED, OTHER, old);
	put_failure(&f, "C3", "c@x.example", STATUS_DEFERRED, OTHER, fresh);
	f.t_ms = T0_MS + 58 * 60000;
	for (int i = 0; i < 3; i++)
		put_failure(&f, "C3", "c@x.example", STATUS_DEFERRED, OTHER, fresh);
	fixture_commit(&f);
	look(&f, &q, CLUSTER_SIGNATURE, &v);
	assert_int_equal(v.n, 2);
	b = &v.rows[0];
	a = &v.rows[1];
	assert_int_equal(a->n, 1);
	assert_int_equal(a->before, 2);
	assert_int_equal(a->is_new, 0);
	assert_int_equal(a->first_ms, T0_MS - 30 * HOUR_MS);
	assert_int_equal(b->n, 4);
	assert_int_equal(b->before, 0);
	assert_int_equal(b->is_new, 1);
	assert_int_equal(b->first_ms, T0_MS + 7 * 60000);
	for (int i = 0; i < CLUSTER_SLOTS; i++) { /* of five minutes */
		assert_int_equal(a->trend[i], i == 1);
		assert_int_equal(b->trend[i], i == 1 ? 1 : i == CLUSTER_SLOTS - 1 ? 3 : 0);
	}
	look_done(&v);
	/* within the first day of the cache nobody knows what is new */
	q = (struct query){.t0_ms = T0_MS - 30 * HOUR_MS, .t1_ms = T0_MS - 28 * HOUR_MS};
	look(&f, &q, CLUSTER_SIGNATURE, &v);
	assert_int_equal(v.rows[0].is_new, EVENT_UNKNOWN);
	assert_int_equal(v.rows[0].before, EVENT_UNKNOWN);
	look_done(&v);
	fixture_end(&f);
}

static void test_over_restarts(void **state)
{
	struct fixture f;

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	put_some(&f);
	fixture_reopen(&f);
	f.t_ms += HOUR_MS;
	put_failure(&f, "B1", "a@x.example", STATUS_DEFERRED, GMAIL,
		"host gmail-smtp-in.l.google.com[192.0.2.1] said: 421-4.7.28 slow 5 (in reply to "
		"RCPT TO "
		"command)");
	assert_int_equal(store_rollback(f.store, NULL), 0);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM cluster"), 3);
	put_failure(&f, "B1", "a@x.example", STATUS_DEFERRED, GMAIL,
		"host gmail-smtp-in.l.google.com[192.0.2.1] said: 421-4.7.28 slow 5 (in reply to "
		"RCPT TO "
		"command)");
	fixture_commit(&f);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM cluster"), 3);
	assert_int_equal(
		sql_int(&f, "SELECT last_ms-first_ms FROM cluster WHERE rule='gmail-rate'"),
		HOUR_MS);
	fixture_end(&f);
}

static void write_rules(const struct fixture *f, char *path, size_t n, const char *text)
{
	FILE *file;

	snprintf(path, n, "%s/explain.conf", f->folder);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void open_with(struct fixture *f, const char *rules)
{
	struct store_options options = {.path = f->path, .clock = &f->clock, .rules_path = rules};
	struct mt_error error = {0};

	must(store_open(&options, &f->store, &error), &error, "store_open");
	must(store_provider(f->store, "postfix", "postfix", "mx1", &f->provider, &error), &error,
		"provider");
}

static int slices(struct fixture *f)
{
	struct mt_error error = {0};
	bool more = true;
	int n = 0;

	while (more) {
		must(store_explain_again(f->store, 2, &more, &error), &error, "again");
		n++;
	}
	return n;
}

#define OURS "[ours]\ntext = slow\ncategory = server_error\nside = recipient\nsay = they are slow\n"

static void test_rules_change(void **state)
{
	struct fixture f;
	struct mt_error error = {0};
	char path[128];
	bool changed;

	(void)state;
	fixture_begin(&f);
	write_rules(&f, path, sizeof(path), "# none yet\n");
	open_with(&f, path);
	put_some(&f);
	assert_int_equal(slices(&f), 1); /* a new cache has no past */
	write_rules(&f, path, sizeof(path), OURS "[broken]\n");
	assert_int_equal(store_rules_look(f.store, &changed, &error), MT_EINVAL);
	assert_non_null(strstr(error.text, "line 6:"));
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM cluster WHERE rule='gmail-rate'"), 1);
	must(store_rules_look(f.store, &changed, &error), &error, "the same again");
	assert_false(changed);
	write_rules(&f, path, sizeof(path), OURS);
	must(store_rules_look(f.store, &changed, &error), &error, "look");
	assert_true(changed);
	slices(&f);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM cluster WHERE rule='gmail-rate'"), 0);
	assert_int_equal(sql_int(&f, "SELECT side FROM cluster WHERE rule='ours'"), SIDE_RECIPIENT);
	put_some(&f);
	store_close(f.store);
	open_with(&f, NULL); /* the person's file is gone: the past means what it did */
	slices(&f);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM cluster WHERE rule='ours'"), 0);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts_and_reasons),
		cmocka_unit_test(test_filtered_is_the_same),
		cmocka_unit_test(test_sending_ips),
		cmocka_unit_test(test_new_before_and_trend),
		cmocka_unit_test(test_over_restarts),
		cmocka_unit_test(test_rules_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
