/* SPDX-License-Identifier: MIT */
/*
 * link - one message under several queue ids: content filters, forwards, notifications.
 *
 * A child that is only its parent again is taken out of RECEIVED and RECIPIENTS, and the parent's
 * "sent" that brought it about is a hand-over. Evidence is needed for each link: a remote server's
 * "queued as X" where X happens to be an id here must stay a delivery.
 */
#include "store/writer.h"

#define DISORDER_MS 5000 /* lines of several processes about one hand-over */
#define PIPE_LATER_MS 60000 /* pickup(8) after a pipe(8) filter said sent */
#define NOTICE_MS 60000 /* bounce(8)'s line and the notice's own first line */

void link_uncount(struct store *s, struct message *m, enum message_flag flag)
{
	if (!(m->flags & MESSAGE_NOT_COUNTED)) {
		join_count_received(s, m, -1);
		join_count_recipients(s, m, -1);
	}
	m->flags |= (uint16_t)flag;
	depth_touch(s, m);
	message_dirty(s, m);
}

static void adopt(struct store *s, int64_t parent, struct message *child, enum message_flag flag)
{
	if (!(child->flags & flag))
		link_uncount(s, child, flag);
	if (!child->parent) {
		child->parent = parent;
		message_dirty(s, child);
	}
}

int link_origin(struct store *s, const struct at *at, struct message *child, const struct event *e,
	struct mt_error *reterr)
{
	int rc = 0;
	struct message *parent =
		message_open(s, at->p->id, at->host, e->orig_queue_id, &rc, reterr);

	if (rc < 0)
		return rc;
	if (!parent)
		parent = message_recent(s, at->p->id, at->host, e->orig_queue_id);
	parent = parent == child ? NULL : parent;
	adopt(s, parent ? parent->id : 0, child, MESSAGE_REINJECTED);
	/* postsuper -r: what pickup(8) took up again has left the queue under its old id. */
	if (parent && !parent->end_ms && (child->flags & MESSAGE_LOCAL))
		message_close(s, parent, at->t_ms);
	return 0;
}

/* Did the child arrive while the parent was being handed over? */
static bool in_time(const struct at *at, const struct message *parent, const struct message *child)
{
	bool after = child->id > parent->id && child->t_ms >= parent->t_ms - DISORDER_MS;

	/* When the log began later than the parent, its row was made at the hand-over. */
	return child != parent && (after || (parent->flags & MESSAGE_NO_START)) &&
	       child->t_ms <= at->t_ms + DISORDER_MS && child->t_ms >= at->t_ms - RECENT_MS;
}

static bool relay_is_local(const struct event *e)
{
	return join_is_loopback(e->relay_ip) || e->relay_socket.n ||
	       str_eq(e->relay_host, STR_LIT("localhost"));
}

/* The filter the parent went to is the client the child came from. */
static bool same_filter(const struct message *child, const struct event *e)
{
	if ((child->bits & BIT_LOOPBACK) && relay_is_local(e))
		return true;
	return child->ip_hash && e->relay_ip.n && child->ip_hash == intern_hash(e->relay_ip, 0);
}

static bool link_named_child(
	struct store *s, const struct at *at, struct message *parent, const struct event *e)
{
	bool forwarded = str_find(e->reply, STR_LIT("forwarded as ")) < e->reply.n &&
			 str_eq(e->process, STR_LIT("local"));
	struct message *child = message_recent(s, at->p->id, at->host, e->child_queue_id);

	if (!child || !in_time(at, parent, child))
		return false;
	if (child->flags & (MESSAGE_REINJECTED | MESSAGE_FORWARDED)) {
		if (child->parent && child->parent != parent->id)
			return false;
		adopt(s, parent->id, child, 0);
		return true;
	}
	if (child->parent || (child->flags & MESSAGE_NOTIFICATION))
		return false;
	if (forwarded)
		adopt(s, parent->id, child, MESSAGE_FORWARDED);
	else if (same_filter(child, e))
		adopt(s, parent->id, child, MESSAGE_REINJECTED);
	else
		return false;
	return true;
}

static bool may_be_piped_child(const struct message *child)
{
	return (child->flags & MESSAGE_LOCAL) || (child->bits & BIT_LOOPBACK);
}

static bool link_pipe(struct store *s, const struct at *at, struct message *parent)
{
	struct message *child = s->messages.mid_bucket[parent->mid_hash % MID_BUCKETS];

	for (; child; child = child->mid_next) {
		if (child->mid_hash != parent->mid_hash || child->provider != parent->provider ||
			(child->bits & BIT_LOST) || !in_time(at, parent, child))
			continue;
		if (child->parent == parent->id)
			return true;
		if (child->parent || (child->flags & MESSAGE_NOT_COUNTED))
			continue;
		adopt(s, parent->id, child, MESSAGE_REINJECTED);
		return true;
	}
	return false;
}

bool link_sent(struct store *s, const struct at *at, struct message *parent, const struct event *e)
{
	if (e->child_queue_id.n && link_named_child(s, at, parent, e))
		return true;
	return str_eq(e->process, STR_LIT("pipe")) && parent->mid_hash && link_pipe(s, at, parent);
}

void link_remember_piped(struct store *s, const struct piped *record)
{
	s->piped[s->piped_at] = *record;
	s->piped_at = (s->piped_at + 1) % PIPED_MAX;
	s->state_dirty = true;
}

/* All that attempt_event counted for it, undone, and the hand-over counted. */
static void recount(struct store *s, const struct piped *r, uint32_t minute)
{
	struct counts *c = &s->counts;
	int provider = r->provider;

	count_add(c, provider, minute, DIM_TOTAL, 0, METRIC_SENT, -1);
	count_add(c, provider, minute, DIM_TOTAL, 0, METRIC_HANDED_OVER, 1);
	count_add(c, provider, minute, DIM_CODE, r->code, METRIC_SENT, -1);
	count_add(c, provider, minute, DIM_DOMAIN, r->dom, METRIC_SENT, -1);
	count_add(c, provider, minute, DIM_RELAY_PORT, r->relay_port, METRIC_SENT, -1);
	count_add(c, provider, minute, DIM_RELAY_PORT, r->relay_port, METRIC_HANDED_OVER, 1);
	if (r->relay_host) {
		count_add(c, provider, minute, DIM_RELAY, r->relay_host, METRIC_SENT, -1);
		count_add(c, provider, minute, DIM_RELAY, r->relay_host, METRIC_HANDED_OVER, 1);
	}
	count_add(c, provider, minute, DIM_EGRESS, r->egress, METRIC_SENT, -1);
	count_add(c, provider, minute, DIM_EGRESS, r->egress, METRIC_HANDED_OVER, 1);
	if (r->sender >= 0)
		count_add(c, provider, minute, DIM_SENDER, r->sender, METRIC_SENT, -1);
	if (r->first_try)
		count_add(c, provider, minute, DIM_TOTAL, 0, METRIC_FIRST_TRY, -1);
	if (r->tls) {
		count_add(c, provider, minute, DIM_TOTAL, 0, METRIC_TLS_OUT, -1);
		count_add(c, provider, minute, DIM_RELAY_PORT, r->relay_port, METRIC_TLS_OUT, -1);
	}
	for (int part = 0; part < DELAY__COUNT; part++)
		if (r->delay_key[part] >= 0)
			count_add(c, provider, minute, (enum bucket_dim)(DIM_DELAY_TOTAL + part),
				r->delay_key[part], METRIC_SENT, -1);
}

void link_piped_child(struct store *s, struct message *child)
{
	struct relabel *relabel;

	if (!child->mid_hash || !may_be_piped_child(child))
		return;
	message_candidate(s, child);
	if (child->parent || (child->flags & MESSAGE_NOT_COUNTED))
		return;
	for (size_t i = 0; i < PIPED_MAX && s->piped[i].parent; i++) {
		struct piped *r = &s->piped[i];

		if (!r->parent || r->used || r->mid_hash != child->mid_hash ||
			r->provider != child->provider || r->parent >= child->id ||
			child->t_ms < r->t_ms - DISORDER_MS ||
			child->t_ms > r->t_ms + PIPE_LATER_MS)
			continue;
		r->used = 1;
		s->state_dirty = true;
		adopt(s, r->parent, child, MESSAGE_REINJECTED);
		recount(s, r, count_minute(r->t_ms));
		relabel = vec_add(&s->batch.relabels);
		*relabel = (struct relabel){r->attempt ? r->attempt : r->parent, r->attempt == 0};
		return;
	}
}

int link_notification(
	struct store *s, struct at *at, const struct event *e, struct mt_error *reterr)
{
	int rc = 0;
	struct message *parent, *child;

	count_add(&s->counts, at->p->id, at->minute, DIM_TOTAL, 0, METRIC_NOTIFICATIONS, 1);
	if (!e->child_queue_id.n)
		return 0;
	child = message_open(s, at->p->id, at->host, e->child_queue_id, &rc, reterr);
	if (rc < 0)
		return rc;
	if (child && (child->parent || at->t_ms - child->t_ms > NOTICE_MS)) {
		message_close(s, child, at->t_ms);
		child = NULL;
	}
	if (!child) {
		child = message_recent(s, at->p->id, at->host, e->child_queue_id);
		if (child && (child->parent || at->t_ms - child->t_ms > NOTICE_MS))
			child = NULL;
	}
	if (!child) { /* Postfix 3.11 and later log this line first */
		child = message_new(s, at, e->child_queue_id);
		join_count_received(s, child, 1);
	}
	parent = e->queue_id.n ? message_recent(s, at->p->id, at->host, e->queue_id) : NULL;
	if (parent && parent != child)
		child->parent = parent->id;
	child->flags |= MESSAGE_NOTIFICATION;
	message_dirty(s, child);
	return 0;
}
