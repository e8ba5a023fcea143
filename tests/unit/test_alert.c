/* SPDX-License-Identifier: MIT */
/*
 * test_alert - rules fire and clear at their exact lines with a clock moved by hand, flapping, figures that are not known,
 * every kind of figure from a cache, states over restarts, refusals of the configuration.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/alert_eval.h"
#include "store/store_alert.h"
#include "tests/unit/store_fixture.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS INT64_C(3600000)
#define NOW_MS (T0_MS + 12 * HOUR_MS)
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* --- the state machine --- */
static struct alert_value value_of(double x, int64_t n)
{
	return (struct alert_value){.known = true, .value = x, .n = n};
}

static void fires_and_clears_at_the_line(void **state)
{
	const struct alert_rule rule = {.name = "r",
		.figure = ALERT_FIGURE_BOUNCE_RATE,
		.word = "bounce-rate",
		.over = 5,
		.clear = 3,
		.min_n = 100,
		.for_ms = 5 * MINUTE_MS};
	struct alert_state s = {0};
	struct alert_value over = value_of(5.01, 100), on = value_of(5, 100),
			   few = value_of(50, 99), between = value_of(3.01, 100),
			   low = value_of(3, 100);
	int64_t t = T0_MS;

	(void)state;
	assert_int_equal(alert_step(&rule, &s, &on, t), ALERT_NOTHING);
	assert_int_equal(s.phase, ALERT_QUIET);
	assert_int_equal(alert_step(&rule, &s, &few, t), ALERT_NOTHING);
	assert_int_equal(s.phase, ALERT_QUIET);
	assert_int_equal(alert_step(&rule, &s, &over, t), ALERT_NOTHING);
	assert_int_equal(s.phase, ALERT_PENDING);
	assert_int_equal(alert_step(&rule, &s, &over, t + 5 * MINUTE_MS - 1), ALERT_NOTHING);
	assert_int_equal(alert_step(&rule, &s, &over, t + 5 * MINUTE_MS), ALERT_FIRED);
	t += 5 * MINUTE_MS;
	assert_int_equal(s.since_ms, t);
	/* between the lines it goes on, at the lower one it ends, after as long */
	assert_int_equal(alert_step(&rule, &s, &between, t + HOUR_MS), ALERT_NOTHING);
	assert_int_equal(s.phase, ALERT_FIRING);
	t += HOUR_MS;
	assert_int_equal(alert_step(&rule, &s, &low, t), ALERT_NOTHING);
	assert_int_equal(alert_step(&rule, &s, &low, t + 5 * MINUTE_MS - 1), ALERT_NOTHING);
	assert_int_equal(alert_step(&rule, &s, &low, t + 5 * MINUTE_MS), ALERT_CLEARED);
	assert_int_equal(s.phase, ALERT_QUIET);
	/* without a time: at once */
	{
		const struct alert_rule now = {.name = "n",
			.figure = ALERT_FIGURE_QUEUE,
			.word = "queue",
			.over = 10,
			.clear = 10};
		struct alert_value eleven = value_of(11, EVENT_UNKNOWN),
				   ten = value_of(10, EVENT_UNKNOWN);

		assert_int_equal(alert_step(&now, &s, &eleven, t), ALERT_FIRED);
		assert_int_equal(alert_step(&now, &s, &eleven, t + 1), ALERT_NOTHING);
		assert_int_equal(alert_step(&now, &s, &ten, t + 2), ALERT_CLEARED);
	}
}

/* What was begun in a future that is none any more begins anew, and neither fires nor clears at once or never. */
static void a_clock_set_back(void **state)
{
	const struct alert_rule rule = {.name = "q",
		.figure = ALERT_FIGURE_QUEUE,
		.word = "queue",
		.over = 5,
		.clear = 3,
		.for_ms = MINUTE_MS};
	struct alert_value high = value_of(6, EVENT_UNKNOWN), low = value_of(3, EVENT_UNKNOWN);
	struct alert_state s = {0};

	(void)state;
	assert_int_equal(alert_step(&rule, &s, &high, T0_MS), ALERT_NOTHING);
	assert_int_equal(alert_step(&rule, &s, &high, T0_MS - HOUR_MS), ALERT_NOTHING);
	assert_int_equal(
		alert_step(&rule, &s, &high, T0_MS - HOUR_MS + MINUTE_MS - 1), ALERT_NOTHING);
	assert_int_equal(alert_step(&rule, &s, &high, T0_MS - HOUR_MS + MINUTE_MS), ALERT_FIRED);
	assert_int_equal(alert_step(&rule, &s, &low, T0_MS), ALERT_NOTHING);
	assert_int_equal(alert_step(&rule, &s, &low, T0_MS - HOUR_MS), ALERT_NOTHING);
	assert_int_equal(
		alert_step(&rule, &s, &low, T0_MS - HOUR_MS + MINUTE_MS - 1), ALERT_NOTHING);
	assert_int_equal(alert_step(&rule, &s, &low, T0_MS - HOUR_MS + MINUTE_MS), ALERT_CLEARED);
}

static void flapping_tells_once(void **state)
{
	const struct alert_rule rule = {.name = "r",
		.figure = ALERT_FIGURE_QUEUE,
		.word = "queue",
		.over = 100,
		.clear = 50,
		.for_ms = MINUTE_MS};
	struct alert_state s = {0};
	int fired = 0, cleared = 0;

	(void)state;
	/* every 5 s for two hours: around the upper line, never a minute over or under it */
	for (int64_t t = 0; t < 2 * HOUR_MS; t += 5000) {
		struct alert_value v = value_of(t / 5000 % 4 < 2 ? 101 : 99, EVENT_UNKNOWN);

		fired += alert_step(&rule, &s, &v, T0_MS + t) == ALERT_FIRED;
	}
	assert_int_equal(fired, 0);
	/* once over for a minute: it fires once, and dips above the lower line do not end it */
	for (int64_t t = 0; t < 2 * HOUR_MS; t += 5000) {
		struct alert_value v = value_of(t < 70000          ? 101
						: t / 5000 % 4 < 2 ? 120
								   : 51,
			EVENT_UNKNOWN);
		enum alert_event e = alert_step(&rule, &s, &v, T0_MS + 3 * HOUR_MS + t);

		fired += e == ALERT_FIRED;
		cleared += e == ALERT_CLEARED;
	}
	assert_int_equal(fired, 1);
	assert_int_equal(cleared, 0);
	/* under the lower line, but never for a minute: it goes on */
	for (int64_t t = 0; t < 2 * HOUR_MS; t += 5000) {
		struct alert_value v = value_of(t / 5000 % 4 < 2 ? 0 : 51, EVENT_UNKNOWN);

		cleared += alert_step(&rule, &s, &v, T0_MS + 6 * HOUR_MS + t) == ALERT_CLEARED;
	}
	assert_int_equal(cleared, 0);
}

static void unknown_changes_nothing(void **state)
{
	const struct alert_rule rule = {.name = "r",
		.figure = ALERT_FIGURE_QUEUE,
		.word = "queue",
		.over = 1,
		.clear = 1,
		.for_ms = MINUTE_MS};
	struct alert_state s = {0};
	struct alert_value over = value_of(2, EVENT_UNKNOWN), none = {.n = EVENT_UNKNOWN};

	(void)state;
	alert_step(&rule, &s, &over, T0_MS);
	assert_int_equal(alert_step(&rule, &s, &none, T0_MS + MINUTE_MS), ALERT_NOTHING);
	assert_int_equal(alert_step(&rule, &s, &over, T0_MS + MINUTE_MS + 1), ALERT_NOTHING);
	assert_int_equal(alert_step(&rule, &s, &over, T0_MS + 2 * MINUTE_MS + 1), ALERT_FIRED);
	assert_int_equal(alert_step(&rule, &s, &none, T0_MS + 9 * HOUR_MS), ALERT_NOTHING);
	assert_int_equal(s.phase, ALERT_FIRING);
	/* a clock set back does not fire by itself */
	s = (struct alert_state){0};
	alert_step(&rule, &s, &over, T0_MS);
	assert_int_equal(alert_step(&rule, &s, &over, T0_MS - HOUR_MS), ALERT_NOTHING);
	assert_int_equal(s.phase, ALERT_PENDING);
}

/* --- configuration --- */
static struct alert_rules rules;
static struct conf *conf;

static int load(const char *text, struct mt_error *err)
{
	static struct conf_table tables[2];
	int rc;

	conf_free(conf);
	tables[0] = alert_conf_table();
	tables[1] = warmup_conf_table();
	conf = conf_new(tables, 2);
	rc = conf_load_text(conf, "t.conf", str_of(text), false, err);
	return rc == 0 ? alert_rules_load(conf, &rules, err) : rc;
}

static void must_load(const char *text)
{
	struct mt_error err = {0};

	if (load(text, &err) < 0)
		fail_msg("%s: %s", text, err.text);
}

static const struct alert_rule *rule_named(const char *name)
{
	for (size_t i = 0; i < rules.n; i++)
		if (strcmp(rules.rule[i].name, name) == 0)
			return &rules.rule[i];
	fail_msg("no rule %s", name);
	abort();
}

static bool has_rule(const char *name)
{
	for (size_t i = 0; i < rules.n; i++)
		if (strcmp(rules.rule[i].name, name) == 0)
			return true;
	return false;
}

static void refused(const char *text, const char *why)
{
	struct mt_error err = {0};

	assert_int_equal(load(text, &err), MT_ECONFIG);
	if (!strstr(err.text, why))
		fail_msg("\"%s\" is not in: %s", why, err.text);
}

static void rules_of_the_configuration(void **state)
{
	(void)state;
	must_load("");
	assert_int_equal(rules.n, 8);
	assert_int_equal((int)rule_named("certificate-days")->over, 14);
	assert_int_equal((int)rule_named("bounce-rate")->over, 5);
	assert_int_equal(rule_named("bounce-rate")->min_n, 100);
	assert_int_equal((int64_t)rule_named("silence")->over, 12 * HOUR_MS);
	assert_int_equal(rule_named("silence")->severity, ALERT_CRITICAL);
	must_load("[alert silence]\nover = 30m\n[alert gate]\nenabled = no\n"
		  "[alert guesses]\nfigure = auth-failed\nover = 1000\nwindow = 10m\nfor = 0\n"
		  "hook = /usr/local/bin/page\n[alert bounce-rate]\nclear = 2.5%\n");
	assert_int_equal(rules.n, 8);
	assert_int_equal((int64_t)rule_named("silence")->over, 30 * MINUTE_MS);
	assert_int_equal((int64_t)rule_named("silence")->clear, 30 * MINUTE_MS);
	assert_false(has_rule("gate"));
	assert_int_equal(rule_named("guesses")->figure, ALERT_FIGURE_METRIC);
	assert_int_equal(rule_named("guesses")->metric, METRIC_AUTH_FAILED);
	assert_int_equal(rule_named("guesses")->window_ms, 10 * MINUTE_MS);
	assert_true(
		rule_named("bounce-rate")->clear > 2.49 && rule_named("bounce-rate")->clear < 2.51);
	refused("[alert certificate-days]\nover = 7\n", "it is under = ...");
	refused("[alert queue]\nover = 7\nunder = 7\n", "it is over = ...");
	refused("[alert x]\nfigure = certificate-days\n", "under: missing");
	refused("[alert certificate-days]\nunder = 7\nclear = 6\n", "clear: under the line");
	must_load("[alert certificate-days]\nunder = 21\nclear = 25\n");
	assert_int_equal((int)rule_named("certificate-days")->over, 21);
	assert_int_equal((int)rule_named("certificate-days")->clear, 25);
	refused("[alert x]\nfigure = bounce_rate\nover = 5\n", "\"bounce_rate\" is none");
	refused("[alert x]\nover = 5\n", "\"x\" is none");
	refused("[alert queue]\n", "over: missing");
	refused("[alert queue]\nover = many\n", "over: not a number");
	refused("[alert deferral-rate]\nover = 101%\n", "over 100%");
	refused("[alert queue-age]\nover = 5\n", "is no time");
	refused("[alert queue]\nover = 5\nclear = 6\n", "clear: over the line");
	refused("[alert queue]\nover = 5\nhook = page me\n", "hook: not an absolute path");
}

/* --- figures --- */
static struct alert_value figure(struct fixture *f, const char *name, int64_t now_ms)
{
	struct reader *r = NULL;
	struct mt_error error = {0};
	struct alert_value v;
	int64_t mark = 0;

	must(reader_open(f->path, &r, &error), &error, "reader");
	must(reader_begin(r, &error), &error, "snapshot");
	must(alert_read(r, rule_named(name), NULL, now_ms, &mark, &v, &error), &error, "figure");
	reader_end(r);
	reader_close(r);
	return v;
}

static void health(struct fixture *f, enum health h, const char *detail, int64_t newest_ms)
{
	struct source_health row = {.health = h,
		.detail = detail,
		.last_ok_ms = newest_ms,
		.newest_ms = newest_ms,
		.done_bytes = -1,
		.total_bytes = -1};
	struct mt_error error = {0};

	must(store_health(f->store, f->source, &row, &error), &error, "health");
}

/* A sample of the queue at now; an old one is no figure. */
static void sample(struct fixture *f, int64_t now_ms, int64_t oldest_ms)
{
	struct queue_depth d = {.source = QUEUE_SOURCE_SPOOL,
		.n = {0, 1, 2, oldest_ms < 0 ? 0 : 30, 4, 0},
		.oldest_ms = oldest_ms};
	struct mt_error error = {0};

	f->clock.fake_utc_ms = now_ms;
	must(store_queue_depth(f->store, f->provider, &d, &error), &error, "depth");
	fixture_commit(f);
}

static void fill(struct fixture *f)
{
	char qid[16];

	fixture_begin(f);
	f->clock = clock_fake(NOW_MS);
	fixture_open(f);
	f->t_ms = NOW_MS - 30 * MINUTE_MS;
	for (int i = 0; i < 100; i++) {
		snprintf(qid, sizeof(qid), "4E%04d", i);
		put_client(f, qid, "192.0.2.1");
		put_queued(f, qid, "a@b.example", 1);
		put_attempt(f, qid, "x@y.example",
			i < 6   ? STATUS_BOUNCED
			: i < 8 ? STATUS_DEFERRED
				: STATUS_SENT);
	}
	health(f, HEALTH_FRESH, "", NOW_MS - 2 * MINUTE_MS);
	sample(f, NOW_MS, NOW_MS - 5 * 24 * HOUR_MS);
}

static void every_kind_of_figure(void **state)
{
	static const struct {
		const char *name;
		double want; /* negative: not known */
	} cases[] = {{"bounce-rate", 100.0 * 6 / 98}, {"deferral-rate", 100.0 * 2 / 100},
		{"queue", 37}, {"queue-incoming", 1}, {"queue-active", 2}, {"queue-deferred", 30},
		{"queue-hold", 4}, {"queue-corrupt", 0}, {"queue-age", 5 * 24 * (double)HOUR_MS},
		{"silence", 2 * MINUTE_MS}, {"health", 0}, {"listing", -1}, {"gate", 0},
		{"new-signature", 0}, {"bounced", 6}, {"messages", 100}, {"elsewhere", -1}};
	struct fixture f;

	(void)state;
	must_load("[alert deferral-rate]\nover = 1\n[alert queue]\nover = 1\n"
		  "[alert queue-incoming]\nover = 1\n[alert queue-active]\nover = 1\n"
		  "[alert queue-deferred]\nover = 1\n[alert queue-hold]\nover = 1\n"
		  "[alert new-signature]\nover = 0\n[alert bounced]\nover = 1\n"
		  "[alert messages]\nover = 1\n"
		  "[alert elsewhere]\nfigure = queue\nover = 1\nprovider = nowhere\n");
	fill(&f);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct alert_value v = figure(&f, cases[i].name, NOW_MS);

		if (v.known != (cases[i].want >= 0))
			fail_msg("%s: known %d", cases[i].name, v.known);
		if (v.known && (v.value < cases[i].want - 0.001 || v.value > cases[i].want + 0.001))
			fail_msg("%s: %f", cases[i].name, v.value);
	}
	assert_int_equal(figure(&f, "bounce-rate", NOW_MS).n, 98);
	/* what reads back, or fails */
	health(&f, HEALTH_CATCHING_UP, "", NOW_MS - HOUR_MS);
	fixture_commit(&f);
	assert_false(figure(&f, "silence", NOW_MS).known);
	assert_false(figure(&f, "bounce-rate", NOW_MS).known);
	health(&f, HEALTH_FAILING, "can't read \x1b[31m/var/log/mail.log", NOW_MS);
	fixture_commit(&f);
	assert_int_equal((int)figure(&f, "health", NOW_MS).value, 1);
	assert_non_null(strstr(figure(&f, "health", NOW_MS).text, "postfix log: can't read"));
	fixture_end(&f);
}

/* --- over restarts --- */
static struct alert_watch *watch(struct fixture *f)
{
	struct alert_watch *w = NULL;
	struct mt_error error = {0};

	must(alert_watch_open(f->store, f->path, &rules, NULL, &w, &error), &error, "watch");
	return w;
}

static bool step(struct alert_watch *w, int64_t now_ms)
{
	struct mt_error error = {0};
	bool changed = false;

	must(alert_watch_step(w, now_ms, &changed, &error), &error, "step");
	return changed;
}

static int64_t logged(const struct fixture *f, enum alert_event event)
{
	char sql[96];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM alert_log WHERE event=%d", (int)event);
	return sql_int(f, sql);
}

#define ONE                                                                                        \
	"[alert bounce-rate]\nenabled = no\n[alert certificate-days]\nenabled = no\n[alert "       \
	"gate]\nenabled = no\n[alert health]\nenabled "                                            \
	"= no\n"                                                                                   \
	"[alert listing]\nenabled = no\n[alert queue-corrupt]\nenabled = no\n"                     \
	"[alert silence]\nenabled = no\n"
static void fires_once_over_restarts(void **state)
{
	struct fixture f;
	struct alert_watch *w;
	struct mt_error error = {0};

	(void)state;
	must_load(ONE "[alert queue-age]\nover = 4d\nhook = /bin/true\n");
	assert_int_equal(rules.n, 1);
	fill(&f);
	w = watch(&f);
	assert_false(step(w, NOW_MS));
	/* the process ends while it is pending, with nothing said: pending since goes on */
	alert_watch_close(w);
	fixture_reopen(&f);
	w = watch(&f);
	sample(&f, NOW_MS + 5 * MINUTE_MS - 1, NOW_MS - 5 * 24 * HOUR_MS);
	assert_false(step(w, NOW_MS + 5 * MINUTE_MS - 1));
	assert_true(step(w, NOW_MS + 5 * MINUTE_MS));
	assert_int_equal(logged(&f, ALERT_FIRED), 1);
	assert_int_equal(sql_int(&f, "SELECT hook_due FROM alert"), ALERT_FIRED);
	for (int i = 0; i < 3; i++) {
		size_t n;

		alert_watch_close(w);
		fixture_reopen(&f);
		w = watch(&f);
		assert_int_equal(alert_watch_entries(w, &n)[0].hook_due, ALERT_FIRED);
		sample(&f, NOW_MS + (6 + i) * MINUTE_MS, NOW_MS - 5 * 24 * HOUR_MS);
		assert_false(step(w, NOW_MS + (6 + i) * MINUTE_MS));
	}
	assert_int_equal(logged(&f, ALERT_FIRED), 1);
	{
		size_t n;
		struct alert_entry *e = alert_watch_entries(w, &n);

		must(alert_watch_told(w, e, NOW_MS + 10 * MINUTE_MS, NULL, &error), &error, "told");
	}
	assert_int_equal(sql_int(&f, "SELECT hook_due FROM alert"), 0);
	/* acknowledged once; what goes on stays so; what ends and begins anew is not */
	must(store_alert_acknowledge_at(f.path, STR_LIT("queue-age"), "anna", NOW_MS, &error),
		&error, "acknowledge");
	assert_int_equal(
		store_alert_acknowledge_at(f.path, STR_LIT("queue-age"), "anna", NOW_MS, &error),
		MT_ENOENT);
	sample(&f, NOW_MS + 20 * MINUTE_MS, NOW_MS - 5 * 24 * HOUR_MS);
	assert_false(step(w, NOW_MS + 20 * MINUTE_MS));
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM alert WHERE ack_user='anna'"), 1);
	assert_int_equal(logged(&f, ALERT_ACKNOWLEDGED), 1);
	sample(&f, NOW_MS + 30 * MINUTE_MS, EVENT_UNKNOWN);
	assert_false(step(w, NOW_MS + 30 * MINUTE_MS));
	sample(&f, NOW_MS + 35 * MINUTE_MS, EVENT_UNKNOWN);
	assert_true(step(w, NOW_MS + 35 * MINUTE_MS));
	assert_int_equal(logged(&f, ALERT_CLEARED), 1);
	assert_int_equal(
		sql_int(&f, "SELECT count(*) FROM alert WHERE ack_ms IS NULL AND phase=0"), 1);
	/* a rule that is gone leaves, its history stays */
	alert_watch_close(w);
	must_load(ONE "[alert queue-age]\nenabled = no\n");
	w = watch(&f);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM alert"), 0);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM alert_log"), 3);
	alert_watch_close(w);
	fixture_end(&f);
}

static void new_wordings_are_told_once(void **state)
{
	struct fixture f;
	struct alert_watch *w;
	struct event e;

	(void)state;
	must_load(
		ONE "[alert queue-age]\nenabled = no\n[alert new-signature]\nover = 0\nfor = 0\n");
	fill(&f);
	w = watch(&f);
	assert_false(step(w, NOW_MS)); /* what there is at the first look is not new */
	assert_false(step(w, NOW_MS + MINUTE_MS));
	f.t_ms = NOW_MS - MINUTE_MS;
	e = attempt_of("4E0007", "x@y.example", STATUS_DEFERRED);
	e.reply = STR_LIT("451 something nobody ever said before");
	put(&f, &e);
	fixture_commit(&f);
	assert_true(step(w, NOW_MS + 2 * MINUTE_MS));
	assert_int_equal(logged(&f, ALERT_FIRED), 1);
	assert_true(step(w, NOW_MS + 3 * MINUTE_MS));
	assert_int_equal(logged(&f, ALERT_CLEARED), 1);
	assert_false(step(w, NOW_MS + 4 * MINUTE_MS));
	assert_int_equal(logged(&f, ALERT_FIRED), 1);
	alert_watch_close(w);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fires_and_clears_at_the_line),
		cmocka_unit_test(a_clock_set_back),
		cmocka_unit_test(flapping_tells_once),
		cmocka_unit_test(unknown_changes_nothing),
		cmocka_unit_test(rules_of_the_configuration),
		cmocka_unit_test(every_kind_of_figure),
		cmocka_unit_test(fires_once_over_restarts),
		cmocka_unit_test(new_wordings_are_told_once),
	};
	int rc = cmocka_run_group_tests(tests, NULL, NULL);

	conf_free(conf);
	return rc;
}
