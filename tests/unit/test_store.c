/* SPDX-License-Identifier: MIT */
/* test_store - the rest of the writer: cursors, health, queue listings, actions, retention, query plans. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/base/buf.h"
#include "store/writer.h"
#include "tests/unit/store_fixture.h"

static int append_cursor(void *ctx, struct str key, struct str value, int64_t updated_ms)
{
	struct buf *out = ctx;

	assert_int_equal(updated_ms, T0_MS + 86400000);
	return buf_printf(out, "%.*s=%.*s;", STR_ARG(key), STR_ARG(value));
}

static void cursors_commit_with_the_batch(void **state)
{
	struct fixture f;
	struct mt_error error = {0};
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	fixture_begin(&f);
	fixture_open(&f);
	must(store_cursor_set(f.store, f.source, STR_LIT("a"), STR_LIT("1"), &error), &error,
		"set");
	must(store_cursors(f.store, f.source, append_cursor, &out, &error), &error, "list");
	assert_string_equal(buf_z(&out), "");
	must(store_cursor_set(f.store, f.source, STR_LIT("a"), STR_LIT("2"), &error), &error,
		"set");
	must(store_cursor_set(f.store, f.source, STR_LIT("b"), STR_LIT(""), &error), &error, "set");
	fixture_commit(&f);
	must(store_cursor_set(f.store, f.source, STR_LIT("a"), STR_LIT("9"), &error), &error,
		"set");
	must(store_rollback(f.store, &error), &error, "rollback");
	must(store_cursors(f.store, f.source, append_cursor, &out, &error), &error, "list");
	assert_string_equal(buf_z(&out), "a=2;b=;");
	must(store_cursor_set(f.store, f.source, STR_LIT("a"), (struct str){NULL, 0}, &error),
		&error, "delete");
	fixture_commit(&f);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM cursor"), 1);
	buf_done(&out);
	fixture_end(&f);
}

static void health_merges(void **state)
{
	struct fixture f;
	struct mt_error error = {0};
	struct source_health h = {.health = HEALTH_CATCHING_UP,
		.detail = "reading",
		.last_ok_ms = 5,
		.done_bytes = 10,
		.total_bytes = 100,
		.errors_added = 1};

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	must(store_health(f.store, f.source, &h, &error), &error, "health");
	assert_int_equal(
		sql_int(&f, "SELECT count(*) FROM source WHERE health=6 AND detail='reading' AND "
			    "done_bytes=10 AND errors=1 AND newest_ms IS NULL"),
		1);
	put_client(&f, "A1", "203.0.113.5");
	h = (struct source_health){.health = HEALTH_FAILING,
		.newest_ms = 7,
		.done_bytes = -1,
		.total_bytes = -1,
		.errors_added = 2};
	must(store_health(f.store, f.source, &h, &error), &error, "health");
	h.detail = "";
	h.newest_ms = 0;
	must(store_health(f.store, f.source, &h, &error), &error, "health");
	assert_int_equal(sql_int(&f, "SELECT health FROM source"), 6);
	fixture_commit(&f);
	assert_int_equal(
		sql_int(&f, "SELECT count(*) FROM source WHERE health=4 AND detail IS NULL AND "
			    "last_ok_ms=5 "
			    "AND newest_ms=7 AND done_bytes=10 AND total_bytes=100 AND errors=5"),
		1);
	fixture_end(&f);
}

static void put_queue_row(struct fixture *f, const char *qid, int64_t age_ms, size_t nrcpt)
{
	struct mt_error error = {0};
	struct str rcpt[60], reason[60];
	struct queue_row row = {.qid = str_of(qid),
		.sender = STR_LIT("s@Sender.example"),
		.arrival_ms = f->clock.fake_utc_ms - age_ms,
		.queue = QUEUE_DEFERRED,
		.size_bytes = 10,
		.next_retry_ms = EVENT_UNKNOWN,
		.expires_ms = EVENT_UNKNOWN,
		.nrcpt = nrcpt,
		.rcpt = rcpt,
		.reason = reason};

	for (size_t i = 0; i < nrcpt; i++) {
		rcpt[i] = i % 2 ? STR_LIT("a@One.example") : STR_LIT("b@two.example");
		reason[i] = STR_LIT("connection refused");
	}
	must(store_queue_row(f->store, f->provider, &row, &error), &error, "queue row");
}

static void queue_listing(void **state)
{
	struct fixture f;
	struct mt_error error = {0};

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	must(store_queue_begin(f.store, f.provider, &error), &error, "begin");
	put_queue_row(&f, "A1", 60000, 1);
	put_queue_row(&f, "A2", 5 * 60000, 60);
	/* an event batch and health in the middle of a listing */
	put_client(&f, "M1", "203.0.113.5");
	fixture_commit(&f);
	put_queue_row(&f, "A3", 100LL * 86400000, 2);
	must(store_queue_end(f.store, f.provider, true, &error), &error, "end");
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM queue_message"), 3);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM queue_recipient"), 53);
	assert_int_equal(sql_int(&f, "SELECT sum(n) FROM queue_shape WHERE by_sender=0"), 63);
	assert_int_equal(sql_int(&f, "SELECT sum(n) FROM queue_shape WHERE by_sender=1"), 3);
	assert_int_equal(
		sql_int(&f, "SELECT sum(n) FROM queue_shape WHERE by_sender=0 AND bucket=0"), 1);
	assert_int_equal(
		sql_int(&f, "SELECT sum(n) FROM queue_shape WHERE by_sender=0 AND bucket=1"), 60);
	assert_int_equal(
		sql_int(&f, "SELECT sum(n) FROM queue_shape WHERE by_sender=0 AND bucket=9"), 2);
	/* broken off: what was known stays */
	must(store_queue_begin(f.store, f.provider, &error), &error, "begin");
	put_queue_row(&f, "A2", 6 * 60000, 1);
	must(store_queue_end(f.store, f.provider, false, &error), &error, "end");
	assert_int_equal(sql_int(&f, "SELECT count(DISTINCT qid) FROM queue_message"), 3);
	/* complete: what is gone goes */
	must(store_queue_begin(f.store, f.provider, &error), &error, "begin");
	put_queue_row(&f, "A2", 6 * 60000, 1);
	must(store_queue_end(f.store, f.provider, true, &error), &error, "end");
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM queue_message WHERE qid='A2'"), 1);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM queue_message"), 1);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM queue_recipient"), 1);
	assert_int_equal(sql_int(&f, "SELECT sum(n) FROM queue_shape"), 2);
	fixture_end(&f);
}

static void large_listing_commits_in_slices(void **state)
{
	struct fixture f;
	struct mt_error error = {0};

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	must(store_queue_begin(f.store, f.provider, &error), &error, "begin");
	for (int i = 0; i < 25000; i++) {
		char qid[16];

		snprintf(qid, sizeof(qid), "Q%d", i);
		put_queue_row(&f, qid, 60000, 1);
	}
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM queue_message"), 20000);
	must(store_queue_end(f.store, f.provider, true, &error), &error, "end");
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM queue_message"), 25000);
	fixture_end(&f);
}

struct listed {
	const char *qid, *reason;
	int64_t age_ms;
	size_t nrcpt;
};

static void list_these(struct fixture *f, const struct listed *rows, size_t n, bool complete)
{
	struct mt_error error = {0};

	must(store_queue_begin(f->store, f->provider, &error), &error, "begin");
	for (size_t i = 0; i < n; i++) {
		const struct str rcpt[] = {STR_LIT("u@x.test"), STR_LIT("v@x.test")};
		const struct str reason[] = {str_of(rows[i].reason), str_of(rows[i].reason)};
		struct queue_row row = {.qid = str_of(rows[i].qid),
			.sender = STR_LIT("a@b.test"),
			.arrival_ms = T0_MS - rows[i].age_ms,
			.queue = QUEUE_DEFERRED,
			.next_retry_ms = EVENT_UNKNOWN,
			.expires_ms = EVENT_UNKNOWN,
			.nrcpt = rows[i].nrcpt,
			.rcpt = rcpt,
			.reason = reason};

		must(store_queue_row(f->store, f->provider, &row, &error), &error, "row");
	}
	must(store_queue_end(f->store, f->provider, complete, &error), &error, "end");
}

/* Of a listing like the one before only the changes are written: gen tells what was. */
static void listing_writes_changes(void **state)
{
	const struct listed first[] = {{"A1", "busy", 1000, 2}, {"A2", "busy", 2000, 2},
		{"A3", "busy", 3000, 1}, {"A5", "busy", 5000, 1}};
	const struct listed second[] = {{"A1", "busy", 1000, 2}, {"A2", "full", 2000, 1},
		{"A4", "busy", 4000, 1}, {"A5", "busy", 5001, 1}};
	struct fixture f;

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	list_these(&f, first, 4, true);
	list_these(&f, second, 4, true);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM queue_message"), 4);
	assert_int_equal(sql_int(&f, "SELECT gen FROM queue_message WHERE qid='A1'"), 1);
	assert_int_equal(
		sql_int(&f, "SELECT gen FROM queue_message WHERE qid='A2' AND reason='full'"), 2);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM queue_recipient WHERE qid='A2'"), 1);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM queue_recipient WHERE qid='A3'"), 0);
	assert_int_equal(sql_int(&f, "SELECT gen FROM queue_message WHERE qid='A4'"), 2);
	assert_int_equal(
		sql_int(&f, "SELECT arrival_ms FROM queue_message WHERE qid='A5'"), T0_MS - 5001);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM queue_recipient"), 5);
	assert_int_equal(sql_int(&f, "SELECT sum(n) FROM queue_shape WHERE by_sender=0"), 5);
	/* broken off: nothing is lost, and the next is written whole */
	list_these(&f, first, 1, false);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM queue_message"), 4);
	list_these(&f, first, 4, true);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM queue_message WHERE gen=3"), 4);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM queue_recipient"), 6);
	fixture_reopen(&f);
	list_these(&f, second, 4, true);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM queue_message WHERE gen=4"), 4);
	fixture_end(&f);
}

static void depth_and_actions(void **state)
{
	struct fixture f;
	struct mt_error error = {0};
	struct queue_depth d = {
		.source = QUEUE_SOURCE_SPOOL, .n = {1, 2, 3, 4, EVENT_UNKNOWN, 0}, .oldest_ms = 9};
	struct action_row row = {.user = "ops",
		.verb = "hold",
		.qids = STR_LIT("A1 A2"),
		.asked = 2,
		.done = 1,
		.result = "1 gone"};

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	must(store_queue_depth(f.store, f.provider, &d, &error), &error, "depth");
	must(store_queue_depth(f.store, f.provider, &d, &error), &error, "depth");
	assert_int_equal(
		sql_int(&f,
			"SELECT count(*) FROM queue_sample WHERE deferred=4 AND hold IS NULL AND "
			"corrupt=0"),
		1);
	must(store_action(f.store, f.provider, &row, &error), &error, "action");
	must(store_action_at(f.path, f.provider, &row, &error), &error, "action");
	assert_int_equal(
		sql_int(&f,
			"SELECT count(*) FROM action WHERE qids='A1 A2' AND asked=2 AND done=1"),
		2);
	assert_true(store_action_at("/nonexistent/cache.db", 1, &row, &error) < 0);
	fixture_end(&f);
}

static void prune_all(struct fixture *f, int slice)
{
	struct mt_error error = {0};
	bool more = true;
	int rounds = 0;

	while (more) {
		must(store_prune(f->store, slice, &more, &error), &error, "prune");
		assert_true(++rounds < 10000);
	}
}

/* 40 days of mail: 30 days of rows and minutes stay, hours and days 400; open messages always. */
static void retention_by_age(void **state)
{
	struct fixture f;

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	put_client(&f, "OPEN", "203.0.113.5");
	for (int day = 0; day < 40; day++) {
		char qid[16], to[40];

		snprintf(qid, sizeof(qid), "A%d", day);
		snprintf(to, sizeof(to), "you@d%d.example", day);
		put_client(&f, qid, "203.0.113.5");
		put_queued(&f, qid, "me@here.example", 1);
		put_attempt(&f, qid, to, STATUS_DEFERRED);
		put_attempt(&f, qid, to, STATUS_SENT);
		put_removed(&f, qid);
		f.t_ms += 86400000;
		clock_advance(&f.clock, 86400000);
		fixture_commit(&f);
	}
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM attempt"), 80);
	f.clock.fake_utc_ms = f.t_ms;
	prune_all(&f, 7);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM message WHERE qid<>'OPEN'"), 30);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM attempt"), 60);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM mark"), 30);
	assert_int_equal(sql_int(&f, "SELECT sum(n) FROM " BUCKET_ROWS
				     " WHERE res=60 AND dim=0 AND metric=2"),
		30);
	assert_int_equal(sql_int(&f, "SELECT sum(n) FROM " BUCKET_ROWS
				     " WHERE res=3600 AND dim=0 AND metric=2"),
		40);
	assert_int_equal(sql_int(&f, "SELECT sum(n) FROM " BUCKET_ROWS
				     " WHERE res=86400 AND dim=2 AND metric=2"),
		40);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM " BUCKET_ROWS
				     " b LEFT JOIN dict d ON d.id=b.key WHERE dim=2 "
				     "AND d.id IS NULL"),
		0);
	clock_advance(&f.clock, 500LL * 86400000);
	prune_all(&f, 50);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM bucket WHERE res<>0"), 0);
	/* what was counted stays counted, for the dimensions of few keys */
	assert_int_equal(sql_int(&f, "SELECT sum(n) FROM " BUCKET_ROWS
				     " WHERE res=0 AND dim=0 AND metric=2"),
		40);
	assert_int_equal(sql_int(&f, "SELECT sum(n) FROM " BUCKET_ROWS
				     " WHERE res=0 AND dim=1 AND metric=4"),
		40);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM bucket WHERE res=0 AND dim=2"), 0);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM message WHERE end_ms IS NOT NULL"), 0);
	assert_int_equal(
		sql_int(&f, "SELECT count(*) FROM dict WHERE kind=0 AND text LIKE 'd%'"), 0);
	/* texts that went come back under a new id */
	f.t_ms = f.clock.fake_utc_ms;
	put_attempt(&f, "Z1", "you@d1.example", STATUS_SENT);
	fixture_commit(&f);
	assert_int_equal(
		sql_int(&f, "SELECT count(*) FROM message m JOIN dict d ON d.id=m.a_dom WHERE "
			    "text='d1.example'"),
		1);
	fixture_end(&f);
}

static void retention_by_size(void **state)
{
	struct fixture f;
	struct store_options options = {0};
	struct mt_error error = {0};
	int64_t before;

	(void)state;
	fixture_begin(&f);
	options = (struct store_options){.path = f.path, .clock = &f.clock, .max_bytes = 3 << 20};
	fixture_open(&f);
	store_close(f.store);
	must(store_open(&options, &f.store, &error), &error, "open");
	for (int i = 0; i < 30000; i++) {
		char qid[16];

		snprintf(qid, sizeof(qid), "A%d", i);
		put_client(&f, qid, "203.0.113.5");
		put_attempt(&f, qid, "someone-with-a-long-name@there.example", STATUS_DEFERRED);
		put_removed(&f, qid);
		f.t_ms += 20000;
	}
	f.clock.fake_utc_ms = f.t_ms;
	fixture_commit(&f);
	before = sql_int(&f, "SELECT count(*) FROM attempt");
	prune_all(&f, 2000);
	assert_true(sql_int(&f, "SELECT count(*) FROM attempt") < before);
	assert_true(
		sql_int(&f, "SELECT (page_count-freelist_count)*page_size FROM pragma_page_count, "
			    "pragma_freelist_count, pragma_page_size") <= 3 << 20);
	assert_true(sql_int(&f, "SELECT count(*) FROM attempt") > 100);
	fixture_end(&f);
}

/* Statements that run often or over large tables must use an index or the primary key. */
static void query_plans(void **state)
{
	static const struct {
		enum sql_id id;
		const char *must_have;
	} cases[] = {
		/* of table message: 1 one id, 2 ids from, 8 downwards (message_table.c) */
		{SQL_MESSAGE_LOAD_OPEN, "VIRTUAL TABLE INDEX 1:"},
		{SQL_MESSAGE_LOAD_SPILLED, "VIRTUAL TABLE INDEX 1:"},
		{SQL_MESSAGE_LOAD_SPILLED, "USING PRIMARY KEY (provider=? AND qid=?)"},
		{SQL_MESSAGE_COUNT_OPEN, "message_open"},
		{SQL_MESSAGE_OPEN_BY_QUEUE, "VIRTUAL TABLE INDEX 1:"},
		{SQL_MESSAGE_AGE_OUT, "VIRTUAL TABLE INDEX 1:"},
		{SQL_MESSAGE_AGE_OUT, "USING PRIMARY KEY (provider=?)"},
		{SQL_MESSAGE_LOAD_RECENT, "VIRTUAL TABLE INDEX 2:"},
		{SQL_MESSAGE_MAX, "VIRTUAL TABLE INDEX 8:"},
		{SQL_MESSAGE_PRUNE, "VIRTUAL TABLE INDEX 1:"},
		{SQL_MESSAGE_RELABEL, "VIRTUAL TABLE INDEX 1:"},
		{SQL_OPEN_LIST, "VIRTUAL TABLE INDEX 1:"},
		{SQL_ATTEMPT_LAST_DEFERRED, "USING INDEX attempt_message (message=?)"},
		{SQL_DICT_FIND, "(kind=? AND text=?)"},
		{SQL_BUCKET_OLDEST, "USING PRIMARY KEY (res=? AND dim=?)"},
		{SQL_BUCKET_DELETE, "USING PRIMARY KEY (res=? AND dim=? AND t_s=?)"},
		{SQL_QUEUE_MESSAGE_GONE, "USING PRIMARY KEY (provider=?)"},
		{SQL_MARK_PRUNE, "USING PRIMARY KEY (provider=? AND minute_s<?)"},
		{SQL_QUEUE_SAMPLE_PRUNE, "USING PRIMARY KEY (provider=? AND t_ms<?)"},
	};
	struct fixture f;
	sqlite3 *db;

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	assert_int_equal(sqlite3_open(f.path, &db), SQLITE_OK);
	assert_int_equal(message_table_register(db, NULL), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *sql = xasprintf("EXPLAIN QUERY PLAN %s", sql_text(cases[i].id));
		sqlite3_stmt *stmt = NULL;
		struct buf plan;

		buf_init(&plan, 4096);
		assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
		while (sqlite3_step(stmt) == SQLITE_ROW)
			buf_printf(&plan, "%s\n", (const char *)sqlite3_column_text(stmt, 3));
		if (!strstr(buf_z(&plan), cases[i].must_have))
			fail_msg("%s\n%s", sql, buf_z(&plan));
		sqlite3_finalize(stmt);
		buf_done(&plan);
		free(sql);
	}
	sqlite3_close(db);
	fixture_end(&f);
}

static void marks_find_rows_and_lines(void **state)
{
	struct fixture f;

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	store_log_position(f.store, f.provider, STR_LIT("file1"));
	put_client(&f, "A1", "203.0.113.5");
	f.t_ms += 60000;
	put_client(&f, "A2", "203.0.113.5");
	put_attempt(&f, "A1", "you@there.example", STATUS_DEFERRED);
	fixture_commit(&f);
	put_attempt(&f, "A2", "you@there.example", STATUS_DEFERRED);
	fixture_commit(&f);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM mark"), 2);
	assert_int_equal(sql_int(&f, "SELECT message FROM mark WHERE minute_s=1795305660"), 2);
	assert_int_equal(sql_int(&f, "SELECT attempt FROM mark WHERE minute_s=1795305660"), 1);
	assert_int_equal(sql_int(&f, "SELECT attempt FROM mark WHERE minute_s=1795305600"), -1);
	assert_int_equal(sql_int(&f, "SELECT log_offset FROM mark WHERE minute_s=1795305660 AND "
				     "log_key='file1'"),
		100);
	fixture_end(&f);
}

/* A million domains cost disk, not memory: the cache is bounded and ids stay right. */
static void many_texts(void **state)
{
	struct fixture f;

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 90000; i++) {
			char to[48];

			snprintf(to, sizeof(to), "u@d%d.example", i);
			put_attempt(&f, "A1", to, STATUS_DEFERRED);
			if (store_batch_rows(f.store) >= BATCH_EVENTS_MAX)
				fixture_commit(&f);
		}
	fixture_commit(&f);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM dict WHERE kind=0"), 90000);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM (SELECT dom FROM attempt GROUP BY dom "
				     "HAVING count(*)=2)"),
		90000);
	fixture_end(&f);
}

/* Three times as many texts as are kept: past the bound nothing in memory grows. */
static void texts_cost_disk_not_memory(void **state)
{
	const int batches = 14, each = 15000;
	struct fixture f;
	uint32_t nbuckets = 0;
	char to[48];

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	for (int i = 0; i < batches * each; i++) {
		snprintf(to, sizeof(to), "u@d%d.example", i);
		put_attempt(&f, "A1", to, STATUS_DEFERRED);
		if (i % each != each - 1)
			continue;
		fixture_commit(&f);
		assert_true(f.store->dict.n <= DICT_CACHE_ENTRIES + (uint32_t)each);
		assert_int_equal(f.store->dict.nfresh, 0);
		assert_int_equal(f.store->counts.n, 0);
		assert_int_equal(f.store->batch.arena.used_bytes, 0);
		if (i / each == batches / 2)
			nbuckets = f.store->dict.nbuckets;
	}
	assert_true(f.store->dict.n >= DICT_CACHE_ENTRIES / 2);
	assert_int_equal(f.store->dict.nbuckets, nbuckets);
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM dict WHERE kind=0"), batches * each);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cursors_commit_with_the_batch),
		cmocka_unit_test(health_merges),
		cmocka_unit_test(queue_listing),
		cmocka_unit_test(large_listing_commits_in_slices),
		cmocka_unit_test(listing_writes_changes),
		cmocka_unit_test(depth_and_actions),
		cmocka_unit_test(retention_by_age),
		cmocka_unit_test(retention_by_size),
		cmocka_unit_test(query_plans),
		cmocka_unit_test(marks_find_rows_and_lines),
		cmocka_unit_test(many_texts),
		cmocka_unit_test(texts_cost_disk_not_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
