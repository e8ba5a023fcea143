/* SPDX-License-Identifier: MIT */
/*
 * read_priv - the insides of struct reader, shared by the files read_*.c only.
 *
 * Statements are constants of read_sql.def, prepared once; dictionary texts are kept over frames, since
 * most rows name the same few hosts. Nothing of it is seen outside the reading half.
 */
#ifndef MT_STORE_READ_PRIV_H
#define MT_STORE_READ_PRIV_H

#include "store/base/buf.h"
#include "store/store_read.h"

#include <sqlite3.h>
#include <sys/types.h>

#define SCAN_ROWS_MAX 25000 /* rows a filtered list looks at, newest first: a frame's time */
#define COUNT_ROWS_MAX                                                                             \
	40000 /* rows a filtered count looks at: what is left out would be missing in a figure */
#define OWNED_ROWS_MAX                                                                             \
	10000 /* the same of attempts where each one's message is needed, for lists and counts */
#define DOMAIN_ROWS_MAX                                                                            \
	10000 /* failures of one domain, which an index finds here and there in the table */
#define LIST_ROWS_DEFAULT 1000
#define LIST_ROWS_MAX 100000
#define REPLY_TEXT_MAX_BYTES 65536

enum read_sql {
#define SQL(id, text) READ_##id,
#include "store/read_sql.def"
#undef SQL
	READ__COUNT
};

struct dict_entry {
	int64_t id;
	struct str text;
	uint32_t looked; /* the needle_number that has and spans are for; 0 none */
	bool has, spans; /* see dict_has */
};

struct dict_cache {
	struct dict_entry *slot; /* open addressing by id; owned */
	size_t cap, n;
	struct arena texts;
};

/* Where the buckets of the cache begin, by resolution; found once a snapshot. */
struct floors {
	bool known;
	int64_t minute_s, hour_s; /* EVENT_UNKNOWN: none */
};

/* The lowest ids of the rows since a minute: the tiles of one frame ask for the same few again and again. */
#define LOWS_KEPT 4
struct lows {
	int provider; /* 0 = free */
	int64_t from_s, id[3]; /* by enum mark_column */
};

/* A provider whose counters come in slots, see read_slots.h. */
#define API_PROVIDERS_MAX 256
struct api_info {
	int provider, res; /* RES_SLOT_ */
	uint64_t metrics; /* its totals have */
};

#define MESSAGE_TEXTS                                                                              \
	6 /* of a message row: queue id, sender, message-id, and those of its first attempt */

struct block_cache;

struct plan_egress;

struct reader {
	sqlite3 *db;
	sqlite3_stmt *stmt[READ__COUNT];
	char *path;
	dev_t dev;
	ino_t ino;
	int64_t data_version; /* at the last reader_changed */
	int64_t dict_version; /* the one the dictionary cache holds for */
	bool in_snapshot, truncated;
	bool (*stop)(void *ctx); /* see reader_stop_when; NULL never */
	void *stop_ctx;
	bool stopped;
	unsigned steps; /* of statements, since stop was asked */
	struct dict_cache dict;
	struct block_cache *blocks; /* holds as long as dict; NULL until needed; owned */
	struct buf got_texts[MESSAGE_TEXTS],
		walk_texts[MESSAGE_TEXTS]; /* of the last message got, walked over */
	struct floors floors;
	struct lows lows[LOWS_KEPT]; /* of this snapshot */
	size_t next_low;
	bool api_known; /* the next three are of this snapshot */
	bool local; /* there is a provider counted by the minute */
	size_t napi;
	struct api_info api[API_PROVIDERS_MAX];
	void *spare[2]; /* tables of sums_read to be used again; owned */
	size_t spare_rows[2];
	struct plan_egress *plan; /* of a query with a plan; NULL none; owned */
	struct buf text; /* scratch: one joined text */
	struct buf needle; /* the text filter dict_has remembers answers for */
	uint32_t needle_number; /* of so many different ones */
};

/* read_open.c. rd_prepare - the statement, reset, nothing bound. rd_step - 1 row, 0 end, negative error (reset on
 * the last two). rd_int - first column of the only row; fallback without one or NULL; statement reset. */
int rd_prepare(struct reader *r, enum read_sql id, sqlite3_stmt **ret,
	struct mt_error *reterr) MT_MUST_CHECK;
int rd_step(struct reader *r, sqlite3_stmt *stmt, struct mt_error *reterr) MT_MUST_CHECK;
int rd_int(struct reader *r, sqlite3_stmt *stmt, int64_t fallback, int64_t *ret,
	struct mt_error *reterr) MT_MUST_CHECK;
void rd_bind(sqlite3_stmt *stmt, int at, int64_t value);
void rd_bind_str(sqlite3_stmt *stmt, int at, struct str s);
/* rd_num - column as a number, EVENT_UNKNOWN for NULL. rd_id - the same, 0 for NULL. rd_str - absent for NULL;
 * valid until the next step. */
int64_t rd_num(sqlite3_stmt *stmt, int at);
int64_t rd_id(sqlite3_stmt *stmt, int at);
struct str rd_str(sqlite3_stmt *stmt, int at);
/* read_sql_text - for the tests that look at query plans. */
const char *read_sql_text(enum read_sql id);

/* read_dict.c. dict_text - text of a dictionary row, absent for id 0 or one that is gone; valid until the next
 * dict_text. dict_find - id of a text; 0 when the cache has never seen it. */
int dict_text(struct reader *r, int64_t id, struct str *ret, struct mt_error *reterr) MT_MUST_CHECK;
int dict_find(struct reader *r, enum dict_kind kind, struct str text, int64_t *ret,
	struct mt_error *reterr) MT_MUST_CHECK;
void dict_done(struct dict_cache *d);
/* dict_has - is r->needle in the text? *ret_spans: taken as a reply template, the needle may lie across one of its
 * holes, so that only the joined text can tell. Worked out once a text: many rows have few of them. */
int dict_has(struct reader *r, int64_t id, bool *ret_has, bool *ret_spans,
	struct mt_error *reterr) MT_MUST_CHECK;
/* dict_needle - what dict_has looks for. */
int dict_needle(struct reader *r, struct str needle, struct mt_error *reterr) MT_MUST_CHECK;

/* read_blocks.c. blocks_forget - the cache has changed. */
void blocks_forget(struct reader *r);
void blocks_done(struct reader *r);

/* A growing array of fixed items in plain memory, for results of unknown number; ended with vec_free. */
struct rows {
	char *p;
	size_t n, cap, item;
};
/* rows_add - a zeroed item more; NULL when memory is out. */
void *rows_add(struct rows *v);
void rows_free(struct rows *v);
/* rows_give - copy the first max items into the arena. Returns 0 or MT_ELIMIT. */
int rows_give(const struct rows *v, size_t max, struct arena *a, void **ret, size_t *ret_n,
	struct mt_error *reterr) MT_MUST_CHECK;

/* count_rows_max - how many rows a count by this query may look at. */
static inline int64_t count_rows_max(const struct query *q)
{
	if (q->text.n > 0 || q->port != 0 || str_present(q->service) ||
		str_present(q->sender_domain) || str_present(q->user))
		return OWNED_ROWS_MAX;
	return str_present(q->domain) ? DOMAIN_ROWS_MAX : COUNT_ROWS_MAX;
}

/* count_rejects_max - the same of refusals: they hold all that is asked of them but texts in one row. */
static inline int64_t count_rejects_max(const struct query *q)
{
	return q->text.n > 0 ? OWNED_ROWS_MAX : COUNT_ROWS_MAX;
}

/* read_limit - rows asked for, defaulted and capped. */
size_t read_limit(const struct query *q);
/* give_str - copy into the arena; sets *rc to MT_ELIMIT when it is full. */
struct str give_str(struct arena *a, struct str s, int *rc);
int arena_full(struct mt_error *reterr);

#endif
