/* SPDX-License-Identifier: MIT */
/*
 * test_restart - a run that is cut into batches and restarts leaves the same cache as an undisturbed one; so does one
 * whose batches are written by another thread (bulk mode), and one in which that fails.
 *
 * The stream is made from a seed: every event kind, few queue ids (so that they come back), lines in
 * slight disorder, interleaved sessions, filters, forwards, notifications, pipes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/base/buf.h"
#include "tests/unit/store_fixture.h"

#define STREAM_EVENTS 2500
#define SHORT_EVENTS 400 /* where each event is followed by a restart */
#define STREAM_SEEDS 4

struct stream {
	uint64_t state;
	char text[16][64];
	int at;
	int64_t t_ms;
	const char *qid; /* what queue ids begin with */
};

static uint32_t next(struct stream *g, uint32_t below)
{
	g->state = g->state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(g->state >> 33) % below;
}

static struct str word(struct stream *g, const char *prefix, uint32_t below, const char *suffix)
{
	char *out = g->text[g->at++ % 16];

	snprintf(out, sizeof(g->text[0]), "%s%u%s", prefix, next(g, below), suffix);
	return str_of(out);
}

static void fill_client(struct stream *g, struct event *e)
{
	static const char *const tags[] = {
		"postfix/smtpd", "postfix/submission/smtpd", "postfix/smtps/smtpd"};

	e->service = str_of(tags[next(g, 3)]);
	e->process = STR_LIT("smtpd");
	e->pid = 100 + (int32_t)next(g, 4);
	if (next(g, 3) == 0) {
		e->client_host = STR_LIT("localhost");
		e->client_ip = STR_LIT("127.0.0.1");
	} else {
		e->client_host = STR_LIT("c.example");
		e->client_ip = word(g, "203.0.113.", 4, "");
	}
}

static void fill_attempt(struct stream *g, struct event *e)
{
	static const char *const tags[] = {"postfix/smtp", "postfix/local", "postfix/pipe"};
	uint32_t kind = next(g, 8);

	e->service = str_of(tags[kind < 6 ? 0 : kind - 5]);
	e->process = str_skip(e->service, 8);
	e->pid = 200 + (int32_t)next(g, 3);
	e->status = (enum event_status)(1 + next(g, 10) % 7);
	e->to = word(g, "user", 5, next(g, 2) ? "@One.example" : "@two.example");
	e->relay_host = next(g, 2) ? STR_LIT("localhost") : STR_LIT("mx.example");
	e->relay_ip = next(g, 2) ? STR_LIT("127.0.0.1") : word(g, "203.0.113.", 4, "");
	e->relay = e->relay_host;
	e->relay_port = next(g, 2) ? 25 : 10024;
	e->reply = word(g, next(g, 4) ? "250 ok queued as " : "forwarded as ", 9, "");
	if (next(g, 2))
		e->child_queue_id = word(g, g->qid, 12, "");
	e->delay_cs[DELAY_TOTAL] = (int32_t)next(g, 100000);
	e->dsn = DSN_MAKE(2 + (int)next(g, 3), 0, (int)next(g, 3));
	e->code = next(g, 3) ? 250 : EVENT_UNKNOWN;
}

static void fill_session(struct stream *g, struct event *e)
{
	fill_client(g, e);
	e->tls_ok = next(g, 4) > 0;
	e->outbound = e->kind == EVENT_TLS && next(g, 2);
	if (e->outbound) {
		e->pid = 200 + (int32_t)next(g, 3);
		e->service = STR_LIT("postfix/smtp");
		e->process = STR_LIT("smtp");
		e->tls_version = STR_LIT("TLSv1.3");
		e->tls_cipher = word(g, "AES", 3, "");
	}
	e->session.present = next(g, 3) > 0;
	e->session.auth_total = (int32_t)next(g, 3);
	e->session.auth_ok = e->session.auth_total ? (int32_t)next(g, 2) : 0;
	e->session.starttls_ok = (int32_t)next(g, 2);
	e->session.commands = 4;
	e->severity = e->kind == EVENT_AUTH_FAILED ? SEVERITY_WARNING : SEVERITY_INFO;
}

static void fill_received(struct stream *g, struct event *e)
{
	fill_client(g, e);
	if (next(g, 4) == 0) {
		e->service = STR_LIT("postfix/pickup");
		e->process = STR_LIT("pickup");
		e->client_ip = e->client_host = (struct str){NULL, 0};
	}
	if (next(g, 8) == 0)
		e->orig_queue_id = word(g, g->qid, 12, "");
	if (next(g, 2))
		e->sasl_user = word(g, "u", 2, "");
}

static void fill_kind(struct stream *g, struct event *e)
{
	if (e->kind == EVENT_RECEIVED)
		fill_received(g, e);
	else if (e->kind == EVENT_MESSAGE_ID)
		e->message_id = word(g, "m", 6, "@mid.example");
	else if (e->kind == EVENT_ATTEMPT)
		fill_attempt(g, e);
	else if (e->kind == EVENT_NOTIFICATION)
		e->child_queue_id = word(g, g->qid, 12, "");
	else if (e->kind == EVENT_HOLD)
		e->action = next(g, 2) ? REJECT_HOLD : REJECT_OTHER;
	else if (e->kind == EVENT_WARNING)
		e->severity = (enum event_severity)next(g, 4);
	else if (e->kind >= EVENT_CONNECT && e->kind <= EVENT_TLS)
		fill_session(g, e);
	if (e->kind == EVENT_REJECT) {
		fill_client(g, e);
		e->action = (enum reject_action)next(g, REJECT__COUNT);
		e->code = 400 + (int32_t)next(g, 200);
		e->stage = STAGE_END_OF_DATA;
	}
}

static struct event next_event(struct stream *g)
{
	static const enum event_kind kinds[] = {EVENT_RECEIVED, EVENT_RECEIVED, EVENT_MESSAGE_ID,
		EVENT_MESSAGE_ID, EVENT_QUEUED, EVENT_QUEUED, EVENT_ATTEMPT, EVENT_ATTEMPT,
		EVENT_ATTEMPT, EVENT_REMOVED, EVENT_REMOVED, EVENT_EXPIRED, EVENT_NOTIFICATION,
		EVENT_REJECT, EVENT_CONNECT, EVENT_DISCONNECT, EVENT_LOST, EVENT_AUTH_FAILED,
		EVENT_TLS, EVENT_TLS, EVENT_HOST_FAILURE, EVENT_HOLD, EVENT_WARNING, EVENT_SERVER,
		EVENT_UNPARSED, EVENT_FOREIGN, EVENT_NONE};
	struct event e =
		event_of(kinds[next(g, sizeof(kinds) / sizeof(kinds[0]))], "postfix/qmgr", "");

	e.queue_id = word(g, g->qid, 12, "");
	g->t_ms += next(g, 100) == 0 ? 90000 : (int64_t)next(g, 800);
	e.t_utc_ms = g->t_ms - (int64_t)next(g, 700);
	e.nrcpt = 1 + (int32_t)next(g, 3);
	e.size_bytes = 100;
	if (next(g, 8))
		e.from = next(g, 3) ? word(g, "s", 3, "@From.example") : STR_LIT("");
	e.text = STR_LIT("some text");
	fill_kind(g, &e);
	return e;
}

enum after { /* what comes after a commit */
	RESTART,
	ROLLBACK,
	GO_ON, /* in bulk mode, as all below */
	BULK_ROLLBACK,
	FAIL, /* the next batch cannot be written for a while */
	FAIL_ROLLBACK /* and is given up */
};

/* The cache's file away from its path, or back: nothing can be committed meanwhile. */
static void move_file(const struct fixture *f, bool away)
{
	char *other = xasprintf("%s.away", f->path);

	assert_int_equal(away ? rename(f->path, other) : rename(other, f->path), 0);
	free(other);
}

static void put_some(struct fixture *f, struct stream *g)
{
	for (int n = 0; n < 5; n++) {
		struct event e = next_event(g);

		put(f, &e);
	}
}

/* fail_once - five events that another thread fails to write; they are kept. */
static void fail_once(struct fixture *f, struct stream *g)
{
	struct mt_error error = {0};

	must(store_bulk(f->store, true, &error), &error, "what was committed before");
	move_file(f, true);
	put_some(f, g);
	fixture_commit(f);
	assert_int_equal(store_commit(f->store, &error), MT_ENOENT);
	assert_int_equal(store_bulk(f->store, false, &error), MT_ENOENT);
	move_file(f, false);
}

/* What comes next is forgotten, and must leave no trace. */
static void forget(struct fixture *f, const struct stream *g, enum after after)
{
	struct mt_error error = {0};
	struct stream other = *g;
	uint64_t offset = f->offset;

	if (after == FAIL_ROLLBACK)
		fail_once(f, &other);
	else
		put_some(f, &other);
	f->offset = offset;
	must(store_rollback(f->store, &error), &error, "rollback");
}

/* Feed a seed's stream, committing after every `every` events (0 = once, at the end). */
static void run(struct fixture *f, uint64_t seed, int events, int every, enum after after)
{
	struct stream g = {.state = seed * 7919 + 1,
		.t_ms = T0_MS,
		.qid = seed % 2 ? "Q" : "an-id-that-is-longer-than-those-of-postfix-"};
	struct mt_error error = {0};

	fixture_begin(f);
	fixture_open(f);
	if (after >= GO_ON)
		must(store_bulk(f->store, true, &error), &error, "bulk");
	for (int i = 0; i < events; i++) {
		struct event e = next_event(&g);

		put(f, &e);
		if (every == 0 || (i + 1) % every != 0)
			continue;
		fixture_commit(f);
		if (after == RESTART) {
			fixture_reopen(f);
		} else if (after == FAIL && i + 5 < events) {
			fail_once(f, &g);
			i += 5;
		} else if (after != GO_ON && after != FAIL) {
			forget(f, &g, after);
		}
	}
	fixture_commit(f);
	must(store_bulk(f->store, false, &error), &error, "the end of bulk");
	store_close(f->store);
	f->store = NULL;
}

/* dump - every row of every table that counts, ids of texts replaced by the texts. */
static void dump(const struct fixture *f, const char *sql, struct buf *out)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *stmt = NULL;

	assert_int_equal(sqlite3_open_v2(f->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(bucketsql_register(db), SQLITE_OK);
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(stmt); i++) {
			const char *text = (const char *)sqlite3_column_text(stmt, i);

			assert_int_equal(buf_printf(out, "%s|", text ? text : "NULL"), 0);
		}
		assert_int_equal(buf_add_char(out, '\n'), 0);
	}
	sqlite3_finalize(stmt);
	sqlite3_close(db);
}

static const char *const dumps[] = {
	"SELECT * FROM message ORDER BY id",
	"SELECT * FROM attempt ORDER BY id",
	"SELECT * FROM reject ORDER BY id",
	"SELECT res, dim, t_s, key, metric, n FROM " BUCKET_ROWS " WHERE n<>0",
	"SELECT * FROM mark ORDER BY 1, 2",
	"SELECT provider, kind, t_ms, severity, service, text FROM sample ORDER BY 2, 3, 4, 6",
	"SELECT * FROM dict ORDER BY id",
	"SELECT provider, key, hex(value) FROM state ORDER BY 1, 2",
	"SELECT provider, dict, port, wrapper FROM service ORDER BY 1, 2",
	"SELECT * FROM queue_sample ORDER BY 1, 2",
};

static void compare(
	const struct fixture *left, const struct fixture *right, uint64_t seed, int every)
{
	for (size_t i = 0; i < sizeof(dumps) / sizeof(dumps[0]); i++) {
		struct buf a, b;

		buf_init(&a, 64u << 20);
		buf_init(&b, 64u << 20);
		dump(left, dumps[i], &a);
		dump(right, dumps[i], &b);
		if (!str_eq(buf_str(&a), buf_str(&b))) {
			size_t at = 0, line = 0;

			while (at < a.n && at < b.n && a.p[at] == b.p[at]) {
				if (a.p[at] == '\n')
					line = at + 1;
				at++;
			}
			fail_msg("seed %d, every %d: %s\n undisturbed %.200s\n restarted   %.200s",
				(int)seed, every, dumps[i], buf_z(&a) + line, buf_z(&b) + line);
		}
		assert_true(i > 0 || a.n > 0);
		buf_done(&a);
		buf_done(&b);
	}
}

static void restarts_leave_no_trace(void **state)
{
	static const int everies[] = {31, 100, 1000};
	struct fixture whole, cut;

	(void)state;
	for (uint64_t seed = 1; seed <= STREAM_SEEDS; seed++) {
		run(&whole, seed, STREAM_EVENTS, 0, RESTART);
		for (size_t i = 0; i < sizeof(everies) / sizeof(everies[0]); i++) {
			run(&cut, seed, STREAM_EVENTS, everies[i], RESTART);
			compare(&whole, &cut, seed, everies[i]);
			fixture_end(&cut);
		}
		fixture_end(&whole);
	}
	run(&whole, 99, SHORT_EVENTS, 0, RESTART);
	run(&cut, 99, SHORT_EVENTS, 1, RESTART);
	compare(&whole, &cut, 99, 1);
	fixture_end(&cut);
	fixture_end(&whole);
}

static void writing_behind_leaves_no_trace(void **state)
{
	static const enum after afters[] = {GO_ON, FAIL};
	struct fixture whole, cut;

	(void)state;
	for (uint64_t seed = 1; seed <= STREAM_SEEDS; seed++) {
		run(&whole, seed, STREAM_EVENTS, 0, RESTART);
		for (size_t i = 0; i < sizeof(afters) / sizeof(afters[0]); i++) {
			run(&cut, seed, STREAM_EVENTS, 20, afters[i]);
			compare(&whole, &cut, seed, 20);
			fixture_end(&cut);
		}
		fixture_end(&whole);
	}
}

static void rollbacks(enum after after)
{
	for (uint64_t seed = 1; seed <= STREAM_SEEDS; seed++) {
		struct fixture whole, cut;

		run(&whole, seed, STREAM_EVENTS, 0, RESTART);
		run(&cut, seed, STREAM_EVENTS, 50, after);
		/* texts met only in what was rolled back stay in the dictionary: leave ids out */
		assert_int_equal(sql_int(&whole, "SELECT sum(n) FROM " BUCKET_ROWS),
			sql_int(&cut, "SELECT sum(n) FROM " BUCKET_ROWS));
		assert_int_equal(sql_int(&whole, "SELECT count(*) FROM message"),
			sql_int(&cut, "SELECT count(*) FROM message"));
		assert_int_equal(sql_int(&whole, "SELECT max(id) FROM attempt"),
			sql_int(&cut, "SELECT max(id) FROM attempt"));
		assert_int_equal(sql_int(&cut, "SELECT count(*) FROM attempt WHERE dom NOT IN"
					       " (SELECT id FROM dict)"),
			0);
		fixture_end(&cut);
		fixture_end(&whole);
	}
}

static void rollbacks_leave_no_trace(void **state)
{
	(void)state;
	rollbacks(ROLLBACK);
	rollbacks(BULK_ROLLBACK);
	rollbacks(FAIL_ROLLBACK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(restarts_leave_no_trace),
		cmocka_unit_test(writing_behind_leaves_no_trace),
		cmocka_unit_test(rollbacks_leave_no_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
