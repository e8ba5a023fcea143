/* SPDX-License-Identifier: MIT */
/*
 * messages - the table of messages in memory: open ones, and closed ones while their id is among the
 * newest RECENT_IDS.
 *
 * Invariant: what a lookup finds depends on the events alone, not on when batches were committed or
 * the program was restarted; messages_load (load.c) makes the same table from the cache.
 */
#include "store/writer.h"

#include "store/base/mem.h"

#include <stdlib.h>
#include <sys/random.h>

#define SLAB_MESSAGES 512
#define BUCKETS_FIRST 4096
#define AGE_OUT_MS (14LL * MS_PER_DAY) /* maximal_queue_lifetime is 5 days; hold may be longer */

void *vec_add(struct vec *v)
{
	char *item;

	if (v->n == v->cap) {
		v->cap = v->cap ? v->cap * 2 : 16;
		v->p = xrealloc(v->p, v->cap * v->item);
	}
	item = (char *)v->p + v->n++ * v->item;
	memset(item, 0, v->item);
	return item;
}

void vec_done(struct vec *v)
{
	free(v->p);
	*v = (struct vec){.item = v->item};
}

void messages_init(struct messages *m)
{
	*m = (struct messages){.slabs = {.item = sizeof(void *)}};
	m->nbuckets = BUCKETS_FIRST;
	m->bucket = xcalloc(m->nbuckets, sizeof(m->bucket[0]));
	m->mid_bucket = xcalloc(MID_BUCKETS, sizeof(m->mid_bucket[0]));
	m->recent = xcalloc(RECENT_IDS, sizeof(m->recent[0]));
	if (getrandom(&m->seed, sizeof(m->seed), GRND_NONBLOCK) < 0)
		m->seed = (uint64_t)(uintptr_t)m->bucket;
}

static char *long_qid(const struct message *m)
{
	char *p;

	memcpy(&p, m->qid, sizeof(p));
	return p;
}

struct str message_qid(const struct message *m)
{
	return (struct str){m->qid_len > QID_INLINE_BYTES ? long_qid(m) : m->qid, m->qid_len};
}

static void release_qid(struct message *m)
{
	if (m->qid_len > QID_INLINE_BYTES)
		free(long_qid(m));
	m->qid_len = 0;
}

void message_own_qid(struct message *copy)
{
	if (copy->qid_len > QID_INLINE_BYTES) {
		char *own = xmemdup(long_qid(copy), copy->qid_len);

		memcpy(copy->qid, &own, sizeof(own));
	}
}

void message_disown_qid(struct message *copy)
{
	release_qid(copy);
}

void messages_done(struct messages *m)
{
	for (size_t i = 0; i < m->nbuckets; i++)
		for (struct message *one = m->bucket[i]; one; one = one->next)
			release_qid(one);
	for (size_t i = 0; i < m->slabs.n; i++)
		free(((void **)m->slabs.p)[i]);
	vec_done(&m->slabs);
	free(m->bucket);
	free(m->mid_bucket);
	free(m->recent);
	*m = (struct messages){0};
}

static struct message *take_slot(struct messages *m)
{
	struct message *slot = m->free;

	if (!slot) {
		struct message *slab = xcalloc(SLAB_MESSAGES, sizeof(*slab));

		*(void **)vec_add(&m->slabs) = slab;
		for (size_t i = 0; i < SLAB_MESSAGES; i++) {
			slab[i].next = m->free;
			m->free = &slab[i];
		}
		slot = m->free;
	}
	m->free = slot->next;
	*slot = (struct message){0};
	return slot;
}

static void grow(struct messages *m)
{
	size_t n = m->nbuckets * 2;
	struct message **wide = xcalloc(n, sizeof(wide[0]));

	/* chains are newest first, and stay so: walk each old chain to its end, appending */
	for (size_t i = 0; i < m->nbuckets; i++) {
		struct message **tail[2] = {&wide[i], &wide[i + m->nbuckets]};

		for (struct message *one = m->bucket[i]; one; one = one->next) {
			size_t half = (one->hash & m->nbuckets) != 0;

			*tail[half] = one;
			tail[half] = &one->next;
		}
		*tail[0] = *tail[1] = NULL;
	}
	free(m->bucket);
	m->bucket = wide;
	m->nbuckets = n;
}

static uint64_t qid_hash(const struct messages *m, int provider, int32_t host, struct str qid)
{
	return intern_hash(qid, m->seed ^ ((uint64_t)(uint32_t)provider << 32 | (uint32_t)host));
}

static bool is_it(
	const struct message *m, uint64_t hash, int provider, int32_t host, struct str qid)
{
	return m->hash == hash && m->provider == provider && m->host == host &&
	       str_eq(message_qid(m), qid);
}

static struct message *find(
	struct messages *m, int provider, int32_t host, struct str qid, bool open)
{
	uint64_t hash = qid_hash(m, provider, host, qid);
	struct message *one = m->bucket[hash & (m->nbuckets - 1)];

	while (one && (!is_it(one, hash, provider, host, qid) || (open && one->end_ms)))
		one = one->next;
	return one;
}

struct message *message_recent(struct store *s, int provider, int32_t host, struct str qid)
{
	struct message *found =
		find(&s->messages, provider, host, str_first(qid, QID_MAX_BYTES), false);

	return found && (!found->end_ms || !(found->bits & BIT_LOST)) ? found : NULL;
}

struct message *message_open(struct store *s, int provider, int32_t host, struct str qid, int *rc,
	struct mt_error *reterr)
{
	struct message *found;

	qid = str_first(qid, QID_MAX_BYTES);
	found = find(&s->messages, provider, host, qid, true);
	*rc = 0;
	if (!found && s->messages.spilled > 0)
		*rc = messages_load_spilled(s, provider, host, qid, &found, reterr);
	return found;
}

static void unlink_mid(struct messages *m, struct message *gone)
{
	struct message **at = &m->mid_bucket[gone->mid_hash % MID_BUCKETS];

	while (*at != gone)
		at = &(*at)->mid_next;
	*at = gone->mid_next;
}

static void release(struct messages *m, struct message *gone)
{
	struct message **at = &m->bucket[gone->hash & (m->nbuckets - 1)];

	while (*at != gone)
		at = &(*at)->next;
	*at = gone->next;
	if (gone->bits & BIT_CANDIDATE)
		unlink_mid(m, gone);
	if (m->recent[gone->id % RECENT_IDS] == gone)
		m->recent[gone->id % RECENT_IDS] = NULL;
	if (!gone->end_ms)
		m->nopen--;
	m->n--;
	release_qid(gone);
	gone->next = m->free;
	m->free = gone;
}

struct message *message_add_loaded(
	struct store *s, int provider, int32_t host, struct str qid, int64_t id)
{
	struct messages *m = &s->messages;
	struct message *made, *before, **at;

	if (m->n >= m->nbuckets)
		grow(m);
	made = take_slot(m);
	qid = str_first(qid, QID_MAX_BYTES);
	made->hash = qid_hash(m, provider, host, qid);
	made->id = id;
	made->provider = provider;
	made->host = host;
	made->qid_len = (uint8_t)qid.n;
	if (qid.n > QID_INLINE_BYTES) {
		char *copy = xmemdup(qid.p, qid.n);

		memcpy(made->qid, &copy, sizeof(copy));
	} else if (qid.n) {
		memcpy(made->qid, qid.p, qid.n);
	}
	made->size_bytes = made->nrcpt = EVENT_UNKNOWN;
	at = &m->bucket[made->hash & (m->nbuckets - 1)];
	while (*at && (*at)->id > id) /* chains are newest first, however they were loaded */
		at = &(*at)->next;
	made->next = *at;
	*at = made;
	m->n++;
	m->nopen++;
	if (id + RECENT_IDS < s->next_message) {
		made->bits |= BIT_LOST;
		return made;
	}
	before = m->recent[id % RECENT_IDS];
	m->recent[id % RECENT_IDS] = made;
	if (before && before != made) {
		before->bits |= BIT_LOST;
		if (before->end_ms && !(before->bits & BIT_DIRTY))
			release(m, before);
	}
	return made;
}

struct message *message_new(struct store *s, const struct at *at, struct str qid)
{
	int64_t id = s->next_message++;
	struct message *made = message_add_loaded(s, at->p->id, at->host, qid, id);

	made->t_ms = at->t_ms;
	made->flags = MESSAGE_OPEN;
	message_dirty(s, made);
	mark_row(s, at->p->id, at->t_ms, id, 0, 0);
	depth_touch(s, made);
	return made;
}

struct message *message_new_closed(struct store *s, const struct at *at, struct str qid)
{
	int64_t id = s->next_message++;
	struct message *made = message_add_loaded(s, at->p->id, at->host, qid, id);

	made->t_ms = made->end_ms = at->t_ms;
	s->messages.nopen--;
	message_dirty(s, made);
	mark_row(s, at->p->id, at->t_ms, id, 0, 0);
	return made;
}

void message_close(struct store *s, struct message *m, int64_t t_ms)
{
	if (m->end_ms)
		return;
	m->end_ms = t_ms;
	m->flags &= (uint16_t)~MESSAGE_OPEN;
	s->messages.nopen--;
	depth_touch(s, m);
	message_dirty(s, m);
}

void message_reopen(struct store *s, struct message *m)
{
	if (!m->end_ms)
		return;
	m->end_ms = 0;
	m->flags |= MESSAGE_OPEN;
	s->messages.nopen++;
	depth_touch(s, m);
	message_dirty(s, m);
}

void message_dirty(struct store *s, struct message *m)
{
	if (m->bits & BIT_DIRTY)
		return;
	m->bits |= BIT_DIRTY;
	*(struct message **)vec_add(&s->batch.dirty) = m;
}

struct message_text *message_text(struct store *s, struct message *m)
{
	if (!m->text) {
		m->text = arena_alloc(&s->batch.arena, sizeof(*m->text));
		if (m->text)
			*m->text = (struct message_text){0};
	}
	return m->text;
}

void message_candidate(struct store *s, struct message *m)
{
	struct message **place = &s->messages.mid_bucket[m->mid_hash % MID_BUCKETS];

	if ((m->bits & BIT_CANDIDATE) || !m->mid_hash)
		return;
	m->bits |= BIT_CANDIDATE;
	while (*place && (*place)->id > m->id)
		place = &(*place)->mid_next;
	m->mid_next = *place;
	*place = m;
}

static int by_id(const void *left, const void *right)
{
	const struct message *a = *(struct message *const *)left,
			     *b = *(struct message *const *)right;

	return (a->id > b->id) - (a->id < b->id);
}

/* More open messages than memory is for: the oldest stay in the cache alone until a line names them. */
static void spill(struct store *s)
{
	struct messages *m = &s->messages;
	struct message **open;
	size_t n = 0, excess;

	if (m->nopen <= OPEN_MESSAGES_MAX)
		return;
	open = xmalloc(m->nopen * sizeof(open[0]));
	for (size_t i = 0; i < m->nbuckets; i++)
		for (struct message *one = m->bucket[i]; one; one = one->next)
			if (!one->end_ms)
				open[n++] = one;
	qsort(open, n, sizeof(open[0]), by_id);
	excess = n - OPEN_MESSAGES_MAX + OPEN_MESSAGES_MAX / 8; /* not again at the next commit */
	for (size_t i = 0; i < excess; i++)
		if (open[i]->bits & BIT_LOST) {
			release(m, open[i]);
			m->spilled++;
		}
	free(open);
}

void messages_written(struct store *s)
{
	struct message **dirty = s->batch.dirty.p;

	for (size_t i = 0; i < s->batch.dirty.n; i++) {
		struct message *m = dirty[i];

		m->bits = (uint16_t)((m->bits | BIT_IN_DB) & ~BIT_DIRTY);
		m->text = NULL;
		if (m->end_ms && (m->bits & BIT_LOST))
			release(&s->messages, m);
	}
	s->batch.dirty.n = 0;
	spill(s);
}

void messages_age(struct store *s, const struct at *at)
{
	int64_t before_ms = at->p->newest_ms - AGE_OUT_MS;
	struct aged *aged;

	for (size_t i = 0; i < s->messages.nbuckets; i++)
		for (struct message *one = s->messages.bucket[i]; one; one = one->next)
			if (!one->end_ms && one->provider == at->p->id && one->t_ms < before_ms)
				message_close(s, one, at->p->newest_ms);
	if (s->messages.spilled > 0) {
		aged = vec_add(&s->batch.aged);
		*aged = (struct aged){at->p->id, before_ms, at->p->newest_ms};
	}
}
