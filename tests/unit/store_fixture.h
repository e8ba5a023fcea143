/* SPDX-License-Identifier: MIT */
/* store_fixture - a cache in a folder of its own, short ways to make events, and SQL to look at the result. */
#ifndef MT_TESTS_STORE_FIXTURE_H
#define MT_TESTS_STORE_FIXTURE_H

#include "tests/unit/bucketsql.h"
#include "store/base/mem.h"
#include "store/store_write.h"

#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define T0_MS 1795305600000 /* 2026-11-22T00:00:00Z */

struct fixture {
	char folder[64];
	char path[96];
	struct clock clock;
	struct store *store;
	int provider, source;
	uint64_t offset; /* of the next line */
	int64_t t_ms; /* time of the next line */
};

static inline void must(int rc, const struct mt_error *error, const char *what)
{
	if (rc < 0)
		fail_msg("%s: %s (%s)", what, error->text, mt_strerror(rc));
}

static inline void fixture_open(struct fixture *f)
{
	struct store_options options = {.path = f->path, .clock = &f->clock};
	struct mt_error error = {0};

	must(store_open(&options, &f->store, &error), &error, "store_open");
	must(store_provider(f->store, "postfix", "postfix", "mx1", &f->provider, &error), &error,
		"provider");
	must(store_source(f->store, f->provider, "log", &f->source, &error), &error, "source");
}

static inline void fixture_begin(struct fixture *f)
{
	*f = (struct fixture){.t_ms = T0_MS, .clock = clock_fake(T0_MS + 86400000)};
	snprintf(f->folder, sizeof(f->folder), "/tmp/mtatop-test-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/cache.db", f->folder);
}

static inline int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static inline void fixture_end(struct fixture *f)
{
	store_close(f->store);
	f->store = NULL;
	nftw(f->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static inline void fixture_commit(struct fixture *f)
{
	struct mt_error error = {0};

	must(store_commit(f->store, &error), &error, "store_commit");
}

static inline void fixture_reopen(struct fixture *f)
{
	store_close(f->store);
	fixture_open(f);
}

/* put - one event on a line of its own. */
static inline void put(struct fixture *f, struct event *e)
{
	struct mt_error error = {0};

	e->t_utc_ms = e->t_utc_ms ? e->t_utc_ms : f->t_ms;
	e->line_offset = f->offset;
	f->offset += 100;
	if (!str_present(e->host))
		e->host = STR_LIT("mx1");
	must(store_event(f->store, f->provider, e, &error), &error, "store_event");
}

static inline struct event event_of(enum event_kind kind, const char *tag, const char *qid)
{
	struct event e;
	const char *slash = strrchr(tag, '/');

	event_init(&e);
	e.kind = kind;
	e.service = str_of(tag);
	e.process = str_of(slash ? slash + 1 : tag);
	e.queue_id = str_of(qid);
	e.pid = 100;
	return e;
}

static inline void put_client(struct fixture *f, const char *qid, const char *ip)
{
	struct event e = event_of(EVENT_RECEIVED, "postfix/smtpd", qid);

	e.client_host = STR_LIT("client.example");
	e.client_ip = str_of(ip);
	put(f, &e);
}

static inline void put_pickup(struct fixture *f, const char *qid)
{
	struct event e = event_of(EVENT_RECEIVED, "postfix/pickup", qid);

	e.uid = 1000;
	put(f, &e);
}

static inline void put_mid(struct fixture *f, const char *qid, const char *mid)
{
	struct event e = event_of(EVENT_MESSAGE_ID, "postfix/cleanup", qid);

	e.message_id = str_of(mid);
	put(f, &e);
}

static inline void put_queued(struct fixture *f, const char *qid, const char *from, int nrcpt)
{
	struct event e = event_of(EVENT_QUEUED, "postfix/qmgr", qid);

	e.from = str_of(from);
	e.size_bytes = 1234;
	e.nrcpt = nrcpt;
	put(f, &e);
}

static inline struct event attempt_of(const char *qid, const char *to, enum event_status status)
{
	struct event e = event_of(EVENT_ATTEMPT, "postfix/smtp", qid);

	e.to = str_of(to);
	e.status = status;
	e.relay = STR_LIT("mx.remote.example[192.0.2.1]:25");
	e.relay_host = STR_LIT("mx.remote.example");
	e.relay_ip = STR_LIT("192.0.2.1");
	e.relay_port = 25;
	e.delay_cs[DELAY_TOTAL] = 123;
	e.delay_cs[DELAY_A] = 10;
	e.delay_cs[DELAY_B] = 0;
	e.delay_cs[DELAY_C] = 40;
	e.delay_cs[DELAY_D] = 73;
	e.dsn = status == STATUS_SENT       ? DSN_MAKE(2, 0, 0)
		: status == STATUS_DEFERRED ? DSN_MAKE(4, 4, 1)
					    : DSN_MAKE(5, 1, 1);
	e.code = status == STATUS_SENT ? 250 : status == STATUS_DEFERRED ? 450 : 550;
	e.reply = STR_LIT(
		"host mx.remote.example[192.0.2.1] said: 550 5.1.1 <x@y.example>: unknown user 17");
	return e;
}

static inline void put_attempt(
	struct fixture *f, const char *qid, const char *to, enum event_status status)
{
	struct event e = attempt_of(qid, to, status);

	put(f, &e);
}

static inline void put_removed(struct fixture *f, const char *qid)
{
	struct event e = event_of(EVENT_REMOVED, "postfix/qmgr", qid);

	put(f, &e);
}

/* sql_int - one figure from what is committed; -1 when there is no row or NULL. */
static inline int64_t sql_int(const struct fixture *f, const char *sql)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *stmt = NULL;
	int64_t result = -1;

	assert_int_equal(sqlite3_open_v2(f->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(bucketsql_register(db), SQLITE_OK);
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	if (sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_type(stmt, 0) != SQLITE_NULL)
		result = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return result;
}

/* total - sum of a metric of one dimension; minute, hour and day must agree. */
static inline int64_t total(const struct fixture *f, enum bucket_dim dim, enum metric metric)
{
	int64_t n[3];
	const int res[3] = {RES_MINUTE, RES_HOUR, RES_DAY};

	for (int i = 0; i < 3; i++) {
		char *sql = xasprintf("SELECT coalesce(sum(n),0) FROM " BUCKET_ROWS
				      " WHERE res=%d AND dim=%d AND "
				      "metric=%d",
			res[i], (int)dim, (int)metric);

		n[i] = sql_int(f, sql);
		free(sql);
	}
	assert_int_equal(n[0], n[1]);
	assert_int_equal(n[0], n[2]);
	return n[0];
}

#endif
