/* SPDX-License-Identifier: MIT */
/* cachefix - building blocks of test caches; see cachefix.h. The known cache itself is cachefix_known.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/base/buf.h"
#include "store/bucket.h"
#include "store/explain/explain.h"
#include "store/message_table.h"
#include "store/reply.h"
#include "tests/unit/cachefix.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *const schema_files[] = {/* tests run in the source root */
	"store/schema/001.sql", "store/schema/002.sql", "store/schema/003.sql",
	"store/schema/004.sql", "store/schema/005.sql", "store/schema/006.sql",
	"store/schema/007.sql", "store/schema/008.sql", "store/schema/009.sql",
	"store/schema/010.sql", "store/schema/011.sql", "store/schema/012.sql",
	"store/schema/013.sql"};
#define SCHEMA_MAX_BYTES 65536
#define MS_PER_S 1000

void fix_exec(struct fix *f, const char *sql)
{
	if (sqlite3_exec(f->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sqlite3_errmsg(f->db), sql);
}

void fix_open(struct fix *f, const char *path)
{
	char *schema = calloc(1, SCHEMA_MAX_BYTES);
	size_t n = 0;

	assert_non_null(schema);
	for (size_t i = 0; i < sizeof(schema_files) / sizeof(schema_files[0]); i++) {
		FILE *file = fopen(schema_files[i], "r");
		size_t got;

		assert_non_null(file);
		got = fread(schema + n, 1, SCHEMA_MAX_BYTES - 1 - n, file);
		assert_true(got > 0);
		n += got;
		fclose(file);
	}
	*f = (struct fix){.next_message = 1, .next_attempt = 1, .next_reject = 1};
	assert_int_equal(sqlite3_open(path, &f->db), SQLITE_OK);
	assert_int_equal(bucket_register(f->db, NULL), 0);
	assert_int_equal(message_table_register(f->db, NULL), 0);
	fix_exec(f, "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA "
		    "application_id=1836343668");
	fix_exec(f, "BEGIN");
	fix_exec(f, schema);
	fix_exec(f, "PRAGMA user_version=13");
	free(schema);
}

void fix_reopen(struct fix *f, const char *path)
{
	*f = (struct fix){.next_message = 0};
	assert_int_equal(sqlite3_open(path, &f->db), SQLITE_OK);
	assert_int_equal(bucket_register(f->db, NULL), 0);
	fix_exec(f, "BEGIN");
}

void fix_unlink(const char *path)
{
	static const char *const endings[] = {"", "-wal", "-shm"};

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		char name[256];

		snprintf(name, sizeof(name), "%s%s", path, endings[i]);
		unlink(name);
	}
}

void fix_close(struct fix *f)
{
	fix_exec(f, "COMMIT");
	assert_int_equal(sqlite3_close(f->db), SQLITE_OK);
	explain_free(f->rules);
}

/* Bind "b" const struct str *, "i" int64_t, "u" int64_t with -1 as NULL, "z" int64_t with 0 as NULL, "s" const char *; then run. */
static sqlite3_stmt *prepare(struct fix *f, const char *sql, const char *types, va_list args)
{
	sqlite3_stmt *stmt;
	int at = 1;

	if (sqlite3_prepare_v2(f->db, sql, -1, &stmt, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sqlite3_errmsg(f->db), sql);
	for (; *types; types++, at++) {
		if (*types == 's') {
			sqlite3_bind_text(
				stmt, at, va_arg(args, const char *), -1, SQLITE_TRANSIENT);
		} else if (*types == 'b') {
			const struct str *blob = va_arg(args, const struct str *);

			sqlite3_bind_blob64(stmt, at, blob->p, blob->n, SQLITE_TRANSIENT);
		} else {
			int64_t value = va_arg(args, int64_t);

			if ((*types != 'u' || value != EVENT_UNKNOWN) &&
				(*types != 'z' || value != 0))
				sqlite3_bind_int64(stmt, at, value);
		}
	}
	return stmt;
}

static void run(struct fix *f, const char *sql, const char *types, ...)
{
	va_list args;
	sqlite3_stmt *stmt;

	va_start(args, types);
	stmt = prepare(f, sql, types, args);
	va_end(args);
	if (sqlite3_step(stmt) != SQLITE_DONE)
		fail_msg("%s: %s", sqlite3_errmsg(f->db), sql);
	sqlite3_finalize(stmt);
}

int64_t fix_dict(struct fix *f, enum dict_kind kind, const char *text)
{
	sqlite3_stmt *stmt;
	int64_t id;

	if (!text || !*text)
		return 0;
	run(f, "INSERT OR IGNORE INTO dict(kind, text) VALUES(?,?)", "is", (int64_t)kind, text);
	assert_int_equal(sqlite3_prepare_v2(f->db, "SELECT id FROM dict WHERE kind=? AND text=?",
				 -1, &stmt, NULL),
		SQLITE_OK);
	sqlite3_bind_int64(stmt, 1, kind);
	sqlite3_bind_text(stmt, 2, text, -1, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	id = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return id;
}

void fix_bucket(struct fix *f, int64_t t_ms, int provider, enum bucket_dim dim, int64_t key,
	enum metric metric, int64_t n)
{
	static const enum bucket_resolution resolutions[] = {RES_MINUTE, RES_HOUR, RES_DAY};
	unsigned char packed[BUCKET_ENTRY_MAX_BYTES];
	struct bucket_entry entry = {.key = key, .metric = (int)metric, .n = n};
	int64_t from = 0;
	struct str counts = {
		(const char *)packed, (size_t)(bucket_put(packed, &from, &entry) - packed)};

	for (size_t i = 0; i < 3; i++) {
		int64_t t_s = t_ms / MS_PER_S;

		run(f,
			"INSERT INTO bucket VALUES(?,?,?,?,?,?) ON CONFLICT DO UPDATE SET "
			"counts=bucket_merge(counts,excluded.counts)",
			"iiiiib", (int64_t)resolutions[i], (int64_t)dim,
			t_s - t_s % (int64_t)resolutions[i], (int64_t)provider,
			bucket_chunk(resolutions[i], dim, key), &counts);
	}
}

void fix_total(struct fix *f, int64_t t_ms, int provider, enum metric metric, int64_t n)
{
	fix_bucket(f, t_ms, provider, DIM_TOTAL, 0, metric, n);
}

void fix_service(
	struct fix *f, int64_t t_ms, int provider, const char *tag, enum metric metric, int64_t n)
{
	fix_total(f, t_ms, provider, metric, n);
	fix_bucket(f, t_ms, provider, DIM_SERVICE, fix_dict(f, DICT_SERVICE, tag), metric, n);
}

static void mark(
	struct fix *f, int provider, int64_t t_ms, int64_t message, int64_t attempt, int64_t reject)
{
	int64_t minute_s = t_ms / FIX_MINUTE_MS * 60;

	run(f,
		"INSERT INTO mark VALUES(?,?,?,?,?,'fixlog',?) ON CONFLICT DO UPDATE SET"
		" message=min(coalesce(message,excluded.message),coalesce(excluded.message,message)"
		"),"
		" attempt=min(coalesce(attempt,excluded.attempt),coalesce(excluded.attempt,attempt)"
		"),"
		" reject=min(coalesce(reject,excluded.reject),coalesce(excluded.reject,reject))",
		"iizzzi", (int64_t)provider, minute_s, message, attempt, reject,
		(minute_s - 1795000000) * 100);
}

static char *domain_of(const char *address, char *local, size_t local_bytes)
{
	const char *at = strrchr(address, '@');

	snprintf(local, local_bytes, "%.*s", at ? (int)(at - address) : (int)strlen(address),
		address);
	return at ? strdup(at + 1) : NULL;
}

int64_t fix_message(struct fix *f, const struct fix_message *m)
{
	int64_t id = f->next_message++, from_dom = 0, mid_dom = 0, t_s = m->t_ms;
	char from[256] = "", mid[256] = "", *dom;

	if (m->from && (dom = domain_of(m->from, from, sizeof(from)))) {
		from_dom = fix_dict(f, DICT_DOMAIN, dom);
		free(dom);
	}
	if (m->message_id && (dom = domain_of(m->message_id, mid, sizeof(mid)))) {
		mid_dom = fix_dict(f, DICT_DOMAIN, dom);
		free(dom);
	}
	run(f,
		"INSERT INTO message(id, provider, t_ms, end_ms, flags, qid, host, service, "
		"client, user, from_local,"
		" from_dom, size, nrcpt, runs, nsent, nbounced, ndeferred, mid_local, mid_dom, "
		"parent)"
		" VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
		"iiiziszzzzszuuiiiiszz", id, (int64_t)m->provider, m->t_ms, m->end_ms,
		(int64_t)m->flags, m->qid, fix_dict(f, DICT_HOST, "mx1"),
		fix_dict(f, DICT_SERVICE, m->service), fix_dict(f, DICT_CLIENT, m->client),
		fix_dict(f, DICT_USER, m->user), m->from ? from : NULL, from_dom, m->size, m->nrcpt,
		(int64_t)1, (int64_t)m->nsent, (int64_t)m->nbounced, (int64_t)m->ndeferred,
		m->message_id ? mid : NULL, mid_dom, m->parent);
	mark(f, m->provider, t_s, id, 0, 0);
	if (m->flags & (MESSAGE_REINJECTED | MESSAGE_NO_START))
		return id;
	fix_total(f, m->t_ms, m->provider, METRIC_RECEIVED, 1);
	if (m->nrcpt > 0)
		fix_total(f, m->t_ms, m->provider, METRIC_RECIPIENTS, m->nrcpt);
	if (m->flags & MESSAGE_NOTIFICATION)
		fix_total(f, m->t_ms, m->provider, METRIC_NOTIFICATIONS, 1);
	if (m->service)
		fix_bucket(f, m->t_ms, m->provider, DIM_SERVICE,
			fix_dict(f, DICT_SERVICE, m->service), METRIC_RECEIVED, 1);
	if (from_dom)
		fix_bucket(f, m->t_ms, m->provider, DIM_SENDER, from_dom, METRIC_RECEIVED, 1);
	return id;
}

static enum metric metric_of(const struct fix_attempt *a)
{
	if (a->status == STATUS_SENT)
		return a->handed_over ? METRIC_HANDED_OVER : METRIC_SENT;
	return a->status == STATUS_DEFERRED ? METRIC_DEFERRED : METRIC_BOUNCED;
}

/* The signature of a record, as store/cluster.c has it, and one count of it. */
static void count_cluster(struct fix *f, int64_t t_ms, int provider, const struct explain_query *q,
	bool refusal, enum metric metric)
{
	struct explain_result why;
	struct buf tmpl, args, key;
	int64_t id, mailbox;

	buf_init(&tmpl, 4096);
	buf_init(&args, 4096);
	buf_init(&key, 4096);
	if (!f->rules)
		assert_int_equal(explain_new((struct str){NULL, 0}, "", &f->rules, NULL), 0);
	explain(f->rules, q, &why);
	assert_int_equal(reply_split(q->text, &tmpl, &args), 0);
	mailbox = fix_dict(f, DICT_MAILBOX, explain_provider_name(f->rules, why.provider));
	buf_printf(&key, "%d %d %d %d %d %s", (int)fix_dict(f, DICT_REPLY, buf_z(&tmpl)),
		(int)q->key, (int)q->stage, refusal, (int)mailbox, why.rule_name);
	id = fix_dict(f, DICT_CLUSTER, buf_z(&key));
	run(f,
		"INSERT INTO cluster VALUES(?,?,?,?,?,?,?,?,?9,?9,?,?,?,?,?) ON CONFLICT DO UPDATE "
		"SET"
		" first_ms=min(first_ms,excluded.first_ms), last_ms=max(last_ms,excluded.last_ms)",
		"iiiiiiisisiiii", id, fix_dict(f, DICT_REPLY, buf_z(&tmpl)), q->key,
		(int64_t)q->stage, (int64_t)refusal, mailbox,
		q->host.n ? fix_dict(f, DICT_RELAY, q->host.p) : (int64_t)0,
		args.n ? buf_z(&args) : NULL, t_ms, why.rule_name, (int64_t)why.category,
		(int64_t)why.cause, (int64_t)why.side, (int64_t)(why.action == ACTION_SUPPRESSED));
	fix_bucket(f, t_ms, provider, DIM_CLUSTER, id, metric, 1);
	buf_done(&tmpl);
	buf_done(&args);
	buf_done(&key);
}

/* How the host was reached: as the writer counts it (store/mx.c). */
static void count_mx(struct fix *f, const struct fix_attempt *a, int64_t dom)
{
	static const int32_t steps[] = MX_STEPS;
	int step = 0;
	enum mx_tls tls = a->tls && strstr(a->tls, "TLSv1.3") ? MX_TLS_1_3 : MX_TLS_UNTOLD;

	if (a->status != STATUS_SENT || a->relay_port <= 0 || !a->relay_host)
		return;
	while (steps[step] < a->cs[DELAY_C])
		step++;
	fix_bucket(f, a->t_ms, a->provider, DIM_MX,
		mx_key((int32_t)fix_dict(f, DICT_RELAY_HOST, a->relay_host), MX_OF_HOST, step),
		(enum metric)tls, 1);
	if (dom)
		fix_bucket(f, a->t_ms, a->provider, DIM_MX,
			mx_key((int32_t)dom, MX_OF_DOMAIN, step), (enum metric)tls, 1);
}

static void count_attempt(struct fix *f, const struct fix_attempt *a, int64_t dom)
{
	enum metric metric = metric_of(a);

	fix_total(f, a->t_ms, a->provider, metric, 1);
	if (metric == METRIC_HANDED_OVER)
		return;
	if (metric == METRIC_SENT && a->run == 1)
		fix_total(f, a->t_ms, a->provider, METRIC_FIRST_TRY, 1);
	fix_bucket(f, a->t_ms, a->provider, DIM_CODE, code_key(a->dsn, a->code), metric, 1);
	if (a->status == STATUS_DEFERRED || a->status == STATUS_BOUNCED)
		count_cluster(f, a->t_ms, a->provider,
			&(struct explain_query){.text = str_of(a->reply ? a->reply : ""),
				.host = str_of(a->relay ? a->relay : ""),
				.key = code_key(a->dsn, a->code),
				.stage = a->stage},
			false, metric);
	fix_bucket(f, a->t_ms, a->provider, DIM_RELAY_PORT, a->relay_port, metric, 1);
	fix_bucket(f, a->t_ms, a->provider, DIM_EGRESS, fix_dict(f, DICT_SERVICE, a->egress),
		metric, 1);
	if (dom)
		fix_bucket(f, a->t_ms, a->provider, DIM_DOMAIN, dom, metric, 1);
	if (a->relay_host)
		fix_bucket(f, a->t_ms, a->provider, DIM_RELAY,
			fix_dict(f, DICT_RELAY_HOST, a->relay_host), metric, 1);
	count_mx(f, a, dom);
	if (a->sender_domain)
		fix_bucket(f, a->t_ms, a->provider, DIM_SENDER,
			fix_dict(f, DICT_DOMAIN, a->sender_domain), metric, 1);
	if (metric == METRIC_SENT)
		for (int d = 0; d < DELAY__COUNT; d++)
			fix_bucket(f, a->t_ms, a->provider, (enum bucket_dim)(DIM_DELAY_TOTAL + d),
				a->cs[d], METRIC_SENT, 1);
}

void fix_attempt(struct fix *f, const struct fix_attempt *a)
{
	char local[256], *dom = domain_of(a->rcpt, local, sizeof(local));
	int64_t dom_id = dom ? fix_dict(f, DICT_DOMAIN, dom) : 0;
	struct buf tmpl, args;

	buf_init(&tmpl, 4096);
	buf_init(&args, 4096);
	assert_int_equal(reply_split(str_of(a->reply ? a->reply : ""), &tmpl, &args), 0);
	count_attempt(f, a, dom_id);
	if (a->inline_row) {
		run(f,
			"UPDATE message SET a_ms=?2-t_ms, a_rcpt=?3, a_dom=?4, a_orig=?5, "
			"a_relay=?6, a_egress=?7, a_delay=?8,"
			" a_a=?9, a_b=?10, a_c=?11, a_d=?12, a_dsn=?13, a_code=?14, a_reply=?15, "
			"a_args=?16, a_tls=?17,"
			" a_flags=?18 WHERE id=?1",
			"iiszszziiiiizzzszi", a->message, a->t_ms, local, dom_id, a->orig,
			fix_dict(f, DICT_RELAY, a->relay), fix_dict(f, DICT_SERVICE, a->egress),
			(int64_t)a->cs[0], (int64_t)a->cs[1], (int64_t)a->cs[2], (int64_t)a->cs[3],
			(int64_t)a->cs[4], (int64_t)a->dsn, (int64_t)a->code,
			fix_dict(f, DICT_REPLY, buf_z(&tmpl)), args.n ? buf_z(&args) : NULL,
			fix_dict(f, DICT_TLS, a->tls), (int64_t)a->handed_over);
	} else {
		int64_t id = f->next_attempt++;

		run(f,
			"INSERT INTO attempt(id, message, provider, t_ms, status, rcpt, dom, orig, "
			"relay, egress, delay, a, b, c, d,"
			" dsn, code, stage, reply, args, tls, run, flags) "
			"VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
			"iiiiiszszziiiiizzzzszzi", id, a->message, (int64_t)a->provider, a->t_ms,
			(int64_t)a->status, local, dom_id, a->orig,
			fix_dict(f, DICT_RELAY, a->relay), fix_dict(f, DICT_SERVICE, a->egress),
			(int64_t)a->cs[0], (int64_t)a->cs[1], (int64_t)a->cs[2], (int64_t)a->cs[3],
			(int64_t)a->cs[4], (int64_t)a->dsn, (int64_t)a->code, (int64_t)a->stage,
			fix_dict(f, DICT_REPLY, buf_z(&tmpl)), args.n ? buf_z(&args) : NULL,
			fix_dict(f, DICT_TLS, a->tls), (int64_t)a->run, (int64_t)a->handed_over);
		mark(f, a->provider, a->t_ms, 0, id, 0);
	}
	buf_done(&tmpl);
	buf_done(&args);
	free(dom);
}

void fix_reject(struct fix *f, const struct fix_reject *x)
{
	int64_t id = f->next_reject++, dom_id = 0;
	char local[256], *dom = x->rcpt ? domain_of(x->rcpt, local, sizeof(local)) : NULL;
	struct buf tmpl, args;

	if (dom)
		dom_id = fix_dict(f, DICT_DOMAIN, dom);
	free(dom);
	buf_init(&tmpl, 4096);
	buf_init(&args, 4096);
	assert_int_equal(reply_split(str_of(x->reply), &tmpl, &args), 0);
	run(f,
		"INSERT INTO reject(id, provider, t_ms, action, word, service, client, qid, stage, "
		"code, dsn, from_addr, rcpt,"
		" dom, helo, reply, args) VALUES(?,?,?,?,?,?,?,NULL,?,?,?,?,?,?,?,?,?)",
		"iiiiszzizzsszszs", id, (int64_t)x->provider, x->t_ms, (int64_t)x->action, x->word,
		fix_dict(f, DICT_SERVICE, x->service), fix_dict(f, DICT_CLIENT, x->client),
		(int64_t)x->stage, (int64_t)x->code, (int64_t)x->dsn, x->from, x->rcpt, dom_id,
		x->helo, fix_dict(f, DICT_REPLY, buf_z(&tmpl)), args.n ? buf_z(&args) : NULL);
	buf_done(&tmpl);
	buf_done(&args);
	mark(f, x->provider, x->t_ms, 0, 0, id);
	if (x->action == REJECT_WARN) {
		fix_total(f, x->t_ms, x->provider, METRIC_REJECT_WARNINGS, 1);
		return;
	}
	fix_service(f, x->t_ms, x->provider, x->service, METRIC_REJECTED, 1);
	fix_bucket(
		f, x->t_ms, x->provider, DIM_CODE, code_key(x->dsn, x->code), METRIC_REJECTED, 1);
	count_cluster(f, x->t_ms, x->provider,
		&(struct explain_query){.text = str_of(x->reply),
			.key = code_key(x->dsn, x->code),
			.stage = x->stage},
		true, METRIC_REJECTED);
	if (x->code / 100 == 4)
		fix_total(f, x->t_ms, x->provider, METRIC_REJECTED_TEMPORARY, 1);
}
