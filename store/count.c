/* SPDX-License-Identifier: MIT */
/* count - buckets of a batch; see count.h. Knows nothing of what the figures mean. */
#include "store/count.h"

#include "store/base/mem.h"
#include "store/bucket.h"

#include <stdlib.h>

#define CHAINS_FIRST 256
#define CHAINS_KEEP 65536 /* 512 KiB; more are given back after the batch */
#define ENTRIES_FIRST 8
#define MS_PER_MINUTE 60000
#define MINUTES_MAX 4223375999 /* end of the year 9999 */
#define SECONDS_PER_MINUTE 60
#define FEW_ENTRIES 128 /* more are sorted by their bytes */
#define METRIC_MASK ((UINT64_C(1) << BUCKET_METRIC_BITS) - 1)

uint32_t count_minute(int64_t t_ms)
{
	int64_t minute = t_ms / MS_PER_MINUTE;

	return (uint32_t)(minute < 0 ? 0 : minute > MINUTES_MAX ? MINUTES_MAX : minute);
}

static size_t slot_hash(uint32_t minute, uint16_t provider, uint8_t dim)
{
	uint64_t h = ((uint64_t)minute << 24 | (uint64_t)provider << 8 | dim) * 0x9e3779b97f4a7c15u;

	return (size_t)(h >> 32);
}

static void widen_chains(struct counts *c)
{
	size_t n = c->nchains ? c->nchains * 2 : CHAINS_FIRST;
	struct count_slot **wide = xcalloc(n, sizeof(wide[0]));

	for (size_t i = 0; i < c->nchains; i++)
		for (struct count_slot *slot = c->chain[i], *next; slot; slot = next) {
			struct count_slot **head =
				&wide[slot_hash(slot->minute, slot->provider, slot->dim) & (n - 1)];

			next = slot->next;
			slot->next = *head;
			*head = slot;
		}
	free(c->chain);
	c->chain = wide;
	c->nchains = n;
}

static bool is_slot(
	const struct count_slot *slot, uint32_t minute, uint16_t provider, enum bucket_dim dim)
{
	return slot->minute == minute && slot->provider == provider && slot->dim == (uint8_t)dim;
}

static struct count_slot *slot_of(
	struct counts *c, uint32_t minute, uint16_t provider, enum bucket_dim dim)
{
	struct count_slot *slot = c->last[dim], **head;

	if (slot && is_slot(slot, minute, provider, dim))
		return slot;
	if (c->nslots >= c->nchains)
		widen_chains(c);
	head = &c->chain[slot_hash(minute, provider, (uint8_t)dim) & (c->nchains - 1)];
	for (slot = *head; slot && !is_slot(slot, minute, provider, dim);)
		slot = slot->next;
	if (!slot) {
		slot = xcalloc(1, sizeof(*slot));
		slot->minute = minute;
		slot->provider = provider;
		slot->dim = (uint8_t)dim;
		slot->next = *head;
		*head = slot;
		c->nslots++;
	}
	c->last[dim] = slot;
	return slot;
}

static struct count_entry *find(const struct count_slot *slot, uint64_t at)
{
	size_t mask = slot->cap - 1, i = (size_t)(at * 0x9e3779b97f4a7c15u >> 32) & mask;

	while (slot->entry[i].at && slot->entry[i].at != at)
		i = (i + 1) & mask;
	return &slot->entry[i];
}

static void widen(struct count_slot *slot)
{
	struct count_slot wide = {.cap = slot->cap ? slot->cap * 2 : ENTRIES_FIRST};

	wide.entry = xcalloc(wide.cap, sizeof(wide.entry[0]));
	for (size_t i = 0; i < slot->cap; i++)
		if (slot->entry[i].at)
			*find(&wide, slot->entry[i].at) = slot->entry[i];
	free(slot->entry);
	slot->entry = wide.entry;
	slot->cap = wide.cap;
}

static void add_at(struct counts *c, struct count_slot *slot, uint64_t at, int64_t n)
{
	struct count_entry *entry;

	if (2 * (slot->n + 1) > slot->cap)
		widen(slot);
	entry = find(slot, at);
	if (!entry->at) {
		entry->at = at;
		slot->n++;
		c->n++;
	}
	entry->n += n;
}

void count_add(struct counts *c, int provider, uint32_t minute, enum bucket_dim dim, int64_t key,
	enum metric metric, int64_t n)
{
	key = key < 0 ? 0 : key > BUCKET_KEY_MAX ? BUCKET_KEY_MAX : key;
	add_at(c, slot_of(c, minute, (uint16_t)provider, dim),
		((uint64_t)key << BUCKET_METRIC_BITS | (uint64_t)metric) + 1, n);
}

/* What writing needs beside the counts. */
struct writing {
	enum bucket_resolution res;
	struct db *db;
	struct count_entry *sorted, *spare; /* room for what goes into the largest slot of res */
	unsigned char *packed; /* and for that as bytes */
	struct mt_error *reterr;
};

/* A slot of minutes, and the slot of the resolution under way it is a part of. */
struct part {
	uint32_t minute; /* where the latter begins */
	uint16_t provider;
	uint8_t dim;
	const struct count_slot *slot;
};

/* Shell's sort: a slot has a hundred entries, of which qsort's calls would cost more than the sorting. */
static void sort_few(struct count_entry *e, size_t n)
{
	static const size_t gaps[] = {132, 57, 23, 10, 4, 1}; /* Ciura */

	for (size_t g = 0; g < sizeof(gaps) / sizeof(gaps[0]); g++) {
		const size_t gap = gaps[g];

		for (size_t i = gap; i < n; i++) {
			const struct count_entry moved = e[i];
			size_t at = i;

			for (; at >= gap && e[at - gap].at > moved.at; at -= gap)
				e[at] = e[at - gap];
			e[at] = moved;
		}
	}
}

/* By the bytes in which keys differ, the lowest first; e and spare trade places at each. Returns where they are sorted. */
static struct count_entry *sort_entries(struct count_entry *e, struct count_entry *spare, size_t n)
{
	uint64_t differ = 0;

	if (n <= FEW_ENTRIES) {
		sort_few(e, n);
		return e;
	}
	for (size_t i = 1; i < n; i++)
		differ |= e[i].at ^ e[0].at;
	for (unsigned shift = 0; shift < 64; shift += 8) {
		size_t first[256] = {0}, at = 0;
		struct count_entry *to = spare;

		if (!(differ >> shift & 255))
			continue;
		for (size_t i = 0; i < n; i++)
			first[e[i].at >> shift & 255]++;
		for (size_t b = 0; b < 256; b++) {
			size_t here = first[b];

			first[b] = at;
			at += here;
		}
		for (size_t i = 0; i < n; i++)
			to[first[e[i].at >> shift & 255]++] = e[i];
		spare = e;
		e = to;
	}
	return e;
}

static int by_primary_key(const void *left, const void *right)
{
	const struct part *a = left, *b = right;

	if (a->dim != b->dim)
		return a->dim < b->dim ? -1 : 1;
	if (a->minute != b->minute)
		return a->minute < b->minute ? -1 : 1;
	if (a->provider != b->provider)
		return a->provider < b->provider ? -1 : 1;
	return (a->slot->minute > b->slot->minute) - (a->slot->minute < b->slot->minute);
}

static bool same_slot(const struct part *a, const struct part *b)
{
	return a->dim == b->dim && a->minute == b->minute && a->provider == b->provider;
}

static int64_t key_of(const struct count_entry *entry)
{
	return (int64_t)((entry->at - 1) >> BUCKET_METRIC_BITS);
}

/* Entries of one chunk of a slot as one row of the table. */
static int write_chunk(const struct writing *w, const struct part *slot, int64_t chunk,
	const struct count_entry *entries, size_t n)
{
	sqlite3_stmt *stmt = db_stmt(w->db, SQL_BUCKET_ADD, w->reterr);
	unsigned char *end = w->packed;
	int64_t key = 0;

	if (!stmt)
		return (int)w->reterr->code;
	for (size_t i = 0; i < n; i++)
		if (entries[i].n != 0)
			end = bucket_put(end, &key,
				&(struct bucket_entry){.key = key_of(&entries[i]),
					.metric = (int)((entries[i].at - 1) & METRIC_MASK),
					.n = entries[i].n});
	bind_int(stmt, 1, w->res);
	bind_int(stmt, 2, slot->dim);
	bind_int(stmt, 3, (int64_t)slot->minute * SECONDS_PER_MINUTE);
	bind_int(stmt, 4, slot->provider);
	bind_int(stmt, 5, chunk);
	bind_blob(stmt, 6, (struct str){(const char *)w->packed, (size_t)(end - w->packed)});
	return db_run(w->db, stmt, w->reterr);
}

/* Those of one key after each other become one. Returns how many are left. */
static size_t add_up(struct count_entry *e, size_t n)
{
	size_t kept = 0;

	for (size_t i = 1; i < n; i++)
		if (e[i].at == e[kept].at)
			e[kept].n += e[i].n;
		else
			e[++kept] = e[i];
	return n ? kept + 1 : 0;
}

/* The slot made of n parts. */
static int write_slot(const struct writing *w, const struct part *parts, size_t nparts)
{
	enum bucket_dim dim = (enum bucket_dim)parts->dim;
	struct count_entry *e = w->sorted;
	size_t n = 0, first = 0;
	int rc = 0;

	for (size_t k = 0; k < nparts; k++)
		for (size_t i = 0; i < parts[k].slot->cap; i++)
			if (parts[k].slot->entry[i].at)
				e[n++] = parts[k].slot->entry[i];
	e = sort_entries(e, w->spare, n);
	n = add_up(e, n);
	while (rc == 0 && first < n) {
		int64_t chunk = bucket_chunk(w->res, dim, key_of(&e[first]));
		size_t end = first + 1;

		while (end < n && bucket_chunk(w->res, dim, key_of(&e[end])) == chunk)
			end++;
		rc = write_chunk(w, parts, chunk, e + first, end - first);
		first = end;
	}
	return rc;
}

/* How many parts make the slot that begins with the first; *most: the most entries of any. */
static size_t slot_parts(const struct part *parts, size_t n, size_t *most)
{
	size_t count = 0, entries = 0;

	while (count < n && same_slot(&parts[0], &parts[count]))
		entries += parts[count++].slot->n;
	*most = entries > *most ? entries : *most;
	return count;
}

static int write_all(const struct counts *c, enum bucket_resolution res, struct part *parts,
	struct db *db, struct mt_error *reterr)
{
	const uint32_t minutes = (uint32_t)res / SECONDS_PER_MINUTE;
	struct writing w = {.res = res, .db = db, .reterr = reterr};
	size_t n = 0, most = 0;
	int rc = 0;

	for (size_t i = 0; i < c->nchains; i++)
		for (const struct count_slot *slot = c->chain[i]; slot; slot = slot->next)
			parts[n++] = (struct part){slot->minute - slot->minute % minutes,
				slot->provider, slot->dim, slot};
	qsort(parts, n, sizeof(parts[0]), by_primary_key);
	for (size_t i = 0; i < n;)
		i += slot_parts(parts + i, n - i, &most);
	w.sorted = xmalloc(most * sizeof(w.sorted[0]));
	w.spare = xmalloc(most * sizeof(w.spare[0]));
	w.packed = xmalloc(most * BUCKET_ENTRY_MAX_BYTES);
	for (size_t i = 0; rc == 0 && i < n;) {
		size_t count = slot_parts(parts + i, n - i, &most);

		rc = write_slot(&w, parts + i, count);
		i += count;
	}
	free(w.packed);
	free(w.spare);
	free(w.sorted);
	return rc;
}

int count_write(const struct counts *c, struct db *db, struct mt_error *reterr)
{
	struct part *parts;
	int rc;

	if (c->n == 0)
		return 0;
	parts = xmalloc(c->nslots * sizeof(parts[0]));
	rc = write_all(c, RES_MINUTE, parts, db, reterr);
	if (rc == 0)
		rc = write_all(c, RES_HOUR, parts, db, reterr);
	if (rc == 0)
		rc = write_all(c, RES_DAY, parts, db, reterr);
	free(parts);
	return rc;
}

static void free_slots(struct counts *c)
{
	for (size_t i = 0; i < c->nchains; i++) {
		for (struct count_slot *slot = c->chain[i], *next; slot; slot = next) {
			next = slot->next;
			free(slot->entry);
			free(slot);
		}
		c->chain[i] = NULL;
	}
	memset(c->last, 0, sizeof(c->last));
	c->n = c->nslots = 0;
}

void count_reset(struct counts *c)
{
	if (c->nchains > CHAINS_KEEP)
		count_done(c);
	else
		free_slots(c);
}

void count_done(struct counts *c)
{
	free_slots(c);
	free(c->chain);
	*c = (struct counts){0};
}
