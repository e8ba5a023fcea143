/* SPDX-License-Identifier: MIT */
/*
 * read_dict - dictionary texts by id, kept while the cache does not change, and the growing arrays and
 * arena copies of the reading half.
 */
#include "store/base/mem.h"
#include "store/read_rows.h"

#include <stdlib.h>

#define DICT_CACHE_MAX_BYTES (16u << 20) /* texts; past it the cache begins anew */
#define DICT_CACHE_FIRST 1024

static size_t slot_of(const struct dict_cache *d, int64_t id)
{
	size_t at = ((uint64_t)id * 0x9e3779b97f4a7c15u >> 32) & (d->cap - 1);

	while (d->slot[at].id && d->slot[at].id != id)
		at = (at + 1) & (d->cap - 1);
	return at;
}

static void dict_grow(struct dict_cache *d)
{
	struct dict_cache wide = *d;

	wide.cap = d->cap ? d->cap * 2 : DICT_CACHE_FIRST;
	wide.slot = xcalloc(wide.cap, sizeof(wide.slot[0]));
	for (size_t i = 0; i < d->cap; i++)
		if (d->slot[i].id)
			wide.slot[slot_of(&wide, d->slot[i].id)] = d->slot[i];
	free(d->slot);
	*d = wide;
}

void dict_done(struct dict_cache *d)
{
	free(d->slot);
	arena_done(&d->texts);
	*d = (struct dict_cache){0};
}

/* dict_keep - a copy of the text; what was kept before is forgotten when it does not fit beside that. */
static struct str dict_keep(struct dict_cache *d, struct str text)
{
	struct str copy = arena_str(&d->texts, text);

	if (str_present(copy))
		return copy;
	arena_reset(&d->texts);
	memset(d->slot, 0, d->cap * sizeof(d->slot[0]));
	d->n = 0;
	return arena_str(&d->texts, text);
}

int dict_text(struct reader *r, int64_t id, struct str *ret, struct mt_error *reterr)
{
	struct dict_cache *d = &r->dict;
	sqlite3_stmt *stmt;
	struct str text = {NULL, 0};
	size_t at;
	int rc;

	*ret = text;
	if (id <= 0)
		return 0;
	if (d->cap == 0)
		arena_init(&d->texts, DICT_CACHE_MAX_BYTES);
	if (2 * (d->n + 1) > d->cap)
		dict_grow(d);
	at = slot_of(d, id);
	if (d->slot[at].id) {
		*ret = d->slot[at].text;
		return 0;
	}
	rc = rd_prepare(r, READ_DICT_TEXT, &stmt, reterr);
	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, id);
	rc = rd_step(r, stmt, reterr);
	if (rc < 0)
		return rc;
	if (rc > 0) {
		text = dict_keep(d, rd_str(stmt, 0));
		sqlite3_reset(stmt);
		if (!str_present(text))
			return mt_error_set(reterr, MT_ELIMIT, "cache: a text is too long");
		at = slot_of(d, id);
	}
	d->slot[at] = (struct dict_entry){.id = id, .text = text};
	d->n++;
	*ret = text;
	return 0;
}

int dict_needle(struct reader *r, struct str needle, struct mt_error *reterr)
{
	if (r->needle_number && str_eq(buf_str(&r->needle), needle))
		return 0;
	buf_clear(&r->needle);
	if (buf_add_str(&r->needle, needle) < 0)
		return mt_error_set(reterr, MT_ELIMIT, "the filter is too long");
	r->needle_number++;
	return 0;
}

int dict_has(struct reader *r, int64_t id, bool *ret_has, bool *ret_spans, struct mt_error *reterr)
{
	struct dict_entry *entry;
	struct str text;
	int rc = dict_text(r, id, &text, reterr);

	*ret_has = *ret_spans = false;
	if (rc < 0 || !str_present(text))
		return rc;
	entry = &r->dict.slot[slot_of(&r->dict, id)];
	if (entry->looked != r->needle_number) {
		entry->looked = r->needle_number;
		entry->has = text_has(text, buf_str(&r->needle));
		entry->spans = !entry->has && text_spans(text, buf_str(&r->needle));
	}
	*ret_has = entry->has;
	*ret_spans = entry->spans;
	return 0;
}

int dict_find(struct reader *r, enum dict_kind kind, struct str text, int64_t *ret,
	struct mt_error *reterr)
{
	sqlite3_stmt *stmt;
	int rc = rd_prepare(r, READ_DICT_FIND, &stmt, reterr);

	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, kind);
	rd_bind_str(stmt, 2, text);
	return rd_int(r, stmt, 0, ret, reterr);
}

void *rows_add(struct rows *v)
{
	char *item;

	if (v->n == v->cap) {
		size_t cap = v->cap ? v->cap * 2 : 64;
		char *p = realloc(v->p, cap * v->item);

		if (!p)
			return NULL;
		v->p = p;
		v->cap = cap;
	}
	item = v->p + v->n++ * v->item;
	memset(item, 0, v->item);
	return item;
}

void rows_free(struct rows *v)
{
	free(v->p);
	v->p = NULL;
	v->n = v->cap = 0;
}

int rows_give(const struct rows *v, size_t max, struct arena *a, void **ret, size_t *ret_n,
	struct mt_error *reterr)
{
	size_t n = v->n < max ? v->n : max;
	void *copy = arena_alloc(a, n * v->item + 1);

	if (!copy)
		return arena_full(reterr);
	if (n)
		memcpy(copy, v->p, n * v->item);
	*ret = copy;
	*ret_n = n;
	return 0;
}

size_t read_limit(const struct query *q)
{
	if (q->limit <= 0)
		return LIST_ROWS_DEFAULT;
	return q->limit > LIST_ROWS_MAX ? LIST_ROWS_MAX : (size_t)q->limit;
}

int arena_full(struct mt_error *reterr)
{
	return mt_error_set(reterr, MT_ELIMIT, "too much text for one view");
}

struct str give_str(struct arena *a, struct str s, int *rc)
{
	struct str copy = arena_str(a, s);

	if (str_present(s) && !str_present(copy))
		*rc = MT_ELIMIT;
	return copy;
}
