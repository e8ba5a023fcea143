/* SPDX-License-Identifier: MIT */
/*
 * batch - what the events since the last commit left to be written, all of it in memory.
 *
 * Bounded: the caller commits at BATCH_EVENTS_MAX; store_batch_rows says so earlier when an attack
 * makes events that cost more than usual.
 */
#include "store/api_private.h"

#include "store/base/mem.h"

#include <stdlib.h>

#define ARENA_MAX_BYTES (256u << 20) /* four batches that nobody committed */
#define MARKS_FIRST 64
#define COUNTS_HEAVY 200000 /* buckets in one batch before it is called full */
#define FRESH_HEAVY 50000 /* new dictionary texts */
#define ARENA_HEAVY_BYTES (24u << 20)
#define MS_PER_MINUTE_I 60000

void batch_init(struct batch *b)
{
	*b = (struct batch){.dirty = {.item = sizeof(struct message *)},
		.attempts = {.item = sizeof(struct attempt *)},
		.rejects = {.item = sizeof(struct reject *)},
		.samples = {.item = sizeof(struct sample_ring *)},
		.relabels = {.item = sizeof(struct relabel)},
		.cursors = {.item = sizeof(struct cursor_change)},
		.marks = {.item = sizeof(struct mark)},
		.services = {.item = sizeof(struct service_change)},
		.health = {.item = sizeof(struct health_change)},
		.aged = {.item = sizeof(struct aged)},
		.depths = {.item = sizeof(struct depth_sample)},
		.api = {.item = sizeof(struct api_op)},
		.api_ids = {.item = sizeof(struct api_seen)}};
	clusters_init(b);
	map_init(&b->api_seen);
	arena_init(&b->arena, ARENA_MAX_BYTES);
}

static void clear_marks(struct batch *b)
{
	b->marks.n = 0;
	if (b->mark_index)
		memset(b->mark_index, 0, b->mark_cap * sizeof(b->mark_index[0]));
}

static void forget_samples(struct batch *b)
{
	for (size_t i = 0; i < b->samples.n; i++)
		((struct sample_ring **)b->samples.p)[i]->n = 0;
}

static void forget_health(struct batch *b)
{
	struct health_change *all = b->health.p;

	for (size_t i = 0; i < b->health.n; i++)
		free(all[i].detail);
	b->health.n = 0;
}

void batch_reset(struct store *s)
{
	struct batch *b = &s->batch;

	b->attempts.n = b->rejects.n = b->relabels.n = b->cursors.n = b->services.n = b->aged.n = 0;
	b->depths.n = 0;
	clusters_reset(b);
	forget_health(b);
	forget_samples(b);
	clear_marks(b);
	b->dirty.n = 0;
	b->events = 0;
	b->api.n = b->api_ids.n = b->api_rows = 0;
	map_clear(&b->api_seen);
	arena_reset(&b->arena);
	count_reset(&s->counts);
	s->state_dirty = false;
	for (size_t i = 0; i < s->nproviders; i++)
		s->providers[i].batch_key = (struct str){NULL, 0};
}

static void free_ring(struct sample_ring *ring)
{
	for (size_t i = 0; i < SAMPLES_KEPT; i++)
		free(ring->slot[i].text);
	free(ring);
}

void batch_done(struct batch *b)
{
	vec_done(&b->api);
	clusters_done(b);
	vec_done(&b->api_ids);
	map_done(&b->api_seen);
	for (size_t i = 0; i < b->samples.n; i++)
		free_ring(((struct sample_ring **)b->samples.p)[i]);
	forget_health(b);
	vec_done(&b->dirty);
	vec_done(&b->attempts);
	vec_done(&b->rejects);
	vec_done(&b->samples);
	vec_done(&b->relabels);
	vec_done(&b->cursors);
	vec_done(&b->marks);
	vec_done(&b->services);
	vec_done(&b->health);
	vec_done(&b->aged);
	vec_done(&b->depths);
	free(b->mark_index);
	b->mark_index = NULL;
	arena_done(&b->arena);
}

struct str batch_str(struct store *s, struct str text)
{
	char *copy;

	if (!str_present(text))
		return text;
	if (text.n == 0)
		return (struct str){"", 0};
	copy = arena_alloc(&s->batch.arena, text.n);
	if (!copy)
		return (struct str){NULL, 0};
	memcpy(copy, text.p, text.n);
	return (struct str){copy, text.n};
}

static size_t mark_slot(const struct batch *b, int provider, uint32_t minute)
{
	const struct mark *marks = b->marks.p;
	uint64_t h = ((uint64_t)(uint32_t)provider << 32 | minute) * 0x9e3779b97f4a7c15u;
	size_t i = (size_t)(h >> 32) & (b->mark_cap - 1);

	while (b->mark_index[i] && (marks[b->mark_index[i] - 1].provider != provider ||
					   marks[b->mark_index[i] - 1].minute != minute))
		i = (i + 1) & (b->mark_cap - 1);
	return i;
}

static void grow_marks(struct batch *b)
{
	const struct mark *marks = b->marks.p;

	b->mark_cap = b->mark_cap ? b->mark_cap * 2 : MARKS_FIRST;
	free(b->mark_index);
	b->mark_index = xcalloc(b->mark_cap, sizeof(b->mark_index[0]));
	for (size_t i = 0; i < b->marks.n; i++)
		b->mark_index[mark_slot(b, marks[i].provider, marks[i].minute)] = (uint32_t)i + 1;
}

static struct mark *new_mark(struct store *s, int provider, uint32_t minute)
{
	struct provider_state *p = provider_state(s, provider);
	struct mark *mark = vec_add(&s->batch.marks);

	*mark = (struct mark){.provider = provider, .minute = minute};
	if (p && p->log_key && p->has_offset) {
		if (!str_present(p->batch_key))
			p->batch_key = batch_str(s, (struct str){p->log_key, p->log_key_n});
		mark->log_key = p->batch_key;
		mark->offset = p->last_offset > INT64_MAX ? INT64_MAX : (int64_t)p->last_offset;
	}
	return mark;
}

static void lower(int64_t *lowest, int64_t id)
{
	if (id && (*lowest == 0 || id < *lowest))
		*lowest = id;
}

void mark_row(struct store *s, int provider, int64_t t_ms, int64_t message, int64_t attempt,
	int64_t reject)
{
	struct batch *b = &s->batch;
	uint32_t minute = count_minute(t_ms);
	struct mark *mark =
		b->last_mark < b->marks.n ? (struct mark *)b->marks.p + b->last_mark : NULL;

	if (!mark || mark->provider != provider || mark->minute != minute) {
		size_t at;

		if (2 * (b->marks.n + 1) > b->mark_cap)
			grow_marks(b);
		at = mark_slot(b, provider, minute);
		if (!b->mark_index[at]) {
			new_mark(s, provider, minute);
			b->mark_index[at] = (uint32_t)b->marks.n;
		}
		b->last_mark = b->mark_index[at] - 1;
		mark = (struct mark *)b->marks.p + b->last_mark;
	}
	lower(&mark->message, message);
	lower(&mark->attempt, attempt);
	lower(&mark->reject, reject);
}

static struct sample_ring *ring_of(struct batch *b, int provider, enum event_kind kind)
{
	struct sample_ring **rings = b->samples.p, *made;

	for (size_t i = 0; i < b->samples.n; i++)
		if (rings[i]->provider == provider && rings[i]->kind == kind)
			return rings[i];
	made = xcalloc(1, sizeof(*made));
	made->provider = provider;
	made->kind = (uint8_t)kind;
	*(struct sample_ring **)vec_add(&b->samples) = made;
	return made;
}

/* Text memory is the ring's own, so that a flood of unparsed lines does not grow the batch. */
void batch_sample(struct store *s, const struct at *at, const struct event *e, struct str text)
{
	struct sample_ring *ring = ring_of(&s->batch, at->p->id, e->kind);
	struct sample *slot = &ring->slot[ring->n++ % SAMPLES_KEPT];

	text = str_first(text, SAMPLE_TEXT_MAX_BYTES);
	if (text.n > slot->cap) {
		free(slot->text);
		slot->text = xmalloc(text.n);
		slot->cap = text.n;
	}
	slot->n = text.n;
	if (text.n)
		memcpy(slot->text, text.p, text.n);
	slot->t_ms = at->t_ms;
	slot->service = at->service;
	slot->severity = (uint8_t)e->severity;
}

size_t store_batch_rows(const struct store *s)
{
	if (s->counts.n > COUNTS_HEAVY || s->dict.nfresh > FRESH_HEAVY ||
		s->batch.arena.used_bytes > ARENA_HEAVY_BYTES)
		return s->batch.events > BATCH_EVENTS_MAX ? s->batch.events : BATCH_EVENTS_MAX;
	return s->batch.events + s->batch.api_rows;
}
