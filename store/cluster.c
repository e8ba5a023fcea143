/* SPDX-License-Identifier: MIT */
/*
 * cluster - failures and refusals by signature (table cluster, DIM_CLUSTER): what a reply means is asked here, once a
 * record; when the rules change, all rows are asked again in slices.
 *
 * A signature is a text of the dictionary, so its number is bounded in memory as all texts' is. The rule is part of it:
 * one wording may hold a list's name where it varies, and mean another thing then.
 */
#include "store/writer.h"

#include "store/base/mem.h"
#include "store/reply.h"

#include <stdlib.h>

#define RULE_MAX_BYTES 64 /* a name's, see rules_read.c */
#define NUMBERS_MAX_BYTES (4 * 17) /* 16 digits and a space each */
#define RULES_META "explain_rules"

/* A signature met in this batch. */
struct cluster_seen {
	int32_t id, reply, mailbox, relay;
	int64_t code, first_ms, last_ms;
	uint8_t stage, refusal;
	struct explain_result why; /* without its texts once it is in the batch */
	struct str args;
	struct str rule; /* copied: the rules may be read anew before the commit */
};

static int mailbox_id(
	struct store *s, const struct at *at, int provider, int32_t *ret, struct mt_error *reterr)
{
	const char *name = explain_provider_name(s->rules, provider);

	return join_id(s, at, DICT_MAILBOX, str_of(name), ret, reterr);
}

/* As hexadecimal digits and a space. */
static char *put_number(char *to, uint64_t value)
{
	do
		*to++ = "0123456789abcdef"[value & 15];
	while (value >>= 4);
	*to++ = ' ';
	return to;
}

static int cluster_id(struct store *s, const struct at *at, const struct cluster_seen *c,
	int32_t *ret, struct mt_error *reterr)
{
	struct str rule = str_first(str_of(c->why.rule_name), RULE_MAX_BYTES);
	char key[NUMBERS_MAX_BYTES + RULE_MAX_BYTES], *end = key;

	end = put_number(end, (uint64_t)c->reply);
	end = put_number(end, (uint64_t)c->code);
	end = put_number(end, (uint64_t)(c->stage * 2 + c->refusal));
	end = put_number(end, (uint64_t)c->mailbox);
	if (rule.n)
		memcpy(end, rule.p, rule.n);
	return join_id(
		s, at, DICT_CLUSTER, str_make(key, (size_t)(end - key) + rule.n), ret, reterr);
}

/* remember - its row is written with the batch. */
static void remember(struct store *s, const struct cluster_seen *c)
{
	struct vec *all = &s->batch.clusters;
	bool new;
	uint64_t *at = map_ref(
		&s->batch.cluster_index, str_make((const char *)&c->id, sizeof(c->id)), &new);
	struct cluster_seen *row;

	if (new) {
		row = vec_add(all);
		*row = *c;
		row->args = batch_str(s, c->args);
		row->rule = batch_str(s, str_of(c->why.rule_name));
		row->why.rule_name = row->why.meaning = row->why.todo = row->why.link = NULL;
		*at = all->n - 1;
		return;
	}
	row = &((struct cluster_seen *)all->p)[*at];
	row->first_ms = c->first_ms < row->first_ms ? c->first_ms : row->first_ms;
	row->last_ms = c->last_ms > row->last_ms ? c->last_ms : row->last_ms;
}

/* identify - what the record means, and the signature it has by that. */
static int identify(struct store *s, const struct at *at, const struct cluster_record *record,
	struct cluster_seen *c, struct mt_error *reterr)
{
	struct explain_query q = {.text = record->text,
		.host = record->relay,
		.key = record->code,
		.stage = record->stage};
	int rc;

	*c = (struct cluster_seen){.reply = record->reply,
		.relay = record->relay_id,
		.code = record->code,
		.first_ms = at->t_ms,
		.last_ms = at->t_ms,
		.stage = (uint8_t)record->stage,
		.refusal = record->refusal,
		.args = record->args};
	explain(s->rules, &q, &c->why);
	rc = mailbox_id(s, at, c->why.provider, &c->mailbox, reterr);
	return rc < 0 ? rc : cluster_id(s, at, c, &c->id, reterr);
}

int cluster_count(struct store *s, const struct at *at, const struct cluster_record *record,
	enum metric metric, int32_t *ret_id, struct mt_error *reterr)
{
	struct cluster_seen c;
	int rc = identify(s, at, record, &c, reterr);

	if (rc < 0)
		return rc;
	count_add(&s->counts, at->p->id, count_minute(at->t_ms), DIM_CLUSTER, c.id, metric, 1);
	remember(s, &c);
	*ret_id = c.id;
	return 0;
}

static enum metric metric_of(const struct attempt *a)
{
	return a->status == STATUS_DEFERRED ? METRIC_DEFERRED : METRIC_BOUNCED;
}

static struct cluster_record record_of(const struct attempt *a, struct str text, struct str relay)
{
	return (struct cluster_record){.text = text,
		.relay = relay,
		.args = a->args,
		.reply = a->reply,
		.relay_id = a->relay,
		.code = code_key(a->dsn, a->code),
		.stage = (enum smtp_stage)a->stage};
}

static bool failed(const struct attempt *a)
{
	return a->status == STATUS_DEFERRED || a->status == STATUS_BOUNCED;
}

int cluster_attempt(struct store *s, const struct at *at, struct attempt *a, struct str text,
	struct str relay, struct mt_error *reterr)
{
	struct cluster_record record = record_of(a, text, relay);

	a->cluster = 0;
	return failed(a) ? cluster_count(s, at, &record, metric_of(a), &a->cluster, reterr) : 0;
}

int cluster_of_row(struct store *s, const struct at *at, struct attempt *a, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = failed(a) ? db_stmt(&s->db, SQL_ATTEMPT_TEXTS, reterr) : NULL;
	struct cluster_record record;
	struct cluster_seen c;
	int rc;

	a->cluster = 0;
	if (!stmt)
		return failed(a) ? (int)reterr->code : 0;
	bind_int(stmt, 1, a->id);
	rc = db_row(&s->db, stmt, reterr);
	if (rc <= 0)
		return rc;
	buf_clear(&s->template_buf);
	rc = reply_join(column_str(stmt, 0), a->args, &s->template_buf);
	record = record_of(a, buf_str(&s->template_buf), column_str(stmt, 1));
	if (rc == 0)
		rc = identify(s, at, &record, &c, reterr);
	sqlite3_reset(stmt);
	if (rc == 0)
		a->cluster = c.id;
	return rc;
}

void cluster_uncount(struct store *s, const struct attempt *a)
{
	if (a->cluster)
		count_add(&s->counts, a->provider, count_minute(a->t_ms), DIM_CLUSTER, a->cluster,
			metric_of(a), -1);
}

static void bind_why(sqlite3_stmt *stmt, int at, const struct explain_result *why, struct str rule)
{
	bind_str(stmt, at, rule);
	bind_int(stmt, at + 1, why->category);
	bind_int(stmt, at + 2, why->cause);
	bind_int(stmt, at + 3, why->side);
	bind_int(stmt, at + 4, why->action == ACTION_SUPPRESSED);
}

static int write_row(struct store *s, const struct cluster_seen *c, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_CLUSTER_ADD, reterr);

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, c->id);
	bind_int(stmt, 2, c->reply);
	bind_int(stmt, 3, c->code);
	bind_int(stmt, 4, c->stage);
	bind_int(stmt, 5, c->refusal);
	bind_int(stmt, 6, c->mailbox);
	bind_int(stmt, 7, c->relay);
	bind_str(stmt, 8, c->args);
	bind_int(stmt, 9, c->first_ms);
	bind_int(stmt, 10, c->last_ms);
	bind_why(stmt, 11, &c->why, c->rule);
	return db_run(&s->db, stmt, reterr);
}

static int by_id(const void *left, const void *right)
{
	const struct cluster_seen *a = left, *b = right;

	return (a->id > b->id) - (a->id < b->id);
}

int clusters_write(struct store *s, struct mt_error *reterr)
{
	struct vec *all = &s->batch.clusters;
	int rc = 0;

	if (all->n)
		qsort(all->p, all->n, all->item, by_id);
	map_clear(&s->batch.cluster_index); /* sorted: the places are others */
	for (size_t i = 0; rc == 0 && i < all->n; i++) {
		const struct cluster_seen *c = &((struct cluster_seen *)all->p)[i];

		map_set(&s->batch.cluster_index, str_make((const char *)&c->id, sizeof(c->id)), i);
		rc = write_row(s, c, reterr);
	}
	return rc;
}

void clusters_init(struct batch *b)
{
	b->clusters = (struct vec){.item = sizeof(struct cluster_seen)};
	map_init(&b->cluster_index);
}

void clusters_reset(struct batch *b)
{
	b->clusters.n = 0;
	map_clear(&b->cluster_index);
}

void clusters_done(struct batch *b)
{
	vec_done(&b->clusters);
	map_done(&b->cluster_index);
}

/* ---- the rules ---- */

/* In a new cache there is no past to ask again. */
static int nothing_yet(struct store *s, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_CLUSTER_MAX, reterr);
	int64_t newest;
	int rc = stmt ? db_int(&s->db, stmt, 0, &newest, reterr) : (int)reterr->code;

	if (rc < 0 || newest > 0)
		return rc;
	s->rules_pending = false;
	return meta_set_int(s, RULES_META, (int64_t)explain_hash(s->rules), reterr);
}

int rules_open(struct store *s, struct mt_error *reterr)
{
	const char *path = s->options.rules_path;
	struct mt_error error = {0};
	int64_t known;
	int rc;

	s->rules_stamp = path ? explain_stamp(path) : 0;
	if (path && explain_load(path, &s->rules, &error) < 0 && !s->notice)
		s->notice = xasprintf("%s; the built-in rules hold", error.text);
	rc = s->rules ? 0 : explain_new((struct str){NULL, 0}, "", &s->rules, reterr);
	if (rc == 0)
		rc = meta_get_int(s, RULES_META, 0, &known, reterr);
	s->rules_pending = rc == 0 && known != (int64_t)explain_hash(s->rules);
	return rc == 0 && s->rules_pending ? nothing_yet(s, reterr) : rc;
}

int store_rules_look(struct store *s, bool *ret_changed, struct mt_error *reterr)
{
	const char *path = s->options.rules_path;
	struct explain_rules *rules = NULL;
	uint64_t stamp = path ? explain_stamp(path) : 0;
	int rc;

	*ret_changed = false;
	if (!path || stamp == s->rules_stamp)
		return 0;
	s->rules_stamp = stamp;
	rc = explain_load(path, &rules, reterr);
	if (rc < 0)
		return rc;
	*ret_changed = true;
	s->rules_pending = explain_hash(rules) != explain_hash(s->rules) || s->rules_pending;
	s->rules_at = 0;
	explain_free(s->rules);
	s->rules = rules;
	return 0;
}

static int write_again(
	struct store *s, int64_t id, const struct explain_result *why, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_CLUSTER_AGAIN, reterr);

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, id);
	bind_why(stmt, 2, why, str_of(why->rule_name));
	return db_run(&s->db, stmt, reterr);
}

/* One row of CLUSTER_AFTER, its reply put together again. */
static int explain_again(struct store *s, sqlite3_stmt *row, struct mt_error *reterr)
{
	struct explain_query q = {.key = sqlite3_column_int64(row, 2),
		.stage = (enum smtp_stage)sqlite3_column_int(row, 3),
		.host = column_str(row, 4)};
	struct explain_result why;

	buf_clear(&s->template_buf);
	if (reply_join(column_str(row, 1), column_str(row, 5), &s->template_buf) < 0)
		return mt_error_set(reterr, MT_ENOMEM, "cache: no memory for a reply text");
	q.text = buf_str(&s->template_buf);
	explain(s->rules, &q, &why);
	return write_again(s, sqlite3_column_int64(row, 0), &why, reterr);
}

static int one_slice(struct store *s, int max_rows, bool *ret_more, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_CLUSTER_AFTER, reterr);
	int rc, n = 0;

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, s->rules_at);
	bind_int(stmt, 2, max_rows);
	while ((rc = db_row(&s->db, stmt, reterr)) > 0) {
		s->rules_at = sqlite3_column_int64(stmt, 0);
		n++;
		rc = explain_again(s, stmt, reterr);
		if (rc < 0) {
			sqlite3_reset(stmt);
			return rc;
		}
	}
	*ret_more = rc == 0 && n == max_rows;
	if (rc == 0 && !*ret_more)
		rc = meta_set_int(s, RULES_META, (int64_t)explain_hash(s->rules), reterr);
	return rc;
}

int store_explain_again(struct store *s, int max_rows, bool *ret_more, struct mt_error *reterr)
{
	struct mt_error local;
	int rc;

	reterr = reterr ? reterr : &local;
	*ret_more = false;
	if (!s->rules_pending)
		return 0;
	rc = txn_begin(s, reterr);
	if (rc < 0)
		return rc;
	rc = txn_end(s, one_slice(s, max_rows, ret_more, reterr), reterr);
	if (rc < 0)
		s->rules_at = 0;
	else
		s->rules_pending = *ret_more;
	return rc;
}
