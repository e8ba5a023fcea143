/* SPDX-License-Identifier: MIT */
/* test_api - what providers behind a web API put into the cache: counters, events, lists; each once, whatever is repeated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/store_api.h"
#include "tests/unit/store_fixture.h"

#define HOUR_S (T0_MS / 1000)
#define BIT(m) (UINT64_C(1) << METRIC_##m)
#define ASKED (BIT(SENT) | BIT(BOUNCED) | BIT(COMPLAINTS))

static void open_api(struct fixture *f, int finest_s, const char *zone)
{
	struct mt_error error = {0};
	struct api_provider p = {.finest_bucket_s = finest_s, .time_zone = zone};

	fixture_begin(f);
	fixture_open(f);
	must(store_provider(f->store, "mailgun", "mailgun", NULL, &f->provider, &error), &error,
		"provider");
	must(store_api_provider(f->store, f->provider, &p, &error), &error, "api_provider");
}

static void cover(struct fixture *f, enum bucket_dim dim, const char *key, int64_t from_s,
	int64_t to_s, int64_t at_ms)
{
	struct mt_error error = {0};
	struct api_cover c = {.dim = dim,
		.key = str_of(key),
		.from_s = from_s,
		.to_s = to_s,
		.metrics = ASKED,
		.fetched_ms = at_ms};

	must(store_api_covered(f->store, f->provider, &c, &error), &error, "covered");
}

static void count(struct fixture *f, enum bucket_dim dim, const char *key, int64_t start_s,
	int64_t length_s, int64_t sent, int64_t bounced)
{
	struct mt_error error = {0};
	struct api_slot slot = {dim, str_of(key), start_s, length_s};
	struct api_figure figures[] = {{METRIC_SENT, sent}, {METRIC_BOUNCED, bounced}};

	must(store_api_counts(f->store, f->provider, &slot, figures, 2, &error), &error, "counts");
}

static int64_t slots(const struct fixture *f, int res, enum bucket_dim dim, enum metric metric)
{
	char *sql = xasprintf("SELECT coalesce(sum(n),0) FROM " BUCKET_ROWS
			      " WHERE res=%d AND dim=%d AND metric=%d AND provider=%d",
		res, (int)dim, (int)metric, f->provider);
	int64_t n = sql_int(f, sql);

	free(sql);
	return n;
}

/* Trap 8, 9: omitted buckets are zeros where an answer covers them; corrected figures replace. */
static void test_counters_are_set(void **state)
{
	struct fixture f;

	(void)state;
	open_api(&f, 3600, "");
	for (int again = 0; again < 3; again++) {
		cover(&f, DIM_TOTAL, NULL, HOUR_S, HOUR_S + 3 * 3600, T0_MS);
		count(&f, DIM_TOTAL, NULL, HOUR_S, 3600, 100, 5);
		count(&f, DIM_TOTAL, NULL, HOUR_S + 7200, 3600, 7, 0);
		fixture_commit(&f);
		if (again == 1)
			fixture_reopen(&f);
		must(store_provider(f.store, "mailgun", "mailgun", NULL, &f.provider, NULL), NULL,
			"provider");
	}
	assert_int_equal(slots(&f, RES_SLOT_HOUR, DIM_TOTAL, METRIC_SENT), 107);
	assert_int_equal(slots(&f, RES_SLOT_HOUR, DIM_TOTAL, METRIC_BOUNCED), 5);
	/* the first hour shrinks, the third is left out: it was corrected to nothing */
	cover(&f, DIM_TOTAL, NULL, HOUR_S, HOUR_S + 3 * 3600, T0_MS);
	count(&f, DIM_TOTAL, NULL, HOUR_S, 3600, 90, EVENT_UNKNOWN);
	fixture_commit(&f);
	assert_int_equal(slots(&f, RES_SLOT_HOUR, DIM_TOTAL, METRIC_SENT), 90);
	assert_int_equal(slots(&f, RES_SLOT_HOUR, DIM_TOTAL, METRIC_BOUNCED), 0);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM api_cover"), 1);
	fixture_end(&f);
}

static void test_covered_key_alone(void **state)
{
	struct fixture f;

	(void)state;
	open_api(&f, 3600, "");
	cover(&f, DIM_SENDER, NULL, HOUR_S, HOUR_S + 3600, T0_MS);
	count(&f, DIM_SENDER, "A.example", HOUR_S, 3600, 10, 0);
	count(&f, DIM_SENDER, "b.example", HOUR_S, 3600, 20, 0);
	fixture_commit(&f);
	cover(&f, DIM_SENDER, "a.example", HOUR_S, HOUR_S + 3600, T0_MS);
	fixture_commit(&f);
	assert_int_equal(slots(&f, RES_SLOT_HOUR, DIM_SENDER, METRIC_SENT), 20);
	fixture_end(&f);
}

static void test_refused(void **state)
{
	struct fixture f;
	struct api_figure received = {METRIC_RECEIVED, 1};
	struct api_slot slot = {DIM_TOTAL, {NULL, 0}, HOUR_S, 3600};

	(void)state;
	open_api(&f, 3600, "");
	assert_int_equal(
		store_api_counts(f.store, f.provider, &slot, &received, 1, NULL), MT_EINVAL);
	slot.start_s += 60;
	assert_int_equal(store_api_counts(f.store, f.provider, &slot, NULL, 0, NULL), MT_EINVAL);
	slot = (struct api_slot){DIM_CODE, {NULL, 0}, HOUR_S, 3600};
	assert_int_equal(store_api_counts(f.store, f.provider, &slot, NULL, 0, NULL), MT_EINVAL);
	fixture_end(&f);
}

/* A day counter polled every five minutes: minutes of differences; a fall, a gap and the day's change give none. */
static void test_differences(void **state)
{
	const int64_t day = HOUR_S + 7 * 3600, length = 86400;
	int64_t at = day * 1000 + 3600000;
	struct fixture f;

	(void)state;
	open_api(&f, 86400, "America/Los_Angeles");
	for (int i = 0; i < 3; i++) { /* 100, 150, 200 */
		cover(&f, DIM_TOTAL, NULL, day, day + length, at + i * 300000);
		count(&f, DIM_TOTAL, NULL, day, length, 100 + 50 * i, 0);
		fixture_commit(&f);
	}
	assert_int_equal(slots(&f, RES_SLOT_DAY, DIM_TOTAL, METRIC_SENT), 200);
	assert_int_equal(slots(&f, RES_DIFFERENCE, DIM_TOTAL, METRIC_SENT), 100);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM bucket WHERE res=61"), 10);
	cover(&f, DIM_TOTAL, NULL, day, day + length, at + 900000);
	count(&f, DIM_TOTAL, NULL, day, length, 180, 0);
	fixture_commit(&f);
	assert_int_equal(slots(&f, RES_SLOT_DAY, DIM_TOTAL, METRIC_SENT), 180);
	assert_int_equal(slots(&f, RES_DIFFERENCE, DIM_TOTAL, METRIC_SENT), 100);
	cover(&f, DIM_TOTAL, NULL, day, day + length, at + 900000 + 7200000);
	count(&f, DIM_TOTAL, NULL, day, length, 500, 0);
	fixture_commit(&f);
	assert_int_equal(slots(&f, RES_DIFFERENCE, DIM_TOTAL, METRIC_SENT), 100);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM api_cover WHERE dim=-1"), 1);
	/* midnight: yesterday's last growth and today's first */
	at = (day + length) * 1000 - 120000;
	for (int i = 0; i < 2; i++) {
		cover(&f, DIM_TOTAL, NULL, day, day + 2 * length, at + i * 300000);
		count(&f, DIM_TOTAL, NULL, day, length, 500 + 10 * i, 0);
		if (i)
			count(&f, DIM_TOTAL, NULL, day + length, length, 3, 0);
		fixture_commit(&f);
	}
	assert_int_equal(slots(&f, RES_DIFFERENCE, DIM_TOTAL, METRIC_SENT), 113);
	assert_int_equal(slots(&f, RES_SLOT_DAY, DIM_TOTAL, METRIC_SENT), 513);
	fixture_end(&f);
}

static void put_api(struct fixture *f, const char *id, enum api_event_kind kind, int32_t code,
	const char *reply)
{
	struct mt_error error = {0};
	struct api_event e;

	api_event_init(&e);
	e.kind = kind;
	e.id = str_of(id);
	e.message = STR_LIT("message-1");
	e.t_ms = T0_MS;
	e.sender = STR_LIT("news@Shop.example");
	e.rcpt = STR_LIT("bob@gmail.com");
	e.header_id = STR_LIT("abc@shop.example");
	e.code = code;
	e.dsn = code == 550 ? DSN_MAKE(5, 1, 1) : 0;
	e.reply = str_of(reply);
	must(store_api_event(f->store, f->provider, &e, &error), &error, "api_event");
}

/* Trap 24: the same event again, in one batch, over batches and over a restart. */
static void test_events_once(void **state)
{
	struct fixture f;

	(void)state;
	open_api(&f, 3600, "");
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 2; i++) {
			put_api(&f, "e0", API_EVENT_ACCEPTED, EVENT_UNKNOWN, NULL);
			put_api(&f, "e1", API_EVENT_DEFERRED, 421, "421 try later");
			put_api(&f, "e2", API_EVENT_BOUNCED, 550, "550 5.1.1 no such user");
			put_api(&f, "e3", API_EVENT_SUPPRESSED, 605,
				"Not delivering to previously bounced address");
		}
		fixture_commit(&f);
		if (round == 1) {
			fixture_reopen(&f);
			must(store_provider(f.store, "mailgun", "mailgun", NULL, &f.provider, NULL),
				NULL, "provider");
		}
	}
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM attempt"), 3);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM message"), 1);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM message_open"), 0);
	assert_int_equal(sql_int(&f, "SELECT ndeferred*100+nbounced*10+nsent FROM message"), 120);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM api_note"), 1);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM attempt WHERE code=605"), 0);
	assert_int_equal(total(&f, DIM_CODE, METRIC_BOUNCED), 1);
	assert_int_equal(total(&f, DIM_CODE, METRIC_DEFERRED), 1);
	assert_int_equal(total(&f, DIM_TOTAL, METRIC_BOUNCED), 0);
	fixture_end(&f);
}

static void test_event_changes(void **state)
{
	struct fixture f;

	(void)state;
	open_api(&f, 86400, "");
	put_api(&f, "e1", API_EVENT_DEFERRED, 421, "421 try later");
	fixture_commit(&f);
	put_api(&f, "e1", API_EVENT_BOUNCED, 550, "550 5.1.1 no such user");
	put_api(&f, "e1", API_EVENT_BOUNCED, 550, "550 5.1.1 no such user");
	put_api(&f, "e1", API_EVENT_DELIVERED, 250, "250 ok");
	fixture_commit(&f);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM attempt"), 1);
	assert_int_equal(sql_int(&f, "SELECT status FROM attempt"), STATUS_SENT);
	assert_int_equal(sql_int(&f, "SELECT ndeferred*100+nbounced*10+nsent FROM message"), 1);
	assert_int_equal(total(&f, DIM_CODE, METRIC_DEFERRED), 0);
	assert_int_equal(total(&f, DIM_CODE, METRIC_BOUNCED), 0);
	fixture_end(&f);
}

#define STREAM_EVENTS 300
#define STREAM_IDS 40 /* few, so that each comes again: in its batch, in the next, much later */

/* What a stream of events leaves behind, as one number a table. */
static const char *const traces[] = {"SELECT count(*) FROM api_id", "SELECT count(*) FROM message",
	"SELECT sum(nsent*10000+ndeferred*100+nbounced) FROM message",
	"SELECT sum(status*1000+code*7+run) FROM attempt", "SELECT count(*) FROM api_note",
	"SELECT sum(t_ms%1000003) FROM attempt",
	"SELECT sum(key*metric*n) FROM " BUCKET_ROWS " WHERE dim=1"};

static void put_stream(struct fixture *f, uint64_t seed, int i)
{
	static const enum api_event_kind kinds[] = {API_EVENT_DEFERRED, API_EVENT_BOUNCED,
		API_EVENT_DELIVERED, API_EVENT_OPENED, API_EVENT_SUPPRESSED};
	uint64_t n = (seed * 1000 + (uint64_t)i) * UINT64_C(0x9e3779b97f4a7c15) >> 33;
	struct api_event e;
	struct mt_error error = {0};
	char id[24], message[24];

	api_event_init(&e);
	snprintf(id, sizeof(id), "e%d", (int)(n % STREAM_IDS));
	snprintf(message, sizeof(message), "m%d", (int)(n % STREAM_IDS / 3));
	e.id = str_of(id);
	e.message = str_of(message);
	e.kind = kinds[n / 64 % 5];
	e.t_ms = T0_MS + (int64_t)(n / 512 % 4);
	e.rcpt = STR_LIT("to@example.net");
	e.code = e.kind == API_EVENT_BOUNCED ? 550 : e.kind == API_EVENT_DEFERRED ? 451 : 250;
	e.reply = STR_LIT("some text");
	must(store_api_event(f->store, f->provider, &e, &error), &error, "event");
}

/* A batch on its way holds what the next one must know: written by another thread or not, the cache is the same. */
static void test_events_behind(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 12; seed++) {
		int64_t left[2][sizeof(traces) / sizeof(traces[0])];

		for (int bulk = 0; bulk < 2; bulk++) {
			struct mt_error error = {0};
			struct fixture f;

			open_api(&f, 3600, "");
			must(store_bulk(f.store, bulk, &error), &error, "bulk");
			for (int i = 0; i < STREAM_EVENTS; i++) {
				put_stream(&f, seed, i);
				if (i % (int)(seed + 1) == 0)
					fixture_commit(&f);
			}
			fixture_commit(&f);
			must(store_bulk(f.store, false, &error), &error, "the end of bulk");
			for (size_t t = 0; t < sizeof(traces) / sizeof(traces[0]); t++)
				left[bulk][t] = sql_int(&f, traces[t]);
			fixture_end(&f);
		}
		assert_memory_equal(left[0], left[1], sizeof(left[0]));
		assert_true(left[0][0] > STREAM_IDS);
	}
}

static void suppress(struct fixture *f, const char *scope, const char *address)
{
	struct mt_error error = {0};
	struct api_suppression row = {API_LIST_BOUNCES, str_of(scope), str_of(address),
		STR_LIT("550 no"), STR_LIT("550"), T0_MS};

	must(store_api_suppression(f->store, f->provider, &row, &error), &error, "suppression");
}

static void walk(struct fixture *f, const char *scope, bool end, bool flag)
{
	struct mt_error error = {0};
	int rc = end ? store_api_list_end(
			       f->store, f->provider, API_LIST_BOUNCES, str_of(scope), flag, &error)
		     : store_api_list_begin(f->store, f->provider, API_LIST_BOUNCES, str_of(scope),
			       flag, &error);

	must(rc, &error, "walk");
}

/* Rows unseen in a complete walk vanish, of that scope alone; a walk survives a restart; an incomplete one drops none. */
static void test_walks(void **state)
{
	struct fixture f;

	(void)state;
	open_api(&f, 3600, "");
	walk(&f, "a.example", false, false);
	suppress(&f, "a.example", "One@x.example");
	suppress(&f, "a.example", "two@x.example");
	suppress(&f, "b.example", "two@x.example");
	walk(&f, "a.example", true, true);
	fixture_commit(&f);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM suppression"), 3);
	walk(&f, "a.example", false, false);
	suppress(&f, "a.example", "one@x.example");
	fixture_commit(&f);
	fixture_reopen(&f);
	must(store_provider(f.store, "mailgun", "mailgun", NULL, &f.provider, NULL), NULL, "p");
	walk(&f, "a.example", false, true);
	suppress(&f, "a.example", "three@x.example");
	walk(&f, "a.example", true, true);
	fixture_commit(&f);
	assert_int_equal(
		sql_int(&f, "SELECT count(*) FROM suppression WHERE scope='a.example'"), 2);
	assert_int_equal(
		sql_int(&f, "SELECT count(*) FROM suppression WHERE scope='b.example'"), 1);
	walk(&f, "a.example", false, false);
	walk(&f, "a.example", true, false);
	fixture_commit(&f);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM suppression"), 3);
	must(store_api_suppression_gone(f.store, f.provider, API_LIST_BOUNCES, STR_LIT("b.example"),
		     STR_LIT("TWO@x.example"), NULL),
		NULL, "gone");
	fixture_commit(&f);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM suppression"), 2);
	fixture_end(&f);
}

/* A job takes an address out of the cache by a connection of its own. */
static void test_unsuppressed(void **state)
{
	struct fixture f;

	(void)state;
	open_api(&f, 3600, "");
	suppress(&f, "a.example", "one@x.example");
	suppress(&f, "b.example", "one@x.example");
	fixture_commit(&f);
	must(store_api_unsuppressed_at(f.path, f.provider, API_LIST_BOUNCES, STR_LIT("a.example"),
		     STR_LIT("one@x.example"), NULL),
		NULL, "unsuppressed");
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM suppression"), 1);
	assert_int_equal(sql_int(&f, "SELECT n FROM suppression_count"), 1);
	fixture_end(&f);
}

/* List and detail of an IP come apart; the end of a warm-up takes its figures away. */
static void test_ip_parts(void **state)
{
	struct mt_error error = {0};
	struct fixture f;
	struct api_ip row;

	(void)state;
	open_api(&f, 3600, "");
	api_ip_init(&row);
	row.ip = STR_LIT("192.0.2.1");
	row.warming = 1;
	row.stage = 2;
	row.percent = 25;
	must(store_api_ip(f.store, f.provider, &row, &error), &error, "ip");
	fixture_commit(&f);
	api_ip_init(&row);
	row.ip = STR_LIT("192.0.2.1");
	row.rdns = STR_LIT("o1.example.com");
	row.dedicated = 1;
	must(store_api_ip(f.store, f.provider, &row, &error), &error, "ip");
	fixture_commit(&f);
	assert_int_equal(
		sql_int(&f, "SELECT stage*1000+percent*10+dedicated FROM sending_ip"), 2251);
	row.warming = 0;
	must(store_api_ip(f.store, f.provider, &row, &error), &error, "ip");
	fixture_commit(&f);
	assert_int_equal(sql_int(&f, "SELECT stage FROM sending_ip"), -1);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counters_are_set),
		cmocka_unit_test(test_covered_key_alone),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_differences),
		cmocka_unit_test(test_events_once),
		cmocka_unit_test(test_event_changes),
		cmocka_unit_test(test_events_behind),
		cmocka_unit_test(test_walks),
		cmocka_unit_test(test_unsuppressed),
		cmocka_unit_test(test_ip_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
