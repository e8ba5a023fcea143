/* SPDX-License-Identifier: MIT */
/* intern - the dictionary cache; see intern.h. Does not begin or end transactions. */
#include "store/intern.h"

#include "store/base/mem.h"

#include <stdlib.h>
#include <sys/random.h>

#define SEEN_REFRESH_DAYS 7 /* seen_day may lag that far; pruning allows for it */
#define TEXT_CACHE_MAX_BYTES (8u << 20)
#define EVICT_TURNS                                                                                \
	64 /* bounds one insertion when all are pinned; the batch's size bounds the excess */

struct intern_entry {
	struct intern_entry *next;
	uint64_t hash;
	int32_t id;
	int32_t seen_day;
	int32_t note;
	uint32_t len;
	uint8_t kind;
	bool used, pinned;
	char text[];
};

static uint64_t mix(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t load_tail(const char *p, size_t n)
{
	uint64_t word = 0;

	memcpy(&word, p, n);
	return word;
}

uint64_t intern_hash(struct str text, uint64_t seed)
{
	const uint64_t k1 = 0x9e3779b97f4a7c15u, k2 = 0xe7037ed1a0b428dbu;
	uint64_t h = seed ^ mix(text.n ^ k1, k2);
	const char *p = text.p;
	size_t n = text.n;

	for (; n >= 16; p += 16, n -= 16)
		h = mix(load_tail(p, 8) ^ k1, load_tail(p + 8, 8) ^ h);
	if (n >= 8) {
		h = mix(load_tail(p, 8) ^ k1, h ^ k2);
		p += 8;
		n -= 8;
	}
	if (n)
		h = mix(load_tail(p, n) ^ k2, h ^ k1);
	return mix(h ^ k1, k2);
}

static void drop_all(struct intern *in)
{
	for (uint32_t i = 0; i < in->n; i++)
		free(in->ring[i]);
	in->n = in->nfresh = in->nstale = in->hand = 0;
	in->text_bytes = 0;
	memset(in->last, 0, sizeof(in->last));
	if (in->bucket)
		memset(in->bucket, 0, in->nbuckets * sizeof(in->bucket[0]));
}

void intern_done(struct intern *in)
{
	drop_all(in);
	free(in->bucket);
	free(in->ring);
	free(in->fresh);
	free(in->stale);
	*in = (struct intern){0};
}

static void unlink_entry(struct intern *in, const struct intern_entry *gone)
{
	struct intern_entry **at = &in->bucket[gone->hash & (in->nbuckets - 1)];

	while (*at != gone)
		at = &(*at)->next;
	*at = gone->next;
	if (in->last[gone->kind] == gone)
		in->last[gone->kind] = NULL;
}

/* Second chance: an entry used since the hand passed, or not yet in the database, stays. */
static bool evict_one(struct intern *in)
{
	for (int turns = 0; turns < EVICT_TURNS; turns++) {
		struct intern_entry *e = in->ring[in->hand];

		if (e->used || e->pinned) {
			e->used = false;
			in->hand = (in->hand + 1) % in->n;
			continue;
		}
		unlink_entry(in, e);
		in->text_bytes -= e->len;
		in->ring[in->hand] = in->ring[--in->n];
		if (in->hand >= in->n)
			in->hand = 0;
		in->complete = false;
		free(e);
		return true;
	}
	return false;
}

static void push(struct intern_entry ***list, uint32_t *n, uint32_t *cap, struct intern_entry *e)
{
	if (*n == *cap) {
		*cap = *cap ? *cap * 2 : 64;
		*list = xrealloc(*list, *cap * sizeof(**list));
	}
	(*list)[(*n)++] = e;
}

static void grow(struct intern *in)
{
	in->nbuckets = in->nbuckets ? in->nbuckets * 2 : 1024;
	free(in->bucket);
	in->bucket = xcalloc(in->nbuckets, sizeof(in->bucket[0]));
	in->ring = xrealloc(in->ring, in->nbuckets * sizeof(in->ring[0]));
	for (uint32_t i = 0; i < in->n; i++) {
		struct intern_entry **head = &in->bucket[in->ring[i]->hash & (in->nbuckets - 1)];

		in->ring[i]->next = *head;
		*head = in->ring[i];
	}
}

static struct intern_entry *insert(struct intern *in, uint64_t hash, enum dict_kind kind,
	struct str text, int32_t id, int32_t day)
{
	struct intern_entry *e = xmalloc(sizeof(*e) + text.n);
	struct intern_entry **head;

	while ((in->n >= in->max || in->text_bytes > TEXT_CACHE_MAX_BYTES) && in->n > 0 &&
		evict_one(in))
		;
	if (in->n >= in->nbuckets)
		grow(in);
	head = &in->bucket[hash & (in->nbuckets - 1)];
	*e = (struct intern_entry){.next = *head,
		.hash = hash,
		.id = id,
		.seen_day = day,
		.len = (uint32_t)text.n,
		.kind = (uint8_t)kind,
		.used = true};
	memcpy(e->text, text.p, text.n);
	*head = e;
	in->ring[in->n++] = e;
	in->text_bytes += text.n;
	return e;
}

static bool same(const struct intern_entry *e, uint64_t hash, enum dict_kind kind, struct str text)
{
	return e->hash == hash && e->kind == kind && e->len == text.n &&
	       memcmp(e->text, text.p, text.n) == 0;
}

static uint64_t hash_of(const struct intern *in, enum dict_kind kind, struct str text)
{
	return intern_hash(text, in->seed + (uint64_t)kind);
}

int intern_load(struct intern *in, struct db *db, uint32_t max_entries, struct mt_error *reterr)
{
	sqlite3_stmt *stmt;
	int64_t newest = 0;
	int rc;

	drop_all(in);
	if (!in->seed && getrandom(&in->seed, sizeof(in->seed), GRND_NONBLOCK) < 0)
		in->seed = (uint64_t)(uintptr_t)
			in; /* early boot: address space layout is all there is */
	in->max = max_entries;
	while (in->nbuckets < 1024)
		grow(in);
	stmt = db_stmt(db, SQL_DICT_MAX, reterr);
	if (!stmt)
		return (int)reterr->code;
	rc = db_int(db, stmt, 0, &newest, reterr);
	if (rc < 0)
		return rc;
	in->next_id = newest + 1;
	in->complete = true;
	stmt = db_stmt(db, SQL_DICT_ALL, reterr);
	if (!stmt)
		return (int)reterr->code;
	while ((rc = db_row(db, stmt, reterr)) > 0) {
		struct str text = column_str(stmt, 2);
		int kind = sqlite3_column_int(stmt, 1);

		if (kind < 0 || kind >= DICT__COUNT || in->n >= in->max ||
			in->text_bytes > TEXT_CACHE_MAX_BYTES) {
			in->complete = false;
			sqlite3_reset(stmt);
			break;
		}
		insert(in, hash_of(in, (enum dict_kind)kind, text), (enum dict_kind)kind, text,
			sqlite3_column_int(stmt, 0), sqlite3_column_int(stmt, 3));
	}
	return rc < 0 ? rc : 0;
}

static int find_row(struct db *db, enum dict_kind kind, struct str text, int32_t *ret_id,
	int32_t *ret_day, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(db, SQL_DICT_FIND, reterr);
	int rc;

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, kind);
	bind_str(stmt, 2, text);
	rc = db_row(db, stmt, reterr);
	if (rc > 0) {
		*ret_id = sqlite3_column_int(stmt, 0);
		*ret_day = sqlite3_column_int(stmt, 1);
		sqlite3_reset(stmt);
	}
	return rc;
}

static struct intern_entry *add_text(struct intern *in, struct db *db, enum dict_kind kind,
	struct str text, int32_t day, uint64_t hash, struct mt_error *reterr)
{
	struct intern_entry *e;
	int32_t id = 0, seen = 0;
	int rc = in->complete ? 0 : find_row(db, kind, text, &id, &seen, reterr);

	if (rc < 0)
		return NULL;
	if (rc > 0)
		return insert(in, hash, kind, text, id, seen);
	if (in->next_id >= INT32_MAX) {
		mt_error_set(reterr, MT_ELIMIT, "cache: the dictionary is full");
		return NULL;
	}
	e = insert(in, hash, kind, text, (int32_t)in->next_id++, day);
	e->pinned = true;
	push(&in->fresh, &in->nfresh, &in->fresh_cap, e);
	return e;
}

int intern_id(struct intern *in, struct db *db, enum dict_kind kind, struct str text, int32_t day,
	int32_t *ret, struct mt_error *reterr)
{
	struct intern_entry *e = in->last[kind];
	uint64_t hash;

	*ret = 0;
	if (text.n == 0)
		return 0;
	text = str_first(text, DICT_TEXT_MAX_BYTES);
	if (!e || e->len != text.n || memcmp(e->text, text.p, text.n) != 0) {
		hash = hash_of(in, kind, text);
		e = in->bucket[hash & (in->nbuckets - 1)];
		while (e && !same(e, hash, kind, text))
			e = e->next;
		if (!e)
			e = add_text(in, db, kind, text, day, hash, reterr);
		if (!e)
			return (int)reterr->code;
		in->last[kind] = e;
	}
	e->used = true;
	if (day >= e->seen_day + SEEN_REFRESH_DAYS && !e->pinned) {
		e->seen_day = day;
		e->note = 0;
		e->pinned = true;
		push(&in->stale, &in->nstale, &in->stale_cap, e);
	}
	*ret = e->id;
	return 0;
}

int32_t *intern_note(struct intern *in, enum dict_kind kind, int32_t id)
{
	struct intern_entry *e = in->last[kind];

	return e && e->id == id ? &e->note : NULL;
}

static int write_fresh(struct db *db, const struct intern_entry *e, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(db, SQL_DICT_INSERT, reterr);

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, e->id);
	bind_int(stmt, 2, e->kind);
	bind_str(stmt, 3, (struct str){e->text, e->len});
	bind_int(stmt, 4, e->seen_day);
	return db_run(db, stmt, reterr);
}

static int write_stale(struct db *db, const struct intern_entry *e, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(db, SQL_DICT_SEEN, reterr);

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, e->id);
	bind_int(stmt, 2, e->seen_day);
	return db_run(db, stmt, reterr);
}

int intern_write(struct intern *in, struct db *db, struct mt_error *reterr)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < in->nfresh; i++)
		rc = write_fresh(db, in->fresh[i], reterr);
	for (uint32_t i = 0; rc == 0 && i < in->nstale; i++)
		rc = write_stale(db, in->stale[i], reterr);
	return rc;
}

void intern_written(struct intern *in)
{
	for (uint32_t i = 0; i < in->nfresh; i++)
		in->fresh[i]->pinned = false;
	for (uint32_t i = 0; i < in->nstale; i++)
		in->stale[i]->pinned = false;
	in->nfresh = in->nstale = 0;
}

static void swap_lists(struct intern *a, struct intern *b)
{
	struct intern held = *a;

	a->fresh = b->fresh;
	a->nfresh = b->nfresh;
	a->fresh_cap = b->fresh_cap;
	a->stale = b->stale;
	a->nstale = b->nstale;
	a->stale_cap = b->stale_cap;
	b->fresh = held.fresh;
	b->nfresh = held.nfresh;
	b->fresh_cap = held.fresh_cap;
	b->stale = held.stale;
	b->nstale = held.nstale;
	b->stale_cap = held.stale_cap;
}

void intern_hand_over(struct intern *from, struct intern *to)
{
	swap_lists(from, to);
}

void intern_take_back(struct intern *from, struct intern *to)
{
	swap_lists(from, to); /* theirs are the older ids: in front */
	for (uint32_t i = 0; i < to->nfresh; i++)
		push(&from->fresh, &from->nfresh, &from->fresh_cap, to->fresh[i]);
	for (uint32_t i = 0; i < to->nstale; i++)
		push(&from->stale, &from->nstale, &from->stale_cap, to->stale[i]);
	to->nfresh = to->nstale = 0;
}
