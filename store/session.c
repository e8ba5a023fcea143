/* SPDX-License-Identifier: MIT */
/* session - the two tables by process id; see session.h. What is counted is session_count.c's affair. */
#include "store/session.h"

#include "store/base/mem.h"

#include <stdlib.h>

#define SESSIONS_FIRST 64
#define STATE_FORMAT 1 /* first byte of the saved form; another one is ignored */

static uint32_t key_hash(const struct session_key *k, bool with_client)
{
	uint64_t h = (uint64_t)(uint32_t)k->provider << 32 | (uint32_t)k->pid;

	h = (h ^ ((uint64_t)(uint32_t)k->host << 20)) * 0x9e3779b97f4a7c15u;
	if (with_client)
		h = (h ^ k->ip_hash ^ (uint32_t)k->service) * 0xff51afd7ed558ccdu;
	return (uint32_t)(h >> 32);
}

static int compare_key(const struct session_key *a, const struct session_key *b, bool with_client)
{
	if (a->provider != b->provider)
		return a->provider < b->provider ? -1 : 1;
	if (a->host != b->host)
		return a->host < b->host ? -1 : 1;
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	if (!with_client)
		return 0;
	if (a->service != b->service)
		return a->service < b->service ? -1 : 1;
	return (a->ip_hash > b->ip_hash) - (a->ip_hash < b->ip_hash);
}

static struct session *probe(const struct sessions *s, const struct session_key *key)
{
	uint32_t i = key_hash(key, true) & (s->cap - 1);

	while (s->slot[i].nest && compare_key(&s->slot[i].key, key, true) != 0)
		i = (i + 1) & (s->cap - 1);
	return &s->slot[i];
}

static struct tls_out *probe_tls(const struct sessions *s, const struct session_key *key)
{
	uint32_t i = key_hash(key, false) & (s->tls_cap - 1);

	while (s->tls[i].tls && compare_key(&s->tls[i].key, key, false) != 0)
		i = (i + 1) & (s->tls_cap - 1);
	return &s->tls[i];
}

/* Put every session that lasted into a table of cap slots; those last touched before least_ms go. */
static void rehash(struct sessions *s, uint32_t cap, int64_t least_ms)
{
	struct sessions wide = {.slot = xcalloc(cap, sizeof(wide.slot[0])), .cap = cap};

	for (uint32_t i = 0; i < s->cap; i++)
		if (s->slot[i].nest && s->slot[i].last_ms >= least_ms) {
			*probe(&wide, &s->slot[i].key) = s->slot[i];
			wide.n++;
		}
	free(s->slot);
	s->slot = wide.slot;
	s->cap = cap;
	s->n = wide.n;
}

static void rehash_tls(struct sessions *s, uint32_t cap, int64_t least_ms)
{
	struct sessions wide = {.tls = xcalloc(cap, sizeof(wide.tls[0])), .tls_cap = cap};

	for (uint32_t i = 0; i < s->tls_cap; i++)
		if (s->tls[i].tls && s->tls[i].t_ms >= least_ms) {
			*probe_tls(&wide, &s->tls[i].key) = s->tls[i];
			wide.ntls++;
		}
	free(s->tls);
	s->tls = wide.tls;
	s->tls_cap = cap;
	s->ntls = wide.ntls;
}

static int compare_ms(const void *left, const void *right)
{
	const int64_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

/* The time such that a quarter of the sessions were last touched before it. */
static int64_t quarter_ms(const struct sessions *s)
{
	int64_t *times = xmalloc(s->n * sizeof(times[0]));
	int64_t result;
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->cap; i++)
		if (s->slot[i].nest)
			times[n++] = s->slot[i].last_ms;
	qsort(times, n, sizeof(times[0]), compare_ms);
	result = times[n / 4] + 1;
	free(times);
	return result;
}

void sessions_done(struct sessions *s)
{
	free(s->slot);
	free(s->tls);
	*s = (struct sessions){0};
}

struct session *session_find(struct sessions *s, const struct session_key *key)
{
	struct session *found = s->cap ? probe(s, key) : NULL;

	return found && found->nest ? found : NULL;
}

struct session *session_get(struct sessions *s, const struct session_key *key, int64_t t_ms)
{
	struct session *found = session_find(s, key);

	if (!found) {
		if (s->n >= SESSIONS_MAX)
			rehash(s, s->cap, t_ms - SESSION_IDLE_MS);
		if (s->n >= SESSIONS_MAX)
			rehash(s, s->cap, quarter_ms(s));
		if (2 * (s->n + 1) > s->cap)
			rehash(s, s->cap ? s->cap * 2 : SESSIONS_FIRST, INT64_MIN);
		found = probe(s, key);
		*found = (struct session){.key = *key, .nest = 1};
		s->n++;
	}
	found->last_ms = t_ms;
	return found;
}

/* Free a slot of an open-addressing table by moving back what its chain pushed further. */
static void close_gap(struct sessions *s, uint32_t gap)
{
	uint32_t mask = s->cap - 1, i = gap;

	for (;;) {
		uint32_t home;

		i = (i + 1) & mask;
		if (!s->slot[i].nest)
			break;
		home = key_hash(&s->slot[i].key, true) & mask;
		if (((i - home) & mask) >= ((i - gap) & mask)) {
			s->slot[gap] = s->slot[i];
			gap = i;
		}
	}
	s->slot[gap] = (struct session){0};
}

void session_end(struct sessions *s, struct session *gone)
{
	if (--gone->nest > 0)
		return;
	s->n--;
	close_gap(s, (uint32_t)(gone - s->slot));
}

struct tls_out *tls_out_find(struct sessions *s, int32_t provider, int32_t host, int32_t pid)
{
	struct session_key key = {.provider = provider, .host = host, .pid = pid};
	struct tls_out *found = s->tls_cap ? probe_tls(s, &key) : NULL;

	return found && found->tls ? found : NULL;
}

void tls_out_set(struct sessions *s, const struct tls_out *value)
{
	struct tls_out *at = s->tls_cap ? probe_tls(s, &value->key) : NULL;

	if (!at || !at->tls) {
		if (s->ntls >= TLS_OUT_MAX / 2)
			rehash_tls(s, s->tls_cap, value->t_ms - TLS_OUT_MS);
		if (s->ntls >=
			TLS_OUT_MAX) /* thousands of processes in five minutes: forget them */
			rehash_tls(s, s->tls_cap, INT64_MAX);
		if (2 * (s->ntls + 1) > s->tls_cap)
			rehash_tls(s, s->tls_cap ? s->tls_cap * 2 : SESSIONS_FIRST, INT64_MIN);
		at = probe_tls(s, &value->key);
		s->ntls++;
	}
	*at = *value;
}

static int by_session(const void *left, const void *right)
{
	const struct session *a = left, *b = right;

	return compare_key(&a->key, &b->key, true);
}

static int by_tls_out(const void *left, const void *right)
{
	const struct tls_out *a = left, *b = right;

	return compare_key(&a->key, &b->key, false);
}

int sessions_save(const struct sessions *s, int64_t now_ms, struct buf *out)
{
	uint32_t head[3] = {STATE_FORMAT, s->n, 0};
	struct session *all = xmalloc(s->n * sizeof(all[0]));
	struct tls_out *tls = xmalloc(s->ntls * sizeof(tls[0]));
	uint32_t n = 0, ntls = 0;

	for (uint32_t i = 0; i < s->cap; i++)
		if (s->slot[i].nest)
			all[n++] = s->slot[i];
	for (uint32_t i = 0; i < s->tls_cap; i++)
		if (s->tls[i].tls && s->tls[i].t_ms >= now_ms - TLS_OUT_MS)
			tls[ntls++] = s->tls[i];
	qsort(all, n, sizeof(all[0]), by_session);
	qsort(tls, ntls, sizeof(tls[0]), by_tls_out);
	head[2] = ntls;
	buf_add(out, head, sizeof(head));
	buf_add(out, all, n * sizeof(all[0]));
	buf_add(out, tls, ntls * sizeof(tls[0]));
	free(all);
	free(tls);
	return (int)out->err;
}

int sessions_load(struct sessions *s, struct str bytes)
{
	uint32_t head[3];
	struct session one;
	struct tls_out tls;

	sessions_done(s);
	if (bytes.n < sizeof(head))
		return 0;
	memcpy(head, bytes.p, sizeof(head));
	bytes = str_skip(bytes, sizeof(head));
	if (head[0] != STATE_FORMAT || head[1] > SESSIONS_MAX || head[2] > TLS_OUT_MAX ||
		bytes.n != head[1] * sizeof(one) + head[2] * sizeof(tls))
		return MT_ECORRUPT;
	for (uint32_t i = 0; i < head[1]; i++, bytes = str_skip(bytes, sizeof(one))) {
		memcpy(&one, bytes.p, sizeof(one));
		if (one.nest > 0)
			*session_get(s, &one.key, one.last_ms) = one;
	}
	for (uint32_t i = 0; i < head[2]; i++, bytes = str_skip(bytes, sizeof(tls))) {
		memcpy(&tls, bytes.p, sizeof(tls));
		if (tls.tls > 0)
			tls_out_set(s, &tls);
	}
	return 0;
}
