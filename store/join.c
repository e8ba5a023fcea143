/* SPDX-License-Identifier: MIT */
/*
 * join - a message's life from its lines: received, message-id, queued, held, removed.
 *
 * RECEIVED and RECIPIENTS are counted in the minute of the message's first line (t_ms), so that they
 * can be taken back exactly when it turns out to be no new message.
 */
#include "store/writer.h"

#include "store/reply.h"

#define SAME_MESSAGE_MS 60000 /* cleanup, smtpd and qmgr lines of one arrival in disorder */
#define LATE_LINE_MS 10000 /* a line logged after its message's "removed" */
#define DOMAIN_MAX_BYTES 255 /* RFC 1035 */

int join_id(struct store *s, const struct at *at, enum dict_kind kind, struct str text,
	int32_t *ret, struct mt_error *reterr)
{
	return intern_id(&s->dict, &s->db, kind, text, at->day, ret, reterr);
}

int join_domain(struct store *s, const struct at *at, struct str address, struct str *ret_local,
	int32_t *ret, struct mt_error *reterr)
{
	size_t split = str_rfind_char(address, '@');
	struct str domain = str_first(str_skip(address, split + 1), DOMAIN_MAX_BYTES);
	char lower[DOMAIN_MAX_BYTES + 1];

	*ret = 0;
	*ret_local = str_first(address, split);
	if (domain.n == 0) {
		*ret_local = address;
		return 0;
	}
	for (size_t i = 0; i < domain.n; i++) {
		char c = domain.p[i];

		lower[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
	}
	return join_id(s, at, DICT_DOMAIN, (struct str){lower, domain.n}, ret, reterr);
}

int join_reply(struct store *s, const struct at *at, struct str text, int32_t *ret,
	struct str *ret_args, struct mt_error *reterr)
{
	*ret = 0;
	*ret_args = (struct str){NULL, 0};
	if (text.n == 0)
		return 0;
	text = str_first(text, DICT_TEXT_MAX_BYTES);
	if (reply_split(text, &s->template_buf, &s->args_buf) < 0)
		return mt_error_set(reterr, MT_ENOMEM, "cache: no memory for a reply text");
	if (s->args_buf.n)
		*ret_args = batch_str(s, buf_str(&s->args_buf));
	return join_id(s, at, DICT_REPLY, buf_str(&s->template_buf), ret, reterr);
}

int join_client(struct store *s, const struct at *at, const struct event *e, int32_t *ret,
	struct mt_error *reterr)
{
	struct buf *b = &s->args_buf;

	*ret = 0;
	if (!e->client_host.n && !e->client_ip.n)
		return 0;
	buf_clear(b);
	buf_add_str(b, e->client_host);
	if (e->client_ip.n) {
		buf_add_char(b, '[');
		buf_add_str(b, e->client_ip);
		buf_add_char(b, ']');
	}
	return join_id(s, at, DICT_CLIENT, buf_str(b), ret, reterr);
}

bool join_is_loopback(struct str ip)
{
	return str_starts(ip, STR_LIT("127.")) || str_eq(ip, STR_LIT("::1"));
}

static bool counted(const struct message *m)
{
	return !(m->flags & MESSAGE_NOT_COUNTED);
}

static bool by_listener(const struct message *m)
{
	return (m->bits & BIT_STARTED) && !(m->flags & MESSAGE_LOCAL) && m->service;
}

static void count(struct store *s, const struct message *m, enum bucket_dim dim, int64_t key,
	enum metric metric, int64_t n)
{
	count_add(&s->counts, m->provider, count_minute(m->t_ms), dim, key, metric, n);
}

void join_count_received(struct store *s, struct message *m, int64_t sign)
{
	count(s, m, DIM_TOTAL, 0, METRIC_RECEIVED, sign);
	if (by_listener(m))
		count(s, m, DIM_SERVICE, m->service, METRIC_RECEIVED, sign);
	if (m->bits & BIT_FROM)
		count(s, m, DIM_SENDER, m->from_dom, METRIC_RECEIVED, sign);
}

void join_count_recipients(struct store *s, struct message *m, int64_t sign)
{
	if (m->nrcpt > 0)
		count(s, m, DIM_TOTAL, 0, METRIC_RECIPIENTS, sign * m->nrcpt);
}

/* Is this arrival line about the open message of that id, or does the id come back? */
static bool same_arrival(const struct message *m, const struct at *at)
{
	int64_t apart = at->t_ms > m->t_ms ? at->t_ms - m->t_ms : m->t_ms - at->t_ms;

	if (m->bits & BIT_STARTED)
		return false;
	if ((m->flags & MESSAGE_NO_START) && m->nsent + m->nbounced + m->ndeferred > 0)
		return false;
	return apart <= SAME_MESSAGE_MS;
}

static int set_client(struct store *s, const struct at *at, struct message *m,
	const struct event *e, struct mt_error *reterr)
{
	int rc = join_client(s, at, e, &m->client, reterr);

	if (rc == 0)
		rc = join_id(s, at, DICT_USER, e->sasl_user, &m->user, reterr);
	m->service = at->service;
	m->bits |= BIT_STARTED;
	if (e->client_ip.n)
		m->ip_hash = intern_hash(e->client_ip, 0);
	if (join_is_loopback(e->client_ip))
		m->bits |= BIT_LOOPBACK;
	if (str_eq(e->process, STR_LIT("pickup")))
		m->flags |= MESSAGE_LOCAL;
	return rc;
}

/* set_lead - is the arrival at t_ms the first of all that were read? It is noted then. */
static bool set_lead(struct message *m, int64_t t_ms)
{
	int64_t lead_ms = m->t_ms - t_ms;

	if (lead_ms <= m->lead_ms || lead_ms > INT32_MAX)
		return false;
	m->lead_ms = (int32_t)lead_ms;
	return true;
}

/*
 * late_start - a message whose outcome was read before its arrival: they stand in different logs, which are written out
 * at different times.
 */
static struct message *late_start(struct store *s, const struct at *at, const struct event *e)
{
	struct message *m = message_recent(s, at->p->id, at->host, e->queue_id);

	if (!m || (m->bits & BIT_STARTED))
		return NULL;
	message_reopen(s, m);
	(void)set_lead(m, at->t_ms);
	return m;
}

static int received(struct store *s, struct at *at, const struct event *e, struct mt_error *reterr)
{
	int rc = 0;
	struct message *m = message_open(s, at->p->id, at->host, e->queue_id, &rc, reterr);

	if (rc < 0)
		return rc;
	if (e->lasting_id && !m)
		m = late_start(s, at, e);
	if (e->lasting_id && m && (m->bits & BIT_STARTED))
		return 0;
	if (m && !e->lasting_id && !same_arrival(m, at)) {
		message_close(s, m, at->t_ms);
		m = NULL;
	}
	if (!m) {
		m = message_new(s, at, e->queue_id);
		rc = set_client(s, at, m, e, reterr);
		join_count_received(s, m, 1);
	} else if (m->flags & MESSAGE_NO_START) {
		m->flags &= (uint16_t)~MESSAGE_NO_START;
		rc = set_client(s, at, m, e, reterr);
		if (counted(m)) {
			join_count_received(s, m, 1);
			join_count_recipients(s, m, 1);
		}
	} else {
		if (counted(m))
			join_count_received(s, m, -1);
		rc = set_client(s, at, m, e, reterr);
		if (counted(m))
			join_count_received(s, m, 1);
	}
	message_dirty(s, m);
	service_seen(s, at->p, at->service, e->service);
	session_received(s, at, e);
	if (rc == 0 && e->orig_queue_id.n)
		rc = link_origin(s, at, m, e, reterr);
	link_piped_child(s, m);
	return rc;
}

/* A line logged just after the message's "removed" still belongs to it. */
static struct message *late_target(struct store *s, const struct at *at, struct str qid)
{
	struct message *m = message_recent(s, at->p->id, at->host, qid);

	return m && m->end_ms && at->t_ms <= m->end_ms + LATE_LINE_MS ? m : NULL;
}

int join_find_or_open(struct store *s, struct at *at, struct str qid, struct message **ret,
	struct mt_error *reterr)
{
	int rc = 0;
	struct message *m = message_open(s, at->p->id, at->host, qid, &rc, reterr);

	if (rc < 0)
		return rc;
	if (!m)
		m = late_target(s, at, qid);
	if (!m) {
		m = message_new(s, at, qid);
		m->flags |= MESSAGE_NO_START;
	}
	message_dirty(s, m);
	*ret = m;
	return 0;
}

static int set_message_id(struct store *s, const struct at *at, struct message *m, struct str mid,
	struct mt_error *reterr)
{
	struct message_text *text = message_text(s, m);
	size_t split = str_rfind_char(mid, '@');

	if (!text)
		return mt_error_set(reterr, MT_ENOMEM, "cache: the batch is too large");
	message_dirty(s, m);
	m->bits |= BIT_MID;
	m->mid_hash = mid.n ? intern_hash(mid, 0) : 0;
	if (split + 1 >= mid.n)
		split = mid.n;
	text->mid_local = batch_str(s, str_first(mid, split));
	if (!str_present(text->mid_local))
		text->mid_local = (struct str){"", 0};
	return join_id(s, at, DICT_DOMAIN, str_skip(mid, split + 1), &m->mid_dom, reterr);
}

/* Another message-id for an id that has been through the queue: the id came back, without client= line. */
static bool other_message(const struct message *m, const struct event *e)
{
	return (m->bits & BIT_MID) && m->runs > 0 &&
	       m->mid_hash != (e->message_id.n ? intern_hash(e->message_id, 0) : 0);
}

static int message_id(
	struct store *s, struct at *at, const struct event *e, struct mt_error *reterr)
{
	int rc = 0;
	struct message *m = message_open(s, at->p->id, at->host, e->queue_id, &rc, reterr);

	if (rc < 0)
		return rc;
	if (m && other_message(m, e)) {
		message_close(s, m, at->t_ms);
		m = NULL;
	}
	if (!m) {
		struct message *late = late_target(s, at, e->queue_id);

		m = late && !(late->bits & BIT_MID) ? late : NULL;
	}
	if (!m) {
		m = message_new(s, at, e->queue_id);
		join_count_received(s, m, 1);
	}
	if (!(m->bits & BIT_MID))
		rc = set_message_id(s, at, m, e->message_id, reterr);
	link_piped_child(s, m);
	return rc;
}

static int set_sender(struct store *s, const struct at *at, struct message *m, struct str from,
	struct mt_error *reterr)
{
	struct message_text *text = message_text(s, m);
	struct str local;
	int rc;

	if (!text)
		return mt_error_set(reterr, MT_ENOMEM, "cache: the batch is too large");
	rc = join_domain(s, at, from, &local, &m->from_dom, reterr);
	text->from_local = local.n ? batch_str(s, local) : (struct str){"", 0};
	m->bits |= BIT_FROM;
	if (counted(m))
		count(s, m, DIM_SENDER, m->from_dom, METRIC_RECEIVED, 1);
	return rc;
}

/*
 * correct_recipients - of a message whose number is known it is told anew: a group became its members, or the first arrival is
 * read after one at a further server.
 */
static void correct_recipients(
	struct store *s, const struct at *at, struct message *m, const struct event *e)
{
	int32_t more = e->more_rcpt;

	if (m->nrcpt < 0)
		return;
	if (more == 0 && e->lasting_id && e->nrcpt >= 0 && set_lead(m, at->t_ms))
		more = e->nrcpt - m->nrcpt;
	if (more == 0 || (more > 0 && m->nrcpt > INT32_MAX - more))
		return;
	m->nrcpt += more;
	message_dirty(s, m);
	if (counted(m))
		count(s, m, DIM_TOTAL, 0, METRIC_RECIPIENTS, more);
}

static int queued(struct store *s, struct at *at, const struct event *e, struct mt_error *reterr)
{
	struct message *m = NULL;
	int rc = join_find_or_open(s, at, e->queue_id, &m, reterr);

	if (rc < 0)
		return rc;
	if (m->runs < INT32_MAX && !(e->runless && m->runs > 0))
		m->runs++;
	depth_touch(s, m);
	if (m->size_bytes < 0)
		m->size_bytes = e->size_bytes;
	correct_recipients(s, at, m, e);
	if (m->nrcpt < 0 && e->nrcpt >= 0) {
		m->nrcpt = e->nrcpt;
		if (counted(m))
			join_count_recipients(s, m, 1);
	}
	if (!(m->bits & BIT_FROM) && str_present(e->from))
		rc = set_sender(s, at, m, e->from, reterr);
	if (e->settles && m->nrcpt >= 0 && m->nsent + m->nbounced > 0 &&
		m->nsent + m->nbounced >= m->nrcpt && !m->end_ms)
		message_close(s, m, at->t_ms);
	return rc;
}

/* The log did not say how many recipients it had: all are settled now. */
static void settle_recipients(struct store *s, struct message *m)
{
	if (m->nsent + m->nbounced == 0)
		return;
	m->nrcpt = m->nsent + m->nbounced;
	if (counted(m))
		join_count_recipients(s, m, 1);
}

static int removed(struct store *s, struct at *at, const struct event *e, struct mt_error *reterr)
{
	int rc = 0;
	struct message *m = message_open(s, at->p->id, at->host, e->queue_id, &rc, reterr);

	if (!m)
		return rc;
	if (e->forced || str_eq(e->process, STR_LIT("postsuper")))
		m->flags |= MESSAGE_DELETED;
	else if (e->runless && m->nrcpt < 0)
		settle_recipients(s, m);
	message_close(s, m, at->t_ms);
	return 0;
}

static int held(struct store *s, struct at *at, const struct event *e, struct mt_error *reterr)
{
	struct message *m = NULL;
	int rc = e->queue_id.n ? join_find_or_open(s, at, e->queue_id, &m, reterr) : 0;

	if (e->action == REJECT_HOLD)
		count_add(&s->counts, at->p->id, at->minute, DIM_TOTAL, 0, METRIC_HELD, 1);
	if (m && e->action == REJECT_HOLD)
		m->flags |= MESSAGE_HELD;
	else if (m)
		m->flags &= (uint16_t)~MESSAGE_HELD;
	if (m)
		depth_touch(s, m);
	return rc;
}

/* left_before - a message of a lasting id that has left its first server already: an arrival is its next hop. */
static struct message *left_before(struct store *s, const struct at *at, const struct event *e)
{
	struct message *m =
		e->lasting_id ? message_recent(s, at->p->id, at->host, e->queue_id) : NULL;

	return m && m->end_ms && (m->bits & BIT_STARTED) ? m : NULL;
}

int join_event(struct store *s, struct at *at, const struct event *e, struct mt_error *reterr)
{
	struct message *left;

	if (e->kind == EVENT_HOLD)
		return held(s, at, e, reterr);
	if (e->queue_id.n == 0)
		return 0;
	left = e->kind == EVENT_REMOVED ? NULL : left_before(s, at, e);
	if (left && e->kind == EVENT_QUEUED)
		correct_recipients(s, at, left, e);
	if (left)
		return 0;
	if (e->kind == EVENT_RECEIVED)
		return received(s, at, e, reterr);
	if (e->kind == EVENT_MESSAGE_ID)
		return message_id(s, at, e, reterr);
	if (e->kind == EVENT_QUEUED)
		return queued(s, at, e, reterr);
	if (e->kind == EVENT_REMOVED)
		return removed(s, at, e, reterr);
	return 0;
}
