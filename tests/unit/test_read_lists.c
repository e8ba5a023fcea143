/* SPDX-License-Identifier: MIT */
/*
 * test_read_lists - what the reader lists (attempts, messages, rejects, one message, kept lines, actions,
 * providers): every page of every filter against the records the cache was made of (modelfix.h), and the
 * known cache (cachefix.h) for what has one answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/modelfix.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ROUNDS 60
#define ARENA_BYTES (64u << 20)
#define LONG_LIST_ROWS 100400 /* more than a filtered list looks at */

struct bed {
	char path[64], known_path[64];
	struct model *m;
	struct reader *r, *known;
	struct arena a;
	uint64_t seed;
};

static struct reader *open_cache(const char *path)
{
	struct mt_error err = {0};
	struct reader *r = NULL;

	if (reader_open(path, &r, &err) < 0 || reader_begin(r, &err) < 0)
		fail_msg("%s", err.text);
	return r;
}

/* Windows and one or two filters, all the ways a person can narrow a list. */
static struct query any_query(struct bed *b, int round)
{
	static const enum event_status statuses[] = {
		STATUS_NONE, STATUS_SENT, STATUS_DEFERRED, STATUS_BOUNCED, STATUS__COUNT};
	static const char *const texts[] = {"GMAIL", "4.7.650", "no such", "m17@", "timed out",
		"4a", "alias@", "[192.0.2.3]",
		/* across the seams of what is kept once: an address, what varies in a reply */
		"r1@gmail.c", "queued AS 4F99a", "as 4F99A1B2C3", "mx[192.0.2.99]:25: Conn",
		"99]:2", "17@b.ex", "554", "none"};
	struct query q = {.provider = (int)model_random(&b->seed, 3),
		.status = statuses[model_random(&b->seed, 5)],
		.limit = 1 + (int)model_random(&b->seed, 40)};

	if (round % 5) {
		q.t1_ms = FIX_NOW_MS - (int64_t)model_random(&b->seed, MODEL_HOURS * 3600) * 1000;
		q.t0_ms = q.t1_ms - (1 + model_random(&b->seed, 30)) * (int64_t)FIX_HOUR_MS;
	}
	if (round % 9 == 1)
		q.domain = round % 2 ? STR_LIT("rare.example") : STR_LIT("gmail.com");
	if (round % 9 == 2)
		q.relay_host = STR_LIT("mx.gmail.com");
	if (round % 9 == 3)
		q.sender_domain = STR_LIT("list.example");
	if (round % 9 == 4)
		q.service = STR_LIT("postfix/submission/smtpd");
	if (round % 9 == 5)
		q.code_key = round % 2 ? DSN_MAKE(5, 1, 1) : 451;
	if (round % 9 == 6)
		q.port = round % 2 ? 587 : 25;
	if (round % 9 >= 7 || round % 4 == 1) {
		q.text = str_of(texts[model_random(&b->seed, sizeof(texts) / sizeof(texts[0]))]);
		q.text_invert = model_random(&b->seed, 2);
	}
	return q;
}

static int newest_first(const void *left, const void *right)
{
	const struct model_attempt *const *a = left, *const *b = right;

	if ((*a)->row.t_ms != (*b)->row.t_ms)
		return (*a)->row.t_ms > (*b)->row.t_ms ? -1 : 1;
	return ((*a)->key < (*b)->key) - ((*a)->key > (*b)->key);
}

static void check_attempt(const struct attempt_row *got, const struct model_attempt *want)
{
	assert_int_equal(attempt_key(got), want->key);
	assert_int_equal(got->t_ms, want->row.t_ms);
	assert_int_equal(got->provider, want->row.provider);
	assert_int_equal(got->status, want->row.status);
	assert_int_equal(got->dsn, want->row.dsn);
	assert_int_equal(got->handed_over, want->row.handed_over);
	assert_int_equal(got->message, want->message->id);
	assert_string_equal(got->rcpt.p, want->rcpt);
	assert_string_equal(got->qid.p, want->message->qid);
	assert_string_equal(got->relay.p, want->row.relay);
	assert_string_equal(got->reply.p, want->row.reply);
	assert_true(!want->domain == !got->domain.p);
	for (int d = 0; d < DELAY__COUNT; d++)
		assert_int_equal(got->delay_cs[d], want->row.cs[d]);
	if (!want->row.inline_row)
		assert_int_equal(got->run, want->row.run);
}

/* All pages of a query, one after the other, are the matching records in order: none twice, none left out. */
static void test_attempts(void **state)
{
	const struct model_attempt **want = calloc(MODEL_ATTEMPTS_MAX, sizeof(*want));
	struct bed *b = *state;
	size_t matched = 0;

	assert_non_null(want);
	for (int round = 0; round < 4 * ROUNDS; round++) {
		struct query q = any_query(b, round);
		int64_t before_ms = 0, before_id = 0;
		size_t nwant = 0, at = 0, n;
		struct attempt_row *row;

		for (size_t i = 0; i < b->m->nattempts; i++)
			if (model_wants_attempt(&q, &b->m->attempt[i]))
				want[nwant++] = &b->m->attempt[i];
		qsort(want, nwant, sizeof(*want), newest_first);
		do {
			arena_reset(&b->a);
			assert_int_equal(read_attempts(b->r, &q, before_ms, before_id, &b->a, &row,
						 &n, NULL),
				0);
			assert_int_equal(
				n, nwant - at < (size_t)q.limit ? nwant - at : (size_t)q.limit);
			for (size_t i = 0; i < n; i++)
				check_attempt(&row[i], want[at++]);
			if (n) {
				before_ms = row[n - 1].t_ms;
				before_id = attempt_key(&row[n - 1]);
			}
		} while (n > 0);
		assert_int_equal(at, nwant);
		assert_false(reader_truncated(b->r));
		matched += nwant;
	}
	assert_true(matched > 1000);
	free(want);
}

static void check_message(const struct message_row *got, const struct model_message *want)
{
	assert_int_equal(got->id, want->id);
	assert_int_equal(got->t_ms, want->row.t_ms);
	assert_int_equal(got->end_ms, want->row.end_ms ? want->row.end_ms : EVENT_UNKNOWN);
	assert_int_equal(got->flags, want->row.flags);
	assert_int_equal(got->nrcpt, want->row.nrcpt);
	assert_int_equal(got->size_bytes, want->row.size);
	assert_string_equal(got->qid.p, want->qid);
	assert_string_equal(got->message_id.p, want->message_id);
	assert_int_equal(got->sender_known, want->row.from != NULL);
	if (want->row.from)
		assert_string_equal(got->sender.p, want->row.from);
	else
		assert_null(got->sender.p);
	assert_true(!got->service.p == !want->row.service);
	assert_true(!got->user.p == !want->row.user);
}

static void test_messages(void **state)
{
	struct bed *b = *state;
	size_t matched = 0;

	for (int round = 0; round < 4 * ROUNDS; round++) {
		struct query q = any_query(b, round);
		struct message_row *row;
		int64_t before_id = 0;
		size_t n, at = MODEL_MESSAGES;

		q.port =
			0; /* the port of a message is its service's or its first attempt's: see below */
		do {
			arena_reset(&b->a);
			assert_int_equal(
				read_messages(b->r, &q, before_id, &b->a, &row, &n, NULL), 0);
			for (size_t i = 0; i < n; i++, matched++) {
				do
					assert_true(at-- > 0);
				while (!model_wants_message(b->m, &q, &b->m->message[at]));
				check_message(&row[i], &b->m->message[at]);
			}
			before_id = n ? row[n - 1].id : 0;
		} while (n == (size_t)q.limit);
		while (at-- > 0)
			assert_false(model_wants_message(b->m, &q, &b->m->message[at]));
	}
	assert_true(matched > 1000);
}

static void test_rejects(void **state)
{
	struct bed *b = *state;
	size_t matched = 0;

	for (int round = 0; round < 4 * ROUNDS; round++) {
		struct query q = any_query(b, round);
		struct reject_row *row;
		int64_t before_id = 0;
		size_t n, at = MODEL_REJECTS;

		do {
			arena_reset(&b->a);
			assert_int_equal(
				read_rejects(b->r, &q, before_id, &b->a, &row, &n, NULL), 0);
			for (size_t i = 0; i < n; i++, matched++) {
				const struct model_reject *want;

				do
					assert_true(at-- > 0);
				while (!model_wants_reject(&q, &b->m->reject[at]));
				want = &b->m->reject[at];
				assert_int_equal(row[i].id, want->id);
				assert_int_equal(row[i].t_ms, want->row.t_ms);
				assert_int_equal(row[i].action, want->row.action);
				assert_int_equal(row[i].code, want->row.code);
				assert_int_equal(row[i].dsn, want->row.dsn);
				assert_int_equal(row[i].stage, want->row.stage);
				assert_string_equal(row[i].reply.p, want->row.reply);
				assert_string_equal(row[i].client.p, want->row.client);
				assert_null(row[i].qid.p);
				assert_true(!row[i].rcpt.p == !want->row.rcpt);
			}
			before_id = n ? row[n - 1].id : 0;
		} while (n == (size_t)q.limit);
		while (at-- > 0)
			assert_false(model_wants_reject(&q, &b->m->reject[at]));
	}
	assert_true(matched > 500);
}

/* Every message opens: its attempts in order of time, each of them its own. */
static void test_message(void **state)
{
	struct bed *b = *state;

	for (size_t i = 0; i < MODEL_MESSAGES; i++) {
		const struct model_message *want = &b->m->message[i];
		struct message_detail d;
		size_t at = 0;

		arena_reset(&b->a);
		assert_int_equal(read_message(b->r, want->id, &b->a, &d, NULL), 0);
		check_message(&d.message, want);
		for (size_t k = 0; k < b->m->nattempts; k++) {
			if (b->m->attempt[k].message != want)
				continue;
			assert_true(at < d.nattempts);
			assert_int_equal(d.attempts[at++].t_ms, b->m->attempt[k].row.t_ms);
		}
		assert_int_equal(at, d.nattempts);
		assert_int_equal(d.nfamily, 0);
		assert_int_equal(d.queue, EVENT_UNKNOWN);
	}
	assert_int_equal(
		read_message(b->r, 999999, &b->a, &(struct message_detail){0}, NULL), MT_ENOENT);
}

static int64_t id_of(struct bed *b, const char *qid)
{
	int64_t id = 0;

	assert_int_equal(read_message_by_qid(b->known, 1, str_of(qid), &id, NULL), 0);
	return id;
}

static struct message_detail open_known(struct bed *b, const char *qid)
{
	struct message_detail d;

	assert_int_equal(read_message(b->known, id_of(b, qid), &b->a, &d, NULL), 0);
	assert_string_equal(d.message.qid.p, qid);
	return d;
}

/* Filter hand-over, bounce notification, three recipients, a deferred one in the queue: the known cache. */
static void test_families(void **state)
{
	struct bed *b = *state;
	struct message_detail d;
	int64_t id;

	arena_reset(&b->a);
	d = open_known(b, "4FC0C0");
	assert_int_equal(d.nfamily, 1);
	assert_string_equal(d.family[0].qid.p, "4FC1C1");
	assert_true(d.attempts[0].handed_over);
	d = open_known(b, "4FC1C1");
	assert_int_equal(d.nfamily, 1);
	assert_string_equal(d.family[0].qid.p, "4FC0C0");
	d = open_known(b, "4FF0F0");
	assert_int_equal(d.nfamily, 1);
	assert_true(d.family[0].flags & MESSAGE_NOTIFICATION);
	assert_true(d.family[0].sender_known);
	assert_int_equal(d.family[0].sender.n, 0);
	d = open_known(b, "4FE0E0");
	assert_int_equal(d.nattempts, 3);
	assert_string_equal(d.attempts[2].reply.p, FIX_HOSTILE_REPLY);
	d = open_known(b, "4FD0D0");
	assert_int_equal(d.nattempts, 3);
	assert_int_equal(d.attempts[2].run, 3);
	assert_int_equal(d.queue, QUEUE_DEFERRED);
	assert_int_equal(d.queue_next_retry_ms, FIX_NOW_MS + 300000);
	assert_true(str_present(d.queue_reason));
	/* finished ids are found as well, and the newest where ids came again */
	assert_int_equal(read_message_by_qid(b->known, 0, STR_LIT("5A00A0"), &id, NULL), 0);
	assert_int_equal(read_message(b->known, id, &b->a, &d, NULL), 0);
	assert_int_equal(d.message.provider, 2);
	assert_int_equal(d.message.t_ms, FIX_NOW_MS - 45 * FIX_MINUTE_MS + 3000);
	assert_int_equal(read_message_by_qid(b->known, 1, STR_LIT("5A00A0"), &id, NULL), MT_ENOENT);
	assert_int_equal(read_message_by_qid(b->known, 0, STR_LIT("NOPE"), &id, NULL), MT_ENOENT);
}

static void test_samples(void **state)
{
	struct bed *b = *state;
	struct query q = {.provider = 1};
	struct sample_row *row;
	size_t n;

	arena_reset(&b->a);
	assert_int_equal(read_samples(b->known, &q, EVENT_UNPARSED, &b->a, &row, &n, NULL), 0);
	assert_int_equal(n, 2);
	assert_memory_equal(row[0].text.p, "h\x1b[2J\xff", 6);
	assert_string_equal(row[1].text.p, "a line nobody knows");
	assert_string_equal(row[1].service.p, "postfix/smtpd");
	assert_int_equal(read_samples(b->known, &q, EVENT_WARNING, &b->a, &row, &n, NULL), 0);
	assert_int_equal(n, 2);
	assert_int_equal(row[0].severity, SEVERITY_FATAL);
	assert_int_equal(read_samples(b->known, &q, EVENT_NONE, &b->a, &row, &n, NULL), 0);
	assert_int_equal(n, 4);
	q.text = STR_LIT("SASL");
	assert_int_equal(read_samples(b->known, &q, EVENT_NONE, &b->a, &row, &n, NULL), 0);
	assert_int_equal(n, 1);
	q.text_invert = true;
	assert_int_equal(read_samples(b->known, &q, EVENT_NONE, &b->a, &row, &n, NULL), 0);
	assert_int_equal(n, 3);
	q = (struct query){.t0_ms = FIX_NOW_MS - FIX_HOUR_MS, .t1_ms = FIX_NOW_MS - FIX_MINUTE_MS};
	assert_int_equal(read_samples(b->known, &q, EVENT_NONE, &b->a, &row, &n, NULL), 0);
	assert_int_equal(n, 0);
	q = (struct query){.provider = 2};
	assert_int_equal(read_samples(b->known, &q, EVENT_NONE, &b->a, &row, &n, NULL), 0);
	assert_int_equal(n, 0);
}

static void test_providers_and_actions(void **state)
{
	struct bed *b = *state;
	struct provider_row *p;
	struct action_log_row *x;
	struct query q = {.provider = 1};
	size_t n;

	arena_reset(&b->a);
	assert_int_equal(read_providers(b->known, &b->a, &p, &n, NULL), 0);
	assert_int_equal(n, 2);
	assert_string_equal(p[0].name.p, "postfix");
	assert_int_equal(p[0].nsources, 2);
	assert_int_equal(p[0].health, HEALTH_FRESH);
	assert_int_equal(p[1].health, HEALTH_LATE);
	assert_int_equal(p[0].last_ok_ms, FIX_NOW_MS - 30000); /* the older */
	assert_int_equal(p[0].sources[0].done_bytes, 5000000);
	assert_int_equal(p[0].sources[1].done_bytes, EVENT_UNKNOWN);
	assert_int_equal(p[0].sources[1].newest_ms, EVENT_UNKNOWN);
	assert_string_equal(p[1].name.p, "postfix-out");
	assert_int_equal(p[1].sources[0].errors, 3);
	assert_int_equal(read_actions(b->known, &q, &b->a, &x, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_string_equal(x[0].user.p, "admin");
	assert_string_equal(x[0].verb.p, "hold");
	assert_string_equal(x[0].qids.p, "4FH0H0");
	assert_int_equal(x[0].done, 1);
	q.provider = 2;
	assert_int_equal(read_actions(b->known, &q, &b->a, &x, &n, NULL), 0);
	assert_int_equal(n, 0);
}

static void test_log_position(void **state)
{
	struct bed *b = *state;
	int64_t offset = -1;
	struct str key;

	arena_reset(&b->a);
	assert_int_equal(read_log_position(b->known, 1, FIX_NOW_MS - 30 * FIX_MINUTE_MS + 29000,
				 &b->a, &key, &offset, NULL),
		0);
	assert_string_equal(key.p, "fixlog");
	assert_int_equal(offset, (FIX_NOW_MS / 1000 - 1800 - 1795000000) * 100);
	assert_int_equal(read_log_position(b->known, 1, FIX_NOW_MS - 40 * (int64_t)FIX_HOUR_MS,
				 &b->a, &key, &offset, NULL),
		MT_ENOENT);
}

/* A filter no index serves looks at the newest rows alone and says when that was not all. */
static void test_truncated(void **state)
{
	char path[64], sql[1024];
	struct bed *b = *state;
	struct query q = {.text = STR_LIT("nowhere")};
	struct attempt_row *row;
	struct reader *r;
	struct fix f;
	size_t n;

	snprintf(path, sizeof(path), "/tmp/mtatop-long-%d.db", (int)getpid());
	fix_unlink(path);
	fix_open(&f, path);
	fix_exec(&f, "INSERT INTO provider(id, name, kind) VALUES(1,'postfix','postfix')");
	snprintf(sql, sizeof(sql),
		"INSERT INTO message(id, provider, t_ms, flags, qid) VALUES(1,1,%lld,1,'4AAAAA');"
		"WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c WHERE i<%d) INSERT "
		"INTO attempt(id, message, provider, t_ms, status, rcpt) SELECT i,1,1,%lld+i*60,2,"
		"CASE i WHEN 1 THEN 'nowhere' ELSE 'r' END FROM c;" /* 1,000 a minute */
		"INSERT INTO mark(provider, minute_s, message, attempt) SELECT 1,"
		"t_ms/60000*60,1,min(id) FROM attempt GROUP BY 2",
		(long long)FIX_NOW_MS, LONG_LIST_ROWS, (long long)FIX_NOW_MS);
	fix_exec(&f, sql);
	fix_total(&f, FIX_NOW_MS, 1, METRIC_DEFERRED, LONG_LIST_ROWS);
	fix_total(&f, FIX_NOW_MS + LONG_LIST_ROWS * 60, 1, METRIC_LINES, 1);
	fix_close(&f);
	r = open_cache(path);
	arena_reset(&b->a);
	assert_int_equal(read_attempts(r, &q, 0, 0, &b->a, &row, &n, NULL), 0);
	assert_int_equal(n, 0);
	assert_true(reader_truncated(r));
	assert_int_equal(reader_begin(r, NULL), 0);
	assert_false(reader_truncated(r));
	q.text = STR_LIT("");
	assert_int_equal(read_attempts(r, &q, 0, 0, &b->a, &row, &n, NULL), 0);
	assert_int_equal(n, 1000); /* the default */
	assert_int_equal(row[0].id, LONG_LIST_ROWS);
	assert_false(reader_truncated(r));
	/* from the page before its last rows on the match is in reach */
	q.text = STR_LIT("nowhere");
	assert_int_equal(
		read_attempts(r, &q, FIX_NOW_MS + 500 * 60, 500, &b->a, &row, &n, NULL), 0);
	assert_int_equal(n, 1);
	reader_close(r);
	fix_unlink(path);
}

struct stopper {
	int asked, at; /* stops the at-th time it is asked, once */
};

static bool stop_at(void *ctx)
{
	struct stopper *s = ctx;

	return ++s->asked == s->at;
}

static int read_much(struct bed *b, size_t ret[4])
{
	struct query q = {.text = STR_LIT("gmail"), .limit = 40}, port = {.port = 25};
	struct attempt_row *attempts;
	struct reply_row *replies;
	struct domain_row *domains;
	struct totals totals;
	int rc = read_attempts(b->r, &q, 0, 0, &b->a, &attempts, &ret[0], NULL);

	rc = rc < 0 ? rc : read_replies(b->r, &q, false, &b->a, &replies, &ret[1], NULL);
	rc = rc < 0 ? rc : read_domains(b->r, &port, &b->a, &domains, &ret[2], NULL);
	q.text = STR_LIT("");
	rc = rc < 0 ? rc : read_totals(b->r, &q, &totals, NULL);
	ret[3] = rc < 0 ? 0 : (size_t)totals.n[METRIC_SENT];
	return rc;
}

/* Stopped at any point a read fails and the snapshot says so, though nobody asks it to stop any more; the next one is
 * whole. */
static void test_stopped(void **state)
{
	struct bed *b = *state;
	size_t whole[4], got[4];
	int stops = 0;

	assert_int_equal(reader_begin(b->r, NULL), 0);
	assert_int_equal(read_much(b, whole), 0);
	assert_true(whole[0] > 0 && whole[1] > 0 && whole[2] > 0 && whole[3] > 0);
	for (int at = 1;; at++) {
		struct stopper s = {.at = at};
		int rc;

		arena_reset(&b->a);
		reader_stop_when(b->r, stop_at, &s);
		rc = reader_begin(b->r, NULL);
		rc = rc < 0 ? rc : read_much(b, got);
		if (s.asked < at) {
			assert_int_equal(rc, 0);
			assert_false(reader_stopped(b->r));
			assert_memory_equal(got, whole, sizeof(whole));
			break;
		}
		assert_int_equal(rc, MT_ECANCELED);
		assert_true(reader_stopped(b->r));
		stops++;
		reader_stop_when(b->r, NULL, NULL);
		assert_int_equal(reader_begin(b->r, NULL), 0);
		assert_false(reader_stopped(b->r));
		if (at % 8 == 1) {
			assert_int_equal(read_much(b, got), 0);
			assert_memory_equal(got, whole, sizeof(whole));
		}
	}
	assert_true(stops > 20);
	reader_stop_when(b->r, NULL, NULL);
	assert_int_equal(reader_begin(b->r, NULL), 0);
}

static int setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));

	if (!b)
		return -1;
	snprintf(b->path, sizeof(b->path), "/tmp/mtatop-lists-%d.db", (int)getpid());
	snprintf(b->known_path, sizeof(b->known_path), "/tmp/mtatop-known-%d.db", (int)getpid());
	fix_unlink(b->path);
	fix_unlink(b->known_path);
	b->m = model_make(b->path);
	cachefix_make(b->known_path);
	b->seed = 11;
	arena_init(&b->a, ARENA_BYTES);
	b->r = open_cache(b->path);
	b->known = open_cache(b->known_path);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bed *b = *state;

	reader_close(b->r);
	reader_close(b->known);
	arena_done(&b->a);
	fix_unlink(b->path);
	fix_unlink(b->known_path);
	free(b->m);
	free(b);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attempts),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_rejects),
		cmocka_unit_test(test_message),
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_providers_and_actions),
		cmocka_unit_test(test_log_position),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_stopped),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
