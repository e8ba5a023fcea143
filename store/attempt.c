/* SPDX-License-Identifier: MIT */
/*
 * attempt - delivery records and expiries: their rows and all they count.
 *
 * The first attempt of a message, when it is sent at once, goes into the message's own row.
 */
#include "store/writer.h"

#include "store/base/mem.h"

#define MS_PER_CS 10
#define RUN_LATER 2 /* not the first */
#define PORT_NOT_LOGGED (-1) /* a relay whose port the log does not tell */
#define DELAY_EXACT_CS 1000000 /* 10,000 s: longer ones to three significant digits */

/* What one delivery record counts under. */
struct facts {
	struct attempt *a;
	int32_t relay_host, port;
	bool handed, tls;
	enum mx_tls mx_tls;
	int64_t sender; /* -1 unknown */
};

/* As logged: Postfix prints two significant digits up to 100 s, whole seconds above. A message that waits for
 * days makes a bucket of its own at each try; there half a percent is near enough. */
static int64_t delay_key(int64_t cs)
{
	int64_t unit = DELAY_EXACT_CS / 1000;

	if (cs < DELAY_EXACT_CS)
		return cs;
	while (cs / unit >= 1000)
		unit *= 10;
	return (cs + unit / 2) / unit * unit;
}

/* 3.11's tls= value: LEVEL, LEVEL:ACTUAL when less was had, LEVEL? when no connection got that far; features
 * follow a slash. */
static bool tls_field_says_encrypted(struct str tls)
{
	struct str level = str_first(tls, str_find_char(tls, '/'));
	struct str actual = str_skip(level, str_find_char(level, ':') + 1);

	if (actual.n == 0)
		actual = level;
	return level.n > 0 && actual.p[actual.n - 1] != '?' && !str_eq(actual, STR_LIT("none"));
}

/* The hand-shake of the same process since, if it was made with this relay and for this message. */
static const struct tls_out *tls_of_process(
	struct store *s, const struct at *at, const struct message *m, const struct event *e)
{
	struct tls_out *t =
		e->pid > 0 ? tls_out_find(&s->sessions, at->p->id, at->host, e->pid) : NULL;
	uint64_t qid_hash = intern_hash(message_qid(m), 0) | 1;

	if (!t || at->t_ms - t->t_ms > TLS_OUT_MS || t->t_ms - at->t_ms > TLS_OUT_MS)
		return NULL;
	if (t->qid_hash && t->qid_hash != qid_hash)
		return NULL;
	if (t->key.ip_hash && e->relay_ip.n && t->key.ip_hash != intern_hash(e->relay_ip, 0))
		return NULL;
	if (!t->qid_hash) {
		t->qid_hash = qid_hash;
		s->state_dirty = true;
	}
	return t;
}

static enum mx_tls mx_tls_of(const struct tls_out *made, const struct event *e, bool encrypted)
{
	if (e->tls.n && !encrypted)
		return MX_TLS_NONE;
	if (made)
		return made->version ? (enum mx_tls)made->version : MX_TLS_VERSION_UNTOLD;
	if (e->tls.n)
		return mx_tls_version(e->tls);
	return e->conn_use > 1 ? MX_TLS_REUSED : MX_TLS_UNTOLD;
}

static int fill_tls(struct store *s, const struct at *at, const struct message *m,
	const struct event *e, struct facts *f, struct mt_error *reterr)
{
	const struct tls_out *made = tls_of_process(s, at, m, e);

	f->tls = e->tls.n ? tls_field_says_encrypted(e->tls) : made != NULL;
	f->mx_tls = mx_tls_of(made, e, f->tls);
	f->a->tls = made ? made->tls : 0;
	return made || e->tls.n == 0 ? 0 : join_id(s, at, DICT_TLS, e->tls, &f->a->tls, reterr);
}

/* The host is a part of the whole relay= value: looked up once a value. */
static int fill_relay_host(struct store *s, const struct at *at, const struct event *e,
	struct facts *f, struct mt_error *reterr)
{
	int32_t *note = intern_note(&s->dict, DICT_RELAY, f->a->relay);
	int rc;

	if (note && *note) {
		f->relay_host = *note;
		return 0;
	}
	rc = join_id(s, at, DICT_RELAY_HOST, e->relay_host, &f->relay_host, reterr);
	note = intern_note(&s->dict, DICT_RELAY, f->a->relay);
	if (rc == 0 && note)
		*note = f->relay_host;
	return rc;
}

/* What a log without queue runs and delays still tells: was it tried before, and when did it come? */
static void fill_runless(const struct at *at, const struct message *m, struct attempt *a)
{
	bool began = (m->bits & BIT_STARTED) && !(m->flags & MESSAGE_NO_START);
	int64_t cs = (at->t_ms - m->t_ms) / MS_PER_CS;

	a->run = m->ndeferred > 0 || !began ? RUN_LATER : 1;
	if (a->delay_cs[DELAY_TOTAL] < 0 && began && cs >= 0 && cs <= DELAY_MAX_CS)
		a->delay_cs[DELAY_TOTAL] = (int32_t)cs;
}

static int fill(struct store *s, const struct at *at, const struct message *m,
	const struct event *e, struct facts *f, struct mt_error *reterr)
{
	struct attempt *a = f->a;
	struct str local;
	int rc = join_domain(s, at, e->to, &local, &a->dom, reterr);

	a->rcpt = local.n ? batch_str(s, local) : (struct str){"", 0};
	if (e->orig_to.n && !str_eq(e->orig_to, e->to))
		a->orig = batch_str(s, e->orig_to);
	if (rc == 0)
		rc = join_id(s, at, DICT_RELAY, e->relay, &a->relay, reterr);
	if (rc == 0)
		rc = fill_relay_host(s, at, e, f, reterr);
	if (rc == 0)
		rc = join_reply(s, at, e->reply, &a->reply, &a->args, reterr);
	if (rc == 0)
		rc = fill_tls(s, at, m, e, f, reterr);
	a->egress = at->service;
	a->dsn = e->dsn;
	a->code = e->code;
	a->stage = (uint8_t)e->stage;
	a->run = m->runs;
	for (int i = 0; i < DELAY__COUNT; i++)
		a->delay_cs[i] = e->delay_cs[i];
	if (e->runless)
		fill_runless(at, m, a);
	f->port = e->relay_port > 0 ? e->relay_port : e->relay_ip.n ? PORT_NOT_LOGGED : 0;
	f->sender = m->bits & BIT_FROM ? m->from_dom : -1;
	return rc;
}

static void count_outcome(
	struct store *s, const struct at *at, const struct facts *f, enum metric metric)
{
	struct counts *c = &s->counts;
	int provider = at->p->id;

	count_add(c, provider, at->minute, DIM_TOTAL, 0, metric, 1);
	if (f->port != PORT_NOT_LOGGED)
		count_add(c, provider, at->minute, DIM_RELAY_PORT, f->port, metric, 1);
	count_add(c, provider, at->minute, DIM_EGRESS, f->a->egress, metric, 1);
	if (f->relay_host)
		count_add(c, provider, at->minute, DIM_RELAY, f->relay_host, metric, 1);
	if (f->handed)
		return;
	count_add(c, provider, at->minute, DIM_CODE, code_key(f->a->dsn, f->a->code), metric, 1);
	count_add(c, provider, at->minute, DIM_DOMAIN, f->a->dom, metric, 1);
	if (f->sender >= 0)
		count_add(c, provider, at->minute, DIM_SENDER, f->sender, metric, 1);
}

static void count_sent(struct store *s, const struct at *at, const struct facts *f)
{
	struct counts *c = &s->counts;
	int provider = at->p->id;

	if (f->a->run <= 1)
		count_add(c, provider, at->minute, DIM_TOTAL, 0, METRIC_FIRST_TRY, 1);
	if (f->tls) {
		count_add(c, provider, at->minute, DIM_TOTAL, 0, METRIC_TLS_OUT, 1);
		if (f->port != PORT_NOT_LOGGED)
			count_add(c, provider, at->minute, DIM_RELAY_PORT, f->port, METRIC_TLS_OUT,
				1);
	}
	for (int part = 0; part < DELAY__COUNT; part++)
		if (f->a->delay_cs[part] >= 0)
			count_add(c, provider, at->minute,
				(enum bucket_dim)(DIM_DELAY_TOTAL + part),
				delay_key(f->a->delay_cs[part]), METRIC_SENT, 1);
}

static void remember_piped(
	struct store *s, const struct at *at, const struct message *m, const struct facts *f)
{
	const struct attempt *a = f->a;
	struct piped r;

	memset(&r, 0, sizeof(r)); /* it is saved as bytes */
	r.parent = m->id;
	r.attempt = a->id;
	r.t_ms = at->t_ms;
	r.mid_hash = m->mid_hash;
	r.code = code_key(a->dsn, a->code);
	r.provider = m->provider;
	r.dom = a->dom;
	r.relay_host = f->relay_host;
	r.egress = a->egress;
	r.sender = (int32_t)f->sender;
	r.relay_port = f->port;
	r.first_try = a->run <= 1;
	r.tls = f->tls;
	for (int i = 0; i < DELAY__COUNT; i++)
		r.delay_key[i] =
			a->delay_cs[i] >= 0 ? (int32_t)delay_key(a->delay_cs[i]) : EVENT_UNKNOWN;
	link_remember_piped(s, &r);
}

static bool fits_inline(const struct message *m, const struct attempt *a)
{
	return a->status == STATUS_SENT && !(m->bits & BIT_INLINE) && m->runs <= 1 &&
	       m->nsent + m->nbounced + m->ndeferred == 0 && a->t_ms >= m->t_ms &&
	       a->t_ms - m->t_ms <= INLINE_ATTEMPT_MAX_MS;
}

static int keep(struct store *s, struct message *m, struct attempt *a, struct mt_error *reterr)
{
	if (fits_inline(m, a)) {
		struct message_text *text = message_text(s, m);

		if (!text)
			return mt_error_set(reterr, MT_ENOMEM, "cache: the batch is too large");
		text->first = a;
		m->bits |= BIT_INLINE;
		return 0;
	}
	a->id = s->next_attempt++;
	mark_row(s, m->provider, a->t_ms, 0, a->id, 0);
	*(struct attempt **)vec_add(&s->batch.attempts) = a;
	return 0;
}

static struct attempt *new_attempt(struct store *s, const struct at *at, const struct message *m)
{
	struct attempt *a = arena_alloc(&s->batch.arena, sizeof(*a));

	if (a)
		*a = (struct attempt){.message = m->id, .provider = m->provider, .t_ms = at->t_ms};
	return a;
}

/* A probe of verify(8) is no mail: out of the totals with it. */
static void probe(struct store *s, const struct at *at, const struct event *e)
{
	struct message *m = message_recent(s, at->p->id, at->host, e->queue_id);

	if (m && !(m->flags & MESSAGE_PROBE))
		link_uncount(s, m, MESSAGE_PROBE);
}

static bool is_probe(const struct event *e)
{
	return e->status == STATUS_DELIVERABLE || e->status == STATUS_UNDELIVERABLE ||
	       str_starts(e->status_text, STR_LIT("undeliverable")) ||
	       str_starts(e->status_text, STR_LIT("deliverable"));
}

static int tell_mx(struct store *s, const struct at *at, const struct message *m,
	const struct event *e, const struct facts *f, struct mt_error *reterr)
{
	struct mx_record r = {.status = (enum event_status)f->a->status,
		.relay_host = f->relay_host,
		.dom = f->a->dom,
		.pid = e->pid,
		.connect_cs = f->a->delay_cs[DELAY_C],
		.qid_hash = intern_hash(message_qid(m), (uint64_t)m->runs) | 1,
		.tls = f->mx_tls,
		.network = e->relay_ip.n > 0,
		.reused = e->conn_use > 1};

	return f->handed ? 0 : mx_attempt(s, at, e, &r, reterr);
}

static void tally(struct store *s, const struct at *at, struct message *m, const struct event *e,
	const struct facts *f)
{
	switch (f->a->status) {
	case STATUS_SENT:
		count_outcome(s, at, f, f->handed ? METRIC_HANDED_OVER : METRIC_SENT);
		if (!f->handed) {
			count_sent(s, at, f);
			egress_count(s, at, e, f->relay_host, METRIC_SENT);
		}
		m->nsent += !e->hop;
		break;
	case STATUS_DEFERRED:
		count_outcome(s, at, f, METRIC_DEFERRED);
		egress_count(s, at, e, f->relay_host, METRIC_DEFERRED);
		m->ndeferred++;
		depth_touch(s, m);
		break;
	case STATUS_BOUNCED:
		count_outcome(s, at, f, METRIC_BOUNCED);
		egress_count(s, at, e, f->relay_host, METRIC_BOUNCED);
		m->nbounced++;
		break;
	default: /* a word we do not know: kept as a row, in no total */
		break;
	}
}

/*
 * settled - is nothing of the message left here, of an MTA that does not say so? Those handed on at once may have been
 * told of as delivered already, by the server they went to.
 */
static bool settled(const struct message *m, const struct event *e)
{
	int32_t sent = e->hop && e->nrcpt > m->nsent ? e->nrcpt : m->nsent;

	return sent + m->nbounced > 0 && (m->nrcpt < 0 || sent + m->nbounced >= m->nrcpt);
}

int attempt_event(struct store *s, struct at *at, const struct event *e, struct mt_error *reterr)
{
	struct message *m = NULL;
	struct facts f = {0};
	int rc;

	if (e->queue_id.n == 0)
		return 0;
	if (is_probe(e)) {
		probe(s, at, e);
		return 0;
	}
	rc = join_find_or_open(s, at, e->queue_id, &m, reterr);
	if (rc < 0)
		return rc;
	f.a = new_attempt(s, at, m);
	if (!f.a)
		return mt_error_set(reterr, MT_ENOMEM, "cache: the batch is too large");
	f.a->status = e->status == STATUS_NONE ? STATUS_OTHER : (int32_t)e->status;
	rc = fill(s, at, m, e, &f, reterr);
	if (rc < 0)
		return rc;
	f.handed = e->status == STATUS_SENT && (e->hop || link_sent(s, at, m, e));
	f.a->flags = f.handed;
	rc = keep(s, m, f.a, reterr);
	tally(s, at, m, e, &f);
	if (rc == 0)
		rc = cluster_attempt(s, at, f.a, e->reply, e->relay, reterr);
	if (rc == 0)
		rc = tell_mx(s, at, m, e, &f, reterr);
	/* one that had left had more recipients than its arrival said: an alias has. A late line of another server is no such. */
	if (e->settles && f.a->status == STATUS_DEFERRED && at->t_ms >= m->end_ms)
		message_reopen(s, m);
	else if (e->settles && !m->end_ms && settled(m, e))
		message_close(s, m, at->t_ms);
	if (e->status == STATUS_SENT && !f.handed && m->mid_hash &&
		str_eq(e->process, STR_LIT("pipe")))
		remember_piped(s, at, m, &f);
	return rc;
}

/* The newest deferral of a message in a batch, if it has one. */
static const struct attempt *deferred_in(const struct batch *b, int64_t message)
{
	struct attempt *const *all = b->attempts.p;

	for (size_t i = b->attempts.n; i-- > 0;)
		if (all[i]->message == message && all[i]->status == STATUS_DEFERRED)
			return all[i];
	return NULL;
}

/* The recipient an expired message was last deferred for: in this batch, in the one on its way, else in the cache. */
static int last_deferred(
	struct store *s, const struct message *m, struct attempt *out, struct mt_error *reterr)
{
	const struct batch *behind = behind_batch(s);
	const struct attempt *last = deferred_in(&s->batch, m->id);
	sqlite3_stmt *stmt;
	int rc;

	if (!last && behind)
		last = deferred_in(behind, m->id);
	if (last) {
		out->rcpt = batch_str(s, last->rcpt);
		out->dom = last->dom;
		out->dsn = last->dsn;
		out->code = last->code;
		out->reply = last->reply;
		out->args = batch_str(s, last->args);
		out->relay = last->relay;
		return 0;
	}
	stmt = db_stmt(&s->db, SQL_ATTEMPT_LAST_DEFERRED, reterr);
	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, m->id);
	rc = db_row(&s->db, stmt, reterr);
	if (rc <= 0)
		return rc;
	out->rcpt = batch_str(s, column_str(stmt, 0));
	out->dom = sqlite3_column_int(stmt, 1);
	out->dsn = sqlite3_column_int(stmt, 2);
	out->code = sqlite3_column_type(stmt, 3) == SQLITE_NULL ? EVENT_UNKNOWN
								: sqlite3_column_int(stmt, 3);
	out->reply = sqlite3_column_int(stmt, 4);
	out->args = batch_str(s, column_str(stmt, 5));
	out->relay = sqlite3_column_int(stmt, 6);
	sqlite3_reset(stmt);
	return 0;
}

int expired_event(struct store *s, struct at *at, const struct event *e, struct mt_error *reterr)
{
	struct message *m = NULL;
	struct attempt *a;
	int64_t pending;
	int rc;

	if (e->queue_id.n == 0)
		return 0;
	rc = join_find_or_open(s, at, e->queue_id, &m, reterr);
	if (rc < 0 || (m->flags & MESSAGE_EXPIRED))
		return rc;
	m->flags |= MESSAGE_EXPIRED;
	pending = m->nrcpt >= 0 ? m->nrcpt - m->nsent - m->nbounced : 0;
	count_add(&s->counts, at->p->id, at->minute, DIM_TOTAL, 0, METRIC_EXPIRED, 1);
	if (pending > 0)
		count_add(&s->counts, at->p->id, at->minute, DIM_TOTAL, 0,
			METRIC_EXPIRED_RECIPIENTS, pending);
	a = new_attempt(s, at, m);
	if (!a)
		return mt_error_set(reterr, MT_ENOMEM, "cache: the batch is too large");
	a->status = STATUS_EXPIRED;
	a->rcpt = (struct str){"", 0};
	a->code = EVENT_UNKNOWN;
	a->run = m->runs;
	a->egress = at->service;
	for (int i = 0; i < DELAY__COUNT; i++)
		a->delay_cs[i] = EVENT_UNKNOWN;
	rc = m->ndeferred ? last_deferred(s, m, a, reterr) : 0;
	return rc < 0 ? rc : keep(s, m, a, reterr);
}
