/* SPDX-License-Identifier: MIT */
/* ahead - the parsing thread and its two queues; see ahead.h. */
#include "backends/ahead.h"

#include "store/base/mem.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#define JOBS_MAX 16 /* waiting for the thread or under way */
#define BATCHES 24 /* 6 MiB: about the events of a commit's time */
#define RING_MAX 32 /* of either queue; a power of two */
#define BATCH_WORDS 32768 /* 256 KiB, about a thousand events */
#define SLICE_BYTES 4096 /* given to the parser at once: bounds a batch when every byte is a line */
#define EVENT_WORDS (sizeof(struct event) / sizeof(uint64_t))
#define TEXT_MAX_BYTES (256u << 20) /* of a batch: a thousand lines of the longest that is read */
#define BITS 64
#define GROUP 8
#define MAP_WORDS ((EVENT_WORDS + BITS - 1) / BITS)

void parser_ready(struct parser *p, const struct backend_ops *family, bool restart,
	const struct parse_options *options)
{
	if (!restart && p->state) {
		if (family->parse_now)
			family->parse_now(p->state, options->now_utc_ms);
		return;
	}
	parser_done(p);
	p->family = family;
	p->state = xcalloc(1, family->parse_state_bytes);
	family->parse_init(p->state, options);
}

void parser_done(struct parser *p)
{
	if (p->state && p->family->parse_done)
		p->family->parse_done(p->state);
	free(p->state);
	p->state = NULL;
}

_Static_assert(sizeof(struct event) % sizeof(uint64_t) == 0, "events are packed by words");
_Static_assert(JOBS_MAX <= RING_MAX && BATCHES <= RING_MAX, "a ring holds all there is");

/* A ring of pointers. Never overfull: JOBS_MAX and BATCHES bound what exists. */
struct ring {
	void *slot[RING_MAX];
	size_t first, n;
};

struct ahead {
	struct parser *parser;
	struct ahead_batch batch[BATCHES];
	pthread_t thread;
	pthread_mutex_t lock; /* over all below */
	pthread_cond_t changed;
	struct ring jobs, full, empty;
	size_t under_way; /* jobs given whose last batch was not taken; the caller's side alone */
	bool stop;
};

static void ring_put(struct ring *r, void *p)
{
	r->slot[(r->first + r->n++) % RING_MAX] = p;
}

static void *ring_get(struct ring *r)
{
	void *p = r->slot[r->first];

	r->first = (r->first + 1) % RING_MAX;
	r->n--;
	return p;
}

/* put - into a queue that the other side may be waiting on. */
static void put(struct ahead *a, struct ring *r, void *p)
{
	pthread_mutex_lock(&a->lock);
	ring_put(r, p);
	if (r->n == 1)
		pthread_cond_broadcast(&a->changed);
	pthread_mutex_unlock(&a->lock);
}

/* get - the oldest of a queue, waited for; NULL when the thread is to end. */
static void *get(struct ahead *a, struct ring *r)
{
	void *p = NULL;

	pthread_mutex_lock(&a->lock);
	while (r->n == 0 && !a->stop)
		pthread_cond_wait(&a->changed, &a->lock);
	if (!a->stop)
		p = ring_get(r);
	pthread_mutex_unlock(&a->lock);
	return p;
}

struct collect {
	struct ahead_batch *batch;
	uint64_t base;
	const char *own; /* the parser's state: its bytes change with the next line */
	size_t own_bytes;
};

static uint64_t word_of(const struct event *e, size_t i)
{
	uint64_t word;

	memcpy(&word, (const char *)e + i * sizeof(word), sizeof(word));
	return word;
}

/* Most of an event is as it was: told of eight words at once. */
static bool same_group(const struct event *a, const struct event *b, size_t first)
{
#define DIFFERS(i) (word_of(a, first + (i)) ^ word_of(b, first + (i)))
	return (DIFFERS(0) | DIFFERS(1) | DIFFERS(2) | DIFFERS(3) | DIFFERS(4) | DIFFERS(5) |
		       DIFFERS(6) | DIFFERS(7)) == 0;
#undef DIFFERS
}

/* Appends the words first..end-1 that differ from a fresh event's; returns their map. */
static uint64_t collect_words(
	struct ahead_batch *b, const struct event *e, size_t first, size_t end)
{
	const struct event *blank = event_blank();
	uint64_t map = 0;

	for (size_t i = first; i < end; i++) {
		uint64_t word;
		bool differs;

		if (i % GROUP == 0 && i + GROUP <= end && same_group(e, blank, i)) {
			i += GROUP - 1;
			continue;
		}
		word = word_of(e, i);
		differs = word != word_of(blank, i);
		b->word[b->n] = word;
		b->n += differs;
		map |= (uint64_t)differs << (i - first);
	}
	return map;
}

/* Maps of the words that follow, then these; the offset comes first of all. */
static void pack(struct ahead_batch *b, const struct event *e, uint64_t base)
{
	size_t maps;

	b->word[b->n++] = e->line_offset + base;
	maps = b->n;
	b->n += MAP_WORDS;
	for (size_t m = 0; m < MAP_WORDS; m++) {
		size_t end = (m + 1) * BITS < EVENT_WORDS ? (m + 1) * BITS : EVENT_WORDS;

		b->word[maps + m] = collect_words(b, e, m * BITS, end);
	}
}

/* points_home - may one of these words be a pointer into the parser's state? */
static bool points_home(const struct collect *c, const uint64_t *word, size_t n)
{
	bool found = false;

	for (size_t i = 0; i < n; i++)
		found |= word[i] - (uint64_t)(uintptr_t)c->own < c->own_bytes;
	return found;
}

#define AT(field) offsetof(struct event, field)
static const size_t strings[] = {AT(host), AT(service), AT(process), AT(queue_id),
	AT(child_queue_id), AT(orig_queue_id), AT(client_host), AT(client_ip), AT(orig_client),
	AT(sasl_method), AT(sasl_user), AT(sasl_sender), AT(helo), AT(proto), AT(from), AT(to),
	AT(orig_to), AT(message_id), AT(relay), AT(relay_host), AT(relay_ip), AT(relay_socket),
	AT(status_text), AT(stage_text), AT(reply), AT(reject_subject), AT(reject_reason),
	AT(action_text), AT(tls), AT(tls_trust), AT(tls_version), AT(tls_cipher), AT(tls_bits),
	AT(text)};
#undef AT

/* own_strings - what the parser wrote itself is copied: its next line overwrites it before the event is read. */
static void own_strings(const struct collect *c, struct event *e)
{
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		struct str s;

		memcpy(&s, (char *)e + strings[i], sizeof(s));
		if ((uintptr_t)s.p - (uintptr_t)c->own >= c->own_bytes)
			continue;
		s = arena_str(&c->batch->text, s);
		memcpy((char *)e + strings[i], &s, sizeof(s));
	}
}

static int collect(void *ctx, const struct event *e)
{
	struct collect *c = ctx;
	struct ahead_batch *b = c->batch;
	size_t from = b->n;
	struct event copy;

	if (b->n + 1 + MAP_WORDS + EVENT_WORDS > b->cap) {
		b->cap = b->cap ? b->cap * 2 : BATCH_WORDS + BATCH_WORDS / 4;
		b->word = xrealloc(b->word, b->cap * sizeof(b->word[0]));
	}
	pack(b, e, c->base);
	if (!points_home(c, b->word + from + 1 + MAP_WORDS, b->n - from - 1 - MAP_WORDS))
		return 0;
	memcpy(&copy, e, sizeof(copy));
	own_strings(c, &copy);
	b->n = from;
	pack(b, &copy, c->base);
	return 0;
}

bool ahead_event(struct ahead_batch *b, struct event *out)
{
	const uint64_t *map;
	uint64_t offset;

	if (b->at == b->n)
		return false;
	event_init(out);
	offset = b->word[b->at];
	map = b->word + b->at + 1;
	b->at += 1 + MAP_WORDS;
	for (size_t m = 0; m < MAP_WORDS; m++)
		for (uint64_t left = map[m]; left; left &= left - 1) {
			size_t i = m * BITS + (size_t)__builtin_ctzll(left);

			memcpy((char *)out + i * sizeof(*map), &b->word[b->at++], sizeof(*map));
		}
	out->line_offset = offset;
	return true;
}

static struct ahead_batch *begin_batch(struct ahead *a)
{
	struct ahead_batch *b = get(a, &a->empty);

	if (b) {
		b->n = b->at = 0;
		b->last = false;
		arena_reset(&b->text);
	}
	return b;
}

static void parse_job(struct ahead *a, const struct ahead_job *job)
{
	const struct backend_ops *family = a->parser->family;
	struct collect c = {.batch = begin_batch(a)};
	struct event_sink sink = {collect, &c};
	size_t at = 0, slice = SLICE_BYTES;

	if (c.batch)
		parser_ready(a->parser, family, job->restart, &job->options);
	c.own = a->parser->state;
	c.own_bytes = family->parse_state_bytes;
	while (c.batch && at < job->n) {
		struct str rest = {job->bytes + at, job->n - at};
		bool whole = slice >= rest.n;
		size_t consumed = 0;

		c.base = (uint64_t)job->offset + at;
		(void)!family->parse(a->parser->state, str_first(rest, slice), whole && job->final,
			&sink, &consumed);
		at += consumed;
		if (consumed == 0 && whole)
			break; /* no line's end: the caller gave less than whole lines */
		slice = consumed ? SLICE_BYTES : slice * 2;
		if (c.batch->n >= BATCH_WORDS && at < job->n) {
			put(a, &a->full, c.batch);
			c.batch = begin_batch(a);
		}
	}
	if (c.batch) {
		c.batch->last = true;
		put(a, &a->full, c.batch);
	}
}

static void *run(void *ctx)
{
	struct ahead *a = ctx;
	const struct ahead_job *job;

	while ((job = get(a, &a->jobs)))
		parse_job(a, job);
	return NULL;
}

struct ahead *ahead_new(struct parser *parser)
{
	struct ahead *a = xcalloc(1, sizeof(*a));
	sigset_t all, old;
	int rc;

	a->parser = parser;
	for (size_t i = 0; i < BATCHES; i++) {
		arena_init(&a->batch[i].text, TEXT_MAX_BYTES);
		ring_put(&a->empty, &a->batch[i]);
	}
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->changed, NULL);
	/* Signals are for others: the thread is born with all of them blocked. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&a->thread, NULL, run, a);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc == 0)
		return a;
	pthread_cond_destroy(&a->changed);
	pthread_mutex_destroy(&a->lock);
	free(a);
	return NULL;
}

void ahead_free(struct ahead *a)
{
	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_broadcast(&a->changed);
	pthread_mutex_unlock(&a->lock);
	pthread_join(a->thread, NULL);
	pthread_cond_destroy(&a->changed);
	pthread_mutex_destroy(&a->lock);
	for (size_t i = 0; i < BATCHES; i++) {
		free(a->batch[i].word);
		arena_done(&a->batch[i].text);
	}
	free(a);
}

bool ahead_room(const struct ahead *a)
{
	return a->under_way < JOBS_MAX;
}

void ahead_give(struct ahead *a, const struct ahead_job *job)
{
	a->under_way++;
	put(a, &a->jobs, (void *)(uintptr_t)job);
}

struct ahead_batch *ahead_take(struct ahead *a)
{
	struct ahead_batch *b = get(a, &a->full);

	if (b->last)
		a->under_way--;
	return b;
}

void ahead_return(struct ahead *a, struct ahead_batch *batch)
{
	put(a, &a->empty, batch);
}
