/* SPDX-License-Identifier: MIT */
/*
 * api_event - events of a vendor as messages, attempts and notes, each once by the vendor's id.
 *
 * Counters count them; here they are counted under their reply codes alone, which no counter tells. A vendor's message
 * is never open: it is in no queue of ours.
 */
#include "store/api_private.h"

#include "store/base/mem.h"

#include <stdlib.h>

#define SEED_EVENT 1 /* events and messages share table api_id */
#define SEED_MESSAGE 2
#define NOTE_TEXT_MAX_BYTES 2048

/* One event on its way into the batch. */
struct taking {
	struct store *s;
	struct at at;
	const struct api_event *e;
	uint64_t hash;
	struct mt_error *reterr;
};

struct key {
	uint64_t hash;
	int64_t provider;
};

static struct str key_bytes(const struct key *k)
{
	return (struct str){(const char *)k, sizeof(*k)};
}

/* The row an id stands for; *ret_found. In the batch: an attempt's or message's address or id. */
static int stored_id(struct taking *t, uint64_t hash, bool *ret_found, int64_t *ret)
{
	sqlite3_stmt *stmt = db_stmt(&t->s->db, SQL_API_ID_GET, t->reterr);

	if (!stmt)
		return (int)t->reterr->code;
	txn_look(t->s);
	bind_int(stmt, 1, t->at.p->id);
	bind_int(stmt, 2, (int64_t)hash);
	return db_int(&t->s->db, stmt, -1, ret, t->reterr) < 0 ? (int)t->reterr->code
							       : ((*ret_found = *ret >= 0), 0);
}

/* Is it in the batch that another thread writes just now? *ret: what stands for it there. */
static bool on_its_way(const struct taking *t, const struct key *k, uint64_t *ret)
{
	const struct batch *b = behind_batch(t->s);

	return b && map_get(&b->api_seen, key_bytes(k), ret);
}

static int remember(struct taking *t, uint64_t hash, int64_t id)
{
	struct api_seen *seen = vec_add(&t->s->batch.api_ids);

	*seen = (struct api_seen){hash, id, t->at.p->id, t->at.day};
	return 0;
}

static enum event_status status_of(enum api_event_kind kind)
{
	return kind == API_EVENT_DELIVERED    ? STATUS_SENT
	       : kind == API_EVENT_DEFERRED   ? STATUS_DEFERRED
	       : kind == API_EVENT_BOUNCED    ? STATUS_BOUNCED
	       : kind == API_EVENT_SUPPRESSED ? STATUS_SUPPRESSED
					      : STATUS_NONE;
}

static int metric_of(enum event_status status)
{
	return status == STATUS_SENT       ? METRIC_SENT
	       : status == STATUS_DEFERRED ? METRIC_DEFERRED
	       : status == STATUS_BOUNCED  ? METRIC_BOUNCED
					   : -1;
}

static void count_code(struct taking *t, const struct attempt *a, int64_t n)
{
	int metric = metric_of((enum event_status)a->status);

	if (metric >= 0 && metric != METRIC_SENT)
		count_add(&t->s->counts, a->provider, count_minute(a->t_ms), DIM_CODE,
			code_key(a->dsn, a->code), (enum metric)metric, n);
}

static void tally(struct message *m, int32_t status, int n)
{
	if (status == STATUS_SENT)
		m->nsent += n;
	else if (status == STATUS_DEFERRED)
		m->ndeferred += n;
	else if (status == STATUS_BOUNCED || status == STATUS_SUPPRESSED)
		m->nbounced += n;
}

/* The message of an id while it is in memory. */
static struct message *in_memory(struct taking *t, int64_t id)
{
	struct message *m = t->s->messages.recent[id % RECENT_IDS];

	return m && m->id == id && !(m->bits & BIT_LOST) ? m : NULL;
}

/* A message got another attempt, or one of its attempts another end (n = -1 takes the old one back). */
static int tell_message(struct taking *t, int64_t id, int32_t status, int n)
{
	struct message *m = in_memory(t, id), delta = {0};
	struct tally_op *op;

	if (m) {
		tally(m, status, n);
		m->end_ms = t->at.t_ms > m->end_ms ? t->at.t_ms : m->end_ms;
		message_dirty(t->s, m);
		return 0;
	}
	op = api_op(t->s, t->at.p->id, OP_TALLY, sizeof(*op), t->reterr);
	if (!op)
		return (int)t->reterr->code;
	tally(&delta, status, n);
	*op = (struct tally_op){id, t->at.t_ms, delta.nsent, delta.nbounced, delta.ndeferred};
	return 0;
}

static int set_header_id(struct taking *t, struct message *m, struct message_text *text)
{
	struct str mid = t->e->header_id;
	size_t split = str_rfind_char(mid, '@');

	if (mid.n == 0)
		return 0;
	if (split + 1 >= mid.n)
		split = mid.n;
	text->mid_local = batch_str(t->s, str_first(mid, split));
	return join_id(t->s, &t->at, DICT_DOMAIN, str_skip(mid, split + 1), &m->mid_dom, t->reterr);
}

static int new_message(struct taking *t, int64_t *ret_id)
{
	const struct api_event *e = t->e;
	struct message *m = message_new_closed(t->s, &t->at, e->message.n ? e->message : e->id);
	struct message_text *text = message_text(t->s, m);
	struct str local = {"", 0};
	int rc;

	if (!text)
		return mt_error_set(t->reterr, MT_ENOMEM, "cache: the batch is too large");
	*ret_id = m->id;
	m->size_bytes = e->size_bytes;
	rc = set_header_id(t, m, text);
	if (rc == 0)
		rc = join_id(t->s, &t->at, DICT_USER, e->user, &m->user, t->reterr);
	if (rc < 0 || !str_present(e->sender))
		return rc;
	rc = join_domain(t->s, &t->at, e->sender, &local, &m->from_dom, t->reterr);
	text->from_local = local.n ? batch_str(t->s, local) : (struct str){"", 0};
	return rc;
}

static int note(
	struct taking *t, int64_t message, uint64_t hash, enum api_event_kind kind, struct str text)
{
	struct note_op *op = api_op(t->s, t->at.p->id, OP_NOTE, sizeof(*op), t->reterr);

	if (!op)
		return (int)t->reterr->code;
	*op = (struct note_op){message, t->at.t_ms, hash, kind,
		batch_str(t->s, str_first(text, NOTE_TEXT_MAX_BYTES))};
	return 0;
}

/* The message an event belongs to, made when it is new. */
static int message_of(struct taking *t, int64_t *ret_id)
{
	struct str id = t->e->message.n ? t->e->message : t->e->id;
	struct key key = {intern_hash(id, SEED_MESSAGE), t->at.p->id};
	uint64_t *seen, ahead = 0;
	bool fresh, found = false;
	int rc;

	seen = map_ref(&t->s->batch.api_seen, key_bytes(&key), &fresh);
	if (!fresh) {
		*ret_id = (int64_t)*seen;
		return 0;
	}
	if (on_its_way(t, &key, &ahead)) {
		*ret_id = (int64_t)ahead;
		*map_ref(&t->s->batch.api_seen, key_bytes(&key), NULL) = ahead;
		return 0;
	}
	rc = stored_id(t, key.hash, &found, ret_id);
	if (rc == 0 && !found) {
		rc = new_message(t, ret_id);
		if (rc == 0)
			rc = remember(t, key.hash, *ret_id);
		if (rc == 0 && t->e->subject.n)
			rc = note(t, *ret_id, key.hash, API_EVENT_OTHER, t->e->subject);
	}
	if (rc < 0)
		return rc;
	*map_ref(&t->s->batch.api_seen, key_bytes(&key), NULL) = (uint64_t)*ret_id;
	return 0;
}

static int fill(struct taking *t, struct attempt *a)
{
	const struct api_event *e = t->e;
	struct str local;
	int rc = join_domain(t->s, &t->at, e->rcpt, &local, &a->dom, t->reterr);

	a->provider = t->at.p->id;
	a->t_ms = t->at.t_ms;
	a->status = (int32_t)status_of(e->kind);
	a->rcpt = local.n ? batch_str(t->s, local) : (struct str){"", 0};
	a->dsn = e->dsn;
	a->code = e->code >= 200 && e->code <= 599 ? e->code : EVENT_UNKNOWN;
	a->run = e->attempt > 0 ? e->attempt : 0;
	for (int i = 0; i < DELAY__COUNT; i++)
		a->delay_cs[i] = EVENT_UNKNOWN;
	if (e->session_ms >= 0 && e->session_ms / 10 <= DELAY_MAX_CS)
		a->delay_cs[DELAY_D] = (int32_t)(e->session_ms / 10);
	if (rc == 0)
		rc = join_id(t->s, &t->at, DICT_RELAY, e->relay, &a->relay, t->reterr);
	if (rc == 0)
		rc = join_id(t->s, &t->at, DICT_SERVICE, e->egress, &a->egress, t->reterr);
	return rc < 0 ? rc : join_reply(t->s, &t->at, e->reply, &a->reply, &a->args, t->reterr);
}

static struct attempt *new_attempt(struct taking *t)
{
	struct attempt *a = arena_alloc(&t->s->batch.arena, sizeof(*a));

	if (!a) {
		mt_error_set(t->reterr, MT_ENOMEM, "cache: the batch is too large");
		return NULL;
	}
	*a = (struct attempt){0};
	return a;
}

static int first_time(struct taking *t, struct attempt **ret)
{
	struct attempt *a = new_attempt(t);
	int64_t message = 0;
	int rc = a ? message_of(t, &message) : (int)t->reterr->code;

	*ret = NULL;
	if (rc < 0)
		return rc;
	if (status_of(t->e->kind) == STATUS_NONE) {
		rc = note(t, message, t->hash, t->e->kind, t->e->reply);
		return rc < 0 ? rc : remember(t, t->hash, 0);
	}
	a->message = message;
	rc = fill(t, a);
	if (rc < 0)
		return rc;
	a->id = t->s->next_attempt++;
	mark_row(t->s, a->provider, a->t_ms, 0, a->id, 0);
	*(struct attempt **)vec_add(&t->s->batch.attempts) = a;
	count_code(t, a, 1);
	rc = cluster_attempt(t->s, &t->at, a, t->e->reply, t->e->relay, t->reterr);
	if (rc == 0)
		rc = remember(t, t->hash, a->id);
	*ret = a;
	return rc < 0 ? rc : tell_message(t, message, a->status, 1);
}

static bool same(const struct attempt *a, const struct attempt *b)
{
	return a->status == b->status && a->t_ms == b->t_ms && a->dsn == b->dsn &&
	       a->code == b->code && a->reply == b->reply && str_eq(a->args, b->args);
}

/* The row as it was before -> as the event says now. */
static int change(struct taking *t, const struct attempt *before, struct attempt *after)
{
	int rc;

	count_code(t, before, -1);
	count_code(t, after, 1);
	cluster_uncount(t->s, before);
	rc = cluster_attempt(t->s, &t->at, after, t->e->reply, t->e->relay, t->reterr);
	if (rc < 0)
		return rc;
	mark_row(t->s, after->provider, after->t_ms, 0, after->id, 0);
	rc = tell_message(t, after->message, before->status, -1);
	return rc < 0 ? rc : tell_message(t, after->message, after->status, 1);
}

static int again_in_batch(struct taking *t, struct attempt *a)
{
	struct attempt now = *a;
	int rc = status_of(t->e->kind) == STATUS_NONE ? 1 : fill(t, &now);

	if (rc != 0 || same(a, &now))
		return rc < 0 ? rc : 0;
	rc = change(t, a, &now);
	*a = now;
	return rc;
}

/* *ret: the row when it became another in this batch. */
static int again(struct taking *t, int64_t id, struct attempt **ret)
{
	struct attempt before = {.id = id, .provider = t->at.p->id}, *now;
	sqlite3_stmt *stmt;
	int rc;

	if (id == 0 || status_of(t->e->kind) == STATUS_NONE)
		return 0;
	now = new_attempt(t);
	stmt = now ? db_stmt(&t->s->db, SQL_ATTEMPT_GET, t->reterr) : NULL;
	if (!stmt)
		return (int)t->reterr->code;
	bind_int(stmt, 1, id);
	rc = db_row(&t->s->db, stmt, t->reterr);
	if (rc <= 0)
		return rc; /* pruned meanwhile */
	before.t_ms = sqlite3_column_int64(stmt, 0);
	before.status = sqlite3_column_int(stmt, 1);
	before.dsn = sqlite3_column_int(stmt, 2);
	before.code = sqlite3_column_type(stmt, 3) == SQLITE_NULL ? EVENT_UNKNOWN
								  : sqlite3_column_int(stmt, 3);
	before.reply = sqlite3_column_int(stmt, 4);
	before.args = batch_str(t->s, column_str(stmt, 5));
	before.message = sqlite3_column_int64(stmt, 6);
	sqlite3_reset(stmt);
	rc = cluster_of_row(t->s, &t->at, &before, t->reterr);
	if (rc < 0)
		return rc;
	*now = before;
	rc = fill(t, now);
	if (rc < 0 || same(&before, now))
		return rc;
	rc = change(t, &before, now);
	if (rc == 0) {
		struct attempt **row =
			api_op(t->s, t->at.p->id, OP_ATTEMPT_CHANGED, sizeof(*row), t->reterr);

		if (!row)
			return (int)t->reterr->code;
		*row = *ret = now;
	}
	return rc;
}

static int take(struct taking *t)
{
	struct key key = {t->hash, t->at.p->id};
	struct attempt *a = NULL;
	bool fresh, found = false;
	int64_t id = 0;
	uint64_t *seen = map_ref(&t->s->batch.api_seen, key_bytes(&key), &fresh), ahead;
	int rc = 0;

	if (!fresh) {
		a = (struct attempt *)(uintptr_t)*seen;
		return a ? again_in_batch(t, a) : 0;
	}
	if (on_its_way(t, &key, &ahead)) /* it may have become another: the row is needed */
		rc = behind_wait(t->s, t->reterr);
	if (rc == 0)
		rc = stored_id(t, t->hash, &found, &id);
	if (rc == 0)
		rc = found ? again(t, id, &a) : first_time(t, &a);
	if (rc == 0 && a)
		*map_ref(&t->s->batch.api_seen, key_bytes(&key), NULL) = (uint64_t)(uintptr_t)a;
	else if (rc < 0 || found)
		map_delete(&t->s->batch.api_seen, key_bytes(&key));
	return rc;
}

int store_api_event(
	struct store *s, int provider, const struct api_event *e, struct mt_error *reterr)
{
	struct mt_error local;
	struct taking t = {.s = s, .e = e, .reterr = reterr ? reterr : &local};

	t.at.p = provider_state(s, provider);
	if (!t.at.p)
		return mt_error_set(t.reterr, MT_EINVAL, "cache: no provider %d", provider);
	if ((unsigned)e->kind >= API_EVENT__COUNT || e->id.n == 0)
		return mt_error_set(t.reterr, MT_EINVAL, "cache: an event without identity");
	t.at.t_ms = e->t_ms < TIME_MIN_MS   ? TIME_MIN_MS
		    : e->t_ms > TIME_MAX_MS ? TIME_MAX_MS
					    : e->t_ms;
	t.at.minute = count_minute(t.at.t_ms);
	t.at.day = (int32_t)(t.at.t_ms / MS_PER_DAY);
	t.hash = intern_hash(e->id, SEED_EVENT);
	s->batch.api_rows++;
	return take(&t);
}

static int changed(struct store *s, const struct attempt *a, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_ATTEMPT_CHANGE, reterr);

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, a->id);
	bind_int(stmt, 2, a->t_ms);
	bind_int(stmt, 3, a->status);
	bind_id(stmt, 4, a->dsn);
	bind_known(stmt, 5, a->code);
	bind_id(stmt, 6, a->reply);
	bind_str(stmt, 7, a->args);
	bind_id(stmt, 8, a->relay);
	bind_id(stmt, 9, a->egress);
	bind_id(stmt, 10, a->run);
	return db_run(&s->db, stmt, reterr);
}

static int by_key(const void *left, const void *right)
{
	const struct api_seen *a = left, *b = right;

	if (a->provider != b->provider)
		return a->provider < b->provider ? -1 : 1;
	if ((int64_t)a->hash != (int64_t)b->hash)
		return (int64_t)a->hash < (int64_t)b->hash ? -1 : 1;
	return (a->id > b->id) - (a->id < b->id);
}

/* In order of the key: each page of the table is met once a batch. */
int api_write_ids(struct store *s, struct mt_error *reterr)
{
	struct api_seen *all = s->batch.api_ids.p;
	int rc = 0;

	if (s->batch.api_ids.n)
		qsort(all, s->batch.api_ids.n, sizeof(all[0]), by_key);
	for (size_t i = 0; rc == 0 && i < s->batch.api_ids.n; i++) {
		sqlite3_stmt *stmt = db_stmt(&s->db, SQL_API_ID_PUT, reterr);

		if (!stmt)
			return (int)reterr->code;
		bind_int(stmt, 1, all[i].provider);
		bind_int(stmt, 2, (int64_t)all[i].hash);
		bind_int(stmt, 3, all[i].id);
		bind_int(stmt, 4, all[i].day);
		rc = db_run(&s->db, stmt, reterr);
	}
	return rc;
}

int api_write_event(struct store *s, const struct api_op *op, struct mt_error *reterr)
{
	const struct note_op *text = op->row;
	const struct tally_op *told = op->row;
	enum sql_id id = op->kind == OP_NOTE ? SQL_API_NOTE_PUT : SQL_API_TALLY;
	sqlite3_stmt *stmt;

	if (op->kind == OP_ATTEMPT_CHANGED)
		return changed(s, *(struct attempt *const *)op->row, reterr);
	stmt = db_stmt(&s->db, id, reterr);
	if (!stmt)
		return (int)reterr->code;
	if (op->kind == OP_NOTE) {
		bind_int(stmt, 1, text->message);
		bind_int(stmt, 2, text->t_ms);
		bind_int(stmt, 3, (int64_t)text->hash);
		bind_int(stmt, 4, text->kind);
		bind_str(stmt, 5, text->text);
	} else {
		bind_int(stmt, 1, told->message);
		bind_int(stmt, 2, told->end_ms);
		bind_int(stmt, 3, told->nsent);
		bind_int(stmt, 4, told->nbounced);
		bind_int(stmt, 5, told->ndeferred);
	}
	return db_run(&s->db, stmt, reterr);
}
